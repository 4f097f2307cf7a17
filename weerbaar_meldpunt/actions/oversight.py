"""What the FG is reminded of in time: a datalek's hours, a request's month, a sample that nobody answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import reminder
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.oversight import oversight_on
from weerbaar_meldpunt.store.engine import insert_if_absent
from weerbaar_meldpunt.store.oversight import Breach, BreachStep, OversightReminder, PersonRequest, Sample, SampleDraw
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import new_id

from . import samples
from .alarms import raise_alarm
from .breaches import REPORTED
from .checkpoints import Recipient, staff_recipients
from .instance import Instance
from .ledger import last_leaf
from .outbox import mail_row

LATE: Final = "datalek_te_laat"
FG: Final = ("auditor",)


@dataclass(frozen=True, slots=True)
class _Step:
    """One reminder that is due, by name; `member` where it is for somebody else than the FG."""

    about: bytes
    step: str
    number: str
    member: bytes | None = None
    late: bool = False


def _due(session: Session, *, now: datetime) -> list[_Step]:
    found = [*_breaches(session, now), *_requests(session, now), *_samples(session, now)]
    if not found:
        return []
    about = {step.about for step in found}
    query = select(OversightReminder.about, OversightReminder.step).where(OversightReminder.about.in_(about))
    done = {(row.about, row.step) for row in session.execute(query)}
    return [step for step in found if (step.about, step.step) not in done]


def _breaches(session: Session, now: datetime) -> Iterator[_Step]:
    reported = select(BreachStep.breach_id).where(BreachStep.step == REPORTED)
    for row in session.scalars(select(Breach).where(Breach.closed_at.is_(None), Breach.id.not_in(reported))):
        hours = oversight_on(today(row.found_at)).breach_reminder_hours
        passed = [hour for hour in hours if now >= row.found_at + timedelta(hours=hour)]
        if passed:  # the newest only: a clock that stood still does not send five at once
            yield _Step(row.id, f"{passed[-1]}u", row.number, late=now >= row.due_at)


def _requests(session: Session, now: datetime) -> Iterator[_Step]:
    for row in session.scalars(select(PersonRequest).where(PersonRequest.closed_at.is_(None))):
        left = (date.fromisoformat(row.due_on) - today(now)).days
        days_before = oversight_on(date.fromisoformat(row.received_on)).request_reminder_days
        passed = [days for days in days_before if left <= days]
        if passed:
            yield _Step(row.id, f"{'v' if row.extended else ''}{min(passed)}d", row.number)


def _samples(session: Session, now: datetime) -> Iterator[_Step]:
    rows = session.execute(
        select(Sample, SampleDraw.drawn_at)
        .join(SampleDraw, SampleDraw.month == Sample.month)
        .where(Sample.answered_at.is_(None), Sample.judged_at.is_(None))
    )
    for row, drawn_at in rows:
        days = oversight_on(today(drawn_at)).sample_reminder_days
        passed = [count for count in days if now >= drawn_at + timedelta(days=count)]
        if passed:
            yield _Step(row.id, f"{passed[-1]}d", row.month, member=row.member_id)


def anything_to_remind(session: Session, *, now: datetime) -> bool:
    """Whether somebody has to be told something, or a sample has to be drawn."""
    return bool(_due(session, now=now)) or samples.month_to_draw(session, now=now) is not None


def remind(session: Session, instance: Instance, *, now: datetime) -> int:
    """Send what is due, each once; draw the sample of the month that ended; answers how many reminders went."""
    sent = 0
    for step in _due(session, now=now):
        noted = insert_if_absent(session, OversightReminder)
        values = {"about": step.about, "step": step.step, "at": now}
        if session.connection().execute(noted, [values]).rowcount != 1:
            continue  # another clock was there first
        if step.member is not None:
            samples.ask(session, instance, {step.member}, now=now)
        else:
            _mail(session, instance, staff_recipients(session, instance, FG), now=now)
        if step.late:
            raise_alarm(session, instance, LATE, step.number, now=now, to=())
        sent += 1
    if samples.month_to_draw(session, now=now) is not None:
        last_leaf(session)  # asked again once nobody else can write: two clocks draw once
    month = samples.month_to_draw(session, now=now)
    if month is not None:
        samples.draw_month(session, instance, month, now=now)
    return sent


def _mail(session: Session, instance: Instance, recipients: list[Recipient], *, now: datetime) -> None:
    source = new_id()
    mails = [
        mail_row(instance, reminder(), source=source, recipient_id=one.id, address=one.address, wall=now)
        for one in recipients
    ]
    if mails:
        session.execute(insert(Outbox), mails)
