"""Signing in and out, and setting up an account: password, second factor, printed recovery code."""

from __future__ import annotations

import segno
from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from weerbaar_meldpunt.actions import people as accounts
from weerbaar_meldpunt.actions import sessions as rows
from weerbaar_meldpunt.actions import signin as factors
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.passwordkeys import prepare
from weerbaar_meldpunt.actions.people import Enrolment, Person
from weerbaar_meldpunt.actions.sessions import Presession

from . import drafting, sessions
from .guards import safe_next, signed_in
from .labels import label
from .place import instance, now, reading, transaction

pages = Blueprint("signin", __name__)


@pages.route("/inloggen", methods=["GET", "POST"])
def start() -> ResponseReturnValue:
    """Login and password. Every failure looks the same, also for an account that does not exist."""
    back = safe_next(request.values.get("next"))
    if request.method == "GET":
        found = signed_in()
        if found:
            return redirect(back or first_page(found), code=303)
        return render_template("signin/start.html", back_to=back, login="", errors={})
    login, password = request.form.get("login", ""), request.form.get("password", "")
    with reading() as session:
        half = factors.start_signin(session, instance(), login, password, now=now())
    if half is None:
        with transaction() as session:
            factors.note_failure(session, instance(), login, now=now())
        errors = {"password": _("Dit klopt niet. Kijk uw e-mailadres en uw wachtwoord na, en probeer het opnieuw.")}
        return render_template("signin/start.html", back_to=back, login=login, errors=errors), 401
    with transaction() as session:
        cookie = rows.create_presession(session, half)
    sessions.give_cookie(sessions.PRESESSION, cookie)
    return redirect(url_for("signin.factor", next=back), code=303)


@pages.route("/inloggen/code", methods=["GET", "POST"])
def factor() -> ResponseReturnValue:
    """The second factor. A code is good once; after five wrong ones the password is asked again."""
    back = safe_next(request.values.get("next"))
    if request.method == "GET":
        if sessions.presession() is None:
            return redirect(url_for("signin.start", next=back), code=303)
        return render_template("signin/factor.html", back_to=back, errors={})
    cookie = sessions.read_cookie(request, sessions.PRESESSION)
    content, again = None, False
    with transaction() as session:
        # Read where it is counted: what another request used up a moment ago counts here.
        half = rows.open_presession(session, cookie, now=now(), to_change=True)
        if half is not None:
            content = factors.finish_signin(session, instance(), half, request.form.get("code", ""), now=now())
            login = factors.login_of(session, instance(), half.user_id)
            if content is not None:
                factors.clear_failures(session, instance(), login)
            else:
                again = _count_wrong(session, cookie, half, login)
    if content is None:
        return _wrong_factor(back, again=again)
    sessions.start(content)
    found = signed_in()
    return redirect(back or (first_page(found) if found else url_for("home.danger")), code=303)


def _count_wrong(session: Session, cookie: bytes, half: Presession, login: str) -> bool:
    """Count a wrong code for the account and for this way in; whether another code may be tried."""
    factors.note_failure(session, instance(), login, now=now())
    if rows.count_try(session, cookie, half).tries < factors.MAX_FACTOR_TRIES:
        return True
    rows.end_session(session, cookie)
    return False


def _wrong_factor(back: str | None, *, again: bool) -> ResponseReturnValue:
    if not again:
        sessions.give_cookie(sessions.PRESESSION, None)
        return redirect(url_for("signin.start", next=back), code=303)
    errors = {"code": _("Deze code klopt niet, of is al gebruikt. Wacht op de volgende code in uw app.")}
    return render_template("signin/factor.html", back_to=back, errors=errors), 401


def first_page(found: Person) -> str:
    """Where somebody begins after signing in."""
    if any(role in accounts.TEAM_ROLES for role, _team in found.roles):
        return url_for("queue.start")
    if found.has("beheerder"):
        return url_for("people.overview")
    if found.has("statistiekredacteur"):
        return url_for("figures.manage")
    if found.is_reporter:
        return url_for("mine.overview")
    return url_for("people.own_account")


@pages.post("/uitloggen")
def out() -> ResponseReturnValue:
    """End the session everywhere this cookie was copied to."""
    sessions.end()
    draft = drafting.leave()
    answer = redirect(url_for("home.danger"), code=303)
    if draft is not None:  # what was written under the account stays there, and only its code opens it
        answer = make_response(render_template("report/kept.html", draft=draft, signed_out=True))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


# --- setting up ----------------------------------------------------------------------------------------------------


@pages.route("/account/nieuw", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    """An account for who reports more than once. Reporting works without one."""
    if request.method == "GET":
        return render_template("signin/register.html", login="", errors={})
    login, password = request.form.get("login", "").strip(), request.form.get("password", "")
    errors: dict[str, str] = {}
    if not login:
        errors["login"] = _("Kies een naam om mee in te loggen.")
    elif len(login) > accounts.MAX_LOGIN:
        errors["login"] = label("not_allowed", "login_lengte")
    elif password != request.form.get("again", ""):
        errors["again"] = _("De twee wachtwoorden zijn niet gelijk.")
    else:
        try:
            prepared = prepare(instance(), password, staff=False, login=login)  # others wait for a transaction
            with transaction() as session:
                enrolment = accounts.register(session, instance(), login, prepared, now=now())
            return _show(enrolment)
        except NotAllowed as refusal:
            errors["password"] = label("not_allowed", refusal.reason)
    return render_template("signin/register.html", login=login, errors=errors), 422


@pages.route("/uitnodiging/<token>", methods=["GET", "POST"])
def invited(token: str) -> ResponseReturnValue:
    """An invitation: choose a password; the link is good for 24 hours, until the account works."""
    with reading() as session:
        user = accounts.open_invitation(session, token, now=now())
        name = accounts.open_user(instance(), user)[1] if user else ""
    if user is None:
        return render_template("signin/no_invitation.html"), 404
    errors: dict[str, str] = {}
    if request.method == "POST":
        password = request.form.get("password", "")
        if password != request.form.get("again", ""):
            errors["again"] = _("De twee wachtwoorden zijn niet gelijk.")
        else:
            try:
                prepared = accounts.prepare_invited(instance(), user, password)  # others wait for a transaction
                with transaction() as session:
                    fresh = accounts.open_invitation(session, token, now=now())
                    if fresh is None:  # used by somebody else in the meantime
                        return render_template("signin/no_invitation.html"), 404
                    enrolment = accounts.enrol(session, instance(), fresh, prepared, now=now())
                return _show(enrolment)
            except NotAllowed as refusal:
                errors["password"] = label("not_allowed", refusal.reason)
    page = render_template("signin/invited.html", name=name, errors=errors)
    return page, 422 if errors else 200


def _show(enrolment: Enrolment, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    """The login, the second factor and the recovery code, with the form in which the code is typed again."""
    page = render_template("signin/confirm.html", qr=_qr(enrolment.otpauth_uri), e=enrolment, errors=errors or {})
    return page, 422 if errors else 200


def _qr(uri: str) -> str:
    return segno.make(uri, micro=False).svg_inline(scale=5, border=4, dark="#000", light="#fff", svgclass="qr")


@pages.post("/account/bevestigen")
def confirm() -> ResponseReturnValue:
    """The recovery code typed again and a first code of the app: only now does the account work."""
    typed = request.form.get("again", "")
    errors: dict[str, str] = {}
    try:
        user_id = bytes.fromhex(request.form.get("user_id", ""))
    except ValueError:
        return redirect(url_for("signin.start"), code=303)
    with transaction() as session:
        # What counts stands in the account's own bundle; the code that was shown opens it, nothing else in the form.
        enrolment = accounts.shown_enrolment(session, instance(), user_id, request.form.get("recovery", ""))
        if enrolment is None:
            return redirect(url_for("signin.start"), code=303)
        if not factors.is_current(enrolment.totp_secret, request.form.get("code", ""), now=now()):
            errors["code"] = _("Deze code klopt niet. Scan de QR-code in uw app en typ de zes cijfers die u daar ziet.")
        elif not accounts.confirm_enrolment(session, instance(), user_id, typed, now=now()):
            errors["again"] = _("Dit is niet de herstelcode hierboven. Typ hem over van het papier.")
    if errors:
        return _show(enrolment, errors)
    return redirect(url_for("signin.start", klaar="ja"), code=303)
