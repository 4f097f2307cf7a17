"""Rows of a case that are not as the trail says: a page shows a gap, and somebody is told to look at it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.audit import Alarm

from .alarms import raise_alarm
from .instance import Instance

CHANGED: Final = "rij_gewijzigd"


def note_gaps(session: Session, instance: Instance, reference: str, tables: Iterable[str], *, now: datetime) -> bool:
    """Raise an alarm for each kind of row of a case that was changed, put back, planted or removed; once for ever.

    A gap stays where it is, and each opening meets it again: who ended the alarm knows of it. Answers whether any of
    these is new.
    """
    about = [f"{table} {reference}" for table in sorted(set(tables))]
    known = set(session.scalars(select(Alarm.about).where(Alarm.kind == CHANGED, Alarm.about.in_(about))))
    fresh = [text for text in about if text not in known]
    for text in fresh:
        raise_alarm(session, instance, CHANGED, text, now=now)
    return bool(fresh)
