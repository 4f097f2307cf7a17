"""The answers in words: for the reporter before sending and afterwards, the same words as the questions had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _

from weerbaar_meldpunt.actions.drafts import DraftFile
from weerbaar_meldpunt.rules.organisations import organisation

from .answer_kinds import Answers, meant_organisations, organisation_name, read_clock, read_day
from .answers import Faults, shared_with
from .fields import FIELDS, Field
from .labels import label
from .show import day, moment, size
from .steps import EVIDENCE, STEPS, Step, is_answered

Shown = str | list[str]
MOST_LINES: Final = 20

# Where "yes" and "no" would not say what was answered.
_YES_NO: Final[Mapping[str, tuple[LazyString, LazyString]]] = {
    "request.support": (_("Ja, neem contact op"), _("Nee, leg het alleen vast")),
    "incident.answered_elsewhere": (_("Ja, er is gereageerd"), _("Nee, er is niet gereageerd")),
}


@dataclass(frozen=True)
class Section:
    """The answers of one step."""

    step: Step
    rows: list[tuple[str, Shown]]
    faults: list[str]


def sections(answers: Answers, files: list[DraftFile], faults: Faults) -> list[Section]:
    """All steps in which something was answered, in the order of the steps."""
    found = []
    for step in STEPS:
        rows = [row for name in step.fields if (row := _row(answers, FIELDS[name]))]
        rows = _flags_together(rows)
        if step.code == EVIDENCE and files:
            rows.append((gettext("Bestanden"), [f"{file.name} ({size(file.size)})" for file in files]))
        wrong = [faults[name] for name in step.fields if name in faults]
        if rows or wrong:
            found.append(Section(step, rows, wrong))
    return found


def offered(answers: Answers, on_the_way: list[Step]) -> list[Step]:
    """Steps that did not come by themselves, were not answered, and may be of use."""
    return [step for step in STEPS if step.offered_as and step not in on_the_way and not is_answered(step, answers)]


def _row(answers: Answers, field: Field) -> tuple[str, Shown] | None:
    values = [answers.get(posted) for posted in field.posted]
    if not any(values):
        return None
    if field.kind == "flag":
        return ("", str(field.title))
    return (str(field.title), _words(field, values, answers))


def _flags_together(rows: list[tuple[str, Shown]]) -> list[tuple[str, Shown]]:
    """Ticks of one step stand in one row."""
    ticks = [text for title, text in rows if not title and isinstance(text, str)]
    others = [row for row in rows if row[0]]
    return [(gettext("U zei"), ticks), *others] if ticks else others


def _words(field: Field, values: list[Any], answers: Answers) -> Shown:
    kind, value = field.kind, values[0]
    if kind == "code":
        return _code(field, str(value))
    if kind in ("codes", "free_codes"):
        return [_code(field, code) for code in (shared_with(answers) if field.name == "_sharing" else value)]
    if kind == "yes_no":
        return _yes_no(field, value == "ja")
    if kind == "day":
        return _as_day(value)
    if kind == "when":
        text = _as_day(value or "")
        return gettext("%(day)s om %(time)s uur", day=text, time=_as_clock(values[1])) if values[1] else text
    if kind == "lines":
        return _first([line for line in value.split("\n") if line.strip()])
    if kind == "links":
        return _first([url or gettext("(geen link)") for url in value])
    if kind == "hours":
        pairs = zip(*values, strict=False)
        return [gettext("van %(start)s tot %(end)s", start=start or "…", end=end or "…") for start, end in pairs]
    if kind == "organisation":
        found = meant_organisations(value, answers)
        return organisation_name(found[0]) if len(found) == 1 else str(value)
    if kind == "free_code":
        return _code(field, value)
    return str(value)


def _first(lines: list[str]) -> list[str]:
    """The first of many lines; all of them are kept, and would only make a page long."""
    if len(lines) <= MOST_LINES:
        return lines
    return [*lines[:MOST_LINES], gettext("… en nog %(count)s", count=len(lines) - MOST_LINES)]


def _yes_no(field: Field, yes: bool) -> str:
    answers = _YES_NO.get(field.name, (_("Ja"), _("Nee")))
    return str(answers[0] if yes else answers[1])


def _code(field: Field, code: str) -> str:
    return label(field.words, code)


def _as_day(text: str) -> str:
    try:
        return day(read_day(text))
    except ValueError:
        return text


def _as_clock(text: str) -> str:
    try:
        return read_clock(text)
    except ValueError:
        return text


# --- a report that was filed -----------------------------------------------------------------------------------------


def filed_rows(report: Mapping[str, Any], sharing: Mapping[str, Any] | None) -> list[tuple[str, Shown]]:
    """A filed report in words, for whoever filed it. What only the form asked stands in `sharing`."""
    found = [row for name, field in FIELDS.items() if (row := _filed_row(field, _value(report, name)))]
    if sharing and sharing.get("met"):
        found.append((str(FIELDS["_sharing"].title), [label("sharing", code) for code in sharing["met"]]))
    if sharing and sharing.get("via"):
        found.append((str(FIELDS["_sharing_via"].title), sharing["via"]))
    return _flags_together(found)


@dataclass(frozen=True)
class Earlier:
    """What stood somewhere before it was put right: when that was, by whom, and the old words."""

    at: datetime
    by: str
    what: str
    rows: list[tuple[str, Shown]]


def history_rows(history: Sequence[Mapping[str, Any]]) -> list[Earlier]:
    """What was put right in a report, newest first; nothing of it was thrown away."""
    return [
        Earlier(datetime.fromisoformat(one["at"]), one["by"], one["what"], _before(one["what"], one["before"]))
        for one in reversed(history)
    ]


def _before(what: str, before: Any) -> list[tuple[str, Shown]]:
    if what == "sharing":
        return filed_rows({}, before)
    if what == "narrative":
        return [(str(FIELDS["narrative"].title), before)] if before else []
    return filed_rows({what: before}, None)


def _value(report: Mapping[str, Any], name: str) -> Any:
    value: Any = report
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _filed_row(field: Field, value: Any) -> tuple[str, Shown] | None:
    if value in (None, "", [], False, "onbekend", "nvt") or _is_default(field, value):
        return (str(field.title), _yes_no(field, False)) if value is False and field.kind == "yes_no" else None
    kind, title = field.kind, str(field.title)
    if kind == "flag":
        return ("", title)
    if kind == "yes_no":
        return (title, _yes_no(field, True))
    if kind in ("day", "when"):
        return (title, moment(datetime.fromisoformat(value) if "T" in value else value))
    if kind == "links":
        return (title, _first([link.get("url") or "" for link in value]))
    if kind == "hours":
        return (title, [gettext("van %(start)s tot %(end)s", start=pair.get("from") or "…", end=pair.get("to") or "…")
                        for pair in value])  # fmt: skip
    if kind == "organisation":
        known = organisation(value)
        return (title, organisation_name(known) if known else value)
    if kind in ("code", "free_code"):
        return (title, _code(field, value))
    if kind in ("codes", "free_codes"):
        return (title, [_code(field, code) for code in value])
    return (title, value if isinstance(value, list) else str(value))


_DEFAULTS: Final[Mapping[str, Any]] = {
    "reporter.relation": "zelf", "incident.message_count": 1, "incident.earlier_cases": 0, "incident.language": "nl",
    "incident.answered_elsewhere": True, "request.support": True, "contact.language": "nl",
}  # fmt: skip


def _is_default(field: Field, value: Any) -> bool:
    return field.name in _DEFAULTS and bool(_DEFAULTS[field.name] == value)


@dataclass(frozen=True)
class ToldTo:
    """Whom the reporter allows us to tell something, and who is told nothing; in words for a list."""

    may: list[str]
    not_told: list[str]


def told_to(sharing: Mapping[str, Any] | None) -> ToldTo:
    """Who outside the teams may know of a report, as its reporter chose (`sharing` as it is kept beside the report)."""
    met = set((sharing or {}).get("met") or ())
    met = set() if "niemand" in met else met
    words = {
        "organisatie": gettext("uw organisatie"),
        "partij": gettext("uw partij"),
        "politie": gettext("de politie"),
    }
    return ToldTo(
        [label("sharing", code) for code in ("politie", "organisatie", "platform") if code in met],
        [text for code, text in words.items() if code not in met],
    )
