"""Coded facts, read strictly: lines of JSON for a rehearsal, and what an action sealed.

A refusal names the key and never says what stood there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from . import organisations
from .figure_codes import DIMENSIONS, FACT_DIMENSIONS, GENDER_UNKNOWN, MEASURE_KINDS
from .figure_costs import MEASURE as COSTS
from .figure_periods import is_month

_MOST: Final = 1_000_000_000  # far above anything real, and still exact in the solver
_OPTIONAL: Final = {"geslacht": GENDER_UNKNOWN}


@dataclass(frozen=True, slots=True)
class FactLine:
    """One line: what is counted, in which month, under which codes, and how much of it (a number or euro)."""

    measure: str
    period: str
    codes: tuple[str, ...]
    n: int


def read_fact_line(text: bytes) -> FactLine:
    """The fact of one line; `ValueError` names the key that is wrong."""
    document = _object(text)
    measure = _code("measure", document.pop("measure", None), (*FACT_DIMENSIONS, COSTS))
    period = document.pop("period", None)
    if not is_month(period):
        raise ValueError("period: a month is asked (2026-09)")
    if measure == COSTS:
        wanted: Mapping[str, Collection[str]] = {
            "maatregelsoort": MEASURE_KINDS,
            "bijdrager": organisations.organisations(),
        }
        n = _number("euro", document.pop("euro", None))
    else:
        wanted = {name: DIMENSIONS[name] for name in FACT_DIMENSIONS[measure]}
        n = _number("n", document.pop("n", 1))
        if n == 0:
            raise ValueError("n: a whole number but 0 is asked")
    if document.keys() - wanted.keys():
        amount = "euro" if measure == COSTS else "n"
        raise ValueError(f"unknown key; known keys: measure, period, {', '.join(wanted)}, {amount}")
    codes = tuple(_code(name, document.get(name, _OPTIONAL.get(name)), known) for name, known in wanted.items())
    return FactLine(measure, period, codes, n)


def _object(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(document, dict):
        raise ValueError("an object is asked")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands there twice")
    return document


def _refuse(_constant: str) -> Any:
    raise ValueError("a whole number is asked")


def _code(name: str, value: Any, known: Collection[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name}: {'is required' if value is None else 'not a known code'}")
    return value


def _number(name: str, value: Any) -> int:
    if type(value) is not int or not -_MOST <= value <= _MOST:
        raise ValueError(f"{name}: a whole number is asked")
    return value


def read_sealed_fact(document: Any) -> tuple[str, tuple[str, ...], int]:
    """Measure, codes and count of a fact as an action sealed it; `ValueError` for anything else."""
    try:
        names = FACT_DIMENSIONS[document["measure"]]
        codes, n = tuple([document[name] for name in names]), document["n"]
        known = all(code in DIMENSIONS[name] for name, code in zip(names, codes, strict=True))
    except (KeyError, TypeError):
        raise ValueError("not a fact") from None
    if not known or len(document) != len(names) + 2 or n not in (1, -1):
        raise ValueError("not a fact")
    return document["measure"], codes, n
