"""The page of a case: what a worker sees, that the look is noted first, and every act as a browser without script does it."""

import re

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import CaseDoc, Message, Note
from weerbaar_meldpunt.store.tracks import Due, Track

from .conftest import THREAT, Page

TEAM = "ondersteuning"


def track_of(instance, team=TEAM):
    with instance.readings() as session:
        return session.scalars(select(Track).where(Track.team == team)).one()


def actions(instance):
    with instance.readings() as session:
        return list(session.scalars(select(Leaf.action).where(Leaf.object == track_of(instance).case_id)))


def establish(browser, reference):
    assert browser.act(reference, "/nemen").status == 200
    assert browser.act(reference, "/feiten").status == 200


# --- what is shown -------------------------------------------------------------------------------------------------


def test_the_page_shows_the_report_in_words_and_never_a_code(member, file, clock):
    filed = file(
        {
            "reporter": {"relation": "griffier", "consent": "nog_te_vragen"},
            "target": {"role": "wethouder", "organisation": "GM0363"},
            "incident": {
                "kinds": ["doxing", "huisbezoek"], "channels": ["thuis"], "weapon": True,
                "offender": "verward_persoon",
            },
            "narrative": "Regel een\nRegel <b>twee</b>",
            "conflict": ["burgemeester"],
            "contact": {"telephone": "0612345678", "safe_hours": [{"from": "09:00", "to": "12:00"}]},
            "links": [{"url": "https://voorbeeld.test/bericht"}],
        },
        now=clock.now,
    )  # fmt: skip

    page = member.get(f"/zaak/{filed.reference}")
    text = page.text

    for words in (
        "Gegevens verspreid (doxing)", "Bij het huis gestaan", "Iemand met onbegrepen gedrag", "Amsterdam (gemeente)",
        "Regel &lt;b&gt;twee&lt;/b&gt;", "De griffier", "Wacht op toestemming: bel alleen de melder",
        "Mag dit zeker niet weten: de burgemeester", "van 09:00 tot 12:00", "Wapen", *filed.words,
    ):  # fmt: skip
        assert words in text, words
    for code in ("verward_persoon", "nog_te_vragen", "huisbezoek", "wacht_op", "niet ingevuld", "None"):
        assert code not in page.words, code
    assert 'href="https://voorbeeld.test' not in text
    assert "(regel U" in page.words
    assert "Regels van versie 2026-11" in text


def test_an_empty_report_says_that_nothing_is_known(member, file, clock):
    filed = file({}, now=clock.now)

    page = member.get(f"/zaak/{filed.reference}")

    assert "Er is niets ingevuld. Vraag de melder wat er is." in page.text
    assert "geen nummer gegeven" in page.text


def test_the_next_step_is_the_first_thing_on_the_page(member, threat, clock):
    def step():
        found = re.search(r'<h2 id="nu-titel">([^<]*)', member.get(f"/zaak/{threat.reference}").text)
        assert found
        return found[1].strip()

    assert step().startswith("Bel de melder, vóór morgen om 17:00 uur")
    member.act(threat.reference, "/gebeld", reached="ja")
    assert step() == "Volgende stap: nazorg na 72 uur"
    member.act(threat.reference, "/wachten", waiting="wacht_op_derde:politie")
    assert step() == "Wij wachten: de politie"


def test_who_is_to_be_written_to_is_not_called_first(member, file, clock):
    filed = file(THREAT | {"contact": {"telephone": "0612345678", "channel": "bericht"}}, now=clock.now)

    assert "Schrijf de melder, vóór" in member.get(f"/zaak/{filed.reference}").text


@pytest.mark.parametrize(
    ("hour", "warned"), [pytest.param(8, True, id="before"), pytest.param(10, False, id="within"), pytest.param(22, True, id="after")]
)
def test_a_worker_is_warned_outside_the_hours_in_which_a_call_is_safe(browser, ready, file, clock, hour, warned):
    filed = file(THREAT | {"contact": {"telephone": "1", "safe_hours": [{"from": "09:30", "to": "12:00"}]}}, now=clock.now)
    clock.now = clock.now.replace(day=24, hour=hour - 1)  # in Amsterdam it is an hour later in winter

    page = browser(ready.second(TEAM)).get(f"/zaak/{filed.reference}")

    assert ("Bellen is nu niet veilig" in page.text) is warned


def test_legal_terms_come_with_the_advice_to_ask_a_lawyer(browser, ready, file, clock):
    filed = file(
        {"legal": {"kind": "kort_geding", "event_on": "2026-10-01"}, "request": {"legal_support": True}}, now=clock.now
    )

    text = browser(ready.second("juridisch")).get(f"/zaak/{filed.reference}").text

    assert "Laat een advocaat de termijn bevestigen." in text
    assert "4 weken na het vonnis" in text
    assert "(voorbij)" in text


def test_side_actions_are_proposals_and_say_what_the_reporter_allowed(member, file, clock):
    filed = file(THREAT, now=clock.now, sharing={"met": ["politie"]})

    text = member.get(f"/zaak/{filed.reference}").text

    assert re.search(r"<strong>Politie</strong>.*?de melder vindt dit goed", text, re.DOTALL)
    assert "Er gaat niets vanzelf weg" in text


def test_text_of_a_reporter_is_never_markup(member, file, clock):
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    filed = file(
        THREAT | {
            "narrative": evil, "offender_known_as": [evil], "links": [{"url": "javascript:alert(1)"}, {"url": evil}],
            "contact": {"name": evil, "telephone": evil, "mail": evil}, "barred_member": evil,
        },
        now=clock.now,
    )  # fmt: skip

    page = member.get(f"/zaak/{filed.reference}")

    assert "<script>alert" not in page.text
    assert "<img" not in page.text
    assert 'href="javascript' not in page.text


# --- looking is noted first ----------------------------------------------------------------------------------------


def test_every_look_at_a_case_is_in_the_trail(member, threat, instance):
    for _ in range(2):
        member.get(f"/zaak/{threat.reference}")

    assert actions(instance) == ["ingediend", "geopend", "geopend"]


def test_when_the_look_cannot_be_noted_nothing_is_shown(member, threat, instance):
    def fail(_connection, _cursor, statement, *_):
        if statement.startswith("INSERT INTO audit "):
            raise OperationalError(statement, {}, Exception("database is locked"))

    event.listen(instance.engine, "before_cursor_execute", fail)

    page = member.get(f"/zaak/{threat.reference}")

    assert page.status == 503
    assert "bedreiging" not in page.text.casefold()


def test_address_and_family_open_with_a_button_of_their_own(member, file, clock, instance):
    filed = file(THREAT | {"private": {"home_address": "Wilgenlaan 7"}}, now=clock.now)
    page = member.get(f"/zaak/{filed.reference}")
    assert "Wilgenlaan" not in page.text

    opened = member.send(page, "/veilig")

    assert "Wilgenlaan 7" in opened.text
    assert actions(instance)[-1] == "geopend_veilig"
    assert member.client.get(f"/zaak/{filed.reference}/veilig").status_code == 405


def test_a_team_without_the_address_has_no_button_for_it(browser, ready, file, clock):
    filed = file(THREAT | {"private": {"home_address": "Wilgenlaan 7"}, "request": {"legal_support": True}}, now=clock.now)
    lawyer = browser(ready.second("juridisch"))
    page = lawyer.get(f"/zaak/{filed.reference}")

    assert "/veilig" not in page.text
    form = page.form("/notitie")
    token = dict(form["fields"])["csrf_token"]
    assert lawyer.client.post(f"/zaak/{filed.reference}/veilig", data={"csrf_token": token}).status_code == 404


def test_an_evidence_file_is_saved_and_its_opening_noted(member, ready, file, clock, instance, tmp_path):
    from weerbaar_meldpunt.actions.evidence import take

    path = tmp_path / "dreig\u202ebrief<x>.html"
    path.write_text("<script>alert(1)</script>")
    filed = file(THREAT, now=clock.now, files=[take(ready.instance, path, now=clock.now)])
    page = member.get(f"/zaak/{filed.reference}")
    link = re.search(r'href="(/zaak/[^"]+/bestand/[^"]+)"', page.text)
    assert link

    answer = member.client.get(link[1])

    assert answer.data == b"<script>alert(1)</script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cache-Control"] == "no-store"
    assert actions(instance)[-1] == "geopend_bestand"
    assert re.search(r"SHA-256 <code>[0-9a-f]{64}</code>", page.text)


# --- who may not ---------------------------------------------------------------------------------------------------

ACTS = (
    "nemen", "overdragen", "notitie", "bericht", "gelezen", "gebeld", "wachten", "verder", "termijn", "feiten",
    "afsluiten", "bevestigen", "niet-bevestigen", "heropenen", "veilig",
)  # fmt: skip


@pytest.mark.parametrize("who", ["other_team", "beheerder", "statistiekredacteur", "auditor", "reporter", "not_admitted"])
def test_for_everybody_else_there_is_no_such_case(browser, ready, threat, instance, who):
    people = ready.people
    account = {
        "other_team": lambda: ready.first("juridisch"),
        "beheerder": people.beheerder,
        "statistiekredacteur": lambda: ready.editors[0],
        "auditor": people.auditor,
        "reporter": people.reporter,
        "not_admitted": lambda: people.member(TEAM),
    }[who]()
    stranger = browser(account)
    own = stranger.get("/account")
    token = dict(own.forms[0]["fields"])["csrf_token"]
    known = f"/zaak/{threat.reference}"

    assert stranger.get(known).status == 404
    assert stranger.get(f"{known}/bestand/{'0' * 32}").status == 404
    # The same answer as for a case that there never was.
    assert stranger.get(known).text == stranger.get("/zaak/AAAA-AAAA").text
    data = {
        "csrf_token": token, "note": "x", "message": "x", "sure": "ja", "agreed": "ja", "refusal": "x",
        "reopening": "x", "waiting": "wacht_op_melder:melder", "reached": "ja",
    }  # fmt: skip
    for act in ACTS:
        assert stranger.client.post(f"{known}/{act}", data=data).status_code == 404, act
    assert actions(instance) == ["ingediend"]


def test_a_visitor_is_asked_to_sign_in_and_learns_nothing(client, threat, form_token, instance):
    token = form_token(client, "/inloggen")

    for path in (f"/zaak/{threat.reference}", "/zaak/AAAA-AAAA"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (303, "/inloggen")
    for act in ACTS:
        answer = client.post(f"/zaak/{threat.reference}/{act}", data={"csrf_token": token})
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (303, "/inloggen"), act
    assert actions(instance) == ["ingediend"]


def test_no_act_without_the_token_of_the_form_and_none_by_a_link(member, threat, instance):
    for act in ACTS:
        path = f"/zaak/{threat.reference}/{act}"
        assert member.client.post(path, data={"note": "x", "message": "x"}).status_code == 400, act
        assert member.client.get(path).status_code == 405, act

    assert actions(instance) == ["ingediend"]


def test_somebody_whom_the_reporter_named_is_shown_nothing_and_that_is_noted(browser, ready, file, clock, instance):
    named = ready.people.member(TEAM, name="Iris Kuipers")
    ready.people.admit(ready.first(TEAM), named, TEAM)
    filed = file(THREAT | {"barred_member": "Iris Kuipers"}, now=clock.now)
    iris = browser(named)

    page = iris.get(f"/zaak/{filed.reference}")

    assert "Deze zaak tonen wij u niet" in page.text
    assert "bedreiging" not in page.text.casefold()
    assert actions(instance) == ["ingediend", "geopend", "niet_getoond"]
    assert "Deze zaak tonen wij u niet" in iris.get(f"/werk/{TEAM}").text


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
    page = member.act(threat.reference, "/wachten", waiting="wacht_op_melder:melder", wait_text="De mail zelf", until_date="2026-12-01")
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
        ({"waiting": "wacht_op_melder:melder", "until_date": "2026-12-01", "until_time": "25:00"}, "Kijk dit nog even na"),
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
    member.act(threat.reference, "/afsluiten", outcome="geholpen", sure="ja")

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


def test_a_damaged_report_is_a_marked_gap_and_the_work_goes_on(member, threat, instance, caplog):
    with instance.sessions.begin() as session:
        row = session.scalars(select(CaseDoc).where(CaseDoc.compartment == "A")).one()
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])

    page = member.get(f"/zaak/{threat.reference}")

    assert page.status == 200
    assert "Een deel van deze zaak is beschadigd of veranderd" in page.text
    assert "row differs from its leaf table=case_doc route=case.show" in caplog.text
    assert member.send(page, "/bericht", message="Wij zoeken het uit.").status == 200
    assert member.send(page, "/notitie", note="Melding onleesbaar.").status == 200
    assert member.act(threat.reference, "/nemen").status == 200
    assert member.act(threat.reference, "/gebeld", reached="ja").status == 200


def test_an_act_that_a_damaged_report_does_not_allow_loses_no_words(coordinator, member, threat, instance):
    establish(member, threat.reference)
    page = member.get(f"/zaak/{threat.reference}")
    with instance.sessions.begin() as session:
        row = session.scalars(select(CaseDoc).where(CaseDoc.compartment == "A")).one()
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])

    refused = member.send(page, "/afsluiten", outcome="geholpen", done="Veel werk gehad.", sure="ja")

    assert refused.status == 422
    assert "een deel van de zaak is onleesbaar" in refused.text
    assert track_of(instance).closed_at is None


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
