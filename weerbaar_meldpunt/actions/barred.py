"""Somebody of our own team whom a reporter does not trust: the program does not show them the case.

The key of a team cannot hide a case from one of its members, so this is no cryptographic bar, and the page says so.
How what was written is held against a name: docs/decisions/0034-who-is-meant-by-a-name.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final

from sqlalchemy.orm import Session

from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .people import Person

# Words that stand in many names, so that they say nothing about whose name it is.
_PARTICLES: Final = frozenset(
    (
        "van", "von", "de", "den", "der", "des", "du", "het", "t", "la", "le", "ten", "ter", "te", "in", "op", "aan",
        "el", "al", "bij", "uit", "en",
    )
)  # fmt: skip
# After a first name these may as well say where somebody works: "Petra van Beveiliging" is no family name.
_PLACES: Final = frozenset(("van", "bij", "uit", "op", "in", "aan"))
# What is written of anybody at a desk, and may stand in every name of it: no one is meant by such a word alone.
_ORDINARY: Final = frozenset(
    (
        "dr", "drs", "ing", "ir", "mr", "meester", "prof", "msc", "bsc", "llm", "llb", "phd", "jr", "sr", "heer",
        "dhr", "meneer", "mevrouw", "mevr", "mw", "juffrouw",
        "team", "teams", "meldpunt", "weerbaar", "ondersteuning", "ondersteuningsteam", "juridisch", "juridische",
        "jurist", "security", "beveiliging", "veiligheid", "afdeling", "gemeente", "provincie", "waterschap", "politie",
        "medewerker", "medewerkster", "behandelaar", "coordinator", "beheerder", "redacteur", "auditor", "stagiair",
        "persoon", "naam", "collega", "iemand", "niemand", "iedereen", "onbekend", "intern", "extern",
        "ik", "u", "mij", "hij", "hem", "zijn", "zij", "ze", "haar", "hen", "hun", "die", "dat", "wie", "ander",
        "andere", "is", "heeft", "kent", "mag", "niet", "geen",
    )
)  # fmt: skip
_LETTERS: Final = str.maketrans({"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "æ": "ae"})


class Barred(NotAllowed):
    """The reporter asked that this person does not see the case."""

    def __init__(self, case_id: bytes = b"", team: str = "") -> None:
        super().__init__("niet_getoond")
        self.case_id, self.team = case_id, team


@dataclass(frozen=True)
class _Word:
    text: str
    plain: str
    after: str  # what stands between this word and the next

    @property
    def tells(self) -> bool:
        """Whether this word says whose name it is: no particle, title, initial, number or word of the desk."""
        return len(self.plain) > 1 and not self.plain.isdigit() and self.plain not in _PARTICLES | _ORDINARY


def _words(text: str) -> list[_Word]:
    parts = unicodedata.normalize("NFKD", text).translate(_LETTERS)
    plain = "".join(c for c in parts if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    found = list(re.finditer(r"\w+", plain))
    ends = [match.start() for match in found[1:]] + [len(plain)] * bool(found)
    return [
        _Word(match[0], match[0].casefold(), plain[match.end() : end]) for match, end in zip(found, ends, strict=True)
    ]


def _with_joined(words: Sequence[_Word]) -> Iterator[str]:
    """The words, and those that a hyphen holds together as one too: Jan-Peter is Janpeter."""
    run = ""
    for word in words:
        yield word.plain
        run += word.plain
        if word.after != "-":
            yield run
            run = ""


def _holds(words: Sequence[str], wanted: Sequence[str]) -> bool:
    return any(list(words[at : at + len(wanted)]) == list(wanted) for at in range(len(words) - len(wanted) + 1))


def is_barred(written: str | None, name: str) -> bool:
    """Whether what a reporter wrote of somebody whom they do not want can be this member.

    Any part of a family name is enough. A first name is, unless another family name follows it. Rather one member too
    many than the one who was meant: a colleague can always take the case. A word that may stand in every name of a
    desk bars nobody by itself.
    """
    family_first, comma, given = name.partition(",")
    named = _words(f"{given} {family_first}" if comma else name)
    if not written or not named:
        return False
    words = _words(written)
    plain, said = [word.plain for word in words], set(_with_joined(words))
    if _whole_name(plain, named):
        return True
    first, family = _parts(named)
    if not said.isdisjoint(_with_joined_telling(family)):
        return True
    shouted = written.upper() == written
    mine = {word.plain for word in named}
    calls = set(_with_joined_telling(first))
    for at, word in enumerate(words):
        run = list(takewhile(lambda one: one.after == "-", words[at:]))
        joined = "".join(one.plain for one in words[at : at + len(run) + 1])
        if calls & {word.plain, joined} and (shouted or not _names_another(words[at:], mine)):
            return True
    return False


def _with_joined_telling(words: Sequence[_Word]) -> Iterator[str]:
    return (text for text in _with_joined(words) if _Word(text, text, "").tells)


def _whole_name(plain: Sequence[str], named: Sequence[_Word]) -> bool:
    """Whether a name stands there as a whole; for names of which no single word tells, and for "de Heer"."""
    whole = [word.plain for word in named]
    own = any(word.tells or word.plain.isdigit() for word in named)
    if own and len(whole) > 1 and _holds(plain, whole):
        return True
    start = next((at for at, word in enumerate(whole) if at and word in _PARTICLES), None)
    return start is not None and len(whole) - start > 1 and own and _holds(plain, whole[start:])


def _parts(named: Sequence[_Word]) -> tuple[list[_Word], list[_Word]]:
    """First name (with what a hyphen ties to it) and the rest; a name of one word counts as a family name."""
    telling = [at for at, word in enumerate(named) if word.tells]
    # After an initial comes a family name.
    if len(telling) < 2 or any(len(word.plain) == 1 for word in named[: telling[0]]):
        return [], list(named)
    cut = telling[0]
    while named[cut].after == "-" and cut + 1 < telling[-1]:
        cut += 1
    return list(named[: cut + 1]), list(named[cut + 1 :])


def _names_another(words: Sequence[_Word], mine: Iterable[str]) -> bool:
    """Whether another family name follows a first name: a word with a capital, with nothing but white space between."""
    mine = set(mine)
    followed = words[0].after
    for word in words[1:]:
        if not followed or followed.strip(" \t\u00a0"):
            return False
        if word.plain in _PLACES or word.plain in _ORDINARY or word.plain in mine:
            return False
        if word.plain in _PARTICLES:
            followed = word.after
            continue
        if len(word.plain) == 1:  # an initial: of somebody else only when it is none of this name
            return word.text.isupper() and not any(own.startswith(word.plain) for own in mine)
        return word.text[:1].isupper()
    return False


def note_barred(session: Session, instance: Instance, person: Person, case_id: bytes, *, now: datetime) -> None:
    """Note that somebody tried to see what they are not shown."""
    Ledger(session, instance, now=now).close(person.user_id, "niet_getoond", case_id)
