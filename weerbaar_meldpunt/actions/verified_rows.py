"""Every row that the trail covers, held against its newest leaf: changed, gone, put back, swapped or planted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice, pairwise
from typing import Any, Final, Protocol

from sqlalchemy import LargeBinary, func, inspect, select, tuple_
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.audit import Leaf, LeafRow
from weerbaar_meldpunt.store.base import Base
from weerbaar_meldpunt.vault import audit as hashes

from .epochs import DESTROYED
from .ledger import COVERED
from .raw_values import raw
from .reopening import REPLAYED
from .rewrap import REWRAPPED
from .rowhash import columns_of, row_id
from .tombstones import ACCESS, listed
from .trail import GONE

_AT_ONCE: Final = 400
# After these a row that gave access is gone without a stone of its own: who it let in is let in by the next epoch, or
# the stone is that of the place.
RENEWING: Final = (REWRAPPED, DESTROYED, REPLAYED)
_SWAPPED: Final = 20  # changed rows of a table among which a swap is looked for

History = list[tuple[int, bytes]]  # the number of each leaf that covers a row, with what it says
Group = tuple[bytes, History]


class Report(Protocol):
    """Where what is wrong is noted."""

    rows: int

    def add(self, seq: int | None, what: str, where: str = "") -> None:
        """Note one thing."""


def check_rows(session: Session, report: Report, *, buried_after: int | None) -> None:
    """All tables. Of rows that gave access, what was replaced after the leaf `buried_after` has a tombstone too."""
    tables = {model.__tablename__: model for model in COVERED}
    met = dict.fromkeys(tables, 0)
    for table, groups in groupby(_histories(session), key=lambda one: one[0]):
        model = tables.get(table)
        if model is None:
            report.add(None, "table_unknown", table)
            for _ in groups:
                pass
            continue
        check = _TableCheck(session, model, report, buried_after)
        rest = ((row, history) for _, row, history in groups)
        while some := list(islice(rest, _AT_ONCE)):
            met[table] += check.compare(some)
        check.settle()
    for table, model in tables.items():
        count = session.scalar(select(func.count()).select_from(model)) or 0
        report.rows += count
        if count != met[table]:
            _planted(session, model, report)


def _histories(session: Session) -> Iterator[tuple[str, bytes, History]]:
    query = select(*map(raw, (LeafRow.table, LeafRow.row, LeafRow.seq, LeafRow.row_hash)))
    ordered = query.order_by(LeafRow.table, LeafRow.row, LeafRow.seq, LeafRow.place)
    lines = session.execute(ordered.execution_options(yield_per=2000))
    for (table, row), group in groupby(lines, key=lambda line: (line.table, line.row)):
        if isinstance(table, str) and isinstance(row, bytes):  # else its leaf is named already: no leaf of ours says so
            yield table, row, [(line.seq, line.row_hash) for line in group]


class _TableCheck:
    """One table, a few hundred rows at a time."""

    def __init__(self, session: Session, model: type[Base], report: Report, buried_after: int | None) -> None:
        self._session, self._model, self._report = session, model, report
        self._buried_after = buried_after if model in ACCESS else None
        self._columns = [getattr(model, name) for name in columns_of(model)]
        self._changed: list[tuple[bytes, int, bytes, Mapping[str, Any]]] = []

    def compare(self, groups: Sequence[Group]) -> int:
        """Hold these rows against what their leaves say; answers how many are in the table."""
        found = self._read([row for row, _ in groups])
        for row, history in groups:
            seq, said = history[-1]
            values = found.get(row)
            if values is None:
                if said != GONE:
                    self._add(seq, "row_removed", row)
                continue
            if said == GONE:
                self._add(seq, "row_put_back", row)
                continue
            now = _hash_of(self._model, values)
            if now == said:
                continue
            if any(now == earlier for _, earlier in history):
                self._add(seq, "row_rolled_back", row)
            elif now and len(self._changed) < _SWAPPED:
                self._changed.append((row, seq, said, values))
            else:
                self._add(seq, "row_altered", row)
        if self._buried_after is not None:
            self._tombstones(groups, self._buried_after)
        return len(found)

    def settle(self) -> None:
        """Of the rows that were changed: which hold what belongs in another."""
        keys = {inspect(self._model).get_property_by_column(c).key for c in inspect(self._model).primary_key}
        for row, seq, _, values in self._changed:
            swapped = False
            for other, _, said, theirs in self._changed:
                moved = {name: theirs[name] if name in keys else value for name, value in values.items()}
                if other != row and hashes.row_hash(self._model.__tablename__, moved) == said:
                    swapped = True
            self._add(seq, "row_swapped" if swapped else "row_altered", row)

    def _add(self, seq: int | None, what: str, row: bytes) -> None:
        self._report.add(seq, what, f"{self._model.__tablename__} {shown(row)}")

    def _read(self, rows: Sequence[bytes]) -> dict[bytes, Mapping[str, Any]]:
        keys = [key for row in rows if (key := key_of(self._model, row)) is not None]
        if not keys:
            return {}
        try:
            return self._read_all(keys)
        except (ValueError, TypeError, LookupError, StatementError):
            # Among these is a value that no column of its kind can hold: which of them, one by one.
            found: dict[bytes, Mapping[str, Any]] = {}
            for row in rows:
                key = key_of(self._model, row)
                try:
                    found |= self._read_all([key]) if key is not None else {}
                except (ValueError, TypeError, LookupError, StatementError):
                    found[row] = {}
            return found

    def _read_all(self, keys: Sequence[tuple[Any, ...]]) -> dict[bytes, Mapping[str, Any]]:
        columns = [
            getattr(self._model, inspect(self._model).get_property_by_column(c).key)
            for c in inspect(self._model).primary_key
        ]
        query = select(*self._columns)
        if len(columns) == 1:
            query = query.where(columns[0].in_([key[0] for key in keys]))
        else:
            query = query.where(tuple_(*columns).in_(keys))
        names = columns_of(self._model)
        values = (dict(zip(names, line, strict=True)) for line in self._session.execute(query))
        return {row_id(self._model, one): one for one in values}

    def _tombstones(self, groups: Sequence[Group], after: int) -> None:
        """What a leaf says was replaced or deleted must be listed: else a backup brings it back."""
        over = {
            said: (seq, row)
            for row, history in groups
            for (_, said), (seq, follows) in pairwise(history)
            if seq > after and said not in (GONE, follows)
        }
        missing = [over[stone] for stone in over.keys() - listed(self._session, over)]
        if not missing:
            return
        numbers = select(Leaf.seq).where(Leaf.action.in_(RENEWING), Leaf.seq.in_([seq for seq, _ in missing]))
        renewed = set(self._session.scalars(numbers))
        for seq, row in missing:
            if seq not in renewed:
                self._add(seq, "tombstone_missing", row)


def _hash_of(model: type[Base], values: Mapping[str, Any]) -> bytes | None:
    """The hash of a row; nothing where a value is none that this program writes."""
    try:
        return hashes.row_hash(model.__tablename__, values) if values else None
    except (ValueError, TypeError):
        return None


def key_of(model: type[Base], row: bytes) -> tuple[Any, ...] | None:
    """The primary key out of a row's id as bytes; nothing when it is no id of this table."""
    found: list[Any] = []
    columns = inspect(model).primary_key
    for place, column in enumerate(columns):
        if isinstance(column.type, LargeBinary) and column.type.length:
            value: Any = row[: column.type.length]
            row = row[column.type.length :]
            if len(value) != column.type.length:
                return None
        else:
            text, mark, rest = row.partition(b"|")
            row = mark + rest
            try:
                value = column.type.python_type(text.decode())
            except (ValueError, TypeError):
                return None
        found.append(value)
        if place < len(columns) - 1:
            if not row.startswith(b"|"):
                return None
            row = row[1:]
    return None if row else tuple(found)


def shown(row: bytes) -> str:
    """A row's id for an operator: hex, and text where it is text."""
    return row.decode() if row.isascii() and row.decode("ascii").isprintable() else row.hex()


def _planted(session: Session, model: type[Base], report: Report) -> None:
    """Rows that no leaf covers."""
    attributes = [inspect(model).get_property_by_column(c).key for c in inspect(model).primary_key]
    query = select(*(raw(getattr(model, name)) for name in attributes)).execution_options(yield_per=_AT_ONCE)
    ids = (row_id(model, dict(zip(attributes, line, strict=True))) for line in session.execute(query))
    while some := list(islice(ids, _AT_ONCE)):
        covered = select(LeafRow.row).where(LeafRow.table == model.__tablename__, LeafRow.row.in_(some)).distinct()
        for row in set(some) - set(session.scalars(covered)):
            report.add(None, "row_inserted", f"{model.__tablename__} {shown(row)}")
