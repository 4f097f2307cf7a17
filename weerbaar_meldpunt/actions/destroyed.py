"""The register of what was destroyed: how many, why, on whose word. Never which case, and nothing of what was in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.retention import Destroyed

from .alarms import names_of
from .instance import Instance


@dataclass(frozen=True)
class RegisterLine:
    """A line of the register, with names instead of ids."""

    day: date
    ground: str
    term: str
    outcome: str
    count: int
    proposed_by: str | None
    confirmed_by: str | None


def register(session: Session, instance: Instance, *, most: int = 1000) -> list[RegisterLine]:
    """What went, newest first: when, how many, of what kind, on whose word."""
    rows = session.scalars(
        select(Destroyed).order_by(Destroyed.day.desc(), Destroyed.ground, Destroyed.term, Destroyed.id).limit(most)
    ).all()
    people = {person for row in rows for person in (row.proposed_by, row.confirmed_by) if person is not None}
    names = names_of(session, instance, people)
    return [
        RegisterLine(
            date.fromisoformat(row.day), row.ground, row.term, row.outcome, row.count,
            names.get(row.proposed_by) if row.proposed_by else None,
            names.get(row.confirmed_by) if row.confirmed_by else None,
        )
        for row in rows
    ]  # fmt: skip
