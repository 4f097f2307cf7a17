"""How long what is kept: the public page, the coordinator's list of what may go, the second person, the register."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from weerbaar_meldpunt.actions import destroyed, destroying, holding, queue, retention, withdrawal, work
from weerbaar_meldpunt.actions.alarms import raise_alarm
from weerbaar_meldpunt.actions.destroying import Candidate
from weerbaar_meldpunt.actions.errors import NotAllowed, Onleesbaar, TooLarge
from weerbaar_meldpunt.actions.opening import find_track
from weerbaar_meldpunt.actions.people import TEAM_ROLES
from weerbaar_meldpunt.actions.queue import HeadlineView
from weerbaar_meldpunt.rules import retention as rules
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.moves import TRANSFERRED
from weerbaar_meldpunt.rules.vocabulary import TEAMS

from .guards import person, staff_required, stepped_up
from .labels import choices, label
from .place import instance, now, reading, transaction

pages = Blueprint("retention", __name__)


# --- for everybody -------------------------------------------------------------------------------------------------


@pages.get("/bewaartermijnen")
def public() -> ResponseReturnValue:
    """How long we keep what, in plain words."""
    table = rules.on(today(now()))
    return render_template(
        "retention/public.html", table=table, terms=[(term.code, _length(term)) for term in table.term],
        others=[(term.code, _length(term)) for term in table.other] + [("kenmerken", _length(table.links))],
        undo_days=table.undo_days,
    )  # fmt: skip


def _length(term: object) -> str:
    """A term in words."""
    months, days, hours = (getattr(term, name, None) for name in ("months", "days", "hours"))
    if months and months % 12 == 0:
        return str(ngettext("%(num)s jaar", "%(num)s jaar", months // 12))
    if months:
        return str(ngettext("%(num)s maand", "%(num)s maanden", months))
    if days == 1:
        return str(_("24 uur"))
    if days:
        return str(ngettext("%(num)s dag", "%(num)s dagen", days))
    if hours:
        return str(_("hoogstens %(hours)s uur", hours=hours))
    return str(_("altijd") if getattr(term, "for_ever", False) else _("tot het klaar is"))


# --- the coordinator -----------------------------------------------------------------------------------------------


@pages.get("/bewaren")
@staff_required("coordinator", "behandelaar", "auditor", "beheerder")
def start() -> ResponseReturnValue:
    """To the list of one's own team; for who has none, to the register."""
    me = person()
    team = next((team for team in TEAMS if me.coordinates(team)), None)
    if team is not None:
        return redirect(url_for("retention.team", team=team), code=303)
    return redirect(url_for("retention.decisions" if me.teams else "retention.register"), code=303)


@pages.get("/bewaren/<team>")
@staff_required("coordinator")
def team(team: str) -> ResponseReturnValue:
    """What may go, what will soon, what is held, and proposals that wait for a second person."""
    return _team(team)


def _team(team: str, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    me = person()
    if not me.coordinates(team):
        abort(404)
    if team not in me.teams:
        return render_template("queue/no_key.html", current=team)
    with reading() as session:
        due = destroying.due(session, team, now=now())
        soon = destroying.soon(session, team, now=now())
        held = destroying.on_hold(session, team, now=now())
        waiting = destroying.proposals(session, instance(), me, now=now())
    headlines = _headlines(team, [*due, *soon, *(one for one, _hold in held)])
    page = render_template(
        "retention/team.html", team=team, due=due, soon=soon, held=held, headlines=headlines, errors=errors or {},
        chosen=request.form.getlist("case"), waiting=[one for one in waiting if one.proposed_by != me.user_id],
        own=[one for one in waiting if one.proposed_by == me.user_id], most=destroying.MOST,
        day=today(now()).isoformat(),
    )  # fmt: skip
    return (page, 422) if errors else page


def _headlines(team: str, cases: Sequence[Candidate]) -> Mapping[bytes, HeadlineView | None]:
    """The headlines of these cases: no more than a row of the queue shows."""
    ids = {one.case_id for one in cases}
    if not ids:
        return {}
    with reading() as session:
        found = queue.rows_among(session, instance(), person(), team, ids, now=now())
    if found.unfolded:
        with transaction() as session:
            found = queue.fold_headlines(session, instance(), person(), team, found)
    return {row.case_id: row.headline for row in found.rows}


@pages.post("/bewaren/<team>/voorstel")
@staff_required("coordinator")
@stepped_up
def propose(team: str) -> ResponseReturnValue:
    """Propose to let the chosen cases go; another person decides."""
    if not person().coordinates(team):
        abort(404)
    try:
        with transaction() as session:
            proposal = destroying.propose(
                session, instance(), person(), team, request.form.getlist("case"), now=now()
            )  # fmt: skip
    except NotAllowed as refusal:
        return _team(team, {"case": label("not_allowed", refusal.reason)})
    if proposal is None:
        flash(_("Deze zaken kloppen niet met het logboek. Er is alarm geslagen. Er gaat niets weg."), "fout")
    else:
        flash(_("Uw voorstel staat klaar. Een ander moet het bevestigen. Daarna wissen wij de zaken."), "goed")
    return redirect(url_for("retention.team", team=team), code=303)


# --- the second person ---------------------------------------------------------------------------------------------


@pages.get("/bewaren/voorstellen")
@staff_required(*TEAM_ROLES)
def decisions() -> ResponseReturnValue:
    """The proposals that wait for somebody else's yes or no."""
    return _decisions()


def _decisions(errors: dict[str, str] | None = None) -> ResponseReturnValue:
    me = person()
    with reading() as session:
        found = destroying.proposals(session, instance(), me, now=now())
    headlines = {
        one.id: _headlines(one.team, one.cases) for one in found if one.cases and one.proposed_by != me.user_id
    }
    page = render_template(
        "retention/decisions.html", found=found, headlines=headlines, errors=errors or {},
        sent=request.form.get("proposal", ""),
    )  # fmt: skip
    return (page, 422) if errors else page


@pages.post("/bewaren/voorstellen")
@staff_required(*TEAM_ROLES)
@stepped_up
def decide() -> ResponseReturnValue:
    """Yes or no. After a yes the clock destroys the cases; that cannot be undone."""
    agrees = request.form.get("answer") == "ja"
    try:
        proposal = bytes.fromhex(request.form.get("proposal", ""))
    except ValueError:
        abort(400)
    if agrees and request.form.get("sure") != "ja":
        return _decisions({"sure": _("Vink aan dat u weet dat dit niet terug kan.")})
    try:
        with transaction() as session:
            count = destroying.decide(session, instance(), person(), proposal, agrees=agrees, now=now())
    except NotAllowed as refusal:
        return _decisions({"": label("not_allowed", refusal.reason)})
    except Onleesbaar:
        with transaction() as session:
            raise_alarm(session, instance(), destroying.ALARM, proposal.hex(), now=now())
        return _decisions({"": _("Dit voorstel klopt niet met het logboek. Er is alarm geslagen. Er gaat niets weg.")})
    if agrees:
        said = ngettext("Wij wissen nu %(num)s zaak.", "Wij wissen nu %(num)s zaken.", count)
        flash(_("%(said)s Dat duurt een paar minuten.", said=said), "goed")
    else:
        flash(_("U zei nee. De zaken blijven staan."), "info")
    return redirect(url_for("retention.decisions"), code=303)


# --- one case ------------------------------------------------------------------------------------------------------


@pages.get("/zaak/<reference>/bewaren")
@staff_required(*TEAM_ROLES)
def case(reference: str) -> ResponseReturnValue:
    """Until when a case is kept, and what holds it; the words behind a hold stand on the case itself."""
    return _case(reference)


def _case(reference: str, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    me, day = person(), today(now())
    with reading() as session:
        found, track = find_track(session, me, reference.upper(), team=request.args.get("team"))
        if track.outcome == TRANSFERRED:  # the team gave the case to another one
            abort(404)
        keeping = retention.keeping_of(session, found.id)
        standing = withdrawal.standing(session, found.id, now=now())
        names = retention.placed_by(session, instance(), standing.holds)
    page = render_template(
        "retention/case.html", reference=found.reference, team=track.team, keeping=keeping, standing=standing,
        names=names, coordinates=me.coordinates(track.team), grounds=choices("hold_grounds"), errors=errors or {},
        form=request.form, latest=rules.latest_review(day).isoformat(), closed=track.closed_at is not None,
    )  # fmt: skip
    return (page, 422) if errors else page


@pages.post("/zaak/<reference>/bewaren")
@staff_required("coordinator")
@stepped_up
def hold(reference: str) -> ResponseReturnValue:
    """Keep a case longer, prolong that, or end it."""
    text, form = request.form.get("text", ""), request.form
    review_on, until = _day("review_on"), _day("until")
    errors: dict[str, str] = {}
    if review_on is None and form.get("what") != "einde":
        errors["review_on"] = _("Vul een dag in waarop u opnieuw kijkt.")
    if form.get("until") and until is None:
        errors["until"] = _("Vul een dag in, of laat dit leeg.")
    if not text.strip():
        errors["text"] = label("not_allowed", "reden_nodig")
    if not errors:
        try:
            with transaction() as session:
                held = work.hold(
                    session, instance(), person(), reference.upper(), now=now(), team=form.get("team") or None
                )
                _hold(held, review_on, until, text)
        except NotAllowed as refusal:
            at = {"dag_kan_niet": "review_on", "onbekende_grond": "ground"}.get(refusal.reason, "")
            errors[at] = label("not_allowed", refusal.reason)
        except TooLarge:
            errors["text"] = _("Dit is te lang.")
    if errors:
        return _case(reference, errors)
    flash(_("Dat staat vast. De melder kan het lezen."), "goed")
    return redirect(url_for("retention.case", reference=reference, team=form.get("team") or None), code=303)


def _hold(held: work.Held, review_on: date | None, until: date | None, text: str) -> None:
    which = request.form.get("hold", "")
    if not which:
        if review_on is None:
            raise NotAllowed("dag_kan_niet")
        holding.place_hold(
            held, ground=request.form.get("ground", ""), text=text, review_on=review_on, until=until
        )  # fmt: skip
        return
    try:
        hold_id = bytes.fromhex(which)
    except ValueError:
        raise NotAllowed("bewaring_al_voorbij") from None
    ends = request.form.get("what") == "einde"
    holding.review_hold(held, hold_id, review_on=None if ends else review_on, text=text)


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None


# --- the register --------------------------------------------------------------------------------------------------


@pages.get("/bewaren/register")
@staff_required("coordinator", "auditor", "beheerder")
def register() -> ResponseReturnValue:
    """What was destroyed: when, how many, why, on whose word. Never which."""
    with reading() as session:
        lines = destroyed.register(session, instance())
    return render_template("retention/register.html", lines=lines, total=sum(line.count for line in lines))


@pages.get("/bewaren/register.csv")
@staff_required("coordinator", "auditor", "beheerder")
def register_csv() -> ResponseReturnValue:
    """The register as a file, in the codes of the program."""
    with reading() as session:
        lines = destroyed.register(session, instance(), most=100_000)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("dag", "grond", "termijn", "uitkomst", "aantal", "voorgesteld_door", "bevestigd_door"))
    for line in lines:
        writer.writerow(
            [
                line.day.isoformat(), line.ground, line.term, line.outcome, line.count, _cell(line.proposed_by),
                _cell(line.confirmed_by),
            ]
        )  # fmt: skip
    response = Response("\ufeff" + out.getvalue(), mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="register-vernietiging.csv"'
    return response


def _cell(name: str | None) -> str:
    """A name as a cell that no spreadsheet takes for a formula."""
    text = name or ""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
