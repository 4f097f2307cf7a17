"""Everything of one case in a few statements, opened with the keys somebody holds. Who reads it was logged before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

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
from .tracks import stamp_of
from .trail import Trail, trail_of
from .views import READER, UNREADABLE, AttachmentView, CaseView, DueView, EventView, MessageView, TrackView

__all__ = [
    "READER", "AttachmentView", "CaseView", "Dossier", "DueView", "EventView", "MessageView", "TrackView", "load",
    "load_tracks", "name_of", "open_doc", "view",
]  # fmt: skip


@dataclass
class Dossier:
    """The sealed rows of one case, and what its trail says of them."""

    case_id: bytes
    trail: Trail = field(repr=False)
    docs: dict[str, CaseDoc] = field(default_factory=dict)
    grants: list[CaseGrant] = field(default_factory=list)
    folds: list[Fold] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)

    def gaps(self, *, team: bool) -> tuple[str, ...]:
        """The kinds of rows that are not as the trail says: changed, put back, planted or gone."""
        rows = (*self.docs.values(), *self.grants, *self.messages, *self.notes, *self.attachments)
        found = {type(row).__tablename__ for row in rows if not self.trail.agrees(row)}
        for table, present in (("message", self.messages), ("attachment", self.attachments), ("note", self.notes)):
            if (team or table != "note") and self.trail.missing(table, (row.id for row in present)):
                found.add(table)
        return tuple(sorted(found))


_COLUMNS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "id": LargeBinary, "part": String, "number": Integer, "moment": UtcDateTime, "sealed": LargeBinary,
        "other": LargeBinary, "more": LargeBinary, "last": LargeBinary, "extra": Integer,
    }
)  # fmt: skip


def _part(what: str, **columns: Any) -> Select[*tuple[Any, ...]]:
    return select(
        literal(what).label("what"),
        *(type_coerce(columns.get(name, null()), kind).label(name) for name, kind in _COLUMNS.items()),
    )


def _texts(what: str, model: type[Message | Note], case_id: bytes) -> Select[*tuple[Any, ...]]:
    part = _part(what, id=model.id, number=model.revision, moment=model.hour, sealed=model.sealed)
    return part.where(model.case_id == case_id)


def load(
    session: Session, instance: Instance, case_id: bytes, *, team: str | None, recipient: bytes | None = None
) -> Dossier:
    """All sealed rows of a case in one statement, its trail in another. A reader gets no notes and the own grants."""
    docs = _part("doc", part=CaseDoc.compartment, number=CaseDoc.revision, sealed=CaseDoc.sealed)
    grants = _part(
        "grant", part=CaseGrant.compartment, number=CaseGrant.epoch, sealed=CaseGrant.wrapped,
        other=CaseGrant.recipient, more=CaseGrant.grantor, last=CaseGrant.reader_mac,
    ).where(CaseGrant.case_id == case_id)  # fmt: skip
    attachments = _part(
        "attachment", id=Attachment.id, part=Attachment.compartment, number=Attachment.revision,
        sealed=Attachment.sealed, other=Attachment.blob_id,
    )  # fmt: skip
    events = _part(
        "event", id=Leaf.id, part=Leaf.action, number=Leaf.seq, moment=Leaf.at, sealed=Leaf.body, other=Leaf.actor,
        more=User.sealed, extra=User.revision,
    ).outerjoin(User, User.id == Leaf.actor)  # fmt: skip
    parts = [
        docs.where(CaseDoc.case_id == case_id),
        grants.where(CaseGrant.recipient == recipient) if recipient else grants,
        _texts("message", Message, case_id),
        attachments.where(Attachment.case_id == case_id),
        events.where(Leaf.object == case_id),
    ]
    if team:
        folds = _part("fold", part=Fold.compartment, number=Fold.epoch, sealed=Fold.sealed)
        parts += [folds.where(Fold.case_id == case_id, Fold.team == team), _texts("note", Note, case_id)]
    found = Dossier(case_id, trail_of(session, instance, [case_id]))
    for row in session.execute(union_all(*parts)):
        _sort_in(found, row, team)
    return found


def _sort_in(found: Dossier, row: Any, team: str | None) -> None:
    case_id = found.case_id
    match row.what:
        case "doc":
            found.docs[row.part] = CaseDoc(
                case_id=case_id, compartment=row.part, revision=row.number, sealed=row.sealed
            )
        case "grant":
            found.grants.append(
                CaseGrant(
                    case_id=case_id, compartment=row.part, epoch=row.number, recipient=row.other, wrapped=row.sealed,
                    grantor=row.more, reader_mac=row.last,
                )
            )  # fmt: skip
        case "fold":
            found.folds.append(
                Fold(case_id=case_id, team=team or "", compartment=row.part, epoch=row.number, sealed=row.sealed)
            )
        case "message" | "note":
            model, rows = (Message, found.messages) if row.what == "message" else (Note, found.notes)
            rows.append(  # type: ignore[attr-defined]
                model(id=row.id, case_id=case_id, revision=row.number, hour=row.moment, sealed=row.sealed)
            )
        case "attachment":
            found.attachments.append(
                Attachment(
                    id=row.id, case_id=case_id, compartment=row.part, revision=row.number, blob_id=row.other,
                    sealed=row.sealed,
                )
            )  # fmt: skip
        case _:
            found.events.append(row)


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
            track.id, track.team, track.state, track.urgency, track.owner_id, name_of(instance, owner), track.outcome,
            track.opened_at, track.closed_at, track.unread, track.proposed_by, tuple(dues), stamp_of(track),
        )
        for track, owner, dues in tracks.values()
    )  # fmt: skip


def name_of(instance: Instance, user: User | None) -> str | None:
    """A member's name, for a page; a damaged row of an account does not hide a case."""
    if user is None:
        return None
    try:
        return open_user(instance, user)[1]
    except Onleesbaar:
        return "?"


def open_doc(ring: CaseRing, dossier: Dossier, compartment: str) -> dict[str, Any]:
    """A document of the case; `Onleesbaar` too when it is an older one that was put back."""
    doc = dossier.docs.get(compartment)
    if doc is None or not dossier.trail.agrees(doc):
        raise Onleesbaar("case_doc")
    found: dict[str, Any] = ring.open(doc.sealed, Binding("case_doc", dossier.case_id, compartment, doc.revision))
    return found


def view(
    instance: Instance, ring: CaseRing, dossier: Dossier, tracks: Sequence[TrackView], *, reference: str,
    received_at: datetime, team: str | None, fresh: Sequence[dict[str, Any]] = (),
) -> CaseView:  # fmt: skip
    """Open what the ring opens; whatever is unreadable becomes a marked gap, never the end of the page."""
    doc = dossier.docs.get(MELDING)
    try:
        melding: Mapping[str, Any] = open_doc(ring, dossier, MELDING)
    except Onleesbaar:
        melding = UNREADABLE
    events = (_event(instance, ring, dossier.case_id, row, team=team) for row in dossier.events)
    attachments = [_attachment(ring, dossier, row) for row in dossier.attachments]
    return CaseView(
        reference=reference, received_at=received_at, melding=melding, revision=doc.revision if doc else 0,
        tracks=tuple(tracks),
        messages=_in_order(_text(ring, dossier, "message", row) for row in dossier.messages),
        notes=_in_order(_text(ring, dossier, "note", row) for row in dossier.notes),
        attachments=tuple(sorted(attachments, key=lambda a: (a.file.received_at.isoformat() if a.file else "", a.id))),
        events=tuple(sorted((event for event in events if event is not None), key=lambda event: event.seq)),
        mine=next((track for track in tracks if track.team == team), None),
        has_private=VEILIG in ring.keys,
        gaps=dossier.gaps(team=team is not None),
        fresh=tuple(fresh),
    )  # fmt: skip


def _in_order(messages: Iterable[MessageView]) -> tuple[MessageView, ...]:
    return tuple(sorted(messages, key=lambda message: (message.at, message.id)))


def _opened(ring: CaseRing, sealed: bytes, binding: Binding) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = ring.open(sealed, binding)
    except Onleesbaar:
        return None
    return found


def _text(ring: CaseRing, dossier: Dossier, kind: str, row: Message | Note) -> MessageView:
    opened = None
    if dossier.trail.agrees(row):
        opened = _opened(ring, row.sealed, Binding(kind, dossier.case_id, row.id, row.revision))
    if opened is None:
        return MessageView(row.id, row.hour, "?", None, None)
    return MessageView(row.id, datetime.fromisoformat(opened["at"]), opened["from"], opened["name"], opened["text"])


def _attachment(ring: CaseRing, dossier: Dossier, row: Attachment) -> AttachmentView:
    meta = None
    if dossier.trail.agrees(row):
        meta = _opened(ring, row.sealed, Binding("attachment", dossier.case_id, row.id, row.revision))
    if meta is None or meta["blob"] != row.blob_id.hex():
        return AttachmentView(row.id, None)
    return AttachmentView(row.id, DraftFile.from_document(meta), meta["by"])


def _event(instance: Instance, ring: CaseRing, case_id: bytes, row: Any, *, team: str | None) -> EventView | None:
    document: Mapping[str, Any] = {}
    gap = False
    if row.sealed is not None:
        opened = _opened(ring, row.sealed, Binding("event", case_id, row.id, 0))
        if opened is None and team is None:  # of the teams only: a reader does not see that it is there
            return None
        document, gap = opened or {}, opened is None
    actor = None
    if row.more is not None:
        actor = name_of(instance, User(id=row.other, sealed=row.more, revision=row.extra))
    elif row.other:
        actor = READER
    return EventView(row.number, row.moment, row.part, actor, document, by_member=row.more is not None, gap=gap)
