"""Reports that nobody would write and everybody may: valid, at random, and repeatable by their seed."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from weerbaar_meldpunt.rules import vocabulary as codes
from weerbaar_meldpunt.rules.organisations import organisations

# Every report made here is valid at this moment and at any later one.
ARRIVAL = datetime.fromisoformat("2026-11-23T12:30:00+01:00")

WORDS = (
    "straat", "raad", "’s nachts", "é\u0301én", "𝄞", "<b>", "'; --", "\\", "{{ 7*7 }}", "\n", "\t", "کلمه",
    "a\u202eb", "0",
    "null", "onze voordeur", '"citaat"', "%s", "\x00",
)  # fmt: skip
FLAGS = (
    "happening_now", "concrete_threat", "weapon", "address_exposed", "family_involved", "repeated",
    "moment_announced", "life_in_danger_self", "order_breached", "damage",
)  # fmt: skip


def random_report(rng: random.Random, *, triage: bool = False) -> dict[str, Any]:
    """A valid document of the report format: JSON types only, any key left out, null, or given.

    With `triage` it may say `lawful_criticism_only`, as a worker can.
    """
    document: dict[str, Any] = {"format": 1}
    document |= _some(
        rng,
        {
            "intake": rng.choice(codes.INTAKES),
            "reporter": _some(rng, {"relation": _code(rng, codes.RELATIONS), "consent": _code(rng, codes.CONSENTS)}),
            "target": _target(rng),
            "incident": _incident(rng),
            "conflict": _several(rng, codes.CONFLICTS, none=0.6),
            "barred_member": _words(rng),
            "request": _some(
                rng, {key: rng.random() < 0.4 for key in ("security_measures", "support", "legal_support")}
            ),
            "preventive": rng.random() < 0.25,
            "narrative": _words(rng),
            "contact": _contact(rng),
            "private": _some(rng, {key: _words(rng) for key in ("home_address", "family", "movements")}),
            "offender_known_as": [_words(rng) for _ in range(rng.choice((0, 0, 1, 3)))],
            "links": [_some(rng, {"url": _words(rng), "seen_at": _moment(rng)}) for _ in range(rng.choice((0, 0, 2)))],
        },
    )
    if rng.random() < 0.3:
        document["legal"] = _legal(rng)
    if document.get("intake") in codes.LATE_INTAKES and rng.random() < 0.5:
        document["received_at"] = _written(rng, ARRIVAL - timedelta(minutes=rng.randrange(60 * 24 * 30)))
    if triage and rng.random() < 0.1:
        document["lawful_criticism_only"] = True
    return document


def _target(rng: random.Random) -> dict[str, Any]:
    target = {
        "role": _code(rng, codes.ROLES),
        "other_roles": _several(rng, codes.ROLES, none=0.8),
        "term_start": _day(rng),
        "term_end": _day(rng) if rng.random() < 0.4 else None,
        "appointment_certain": rng.random() < 0.3,
        "gender": rng.choice((*codes.GENDERS, None)),
        "group": rng.choice((*codes.GROUPS, None)),
        "home_outside_area": rng.random() < 0.2,
    }
    if rng.random() < 0.5:
        known = rng.choice(list(organisations().values()))
        target["organisation"] = known.code
        target["organisation_type"] = rng.choice((known.kind, "onbekend", None))
    else:
        target["organisation_type"] = _code(rng, codes.ORGANISATION_TYPES)
    return _some(rng, target)


def _incident(rng: random.Random) -> dict[str, Any]:
    incident = {
        "kinds": _several(rng, codes.KINDS, none=0.2),
        "channels": _several(rng, codes.CHANNELS, none=0.2),
        "platforms": _several(rng, (*codes.PLATFORMS, "mastodon.social", "4chan"), none=0.6),
        "offender": _code(rng, codes.OFFENDERS),
        "occurred_at": _moment(rng) if rng.random() < 0.6 else _day(rng),
        "earlier_cases": rng.choice((0, 0, 1, 2, 3, 999_999_999)),
        "announced_for": rng.choice((None, None, None, _moment(rng), _day(rng))),
        "message_count": rng.choice((0, 1, 1, 40, 100_000)),
        "language": rng.choice(("nl", "en", "fy", "pap-cw", "tr")),
        "reported_elsewhere_on": _day(rng) if rng.random() < 0.3 else None,
        "answered_elsewhere": rng.random() < 0.6,
    }
    return _some(rng, incident | {flag: True for flag in FLAGS if rng.random() < 0.08})


def _legal(rng: random.Random) -> dict[str, Any]:
    dates = {key: _day(rng) for key in ("event_on", "document_on", "received_on", "act_before")}
    return _some(
        rng,
        dates
        | {
            "kind": _code(rng, codes.LEGAL_KINDS),
            "side": _code(rng, codes.LEGAL_SIDES),
            "said_in_meeting": rng.random() < 0.3,
        },
    )


def _contact(rng: random.Random) -> dict[str, Any]:
    return _some(
        rng,
        {
            "name": _words(rng),
            "telephone": rng.choice(("+31 6 00000000", None)),
            "mail": rng.choice(("a@b.example", None)),
            "safe_hours": [{"from": "09:00", "to": "12:00"}] * rng.randrange(3),
            "night_call": rng.choice((True, False, None)),
            "channel": rng.choice((*codes.CONTACT_CHANNELS, None)),
            "language": rng.choice(codes.CONTACT_LANGUAGES),
        },
    )


def _some(rng: random.Random, given: dict[str, Any]) -> dict[str, Any]:
    """Some of it, and here and there a null, which counts as left out."""
    return {key: None if rng.random() < 0.03 else value for key, value in given.items() if rng.random() < 0.8}


def _code(rng: random.Random, known: tuple[str, ...]) -> str:
    return rng.choice(known)


def _several(rng: random.Random, known: tuple[str, ...], *, none: float) -> list[str]:
    """None of them, or some; now and then one that is said twice."""
    return [] if rng.random() < none else rng.choices(known, k=rng.choice((1, 1, 1, 2, 2, 3, 5)))


def _words(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.choice((0, 1, 3, 12))))


def _some_day(rng: random.Random) -> date:
    """Mostly near, for terms that run; sometimes at the far ends that a slip of the hand can reach."""
    if rng.random() < 0.02:
        return rng.choice((date.min, date.max, date(202, 6, 11), date(2026, 12, 31), date(2028, 2, 29)))
    span = rng.choice((1, 5, 20, 100, 800))
    return ARRIVAL.date() + timedelta(days=rng.randint(-span, span))


def _day(rng: random.Random) -> str:
    return _some_day(rng).isoformat()


def _moment(rng: random.Random) -> str:
    if rng.random() < 0.02:
        return rng.choice(("0001-01-01T12:00:00", "9999-12-31T20:00:00Z", "1850-01-01T08:00", "2026-10-25T02:30"))
    span = rng.choice((60, 1_000, 10_000, 1_000_000))
    return _written(rng, ARRIVAL + timedelta(minutes=rng.randint(-span, span)))


def _written(rng: random.Random, moment: datetime) -> str:
    """The same moment in one of the ways in which ISO 8601 writes it."""
    return rng.choice(
        (
            moment.isoformat(),
            moment.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            moment.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ"),
            moment.isoformat(" ", "minutes"),
        )
    )
