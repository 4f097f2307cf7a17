"""The trail of what happened: chained leaves, which rows each covers, what was destroyed, and what alarmed."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import UNORDERED, Base, Code, Hash, HashKey, Id, IdKey, Moment, UtcDateTime


class Leaf(Base):
    """One act or opening. Leaves stay for ever; their sealed bodies go with the case."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "object", "seq"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[Id]
    at: Mapped[Moment]
    actor: Mapped[bytes] = mapped_column(LargeBinary(16))
    action: Mapped[Code]
    object: Mapped[bytes] = mapped_column(LargeBinary(16))
    rows_hash: Mapped[Hash]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    chain: Mapped[Hash]
    head: Mapped[Hash]


class LeafRow(Base):
    """A row that a leaf covers, with its hash after the change; empty for a row that went."""

    __tablename__ = "audit_row"
    __table_args__ = (Index(None, "table", "row", "seq"),)

    seq: Mapped[int] = mapped_column(ForeignKey("audit.seq"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    table: Mapped[str] = mapped_column(String(40))
    row: Mapped[bytes] = mapped_column(LargeBinary(120))
    row_hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class Tombstone(Base):
    """The hash of a row that gave access and is gone or was replaced: a restored backup may not bring it back.

    Kept by the day and ordered by the hash, so that it says nothing of what went together with what.
    """

    __tablename__ = "tombstone"
    __table_args__ = UNORDERED

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    row_hash: Mapped[HashKey]


class Alarm(Base):
    """Something that a person must look at: what kind, and about what, without content."""

    __tablename__ = "alarm"
    __table_args__ = (Index(None, "ended_at", "at"), UNORDERED)

    id: Mapped[IdKey]
    kind: Mapped[Code]
    about: Mapped[str] = mapped_column(String(120))  # a code, a number or an id in hex; never content
    at: Mapped[Moment]
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[bytes | None] = mapped_column(LargeBinary(16))
