"""Where a report goes, how soon and why: the decision tables applied to one report.

Pure: the same report, moment and version always give the same answer. All rows that apply count for the routes; for
urgency and entitlement the first one does.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import Final

from . import vocabulary as codes
from .answer import Answer, Reason
from .calendar import add_working_days, end_of_working_day, today
from .data import every_version, in_force, read_version, versions
from .decision_tables import RoutingFile
from .facts import CONSENT_MISSING, ENTITLEMENT_BIT, ROLE_BIT, URGENCY_BIT, derive, start_of
from .ready import FirstContact, Tables, collect, define, first
from .report import Report
from .teams import compartments_for
from .terms import legal_terms, term_table

__all__ = [
    "Answer", "Reason", "Tables", "compartments_for", "decide", "decide_again", "load_tables", "offer_text",
    "table_versions",
]  # fmt: skip

_STEM: Final = "routing"
_REFER: Final = "doorverwijzen"


def decide(report: Report, *, now: datetime, tables: Tables | None = None) -> Answer:
    """The answer for a report as it comes in: "now" is the moment of receipt, the earlier one when that is known.

    Without `tables` the version in force on that day decides.
    """
    return _decide(report, (report.received_at or now).astimezone(UTC), tables)


def decide_again(report: Report, *, now: datetime, tables: Tables | None = None) -> Answer:
    """The answer for a report as things stand at a later moment, when an announced moment has come near."""
    return _decide(report, now.astimezone(UTC), tables)


def load_tables(version: str | None = None, *, on: date | None = None) -> Tables:
    """The tables of a version, or of the version in force on a day. `NoSuchVersion` when it is not carried."""
    if version is None:
        if on is None:
            raise ValueError("a version or a day is needed")
        version = _version_on(on)
    return _tables(version)


def table_versions() -> tuple[str, ...]:
    """All versions that are carried, oldest first."""
    return versions(_STEM)


def offer_text(code: str, tables: Tables) -> str:
    """What an offer says to the reporter (Dutch); `KeyError` for an unknown code."""
    return tables.file.offers[code]


@cache
def _carried() -> tuple[RoutingFile, ...]:
    return every_version(RoutingFile, _STEM)


@lru_cache(maxsize=512)
def _version_on(day: date) -> str:
    return in_force(_carried(), day).version


@lru_cache(maxsize=8)
def _tables(version: str) -> Tables:
    file = read_version(RoutingFile, _STEM, version)
    return Tables(file, term_table(file.terms))


def _decide(report: Report, now: datetime, tables: Tables | None) -> Answer:
    day = today(now)
    if tables is None:
        tables = _tables(_version_on(day))
    terms = legal_terms(report, tables.terms)
    common = derive(report, terms, tables.file.thresholds, now=now, day=day, pressing_on=day + tables.pressing)
    facts, entitlement, entitled = _office(report, common, tables)
    facts |= ENTITLEMENT_BIT[entitlement]
    facts = define(tables.definitions, facts)

    urgency, urgent = first(tables.urgency, facts, tables.urgency_otherwise)
    facts |= URGENCY_BIT[urgency]
    contact = tables.first_contact[urgency]
    reasons = [urgent, contact.reason, entitled]

    found: set[str] = set()
    marks: set[str] = set()
    for (route, mark), reason in collect(tables.route, facts):
        found.add(route)
        reasons.append(reason)
        if mark is not None:
            marks.add(mark)
    routes = tuple(team for team in codes.TEAMS if team in found)
    offers: tuple[str, ...] = ()
    if not routes:
        offers, reason = first(tables.no_route, facts, tables.no_route_otherwise)
        reasons.append(reason)
        marks.add(_REFER)
    if facts & CONSENT_MISSING:
        marks.add(tables.consent_mark)
        reasons.append(tables.consent_reason[f"route:{routes[0]}" if routes else "no_route"])

    actions = []
    for proposed in collect(tables.action, facts):
        action = proposed
        if proposed.islands is not None and facts & tables.islands:
            action = proposed.islands
        actions.append(action.code)
        reasons.append(action.reason)
    for term in terms:
        reasons.append(Reason(term.rule, f"term:{term.term}", term.basis))
    return Answer(
        tables.version,
        routes,
        urgency,
        _first_contact(now, day, contact),
        entitlement,
        tuple(mark for mark in codes.MARKS if mark in marks) if marks else (),
        offers,
        tuple(actions),
        terms,
        tuple(reasons),
        _decide_again_at(report, now, tables),
    )


def _office(report: Report, common: int, tables: Tables) -> tuple[int, str, Reason]:
    """The facts of the office in which it happened, and the best entitlement of all roles held, each in turn."""
    target = report.target
    facts, best, because = 0, "", tables.entitlement_otherwise[1]
    any_role = 0
    for role in (target.role, *target.other_roles):
        held = define(tables.role_definitions, common | ROLE_BIT[role])
        for bit, of_any in tables.any_role:
            if held & bit:
                any_role |= of_any
        found, reason = first(tables.entitlement, held, tables.entitlement_otherwise)
        if not best or tables.entitlement_rank[found] < tables.entitlement_rank[best]:
            best, because = found, reason
        facts = facts or held
    return facts | any_role, best, because


def _first_contact(now: datetime, day: date, contact: FirstContact) -> datetime:
    """Elapsed hours, over a clock change too, or the end of a working day."""
    if contact.hours is not None:
        return now + contact.hours
    return end_of_working_day(add_working_days(day, contact.working_days))


def _decide_again_at(report: Report, now: datetime, tables: Tables) -> datetime | None:
    announced = report.incident.announced_for
    if announced is None:
        return None
    moment = start_of(announced)
    if moment - now <= tables.announced:
        return None
    return moment.astimezone(UTC) - tables.announced
