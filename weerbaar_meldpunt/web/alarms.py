"""Alarms: what stands, what it means and what to do; ended by somebody who says in a few words what was done."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import alarms
from weerbaar_meldpunt.actions.errors import NotAllowed

from .guards import person, signed_in, staff_required
from .labels import label
from .paths import read_id
from .place import instance, now, reading, transaction

pages = Blueprint("alarms", __name__)
_watches = staff_required("beheerder", "auditor", "coordinator")


@pages.app_template_global("alarm_count")
def alarm_count() -> int:
    """How many alarms stand for who is signed in; for the menu."""
    me = signed_in()
    if me is None or not me.alarms or not (me.has("beheerder") or me.has("auditor") or me.has("coordinator")):
        return 0
    with reading() as session:
        return alarms.count_for(session, me)


@pages.get("/alarmen")
@_watches
def overview() -> ResponseReturnValue:
    """The alarms that this person may see."""
    return _page({})


def _page(errors: dict[str, str], typed: str = "") -> str:
    ended = request.args.get("toon") == "afgehandeld"
    with reading() as session:
        found = alarms.alarms_for(session, instance(), person(), ended=ended)
    return render_template(
        "audit/alarms.html", found=found, ended=ended, errors=errors, typed=typed,
        tried=request.view_args.get("alarm", "") if request.view_args else "",
    )  # fmt: skip


@pages.post("/alarmen/<alarm>")
@_watches
def end(alarm: str) -> ResponseReturnValue:
    """This one was looked at."""
    note = request.form.get("note", "")
    try:
        with transaction() as session:
            alarms.end_alarm(session, instance(), person(), read_id(alarm) or b"", note, now=now())
    except NotAllowed as refusal:
        where = f"note-{alarm}" if refusal.reason == "alarm_notitie" else ""
        return _page({where: label("not_allowed", refusal.reason)}, note), 422
    flash(_("Het alarm is afgehandeld. Uw notitie staat bij de afgehandelde alarmen."), "goed")
    return redirect(url_for("alarms.overview"), code=303)
