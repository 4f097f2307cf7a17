"""The steps of the report: short pages, one topic each. What is asked more of depends on what was said before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from .answer_kinds import Answers
from .answers import is_proxy, posted_names

EVIDENCE: Final = "bewijs"
# What the reporter presses at the foot of a step.
ON, BACK, REVIEW, STOP = "verder", "vorige", "nakijken", "bewaar"
OFFICE: Final = "ambt"  # from the step about whom it is, to more about the office
_AT_HOME: Final = frozenset({"doxing", "stalking", "huisbezoek", "vernieling", "explosief", "brandstichting"})


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the report. `on_the_way` says whether it comes by itself; every step can be chosen at the review."""

    code: str
    title: LazyString
    fields: tuple[str, ...]
    on_the_way: Callable[[Answers], bool]
    offered_as: LazyString | None = None  # how the review offers a step that did not come by itself


def _always(_answers: Answers) -> bool:
    return True


def _never(_answers: Answers) -> bool:
    return False


def _near_home(answers: Answers) -> bool:
    kinds = set(answers.get("incident.kinds", []))
    flags = ("incident.address_exposed", "incident.family_involved", "request.security_measures", "preventive")
    at_home = "thuis" in answers.get("incident.channels", [])
    return bool(kinds & _AT_HOME) or at_home or any(answers.get(flag) for flag in flags)


def _has_papers(answers: Answers) -> bool:
    kinds, channels = answers.get("incident.kinds", []), answers.get("incident.channels", [])
    return "juridische_druk" in kinds or "juridisch_stuk" in channels or bool(answers.get("request.legal_support"))


def _has_paper_dates(answers: Answers) -> bool:
    return _has_papers(answers) and "legal.kind" in answers


STEPS: Final = (
    Step(
        "soort",
        _("Wat is er gebeurd?"),
        ("incident.kinds", "preventive"),
        _always,
    ),
    Step(
        "gevaar",
        _("Klopt een van deze dingen?"),
        (
            "incident.happening_now", "incident.concrete_threat", "incident.weapon", "incident.moment_announced",
            "incident.announced_for", "incident.address_exposed", "incident.family_involved",
            "incident.order_breached", "incident.damage", "incident.life_in_danger_self",
        ),
        _always,
    ),
    Step(
        "verhaal",
        _("Vertel het in uw eigen woorden"),
        ("narrative", "_rather_tell"),
        _always,
    ),
    Step(
        "waar",
        _("Hoe en wanneer gebeurde het?"),
        (
            "incident.channels", "incident.platforms", "incident.occurred_at", "incident.message_count",
            "incident.language",
        ),
        _always,
    ),
    Step(
        "van-wie",
        _("Van wie kwam het?"),
        (
            "incident.offender", "offender_known_as", "incident.repeated", "incident.earlier_cases",
            "incident.reported_elsewhere_on", "incident.answered_elsewhere",
        ),
        _always,
    ),
    Step(
        "juridisch",
        _("Welke juridische stappen zijn er?"),
        ("legal.kind", "legal.side", "legal._decided", "legal.said_in_meeting"),
        _has_papers,
        _("Er is een aangifte, claim, rechtszaak of klacht"),
    ),
    Step(
        "stukken",
        _("Welke dagen staan op de stukken?"),
        ("legal.act_before", "legal.document_on", "legal.received_on", "legal.event_on"),
        _has_paper_dates,
    ),
    Step(
        "wie",
        _("Voor wie is deze melding?"),
        ("reporter.relation", "target.role", "target.organisation", "target.organisation_type"),
        _always,
    ),
    Step(
        "ambt",
        _("Meer over het ambt"),
        (
            "target.other_roles", "target.appointment_certain", "target.term_start", "target.term_end",
            "target.home_outside_area", "target.group", "target.gender",
        ),
        _never,
        _("Meer over het ambt: andere functies, begin of einde"),
    ),
    Step(
        "namens",
        _("Weet de ander dat u dit meldt?"),
        ("reporter.consent",),
        is_proxy,
    ),
    Step(
        "adres",
        _("Wat moeten wij weten voor de veiligheid?"),
        ("private.home_address", "private.family", "private.movements"),
        _near_home,
        _("Woonadres, gezin en vaste gewoonten, apart verzegeld"),
    ),
    Step(
        "weten",
        _("Wie mag van uw melding weten?"),
        ("_sharing", "_sharing_via", "conflict", "barred_member"),
        _always,
    ),
    Step(
        "bereiken",
        _("Hoe kunnen wij u helpen en bereiken?"),
        (
            "request.support", "request.security_measures", "request.legal_support", "contact.telephone",
            "contact.channel", "contact.name", "contact.safe_hours", "contact.night_call", "contact.mail",
            "contact.language",
        ),
        _always,
    ),
    Step(
        EVIDENCE,
        _("Hebt u bewijs?"),
        ("links",),
        _always,
    ),
)  # fmt: skip
BY_CODE: Final = {step.code: step for step in STEPS}


def way(answers: Answers) -> list[Step]:
    """The steps that come by themselves after these answers."""
    return [step for step in STEPS if step.on_the_way(answers)]


def after(step: Step, answers: Answers) -> Step | None:
    """The step that comes next, also after one that did not come by itself; none when the review does."""
    place = STEPS.index(step) + 1
    return next((one for one in STEPS[place:] if one.on_the_way(answers)), None)


def before(step: Step, answers: Answers) -> Step | None:
    """The step that came before, also before one that did not come by itself; none for the first one."""
    place = STEPS.index(step)
    return next((one for one in reversed(STEPS[:place]) if one.on_the_way(answers)), None)


def position(step: Step, answers: Answers) -> tuple[int, int] | None:
    """Where a step stands, as in "step 2 of 9", for a step that comes by itself."""
    steps = way(answers)
    return (steps.index(step) + 1, len(steps)) if step in steps else None


def step_url(step: Step) -> str:
    """The address of a step; that of the evidence has a room of its own."""
    return url_for("evidence.add") if step.code == EVIDENCE else url_for("report.step", step=step.code)


def is_answered(step: Step, answers: Answers) -> bool:
    """Whether anything was answered in a step."""
    return any(name in answers for name in posted_names(step.fields))
