"""A year of figures as a JSON document, for the seal. The only place where true counts are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from .figure_codes import DIMENSIONS, FACT_DIMENSIONS
from .figure_tables import LAYOUTS
from .figures import Year

_FORMAT: Final = 1


def kept(year: Year) -> dict[str, Any]:
    """The year as a document. It names its codes, so that a later release with more codes still reads it."""
    return {
        "format": _FORMAT,
        "measure": year.measure,
        "year": year.year,
        "codes": {name: list(DIMENSIONS[name]) for name in FACT_DIMENSIONS[year.measure]},
        "truth": _counts(year),
        "left": _cells(year, year.left),
        "flow": _cells(year, year.flow),
        "half_flow": _cells(year, year.half_flow),
        "shown": {month: _cells(year, cells) for month, cells in year.shown.items()},
    }


def read_kept(document: Mapping[str, Any]) -> Year:
    """The year of a document; `ValueError` when it is not one of this format or names a cell that is no more."""
    if document["format"] != _FORMAT:
        raise ValueError("figures kept in another format")
    layout = LAYOUTS[document["measure"]]
    places = {key: place for place, key in enumerate(layout.keys)}

    def cells(named: Mapping[str, int]) -> tuple[int, ...]:
        counts = [0] * len(places)
        for key, n in named.items():
            if key not in places:
                raise ValueError("figures kept of a cell that is no more")
            counts[places[key]] = n
        return tuple(counts)

    return Year(
        measure=document["measure"],
        year=document["year"],
        truth=_truth(document),
        left=cells(document["left"]),
        flow=cells(document["flow"]),
        half_flow=cells(document["half_flow"]),
        shown={month: cells(named) for month, named in document["shown"].items()},
    )


def _cells(year: Year, counts: Sequence[int]) -> dict[str, int]:
    return {key: n for key, n in zip(year.layout.keys, counts, strict=True) if n}


def _counts(year: Year) -> list[int]:
    """Steps to the next combination that occurs and its count, in turn: a hundred thousand facts stay small."""
    lists = [DIMENSIONS[name] for name in FACT_DIMENSIONS[year.measure]]
    numbered = []
    for codes, n in year.truth.items():
        number = 0
        for known, code in zip(lists, codes, strict=True):
            number = number * len(known) + known.index(code)
        numbered.append((number, n))
    numbered.sort()
    steps = [b - a for (a, _), (b, _) in pairwise([(0, 0), *numbered])]
    return [value for step, (_, n) in zip(steps, numbered, strict=True) for value in (step, n)]


def _truth(document: Mapping[str, Any]) -> dict[tuple[str, ...], int]:
    lists = [document["codes"][name] for name in FACT_DIMENSIONS[document["measure"]]]
    found: dict[tuple[str, ...], int] = {}
    number = 0
    flat = document["truth"]
    for step, n in zip(flat[::2], flat[1::2], strict=True):
        number += step
        rest, codes = number, []
        for known in reversed(lists):
            rest, place = divmod(rest, len(known))
            codes.append(known[place])
        found[tuple(reversed(codes))] = n
    return found
