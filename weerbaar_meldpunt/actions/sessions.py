"""Sessions: rows in the database that only the holder of the cookie opens.

A session row names no account; what limits it (expiry, stage, step-up) is read from its seal, never from columns. Those
of one person are found by a pseudonym that hangs from their ROOT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select
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
# Half-way in: after a password; after a recovery code, with a new one to write down; a visitor who was let try again.
PRESESSION: Final = {"pw": timedelta(minutes=5), "rc": timedelta(minutes=20), "": timedelta(minutes=15)}
MAX_FACTOR_TRIES: Final = 5
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
    challenge: bytes | None = None  # what a passkey signs to confirm something, or at its registration
    tries: int = 0  # wrong codes and passwords given while signed in
    forms: str | None = None  # what forms are bound to, when the cookie changed since they were made
    pending: Mapping[str, Any] | None = None  # a new password and code that are shown and not confirmed yet

    def __repr__(self) -> str:
        return f"SessionContent({self.kind}, …)"


@dataclass(frozen=True)
class Presession:
    """Half-way in: the password (or the recovery code) was right, the second factor is asked. Grants nothing.

    A visitor's (`way` empty) holds what a passkey is to sign, or which name a mailed link lets this browser try again.
    """

    user_id: bytes
    root: bytes
    created: datetime
    tries: int = 0
    way: str = "pw"
    revision: int = 0  # of the row that opened ROOT: a password that was changed meanwhile lets nobody in
    counter: bytes | None = None  # where tries are counted; that of the name when empty
    known: bool = False
    challenge: bytes | None = None
    opens: bytes | None = None
    proven: bool = False  # the second factor was shown; only the recovery code goes on from there
    pending: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        return "Presession(…)"


@dataclass(frozen=True)
class OwnSession:
    """One of a person's sessions, as far as can be said: what is inside opens with its own cookie only."""

    id: bytes
    started: datetime
    ends: datetime
    this: bool


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
        kind, now, now + ABSOLUTE[kind], now + IDLE[kind], user_id, root, lookup, seed,
        step_up_at=now if root else None, challenge=new_challenge() if root else None,
    )  # fmt: skip


def visitor(*, now: datetime, opens: bytes | None = None) -> Presession:
    """Somebody of whom nothing is known yet."""
    return Presession(b"", b"", now, way="", opens=opens, challenge=new_challenge())


def with_challenge(content: Presession) -> Presession:
    """Somebody half-way in, with what their passkey is to sign."""
    return replace(content, challenge=new_challenge())


def new_challenge() -> bytes:
    """What a passkey is to sign, once."""
    return random_bytes(32)


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


_BYTES = ("user_id", "root", "lookup", "seed", "challenge", "counter", "opens")
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


def read_session(session: Session, cookie: bytes) -> SessionContent | None:
    """The content behind a cookie, also when its time is over; nothing when it ended or never was."""
    found = _open(session, "session", cookie)
    return SessionContent(**found[1]) if found else None


def is_over(content: SessionContent, *, now: datetime) -> bool:
    """Whether a session lasted too long, or was idle too long."""
    return now >= min(content.expires, content.idle_until)


def open_session(session: Session, cookie: bytes, *, now: datetime) -> SessionContent | None:
    """The content behind a cookie, or nothing when it ended, was idle too long or never was."""
    content = read_session(session, cookie)
    return None if content is None or is_over(content, now=now) else content


def needs_keeping(content: SessionContent, *, now: datetime) -> bool:
    """Whether the idle limit is to be moved: at most once a minute."""
    return content.idle_until - now < IDLE[content.kind] - RESEAL_AFTER


def _reseal(session: Session, stage: str, cookie: bytes, **changed: Any) -> dict[str, Any] | None:
    """Change some of what a row holds now, whatever others changed since it was read."""
    found = _open(session, stage, cookie, to_change=True)
    if found is None:
        return None
    row, fields = found
    fields |= changed
    row_id, key = _row(cookie, stage)
    content = SessionContent(**fields) if stage == "session" else Presession(**fields)
    row.sealed = seal_json(key, _document(content), Binding(stage, None, row_id, row.revision + 1))
    row.revision += 1
    session.flush()
    return fields


def keep_session(session: Session, cookie: bytes, content: SessionContent, *, now: datetime) -> SessionContent:
    """Move the idle limit, or keep changed extras; the cookie stays the same."""
    until = now + IDLE[content.kind]
    kept = _reseal(session, "session", cookie, idle_until=until, extra=content.extra)
    return SessionContent(**kept) if kept else replace(content, idle_until=until)


def keep_pending(
    session: Session, cookie: bytes, content: SessionContent, pending: Mapping[str, Any] | None
) -> SessionContent:
    """Keep (or drop) what is shown and not confirmed yet."""
    kept = _reseal(session, "session", cookie, pending=pending)
    return SessionContent(**kept) if kept else content


def new_challenge_for(session: Session, cookie: bytes, content: SessionContent) -> SessionContent:
    """Once a passkey signed, or tried to, the next one is asked something else."""
    kept = _reseal(session, "session", cookie, challenge=new_challenge())
    return SessionContent(**kept) if kept else content


def count_wrong(session: Session, cookie: bytes, content: SessionContent) -> SessionContent | None:
    """Note a wrong code or password of somebody who is signed in. Nothing after five: the session is ended."""
    found = _open(session, "session", cookie, to_change=True)
    if found is None:
        return None
    if found[1].get("tries", 0) + 1 >= MAX_FACTOR_TRIES:
        end_session(session, cookie)
        return None
    kept = _reseal(session, "session", cookie, tries=found[1].get("tries", 0) + 1, challenge=new_challenge())
    return SessionContent(**kept) if kept else None


def renew_session(session: Session, cookie: bytes, *, now: datetime) -> tuple[bytes, SessionContent] | None:
    """After a second factor: the same session under another cookie, so that an older copy opens nothing.

    Forms that were open before stay good. Nothing when the session ended meanwhile.
    """
    found = _open(session, "session", cookie, to_change=True)
    if found is None:
        return None
    content = SessionContent(**found[1])
    content = replace(
        content, step_up_at=now, idle_until=now + IDLE[content.kind], tries=0, challenge=new_challenge(),
        forms=content.forms or csrf_of(cookie),
    )  # fmt: skip
    end_session(session, cookie)
    return create_session(session, content), content


def own_sessions(session: Session, root: bytes, cookie: bytes, *, now: datetime) -> list[OwnSession]:
    """The sessions of a person that did not reach their end, newest first; which of them is idle, nobody can see."""
    here = _row(cookie, "session")[0]
    rows = session.scalars(
        select(SessionRow).where(SessionRow.owner == session_owner(root), SessionRow.sweep_after > now)
    ).all()
    content = read_session(session, cookie)
    lasts = ABSOLUTE[content.kind if content else "person"]
    found = [OwnSession(row.id, row.sweep_after - lasts, row.sweep_after, row.id == here) for row in rows]
    return sorted(found, key=lambda one: (one.this, one.started, one.id), reverse=True)


def end_own_session(session: Session, root: bytes, row_id: bytes) -> None:
    """End one session of a person; nothing happens when it is somebody else's."""
    session.execute(delete(SessionRow).where(SessionRow.id == row_id, SessionRow.owner == session_owner(root)))


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
    return _insert(session, "presession", content, None, content.created + PRESESSION[content.way])


def open_presession(session: Session, cookie: bytes, *, now: datetime, to_change: bool = False) -> Presession | None:
    """The content of a pre-session, or nothing; `to_change` keeps others from counting until the transaction ends."""
    found = _open(session, "presession", cookie, to_change=to_change)
    if found is None:
        return None
    content = Presession(**found[1])
    return content if now < content.created + PRESESSION[content.way] else None


def count_try(session: Session, cookie: bytes, content: Presession) -> Presession:
    """Note one more wrong code in the pre-session itself, on top of what stands there now; a passkey is asked anew."""
    found = _open(session, "presession", cookie, to_change=True)
    if found is None:
        return replace(content, tries=content.tries + 1)
    kept = _reseal(session, "presession", cookie, tries=found[1].get("tries", 0) + 1, challenge=new_challenge())
    return Presession(**kept) if kept else replace(content, tries=content.tries + 1)


def keep_presession(session: Session, cookie: bytes, content: Presession) -> None:
    """Keep what a recovery has come to; tries stay as they are."""
    _reseal(session, "presession", cookie, proven=content.proven, pending=content.pending)


def sweep_sessions(session: Session, *, now: datetime) -> None:
    """Delete rows of sessions that are over."""
    session.execute(delete(SessionRow).where(SessionRow.sweep_after < now))
