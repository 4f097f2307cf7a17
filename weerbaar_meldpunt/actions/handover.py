"""What lies with somebody who left a team or is away: the coordinator gives it to a colleague, one track at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.people import User
from weerbaar_meldpunt.store.tracks import Track

from . import work
from .absence import Away, absences
from .barred import Barred
from .dossier import name_of
from .errors import NotAllowed, NotYours, Onleesbaar
from .instance import Instance
from .person import Person
from .telling import members_of


@dataclass(frozen=True)
class Lying:
    """An open track with an owner who is not there."""

    reference: str
    urgency: str
    state: str
    due_at: datetime | None
    due_kind: str | None
    owner_name: str
    away: Away | None  # None when the owner left the team for good


def lying(session: Session, instance: Instance, person: Person, team: str, *, now: datetime) -> list[Lying]:
    """The open tracks of a team whose owner left or is away now, most pressing first; for its coordinator."""
    if not person.coordinates(team):
        raise NotAllowed("alleen_coordinator")
    there = {user.id for user in members_of(session, team)}
    away = {one.member_id: one for one in absences(session, instance, (team,), now=now) if one.now(now)}
    rows = session.execute(
        select(Track, Case.reference, User)
        .join(Case, Case.id == Track.case_id)
        .outerjoin(User, User.id == Track.owner_id)
        .where(Track.team == team, Track.closed_at.is_(None), Track.owner_id.is_not(None))
        .where(Track.owner_id.not_in(there - away.keys()))
        .order_by(Track.urgency, Track.due_at, Track.id)
    ).all()
    return [
        Lying(
            reference, track.urgency, track.state, track.due_at, track.due_kind, name_of(instance, user) or "?",
            away.get(track.owner_id or b""),
        )
        for track, reference, user in rows
    ]  # fmt: skip


def give(
    session: Session, instance: Instance, person: Person, reference: str, team: str, *, to: bytes, reason: str,
    now: datetime,
) -> None:  # fmt: skip
    """Give one track to a colleague; `NotAllowed` says why not, also of one that does not open for the coordinator."""
    try:
        held = work.hold(session, instance, person, reference, now=now, team=team)
    except (Barred, NotYours):
        raise NotAllowed("niet_getoond") from None
    except Onleesbaar:
        raise NotAllowed("onleesbaar_nu") from None
    work.hand_over(held, to, reason)
