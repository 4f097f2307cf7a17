"""The queue of a team: what is most pressing first, opened in the member's own session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import queue
from weerbaar_meldpunt.actions.absence import who_is_missing
from weerbaar_meldpunt.actions.bulk import QUEUE_PAGE
from weerbaar_meldpunt.actions.people import TEAM_ROLES, Person
from weerbaar_meldpunt.actions.queue import COUNTED, LATE, MINE, NOBODY, ORDERS, PRESSING, REACH, QueuePage
from weerbaar_meldpunt.actions.work import colleagues
from weerbaar_meldpunt.rules.moves import CLOSED
from weerbaar_meldpunt.rules.vocabulary import TEAMS, TRACK_STATES, URGENCIES

from .guards import person, staff_required
from .labels import label
from .place import instance, now, reading, transaction
from .show import number
from .watching import count_looks

pages = Blueprint("queue", __name__)

Tab = tuple[str, str, bool, str | None]
_WHO: Final = TEAM_ROLES


@dataclass(frozen=True)
class Filters:
    """What the address of the page asks to see; what it does not know it leaves out."""

    state: str = ""
    urgency: str = ""
    owner: str = ""
    overdue: bool = False
    order: str = PRESSING

    @classmethod
    def asked(cls) -> Filters:
        """Out of the address of this request."""
        asked = request.args

        def one_of(name: str, known: tuple[str, ...]) -> str:
            return asked.get(name, "") if asked.get(name) in known else ""

        owner = asked.get("van", "")
        if owner not in (MINE, NOBODY) and not _is_id(owner):
            owner = ""
        return cls(
            one_of("stand", TRACK_STATES), one_of("urgentie", URGENCIES), owner, asked.get("te_laat") == "ja",
            one_of("volgorde", ORDERS) or PRESSING,
        )  # fmt: skip

    def address(self, **changed: str) -> dict[str, str]:
        """The arguments of an address with these filters, and some of them changed."""
        whole = {
            "stand": self.state, "urgentie": self.urgency, "van": self.owner,
            "te_laat": "ja" if self.overdue else "",
            "volgorde": "" if self.order == PRESSING else self.order,
        } | changed  # fmt: skip
        return {name: value for name, value in whole.items() if value}


def _is_id(text: str) -> bool:
    try:
        return len(bytes.fromhex(text)) == 16
    except ValueError:
        return False


def first_team(who: Person) -> str | None:
    """The team whose queue a person sees first."""
    return next((team for team in TEAMS if team in who.teams), None)


@pages.get("/werk")
@staff_required(*_WHO)
def start() -> ResponseReturnValue:
    """To the queue of one's first team."""
    team = first_team(person())
    if team is None:
        # A role in a team, but no key of it yet: say what is missing instead of an empty queue.
        return render_template("queue/no_key.html")
    return redirect(url_for("queue.team", team=team), code=303)


@pages.get("/werk/<team>")
@staff_required(*_WHO)
def team(team: str) -> ResponseReturnValue:
    """One page of a team's queue."""
    me = person()
    if not me.member_of(team):
        abort(404)
    if team not in me.teams:
        return render_template("queue/no_key.html", current=team)
    filters, page = Filters.asked(), request.args.get("page", 1, type=int) or 1
    with reading() as session:
        found = queue.queue_page(
            session, instance(), me, team, now=now(), state=filters.state or None, urgency=filters.urgency or None,
            owner=filters.owner or None, overdue=filters.overdue, page=page, order=filters.order,
        )  # fmt: skip
        # Where headlines must be made first, that is enough for one page: then only who stands on it can be chosen.
        members = _owners(found) if found.unfolded else colleagues(session, instance(), team)
        # Nor is there room on that page to say who is away.
        missing = None if found.unfolded else who_is_missing(session, instance(), team, dict(members), now=now())
    count_looks(QUEUE_PAGE)
    if found.unfolded:
        with transaction() as session:
            found = queue.fold_headlines(session, instance(), me, team, found)
    return render_template(
        "queue/team.html", team=team, found=found, filters=filters, tabs=_tabs(team, found, filters),
        members=[(user_id.hex(), name) for user_id, name in members if user_id != me.user_id],
        total=_counted(found.total, REACH), closed=filters.state == CLOSED, name=cache(label), texts=row_texts(),
        away=missing.away if missing else {}, leaver=missing is not None and missing.leaver,
    )  # fmt: skip


def row_texts() -> Mapping[str, str]:
    """What every row says again, looked up once a page."""
    return {
        "urgency": _("Urgentie"), "outcome": _("Uitkomst"), "term": _("Termijn"), "state": _("Stand"),
        "owner": _("Van wie"), "received": _("Binnen"), "you": _("u"), "nobody": _("niemand"), "was": _("was"),
        "unread": _("Nieuw bericht"), "proposed": _("Wacht op tweede collega"),
    }  # fmt: skip


def _owners(found: QueuePage) -> list[tuple[bytes, str]]:
    return sorted({(row.owner_id, row.owner_name or "?") for row in found.rows if row.owner_id}, key=lambda row: row[1])


def _counted(count: int, most: int) -> str:
    return _("meer dan %(count)s", count=number(most)) if count > most else number(count)


def _tabs(team: str, found: QueuePage, filters: Filters) -> list[Tab]:
    """The ways to look that people want most, with how many there are."""
    counts: Mapping[str, int] = found.counts
    open_count = sum(counts[state] for state in TRACK_STATES if state != CLOSED)
    here = filters.address()

    def tab(text: str, count: int | None, **wanted: str) -> Tab:
        shown = None if count is None else number(COUNTED) + "+" if count > COUNTED else number(count)
        arguments: dict[str, Any] = dict(wanted)
        return (text, url_for("queue.team", team=team, **arguments), here == wanted, shown)

    return [
        tab(_("Alles open"), open_count),
        tab(_("Te laat"), counts[LATE], te_laat="ja"),
        tab(_("Van mij"), counts[MINE], van=MINE),
        tab(_("Van niemand"), counts[NOBODY], van=NOBODY),
        *(
            tab(label("track_states", state), counts[state], stand=state)
            for state in TRACK_STATES
            if state not in (CLOSED, "in_behandeling")
        ),
        tab(label("track_states", CLOSED), None, stand=CLOSED),
    ]
