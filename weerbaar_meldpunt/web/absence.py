"""Being away with an achterwacht, and what lies with somebody who is gone: nothing waits for who is not there."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import absence, handover
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.people import TEAM_ROLES, Person
from weerbaar_meldpunt.actions.work import colleagues
from weerbaar_meldpunt.rules.values import AMSTERDAM
from weerbaar_meldpunt.rules.vocabulary import TEAMS

from .admission import id_of
from .guards import person, staff_required
from .labels import label
from .place import instance, now, reading, transaction

pages = Blueprint("absence", __name__)


def _of_team(team: str) -> Person:
    me = person()
    if team not in TEAMS or not me.member_of(team):
        abort(404)
    return me


@pages.get("/afwezig/<team>")
@staff_required(*TEAM_ROLES)
def show(team: str) -> ResponseReturnValue:
    """Who of the team is away or will be, and who is asked instead."""
    return _page(_of_team(team), team, {}), 200


def _page(me: Person, team: str, errors: dict[str, str]) -> str:
    with reading() as session:
        away = absence.absences(session, instance(), (team,), now=now())
        members = colleagues(session, instance(), team)
    return render_template(
        "people/absence.html", team=team, away=away, me=me, coordinates=me.coordinates(team), errors=errors,
        members=[(user.hex(), name) for user, name in members], form=request.form, moment_now=now(),
        others=[(user.hex(), name) for user, name in members if user != me.user_id or me.coordinates(team)],
        today=now().astimezone(AMSTERDAM).date().isoformat(),
    )  # fmt: skip


def _day(name: str, *, after: int = 0) -> datetime | None:
    """The start of a day on the form, in Amsterdam; `after` days later for the last day, which counts too."""
    try:
        day = date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None
    return datetime.combine(day + timedelta(days=after), time(), tzinfo=AMSTERDAM)


@pages.post("/afwezig/<team>")
@staff_required(*TEAM_ROLES)
def note(team: str) -> ResponseReturnValue:
    """Note from when to when somebody is away, and their achterwacht."""
    me, errors = _of_team(team), dict[str, str]()
    starts, ends = _day("starts"), _day("ends", after=1)
    if starts is None:
        errors["starts"] = _("Vul de eerste dag in.")
    if ends is None:
        errors["ends"] = _("Vul de laatste dag in.")
    if not request.form.get("stand_in"):
        errors["stand_in"] = _("Kies wie uw achterwacht is.")
    if starts is not None and ends is not None and not errors:
        try:
            with transaction() as session:
                absence.note_absence(
                    session, instance(), me, team, starts_at=starts, ends_at=ends,
                    stand_in=id_of(request.form["stand_in"]), member=id_of(request.form.get("member", "")) or None,
                    now=now(),
                )  # fmt: skip
        except NotAllowed as refusal:
            errors[""] = label("not_allowed", refusal.reason)
    if errors:
        return _page(me, team, errors), 422
    flash(_("Genoteerd. In die tijd herinneren wij de achterwacht."), "goed")
    return redirect(url_for("absence.show", team=team), code=303)


@pages.post("/afwezig/<team>/<absent>/weg")
@staff_required(*TEAM_ROLES)
def end(team: str, absent: str) -> ResponseReturnValue:
    """Back again, or not away after all."""
    me = _of_team(team)
    with transaction() as session:
        absence.end_absence(session, instance(), me, id_of(absent), now=now())
    flash(_("De afwezigheid is weg. Herinneringen gaan weer naar de behandelaar zelf."), "info")
    return redirect(url_for("absence.show", team=team), code=303)


# --- what lies with who is gone ------------------------------------------------------------------------------------


@pages.get("/overdracht/<team>")
@staff_required("coordinator")
def hand_over(team: str) -> ResponseReturnValue:
    """The open tracks of who left or is away, for the coordinator to give to somebody else."""
    me = _of_team(team)
    if not me.coordinates(team):
        abort(404)
    return _lying(me, team, {}), 200


def _lying(me: Person, team: str, errors: dict[str, str]) -> str:
    with reading() as session:
        lying = handover.lying(session, instance(), me, team, now=now())
        members = colleagues(session, instance(), team)
    return render_template(
        "people/handover.html", team=team, lying=lying, errors=errors, form=request.form,
        members=[(user.hex(), name) for user, name in members], chosen=request.form.getlist("tracks"),
    )  # fmt: skip


@pages.post("/overdracht/<team>")
@staff_required("coordinator")
def hand_over_now(team: str) -> ResponseReturnValue:
    """Give the chosen tracks to a colleague; one that cannot go there stays, and the page says which."""
    me, errors = _of_team(team), dict[str, str]()
    if not me.coordinates(team):
        abort(404)
    chosen, to = request.form.getlist("tracks"), request.form.get("to", "")
    if not chosen:
        errors["tracks"] = _("Kies ten minste één zaak.")
    if not to:
        errors["to"] = _("Kies een collega.")
    if errors:
        return _lying(me, team, errors), 422
    done, stayed = 0, list[str]()
    for reference in chosen:
        try:  # each by itself: one that cannot go there must not keep the others
            with transaction() as session:
                reason = _("De vorige behandelaar is weg of afwezig.")
                handover.give(session, instance(), me, reference, team, to=id_of(to), reason=reason, now=now())
            done += 1
        except NotAllowed as refusal:
            stayed.append(f"{reference}: {label('not_allowed', refusal.reason)}")
    if done:
        flash(_("Overgedragen: %(number)s.", number=done), "goed")
    for line in stayed:
        flash(line, "let_op")
    return redirect(url_for("absence.hand_over", team=team), code=303)
