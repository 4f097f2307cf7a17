"""The plan of the chase as it is read from its table: spans of time, whom a step asks, what goes on at night."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Annotated, Final, Self

from pydantic import model_validator

from . import vocabulary as codes
from .calendar import add_working_days, end_of_working_day, today
from .data import Data, PolicyFile, version_on
from .terms import add_months
from .values import AMSTERDAM, OneOf

FIRST_STEP: Final = "gepland"
WAITING_STATES: Final = ("wacht_op_melder", "wacht_op_derde")
# Whom a step can reach: the owner of the track, who is on duty, their achterwacht, the coordinators, all of the team.
ASKED: Final = ("eigenaar", "dienst", "achterwacht", "coordinator", "team")

UrgencyCode = Annotated[str, OneOf(codes.URGENCIES)]
TeamCode = Annotated[str, OneOf(codes.TEAMS)]
DueKind = Annotated[str, OneOf(codes.DUE_KINDS)]
StepCode = Annotated[str, OneOf(codes.DUE_STEPS)]
Outcomes = tuple[Annotated[str, OneOf(sorted({code for team in codes.OUTCOMES.values() for code in team}))], ...]


class Span(Data):
    """A length of time in one unit."""

    minutes: int | None = None
    days: int | None = None
    working_days: int | None = None
    months: int | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        given = [unit for unit in (self.minutes, self.days, self.working_days, self.months) if unit is not None]
        if len(given) != 1 or given[0] <= 0:
            raise ValueError("a span has one unit, and takes time")
        return self

    def after(self, moment: datetime) -> datetime:
        """The moment (UTC) by which something must have happened; working days end with the office hours."""
        if self.working_days is not None:
            return end_of_working_day(add_working_days(today(moment), self.working_days))
        return self.later(moment)

    def later(self, moment: datetime) -> datetime:
        """The moment (UTC) this long after another; days of any kind keep the hour of Amsterdam, minutes just pass."""
        if self.minutes is not None:
            return moment.astimezone(UTC) + timedelta(minutes=self.minutes)
        local = moment.astimezone(AMSTERDAM)
        if self.working_days is not None:
            day = add_working_days(local.date(), self.working_days)
        elif self.days is not None:
            day = local.date() + timedelta(days=self.days)
        else:
            day = add_months(local.date(), self.months or 0)
        # By the calendar, so that "in two weeks at ten" is at ten over a change of the clock too.
        return datetime.combine(day, local.time(), tzinfo=AMSTERDAM).astimezone(UTC)


class ByUrgency(Data):
    """A span for each urgency."""

    acuut: Span
    hoog: Span
    midden: Span
    laag: Span

    def __getitem__(self, urgency: str) -> Span:
        span: Span = getattr(self, urgency)
        return span


class Night(Data):
    """The hours in which somebody may not wish to be called, and for which urgencies that wish goes first."""

    urgencies: tuple[UrgencyCode, ...]
    begins: time
    ends: time

    def holds(self, at: time) -> bool:
        """Whether it is night; a night goes over midnight."""
        return at >= self.begins or at < self.ends


class Aftercare(Data):
    """The talks after the first contact, which teams hold them, and after which outcomes nobody is sought any more."""

    teams: tuple[TeamCode, ...]
    not_after: Outcomes
    nazorg_72u: Span
    nazorg_2w: Span
    nazorg_6w: Span

    @property
    def spans(self) -> Mapping[str, Span]:
        """The talks by the code of their due, in order."""
        return {"nazorg_72u": self.nazorg_72u, "nazorg_2w": self.nazorg_2w, "nazorg_6w": self.nazorg_6w}


class Confirmation(Data):
    """How long a second person has."""

    span: Span


class Survey(Data):
    """When the closing survey is sent, by which teams, and after which outcomes it is not."""

    teams: tuple[TeamCode, ...]
    not_after: Outcomes
    span: Span


class Consent(Data):
    """When somebody decides on a consent that does not come."""

    toestemming_14d: Span
    toestemming_30d: Span

    @property
    def spans(self) -> Mapping[str, Span]:
        """The decisions by the code of their due, in order."""
        return {"toestemming_14d": self.toestemming_14d, "toestemming_30d": self.toestemming_30d}


class LegalWarnings(Data):
    """Who is warned of legal terms, and of whose."""

    teams: tuple[TeamCode, ...]
    whose: tuple[Annotated[str, OneOf(codes.WHOSE_TERMS)], ...]


class Waiting(Data):
    """How long it is waited for somebody before it is asked again."""

    for_whom: str
    state: Annotated[str, OneOf(WAITING_STATES)]
    spans: tuple[Span, ...]


class Ladder(ByUrgency):
    """The steps in order, and the time between two of them."""

    steps: tuple[StepCode, ...]


class BeginsWith(Data):
    """Dues whose ladder begins higher up."""

    kinds: tuple[DueKind, ...]
    step: StepCode


class DayAndNight(Data):
    """What does not wait for office hours."""

    urgency: UrgencyCode
    kinds: tuple[DueKind, ...]
    at_once: tuple[DueKind, ...]


class Alarm(Data):
    """What is told with the text of the alarm, and how close together alarms of a team are one."""

    urgencies: tuple[UrgencyCode, ...]
    kinds: tuple[DueKind, ...]
    together: Span


class ChaseFile(PolicyFile):
    """A version of the plan of the chase."""

    after_attempt: ByUrgency
    after_message: ByUrgency
    follow_up: ByUrgency
    fallback: ByUrgency
    night: Night
    aftercare: Aftercare
    confirmation: Confirmation
    survey: Survey
    consent: Consent
    legal: LegalWarnings
    waiting: tuple[Waiting, ...]
    ladder: Ladder
    asked: Mapping[StepCode, tuple[Annotated[str, OneOf(ASKED)], ...]]
    begins_with: tuple[BeginsWith, ...]
    rounds: ByUrgency
    day_and_night: tuple[DayAndNight, ...]
    alarm: Alarm

    @model_validator(mode="after")
    def _nobody_is_left_unasked(self) -> Self:
        if not self.ladder.steps or set(self.ladder.steps) & {FIRST_STEP, *codes.ENDED_DUE_STEPS}:
            raise ValueError("the ladder holds the steps between gepland and the end")
        if set(self.asked) != set(self.ladder.steps) or not all(self.asked.values()):
            raise ValueError("each step of the ladder says whom it asks, and no other does")
        # A team always has somebody; who is on duty or owns the track may be missing.
        if any(who[-1] != "team" for who in self.asked.values()):
            raise ValueError("in the end a step asks all of the team")
        if not {row.step for row in self.begins_with} <= set(self.ladder.steps):
            raise ValueError("a ladder begins on one of its steps")
        return self

    def waits(self, kind: str, urgency: str) -> bool:
        """Whether a step on such a due waits for office hours."""
        return not any(row.urgency == urgency and kind in row.kinds for row in self.day_and_night)

    def at_once(self, kind: str, urgency: str) -> bool:
        """Whether the ladder starts when the due is planned, not when its moment has passed."""
        return any(row.urgency == urgency and kind in row.at_once for row in self.day_and_night)

    def first_step(self, kind: str) -> str:
        """The step a ladder begins with."""
        return next((row.step for row in self.begins_with if kind in row.kinds), self.ladder.steps[0])


@cache
def plan_on(day: date) -> ChaseFile:
    """The version in force on a day."""
    return version_on(ChaseFile, "chase", day)


@lru_cache(maxsize=64)
def plan_at(now: datetime) -> ChaseFile:
    """The version in force at a moment."""
    return plan_on(today(now))
