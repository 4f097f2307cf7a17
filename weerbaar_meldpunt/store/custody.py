"""Custodians, the keys of the house they keep, and the list of acute cases for when the program is down."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from .base import UNORDERED, Base, Code, CodeKey, Id, IdKey, Moment, Sealed, UtcDateTime


class Custodian(Base):
    """Somebody outside who keeps a code on paper. No account: name and address under the server's key, a public key.

    One who left stays as a row, so that the trail can be read back; two of one place are never in function at once.
    """

    __tablename__ = "custodian"
    __table_args__ = UNORDERED

    id: Mapped[IdKey]
    place: Mapped[int] = mapped_column(SmallInteger)  # 1, 2 or 3
    state: Mapped[Code]  # uitgenodigd, sleutel, vertrokken
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    revision: Mapped[int]
    sealed: Mapped[Sealed]


class HouseKey(Base):
    """The public key of RECOVERY or BACKUP for one epoch; used only when it is pinned."""

    __tablename__ = "house_key"

    kind: Mapped[CodeKey]  # recovery, backup
    epoch: Mapped[int] = mapped_column(primary_key=True)
    public_key: Mapped[Sealed]
    made_at: Mapped[Moment]


class RecoveryPair(Base):
    """RECOVERY's seed for two custodians: a random half wrapped to each, the seed sealed under both halves."""

    __tablename__ = "recovery_pair"

    epoch: Mapped[int] = mapped_column(primary_key=True)
    pair: Mapped[CodeKey]  # 12, 13, 23: the places of the two
    lower_id: Mapped[Id]
    higher_id: Mapped[Id]
    lower_wrapped: Mapped[Sealed]
    higher_wrapped: Mapped[Sealed]
    sealed: Mapped[Sealed]


class RecoveryGrant(Base):
    """A team's secret (or that of the statistics) wrapped to RECOVERY, by a member."""

    __tablename__ = "recovery_grant"

    kind: Mapped[CodeKey]
    team: Mapped[CodeKey]
    epoch: Mapped[int] = mapped_column(primary_key=True)
    recovery_epoch: Mapped[int] = mapped_column(primary_key=True)
    grantor: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    wrapped: Mapped[Sealed]


class Emergency(Base):
    """Whom to call about an open acute or urgent case, for when the program is down. Never an address."""

    __tablename__ = "emergency"
    __table_args__ = UNORDERED

    id: Mapped[IdKey]
    case_id: Mapped[Id] = mapped_column(ForeignKey("case.id"), unique=True)
    sealed: Mapped[Sealed]


class EmergencyGrant(Base):
    """The key of an entry of that list, wrapped to a team or to RECOVERY."""

    __tablename__ = "emergency_grant"
    __table_args__ = (Index(None, "recipient"), UNORDERED)

    entry_id: Mapped[IdKey] = mapped_column(ForeignKey("emergency.id"))
    recipient: Mapped[IdKey]
    wrapped: Mapped[Sealed]
