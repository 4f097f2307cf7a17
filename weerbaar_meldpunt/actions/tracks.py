"""Changing a track together with what must happen next on it: no open track is ever without a due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from weerbaar_meldpunt.rules import chase
from weerbaar_meldpunt.store.tracks import Due, Track
from weerbaar_meldpunt.vault.derive import new_id, sha256

from .ledger import Ledger
from .trail import Trail


def genuine(trail: Trail, dues: Iterable[Due]) -> list[Due]:
    """The dues that are as the trail says. An act leaves the others alone: writing them anew would make them true."""
    return [due for due in dues if trail.agrees(due)]


def settle(ledger: Ledger, dues: Iterable[Due], kinds: Sequence[str] | None, step: str, *, now: datetime) -> None:
    """End the open dues of these kinds (or all): `gedaan` or `vervallen`."""
    for due in dues:
        if due.ended_at is None and (kinds is None or due.kind in kinds):
            ledger.change(due, step=step, ended_at=now, next_at=None)


def plan(
    ledger: Ledger, track: Track, dues: list[Due], fresh: Iterable[chase.PlannedDue], *, now: datetime, **changes: Any
) -> None:
    """Add dues, change the track and set its next moment. `dues` are all of the track, ended ones too, as read."""
    taken = {(due.kind, due.moment): due.ended_at for due in dues}
    upcoming = [(due.moment, due.kind) for due in dues if due.ended_at is None]
    urgency = changes.get("urgency", track.urgency)
    closed = changes.get("closed_at", track.closed_at) is not None
    wanted = list(fresh)
    if not closed and not upcoming and not wanted:
        wanted = [chase.fallback(urgency, now=now)]
    for due in wanted:
        moment = due.moment
        if (due.kind, moment) in taken and taken[due.kind, moment] is None:
            continue
        while (due.kind, moment) in taken:  # one of this kind and moment was there and ended: the next second is free
            moment += timedelta(seconds=1)
        taken[due.kind, moment] = None
        ledger.add(
            Due, id=new_id(), track_id=track.id, kind=due.kind, moment=moment, step="gepland",
            next_at=chase.first_look(due, urgency, now=now),
        )  # fmt: skip
        upcoming.append((moment, due.kind))
    due_at, due_kind = min(upcoming) if upcoming and not closed else (None, None)
    ledger.change(track, **changes, due_at=due_at, due_kind=due_kind)


def stamp_of(track: Track) -> str:
    """Names the state a track is in, so that an act on what somebody saw earlier can be told from one on what is."""
    parts = (track.state, track.urgency, track.owner_id, track.outcome, track.proposed_by, track.closed_at)
    return sha256(repr(parts).encode())[:8].hex()
