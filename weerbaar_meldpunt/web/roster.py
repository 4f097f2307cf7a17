"""The roster of duty: who is called for a team, by day and night. A time is promised only where somebody is on duty."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import roster
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.people import TEAM_ROLES
from weerbaar_meldpunt.actions.work import colleagues
from weerbaar_meldpunt.rules.values import AMSTERDAM

from .guards import person, staff_required
from .labels import label
from .place import instance, now, reading, transaction

pages = Blueprint("roster", __name__)

DAYS: Final = 14


@pages.get("/rooster/<team>")
@staff_required(*TEAM_ROLES)
def show(team: str) -> ResponseReturnValue:
    """The next two weeks of a team, with where nobody is on duty."""
    return _page(team, errors={}), 200


def _page(team: str, *, errors: dict[str, str]) -> str:
    me = person()
    if not me.member_of(team):
        abort(404)
    with reading() as session:
        duties = roster.duties(session, instance(), team, now(), days=DAYS)
        gaps = roster.gaps(session, (team,), now(), days=DAYS)
        members = colleagues(session, instance(), team)
    return render_template(
        "people/roster.html", team=team, duties=duties, gaps=gaps, coordinates=me.coordinates(team),
        members=[(user_id.hex(), name) for user_id, name in members], form=request.form, errors=errors,
        default_day=now().astimezone(AMSTERDAM).date().isoformat(),
    )  # fmt: skip


def _moment(name: str) -> datetime | None:
    try:
        day = date.fromisoformat(request.form.get(f"{name}_date", ""))
        hour = time.fromisoformat(request.form.get(f"{name}_time", "") or "00:00")
    except ValueError:
        return None
    return datetime.combine(day, hour, tzinfo=AMSTERDAM)


@pages.post("/rooster/<team>")
@staff_required("coordinator")
def add(team: str) -> ResponseReturnValue:
    """The coordinator puts somebody on duty."""
    me = person()
    if not me.member_of(team):
        abort(404)
    starts, ends = _moment("starts"), _moment("ends")
    owner, backup = request.form.get("owner", ""), request.form.get("backup", "")
    errors: dict[str, str] = {}
    if starts is None:
        errors["starts_date"] = _("Vul een datum en een tijd in.")
    if ends is None:
        errors["ends_date"] = _("Vul een datum en een tijd in.")
    if not owner:
        errors["owner"] = _("Kies wie er dienst heeft.")
    if starts is not None and ends is not None and owner:
        try:
            with transaction() as session:
                roster.add_duty(
                    session, instance(), team, starts_at=starts, ends_at=ends, owner=bytes.fromhex(owner),
                    owner_number=request.form.get("owner_number", ""),
                    backup=bytes.fromhex(backup) if backup else None,
                    backup_number=request.form.get("backup_number", ""), now=now(), by=me,
                )  # fmt: skip
        except NotAllowed as refusal:
            errors[""] = label("not_allowed", refusal.reason)
        except ValueError:
            errors["owner"] = _("Kies iemand uit de lijst.")
    if errors:
        return _page(team, errors=errors), 422
    flash(_("De dienst staat op het rooster."), "goed")
    return redirect(url_for("roster.show", team=team), code=303)


@pages.post("/rooster/<team>/<duty>/weg")
@staff_required("coordinator")
def remove(team: str, duty: str) -> ResponseReturnValue:
    """The coordinator takes a period off the roster."""
    try:
        duty_id = bytes.fromhex(duty)
    except ValueError:
        abort(404)
    with transaction() as session:
        roster.remove_duty(session, instance(), duty_id, now=now(), by=person())
    flash(_("De dienst is van het rooster gehaald."), "info")
    return redirect(url_for("roster.show", team=team), code=303)
