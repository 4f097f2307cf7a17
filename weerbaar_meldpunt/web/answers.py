"""From what somebody typed to a report: tolerant of how a day is written, strict in what the rules get.

Answers are kept exactly as they were posted, wrong ones too, so that no word is lost; a report is made of them when it
is looked at or sent. What cannot be understood is said at its field, and never keeps a report back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from weerbaar_meldpunt.rules.faults import ReportFaults
from weerbaar_meldpunt.rules.report import Report, parse_report

from .answer_kinds import READ, Answers, Unclear, not_known
from .fields import FIELDS, LONG_TEXT, MOST_CHOICES, MOST_ROWS, SHORT_TEXT, Field

Faults = dict[str, str]

# All of a draft is one sealed document of 1 MiB; this leaves room for what else stands in it.
MOST_BYTES: Final = 900 * 1024
# Where the term runs from the day one heard of it, not from a judgment.
_FROM_KNOWING: Final = frozenset({"smaad_laster", "artikel_12"})


# A line without its area code has six digits; with it ten in the Netherlands, and at most fifteen (ITU-T E.164), or two
# more with the zeros in front.
_FEWEST_DIGITS: Final = 6
_USUAL_DIGITS: Final = (10, 17)


@dataclass(frozen=True)
class Checked:
    """The answers as a report, or what stands in the way, by field."""

    report: Report | None
    faults: Faults


# --- reading a form ------------------------------------------------------------------------------------------------


def read_form(form: MultiDict[str, str], names: Iterable[str]) -> Answers:
    """The answers to these fields as they were posted; what was left empty is not in it."""
    found: Answers = {}
    for name in names:
        field = FIELDS[name]
        if field.kind in ("hours", "links"):
            found |= _rows(form, field)
        elif field.several:
            if values := list(dict.fromkeys(value for value in form.getlist(name) if value.strip())):
                found[name] = values
        else:
            for posted in field.posted:
                if text := _plain(form.get(posted, "")):
                    found[posted] = text
    return found


def _rows(form: MultiDict[str, str], field: Field) -> Answers:
    """Fields that come in rows: empty rows go, the others stay side by side."""
    columns = [[_plain(value) for value in form.getlist(posted)] for posted in field.posted]
    most = max((len(column) for column in columns), default=0)
    rows = zip(*(column + [""] * (most - len(column)) for column in columns), strict=True)
    kept = [row for row in rows if any(row)]
    if field.kind == "links":
        kept += [(url, "", "") for line in form.getlist("_links_many") if (url := _plain(line))]
        kept = [row for one in kept for row in _several_links(one)]
    columns = [list(column) for column in zip(*kept, strict=True)]
    return dict(zip(field.posted, columns, strict=True)) if kept else {}


def _several_links(row: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Somebody may paste many links at once, one a line."""
    return [(url.strip(), *row[1:]) for url in row[0].split("\n") if url.strip()] or [row]


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\0", "").strip()


def posted_names(names: Iterable[str]) -> set[str]:
    """All names under which these fields are kept."""
    return {posted for name in names for posted in FIELDS[name].posted}


def too_much(answers: Answers) -> Faults:
    """Texts that are longer than can be kept; then nothing of them is cut off, but all is given back."""
    found: Faults = {}
    for name, field in FIELDS.items():
        limit = LONG_TEXT if field.kind in ("long", "lines", "links") else SHORT_TEXT
        if any(len(text) > limit for posted in field.posted for text in _texts(answers.get(posted))):
            found[name] = gettext(
                "Deze tekst is te lang om hier te bewaren. Stuur hem als bestand, of maak hem korter."
            )
        elif field.kind in ("codes", "free_codes") and len(_texts(answers.get(name))) > MOST_CHOICES:
            found[name] = gettext("Dit zijn meer antwoorden dan wij hier kunnen bewaren. Kies wat het belangrijkst is.")
    if not found and size_of(answers) > MOST_BYTES:
        found["narrative"] = gettext("Alles samen is te lang om hier te bewaren. Stuur een deel als bestand.")
    return found


def size_of(answers: Answers) -> int:
    """How many bytes answers take, before they are sealed."""
    return len(json.dumps(answers, ensure_ascii=False).encode())


def rows_to_story(answers: Answers) -> bool:
    """Move the rows above what a field takes into the story, as they were typed; answers whether there were any."""
    moved = False
    for field in FIELDS.values():
        columns = [answers.get(posted, []) for posted in field.posted] if field.kind in MOST_ROWS else []
        if not columns or len(columns[0]) <= (most := MOST_ROWS[field.kind]):
            continue
        lines = [" ".join(filter(None, row)) for row in zip(*(column[most:] for column in columns), strict=True)]
        answers |= {posted: column[:most] for posted, column in zip(field.posted, columns, strict=True)}
        rest, story = "\n".join([f"{field.title}:", *lines]), answers.get("narrative", "")
        if rest not in story:
            answers["narrative"] = f"{story}\n\n{rest}".strip()
        moved = True
    return moved


def _texts(value: object) -> Sequence[str]:
    return [value] if isinstance(value, str) else value if isinstance(value, list) else []


# --- from answers to a report ----------------------------------------------------------------------------------------


def check(answers: Answers, *, now: datetime) -> Checked:
    """The report in these answers; or every answer that cannot be understood, with what is asked there."""
    document, faults = _document(answers)
    try:
        report = parse_report(document, now=now)
    except ReportFaults as refused:
        for fault in refused.faults:
            faults.setdefault(_field_of(fault.path), not_known())
        return Checked(None, faults)
    return Checked(None if faults else report, faults)


def rescue(answers: Answers, *, now: datetime) -> Report:
    """A report at any price: answers that cannot be understood go into the story, in the reporter's own words."""
    left, lost = dict(answers), list[str]()
    while faults := check(left, now=now).faults:
        for name in faults:
            field = FIELDS[name]
            words = [text for posted in field.posted for text in _texts(left.pop(posted, None))]
            lost.append(f"- {field.title}: {' '.join(words)}")
    note = [gettext("Deze antwoorden kon het formulier niet lezen:"), *lost] if lost else []
    story = "\n\n".join(part for part in (left.get("narrative", ""), "\n".join(note)) if part)
    report = check(left | {"narrative": story}, now=now).report
    assert report is not None, "what could not be read was left out"  # nosec B101
    return report


def sharing(answers: Answers) -> dict[str, Any] | None:
    """Whom the reporter allows us to tell; nothing when that was not answered."""
    known = [code for code in shared_with(answers) if code in ("politie", "organisatie", "platform", "niemand")]
    via = answers.get("_sharing_via", "")
    return {"met": known, "via": via} if known or via else None


def shared_with(answers: Answers) -> list[str]:
    """Whom may be told, as ticked; with "nobody" among them nobody, for consent in doubt is none."""
    chosen: list[str] = answers.get("_sharing", [])
    return ["niemand"] if "niemand" in chosen else chosen


def can_be_called(number: str) -> bool:
    """Whether there are enough digits in a number to call it."""
    return len(re.findall(r"[0-9]", number)) >= _FEWEST_DIGITS


def doubted_number(number: str) -> str:
    """What to ask of a number that may be mistyped; it is kept and sent all the same. Empty when nothing is odd."""
    digits = re.findall(r"[0-9]", number)
    if not number or (re.fullmatch(r"[0-9+() ./-]+", number) and _USUAL_DIGITS[0] <= len(digits) <= _USUAL_DIGITS[1]):
        return ""
    return str(gettext("Klopt dit nummer? U schreef: %(number)s.", number=number))


def is_proxy(answers: Answers) -> bool:
    """Whether somebody reports for another."""
    return bool(answers.get("reporter.relation", "zelf") != "zelf")


def event_question(answers: Answers) -> str | None:
    """From which day a legal term runs: that of a `uitspraak`, that one heard of it (`weten`), or none is asked."""
    if answers.get("legal.kind") in _FROM_KNOWING:
        return "weten"
    return "uitspraak" if answers.get("legal._decided") == "ja" else None


def _document(answers: Answers) -> tuple[dict[str, Any], Faults]:
    document: dict[str, Any] = {"format": 1, "intake": "web"}
    faults: Faults = {}
    for name, field in FIELDS.items():
        if name.rpartition(".")[2].startswith("_"):
            continue
        try:
            value = READ[field.kind](answers, field)
        except Unclear as unclear:
            faults[name] = str(unclear)
            continue
        if value is not None:
            _put(document, name, value)
    _agree(document, answers)
    return document, faults


def _put(document: dict[str, Any], name: str, value: object) -> None:
    *path, last = name.split(".")
    for part in path:
        document = document.setdefault(part, {})
    document[last] = value


def _agree(document: dict[str, Any], answers: Answers) -> None:
    """What follows from another answer, so that one is never held against the other."""
    reporter, target = document.get("reporter", {}), document.get("target", {})
    if not is_proxy(answers):
        reporter.pop("consent", None)
    if "organisation" in target:
        target.pop("organisation_type", None)
    if "legal" in document and event_question(answers) is None:
        document["legal"].pop("event_on", None)
        if not document["legal"]:
            del document["legal"]
    if answers.get("_rather_tell"):
        told = [document.get("narrative", ""), gettext("Ik vertel het liever.")]
        document["narrative"] = "\n\n".join(part for part in told if part)


def _field_of(path: str) -> str:
    """The field that a path of the report format belongs to (`incident.kinds[2]`, `contact.safe_hours[0].from`)."""
    name = re.sub(r"\[.*", "", path)
    while name and name not in FIELDS:
        name = name.rpartition(".")[0]
    return name or "narrative"
