"""The trail of what happened: chained leaves, and which rows each of them covers."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Code, Hash, Id, Moment


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
