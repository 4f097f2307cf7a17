"""A measure through the year: the facts of a month come in, the month in fives comes out.

What is known of a year is one value, kept sealed: the true counts of the year, what the months shown so far were
rounded from, and the months as shown. Nothing here reads a clock, a key or a database; the secret that keeps anyone
from reckoning back comes in as a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .figure_periods import JULY, last_month
from .figure_tables import LAYOUTS, Layout
from .rounding import Series, check_rounding, month_flow, round_flow

Codes = tuple[str, ...]
Noise = Callable[[str], float]


class OutOfOrder(ValueError):
    """A month that was closed already, or not the next one: the same number is never rounded twice."""


@dataclass(frozen=True, slots=True)
class Year:
    """One measure in one calendar year, after its last closed month. Counts per cell are in the layout's order."""

    measure: str
    year: int
    truth: Mapping[Codes, int] = field(default_factory=dict, repr=False)
    left: tuple[int, ...] = field(default=(), repr=False)  # corrections that last year could not take off yet
    flow: tuple[int, ...] = field(default=(), repr=False)
    half_flow: tuple[int, ...] = field(default=(), repr=False)  # since July
    shown: Mapping[str, tuple[int, ...]] = field(default_factory=dict, repr=False)  # month → cells, in fives

    @property
    def layout(self) -> Layout:
        """The tables of this measure."""
        return LAYOUTS[self.measure]

    @property
    def last(self) -> str | None:
        """The last month that was closed."""
        return max(self.shown, default=None)


def new_year(measure: str, year: int, left: Sequence[int] | None = None) -> Year:
    """A year of which nothing is known yet; `left` is what the year before could not take off."""
    nothing = (0,) * len(LAYOUTS[measure].keys)
    return Year(measure, year, {}, tuple(left) if left else nothing, nothing, nothing, {})


def following(year: Year) -> Year:
    """The next year: a new series, that begins with the corrections left over from this one."""
    return new_year(year.measure, year.year + 1, [a - b for a, b in zip(_true(year), year.flow, strict=True)])


def close_month(year: Year, month: str, facts: Mapping[Codes, int], noise: Noise) -> Year:
    """Add the facts of a month and round it; `Unpublishable` when no rounding keeps every promise.

    `noise` gives a fraction from a secret for a text. The same year, facts and noise give the same result.
    """
    if int(month[:4]) != year.year or (year.last is not None and year.last != last_month(month)):
        raise OutOfOrder(month)
    layout = year.layout
    truth = dict(year.truth)
    for codes, n in facts.items():
        truth[codes] = truth.get(codes, 0) + n
    after = replace(year, truth={codes: n for codes, n in truth.items() if n})
    flow = month_flow(layout, [a - b for a, b in zip(_true(after), year.flow, strict=True)])
    second_half = month[5:] >= JULY
    series = Series(total(year), year.flow)
    half = Series(total(year, since=f"{year.year}-{JULY}"), year.half_flow)
    fives = round_flow(
        layout, flow, series=[series], half_series=[half] if second_half else [], noise=noise, period=month
    )
    after = replace(
        after,
        flow=_sum(year.flow, flow),
        half_flow=_sum(year.half_flow, flow) if second_half else year.half_flow,
        shown={**year.shown, month: tuple(fives)},
    )
    check_rounding(
        layout,
        flow,
        fives,
        series=[Series(total(after), after.flow)],
        half_series=[Series(total(after, since=f"{year.year}-{JULY}"), after.half_flow)] if second_half else [],
    )
    return after


def total(year: Year, since: str = "", until: str = "9999") -> list[int]:
    """The sum of the months shown, per cell."""
    cells = [0] * len(year.layout.keys)
    for month, shown in year.shown.items():
        if since <= month <= until:
            cells = [a + b for a, b in zip(cells, shown, strict=True)]
    return cells


def _true(year: Year) -> tuple[int, ...]:
    return _sum(year.layout.count(year.truth), year.left)


def _sum(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))
