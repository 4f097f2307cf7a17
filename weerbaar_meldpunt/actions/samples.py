"""The monthly sample: a few openings drawn by chance, the reason asked of who opened, judged by the FG.

Chance comes from the first checkpoint that was made after the month: nobody chose it, and whoever has that checkpoint
can draw again and find the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, insert, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import reminder
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.figure_periods import last_month
from weerbaar_meldpunt.rules.oversight import JUDGEMENTS, REASONS, draw, oversight_on
from weerbaar_meldpunt.store.audit import Checkpoint, Leaf
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.oversight import Sample, SampleDraw
from weerbaar_meldpunt.store.people import User
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import new_id, sha256

from .alarms import names_of
from .checkpoints import addressed, hash_of
from .errors import NotAllowed
from .figure_facts import end_of
from .instance import Instance
from .ledger import PROGRAM, Ledger
from .opening import ACTIONS, FILE
from .outbox import mail_row
from .people import ACTIVE, Person

OPENINGS: Final = (*ACTIONS.values(), FILE)
MAX_WORDS: Final = 300
_BOUND: Final = 2**256


@dataclass(frozen=True, slots=True)
class SampleView:
    """An opening that was drawn, as the FG and the member see it."""

    row: Sample
    member: str
    action: str
    at: datetime
    reference: str | None  # of the case; none once it was erased


# --- drawing -------------------------------------------------------------------------------------------------------


def month_to_draw(session: Session, *, now: datetime) -> str | None:
    """The month that is over, has no sample yet and has a checkpoint after it; else nothing."""
    month = last_month(f"{today(now):%Y-%m}")
    if session.get(SampleDraw, month) is not None or _seed(session, month) is None:
        return None
    return month


def _seed(session: Session, month: str) -> Checkpoint | None:
    after = select(Checkpoint).where(Checkpoint.at >= end_of(month)).order_by(Checkpoint.number)
    return session.scalar(after.limit(1))


def _openings(session: Session, month: str, size: int, *columns: Any) -> Select[Any] | None:
    """The openings of a month in the order of the trail, as the checkpoint counts them."""
    begin, end = end_of(last_month(month)), end_of(month)
    first = session.scalar(select(Leaf.seq).where(Leaf.at >= begin).order_by(Leaf.at, Leaf.seq).limit(1))
    if first is None:
        return None
    return select(*columns).where(
        Leaf.action.in_(OPENINGS), Leaf.seq >= first, Leaf.seq <= size, Leaf.at >= begin, Leaf.at < end
    )


def _numbers(seed: bytes) -> Iterator[tuple[int, int]]:
    counter = 0
    while True:
        yield int.from_bytes(sha256(seed + counter.to_bytes(4, "big")), "big"), _BOUND
        counter += 1


def drawn(session: Session, month: str) -> tuple[int, int, list[tuple[int, bytes]]]:
    """What chance gives for a month: the checkpoint it comes from, how many openings, and number and member of each."""
    seed = _seed(session, month)
    if seed is None:
        raise NotAllowed("geen_ijkpunt")
    counting = _openings(session, month, seed.size, func.count())
    count = (session.scalar(counting) or 0) if counting is not None else 0
    found = []
    size = oversight_on(today(end_of(month))).sample_size
    for place in draw(_numbers(hash_of(seed)), count, size) if count else ():
        query = _openings(session, month, seed.size, Leaf.seq, Leaf.actor)
        if query is not None:
            found.append(session.execute(query.order_by(Leaf.seq).offset(place).limit(1)).one())
    return seed.number, count, [(row.seq, row.actor) for row in found]


def draw_month(session: Session, instance: Instance, month: str, *, now: datetime) -> int:
    """Draw the sample of a month and ask each member why; answers how many were drawn."""
    number, count, leaves = drawn(session, month)
    ledger = Ledger(session, instance, now=now)
    ledger.add(SampleDraw, month=month, checkpoint=number, openings=count, drawn_at=now)
    for place, (seq, member) in enumerate(leaves, start=1):
        ledger.add(Sample, id=new_id(), month=month, place=place, seq=seq, member_id=member)
    ledger.close(PROGRAM, "steekproef_getrokken", instance.id)
    ask(session, instance, {member for _, member in leaves}, now=now)
    return len(leaves)


def ask(session: Session, instance: Instance, members: set[bytes], *, now: datetime) -> None:
    """Mail members that something waits for them."""
    users = session.scalars(select(User).where(User.state == ACTIVE, User.id.in_(members)))
    source = new_id()
    mails = [
        mail_row(instance, reminder(), source=source, recipient_id=one.id, address=one.address, wall=now)
        for one in addressed(instance, users)
    ]
    if mails:
        session.execute(insert(Outbox), mails)


# --- looking, answering, judging -----------------------------------------------------------------------------------


def asked_of(session: Session, instance: Instance, person: Person) -> list[SampleView]:
    """The openings of which a member was asked why, those without an answer first."""
    query = select(Sample).where(Sample.member_id == person.user_id)
    return _views(session, instance, query.order_by(Sample.answered_at.is_not(None), Sample.month.desc(), Sample.place))


def samples(session: Session, instance: Instance, *, months: int = 12) -> list[tuple[SampleDraw, list[SampleView]]]:
    """The last draws with what became of each opening, newest first."""
    draws = session.scalars(select(SampleDraw).order_by(SampleDraw.month.desc()).limit(months)).all()
    query = select(Sample).where(Sample.month.in_([one.month for one in draws])).order_by(Sample.place)
    views = _views(session, instance, query)
    return [(one, [view for view in views if view.row.month == one.month]) for one in draws]


def _views(session: Session, instance: Instance, query: Select[Any]) -> list[SampleView]:
    rows: Sequence[Sample] = session.scalars(query).all()
    leaves = {
        leaf.seq: leaf
        for leaf in session.execute(
            select(Leaf.seq, Leaf.action, Leaf.at, Case.reference)
            .outerjoin(Case, Case.id == Leaf.object)
            .where(Leaf.seq.in_([row.seq for row in rows]))
        )
    }
    names = names_of(session, instance, {row.member_id for row in rows})
    return [
        SampleView(
            row, names.get(row.member_id, "?"), leaves[row.seq].action, leaves[row.seq].at, leaves[row.seq].reference
        )
        for row in rows
        if row.seq in leaves
    ]


def give_reason(
    session: Session, instance: Instance, person: Person, sample_id: bytes, reason: str, words: str, *, now: datetime
) -> None:
    """A member says why they opened; once, so that an answer is not made to fit afterwards."""
    row = session.get(Sample, sample_id, with_for_update=True)
    if row is None or row.member_id != person.user_id:
        raise NotAllowed("niet_gevonden")
    words = " ".join(words.split())
    if row.answered_at is not None:
        raise NotAllowed("al_gedaan")
    if reason not in REASONS:
        raise NotAllowed("onbekende_keuze")
    if len(words) > MAX_WORDS or (reason == "anders" and not words):
        raise NotAllowed("reden_kort")
    ledger = Ledger(session, instance, now=now)
    ledger.change(row, reason=reason, words=words or None, answered_at=now)
    ledger.close(person.user_id, "steekproef_reden", row.id)


def judge(
    session: Session, instance: Instance, person: Person, sample_id: bytes, judgement: str, *, now: datetime
) -> None:
    """The FG says what they think of it: also of an answer that never came."""
    row = session.get(Sample, sample_id, with_for_update=True)
    if not person.has("auditor") or row is None or row.member_id == person.user_id:
        raise NotAllowed("niet_uw_rol")
    if judgement not in JUDGEMENTS:
        raise NotAllowed("onbekende_keuze")
    if row.answered_at is None and judgement == "in_orde":
        raise NotAllowed("eerst_reden")
    ledger = Ledger(session, instance, now=now)
    ledger.change(row, judgement=judgement, judged_by=person.user_id, judged_at=now)
    ledger.close(person.user_id, "steekproef_beoordeeld", row.id)
