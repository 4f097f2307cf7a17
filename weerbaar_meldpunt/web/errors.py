"""What went wrong, in words for who sees it: what happened, what is kept, what to do, whom to call. Never a trace."""

from __future__ import annotations

import logging

from flask import Flask, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from weerbaar_meldpunt.actions import room
from weerbaar_meldpunt.actions.errors import (
    Busy,
    NotAllowed,
    NotReady,
    NotYours,
    Onleesbaar,
    PathClosed,
    TooLarge,
    TooManyTries,
)
from weerbaar_meldpunt.actions.evidence import DiskFull

from . import carrying, patience, place
from .faults import kind_and_place
from .guards import LONG_TEXT, SAFE_METHODS, SMALL_FORM, FormExpired, ended_page, signed_in
from .patience import NoRoom

LOG = logging.getLogger("meldpunt")
_LONG = 20
# What these carry along is given back once somebody is in, and kept nowhere.
_THE_DOOR = frozenset({"signin.start", "signin.factor", "stepup.confirm", "receipt.come_in"})
# What is secret, and what a form says of itself: nobody wrote that, and with it the form could be sent once more. Names
# that begin with _ are the form's own too.
_NEVER_SHOWN = frozenset(
    {"csrf_token", "password", "old_password", "again", "code", "secret", "uri", "recovery", "passkey"}
    | {"form", "seen", "blob", "next", "user_id", "fingerprint"}
)


def _page(name: str, status: int, **values: object) -> tuple[str, int]:
    return render_template(f"errors/{name}.html", **values), status


def _not_found(_: Exception) -> ResponseReturnValue:
    return _page("not_found", 404)


def _forbidden(_: Exception) -> ResponseReturnValue:
    return _page("bad_request", 403)


def _expired(_: FormExpired) -> ResponseReturnValue:
    return _page("csrf", 400, typed=typed_texts())


def typed_texts() -> list[str]:
    """The long texts of a form that cannot be taken now, so that the page can give them back to who wrote them."""
    unread = "form" not in vars(request)
    if unread and (patience.refused() or request.content_length is None or request.content_length > LONG_TEXT):
        return []
    try:
        texts = list(request.form.items(multi=True))
    except (HTTPException, NoRoom):
        patience.refuse()
        return []
    along = carrying.carried()
    if along is not None:
        return along.texts
    return [
        value for name, value in texts if name not in _NEVER_SHOWN and not name.startswith("_") and len(value) > _LONG
    ]


def _too_large(_: Exception) -> ResponseReturnValue:
    patience.refuse()
    return _page("too_large", 413)


def _path_closed(fault: PathClosed) -> ResponseReturnValue:
    page = render_template("signin/closed.html", login=request.form.get("login", ""), typed=typed_texts())
    return page, 429, {"Retry-After": str(fault.retry_after)}


def _too_many(fault: TooManyTries) -> ResponseReturnValue:
    page, status = _page(
        "too_many", 429, retry_after=fault.retry_after, typed=typed_texts(), door=request.endpoint == "signin.start"
    )  # fmt: skip
    return page, status, {"Retry-After": str(fault.retry_after)}


def _busy(_: Exception) -> ResponseReturnValue:
    page, status = _page("busy", 503, retry_after=10, typed=typed_texts())
    return page, status, {"Retry-After": "10"}


def _no_room(fault: NoRoom) -> ResponseReturnValue:
    """Nothing of the body can be given back: it was not read."""
    patience.refuse()
    return _busy(fault)


def _no_database(fault: OperationalError) -> ResponseReturnValue:
    """The database is busy or away. Where a page cannot even ask who is signed in, one that asks nothing is shown."""
    LOG.error("database %s route=%s", type(fault.orig).__name__, request.endpoint)
    if room.is_disk_full(place.instance(), fault.orig):
        room.release_reserve(place.instance())  # the next opening can be logged again
        return _disk_full(fault)
    try:
        return _busy(fault)
    except OperationalError:
        return _bare(503)


def _bare(status: int) -> ResponseReturnValue:
    return current_app.jinja_env.get_template("errors/fault.html").render(), status


def _not_allowed(fault: NotAllowed) -> ResponseReturnValue:
    return _page("not_allowed", 403, reason=fault.reason)


def _not_ready(_: NotReady) -> ResponseReturnValue:
    return _page("not_ready", 503)


def refuse_when_full() -> None:
    """Before each request: nothing that people write is taken in when there is no room for it. Reading goes on."""
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method in SAFE_METHODS or getattr(view, "max_body", 0) <= SMALL_FORM or request.endpoint in _THE_DOOR:
        return
    if room.no_room_for_words(place.instance()):
        g.no_room = True  # its files are swallowed, so that the words beside them can be given back
        raise DiskFull


def _disk_full(fault: Exception) -> ResponseReturnValue:
    """Nothing half-stored. What was written is given back, unless it stopped in the middle of a file."""
    typed = typed_texts() if g.get("no_room") or "form" in vars(request) else []
    patience.refuse()
    try:
        files_only = isinstance(fault, DiskFull) and not room.no_room_for_words(place.instance())
        return _page("disk_full", 507, typed=typed, files_only=files_only)
    except OperationalError:
        return _bare(507)


def _unreadable(fault: Onleesbaar) -> ResponseReturnValue:
    LOG.error("unreadable object kind=%s route=%s", fault.kind, request.endpoint)
    return _page("unreadable", 500)


def _http(fault: HTTPException) -> ResponseReturnValue:
    if fault.code == 404:
        return _page("not_found", 404)
    if fault.code == 405:
        return _page("method", 405)
    if fault.code == 401:
        kept = carrying.this_form(LONG_TEXT) if signed_in() is None else None
        return (ended_page(kept), 401) if kept and kept.texts else _page("expired", 401, typed=typed_texts())
    if (fault.code or 500) < 500:
        return _page("bad_request", fault.code or 400, typed=[])
    return _bare(fault.code or 500)


def _broken(fault: Exception) -> ResponseReturnValue:
    LOG.error("fault %s route=%s", kind_and_place(fault), request.endpoint)
    return _bare(500)


def register(app: Flask) -> None:
    """Give every fault its page."""
    for kind, handler in (
        (NotYours, _not_found),
        (FormExpired, _expired),
        (TooLarge, _too_large),
        (RequestEntityTooLarge, _too_large),
        (PathClosed, _path_closed),
        (TooManyTries, _too_many),
        (Busy, _busy),
        (NoRoom, _no_room),
        (OperationalError, _no_database),
        (NotAllowed, _not_allowed),
        (NotReady, _not_ready),
        (DiskFull, _disk_full),
        (Onleesbaar, _unreadable),
        (403, _forbidden),
        (HTTPException, _http),
    ):
        app.register_error_handler(kind, handler)
    if not app.testing:
        app.register_error_handler(Exception, _broken)
