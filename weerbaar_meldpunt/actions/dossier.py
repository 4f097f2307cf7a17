"""Everything of one case in two statements, opened with the keys somebody holds. Who reads it was logged before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, LargeBinary, Select, String, literal, null, select, type_coerce, union_all
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.base import UtcDateTime
from weerbaar_meldpunt.store.cases import Attachment, CaseDoc, CaseGrant, Fold, Message, Note
from weerbaar_meldpunt.store.people import User
from weerbaar_meldpunt.store.tracks import Due, Track
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import Binding

from .casekeys import MELDING, VEILIG, CaseRing
from .drafts import DraftFile
from .instance import Instance
from .people import open_user

READER = "melder"


@dataclass(frozen=True)
class DueView:
    """Something that must have happened by a moment."""

    id: bytes
    kind: str
    moment: datetime
    step: str
    ended_at: datetime | None


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

    @property
    def open_dues(self) -> tuple[DueView, ...]:
        """What still must happen, earliest first."""
        return tuple(due for due in self.dues if due.ended_at is None)


@dataclass(frozen=True)
class MessageView:
    """A message; `text` is None where the seal does not open (a marked gap)."""

    id: bytes
    at: datetime
    sender: str  # melder, or the code of a team
    name: str | None
    text: str | None


@dataclass(frozen=True)
class AttachmentView:
    """An evidence file; `file` is None where its meta does not open."""

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
        return min((e.at for e in self.events if e.action == "geopend" and e.by_member), default=None)


@dataclass
class Dossier:
    """The sealed rows of one case."""

    case_id: bytes
    docs: dict[str, CaseDoc] = field(default_factory=dict)
    grants: list[CaseGrant] = field(default_factory=list)
    folds: list[Fold] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)


def _part(what: str, **columns: Any) -> Select[*tuple[Any, ...]]:
    types = {
        "id": LargeBinary, "part": String, "number": Integer, "moment": UtcDateTime, "sealed": LargeBinary,
        "other": LargeBinary, "more": LargeBinary, "extra": Integer,
    }  # fmt: skip
    return select(
        literal(what).label("what"),
        *(type_coerce(columns.get(name, null()), kind).label(name) for name, kind in types.items()),
    )


def load(session: Session, case_id: bytes, *, team: str | None, recipient: bytes | None = None) -> Dossier:
    """All sealed rows of a case, in one statement. A reader gets no notes and only the own grants."""
    grants = _part(
        "grant", id=CaseGrant.case_id, part=CaseGrant.compartment, number=CaseGrant.epoch, sealed=CaseGrant.wrapped,
        other=CaseGrant.recipient, more=CaseGrant.grantor if team else CaseGrant.reader_mac,
    ).where(CaseGrant.case_id == case_id)  # fmt: skip
    parts = [
        _part(
            "doc", id=CaseDoc.case_id, part=CaseDoc.compartment, number=CaseDoc.revision, sealed=CaseDoc.sealed
        ).where(CaseDoc.case_id == case_id),
        grants.where(CaseGrant.recipient == recipient) if recipient else grants,
        _part("message", id=Message.id, number=Message.revision, moment=Message.hour, sealed=Message.sealed).where(
            Message.case_id == case_id
        ),
        _part(
            "attachment",
            id=Attachment.id,
            part=Attachment.compartment,
            number=Attachment.revision,
            sealed=Attachment.sealed,
            other=Attachment.blob_id,
        ).where(Attachment.case_id == case_id),
        _part(
            "event",
            id=Leaf.id,
            part=Leaf.action,
            number=Leaf.seq,
            moment=Leaf.at,
            sealed=Leaf.body,
            other=Leaf.actor,
            more=User.sealed,
            extra=User.revision,
        )
        .outerjoin(User, User.id == Leaf.actor)
        .where(Leaf.object == case_id),
    ]
    if team:
        parts.append(
            _part("fold", id=Fold.case_id, part=Fold.compartment, number=Fold.epoch, sealed=Fold.sealed).where(
                Fold.case_id == case_id, Fold.team == team
            )
        )
        parts.append(
            _part("note", id=Note.id, number=Note.revision, moment=Note.hour, sealed=Note.sealed).where(
                Note.case_id == case_id
            )
        )
    found = Dossier(case_id)
    for row in session.execute(union_all(*parts)):
        if row.what == "doc":
            found.docs[row.part] = CaseDoc(
                case_id=case_id, compartment=row.part, revision=row.number, sealed=row.sealed
            )
        elif row.what == "grant":
            found.grants.append(
                CaseGrant(
                    case_id=case_id,
                    compartment=row.part,
                    epoch=row.number,
                    recipient=row.other,
                    wrapped=row.sealed,
                    grantor=row.more if team else None,
                    reader_mac=None if team else row.more,
                )
            )
        elif row.what == "fold":
            found.folds.append(
                Fold(case_id=case_id, team=team, compartment=row.part, epoch=row.number, sealed=row.sealed)
            )
        else:
            found.rows.append(row)
    return found


def load_tracks(session: Session, instance: Instance, case_id: bytes) -> tuple[TrackView, ...]:
    """The tracks of a case with their dues and owners, in one statement."""
    rows = session.execute(
        select(Track, Due, User)
        .outerjoin(Due, Due.track_id == Track.id)
        .outerjoin(User, User.id == Track.owner_id)
        .where(Track.case_id == case_id)
        .order_by(Track.opened_at, Track.team, Due.moment)
    ).all()
    tracks: dict[bytes, tuple[Track, User | None, list[DueView]]] = {}
    for track, due, owner in rows:
        dues = tracks.setdefault(track.id, (track, owner, []))[2]
        if due is not None:
            dues.append(DueView(due.id, due.kind, due.moment, due.step, due.ended_at))
    return tuple(
        TrackView(
            t.id,
            t.team,
            t.state,
            t.urgency,
            t.owner_id,
            open_user(instance, owner)[1] if owner else None,
            t.outcome,
            t.opened_at,
            t.closed_at,
            t.unread,
            t.proposed_by,
            tuple(dues),
        )
        for t, owner, dues in tracks.values()
    )


def open_melding(ring: CaseRing, dossier: Dossier) -> dict[str, Any]:
    """The document of compartment A."""
    doc = dossier.docs.get(MELDING)
    if doc is None:
        raise Onleesbaar("case_doc")
    found: dict[str, Any] = ring.open(doc.sealed, Binding("case_doc", dossier.case_id, MELDING, doc.revision))
    return found


def view(
    instance: Instance, ring: CaseRing, dossier: Dossier, tracks: Sequence[TrackView], *, reference: str,
    received_at: datetime, team: str | None,
) -> CaseView:  # fmt: skip
    """Open what the ring opens; one unreadable message or file becomes a marked gap, never the end of the page."""
    messages: list[MessageView] = []
    notes: list[MessageView] = []
    attachments: list[AttachmentView] = []
    events: list[EventView | None] = []
    for row in dossier.rows:
        if row.what in ("message", "note"):
            text = _opened(ring, row, Binding(row.what, dossier.case_id, row.id, row.number))
            at = datetime.fromisoformat(text["at"]) if text else row.moment
            shown = MessageView(row.id, at, (text or {}).get("from", "?"), (text or {}).get("name"),
                                text["text"] if text else None)  # fmt: skip
            (messages if row.what == "message" else notes).append(shown)
        elif row.what == "attachment":
            meta = _opened(ring, row, Binding("attachment", dossier.case_id, row.id, row.number))
            file = DraftFile.from_document(meta) if meta and meta["blob"] == row.other.hex() else None
            attachments.append(AttachmentView(row.id, file, (meta or {}).get("by", READER)))
        else:
            events.append(_event(instance, ring, dossier.case_id, row))
    doc = dossier.docs[MELDING]
    return CaseView(
        reference=reference, received_at=received_at, melding=open_melding(ring, dossier), revision=doc.revision,
        tracks=tuple(tracks),
        messages=tuple(sorted(messages, key=lambda m: m.at)),
        notes=tuple(sorted(notes, key=lambda m: m.at)),
        attachments=tuple(sorted(attachments, key=lambda a: (a.file.received_at.isoformat() if a.file else "", a.id))),
        events=tuple(sorted((e for e in events if e is not None), key=lambda e: e.seq)),
        mine=next((t for t in tracks if t.team == team), None),
        has_private=VEILIG in ring.keys,
    )  # fmt: skip


def _opened(ring: CaseRing, row: Any, binding: Binding) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = ring.open(row.sealed, binding)
    except Onleesbaar:
        return None
    return found


def _event(instance: Instance, ring: CaseRing, case_id: bytes, row: Any) -> EventView | None:
    document: Mapping[str, Any] = {}
    if row.sealed is not None:
        opened = _opened(ring, row, Binding("event", case_id, row.id, 0))
        if opened is None:  # of the team only, or unreadable: a reader does not see that it is there
            return None
        document = opened
    actor = None
    if row.more is not None:
        actor = open_user(instance, User(id=row.other, sealed=row.more, revision=row.extra))[1]
    elif row.other:
        actor = READER
    return EventView(row.number, row.moment, row.part, actor, document, by_member=row.more is not None)
