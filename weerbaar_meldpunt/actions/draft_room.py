"""How much the drafts of everybody may hold together: what can be stored without a name has a bound on the disk."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Attachment
from weerbaar_meldpunt.store.cases import Draft as DraftRow

from . import evidence
from .instance import Instance
from .sweeping import PART

MAX_DRAFTS: Final = 20 * 1024**3
# The words of an ordinary page, which are taken as long as the database takes anything.
ALWAYS_TAKEN: Final = 64 * 1024
_MEASURED_FOR: Final = timedelta(minutes=1)

# By folder of files: when it was measured, and how much was held then and was added since by this process.
_measured: dict[Path, tuple[datetime, int]] = {}


def left(session: Session, instance: Instance, *, now: datetime) -> int:
    """How many bytes all drafts together may still take; measured once a minute, since it looks at every file."""
    at, held = _measured.get(instance.blobs, (None, 0))
    if at is None or abs(now - at) >= _MEASURED_FOR:
        held = _held(session, instance)
        _measured[instance.blobs] = (now, held)
    return max(0, MAX_DRAFTS - held)


def count(instance: Instance, size: int) -> None:
    """Count bytes that a draft took since the last measure."""
    if instance.blobs in _measured:
        at, held = _measured[instance.blobs]
        _measured[instance.blobs] = (at, held + size)


def takes(session: Session, instance: Instance, size: int, *, now: datetime) -> bool:
    """Whether a draft may take so many bytes of words now: always when they are few."""
    if size <= ALWAYS_TAKEN:
        return True
    free = shutil.disk_usage(instance.blobs).free
    return free >= evidence.FREE_FLOOR and left(session, instance, now=now) >= size


def _held(session: Session, instance: Instance) -> int:
    """The bytes of all sealed drafts and of all finished files that no case has."""
    attached = {blob_id.hex() for blob_id in session.scalars(select(Attachment.blob_id))}
    total = int(session.scalar(select(func.sum(func.length(DraftRow.sealed)))) or 0)
    for path in instance.blobs.iterdir():
        if path.suffix != PART and path.name not in attached:
            try:
                total += path.stat().st_size
            except FileNotFoundError:  # it was finished or dropped just now
                continue
    return total
