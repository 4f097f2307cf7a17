"""Signing in and out: login and password, then a second factor; and what is kept when somebody comes back late."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from weerbaar_meldpunt.actions import devices, passkeys, passwordkeys
from weerbaar_meldpunt.actions import people as accounts
from weerbaar_meldpunt.actions import sessions as rows
from weerbaar_meldpunt.actions import signin as door
from weerbaar_meldpunt.actions.factors import Given
from weerbaar_meldpunt.actions.people import Person
from weerbaar_meldpunt.actions.sessions import Presession
from weerbaar_meldpunt.actions.signin import Welcome

from . import carrying, drafting, sessions
from .guards import LONG_TEXT, signed_in, takes
from .paths import safe_next
from .place import instance, now, reading, transaction

pages = Blueprint("signin", __name__)

DEVICE_LASTS: Final = timedelta(days=devices.KEPT_DAYS)


def origin() -> str:
    """The origin of this request, for a demonstration that is looked at on another port than it was told."""
    return request.host_url.rstrip("/")


# --- login and password --------------------------------------------------------------------------------------------


@pages.route("/inloggen", methods=["GET", "POST"])
@takes(LONG_TEXT)
def start() -> ResponseReturnValue:
    """Login and password. Every failure looks the same, also for an account that does not exist."""
    back = safe_next(request.values.get("next"))
    if request.method == "GET":
        found = signed_in()
        if found:
            return redirect(back or first_page(found), code=303)
        return render_template("signin/start.html", back_to=back, login="", errors={})
    half = _password()
    if half is None:
        return _wrong_password("signin/start.html", back)
    along = carrying.carried()
    if along is not None:
        return _factor_page(half, back, along)
    return redirect(url_for("signin.factor", next=back), code=303)


def _password(credential: str = "") -> Presession | None:
    """Check login and password, and remember who is half-way in. `credential`: what a passkey signed beforehand."""
    visitor = _visitor()
    login, password = request.form.get("login", ""), request.form.get("password", "")
    with reading() as session:
        arrival = door.arrive(
            session, instance(), login, now=now(), device=sessions.read_cookie(request, sessions.DEVICE),
            credential=credential, opens=visitor.opens if visitor else None,
            link=sessions.read_cookie(request, sessions.PRESESSION)[: rows.SID_BYTES],
        )  # fmt: skip
    # In turn, and without holding the database: first the place in the queue, then the try is counted, then derived.
    with passwordkeys.place(known=arrival.counter.known):
        with transaction() as session:
            turn = door.take_turn(session, arrival, now=now())
        half = door.check_password(instance(), arrival, password, now=now())
    if half is None:
        return None
    with transaction() as session:
        door.right(session, turn, now=now())
        half = rows.with_challenge(half)
        if not credential:
            cookie = rows.create_presession(session, half)
            sessions.give_cookie(sessions.PRESESSION, cookie)
    return half


def _visitor() -> Presession | None:
    found = sessions.presession()
    return found if found is not None and not found.way else None


def _wrong_password(page: str, back: str | None, **more: object) -> ResponseReturnValue:
    errors = {"password": _("Dit klopt niet. Kijk uw e-mailadres en uw wachtwoord na, en probeer het opnieuw.")}
    login = request.form.get("login", "")
    return render_template(
        page, back_to=back, login=login, errors=errors, carried=carrying.carried(), **more
    ), 401  # fmt: skip


# --- the second factor ---------------------------------------------------------------------------------------------


@pages.route("/inloggen/code", methods=["GET", "POST"])
@takes(LONG_TEXT)
def factor() -> ResponseReturnValue:
    """The second factor. A code is good once; after five wrong ones the password is asked again."""
    back = safe_next(request.values.get("next"))
    if request.method == "GET":
        half = sessions.presession()
        if half is None or half.way != "pw":
            return redirect(url_for("signin.start", next=back), code=303)
        return _factor_page(half, back, None)
    cookie = sessions.read_cookie(request, sessions.PRESESSION)
    done, again = None, None
    with transaction() as session:
        # Read where it is counted: what another request used up a moment ago counts here.
        half = rows.open_presession(session, cookie, now=now(), to_change=True)
        if half is not None and half.way == "pw":
            given = Given(request.form.get("code", ""), request.form.get("passkey", ""), half.challenge, origin())
            done = door.welcome(session, instance(), half, given, now=now())
            if done is None:
                again = count_wrong(session, cookie, half)
            else:
                remember_device(session, done)
    if done is not None:
        return _come_in(done, back)
    return _wrong_factor(back, again)


def count_wrong(session: Session, cookie: bytes, half: Presession) -> Presession | None:
    """Count a wrong code for the account and for this way in; nothing when no other may be tried."""
    door.wrong_factor(session, instance(), half, now=now())
    tried = rows.count_try(session, cookie, half)
    if tried.tries < door.MAX_FACTOR_TRIES:
        return tried
    rows.end_session(session, cookie)
    return None


def _wrong_factor(back: str | None, again: Presession | None) -> ResponseReturnValue:
    along = carrying.carried()
    if again is None:
        sessions.give_cookie(sessions.PRESESSION, None)
        if along is None:
            return redirect(url_for("signin.start", next=back), code=303)
        return render_template("signin/start.html", back_to=back, login="", carried=along), 401
    errors = {"code": _("Deze code klopt niet, of is al gebruikt. Wacht op de volgende code in uw app.")}
    if request.form.get("passkey"):
        errors = {"code": _("Dit lukte niet met uw passkey. Probeer het nog een keer, of typ een code.")}
    return _factor_page(again, back, along, errors), 401


def _factor_page(
    half: Presession, back: str | None, along: carrying.Carried | None, errors: dict[str, str] | None = None
) -> str:
    with reading() as session:
        asked = door.asked_factor(session, instance(), half)
    return render_template(
        "signin/factor.html", back_to=back, carried=along, errors=errors or {}, asked=asked,
        ask_device=not asked.staff and not _on_own_device(half.user_id),
    )  # fmt: skip


def _on_own_device(user_id: bytes) -> bool:
    with reading() as session:
        return devices.is_known(session, sessions.read_cookie(request, sessions.DEVICE), user_id)


def _come_in(done: Welcome, back: str | None) -> ResponseReturnValue:
    """Begin the session, say what the owner must know, and go on where they were."""
    sessions.start(done.content)
    if done.warned:
        flash(
            _(
                "Iemand gaf uw wachtwoord of herstelcode goed, en daarna %(number)s keer een verkeerde code. "
                "Was u dat niet? Kies dan nu een nieuw wachtwoord, bij Mijn account.",
                number=done.warned,
            ),
            "let_op",
        )
    along = carrying.carried()
    if along is not None:
        return carrying.give_back(along)
    found = signed_in()
    return redirect(back or (first_page(found) if found else url_for("home.danger")), code=303)


def remember_device(session: Session, done: Welcome) -> None:
    """Members work on their own device; a reporter's is one only when they said so."""
    if not (done.owner.is_staff or request.form.get("own_device")):
        return
    cookie = sessions.read_cookie(request, sessions.DEVICE)
    user_id, root = done.owner.user_id, done.content.root
    known = devices.in_bundle(done.owner.bundle, cookie, user_id) and devices.is_known(session, cookie, user_id)
    if root is None or known:
        return
    cookie = cookie or rows.new_cookie()
    devices.remember(session, root, user_id, cookie, now=now())
    sessions.give_cookie(sessions.DEVICE, cookie, lasts=DEVICE_LASTS)


# --- with a passkey, beside the password ---------------------------------------------------------------------------


@pages.post("/inloggen/passkey")
def with_passkey() -> ResponseReturnValue:
    """Ask a passkey first: it is the second factor at once, and what outsiders tried in this name does not count."""
    if passkeys.rp_id(instance().settings) is None:
        return redirect(url_for("signin.start"), code=303)
    before = _visitor()
    with transaction() as session:
        visitor = rows.visitor(now=now(), opens=before.opens if before else None)
        sessions.give_cookie(sessions.PRESESSION, rows.create_presession(session, visitor))
    return redirect(url_for("signin.passkey", next=safe_next(request.form.get("next"))), code=303)


@pages.route("/inloggen/met-passkey", methods=["GET", "POST"])
def passkey() -> ResponseReturnValue:
    """Login, password and passkey on one page."""
    back, visitor = safe_next(request.values.get("next")), _visitor()
    if visitor is None or visitor.challenge is None:
        return redirect(url_for("signin.start", next=back), code=303)
    if request.method == "GET":
        return _passkey_page(visitor, back)
    cookie = sessions.read_cookie(request, sessions.PRESESSION)
    credential = request.form.get("passkey", "")
    with transaction() as session:  # what was asked is asked once
        fresh = rows.count_try(session, cookie, visitor)
    half = _password(credential) if credential else None
    if half is not None:
        with transaction() as session:
            done = door.welcome(
                session, instance(), half, Given(credential=credential, challenge=visitor.challenge, seen=origin()),
                now=now(),
            )  # fmt: skip
            if done is None:
                door.wrong_factor(session, instance(), half, now=now())
            else:
                remember_device(session, done)
        if done is not None:
            return _come_in(done, back)
    return _wrong_password("signin/passkey.html", back, options=_options(fresh))


def _passkey_page(visitor: Presession, back: str | None) -> str:
    return render_template("signin/passkey.html", back_to=back, login="", options=_options(visitor), errors={})


def _options(visitor: Presession) -> str:
    return passkeys.request_options(instance(), visitor.challenge) if visitor.challenge else ""


# --- where one begins, and out -------------------------------------------------------------------------------------


def first_page(found: Person) -> str:
    """Where somebody begins after signing in."""
    if any(role in accounts.TEAM_ROLES for role, _team in found.roles):
        return url_for("queue.start")
    if found.has("beheerder"):
        return url_for("people.overview")
    if found.has("statistiekredacteur"):
        return url_for("figures.manage")
    if found.has("auditor"):
        return url_for("fg.overview")
    if found.is_reporter:
        return url_for("mine.overview")
    return url_for("people.own_account")


@pages.post("/uitloggen")
def out() -> ResponseReturnValue:
    """End the session everywhere this cookie was copied to. An own device stays one: its cookie opens nothing."""
    sessions.end()
    draft = drafting.leave()
    answer = redirect(url_for("home.danger"), code=303)
    if draft is not None:  # what was written under the account stays there, and only its code opens it
        answer = make_response(render_template("report/kept.html", draft=draft, signed_out=True))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer
