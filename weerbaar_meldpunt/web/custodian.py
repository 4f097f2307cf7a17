"""The page of a custodian: a code that is shown once and typed again from paper. No account, no session."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import custodian_links as links
from weerbaar_meldpunt.actions.custodians import KEYED, custodian_key
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.teamkeys import fingerprint_words

from .place import instance, now, reading, transaction

pages = Blueprint("custodian", __name__)


@pages.get("/bewaarder/<token>")
def sheet(token: str) -> ResponseReturnValue:
    """What is asked of a custodian; once the code was typed again, the sheet to print and keep."""
    with reading() as session:
        row = links.open_link(session, token, now=now())
        name = links.name_of(instance(), row) if row else ""
        recovery = links.recovery_of(session, instance(), row) if row else None
    if row is None:
        return _gone()
    if row.state != KEYED:
        return render_template("custodian/begin.html", name=name, token=token)
    key = custodian_key(row)
    return render_template(
        "custodian/sheet.html", name=name, place=row.place, on=now(),
        words=fingerprint_words(key.fingerprint) if key else "",
        recovery=fingerprint_words(recovery.fingerprint) if recovery else "",
    )  # fmt: skip


def _gone() -> ResponseReturnValue:
    return render_template("custodian/gone.html"), 404


@pages.post("/bewaarder/<token>/code")
def code(token: str) -> ResponseReturnValue:
    """A fresh code, on this one answer only; asked for again, it is another one."""
    with reading() as session:
        row = links.open_link(session, token, now=now())
        if row is None:
            return _gone()
        if row.state == KEYED:
            return redirect(url_for("custodian.sheet", token=token), code=303)
        name = links.name_of(instance(), row)
        shown, fingerprint = links.new_code(instance(), row)
    return render_template("custodian/code.html", name=name, token=token, code=shown, fingerprint=fingerprint.hex())


@pages.post("/bewaarder/<token>/overtypen")
def retype(token: str) -> ResponseReturnValue:
    """The code from paper, on a page where it does not stand; only its public key is kept."""
    typed, errors = request.form.get("again"), dict[str, str]()
    try:
        fingerprint = bytes.fromhex(request.form.get("fingerprint", ""))
    except ValueError:
        fingerprint = b""
    if typed is not None:
        try:
            with transaction() as session:
                kept = links.keep_key(session, instance(), token, typed, fingerprint, now=now())
        except NotAllowed:  # used meanwhile, or over: the page of the link says which
            return redirect(url_for("custodian.sheet", token=token), code=303)
        if kept is not None:
            return redirect(url_for("custodian.sheet", token=token), code=303)
        errors["again"] = _("Dit is niet de code van daarnet. Kijk op uw blad en typ hem nog een keer.")
    else:
        with reading() as session:
            if links.open_link(session, token, now=now()) is None:
                return _gone()
    page = render_template("custodian/retype.html", token=token, fingerprint=fingerprint.hex(), errors=errors)
    return page, 422 if errors else 200
