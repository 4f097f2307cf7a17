"""All rows that one act writes, and the leaf of the audit trail that covers them, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, inspect, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.audit import Alarm, Checkpoint, Leaf, LeafRow
from weerbaar_meldpunt.store.base import Base
from weerbaar_meldpunt.store.cases import Attachment, Case, CaseDoc, CaseEpoch, CaseGrant, Message, Note, Reader
from weerbaar_meldpunt.store.custody import Custodian, Emergency, EmergencyGrant, HouseKey, RecoveryGrant, RecoveryPair
from weerbaar_meldpunt.store.links import LinkEntry, LinkGrant
from weerbaar_meldpunt.store.membership import Admission
from weerbaar_meldpunt.store.oversight import (
    Breach,
    BreachStep,
    LinkingDecision,
    PersonRequest,
    RequestDecision,
    Sample,
    SampleDraw,
)
from weerbaar_meldpunt.store.people import Roster, TeamEpoch, TeamGrant
from weerbaar_meldpunt.store.retention import Destroyed, Destruction, DestructionCase, Hold, Keeping, Withdrawal
from weerbaar_meldpunt.store.tracks import Due, Track
from weerbaar_meldpunt.vault import audit as hashes
from weerbaar_meldpunt.vault.derive import new_id, sha256

from .instance import Instance
from .labels import labelled
from .rowhash import columns_of, row_id, row_values
from .tombstones import ACCESS, bury

# Never covered: account rows of reporters, sessions, drafts, claims, facts and caches (docs/security.md §11).
COVERED: frozenset[type[Base]] = frozenset(
    (
        Case, CaseDoc, CaseGrant, CaseEpoch, Reader, Message, Note, Attachment, Track, Due, TeamEpoch, TeamGrant,
        Roster,
        Admission,
        Keeping, Hold, Withdrawal, Destruction, DestructionCase, Destroyed, LinkGrant, LinkEntry,
        Custodian, HouseKey, RecoveryPair, RecoveryGrant, Emergency, EmergencyGrant,
        Checkpoint, Alarm, PersonRequest, RequestDecision, Breach, BreachStep, SampleDraw, Sample, LinkingDecision,
    )
)  # fmt: skip
_CHAIN = 7_041_937  # the number of the lock; any, the same for all
PROGRAM = b""  # the actor when nobody acts but the program itself


class Ledger:
    """Collects what an act writes; `close` writes it with its leaf. The caller owns the transaction."""

    def __init__(self, session: Session, instance: Instance, *, now: datetime, last: Row[Any] | None = None) -> None:
        self._session, self._instance, self._now = session, instance, now
        self._last = last
        self._new: dict[type[Base], list[dict[str, Any]]] = {}
        self._covered: list[tuple[str, bytes, bytes]] = []
        self._changed: dict[int, Base] = {}

    @property
    def now(self) -> datetime:
        """The moment of the act."""
        return self._now

    def add(self, model: type[Base], **values: Any) -> None:
        """Write a new row; what is not given is empty."""
        full: dict[str, Any] = dict.fromkeys(columns_of(model))
        for attribute in inspect(model).column_attrs:
            default = attribute.columns[0].default
            if default is not None and default.is_scalar:
                full[attribute.key] = default.arg
        full |= values
        self._new.setdefault(model, []).append(full)

    def change(self, row: Base, **values: Any) -> None:
        """Change columns of a row that this transaction has read; one that gave access is buried as it was."""
        if type(row) in ACCESS:
            bury(self._session, [row], now=self._now)
        for name, value in values.items():
            setattr(row, name, value)
        self._changed[id(row)] = row

    def remove(self, row: Base, *, renewed: bool = False) -> None:
        """Delete a row; its place in the trail stays, with an empty hash.

        `renewed`: whom it let in is let in by another row now, the next epoch's. Such a row gets no stone, or a backup
        from before the epoch would open for nobody once it is put back.
        """
        self._changed.pop(id(row), None)
        if type(row) in ACCESS and not renewed:
            bury(self._session, [row], now=self._now)
        if type(row) in COVERED:
            self._covered.append((row.__tablename__, row_id(type(row), row_values(row)), b""))
        self._session.delete(row)

    def missing(self, table: str, row: bytes) -> None:
        """A row that the trail knows and that is not here: a backup leaves it out. From now on it counts as gone."""
        self._covered.append((table, row, b""))

    def close(self, actor: bytes, action: str, subject: bytes, body: bytes | None = None, *, event: bytes = b"") -> int:
        """Write everything and the leaf; answers the leaf's number. `event` is the id the body was sealed for."""
        for model, rows in self._new.items():
            # Rows with an empty column would otherwise go in a statement of their own.
            self._session.execute(insert(model).execution_options(render_nulls=True), rows)
            if model in COVERED:
                for values in rows:
                    self._cover(model, values)
        if self._changed:
            self._session.flush()
            for row in self._changed.values():
                if type(row) in COVERED:
                    self._cover(type(row), row_values(row))
        labelled("leaf/rows-written")
        return self._leaf(actor, action, subject, body, event or new_id())

    def _cover(self, model: type[Base], values: Mapping[str, Any]) -> None:
        self._covered.append((model.__tablename__, row_id(model, values), hashes.row_hash(model.__tablename__, values)))

    def _leaf(self, actor: bytes, action: str, subject: bytes, body: bytes | None, event: bytes) -> int:
        leaves = Leaves(self._session, self._instance, now=self._now, last=self._last)
        seq = leaves.add(actor, action, subject, self._covered, body, event=event)
        leaves.write()
        return seq


class Leaves:
    """Leaves that follow each other in the chain, written together: for work that goes over many cases in batches.

    Whoever makes one holds the chain until the end of the transaction, so what they read after that stays as it is.
    """

    def __init__(self, session: Session, instance: Instance, *, now: datetime, last: Row[Any] | None = None) -> None:
        self._session, self._instance, self._now = session, instance, now
        before = last or last_leaf(session)
        self._seq, self._chain = before.seq or 0, before.chain or hashes.START
        self._leaves: list[dict[str, Any]] = []
        self._rows: list[dict[str, Any]] = []

    def add(
        self, actor: bytes, action: str, subject: bytes, covered: Sequence[tuple[str, bytes, bytes]],
        body: bytes | None = None, *, event: bytes = b"",
    ) -> int:  # fmt: skip
        """A leaf over rows (table, row, hash after the change; empty for a row that went); answers its number."""
        self._seq += 1
        rows = hashes.rows_hash(covered)
        body_hash = sha256(body) if body else b""
        self._chain = hashes.chain(
            self._chain, hashes.leaf(self._seq, self._now, actor, action, subject, rows, body_hash)
        )
        leaf = {
            "seq": self._seq, "id": event or new_id(), "at": self._now, "actor": actor, "action": action,
            "object": subject, "rows_hash": rows, "body": body, "body_hash": body_hash, "chain": self._chain,
            "head": self._instance.server.audit_head(self._chain),
        }  # fmt: skip
        self._leaves.append(leaf)
        self._rows += [
            {"seq": self._seq, "place": place, "table": table, "row": row, "row_hash": digest}
            for place, (table, row, digest) in enumerate(covered)
        ]
        return self._seq

    def write(self) -> None:
        """Write them."""
        for model, values in ((Leaf, self._leaves), (LeafRow, self._rows)):
            if values:
                self._session.execute(insert(model), values)
        self._leaves, self._rows = [], []


def last_leaf(session: Session, *more: Any) -> Row[Any]:
    """The number and chain of the newest leaf; `more` scalar columns ride along in the same statement."""
    if session.get_bind().dialect.name == "postgresql":
        # One writer of the chain at a time, as SQLite has it by itself: two leaves cannot follow the same one.
        session.execute(select(func.pg_advisory_xact_lock(_CHAIN)))
    newest = select(Leaf.seq, Leaf.chain).order_by(Leaf.seq.desc()).limit(1).subquery()
    seq = select(newest.c.seq).scalar_subquery().label("seq")
    chain = select(newest.c.chain).scalar_subquery().label("chain")
    return session.execute(select(seq, chain, *more)).one()
