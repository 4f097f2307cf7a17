"""By when the first contact is made: elapsed hours for acuut and hoog, the end of a working day for the others."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
ACUTE = {"incident": {"life_in_danger_self": True}}
HIGH = {"incident": {"weapon": True}}
MEDIUM = {"incident": {"kinds": ["fysiek"]}}
LOW = {"incident": {"kinds": ["verbale_agressie"]}}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("parts", "received", "before"),
    [
        pytest.param(ACUTE, "2026-11-23T12:30:00+01:00", "2026-11-23T13:00:00+01:00", id="acuut: 30 minutes"),
        pytest.param(
            ACUTE, "2026-12-26T03:00:00+01:00", "2026-12-26T03:30:00+01:00", id="acuut: at night at Christmas"
        ),
        pytest.param(HIGH, "2026-11-23T12:30:00+01:00", "2026-11-23T16:30:00+01:00", id="hoog: 4 hours"),
        pytest.param(HIGH, "2026-11-21T22:00:00+01:00", "2026-11-22T02:00:00+01:00", id="hoog: in a weekend night"),
        pytest.param(HIGH, "2027-03-28T00:30:00+01:00", "2027-03-28T05:30:00+02:00", id="hoog: over the lost hour"),
        pytest.param(HIGH, "2026-10-25T00:30:00+02:00", "2026-10-25T03:30:00+01:00", id="hoog: over the double hour"),
        pytest.param(
            ACUTE, "2026-10-25T02:45:00+02:00", "2026-10-25T02:15:00+01:00", id="acuut: within the double hour"
        ),
        pytest.param(ACUTE, "2027-03-28T01:45:00+01:00", "2027-03-28T03:15:00+02:00", id="acuut: within the lost hour"),
    ],
)
def test_an_urgent_report_is_answered_within_elapsed_hours_day_and_night(decided, parts, received, before):
    assert decided(now=at(received), **parts).first_contact_before == at(before)


@pytest.mark.parametrize(
    ("parts", "received", "before"),
    [
        pytest.param(MEDIUM, "2026-11-23T12:30+01:00", "2026-11-24T17:00+01:00", id="midden: Monday to Tuesday"),
        pytest.param(MEDIUM, "2026-11-23T06:00+01:00", "2026-11-24T17:00+01:00", id="midden: early Monday"),
        pytest.param(MEDIUM, "2026-11-23T23:59+01:00", "2026-11-24T17:00+01:00",
            id="midden: the evening is still Monday"),
        pytest.param(MEDIUM, "2026-11-24T00:00+01:00", "2026-11-25T17:00+01:00", id="midden: midnight is Tuesday"),
        pytest.param(MEDIUM, "2026-11-23T23:30+00:00", "2026-11-25T17:00+01:00",
            id="midden: the day of Amsterdam counts"),
        pytest.param(MEDIUM, "2026-11-27T16:00+01:00", "2026-11-30T17:00+01:00", id="midden: Friday to Monday"),
        pytest.param(MEDIUM, "2026-11-28T10:00+01:00", "2026-12-01T17:00+01:00",
            id="midden: Saturday counts as Monday"),
        pytest.param(MEDIUM, "2026-11-29T10:00+01:00", "2026-12-01T17:00+01:00", id="midden: Sunday counts as Monday"),
        pytest.param(MEDIUM, "2026-12-24T10:00+01:00", "2026-12-28T17:00+01:00",
            id="midden: over Christmas and a weekend"),
        pytest.param(MEDIUM, "2026-12-25T10:00+01:00", "2026-12-29T17:00+01:00",
            id="midden: Christmas Day counts as Monday"),
        pytest.param(MEDIUM, "2027-05-04T10:00+02:00", "2027-05-10T17:00+02:00",
                     id="midden: over 5 May, Ascension, the day named by decree and a weekend"),
        pytest.param(MEDIUM, "2027-03-26T10:00+01:00", "2027-03-31T17:00+02:00",
                     id="midden: Good Friday counts as the Tuesday after Easter, over the clock change"),
        pytest.param(LOW, "2026-11-23T12:30+01:00", "2026-11-26T17:00+01:00", id="laag: Monday to Thursday"),
        pytest.param(LOW, "2026-11-25T20:00+01:00", "2026-11-30T17:00+01:00", id="laag: Wednesday to Monday"),
        pytest.param(LOW, "2026-11-28T10:00+01:00", "2026-12-03T17:00+01:00", id="laag: Saturday counts as Monday"),
        pytest.param(LOW, "2026-12-23T10:00+01:00", "2026-12-29T17:00+01:00", id="laag: over Christmas"),
        pytest.param(LOW, "2026-12-30T10:00+01:00", "2027-01-05T17:00+01:00", id="laag: over New Year"),
    ],
)  # fmt: skip
def test_a_report_that_can_wait_is_answered_by_the_end_of_a_working_day(decided, parts, received, before):
    assert decided(now=at(received), **parts).first_contact_before == at(before)


@pytest.mark.parametrize("parts", [ACUTE, HIGH, MEDIUM, LOW])
def test_the_term_runs_from_the_receipt_that_a_report_by_telephone_names(decided, parts):
    received = "2026-11-20T18:00:00+01:00"

    entered_later = decided(now=at("2026-11-23T12:30+01:00"), intake="telefoon", received_at=received, **parts)

    assert entered_later.first_contact_before == decided(now=at(received), **parts).first_contact_before


@pytest.mark.parametrize("parts", [ACUTE, HIGH, MEDIUM, LOW])
def test_at_every_hour_of_two_years_the_term_lies_ahead_and_ends_in_office_hours_if_it_may_wait(decided, parts):
    moment, reached = at("2026-01-01T00:15:00+01:00"), at("2026-01-01T00:00:00+01:00")

    while moment.year < 2028:
        answer = decided(now=moment, **parts)
        before = answer.first_contact_before
        assert before > moment and before >= reached
        if answer.urgency in {"midden", "laag"}:
            local = before.astimezone(AMSTERDAM)
            assert (local.hour, local.minute) == (17, 0) and local.weekday() < 5
        moment, reached = moment + timedelta(hours=5), before


def test_an_answer_holds_its_moment_in_utc_and_shows_it_in_the_time_of_amsterdam(decided):
    answer = decided(now=at("2026-07-01T12:00:00Z"), **HIGH)

    assert answer.first_contact_before.tzinfo is UTC
    assert answer.as_document()["first_contact_before"] == "2026-07-01T18:00:00+02:00"
