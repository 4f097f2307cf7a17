"""Who saw a case: what the trail says of its openings, for the reporter's side. By team and function, not by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.people import Role

from .person import TEAM_ROLES
from .views import OPENINGS, CaseView

PRIVATE: Final = "geopend_veilig"


@dataclass(frozen=True)
class OpeningView:
    """Somebody opened the case or a part of it: when, of which teams they are, what they are there, and what part."""

    at: datetime
    teams: tuple[str, ...]
    action: str  # of the trail
    functions: tuple[str, ...] = ()
    name: str | None = None  # only where a team chose to show names


@dataclass(frozen=True)
class OpeningDay:
    """What people of the same teams opened on one Dutch day: how often, the last time, and which parts."""

    at: datetime
    teams: tuple[str, ...]
    actions: tuple[str, ...]
    times: int


def by_day(openings: Sequence[OpeningView]) -> tuple[OpeningDay, ...]:
    """The openings in a line for each day and team, newest first; those of the address apart."""
    groups: dict[tuple[date, tuple[str, ...], bool], list[OpeningView]] = {}
    for opening in openings:
        key = (today(opening.at), opening.teams, opening.action == PRIVATE)
        groups.setdefault(key, []).append(opening)
    days = (
        OpeningDay(max(o.at for o in group), teams, tuple(sorted({o.action for o in group})), len(group))
        for (_, teams, _), group in groups.items()
    )
    return tuple(sorted(days, key=lambda day: day.at, reverse=True))


def openings_of(
    session: Session, case_id: bytes, view: CaseView, *, named: Sequence[str] = ()
) -> tuple[OpeningView, ...]:  # fmt: skip
    """Who opened the case and was shown it, newest first. `named` are the teams that chose to show their names."""
    shown = {event.seq: event for event in view.openings}
    teams = [track.team for track in view.tracks]
    of_team = and_(Role.user_id == Leaf.actor, Role.team.in_(teams), Role.role.in_(TEAM_ROLES))
    rows = session.execute(
        select(Leaf.seq, Leaf.at, Leaf.action, Role.team, Role.role)
        .outerjoin(Role, of_team)
        .where(Leaf.object == case_id, Leaf.action.in_(OPENINGS))
        .order_by(Leaf.seq.desc())
    ).all()
    roles: dict[int, set[tuple[str, str]]] = {}
    for row in rows:
        if row.seq in shown:
            roles.setdefault(row.seq, set()).update({(row.team, row.role)} if row.team else ())
    found = {row.seq: row for row in rows if row.seq in shown}
    return tuple(_opening(found[seq].at, found[seq].action, roles[seq], shown[seq].actor, named) for seq in found)


def _opening(
    at: datetime, action: str, roles: set[tuple[str, str]], name: str | None, named: Sequence[str]
) -> OpeningView:
    teams = tuple(sorted({team for team, _ in roles}))
    # Of somebody in two teams the name is shown only when both chose it.
    told = name if teams and set(teams) <= set(named) else None
    return OpeningView(at, teams, action, tuple(sorted({role for _, role in roles})), told)
