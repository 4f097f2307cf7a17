"""Every act on a case, as a browser without scripts does it; what is damaged; and what a page costs."""

import re

import pytest
from sqlalchemy import event, select

from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import CaseDoc, Message, Note
from weerbaar_meldpunt.store.tracks import Due, Track

from .conftest import THREAT, Page

TEAM = "ondersteuning"


def track_of(instance, team=TEAM):
    with instance.readings() as session:
        return session.scalars(select(Track).where(Track.team == team)).one()


def establish(browser, reference):
    assert browser.act(reference, "/nemen").status == 200
    assert browser.act(reference, "/feiten").status == 200


# --- acting --------------------------------------------------------------------------------------------------------


def test_one_tap_takes_the_case(member, threat, instance, ready):
    page = member.act(threat.reference, "/nemen")

    assert "U behandelt deze zaak nu." in page.text
    assert track_of(instance).owner_id == ready.second(TEAM).user_id


def test_one_tap_notes_that_nobody_answered(member, threat, instance):
    page = member.act(threat.reference, "/gebeld", reached="nee")

    assert "Genoteerd: geen gehoor." in page.text
    with instance.readings() as session:
        assert "poging" in session.scalars(select(Due.kind).where(Due.ended_at.is_(None))).all()


def test_a_talk_is_noted_with_what_was_said(member, threat):
    page = member.act(threat.reference, "/gebeld", reached="ja", call_note="Wil graag\r\nmorgen weer.")

    assert "Wil graag\nmorgen weer." in page.text


def test_reporter_and_worker_write_to_each_other(member, threat, instance, app, form_token):
    member.act(threat.reference, "/bericht", message="Hoe gaat het?")
    reporter = app.test_client()
    reporter.post("/terug", data={"csrf_token": form_token(reporter, "/terug"), "code": threat.receipt_code})
    own = Page(reporter.get("/mijn-melding"))
    assert "Hoe gaat het?" in own.text
    form = next(form for form in own.forms if any(name == "text" for name, _ in form["fields"]))
    sent = reporter.post(form["action"], data=dict(form["fields"]) | {"text": "Het gaat wel."})
    assert sent.status_code == 303

    page = member.get(f"/zaak/{threat.reference}")

    assert "De melder schreef. Lees dit eerst." in page.text
    assert "Het gaat wel." in page.text
    member.send(page, "/gelezen")
    assert not track_of(instance).unread


@pytest.fixture
def own_page(app, form_token, threat):
    """What the reporter reads on the own page, as plain words."""
    reporter = app.test_client()

    def read():
        reporter.post("/terug", data={"csrf_token": form_token(reporter, "/terug"), "code": threat.receipt_code})
        return " ".join(Page(reporter.get("/mijn-melding")).words.split())

    return read


@pytest.mark.parametrize("waiting", ["wacht_op_derde:politie", "wacht_op_melder:melder"])
def test_the_reporter_reads_what_is_awaited_and_until_when(member, threat, own_page, waiting):
    member.act(threat.reference, "/gebeld", reached="ja")  # aftercare comes earlier than the end of the waiting

    member.act(
        threat.reference, "/wachten", waiting=waiting, wait_text="Op het nummer van de aangifte.",
        until_date="2026-12-04",
    )  # fmt: skip

    told = own_page()
    assert "Op het nummer van de aangifte." in told
    assert re.search(r"(langer dan|niets vóór) vrijdag 4 december", told)


def test_the_reporter_reads_why_the_case_was_opened_again(member, threat, own_page):
    establish(member, threat.reference)
    member.act(threat.reference, "/afsluiten", outcome="geholpen", done="Gebeld.", sure="ja")
    member.act(threat.reference, "/heropenen", reopening="Er kwam nieuw bewijs.")

    assert "Waarom wij uw melding weer openden: Er kwam nieuw bewijs." in own_page()


def test_the_reporter_reads_one_line_for_a_day_of_work(member, threat, own_page):
    for _ in range(4):
        member.get(f"/zaak/{threat.reference}")

    told = own_page()
    assert told.count("iemand van") == 1
    assert "opende de melding, 4 keer op deze dag" in told


@pytest.mark.parametrize(("ending", "field", "model"), [("/bericht", "message", Message), ("/notitie", "note", Note)])
def test_a_form_that_is_sent_twice_counts_once(member, threat, instance, ending, field, model):
    page = member.get(f"/zaak/{threat.reference}")

    member.send(page, ending, **{field: "Eén keer."})
    again = member.send(page, ending, **{field: "Eén keer."})

    assert "Het staat er één keer." in again.text
    with instance.readings() as session:
        assert len(session.scalars(select(model)).all()) == 1


def test_a_text_of_only_spaces_is_asked_again(member, threat):
    page = member.act(threat.reference, "/bericht", message="   ")

    assert page.status == 422
    assert "U hebt nog niets geschreven." in page.text
    assert 'href="#f-message"' in page.text


def test_what_somebody_wrote_is_kept_when_a_colleague_was_first(member, coordinator, threat, instance):
    member.act(threat.reference, "/nemen")
    stale = member.get(f"/zaak/{threat.reference}")
    coordinator.act(threat.reference, "/nemen")

    page = member.send(stale, "/overdragen", reason_over="Ik ben morgen vrij.", to="00" * 16)

    assert page.status == 422
    assert "Een collega heeft intussen iets gedaan." in page.text
    taken = member.send(stale, "/wachten", waiting="wacht_op_melder:melder", wait_text="De mail zelf")
    assert taken.status == 422
    assert track_of(instance).state == "in_behandeling"


def test_a_case_is_handed_over_to_a_colleague(member, coordinator, threat, instance, ready):
    member.act(threat.reference, "/nemen")

    page = member.act(threat.reference, "/overdragen", to=ready.first(TEAM).user_id.hex(), reason_over="Vrij.")

    assert "De zaak is overgedragen." in page.text
    assert track_of(instance).owner_id == ready.first(TEAM).user_id
    assert "Overgedragen aan een collega aan Persoon 1" in page.text


def test_waiting_ends_with_one_tap(member, threat, instance):
    member.act(threat.reference, "/nemen")
    page = member.act(
        threat.reference,
        "/wachten",
        waiting="wacht_op_melder:melder",
        wait_text="De mail zelf",
        until_date="2026-12-01",
    )
    assert "De zaak wacht." in page.text
    assert track_of(instance).state == "wacht_op_melder"

    member.act(threat.reference, "/verder")

    assert track_of(instance).state == "in_behandeling"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"waiting": ""}, "Kies op wie u wacht."),
        ({"waiting": "afgerond:melder"}, "Kies op wie u wacht."),
        ({"waiting": "wacht_op_melder:melder", "until_date": "2020-01-01"}, "Dit moment is al voorbij."),
        ({"waiting": "wacht_op_melder:melder", "until_date": "2199-01-01"}, "Dit moment ligt te ver weg."),
        ({"waiting": "wacht_op_melder:melder", "until_date": "overmorgen"}, "Kijk dit nog even na"),
        (
            {"waiting": "wacht_op_melder:melder", "until_date": "2026-12-01", "until_time": "25:00"},
            "Kijk dit nog even na",
        ),
    ],
)
def test_a_wait_that_makes_no_sense_is_asked_again_with_its_words(member, threat, instance, typed, said):
    member.act(threat.reference, "/nemen")

    page = member.act(threat.reference, "/wachten", wait_text="De mail zelf", **typed)

    assert (page.status, said in page.text, "De mail zelf" in page.text) == (422, True, True)
    assert track_of(instance).state == "in_behandeling"


def test_aftercare_is_ticked_off(member, threat, instance):
    member.act(threat.reference, "/gebeld", reached="ja")

    page = member.act(threat.reference, "/termijn")

    assert "De termijn is afgehandeld." in page.text
    with instance.readings() as session:
        assert session.scalars(select(Due.step).where(Due.kind == "nazorg_72u")).one() == "gedaan"


def test_a_case_is_closed_in_two_steps_facts_first(member, threat, instance):
    page = member.act(threat.reference, "/nemen")
    assert "Afsluiten kan als de feiten zijn vastgesteld." in page.text
    page = member.act(threat.reference, "/feiten", aangifte="ja")
    assert "De feiten zijn vastgesteld." in page.text

    page = member.act(threat.reference, "/afsluiten", outcome="geholpen", done="Gebeld.", not_done="", sure="ja")

    assert "De zaak is afgesloten." in page.text
    assert track_of(instance).outcome == "geholpen"


def test_closing_without_having_read_it_back_is_asked_again_with_everything_kept(member, threat, instance):
    establish(member, threat.reference)

    page = member.act(threat.reference, "/afsluiten", outcome="geholpen", done="Gebeld en geholpen.")

    assert page.status == 422
    assert "Gebeld en geholpen." in page.text
    assert re.search(r'value="geholpen" checked', page.text)
    assert track_of(instance).closed_at is None


def test_closing_as_helped_asks_for_one_sentence_that_the_reporter_reads(member, threat, instance):
    establish(member, threat.reference)

    page = member.act(threat.reference, "/afsluiten", outcome="geholpen", done=" ", not_done="Aangifte.", sure="ja")

    assert page.status == 422
    assert "Schrijf in één zin wat er is gedaan." in page.text
    assert "Aangifte." in page.text
    assert track_of(instance).closed_at is None


def test_closing_what_came_twice_asks_for_no_sentence(member, threat, instance):
    establish(member, threat.reference)

    member.act(threat.reference, "/afsluiten", outcome="dubbel", done="", sure="ja")

    assert track_of(instance).outcome == "dubbel"


@pytest.mark.parametrize(
    "typed", [{"organisation": "Bestaat Niet"}, {"role": "keizer"}, {"kinds": "x"}, {"aangifte": "misschien"}]
)
def test_facts_that_nobody_knows_are_asked_again(member, threat, typed):
    member.act(threat.reference, "/nemen")

    assert member.act(threat.reference, "/feiten", **typed).status == 422


def test_no_incident_waits_for_a_second_person(member, coordinator, threat, instance):
    establish(member, threat.reference)
    page = member.act(
        threat.reference, "/afsluiten", outcome="geen_incident", done="Uitgelegd.", not_done="Niets.", sure="ja"
    )
    assert "Uw voorstel ligt nu bij een tweede collega." in page.text
    assert "/bevestigen" not in page.text.replace("/niet-bevestigen", "")

    page = coordinator.get(f"/zaak/{threat.reference}")
    assert "Bevestig de afsluiting, of niet" in page.text
    assert coordinator.send(page, "/bevestigen").status == 422
    page = coordinator.send(page, "/bevestigen", agreed="ja")

    assert "U hebt bevestigd." in page.text
    assert "Uitgelegd." in page.text
    assert track_of(instance).outcome == "geen_incident"


def test_a_second_person_can_say_no_and_why(member, coordinator, threat, instance):
    establish(member, threat.reference)
    member.act(threat.reference, "/afsluiten", outcome="geen_incident", sure="ja")

    assert coordinator.act(threat.reference, "/niet-bevestigen", refusal="").status == 422
    page = coordinator.act(threat.reference, "/niet-bevestigen", refusal="Er staat een bedreiging in.")

    assert "De zaak blijft open." in page.text
    assert "Er staat een bedreiging in." in member.get(f"/zaak/{threat.reference}").text
    assert track_of(instance).proposed_by is None


def test_a_closed_case_opens_again_with_a_reason(member, threat, instance):
    establish(member, threat.reference)
    member.act(threat.reference, "/afsluiten", outcome="geholpen", done="Gebeld.", sure="ja")

    assert member.act(threat.reference, "/heropenen", reopening=" ").status == 422
    page = member.act(threat.reference, "/heropenen", reopening="Het begon opnieuw.")

    assert "De zaak is weer open." in page.text
    assert track_of(instance).state == "in_behandeling"


def test_who_works_in_two_teams_acts_on_the_track_that_the_page_showed(browser, ready, file, clock, instance):
    both = ready.people.staff(("behandelaar", TEAM), ("behandelaar", "juridisch"))
    for team in (TEAM, "juridisch"):
        ready.people.admit(ready.first(team), both, team)
    filed = file(THREAT | {"request": {"legal_support": True}}, now=clock.now)
    worker = browser(both)

    page = worker.send(worker.get(f"/zaak/{filed.reference}?team={TEAM}"), "/nemen")

    assert "Bekijk als Juridisch" in page.text
    assert track_of(instance).owner_id == both.user_id
    assert track_of(instance, "juridisch").owner_id is None


# --- what is damaged -----------------------------------------------------------------------------------------------


def test_a_damaged_report_is_a_marked_gap_and_the_coordinator_goes_on(coordinator, threat, instance, caplog):
    with instance.sessions.begin() as session:
        row = session.scalars(select(CaseDoc).where(CaseDoc.compartment == "A")).one()
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])

    page = coordinator.get(f"/zaak/{threat.reference}")

    assert page.status == 200
    assert "Een deel van deze zaak is beschadigd of veranderd" in page.text
    assert "row differs from its leaf table=case_doc route=case.show" in caplog.text
    assert coordinator.send(page, "/bericht", message="Wij zoeken het uit.").status == 200
    assert coordinator.send(page, "/notitie", note="Melding onleesbaar.").status == 200
    assert coordinator.act(threat.reference, "/nemen").status == 200
    assert coordinator.act(threat.reference, "/gebeld", reached="ja").status == 200


def test_an_act_that_a_damaged_report_does_not_allow_loses_no_words(coordinator, member, threat, instance):
    establish(member, threat.reference)
    page, theirs = member.get(f"/zaak/{threat.reference}"), coordinator.get(f"/zaak/{threat.reference}")
    with instance.sessions.begin() as session:
        row = session.scalars(select(CaseDoc).where(CaseDoc.compartment == "A")).one()
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])

    sent = {"outcome": "geholpen", "done": "Veel werk gehad met deze zaak.", "sure": "ja"}
    refused, told = member.send(page, "/afsluiten", **sent), coordinator.send(theirs, "/afsluiten", **sent)

    assert (refused.status, told.status) == (422, 422)
    assert "Wij weten daardoor niet wie de zaak mag zien" in refused.text
    assert "een deel van de zaak is onleesbaar" in told.text
    assert "Veel werk gehad met deze zaak." in refused.text
    assert track_of(instance).closed_at is None


def test_an_act_of_somebody_whom_the_reporter_does_not_want_is_refused_and_noted(ready, member, threat, file, instance):
    own = member.get(f"/zaak/{threat.reference}")
    named = ready.second("ondersteuning").person.name
    filed = file({"incident": {"kinds": ["bedreiging_intimidatie"]}, "barred_member": named})
    own.form("/nemen")["action"] = f"/zaak/{filed.reference}/nemen"

    refused = member.send(own, f"/zaak/{filed.reference}/nemen")

    assert refused.status == 403
    with instance.readings() as session:
        assert session.scalars(select(Leaf.action).order_by(Leaf.seq.desc()).limit(1)).one() == "niet_getoond"


# --- what it costs -------------------------------------------------------------------------------------------------


def statements_of(instance, get):
    seen = []

    def note(_connection, _cursor, statement, *_):
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(instance.engine, "before_cursor_execute", note)
    get()
    event.remove(instance.engine, "before_cursor_execute", note)
    return seen


def test_opening_a_case_takes_at_most_eight_statements_the_session_and_the_account_included(member, threat, instance):
    first = statements_of(instance, lambda: member.get(f"/zaak/{threat.reference}"))
    again = statements_of(instance, lambda: member.get(f"/zaak/{threat.reference}"))

    assert len(first) <= 8, first
    assert len(again) <= 7, again


@pytest.mark.slow
def test_a_page_for_a_case_with_a_long_history_costs_the_same_statements(member, threat, instance):
    for place in range(20):
        member.act(threat.reference, "/notitie", note=f"Notitie {place}.")
        if place % 5 == 0:
            member.act(threat.reference, "/bericht", message=f"Bericht {place}.")
    member.get(f"/zaak/{threat.reference}")  # the status message of the last act is shown and forgotten

    assert len(statements_of(instance, lambda: member.get(f"/zaak/{threat.reference}"))) <= 7
