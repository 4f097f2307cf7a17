"""Months, half-years and years as the figures name them, and which of them are printed when a month closes."""

from __future__ import annotations

import re
from typing import Final

from .figure_tables import HALF_YEAR, MONTH, YEAR, YEAR_TO_DATE, Table

JULY: Final = "07"
_MONTH: Final = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])")
_SPAN: Final = re.compile(r"(20[0-9]{2}-[0-9]{2})/(20[0-9]{2}-[0-9]{2})")
_HALF_YEAR: Final = re.compile(r"(20[0-9]{2})-H([12])")
_YEAR: Final = re.compile(r"20[0-9]{2}")
_HALF_YEARS: Final = {"1": ("01", "06"), "2": ("07", "12")}


def is_month(text: object) -> bool:
    """Whether this names a month: `2026-09`."""
    return isinstance(text, str) and _MONTH.fullmatch(text) is not None


def next_month(month: str) -> str:
    """The month after a month."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1}-01" if number == 12 else f"{year}-{number + 1:02}"


def last_month(month: str) -> str:
    """The month before a month."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - 1}-12" if number == 1 else f"{year}-{number - 1:02}"


def months(first: str, last: str) -> list[str]:
    """All months from the first to the last, both included."""
    found = []
    while first <= last:
        found.append(first)
        first = next_month(first)
    return found


def year_to_date(month: str) -> str:
    """The period from January to this month."""
    return f"{month[:4]}-01/{month}"


def span(period: str) -> tuple[str, str]:
    """The first and the last month of a period; `ValueError` for what is none."""
    if is_month(period):
        return period, period
    if found := _SPAN.fullmatch(period):
        first, last = found.groups()
        if is_month(first) and is_month(last) and first <= last:
            return first, last
    elif found := _HALF_YEAR.fullmatch(period):
        year, half = found.groups()
        first, last = _HALF_YEARS[half]
        return f"{year}-{first}", f"{year}-{last}"
    elif _YEAR.fullmatch(period):
        return f"{period}-01", f"{period}-12"
    raise ValueError("not a period")


def half_year(month: str) -> str:
    """The half-year that a month lies in: `2026-H1`."""
    return f"{month[:4]}-H{1 if month[5:] < JULY else 2}"


def printed_periods(table: Table, month: str) -> list[str]:
    """The periods for which a table is printed in the edition of a month."""
    number = month[5:]
    wanted = {
        MONTH: month,
        YEAR_TO_DATE: year_to_date(month),
        HALF_YEAR: half_year(month) if number in ("06", "12") else None,
        YEAR: month[:4] if number == "12" else None,
    }
    return [period for kind in table.periods if (period := wanted[kind]) is not None]
