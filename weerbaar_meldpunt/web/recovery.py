"""Back in without the password: with the printed recovery code, or by a mailed link that lets a browser try again."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import credentials, passwordkeys, throttle
from weerbaar_meldpunt.actions import sessions as rows
from weerbaar_meldpunt.actions import signin as door
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.factors import Given
from weerbaar_meldpunt.actions.sessions import Presession, start_content

from . import sessions
from .account import flash_renewed
from .guards import signed_in
from .labels import label
from .place import instance, now, reading, transaction
from .signin import count_wrong, first_page, origin

pages = Blueprint("recovery", __name__)


# --- the printed code ----------------------------------------------------------------------------------------------


@pages.route("/inloggen/vergeten", methods=["GET", "POST"])
def forgotten() -> ResponseReturnValue:
    """Login and recovery code. Every failure looks the same, also for an account that does not exist."""
    if request.method == "GET":
        return render_template("signin/forgotten.html", login="", errors={})
    login = request.form.get("login", "")
    with reading() as session:
        half = door.start_recovery(session, instance(), login, request.form.get("recovery", ""), now=now())
    if half is None:
        errors = {"recovery": _("Dit klopt niet. Kijk uw inlognaam en de code op uw papier na.")}
        return render_template("signin/forgotten.html", login=login, errors=errors), 401
    with transaction() as session:
        cookie = rows.create_presession(session, rows.with_challenge(half))
    sessions.give_cookie(sessions.PRESESSION, cookie)
    return redirect(url_for("recovery.factor"), code=303)


def _half(*, proven: bool) -> Presession | None:
    found = sessions.presession()
    return found if found is not None and found.way == "rc" and found.proven == proven else None


@pages.route("/inloggen/vergeten/code", methods=["GET", "POST"])
def factor() -> ResponseReturnValue:
    """The second factor, as at any sign-in: a paper alone opens nothing."""
    half = _half(proven=False)
    if half is None:
        return redirect(url_for("recovery.forgotten"), code=303)
    if request.method == "GET":
        return _factor_page(half)
    cookie, owner, again = sessions.read_cookie(request, sessions.PRESESSION), None, None
    with transaction() as session:
        fresh = rows.open_presession(session, cookie, now=now(), to_change=True)
        if fresh is not None:
            given = Given(request.form.get("code", ""), request.form.get("passkey", ""), fresh.challenge, origin())
            owner = door.prove(session, instance(), fresh, given, now=now())
            if owner is not None:
                rows.keep_presession(session, cookie, replace(fresh, proven=True))
            else:
                again = count_wrong(session, cookie, fresh)
    if owner is not None:
        return redirect(url_for("recovery.password"), code=303)
    if again is None:
        sessions.give_cookie(sessions.PRESESSION, None)
        return redirect(url_for("recovery.forgotten"), code=303)
    return _factor_page(again, {"code": _("Deze code klopt niet, of is al gebruikt. Wacht op de volgende code.")}), 401


def _factor_page(half: Presession, errors: dict[str, str] | None = None) -> str:
    with reading() as session:
        asked = door.asked_factor(session, instance(), half)
    return render_template(
        "signin/factor.html", back_to=None, carried=None, errors=errors or {}, asked=asked, ask_device=False,
        recovering=True,
    )  # fmt: skip


@pages.route("/inloggen/vergeten/wachtwoord", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    """A new password, and with it a new printed code."""
    half = _half(proven=True)
    if half is None:
        return redirect(url_for("recovery.forgotten"), code=303)
    with reading() as session:
        staff, login, name = credentials.prepare_forgotten(session, instance(), half.user_id)
    errors: dict[str, str] = {}
    if request.method == "POST":
        chosen = request.form.get("password", "")
        if chosen != request.form.get("again", ""):
            errors["again"] = _("De twee wachtwoorden zijn niet gelijk.")
        else:
            try:
                prepared = passwordkeys.prepare(
                    instance(), chosen, staff=staff, login=login, name=name, user_id=half.user_id, known=True
                )
                with transaction() as session:
                    cookie = sessions.read_cookie(request, sessions.PRESESSION)
                    pending = credentials.begin_renewal(prepared)
                    rows.keep_presession(session, cookie, replace(half, pending=pending))
                return redirect(url_for("recovery.new_code"), code=303)
            except NotAllowed as refusal:
                errors["password"] = label("not_allowed", refusal.reason)
    page = render_template("signin/new_password.html", staff=staff, errors=errors)
    return page, 422 if errors else 200


@pages.route("/inloggen/vergeten/nieuwe-code", methods=["GET", "POST"])
def new_code() -> ResponseReturnValue:
    """The new printed code, typed again; only then does everything change, and somebody is in."""
    half = _half(proven=True)
    if half is None or not half.pending:
        return redirect(url_for("recovery.forgotten"), code=303)
    target = url_for("recovery.new_code")
    if request.method == "GET":
        return render_template("account/new_code.html", me=None, code=half.pending["code"], errors={}, target=target)
    with transaction() as session:
        root = credentials.confirm_renewal(
            session, instance(), half.user_id, half.root, half.pending, request.form.get("recovery", ""), now=now()
        )
        if root is not None:
            door.forget_failures(session, instance(), half)
            staff = credentials.prepare_forgotten(session, instance(), half.user_id)[0]
    if root is None:
        errors = {"recovery": _("Dit is niet de herstelcode hierboven. Typ hem over van het papier.")}
        page = render_template(
            "account/new_code.html", me=None, code=half.pending["code"], errors=errors, target=target
        )  # fmt: skip
        return page, 422
    sessions.start(start_content("person" if staff else "melder", now=now(), user_id=half.user_id, root=root))
    flash_renewed(staff=staff)
    found = signed_in()
    return redirect(first_page(found) if found else url_for("home.danger"), code=303)


# --- trying again --------------------------------------------------------------------------------------------------


@pages.route("/inloggen/openen", methods=["GET", "POST"])
def reopen() -> ResponseReturnValue:
    """Ask for a mailed link, or show the printed code, to let this browser try again. The answer is always the same."""
    login = request.form.get("login", "")
    if request.method == "GET":
        return render_template("signin/reopen.html", login=request.args.get("login", ""), errors={})
    code = request.form.get("recovery", "")
    if not code.strip():
        with transaction() as session:
            door.ask_try_link(session, instance(), login, now=now())
        return render_template("signin/link_sent.html")
    with reading() as session:
        opens = door.open_with_code(session, instance(), login, code, now=now())
    if opens is None:
        errors = {"recovery": _("Dit klopt niet. Kijk uw inlognaam en de code op uw papier na.")}
        return render_template("signin/reopen.html", login=login, errors=errors), 401
    return _let_try(opens)


@pages.route("/inloggen/openen/<token>", methods=["GET", "POST"])
def use_link(token: str) -> ResponseReturnValue:
    """A mailed link: it lets this one browser try again, once, and grants nothing."""
    if request.method == "GET":
        with reading() as session:
            good = throttle.link_is_good(session, token, now=now())
        return render_template("signin/use_link.html", good=good), 200 if good else 404
    with transaction() as session:
        opens = throttle.use_link(session, token, now=now())
    if opens is None:
        return render_template("signin/use_link.html", good=False), 404
    return _let_try(opens)


def _let_try(opens: bytes) -> ResponseReturnValue:
    with transaction() as session:
        cookie = rows.create_presession(session, rows.visitor(now=now(), opens=opens))
    sessions.give_cookie(sessions.PRESESSION, cookie)
    return redirect(url_for("signin.start"), code=303)
