"""Passkeys of one's own account: making them, seeing which there are, taking one away."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import passkeys as keys
from weerbaar_meldpunt.actions import sessions as rows
from weerbaar_meldpunt.actions.errors import NotAllowed

from . import sessions
from .guards import account_required, person, stepped_up
from .labels import label
from .place import instance, now, transaction
from .signin import origin

pages = Blueprint("passkeys", __name__)


@pages.get("/account/passkeys")
@account_required
@stepped_up
def show() -> ResponseReturnValue:
    """The passkeys there are, and the button that makes one. Who must have one sees why."""
    return _page()


def _page(errors: dict[str, str] | None = None) -> str:
    me, content = person(), sessions.content()
    offered = keys.rp_id(instance().settings) is not None and content is not None and content.challenge is not None
    options = (
        keys.creation_options(instance(), me, content.challenge) if offered and content and content.challenge else ""
    )
    return render_template(
        "account/passkeys.html", me=me, passkeys=keys.listed(me.bundle), options=options, errors=errors or {},
        must=keys.missing(me, instance().settings), required=keys.requires(me.roles, instance().settings),
    )  # fmt: skip


@pages.post("/account/passkeys")
@account_required
@stepped_up
def add() -> ResponseReturnValue:
    """Keep a passkey that this browser made."""
    me, content = person(), sessions.content()
    if content is None or content.root is None or content.challenge is None:
        return redirect(url_for("passkeys.show"), code=303)
    refused = ""
    try:
        with transaction() as session:
            keys.register(
                session, instance(), me, content.root, request.form.get("passkey", ""), content.challenge,
                name=request.form.get("name", ""), seen=origin(), now=now(),
            )  # fmt: skip
    except NotAllowed as refusal:
        refused = label("not_allowed", refusal.reason)
    with transaction() as session:  # what was asked is asked once
        g.content = rows.new_challenge_for(session, g.cookie, content)
    if refused:
        return _page({"name": refused}), 422
    flash(_("Uw passkey werkt. Gebruik hem de volgende keer bij het inloggen."), "goed")
    return redirect(url_for("passkeys.show"), code=303)


@pages.post("/account/passkeys/weg")
@account_required
@stepped_up
def remove() -> ResponseReturnValue:
    """Take a passkey away, after the page asked whether that is meant."""
    me, content, wanted = person(), sessions.content(), request.form.get("passkey_id", "")
    one = next((own for own in keys.listed(me.bundle) if own.id == wanted), None)
    if one is None or content is None or content.root is None:
        return redirect(url_for("passkeys.show"), code=303)
    if request.form.get("sure") != "ja":
        last = keys.requires(me.roles, instance().settings) and len(keys.listed(me.bundle)) == 1
        return render_template("account/passkey_away.html", passkey=one, last=last)
    with transaction() as session:
        keys.remove(session, instance(), me, content.root, wanted, now=now())
    flash(_("De passkey is weg. Haal hem ook van uw toestel."), "goed")
    return redirect(url_for("passkeys.show"), code=303)
