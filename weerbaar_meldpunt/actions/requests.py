"""Requests of persons who think to be named in a case: received, identity seen, decided by two, answered. No content.

Who asks stands on paper, under the number that is given here: a register with names would itself be a list of people
who are named in cases, or fear to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import reminder
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.oversight import DECISIONS, GROUNDS, REQUEST_KINDS, request_due
from weerbaar_meldpunt.store.oversight import Breach, PersonRequest, RequestDecision
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import new_id

from .checkpoints import staff_recipients
from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .outbox import mail_row
from .people import Person

# Who decides: the FG with somebody who can look in the cases, or two of those. Never the FG with the FG.
ROLES: Final = ("auditor", "coordinator")


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request with what was decided on each ground."""

    row: PersonRequest
    decisions: tuple[RequestDecision, ...]

    @property
    def open_grounds(self) -> tuple[str, ...]:
        """Grounds on which nothing was proposed."""
        return tuple(ground for ground in GROUNDS if ground not in {one.ground for one in self.decisions})

    @property
    def decided(self) -> bool:
        """Whether two people decided on at least one ground, and none waits for a second."""
        return bool(self.decisions) and all(one.confirmed_by is not None for one in self.decisions)

    @property
    def granted(self) -> bool:
        """Whether two people found no ground to refuse: then who asked gets what they asked, not the fixed letter."""
        return any(one.ground == "geen_grond" and one.outcome == "geldt" and one.confirmed_by for one in self.decisions)


def _require(person: Person, *roles: str) -> None:
    if not any(person.has(role) for role in roles):
        raise NotAllowed("niet_uw_rol")


def receive(
    session: Session, instance: Instance, person: Person, kind: str, received_on: date, *, now: datetime
) -> PersonRequest:
    """Note a request that came in; the answer is due in a month."""
    _require(person, "auditor")
    if kind not in REQUEST_KINDS:
        raise NotAllowed("onbekende_keuze")
    if not 0 <= (today(now) - received_on).days <= 365:
        raise NotAllowed("dag_kan_niet")
    row_id = new_id()
    ledger = Ledger(session, instance, now=now)
    ledger.add(
        PersonRequest, id=row_id, number=next_number(session, PersonRequest, "V", now=now), kind=kind,
        received_on=received_on.isoformat(), due_on=request_due(received_on).isoformat(), extended=False,
    )  # fmt: skip
    ledger.close(person.user_id, "verzoek_ontvangen", row_id)
    return session.get_one(PersonRequest, row_id)


def next_number(session: Session, model: type[PersonRequest] | type[Breach], letter: str, *, now: datetime) -> str:
    """The next number of a register: V-2026-004."""
    year, number = f"{letter}-{today(now).year}-", model.__table__.c.number
    count = session.scalar(select(func.count(number)).where(number.startswith(year))) or 0
    return f"{year}{count + 1:03d}"


def requests(session: Session) -> list[RequestView]:
    """The whole register: open ones first, by the day they are due."""
    rows = session.scalars(
        select(PersonRequest).order_by(PersonRequest.closed_at.is_not(None), PersonRequest.due_on, PersonRequest.number)
    ).all()
    by_request: dict[bytes, list[RequestDecision]] = {}
    for one in session.scalars(select(RequestDecision).order_by(RequestDecision.proposed_at, RequestDecision.id)):
        by_request.setdefault(one.request_id, []).append(one)
    return [RequestView(row, tuple(by_request.get(row.id, ()))) for row in rows]


def request_of(session: Session, number: str) -> RequestView:
    """One request by its number; `NotAllowed` when there is none."""
    row = session.scalar(select(PersonRequest).where(PersonRequest.number == number).with_for_update())
    if row is None:
        raise NotAllowed("niet_gevonden")
    decisions: Sequence[RequestDecision] = session.scalars(
        select(RequestDecision)
        .where(RequestDecision.request_id == row.id)
        .order_by(RequestDecision.proposed_at, RequestDecision.id)
    ).all()
    return RequestView(row, tuple(decisions))


def _open(session: Session, number: str) -> RequestView:
    view = request_of(session, number)
    if view.row.closed_at is not None:
        raise NotAllowed("al_afgehandeld")
    return view


def see_identity(session: Session, instance: Instance, person: Person, number: str, *, now: datetime) -> None:
    """Somebody saw who asks: a passport shown, nothing copied."""
    _require(person, "auditor")
    view = _open(session, number)
    if view.row.identity_seen_on is not None:
        raise NotAllowed("al_gedaan")
    ledger = Ledger(session, instance, now=now)
    ledger.change(view.row, identity_seen_on=today(now).isoformat())
    ledger.close(person.user_id, "verzoek_identiteit", view.row.id)


def extend(session: Session, instance: Instance, person: Person, number: str, *, now: datetime) -> None:
    """Two months more, told to who asked within the first month (AVG art. 12(3))."""
    _require(person, "auditor")
    view = _open(session, number)
    if view.row.extended or today(now).isoformat() > view.row.due_on:
        raise NotAllowed("verlengen_kan_niet")
    ledger = Ledger(session, instance, now=now)
    due_on = request_due(date.fromisoformat(view.row.received_on), extended=True)
    ledger.change(view.row, extended=True, due_on=due_on.isoformat())
    ledger.close(person.user_id, "verzoek_verlengd", view.row.id)


def propose(
    session: Session, instance: Instance, person: Person, number: str, ground: str, outcome: str, *, now: datetime
) -> None:
    """What one person thinks of one ground. A second one says whether that is right."""
    _require(person, *ROLES)
    view = _open(session, number)
    if view.row.identity_seen_on is None:
        raise NotAllowed("eerst_identiteit")
    if outcome not in DECISIONS or ground not in view.open_grounds:
        raise NotAllowed("onbekende_keuze")
    ledger = Ledger(session, instance, now=now)
    ledger.add(
        RequestDecision, id=new_id(), request_id=view.row.id, ground=ground, outcome=outcome,
        proposed_by=person.user_id, proposed_at=now,
    )  # fmt: skip
    ledger.close(person.user_id, "verzoek_voorgesteld", view.row.id)
    source = new_id()
    mails = [
        mail_row(instance, reminder(), source=source, recipient_id=one.id, address=one.address, wall=now)
        for one in staff_recipients(session, instance, ROLES)
        if one.id != person.user_id
    ]
    if mails:  # each of them may be the second person
        session.execute(insert(Outbox), mails)


def confirm(
    session: Session, instance: Instance, person: Person, number: str, ground: str, *, agreed: bool, now: datetime
) -> None:
    """The second person: agrees, or takes the proposal away so that they talk."""
    _require(person, *ROLES)
    view = _open(session, number)
    decision = next((one for one in view.decisions if one.ground == ground and one.confirmed_by is None), None)
    if decision is None:
        raise NotAllowed("niet_gevonden")
    if agreed and decision.proposed_by == person.user_id:
        raise NotAllowed("tweede_persoon_verzoek")
    ledger = Ledger(session, instance, now=now)
    if agreed:
        ledger.change(decision, confirmed_by=person.user_id, confirmed_at=now)
    else:
        ledger.remove(decision)
    ledger.close(person.user_id, "verzoek_besloten" if agreed else "verzoek_teruggezet", view.row.id)


def answer(session: Session, instance: Instance, person: Person, number: str, *, now: datetime) -> None:
    """The letter went out, and with it the request is done."""
    _require(person, "auditor")
    view = _open(session, number)
    if not view.decided:
        raise NotAllowed("eerst_besluit")
    ledger = Ledger(session, instance, now=now)
    ledger.change(view.row, answered_on=today(now).isoformat(), closed_at=now)
    ledger.close(person.user_id, "verzoek_beantwoord", view.row.id)
