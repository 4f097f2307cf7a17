"""Who knows a team's secret and should not any more: until the next key is pinned, what is sealed could be theirs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.membership import Departure


def note_departure(session: Session, kind: str, team: str, member_id: bytes, epoch: int, *, now: datetime) -> None:
    """Remember that this secret is known to somebody who left, or whose old key pair somebody else may have."""
    left = session.get(Departure, (kind, team, member_id))
    if left is None:
        session.add(Departure(kind=kind, team=team, member_id=member_id, epoch=epoch, left_at=now))
    elif left.epoch < epoch:
        left.epoch, left.left_at = epoch, now
    session.flush()
