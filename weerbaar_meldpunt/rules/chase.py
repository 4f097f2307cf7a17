"""What must happen next on a track and by when, and who is asked when it did not: the chase, decided from a table.

Nothing here knows a clock or a database: what must happen is planned where something happened, and the clock only
asks which step of the ladder comes next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from functools import cache
from typing import Annotated, Final, Self

from pydantic import model_validator

from . import vocabulary as codes
from .answer import Answer
from .calendar import add_working_days, calendar_data, end_of_working_day, next_office_moment, today
from .data import Data, PolicyFile, version_on
from .terms import LegalTerm, add_months, term_table
from .values import AMSTERDAM, OneOf

ANY_KIND: Final = "*"
FIRST_STEP: Final = "gepland"
WAITING_STATES: Final = ("wacht_op_melder", "wacht_op_derde")

UrgencyCode = Annotated[str, OneOf(codes.URGENCIES)]
TeamCode = Annotated[str, OneOf(codes.TEAMS)]
DueKind = Annotated[str, OneOf((*codes.DUE_KINDS, ANY_KIND))]


@dataclass(frozen=True, slots=True)
class PlannedDue:
    """Something that must have happened by a moment (UTC)."""

    kind: str
    moment: datetime


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder that is taken now, and when the clock must look again; never again after the last."""

    step: str
    look_again_at: datetime | None


class Span(Data):
    """A length of time in one unit."""

    minutes: int | None = None
    days: int | None = None
    working_days: int | None = None
    months: int | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if sum(unit is not None for unit in (self.minutes, self.days, self.working_days, self.months)) != 1:
            raise ValueError("a span has one unit")
        return self

    def after(self, moment: datetime) -> datetime:
        """The moment this long after another; working days end with the office hours."""
        if self.minutes is not None:
            return moment + timedelta(minutes=self.minutes)
        if self.working_days is not None:
            return end_of_working_day(add_working_days(today(moment), self.working_days))
        local = moment.astimezone(AMSTERDAM)
        # By the calendar, so that "in two weeks at ten" is at ten over a change of the clock too.
        day = (
            local.date() + timedelta(days=self.days)
            if self.days is not None
            else add_months(local.date(), self.months or 0)
        )
        return datetime.combine(day, local.time(), tzinfo=AMSTERDAM).astimezone(moment.tzinfo)


class ByUrgency(Data):
    """A span for each urgency."""

    acuut: Span
    hoog: Span
    midden: Span
    laag: Span

    def __getitem__(self, urgency: str) -> Span:
        span: Span = getattr(self, urgency)
        return span


class Aftercare(Data):
    """The talks after the first contact, and which teams hold them."""

    teams: tuple[TeamCode, ...]
    nazorg_72u: Span
    nazorg_2w: Span
    nazorg_6w: Span


class Confirmation(Data):
    """How long a second person has."""

    span: Span


class Survey(Data):
    """When the closing survey is sent."""

    teams: tuple[TeamCode, ...]
    span: Span


class Consent(Data):
    """When somebody decides on a consent that does not come."""

    toestemming_14d: Span
    toestemming_30d: Span


class LegalWarnings(Data):
    """Who is warned of legal terms."""

    teams: tuple[TeamCode, ...]
    warn_at_opening: bool


class Waiting(Data):
    """How long it is waited for somebody before it is asked again."""

    for_whom: str
    state: Annotated[str, OneOf(WAITING_STATES)]
    spans: tuple[Span, ...]


class LadderSteps(ByUrgency):
    """The steps in order, and the time between two of them."""

    steps: tuple[Annotated[str, OneOf(codes.DUE_STEPS)], ...]


class DayAndNight(Data):
    """What does not wait for office hours."""

    urgency: UrgencyCode
    kinds: tuple[DueKind, ...]
    at_once: tuple[DueKind, ...]


class ChaseFile(PolicyFile):
    """A version of the plan of the chase."""

    after_attempt: ByUrgency
    after_message: ByUrgency
    follow_up: ByUrgency
    fallback: ByUrgency
    aftercare: Aftercare
    confirmation: Confirmation
    survey: Survey
    consent: Consent
    legal: LegalWarnings
    waiting: tuple[Waiting, ...]
    ladder: LadderSteps
    day_and_night: tuple[DayAndNight, ...]

    def waits(self, kind: str, urgency: str) -> bool:
        """Whether a step on such a due waits for office hours."""
        return not any(row.urgency == urgency and {kind, ANY_KIND} & set(row.kinds) for row in self.day_and_night)

    def alarms_at_once(self, kind: str, urgency: str) -> bool:
        """Whether the ladder starts when the due is planned, not when its moment has passed."""
        return any(row.urgency == urgency and kind in row.at_once for row in self.day_and_night)


@cache
def _plan_on(day: date) -> ChaseFile:
    return version_on(ChaseFile, "chase", day)


def _plan(now: datetime) -> ChaseFile:
    return _plan_on(today(now))


def first_dues(answer: Answer, team: str, *, received_at: datetime) -> list[PlannedDue]:
    """What must happen on a new track: the first contact, and what dates in the report bring with them."""
    plan = _plan(received_at)
    planned = [PlannedDue("eerste_contact", answer.first_contact_before)]
    if answer.decide_again_at is not None and answer.decide_again_at > received_at:
        planned.append(PlannedDue("aangekondigd_moment", answer.decide_again_at))
    if "wacht_op_toestemming" in answer.marks:
        for kind in ("toestemming_14d", "toestemming_30d"):
            span: Span = getattr(plan.consent, kind)
            planned.append(PlannedDue(kind, span.after(received_at)))
    if team in plan.legal.teams:
        planned += legal_warnings(answer.legal_terms, version=answer.rules_version, received_at=received_at)
    return planned


def legal_warnings(terms: tuple[LegalTerm, ...], *, version: str, received_at: datetime) -> list[PlannedDue]:
    """The mornings before the last day of each own term; the warning at receipt is the first contact itself."""
    opens: clock_time = calendar_data().office_hours.opens
    days = {
        term.last_day - timedelta(days=before)
        for term in terms
        if term.whose == "eigen" and term.last_day < date.max
        for before in term_table(version).warn_days_before
    }
    moments = (datetime.combine(day, opens, tzinfo=AMSTERDAM).astimezone(received_at.tzinfo) for day in sorted(days))
    return [PlannedDue("wettelijke_termijn", moment) for moment in moments if moment > received_at]


def after_contact(urgency: str, team: str, *, now: datetime) -> list[PlannedDue]:
    """After the first contact: the follow-up, and the aftercare of the team that gives it."""
    plan = _plan(now)
    planned = [PlannedDue("opvolging", plan.follow_up[urgency].after(now))]
    if team in plan.aftercare.teams:
        for kind in ("nazorg_72u", "nazorg_2w", "nazorg_6w"):
            span: Span = getattr(plan.aftercare, kind)
            planned.append(PlannedDue(kind, span.after(now)))
    return planned


def after_answer(urgency: str, *, now: datetime) -> list[PlannedDue]:
    """After the team did something: the next follow-up."""
    return [PlannedDue("opvolging", _plan(now).follow_up[urgency].after(now))]


def after_message(urgency: str, *, now: datetime) -> list[PlannedDue]:
    """After the reporter wrote: somebody answers."""
    return [PlannedDue("opvolging", _plan(now).after_message[urgency].after(now))]


def after_attempt(urgency: str, *, now: datetime) -> list[PlannedDue]:
    """After a call that nobody answered: the next attempt."""
    return [PlannedDue("poging", _plan(now).after_attempt[urgency].after(now))]


def awaited(state: str) -> tuple[str, ...]:
    """For whom a track in this state can wait, for the form."""
    return tuple(row.for_whom for row in _plan_on(date.max).waiting if row.state == state)


def waiting(state: str, for_whom: str, *, now: datetime, until: datetime | None = None) -> list[PlannedDue]:
    """While it is waited for somebody: when it is asked again. `KeyError` for somebody no row names."""
    if until is not None:
        return [PlannedDue(state, until)]
    for row in _plan(now).waiting:
        if (row.state, row.for_whom) == (state, for_whom):
            return [PlannedDue(state, span.after(now)) for span in row.spans]
    raise KeyError(for_whom)


def confirmation(*, now: datetime) -> list[PlannedDue]:
    """After a closing was proposed: a second person looks at it."""
    return [PlannedDue("opvolging", _plan(now).confirmation.span.after(now))]


def after_closing(team: str, *, now: datetime) -> list[PlannedDue]:
    """After a track closed: the survey."""
    survey = _plan(now).survey
    return [PlannedDue("enquete", survey.span.after(now))] if team in survey.teams else []


def fallback(urgency: str, *, now: datetime) -> PlannedDue:
    """The due of an open track that would have none."""
    return PlannedDue("opvolging", _plan(now).fallback[urgency].after(now))


def first_look(due: PlannedDue, urgency: str, *, now: datetime) -> datetime:
    """When the clock must first look at a due: at its moment, in office hours unless it may not wait for them."""
    plan = _plan(now)
    if plan.alarms_at_once(due.kind, urgency):
        return now
    moment = max(due.moment, now)
    return next_office_moment(moment) if plan.waits(due.kind, urgency) else moment


def next_rung(step: str, kind: str, urgency: str, *, now: datetime) -> Rung | None:
    """The step of the ladder after `step`, taken now; None when all were taken."""
    plan = _plan(now)
    steps = plan.ladder.steps
    place = 0 if step == FIRST_STEP else steps.index(step) + 1
    if place >= len(steps):
        return None
    if place + 1 == len(steps):
        return Rung(steps[place], None)
    again = plan.ladder[urgency].after(now)
    return Rung(steps[place], next_office_moment(again) if plan.waits(kind, urgency) else again)


def may_step_now(kind: str, urgency: str, *, now: datetime) -> bool:
    """Whether a step may be taken at this hour: a clock that was down overnight must not wake people by accident."""
    return not _plan(now).waits(kind, urgency) or next_office_moment(now) == now


def spans_by_urgency(name: str, *, now: datetime) -> Mapping[str, Span]:
    """A row of the plan, for a page that explains it."""
    row: ByUrgency = getattr(_plan(now), name)
    return {urgency: row[urgency] for urgency in codes.URGENCIES}
