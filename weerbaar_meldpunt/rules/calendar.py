"""Working days, holidays and the extension of legal terms, in Europe/Amsterdam (Algemene termijnenwet).

Routing counts working days of Amsterdam for the islands too; pages show local time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Final

from .data import Data, PolicyFile, read_policy
from .values import AMSTERDAM

DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_WORKING_DAYS_OWED: Final = 2  # Algemene termijnenwet art. 2
_SHORTEST_TERM: Final = 3


class OfficeHours(Data):
    """When a working day begins and ends."""

    opens: time
    closes: time


class NamedDay(Data):
    """A day put on a par with the holidays, and where that was decided."""

    day: date
    source: str


class Decree(Data):
    """The days that decrees added."""

    days: tuple[NamedDay, ...]


class CalendarData(PolicyFile):
    """The calendar's own data; the holidays of the law are computed."""

    office_hours: OfficeHours
    decree: Decree


@cache
def calendar_data() -> CalendarData:
    """The shipped calendar."""
    return read_policy(CalendarData, "calendar.toml")


def today(moment: datetime) -> date:
    """The day it is in Amsterdam at a moment."""
    return moment.astimezone(AMSTERDAM).date()


def start_of_day(day: date) -> datetime:
    """The moment a day begins in Amsterdam, in UTC."""
    return datetime.combine(day, time(), tzinfo=AMSTERDAM).astimezone(UTC)


def easter(year: int) -> date:
    """Easter Sunday (Gregorian computus, Meeus/Jones/Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=256)
def holidays(year: int) -> frozenset[date]:
    """The recognised holidays of a year: Algemene termijnenwet art. 3, with the days named by decree."""
    sunday = easter(year)
    kings_day = date(year, 4, 27)
    if kings_day.isoweekday() == 7:
        kings_day -= DAY
    named = {entry.day for entry in calendar_data().decree.days if entry.day.year == year}
    return frozenset(
        named
        | {
            date(year, 1, 1),
            sunday - 2 * DAY,  # Goede Vrijdag
            sunday + DAY,  # Tweede Paasdag
            kings_day,
            date(year, 5, 5),
            sunday + 39 * DAY,  # Hemelvaartsdag
            sunday + 50 * DAY,  # Tweede Pinksterdag
            date(year, 12, 25),
            date(year, 12, 26),
        }
    )


def is_working_day(day: date) -> bool:
    """Monday to Friday and not a recognised holiday."""
    return day.weekday() < _SATURDAY and day not in holidays(day.year)


def working_day_from(day: date) -> date:
    """The day itself when it is a working day, else the next one. `OverflowError` at the end of the calendar."""
    while not is_working_day(day):
        day += DAY
    return day


def next_working_day(day: date) -> date:
    """The first working day after a day."""
    return working_day_from(day + DAY)


@lru_cache(maxsize=1024)
def add_working_days(day: date, count: int) -> date:
    """So many working days on; a day that is none counts as the next one that is."""
    day = working_day_from(day)
    for _ in range(count):
        day = next_working_day(day)
    return day


@lru_cache(maxsize=1024)
def end_of_working_day(day: date) -> datetime:
    """The end of office hours of a day, as a moment in UTC."""
    return datetime.combine(day, calendar_data().office_hours.closes, tzinfo=AMSTERDAM).astimezone(UTC)


def in_office_hours(moment: datetime) -> bool:
    """Whether somebody may be expected at a desk."""
    local, hours = moment.astimezone(AMSTERDAM), calendar_data().office_hours
    return is_working_day(local.date()) and hours.opens <= local.time() < hours.closes


def next_office_moment(moment: datetime) -> datetime:
    """The moment itself within office hours, else the next opening; in UTC."""
    if in_office_hours(moment):
        return moment.astimezone(UTC)
    local, hours = moment.astimezone(AMSTERDAM), calendar_data().office_hours
    day = local.date() if local.time() < hours.opens else local.date() + DAY
    return datetime.combine(working_day_from(day), hours.opens, tzinfo=AMSTERDAM).astimezone(UTC)


def extend_term(start: date, last_day: date) -> date:
    """The last day of a term of the law that begins after `start`, moved as the Algemene termijnenwet asks.

    Art. 1: a last day on Saturday, Sunday or a holiday moves to the next day that is none of these. Art. 2: a term of
    at least three days is made to hold at least two such days. Art. 4 (long terms, hours) is for who knows the length.
    """
    short = (last_day - start).days < _SHORTEST_TERM
    last_day = working_day_from(last_day)
    if short:
        return last_day
    # Only a term this short can lack working days; a year of them need not be counted.
    day, found = last_day, 0
    while day > start and found < _WORKING_DAYS_OWED:
        found += is_working_day(day)
        day -= DAY
    for _ in range(_WORKING_DAYS_OWED - found):
        last_day = next_working_day(last_day)
    return last_day
