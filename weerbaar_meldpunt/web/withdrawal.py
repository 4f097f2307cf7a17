"""Withdrawing everything: what left already, a week to think again, and what keeps it."""

from __future__ import annotations

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import withdrawal
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.own_acts import hold_own
from weerbaar_meldpunt.rules.retention import undo_until

from .labels import label
from .own_room import Room, room_page
from .place import instance, now, reading, transaction


@room_page("/intrekken/alles", "erase")
def erase(room: Room) -> ResponseReturnValue:
    """What it means that everything goes, and until when it can be undone."""
    return _page(room)


def _page(room: Room, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    with reading() as session:
        own = room.own(session)
        standing = withdrawal.standing(session, own.case_id, now=now())
    page = render_template(
        "withdrawal/all.html", room=room, own=own, standing=standing, left=withdrawal.what_left(own.view),
        reasons=withdrawal.reasons(own.view), would_erase_at=undo_until(now()), errors=errors or {},
        pressure=request.form.get("pressure") == "ja",
        decides=withdrawal.decides(own.view, own.case_id, own.role),
    )  # fmt: skip
    return (page, 422) if errors else page


@room_page("/intrekken/alles", "erased", methods=("POST",), factor=True)
def erased(room: Room) -> ResponseReturnValue:
    """Ask that everything goes. What is said on the page never tells of pressure: somebody may be looking along."""
    errors = {}
    if request.form.get("sure") != "ja":
        errors["sure"] = _("Lees wat wij wissen, en vink dit dan aan.")
    if not room.is_shown_to_be_theirs():
        errors["code"] = _("Dit is niet de code van deze melding. Typ de code waarmee u binnenkwam.")
    if errors:
        return _page(room, errors)
    pressure = request.form.get("pressure") == "ja"
    with transaction() as session:
        held = hold_own(session, instance(), room.keys(session), now=now())
        withdrawal.ask(held, pressure=pressure)
    flash(_("Uw verzoek is binnen. Tot de dag hieronder kunt u zich bedenken."), "goed")
    return redirect(room.url("erase"), code=303)


@room_page("/intrekken/alles/toch-niet", "keep_all", methods=("POST",))
def keep_all(room: Room) -> ResponseReturnValue:
    """Everything stays after all."""
    try:
        with transaction() as session:
            withdrawal.undo(hold_own(session, instance(), room.keys(session), now=now()))
        flash(_("Alles blijft. Uw melding gaat verder waar zij was."), "goed")
    except NotAllowed as refusal:
        if refusal.reason != "niets_ingetrokken":
            raise
        flash(label("not_allowed", refusal.reason), "info")
    return redirect(room.url("case"), code=303)
