"""How much one member of staff may open before somebody else looks: policy with a version, and nothing more."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Final, Literal

from .data import Data, PolicyFile, version_on

_STEM: Final = "openings"
# From the trail, to the second; and from counts by the hour.
OPENED: Final = ("zaken", "veilig", "bestanden")
COUNTED: Final = ("wachtrij", "treffers")


class Limit(Data):
    """In so many minutes at most so many."""

    what: Literal["zaken", "veilig", "bestanden", "wachtrij", "treffers"]
    minutes: int
    most: int

    @property
    def name(self) -> str:
        """By what an alarm names it."""
        return f"{self.what}-{self.minutes}"


class OpeningLimits(PolicyFile):
    """All limits together."""

    limits: tuple[Limit, ...]


@cache
def limits_on(day: date) -> tuple[Limit, ...]:
    """The limits in force on a day."""
    return version_on(OpeningLimits, _STEM, day).limits
