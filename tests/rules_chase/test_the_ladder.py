"""When the clock looks, which step it takes, whom the step asks, and what the night and holidays change about it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weerbaar_meldpunt.rules import chase
from weerbaar_meldpunt.rules.calendar import in_office_hours
from weerbaar_meldpunt.rules.chase_plan import FIRST_STEP, ChaseFile, Span, plan_at
from weerbaar_meldpunt.rules.values import AMSTERDAM
from weerbaar_meldpunt.rules.vocabulary import DUE_KINDS, URGENCIES


def at(text: str) -> datetime:
    """A moment of Amsterdam, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM).astimezone(UTC)


NOON = at("2026-11-23T12:00")  # a Monday
FRIDAY_LATE = at("2026-11-27T16:30")
NIGHT = at("2026-11-24T03:00")
LADDER = ["herinnerd", "achterwacht", "coordinator", "heel_team"]

FIRST, LAST = at("2026-11-01T00:00").replace(tzinfo=None), at("2036-12-31T00:00").replace(tzinfo=None)
moments = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


def climb(kind: str, urgency: str, now: datetime) -> list[tuple[str, datetime]]:
    """Every step from the first look on, each taken exactly when the clock must look again."""
    step, taken = FIRST_STEP, []
    looks: datetime | None = now
    while looks is not None:
        rung = chase.next_rung(step, kind, urgency, now=looks)
        assert rung is not None
        taken.append((rung.step, looks))
        step, looks = rung.step, rung.look_again_at
    assert chase.next_rung(step, kind, urgency, now=now) is None
    return taken


@pytest.mark.parametrize(
    ("urgency", "start", "expected"),
    [
        pytest.param(
            "acuut", NIGHT, ["2026-11-24T03:00", "2026-11-24T03:05", "2026-11-24T03:10", "2026-11-24T03:15"],
            id="acuut: five minutes, day and night",
        ),
        pytest.param(
            "hoog", NIGHT, ["2026-11-24T03:00", "2026-11-24T04:00", "2026-11-24T05:00", "2026-11-24T06:00"],
            id="hoog: an hour, day and night, so that all were asked before the four hours are over",
        ),
        pytest.param(
            "midden", FRIDAY_LATE, ["2026-11-27T16:30", "2026-11-30T16:30", "2026-12-01T16:30", "2026-12-02T16:30"],
            id="midden: the same hour of the next working day",
        ),
        pytest.param(
            "laag", at("2026-12-24T10:00"),
            ["2026-12-24T10:00", "2026-12-29T10:00", "2026-12-31T10:00", "2027-01-05T10:00"],
            id="laag: two working days, over Christmas and New Year",
        ),
    ],
)  # fmt: skip
def test_a_first_contact_climbs_the_ladder_at_the_pace_of_its_urgency(urgency, start, expected):
    assert climb("eerste_contact", urgency, start) == list(zip(LADDER, map(at, expected), strict=True))


def test_a_follow_up_of_hoog_climbs_in_office_hours_only():
    steps = climb("opvolging", "hoog", FRIDAY_LATE)

    assert [moment for _, moment in steps] == [
        FRIDAY_LATE,
        at("2026-11-30T09:00"),
        at("2026-11-30T10:00"),
        at("2026-11-30T11:00"),
    ]


def test_a_consent_that_does_not_come_is_for_the_coordinator_to_decide():
    assert [step for step, _ in climb("toestemming_14d", "midden", NOON)] == ["coordinator", "heel_team"]


@given(moments, st.sampled_from(DUE_KINDS), st.sampled_from(URGENCIES))
def test_no_step_is_ever_planned_in_the_past_or_at_an_hour_at_which_it_may_not_be_taken(now, kind, urgency):
    steps = [step for step, _ in climb(kind, urgency, now)]
    later = [moment for _, moment in climb(kind, urgency, now)[1:]]

    assert steps == LADDER[LADDER.index(steps[0]) :]
    assert later == sorted(set(later))
    assert all(moment > now and chase.may_step_now(kind, urgency, now=moment) for moment in later)


# --- looking -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("urgency", ["acuut", "hoog"])
def test_who_must_make_a_pressing_first_contact_hears_it_at_once(urgency):
    due = chase.PlannedDue("eerste_contact", NIGHT + timedelta(minutes=30))

    assert chase.first_look(due, urgency, now=NIGHT) == NIGHT


@pytest.mark.parametrize(
    ("kind", "urgency", "moment", "looks"),
    [
        pytest.param("eerste_contact", "midden", "2026-11-24T17:00", "2026-11-25T09:00", id="at closing: next opening"),
        pytest.param("eerste_contact", "midden", "2026-11-27T17:00", "2026-11-30T09:00", id="over the weekend"),
        pytest.param("opvolging", "laag", "2026-12-24T17:00", "2026-12-28T09:00", id="over Christmas"),
        pytest.param("opvolging", "laag", "2027-04-27T12:00", "2027-04-28T09:00", id="over King's day"),
        pytest.param("opvolging", "midden", "2026-11-24T10:15", "2026-11-24T10:15", id="in office hours: then"),
        pytest.param("poging", "hoog", "2026-11-28T02:00", "2026-11-28T02:00", id="hoog tries again at night"),
        pytest.param("opvolging", "acuut", "2026-11-28T02:00", "2026-11-28T02:00", id="acuut answers at night"),
        pytest.param("nazorg_2w", "acuut", "2026-11-28T02:00", "2026-11-30T09:00", id="aftercare never at night"),
        pytest.param("opvolging", "hoog", "2026-11-28T02:00", "2026-11-30T09:00", id="nor a follow-up of hoog"),
        pytest.param(
            "aangekondigd_moment", "hoog", "2026-11-28T08:00", "2026-11-28T08:00", id="what was announced for a weekend"
        ),
    ],
)
def test_the_clock_looks_at_a_due_when_its_moment_comes_or_at_the_next_opening(kind, urgency, moment, looks):
    assert chase.first_look(chase.PlannedDue(kind, at(moment)), urgency, now=NOON) == at(looks)


def test_a_due_whose_moment_has_passed_already_is_looked_at_now():
    due = chase.PlannedDue("opvolging", NOON - timedelta(days=3))

    assert chase.first_look(due, "midden", now=NOON) == NOON


def test_a_moment_at_the_end_of_the_calendar_stops_nobody():
    due = chase.PlannedDue("wacht_op_derde", datetime(9999, 12, 31, 23, 59, tzinfo=UTC))

    assert chase.first_look(due, "midden", now=NOON) == due.moment


@pytest.mark.parametrize(
    ("moment", "looks"),
    [
        pytest.param("2026-10-24T17:00", "2026-10-26T09:00", id="the clock goes back"),
        pytest.param("2027-03-27T17:00", "2027-03-30T09:00", id="the clock goes ahead, and it is Easter"),
    ],
)
def test_opening_hours_are_those_of_the_wall_over_a_change_of_the_clock(moment, looks):
    assert chase.first_look(chase.PlannedDue("opvolging", at(moment)), "midden", now=at(moment)) == at(looks)


# --- stepping at this hour -----------------------------------------------------------------------------------------


def test_a_clock_that_was_down_overnight_wakes_nobody_for_what_can_wait():
    assert not chase.may_step_now("eerste_contact", "midden", now=NIGHT)
    assert chase.next_hour("eerste_contact", "midden", now=NIGHT) == at("2026-11-24T09:00")


@pytest.mark.parametrize(
    ("kind", "urgency"), [("eerste_contact", "acuut"), ("poging", "acuut"), ("eerste_contact", "hoog")]
)
def test_what_cannot_wait_is_said_at_night(kind, urgency):
    assert chase.may_step_now(kind, urgency, now=NIGHT)
    assert chase.next_hour(kind, urgency, now=NIGHT) == NIGHT


@given(moments, st.sampled_from(DUE_KINDS), st.sampled_from(URGENCIES))
def test_a_step_is_taken_in_office_hours_unless_a_row_says_day_and_night(now, kind, urgency):
    rows = plan_at(now).day_and_night
    day_and_night = any(row.urgency == urgency and kind in row.kinds for row in rows)

    assert chase.may_step_now(kind, urgency, now=now) == (day_and_night or in_office_hours(now))
    assert chase.runs_day_and_night(kind, urgency, now=now) == day_and_night
    assert chase.may_step_now(kind, urgency, now=chase.next_hour(kind, urgency, now=now))


# --- alarms --------------------------------------------------------------------------------------------------------


def test_an_alarm_rests_once_somebody_took_the_track_and_goes_on_at_the_moment_itself():
    due = chase.PlannedDue("eerste_contact", NOON + timedelta(minutes=30))

    assert chase.rests_until(due, "acuut", taken=True, now=NOON) == due.moment
    assert chase.rests_until(due, "acuut", taken=False, now=NOON) is None
    assert chase.rests_until(due, "acuut", taken=True, now=due.moment) is None


def test_what_is_no_alarm_never_rests():
    due = chase.PlannedDue("opvolging", NOON + timedelta(minutes=30))

    assert chase.rests_until(due, "acuut", taken=True, now=NOON) is None


def test_the_alarm_is_for_the_first_contact_of_an_acute_case_and_names_when_the_next_is_asked():
    alarmed = [(k, u) for k in DUE_KINDS for u in URGENCIES if chase.sounds_alarm(k, u, now=NOON)]

    assert alarmed == [("eerste_contact", "acuut")]
    assert chase.confirm_before("acuut", now=NOON) == NOON + timedelta(minutes=5)
    assert chase.alarms_are_one_since(now=NOON) == NOON - timedelta(minutes=5)


# --- whom a step asks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "people"),
    [
        ("herinnerd", ("eigenaar", "dienst", "coordinator", "team")),
        ("achterwacht", ("achterwacht", "coordinator", "team")),
        ("coordinator", ("coordinator", "team")),
        ("heel_team", ("team",)),
    ],
)
def test_each_step_asks_the_next_when_the_first_is_nobody(step, people):
    assert chase.asked(step, now=NOON) == people


@pytest.mark.parametrize(
    ("urgency", "again"),
    [
        ("acuut", NOON + timedelta(hours=1)),
        ("hoog", at("2026-11-24T12:00")),
        ("midden", at("2026-11-25T12:00")),
        ("laag", at("2026-11-30T12:00")),
    ],
)
def test_when_all_were_told_and_nobody_did_anything_it_begins_again(urgency, again):
    assert chase.next_round(urgency, now=NOON) == chase.PlannedDue("opvolging", again)


@given(moments, st.sampled_from(DUE_KINDS), st.sampled_from(URGENCIES))
def test_no_ladder_rests_longer_than_what_is_taken_for_a_sign_of_a_wrong_clock(now, kind, urgency):
    rung = chase.next_rung(FIRST_STEP, kind, urgency, now=now)

    assert rung is not None
    assert rung.look_again_at is None or rung.look_again_at < chase.longest_rest(now=now)
    assert chase.next_hour(kind, urgency, now=now) < chase.longest_rest(now=now)


# --- a plan that cannot be right is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "units", [{}, {"minutes": 5, "days": 1}, {"minutes": 0}, {"days": -1}], ids=["none", "two", "nothing", "backwards"]
)
def test_a_span_has_one_unit_and_takes_time(units):
    with pytest.raises(ValueError):
        Span.model_validate(units)


def changed(**parts: object) -> dict[str, object]:
    return plan_at(NOON).model_dump() | parts


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"asked": {"herinnerd": ("team",)}}, id="a step that asks nobody"),
        pytest.param(
            {"asked": dict.fromkeys(LADDER, ("eigenaar",))}, id="a step that ends with somebody who may be missing"
        ),
        pytest.param({"begins_with": ({"kinds": ("opvolging",), "step": "gedaan"},)}, id="a ladder without its start"),
        pytest.param({"unknown": 1}, id="a key nobody reads"),
    ],
)
def test_a_plan_by_which_somebody_could_be_forgotten_is_refused(parts):
    assert ChaseFile.model_validate(changed())

    with pytest.raises(ValueError):
        ChaseFile.model_validate(changed(**parts))
