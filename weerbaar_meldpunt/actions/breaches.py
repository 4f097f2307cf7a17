"""A datalek: 72 hours from the moment it was found, its steps, and a register. Steps only, no content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.oversight import BREACH_KINDS, BREACH_PERSONS, BREACH_STEPS, breach_due
from weerbaar_meldpunt.store.oversight import Breach, BreachStep
from weerbaar_meldpunt.vault.derive import new_id

from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .people import Person
from .requests import next_number

REPORTED: Final = "gemeld_ap"
LONG_AGO: Final = timedelta(days=365)
MAY_FIND: Final = ("auditor", "beheerder", "coordinator")


@dataclass(frozen=True, slots=True)
class BreachView:
    """A datalek with the steps that were taken."""

    row: Breach
    steps: tuple[BreachStep, ...]

    @property
    def taken(self) -> dict[str, BreachStep]:
        """The steps by name."""
        return {one.step: one for one in self.steps}

    @property
    def next_step(self) -> str | None:
        """The first step that was not taken yet."""
        return next((step for step in BREACH_STEPS if step not in self.taken), None)

    @property
    def reported(self) -> bool:
        """Whether it is settled that the authority was told, or need not be."""
        return REPORTED in self.taken

    def left(self, now: datetime) -> timedelta:
        """How long there is until it must be reported; below zero when that is over."""
        return self.row.due_at - now


def find(
    session: Session, instance: Instance, person: Person, *, kind: str, persons: str, found_at: datetime, now: datetime
) -> Breach:
    """Note a datalek; the hours run from the moment it was found, not from now."""
    if not any(person.has(role) for role in MAY_FIND):
        raise NotAllowed("niet_uw_rol")
    if kind not in BREACH_KINDS or persons not in BREACH_PERSONS:
        raise NotAllowed("onbekende_keuze")
    if not now - LONG_AGO <= found_at <= now:
        raise NotAllowed("dag_kan_niet")
    row_id = new_id()
    ledger = Ledger(session, instance, now=now)
    ledger.add(
        Breach, id=row_id, number=next_number(session, Breach, "D", now=now), kind=kind, persons=persons,
        found_at=found_at, due_at=breach_due(found_at, today(found_at)),
    )  # fmt: skip
    ledger.close(person.user_id, "datalek_gevonden", row_id)
    return session.get_one(Breach, row_id)


def breaches(session: Session) -> list[BreachView]:
    """The register: open ones first, by what is due first."""
    rows = session.scalars(select(Breach).order_by(Breach.closed_at.is_not(None), Breach.due_at, Breach.number)).all()
    by_breach: dict[bytes, list[BreachStep]] = {}
    for step in session.scalars(select(BreachStep).order_by(BreachStep.at, BreachStep.id)):
        by_breach.setdefault(step.breach_id, []).append(step)
    return [BreachView(row, tuple(by_breach.get(row.id, ()))) for row in rows]


def take_step(
    session: Session, instance: Instance, person: Person, number: str, step: str, how: str, *, now: datetime
) -> bool:
    """Note that a step was taken, and how; answers whether the datalek is closed with it.

    Where there is no risk for anybody, the authority need not be told (AVG art. 33(1)); the register says so.
    """
    if not person.has("auditor"):
        raise NotAllowed("niet_uw_rol")
    row = session.scalar(select(Breach).where(Breach.number == number).with_for_update())
    if row is None:
        raise NotAllowed("niet_gevonden")
    if row.closed_at is not None:
        raise NotAllowed("al_afgehandeld")
    taken = {one.step: one.how for one in session.scalars(select(BreachStep).where(BreachStep.breach_id == row.id))}
    if how not in BREACH_STEPS.get(step, ()):
        raise NotAllowed("onbekende_keuze")
    if step in taken:
        raise NotAllowed("al_gedaan")
    if step != "beoordeeld" and "beoordeeld" not in taken:
        raise NotAllowed("eerst_beoordelen")
    if step == REPORTED and how == "niet_nodig" and taken["beoordeeld"] != "geen_risico":
        raise NotAllowed("melden_moet")
    if step == "verteld" and how == "niet_nodig" and taken["beoordeeld"] == "hoog_risico":
        raise NotAllowed("vertellen_moet")
    ledger = Ledger(session, instance, now=now)
    ledger.add(BreachStep, id=new_id(), breach_id=row.id, step=step, how=how, at=now, by=person.user_id)
    closed = taken.keys() | {step} == BREACH_STEPS.keys()
    if closed:
        ledger.change(row, closed_at=now)
    ledger.close(person.user_id, "datalek_afgerond" if closed else "datalek_stap", row.id)
    return closed
