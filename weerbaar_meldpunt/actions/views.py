"""A case as somebody may see it: what was not granted is not in it, what does not open is a marked gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from .drafts import DraftFile

READER: Final = "melder"
OPENED: Final = "geopend"
OPENINGS: Final = frozenset({OPENED, "geopend_veilig", "geopend_bestand"})
NOT_SHOWN: Final = "niet_getoond"
# What a case shows when its document does not open: the page goes on, and says so.
UNREADABLE: Final[Mapping[str, Any]] = {"report": {}, "answer": {}, "words": ["", ""], "marks": [], "facts": None}


@dataclass(frozen=True)
class DueView:
    """Something that must have happened by a moment."""

    id: bytes
    kind: str
    moment: datetime
    step: str
    ended_at: datetime | None
    read: tuple[str, bytes, bytes] | None = field(default=None, repr=False)  # the row, for the trail


@dataclass(frozen=True)
class TrackView:
    """One team's work on the case."""

    id: bytes
    team: str
    state: str
    urgency: str
    owner_id: bytes | None
    owner_name: str | None
    outcome: str | None
    opened_at: datetime
    closed_at: datetime | None
    unread: bool
    proposed_by: bytes | None
    dues: tuple[DueView, ...]
    stamp: str = ""  # names this very state of the track: an act on what was seen before is refused
    read: tuple[str, bytes, bytes] | None = field(default=None, repr=False)  # the row, for the trail

    @property
    def open_dues(self) -> tuple[DueView, ...]:
        """What still must happen, earliest first."""
        return tuple(due for due in self.dues if due.ended_at is None)


@dataclass(frozen=True)
class MessageView:
    """A message; `text` is None where it does not open, or is not as the trail says (a marked gap)."""

    id: bytes
    at: datetime
    sender: str  # melder, or the code of a team
    name: str | None
    text: str | None


@dataclass(frozen=True)
class AttachmentView:
    """An evidence file; `file` is None where its meta does not open, or is not as the trail says."""

    id: bytes
    file: DraftFile | None = field(repr=False)
    by: str = READER

    @property
    def name(self) -> str:
        """The name to show."""
        return self.file.name if self.file else "?"


@dataclass(frozen=True)
class EventView:
    """Something that happened on the case."""

    seq: int
    at: datetime
    action: str
    actor: str | None  # a name, `melder`, or None for the program
    document: Mapping[str, Any]
    by_member: bool = False
    gap: bool = False  # its words do not open, or its leaf is not the program's
    actor_id: bytes = field(default=b"", repr=False)
    vouched: bool = True  # whether the program wrote its leaf


@dataclass(frozen=True)
class CaseView:
    """A case as somebody may see it; what was not granted is not in it."""

    reference: str
    received_at: datetime
    melding: Mapping[str, Any] = field(repr=False)
    revision: int
    tracks: tuple[TrackView, ...]
    messages: tuple[MessageView, ...] = field(repr=False)
    notes: tuple[MessageView, ...] = field(repr=False)
    attachments: tuple[AttachmentView, ...] = field(repr=False)
    events: tuple[EventView, ...] = field(repr=False)
    mine: TrackView | None = None
    has_private: bool = False
    gaps: tuple[str, ...] = ()  # the kinds of rows that are not as the trail says, for the page and the alarm
    fresh: tuple[dict[str, Any], ...] = field(default=(), repr=False)  # for the team's cache

    @property
    def readable(self) -> bool:
        """Whether the document of the case itself opened."""
        return self.melding is not UNREADABLE

    @property
    def report(self) -> Mapping[str, Any]:
        """The report as it was filed."""
        found: Mapping[str, Any] = self.melding["report"]
        return found

    @property
    def answer(self) -> Mapping[str, Any]:
        """The answer of the rules, with its reasons."""
        found: Mapping[str, Any] = self.melding["answer"]
        return found

    @property
    def words(self) -> tuple[str, str]:
        """The words that whoever calls on our behalf says first."""
        first, second = self.melding["words"]
        return first, second

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks of the case."""
        return tuple(self.melding["marks"])

    @property
    def facts(self) -> Mapping[str, Any] | None:
        """The facts as a worker established them."""
        found: Mapping[str, Any] | None = self.melding["facts"]
        return found

    @property
    def seen_at(self) -> datetime | None:
        """When a member of a team first opened the case."""
        return min((e.at for e in self.openings if e.action == OPENED and e.by_member), default=None)

    @property
    def openings(self) -> tuple[EventView, ...]:
        """What was opened and shown: an opening that was then refused is none, nor is a leaf somebody else wrote."""
        refused: set[bytes] = set()
        found = []
        for event in reversed(self.events):
            if not event.vouched:
                continue
            if event.action == NOT_SHOWN:
                refused.add(event.actor_id)
            elif event.action in OPENINGS:
                if event.actor_id not in refused:
                    found.append(event)
                refused.discard(event.actor_id)
        return tuple(reversed(found))
