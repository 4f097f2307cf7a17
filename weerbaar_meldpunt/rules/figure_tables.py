"""Which tables of figures exist, refused as a whole when they could give somebody away.

The tables are fixed here and never follow the data: a table that exists because of a case tells of that case.
Three things are checked as they are loaded. They are a tree, so that a joint table behind all of them exists. Each
cell can hold at least thirty people. Each table is rounded every month, also when it is printed once a year.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from types import MappingProxyType
from typing import Final

from .figure_codes import DERIVED, DERIVED_FROM, DIMENSIONS, FACT_DIMENSIONS, MARGIN, parents

MONTH: Final = "month"
YEAR_TO_DATE: Final = "year_to_date"
HALF_YEAR: Final = "half_year"
YEAR: Final = "year"
SMALLEST_POPULATION: Final = 30

# Who can fall in a cell depends on these; a kind, channel or route can befall anybody.
_PEOPLE: Final = ("provincie", "organisatie", "rolgroep", "ambt", "geslacht")

_PARENTS: Final = MappingProxyType({code: parents(code) for code in DIMENSIONS[DERIVED_FROM]})

Cell = tuple[tuple[str, str], ...]  # (dimension, code), sorted by dimension; empty for the total


class LayoutRefused(ValueError):
    """The tables as designed may not be published; says which and why."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its dimensions, when it is printed, and whether its cells are rounded every month."""

    id: str
    dimensions: tuple[str, ...]
    periods: tuple[str, ...] = (MONTH, YEAR_TO_DATE)
    monthly: bool = True

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Every combination of codes and margins, in the order of the codes, margins first."""
        return product(*((MARGIN, *DIMENSIONS[dimension]) for dimension in self.dimensions))


@dataclass(frozen=True, slots=True)
class Relation:
    """A cell that is the sum of others, by their places in the layout."""

    whole: int
    parts: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Layout:
    """The checked tables of one measure: its cells, what adds up to what, and who belongs in which cell."""

    measure: str
    tables: tuple[Table, ...]
    places: Mapping[Cell, int]
    keys: tuple[str, ...]  # the names of the cells in order, as used for noise and for keeping
    relations: tuple[Relation, ...]
    unprinted: frozenset[int]  # cells never printed for a single month
    half_yearly: frozenset[int]
    # Per set of dimensions that occurs: the place of each combination of codes.
    _shapes: Mapping[tuple[str, ...], Mapping[tuple[str, ...], int]]

    def count(self, truth: Mapping[tuple[str, ...], int]) -> list[int]:
        """The cells of a joint table that is keyed by the codes of a fact."""
        dimensions = FACT_DIMENSIONS[self.measure]
        counts = [0] * len(self.keys)
        for codes, n in truth.items():
            known = dict(zip(dimensions, codes, strict=True))
            if DERIVED_FROM in known:
                known |= _PARENTS[known[DERIVED_FROM]]
            for shape, places in self._shapes.items():
                counts[places[tuple([known[dimension] for dimension in shape])]] += n
        return counts

    def table(self, table_id: str) -> Table:
        """The table with this id; `KeyError` when there is none."""
        for table in self.tables:
            if table.id == table_id:
                return table
        raise KeyError(table_id)


def layout(measure: str, tables: Sequence[Table]) -> Layout:
    """The layout of these tables, for the rounding; `LayoutRefused` when they may not be published together."""
    _check_dimensions(measure, tables)
    check_tree(tables)
    check_population(tables)
    cells = tuple(dict.fromkeys(((), *(cell for table in tables for cell in cells_of(table)))))
    places = {cell: place for place, cell in enumerate(cells)}
    shapes: dict[tuple[str, ...], dict[tuple[str, ...], int]] = {}
    for cell, place in places.items():
        shapes.setdefault(tuple(d for d, _ in cell), {})[tuple(code for _, code in cell)] = place
    monthly = {cell for table in tables if MONTH in table.periods for cell in cells_of(table)}
    halves = {cell for table in tables if HALF_YEAR in table.periods for cell in cells_of(table)}
    return Layout(
        measure=measure,
        tables=tuple(tables),
        places=MappingProxyType(places),
        keys=tuple(cell_key(cell) for cell in cells),
        relations=tuple(dict.fromkeys(_relations(tables, places))),
        unprinted=frozenset(place for cell, place in places.items() if cell not in monthly),
        half_yearly=frozenset(places[cell] for cell in halves),
        _shapes=MappingProxyType(shapes),
    )


def cell_of(dimensions: Sequence[str], row: Sequence[str]) -> Cell:
    """The cell that a row of a table shows; a margin leaves its dimension out, so tables share cells."""
    return tuple(sorted(pair for pair in zip(dimensions, row, strict=True) if pair[1] != MARGIN))


def cells_of(table: Table) -> Iterator[Cell]:
    """The cells that a table shows, its margins too."""
    return (cell_of(table.dimensions, row) for row in table.rows())


def cell_key(cell: Cell) -> str:
    """The name of a cell: "dim=code,…", "T" for the total."""
    return ",".join(f"{dimension}={code}" for dimension, code in cell) or MARGIN


def check_tree(tables: Sequence[Table]) -> None:
    """Refuse tables that form a cycle: with one, no joint table need exist behind the published numbers.

    GYO reduction, after the functions of the role group and the month are added: drop a dimension that occurs in
    one table only, drop a table inside another, until nothing is left (Beeri, Fagin, Maier and Yannakakis 1983).
    """
    edges = [(table.id, _closure(table)) for table in tables]
    changed = True
    while changed:
        changed = False
        for _, dimensions in edges:
            alone = {d for d in dimensions if sum(d in other for _, other in edges) == 1}
            changed |= bool(alone)
            dimensions.difference_update(alone)
        for place, (_, dimensions) in enumerate(edges):
            if any(dimensions <= other for at, (_, other) in enumerate(edges) if at != place):
                del edges[place]
                changed = True
                break
    if len(edges) > 1:
        named = "; ".join(f"{name} ({' × '.join(sorted(rest))})" for name, rest in edges)
        raise LayoutRefused(f"these tables form a cycle and may not be published together: {named}")


def check_population(
    tables: Sequence[Table], reference: Mapping[Cell, int] | None = None, *, least: int = SMALLEST_POPULATION
) -> None:
    """Refuse a table with a cell in which fewer than thirty people can fall, or of which nobody knows how many."""
    known = population() if reference is None else reference
    for table in tables:
        for cell in cells_of(table):
            people = tuple(pair for pair in cell if pair[0] in _PEOPLE)
            if people and known.get(people, 0) < least:
                number = known.get(people, "an unknown number of")
                raise LayoutRefused(
                    f"table {table.id}: {number} people can fall in {cell_key(people)}; {least} is the least"
                )


@cache
def population() -> Mapping[Cell, int]:
    """How many people can fall in a cell, from the reference file and never from reports."""
    text = files(__package__).joinpath("tables", "figures-population.csv").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            tuple(sorted((d, row[d]) for d in _PEOPLE if row[d])): int(row["population"])
            for row in csv.DictReader(text.splitlines())
        }
    )


def _check_dimensions(measure: str, tables: Iterable[Table]) -> None:
    known = {*FACT_DIMENSIONS[measure]}
    if DERIVED_FROM in known:
        known |= {*DERIVED}
    seen: set[str] = set()
    for table in tables:
        if unknown := set(table.dimensions) - known:
            raise LayoutRefused(f"table {table.id}: {measure} has no {', '.join(sorted(unknown))}")
        if table.id in seen:
            raise LayoutRefused(f"table {table.id} stands in the layout twice")
        seen.add(table.id)


def _closure(table: Table) -> set[str]:
    dimensions = {*table.dimensions}
    if DERIVED_FROM in dimensions:
        dimensions |= {*DERIVED}
    if table.monthly:
        dimensions.add("maand")
    return dimensions


def _relations(tables: Sequence[Table], places: Mapping[Cell, int]) -> Iterator[Relation]:
    for table in tables:
        for row in table.rows():
            whole = cell_of(table.dimensions, row)
            for dimension, code in zip(table.dimensions, row, strict=True):
                rest = tuple(pair for pair in whole if pair[0] != dimension)
                if code == MARGIN:
                    below = [(*rest, (dimension, part)) for part in DIMENSIONS[dimension]]
                elif dimension in DERIVED:
                    below = [(*rest, (DERIVED_FROM, part)) for part in DERIVED[dimension][code]]
                else:
                    continue
                parts = [tuple(sorted(cell)) for cell in below]
                # provincie × ambt has no provincie × rolgroep below it; its margins tie it to the other tables.
                if all(part in places for part in parts):
                    yield Relation(places[whole], tuple(places[part] for part in parts))


# Sorted out at import, so that a layout that may not be published stops the program from starting.
LAYOUTS: Final[Mapping[str, Layout]] = MappingProxyType(
    {
        "meldingen": layout(
            "meldingen",
            (
                Table("T1", ("provincie",)),
                Table("T2", ("rolgroep", "soort")),
                Table("T2o", ("organisatie", "soort")),
                Table("T3", ("soort", "kanaal")),
                Table("T4", ("rolgroep", "route")),
                Table("T5", ("soort", "aangifte")),
                Table("T7", ("geslacht",), (HALF_YEAR, YEAR)),
                Table("T8", ("provincie", "ambt"), (YEAR,)),
            ),
        ),
        "afgehandeld": layout("afgehandeld", (Table("T6", ("duur",)),)),
    }
)
