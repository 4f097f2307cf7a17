"""One's own account: a new password, everything new, the app, printed codes, own devices and open sessions."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import credentials, devices, factors
from weerbaar_meldpunt.actions import sessions as rows
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.sessions import SessionContent, start_content

from . import sessions
from .guards import account_required, person, signed_in, stepped_up
from .labels import label
from .place import instance, now, reading, transaction
from .setup import qr_code

pages = Blueprint("account", __name__)

_ID_BYTES: Final = 32


def _content() -> SessionContent:
    """The session of a page that asks for an account: it has a ROOT."""
    found = sessions.content()
    if found is None or found.root is None:
        raise AssertionError("a page of an account is shown to who has one")
    return found


def _root() -> bytes:
    return _content().root or b""


def _keep_pending(pending: dict[str, object] | None) -> None:
    with transaction() as session:
        g.content = rows.keep_pending(session, g.cookie, _content(), pending)


# --- the password --------------------------------------------------------------------------------------------------


@pages.route("/account/wachtwoord", methods=["GET", "POST"])
@account_required
@stepped_up
def password() -> ResponseReturnValue:
    """A new password. When somebody may know the old one, everything that hangs from it is made new."""
    if request.method == "GET":
        return render_template("account/password.html", me=person(), known="", errors={})
    known = request.form.get("known", "")
    errors = _password_errors(known)
    if not errors:
        try:
            changed = _new_password(everything=known == "ja")
        except NotAllowed as refusal:
            errors["password"] = label("not_allowed", refusal.reason)
        else:
            if changed is not None:
                return changed
            if sessions.content() is None:  # five times wrong
                return redirect(url_for("signin.start"), code=303)
            errors["old_password"] = _("Dit is niet uw wachtwoord van nu.")
    return render_template("account/password.html", me=person(), known=known, errors=errors), 422


def _password_errors(known: str) -> dict[str, str]:
    errors: dict[str, str] = {}
    if request.form.get("password", "") != request.form.get("again", ""):
        errors["again"] = _("De twee wachtwoorden zijn niet gelijk.")
    if known not in ("ja", "nee"):
        errors["known"] = _("Kies een van de twee. Weet u het niet zeker? Kies dan: iemand kent het misschien.")
    return errors


def _new_password(*, everything: bool) -> ResponseReturnValue | None:
    """Check the old one and put the new one in its place; nothing when the old one was wrong."""
    me = person()
    with reading() as session:
        held = credentials.own_password(session, me.user_id)
    if not credentials.is_own_password(instance(), held, request.form.get("old_password", "")):
        with transaction() as session:
            g.content = rows.count_wrong(session, g.cookie, _content())
        if g.content is None:
            sessions.end()
        return None
    prepared = credentials.prepare_new(instance(), me, request.form.get("password", ""))
    if everything:
        _keep_pending(credentials.begin_renewal(prepared))
        return redirect(url_for("account.new_code"), code=303)
    with transaction() as session:
        credentials.change_password(session, instance(), me, _root(), held, prepared, cookie=g.cookie, now=now())
    flash(_("Uw wachtwoord is veranderd. Op andere apparaten bent u nu uitgelogd."), "goed")
    return redirect(url_for("people.own_account"), code=303)


@pages.route("/account/nieuwe-code", methods=["GET", "POST"])
@account_required
@stepped_up
def new_code() -> ResponseReturnValue:
    """The new printed code, typed again; only then does everything change."""
    pending = _content().pending
    if not pending or pending.get("what") != "root":
        return redirect(url_for("account.password"), code=303)
    if request.method == "GET":
        return render_template("account/new_code.html", me=person(), code=pending["code"], errors={}, target=None)
    me = person()
    with transaction() as session:
        root = credentials.confirm_renewal(
            session, instance(), me.user_id, _root(), pending, request.form.get("recovery", ""), now=now()
        )
    if root is None:
        errors = {"recovery": _("Dit is niet de herstelcode hierboven. Typ hem over van het papier.")}
        page = render_template("account/new_code.html", me=me, code=pending["code"], errors=errors, target=None)
        return page, 422
    sessions.start(start_content(_content().kind, now=now(), user_id=me.user_id, root=root))
    flash_renewed(staff=not me.is_reporter)
    return redirect(url_for("people.own_account"), code=303)


def flash_renewed(*, staff: bool) -> None:
    """What somebody must know whose keys are new."""
    flash(_("Alles is nieuw: uw wachtwoord, uw sleutel en uw herstelcode. Vernietig het oude papier."), "goed")
    if staff:
        flash(_("Vraag een collega om u weer de sleutel van het team te geven. Tot dan ziet u geen zaken."), "let_op")


# --- second factors ------------------------------------------------------------------------------------------------


@pages.route("/account/app", methods=["GET", "POST"])
@account_required
@stepped_up
def app() -> ResponseReturnValue:
    """Another telephone: a new secret for the app, that counts once the app gave a code of it."""
    pending = _content().pending
    if request.method == "POST" and request.form.get("begin"):
        _keep_pending(credentials.begin_new_app())
        return redirect(url_for("account.app"), code=303)
    if not pending or pending.get("what") != "app":
        return render_template("account/app.html", secret="", qr="", errors={})  # nosec B106
    errors: dict[str, str] = {}
    if request.method == "POST":
        code = request.form.get("code", "")
        with transaction() as session:
            done = credentials.confirm_new_app(session, instance(), person(), _root(), pending, code, now=now())
        if done:
            _keep_pending(None)
            flash(_("Uw nieuwe app werkt. De oude geeft geen geldige codes meer."), "goed")
            return redirect(url_for("people.own_account"), code=303)
        errors["code"] = _("Deze code klopt niet. Scan de QR-code en typ de zes cijfers die u daar ziet.")
    uri = credentials.app_uri(person(), pending)
    page = render_template("account/app.html", secret=pending["secret"], uri=uri, qr=qr_code(uri), errors=errors)
    return page, 422 if errors else 200


@pages.route("/account/codes", methods=["GET", "POST"])
@account_required
@stepped_up
def codes() -> ResponseReturnValue:
    """Ten printed codes for when the telephone is gone; each works once."""
    if request.method == "GET":
        return render_template("account/codes.html", codes=[], left=factors.codes_left(person()))
    with transaction() as session:
        made = credentials.make_factor_codes(session, instance(), person(), _root(), now=now())
    return render_template("account/codes.html", codes=made, left=0)


# --- devices and sessions ------------------------------------------------------------------------------------------


@pages.get("/account/sessies")
@account_required
def open_sessions() -> ResponseReturnValue:
    """Where one is signed in, and which browsers are one's own; what was never kept is not shown."""
    me = person()
    with reading() as session:
        found = rows.own_sessions(session, _root(), g.cookie, now=now())
    own = devices.listed(me.bundle, sessions.read_cookie(request, sessions.DEVICE), me.user_id)
    return render_template("account/sessions.html", sessions=found, devices=own)


@pages.post("/account/sessies")
@account_required
def end_sessions() -> ResponseReturnValue:
    """End one session, or all others; they are out at their next request."""
    if request.form.get("all"):
        with transaction() as session:
            rows.end_all_sessions(session, _root(), but=g.cookie)
        flash(_("U bent op alle andere plekken uitgelogd."), "goed")
        return redirect(url_for("account.open_sessions"), code=303)
    try:
        row_id = bytes.fromhex(request.form.get("session", ""))
    except ValueError:
        row_id = b""
    if len(row_id) == _ID_BYTES:
        with transaction() as session:
            rows.end_own_session(session, _root(), row_id)
        flash(_("Die sessie is beëindigd."), "goed")
    return redirect(url_for("account.open_sessions"), code=303)


@pages.post("/account/apparaten/weg")
@account_required
def forget_device() -> ResponseReturnValue:
    """Take a device from the list; when it is this one, its cookie goes too."""
    me, wanted = person(), request.form.get("device", "")
    cookie = sessions.read_cookie(request, sessions.DEVICE)
    one = next((own for own in devices.listed(me.bundle, cookie, me.user_id) if own.id == wanted), None)
    if one is not None:
        with transaction() as session:
            devices.forget(session, _root(), me.user_id, wanted)
        if one.this:
            sessions.give_cookie(sessions.DEVICE, None)
        flash(_("Dat apparaat staat niet meer in de lijst."), "goed")
    return redirect(url_for("account.open_sessions"), code=303)


@pages.post("/account/blijven")
def stay() -> ResponseReturnValue:
    """The script of an open page says that somebody is still there. The idle limit moves; nothing else happens."""
    found = sessions.content()
    # Who was switched off has a session still, and is nobody.
    lives = found is not None and (found.user_id is None or signed_in() is not None)
    return "", 204 if lives else 401
