"""Flask's session on our own rows: a stolen database opens none, a copied cookie ends with the sign-out.

What stands in `flask.session` lives for one request, except status messages and the language of somebody who is signed
in. Rights are read from the sealed content, never from here.
"""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from flask import Flask, Request, Response, g, request
from flask.sessions import SessionInterface, SessionMixin
from flask_login import LoginManager, UserMixin, login_user, logout_user
from sqlalchemy.exc import OperationalError

from weerbaar_meldpunt.actions import sessions as rows
from weerbaar_meldpunt.actions.errors import Onleesbaar
from weerbaar_meldpunt.actions.instance import hasty_transaction
from weerbaar_meldpunt.actions.people import Person, unlock
from weerbaar_meldpunt.actions.sessions import Presession, SessionContent
from weerbaar_meldpunt.settings import Settings

from .place import instance, now, reading, transaction

SESSION, PRESESSION, DRAFT, DEVICE = "", "-pre", "-draft", "-device"
LOG = logging.getLogger("meldpunt")
_KEPT: Final = ("_flashes", "language")
# The way out must work when the database does not: it ends a session without reading it.
UNREAD: Final = ("/snel-weg",)


class VisitSession(dict[str, Any], SessionMixin):
    """What Flask and its extensions keep during one request."""


class SealedSessions(SessionInterface):
    """Opens the session behind the cookie, and keeps what may be kept."""

    def open_session(self, app: Flask, request: Request) -> VisitSession:
        """The content of the row, if the cookie opens one; else an empty session."""
        visit = VisitSession()
        g.content, g.cookie, g.kept = None, b"", dict.fromkeys(_KEPT)
        if request.path.startswith("/static/"):  # the same for everybody; needs no database
            return visit
        g.cookie = read_cookie(request, SESSION)
        if g.cookie and request.path not in UNREAD:
            with reading() as session:
                found = rows.read_session(session, g.cookie)
            # Forms that are still open in this browser are bound to what they were made with.
            g.forms = found.forms if found else None
            if found is None or rows.is_over(found, now=now()):
                g.ended = True  # there was one: pages can say that it is over
            else:
                g.content = found
                visit.update(g.content.extra or {})
                if g.content.user_id is not None:
                    visit["_user_id"] = g.content.user_id.hex()
        g.kept = {name: visit.get(name) for name in _KEPT}
        return visit

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep the idle limit and the few things that outlive a request, at most once a minute if nothing changed."""
        if session.get("_drop_cookie"):
            response.delete_cookie(cookie_name(SESSION), secure=cookie_secure(), httponly=True, samesite="Strict")
        set_cookies(response)
        content: SessionContent | None = g.get("content")
        if content is None or not g.get("cookie"):
            return
        kept = {name: session.get(name) for name in _KEPT}
        if changed := kept != g.get("kept"):
            content = replace(content, extra={name: value for name, value in kept.items() if value})
        elif not rows.needs_keeping(content, now=now()):
            return
        try:
            # The idle limit is kept at the next page as well; nobody waits for it.
            with transaction() if changed else hasty_transaction(instance()) as database:
                rows.keep_session(database, g.cookie, content, now=now())
        except OperationalError as fault:
            LOG.error("session not kept: database %s", type(fault.orig).__name__)


# --- cookies -------------------------------------------------------------------------------------------------------


def _plain_names(settings: Settings) -> bool:
    # Some browsers refuse secure cookies over plain http; a demonstration holds nothing real.
    return settings.demonstration and settings.base_url.startswith("http://")


def cookie_name(kind: str) -> str:
    """The name of one of our cookies: bound to this host, or plain on a demonstration without TLS."""
    return ("wmp" if _plain_names(instance().settings) else "__Host-wmp") + kind


def cookie_secure() -> bool:
    """Whether the browser may send our cookies over TLS (or to itself) only."""
    return not _plain_names(instance().settings)


def read_cookie(request: Request, kind: str) -> bytes:
    """The bytes of a cookie; empty when there is none or it is not one of ours."""
    try:
        found = base64.urlsafe_b64decode(request.cookies.get(cookie_name(kind), "").encode("ascii"))
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return b""
    return found if len(found) == rows.COOKIE_BYTES else b""


def give_cookie(kind: str, cookie: bytes | None, *, lasts: timedelta | None = None) -> None:
    """Set one of our cookies with this answer, or take it away; without `lasts` it goes with the browser."""
    g.setdefault("cookies_to_set", {})[kind] = (cookie, lasts)


def held_cookie(kind: str) -> bytes:
    """What this browser holds once it has this answer."""
    given: dict[str, tuple[bytes | None, timedelta | None]] = g.get("cookies_to_set", {})
    return (given[kind][0] or b"") if kind in given else read_cookie(request, kind)


def set_cookies(response: Response) -> None:
    """Put what `give_cookie` was told into the answer."""
    for kind, (cookie, lasts) in g.pop("cookies_to_set", {}).items():
        name = cookie_name(kind)
        if cookie is None:
            response.delete_cookie(name, secure=cookie_secure(), httponly=True, samesite=_same_site(kind))
        else:
            response.set_cookie(
                name,
                base64.urlsafe_b64encode(cookie).decode("ascii"),
                max_age=lasts,
                secure=cookie_secure(),
                httponly=True,
                samesite=_same_site(kind),
            )


def _same_site(kind: str) -> str:
    # An own device is known too when its owner follows the link of a mail to the door. It opens nothing.
    return "Lax" if kind == DEVICE else "Strict"


# --- who is here ---------------------------------------------------------------------------------------------------


class Member(UserMixin):  # type: ignore[misc]
    """Somebody with an account, for Flask-Login; `person` holds what their ROOT opens."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def get_id(self) -> str:
        """The account's id."""
        return self.person.user_id.hex()


login_manager = LoginManager()
login_manager.session_protection = None


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(user_id: str) -> Member | None:
    content: SessionContent | None = g.get("content")
    if content is None or content.user_id is None or content.user_id.hex() != user_id:
        return None
    person = _unlocked(content)
    return Member(person) if person else None


def _unlocked(content: SessionContent) -> Person | None:
    try:
        with reading() as session:
            return unlock(session, instance(), content)
    except Onleesbaar:  # ROOT was replaced since this session began
        return None


def content() -> SessionContent | None:
    """The content of the session of this request: a person with an account, or the holder of a receipt code."""
    found: SessionContent | None = g.get("content")
    return found


def start(fresh: SessionContent) -> None:
    """Begin a session with a new cookie; what was there before ends."""
    with transaction() as session:
        for old in (g.get("cookie"), read_cookie(request, PRESESSION)):
            if old:
                rows.end_session(session, old)
        g.cookie = rows.create_session(session, fresh)
    g.content = fresh
    give_cookie(SESSION, g.cookie)
    give_cookie(PRESESSION, None)
    g.forms = None
    if fresh.user_id is not None:
        person = _unlocked(fresh)
        if person:
            login_user(Member(person))


def step_up() -> bool:
    """After a second factor: the session goes on under another cookie. False when it ended meanwhile."""
    with transaction() as session:
        renewed = rows.renew_session(session, g.cookie, now=now())
    if renewed is None:
        return False
    g.cookie, g.content = renewed
    g.forms = g.content.forms
    give_cookie(SESSION, g.cookie)
    return True


def seconds_left() -> int | None:
    """How long a session goes on when nothing is asked after this page; none without a session."""
    found = content()
    if found is None:
        return None
    idle = now() + rows.IDLE[found.kind] if rows.needs_keeping(found, now=now()) else found.idle_until
    return int((min(idle, found.expires) - now()).total_seconds())


def end() -> None:
    """End the session of this request: its row goes, so that a copied cookie opens nothing."""
    cookie = g.get("cookie")
    logout_user()
    if cookie:
        with transaction() as session:
            rows.end_session(session, cookie)
    g.content, g.cookie = None, b""
    give_cookie(SESSION, None)
    give_cookie(PRESESSION, None)


def leave() -> None:
    """End the session of this request at once: its cookies go whatever the database does, its row if that can be."""
    cookie = g.get("cookie")
    logout_user()
    g.content, g.cookie = None, b""
    give_cookie(SESSION, None)
    give_cookie(PRESESSION, None)
    if cookie:
        try:
            with hasty_transaction(instance()) as session:
                rows.end_session(session, cookie)
        except OperationalError as fault:
            LOG.error("session not ended: database %s", type(fault.orig).__name__)


def presession() -> Presession | None:
    """Who is half-way in."""
    cookie = read_cookie(request, PRESESSION)
    if not cookie:
        return None
    with reading() as session:
        return rows.open_presession(session, cookie, now=now())


def idle_seconds() -> int:
    """How long this session may be idle."""
    found = content()
    return int(rows.IDLE[found.kind].total_seconds()) if found else 0
