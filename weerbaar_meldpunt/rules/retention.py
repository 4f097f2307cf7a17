"""How long a case is kept after it closed, what stops that, and how long everything else is kept: read from a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated, Final, Self

from pydantic import model_validator

from . import vocabulary as codes
from .calendar import today
from .data import Data, PolicyFile, version_on
from .moves import TRANSFERRED
from .terms import add_months
from .values import OneOf

STEM: Final = "retention"
_OUTCOMES: Final = tuple(dict.fromkeys(code for outcomes in codes.OUTCOMES.values() for code in outcomes))


class Term(Data):
    """For which tracks a term holds, and how long it is."""

    code: str
    teams: tuple[Annotated[str, OneOf(codes.TEAMS)], ...] = ()
    outcomes: tuple[Annotated[str, OneOf(_OUTCOMES)], ...] = ()
    police_report: tuple[Annotated[str, OneOf(codes.REPORT_TO_POLICE)], ...] = ()
    days: int | None = None
    months: int | None = None
    after_end_of_office: bool = False
    source: str

    @model_validator(mode="after")
    def _has_one_length(self) -> Self:
        if (self.days is None) == (self.months is None) or not (self.days or self.months or 0) > 0:
            raise ValueError(f"{self.code}: a term has one length, days or months")
        return self

    def fits(self, team: str, outcome: str, police_report: str) -> bool:
        """Whether a track of this team, ended so, is kept by this term; what a row leaves open fits everything."""
        return (
            (not self.teams or team in self.teams)
            and (not self.outcomes or outcome in self.outcomes)
            and (not self.police_report or police_report in self.police_report)
        )

    def end(self, start: date) -> date:
        """The first day on which what is kept by this term may go."""
        return start + timedelta(days=self.days) if self.days else add_months(start, self.months or 0)


class HoldGround(Data):
    """Why something may stay longer than its term."""

    ground: str
    source: str


class LinkTerm(Data):
    """How long a mark by which cases are compared is kept."""

    months: int
    source: str


class OtherTerm(Data):
    """How long something is kept that is no case."""

    code: str
    hours: int | None = None
    days: int | None = None
    months: int | None = None
    until_done: bool = False
    for_ever: bool = False

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        given = [self.hours is not None, self.days is not None, self.months is not None, self.until_done, self.for_ever]
        if sum(given) != 1:
            raise ValueError(f"{self.code}: one of hours, days, months, until_done, for_ever")
        return self


class RetentionFile(PolicyFile):
    """All terms of keeping."""

    warn_days: int
    undo_days: int
    proposal_days: int
    longest_hold_months: int
    pressure_call_hours: int
    term: tuple[Term, ...]
    hold: tuple[HoldGround, ...]
    links: LinkTerm
    other: tuple[OtherTerm, ...]

    @model_validator(mode="after")
    def _leaves_nothing_without_a_term(self) -> Self:
        last = self.term[-1]
        if last.teams or last.outcomes or last.police_report:
            raise ValueError("the last term must fit every track")
        if len({term.code for term in self.term}) != len(self.term):
            raise ValueError("two terms of one code")
        return self


@dataclass(frozen=True, slots=True)
class Kept:
    """By which term a case is kept, of which version of the table, from when and until when."""

    term: str
    version: str
    starts_on: date
    ends_on: date

    @property
    def month(self) -> str:
        """The month in which the term ends, as it stands open on the case."""
        return f"{self.ends_on:%Y-%m}"


@cache
def on(day: date) -> RetentionFile:
    """The table in force on a day."""
    return version_on(RetentionFile, STEM, day)


def keep(
    outcomes: Mapping[str, str], *, police_report: str, closed_on: date, end_of_office: date | None = None
) -> Kept:
    """How long a closed case is kept: of the terms of its tracks (outcome by team) the one that ends last."""
    table = on(closed_on)
    ends: list[tuple[date, str, date]] = []
    # A team that handed the case over has nothing of it any more: how the others ended it says how long it stays.
    done = {team: outcome for team, outcome in outcomes.items() if outcome != TRANSFERRED} or outcomes
    for team, outcome in done.items():
        term = next(term for term in table.term if term.fits(team, outcome, police_report))
        start = max(closed_on, end_of_office or closed_on) if term.after_end_of_office else closed_on
        ends.append((_end(term, start), term.code, start))
    if not ends:
        raise ValueError("a case without a closed track has no term")
    ends_on, code, start = max(ends)
    return Kept(code, table.version, start, ends_on)


def _end(term: Term, start: date) -> date:
    try:
        return term.end(start)
    except (OverflowError, ValueError):  # an end of office in a year that was typed wrong
        return date.max


def warn_on(kept_from: date, ends_on: date) -> date:
    """From which day a coordinator is told that a case will go: some time before, at once when the term is short."""
    return max(kept_from, ends_on - timedelta(days=on(kept_from).warn_days))


def undo_until(moment: datetime) -> datetime:
    """Until when a reporter can take back that everything must go."""
    return moment + timedelta(days=on(today(moment)).undo_days)


def proposal_ends(moment: datetime) -> datetime:
    """Until when a proposal to destroy can be confirmed."""
    return moment + timedelta(days=on(today(moment)).proposal_days)


def hold_grounds(day: date) -> tuple[str, ...]:
    """The grounds on which something may stay longer, for a form."""
    return tuple(hold.ground for hold in on(day).hold)


def latest_review(day: date) -> date:
    """The last day on which a hold that begins today must be looked at again."""
    return add_months(day, on(day).longest_hold_months)


def link_month(day: date) -> str:
    """The month in which a mark that is kept today for comparing cases ends."""
    return f"{add_months(day, on(day).links.months):%Y-%m}"


def pressure_call(moment: datetime) -> datetime:
    """By when somebody is called who says to be under pressure, safe hours aside."""
    return moment + timedelta(hours=on(today(moment)).pressure_call_hours)
