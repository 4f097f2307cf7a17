"""Drafts: what somebody types is kept, sealed, from the first page on, and only their cookie opens it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Draft as DraftRow
from weerbaar_meldpunt.vault.derive import random_bytes
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import Binding, SealKey, open_json, seal_json

KEPT: Final = timedelta(days=14)
COOKIE_BYTES: Final = 48


@dataclass(frozen=True)
class DraftFile:
    """An uploaded file of a draft: sealed already, with the key that only the draft holds."""

    blob_id: bytes
    key: bytes = field(repr=False)
    name: str = field(repr=False)
    size: int
    sha256: bytes
    media_type: str
    received_at: datetime

    def document(self) -> dict[str, Any]:
        """For the sealed draft or the sealed meta of an attachment."""
        return {
            "blob": self.blob_id.hex(), "key": self.key.hex(), "name": self.name, "size": self.size,
            "sha256": self.sha256.hex(), "type": self.media_type, "at": self.received_at.isoformat(),
        }  # fmt: skip

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> DraftFile:
        """Back from the sealed form."""
        return cls(
            bytes.fromhex(document["blob"]), bytes.fromhex(document["key"]), document["name"], document["size"],
            bytes.fromhex(document["sha256"]), document["type"], datetime.fromisoformat(document["at"]),
        )  # fmt: skip


class DraftChanged(Exception):
    """Another tab saved meanwhile; `current` is what stands there now. Nothing was overwritten."""

    def __init__(self, current: Draft) -> None:
        super().__init__()
        self.current = current


@dataclass
class Draft:
    """An unfinished report: answers in any shape the form needs, and the files so far."""

    cookie: bytes = field(repr=False)
    form_token: str = field(repr=False)
    answers: dict[str, Any] = field(default_factory=dict, repr=False)
    files: list[DraftFile] = field(default_factory=list, repr=False)
    revision: int = 0

    @property
    def lookup(self) -> bytes:
        """By what the row is found."""
        return self.cookie[:16]

    @property
    def _key(self) -> SealKey:
        return SealKey(self.cookie[16:])


def new_draft() -> Draft:
    """An empty draft; nothing is written until it is saved."""
    return Draft(random_bytes(COOKIE_BYTES), random_bytes(32).hex())


def open_draft(session: Session, cookie: bytes, *, now: datetime) -> Draft | None:
    """The draft behind a cookie, or nothing when there is none, it is over or it does not open."""
    if len(cookie) != COOKIE_BYTES:
        return None
    row = session.execute(
        select(DraftRow.revision, DraftRow.sealed, DraftRow.expires_at).where(DraftRow.lookup == cookie[:16])
    ).one_or_none()
    if row is None or row.expires_at <= now:
        return None
    draft = Draft(cookie, "", revision=row.revision)
    try:
        document = open_json(draft._key, row.sealed, Binding("draft", None, draft.lookup, row.revision))
    except Onleesbaar:
        return None
    draft.form_token, draft.answers = document["form"], document["answers"]
    draft.files = [DraftFile.from_document(file) for file in document["files"]]
    return draft


def save_draft(session: Session, draft: Draft, *, now: datetime) -> None:
    """Seal and store the draft; raises `DraftChanged` instead of overwriting what another tab saved."""
    document = {
        "form": draft.form_token, "answers": draft.answers, "files": [file.document() for file in draft.files]
    }  # fmt: skip
    revision = draft.revision + 1
    values = {
        "revision": revision,
        "sealed": seal_json(draft._key, document, Binding("draft", None, draft.lookup, revision)),
        "expires_at": now + KEPT,
    }
    if draft.revision == 0:
        session.execute(insert(DraftRow).values(lookup=draft.lookup, **values))
    else:
        written = session.execute(
            update(DraftRow)
            .where(DraftRow.lookup == draft.lookup, DraftRow.revision == draft.revision)
            .values(**values)
        )
        if written.rowcount != 1:  # type: ignore[attr-defined]
            current = open_draft(session, draft.cookie, now=now)
            if current is None:  # it went meanwhile: keep the text under the same cookie
                session.execute(insert(DraftRow).values(lookup=draft.lookup, **values))
            else:
                raise DraftChanged(current)
    draft.revision = revision


def discard_draft(session: Session, draft: Draft) -> None:
    """Delete the draft's row, in the transaction that files it or at the reporter's word."""
    session.execute(delete(DraftRow).where(DraftRow.lookup == draft.lookup))


def sweep_drafts(session: Session, *, now: datetime) -> int:
    """Delete drafts whose time is over; their files go with the sweep of blobs."""
    swept = session.execute(delete(DraftRow).where(DraftRow.expires_at < now))
    return int(swept.rowcount)  # type: ignore[attr-defined]
