"""The sentences about a month, made from published numbers only. A sentence that the margin cannot carry is left out.

Publications are Dutch whatever language a page has, so these texts are not translated.
"""

from __future__ import annotations

from typing import Final

from weerbaar_meldpunt.rules.figure_codes import DIMENSIONS
from weerbaar_meldpunt.rules.figure_edition import Edition
from weerbaar_meldpunt.rules.figure_labels import in_sentence
from weerbaar_meldpunt.rules.figure_periods import span, year_to_date

PROMISE: Final = (
    "Alle aantallen zijn afgerond op vijftallen. De tabellen tellen op, ook over maanden. Een maandcijfer wijkt "
    "hoogstens 4 af van het werkelijke aantal na verrekening van correcties, een jaar-tot-nu- of halfjaarcijfer "
    "hoogstens 9. '0–4' betekent: geen of enkele meldingen. Gepubliceerde maanden worden niet meer gewijzigd; "
    "correcties zijn verwerkt in latere maanden."
)
NONE_OR_FEW: Final = "geen of enkele"
LEAST_LEAD: Final = 10
LEAST_CHANGE: Final = 10  # two months can err by eight together
LEAST_FOR_SHARE: Final = 50
LEAST_FOR_MEDIAN: Final = 20
_SHARE_STEP: Final = 5  # per cent
_MONTHS: Final = (
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip


def month_name(month: str) -> str:
    """A month in words: `september 2026`."""
    return f"{_MONTHS[int(month[5:]) - 1]} {month[:4]}"


def period_name(period: str) -> str:
    """Any period in words: `januari tot en met september 2026`, `tweede half jaar van 2026`, `heel 2026`."""
    if "/" in period:
        first, last = span(period)
        return month_name(last) if first == last else f"{_MONTHS[int(first[5:]) - 1]} tot en met {month_name(last)}"
    if "-H" in period:
        return f"{'eerste' if period.endswith('1') else 'tweede'} half jaar van {period[:4]}"
    return month_name(period) if "-" in period else f"heel {period}"


def shown(value: int | None) -> str:
    """A number as a table shows it: a nought covers one to four as well."""
    if value is None:
        return "–"
    return "0–4" if value == 0 else f"{value:,}".replace(",", ".")


def about(value: int) -> str:
    """A number as a sentence says it."""
    return NONE_OR_FEW if value == 0 else f"ongeveer {shown(value)}"


def sentences(edition: Edition, before: Edition | None) -> list[str]:
    """What may be said of a month; `before` is the edition of the month before it, when there is one."""
    found = [_total(edition), _change(edition, before), _most(edition), _share(edition), _duration(edition)]
    return [sentence for sentence in found if sentence]


def _value(edition: Edition, table: str, period: str, **codes: str) -> int | None:
    block = edition.block(table, period)
    return None if block is None else block.value(**codes)


def _total(edition: Edition) -> str | None:
    month = _value(edition, "T1", edition.period)
    year = _value(edition, "T1", year_to_date(edition.period))
    if month is None or year is None:
        return None
    return (
        f"In {month_name(edition.period)} registreerde het meldpunt {about(month)} meldingen; "
        f"sinds januari zijn dat er {about(year)}."
    )


def _change(edition: Edition, before: Edition | None) -> str | None:
    month = _value(edition, "T1", edition.period)
    earlier = _value(before, "T1", before.period) if before else None
    if before is None or month is None or earlier is None:
        return None
    if abs(month - earlier) < LEAST_CHANGE:
        return f"Dat is vergelijkbaar met {month_name(before.period)}."
    return f"Dat is {'meer' if month > earlier else 'minder'} dan in {month_name(before.period)}."


def _most(edition: Edition) -> str | None:
    block = edition.block("T2", edition.period)
    if block is None:
        return None
    ranked = sorted(((block.value(rolgroep=code) or 0, code) for code in DIMENSIONS["rolgroep"]), reverse=True)
    (most, code), (second, _) = ranked[:2]
    if most - second < LEAST_LEAD:
        return None
    return f"De meeste meldingen kwamen van {in_sentence('rolgroep', code)} ({about(most)})."


def _share(edition: Edition) -> str | None:
    month, reported = _value(edition, "T5", edition.period), _value(edition, "T5", edition.period, aangifte="ja")
    if month is None or reported is None or month < LEAST_FOR_SHARE:
        return None
    share = _SHARE_STEP * ((200 * reported + _SHARE_STEP * month) // (2 * _SHARE_STEP * month))
    # Nought would say that nobody did.
    return f"Bij ongeveer {share}% is aangifte gedaan." if share else None


def _duration(edition: Edition) -> str | None:
    block = edition.block("T6", edition.period)
    whole = block.value() if block else None
    if block is None or whole is None or whole < LEAST_FOR_MEDIAN:
        return None
    running = 0
    for code in DIMENSIONS["duur"]:
        running += block.value(duur=code) or 0
        if 2 * running >= whole:
            return f"De middelste van de afgesloten zaken was {in_sentence('duur', code)} afgesloten."
    return None
