"""Everything that is held about a reporter, for the reporter (AVG art. 15): one ZIP of pages, data and files.

Plain, not sealed: it is for the person it is about, who must be able to open it without us, and it is made only once
the code was typed again (or a second factor shown). It goes out as it is made, and never stands on a disk here.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from .casekeys import VEILIG
from .consent import passed_on
from .errors import Onleesbaar
from .evidence import plain_pieces
from .instance import Instance
from .mandate import looks_along
from .own_acts import hold_own
from .reader import OwnCase, notify_address, own_case, own_private
from .views import READER, AttachmentView

TAKEN_AWAY: Final = "export_melder"
# Of the trail, what is a step in the eyes of the reporter. Marks and signals that only the teams see are not in it:
# somebody who forces a reporter to make this file must not find there what was said about that.
STEPS: Final = frozenset(
    (
        "ingediend", "genomen", "gesproken", "geen_gehoor", "bericht_melder", "bericht_team", "wacht", "verder",
        "afgerond", "heropend", "overgenomen", "overdrachtscode", "code_ingetrokken", "meekijken_veranderd",
        "meekijken_neergelegd", "code_vernieuwd", "toestemming_veranderd", "verbeterd", "mailbericht_aan",
        "mailbericht_uit", "doorgegeven", "intrekking_gevraagd", "intrekking_teruggenomen",
    )
)  # fmt: skip
_MARKS_HIDDEN: Final = ("onder_druk",)
_WORDS: Final = ("text", "done", "not_done", "to_whom", "why", "choice", "met", "what", "for")


@dataclass(frozen=True)
class CaseExport:
    """One case as it goes into the ZIP: what is told, and the files."""

    reference: str
    document: Mapping[str, Any] = field(repr=False)
    own: OwnCase = field(repr=False)
    files: Sequence[tuple[str, AttachmentView]] = field(repr=False)


def note_taken_away(session: Session, instance: Instance, keys: Any, *, now: datetime) -> None:
    """Note that everything of a case was taken away: whoever has the code sees that it was, and when."""
    held = hold_own(session, instance, keys, now=now)
    held.close(held.ledger(), TAKEN_AWAY)


def export_case(session: Session, instance: Instance, keys: Any, *, now: datetime) -> CaseExport:
    """Everything of one case that this reader may see, with the address when they hold its key."""
    own = own_case(session, instance, keys)
    view = own.view
    private = own_private(session, instance, own) if VEILIG in own.ring.keys else None
    names = set[str]()
    files = [(_file_name(one, names), one) for one in view.attachments]
    key_id = keys.pair(own.case_id).public.key_id
    who = looks_along(session, own.case_id, view.melding, key_id=key_id) if view.readable else []
    facts = {name: value for name, value in (view.facts or {}).items() if name != "by"}  # no names of workers
    document = {
        "made_at": now.isoformat(),
        "reference": view.reference,
        "received_at": view.received_at.isoformat(),
        "you_are": own.role,
        "report": dict(view.report),
        "private": private,
        "answer_of_the_rules": dict(view.answer),
        "marks": [mark for mark in view.melding.get("marks", ()) if mark not in _MARKS_HIDDEN],
        "control_words": list(view.words),
        "may_be_told": view.melding.get("sharing"),
        "earlier_versions": list(view.melding.get("history", ())),
        "facts_established": facts or None,
        "looks_along": [{"role": one.role, "sees": one.sees, "you": one.me} for one in who],
        "mails_go_to": notify_address(session, instance, own),
        "teams": [
            {"team": track.team, "state": track.state, "urgency": track.urgency, "outcome": track.outcome,
             "opened_at": track.opened_at.isoformat(), "closed_at": _iso(track.closed_at)}
            for track in view.tracks
        ],
        "messages": [
            {"at": message.at.isoformat(), "text": message.text,
             "from": (message.name if message.sender == READER else None) or message.sender}
            for message in view.messages
        ],
        "files": [
            {"name": one.name, "in_this_zip": name, "by": one.by,
             **({"size": one.file.size, "sha256": one.file.sha256.hex(), "type": one.file.media_type,
                 "received_at": one.file.received_at.isoformat()} if one.file else {"unreadable": True})}
            for name, one in files
        ],
        "what_happened": [
            {"at": event.at.isoformat(), "action": event.action, "by": "reporter" if not event.by_member else "team",
             **{word: event.document[word] for word in _WORDS if event.document.get(word)}}
            for event in view.events
            if event.action in STEPS and event.vouched
        ],
        "passed_on": [{"at": one.at.isoformat(), "to": one.to, "what": one.text} for one in passed_on(view)],
        "opened_by": [
            {"at": one.at.isoformat(), "teams": list(one.teams), "functions": list(one.functions), "name": one.name,
             "what": one.action}
            for one in own.openings
        ],
        "could_not_be_read": list(view.gaps),
        "not_in_here": ["notities van het team", "kopieën van de laatste 35 dagen, die alleen bij een ramp opengaan"],
    }  # fmt: skip
    return CaseExport(view.reference, document, own, files)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _file_name(one: AttachmentView, taken: set[str]) -> str:
    """A name for a file that no other has, and that leads to no other folder."""
    stem, dot, ending = one.name.rpartition(".")
    stem, ending = (stem, dot + ending) if stem else (one.name, "")
    name, number = f"{stem}{ending}", 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem} ({number}){ending}"
    taken.add(name.casefold())
    return name


# --- the file itself -------------------------------------------------------------------------------------------------


class _Pipe(io.RawIOBase):
    """What a ZIP is written to, and taken out of again at once; it cannot be wound back."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[bytes] = []

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Hold what was written until it is taken."""
        piece = bytes(data)
        self._held.append(piece)
        return len(piece)

    def take(self) -> bytes:
        """What was written since the last time."""
        pieces, self._held = self._held, []
        return b"".join(pieces)


def data_of(document: Mapping[str, Any]) -> bytes:
    """A document as JSON for a machine, and for a person with patience."""
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=False).encode()


def files_of(instance: Instance, folder: str, export: CaseExport) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The files of a case for `zipped`; one that cannot be opened now is named as missing."""
    for name, one in export.files:
        path = f"{folder}bestanden/{name}"
        try:
            if one.file is None:
                raise Onleesbaar("attachment")
            yield path, plain_pieces(instance, one.file)
        except Onleesbaar:
            yield f"{path} - niet te openen.txt", [b"Dit bestand kunnen wij nu niet openen. Bel ons.\n"]


def zipped(entries: Iterable[tuple[str, Iterable[bytes]]], *, now: datetime) -> Iterator[bytes]:
    """A ZIP of these entries, piece by piece."""
    pipe, moment = _Pipe(), (now.year, now.month, now.day, now.hour, now.minute, now.second)
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for name, pieces in entries:
            info = zipfile.ZipInfo(name, moment)
            with archive.open(info, "w", force_zip64=True) as target:
                for piece in pieces:
                    target.write(piece)
                    yield pipe.take()
            yield pipe.take()
    yield pipe.take()
