"""Sessions: rows in the database that only the holder of the cookie opens.

A session row names no account; what limits it (expiry, stage, step-up) is read from its seal, never from columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.people import SessionRow
from weerbaar_meldpunt.vault.derive import random_bytes
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import cookie_csrf, session_keys, session_owner
from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json

SID_BYTES: Final = 16
COOKIE_BYTES: Final = 48
IDLE: Final = {"person": timedelta(minutes=15), "reader": timedelta(minutes=30), "melder": timedelta(minutes=30)}
ABSOLUTE: Final = {"person": timedelta(hours=8), "reader": timedelta(hours=2), "melder": timedelta(hours=2)}
PRESESSION: Final = timedelta(minutes=5)
RESEAL_AFTER: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class SessionContent:
    """Who a session is: a person with an account (member or melder), or the holder of a receipt code."""

    kind: str  # person, melder, reader
    created: datetime
    expires: datetime
    idle_until: datetime
    user_id: bytes | None = None
    root: bytes | None = None
    lookup: bytes | None = None
    seed: bytes | None = None
    step_up_at: datetime | None = None
    extra: Mapping[str, Any] | None = None  # language, status messages: nothing that grants a right

    def __repr__(self) -> str:
        return f"SessionContent({self.kind}, …)"


@dataclass(frozen=True)
class Presession:
    """Half-way in: the password was right, the second factor is asked. Grants nothing."""

    user_id: bytes
    root: bytes
    created: datetime
    tries: int = 0

    def __repr__(self) -> str:
        return "Presession(…)"


def new_cookie() -> bytes:
    """A fresh cookie: 16 bytes that find the row, 32 that open it."""
    return random_bytes(COOKIE_BYTES)


def csrf_of(cookie: bytes) -> str:
    """The value that forms shown to the holder of this cookie are bound to."""
    return cookie_csrf(cookie[SID_BYTES:], cookie[:SID_BYTES])


def start_content(
    kind: str, *, now: datetime, user_id: bytes | None = None, root: bytes | None = None,
    lookup: bytes | None = None, seed: bytes | None = None,
) -> SessionContent:  # fmt: skip
    """A new session's content, with the limits of its kind."""
    return SessionContent(
        kind, now, now + ABSOLUTE[kind], now + IDLE[kind], user_id, root, lookup, seed, now if root else None
    )


def _document(content: SessionContent | Presession) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in vars(content).items():
        if isinstance(value, bytes):
            found[name] = value.hex()
        elif isinstance(value, datetime):
            found[name] = value.isoformat()
        elif value is not None:
            found[name] = value
    return found


_BYTES = ("user_id", "root", "lookup", "seed")
_MOMENTS = ("created", "expires", "idle_until", "step_up_at")


def _fields(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: bytes.fromhex(value) if name in _BYTES else datetime.fromisoformat(value) if name in _MOMENTS else value
        for name, value in document.items()
    }


def _row(cookie: bytes, stage: str) -> tuple[bytes, Any]:
    return session_keys(cookie[SID_BYTES:], cookie[:SID_BYTES], stage)


def _insert(
    session: Session, stage: str, content: SessionContent | Presession, owner: bytes | None, until: datetime
) -> bytes:
    cookie = new_cookie()
    row_id, key = _row(cookie, stage)
    sealed = seal_json(key, _document(content), Binding(stage, None, row_id, 1))
    session.add(SessionRow(id=row_id, owner=owner, revision=1, sweep_after=until, sealed=sealed))
    return cookie


def _open(
    session: Session, stage: str, cookie: bytes, *, to_change: bool = False
) -> tuple[SessionRow, dict[str, Any]] | None:
    if len(cookie) != COOKIE_BYTES:
        return None
    row_id, key = _row(cookie, stage)
    query = select(SessionRow).where(SessionRow.id == row_id)
    row = session.scalars(query.with_for_update() if to_change else query).one_or_none()
    if row is None:
        return None
    try:
        return row, _fields(open_json(key, row.sealed, Binding(stage, None, row_id, row.revision)))
    except Onleesbaar:
        return None


def create_session(session: Session, content: SessionContent) -> bytes:
    """A row for this content; answers the cookie, which stands nowhere else."""
    return _insert(session, "session", content, session_owner(content.root) if content.root else None, content.expires)


def open_session(session: Session, cookie: bytes, *, now: datetime) -> SessionContent | None:
    """The content behind a cookie, or nothing when it ended, was idle too long or never was."""
    found = _open(session, "session", cookie)
    if found is None:
        return None
    content = SessionContent(**found[1])
    return content if now < min(content.expires, content.idle_until) else None


def needs_keeping(content: SessionContent, *, now: datetime) -> bool:
    """Whether the idle limit is to be moved: at most once a minute."""
    return content.idle_until - now < IDLE[content.kind] - RESEAL_AFTER


def keep_session(session: Session, cookie: bytes, content: SessionContent, *, now: datetime) -> SessionContent:
    """Move the idle limit, or keep changed extras; the cookie stays the same."""
    kept = replace(content, idle_until=now + IDLE[content.kind])
    row_id, key = _row(cookie, "session")
    seen = session.scalar(select(SessionRow.revision).where(SessionRow.id == row_id))
    if seen is not None:
        sealed = seal_json(key, _document(kept), Binding("session", None, row_id, seen + 1))
        session.execute(
            update(SessionRow)
            .where(SessionRow.id == row_id, SessionRow.revision == seen)
            .values(revision=seen + 1, sealed=sealed)
        )
    return kept


def end_session(session: Session, cookie: bytes) -> None:
    """Delete the row: a copied cookie opens nothing any more."""
    if len(cookie) == COOKIE_BYTES:
        for stage in ("session", "presession"):
            session.execute(delete(SessionRow).where(SessionRow.id == _row(cookie, stage)[0]))


def end_all_sessions(session: Session, root: bytes, *, but: bytes | None = None) -> None:
    """End every session of a person, except the one with cookie `but`."""
    query = delete(SessionRow).where(SessionRow.owner == session_owner(root))
    if but is not None:
        query = query.where(SessionRow.id != _row(but, "session")[0])
    session.execute(query)


def create_presession(session: Session, content: Presession) -> bytes:
    """A row for somebody half-way in."""
    return _insert(session, "presession", content, None, content.created + PRESESSION)


def open_presession(session: Session, cookie: bytes, *, now: datetime, to_change: bool = False) -> Presession | None:
    """The content of a pre-session, or nothing; `to_change` keeps others from counting until the transaction ends."""
    found = _open(session, "presession", cookie, to_change=to_change)
    if found is None:
        return None
    content = Presession(**found[1])
    return content if now < content.created + PRESESSION else None


def count_try(session: Session, cookie: bytes, content: Presession) -> Presession:
    """Note one more wrong code in the pre-session itself, on top of what stands there now."""
    found = _open(session, "presession", cookie, to_change=True)
    if found is None:
        return replace(content, tries=content.tries + 1)
    row, document = found
    kept = Presession(**document)
    tried = replace(kept, tries=kept.tries + 1)
    row_id, key = _row(cookie, "presession")
    row.sealed = seal_json(key, _document(tried), Binding("presession", None, row_id, row.revision + 1))
    row.revision += 1
    session.flush()
    return tried


def sweep_sessions(session: Session, *, now: datetime) -> None:
    """Delete rows of sessions that are over."""
    session.execute(delete(SessionRow).where(SessionRow.sweep_after < now))
