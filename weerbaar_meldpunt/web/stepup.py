"""Showing a second factor once more, before what cannot be undone or gives access; then back to where one was."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import factors
from weerbaar_meldpunt.actions import sessions as rows
from weerbaar_meldpunt.actions import signin as door
from weerbaar_meldpunt.actions.factors import Given

from . import carrying, sessions
from .guards import LONG_TEXT, account_required, person, signed_in, step_up_values, takes
from .paths import safe_next
from .place import instance, now, transaction
from .signin import first_page, origin

pages = Blueprint("stepup", __name__)


@pages.get("/bevestigen")
@account_required
def ask() -> ResponseReturnValue:
    """Ask a code or a passkey."""
    return _page(safe_next(request.args.get("next")))


def _page(back: str | None, errors: dict[str, str] | None = None) -> str:
    return render_template(
        "signin/stepup.html", back_to=back, carried=carrying.carried(), errors=errors or {}, **step_up_values()
    )


@pages.post("/bevestigen")
@takes(LONG_TEXT)
@account_required
def confirm() -> ResponseReturnValue:
    """A right one gives the session another cookie and five minutes; five wrong ones end it."""
    back = safe_next(request.form.get("next"))
    if prove(request.form.get("code", ""), request.form.get("passkey", "")):
        if not sessions.step_up():
            return redirect(url_for("signin.start", next=back), code=303)
        along = carrying.carried()
        if along is not None:
            return carrying.give_back(along)
        return redirect(back or first_page(person()), code=303)
    if signed_in() is None:
        along = carrying.carried()
        page = render_template("signin/start.html", back_to=back, login="", carried=along, errors={})
        return page, 401
    errors = {"code": _("Deze code klopt niet, of is al gebruikt. Wacht op de volgende code in uw app.")}
    return _page(back, errors), 422


def prove(code: str, credential: str) -> bool:
    """Check a second factor of somebody who is signed in, and count a wrong one; the fifth signs them out."""
    me, content = person(), sessions.content()
    if content is None or content.root is None:
        return False
    with transaction() as session:
        given = Given(code, credential, content.challenge, origin())
        owner = factors.accept(session, instance(), me.user_id, content.root, given, now=now())
        if owner is None:
            door.wrong_step_up(session, instance(), me.user_id, now=now())
            g.content = rows.count_wrong(session, g.cookie, content)
    if owner is None and g.content is None:
        sessions.end()
    return owner is not None
