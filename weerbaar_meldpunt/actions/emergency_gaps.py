"""Open acute and urgent cases that are not on the emergency list: after a backup was put back, which never holds it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.custody import Emergency
from weerbaar_meldpunt.store.tracks import Track

from . import emergency
from .barred import Barred
from .errors import NotAllowed, NotYours, Onleesbaar
from .instance import Instance
from .person import Person
from .work import hold, read_melding

FILLED: Final = "noodlijst_aangevuld"
AT_ONCE: Final = 100  # each is opened, and each opening is a line in the trail


def _missing(team: str) -> Select[str]:
    return (
        select(Case.reference)
        .join(Track, Track.case_id == Case.id)
        .where(
            Track.team == team, Track.closed_at.is_(None), Track.urgency.in_(sorted(emergency.LISTED)),
            Case.id.not_in(select(Emergency.case_id)),
        )
        .order_by(Track.urgency, Case.reference)
    )  # fmt: skip


def missing(session: Session, team: str) -> list[str]:
    """References of the team's open acute and urgent cases that are not on the list."""
    return list(session.scalars(_missing(team)))


def fill(session: Session, instance: Instance, person: Person, team: str, *, now: datetime) -> int:
    """A coordinator puts what is missing on the list again; answers how many. What does not open stays out."""
    if not person.coordinates(team):
        raise NotAllowed("alleen_coordinator")
    count = 0
    for reference in session.scalars(_missing(team).limit(AT_ONCE)).all():
        try:
            held = hold(session, instance, person, reference, now=now, team=team)
            held.require_vouched()
            melding = read_melding(held)
        except (Barred, Onleesbaar, NotYours):
            continue
        ledger = held.ledger()
        emergency.renew(session, instance, ledger, case=held.case, melding=melding, urgency=held.track.urgency)
        held.close(ledger, FILLED, {"text": ""}, team_only=True)
        count += 1
    return count
