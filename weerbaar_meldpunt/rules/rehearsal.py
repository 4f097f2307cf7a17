"""Rehearsing a version of the tables before it goes live: which answers it would change, for whoever approves it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .answer import Answer
from .ready import Tables
from .report import Report
from .routing import decide


@dataclass(frozen=True, slots=True)
class Difference:
    """A case that the new version answers otherwise, and the parts of the answer that differ."""

    case: str
    before: Answer
    after: Answer
    parts: tuple[str, ...]


def rehearse(cases: Iterable[tuple[str, Report, datetime]], *, before: Tables, after: Tables) -> Iterator[Difference]:
    """The differences over cases, each with a name and its moment of receipt; one that stays the same gives none.

    What counts is what is done for people. A reason in other words is no difference.
    """
    for case, report, received in cases:
        old, new = decide(report, now=received, tables=before), decide(report, now=received, tables=after)
        was, becomes = _done(old), _done(new)
        parts = tuple(part for part, value in was.items() if value != becomes[part])
        if parts:
            yield Difference(case, old, new, parts)


def _done(answer: Answer) -> dict[str, Any]:
    return {part: value for part, value in answer.as_document().items() if part not in {"rules_version", "reasons"}}
