"""Additive controlled rounding to fives: one month of one measure, all tables at once.

The cells are rounded together, so that every published number is a sum over one non-negative joint table. From that
alone follows what may be promised of it: a true count can lie anywhere within four of what is shown. Method after
Salazar-González, Controlled rounding and cell perturbation (Mathematical Programming 105, 2006).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from .figure_codes import DIMENSIONS
from .figure_tables import Layout

BASE: Final = 5
MONTH_ERROR: Final = BASE - 1
SERIES_ERROR: Final = 2 * BASE - 1

_TIME_LIMIT: Final = 30.0
_GAP: Final = 0.002
_BAND_COST: Final = 200.0  # of a step that takes a series further than four from the truth
_WIDENED_COST: Final = 400.0
_TOTAL_WEIGHT, _MARGIN_WEIGHT, _CELL_WEIGHT = 4.0, 2.0, 1.0


class Unpublishable(Exception):
    """No edition can be made that keeps every promise, so none is made."""


@dataclass(frozen=True, slots=True)
class Series:
    """What was published (`shown`) and what really came in (`flow`) of a series before this month, per cell."""

    shown: Sequence[int]
    flow: Sequence[int]


@dataclass(frozen=True, slots=True)
class Tie:
    """Cells, by their places, that routing ties together: legal reports are no more than those of two routes."""

    legal: int
    routes: tuple[int, int]

    def kept(self, table: Sequence[int]) -> bool:
        """Whether it holds in a table."""
        return table[self.legal] <= sum(table[route] for route in self.routes)


def month_flow(layout: Layout, difference: Sequence[int]) -> list[int]:
    """The month as it can be shown: non-negative and additive, as near as can be to the true difference.

    Corrections can take a cell below nothing. What cannot be taken off now stays for a later month; each cell is
    never cut off by itself, for its margins would no longer add up.
    """
    if min(difference) >= 0:
        return list(difference)
    size = len(difference)
    weights = [_weight(key) for key in layout.keys]
    # Columns: the flow, then what it lies above and below the difference.
    rows: list[tuple[dict[int, float], float, float]] = []
    for relation in layout.relations:
        rows.append(({relation.whole: 1.0} | dict.fromkeys(relation.parts, -1.0), 0.0, 0.0))
    for cell, wanted in enumerate(difference):
        rows.append(({cell: 1.0, size + cell: -1.0, 2 * size + cell: 1.0}, wanted, wanted))
    solved = _solve(
        [0.0] * size + weights + weights,
        rows,
        lower=[0.0] * (3 * size),
        upper=[float("inf")] * (3 * size),
        gap=0.0,
    )
    if solved is None:
        raise Unpublishable(f"{layout.measure}: the month's flow could not be found")
    return solved[:size]


def round_flow(
    layout: Layout,
    flow: Sequence[int],
    *,
    series: Sequence[Series],
    half_series: Sequence[Series],
    noise: Callable[[str], float],
    period: str,
) -> list[int]:
    """The month in fives. `series` hold for every cell, `half_series` for the cells printed for half a year.

    `noise` gives a fraction from a secret for a text; it keeps anyone from reckoning back from "the nearest".
    `Unpublishable` when there is no solution within the time.
    """
    lower = [n // BASE for n in flow]
    upper = [-(-n // BASE) for n in flow]
    costs = [0.0] * len(flow)
    for cell, count in enumerate(flow):
        if lower[cell] == upper[cell]:
            continue
        low, high = BASE * lower[cell], BASE * upper[cell]
        cost = (
            float((high - count) - (count - low)) + 4.0 * noise(f"{layout.measure}|{period}|{layout.keys[cell]}") - 2.0
        )
        running = [*series, *half_series] if cell in layout.half_yearly else series
        for place, one in enumerate(running):
            # After this month the series lies this far off.
            below, above = (one.shown[cell] + n - one.flow[cell] - count for n in (low, high))
            if place < len(series):
                cost += 3.0 * (abs(above) - abs(below))
            cost += _BAND_COST * (_steps(above) - _steps(below))
            if _steps(above) >= 2 > _steps(below):
                upper[cell] = lower[cell]
            elif _steps(below) >= 2 > _steps(above):
                lower[cell] = upper[cell]
        costs[cell] = cost
    kept = [tie for tie in ties(layout) if tie.kept(flow)]
    steps = _round(layout, costs, lower, upper, kept)
    if steps is None:
        # No promise is made of a single month of cells that no month prints; only their series must hold.
        steps = _round(layout, costs, lower, upper, kept, widened=sorted(layout.unprinted))
    if steps is None:
        raise Unpublishable(f"{layout.measure} {period}: the tables cannot be rounded together")
    return [BASE * step for step in steps]


def check_rounding(
    layout: Layout,
    flow: Sequence[int],
    shown: Sequence[int],
    *,
    series: Sequence[Series],
    half_series: Sequence[Series] = (),
) -> None:
    """Refuse a rounding that breaks a promise: bounds of month and series, fives, and adding up. Trusts no solver.

    The series are as they stand after this month.
    """
    for cell, (count, value) in enumerate(zip(flow, shown, strict=True)):
        allowed = SERIES_ERROR if cell in layout.unprinted else MONTH_ERROR
        if count < 0 or value < 0 or value % BASE or abs(value - count) > allowed:
            raise Unpublishable(f"{layout.measure}: a month's cell is out of bounds: {layout.keys[cell]}")
        running = [*series, *half_series] if cell in layout.half_yearly else series
        if any(abs(one.shown[cell] - one.flow[cell]) > SERIES_ERROR for one in running):
            raise Unpublishable(f"{layout.measure}: a series is out of bounds: {layout.keys[cell]}")
    for table in (flow, shown):
        require_sums(layout, table)


def require_sums(layout: Layout, table: Sequence[int]) -> None:
    """`Unpublishable` when a cell is not the sum of its parts."""
    for relation in layout.relations:
        if table[relation.whole] != sum([table[part] for part in relation.parts]):
            raise Unpublishable(f"{layout.measure}: {layout.keys[relation.whole]} does not add up")


def _weight(key: str) -> float:
    if "=" not in key:
        return _TOTAL_WEIGHT
    return _CELL_WEIGHT if "," in key else _MARGIN_WEIGHT


def _steps(off: int) -> int:
    """How many fives a series lies beyond four from the truth."""
    return max(0, -(-(abs(off) - MONTH_ERROR) // BASE))


def ties(layout: Layout) -> list[Tie]:
    """Role groups whose legal reports all have the legal or the security route, as the routing rules see to.

    Without this a legal group shown above a route shown as nothing is known not to be empty. Civil servants are
    left out: they may be referred on. Corrections can break it, so it holds only where the flow keeps it.
    """
    if layout.measure != "meldingen":
        return []
    found = []
    for code in DIMENSIONS["rolgroep"]:
        if code == "ambtelijk":
            continue
        role = ("rolgroep", code)
        legal = layout.places[(role, ("soort", "juridisch"))]
        routes = (layout.places[(role, ("route", "juridisch"))], layout.places[(role, ("route", "beveiliging"))])
        found.append(Tie(legal, routes))
    return found


def _round(
    layout: Layout,
    costs: Sequence[float],
    lower: Sequence[int],
    upper: Sequence[int],
    kept: Sequence[Tie],
    widened: Sequence[int] = (),
) -> list[int] | None:
    """Steps per cell. Each column is the step above `lower`, so that the numbers stay small at any size of count."""
    size = len(costs)
    up = {cell: size + at for at, cell in enumerate(widened)}
    down = {cell: size + len(widened) + at for at, cell in enumerate(widened)}

    def row(plus: Sequence[int], minus: Sequence[int]) -> tuple[dict[int, float], int]:
        columns: dict[int, float] = {}
        for sign, cells in ((1.0, plus), (-1.0, minus)):
            for cell in cells:
                columns[cell] = sign
                if cell in up:
                    columns |= {up[cell]: sign, down[cell]: -sign}
        return columns, sum(lower[cell] for cell in minus) - sum(lower[cell] for cell in plus)

    rows = []
    for relation in layout.relations:
        columns, rest = row((relation.whole,), relation.parts)
        rows.append((columns, float(rest), float(rest)))
    for tie in kept:
        columns, rest = row((tie.legal,), tie.routes)
        rows.append((columns, -float("inf"), float(rest)))
    solved = _solve(
        [*costs, *[_WIDENED_COST] * (2 * len(widened))],
        rows,
        lower=[0.0] * (size + 2 * len(widened)),
        upper=[
            *(float(high - low) for low, high in zip(lower, upper, strict=True)),
            *[1.0] * len(widened),
            *(float(lower[cell] > 0) for cell in widened),
        ],
        gap=_GAP,
    )
    if solved is None:
        return None
    return [
        lower[cell] + solved[cell] + (solved[up[cell]] - solved[down[cell]] if cell in up else 0)
        for cell in range(size)
    ]


def _solve(
    costs: Sequence[float],
    rows: Sequence[tuple[dict[int, float], float, float]],
    *,
    lower: Sequence[float],
    upper: Sequence[float],
    gap: float,
) -> list[int] | None:
    """The whole numbers of least cost, or None when there are none or the time is up."""
    # Loaded when a month is closed, not in every worker that shows a page.
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    places = [(at, column, value) for at, (columns, _, _) in enumerate(rows) for column, value in columns.items()]
    matrix = csr_array(
        ([value for _, _, value in places], ([at for at, _, _ in places], [column for _, column, _ in places])),
        shape=(len(rows), len(costs)),
    )
    found = milp(
        costs,
        integrality=[1] * len(costs),
        bounds=Bounds(list(lower), list(upper)),
        constraints=LinearConstraint(matrix, [low for _, low, _ in rows], [high for _, _, high in rows]),
        options={"time_limit": _TIME_LIMIT, "mip_rel_gap": gap},
    )
    if found.status != 0 or found.x is None:
        return None
    return [round(value) for value in found.x.tolist()]
