"""Sealed facts, the sealed table of the year and the editions that were published."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import UNORDERED, Base, Code, CodeKey, Hash, Id, IdKey, Moment, Sealed, UtcDateTime


class StatFact(Base):
    """One sealed fact of a month; carries no case."""

    __tablename__ = "stat_fact"
    __table_args__ = (Index(None, "month"), UNORDERED)

    id: Mapped[IdKey]
    month: Mapped[str] = mapped_column(String(7))
    sealed: Mapped[Sealed]


class EntryGrant(Base):
    """The key of a fact or another entry, wrapped to its recipient."""

    __tablename__ = "entry_grant"
    __table_args__ = UNORDERED

    entry_id: Mapped[IdKey]
    recipient: Mapped[IdKey]
    wrapped: Mapped[Sealed]


class FiguresTable(Base):
    """The cumulative truth of a measure and year, under the key of the statistics."""

    __tablename__ = "figures_table"

    measure: Mapped[CodeKey]
    year: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int]
    sealed: Mapped[Sealed]


class Edition(Base):
    """A month as it is published: prepared by one person, approved by another, never changed."""

    __tablename__ = "edition"

    id: Mapped[IdKey]
    period: Mapped[str] = mapped_column(String(7), unique=True)
    document: Mapped[bytes] = mapped_column(LargeBinary)
    document_hash: Mapped[Hash]
    state: Mapped[Code]  # voorbereid, goedgekeurd, gepubliceerd
    prepared_by: Mapped[Id]
    prepared_at: Mapped[Moment]
    approved_by: Mapped[bytes | None] = mapped_column(LargeBinary(16), ForeignKey("user.id"))
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Instance(Base):
    """The one row that says which instance this is."""

    __tablename__ = "instance"

    id: Mapped[IdKey]
    made_at: Mapped[Moment]
    demonstration: Mapped[bool]
