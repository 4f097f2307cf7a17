"""A worker makes a case more or less pressing than the rules did, with a reason; their answer stays beside it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from weerbaar_meldpunt.rules import chase
from weerbaar_meldpunt.rules.vocabulary import URGENCIES
from weerbaar_meldpunt.store.tracks import Track

from . import emergency
from .errors import NotAllowed, TooLarge
from .reader import MAX_TEXT
from .tracks import plan
from .work import Held, read_melding

CHANGED: Final = "urgentie_veranderd"
_ACUTE: Final = "acuut"


def change_urgency(held: Held, urgency: str, reason: str) -> None:
    """Make the own track as pressing as this. What is due is looked at as soon as that asks, and somebody follows up.

    Owner or coordinator; an acute case is made less pressing by a coordinator only.
    """
    held.require_open()
    held.require_vouched()
    held.require_owner()
    held.require_no_proposal()
    if not reason.strip():
        raise NotAllowed("reden_nodig")
    if len(reason) > MAX_TEXT:
        raise TooLarge
    if urgency not in URGENCIES or urgency == held.track.urgency:
        raise NotAllowed("zelfde_urgentie")
    if held.track.urgency == _ACUTE and not held.is_coordinator:
        raise NotAllowed("acuut_alleen_coordinator")
    before, ledger = held.track.urgency, held.ledger()
    raised = URGENCIES.index(urgency) < URGENCIES.index(before)
    fresh = []
    if raised:
        fresh = chase.after_message(urgency, now=held.now)
        for due in held.dues:
            if due.ended_at is None and due.next_at is not None:
                look = chase.first_look(chase.PlannedDue(due.kind, due.moment), urgency, now=held.now)
                if look < due.next_at:
                    ledger.change(due, next_at=look)
    plan(ledger, held.track, held.dues, fresh, now=held.now, urgency=urgency)
    others = select(Track.urgency).where(
        Track.case_id == held.case.id, Track.id != held.track.id, Track.closed_at.is_(None)
    )
    gravest = min((urgency, *held.session.scalars(others)), key=URGENCIES.index)
    emergency.renew(
        held.session, held.instance, ledger, case=held.case, melding=read_melding(held), urgency=gravest
    )  # fmt: skip
    held.close(ledger, CHANGED, {"text": reason.strip(), "before": before, "urgency": urgency}, team_only=True)
