"""The decision of the FG that switches the linking of cases with the same features on: for a purpose and for a time.

Off by default, and off again by itself on the day after the last. A decision counts only while the trail vouches for
it, so that who writes the database cannot switch linking on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.oversight import LINKING_GROUNDS, oversight_on
from weerbaar_meldpunt.store.oversight import LinkingDecision
from weerbaar_meldpunt.vault.derive import new_id

from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .people import Person
from .vouching import vouched

DECIDED: Final = "koppelen_aan"
ENDED: Final = "koppelen_uit"
LONGEST_PURPOSE: Final = 600
SHORTEST_PURPOSE: Final = 20


def linking_allowed(session: Session, instance: Instance, *, now: datetime) -> bool:
    """Whether a decision of the FG allows linking today."""
    return current_decision(session, instance, now=now) is not None


def current_decision(session: Session, instance: Instance, *, now: datetime) -> LinkingDecision | None:
    """The decision that holds today."""
    day = today(now).isoformat()
    rows = session.scalars(
        select(LinkingDecision)
        .where(LinkingDecision.starts_on <= day, LinkingDecision.until >= day, LinkingDecision.ended_at.is_(None))
        .order_by(LinkingDecision.until.desc(), LinkingDecision.id)
    )
    return next((row for row in rows if vouched(session, instance, row)), None)


def decisions(session: Session) -> Sequence[LinkingDecision]:
    """Every decision there was, newest first."""
    return session.scalars(
        select(LinkingDecision).order_by(LinkingDecision.decided_at.desc(), LinkingDecision.id)
    ).all()


def decide(
    session: Session, instance: Instance, person: Person, *, purpose: str, ground: str, starts_on: date,
    review_on: date, until: date, now: datetime,
) -> LinkingDecision:  # fmt: skip
    """Switch linking on: for what, on what ground, until when, and when it is looked at again."""
    if not person.has("auditor"):
        raise NotAllowed("niet_uw_rol")
    purpose = " ".join(purpose.split())
    if not SHORTEST_PURPOSE <= len(purpose) <= LONGEST_PURPOSE:
        raise NotAllowed("doel_nodig")
    if ground not in LINKING_GROUNDS:
        raise NotAllowed("onbekende_keuze")
    longest = timedelta(days=oversight_on(today(now)).linking_days)
    if not today(now) <= starts_on <= review_on <= until <= starts_on + longest or starts_on > today(now) + longest:
        raise NotAllowed("koppelen_termijn")
    if current_decision(session, instance, now=now) is not None:
        raise NotAllowed("koppelen_al_aan")
    row_id = new_id()
    ledger = Ledger(session, instance, now=now)
    ledger.add(
        LinkingDecision, id=row_id, purpose=purpose, ground=ground, starts_on=starts_on.isoformat(),
        review_on=review_on.isoformat(), until=until.isoformat(), decided_by=person.user_id, decided_at=now,
    )  # fmt: skip
    ledger.close(person.user_id, DECIDED, row_id)
    return session.get_one(LinkingDecision, row_id)


def end(session: Session, instance: Instance, person: Person, decision_id: bytes, *, now: datetime) -> None:
    """Switch linking off before its time."""
    row = session.get(LinkingDecision, decision_id, with_for_update=True)
    if not person.has("auditor") or row is None or row.ended_at is not None:
        raise NotAllowed("niet_gevonden")
    ledger = Ledger(session, instance, now=now)
    ledger.change(row, ended_at=now, ended_by=person.user_id)
    ledger.close(person.user_id, ENDED, row.id)
