"""Comparing the marks of one case with those of others: off until the FG's decision, and each look is noted."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from weerbaar_meldpunt.actions import linking, linkkeys, opening, queue, work
from weerbaar_meldpunt.actions.barred import Barred
from weerbaar_meldpunt.actions.errors import NotAllowed, Onleesbaar
from weerbaar_meldpunt.actions.linking_decision import current_decision
from weerbaar_meldpunt.actions.people import TEAM_ROLES
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.marks import Mark, read_mark
from weerbaar_meldpunt.rules.retention import on as terms_on

from .case import barred_page, noted_opening, team_asked, unreadable_page
from .guards import person, staff_required, stepped_up
from .labels import label
from .place import instance, now, reading, transaction
from .sessions import content

pages = Blueprint("linking", __name__)


@pages.get("/zaak/<reference>/vergelijken")
@staff_required(*TEAM_ROLES)
def case(reference: str) -> ResponseReturnValue:
    """What of this case can be compared. It shows words of the report, so it counts as opening the case."""
    return _page(reference)


def _page(
    reference: str, *, errors: dict[str, str] | None = None, hits: linking.Hits | None = None
) -> ResponseReturnValue:
    me, noted = person(), noted_opening(reference)
    with reading() as session:
        try:
            view = opening.open_case(session, instance(), me, noted)
        except Barred:
            return barred_page(noted.case_id, noted.team)
        except Onleesbaar as fault:
            return unreadable_page(noted, fault), 422
        decision = current_decision(session, instance(), now=now())
        has_key = bool(linkkeys.link_ring(session, instance(), me))
        kept = linking.kept_of(session, noted.case_id)
    page = render_template(
        "search/compare.html", reference=noted.reference, team=noted.team, decision=decision, has_key=has_key,
        kept=kept, candidates=linking.candidates(view.melding) if view.readable else [], hits=hits,
        rows=_rows(hits), errors=errors or {}, months=terms_on(today(now())).links.months,
        typed=request.form.get("typed", ""), chosen=request.form.getlist("mark"), coordinates=me.has("coordinator"),
    )  # fmt: skip
    return (page, 422) if errors else page


def _rows(hits: linking.Hits | None) -> list[tuple[str, queue.QueueRow]]:
    """The cases of one's own teams that were found, as rows of the queue, each with the team it is of."""
    me, found = person(), list[tuple[str, queue.QueueRow]]()
    for team in me.teams if hits and hits.case_ids else ():
        with reading() as session:
            rows = queue.rows_among(session, instance(), me, team, hits.case_ids if hits else (), now=now())
        if rows.unfolded:
            with transaction() as session:
                rows = queue.fold_headlines(session, instance(), me, team, rows)
        found += [(team, row) for row in rows.rows]
    return found


def _marks() -> list[Mark]:
    written = [*request.form.getlist("mark"), request.form.get("typed", "")]
    found = {mark.token: mark for text in written if text.strip() and (mark := read_mark(text))}
    return list(found.values())


@pages.post("/zaak/<reference>/vergelijken")
@staff_required(*TEAM_ROLES)
def compare(reference: str) -> ResponseReturnValue:
    """Compare the chosen marks, and keep them for others to be compared with when that is asked."""
    keeps, team = request.form.get("what") == "bewaar", team_asked()
    try:
        with transaction() as session:
            held = work.hold(session, instance(), person(), reference.upper(), now=now(), team=team)
            if keeps:
                count = linking.keep_marks(held, _marks())
            hits = linking.compare(held, _marks())
    except Barred:
        return _page(reference)
    except NotAllowed as refusal:
        return _page(reference, errors={"mark": label("not_allowed", refusal.reason)})
    if keeps:
        said = ngettext("%(num)s kenmerk is nieuw bewaard.", "%(num)s kenmerken zijn nieuw bewaard.", count)
        flash(said, "goed")
    return _page(reference, hits=hits)


@pages.post("/zaak/<reference>/vergelijken/weg")
@staff_required(*TEAM_ROLES)
def drop(reference: str) -> ResponseReturnValue:
    """The marks of this case go."""
    with transaction() as session:
        linking.drop_marks(
            work.hold(session, instance(), person(), reference.upper(), now=now(), team=team_asked())
        )  # fmt: skip
    flash(_("De kenmerken van deze zaak zijn gewist."), "goed")
    return _page(reference)


@pages.post("/vergelijken/sleutel")
@staff_required("coordinator")
@stepped_up
def make_key() -> ResponseReturnValue:
    """Make the key that all teams share for this; it works once it is pinned at the console and compared."""
    me, held = person(), content()
    if held is None or held.root is None:
        raise NotAllowed("geen_sleutel")
    with transaction() as session:
        key = linkkeys.make_link_key(session, instance(), me, held.root, now=now())
    return render_template("search/key_made.html", fingerprint=key.fingerprint[:16].hex(" ", 2))
