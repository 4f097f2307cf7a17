"""Legal terms: which run on a report, until when and whose they are. No legal advice: a lawyer confirms."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from . import vocabulary as codes
from .calendar import DAY, extend_term, today
from .data import Data, PolicyFile, read_version
from .report import Report
from .values import OneOf

ON_THE_PAPER: Final = "datum_op_stuk"
EVERY_KIND: Final = "*"


class Length(Data):
    """How long a term is, in one unit."""

    days: int | None = None
    weeks: int | None = None
    months: int | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if sum(unit is not None for unit in (self.days, self.weeks, self.months)) != 1:
            raise ValueError("a length has one unit")
        return self

    @property
    def is_exempt(self) -> bool:
        """Too long for the Algemene termijnenwet (art. 4: over 90 days, 12 weeks or 3 months)."""
        return (self.days or 0) > 90 or (self.weeks or 0) > 12 or (self.months or 0) > 3

    def after(self, day: date) -> date:
        """The last day of a term that begins after `day`; `OverflowError` past the end of the calendar."""
        if self.months is not None:
            return add_months(day, self.months)
        return day + DAY * ((self.days or 0) + 7 * (self.weeks or 0))


class IncidentTerm(Data):
    """A kind of incident that starts a term, for these roles or for every role."""

    kind: Annotated[str, OneOf(codes.KINDS)]
    roles: tuple[Annotated[str, OneOf(codes.ROLES)], ...] = codes.ROLES


class TermRow(Data):
    """One row of the table."""

    rule: str
    term: str
    legal_kinds: tuple[Annotated[str, OneOf((*codes.LEGAL_KINDS, EVERY_KIND))], ...] = ()
    incident: tuple[IncidentTerm, ...] = ()
    runs_from: Literal["act_before", "event_on", "received_on", "occurred_at"]
    length: Length
    moves: bool = True
    whose: Annotated[str, OneOf(codes.WHOSE_TERMS)]
    whose_by_side: Mapping[str, str] = Field(default_factory=dict)
    basis: str
    sourced: bool
    source: str

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if bool(self.legal_kinds) == bool(self.incident):
            raise ValueError(f"{self.rule}: a term runs from papers or from an incident")
        if (self.runs_from == "occurred_at") != bool(self.incident):
            raise ValueError(f"{self.rule}: occurred_at is the date of an incident, the others stand on papers")
        if not set(self.whose_by_side) <= set(codes.LEGAL_SIDES):
            raise ValueError(f"{self.rule}: unknown side")
        if not set(self.whose_by_side.values()) <= set(codes.WHOSE_TERMS):
            raise ValueError(f"{self.rule}: unknown owner of a term")
        return self


class TermTable(PolicyFile):
    """All terms of a version."""

    pressing_within_days: int
    warn_days_before: tuple[int, ...]
    term: tuple[TermRow, ...]

    @cached_property
    def by_legal_kind(self) -> Mapping[str, tuple[TermRow, ...]]:
        """The rows for each kind of legal pressure."""
        return {
            kind: tuple(row for row in self.term if {kind, EVERY_KIND} & set(row.legal_kinds))
            for kind in codes.LEGAL_KINDS
        }

    @cached_property
    def by_incident(self) -> tuple[TermRow, ...]:
        """The rows that need no papers."""
        return tuple(row for row in self.term if row.incident)

    @cached_property
    def incident_kinds(self) -> frozenset[str]:
        """The kinds that start a term by themselves, for some role."""
        return frozenset(start.kind for row in self.by_incident for start in row.incident)


@dataclass(frozen=True, slots=True)
class LegalTerm:
    """A term that runs, with its last day. One that has passed is shown too."""

    term: str
    last_day: date
    whose: str
    basis: str
    sourced: bool
    rule: str

    def as_document(self) -> dict[str, object]:
        """As it stands in an answer."""
        return {
            "term": self.term,
            "last_day": self.last_day.isoformat(),
            "whose": self.whose,
            "basis": self.basis,
            "sourced": self.sourced,
        }

    @property
    def for_reporter(self) -> bool:
        """Whether the reporter sees it: what the law or the paper says, no default of ours."""
        return self.sourced or self.term == ON_THE_PAPER


@cache
def term_table(version: str) -> TermTable:
    """The table of a version."""
    return read_version(TermTable, "terms", version)


def legal_terms(report: Report, table: TermTable) -> tuple[LegalTerm, ...]:
    """The terms that run on a report, earliest first; on a tie the date on the paper leads."""
    found = []
    legal, incident = report.legal, report.incident
    if legal is not None:
        for row in table.by_legal_kind[legal.kind]:
            start: date | None = getattr(legal, row.runs_from)
            if start is not None:
                found.append(_term(row, start, row.whose_by_side.get(legal.side, row.whose)))
    if incident.occurred_at is not None and not table.incident_kinds.isdisjoint(incident.kinds):
        start = today(incident.occurred_at) if isinstance(incident.occurred_at, datetime) else incident.occurred_at
        role = report.target.role
        for row in table.by_incident:
            if any(begin.kind in incident.kinds and role in begin.roles for begin in row.incident):
                found.append(_term(row, start, row.whose))
    if len(found) > 1:
        found.sort(key=lambda term: (term.last_day, term.term != ON_THE_PAPER, term.term))
    return tuple(found)


def add_months(day: date, months: int) -> date:
    """The same day so many calendar months on, or the last day of a shorter month (Hoge Raad 1 September 2017)."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _term(row: TermRow, start: date, whose: str) -> LegalTerm:
    try:
        last_day = row.length.after(start)
        if row.moves and not row.length.is_exempt:
            last_day = extend_term(start, last_day)
    except (OverflowError, ValueError):
        # A typing error in a year must not stop a report; the odd date is marked for the worker.
        last_day = date.max
    return LegalTerm(row.term, last_day, whose, row.basis, row.sourced, row.rule)
