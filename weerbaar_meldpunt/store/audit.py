"""The trail of what happened: chained leaves, which rows each covers, what was destroyed, and what alarmed."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import UNORDERED, Base, Code, CodeKey, Hash, HashKey, Id, IdKey, Moment, UtcDateTime


class Leaf(Base):
    """One act or opening. Leaves stay for ever; their sealed bodies go with the case."""

    __tablename__ = "audit"
    # One index for each way in which an auditor looks: by case, by person, by act, by time.
    __table_args__ = (
        Index(None, "object", "seq"), Index(None, "actor", "seq"), Index(None, "action", "seq"),
        Index(None, "at", "seq"),
    )  # fmt: skip

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

    Kept by the day and ordered by the hash, so that it says nothing of what went together with what. `set_no` is the
    checkpoint that counts it first; none until the next checkpoint.
    """

    __tablename__ = "tombstone"
    __table_args__ = (Index(None, "row_hash"), Index(None, "set_no", "day", "row_hash"), UNORDERED)

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    row_hash: Mapped[HashKey]
    set_no: Mapped[int | None]


class Checkpoint(Base):
    """How far the trail and the tombstones were at a moment, signed by the program; mailed to who keeps it outside."""

    __tablename__ = "checkpoint"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int]
    at: Mapped[Moment]
    text: Mapped[str] = mapped_column(String(400))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


class AuditCheck(Base):
    """One night's check of the whole trail; begun by one clock, ended by the same."""

    __tablename__ = "audit_check"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    began_at: Mapped[Moment]
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    leaves: Mapped[int] = mapped_column(default=0)
    wrong: Mapped[int] = mapped_column(default=0)
    first_seq: Mapped[int | None]
    first_what: Mapped[str | None] = mapped_column(String(40))


class Alarm(Base):
    """Something that a person must look at: what kind, and about what, without content."""

    __tablename__ = "alarm"
    __table_args__ = (Index(None, "ended_at", "at"), Index(None, "kind", "about"), UNORDERED)

    id: Mapped[IdKey]
    kind: Mapped[Code]
    about: Mapped[str] = mapped_column(String(120))  # a code, a number or an id in hex; never content
    at: Mapped[Moment]
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    note: Mapped[str | None] = mapped_column(String(300))  # what was done; no names, nothing of a case


class LookCount(Base):
    """How many queue pages or search hits a member of staff was shown in an hour; kept for two days."""

    __tablename__ = "look_count"
    __table_args__ = UNORDERED

    user_id: Mapped[IdKey]
    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    what: Mapped[CodeKey]
    n: Mapped[int]
