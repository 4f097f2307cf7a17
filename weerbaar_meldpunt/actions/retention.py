"""How long a case is kept: set when its last track closes, taken off when it opens again, stopped by a hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from weerbaar_meldpunt.rules import retention as rules
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.moves import TRANSFERRED
from weerbaar_meldpunt.rules.terms import add_months
from weerbaar_meldpunt.rules.values import AMSTERDAM
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.links import LinkEntry, LinkFold
from weerbaar_meldpunt.store.retention import Hold, Keeping, KeepingWarning, Withdrawal
from weerbaar_meldpunt.store.tracks import Due, Track

from . import caserows
from .alarms import names_of
from .instance import Instance
from .ledger import Ledger

TERM, CONSENT = "termijn", "geen_toestemming"  # why a case is on the list to go
WITHDRAWN: Final = "ingetrokken"
HELD, RELEASED, KEPT = "bewaring", "bewaring_voorbij", "bewaartermijn"
NO_INCIDENT: Final = "geen_incident"
_CONSENT_DUE: Final = "toestemming_30d"
_KEPT_WITHOUT_CONSENT: Final = ("acuut", "hoog")
# What stands between a case and its going, as codes the pages have words for.
STILL_OPEN, NOT_YET, ON_HOLD, DOUBTED = "heropend", "termijn_loopt", "bewaring", "klopt_niet"


@dataclass(frozen=True)
class HoldView:
    """A hold as the team and the reporter see it; the words behind it stand in the event."""

    id: bytes
    ground: str
    placed_at: datetime
    until: date | None
    review_on: date
    placed_by: bytes


# --- the term of a case --------------------------------------------------------------------------------------------


def stop(session: Session, ledger: Ledger, case: Case) -> None:
    """A case opens again: nothing of it goes while it is worked on. Goes with the ledger of the act that opens it."""
    if case.retention_month is not None:
        ledger.change(case, retention_month=None)
    forget(session, ledger, case.id)


def keeping_of(session: Session, case_id: bytes) -> rules.Kept | None:
    """How long a case is kept; None while it is open."""
    row = session.get(Keeping, case_id)
    if row is None:
        return None
    return rules.Kept(row.term, row.version, date.fromisoformat(row.starts_on), date.fromisoformat(row.ends_on))


def forget(session: Session, ledger: Ledger, case_id: bytes) -> None:
    """Take off the term of a case."""
    for row in (session.get(Keeping, case_id), session.get(KeepingWarning, (case_id, TERM))):
        if row is not None:
            ledger.remove(row)
    session.flush()


def day_in(text: str | None) -> date | None:
    """A day as it stands in a row or a document."""
    return date.fromisoformat(text) if text else None


def drop_links(session: Session, ledger: Ledger, case_id: bytes) -> None:
    """The marks by which a case is compared with others go."""
    rows = session.scalars(select(LinkEntry).where(LinkEntry.case_id == case_id)).all()
    session.execute(delete(LinkFold).where(LinkFold.entry_id.in_([row.id for row in rows])))
    for row in rows:
        ledger.remove(row)
    session.flush()


# --- holds ---------------------------------------------------------------------------------------------------------


def has_it() -> ColumnElement[bool]:
    """Whether a track's team still has the case, inside a query: it did not hand it over."""
    return or_(Track.outcome.is_(None), Track.outcome != TRANSFERRED)


def holds(session: Session, case_id: bytes, *, day: date) -> list[HoldView]:
    """What keeps a case now, oldest first."""
    rows = session.scalars(select(Hold).where(Hold.case_id == case_id, _holds(day)).order_by(Hold.placed_at, Hold.id))
    return [
        HoldView(row.id, row.ground, row.placed_at, day_in(row.until), date.fromisoformat(row.review_on), row.placed_by)
        for row in rows
    ]


def _holds(day: date) -> ColumnElement[bool]:
    return and_(Hold.ended_at.is_(None), or_(Hold.until.is_(None), Hold.until >= day.isoformat()))


def placed_by(session: Session, instance: Instance, found: Collection[HoldView]) -> dict[bytes, str]:
    """The names of who placed these holds."""
    return names_of(session, instance, {hold.placed_by for hold in found})


def is_held(case_id: InstrumentedAttribute[bytes], day: date) -> ColumnElement[bool]:
    """Whether a hold stands on a case, inside a query."""
    return exists().where(Hold.case_id == case_id, _holds(day))


# --- what may go ---------------------------------------------------------------------------------------------------


def _lapsed(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Due.kind == _CONSENT_DUE, Due.ended_at.is_(None), Due.moment <= now, Track.closed_at.is_(None),
        Track.urgency.not_in(_KEPT_WITHOUT_CONSENT),
    )  # fmt: skip


def without_consent(now: datetime) -> ColumnElement[bool]:
    """A track of somebody who was never asked, or said no, and of whom nobody recorded a ground within thirty days."""
    return select(Due.id).where(Due.track_id == Track.id, *_lapsed(now)).correlate(Track).exists()


def why_not(session: Session, instance: Instance, case_id: bytes, ground: str, *, now: datetime) -> str | None:
    """Why a case may not go now on this ground; None when it may. Read under the lock of who is about to act on it.

    What it rests on is held against the trail: whoever can write the database could have put an early day there, or
    taken a hold away.
    """
    day = today(now)
    trail = caserows.trail_of(session, instance, case_id)
    placed = session.scalars(select(Hold).where(Hold.case_id == case_id)).all()
    if trail.missing(Hold.__tablename__, (row.id for row in placed)) or not all(map(trail.agrees, placed)):
        return DOUBTED
    if holds(session, case_id, day=day):
        return ON_HOLD
    tracks = session.scalars(select(Track).where(Track.case_id == case_id)).all()
    if not all(map(trail.agrees, tracks)):
        return DOUBTED
    if ground == WITHDRAWN:
        row = session.get(Withdrawal, case_id, populate_existing=True)
        return NOT_YET if row is None or row.erase_at > now else None if trail.agrees(row) else DOUBTED
    if ground == CONSENT:
        return _consent_given(session, tracks, trail.agrees, now=now)
    if any(track.closed_at is None for track in tracks):
        return STILL_OPEN
    keeping = session.get(Keeping, case_id, populate_existing=True)
    if keeping is None or keeping.ends_on > day.isoformat():
        return NOT_YET
    return None if trail.agrees(keeping) else DOUBTED


def _consent_given(session: Session, tracks: Sequence[Track], agrees: Any, *, now: datetime) -> str | None:
    ids = [track.id for track in tracks]
    lapsed = session.scalars(
        select(Due).join(Track, Track.id == Due.track_id).where(Due.track_id.in_(ids), *_lapsed(now))
    ).all()
    if not lapsed or any(track.urgency in _KEPT_WITHOUT_CONSENT for track in tracks):
        return NOT_YET
    return None if all(map(agrees, lapsed)) else DOUBTED


def forget_old_words(session: Session, *, now: datetime) -> None:
    """The sealed words of leaves that belong to no case go after some years; the leaves themselves stay."""
    day = today(now)
    months = next(term.months for term in rules.on(day).other if term.code == "logboek_zonder_zaak")
    before = datetime.combine(add_months(day, -(months or 0)), time(), tzinfo=AMSTERDAM)
    session.execute(
        update(Leaf)
        .where(Leaf.body.is_not(None), Leaf.at < before, Leaf.object.not_in(select(Case.id)))
        .values(body=None)
        .execution_options(synchronize_session=False)
    )
