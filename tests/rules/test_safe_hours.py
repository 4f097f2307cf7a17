"""When a call is safe: in the hours that were given, else when somebody is at a desk."""

from datetime import datetime

import pytest

from weerbaar_meldpunt.rules.safe_hours import next_safe_moment

DAY = {"from": "09:00", "to": "12:00"}
NIGHT = {"from": "22:00", "to": "06:00"}


@pytest.mark.parametrize(
    ("hours", "now", "expected"),
    [
        pytest.param([DAY], "2026-11-23T10:00+01:00", "2026-11-23T10:00+01:00", id="now is safe"),
        pytest.param([DAY], "2026-11-23T08:00+01:00", "2026-11-23T09:00+01:00", id="later today"),
        pytest.param([DAY], "2026-11-23T12:00+01:00", "2026-11-24T09:00+01:00", id="the end is not safe: tomorrow"),
        pytest.param([NIGHT], "2026-11-23T23:30+01:00", "2026-11-23T23:30+01:00", id="before midnight"),
        pytest.param([NIGHT], "2026-11-24T05:59+01:00", "2026-11-24T05:59+01:00", id="after midnight"),
        pytest.param([NIGHT], "2026-11-24T12:00+01:00", "2026-11-24T22:00+01:00", id="not by day"),
        pytest.param([DAY, NIGHT], "2026-11-23T13:00+01:00", "2026-11-23T22:00+01:00", id="the first of several"),
        pytest.param([{"to": "12:00"}], "2026-11-23T13:00+01:00", "2026-11-24T00:00+01:00", id="from midnight on"),
        pytest.param([{"from": "20:00"}], "2026-11-23T21:00+01:00", "2026-11-23T21:00+01:00", id="until midnight"),
        pytest.param([], "2026-11-22T15:00+01:00", "2026-11-23T09:00+01:00", id="none given: the next desk hour"),
        pytest.param([DAY], "2026-10-24T13:00+02:00", "2026-10-25T09:00+01:00", id="over the end of summer time"),
    ],
)
def test_the_next_moment_at_which_a_call_is_safe(hours, now, expected):
    found = next_safe_moment({"safe_hours": hours}, now=datetime.fromisoformat(now))

    assert found == datetime.fromisoformat(expected)
