"""The trail as a CSV file (RFC 4180): who did what and when, for an auditor's own tools."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

HEADER: Final = ("nummer", "moment", "wie", "wat", "code", "zaak", "over")
# What a spreadsheet would take for a formula is text.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def log_csv(rows: Iterable[tuple[str, ...]]) -> Iterator[bytes]:
    """The file, a piece at a time; begins with the mark by which spreadsheets know UTF-8."""
    yield "\ufeff".encode() + _line(HEADER)
    for row in rows:
        yield _line(tuple(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row))


def _line(cells: tuple[str, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode()
