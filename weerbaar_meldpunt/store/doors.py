"""What the door of an account knows before anybody is signed in: own devices, passkeys, links to try once more."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from .base import UNORDERED, Base, Hash, HashKey, Id, Moment


class Device(Base):
    """A browser that its owner called their own: a hash of its cookie and the account. No moment of any kind."""

    __tablename__ = "device"
    __table_args__ = UNORDERED

    id_hash: Mapped[HashKey]
    user_id: Mapped[Id] = mapped_column(ForeignKey("user.id"), index=True)


class Passkey(Base):
    """The hash of a passkey's id. It counts only when id and key stand in the bundle too, which nobody else writes."""

    __tablename__ = "passkey"
    __table_args__ = UNORDERED

    id_hash: Mapped[HashKey]
    user_id: Mapped[Id] = mapped_column(ForeignKey("user.id"), index=True)


class TryLink(Base):
    """A mailed link that lets one browser try a password again. `counter` is the name's, existing or not."""

    __tablename__ = "try_link"
    __table_args__ = UNORDERED

    token_hash: Mapped[HashKey]
    counter: Mapped[Hash] = mapped_column(index=True)
    expires_at: Mapped[Moment]
