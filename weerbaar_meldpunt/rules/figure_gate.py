"""The gate before release: whatever is to be published is checked once more, from what is printed. It fails closed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from .figure_edition import Block
from .figure_intervals import Outside, Statement, check_intervals, known_ties
from .figure_periods import is_month, last_month, printed_periods, span
from .figure_tables import Layout, cell_of, check_population, check_tree
from .figures import Year
from .rounding import BASE, MONTH_ERROR, SERIES_ERROR, Unpublishable, require_sums


def require_publishable(year: Year, blocks: Iterable[Block]) -> None:
    """Refuse with `Unpublishable` unless these tables, all that the year's editions print, keep every promise.

    Checked are the layout, that each month is in fives and adds up, that each printed number is the sum of its
    months, that nothing is missing or double, and that nobody can work out a count from all editions together.
    """
    layout = year.layout
    check_tree(layout.tables)
    check_population(layout.tables)
    _require_whole_months(year)
    for month, cells in year.shown.items():
        if any(value < 0 or value % BASE for value in cells):
            raise Unpublishable(f"{layout.measure} {month}: a number is not in fives")
        require_sums(layout, cells)
    printed = list(blocks)
    _require_complete(year, printed)
    order = sorted(year.shown)
    statements = list(_statements(layout, order, printed))
    base = [year.shown[month] for month in order]
    for said in statements:
        if sum(base[month][said.cell] for month in range(said.first, said.last + 1)) != said.value:
            raise Unpublishable(f"{layout.measure}: a printed number is not the sum of its months")
    check_intervals(Outside(layout, len(order), statements, known_ties(layout, base)), base)


def _require_whole_months(year: Year) -> None:
    order = sorted(year.shown)
    whole = all(is_month(month) and int(month[:4]) == year.year for month in order) and all(
        one == last_month(other) for one, other in pairwise(order)
    )
    if not whole or any(len(cells) != len(year.layout.keys) for cells in year.shown.values()):
        raise Unpublishable(f"{year.measure}: the months are not whole")


def _require_complete(year: Year, printed: Sequence[Block]) -> None:
    """Every table of every edition stands there once, with every row once and no row more."""
    wanted = {
        (table.id, period): table
        for table in year.layout.tables
        for month in year.shown
        for period in printed_periods(table, month)
    }
    found = {(block.table, block.period): block for block in printed}
    if len(found) != len(printed) or found.keys() != wanted.keys():
        raise Unpublishable(f"{year.measure}: a table is missing, double or not one of ours")
    for at, block in found.items():
        table = wanted[at]
        same = block.measure == year.measure and block.dimensions == table.dimensions
        if not same or [codes for codes, _ in block.rows] != list(table.rows()):
            raise Unpublishable(f"{year.measure}: {block.table} {block.period} has other rows than it should")


def _statements(layout: Layout, order: Sequence[str], printed: Iterable[Block]) -> Iterator[Statement]:
    numbers: Mapping[str, int] = {month: number for number, month in enumerate(order)}
    seen = set()
    for block in printed:
        first, last = span(block.period)
        inside = [numbers[month] for month in order if first <= month <= last]
        off = MONTH_ERROR if first == last else SERIES_ERROR
        for codes, value in block.rows:
            if value is None:
                raise Unpublishable(f"{layout.measure}: {block.table} {block.period} has no value in a cell")
            cell = layout.places[cell_of(block.dimensions, codes)]
            said = Statement(cell, inside[0], inside[-1], value, off)
            if said not in seen:
                seen.add(said)
                yield said
