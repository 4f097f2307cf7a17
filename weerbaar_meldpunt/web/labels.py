"""The word for every code: what a page shows where the program says `in_behandeling`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from flask_babel import gettext

from weerbaar_meldpunt.rules import figure_labels, routing, vocabulary
from weerbaar_meldpunt.rules.decision_tables import RoutingFile
from weerbaar_meldpunt.rules.figure_codes import DIMENSIONS

from .words_casekeys import CASEKEYS_GAPS, CASEKEYS_OUTCOMES, CASEKEYS_REFUSALS, CASEKEYS_TRAIL
from .words_custody import CUSTODY_ALARMS, CUSTODY_REFUSALS, CUSTODY_TRAIL
from .words_desk import DESK_WORDS
from .words_own import OWN_MARKS, OWN_REFUSALS, OWN_STEPS, OWN_TRAIL, OWN_WORDS
from .words_people import PEOPLE_ALARMS, PEOPLE_REFUSALS, PEOPLE_TRAIL, PEOPLE_WORDS
from .words_report import REPORT_WORDS, Words
from .words_reporter import REPORTER_WORDS
from .words_retention import RETENTION_ALARMS, RETENTION_REFUSALS, RETENTION_TRAIL, RETENTION_WORDS
from .words_signin import SIGNIN_ALARMS, SIGNIN_REFUSALS, SIGNIN_TRAIL
from .words_watch import WATCH_REFUSALS, WATCH_TRAIL, WATCH_WORDS
from .words_work import WORK_WORDS

WORDS: Final[Mapping[str, Words]] = {
    **REPORT_WORDS, **WORK_WORDS, **REPORTER_WORDS, **DESK_WORDS, **WATCH_WORDS, **RETENTION_WORDS, **PEOPLE_WORDS,
    **OWN_WORDS,
} | {
    "trail": {
        **SIGNIN_TRAIL, **CUSTODY_TRAIL, **WORK_WORDS["trail"], **WATCH_TRAIL, **RETENTION_TRAIL, **PEOPLE_TRAIL,
        **OWN_TRAIL, **CASEKEYS_TRAIL,
    },
    "outcomes": {**WORK_WORDS["outcomes"], **CASEKEYS_OUTCOMES},
    "gaps": {**DESK_WORDS["gaps"], **CASEKEYS_GAPS},
    "marks": {**WORK_WORDS["marks"], **OWN_MARKS},
    "trail_melder": {**REPORTER_WORDS["trail_melder"], **OWN_STEPS},
    "alarm_kinds": {
        **SIGNIN_ALARMS, **CUSTODY_ALARMS, **RETENTION_ALARMS, **PEOPLE_ALARMS, **WATCH_WORDS["alarm_kinds"],
    },
    "not_allowed": {
        **SIGNIN_REFUSALS, **CUSTODY_REFUSALS, **WORK_WORDS["not_allowed"], **WATCH_REFUSALS, **RETENTION_REFUSALS,
        **PEOPLE_REFUSALS, **OWN_REFUSALS, **CASEKEYS_REFUSALS,
    },
}  # fmt: skip
_FIGURES: Final = "figures"
_OF_TEAM: Final = "outcomes"


def label(name: str, code: str) -> str:
    """What a code of a list is called.

    An unknown code answers itself: a page never breaks on a word, and a report may name a platform of its own. An
    unknown list is a `KeyError`.
    """
    head, _, part = name.partition(":")
    if head == _FIGURES:
        return _figure(part, code)
    if head in ("offers", "alternatives"):
        return _offer(code)
    word = _words(head).get(code)
    if word is None:
        return code
    return str(word[0] if isinstance(word, tuple) else word)


def hint(name: str, code: str) -> str:
    """What a person may need to know of a code before they choose it; often nothing."""
    word = WORDS.get(name.partition(":")[0], {}).get(code)
    return str(word[1]) if isinstance(word, tuple) else ""


def choices(name: str) -> list[tuple[str, str]]:
    """All codes of a list with their labels, in the order of the vocabulary.

    `outcomes:<team>`: those of one team; `figures:<dimension>`: those of a table; `alternatives:<entitlement>`: what
    is offered beside that answer.
    """
    return [(code, label(name, code)) for code in codes(name)]


def options(name: str) -> list[tuple[str, str, str]]:
    """As `choices`, with the hint of each."""
    return [(code, label(name, code), hint(name, code)) for code in codes(name)]


def codes(name: str) -> Iterable[str]:
    """The codes of a list, in the order in which they are shown; `KeyError` for no list."""
    head, _, part = name.partition(":")
    if head == _FIGURES:
        return DIMENSIONS[part] if part else tuple(DIMENSIONS)
    if head == _OF_TEAM and part:
        return vocabulary.OUTCOMES[part]
    if head == "alternatives":
        return _newest().alternatives[part]
    if head == "offers":
        return tuple(_offers())
    known: Iterable[str] | None = getattr(vocabulary, head.upper(), None)
    return tuple(_words(head)) if known is None or head == _OF_TEAM else known


def _words(name: str) -> Words:
    return WORDS[name]


def _figure(dimension: str, code: str) -> str:
    try:
        return str(gettext(figure_labels.label(dimension, code) if dimension else figure_labels.heading(code)))
    except KeyError:
        return code


def _offers() -> dict[str, str]:
    # A case may carry an offer of an older table: the newest text of each code holds.
    found: dict[str, str] = {}
    for version in routing.table_versions():
        found |= routing.load_tables(version).file.offers
    return found


def _newest() -> RoutingFile:
    return routing.load_tables(routing.table_versions()[-1]).file


def _offer(code: str) -> str:
    return str(gettext(_offers().get(code, code)))
