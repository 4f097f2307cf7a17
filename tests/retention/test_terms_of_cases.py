"""How long a case is kept: by how its tracks ended, from the day the last one closed."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from weerbaar_meldpunt.actions import closing, drafts, filing, people, sessions
from weerbaar_meldpunt.rules import retention, vocabulary
from weerbaar_meldpunt.store.cases import Case

CLOSED = date(2026, 11, 23)


def ends(outcomes, police_report="nee", end_of_office=None):
    kept = retention.keep(outcomes, police_report=police_report, closed_on=CLOSED, end_of_office=end_of_office)
    return kept.term, kept.ends_on


@pytest.mark.parametrize(
    ("outcomes", "police_report", "end_of_office", "term", "day"),
    [
        ({"ondersteuning": "geholpen"}, "nee", None, "gewoon", date(2028, 11, 23)),
        ({"ondersteuning": "geholpen"}, "onbekend", None, "gewoon", date(2028, 11, 23)),
        ({"ondersteuning": "dubbel"}, "nee", None, "gewoon", date(2028, 11, 23)),
        ({"ondersteuning": "geholpen"}, "ja", None, "aangifte", date(2031, 11, 23)),
        ({"ondersteuning": "geholpen"}, "ja", date(2030, 3, 28), "aangifte", date(2035, 3, 28)),
        ({"ondersteuning": "geholpen"}, "ja", date(2020, 1, 1), "aangifte", date(2031, 11, 23)),
        ({"ondersteuning": "geholpen"}, "nee", date(2030, 3, 28), "gewoon", date(2028, 11, 23)),
        ({"beveiliging": "maatregelen_geleverd"}, "nee", None, "beveiliging", date(2031, 11, 23)),
        ({"beveiliging": "geen_aanspraak_alternatief"}, "nee", None, "gewoon", date(2028, 11, 23)),
        ({"juridisch": "afgewikkeld"}, "nee", None, "juridisch", date(2031, 11, 23)),
        ({"ondersteuning": "geen_incident"}, "nee", None, "geen_incident", date(2026, 12, 7)),
        ({"ondersteuning": "ingetrokken"}, "nee", None, "ingetrokken", date(2026, 11, 30)),
        ({"ondersteuning": "geen_incident", "juridisch": "doorverwezen"}, "nee", None, "gewoon", date(2028, 11, 23)),
        ({"ondersteuning": "geholpen", "juridisch": "afgewikkeld"}, "nee", None, "juridisch", date(2031, 11, 23)),
    ],
)
def test_the_term_follows_from_how_the_tracks_ended(outcomes, police_report, end_of_office, term, day):
    assert ends(outcomes, police_report, end_of_office) == (term, day)


@given(
    st.dictionaries(st.sampled_from(vocabulary.TEAMS), st.integers(0, 50), min_size=1),
    st.sampled_from(vocabulary.REPORT_TO_POLICE),
    st.none() | st.dates(),
)
def test_every_way_to_end_has_a_term_and_one_track_more_never_shortens_it(picked, police_report, end_of_office):
    outcomes = {team: vocabulary.OUTCOMES[team][n % len(vocabulary.OUTCOMES[team])] for team, n in picked.items()}
    whole = retention.keep(outcomes, police_report=police_report, closed_on=CLOSED, end_of_office=end_of_office)
    assert whole.ends_on > CLOSED
    for team, outcome in outcomes.items():
        one = retention.keep(
            {team: outcome}, police_report=police_report, closed_on=CLOSED, end_of_office=end_of_office
        )
        assert one.ends_on <= whole.ends_on


def test_an_end_of_office_far_beyond_any_calendar_does_not_break_the_closing():
    assert ends({"ondersteuning": "geholpen"}, "ja", date(9999, 1, 1))[1] == date.max


def test_a_warning_comes_thirty_days_before_and_at_once_for_a_short_term():
    assert retention.warn_on(CLOSED, date(2028, 11, 23)) == date(2028, 10, 24)
    assert retention.warn_on(CLOSED, date(2026, 12, 7)) == CLOSED


def test_the_table_says_what_the_program_does():
    """A term that the public page names and the program does not keep would be a promise that is broken."""
    other = {term.code: term for term in retention.on(CLOSED).other}
    assert timedelta(days=other["concept"].days) == drafts.KEPT
    assert other["overdrachtscode"].days == filing.CLAIM_DAYS
    assert timedelta(days=other["uitnodiging"].days) == people.INVITATION
    assert timedelta(hours=other["sessie"].hours) == max(sessions.ABSOLUTE.values())


def test_closing_sets_the_term_and_the_month_that_stands_open(desk, closed, case_id, kept_until):
    filed = closed()

    assert kept_until(filed.reference) == "2028-11-23"
    with desk.instance.readings() as session:
        assert session.get(Case, case_id(filed.reference)).retention_month == "2028-11"


def test_a_report_to_the_police_and_the_end_of_the_office_are_read_from_the_sealed_case(desk, closed, kept_until):
    target = {"role": "raadslid", "organisation": "GM0363", "term_end": "2030-03-28"}
    filed = closed(facts={"aangifte": "ja"}, document={"target": target, "narrative": "Een brief."})

    assert kept_until(filed.reference) == "2035-03-28"


def test_while_one_team_still_works_no_term_runs(desk, kept_until):
    document = {
        "target": {"role": "burgemeester", "organisation": "GM0363"}, "request": {"security_measures": True},
        "incident": {"kinds": ["bedreiging_intimidatie"]},
    }  # fmt: skip
    filed = desk.file(document)
    assert len(filed.teams) > 1

    desk.finish(desk.ready.second("ondersteuning"), filed.reference)

    assert kept_until(filed.reference) is None


def test_opening_again_takes_the_term_off_and_closing_anew_begins_it_anew(desk, closed, case_id, kept_until):
    filed, member = closed(), desk.ready.second("ondersteuning")
    desk.later(days=100)

    desk.do(member, filed.reference, closing.reopen, "Het begint opnieuw.")
    assert kept_until(filed.reference) is None
    with desk.instance.readings() as session:
        assert session.get(Case, case_id(filed.reference)).retention_month is None

    desk.do(member, filed.reference, closing.close, "geholpen", done="Weer gebeld.", not_done="")
    assert kept_until(filed.reference) == "2029-03-03"


def test_a_message_of_the_reporter_opens_the_case_and_takes_the_term_off(desk, closed, kept_until):
    filed = closed()

    desk.reply(filed, "Het is weer begonnen.")

    assert kept_until(filed.reference) is None


def test_the_reporter_can_read_until_when_the_report_is_kept(desk, closed):
    filed = closed()

    events = [event for event in desk.reporter(filed).view.events if event.action == "bewaartermijn"]

    assert [event.document["ends_on"] for event in events] == ["2028-11-23"]


def test_nothing_of_the_term_was_changed_behind_the_program_goes_unseen(desk, closed, case_id):
    from weerbaar_meldpunt.actions.verifying import verify
    from weerbaar_meldpunt.store.retention import Keeping

    filed = closed()
    with desk.instance.sessions.begin() as session:
        session.scalars(select(Keeping)).one().ends_on = "2026-11-24"

    with desk.instance.readings() as session:
        verdict = verify(session, desk.instance)
    assert verdict.wrong == 1
    assert case_id(filed.reference)
