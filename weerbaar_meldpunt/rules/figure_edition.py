"""An edition as plain data: what is published when a month closes, and nothing else.

Every number in it is a sum of months that were rounded once; none is computed from true counts. It names its own
codes, so an old edition reads the same after the code lists have grown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .figure_periods import is_month, printed_periods, span
from .figure_tables import Table, cell_of
from .figures import Year, total
from .rounding import BASE

FORMAT: Final = 1

Row = tuple[tuple[str, ...], int | None]  # codes, value; no value where it is suppressed


@dataclass(frozen=True, slots=True)
class Block:
    """One table for one period: every combination of its codes, margins included."""

    measure: str
    table: str
    period: str
    dimensions: tuple[str, ...]
    rows: tuple[Row, ...]

    def value(self, **codes: str) -> int | None:
        """The value for these codes, a margin for each dimension that is not named; `KeyError` when there is none."""
        wanted = tuple(codes.get(dimension, "T") for dimension in self.dimensions)
        return dict(self.rows)[wanted]


@dataclass(frozen=True, slots=True)
class Source:
    """By what an edition of one measure can be made again by who holds the secret; tells nobody else anything."""

    key: str  # the id of the secret, in hex
    input: str  # a keyed hash of the true counts: an open one could be guessed at


@dataclass(frozen=True, slots=True)
class Edition:
    """A published month."""

    period: str
    blocks: tuple[Block, ...]
    sources: Mapping[str, Source] = field(default_factory=dict)
    program: str = ""
    anchor: str = ""  # SHA-256 of the head of the audit trail, in hex

    def of(self, measure: str) -> list[Block]:
        """The tables of one measure."""
        return [block for block in self.blocks if block.measure == measure]

    def block(self, table: str, period: str) -> Block | None:
        """A table for a period, if this edition prints it."""
        return next((block for block in self.blocks if (block.table, block.period) == (table, period)), None)


def blocks_of(year: Year, month: str) -> tuple[Block, ...]:
    """The tables that are printed when this month has closed."""
    return tuple(
        _block(year, table, period) for table in year.layout.tables for period in printed_periods(table, month)
    )


def _block(year: Year, table: Table, period: str) -> Block:
    first, last = span(period)
    cells = total(year, since=first, until=last)
    rows = tuple((row, cells[year.layout.places[cell_of(table.dimensions, row)]]) for row in table.rows())
    return Block(year.measure, table.id, period, table.dimensions, rows)


def edition_bytes(edition: Edition) -> bytes:
    """The edition as it is stored, byte for byte the same for the same edition."""
    document = {
        "format": FORMAT,
        "period": edition.period,
        "rounding": BASE,
        "program": edition.program,
        "anchor": edition.anchor,
        "sources": {name: {"key": one.key, "input": one.input} for name, one in edition.sources.items()},
        "tables": [
            {
                "measure": block.measure,
                "table": block.table,
                "period": block.period,
                "dimensions": list(block.dimensions),
                "rows": [[*codes, value] for codes, value in block.rows],
            }
            for block in edition.blocks
        ],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def read_edition(text: bytes) -> Edition:
    """The edition in stored bytes; `ValueError` when they are none."""
    try:
        document = json.loads(text)
        if document["format"] != FORMAT or document["rounding"] != BASE or not is_month(document["period"]):
            raise ValueError
        return Edition(
            period=document["period"],
            blocks=tuple(_read_block(block) for block in document["tables"]),
            sources={name: Source(one["key"], one["input"]) for name, one in document["sources"].items()},
            program=document["program"],
            anchor=document["anchor"],
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("not an edition of this format") from None


def _read_block(document: Mapping[str, Any]) -> Block:
    span(document["period"])
    dimensions = tuple(document["dimensions"])
    rows = tuple((tuple(row[:-1]), row[-1]) for row in document["rows"])
    if any(len(codes) != len(dimensions) or not (value is None or type(value) is int) for codes, value in rows):
        raise ValueError
    return Block(document["measure"], document["table"], document["period"], dimensions, rows)


def all_blocks(editions: Iterable[Edition], measure: str) -> Iterator[Block]:
    """The tables of one measure in all editions, in their order."""
    return (block for edition in editions for block in edition.of(measure))
