"""The reporter's side of a case: come back with the receipt code or the account, read the answer, write, add files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules import chase
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import Attachment, Case, Claim, Message, Reader
from weerbaar_meldpunt.store.people import Role
from weerbaar_meldpunt.store.tracks import Due, DueStep, Track
from weerbaar_meldpunt.vault.codes import WrongCode, read_code
from weerbaar_meldpunt.vault.derive import ID_BYTES, new_id, sha256
from weerbaar_meldpunt.vault.keys import ReaderKeys, split
from weerbaar_meldpunt.vault.seal import Binding

from . import dossier
from .casekeys import MELDING, CaseRing, open_for_reader
from .drafts import DraftFile
from .errors import NotAllowed, NotYours, TooLarge
from .evidence import MAX_CASE, MAX_MESSAGE, plain_pieces
from .filing import account_readers
from .handled import count_closing
from .instance import Instance
from .ledger import Ledger
from .people import TEAM_ROLES, Person
from .sessions import SessionContent, start_content
from .tracks import plan, settle
from .views import AttachmentView, CaseView

MAX_TEXT = 200_000
_PRIVATE: Final = "geopend_veilig"
_OPENINGS: Final = ("geopend", "geopend_bestand", _PRIVATE)
# The steps at which the coordinator knows that a team is late.
_TOLD: Final = ("coordinator", "heel_team")
_ON_THE_PAPER: Final = "datum_op_stuk"


@dataclass(frozen=True)
class OpeningView:
    """Somebody opened the case or a part of it: when, of which teams they are, and what (an action of the trail)."""

    at: datetime
    teams: tuple[str, ...]
    action: str


@dataclass(frozen=True)
class OpeningDay:
    """What people of the same teams opened on one Dutch day: how often, the last time, and which parts."""

    at: datetime
    teams: tuple[str, ...]
    actions: tuple[str, ...]
    times: int


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
        groups: dict[tuple[date, tuple[str, ...], bool], list[OpeningView]] = {}
        for opening in self.openings:
            key = (today(opening.at), opening.teams, opening.action == _PRIVATE)
            groups.setdefault(key, []).append(opening)
        days = (
            OpeningDay(max(o.at for o in group), teams, tuple(sorted({o.action for o in group})), len(group))
            for (_, teams, _), group in groups.items()
        )
        return tuple(sorted(days, key=lambda day: day.at, reverse=True))


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


def is_claim_code(session: Session, instance: Instance, typed: str, *, now: datetime) -> bool:
    """Whether what was typed is the code by which a proxy hands a case over, while it is valid."""
    try:
        lookup, _ = split(read_code(typed), instance.id, "claim")
    except WrongCode:
        return False
    return session.scalar(select(Claim.lookup).where(Claim.lookup == lookup, Claim.expires_at > now)) is not None


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
    teams = [track.team for track in tracks]
    return OwnCase(
        case.id, view, row.role, ring, reader, _openings(session, case.id, teams, view), _told_at(session, case.id)
    )


def _openings(
    session: Session, case_id: bytes, teams: Sequence[str], view: CaseView
) -> tuple[OpeningView, ...]:  # fmt: skip
    """Who opened the case and was shown it, newest first: of which team, never by name."""
    shown = {event.seq for event in view.openings}
    of_team = and_(Role.user_id == Leaf.actor, Role.team.in_(teams), Role.role.in_(TEAM_ROLES))
    rows = session.execute(
        select(Leaf.seq, Leaf.at, Leaf.action, Role.team)
        .outerjoin(Role, of_team)
        .where(Leaf.object == case_id, Leaf.action.in_(_OPENINGS))
        .order_by(Leaf.seq.desc())
    ).all()
    teams_of: dict[int, set[str]] = {}
    for row in rows:
        teams_of.setdefault(row.seq, set()).update({row.team} - {None})
    found = {row.seq: OpeningView(row.at, tuple(sorted(teams_of[row.seq])), row.action) for row in rows}
    return tuple(opening for seq, opening in found.items() if seq in shown)


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
    tracks = session.scalars(select(Track).where(Track.case_id == own.case_id)).all()
    key_id = own.reader.pair(own.case_id).public.key_id
    if tracks and all(track.closed_at for track in tracks):
        count_closing(session, instance, case, -1, by=key_id, now=now)
    ledger = Ledger(session, instance, now=now)
    document = {"from": "melder", "name": None, "text": text, "at": now.isoformat()}
    ledger.add(
        Message, id=message, case_id=own.case_id, revision=1, hour=now.replace(minute=0, second=0, microsecond=0),
        sealed=own.ring.seal(MELDING, document, Binding("message", own.case_id, message, 1)),
    )  # fmt: skip
    add_files(ledger, own.ring, files, by="melder")
    for track in tracks:
        _wake(session, ledger, track, now=now)
    event = new_id()
    body = own.ring.seal(MELDING, {"text": "", "files": len(files)}, Binding("event", own.case_id, event, 0))
    ledger.close(key_id, "bericht_melder", own.case_id, body, event=event)
    return True


def _message_id(form: bytes, text: str, files: Sequence[DraftFile]) -> bytes:
    """The same for the same words on the same page; who goes back and changes a word sends another message."""
    return sha256("\0".join([form.hex(), text, *(file.name for file in files)]).encode())[:ID_BYTES]


def _wake(session: Session, ledger: Ledger, track: Track, *, now: datetime) -> None:
    """What a message of the reporter does with one track."""
    dues = list(session.scalars(select(Due).where(Due.track_id == track.id)))
    changes: dict[str, Any] = {}
    if track.state == "afgerond":
        settle(ledger, dues, ("enquete",), "vervallen", now=now)
        changes = {"state": "in_behandeling", "closed_at": None, "outcome": None}
    elif track.state == "wacht_op_melder":
        settle(ledger, dues, ("wacht_op_melder",), "gedaan", now=now)
        changes = {"state": "in_behandeling"}
    fresh = chase.after_message(track.urgency, now=now) if track.state != "nieuw" else []
    plan(ledger, track, dues, fresh, now=now, unread=True, **changes)


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
