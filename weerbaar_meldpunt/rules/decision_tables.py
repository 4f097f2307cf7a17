"""The decision tables as they stand in their file: their form, what is refused, and how they are made fast.

A row is a list of cases, a case is facts that must all hold, of which one must hold, and of which none may hold.
Nothing is evaluated but that: no expressions. At load every case becomes three numbers, one bit a fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from . import vocabulary as codes
from .data import Data, PolicyFile
from .facts import BIT
from .values import OneOf

ANY_ROLE: Final = "een_rol:"

# (all, any, none): a case on a number of facts.
Masks = tuple[int, int, int]


class Case(Data):
    """When a row applies. An empty case would always apply, so it is refused."""

    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.all or self.any or self.none):
            raise ValueError("a case names at least one fact")
        return self

    @property
    def names(self) -> Iterator[str]:
        """Every fact it names."""
        yield from self.all
        yield from self.any
        yield from self.none


class Reasoned(Case):
    """A case with the reason a worker reads."""

    because: str = Field(min_length=1)


class Definition(Data):
    """A fact made of other facts."""

    name: str = Field(pattern="^[a-z_]+$")
    means: str
    when: tuple[Case, ...] = Field(min_length=1)


class Row(Data):
    """A row of a table: its id, where it comes from, and its cases."""

    rule: str
    source: str
    when: tuple[Reasoned, ...] = ()


class LastRow(Row):
    """A row that may close a table: it applies when no row above does."""

    otherwise: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.when) == (self.otherwise is not None):
            raise ValueError(f"{self.rule}: a row has cases or is the last one, `otherwise`")
        return self


class UrgencyRow(LastRow):
    """How urgent."""

    urgency: Annotated[str, OneOf(codes.URGENCIES)]


class EntitlementRow(LastRow):
    """Whether the scheme for security measures holds."""

    entitlement: Annotated[str, OneOf(codes.ENTITLEMENTS)]


class RouteRow(Row):
    """A team that gets the case."""

    route: Annotated[str, OneOf(codes.TEAMS)]
    mark: Annotated[str, OneOf(codes.MARKS)] | None = None


class Offering(Reasoned):
    """A reason for no route, and what is offered instead."""

    offers: tuple[str, ...] = Field(min_length=1)


class NoRouteRow(Data):
    """Why no team gets the case."""

    rule: str
    source: str
    when: tuple[Offering, ...] = ()
    otherwise: str | None = None
    offers: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.when) == (self.otherwise is not None) or (self.otherwise is not None) != bool(self.offers):
            raise ValueError(f"{self.rule}: a row has cases, or is the last one with its offers")
        return self


class ActionRow(Row):
    """A proposal to a worker. `never` blocks it whatever else holds."""

    action: Annotated[str, OneOf(codes.SIDE_ACTIONS)]
    on_the_islands: Annotated[str, OneOf(codes.SIDE_ACTIONS)] | None = None
    never: tuple[str, ...] = ()


class FirstContactRow(Data):
    """By when the first contact is made: minutes that run on, or the end of a working day."""

    rule: str
    urgency: Annotated[str, OneOf(codes.URGENCIES)]
    minutes: int | None = None
    working_days: int | None = None
    because: str

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if (self.minutes is None) == (self.working_days is None):
            raise ValueError(f"{self.rule}: minutes or working days")
        return self


class ConsentRow(Data):
    """What is marked while consent is missing."""

    rule: str
    mark: Annotated[str, OneOf(codes.MARKS)]
    because: str


class ThresholdRow(Data):
    """The amounts in the worked-out facts."""

    recent_hours: int
    announced_hours: int
    earlier_cases: int
    unanswered_days: int


class RoutingFile(PolicyFile):
    """A version of the routing tables."""

    terms: str
    thresholds: ThresholdRow
    role_definition: tuple[Definition, ...]
    definition: tuple[Definition, ...]
    urgency: tuple[UrgencyRow, ...]
    first_contact: tuple[FirstContactRow, ...]
    entitlement: tuple[EntitlementRow, ...]
    route: tuple[RouteRow, ...]
    no_route: tuple[NoRouteRow, ...]
    action: tuple[ActionRow, ...]
    consent: ConsentRow
    offers: Mapping[str, str]
    alternatives: Mapping[str, tuple[str, ...]]

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        for table in (self.urgency, self.entitlement, self.no_route):
            _ends_with_otherwise(table)
        rules = [row.rule for rows in self._all_rows() for row in rows]
        _same("rules", rules, set(rules), "a rule id stands twice")
        _same("first_contact", [row.urgency for row in self.first_contact], codes.URGENCIES, "one row an urgency")
        offered = {code for row in self.no_route for code in row.offers}
        offered |= {code for row in self.no_route for case in row.when for code in case.offers}
        offered |= {code for listed in self.alternatives.values() for code in listed}
        if offered - set(self.offers):
            raise ValueError(f"offers without a text: {sorted(offered - set(self.offers))}")
        order = [row.action for row in self.action]
        if order != [code for code in codes.SIDE_ACTIONS if code in order]:
            raise ValueError("actions stand in the order in which they are proposed")
        return self

    def _all_rows(self) -> Iterator[Iterable[Row | NoRouteRow | FirstContactRow]]:
        yield from (self.urgency, self.first_contact, self.entitlement, self.route, self.no_route, self.action)


def _ends_with_otherwise(table: tuple[LastRow | NoRouteRow, ...]) -> None:
    """What makes a table complete: its last row, and only that, needs no condition."""
    last = [row.rule for row in table if row.otherwise is not None]
    if not table or last != [table[-1].rule]:
        raise ValueError("a table where one row is chosen ends with one `otherwise`")


def _same(table: str, given: list[str], wanted: Iterable[str], message: str) -> None:
    if sorted(given) != sorted(wanted):
        raise ValueError(f"{table}: {message}")


class Names:
    """The bits of all facts a table may name: those of a report and those its definitions add, in order."""

    def __init__(self, tables: RoutingFile) -> None:
        self.bits: dict[str, int] = dict(BIT)
        self.role_definitions = tuple(self._define(row) for row in tables.role_definition)
        # Of a definition over roles, the table may also ask whether it holds of any role held.
        self.any_role = tuple((self.bits[row.name], self._add(ANY_ROLE + row.name)) for row in tables.role_definition)
        self.definitions = tuple(self._define(row) for row in tables.definition)

    def masks(self, case: Case, never: tuple[str, ...] = ()) -> Masks:
        """A case as three numbers."""
        return self.mask(case.all), self.mask(case.any), self.mask((*case.none, *never))

    def mask(self, names: Iterable[str]) -> int:
        """The bits of these facts; `ValueError` names one that is unknown here."""
        names = tuple(names)
        unknown = [name for name in names if name not in self.bits]
        if unknown:
            raise ValueError(f"unknown fact, or a definition that stands further down: {', '.join(unknown)}")
        return reduce(or_, (self.bits[name] for name in names), 0)

    def _define(self, row: Definition) -> tuple[int, tuple[Masks, ...]]:
        cases = tuple(self.masks(case) for case in row.when)
        return self._add(row.name), cases

    def _add(self, name: str) -> int:
        if name in self.bits:
            raise ValueError(f"{name}: there is a fact of that name already")
        self.bits[name] = 1 << len(self.bits)
        return self.bits[name]
