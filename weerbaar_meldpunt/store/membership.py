"""Who is about to become a member of a team, who left one, who is away; and since when a key is used for sealing."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import UNORDERED, Base, Code, CodeKey, Hash, Id, IdKey, Moment


class Admission(Base):
    """A colleague compared somebody's key and proposes to admit them; it waits for a second person."""

    __tablename__ = "admission"
    __table_args__ = UNORDERED

    kind: Mapped[CodeKey]
    team: Mapped[CodeKey]
    member_id: Mapped[IdKey] = mapped_column(ForeignKey("user.id"))
    fingerprint: Mapped[Hash]  # of the very key that was compared
    proposed_by: Mapped[Id]
    proposed_at: Mapped[Moment]


class Departure(Base):
    """Somebody who knew a team's secret and left: until a later epoch is pinned, what is sealed could be theirs."""

    __tablename__ = "departure"
    __table_args__ = UNORDERED

    kind: Mapped[CodeKey]
    team: Mapped[CodeKey]
    member_id: Mapped[IdKey] = mapped_column(ForeignKey("user.id"))
    epoch: Mapped[int]  # the newest one they were given
    left_at: Mapped[Moment]


class Absence(Base):
    """Somebody is away from a team for a while, and who is asked instead."""

    __tablename__ = "absence"
    __table_args__ = (Index(None, "team", "ends_at"), UNORDERED)

    id: Mapped[IdKey]
    member_id: Mapped[Id] = mapped_column(ForeignKey("user.id"), index=True)
    team: Mapped[Code]
    stand_in: Mapped[Id] = mapped_column(ForeignKey("user.id"))
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]


class EpochPin(Base):
    """Since when the program knows that a key is pinned: the one before it may go a day later."""

    __tablename__ = "epoch_pin"
    __table_args__ = UNORDERED

    kind: Mapped[CodeKey]
    team: Mapped[CodeKey]
    epoch: Mapped[int] = mapped_column(primary_key=True)
    seen_at: Mapped[Moment]
