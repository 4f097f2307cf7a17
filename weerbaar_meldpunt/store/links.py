"""What helps to find cases: search text in bulk for a team, and marks by which cases of all teams are compared."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, cast, delete, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from .base import UNORDERED, Base, Code, Id, IdKey, Sealed


class Segment(Base):
    """Cache: the search text of up to 256 cases, under the team's segment key of one epoch; never changed."""

    __tablename__ = "segment"
    __table_args__ = (Index(None, "team", "epoch"), UNORDERED)

    id: Mapped[IdKey]
    team: Mapped[Code]
    epoch: Mapped[int]
    sealed: Mapped[Sealed] = mapped_column(deferred=True)


class SegmentCase(Base):
    """Which case stands in which segment. Not `live`: what stands there is older than the case is now."""

    __tablename__ = "segment_case"
    __table_args__ = (
        Index(None, "case_id"),
        Index(
            "ix_segment_case_live", "team", "case_id", sqlite_where=text("live"), postgresql_where=text("live")
        ),
        UNORDERED,
    )  # fmt: skip

    segment_id: Mapped[IdKey] = mapped_column(ForeignKey("segment.id"))
    case_id: Mapped[IdKey] = mapped_column(ForeignKey("case.id"))
    team: Mapped[Code]
    live: Mapped[bool]


class LinkGrant(Base):
    """The LINK secret of an epoch, wrapped to a team."""

    __tablename__ = "link_grant"
    __table_args__ = UNORDERED

    epoch: Mapped[int] = mapped_column(primary_key=True)
    recipient: Mapped[IdKey]  # the key id of the team's epoch
    grantor: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    wrapped: Mapped[Sealed]


class LinkEntry(Base):
    """A mark of from whom it came: a hash of it, sealed, with its key wrapped to LINK. Goes at its own month."""

    __tablename__ = "link_entry"
    __table_args__ = (Index(None, "expires"), UNORDERED)

    id: Mapped[IdKey]
    case_id: Mapped[Id] = mapped_column(ForeignKey("case.id"), index=True)
    expires: Mapped[str] = mapped_column(String(7))
    sealed: Mapped[Sealed]
    recipient: Mapped[Id]  # the key id of the LINK epoch
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


class LinkFold(Base):
    """Cache: an entry under the LINK fold key of one epoch."""

    __tablename__ = "link_fold"
    __table_args__ = UNORDERED

    entry_id: Mapped[IdKey] = mapped_column(ForeignKey("link_entry.id"))
    epoch: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[Sealed]


def outdate_segments(session: Session, case_id: bytes) -> None:
    """What is searched of a case changed: it is looked at by itself until it stands in a new segment."""
    session.execute(update(SegmentCase).where(SegmentCase.case_id == case_id, SegmentCase.live).values(live=False))


def drop_segments_of_case(session: Session, case_id: bytes, *, team: str | None = None) -> None:
    """Delete every segment that holds a case, whole: of all teams, or of the one that loses it."""
    which = select(SegmentCase.segment_id).where(SegmentCase.case_id == case_id)
    _drop(session, session.scalars(which if team is None else which.where(SegmentCase.team == team)).all())


def drop_segments_of_team(session: Session, team: str) -> None:
    """Delete all segments of a team: a new epoch of its key begins."""
    _drop(session, session.scalars(select(Segment.id).where(Segment.team == team)).all())


def drop_worn_segments(session: Session, team: str, *, most: int = 4) -> None:
    """Delete some segments of which half or more is no longer true; their cases are packed anew."""
    true_still = func.sum(cast(SegmentCase.live, Integer))
    worn = (
        select(SegmentCase.segment_id)
        .where(SegmentCase.team == team)
        .group_by(SegmentCase.segment_id)
        .having(true_still * 2 <= func.count())
        .limit(most)
    )
    _drop(session, session.scalars(worn).all())


def drop_segments(session: Session, segment_ids: Sequence[bytes]) -> None:
    """Delete segments that do not open."""
    _drop(session, segment_ids)


def _drop(session: Session, segment_ids: Sequence[bytes]) -> None:
    if segment_ids:
        session.execute(delete(SegmentCase).where(SegmentCase.segment_id.in_(segment_ids)))
        session.execute(delete(Segment).where(Segment.id.in_(segment_ids)))
