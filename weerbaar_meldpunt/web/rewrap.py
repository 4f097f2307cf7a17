"""Wrapping a team's case keys anew after it got a new key: a page that a member presses until nothing is left."""

from __future__ import annotations

import time
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import emergency, rewrap
from weerbaar_meldpunt.actions.labels import labelled
from weerbaar_meldpunt.actions.people import TEAM_ROLES
from weerbaar_meldpunt.actions.rewrap import Progress

from .guards import person, staff_required
from .place import instance, now, reading, transaction
from .show import number

pages = Blueprint("rewrap", __name__)
AT_MOST: Final = 3.0  # seconds that one press takes; nobody waits long, and others may write between two batches


@pages.get("/sleutels/inpakken/<team>")
@staff_required(*TEAM_ROLES)
def show(team: str) -> ResponseReturnValue:
    """How much is left, and a button to go on."""
    if not person().teams.get(team):
        abort(404)
    with reading() as session:
        left = rewrap.wraps_left(session, instance(), team)
    return render_template("keys/rewrap.html", team=team, left=left)


@pages.post("/sleutels/inpakken/<team>")
@staff_required(*TEAM_ROLES)
def go_on(team: str) -> ResponseReturnValue:
    """Some batches, then back to the page; what was not reached is for the next press."""
    me = person()
    if not me.teams.get(team):
        abort(404)
    began, done, refused, after = time.monotonic(), 0, 0, b""
    progress = Progress(after=after)
    while progress.after is not None and time.monotonic() - began < AT_MOST:
        with reading() as session:
            prepared = rewrap.prepare_batch(session, instance(), me, team, after=progress.after)
        with transaction() as session:
            progress = rewrap.keep_batch(session, instance(), me, prepared, now=now())
            rewrap.note_refused(session, instance(), progress, now=now())
        labelled("rewrap/batch-kept")
        done, refused = done + progress.done, refused + len(progress.refused)
    if progress.after is None:
        with transaction() as session:
            emergency.rewrap(session, instance(), me, team, now=now())
    flash(_("Aantal zaken dat nu klaar is: %(number)s.", number=number(done)), "goed")
    if refused:
        flash(
            _(
                "Aantal zaken met een sleutel die niet klopt: %(number)s. Die bleven zoals ze waren."
                " De beheerder weet het.",
                number=number(refused),
            ),
            "fout",
        )
    return redirect(url_for("rewrap.show", team=team), code=303)
