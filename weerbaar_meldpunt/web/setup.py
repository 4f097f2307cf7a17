"""Setting up an account: password, second factor, and a printed recovery code that is typed again."""

from __future__ import annotations

import segno
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import people as accounts
from weerbaar_meldpunt.actions import signin as door
from weerbaar_meldpunt.actions import throttle
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.passwordkeys import prepare
from weerbaar_meldpunt.actions.people import Enrolment

from .labels import label
from .place import instance, now, reading, transaction
from .signin import pages


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
                throttle.make_room_for_account(session)
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
    page = render_template("signin/confirm.html", qr=qr_code(enrolment.otpauth_uri), e=enrolment, errors=errors or {})
    return page, 422 if errors else 200


def qr_code(uri: str) -> str:
    """A picture that an app scans."""
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
        if not door.is_current(enrolment.totp_secret, request.form.get("code", ""), now=now()):
            errors["code"] = _("Deze code klopt niet. Scan de QR-code in uw app en typ de zes cijfers die u daar ziet.")
        elif not accounts.confirm_enrolment(session, instance(), user_id, typed, now=now()):
            errors["again"] = _("Dit is niet de herstelcode hierboven. Typ hem over van het papier.")
    if errors:
        return _show(enrolment, errors)
    return redirect(url_for("signin.start", klaar="ja"), code=303)
