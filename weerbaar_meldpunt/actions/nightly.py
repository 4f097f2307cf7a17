"""The check of the whole trail that runs by itself each night: whose turn it is, and what came of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.store.audit import AuditCheck
from weerbaar_meldpunt.store.engine import insert_if_absent

from .alarms import raise_alarm
from .instance import Instance
from .verifying import Verdict

ALARM: Final = "trail_klopt_niet"
FAILED: Final = "controle_mislukt"
AFTER_MIDNIGHT: Final = timedelta(hours=3)  # when hardly anybody works
GIVEN_UP: Final = timedelta(hours=6)  # a clock that began so long ago has died of it


def night_of(now: datetime) -> date:
    """The night a moment belongs to: it begins at three o'clock in Amsterdam."""
    return today(now - AFTER_MIDNIGHT)


def is_due(session: Session, *, now: datetime) -> bool:
    """Whether this night's check still has to be made."""
    row = session.get(AuditCheck, night_of(now))
    return row is None or (row.ended_at is None and row.began_at < now - GIVEN_UP)


def take_turn(session: Session, *, now: datetime) -> bool:
    """Take this night's check in hand; False when another clock has it, or it was made."""
    night = night_of(now)
    values = {"day": night, "began_at": now, "leaves": 0, "wrong": 0}
    if session.connection().execute(insert_if_absent(session, AuditCheck), [values]).rowcount == 1:
        return True
    given_up = update(AuditCheck).where(
        AuditCheck.day == night, AuditCheck.ended_at.is_(None), AuditCheck.began_at < now - GIVEN_UP
    )
    return session.connection().execute(given_up.values(began_at=now)).rowcount == 1


def note_verdict(session: Session, instance: Instance, verdict: Verdict, *, night: date, now: datetime) -> None:
    """Keep what the check found; an alarm when something is wrong."""
    row, first = session.get_one(AuditCheck, night), verdict.first
    row.ended_at, row.leaves, row.wrong = now, verdict.leaves, verdict.wrong
    if first is not None:
        row.first_seq, row.first_what = first.seq, first.what
        raise_alarm(session, instance, ALARM, f"{first.what}:{first.seq if first.seq is not None else '-'}", now=now)
    session.flush()


def note_failure(session: Session, instance: Instance, fault: str, *, night: date, now: datetime) -> None:
    """The check broke off: an alarm, since nobody knows now whether all is well. `fault` is the kind of the error."""
    raise_alarm(session, instance, FAILED, f"{night.isoformat()} {fault}", now=now)


def last_check(session: Session) -> AuditCheck | None:
    """The newest check that ended."""
    ended = select(AuditCheck).where(AuditCheck.ended_at.is_not(None))
    return session.scalar(ended.order_by(AuditCheck.day.desc()).limit(1))
