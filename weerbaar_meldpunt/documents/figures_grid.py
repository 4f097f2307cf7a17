"""The tables of an edition laid out for reading: headings, rows and numbers as a reader sees them.

Made from an edition only. What lays it out further (a page, a sheet) adds no number of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weerbaar_meldpunt.rules.figure_codes import MARGIN
from weerbaar_meldpunt.rules.figure_edition import Block, Edition
from weerbaar_meldpunt.rules.figure_labels import heading, label

from .figures_text import period_name, shown

_COUNTED: Final = {"meldingen": "Meldingen", "afgehandeld": "Afgesloten zaken", "kosten": "Kosten in euro"}


@dataclass(frozen=True, slots=True)
class Grid:
    """One table to read: what heads its rows, its columns, and the rows with their numbers as text."""

    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the pack with every period for which this edition prints it, the shortest first."""

    id: str
    title: str
    grids: tuple[Grid, ...]


def sections(edition: Edition) -> list[Section]:
    """The tables of an edition in the order in which it prints them."""
    found: dict[str, list[Block]] = {}
    for block in edition.blocks:
        found.setdefault(block.table, []).append(block)
    return [
        Section(table, title(blocks[0]), tuple(_single(blocks) if len(blocks[0].dimensions) == 1 else _crossed(blocks)))
        for table, blocks in sorted(found.items())
    ]


def title(block: Block) -> str:
    """What a table counts: `Meldingen naar functie en soort incident`."""
    names = " en ".join(heading(dimension).lower() for dimension in block.dimensions)
    return f"{_COUNTED[block.measure]} naar {names}"


def _single(blocks: list[Block]) -> Iterator[Grid]:
    """A table of one dimension: a column for each period."""
    dimension = blocks[0].dimensions[0]
    values = [dict(block.rows) for block in blocks]
    rows = [
        (label(dimension, codes[0]), tuple(shown(known[codes]) for known in values))
        for codes in _total_last(list(values[0]))
    ]
    columns = tuple(_column(period) for period in dict.fromkeys(block.period for block in blocks))
    yield Grid(title(blocks[0]), heading(dimension), columns, tuple(rows))


def _crossed(blocks: list[Block]) -> Iterator[Grid]:
    """A table of two dimensions, once for each period."""
    for block in blocks:
        down, across = block.dimensions
        values = dict(block.rows)
        columns = _total_last([(code,) for code in dict.fromkeys(codes[1] for codes in values)])
        rows = _total_last([(code,) for code in dict.fromkeys(codes[0] for codes in values)])
        yield Grid(
            f"{title(block)}, {period_name(block.period)}",
            heading(down),
            tuple(label(across, code) for (code,) in columns),
            tuple((label(down, row), tuple(shown(values[row, column]) for (column,) in columns)) for (row,) in rows),
        )


def _column(period: str) -> str:
    name = period_name(period)
    return name[0].upper() + name[1:]


def _total_last(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return sorted(rows, key=lambda codes: codes[0] == MARGIN)
