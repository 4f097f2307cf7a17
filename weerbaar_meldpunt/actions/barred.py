"""Somebody of our own team whom a reporter does not trust: the program does not show them the case.

The key of a team cannot hide a case from one of its members, so this is no cryptographic bar, and the page says so.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .people import Person

# Words that stand in many names, so that they say nothing about whose name it is.
_PARTICLES: Final = frozenset(
    (
        "van", "von", "de", "den", "der", "des", "du", "het", "la", "le", "ten", "ter", "te", "in", "op", "aan", "el",
        "al", "bij", "en",
    )
)  # fmt: skip


class Barred(NotAllowed):
    """The reporter asked that this person does not see the case."""

    def __init__(self) -> None:
        super().__init__("niet_getoond")


def _words(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return re.findall(r"\w+", plain)


def is_barred(written: str | None, name: str) -> bool:
    """Whether what a reporter wrote of somebody whom they do not want can be this member.

    A family name is enough. A first name is, unless another family name follows it. Rather one member too many than
    the one who was meant: a colleague can always take the case.
    """
    named = [word.casefold() for word in _words(name) if word.casefold() not in _PARTICLES]
    if not written or not named:
        return False
    words = _words(written)
    plain = [word.casefold() for word in words]
    if named[-1] in plain:
        return True
    return any(word == named[0] and not _names_another(words[place + 1 :]) for place, word in enumerate(plain))


def _names_another(rest: list[str]) -> bool:
    """Whether a family name comes next: a word with a capital, after at most some particles."""
    for word in rest:
        if word.casefold() in _PARTICLES:
            continue
        return word[:1].isupper()
    return False


def note_barred(session: Session, instance: Instance, person: Person, case_id: bytes, *, now: datetime) -> None:
    """Note that somebody tried to see what they are not shown."""
    Ledger(session, instance, now=now).close(person.user_id, "niet_getoond", case_id)
