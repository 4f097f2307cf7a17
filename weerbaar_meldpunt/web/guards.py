"""Who may see a page, how much it takes in, and that a form came from our own page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Final, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import abort, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms.validators import ValidationError

from weerbaar_meldpunt.actions.people import STAFF_ROLES, Person
from weerbaar_meldpunt.actions.sessions import csrf_of, new_cookie

from . import patience
from .place import now
from .sessions import DRAFT, PRESESSION, SESSION, Member, content, give_cookie, read_cookie

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., ResponseReturnValue])

KIB: Final = 1024
MIB: Final = 1024 * KIB
SMALL_FORM: Final = 64 * KIB
# A sealed document holds 1 MiB, and writing it as a form can triple it.
LONG_TEXT: Final = 3 * MIB
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class FormExpired(Exception):
    """The form is not from a page that this browser has open: too old, or not ours."""


# --- what a page takes in ------------------------------------------------------------------------------------------


def takes(limit: int) -> Callable[[F], F]:
    """A page that takes more than a small form; in bytes."""

    def marked(view: F) -> F:
        view.max_body = limit  # type: ignore[attr-defined]
        return view

    return marked


def limit_body() -> None:
    """Before each request: nobody makes a page read more than it asked for."""
    view = current_app.view_functions.get(request.endpoint or "")
    limit: int = getattr(view, "max_body", SMALL_FORM)
    request.max_content_length = limit
    request.max_form_memory_size = min(limit, LONG_TEXT)
    if request.method not in SAFE_METHODS and limit > SMALL_FORM and not _short():
        patience.hold()


def _short() -> bool:
    return request.content_length is not None and request.content_length <= SMALL_FORM


# --- forms ---------------------------------------------------------------------------------------------------------


def form_token() -> str:
    """The token of a form on the page that is being made; a visitor without a cookie gets one for it."""
    bases = _bases()
    if not bases:
        visitor = new_cookie()
        give_cookie(PRESESSION, visitor)
        bases = [visitor]
    session["csrf_token"] = csrf_of(bases[0])
    return str(generate_csrf())


def _bases() -> list[bytes]:
    """The cookies a form can hang from. A draft outlives a session, so that a late report is not refused."""
    return [cookie for kind in (DRAFT, SESSION, PRESESSION) if (cookie := read_cookie(request, kind))]


def check_form() -> None:
    """Before each request that changes something: it comes from our own page, in this very browser."""
    if request.method in SAFE_METHODS or request.endpoint is None:
        return
    view = current_app.view_functions.get(request.endpoint)
    if getattr(view, "token_authenticated", False):
        return
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    if site not in ("same-origin", "none") or (origin not in (None, "null") and not _own(origin)):
        abort(403)
    bases = _bases()
    if not bases and (request.content_length is None or request.content_length > LONG_TEXT):
        # Nothing in it can be right, and it is more than words that the page could give back: it is not read.
        patience.refuse()
        raise FormExpired
    token = request.form.get("csrf_token")
    for base in bases:
        session["csrf_token"] = csrf_of(base)
        try:
            validate_csrf(token)
        except ValidationError:
            continue
        return
    raise FormExpired


def _own(origin: str) -> bool:
    return urlsplit(origin).netloc == request.host


# --- who may see it ------------------------------------------------------------------------------------------------


def signed_in() -> Person | None:
    """The person who is signed in, with their keys; None for everybody else."""
    if not current_user.is_authenticated:
        return None
    return cast(Member, current_user).person


def person() -> Person:
    """The person of a page that only signed-in people see."""
    found = signed_in()
    if found is None:
        abort(401)
    return found


def account_required(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """A page for anybody with an account."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        return view(*args, **kwargs) if signed_in() else to_signin()

    return guarded


def staff_required(*roles: str) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """A page for staff, or for staff with one of these roles. Others see that there is no such page."""

    def guard(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            found = signed_in()
            if found is None:
                return to_signin()
            held = {role for role, _ in found.roles}
            if not held & (set(roles) or STAFF_ROLES):
                abort(404)
            return view(*args, **kwargs)

        return guarded

    return guard


STEP_UP: Final = timedelta(minutes=5)


def stepped_up(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """A page for who showed a second factor in the last five minutes; put it inside the decorator of the role.

    Others are asked for a code first and come back here. What a form held when the five minutes were over stays.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        found = content()
        if found is None or found.step_up_at is None or not timedelta() <= now() - found.step_up_at < STEP_UP:
            return to_step_up()
        return view(*args, **kwargs)

    guarded.asks_step_up = True  # type: ignore[attr-defined]
    return guarded


def to_step_up() -> ResponseReturnValue:
    """To the page that asks for a code of the second factor, and back here afterwards."""
    return to_signin()


def reader_required(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """A page for the holder of a receipt code."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        found = content()
        if found is None or found.kind != "reader":
            return redirect(url_for("receipt.enter"), code=303)
        return view(*args, **kwargs)

    return guarded


def to_signin() -> ResponseReturnValue:
    """To the sign-in page, and back here afterwards."""
    back = request.path if request.method in SAFE_METHODS else None
    return redirect(url_for("signin.start", next=back), code=303)


def safe_next(path: str | None) -> str | None:
    """A path on this site to go to after signing in; nothing that leads elsewhere, as browsers read it."""
    # Browsers leave out tabs and line ends wherever they stand, and read a backslash as a slash.
    if not path or not path.isprintable() or "\\" in path or not path.startswith("/") or path.startswith("//"):
        return None
    try:
        parts = urlsplit(path)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else path
