"""What a member does about keeping a case: its term at the closing, and holds that stop it; the reporter reads both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from weerbaar_meldpunt.rules import retention as rules
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.moves import TRANSFERRED
from weerbaar_meldpunt.store.retention import Hold, Keeping, KeepingWarning
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault.derive import new_id

from .errors import NotAllowed, TooLarge
from .reader import MAX_TEXT
from .retention import HELD, KEPT, NO_INCIDENT, RELEASED, day_in, drop_links, forget
from .work import Held


def begin(held: Held, melding: Mapping[str, Any]) -> None:
    """After the last track of a case closed: how long it is kept, with a leaf that reporter and team can read."""
    query = select(Track.team, Track.outcome).where(Track.case_id == held.case.id)
    rows = held.session.execute(query.where(Track.outcome.is_distinct_from(TRANSFERRED))).all()
    facts = melding.get("facts") or {}
    kept = rules.keep(
        {row.team: row.outcome or "" for row in rows},
        police_report=(facts.get("facts") or {}).get("aangifte") or "onbekend", closed_on=today(held.now),
        end_of_office=day_in((melding["report"].get("target") or {}).get("term_end")),
    )  # fmt: skip
    ledger = held.ledger()
    forget(held.session, ledger, held.case.id)
    ledger.add(
        Keeping, case_id=held.case.id, term=kept.term, version=kept.version, starts_on=kept.starts_on.isoformat(),
        ends_on=kept.ends_on.isoformat(),
    )  # fmt: skip
    ledger.change(held.case, retention_month=kept.month)
    if kept.term == NO_INCIDENT:  # nothing about citizens stays
        drop_links(held.session, ledger, held.case.id)
    held.close(ledger, KEPT, {"text": "", "term": kept.term, "ends_on": kept.ends_on.isoformat()})


def place_hold(held: Held, *, ground: str, text: str, review_on: date, until: date | None = None) -> None:
    """Keep the case longer, on a ground that the reporter reads; looked at again on a day."""
    day = today(held.now)
    if not held.is_coordinator:
        raise NotAllowed("alleen_coordinator")
    if ground not in rules.hold_grounds(day):
        raise NotAllowed("onbekende_grond")
    if not text.strip():
        raise NotAllowed("reden_nodig")
    if len(text) > MAX_TEXT:
        raise TooLarge
    if not day < review_on <= rules.latest_review(day) or (until is not None and until < day):
        raise NotAllowed("dag_kan_niet")
    ledger, row = held.ledger(), new_id()
    ledger.add(
        Hold, id=row, case_id=held.case.id, ground=ground, placed_by=held.person.user_id, placed_at=held.now,
        until=until.isoformat() if until else None, review_on=review_on.isoformat(),
    )  # fmt: skip
    _forget_review(held)
    held.close(
        ledger, HELD,
        {"text": text.strip(), "hold": row.hex(), "ground": ground, "review_on": review_on.isoformat(),
         "until": until.isoformat() if until else None},
    )  # fmt: skip


def review_hold(held: Held, hold_id: bytes, *, review_on: date | None, text: str) -> None:
    """A coordinator looked at a hold again: it goes on until another day, or with no day it ends."""
    if not held.is_coordinator:
        raise NotAllowed("alleen_coordinator")
    if not text.strip():
        raise NotAllowed("reden_nodig")
    if len(text) > MAX_TEXT:
        raise TooLarge
    hold = held.session.get(Hold, hold_id)
    if hold is None or hold.case_id != held.case.id or hold.ended_at is not None:
        raise NotAllowed("bewaring_al_voorbij")
    day = today(held.now)
    ledger = held.ledger()
    if review_on is None:
        ledger.change(hold, ended_at=held.now, ended_by=held.person.user_id)
        held.close(ledger, RELEASED, {"text": text.strip(), "hold": hold_id.hex(), "ground": hold.ground})
        return
    if not day < review_on <= rules.latest_review(day):
        raise NotAllowed("dag_kan_niet")
    ledger.change(hold, review_on=review_on.isoformat())
    _forget_review(held)
    held.close(
        ledger, HELD,
        {"text": text.strip(), "hold": hold_id.hex(), "ground": hold.ground, "review_on": review_on.isoformat(),
         "until": hold.until},
    )  # fmt: skip


def _forget_review(held: Held) -> None:
    told = held.session.get(KeepingWarning, (held.case.id, HELD))
    if told is not None:
        held.session.delete(told)
        held.session.flush()
