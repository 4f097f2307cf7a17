"""Tracks, what must have happened on them by when, and who holds the claim to see to it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import UNORDERED, URGENCY, Base, Code, Id, IdKey, Moment, Sealed, UtcDateTime


def _of_open_tracks(name: str, *columns: str) -> Index:
    is_open = text("closed_at IS NULL")
    return Index(name, *columns, sqlite_where=is_open, postgresql_where=is_open)


class Track(Base):
    """One team's work on one case. The queue lists tracks, the clock chases tracks."""

    __tablename__ = "track"
    __table_args__ = (
        UniqueConstraint("case_id", "team"),
        # One index for each way to look at a queue. Those of open tracks hold `closed_at` too (always empty there), so
        # that counting and leafing never touch the table; closed tracks are in none of them.
        _of_open_tracks("ix_track_open", "team", "urgency", "due_at", "id", "closed_at"),
        _of_open_tracks("ix_track_state", "team", "state", "urgency", "due_at", "id", "closed_at"),
        _of_open_tracks("ix_track_owner", "team", "owner_id", "urgency", "due_at", "id", "closed_at"),
        _of_open_tracks("ix_track_opened", "team", "opened_at", "id", "closed_at"),
        Index(
            "ix_track_closed",
            "team",
            "closed_at",
            "id",
            sqlite_where=text("closed_at IS NOT NULL"),
            postgresql_where=text("closed_at IS NOT NULL"),
        ),
        UNORDERED,
    )

    id: Mapped[IdKey]
    case_id: Mapped[Id] = mapped_column(ForeignKey("case.id"))
    team: Mapped[Code]
    state: Mapped[Code]
    urgency: Mapped[str] = mapped_column(URGENCY)
    owner_id: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    outcome: Mapped[str | None] = mapped_column(String(40))
    opened_at: Mapped[Moment]
    # The earliest open due of this track; none only once the track is closed.
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_kind: Mapped[str | None] = mapped_column(String(40))
    unread: Mapped[bool] = mapped_column(default=False)
    # Set when an outcome waits for a second person: who proposed it may not confirm it.
    proposed_by: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Due(Base):
    """Something that must have happened by a moment. One of a kind and moment a track."""

    __tablename__ = "due"
    __table_args__ = (
        UniqueConstraint("track_id", "kind", "moment"),
        Index(
            "ix_due_next", "next_at", sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")
        ),
        UNORDERED,
    )

    id: Mapped[IdKey]
    track_id: Mapped[Id] = mapped_column(ForeignKey("track.id"))
    kind: Mapped[Code]
    moment: Mapped[Moment]
    step: Mapped[Code]  # gepland, herinnerd, achterwacht, coordinator, heel_team; at the end gedaan or vervallen
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when the clock must look again
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DueClaim(Base):
    """Which clock is at a due just now; kept apart, so that a claim is no change of the due itself."""

    __tablename__ = "due_claim"
    __table_args__ = UNORDERED

    due_id: Mapped[IdKey] = mapped_column(ForeignKey("due.id"))
    clock: Mapped[Id]
    lease_until: Mapped[Moment]
    fence: Mapped[int]


class DueStep(Base):
    """One step of the ladder, noted once for ever."""

    __tablename__ = "due_step"
    __table_args__ = (UniqueConstraint("due_id", "step"), UNORDERED)

    id: Mapped[IdKey]
    due_id: Mapped[Id] = mapped_column(ForeignKey("due.id"))
    step: Mapped[Code]
    at: Mapped[Moment]


class Outbox(Base):
    """A mail that waits to leave; recipient and text are sealed, and the row goes once it is sent."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("source", "recipient_id"), UNORDERED)

    id: Mapped[IdKey]
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    source: Mapped[Id]  # the step that caused it: a step mails a person once
    recipient_id: Mapped[Id]
    not_before: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    clock: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int] = mapped_column(default=0)
    sealed: Mapped[Sealed]


class Duty(Base):
    """Who is on duty for a team in a period; names and numbers under the server's key."""

    __tablename__ = "duty"
    __table_args__ = (Index(None, "team", "starts_at", "ends_at"), UNORDERED)

    id: Mapped[IdKey]
    team: Mapped[Code]
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    owner_id: Mapped[Id]
    backup_id: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    revision: Mapped[int]
    sealed: Mapped[Sealed]


class Pulse(Base):
    """When a clock last looked: the newest moment ever seen, against a clock that is set back."""

    __tablename__ = "pulse"

    name: Mapped[Code] = mapped_column(primary_key=True)
    seen_at: Mapped[Moment]
