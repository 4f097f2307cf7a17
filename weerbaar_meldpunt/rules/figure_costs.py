"""Costs of security measures per half-year (T9): published only when no single organisation shows through.

A line needs ten organisations, the largest with at most half of it, and whoever is second largest must stay ten per
cent away from reckoning out the largest. A line that fails goes into "overig"; if that fails too only the total is
shown, and if that fails nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from .figure_codes import MARGIN, MEASURE_KINDS
from .figure_edition import Block, Row

MEASURE: Final = "kosten"
TABLE: Final = "T9"
DIMENSION: Final = "maatregelsoort"
STEP: Final = 10_000  # euro
_REST: Final = "overig"
_LEAST_CONTRIBUTORS: Final = 10
_LARGEST_PER_CENT: Final = 50
_P_PER_CENT: Final = 10


def costs_block(spent: Mapping[tuple[str, str], int], period: str) -> Block:
    """The table of a half-year from what each organisation spent, in euro, by (kind of measure, organisation)."""
    lines: dict[str, dict[str, int]] = {kind: {} for kind in MEASURE_KINDS}
    for (kind, organisation), euro in spent.items():
        lines[kind][organisation] = lines[kind].get(organisation, 0) + euro
    values: dict[str, int] = {}
    whole = _joined(lines.values())
    if safe(whole):
        own = [kind for kind in MEASURE_KINDS if kind != _REST and safe(lines[kind])]
        rest = _joined(lines[kind] for kind in MEASURE_KINDS if kind not in own)
        sums = {kind: sum(lines[kind].values()) for kind in own} | {_REST: sum(rest.values())}
        # Beside the total every other line would tell what a line that fails holds.
        values = _in_steps(sums if safe(rest) else {MARGIN: sum(whole.values())})
    rows: list[Row] = [((code,), values.get(code)) for code in (MARGIN, *MEASURE_KINDS)]
    return Block(MEASURE, TABLE, period, (DIMENSION,), tuple(rows))


def safe(shares: Mapping[str, int]) -> bool:
    """Whether the sum of what these organisations spent may be shown. Money paid back weighs as much as money spent."""
    sizes = sorted((abs(euro) for euro in shares.values() if euro), reverse=True)
    if len(sizes) < _LEAST_CONTRIBUTORS or sum(shares.values()) < 0:
        return False
    whole, largest, second = sum(sizes), sizes[0], sizes[1]
    return 100 * largest <= _LARGEST_PER_CENT * whole and 100 * (whole - largest - second) >= _P_PER_CENT * largest


def _joined(lines: Iterable[Mapping[str, int]]) -> dict[str, int]:
    joined: dict[str, int] = {}
    for line in lines:
        for organisation, euro in line.items():
            joined[organisation] = joined.get(organisation, 0) + euro
    return joined


def _in_steps(sums: Mapping[str, int]) -> dict[str, int]:
    """Each sum down or up to a step, so that they add up to the total, that is rounded to the nearest."""
    total = (sum(sums.values()) + STEP // 2) // STEP
    steps = {code: euro // STEP for code, euro in sums.items()}
    missing = total - sum(steps.values())
    # Who lies furthest above a step goes up first; sums that lie on a step stay.
    for code in sorted(sums, key=lambda code: sums[code] % STEP, reverse=True)[:missing]:
        steps[code] += 1
    return {code: STEP * step for code, step in steps.items()} | {MARGIN: STEP * total}
