"""The page of a case: what a worker sees of it, that the look is noted first, and who sees nothing."""

import re

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.tracks import Track

from .conftest import THREAT

TEAM = "ondersteuning"


def track_of(instance, team=TEAM):
    with instance.readings() as session:
        return session.scalars(select(Track).where(Track.team == team)).one()


def actions(instance):
    with instance.readings() as session:
        return list(session.scalars(select(Leaf.action).where(Leaf.object == track_of(instance).case_id)))


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
    ("hour", "warned"),
    [pytest.param(8, True, id="before"), pytest.param(10, False, id="within"), pytest.param(22, True, id="after")],
)
def test_a_worker_is_warned_outside_the_hours_in_which_a_call_is_safe(browser, ready, file, clock, hour, warned):
    filed = file(
        THREAT | {"contact": {"telephone": "1", "safe_hours": [{"from": "09:30", "to": "12:00"}]}}, now=clock.now
    )
    clock.now = clock.now.replace(day=24, hour=hour - 1)  # in Amsterdam it is an hour later in winter

    page = browser(ready.second(TEAM)).get(f"/zaak/{filed.reference}")

    assert ("Bellen is nu niet veilig" in page.text) is warned


NOT_TO_BE_CALLED = [
    pytest.param({"channel": "bericht"}, 13, id="message"),
    pytest.param({"channel": "brief"}, 13, id="letter"),
    pytest.param({"channel": "telefoon", "night_call": False}, 23, id="night"),
    pytest.param({"channel": "telefoon", "safe_hours": [{"from": "09:00", "to": "12:00"}]}, 13, id="unsafe hour"),
]


def reach_of(page):
    """How the reporter can be reached, as the page says it first."""
    found = re.search(r'<div class="reach">(.*?)</dl>', page.text, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize(("contact", "hour"), NOT_TO_BE_CALLED)
def test_who_is_not_to_be_called_now_is_first_to_be_written_to_and_no_tap_calls(
    browser, ready, file, clock, contact, hour
):
    filed = file(THREAT | {"contact": {"name": "R.", "telephone": "06 1234 5678"} | contact}, now=clock.now)
    clock.now = clock.now.replace(hour=hour - 1, minute=0)  # in Amsterdam it is an hour later in winter

    page = browser(ready.second(TEAM)).get(f"/zaak/{filed.reference}")

    assert re.sub(r"<[^>]*>", " ", reach_of(page)).split()[:4] == ["Niet", "bellen:", "schrijf", "eerst."]
    assert "tel:" not in reach_of(page)
    assert "06 1234 5678" in reach_of(page)
    assert "Schrijf de melder, vóór" in page.text


@pytest.mark.parametrize(
    ("contact", "called"),
    [
        pytest.param({"safe_hours": [{"from": "09:00", "to": "12:00"}]}, True, id="hours that were given"),
        pytest.param({"channel": "bericht"}, False, id="calling is not safe"),
    ],
)
def test_an_acute_case_is_called_outside_the_given_hours_but_never_where_calling_is_not_safe(
    browser, ready, file, clock, contact, called
):
    acute = {"incident": {"happening_now": True, "concrete_threat": True}}
    filed = file(acute | {"contact": {"telephone": "06 1234 5678"} | contact}, now=clock.now)
    clock.now = clock.now.replace(hour=21, minute=0)

    page = browser(ready.second(TEAM)).get(f"/zaak/{filed.reference}")

    assert ("tel:0612345678" in reach_of(page)) is called
    assert ("Het is acuut: bel toch." in page.text) is called


def test_whom_calling_harms_is_not_said_to_be_safe_at_night(member, file, clock):
    contact = {"telephone": "0612345678", "channel": "bericht", "night_call": True}

    page = member.get(f"/zaak/{file(THREAT | {'contact': contact}, now=clock.now).reference}")

    assert "nee: schrijf eerst" in reach_of(page)
    assert "ook 's nachts" not in reach_of(page)
    assert "niet gezegd" not in reach_of(page)


def test_who_said_call_me_is_shown_as_a_yes_with_a_number_to_tap(member, threat):
    reach = reach_of(member.get(f"/zaak/{threat.reference}"))

    assert "ja: de melder zei „bel mij”" in reach
    assert 'href="tel:0612345678"' in reach
    assert "niet gezegd" not in reach


def test_what_is_no_number_cannot_be_tapped_and_is_asked_again(member, file, clock):
    filed = file(THREAT | {"contact": {"telephone": "zesnul12", "channel": "telefoon"}}, now=clock.now)

    reach = reach_of(member.get(f"/zaak/{filed.reference}"))

    assert "tel:" not in reach
    assert "zesnul12" in reach
    assert "Dit nummer klopt niet" in reach


def test_without_scripts_the_page_says_that_another_button_takes_no_words_along(member, threat):
    assert "een andere knop op deze pagina neemt uw tekst niet mee" in member.get(f"/zaak/{threat.reference}").text


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
    filed = file(
        THREAT | {"private": {"home_address": "Wilgenlaan 7"}, "request": {"legal_support": True}}, now=clock.now
    )
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


@pytest.mark.parametrize(
    "who", ["other_team", "beheerder", "statistiekredacteur", "auditor", "reporter", "not_admitted"]
)
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
