"""Drafts: what somebody types is kept, sealed, from the first page on, and only their cookie or draft code opens it.

Once a draft is sent, its answers are gone and for half an hour only its form token stays, under the same cookie: so a
second press, a reload or the way back show the same receipt instead of filing a second case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Draft as DraftRow
from weerbaar_meldpunt.vault.codes import WrongCode, read_code, shown_code
from weerbaar_meldpunt.vault.derive import random_bytes
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import FormKeys, split
from weerbaar_meldpunt.vault.seal import Binding, SealKey, open_json, seal_json

from .errors import TooLarge
from .instance import Instance

KEPT: Final = timedelta(days=14)
KEPT_AFTER_SENDING: Final = timedelta(minutes=30)
COOKIE_BYTES: Final = 48
TOKEN_HEX: Final = 64
# What is kept of a sent draft beside its token: how the receipt is to be worded. Nothing that was reported.
KEPT_ANSWERS: Final = ("_call", "_account", "_earlier")


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
    """An unfinished report: answers in any shape the form needs, and the files; or what is left of a sent one."""

    cookie: bytes = field(repr=False)
    form_token: str = field(repr=False)
    answers: dict[str, Any] = field(default_factory=dict, repr=False)
    files: list[DraftFile] = field(default_factory=list, repr=False)
    revision: int = 0
    sent_at: datetime | None = None
    in_account: bool = False  # kept in one of the account's slots: the account finds it, and no code opens it

    @property
    def lookup(self) -> bytes:
        """By what the row is found."""
        return self.cookie[:16]

    @property
    def sent(self) -> bool:
        """Whether the report was filed already."""
        return self.sent_at is not None

    @property
    def code(self) -> str:
        """The code by which the reporter opens the draft again, in any browser; empty for one of an account."""
        if self.in_account:
            return ""
        return shown_code(FormKeys(bytes.fromhex(self.form_token)).code("draft"))

    @property
    def _key(self) -> SealKey:
        return SealKey(self.cookie[16:])


def new_draft(instance: Instance, form_token: str | None = None) -> Draft:
    """An empty draft; nothing is written until it is saved. Its code, and so its cookie, hang from the form token."""
    token = form_token or random_bytes(32).hex()
    lookup, key = split(FormKeys(bytes.fromhex(token)).code("draft"), instance.id, "draft")
    return Draft(lookup + key.secret, token)


def draft_in(slot: bytes) -> Draft:
    """An empty draft in a free slot of an account; its form token is its own."""
    return Draft(slot, random_bytes(32).hex(), in_account=True)


def is_form_token(text: str) -> bool:
    """Whether a text that a form brought back can be one of our form tokens."""
    return len(text) == TOKEN_HEX and all(c in "0123456789abcdef" for c in text)


def draft_cookie(instance: Instance, typed: str) -> bytes | None:
    """The cookie behind a draft code; nothing for what is no code. Whether there is such a draft, opening it tells."""
    try:
        lookup, key = split(read_code(typed), instance.id, "draft")
    except WrongCode:
        return None
    return lookup + key.secret


def open_draft(session: Session, cookie: bytes, *, now: datetime, hold: bool = False) -> Draft | None:
    """The draft behind a cookie, or nothing when there is none, it is over or it does not open.

    With `hold` nobody else sends or discards it before this transaction ends, where a database lets two write at once.
    """
    if len(cookie) != COOKIE_BYTES:
        return None
    wanted = select(DraftRow.revision, DraftRow.sealed, DraftRow.expires_at).where(DraftRow.lookup == cookie[:16])
    row = session.execute(wanted.with_for_update() if hold else wanted).one_or_none()
    if row is None or row.expires_at <= now:
        return None
    draft = Draft(cookie, "", revision=row.revision)
    try:
        document = open_json(draft._key, row.sealed, Binding("draft", None, draft.lookup, row.revision))
    except Onleesbaar:
        return None
    draft.form_token, draft.answers = document["form"], document["answers"]
    draft.files = [DraftFile.from_document(file) for file in document["files"]]
    draft.in_account = document.get("in_account", False)
    sent_at = document.get("sent_at")
    draft.sent_at = datetime.fromisoformat(sent_at) if sent_at else None
    return draft


def save_draft(session: Session, draft: Draft, *, now: datetime) -> None:
    """Seal and store the draft; raises `DraftChanged` instead of overwriting what another tab saved.

    `TooLarge` when it holds more than one sealed document can, with nothing written.
    """
    document = {
        "form": draft.form_token, "answers": draft.answers, "files": [file.document() for file in draft.files],
        "sent_at": draft.sent_at.isoformat() if draft.sent_at else None, "in_account": draft.in_account,
    }  # fmt: skip
    revision = draft.revision + 1
    try:
        sealed = seal_json(draft._key, document, Binding("draft", None, draft.lookup, revision))
    except ValueError:
        raise TooLarge from None
    kept = KEPT_AFTER_SENDING if draft.sent else KEPT
    values = {"revision": revision, "sealed": sealed, "expires_at": now + kept}
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
            if current is not None:
                raise DraftChanged(current)
            # It went meanwhile (its time was over): the text is kept under the same cookie.
            session.execute(delete(DraftRow).where(DraftRow.lookup == draft.lookup))
            session.execute(insert(DraftRow).values(lookup=draft.lookup, **values))
    draft.revision = revision


def mark_sent(session: Session, draft: Draft, *, now: datetime) -> None:
    """In the transaction that files it: the answers go, the token stays for as long as somebody may press again."""
    draft.answers = {name: value for name, value in draft.answers.items() if name in KEPT_ANSWERS}
    draft.files, draft.sent_at = [], now
    save_draft(session, draft, now=now)


def discard_draft(session: Session, draft: Draft) -> None:
    """Delete the draft's row, at the reporter's word."""
    session.execute(delete(DraftRow).where(DraftRow.lookup == draft.lookup))


def sweep_drafts(session: Session, *, now: datetime) -> int:
    """Delete drafts whose time is over; their files go with the sweep of blobs."""
    swept = session.execute(delete(DraftRow).where(DraftRow.expires_at < now))
    return int(swept.rowcount)  # type: ignore[attr-defined]
