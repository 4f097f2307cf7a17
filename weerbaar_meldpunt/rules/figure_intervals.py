"""What an outsider can work out of published numbers: how narrow any count can be made, over all editions of a year.

An outsider knows every published number with its margin, that counts are not negative, that tables add up, and how
routing ties legal reports to routes. A count is safe when it can still take values that lie four apart. That is shown
by witnesses: a table that fits everything published, and the same table with four more in one combination of codes.
What has no witness is worked out with linear programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, Final

from .figure_codes import DERIVED, DERIVED_FROM, DIMENSIONS, FACT_DIMENSIONS
from .figure_tables import Cell, Layout
from .rounding import MONTH_ERROR, Tie, Unpublishable, ties

LEAST_WIDTH: Final = MONTH_ERROR
_SLACK: Final = 1e-6  # of the linear programs
_TIME_LIMIT: Final = 60.0  # seconds for one linear program


@dataclass(frozen=True, slots=True)
class Statement:
    """One published number: the cell over these months (by number, both included) lies within `off` of `value`."""

    cell: int
    first: int
    last: int
    value: int
    off: int


@dataclass(frozen=True)
class Outside:
    """Everything an outsider knows of one measure in one calendar year."""

    layout: Layout
    months: int
    statements: Sequence[Statement]
    ties: Sequence[Sequence[Tie]]  # those that are known to hold, per month


def check_intervals(outside: Outside, base: Sequence[Sequence[int]]) -> None:
    """Refuse when any cell of any month can be narrowed below four. `base` is a table per month to start from.

    For who releases an edition. `Unpublishable` names the first cell that is not safe.
    """
    without = _without_witness(outside, base)
    if without:
        require_widths(outside, without)


def known_ties(layout: Layout, base: Sequence[Sequence[int]]) -> list[list[Tie]]:
    """The ties that each month's table keeps; a month whose corrections broke one tells nobody that it holds."""
    return [[tie for tie in ties(layout) if tie.kept(cells)] for cells in base]


def _without_witness(outside: Outside, base: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """The (month, cell) pairs for which no table with four more was found."""
    layout, cells = outside.layout, range(len(outside.layout.keys))
    everything = [(month, cell) for month in range(outside.months) for cell in cells]
    fits = all(_adds_up(layout, table) and min(table) >= 0 for table in base)
    if not fits or any(not tie.kept(table) for table, known in zip(base, outside.ties, strict=True) for tie in known):
        return everything
    room = [[LEAST_WIDTH] * len(cells) for _ in base]
    for said in outside.statements:
        above = sum(base[month][said.cell] for month in range(said.first, said.last + 1)) - said.value
        if abs(above) > said.off:
            return everything
        for month in range(said.first, said.last + 1):
            room[month][said.cell] = min(room[month][said.cell], said.off - above)
    shown: set[tuple[int, int]] = set()
    for month, table in enumerate(base):
        for atom in atoms(layout):
            if any(room[month][cell] < LEAST_WIDTH for cell in atom):
                continue
            raised = list(table)
            for cell in atom:
                raised[cell] += LEAST_WIDTH
            if all(tie.kept(raised) for tie in outside.ties[month]):
                shown.update((month, cell) for cell in atom)
    return [pair for pair in everything if pair not in shown]


def _adds_up(layout: Layout, table: Sequence[int]) -> bool:
    return all(table[one.whole] == sum([table[part] for part in one.parts]) for one in layout.relations)


@cache
def atoms(layout: Layout) -> tuple[tuple[int, ...], ...]:
    """Combinations of codes, each as the cells it counts in, enough to touch every cell.

    A combination adds up by itself in every table, so that four more of it is a table like any other.
    """
    turns = {dimension: count() for dimension in DIMENSIONS}
    covered: set[int] = set()
    found = []
    for cell in sorted(layout.places, key=len, reverse=True):
        if layout.places[cell] in covered:
            continue
        codes = _combination(layout, cell, turns)
        touched = tuple(place for place, n in enumerate(layout.count({codes: 1})) if n)
        if layout.places[cell] not in touched:
            raise Unpublishable(f"{layout.measure}: nothing can count in {layout.keys[layout.places[cell]]}")
        covered.update(touched)
        found.append(touched)
    return tuple(found)


def _combination(layout: Layout, cell: Cell, turns: dict[str, Any]) -> tuple[str, ...]:
    """Codes of a fact that counts in a cell; dimensions that the cell leaves open take turns."""
    known = dict(cell)
    for dimension, groups in DERIVED.items():
        if dimension in known:
            members = groups[known[dimension]]
            known.setdefault(DERIVED_FROM, members[next(turns[DERIVED_FROM]) % len(members)])
    for dimension in FACT_DIMENSIONS[layout.measure]:
        if dimension not in known:
            codes = DIMENSIONS[dimension]
            if dimension == "route" and known["soort"] == "juridisch":
                codes = ("beveiliging", "juridisch")
            if dimension == "soort" and known.get("route") in ("ondersteuning", "geen"):
                codes = tuple(code for code in codes if code != "juridisch")
            known[dimension] = codes[next(turns[dimension]) % len(codes)]
    return tuple(known[dimension] for dimension in FACT_DIMENSIONS[layout.measure])


def require_widths(outside: Outside, pairs: Sequence[tuple[int, int]]) -> None:
    """Refuse when linear programs can narrow one of these (month, cell) pairs below four."""
    for month, cell in pairs:
        low, high = interval(outside, {(month, cell): 1})
        if high - low < LEAST_WIDTH - _SLACK:
            raise Unpublishable(f"{outside.layout.measure}: a count can be worked out: {outside.layout.keys[cell]}")


def interval(outside: Outside, what: dict[tuple[int, int], int]) -> tuple[float, float]:
    """The least and the most that a sum of (month, cell) pairs, each with its factor, can be to an outsider."""
    from scipy.optimize import linprog

    rows = _rows(outside)
    size = len(outside.layout.keys)
    costs = [0.0] * (size * outside.months)
    for (month, cell), factor in what.items():
        costs[month * size + cell] = float(factor)
    ends = []
    for sign in (1.0, -1.0):
        found = linprog([sign * cost for cost in costs], **rows, method="highs", options={"time_limit": _TIME_LIMIT})
        if found.status == 3:  # unbounded: nothing is known
            ends.append(sign * -float("inf"))
        elif found.status == 0 and found.fun is not None:
            ends.append(sign * float(found.fun))
        else:  # numbers that contradict each other, or no time left: not shown to be safe
            raise Unpublishable(f"{outside.layout.measure}: the intervals cannot be worked out")
    return ends[0], ends[1]


def _rows(outside: Outside) -> dict[str, Any]:
    """The equalities and the bounds as sparse rows, one column a month and cell."""
    from scipy.sparse import csr_array

    size = len(outside.layout.keys)
    equal: list[dict[int, float]] = []
    bounds: list[tuple[dict[int, float], float]] = []
    for month in range(outside.months):
        at = month * size
        for one in outside.layout.relations:
            equal.append({at + one.whole: 1.0} | dict.fromkeys([at + part for part in one.parts], -1.0))
        for tie in outside.ties[month]:
            bounds.append(({at + tie.legal: 1.0} | dict.fromkeys([at + route for route in tie.routes], -1.0), 0.0))
    for said in outside.statements:
        columns = [month * size + said.cell for month in range(said.first, said.last + 1)]
        bounds.append((dict.fromkeys(columns, 1.0), float(said.value + said.off)))
        bounds.append((dict.fromkeys(columns, -1.0), float(said.off - said.value)))

    def sparse(rows: Sequence[dict[int, float]]) -> Any:
        places = [(at, column, value) for at, row in enumerate(rows) for column, value in row.items()]
        return csr_array(
            ([value for *_, value in places], ([at for at, _, _ in places], [column for _, column, _ in places])),
            shape=(len(rows), size * outside.months),
        )

    return {
        "A_eq": sparse(equal),
        "b_eq": [0.0] * len(equal),
        "A_ub": sparse([row for row, _ in bounds]),
        "b_ub": [most for _, most in bounds],
        "bounds": (0, None),
    }
