"""Hashes of the audit trail: each leaf names what changed, each leaf hangs from the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from .context import Part, context
from .derive import sha256

START: Final = bytes(32)  # what the first leaf hangs from
Value = bytes | str | int | bool | datetime | None


def _moment(value: datetime) -> str:
    """A moment as it is hashed: UTC, ISO, to the second."""
    if value.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _plain(value: Value) -> Part:
    return _moment(value) if isinstance(value, datetime) else value


def row_hash(table: str, columns: Mapping[str, Value]) -> bytes:
    """The hash of one row over all its columns in alphabetical order."""
    parts: list[Part] = [table]
    for name in sorted(columns):
        parts += [name, _plain(columns[name])]
    return sha256(context("row", *parts))


def rows_hash(rows: Iterable[tuple[str, bytes, bytes]]) -> bytes:
    """The hash over (table, row id, row hash) of everything one change wrote; a deleted row has an empty hash."""
    return sha256(context("rows", *(part for row in rows for part in row)))


def leaf(seq: int, at: datetime, actor: bytes, action: str, subject: bytes, rows: bytes, body: bytes) -> bytes:
    """The leaf of one change or opening; `body` is the hash of the sealed body, empty when there is none."""
    return sha256(b"\0" + context("audit", seq, _moment(at), actor, action, subject, rows, body))


def chain(previous: bytes, leaf_hash: bytes) -> bytes:
    """The head of the chain after `leaf_hash`."""
    return sha256(b"\2" + previous + leaf_hash)
