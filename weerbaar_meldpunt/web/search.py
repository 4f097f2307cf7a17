"""Searching the cases of a team. What is looked for comes in the body of the form, never in an address or a log."""

from __future__ import annotations

from functools import cache

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import queue, searching
from weerbaar_meldpunt.actions.people import TEAM_ROLES
from weerbaar_meldpunt.actions.queue import MAX_PAGE
from weerbaar_meldpunt.actions.segments import Wanted

from .guards import person, staff_required
from .labels import choices, label
from .place import instance, now, reading, transaction
from .queue import row_texts

pages = Blueprint("search", __name__)

SHORTEST = 2
LONGEST = 200


@pages.get("/werk/<team>/zoeken")
@staff_required(*TEAM_ROLES)
def ask(team: str) -> ResponseReturnValue:
    """Where one types what to look for."""
    return _page(team)


def _page(team: str, errors: dict[str, str] | None = None, **found: object) -> ResponseReturnValue:
    me = person()
    if not me.member_of(team):
        abort(404)
    if team not in me.teams:
        return render_template("queue/no_key.html", current=team)
    page = render_template(
        "search/search.html", team=team, typed=request.form.get("typed", ""), errors=errors or {},
        chosen=request.form.getlist("marks"), marks=choices("marks"), most=MAX_PAGE, name=cache(label),
        texts=row_texts(), away={}, **found,
    )  # fmt: skip
    return (page, 422) if errors else page


@pages.post("/werk/<team>/zoeken")
@staff_required(*TEAM_ROLES)
def search(team: str) -> ResponseReturnValue:
    """The cases that hold all words and marks, as rows of the queue. That somebody searched is noted first."""
    me = person()
    if team not in me.teams:
        return _page(team)
    typed = request.form.get("typed", "")
    known = {code for code, _word in choices("marks")}
    wanted = Wanted.of(typed, known & set(request.form.getlist("marks")))
    if len(typed) > LONGEST:
        return _page(team, {"typed": _("Dit is te lang. Een paar woorden zijn genoeg.")})
    if wanted.nothing or any(len(word) < SHORTEST for word in wanted.words):
        return _page(team, {"typed": _("Typ minstens één woord van twee letters, of kies een kenmerk.")})
    with transaction() as session:
        searching.note_search(session, instance(), me, team, now=now())
    with reading() as session:
        found = searching.search(session, instance(), me, team, wanted)
    with transaction() as session:
        searching.keep(session, instance(), me, team, found, now=now())
    with reading() as session:
        rows = queue.rows_among(session, instance(), me, team, found.case_ids[: searching.REACH], now=now())
    if rows.unfolded:
        with transaction() as session:
            rows = queue.fold_headlines(session, instance(), me, team, rows)
    return _page(team, rows=rows, total=len(found.case_ids), more=found.more, left=found.left, searched=True)
