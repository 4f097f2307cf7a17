"""The emergency list of a team: whom to call about open cases that cannot wait. For the coordinator, and logged."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import emergency, emergency_gaps

from .guards import person, staff_required, stepped_up
from .place import instance, now, reading, transaction

pages = Blueprint("emergency", __name__)


@pages.get("/noodlijst/<team>")
@staff_required("coordinator")
@stepped_up
def show(team: str) -> ResponseReturnValue:
    """Names and numbers, to print or to call from when the program is about to go down. Noted before it is opened."""
    me = person()
    if not me.coordinates(team):
        abort(404)
    with transaction() as session:
        emergency.note_opening(session, instance(), me, team, now=now())
    with reading() as session:
        listed = emergency.open_list(session, instance(), me, team)
        missing = len(emergency_gaps.missing(session, team))
    return render_template("emergency/list.html", team=team, listed=listed, missing=missing, on=now())


@pages.post("/noodlijst/<team>/aanvullen")
@staff_required("coordinator")
@stepped_up
def fill(team: str) -> ResponseReturnValue:
    """Put open cases on the list that are not on it: after a backup was put back."""
    me = person()
    if not me.coordinates(team):
        abort(404)
    with transaction() as session:
        count = emergency_gaps.fill(session, instance(), me, team, now=now())
    flash(_("Op de noodlijst gezet: %(count)s.", count=count), "goed" if count else "info")
    return redirect(url_for("emergency.show", team=team), code=303)
