"""Cases and what is sealed in them. The open columns say where a case is; only sealed ones say what happened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import UNORDERED, Base, Code, CodeKey, Id, IdKey, Moment, Sealed, UtcDateTime


class Case(Base):
    """What was reported. Its public reference is random, never sequential."""

    __tablename__ = "case"
    __table_args__ = UNORDERED

    id: Mapped[IdKey]
    reference: Mapped[Code] = mapped_column(unique=True)
    rules_version: Mapped[Code]
    received_at: Mapped[Moment]
    form_key: Mapped[bytes | None] = mapped_column(LargeBinary(16), unique=True)
    retention_month: Mapped[str | None] = mapped_column(String(7))
    notify: Mapped[bytes | None] = mapped_column(LargeBinary)


class CaseDoc(Base):
    """The documents of a case: compartment A (melding) and B (veilig), one padded sealed JSON a revision."""

    __tablename__ = "case_doc"
    __table_args__ = UNORDERED

    case_id: Mapped[IdKey] = mapped_column(ForeignKey("case.id"))
    compartment: Mapped[CodeKey]
    revision: Mapped[int]
    sealed: Mapped[Sealed]


class CaseGrant(Base):
    """A case key wrapped to a team or a reader."""

    __tablename__ = "case_grant"
    __table_args__ = (Index(None, "recipient", "case_id"), UNORDERED)

    case_id: Mapped[IdKey] = mapped_column(ForeignKey("case.id"))
    compartment: Mapped[CodeKey]
    epoch: Mapped[int] = mapped_column(primary_key=True)
    recipient: Mapped[IdKey]
    grantor: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    wrapped: Mapped[Sealed]
    reader_mac: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class CaseEpoch(Base):
    """The seal by which a new case key hangs from the one before it."""

    __tablename__ = "case_epoch"
    __table_args__ = UNORDERED

    case_id: Mapped[IdKey] = mapped_column(ForeignKey("case.id"))
    compartment: Mapped[CodeKey]
    epoch: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[Sealed]


class Reader(Base):
    """The reporter's side of one case, found by a look-up that only their code gives."""

    __tablename__ = "reader"
    __table_args__ = UNORDERED

    lookup: Mapped[IdKey]
    case_id: Mapped[bytes | None] = mapped_column(LargeBinary(16), ForeignKey("case.id"), index=True)
    key_id: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    role: Mapped[Code]


class Claim(Base):
    """What a claim code opens: a reader's seed, once."""

    __tablename__ = "claim"
    __table_args__ = UNORDERED

    lookup: Mapped[IdKey]
    sealed: Mapped[Sealed]
    expires_at: Mapped[Moment]


class Message(Base):
    """A message between reporter and team; the exact moment and the sender are inside the seal."""

    __tablename__ = "message"
    __table_args__ = UNORDERED

    id: Mapped[IdKey]
    case_id: Mapped[Id] = mapped_column(ForeignKey("case.id"), index=True)
    revision: Mapped[int]
    hour: Mapped[Moment]
    sealed: Mapped[Sealed]


class Note(Base):
    """A note of a team, under the key that readers never hold."""

    __tablename__ = "note"
    __table_args__ = UNORDERED

    id: Mapped[IdKey]
    case_id: Mapped[Id] = mapped_column(ForeignKey("case.id"), index=True)
    revision: Mapped[int]
    hour: Mapped[Moment]
    sealed: Mapped[Sealed]


class Attachment(Base):
    """An evidence file's name, type, hash and key, sealed; the file itself is a sealed blob with a random name."""

    __tablename__ = "attachment"
    __table_args__ = UNORDERED

    id: Mapped[IdKey]
    case_id: Mapped[Id] = mapped_column(ForeignKey("case.id"), index=True)
    compartment: Mapped[Code]
    revision: Mapped[int]
    blob_id: Mapped[Id] = mapped_column(unique=True)
    sealed: Mapped[Sealed]


class Draft(Base):
    """An unfinished report; only the holder of the draft's cookie or code opens it."""

    __tablename__ = "draft"
    __table_args__ = UNORDERED

    lookup: Mapped[IdKey]
    revision: Mapped[int]
    sealed: Mapped[Sealed]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Fold(Base):
    """Cache: a case key under the team's fold key, so that opening costs microseconds."""

    __tablename__ = "fold"
    __table_args__ = UNORDERED

    case_id: Mapped[IdKey] = mapped_column(ForeignKey("case.id"))
    team: Mapped[CodeKey]
    compartment: Mapped[CodeKey]
    epoch: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[Sealed]


class Headline(Base):
    """Cache: what a queue row shows, under the team's fold key."""

    __tablename__ = "headline"
    __table_args__ = UNORDERED

    case_id: Mapped[IdKey] = mapped_column(ForeignKey("case.id"))
    team: Mapped[CodeKey]
    revision: Mapped[int]
    sealed: Mapped[Sealed]
