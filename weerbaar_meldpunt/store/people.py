"""Accounts, their keys under seal, teams and what grants a member a team's secret."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from .base import UNORDERED, Base, Code, CodeKey, Hash, HashKey, Id, IdKey, Moment, Sealed, UtcDateTime


class User(Base):
    """An account. Nothing here says when it was used or which case is its own."""

    __tablename__ = "user"
    __table_args__ = UNORDERED

    id: Mapped[IdKey]
    login_lookup: Mapped[Hash] = mapped_column(unique=True)
    state: Mapped[Code]  # uitgenodigd, actief, uitgeschakeld
    revision: Mapped[int]
    sealed: Mapped[Sealed]  # login and name, under the server's key
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    key_number: Mapped[int] = mapped_column(default=0)


class Role(Base):
    """A role an account holds, for one team or for none."""

    __tablename__ = "role"
    __table_args__ = (Index(None, "team", "role"), UNORDERED)

    user_id: Mapped[IdKey] = mapped_column(ForeignKey("user.id"))
    role: Mapped[CodeKey]
    team: Mapped[CodeKey] = mapped_column(default="")


class Root(Base):
    """A user's ROOT under the password, and under the printed recovery code."""

    __tablename__ = "root"
    __table_args__ = UNORDERED

    user_id: Mapped[IdKey] = mapped_column(ForeignKey("user.id"))
    way: Mapped[CodeKey]  # pw or rc
    revision: Mapped[int]
    kdf: Mapped[int]
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    pepper_id: Mapped[Id]
    sealed: Mapped[Sealed]


class Bundle(Base):
    """What hangs from a ROOT: key seed, factors, pins; for a reporter the secret of the own cases."""

    __tablename__ = "bundle"
    __table_args__ = UNORDERED

    user_id: Mapped[IdKey] = mapped_column(ForeignKey("user.id"))
    revision: Mapped[int]
    sealed: Mapped[Sealed]


class Invitation(Base):
    """A link by which somebody sets up an account once."""

    __tablename__ = "invitation"
    __table_args__ = UNORDERED

    token_hash: Mapped[HashKey]
    user_id: Mapped[Id] = mapped_column(ForeignKey("user.id"), index=True)
    expires_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TeamEpoch(Base):
    """The public key of a team (or of the statistics) for one epoch; used only when it is pinned."""

    __tablename__ = "team_epoch"

    kind: Mapped[CodeKey]
    team: Mapped[CodeKey]
    epoch: Mapped[int] = mapped_column(primary_key=True)
    public_key: Mapped[Sealed]
    signature: Mapped[bytes | None] = mapped_column(LargeBinary(64))
    made_at: Mapped[Moment]


class TeamGrant(Base):
    """A team's secret wrapped to one member."""

    __tablename__ = "team_grant"
    __table_args__ = (Index(None, "member_id"), UNORDERED)

    kind: Mapped[CodeKey]
    team: Mapped[CodeKey]
    epoch: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[IdKey] = mapped_column(ForeignKey("user.id"))
    grantor: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    wrapped: Mapped[Sealed]


class Roster(Base):
    """The members a team knows, under the team's own key of one epoch."""

    __tablename__ = "team_roster"
    __table_args__ = UNORDERED

    kind: Mapped[CodeKey]
    team: Mapped[CodeKey]
    epoch: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int]
    sealed: Mapped[Sealed]


class SessionRow(Base):
    """A session, sealed under the cookie's secret; `owner` is a pseudonym, no user id."""

    __tablename__ = "session"
    __table_args__ = UNORDERED

    id: Mapped[HashKey]
    owner: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    revision: Mapped[int]
    sweep_after: Mapped[datetime] = mapped_column(UtcDateTime, index=True)  # for cleaning up only; limits are sealed
    sealed: Mapped[Sealed]


class Throttle(Base):
    """Failed tries for a name, existing or not."""

    __tablename__ = "throttle"
    __table_args__ = UNORDERED

    key: Mapped[HashKey]
    failures: Mapped[int]
    closed_until: Mapped[Moment]
