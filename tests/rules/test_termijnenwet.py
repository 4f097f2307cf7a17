"""Working days, holidays and the extension of terms, as the Algemene termijnenwet has them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from weerbaar_meldpunt.rules.calendar import (
    add_working_days,
    calendar_data,
    easter,
    end_of_working_day,
    extend_term,
    holidays,
    in_office_hours,
    is_working_day,
    next_office_moment,
    next_working_day,
    today,
    working_day_from,
)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    "sunday",
    [
        "1818-03-22", "1943-04-25", "2000-04-23", "2008-03-23", "2011-04-24", "2024-03-31", "2025-04-20", "2026-04-05",
        "2027-03-28", "2028-04-16", "2038-04-25", "2285-03-22",
    ],
)  # fmt: skip
def test_easter_is_where_the_almanac_has_it(sunday):
    assert easter(int(sunday[:4])) == day(sunday)


def test_easter_is_the_sunday_after_the_full_moon_of_the_church():
    """The tables of Clavius as Knuth computes them (The Art of Computer Programming 1.3.2, exercise 14)."""
    for year in range(1583, 3000):
        golden, century = year % 19 + 1, year // 100 + 1
        leap_years_left_out, moon = 3 * century // 4 - 12, (8 * century + 5) // 25 - 5
        epact = (11 * golden + 20 + moon - leap_years_left_out) % 30
        epact += epact == 24 or (epact == 25 and golden > 11)
        full_moon = 44 - epact + (30 if epact > 23 else 0)
        after = full_moon + 7 - (5 * year // 4 - leap_years_left_out - 10 + full_moon) % 7

        assert easter(year) == date(year, 3, 1) + timedelta(days=after - 1)


@pytest.mark.parametrize(
    ("name", "on"),
    [
        ("Nieuwjaarsdag", "2026-01-01"), ("Goede Vrijdag", "2026-04-03"), ("Tweede Paasdag", "2026-04-06"),
        ("Koningsdag", "2026-04-27"), ("Bevrijdingsdag", "2026-05-05"), ("Hemelvaartsdag", "2026-05-14"),
        ("Tweede Pinksterdag", "2026-05-25"), ("Eerste Kerstdag", "2026-12-25"), ("Tweede Kerstdag", "2026-12-26"),
        ("Koningsdag on Saturday when the 27th is a Sunday", "2025-04-26"), ("and again in 2031", "2031-04-26"),
        ("5 May, not only once in five years", "2027-05-05"), ("a day named by decree", "2027-05-07"),
        ("another year's day by decree", "2024-12-27"),
    ],
)  # fmt: skip
def test_a_holiday_is_no_working_day(name, on):
    assert day(on) in holidays(int(on[:4])), name
    assert not is_working_day(day(on)), name


@pytest.mark.parametrize(
    ("name", "on"),
    [
        ("the Monday after King's Day moved to Saturday", "2025-04-28"), ("Christmas Eve", "2026-12-24"),
        ("New Year's Eve", "2026-12-31"), ("Maundy Thursday", "2026-04-02"), ("4 May", "2026-05-04"),
        ("the Friday after Ascension, when no decree names it", "2029-05-11"), ("1 May", "2026-05-01"),
    ],
)  # fmt: skip
def test_any_other_weekday_is_a_working_day(name, on):
    assert is_working_day(day(on)), name


def test_easter_sunday_is_no_holiday_of_the_law_but_no_working_day_either():
    assert day("2026-04-05") not in holidays(2026)
    assert not is_working_day(day("2026-04-05"))


def test_a_year_has_the_nine_holidays_of_the_law_and_those_by_decree():
    by_decree = {named.day for named in calendar_data().decree.days}

    for year in range(1990, 2101):
        assert len(holidays(year) - by_decree) in {8, 9}, year  # 8 when Ascension is on 5 May
        assert holidays(year) >= {named for named in by_decree if named.year == year}


def test_every_day_by_decree_is_a_weekday_and_tells_its_source():
    for named in calendar_data().decree.days:
        assert named.day.weekday() < 5 and named.source, named


@pytest.mark.parametrize(
    ("start", "last_day", "moved"),
    [
        pytest.param("2026-11-10", "2026-11-24", "2026-11-24", id="a working day stays"),
        pytest.param("2026-11-14", "2026-11-28", "2026-11-30", id="Saturday to Monday"),
        pytest.param("2026-11-15", "2026-11-29", "2026-11-30", id="Sunday to Monday"),
        pytest.param("2026-12-11", "2026-12-25", "2026-12-28", id="Christmas over a weekend"),
        pytest.param("2026-03-20", "2026-04-03", "2026-04-07", id="Good Friday to the Tuesday after Easter"),
        pytest.param("2025-04-12", "2025-04-26", "2025-04-28", id="King's Day on Saturday to Monday"),
        pytest.param("2026-04-21", "2026-05-05", "2026-05-06", id="5 May to the 6th"),
        pytest.param("2027-04-22", "2027-05-06", "2027-05-10", id="Ascension, decree, weekend"),
    ],
)
def test_article_1_a_last_day_moves_to_the_next_working_day(start, last_day, moved):
    assert extend_term(day(start), day(last_day)) == day(moved)


@pytest.mark.parametrize(
    ("start", "last_day", "extended"),
    [
        pytest.param(
            "2026-11-26", "2026-11-29", "2026-11-30", id="3 days, Thursday to Sunday: Friday and Monday are two"
        ),
        pytest.param(
            "2026-11-27", "2026-11-30", "2026-12-01", id="3 days, Friday to Monday: Monday alone is too little"
        ),
        pytest.param("2026-04-02", "2026-04-05", "2026-04-08", id="3 days over Easter: Tuesday alone is too little"),
        pytest.param("2026-12-24", "2026-12-28", "2026-12-29", id="4 days over Christmas"),
        pytest.param("2026-11-23", "2026-11-26", "2026-11-26", id="3 days within a week"),
        pytest.param("2026-11-27", "2026-11-29", "2026-11-30", id="2 days are moved, not made longer"),
        pytest.param("2026-11-28", "2026-11-30", "2026-11-30", id="2 days with one working day"),
    ],
)
def test_article_2_a_term_of_three_days_or_more_holds_two_working_days(start, last_day, extended):
    assert extend_term(day(start), day(last_day)) == day(extended)


def test_on_every_day_of_six_years_terms_end_on_a_working_day_and_never_earlier():
    start = date(2024, 1, 1)
    while start < date(2030, 1, 1):
        for length in (0, 1, 2, 3, 4, 5, 14, 28):
            last_day = start + timedelta(days=length)
            found = extend_term(start, last_day)
            assert found >= last_day and is_working_day(found)
            inside = [start + timedelta(days=n) for n in range(1, (found - start).days + 1)]
            assert length < 3 or sum(map(is_working_day, inside)) >= 2
        start += timedelta(days=1)


def test_counting_working_days_begins_at_the_next_one_when_the_day_is_none():
    saturday = day("2026-11-28")

    assert working_day_from(saturday) == next_working_day(saturday) == day("2026-11-30")
    assert [add_working_days(saturday, count) for count in (0, 1, 3)] == [
        day("2026-11-30"), day("2026-12-01"), day("2026-12-03"),
    ]  # fmt: skip
    assert next_working_day(day("2026-11-27")) == day("2026-11-30")


@pytest.mark.parametrize(
    ("moment", "inside", "next_moment"),
    [
        pytest.param("2026-11-23T09:00:00+01:00", True, "2026-11-23T09:00:00+01:00", id="opening"),
        pytest.param("2026-11-23T16:59:59+01:00", True, "2026-11-23T16:59:59+01:00", id="just before closing"),
        pytest.param("2026-11-23T17:00:00+01:00", False, "2026-11-24T09:00:00+01:00", id="closing"),
        pytest.param("2026-11-23T08:59:59+01:00", False, "2026-11-23T09:00:00+01:00", id="just before opening"),
        pytest.param("2026-11-28T12:00:00+01:00", False, "2026-11-30T09:00:00+01:00", id="Saturday noon"),
        pytest.param("2026-11-28T06:00:00+01:00", False, "2026-11-30T09:00:00+01:00", id="Saturday early"),
        pytest.param("2026-12-25T12:00:00+01:00", False, "2026-12-28T09:00:00+01:00", id="Christmas"),
        pytest.param("2026-07-01T07:00:00Z", True, "2026-07-01T09:00:00+02:00", id="opening in summer"),
        pytest.param("2027-03-26T18:00:00+01:00", False, "2027-03-30T09:00:00+02:00", id="Easter with a clock change"),
    ],
)
def test_office_hours_are_those_of_amsterdam_on_working_days(moment, inside, next_moment):
    asked = datetime.fromisoformat(moment)

    assert in_office_hours(asked) is inside
    assert next_office_moment(asked) == datetime.fromisoformat(next_moment)


def test_the_day_and_the_end_of_it_are_those_of_amsterdam():
    assert today(datetime.fromisoformat("2026-11-22T23:30:00Z")) == day("2026-11-23")
    assert end_of_working_day(day("2026-11-23")) == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert end_of_working_day(day("2026-07-01")) == datetime(2026, 7, 1, 15, tzinfo=UTC)
