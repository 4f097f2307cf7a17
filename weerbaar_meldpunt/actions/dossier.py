"""Everything of one case in a few statements, opened with the keys somebody holds. Who reads it was logged before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Attachment, CaseDoc, CaseEpoch, CaseGrant, Fold, Message, Note
from weerbaar_meldpunt.store.people import User
from weerbaar_meldpunt.store.tracks import Due, Track
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import Binding

from . import caserows
from .casekeys import MELDING, VEILIG, CaseRing
from .drafts import DraftFile
from .instance import Instance
from .people import open_user
from .rowhash import row_id, row_values
from .tracks import stamp_of
from .trail import Trail, as_read, is_our_event
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
    epochs: list[CaseEpoch] = field(default_factory=list)
    folds: list[Fold] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)

    strange: set[int] = field(default_factory=set)  # the numbers of leaves that the program did not write

    def gaps(self, tracks: Sequence[TrackView], *, team: bool) -> tuple[str, ...]:
        """The kinds of rows that are not as the trail says: changed, put back, planted or gone."""
        rows = (*self.docs.values(), *self.grants, *self.epochs, *self.messages, *self.notes, *self.attachments)
        found = {type(row).__tablename__ for row in rows if not self.trail.agrees(row)}
        for table, present in (("message", self.messages), ("attachment", self.attachments), ("note", self.notes)):
            if (team or table != "note") and self.trail.missing(table, (row.id for row in present)):
                found.add(table)
        known = {row_id(CaseEpoch, row_values(row)) for row in self.epochs}
        if self.trail.missing(CaseEpoch.__tablename__, known):
            found.add(CaseEpoch.__tablename__)
        dues = [due for track in tracks for due in track.dues]
        for table, shown in (("track", tracks), ("due", dues)):
            agree = all(item.read and self.trail.says(*item.read) for item in shown)
            if not agree or self.trail.missing(table, (item.id for item in shown)):
                found.add(table)
        if self.strange or self.trail.holed:
            found.add("audit")
        return tuple(sorted(found))


def load(
    session: Session, instance: Instance, case_id: bytes, *, team: str | None, recipient: bytes | None = None
) -> Dossier:
    """All sealed rows of a case and its trail, in one statement. A reader gets no notes and only the own grants."""
    ids = [case_id]
    grants = caserows.grants(ids)
    parts = [
        caserows.docs(ids),
        caserows.epochs(ids),
        grants.where(CaseGrant.recipient == recipient) if recipient else grants,
        caserows.texts("message", Message, ids),
        caserows.attachments(ids),
        caserows.events(ids),
    ]
    if team:
        parts += [caserows.folds(ids, team), caserows.texts("note", Note, ids)]
    rows, trail = caserows.read(session, instance, ids, *parts, work=True)
    found = Dossier(case_id, trail)
    for row in rows:
        _sort_in(found, row, team or "")
    found.strange = {row.number for row in found.events if not is_our_event(instance, row)}
    return found


def _sort_in(found: Dossier, row: Any, team: str) -> None:
    match row.what:
        case "doc":
            found.docs[row.part] = caserows.a_doc(row)
        case "grant":
            found.grants.append(caserows.a_grant(row))
        case "epoch":
            found.epochs.append(caserows.an_epoch(row))
        case "fold":
            found.folds.append(caserows.a_fold(row, team))
        case "message":
            found.messages.append(Message(**_text_values(row)))
        case "note":
            found.notes.append(Note(**_text_values(row)))
        case "attachment":
            found.attachments.append(
                Attachment(
                    id=row.id, case_id=row.case_id, compartment=row.part, revision=row.number, blob_id=row.other,
                    sealed=row.sealed,
                )
            )  # fmt: skip
        case _:
            found.events.append(row)


def _text_values(row: Any) -> dict[str, Any]:
    return {"id": row.id, "case_id": row.case_id, "revision": row.number, "hour": row.moment, "sealed": row.sealed}


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
            dues.append(DueView(due.id, due.kind, due.moment, due.step, due.ended_at, as_read(due)))
    return tuple(
        TrackView(
            track.id, track.team, track.state, track.urgency, track.owner_id, name_of(instance, owner), track.outcome,
            track.opened_at, track.closed_at, track.unread, track.proposed_by, tuple(dues), stamp_of(track),
            as_read(track),
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
    """A document of the case; `Onleesbaar` too when it is an older one that was put back.

    That of the report is sealed anew with each new key: who may read the case stands in it.
    """
    doc = dossier.docs.get(compartment)
    if doc is None or not dossier.trail.agrees(doc):
        raise Onleesbaar("case_doc")
    if compartment == MELDING and not ring.is_newest(MELDING, doc.sealed):
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
    members = {row.other: row for row in dossier.events if row.more is not None}
    names = {user_id: _name(instance, row) for user_id, row in members.items()}
    events = (_event(ring, dossier, row, names, team=team) for row in dossier.events)
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
        gaps=_with_lost_files(instance, attachments, _gaps(ring, dossier, tracks, melding, team=team)),
        fresh=tuple(fresh),
    )  # fmt: skip


def _gaps(
    ring: CaseRing, dossier: Dossier, tracks: Sequence[TrackView], melding: Mapping[str, Any], *, team: str | None
) -> tuple[str, ...]:
    """The kinds of rows that are not as the trail says, or gave a key or a document that is not believed."""
    found = {*dossier.gaps(tracks, team=team is not None), *ring.refused}
    if ring.behind:
        found.add(CaseEpoch.__tablename__)
    if melding is UNREADABLE and MELDING in ring.keys:
        found.add(CaseDoc.__tablename__)
    return tuple(sorted(found))


def _with_lost_files(
    instance: Instance, attachments: Iterable[AttachmentView], gaps: tuple[str, ...]
) -> tuple[str, ...]:
    """The gaps, with one for files of which the sealed content is gone; what is known of them is shown still."""
    lost = any(a.file and not (instance.blobs / a.file.blob_id.hex()).exists() for a in attachments)
    return tuple(sorted({*gaps, "attachment"})) if lost else gaps


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


def _name(instance: Instance, row: Any) -> str | None:
    return name_of(instance, User(id=row.other, sealed=row.more, revision=row.extra))


def _event(
    ring: CaseRing, dossier: Dossier, row: Any, names: Mapping[bytes, str | None], *, team: str | None
) -> EventView | None:
    document: Mapping[str, Any] = {}
    vouched = row.number not in dossier.strange
    gap = not vouched
    if row.sealed is not None:
        opened = _opened(ring, row.sealed, Binding("event", dossier.case_id, row.id, 0))
        if opened is None and team is None:  # of the teams only: a reader does not see that it is there
            return None
        document, gap = opened or {}, gap or opened is None
    actor = names.get(row.other, READER if row.other else None)
    return EventView(
        row.number, row.moment, row.part, actor, document, by_member=row.more is not None, gap=gap,
        actor_id=row.other, vouched=vouched,
    )  # fmt: skip
