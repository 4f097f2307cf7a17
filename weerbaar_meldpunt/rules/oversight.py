"""What the functionaris gegevensbescherming works with: terms of the law, and codes for what is done. No clock here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final

from .calendar import extend_term
from .data import PolicyFile, version_on
from .terms import add_months

_STEM: Final = "oversight"

REQUEST_KINDS: Final = ("inzage", "rectificatie", "bezwaar", "wissen", "beperking")
# Why a request may be refused or answered in part (AVG art. 23, UAVG art. 41), or why not.
GROUNDS: Final = (
    "niets_over_verzoeker", "rechten_van_anderen", "strafbare_feiten", "openbare_veiligheid", "rechtsvordering",
    "geen_grond",
)  # fmt: skip
DECISIONS: Final = ("geldt", "geldt_deels", "geldt_niet")
BREACH_KINDS: Final = (
    "verkeerd_verstuurd", "onbevoegd_gezien", "verloren_of_gestolen", "veranderd", "niet_beschikbaar", "inbraak",
    "anders",
)  # fmt: skip
BREACH_PERSONS: Final = ("onbekend", "een", "2_10", "11_100", "meer_dan_100")
# The steps of a datalek, each with how it may go. It is closed once all are taken.
BREACH_STEPS: Final[dict[str, tuple[str, ...]]] = {
    "beoordeeld": ("risico", "hoog_risico", "geen_risico"),
    "gemeld_ap": ("gemeld", "niet_nodig"),
    "verteld": ("verteld", "niet_nodig", "later"),
    "hersteld": ("hersteld", "niet_te_herstellen"),
}
REASONS: Final = (
    "mijn_zaak", "waarneming", "tweede_collega", "coordinatie", "vraag_van_melder", "vergissing", "anders",
)  # fmt: skip
JUDGEMENTS: Final = ("in_orde", "gesprek", "niet_in_orde")
LINKING_GROUNDS: Final = ("algemeen_belang", "wettelijke_plicht", "vitaal_belang")


class Oversight(PolicyFile):
    """Terms and numbers of the FG's work."""

    request_months: int
    extension_months: int
    request_reminder_days: tuple[int, ...]
    breach_hours: int
    breach_reminder_hours: tuple[int, ...]
    sample_size: int
    sample_days: int
    sample_reminder_days: tuple[int, ...]
    linking_days: int


@cache
def oversight_on(day: date) -> Oversight:
    """What is in force on a day."""
    return version_on(Oversight, _STEM, day)


def request_due(received_on: date, *, extended: bool = False) -> date:
    """By which day somebody must have an answer; a last day in a weekend or on a holiday moves on."""
    table = oversight_on(received_on)
    months = table.request_months + (table.extension_months if extended else 0)
    return extend_term(received_on, add_months(received_on, months))


def breach_due(found_at: datetime, day: date) -> datetime:
    """By when a datalek must be reported to the Autoriteit Persoonsgegevens; in UTC."""
    # In local time a day may have 23 hours or 25.
    return found_at.astimezone(UTC) + timedelta(hours=oversight_on(day).breach_hours)


def draw(numbers: Iterator[tuple[int, int]], count: int, size: int) -> tuple[int, ...]:
    """Which of `count` openings are looked at: places from 0, all different, the same for whoever draws again.

    `numbers` are random numbers, each with the bound it is below. One in the last, incomplete part of its range is left
    out, so that no place has more chance than another.
    """
    chosen: list[int] = []
    for value, bound in numbers:
        if len(chosen) == min(size, count):
            break
        place = value % count
        if value < bound - bound % count and place not in chosen:
            chosen.append(place)
    return tuple(chosen)
