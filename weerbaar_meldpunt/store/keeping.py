"""What was kept apart, and what came back: backups that were made, and the backup this database was restored from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, IdKey, Moment, UtcDateTime


class Backup(Base):
    """A backup that was finished."""

    __tablename__ = "backup"

    id: Mapped[IdKey]
    made_at: Mapped[Moment]
    leaf: Mapped[int]  # the newest leaf of the trail that is in it
    size: Mapped[int]


class Restoration(Base):
    """This database came out of a backup. Until `opened_at` is set, nothing is served from it."""

    __tablename__ = "restoration"

    backup_id: Mapped[IdKey]
    made_at: Mapped[Moment]  # of the backup
    restored_at: Mapped[Moment]
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
