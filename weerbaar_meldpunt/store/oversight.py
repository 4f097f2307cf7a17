"""What the functionaris gegevensbescherming keeps: requests, breaches, sampled openings, decisions. No content."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import UNORDERED, Base, Code, Id, IdKey, Moment, UtcDateTime

# A day as ISO text: the trail hashes text, whole numbers and moments.
Day = Annotated[str, mapped_column(String(10))]


class PersonRequest(Base):
    """A request of somebody who thinks to be named in a case. Who it is stands on paper, under the same number."""

    __tablename__ = "person_request"
    __table_args__ = UNORDERED

    id: Mapped[IdKey]
    number: Mapped[Code] = mapped_column(unique=True)
    kind: Mapped[Code]
    received_on: Mapped[Day]
    due_on: Mapped[Day]
    extended: Mapped[bool] = mapped_column(default=False)
    identity_seen_on: Mapped[str | None] = mapped_column(String(10))
    answered_on: Mapped[str | None] = mapped_column(String(10))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RequestDecision(Base):
    """What is decided on one ground: proposed by one person, confirmed by another."""

    __tablename__ = "request_decision"
    __table_args__ = (UniqueConstraint("request_id", "ground"), UNORDERED)

    id: Mapped[IdKey]
    request_id: Mapped[Id] = mapped_column(ForeignKey("person_request.id"))
    ground: Mapped[Code]
    outcome: Mapped[Code]
    proposed_by: Mapped[Id]
    proposed_at: Mapped[Moment]
    confirmed_by: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Breach(Base):
    """A datalek, from the moment it was found."""

    __tablename__ = "breach"
    __table_args__ = (Index(None, "closed_at", "found_at"), UNORDERED)

    id: Mapped[IdKey]
    number: Mapped[Code] = mapped_column(unique=True)
    kind: Mapped[Code]
    persons: Mapped[Code]  # how many, as a range
    found_at: Mapped[Moment]
    due_at: Mapped[Moment]
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BreachStep(Base):
    """A step that was taken on a datalek, once."""

    __tablename__ = "breach_step"
    __table_args__ = (UniqueConstraint("breach_id", "step"), UNORDERED)

    id: Mapped[IdKey]
    breach_id: Mapped[Id] = mapped_column(ForeignKey("breach.id"))
    step: Mapped[Code]
    how: Mapped[Code]
    at: Mapped[Moment]
    by: Mapped[Id]


class OversightReminder(Base):
    """A reminder that was sent about a datalek, a request or a sample; each once."""

    __tablename__ = "oversight_reminder"
    __table_args__ = UNORDERED

    about: Mapped[IdKey]
    step: Mapped[Code] = mapped_column(primary_key=True)
    at: Mapped[Moment]


class SampleDraw(Base):
    """The draw of a month: from which checkpoint chance came, and among how many openings."""

    __tablename__ = "sample_draw"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    checkpoint: Mapped[int]
    openings: Mapped[int]
    drawn_at: Mapped[Moment]


class Sample(Base):
    """An opening that was drawn: its leaf, whom we ask why, and what the FG thinks of the answer."""

    __tablename__ = "sample"
    __table_args__ = (UniqueConstraint("month", "seq"), Index(None, "member_id", "answered_at"), UNORDERED)

    id: Mapped[IdKey]
    month: Mapped[str] = mapped_column(String(7), ForeignKey("sample_draw.month"))
    place: Mapped[int]
    seq: Mapped[int]
    member_id: Mapped[Id]
    reason: Mapped[str | None] = mapped_column(String(40))
    words: Mapped[str | None] = mapped_column(String(300))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    judgement: Mapped[str | None] = mapped_column(String(40))
    judged_by: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    judged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LinkingDecision(Base):
    """The decision of the FG that switches the linking of cases with the same features on, for a time."""

    __tablename__ = "linking_decision"
    __table_args__ = (Index(None, "until"), UNORDERED)

    id: Mapped[IdKey]
    purpose: Mapped[str] = mapped_column(String(600))
    ground: Mapped[Code]
    starts_on: Mapped[Day]
    review_on: Mapped[Day]
    until: Mapped[Day]
    decided_by: Mapped[Id]
    decided_at: Mapped[Moment]
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[bytes | None] = mapped_column(LargeBinary(16))
