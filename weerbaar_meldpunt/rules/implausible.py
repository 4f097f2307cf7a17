"""Dates that can hardly be right. They are accepted, whatever they are, and marked for the worker who asks again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final, Literal

from .calendar import today
from .facts import end_of
from .report import Report

Why = Literal["in_de_toekomst", "al_voorbij", "einde_voor_begin", "heel_ver_weg"]
# Nobody holds an office, or waits for a judgment, at such a distance: a slip in the year.
_FAR: Final = timedelta(days=100 * 366)


def implausible_dates(report: Report, *, now: datetime) -> tuple[tuple[str, Why], ...]:
    """The dates of a report that a worker should ask about: the path of the key, and what is odd.

    A key stands here once. "Now" is the moment of receipt, as for the routing.
    """
    found: dict[str, Why] = {}
    for path, why in _odd(report, (report.received_at or now)):
        found.setdefault(path, why)
    return tuple(found.items())


def _odd(report: Report, now: datetime) -> Iterator[tuple[str, Why]]:
    day, target, incident, legal = today(now), report.target, report.incident, report.legal
    happened: dict[str, date | None] = {
        "incident.occurred_at": incident.occurred_at,
        "incident.reported_elsewhere_on": incident.reported_elsewhere_on,
    }
    to_come: dict[str, date | None] = {
        "target.term_start": target.term_start,
        "target.term_end": target.term_end,
        "incident.announced_for": incident.announced_for,
    }
    if legal is not None:
        happened |= {
            "legal.event_on": legal.event_on,
            "legal.document_on": legal.document_on,
            "legal.received_on": legal.received_on,
        }
        to_come["legal.act_before"] = legal.act_before
    happened |= {f"links[{place}].seen_at": link.seen_at for place, link in enumerate(report.links)}

    for path, given in (happened | to_come).items():
        if given is not None and abs(_day(given) - day) > _FAR:
            yield path, "heel_ver_weg"
    for path, given in happened.items():
        if given is not None and (given > now if isinstance(given, datetime) else given > day):
            yield path, "in_de_toekomst"
    if incident.announced_for is not None and end_of(incident.announced_for) < now:
        yield "incident.announced_for", "al_voorbij"
    if target.term_start is not None and target.term_end is not None and target.term_end < target.term_start:
        yield "target.term_end", "einde_voor_begin"
    if legal is not None:
        yield from _odd_papers(legal.document_on, legal.received_on, legal.act_before)


def _odd_papers(
    document_on: date | None, received_on: date | None, act_before: date | None
) -> Iterator[tuple[str, Why]]:
    """Papers are dated, then received; what they ask lies after both."""
    if document_on is not None and received_on is not None and received_on < document_on:
        yield "legal.received_on", "einde_voor_begin"
    begun = max((given for given in (document_on, received_on) if given is not None), default=None)
    if begun is not None and act_before is not None and act_before < begun:
        yield "legal.act_before", "einde_voor_begin"


def _day(given: date) -> date:
    return today(given) if isinstance(given, datetime) else given
