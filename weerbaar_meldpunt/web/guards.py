"""Who may see a page, how much it takes in, and that a form came from our own page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Final, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import abort, current_app, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms.validators import ValidationError

from weerbaar_meldpunt.actions import passkeys
from weerbaar_meldpunt.actions.people import STAFF_ROLES, Person
from weerbaar_meldpunt.actions.sessions import csrf_of, new_cookie

from . import carrying, patience
from .paths import safe_next
from .place import instance, now
from .sessions import DRAFT, PRESESSION, SESSION, Member, content, give_cookie, held_cookie

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
        bases = [csrf_of(visitor)]
    session["csrf_token"] = bases[0]
    return str(generate_csrf())


def _bases() -> list[str]:
    """What a form can hang from: the cookies of this browser. A draft outlives a session, so that a late report is
    not refused; a session that got another cookie at a second factor keeps the forms that were open.
    """
    found = []
    for kind in (DRAFT, SESSION, PRESESSION):
        cookie = held_cookie(kind)
        if cookie:
            found.append((kind == SESSION and g.get("forms")) or csrf_of(cookie))
    return found


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
        session["csrf_token"] = base
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
    """To the page that asks for a second factor, and back here afterwards; what a form held comes along."""
    if request.method in SAFE_METHODS:
        return redirect(url_for("stepup.ask", next=request.full_path.rstrip("?")), code=303)
    found = carrying.this_form(LONG_TEXT)
    if found is None:  # a form about a secret is filled in anew
        return redirect(url_for("stepup.ask", next=safe_next(request.path)), code=303)
    return render_template("signin/stepup.html", carried=found, back_to=None, **step_up_values()), 403


def step_up_values() -> dict[str, object]:
    """What the page that asks for a second factor needs of who is signed in."""
    found, me = content(), person()
    options = ""
    if found is not None and found.challenge is not None and passkeys.has_passkey(me.bundle):
        options = passkeys.request_options(instance(), found.challenge, me.bundle)
    return {"options": options, "only_passkey": passkeys.requires(me.roles, instance().settings) and bool(options)}


# --- roles that work with a passkey only ---------------------------------------------------------------------------

# What somebody can do before they made the passkey that their role asks for.
_WITHOUT_PASSKEY: Final = frozenset(
    {"passkeys.show", "passkeys.add", "stepup.ask", "stepup.confirm", "signin.out", "home.leave", "home.danger",
     "help.contact", "help.promises", "help.accessibility", "account.stay", "static"}
)  # fmt: skip


def lead_to_passkey() -> ResponseReturnValue | None:
    """Before each request: a member whose role asks for a passkey makes one, and does nothing else until then."""
    required = instance().settings.passkey_required
    if not required or request.endpoint is None or request.endpoint in _WITHOUT_PASSKEY:
        return None
    found = signed_in()
    if found is None or not passkeys.missing(found, instance().settings):
        return None
    return redirect(url_for("passkeys.show"), code=303)


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
    """To the sign-in page, and back here afterwards. What a form held when the session ended comes along."""
    if request.method in SAFE_METHODS:
        return redirect(url_for("signin.start", next=request.path), code=303)
    found = carrying.this_form(LONG_TEXT) if g.get("ended") else None
    if found is None or not (found.fields or found.had_files):
        return redirect(url_for("signin.start"), code=303)
    return ended_page(found), 401


def ended_page(found: carrying.Carried) -> str:
    """The page that asks to sign in again, and keeps what was typed."""
    return render_template("signin/start.html", carried=found, back_to=None, login="", errors={})
