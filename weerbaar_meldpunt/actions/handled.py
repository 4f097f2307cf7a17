"""Counting cases as handled for the monthly figures: when their last track closes, and back when one opens again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.figure_codes import duration_code
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.tracks import Track

from .facts import counts_now, write_fact
from .instance import Instance
from .ledger import Ledger


def count_closing(session: Session, instance: Instance, case: Case, n: int, *, by: bytes, now: datetime) -> None:
    """A case whose last track closed counts as handled (1); opened again, it is taken back with its old duration (-1).

    Call it while all tracks are closed: after the closing, before the reopening.
    """
    if not counts_now(session, instance):
        return
    moments = session.scalars(select(Track.closed_at).where(Track.case_id == case.id)).all()
    duration = duration_code(case.received_at, max((moment for moment in moments if moment), default=now))
    write_fact(session, instance, {"measure": "afgehandeld", "duur": duration, "n": n}, now=now)
    Ledger(session, instance, now=now).close(by, "zaak_gesloten" if n > 0 else "zaak_heropend", case.id)
