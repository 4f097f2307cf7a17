"""Letting go of what was kept long enough: one coordinator proposes, another person confirms, the clock does it.

The clock deletes nothing by a moment alone: two people looked at it, or the reporter asked for it and had a week to
think. And only while the machine's time can be believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, insert, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import reminder
from weerbaar_meldpunt.rules import retention as rules
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.engine import insert_if_absent
from weerbaar_meldpunt.store.retention import (
    Destruction,
    DestructionCase,
    Hold,
    Keeping,
    KeepingWarning,
    Withdrawal,
)
from weerbaar_meldpunt.store.tracks import Outbox, Track
from weerbaar_meldpunt.vault.derive import new_id

from . import caserows
from .alarms import names_of, raise_alarm
from .crews import COORDINATOR, load_crews
from .erasing import Word, erase_case
from .errors import NotAllowed, Onleesbaar
from .instance import Instance
from .ledger import PROGRAM, Ledger
from .outbox import mail_row
from .people import Person
from .retention import (
    CONSENT,
    DOUBTED,
    ON_HOLD,
    TERM,
    WITHDRAWN,
    HoldView,
    day_in,
    has_it,
    holds,
    is_held,
    why_not,
    without_consent,
)

PROPOSED, CONFIRMED, REFUSED, LAPSED, DONE = "voorgesteld", "bevestigd", "geweigerd", "vervallen", "klaar"
MOST: Final = 200
ALARM: Final = "vernietiging_gestopt"
_LEAF: Final = {
    PROPOSED: "vernietiging_voorgesteld", CONFIRMED: "vernietiging_bevestigd", REFUSED: "vernietiging_geweigerd",
    LAPSED: "vernietiging_vervallen", DONE: "vernietiging_klaar",
}  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """A case that may go, or nearly; the headline comes from the queue of the team."""

    case_id: bytes
    reference: str
    ground: str
    term: str | None
    ends_on: date | None
    outcome: str | None
    closed_at: datetime | None


@dataclass(frozen=True)
class Proposal:
    """What one coordinator proposes, to who must say yes or no; which cases only the own team gets to see."""

    id: bytes
    team: str
    proposed_by: bytes
    proposed_by_name: str
    proposed_at: datetime
    ends_at: datetime
    counts: Mapping[tuple[str, str, str], int]  # ground, term, outcome
    cases: tuple[Candidate, ...] = field(default=(), repr=False)

    @property
    def total(self) -> int:
        """How many cases."""
        return sum(self.counts.values())


# --- what may go ---------------------------------------------------------------------------------------------------


def _candidates(session: Session, team: str, ground: str, *where: ColumnElement[bool]) -> list[Candidate]:
    proposed = select(DestructionCase.case_id).where(DestructionCase.case_id == Case.id).exists()
    rows = session.execute(
        select(Case.id, Case.reference, Keeping.term, Keeping.ends_on, Track.outcome, Track.closed_at)
        .join(Track, Track.case_id == Case.id)
        .outerjoin(Keeping, Keeping.case_id == Case.id)
        .where(Track.team == team, has_it(), ~proposed, *where)
        .order_by(Keeping.ends_on, Case.id)
        .limit(MOST)
    ).all()
    return [
        Candidate(row.id, row.reference, ground, row.term, day_in(row.ends_on), row.outcome, row.closed_at)
        for row in rows
    ]


def due(session: Session, team: str, *, now: datetime) -> list[Candidate]:
    """The cases of a team whose term is over and on which no hold stands, and those without consent."""
    day = today(now)
    free = ~is_held(Case.id, day)
    over = _candidates(session, team, TERM, Keeping.ends_on <= day.isoformat(), free)
    return over + _candidates(session, team, CONSENT, without_consent(now), free)


def soon(session: Session, team: str, *, now: datetime) -> list[Candidate]:
    """The cases of a team that may go within the time that coordinators are told before."""
    day = today(now)
    until = day + timedelta(days=rules.on(day).warn_days)
    ends = Keeping.ends_on.between((day + timedelta(days=1)).isoformat(), until.isoformat())
    return _candidates(session, team, TERM, ends, ~is_held(Case.id, day))


def on_hold(session: Session, team: str, *, now: datetime) -> list[tuple[Candidate, HoldView]]:
    """The cases of a team on which a hold stands, the first to be looked at again first."""
    day = today(now)
    cases = {one.case_id: one for one in _candidates(session, team, TERM, is_held(Case.id, day))}
    found = [(one, hold) for one in cases.values() for hold in holds(session, one.case_id, day=day)]
    return sorted(found, key=lambda pair: (pair[1].review_on, pair[0].reference))


# --- two people ----------------------------------------------------------------------------------------------------


def propose(
    session: Session, instance: Instance, person: Person, team: str, references: Collection[str], *, now: datetime
) -> bytes | None:
    """A coordinator proposes to let these cases go; answers the proposal. What may not go is left out of it.

    None when nothing is left of it, because rows are not as the trail says: an alarm was raised, which must be kept.
    """
    if not person.coordinates(team):
        raise NotAllowed("alleen_coordinator")
    wanted = {one.reference: one for one in due(session, team, now=now) if one.reference in references}
    if not wanted:
        raise NotAllowed("niets_gekozen")
    chosen = [one for one in wanted.values() if _stands(session, instance, one.case_id, one.ground, now=now)]
    if not chosen:
        return None
    ledger, proposal = Ledger(session, instance, now=now), new_id()
    ledger.add(Destruction, id=proposal, team=team, proposed_by=person.user_id, proposed_at=now, state=PROPOSED)
    for one in chosen:
        ledger.add(DestructionCase, destruction_id=proposal, case_id=one.case_id, ground=one.ground)
    ledger.close(person.user_id, _LEAF[PROPOSED], proposal)
    _tell(session, instance, (team,), proposal, but=person.user_id, now=now)
    return proposal


def _stands(session: Session, instance: Instance, case_id: bytes, ground: str, *, now: datetime) -> bool:
    """Whether a case may go; where a row is not as the trail says, somebody is told."""
    reason = why_not(session, instance, case_id, ground, now=now)
    if reason == DOUBTED:
        raise_alarm(session, instance, ALARM, case_id.hex(), now=now)
    return reason is None


def may_decide(person: Person, proposal: Destruction | Proposal) -> bool:
    """Who may be the second person: any coordinator, or somebody of the same team; never who proposed it."""
    known = person.has(COORDINATOR) or person.member_of(proposal.team)
    return known and person.user_id != proposal.proposed_by


def decide(
    session: Session, instance: Instance, person: Person, proposal: bytes, *, agrees: bool, now: datetime
) -> int:
    """The second person says yes or no; answers how many cases go. Those that may not go any more are left out."""
    row = session.execute(
        select(Destruction)
        .where(Destruction.id == proposal)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None or row.state != PROPOSED or now >= rules.proposal_ends(row.proposed_at):
        raise NotAllowed("voorstel_voorbij")
    if row.proposed_by == person.user_id:
        raise NotAllowed("tweede_persoon")
    if not may_decide(person, row):
        raise NotAllowed("alleen_coordinator")
    cases = session.scalars(select(DestructionCase).where(DestructionCase.destruction_id == proposal)).all()
    trail = caserows.trail_of(session, instance, proposal)
    if not all(map(trail.agrees, (row, *cases))):  # whoever writes the database put a case or a name there
        raise_alarm(session, instance, ALARM, proposal.hex(), now=now)
        raise Onleesbaar("destruction")
    ledger = Ledger(session, instance, now=now)
    stay = [one for one in cases if not agrees or not _stands(session, instance, one.case_id, one.ground, now=now)]
    for one in stay:
        ledger.remove(one)
    state = CONFIRMED if agrees else REFUSED
    ledger.change(row, state=state, decided_by=person.user_id, decided_at=now)
    ledger.close(person.user_id, _LEAF[state], proposal)
    return len(cases) - len(stay)


def proposals(session: Session, instance: Instance, person: Person, *, now: datetime) -> list[Proposal]:
    """The proposals that wait for a second person, as far as this person may see them; own ones too."""
    rows = session.scalars(select(Destruction).where(Destruction.state == PROPOSED).order_by(Destruction.proposed_at))
    seen = [row for row in rows if may_decide(person, row) or row.proposed_by == person.user_id]
    names = names_of(session, instance, {row.proposed_by for row in seen})
    return [_proposal(session, person, row, names) for row in seen if now < rules.proposal_ends(row.proposed_at)]


def _proposal(session: Session, person: Person, row: Destruction, names: Mapping[bytes, str]) -> Proposal:
    found = session.execute(
        select(DestructionCase.ground, Case, Keeping, Track)
        .join(Case, Case.id == DestructionCase.case_id)
        .join(Track, and_(Track.case_id == Case.id, Track.team == row.team))
        .outerjoin(Keeping, Keeping.case_id == Case.id)
        .where(DestructionCase.destruction_id == row.id)
        .order_by(Keeping.ends_on, Case.id)
    ).all()
    counts = Counter((one.ground, one.Keeping.term if one.Keeping else "", one.Track.outcome or "") for one in found)
    cases = (
        Candidate(
            one.Case.id, one.Case.reference, one.ground, one.Keeping.term if one.Keeping else None,
            day_in(one.Keeping.ends_on) if one.Keeping else None, one.Track.outcome, one.Track.closed_at,
        )
        for one in found
    )  # fmt: skip
    return Proposal(
        row.id, row.team, row.proposed_by, names.get(row.proposed_by, "?"), row.proposed_at,
        rules.proposal_ends(row.proposed_at), counts, tuple(cases) if row.team in person.teams else (),
    )  # fmt: skip


# --- the clock -----------------------------------------------------------------------------------------------------


def anything_to_erase(session: Session, *, now: datetime) -> bool:
    """Whether a case waits to go that two people or its reporter decided about."""
    withdrawn = select(Withdrawal.case_id).where(Withdrawal.erase_at <= now, ~is_held(Withdrawal.case_id, today(now)))
    decided = select(Destruction.id).where(Destruction.state == CONFIRMED)
    return session.scalar(withdrawn.limit(1)) is not None or session.scalar(decided.limit(1)) is not None


@dataclass(frozen=True)
class Gone:
    """What one turn did: whether a case went, and its files, for whoever committed it."""

    erased: bool = False
    files: tuple[bytes, ...] = ()


def erase_next(session: Session, instance: Instance, *, skip: set[bytes], now: datetime) -> Gone | None:
    """Let one case go, in the caller's transaction; None when nothing waits.

    `skip` grows with what does not go: a hold that came meanwhile, a row that is not as the trail says.
    """
    withdrawn = session.scalar(
        select(Withdrawal.case_id)
        .where(Withdrawal.erase_at <= now, ~is_held(Withdrawal.case_id, today(now)), Withdrawal.case_id.not_in(skip))
        .order_by(Withdrawal.erase_at)
        .limit(1)
    )
    if withdrawn is not None:
        _lock(session, withdrawn)
        if not _stands(session, instance, withdrawn, WITHDRAWN, now=now):
            skip.add(withdrawn)
            return Gone()
        return Gone(True, tuple(erase_case(session, instance, withdrawn, Word(WITHDRAWN), now=now)))
    decided = session.execute(
        select(Destruction)
        .where(Destruction.state == CONFIRMED, Destruction.id.not_in(skip))
        .order_by(Destruction.decided_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).scalar_one_or_none()
    return None if decided is None else _erase_decided(session, instance, decided, skip, now=now)


def _erase_decided(session: Session, instance: Instance, row: Destruction, skip: set[bytes], *, now: datetime) -> Gone:
    case = session.scalar(select(DestructionCase).where(DestructionCase.destruction_id == row.id).limit(1))
    if not _decided_by_two(session, instance, row, case):
        raise_alarm(session, instance, ALARM, row.id.hex(), now=now)
        skip.add(row.id)
        return Gone()
    ledger = Ledger(session, instance, now=now)
    if case is None:
        ledger.change(row, state=DONE)
        ledger.close(PROGRAM, _LEAF[DONE], row.id)
        return Gone()
    _lock(session, case.case_id)
    if not _stands(session, instance, case.case_id, case.ground, now=now):  # opened again or held since
        ledger.remove(case)
        ledger.close(PROGRAM, "vernietiging_overgeslagen", row.id)
        return Gone()
    word = Word(case.ground, row.id, row.proposed_by, row.decided_by)
    return Gone(True, tuple(erase_case(session, instance, case.case_id, word, now=now)))


def _decided_by_two(session: Session, instance: Instance, row: Destruction, case: DestructionCase | None) -> bool:
    """Whether the trail says so: two people, and this very case in their proposal."""
    trail = caserows.trail_of(session, instance, row.id)
    two = row.decided_by is not None and row.decided_by != row.proposed_by
    return two and trail.agrees(row) and (case is None or trail.agrees(case))


def _lock(session: Session, case_id: bytes) -> None:
    session.execute(select(Case.id).where(Case.id == case_id).with_for_update()).all()


def lapse(session: Session, instance: Instance, *, now: datetime) -> int:
    """Proposals that nobody said yes to in time end; their cases can be proposed again."""
    rows = session.scalars(select(Destruction).where(Destruction.state == PROPOSED).with_for_update()).all()
    over = [row for row in rows if now >= rules.proposal_ends(row.proposed_at)]
    for row in over:
        ledger = Ledger(session, instance, now=now)
        for case in session.scalars(select(DestructionCase).where(DestructionCase.destruction_id == row.id)):
            ledger.remove(case)
        ledger.change(row, state=LAPSED)
        ledger.close(PROGRAM, _LEAF[LAPSED], row.id)
    return len(over)


# --- telling coordinators ------------------------------------------------------------------------------------------


def warn(session: Session, instance: Instance, *, now: datetime) -> int:
    """Tell coordinators, once, of cases that will go and of holds to look at again; answers how many cases."""
    day = today(now)
    last = (day + timedelta(days=rules.on(day).warn_days)).isoformat()
    told = select(KeepingWarning.case_id).where(KeepingWarning.case_id == Track.case_id)
    ending = select(Track.case_id, Track.team).join(Keeping, Keeping.case_id == Track.case_id).where(
        has_it(), Keeping.ends_on <= last, ~is_held(Track.case_id, day),
        ~told.where(KeepingWarning.kind == TERM).exists(),
    )  # fmt: skip
    review = select(Track.case_id, Track.team).join(Hold, Hold.case_id == Track.case_id).where(
        has_it(), Hold.ended_at.is_(None), Hold.review_on <= day.isoformat(),
        ~told.where(KeepingWarning.kind == ON_HOLD).exists(),
    )  # fmt: skip
    fresh, teams = [], set[str]()
    for kind, query in ((TERM, ending), (ON_HOLD, review)):
        rows = session.execute(query.limit(MOST)).all()
        teams |= {row.team for row in rows}
        fresh += [
            {"case_id": case_id, "kind": kind, "told_on": day.isoformat()} for case_id in {row.case_id for row in rows}
        ]
    if fresh:
        session.execute(insert_if_absent(session, KeepingWarning), fresh)
        _tell(session, instance, sorted(teams), new_id(), but=None, now=now)
    return len(fresh)


def _tell(
    session: Session, instance: Instance, teams: Sequence[str], source: bytes, *, but: bytes | None, now: datetime
) -> None:
    """A mail without content to the coordinators of these teams; where a team has none other, to all of the team."""
    mails = dict[bytes, dict[str, Any]]()
    crews = load_crews(session, instance, teams, now=now)
    for crew in (crews[team] for team in teams):
        asked = [one for one in crew.coordinators if one != but] or [one for one in crew.members if one != but]
        for person in asked:
            if address := crew.address(person):
                mails[person] = mail_row(
                    instance, reminder(), source=source, recipient_id=person, address=address, wall=now
                )
    if mails:
        session.execute(insert(Outbox), list(mails.values()))
