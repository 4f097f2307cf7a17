"""The reporter's side of a case: come back with the receipt code or the account, read the answer, write, add files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules import chase
from weerbaar_meldpunt.rules.moves import TRANSFERRED
from weerbaar_meldpunt.store.cases import Attachment, Case, Claim, Message, Reader
from weerbaar_meldpunt.store.links import outdate_segments
from weerbaar_meldpunt.store.tracks import Due, DueStep, Track
from weerbaar_meldpunt.vault.codes import WrongCode, read_code
from weerbaar_meldpunt.vault.derive import ID_BYTES, equal, new_id, sha256
from weerbaar_meldpunt.vault.keys import ReaderKeys, split
from weerbaar_meldpunt.vault.seal import Binding

from . import caserows, dossier, retention
from .account_files import AccountReader, account_readers
from .caseepochs import renew
from .casekeys import MELDING, VEILIG, CaseRing, open_for_reader
from .drafts import DraftFile
from .errors import NotAllowed, NotYours, Onleesbaar, TooLarge
from .evidence import MAX_CASE, MAX_MESSAGE, plain_pieces
from .gaps import note_gaps
from .handled import count_closing
from .instance import Instance
from .ledger import Ledger
from .notify import address_of
from .own_acts import MELDER, PROGRESS, PROXY, TAKEN_OVER, recipients_of
from .person import Person
from .seen import OpeningDay, OpeningView, by_day, openings_of
from .sessions import SessionContent, start_content
from .tracks import genuine, plan, settle
from .trail import Trail
from .views import AttachmentView, CaseView

MAX_TEXT = 200_000
READS: Final = "lezer"  # what is left of a reader's side who may read the case
# The steps at which the coordinator knows that a team is late.
_TOLD: Final = ("coordinator", "heel_team")
_ON_THE_PAPER: Final = "datum_op_stuk"


@dataclass(frozen=True)
class OwnCase:
    """A case from the reporter's side."""

    case_id: bytes
    view: CaseView = field(repr=False)
    role: str
    ring: CaseRing = field(repr=False)
    reader: ReaderKeys = field(repr=False)
    openings: tuple[OpeningView, ...] = ()
    told_at: Mapping[bytes, datetime] = field(default_factory=dict)  # by due: since when the coordinator knows

    @property
    def seen_at(self) -> datetime | None:
        """When somebody of a team first opened the case; nothing while nobody did."""
        return min((opening.at for opening in self.openings), default=None)

    @property
    def opening_days(self) -> tuple[OpeningDay, ...]:
        """The openings in a line for each day and team, newest first; those of the address apart."""
        return by_day(self.openings)


def enter(session: Session, instance: Instance, typed: str, *, now: datetime) -> SessionContent | None:
    """A session for whoever holds a receipt code; nothing for a code that opens no case.

    A code of which nothing is left but that somebody else took the report over gets one too: the page says just that.
    """
    reader = _keys_of(instance, typed)
    row = session.get(Reader, reader.lookup) if reader else None
    if reader is None or row is None or (row.case_id is None and row.role != TAKEN_OVER):
        return None
    return start_content("reader", now=now, lookup=reader.lookup, seed=reader.seed)


def _keys_of(instance: Instance, typed: str) -> ReaderKeys | None:
    try:
        return ReaderKeys.from_code(read_code(typed), instance.id)
    except WrongCode:
        return None


def is_own_code(instance: Instance, content: SessionContent, typed: str) -> bool:
    """Whether the code that was typed is the one this session was opened with: who has it in hand may do more."""
    keys, held = _keys_of(instance, typed), reader_of(content)
    return keys is not None and held is not None and equal(keys.seed, held.seed)


@dataclass(frozen=True)
class Progress:
    """How far one team is: all that somebody sees who may follow the progress only."""

    team: str
    state: str


def standing(session: Session, reader: ReaderKeys) -> str:
    """What is left of a reader's side: `lezer`, `voortgang`, `overgenomen`, or nothing at all."""
    row = session.get(Reader, reader.lookup)
    if row is None or (row.case_id is None and row.role != TAKEN_OVER):
        return ""
    if row.case_id is None:
        return TAKEN_OVER
    return PROGRESS if row.role == PROGRESS else READS


def progress_of(session: Session, instance: Instance, reader: ReaderKeys) -> tuple[Progress, ...]:
    """How far the teams are, for whoever may see no more: from columns of tracks, nothing of the case is opened.

    `NotYours` for anybody else, and for a row that the trail does not know so: there is no key here that would tell.
    """
    row = session.get(Reader, reader.lookup)
    if row is None or row.case_id is None or row.role != PROGRESS:
        raise NotYours
    if row.key_id != reader.pair(row.case_id).public.key_id:
        raise NotYours
    trail = caserows.trail_of(session, instance, row.case_id)
    if not trail.agrees(row):
        raise NotYours
    tracks = session.scalars(select(Track).where(Track.case_id == row.case_id).order_by(Track.opened_at, Track.team))
    return tuple(Progress(track.team, track.state) for track in tracks if trail.agrees(track))


def is_claim_code(session: Session, instance: Instance, typed: str) -> bool:
    """Whether what was typed is the code by which a proxy hands a case over; perhaps its time is over."""
    try:
        lookup, _ = split(read_code(typed), instance.id, "claim")
    except WrongCode:
        return False
    return session.get(Claim, lookup) is not None


def reader_of(content: SessionContent) -> ReaderKeys | None:
    """The keys in a session that was opened with a code."""
    if content.kind != "reader" or content.lookup is None or content.seed is None:
        return None
    return ReaderKeys(content.lookup, content.seed)


def account_reader(session: Session, instance: Instance, person: Person, reference: str) -> AccountReader:
    """One of an account's own cases."""
    held = {one.case_id: one for one in account_readers(session, instance, person.bundle) if one.case_id}
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
    ring = open_for_reader(case.id, reader, found.grants, found.epochs, found.trail)
    tracks = dossier.load_tracks(session, instance, case.id)
    view = dossier.view(
        instance, ring, found, tracks, reference=case.reference, received_at=case.received_at, team=None
    )
    role = row.role
    if view.readable:  # what a reader is, the report's own document says
        of = [one for one in recipients_of(case.id, view.melding) if one.key.key_id == row.key_id]
        if not of:
            raise NotYours
        role = of[0].role
    openings = openings_of(session, case.id, view, named=instance.settings.names_shown)
    return OwnCase(case.id, view, role, ring, reader, openings, _told_at(session, case.id))


def own_private(session: Session, instance: Instance, own: OwnCase) -> Mapping[str, Any] | None:
    """Address, family and habits, for a reader who holds their key; nothing where they do not open."""
    if VEILIG not in own.ring.keys:
        return None
    key_id = own.reader.pair(own.case_id).public.key_id
    found = dossier.load(session, instance, own.case_id, team=None, recipient=key_id)
    try:
        return dossier.open_doc(own.ring, found, VEILIG)
    except Onleesbaar:
        return None


def notify_address(session: Session, instance: Instance, own: OwnCase) -> str | None:
    """Where a mail goes when a team writes; a proxy does not see it once the report was taken over."""
    readers = recipients_of(own.case_id, own.view.melding) if own.view.readable else []
    if own.role == PROXY and MELDER in {one.role for one in readers}:
        return None
    return address_of(instance, session.get_one(Case, own.case_id))


def _told_at(session: Session, case_id: bytes) -> dict[bytes, datetime]:
    """Since when the coordinator knows that something is late, by due that is still open."""
    rows = session.execute(
        select(DueStep.due_id, DueStep.at)
        .join(Due, Due.id == DueStep.due_id)
        .join(Track, Track.id == Due.track_id)
        .where(Track.case_id == case_id, Due.ended_at.is_(None), DueStep.step.in_(_TOLD))
        .order_by(DueStep.at.desc())
    ).all()
    found: dict[bytes, datetime] = {}
    for due_id, at in rows:  # the first step of those counts, which comes last here
        found[due_id] = at
    return found


def terms_for_reporter(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The legal terms that a reporter gets to see: sourced ones, and the day that stands on the paper."""
    terms: list[Mapping[str, Any]] = list(answer.get("legal_terms", ()))
    return [term for term in terms if term["sourced"] or term["term"] == _ON_THE_PAPER]


def own_cases(session: Session, instance: Instance, person: Person) -> list[OwnCase]:
    """All cases of an account that it may read, found by look-ups derived in the session; newest first."""
    found = [
        own_case(session, instance, one.keys)
        for one in account_readers(session, instance, person.bundle)
        if one.case_id is not None and one.role != PROGRESS
    ]
    return sorted(found, key=lambda own: own.view.received_at, reverse=True)


@dataclass(frozen=True)
class Beside:
    """What an account has beside the cases it may read: those it only follows, and how many were taken over."""

    followed: tuple[tuple[ReaderKeys, tuple[Progress, ...]], ...] = field(repr=False)
    taken_over: int


def beside(session: Session, instance: Instance, person: Person) -> Beside:
    """The cases of an account of which nothing is opened for it any more."""
    rows = account_readers(session, instance, person.bundle)
    followed = []
    for one in rows:
        if one.case_id is not None and one.role == PROGRESS:
            with suppress(NotYours):  # a row that the trail does not know
                followed.append((one.keys, progress_of(session, instance, one.keys)))
    return Beside(tuple(followed), sum(one.case_id is None and one.role == TAKEN_OVER for one in rows))


def reply(
    session: Session, instance: Instance, own: OwnCase, text: str, *, now: datetime,
    files: Sequence[DraftFile] = (), form: bytes | None = None,
) -> bool:  # fmt: skip
    """A message of the reporter, with files. Wakes the teams: what waited for it goes on, what was closed opens again.

    `form` is an id the form carried: the same words sent twice with it are kept once, and the second answers False (its
    files are then for the page to remove). A message without words and files is refused (`lege_tekst`).
    """
    if len(text) > MAX_TEXT or sum(file.size for file in files) > MAX_MESSAGE:
        raise TooLarge
    held = sum(a.file.size for a in own.view.attachments if a.file)
    if held + sum(file.size for file in files) > MAX_CASE:
        raise TooLarge
    text = text.strip() or ", ".join(file.name for file in files)
    if not text:
        raise NotAllowed("lege_tekst")
    # One act on a case at a time, whichever side does it.
    case = session.execute(select(Case).where(Case.id == own.case_id).with_for_update(key_share=True)).scalar_one()
    message = _message_id(form, text, files) if form else new_id()
    if session.get(Message, message) is not None:
        return False
    rows, trail = caserows.read(session, instance, [own.case_id], caserows.docs([own.case_id]), work=True)
    if own.view.revision not in {row.number for row in rows if row.part == MELDING}:
        own = own_case(session, instance, own.reader)  # somebody else wrote to it since it was opened
    query = select(Track).where(Track.case_id == own.case_id, Track.outcome.is_distinct_from(TRANSFERRED))
    tracks = session.scalars(query).all()
    key_id = own.reader.pair(own.case_id).public.key_id
    ring = own.ring
    if own.view.readable:
        document = dict(own.view.melding)
        ring = renew(session, instance, ring, document, actor=key_id, compartments=(MELDING,), now=now)
    if tracks and all(track.closed_at and trail.agrees(track) for track in tracks):
        count_closing(session, instance, case, -1, by=key_id, now=now)
    ledger = Ledger(session, instance, now=now)
    if any(track.closed_at for track in tracks):
        retention.stop(session, ledger, case)
    outdate_segments(session, own.case_id)
    by = PROXY if own.role == PROXY else None  # the official and the proxy read each other's messages
    document = {"from": "melder", "name": by, "text": text, "at": now.isoformat()}
    ledger.add(
        Message, id=message, case_id=own.case_id, revision=1, hour=now.replace(minute=0, second=0, microsecond=0),
        sealed=ring.seal(MELDING, document, Binding("message", own.case_id, message, 1)),
    )  # fmt: skip
    add_files(ledger, ring, files, by="melder")
    changed = {table for track in tracks for table in _wake(session, ledger, trail, track, now=now)}
    note_gaps(session, instance, own.view.reference, changed, now=now)
    event = new_id()
    body = ring.seal(MELDING, {"text": "", "files": len(files)}, Binding("event", own.case_id, event, 0))
    ledger.close(key_id, "bericht_melder", own.case_id, body, event=event)
    return True


def _message_id(form: bytes, text: str, files: Sequence[DraftFile]) -> bytes:
    """The same for the same words on the same page; who goes back and changes a word sends another message."""
    return sha256("\0".join([form.hex(), text, *(file.name for file in files)]).encode())[:ID_BYTES]


def _wake(session: Session, ledger: Ledger, trail: Trail, track: Track, *, now: datetime) -> set[str]:
    """What a message of the reporter does with one track; answers what of it was changed behind the program.

    That is left as it is: written anew it would stand in the trail as true.
    """
    found = list(session.scalars(select(Due).where(Due.track_id == track.id)))
    dues = genuine(trail, found)
    forged = {Due.__tablename__} if len(dues) < len(found) else set()
    if not trail.agrees(track):
        return forged | {Track.__tablename__}
    changes: dict[str, Any] = {}
    if track.state == "afgerond":
        settle(ledger, dues, ("enquete",), "vervallen", now=now)
        changes = {"state": "in_behandeling", "closed_at": None, "outcome": None}
    elif track.state == "wacht_op_melder":
        settle(ledger, dues, ("wacht_op_melder",), "gedaan", now=now)
        changes = {"state": "in_behandeling"}
    fresh = chase.after_message(track.urgency, now=now) if track.state != "nieuw" else []
    plan(ledger, track, dues, fresh, now=now, unread=True, **changes)
    return forged


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
