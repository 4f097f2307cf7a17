"""The decision tables made ready: every case as three numbers, every answer with its reason made beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from . import vocabulary as codes
from .answer import Reason
from .decision_tables import ActionRow, FirstContactRow, Masks, Names, Reasoned, RoutingFile
from .terms import TermTable

Given = TypeVar("Given")


# (all, any, none, what the case gives)
ReadyCase = tuple[int, int, int, Given]
# A row: facts of which one holds whenever one of its cases applies, and the cases. Most rows are passed over by the
# first number alone, in the loops of `first`, `collect` and `define`; that makes routing fast.
Row = tuple[int, tuple[ReadyCase[Given], ...]]


def make_row(cases: Iterable[tuple[Masks, Given]]) -> Row[Given]:
    """A row of cases, each with what it gives."""
    ready = tuple((*masks, given) for masks, given in cases)
    trigger = 0
    for must, some, _, _ in ready:
        # A case that asks only for absence may always apply: every bit triggers it.
        trigger |= some or must & -must or -1
    return trigger, ready


def first(rows: Iterable[Row[Given]], facts: int, otherwise: Given) -> Given:
    """What the first row that applies gives."""
    for trigger, cases in rows:
        if facts & trigger:
            for must, some, none, given in cases:
                if facts & must == must and (not some or facts & some) and not facts & none:
                    return given
    return otherwise


def collect(rows: Iterable[Row[Given]], facts: int) -> list[Given]:
    """What every row that applies gives, each by its first case."""
    found = []
    for trigger, cases in rows:
        if facts & trigger:
            for must, some, none, given in cases:
                if facts & must == must and (not some or facts & some) and not facts & none:
                    found.append(given)
                    break
    return found


def define(definitions: Iterable[Row[int]], facts: int) -> int:
    """The facts with those that definitions add, each seeing the ones above it."""
    for trigger, cases in definitions:
        if facts & trigger:
            for must, some, none, bit in cases:
                if facts & must == must and (not some or facts & some) and not facts & none:
                    facts |= bit
                    break
    return facts


@dataclass(frozen=True, slots=True)
class Action:
    """A proposal with its reason, and the one that takes its place on the islands."""

    code: str
    reason: Reason
    islands: Action | None = None


@dataclass(frozen=True, slots=True)
class FirstContact:
    """The term of an urgency: hours that run on, or the end of a working day."""

    hours: timedelta | None
    working_days: int
    reason: Reason


class Tables:
    """One version of the tables, checked, to decide by."""

    def __init__(self, file: RoutingFile, terms: TermTable) -> None:
        names = Names(file)
        self.file, self.terms, self.version = file, terms, file.version
        self.pressing = timedelta(days=terms.pressing_within_days)
        self.announced = timedelta(hours=file.thresholds.announced_hours)
        self.islands = names.mask(["eiland"])
        self.role_definitions = [_definition(*row) for row in names.role_definitions]
        self.any_role = names.any_role
        self.definitions = [_definition(*row) for row in names.definitions]

        last = file.urgency[-1]
        self.urgency = [make_row(_with(names, row.when, row.rule, "urgency", row.urgency)) for row in file.urgency]
        self.urgency_otherwise = (last.urgency, Reason(last.rule, "urgency", last.otherwise or ""))
        ending = file.entitlement[-1]
        self.entitlement = [
            make_row(_with(names, row.when, row.rule, "entitlement", row.entitlement)) for row in file.entitlement
        ]
        self.entitlement_otherwise = (ending.entitlement, Reason(ending.rule, "entitlement", ending.otherwise or ""))
        self.entitlement_rank = {code: place for place, code in enumerate(codes.ENTITLEMENTS)}
        self.route = [
            make_row(_with(names, row.when, row.rule, f"route:{row.route}", (row.route, row.mark)))
            for row in file.route
        ]
        default = file.no_route[-1]
        self.no_route = [
            make_row(
                (names.masks(case), (case.offers, Reason(row.rule, "no_route", case.because))) for case in row.when
            )
            for row in file.no_route
        ]
        self.no_route_otherwise = (default.offers, Reason(default.rule, "no_route", default.otherwise or ""))
        self.action = [make_row(_proposals(names, row)) for row in file.action]
        self.first_contact = {row.urgency: _first_contact(row) for row in file.first_contact}
        self.consent_mark = file.consent.mark
        self.consent_reason = {
            about: Reason(file.consent.rule, about, file.consent.because)
            for about in ("no_route", *(f"route:{team}" for team in codes.TEAMS))
        }


def _definition(bit: int, cases: Iterable[Masks]) -> Row[int]:
    return make_row((masks, bit) for masks in cases)


def _with(
    names: Names, cases: Iterable[Reasoned], rule: str, about: str, given: Given
) -> Iterator[tuple[Masks, tuple[Given, Reason]]]:
    for case in cases:
        yield names.masks(case), (given, Reason(rule, about, case.because))


def _proposals(names: Names, row: ActionRow) -> Iterator[tuple[Masks, Action]]:
    for case in row.when:
        islands = None
        if row.on_the_islands:
            about = f"action:{row.on_the_islands}"
            islands = Action(row.on_the_islands, Reason(row.rule, about, case.because))
        reason = Reason(row.rule, f"action:{row.action}", case.because)
        yield names.masks(case, row.never), Action(row.action, reason, islands)


def _first_contact(row: FirstContactRow) -> FirstContact:
    minutes = timedelta(minutes=row.minutes) if row.minutes is not None else None
    return FirstContact(minutes, row.working_days or 0, Reason(row.rule, "urgency", row.because))
