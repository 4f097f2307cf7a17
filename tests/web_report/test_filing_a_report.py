"""The report from the first words to the receipt, and back with the code."""

import pytest

from weerbaar_meldpunt.rules.report import Report
from weerbaar_meldpunt.web.steps import STEPS

STORY = "Sinds vrijdag dertig berichten: wij weten waar je woont.\nMijn dochter durft niet naar school."


def test_after_one_page_a_report_can_be_sent(visitor, cases):
    visitor.open("/melden/soort").send({"incident.kinds": ["bedreiging_intimidatie"]}, press="nakijken")
    visitor.send(action="/melden/nakijken")

    assert visitor.heading == "Uw melding is binnen."
    assert len(cases) == 1


def test_a_report_in_which_everything_was_skipped_is_taken(visitor, cases, clock):
    visitor.open("/melden/soort")
    for _ in range(len(STEPS)):
        if visitor.path == "/melden/nakijken":
            break
        visitor.send(press="verder", has=("_page",))
    visitor.send(action="/melden/nakijken")

    assert visitor.heading == "Uw melding is binnen."
    assert cases.view(clock.now).answer["urgency"] == "midden"


def test_the_first_words_come_before_the_first_question(visitor):
    visitor.open("/melden/")

    assert visitor.heading == "Goed dat u hier bent."
    assert "U mag elke vraag overslaan" in visitor.text
    assert "De beheerder van deze website heeft geen sleutel" in visitor.text
    assert "Gebruik liever uw eigen telefoon" in visitor.text


ANSWERS = {
    "soort": {"incident.kinds": ["juridische_druk", "doxing"]},
    "gevaar": {
        "incident.concrete_threat": "ja", "incident.weapon": "ja", "incident.address_exposed": "ja",
        "incident.family_involved": "ja", "incident.order_breached": "ja", "incident.damage": "ja",
        "incident.moment_announced": "ja", "incident.announced_for_date": "2026-12-01",
        "incident.happening_now": "ja", "incident.life_in_danger_self": "ja",
    },
    "verhaal": {"narrative": STORY},
    "waar": {
        "incident.channels": ["sociale_media", "thuis"], "incident.platforms": ["telegram", "x"],
        "incident.occurred_at_date": "2026-11-20", "incident.occurred_at_time": "21:30",
        "incident.message_count": "1.200", "incident.language": "en",
    },
    "van-wie": {
        "incident.offender": "groep", "offender_known_as": "@boos_1\n06 12 34 56 78\n", "incident.repeated": "ja",
        "incident.earlier_cases": "2", "incident.reported_elsewhere_on": "2026-11-01",
        "incident.answered_elsewhere": "nee",
    },
    "juridisch": {
        "legal.kind": "kort_geding", "legal.side": "tegen_mij", "legal._decided": "ja", "legal.said_in_meeting": "ja"
    },
    "stukken": {
        "legal.act_before": "2026-12-05", "legal.document_on": "2026-11-11", "legal.received_on": "2026-11-12",
        "legal.event_on": "2026-11-10",
    },
    "wie": {
        "reporter.relation": "griffier", "target.role": "wethouder", "target.organisation": "Aalsmeer (gemeente)"
    },
    "namens": {"reporter.consent": "mondeling"},
    "ambt": {
        "target.other_roles": ["kandidaat"], "target.appointment_certain": "ja", "target.term_start": "2024-05-01",
        "target.term_end": "2028-05-01", "target.home_outside_area": "ja", "target.group": "college",
        "target.gender": "vrouw",
    },
    "adres": {
        "private.home_address": "Dorpsstraat 1", "private.family": "Twee kinderen", "private.movements": "Maandag"
    },
    "weten": {
        "_sharing": ["politie", "organisatie"], "_sharing_via": "de griffier", "conflict": ["burgemeester", "partij"],
        "barred_member": "J. Jansen",
    },
    "bereiken": {
        "request.support": "ja", "request.security_measures": "ja", "request.legal_support": "ja",
        "contact.telephone": "06 11 22 33 44", "contact.channel": "telefoon", "contact.name": "Anna",
        "contact.safe_hours_from": ["09:00", ""], "contact.safe_hours_to": ["12:00", ""],
        "contact.night_call": "nee", "contact.mail": "anna@voorbeeld.test", "contact.language": "fy",
    },
    "bewijs": {
        "links_url": ["https://voorbeeld.test/post/1"], "links_date": ["2026-11-20"], "links_time": ["21:45"],
        "_links_many": "https://voorbeeld.test/post/2\nhttps://voorbeeld.test/post/3",
    },
}  # fmt: skip


@pytest.fixture
def filled(visitor):
    """A visitor at the review, after every step that there is."""
    for step in STEPS:
        visitor.open(f"/melden/{step.code}").send(ANSWERS[step.code], press="verder", has=("_page",))
        assert visitor.status == 200, visitor.text
    return visitor.open("/melden/nakijken")


def leaves(value, path=""):
    if isinstance(value, dict):
        return {key for name, part in value.items() for key in leaves(part, f"{path}.{name}" if path else name)}
    return {path}


def test_every_field_that_a_person_can_answer_reaches_the_report(filled, cases, clock):
    filled.send(action="/melden/nakijken")

    report = dict(cases.view(clock.now).report) | {"private": cases.private(clock.now)}
    unset = Report(format=1).as_document()
    same = {
        key for key in leaves(unset)
        if _at(report, key) == _at(unset, key)
    }  # fmt: skip
    not_asked = {
        "format", "received_at", "intake", "lawful_criticism_only",  # not a reporter's to say
        "preventive", "request.support", "contact.channel",  # answered with what the default is, or not together
        "target.organisation_type",  # follows from the organisation
    }  # fmt: skip
    assert same - not_asked <= {"legal"}
    assert report["target"]["organisation"] == "GM0358"
    assert report["incident"]["occurred_at"] == "2026-11-20T21:30:00+01:00"
    assert report["incident"]["announced_for"] == "2026-12-01"
    assert report["incident"]["message_count"] == 1200
    assert report["incident"]["answered_elsewhere"] is False
    assert report["legal"] == {
        "kind": "kort_geding", "side": "tegen_mij", "event_on": "2026-11-10", "document_on": "2026-11-11",
        "received_on": "2026-11-12", "act_before": "2026-12-05", "said_in_meeting": True,
    }  # fmt: skip
    assert report["contact"]["safe_hours"] == [{"from": "09:00", "to": "12:00"}]
    assert report["contact"]["night_call"] is False
    assert report["offender_known_as"] == ["@boos_1", "06 12 34 56 78"]
    assert [link["url"][-1] for link in report["links"]] == ["1", "2", "3"]
    assert report["links"][0]["seen_at"] == "2026-11-20T21:45:00+01:00"
    assert report["narrative"] == STORY
    assert report["private"]["home_address"] == "Dorpsstraat 1"


def _at(document, key):
    for part in key.split("."):
        document = (document or {}).get(part)
    return document


def test_whom_we_may_tell_is_kept_with_the_case(filled, cases, clock):
    filled.send(action="/melden/nakijken")

    assert cases.view(clock.now).melding["sharing"] == {"met": ["politie", "organisatie"], "via": "de griffier"}


def test_the_review_shows_everything_in_words_and_no_code(filled):
    text = filled.text

    for words in (
        "Druk met juridische middelen", "Er is schade", "dinsdag 1 december 2026", STORY.split("\n")[1], "Telegram",
        "vrijdag 20 november 2026 om 21:30 uur", "Een groep of actiegroep", "@boos_1", "Kort geding", "Wethouder",
        "Voor iemand anders; ik ben griffier", "Aalsmeer (gemeente)", "Kandidaat", "Dorpsstraat 1", "Politie",
        "De burgemeester", "J. Jansen", "06 11 22 33 44", "van 09:00 tot 12:00", "https://voorbeeld.test/post/3",
        "Fries",
    ):  # fmt: skip
        assert words in text
    for code in ("juridische_druk", "sociale_media", "kort_geding", "GM0358", "nog_te_vragen", "inwoner_bekend"):
        assert code not in text


def test_the_review_says_who_will_read_it_before_it_is_sent(filled):
    assert "Wie leest dit?" in filled.text
    assert "Ondersteuningsteam Weerbaar Bestuur" in filled.text
    assert "Team Juridische druk" in filled.text
    assert "U vindt goed dat wij iets vertellen aan: Politie, Uw eigen organisatie. Wie niet: uw partij." in filled.text


def test_from_the_review_an_answer_is_changed_and_one_is_back_at_the_review(filled, cases, clock):
    filled.open("/melden/verhaal?_terug=nakijken")
    filled.send({"narrative": "Het was anders."}, press="nakijken")

    assert filled.path == "/melden/nakijken"
    assert "Het was anders." in filled.text
    assert "wij weten waar je woont" not in filled.text


def test_a_question_that_does_not_apply_any_more_is_not_sent(visitor, cases, clock):
    visitor.open("/melden/juridisch").send(ANSWERS["juridisch"], press="verder", has=("_page",))
    visitor.open("/melden/stukken").send(ANSWERS["stukken"], press="verder", has=("_page",))
    visitor.open("/melden/juridisch").send({"legal._decided": "nee"}, press="verder", has=("_page",))
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")

    assert cases.view(clock.now).report["legal"]["event_on"] is None


def test_legal_questions_come_by_themselves_only_when_there_is_legal_pressure(visitor, visit):
    visitor.open("/melden/van-wie").send(press="verder", has=("_page",))
    other = visit()
    other.open("/melden/soort").send({"incident.kinds": ["juridische_druk"]}, press="verder")
    other.open("/melden/van-wie").send(press="verder", has=("_page",))

    assert visitor.path == "/melden/wie"
    assert other.path == "/melden/juridisch"


def test_the_day_of_a_judgment_is_asked_only_when_there_is_one(visitor):
    visitor.open("/melden/juridisch").send({"legal.kind": "kort_geding"}, press="verder", has=("_page",))
    before = visitor.open("/melden/stukken").text
    visitor.open("/melden/juridisch").send({"legal._decided": "ja"}, press="verder", has=("_page",))
    after = visitor.open("/melden/stukken").text

    assert "uitspraak of het besluit" not in before
    assert "Op welke dag was de uitspraak of het besluit?" in after


def test_for_somebody_else_it_is_asked_whether_they_know(visitor):
    visitor.open("/melden/wie").send({"reporter.relation": "griffier"}, press="verder")

    assert visitor.path == "/melden/namens"
    assert "Wij bellen dan alleen u." in visitor.text


def test_without_a_number_the_review_asks_for_one_and_sends_it_along(visitor, cases, clock):
    visitor.open("/melden/soort").send({"incident.kinds": ["stalking"]}, press="nakijken")
    visitor.send({"contact.telephone": "0612345678", "contact.channel": "telefoon"}, action="/melden/nakijken")

    contact = cases.view(clock.now).report["contact"]
    assert (contact["telephone"], contact["channel"]) == ("0612345678", "telefoon")


def test_i_rather_tell_it_is_enough(visitor, cases, clock):
    visitor.open("/melden/verhaal").send({"_rather_tell": "ja"}, press="nakijken")
    visitor.send(action="/melden/nakijken")

    assert cases.view(clock.now).report["narrative"] == "Ik vertel het liever."


def test_until_a_team_can_receive_there_is_no_form_but_the_numbers(app):
    client = app.test_client()

    for path in ("/melden/", "/melden/soort", "/melden/bel-mij", "/melden/bewijs", "/melden/nakijken"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "112" in answer.get_data(as_text=True)
        assert "070-3738314" in answer.get_data(as_text=True)
        assert "<textarea" not in answer.get_data(as_text=True)


def test_no_page_of_the_report_needs_a_script_and_none_asks_a_field_by_force(visitor):
    for step in STEPS:
        visitor.open(f"/melden/{step.code}")
        assert " required" not in visitor.html
        assert "onclick" not in visitor.html
        assert "style=" not in visitor.html


def test_an_unknown_step_is_a_page_that_is_not_there(visitor):
    assert visitor.open("/melden/iets-anders").status == 404
