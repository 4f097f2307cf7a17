"""The public CSV files: one a measure with all periods, one with the codes and how they nest (RFC 4180, LF).

Written from editions only, never from the database. `read_counts` reads them back, so that the gate can check what
really stands in a file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from weerbaar_meldpunt.rules.figure_codes import DERIVED, DERIVED_FROM, DIMENSIONS, MARGIN, MEASURE_KINDS
from weerbaar_meldpunt.rules.figure_costs import DIMENSION as COST_DIMENSION
from weerbaar_meldpunt.rules.figure_edition import Block
from weerbaar_meldpunt.rules.figure_labels import label
from weerbaar_meldpunt.rules.figure_tables import population

COUNT_HEADER: Final = ("period", "table", *DIMENSIONS, "value", "status")
COST_HEADER: Final = ("period", "table", COST_DIMENSION, "value", "status")
CODES_HEADER: Final = ("dimension", "parent", "child", "label_nl", "population")
ROUNDED: Final = "rounded"
SUPPRESSED: Final = "suppressed"


def counts_csv(blocks: Iterable[Block]) -> bytes:
    """All tables of one counted measure: a column for each dimension, empty where a table does not have it."""
    return _csv(COUNT_HEADER, _rows(blocks, tuple(DIMENSIONS)))


def costs_csv(blocks: Iterable[Block]) -> bytes:
    """The costs, in whole euro; a line that may not be shown keeps its row, without a value."""
    return _csv(COST_HEADER, _rows(blocks, (COST_DIMENSION,)))


def codes_csv() -> bytes:
    """Every code with what it adds up to; a role group stands under the total, its organisatie and its ambt."""
    rows: list[Sequence[str]] = []
    for dimension, codes in (*DIMENSIONS.items(), (COST_DIMENSION, MEASURE_KINDS)):
        rows.append((dimension, "", MARGIN, label(dimension, MARGIN), ""))
        rows += [(dimension, MARGIN, code, label(dimension, code), _population(dimension, code)) for code in codes]
    for above, groups in DERIVED.items():
        for parent, members in groups.items():
            rows += [
                (DERIVED_FROM, f"{above}={parent}", code, label(DERIVED_FROM, code), _population(DERIVED_FROM, code))
                for code in members
            ]
    return _csv(CODES_HEADER, rows)


def read_counts(text: bytes, measure: str) -> list[Block]:
    """The tables in a file of counts, in its order; `ValueError` when it is not exactly such a file."""
    lines = csv.reader(io.StringIO(text.decode("utf-8"), newline=""), strict=True)
    if tuple(next(lines, ())) != COUNT_HEADER:
        raise ValueError("not the header of a file of figures")
    found: dict[tuple[str, str], tuple[tuple[str, ...], list[tuple[tuple[str, ...], int | None]]]] = {}
    for line in lines:
        period, table, *codes, value, status = line
        if len(codes) != len(DIMENSIONS) or status != ROUNDED:
            raise ValueError("not a row of a file of figures")
        here = tuple(name for name, code in zip(DIMENSIONS, codes, strict=True) if code)
        dimensions, rows = found.setdefault((table, period), (here, []))
        if dimensions != here:
            raise ValueError("a table has the same dimensions in every row")
        rows.append((tuple(code for code in codes if code), int(value)))
    return [Block(measure, *at, dimensions, tuple(rows)) for at, (dimensions, rows) in found.items()]


def _population(dimension: str, code: str) -> str:
    number = population().get(((dimension, code),))
    return "" if number is None else str(number)


def _rows(blocks: Iterable[Block], columns: Sequence[str]) -> Iterable[Sequence[str | int]]:
    for block in blocks:
        for codes, value in block.rows:
            known = dict(zip(block.dimensions, codes, strict=True))
            row = [known.get(column, "") for column in columns]
            yield (block.period, block.table, *row, *((value, ROUNDED) if value is not None else ("", SUPPRESSED)))


def _csv(header: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(header)
    lines.writerows(rows)
    return text.getvalue().encode("utf-8")
