"""The reporter's side of a case: come back with the code or the account, read, write, add evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules import chase
from weerbaar_meldpunt.store.cases import Attachment, Case, Message, Reader
from weerbaar_meldpunt.store.tracks import Due, Track
from weerbaar_meldpunt.vault.codes import WrongCode, read_code
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.keys import ReaderKeys
from weerbaar_meldpunt.vault.seal import Binding

from . import dossier
from .casekeys import MELDING, CaseRing, open_for_reader
from .dossier import AttachmentView, CaseView
from .drafts import DraftFile
from .errors import NotYours, TooLarge
from .evidence import MAX_CASE, MAX_MESSAGE, plain_pieces
from .filing import account_readers
from .instance import Instance
from .ledger import Ledger
from .people import Person
from .sessions import SessionContent, start_content
from .tracks import plan, settle

MAX_TEXT = 200_000


@dataclass(frozen=True)
class OwnCase:
    """A case from the reporter's side."""

    case_id: bytes
    view: CaseView = field(repr=False)
    role: str
    ring: CaseRing = field(repr=False)
    reader: ReaderKeys = field(repr=False)


def enter(session: Session, instance: Instance, typed: str, *, now: datetime) -> SessionContent | None:
    """A session for whoever holds a receipt code; nothing for a code that opens no case."""
    try:
        reader = ReaderKeys.from_code(read_code(typed), instance.id)
    except WrongCode:
        return None
    known = session.scalar(select(Reader.case_id).where(Reader.lookup == reader.lookup))
    if known is None:
        return None
    return start_content("reader", now=now, lookup=reader.lookup, seed=reader.seed)


def reader_of(content: SessionContent) -> ReaderKeys | None:
    """The keys in a session that was opened with a code."""
    if content.kind != "reader" or content.lookup is None or content.seed is None:
        return None
    return ReaderKeys(content.lookup, content.seed)


def account_reader(session: Session, instance: Instance, person: Person, reference: str) -> ReaderKeys:
    """The keys of one of an account's own cases."""
    held = {case_id: reader for reader, case_id in account_readers(session, instance, person) if case_id}
    case_id = session.scalar(select(Case.id).where(Case.reference == reference, Case.id.in_(list(held))))
    if case_id is None:
        raise NotYours
    return held[case_id]


def own_case(session: Session, instance: Instance, reader: ReaderKeys) -> OwnCase:
    """The case of a reader; `NotYours` when there is none or the grant was withdrawn."""
    row = session.execute(
        select(Reader.role, Reader.key_id, Case)
        .join(Case, Case.id == Reader.case_id)
        .where(Reader.lookup == reader.lookup)
    ).one_or_none()
    if row is None:
        raise NotYours
    case = row.Case
    found = dossier.load(session, instance, case.id, team=None, recipient=row.key_id)
    if not found.grants:
        raise NotYours
    ring = open_for_reader(case.id, reader, found.grants)
    tracks = dossier.load_tracks(session, instance, case.id)
    view = dossier.view(
        instance, ring, found, tracks, reference=case.reference, received_at=case.received_at, team=None
    )
    return OwnCase(case.id, view, row.role, ring, reader)


def own_cases(session: Session, instance: Instance, person: Person) -> list[OwnCase]:
    """All cases of an account, found by look-ups derived in the session; newest first."""
    found = [
        own_case(session, instance, reader)
        for reader, case_id in account_readers(session, instance, person)
        if case_id is not None
    ]
    return sorted(found, key=lambda own: own.view.received_at, reverse=True)


def reply(
    session: Session, instance: Instance, own: OwnCase, text: str, *, now: datetime,
    files: Sequence[DraftFile] = (), form: bytes | None = None,
) -> None:  # fmt: skip
    """A message of the reporter, with files. Wakes the teams: what waited for it goes on, what was closed opens again.

    `form` is an id the form carried: the same message sent twice is kept once.
    """
    if len(text) > MAX_TEXT or sum(file.size for file in files) > MAX_MESSAGE:
        raise TooLarge
    held = sum(a.file.size for a in own.view.attachments if a.file)
    if held + sum(file.size for file in files) > MAX_CASE:
        raise TooLarge
    message = form or new_id()
    if session.get(Message, message) is not None:
        return
    ledger = Ledger(session, instance, now=now)
    key_id = own.reader.pair(own.case_id).public.key_id
    if text.strip():
        document = {"from": "melder", "name": None, "text": text, "at": now.isoformat()}
        ledger.add(
            Message, id=message, case_id=own.case_id, revision=1, hour=now.replace(minute=0, second=0, microsecond=0),
            sealed=own.ring.seal(MELDING, document, Binding("message", own.case_id, message, 1)),
        )  # fmt: skip
    add_files(ledger, own.ring, files, by="melder")
    tracks = session.scalars(select(Track).where(Track.case_id == own.case_id).with_for_update()).all()
    for track in tracks:
        dues = list(session.scalars(select(Due).where(Due.track_id == track.id)))
        closed = track.state == "afgerond"
        awaited = track.state == "wacht_op_melder"
        if awaited:
            settle(ledger, dues, ("wacht_op_melder",), "gedaan", now=now)
        fresh = chase.after_message(track.urgency, now=now) if track.state != "nieuw" else []
        changes = {"state": "in_behandeling", "closed_at": None, "outcome": None} if closed else {}
        if awaited:
            changes = {"state": "in_behandeling"}
        plan(ledger, track, dues, fresh, now=now, unread=True, **changes)
    event = new_id()
    body = own.ring.seal(MELDING, {"text": "", "files": len(files)}, Binding("event", own.case_id, event, 0))
    ledger.close(key_id, "bericht_melder", own.case_id, body, event=event)


def add_files(ledger: Ledger, ring: CaseRing, files: Sequence[DraftFile], *, by: str) -> None:
    """Sealed meta for files that were uploaded already."""
    for file in files:
        attachment = new_id()
        ledger.add(
            Attachment, id=attachment, case_id=ring.case_id, compartment=MELDING, revision=1, blob_id=file.blob_id,
            sealed=ring.seal(MELDING, file.document() | {"by": by}, Binding("attachment", ring.case_id, attachment, 1)),
        )  # fmt: skip


def own_attachment(instance: Instance, own: OwnCase, attachment_id: bytes) -> tuple[AttachmentView, Iterator[bytes]]:
    """A file of the own case, verified to its end before the first piece is handed out."""
    for attachment in own.view.attachments:
        if attachment.id == attachment_id and attachment.file is not None:
            return attachment, plain_pieces(instance, attachment.file)
    raise NotYours
