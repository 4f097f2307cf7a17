"""How long cases are kept, what stops that, who wanted what to go, and the register of what went."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import UNORDERED, Base, Code, CodeKey, Id, IdKey, Moment, UtcDateTime

DAY = 10  # a day as text, 2026-11-23: so it stands in the trail too


class Keeping(Base):
    """Until when a closed case is kept, and by which term of which table. None while the case is open."""

    __tablename__ = "keeping"
    __table_args__ = (Index(None, "ends_on"), UNORDERED)

    case_id: Mapped[IdKey] = mapped_column(ForeignKey("case.id"))
    term: Mapped[Code]
    version: Mapped[Code]
    starts_on: Mapped[str] = mapped_column(String(DAY))
    ends_on: Mapped[str] = mapped_column(String(DAY))


class KeepingWarning(Base):
    """That a coordinator was told of a case that will go, or of a hold that must be looked at again; told once."""

    __tablename__ = "keeping_warning"
    __table_args__ = UNORDERED

    case_id: Mapped[IdKey] = mapped_column(ForeignKey("case.id"))
    kind: Mapped[CodeKey]  # termijn, bewaring
    told_on: Mapped[str] = mapped_column(String(DAY))


class Hold(Base):
    """A ground to keep a case longer than its term; what is behind it is told in a sealed event."""

    __tablename__ = "hold"
    __table_args__ = (Index(None, "review_on"), UNORDERED)

    id: Mapped[IdKey]
    case_id: Mapped[Id] = mapped_column(ForeignKey("case.id"), index=True)
    ground: Mapped[Code]
    placed_by: Mapped[Id]
    placed_at: Mapped[Moment]
    until: Mapped[str | None] = mapped_column(String(DAY))  # the last day of it, where that is known
    review_on: Mapped[str] = mapped_column(String(DAY))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[bytes | None] = mapped_column(LargeBinary(16))


class Withdrawal(Base):
    """The reporter wants everything to go; until `erase_at` that can be taken back, and then this row is gone."""

    __tablename__ = "withdrawal"
    __table_args__ = (Index(None, "erase_at"), UNORDERED)

    case_id: Mapped[IdKey] = mapped_column(ForeignKey("case.id"))
    asked_at: Mapped[Moment]
    erase_at: Mapped[Moment]


class Destruction(Base):
    """A proposal of one coordinator to let cases go, and what a second person said of it."""

    __tablename__ = "destruction"
    __table_args__ = (Index(None, "state", "proposed_at"), UNORDERED)

    id: Mapped[IdKey]
    team: Mapped[Code]
    proposed_by: Mapped[Id]
    proposed_at: Mapped[Moment]
    state: Mapped[Code]  # voorgesteld, bevestigd, geweigerd, vervallen, klaar
    decided_by: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DestructionCase(Base):
    """A case in a proposal; gone together with the case, or when it turned out that it must stay."""

    __tablename__ = "destruction_case"
    __table_args__ = (Index(None, "case_id"), UNORDERED)

    destruction_id: Mapped[IdKey] = mapped_column(ForeignKey("destruction.id"))
    case_id: Mapped[IdKey] = mapped_column(ForeignKey("case.id"))
    ground: Mapped[Code]


class Destroyed(Base):
    """A line of the register: how many cases of one kind went on a day, why, and on whose word. Never which."""

    __tablename__ = "destroyed"
    __table_args__ = (UniqueConstraint("batch", "day", "ground", "term", "outcome"), Index(None, "day"), UNORDERED)

    id: Mapped[IdKey]
    batch: Mapped[Id]  # the proposal; zero where nobody proposed it
    day: Mapped[str] = mapped_column(String(DAY))
    ground: Mapped[Code]
    term: Mapped[Code]
    outcome: Mapped[str] = mapped_column(String(160))
    count: Mapped[int]
    proposed_by: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    confirmed_by: Mapped[bytes | None] = mapped_column(LargeBinary(16))
