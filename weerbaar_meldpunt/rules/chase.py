"""What must happen next on a track and by when, and who is asked when it did not: the chase, decided from a table.

Nothing here knows a clock or a database: what must happen is planned where something happened, and the clock only
asks which step of the ladder comes next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from . import vocabulary as codes
from .answer import Answer
from .calendar import DAY, calendar_data, is_working_day, next_office_moment, today
from .chase_plan import FIRST_STEP, ByUrgency, Span, plan_at, plan_on
from .terms import LegalTerm, term_table
from .values import AMSTERDAM


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


# --- what must happen, planned where something happened ------------------------------------------------------------


def first_dues(
    answer: Answer, team: str, *, received_at: datetime, teams: Sequence[str] = (),
    contact: Mapping[str, Any] | None = None,
) -> list[PlannedDue]:  # fmt: skip
    """What must happen on a new track: the first contact, and what dates in the report bring with them.

    `teams` are all that get the case, where that differs from the answer's routes; `contact` is that part of the
    report's document: at night it may ask not to be called.
    """
    plan = plan_at(received_at)
    planned = [PlannedDue("eerste_contact", answer.first_contact_before)]
    call_at = may_call_from(contact, answer.urgency, now=received_at)
    if call_at is not None:
        planned.append(PlannedDue("poging", call_at))
    if answer.decide_again_at is not None and answer.decide_again_at > received_at:
        planned.append(PlannedDue("aangekondigd_moment", answer.decide_again_at))
    if "wacht_op_toestemming" in answer.marks:
        planned += [PlannedDue(kind, span.after(received_at)) for kind, span in plan.consent.spans.items()]
    if team in _warned_of_terms(tuple(teams) or answer.routes or (team,), plan.legal.teams):
        planned += legal_warnings(answer.legal_terms, version=answer.rules_version, received_at=received_at)
    return planned


def _warned_of_terms(teams: Sequence[str], legal: Sequence[str]) -> Sequence[str]:
    """A term may run on a case that no lawyer of ours has: then the first team is warned."""
    return [team for team in teams if team in legal] or teams[:1]


def legal_warnings(terms: tuple[LegalTerm, ...], *, version: str, received_at: datetime) -> list[PlannedDue]:
    """The mornings before the last day of each term; the warning at receipt is the first contact itself.

    On a day nobody works a warning would be read too late, so it comes on the last working day before.
    """
    opens: time = calendar_data().office_hours.opens
    days = {
        _working_day_until(term.last_day - before * DAY)
        for term in terms
        if term.whose in plan_at(received_at).legal.whose and today(received_at) <= term.last_day < date.max
        for before in term_table(version).warn_days_before
        if term.last_day - before * DAY >= today(received_at)
    }
    moments = (datetime.combine(day, opens, tzinfo=AMSTERDAM).astimezone(received_at.tzinfo) for day in sorted(days))
    return [PlannedDue("wettelijke_termijn", moment) for moment in moments if moment > received_at]


def _working_day_until(day: date) -> date:
    while not is_working_day(day):
        day -= DAY
    return day


def may_call_from(contact: Mapping[str, Any] | None, urgency: str, *, now: datetime) -> datetime | None:
    """When somebody who asked not to be called at night may be called: the start of the safe hours.

    None when a call is fine now. Until then a message is written; an acute case is called all the same.
    """
    night, local = plan_at(now).night, now.astimezone(AMSTERDAM)
    wish = (contact or {}).get("night_call")
    if wish is not False or urgency not in night.urgencies or not night.holds(local.time()):
        return None
    given = [hours["from"] for hours in (contact or {}).get("safe_hours") or () if hours.get("from")]
    starts = [start for text in given if not night.holds(start := time.fromisoformat(text))] or [night.ends]
    moments = (
        datetime.combine(local.date() + days * DAY, start, tzinfo=AMSTERDAM) for days in (0, 1) for start in starts
    )
    return min(moment.astimezone(now.tzinfo) for moment in moments if moment > now)


def after_contact(urgency: str, team: str, *, now: datetime) -> list[PlannedDue]:
    """After the first contact: the follow-up, and the aftercare of the team that gives it."""
    care = plan_at(now).aftercare
    planned = after_answer(urgency, now=now)
    if team in care.teams:
        planned += [PlannedDue(kind, span.after(now)) for kind, span in care.spans.items()]
    return planned


def after_answer(urgency: str, *, now: datetime) -> list[PlannedDue]:
    """After the team did something: the next follow-up, at an hour at which somebody is at a desk."""
    return [PlannedDue("opvolging", next_office_moment(plan_at(now).follow_up[urgency].after(now)))]


def after_message(urgency: str, *, now: datetime) -> list[PlannedDue]:
    """After the reporter wrote: somebody answers."""
    return [PlannedDue("opvolging", plan_at(now).after_message[urgency].after(now))]


def after_attempt(urgency: str, *, now: datetime, contact: Mapping[str, Any] | None = None) -> list[PlannedDue]:
    """After a call that nobody answered: the next attempt, and not in a night without calls."""
    moment = plan_at(now).after_attempt[urgency].after(now)
    return [PlannedDue("poging", may_call_from(contact, urgency, now=moment) or moment)]


def awaited(state: str) -> tuple[str, ...]:
    """For whom a track in this state can wait, for the form."""
    return tuple(row.for_whom for row in plan_on(date.max).waiting if row.state == state)


def waiting(state: str, for_whom: str, *, now: datetime, until: datetime | None = None) -> list[PlannedDue]:
    """While it is waited for somebody: when it is asked again. `KeyError` for somebody no row names."""
    if until is not None:
        return [PlannedDue(state, until)]
    for row in plan_at(now).waiting:
        if (row.state, row.for_whom) == (state, for_whom):
            return [PlannedDue(state, span.after(now)) for span in row.spans]
    raise KeyError(for_whom)


def confirmation(*, now: datetime) -> list[PlannedDue]:
    """After a closing was proposed: a second person looks at it."""
    return [PlannedDue("opvolging", plan_at(now).confirmation.span.after(now))]


def kept_after_closing(outcome: str, *, now: datetime) -> tuple[str, ...]:
    """The dues that go on when a track closes: the aftercare, but for whoever should not be sought any more."""
    care = plan_at(now).aftercare
    return () if outcome in care.not_after else tuple(care.spans)


def after_closing(team: str, *, now: datetime, outcome: str | None = None) -> list[PlannedDue]:
    """After a track closed: the survey, but for whoever should not be sought any more."""
    survey = plan_at(now).survey
    asked = team in survey.teams and outcome not in survey.not_after
    return [PlannedDue("enquete", survey.span.after(now))] if asked else []


def another_teams_contact(urgency: str, *, now: datetime) -> PlannedDue:
    """A case comes to a team from another one: the reporter hears from it as soon as after a message of theirs."""
    return PlannedDue("eerste_contact", plan_at(now).after_message[urgency].after(now))


def fallback(urgency: str, *, now: datetime) -> PlannedDue:
    """The due of an open track that would have none."""
    return PlannedDue("opvolging", plan_at(now).fallback[urgency].after(now))


# --- the clock, and the steps of the ladder ------------------------------------------------------------------------


def first_look(due: PlannedDue, urgency: str, *, now: datetime) -> datetime:
    """When the clock must first look at a due: at its moment, in office hours unless it may not wait for them."""
    plan = plan_at(now)
    if plan.at_once(due.kind, urgency):
        return now
    moment = max(due.moment, now)
    try:
        return next_office_moment(moment) if plan.waits(due.kind, urgency) else moment
    except OverflowError:  # a year typed wrong is no reason to refuse what somebody did
        return moment


@lru_cache(maxsize=256)  # a clock asks the same of many dues at one moment
def next_rung(step: str, kind: str, urgency: str, *, now: datetime) -> Rung | None:
    """The step of the ladder after `step`, taken now; None when all were taken."""
    plan = plan_at(now)
    steps = plan.ladder.steps
    place = steps.index(plan.first_step(kind)) if step == FIRST_STEP else steps.index(step) + 1
    if place >= len(steps):
        return None
    if place + 1 == len(steps):
        return Rung(steps[place], None)
    return Rung(steps[place], try_again(kind, urgency, now=now))


@lru_cache(maxsize=256)
def may_step_now(kind: str, urgency: str, *, now: datetime) -> bool:
    """Whether a step may be taken at this hour: a clock that was down overnight must not wake people by accident."""
    return not plan_at(now).waits(kind, urgency) or next_office_moment(now) == now


def next_hour(kind: str, urgency: str, *, now: datetime) -> datetime:
    """When a step may be taken that may not be taken at this hour."""
    return next_office_moment(now) if plan_at(now).waits(kind, urgency) else now


def try_again(kind: str, urgency: str, *, now: datetime) -> datetime:
    """When a step is tried again that could reach nobody."""
    plan = plan_at(now)
    again = plan.ladder[urgency].later(now)
    return next_office_moment(again) if plan.waits(kind, urgency) else again


def rests_until(due: PlannedDue, urgency: str, *, taken: bool, now: datetime) -> datetime | None:
    """Until when the ladder of an alarm rests once somebody took the track: the moment by which it must be done."""
    confirmed = taken and now < due.moment and plan_at(now).at_once(due.kind, urgency)
    return due.moment if confirmed else None


def asked(step: str, *, now: datetime) -> tuple[str, ...]:
    """Whom a step reaches: the first of these of whom there is anybody."""
    return plan_at(now).asked[step]


def next_round(urgency: str, *, now: datetime) -> PlannedDue:
    """What is planned when the whole team was told and nobody did anything: a track is not given up."""
    return PlannedDue("opvolging", plan_at(now).rounds[urgency].later(now))


def sounds_alarm(kind: str, urgency: str, *, now: datetime) -> bool:
    """Whether a step on such a due is told with the text of the alarm."""
    alarm = plan_at(now).alarm
    return kind in alarm.kinds and urgency in alarm.urgencies


def alarms_are_one_since(*, now: datetime) -> datetime:
    """Alarms of one team since this moment are one with an alarm now."""
    return now - (plan_at(now).alarm.together.later(now) - now)


def confirm_before(urgency: str, *, now: datetime) -> datetime:
    """By when an alarm is to be confirmed: then the next on the ladder is asked."""
    return plan_at(now).ladder[urgency].later(now)


def longest_rest(*, now: datetime) -> datetime:
    """Later than any ladder that is being climbed now looks again: holidays and weekends included."""
    return now + timedelta(days=30)


def runs_day_and_night(kind: str, urgency: str, *, now: datetime) -> bool:
    """Whether such a due runs at night and on holidays too, for who promises a time."""
    return not plan_at(now).waits(kind, urgency)


def spans_by_urgency(name: str, *, now: datetime) -> Mapping[str, Span]:
    """A row of the plan, for a page that explains it."""
    row: ByUrgency = getattr(plan_at(now), name)
    return {urgency: row[urgency] for urgency in codes.URGENCIES}
