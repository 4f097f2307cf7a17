"""One kind of answer each: a code, a day, a time, an organisation, however somebody wrote it."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

from flask_babel import gettext

from weerbaar_meldpunt.rules import vocabulary
from weerbaar_meldpunt.rules.organisations import Organisation, organisation, search

from .fields import Field
from .labels import label

Answers = dict[str, Any]

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
# The kind of organisation that an office belongs to: there are two organisations called Utrecht.
_KIND_OF_ROLE: Final = {
    "burgemeester": "gemeente", "wethouder": "gemeente", "raadslid": "gemeente", "commissielid": "gemeente",
    "cdk": "provincie", "gedeputeerde": "provincie", "statenlid": "provincie",
    "ws_voorzitter": "waterschap", "ws_db": "waterschap", "ws_ab": "waterschap",
}  # fmt: skip


class Unclear(ValueError):
    """An answer that cannot be read; says what is asked, never what was written."""


def _text(answers: Answers, field: Field) -> str | None:
    return answers.get(field.name) or None


def _code(answers: Answers, field: Field) -> str | None:
    code = answers.get(field.name)
    if code is not None and code not in _codes(field):
        raise Unclear(not_known())
    return code


def _code_list(answers: Answers, field: Field) -> list[str] | None:
    chosen = answers.get(field.name, [])
    if any(code not in _codes(field) for code in chosen):
        raise Unclear(not_known())
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


READ: Final = {
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


def not_known() -> str:
    """What is said of an answer that is none of the choices."""
    return str(gettext("Dit antwoord kennen wij niet. Kies opnieuw, of sla de vraag over."))


def _no_day() -> str:
    return str(gettext("Deze dag bestaat niet, of wij lezen hem niet. Schrijf hem zo: 23-11-2026. Leeg laten mag ook."))
