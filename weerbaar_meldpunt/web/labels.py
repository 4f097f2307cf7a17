"""The word for every code: what a page shows where the program says `in_behandeling`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask_babel import gettext

from weerbaar_meldpunt.rules import figure_labels, routing, vocabulary
from weerbaar_meldpunt.rules.decision_tables import RoutingFile
from weerbaar_meldpunt.rules.figure_codes import DIMENSIONS

from .words_desk import DESK_WORDS
from .words_report import REPORT_WORDS, Words
from .words_reporter import REPORTER_WORDS
from .words_work import WORK_WORDS

WORDS: Final = {**REPORT_WORDS, **WORK_WORDS, **REPORTER_WORDS, **DESK_WORDS}
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
