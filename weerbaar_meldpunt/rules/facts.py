"""What the decision tables may speak of: facts that hold of a report at a moment, each one bit of a number.

A table names facts; here they get their bit and are read from a report. Free text, contact and private parts are
never read. Definitions over facts are data and stand in the tables themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final, Protocol

from . import vocabulary as codes
from .calendar import DAY
from .report import Incident, Report
from .terms import LegalTerm
from .values import AMSTERDAM


class Thresholds(Protocol):
    """The amounts in the facts below; policy, so they come from the table."""

    recent_hours: int
    announced_hours: int
    earlier_cases: int
    unanswered_days: int


# Facts that a report states by itself, by the name of its key.
_INCIDENT_FLAGS: Final = (
    "happening_now", "concrete_threat", "weapon", "address_exposed", "family_involved", "repeated",
    "life_in_danger_self", "order_breached", "damage",
)  # fmt: skip

# Facts that are worked out, with what they mean.
WORKED_OUT: Final = MappingProxyType(
    {
        "appointment_certain": "benoemd of gekozen, het ambt begint zeker",
        "home_outside_area": "de woning ligt buiten het eigen gebied",
        "term_begun": "het ambt is begonnen, of de begindatum is niet bekend",
        "term_end_passed": "de einddatum van het ambt is voorbij",
        "organisation_unknown": "de organisatie en haar soort zijn niet bekend",
        "kinds_given": "een soort is genoemd (juridische stukken tellen als juridische druk)",
        "kind_beyond_anders": "een andere soort dan alleen 'anders'",
        "moment_announced": "een datum, uur of gelegenheid is genoemd",
        "announced_soon": "het genoemde moment valt binnen de komende uren (announced_hours)",
        "occurred_recently": "kort geleden gebeurd (recent_hours), of niet bekend wanneer",
        "many_earlier_cases": "zoveel eerdere zaken van dezelfde persoon (earlier_cases)",
        "unanswered_elsewhere": "eerder elders gemeld (unanswered_days) en geen antwoord",
        "own_term_pressing": "een eigen termijn loopt bijna af of is voorbij",
        "asks_security": "de melder vraagt om beveiliging",
        "asks_legal_support": "de melder vraagt om juridische hulp",
        "support_refused": "de melder wil niet gebeld worden door het Ondersteuningsteam",
        "preventive": "vraag vooraf (de definitie alleen_preventie zegt wanneer dat telt)",
        "lawful_criticism_only": "alleen geoorloofde kritiek, vastgesteld door een medewerker",
        "consent_missing": "de betrokkene heeft (nog) niet toegestemd",
    }
)

_LISTS: Final = MappingProxyType(
    {
        "soort": codes.KINDS, "kanaal": codes.CHANNELS, "rol": codes.ROLES, "dader": codes.OFFENDERS,
        "conflict": codes.CONFLICTS, "type": codes.ORGANISATION_TYPES, "juridisch": codes.LEGAL_KINDS,
        "urgentie": codes.URGENCIES, "aanspraak": codes.ENTITLEMENTS,
    }
)  # fmt: skip

FACTS: Final = (
    *_INCIDENT_FLAGS,
    *WORKED_OUT,
    *(f"{name}:{code}" for name, members in _LISTS.items() for code in members),
)
BIT: Final[Mapping[str, int]] = MappingProxyType({name: 1 << place for place, name in enumerate(FACTS)})


def _bits(name: str) -> Mapping[str, int]:
    return MappingProxyType({code: BIT[f"{name}:{code}"] for code in _LISTS[name]})


ROLE_BIT: Final = _bits("rol")
URGENCY_BIT: Final = _bits("urgentie")
ENTITLEMENT_BIT: Final = _bits("aanspraak")
CONSENT_MISSING: Final = BIT["consent_missing"]

_KIND, _CHANNEL, _OFFENDER = _bits("soort"), _bits("kanaal"), _bits("dader")
_CONFLICT, _TYPE, _LEGAL = _bits("conflict"), _bits("type"), _bits("juridisch")
_FLAG_BITS: Final = tuple((name, BIT[name]) for name in _INCIDENT_FLAGS)
_LEGAL_PRESSURE: Final = _KIND["juridische_druk"]
_ANY_KIND: Final = sum(_KIND.values())
_BEYOND_ANDERS: Final = _ANY_KIND & ~_KIND["anders"]
_NO_CONSENT: Final = frozenset({"nee", "nog_te_vragen"})
_HOUR: Final = timedelta(hours=1)

_B: Final = BIT  # short, for the lines below
_APPOINTED, _OUTSIDE = _B["appointment_certain"], _B["home_outside_area"]
_BEGUN, _ENDED, _ORG_UNKNOWN = _B["term_begun"], _B["term_end_passed"], _B["organisation_unknown"]
_GIVEN, _BEYOND = _B["kinds_given"], _B["kind_beyond_anders"]
_ANNOUNCED, _SOON, _RECENT = _B["moment_announced"], _B["announced_soon"], _B["occurred_recently"]
_MANY, _UNANSWERED, _PRESSING = _B["many_earlier_cases"], _B["unanswered_elsewhere"], _B["own_term_pressing"]
_SECURITY, _LEGAL_HELP, _REFUSED = _B["asks_security"], _B["asks_legal_support"], _B["support_refused"]
_PREVENTIVE, _LAWFUL = _B["preventive"], _B["lawful_criticism_only"]


def derive(
    report: Report,
    terms: tuple[LegalTerm, ...],
    thresholds: Thresholds,
    *,
    now: datetime,
    day: date,
    pressing_on: date,
) -> int:
    """The facts of a report, but for the roles held. `day` is today; an own term until `pressing_on` presses."""
    facts = _incident_facts(report.incident, thresholds, now=now, day=day)
    legal, target, request = report.legal, report.target, report.request
    if legal is not None:
        facts |= _LEGAL_PRESSURE | _LEGAL[legal.kind]
    if facts & _ANY_KIND:
        facts |= _GIVEN
        if facts & _BEYOND_ANDERS:
            facts |= _BEYOND
    if terms and any(term.whose == "eigen" and term.last_day <= pressing_on for term in terms):
        facts |= _PRESSING
    for code in report.conflict:
        facts |= _CONFLICT[code]
    if report.preventive:
        facts |= _PREVENTIVE
    if report.lawful_criticism_only:
        facts |= _LAWFUL
    if consent_missing(report):
        facts |= CONSENT_MISSING

    facts |= _TYPE[target.organisation_type]
    if target.organisation is None and target.organisation_type == "onbekend":
        facts |= _ORG_UNKNOWN
    if target.term_start is None or target.term_start <= day:
        facts |= _BEGUN
    if target.term_end is not None and target.term_end < day:
        facts |= _ENDED
    if target.appointment_certain:
        facts |= _APPOINTED
    if target.home_outside_area:
        facts |= _OUTSIDE

    if request.security_measures:
        facts |= _SECURITY
    if request.legal_support:
        facts |= _LEGAL_HELP
    if not request.support:
        facts |= _REFUSED
    return facts


def consent_missing(report: Report) -> bool:
    """Whether the official has not agreed (yet). On behalf of somebody, `nvt` means that nobody asked."""
    reporter = report.reporter
    if reporter.consent == "nvt":
        return reporter.relation != "zelf"
    return reporter.consent in _NO_CONSENT


def _incident_facts(incident: Incident, thresholds: Thresholds, *, now: datetime, day: date) -> int:
    facts = _OFFENDER[incident.offender]
    for code in incident.kinds:
        facts |= _KIND[code]
    for code in incident.channels:
        facts |= _CHANNEL[code]
    stated = incident.__dict__
    for name, bit in _FLAG_BITS:
        if stated[name]:
            facts |= bit
    if incident.announced_for is not None:
        facts |= _ANNOUNCED
        if _falls_within(incident.announced_for, now, thresholds.announced_hours):
            facts |= _SOON
    elif incident.moment_announced:
        facts |= _ANNOUNCED
    if incident.occurred_at is None or now - end_of(incident.occurred_at) < thresholds.recent_hours * _HOUR:
        facts |= _RECENT
    if incident.earlier_cases >= thresholds.earlier_cases:
        facts |= _MANY
    reported = incident.reported_elsewhere_on
    if reported is not None and not incident.answered_elsewhere and (day - reported).days >= thresholds.unanswered_days:
        facts |= _UNANSWERED
    return facts


def _falls_within(announced: datetime | date, now: datetime, hours: int) -> bool:
    """Between now and so many hours on, both included; of a date alone any part of the day."""
    if isinstance(announced, datetime):
        return timedelta() <= announced - now <= hours * _HOUR
    return start_of(announced) - now <= hours * _HOUR and end_of(announced) > now


def start_of(announced: datetime | date) -> datetime:
    """The moment itself; for a date alone the start of that day."""
    if isinstance(announced, datetime):
        return announced
    return datetime.combine(announced, datetime.min.time(), tzinfo=AMSTERDAM)


def end_of(occurred: datetime | date) -> datetime:
    """The moment itself; for a date alone the end of that day."""
    if isinstance(occurred, datetime):
        return occurred
    if occurred == date.max:
        return datetime.combine(occurred, datetime.max.time(), tzinfo=AMSTERDAM)
    return datetime.combine(occurred + DAY, datetime.min.time(), tzinfo=AMSTERDAM)
