"""From what somebody typed to a report: tolerant of how a day is written, strict in what the rules get.

Answers are kept exactly as they were posted, wrong ones too, so that no word is lost; a report is made of them when it
is looked at or sent. What cannot be understood is said at its field, and never keeps a report back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from weerbaar_meldpunt.rules import vocabulary
from weerbaar_meldpunt.rules.faults import ReportFaults
from weerbaar_meldpunt.rules.organisations import Organisation, organisation, search
from weerbaar_meldpunt.rules.report import Report, parse_report

from .fields import FIELDS, LONG_TEXT, MOST_CHOICES, MOST_ROWS, SHORT_TEXT, Field
from .labels import label

Answers = dict[str, Any]
Faults = dict[str, str]

# All of a draft is one sealed document of 1 MiB; this leaves room for what else stands in it.
MOST_BYTES: Final = 900 * 1024
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "januari"), ("feb", "februari"), ("mrt", "maart"), ("apr", "april"), ("mei", "mei"),
            ("jun", "juni"), ("jul", "juli"), ("aug", "augustus"), ("sep", "september", "sept"), ("okt", "oktober"),
            ("nov", "november"), ("dec", "december"),
        ),
        start=1,
    )
    for name in names
}  # fmt: skip
_YEAR_FIRST: Final = re.compile(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[-/. ](\d{1,2}|[a-z]{3,9})\.?[-/. ](\d{4})")
_CLOCK: Final = re.compile(r"(\d{1,2})(?:[:.u]?(\d{2}))?(?::\d{2})?\s*(?:uur)?")
# Where the term runs from the day one heard of it, not from a judgment.
_FROM_KNOWING: Final = frozenset({"smaad_laster", "artikel_12"})


# A line without its area code has six digits; with it ten in the Netherlands, and at most fifteen (ITU-T E.164), or two
# more with the zeros in front.
_FEWEST_DIGITS: Final = 6
_USUAL_DIGITS: Final = (10, 17)
# The kind of organisation that an office belongs to: there are two organisations called Utrecht.
_KIND_OF_ROLE: Final = {
    "burgemeester": "gemeente", "wethouder": "gemeente", "raadslid": "gemeente", "commissielid": "gemeente",
    "cdk": "provincie", "gedeputeerde": "provincie", "statenlid": "provincie",
    "ws_voorzitter": "waterschap", "ws_db": "waterschap", "ws_ab": "waterschap",
}  # fmt: skip


class Unclear(ValueError):
    """An answer that cannot be read; says what is asked, never what was written."""


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
            faults.setdefault(_field_of(fault.path), _not_known())
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
            value = _READ[field.kind](answers, field)
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


# --- one kind of answer each -----------------------------------------------------------------------------------------


def _text(answers: Answers, field: Field) -> str | None:
    return answers.get(field.name) or None


def _code(answers: Answers, field: Field) -> str | None:
    code = answers.get(field.name)
    if code is not None and code not in _codes(field):
        raise Unclear(_not_known())
    return code


def _code_list(answers: Answers, field: Field) -> list[str] | None:
    chosen = answers.get(field.name, [])
    if any(code not in _codes(field) for code in chosen):
        raise Unclear(_not_known())
    return list(chosen) or None


def _free_code_list(answers: Answers, field: Field) -> list[str] | None:
    return list(answers.get(field.name, [])) or None


def _codes(field: Field) -> tuple[str, ...]:
    found: tuple[str, ...] = getattr(vocabulary, field.words.upper())
    return found


def _flag(answers: Answers, field: Field) -> bool | None:
    return True if answers.get(field.name) else None


def _yes_no(answers: Answers, field: Field) -> bool | None:
    return {"ja": True, "nee": False}.get(answers.get(field.name, ""))


def _count(answers: Answers, field: Field) -> int | None:
    text = answers.get(field.name)
    if text is None:
        return None
    digits = re.sub(r"[. ]", "", text)
    if not re.fullmatch(r"[0-9]{1,9}", digits):
        raise Unclear(gettext("Schrijf een getal, zoals 3. Ongeveer is goed. U mag het ook leeg laten."))
    return int(digits)


def _day(answers: Answers, field: Field) -> str | None:
    text = answers.get(field.name)
    return None if text is None else read_day(text)


def _when(answers: Answers, field: Field) -> str | None:
    day, clock = (answers.get(posted, "") for posted in field.posted)
    if not day:
        if clock:
            raise Unclear(gettext("Welke dag was dat? Weet u het niet? Laat dan ook de tijd leeg."))
        return None
    return f"{read_day(day)}T{read_clock(clock)}" if clock else read_day(day)


def _lines(answers: Answers, field: Field) -> list[str] | None:
    return [line.strip() for line in answers.get(field.name, "").split("\n") if line.strip()] or None


def _hours(answers: Answers, field: Field) -> list[dict[str, str]] | None:
    starts, ends = (answers.get(posted, []) for posted in field.posted)
    found = []
    for start, end in zip(starts, ends, strict=False):
        pair = {"from": read_clock(start) if start else None, "to": read_clock(end) if end else None}
        if given := {key: text for key, text in pair.items() if text}:
            found.append(given)
    return found or None


def _links(answers: Answers, field: Field) -> list[dict[str, str]] | None:
    found = []
    for url, day, clock in zip(*(answers.get(posted, []) for posted in field.posted), strict=False):
        if day and not clock:
            raise Unclear(gettext("Hoe laat zag u het ongeveer? Weet u het niet? Laat dan ook de dag leeg."))
        if clock and not day:
            raise Unclear(gettext("Op welke dag zag u het? Weet u het niet? Laat dan ook de tijd leeg."))
        if url:
            found.append({"url": url} | ({"seen_at": f"{read_day(day)}T{read_clock(clock)}"} if day else {}))
    return found or None


def _organisation(answers: Answers, field: Field) -> str | None:
    text = answers.get(field.name)
    if text is None:
        return None
    found = meant_organisations(text, answers)
    if len(found) == 1:
        return found[0].code
    if found:
        names = gettext(" of ").join(organisation_name(one) for one in found[:4])
        raise Unclear(gettext("Bedoelt u %(names)s? Kies uit de lijst, of laat het leeg.", names=names))
    raise Unclear(gettext("Deze naam kennen wij niet. Kies uit de lijst. Staat hij er niet bij? Laat het leeg."))


_READ: Final = {
    "code": _code, "codes": _code_list, "free_codes": _free_code_list, "free_code": _text, "flag": _flag,
    "yes_no": _yes_no, "day": _day, "when": _when, "count": _count, "short": _text, "long": _text, "lines": _lines,
    "hours": _hours, "links": _links, "organisation": _organisation,
}  # fmt: skip


def read_day(text: str) -> str:
    """A day in ISO form, however somebody writes it: 2026-11-23, 23-11-2026, 23/11/2026, 23 november 2026."""
    plain = text.strip().casefold()
    if found := _YEAR_FIRST.fullmatch(plain):
        year, month, day = found.groups()
    elif found := _DAY_FIRST.fullmatch(plain):
        day, month, year = found.groups()
    else:
        raise Unclear(_no_day())
    number = _MONTHS.get(month) if month.isalpha() else int(month)
    try:
        return date(int(year), number or 0, int(day)).isoformat()
    except ValueError:
        raise Unclear(_no_day()) from None


def read_clock(text: str) -> str:
    """A time as 21:30, however somebody writes it: 21:30, 21.30, 21u30, 2130, 21 uur."""
    found = _CLOCK.fullmatch(text.strip().casefold())
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (99, 0)
    if hour > 23 or minute > 59:
        raise Unclear(gettext("Deze tijd kennen wij niet. Schrijf hem zo: 21:30. U mag hem ook leeg laten."))
    return f"{hour:02}:{minute:02}"


def find_organisations(text: str) -> list[Organisation]:
    """What somebody may mean: one by its name in the list or its code, else all whose name it is or is part of."""
    wanted = text.strip()
    if known := organisation(wanted.upper()):
        return [known]
    # As the list has it, with its type behind the name: "Utrecht (provincie)".
    listed = search(wanted.rpartition(" (")[0])
    if exact := [one for one in listed if organisation_name(one).casefold() == wanted.casefold()]:
        return exact
    found = search(wanted)
    return [one for one in found if one.name.casefold() == wanted.casefold()] or found


def meant_organisations(text: str, answers: Answers) -> list[Organisation]:
    """`find_organisations`, where the office decides between several: a wethouder of Utrecht is the municipality's."""
    found = find_organisations(text)
    kind = _KIND_OF_ROLE.get(answers.get("target.role", ""))
    fitting = [one for one in found if one.kind == kind]
    return fitting if len(fitting) == 1 else found


def organisation_name(found: Organisation) -> str:
    """How an organisation stands in the list: two of them are called Utrecht."""
    return f"{found.name} ({label('organisation_types', found.kind).lower()})"


def _field_of(path: str) -> str:
    """The field that a path of the report format belongs to (`incident.kinds[2]`, `contact.safe_hours[0].from`)."""
    name = re.sub(r"\[.*", "", path)
    while name and name not in FIELDS:
        name = name.rpartition(".")[0]
    return name or "narrative"


def _not_known() -> str:
    return str(gettext("Dit antwoord kennen wij niet. Kies opnieuw, of sla de vraag over."))


def _no_day() -> str:
    return str(gettext("Deze dag bestaat niet, of wij lezen hem niet. Schrijf hem zo: 23-11-2026. Leeg laten mag ook."))
