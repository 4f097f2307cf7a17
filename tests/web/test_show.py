"""How moments, sizes and numbers look to a person in the Netherlands."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from weerbaar_meldpunt.web import show

NOW = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)  # Monday, half past twelve in Amsterdam


def test_a_moment_today_is_said_in_a_word():
    assert show.moment(NOW + timedelta(hours=4), NOW) == "vandaag om 16:30 uur"
    assert show.moment(NOW - timedelta(days=1), NOW) == "gisteren om 12:30 uur"
    assert show.moment(NOW + timedelta(days=1), NOW) == "morgen om 12:30 uur"


def test_a_moment_further_off_has_its_day_date_and_year():
    assert show.moment(NOW + timedelta(days=2), NOW) == "woensdag 25 november 2026 om 12:30 uur"


def test_on_paper_no_word_goes_stale():
    assert show.moment(NOW, NOW, full=True) == "maandag 23 november 2026 om 12:30 uur"
    assert show.moment(NOW) == "maandag 23 november 2026 om 12:30 uur"


def test_today_is_the_day_in_amsterdam_not_in_greenwich():
    half_past_midnight = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)

    assert show.moment(half_past_midnight, NOW) == "morgen om 00:30 uur"


def test_a_moment_from_another_zone_is_shown_in_dutch_time():
    curacao = timezone(timedelta(hours=-4))

    assert show.clock(datetime(2026, 7, 1, 8, 0, tzinfo=curacao)) == "14:00"


def test_the_hour_that_comes_twice_says_which_one_it_is():
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))

    assert show.clock(first) == "02:30 (zomertijd)"
    assert show.clock(second) == "02:30 (wintertijd)"
    assert show.clock(second + timedelta(hours=1)) == "03:30"


@pytest.mark.parametrize("value", [datetime(2026, 11, 23, 12, 30), "2026-11-23T12:30:00"], ids=["datetime", "text"])  # noqa: DTZ001
def test_a_moment_without_an_offset_is_never_shown(value):
    with pytest.raises(ValueError, match="offset"):
        show.moment(value)


def test_what_stands_in_a_document_is_read_as_text():
    assert show.moment("2026-11-20T21:30:00+01:00", NOW) == "vrijdag 20 november 2026 om 21:30 uur"
    assert show.moment("2026-11-22", NOW) == "gisteren"
    assert show.moment(date(2026, 11, 25), NOW) == "woensdag 25 november 2026"


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_moment_that_is_not_known_says_so(nothing):
    assert show.moment(nothing, NOW) == "onbekend"
    assert show.iso(nothing) == ""


def test_a_list_says_it_short_and_names_another_year():
    assert show.short(NOW + timedelta(hours=4), NOW) == "vandaag 16:30"
    assert show.short(NOW + timedelta(days=2), NOW) == "wo 25 nov 12:30"
    assert show.short(NOW + timedelta(days=60), NOW) == "vr 22 jan 2027 12:30"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (1423000, "1,4 MB"),
        (9_960_000, "10 MB"),
        (999_600, "1 MB"),
        (26_214_400, "26 MB"),
        (3_200_000_000_000, "3.200 GB"),
    ],
)
def test_a_size_is_said_in_dutch_units(count, text):
    assert show.size(count) == text


def test_ago_looks_back_and_ahead():
    assert show.ago(NOW - timedelta(minutes=5), NOW) == "5 minuten geleden"
    assert show.ago(NOW + timedelta(hours=2), NOW) == "over 2 uur"
    assert show.ago(NOW - timedelta(seconds=20), NOW) == "nu"


def test_a_number_has_dutch_points():
    assert show.number(1234567) == "1.234.567"
