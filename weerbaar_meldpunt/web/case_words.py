"""A report in words for who works on it: what is known, part by part. What nobody answered is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _

from weerbaar_meldpunt.rules.implausible import implausible_dates
from weerbaar_meldpunt.rules.organisations import organisation
from weerbaar_meldpunt.rules.report import Report, ReportFaults

from .answer_kinds import organisation_name
from .labels import label
from .show import moment, number

Shown = str | list[str]
Row = tuple[str, Shown]
Section = tuple[str, list[Row]]
Key = tuple[str, LazyString | None, str]

# The keys of a report in the order in which a worker reads them: key, what it is called, how its value is read.
# `list:<name>` is a code or codes of a list of words; `flag` stands in one row with the others of its part.
_PARTS: Final[tuple[tuple[LazyString, tuple[Key, ...]], ...]] = (
    (
        _("Wat er gebeurde"),
        (
            ("incident.kinds", _("Soort"), "list:kinds_worker"),
            ("narrative", _("In eigen woorden"), "text"),
            ("incident.occurred_at", _("Wanneer"), "moment"),
            ("incident.channels", _("Hoe"), "list:channels_worker"),
            ("incident.platforms", _("Waar online"), "list:platforms"),
            ("incident.happening_now", None, "flag"),
            ("incident.concrete_threat", None, "flag"),
            ("incident.weapon", None, "flag"),
            ("incident.address_exposed", None, "flag"),
            ("incident.family_involved", None, "flag"),
            ("incident.life_in_danger_self", None, "flag"),
            ("incident.order_breached", None, "flag"),
            ("incident.damage", None, "flag"),
            ("incident.repeated", None, "flag"),
            ("incident.moment_announced", None, "flag"),
            ("preventive", None, "flag"),
            ("lawful_criticism_only", None, "flag"),
            ("incident.announced_for", _("Aangekondigd voor"), "moment"),
            ("incident.message_count", _("Aantal berichten"), "count:1"),
            ("incident.earlier_cases", _("Eerdere zaken van dezelfde persoon"), "count:0"),
            ("incident.offender", _("Van wie het kwam"), "list:offenders_worker"),
            ("offender_known_as", _("Bekend als"), "lines"),
            ("incident.language", _("Taal van het bewijs"), "list:evidence_languages"),
            ("incident.reported_elsewhere_on", _("Eerder elders gemeld op"), "moment"),
            ("incident.answered_elsewhere", None, "unanswered"),
        ),
    ),
    (
        _("Om wie het gaat"),
        (
            ("target.role", _("Functie"), "list:roles_worker"),
            ("target.other_roles", _("Andere functies"), "list:roles_worker"),
            ("target.organisation", _("Organisatie"), "organisation"),
            ("target.organisation_type", _("Soort organisatie"), "list:organisation_types"),
            ("target.term_start", _("Begin van het ambt"), "moment"),
            ("target.term_end", _("Einde van het ambt"), "moment"),
            ("target.appointment_certain", None, "flag"),
            ("target.home_outside_area", None, "flag"),
            ("target.gender", _("Geslacht"), "list:genders"),
            ("target.group", _("Gericht tegen een groep"), "list:groups"),
        ),
    ),
    (
        _("Juridische druk"),
        (
            ("legal.kind", _("Soort"), "list:legal_kinds_worker"),
            ("legal.side", _("Wie begon"), "list:legal_sides_worker"),
            ("legal.event_on", _("Uitspraak, besluit of kennisneming op"), "moment"),
            ("legal.document_on", _("Datum op het stuk"), "moment"),
            ("legal.received_on", _("Ontvangen op"), "moment"),
            ("legal.act_before", _("Uiterste dag op het stuk"), "moment"),
            ("legal.said_in_meeting", None, "flag"),
        ),
    ),
    (
        _("Wat de melder vraagt"),
        (
            ("request.security_measures", None, "flag"),
            ("request.legal_support", None, "flag"),
            ("intake", _("Binnengekomen via"), "list:intakes"),
        ),
    ),
)  # fmt: skip
_SAYS_NOTHING: Final[tuple[object, ...]] = (None, "", [], False, "onbekend", "nvt")
_USUAL: Final = {"incident.language": "nl", "intake": "web"}


def value_at(report: Mapping[str, Any], key: str) -> Any:
    """What stands at a key of a report, written with dots."""
    value: Any = report
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def sections(report: Mapping[str, Any]) -> list[Section]:
    """The parts of a report in which something was said."""
    found = []
    for title, keys in _PARTS:
        rows = list(_rows(report, keys))
        if rows:
            found.append((str(title), rows))
    return found


def _rows(report: Mapping[str, Any], keys: Iterable[Key]) -> Iterator[Row]:
    flags: list[str] = []
    for key, title, kind in keys:
        value = value_at(report, key)
        if kind == "unanswered":
            flags += [gettext("Op die eerdere melding kwam geen antwoord")] if value is False else []
        elif value in _SAYS_NOTHING or value == _USUAL.get(key):
            continue
        elif key == "target.organisation_type" and value_at(report, "target.organisation"):
            continue  # the name of the organisation says it
        elif kind == "flag":
            flags.append(label("flags_short", key.rpartition(".")[2]))
        elif (shown := _words(kind, value)) is not None:
            yield str(title), shown
    if flags:
        yield gettext("Ook gezegd"), flags


def _words(kind: str, value: Any) -> Shown | None:
    how, _colon, rest = kind.partition(":")
    if how == "list":
        return [label(rest, code) for code in value] if isinstance(value, list) else label(rest, value)
    if how == "moment":
        return moment(datetime.fromisoformat(value) if "T" in value else value)
    if how == "count":
        return None if value == int(rest) else number(value)
    if how == "organisation":
        known = organisation(value)
        return organisation_name(known) if known else str(value)
    return [str(line) for line in value] if isinstance(value, list) else str(value)


def odd_dates(report: Mapping[str, Any], *, received_at: datetime) -> list[str]:
    """Dates that can hardly be right, in words, so that the worker asks again."""
    try:
        read = Report.from_document(dict(report))
    except ReportFaults:
        return []
    titles = {key: str(title) for _part, keys in _PARTS for key, title, _kind in keys if title is not None}
    return [
        f"{titles.get(path) or gettext('Een datum bij de links')}: {label('implausible', why)}"
        for path, why in implausible_dates(read, now=received_at)
    ]
