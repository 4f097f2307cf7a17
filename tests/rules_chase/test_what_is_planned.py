"""What must happen on a track and by when, row by row of the plan of the chase."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from weerbaar_meldpunt.rules import chase
from weerbaar_meldpunt.rules.report import parse_report
from weerbaar_meldpunt.rules.routing import decide
from weerbaar_meldpunt.rules.values import AMSTERDAM
from weerbaar_meldpunt.rules.vocabulary import DUE_KINDS, OUTCOMES, URGENCIES


def at(text: str) -> datetime:
    """A moment of Amsterdam, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM).astimezone(UTC)


MONDAY_NOON = at("2026-11-23T12:00")
THREAT = {"incident": {"kinds": ["bedreiging_intimidatie"]}}
ACUTE = {"incident": {"kinds": ["bedreiging_intimidatie"], "weapon": True, "happening_now": True}}
DOXING = {"incident": {"kinds": ["doxing"]}, "target": {"role": "raadslid"}}


def planned(document: dict[str, Any], team: str = "ondersteuning", *, now: datetime = MONDAY_NOON, **more: Any):
    report = parse_report({"format": 1} | document, now=now, allow_triage=True)
    return chase.first_dues(decide(report, now=now), team, received_at=now, **more)


def moments(dues: list[chase.PlannedDue], kind: str) -> list[datetime]:
    return [due.moment for due in dues if due.kind == kind]


@pytest.mark.parametrize(
    ("document", "before"),
    [
        pytest.param(ACUTE, MONDAY_NOON + timedelta(minutes=30), id="acuut: half an hour"),
        pytest.param(DOXING, MONDAY_NOON + timedelta(hours=4), id="hoog: four hours"),
        pytest.param(THREAT, at("2026-11-24T17:00"), id="midden: the end of the next working day"),
        pytest.param(
            {"incident": {"kinds": ["verbale_agressie"]}}, at("2026-11-26T17:00"), id="laag: of the third working day"
        ),
    ],
)
def test_every_new_track_has_its_first_contact_as_a_due(document, before):
    assert moments(planned(document), "eerste_contact") == [before]


def test_a_proxy_without_consent_brings_the_two_moments_of_decision():
    dues = planned(THREAT | {"reporter": {"relation": "griffier", "consent": "nog_te_vragen"}})

    assert moments(dues, "toestemming_14d") == [at("2026-12-07T12:00")]
    assert moments(dues, "toestemming_30d") == [at("2026-12-23T12:00")]


def test_an_announced_moment_is_decided_again_twelve_hours_before():
    dues = planned({"incident": {"kinds": ["bedreiging_intimidatie"], "announced_for": "2026-11-28T20:00"}})

    assert moments(dues, "aangekondigd_moment") == [at("2026-11-28T08:00")]


# --- legal terms ---------------------------------------------------------------------------------------------------


def summons(act_before: str) -> dict[str, Any]:
    return {
        "incident": {"kinds": ["juridische_druk"]},
        "legal": {"kind": "dreigen_met_claim", "act_before": act_before},
    }


def test_a_legal_term_is_warned_of_14_7_3_and_1_days_before_when_the_office_opens():
    dues = planned(summons("2026-12-18"), "juridisch")  # a Friday

    assert moments(dues, "wettelijke_termijn") == [
        at("2026-12-04T09:00"),
        at("2026-12-11T09:00"),
        at("2026-12-15T09:00"),
        at("2026-12-17T09:00"),
    ]


def test_a_warning_that_falls_on_a_free_day_comes_before_it_never_after_the_term():
    dues = planned(summons("2026-12-20"), "juridisch")  # a Sunday: 1 day before is Saturday

    assert moments(dues, "wettelijke_termijn")[-1] == at("2026-12-18T09:00")
    assert all(moment < at("2026-12-20T00:00") for moment in moments(dues, "wettelijke_termijn"))


def test_warnings_of_days_that_have_passed_are_not_given_late():
    dues = planned(summons("2026-11-27"), "juridisch")

    assert moments(dues, "wettelijke_termijn") == [at("2026-11-24T09:00"), at("2026-11-26T09:00")]


def test_a_term_that_has_passed_plans_no_warning():
    assert moments(planned(summons("2026-11-20"), "juridisch"), "wettelijke_termijn") == []


@pytest.mark.parametrize("day", ["0001-01-02", "9999-12-31"])
def test_a_year_that_was_typed_wrong_stops_no_report(day):
    assert moments(planned(summons(day), "juridisch"), "eerste_contact")


def test_only_the_legal_team_is_warned_of_a_term_when_it_has_the_case():
    dues = planned(summons("2026-12-18"), "ondersteuning", teams=("ondersteuning", "juridisch"))

    assert moments(dues, "wettelijke_termijn") == []


def test_a_term_on_a_case_without_the_legal_team_is_warned_of_by_the_first_team():
    stalked = {"incident": {"kinds": ["stalking"], "occurred_at": "2026-11-20"}}

    dues = planned(stalked, "ondersteuning", teams=("ondersteuning", "beveiliging"))
    others = planned(stalked, "beveiliging", teams=("ondersteuning", "beveiliging"))

    assert moments(dues, "wettelijke_termijn")
    assert moments(others, "wettelijke_termijn") == []


def test_the_term_of_the_other_side_is_nothing_we_have_to_do():
    article_12 = {
        "incident": {"kinds": ["juridische_druk"]},
        "legal": {"kind": "artikel_12", "side": "tegen_mij", "event_on": "2026-11-20"},
    }

    assert moments(planned(article_12, "juridisch"), "wettelijke_termijn") == []


# --- the night -----------------------------------------------------------------------------------------------------

SLEEPS = {"night_call": False}


def test_who_wants_no_call_at_night_is_called_at_the_start_of_the_safe_hours():
    contact = {"night_call": False, "safe_hours": [{"from": "10:30", "to": "12:00"}, {"from": "20:00", "to": "21:00"}]}

    dues = planned(DOXING, now=at("2026-11-24T02:00"), contact=contact)

    assert moments(dues, "poging") == [at("2026-11-24T10:30")]
    assert moments(dues, "eerste_contact") == [at("2026-11-24T06:00")]  # the term runs all the same


@pytest.mark.parametrize(
    ("received", "call"),
    [
        pytest.param("2026-11-23T22:00", "2026-11-24T07:00", id="the night begins at ten"),
        pytest.param("2026-11-24T06:59", "2026-11-24T07:00", id="and lasts until seven"),
        pytest.param("2026-10-25T02:30", "2026-10-25T07:00", id="in the night the clock goes back"),
        pytest.param("2027-03-28T01:30", "2027-03-28T07:00", id="in the night the clock goes ahead"),
    ],
)
def test_without_safe_hours_the_night_ends_at_seven(received, call):
    assert chase.may_call_from(SLEEPS, "hoog", now=at(received)) == at(call)


@pytest.mark.parametrize(
    ("contact", "urgency", "moment"),
    [
        pytest.param(SLEEPS, "hoog", "2026-11-23T21:59", id="before ten in the evening"),
        pytest.param(SLEEPS, "hoog", "2026-11-24T07:00", id="from seven in the morning"),
        pytest.param(SLEEPS, "acuut", "2026-11-24T02:00", id="danger goes before sleep"),
        pytest.param({"night_call": True}, "hoog", "2026-11-24T02:00", id="a call at night is fine"),
        pytest.param({"night_call": None}, "hoog", "2026-11-24T02:00", id="nothing was said"),
        pytest.param(None, "hoog", "2026-11-24T02:00", id="no contact at all"),
    ],
)
def test_otherwise_a_call_is_fine_now(contact, urgency, moment):
    assert chase.may_call_from(contact, urgency, now=at(moment)) is None


def test_safe_hours_in_the_night_itself_do_not_undo_the_wish():
    contact = {"night_call": False, "safe_hours": [{"from": "02:00", "to": "03:00"}]}

    assert chase.may_call_from(contact, "hoog", now=at("2026-11-24T01:00")) == at("2026-11-24T07:00")


# --- after something happened --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("urgency", "now", "again"),
    [
        pytest.param("acuut", "2026-11-23T23:55", "2026-11-24T00:05", id="acuut: ten minutes, at night too"),
        pytest.param("hoog", "2026-11-21T23:30", "2026-11-22T00:30", id="hoog: an hour, at night too"),
        pytest.param("midden", "2026-11-20T15:00", "2026-11-23T17:00", id="midden: the next working day"),
        pytest.param("laag", "2026-12-24T15:00", "2026-12-28T17:00", id="laag: over Christmas and a weekend"),
    ],
)
def test_after_no_answer_the_next_attempt_is_planned(urgency, now, again):
    assert chase.after_attempt(urgency, now=at(now)) == [chase.PlannedDue("poging", at(again))]


def test_the_next_attempt_waits_for_the_safe_hours_too():
    [due] = chase.after_attempt("hoog", now=at("2026-11-23T21:30"), contact=SLEEPS)

    assert due.moment == at("2026-11-24T07:00")


def test_after_the_first_contact_come_follow_up_and_aftercare():
    dues = chase.after_contact("hoog", "ondersteuning", now=MONDAY_NOON)

    assert [(due.kind, due.moment) for due in dues] == [
        ("opvolging", at("2026-12-07T12:00")),
        ("nazorg_72u", at("2026-11-26T12:00")),
        ("nazorg_2w", at("2026-12-07T12:00")),
        ("nazorg_6w", at("2027-01-04T12:00")),
    ]


def test_72_hours_are_elapsed_hours_and_two_weeks_are_a_matter_of_the_calendar():
    dues = {due.kind: due.moment for due in chase.after_contact("hoog", "ondersteuning", now=at("2026-10-24T10:00"))}

    assert dues["nazorg_72u"] == at("2026-10-27T09:00")  # the clock went back an hour on the 25th
    assert dues["nazorg_2w"] == at("2026-11-07T10:00")


@pytest.mark.parametrize("team", ["beveiliging", "juridisch"])
def test_aftercare_is_given_by_the_support_team_only(team):
    assert [due.kind for due in chase.after_contact("hoog", team, now=MONDAY_NOON)] == ["opvolging"]


def test_a_follow_up_is_planned_at_an_hour_at_which_somebody_is_at_a_desk():
    [due] = chase.after_answer("acuut", now=at("2026-11-21T03:15"))  # a Saturday, at night

    assert due.moment == at("2026-12-07T09:00")


@pytest.mark.parametrize(
    ("urgency", "before"),
    [
        ("acuut", MONDAY_NOON + timedelta(minutes=30)),
        ("hoog", MONDAY_NOON + timedelta(hours=4)),
        ("midden", at("2026-11-24T17:00")),
        ("laag", at("2026-11-26T17:00")),
    ],
)
def test_who_writes_to_us_gets_an_answer_in_time(urgency, before):
    assert chase.after_message(urgency, now=MONDAY_NOON) == [chase.PlannedDue("opvolging", before)]


@pytest.mark.parametrize(
    ("state", "for_whom", "until"),
    [
        ("wacht_op_melder", "melder", ["2026-11-26T17:00", "2026-12-02T17:00"]),
        ("wacht_op_derde", "politie", ["2026-12-07T12:00"]),
        ("wacht_op_derde", "ccv", ["2026-12-07T17:00"]),
        ("wacht_op_derde", "bva", ["2026-12-21T17:00"]),
        ("wacht_op_derde", "organisatie", ["2026-12-07T17:00"]),
        ("wacht_op_derde", "levering", ["2026-12-23T12:00"]),
        ("wacht_op_derde", "platform", ["2026-11-23T16:00", "2026-11-26T17:00"]),
    ],
)
def test_waiting_ends_when_the_table_says(state, for_whom, until):
    dues = chase.waiting(state, for_whom, now=MONDAY_NOON)

    assert [(due.kind, due.moment) for due in dues] == [(state, at(moment)) for moment in until]
    assert for_whom in chase.awaited(state)


def test_waiting_until_a_chosen_moment_ends_there():
    until = at("2026-12-01T10:00")

    assert chase.waiting("wacht_op_derde", "politie", now=MONDAY_NOON, until=until) == [
        chase.PlannedDue("wacht_op_derde", until)
    ]


def test_waiting_for_somebody_no_row_names_is_refused():
    with pytest.raises(KeyError):
        chase.waiting("wacht_op_derde", "godot", now=MONDAY_NOON)


def test_a_month_on_from_the_last_day_of_a_long_month_is_the_last_day_of_a_short_one():
    [due] = chase.waiting("wacht_op_derde", "levering", now=at("2027-01-31T12:00"))

    assert due.moment == at("2027-02-28T12:00")


def test_after_closing_the_survey_is_four_weeks_away_for_the_support_team():
    assert chase.after_closing("ondersteuning", now=MONDAY_NOON, outcome="geholpen") == [
        chase.PlannedDue("enquete", at("2026-12-21T12:00"))
    ]
    assert chase.after_closing("juridisch", now=MONDAY_NOON) == []


@pytest.mark.parametrize("outcome", ["ingetrokken", "melder_wil_niet_verder", "dubbel", "geen_incident"])
def test_who_should_not_be_sought_any_more_gets_no_aftercare_and_no_survey(outcome):
    assert chase.kept_after_closing(outcome, now=MONDAY_NOON) == ()
    assert chase.after_closing("ondersteuning", now=MONDAY_NOON, outcome=outcome) == []


@pytest.mark.parametrize("outcome", ["geholpen", "doorverwezen", "geen_contact_gekregen"])
def test_after_every_other_outcome_the_aftercare_goes_on(outcome):
    assert outcome in OUTCOMES["ondersteuning"]
    assert chase.kept_after_closing(outcome, now=MONDAY_NOON) == ("nazorg_72u", "nazorg_2w", "nazorg_6w")


@pytest.mark.parametrize("urgency", URGENCIES)
def test_an_open_track_without_a_due_gets_one_that_is_near(urgency):
    due = chase.fallback(urgency, now=MONDAY_NOON)

    assert MONDAY_NOON < due.moment <= MONDAY_NOON + timedelta(days=2)
    assert due.kind in DUE_KINDS


def test_the_plan_of_a_day_is_the_version_in_force_then():
    from weerbaar_meldpunt.rules.chase_plan import plan_on

    assert plan_on(date(2026, 11, 23)).version == "2026-11"
    assert plan_on(date(2020, 1, 1)).version == "2026-11"  # before the first version, the first
