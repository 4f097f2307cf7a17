"""The search text of a team's cases, sealed in bulk: a cache, so that 100,000 cases can be searched in a session.

A segment holds compartment A of up to 256 cases, never B or N, and is never changed. When a case changes, its place in
a segment is marked as old; when it goes, the whole segment goes with it, and sessions make what stays anew.
"""

from __future__ import annotations

import json
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.organisations import organisation
from weerbaar_meldpunt.store.links import Segment, SegmentCase
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import MAX_JSON_BYTES, Binding, open_sealed, seal_json

from .barred import is_barred
from .queue import headline_document

CASES: Final = 256
_NOT_READ: Final = ("Cf", "Cs")  # marks of direction, soft hyphens; halves of a character
# The rest of a megabyte is for the ids, marks and bars beside the text.
_ROOM: Final = MAX_JSON_BYTES - 160 * 1024
# Behind the text of each case. A word that is looked for holds none, so it never runs from one case into the next.
_END: Final = " "
_TEXT: Final = b',"text":"'  # where the text begins: it is the last member, and nothing before it can look like this
# What JSON would escape: without it a word can be found in the bytes as they were opened, unread.
_UNESCAPED: Final = dict.fromkeys((*range(32), 127, ord('"'), ord("\\")), " ")


@dataclass(frozen=True)
class Entry:
    """What of one case is searched."""

    case_id: bytes
    text: str = field(repr=False)
    marks: tuple[str, ...] = ()
    barred: str | None = field(default=None, repr=False)  # whom the reporter does not want to see the case


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for: all of these words, in any order, and all of these marks."""

    words: tuple[str, ...] = field(repr=False)
    marks: frozenset[str] = frozenset()

    @classmethod
    def of(cls, typed: str, marks: Iterable[str] = ()) -> Wanted:
        """Out of what was typed; the longest word first, since it is in the fewest cases."""
        words = dict.fromkeys(plain(typed).split())
        return cls(tuple(sorted(words, key=len, reverse=True)), frozenset(marks))

    @property
    def nothing(self) -> bool:
        """Whether nothing was asked: everything would be found."""
        return not self.words and not self.marks


def plain(text: str) -> str:
    """A text as it is searched: no capitals, no accents, one space between words."""
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in parts if not unicodedata.combining(c) and unicodedata.category(c) not in _NOT_READ)
    return " ".join(text.casefold().translate(_UNESCAPED).split())


def entry_of(case_id: bytes, melding: Mapping[str, Any], messages: Iterable[str]) -> Entry:
    """What is searched of a case: what was reported, the names in it, the control words and the messages."""
    report, headline = melding["report"], headline_document(melding)
    target, contact = report.get("target") or {}, report.get("contact") or {}
    place = organisation(target["organisation"]) if target.get("organisation") else None
    telephone = contact.get("telephone") or ""
    parts = [
        report.get("narrative"), *(contact.get(name) for name in ("name", "telephone", "mail")),
        "".join(c for c in telephone if c.isdigit()), *(report.get("offender_known_as") or ()),
        *(link.get("url") for link in report.get("links") or ()), place.name if place else None,
        *melding["words"], headline["role"], *(kind.replace("_", " ") for kind in headline["kinds"]), *messages,
    ]  # fmt: skip
    return Entry(case_id, plain(" ".join(part for part in parts if part)), tuple(headline["marks"]), headline["barred"])


def found_in(entry: Entry, wanted: Wanted, name: str) -> bool:
    """Whether one case is what somebody of this name looks for; never one that they are not shown."""
    return (
        wanted.marks <= set(entry.marks)
        and all(word in entry.text for word in wanted.words)
        and not is_barred(entry.barred, name)
    )


# --- sealed in bulk ------------------------------------------------------------------------------------------------


def _binding(team: str, segment_id: bytes) -> Binding:
    return Binding("segment", team, segment_id, 0)


def packed(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries in as few segments as hold them; a case too large for one is searched by itself, and left out."""
    some, size = list[Entry](), 0
    for entry in entries:
        own = _size(entry)
        if own > _ROOM:
            continue
        if some and (len(some) == CASES or size + own > _ROOM):
            yield some
            some, size = [], 0
        some.append(entry)
        size += own
    if some:
        yield some


def _size(entry: Entry) -> int:
    return len(entry.text.encode()) + len(_END)


def seal_segment(keys: TeamKeys, segment_id: bytes, entries: Sequence[Entry]) -> bytes:
    """A segment: one text for all its cases, and by how many bytes from its begin each of them ends."""
    document = {
        "cases": "".join(entry.case_id.hex() for entry in entries),
        "ends": list(accumulate(_size(entry) for entry in entries)),
        "marks": {str(n): list(entry.marks) for n, entry in enumerate(entries) if entry.marks},
        "barred": {str(n): entry.barred for n, entry in enumerate(entries) if entry.barred},
        "text": "".join(entry.text + _END for entry in entries),
    }  # fmt: skip
    return seal_json(keys.key("segment"), document, _binding(keys.team, segment_id))


def search_segment(keys: TeamKeys, segment_id: bytes, sealed: bytes, wanted: Wanted, name: str) -> Iterator[bytes]:
    """The cases of a segment that somebody of this name looks for; `Onleesbaar` for a damaged one.

    The words are found in the opened bytes as they are: most segments hold none, and nothing of those is read.
    """
    binding = _binding(keys.team, segment_id)
    opened = open_sealed(keys.key("segment"), sealed, binding)
    begin = opened.find(_TEXT) + len(_TEXT)
    words = [word.encode() for word in wanted.words]
    if any(opened.find(word, begin) < 0 for word in words):
        return
    try:
        head = json.loads(opened[: begin - len(_TEXT)] + b"}")
    except ValueError:
        raise binding.unreadable() from None
    ends, marks, barred, cases = head["ends"], head["marks"], head["barred"], head["cases"]
    places: set[int] | None = None
    if wanted.marks:
        places = {int(n) for n, held in marks.items() if wanted.marks <= set(held)}
    for word in words:
        found = _places(opened, begin, ends, word)
        places = found if places is None else places & found
    for place in sorted(places or ()):
        if not is_barred(barred.get(str(place)), name):
            yield bytes.fromhex(cases[32 * place : 32 * place + 32])


def _places(opened: bytes, begin: int, ends: Sequence[int], word: bytes) -> set[int]:
    """Which cases hold a word, by their place; once in a case is enough."""
    found, last = set[int](), begin + ends[-1]
    at = opened.find(word, begin, last)
    while at >= 0:
        place = bisect_right(ends, at - begin)
        found.add(place)
        at = opened.find(word, begin + ends[place], last)
    return found


def keep_segment(session: Session, keys: TeamKeys, entries: Sequence[Entry]) -> None:
    """Keep a segment. The caller made sure in this transaction that its cases are as they were read."""
    segment_id = new_id()
    session.add(
        Segment(id=segment_id, team=keys.team, epoch=keys.epoch, sealed=seal_segment(keys, segment_id, entries))
    )
    session.flush()
    session.add_all(
        SegmentCase(segment_id=segment_id, case_id=entry.case_id, team=keys.team, live=True) for entry in entries
    )
    session.flush()
