"""What is thrown away once its time is over: sessions, drafts, invitations, claims, files that nobody holds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Attachment
from weerbaar_meldpunt.store.people import Invitation

from .bulk import sweep_looks
from .claimrows import sweep_claims
from .drafts import KEPT, sweep_drafts
from .instance import Instance
from .people import sweep_unconfirmed
from .sessions import sweep_sessions
from .throttle import sweep_throttle
from .tombstones import bury_all

PART: Final = ".part"
UNFINISHED: Final = timedelta(hours=24)
# Which files a draft holds stands in its seal only. Saving a draft touches them (`keep_files`), so a file that
# was not touched for longer than a draft is kept belongs to none.
ORPHANED: Final = KEPT + timedelta(days=1)
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How many files were removed."""

    unfinished: int
    orphaned: int


def sweep_rows(session: Session, *, now: datetime) -> None:
    """Rows whose time is over. None of them has a leaf in the trail, and none is content of a case."""
    sweep_sessions(session, now=now)
    sweep_drafts(session, now=now)
    sweep_unconfirmed(session, now=now)
    sweep_throttle(session, now=now)
    bury_all(session, Invitation, Invitation.expires_at < now, now=now)
    sweep_looks(session, now=now)
    sweep_claims(session, now=now)


def sweep_blobs(session: Session, instance: Instance, *, wall: datetime) -> Swept:
    """Uploads that were cut off a day ago, and files that no case and no living draft can hold, by the files' time."""
    unfinished = [path for path in _older(instance.blobs, wall - UNFINISHED) if path.suffix == PART]
    candidates = (path for path in _older(instance.blobs, wall - ORPHANED) if _blob_id(path) is not None)
    orphaned: list[Path] = []
    while some := {_blob_id(path): path for path in islice(candidates, _AT_ONCE)}:
        held = set(session.scalars(select(Attachment.blob_id).where(Attachment.blob_id.in_(list(some)))))
        orphaned += [path for blob_id, path in some.items() if blob_id not in held]
    for path in (*unfinished, *orphaned):
        path.unlink(missing_ok=True)
    return Swept(len(unfinished), len(orphaned))


def _older(folder: Path, than: datetime) -> Iterator[Path]:
    for path in folder.iterdir():
        try:
            changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:  # it was finished or dropped just now
            continue
        if changed < than and path.is_file():
            yield path


def _blob_id(path: Path) -> bytes | None:
    """The id of a finished blob; None for anything else, which is not ours to remove."""
    try:
        found = bytes.fromhex(path.name)
    except ValueError:
        return None
    return found if len(found) == 16 and path.name == found.hex() else None


def keep_files(instance: Instance, blob_ids: Iterable[bytes]) -> None:
    """The files of a draft that is saved again are kept as long as the draft: call it beside every saving."""
    for blob_id in blob_ids:
        with suppress(FileNotFoundError):
            os.utime(instance.blobs / blob_id.hex())
