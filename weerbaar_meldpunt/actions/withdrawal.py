"""The reporter wants everything to go: said with what left the house already, undone within a week, then done.

Who is put under pressure to withdraw can say so beside it. That plans a call in safe hours and hurries nothing; no page
of the reporter's side shows it (actions/consent.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules import chase
from weerbaar_meldpunt.rules import retention as rules
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.moves import TRANSFERRED
from weerbaar_meldpunt.rules.safe_hours import next_safe_moment
from weerbaar_meldpunt.store.retention import Withdrawal
from weerbaar_meldpunt.store.tracks import Due, Track

from . import consent, retention
from .caserows import trail_of
from .errors import NotAllowed
from .handled import count_closing
from .own_acts import MELDER, PROXY, OwnHeld, recipients_of
from .retention import HELD, KEPT, HoldView, holds
from .tracks import genuine, plan, settle
from .views import CaseView

ASKED, UNDONE = "intrekking_gevraagd", "intrekking_teruggenomen"
# For whom a team waits, where that says that somebody outside was told of the case.
_OUTSIDE: Final = frozenset({"politie", "ccv", "bva", "organisatie", "levering", "platform", "rechter"})


@dataclass(frozen=True)
class Left:
    """Something that left the house: to whom, when that is known, and what in a few words."""

    to: str
    at: datetime | None
    text: str = ""


@dataclass(frozen=True)
class Standing:
    """How it is with everything going: since when and until when it can be undone, and what keeps it."""

    asked_at: datetime | None
    erase_at: datetime | None
    holds: tuple[HoldView, ...]

    @property
    def asked(self) -> bool:
        """Whether the reporter asked for it."""
        return self.erase_at is not None


def standing(session: Session, case_id: bytes, *, now: datetime) -> Standing:
    """Whether everything of a case is to go, and what keeps it."""
    row = session.get(Withdrawal, case_id)
    return Standing(
        row.asked_at if row else None, row.erase_at if row else None,
        tuple(holds(session, case_id, day=today(now))),
    )  # fmt: skip


def what_left(view: CaseView) -> list[Left]:
    """What is outside already and cannot be erased by us: from the trail, as far as it is known there."""
    found = [Left(one.to, one.at, one.text) for one in consent.passed_on(view)]
    facts = (view.melding.get("facts") or {}).get("facts") or {}
    if facts.get("aangifte") == "ja":
        found.append(Left("aangifte", None))
    waits: dict[str, datetime] = {}
    for event in view.events:
        if event.action == "wacht" and event.vouched and event.document.get("for") in _OUTSIDE:
            waits[str(event.document["for"])] = event.at
    found += [Left(to, at) for to, at in waits.items() if to not in {one.to for one in found}]
    return found


def erase_at(view: CaseView) -> datetime | None:
    """From when everything of a case goes, as its own trail says; nothing when that was not asked, or undone."""
    last = next((one for one in reversed(view.events) if one.action in (ASKED, UNDONE) and one.vouched), None)
    if last is None or last.action == UNDONE or last.gap:
        return None
    return datetime.fromisoformat(last.document["erase_at"])


def kept_until(view: CaseView) -> date | None:
    """Until which day a closed case is kept, as its own trail says; nothing while a team works on it."""
    if any(track.closed_at is None for track in view.tracks):
        return None
    last = next((one for one in reversed(view.events) if one.action == KEPT and one.vouched and not one.gap), None)
    return date.fromisoformat(last.document["ends_on"]) if last else None


def decides(view: CaseView, case_id: bytes, role: str) -> bool:
    """Whether this reader may withdraw: whom the case is about, or the proxy until they took it over."""
    if role != PROXY or not view.readable:
        return role == MELDER
    return MELDER not in {one.role for one in recipients_of(case_id, view.melding)}


def reasons(view: CaseView) -> dict[str, str]:
    """What a coordinator wrote at each hold, by its id: the reporter reads why."""
    return {
        str(event.document.get("hold", "")): str(event.document.get("text", ""))
        for event in view.events
        if event.action == HELD and event.vouched and not event.gap
    }


def ask(held: OwnHeld, *, pressure: bool = False) -> datetime:
    """Everything must go; answers from when it does. Asked twice, the first moment stands."""
    held.require_decides()
    row = held.session.get(Withdrawal, held.case.id, populate_existing=True)
    if row is None:
        erase_at = rules.undo_until(held.now)
        ledger = held.ledger()
        ledger.add(Withdrawal, case_id=held.case.id, asked_at=held.now, erase_at=erase_at)
        held.wake(ledger)
        held.close(ledger, ASKED, {"erase_at": erase_at.isoformat()})
    else:
        erase_at = row.erase_at
    if pressure:
        _say_pressure(held)
    return erase_at


def undo(held: OwnHeld) -> None:
    """The reporter thought again: everything stays. The teams are told."""
    held.require_decides()
    row = held.session.get(Withdrawal, held.case.id, populate_existing=True)
    if row is None:
        raise NotAllowed("niets_ingetrokken")
    ledger = held.ledger()
    ledger.remove(row)
    held.wake(ledger)
    held.close(ledger, UNDONE)


def _say_pressure(held: OwnHeld) -> None:
    """A call, also where all work was done: then a track opens again for it."""
    held.trail = trail_of(held.session, held.instance, held.case.id)  # with what this act wrote itself
    tracks = held.session.scalars(
        select(Track).where(Track.case_id == held.case.id).order_by(Track.opened_at, Track.team)
    ).all()
    if consent.PRESSURE not in held.melding["marks"] and tracks and all(track.closed_at for track in tracks):
        _open_again(held, tracks)
        held.trail = trail_of(held.session, held.instance, held.case.id)
    consent.say_pressure(held)


def _open_again(held: OwnHeld, tracks: Sequence[Track]) -> None:
    track = next((one for one in tracks if held.trail.agrees(one) and one.outcome != TRANSFERRED), None)
    if track is None:  # changed behind the program: written anew it would stand in the trail as true
        return
    count_closing(held.session, held.instance, held.case, -1, by=held.key_id, now=held.now)
    dues = genuine(held.trail, held.session.scalars(select(Due).where(Due.track_id == track.id)))
    contact: dict[str, Any] = held.melding["report"].get("contact") or {}
    call = chase.PlannedDue("poging", next_safe_moment(contact, now=held.now))
    ledger = held.ledger()
    retention.stop(held.session, ledger, held.case)
    settle(ledger, dues, ("enquete",), "vervallen", now=held.now)
    plan(
        ledger, track, dues, [call], now=held.now, state="in_behandeling", outcome=None, closed_at=None, unread=True
    )  # fmt: skip
    held.close(ledger, "bericht_melder", {"files": 0})
