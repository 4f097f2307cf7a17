"""Documents in, answers out: what the command line says of a report before anything of it is kept.

A worker speaks here, so a document may say that there is nothing but lawful criticism.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from .faults import ReportFaults
from .reading import parse_text
from .report import parse_report
from .routing import decide


def answer_text(text: bytes, *, now: datetime) -> dict[str, Any]:
    """The answer to the one document in a text (JSON or plain YAML); `ReportFaults` with all that is to be mended.

    A `received_at` in the document is the moment of receipt, else `now` is.
    """
    return _answer(parse_text(text), now=now)


def answer_lines(lines: Iterable[bytes], *, now: datetime) -> Iterator[tuple[dict[str, Any], bool]]:
    """An answer a line, in order, and whether it is one: a faulty line gives `{"error": …}` and stops no other line.

    Every line counts, an empty one too (it holds no document), so that line n of the answers is that of document n.
    The error is a text with one fault a line.
    """
    for line in lines:
        try:
            yield _answer(parse_text(line, json_only=True), now=now), True
        except ReportFaults as refused:
            yield {"error": "\n".join(str(fault) for fault in refused.faults)}, False


def _answer(document: object, *, now: datetime) -> dict[str, Any]:
    return decide(parse_report(document, now=now, allow_triage=True), now=now).as_document()
