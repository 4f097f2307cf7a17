"""What a member of a team does on a track. Each act is one transaction of the caller, with its leaf and its dues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules import chase, moves
from weerbaar_meldpunt.store.cases import Case, CaseDoc, CaseGrant, Fold, Message, Note
from weerbaar_meldpunt.store.people import Role, User
from weerbaar_meldpunt.store.tracks import Due, Track
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import Binding

from .casekeys import MELDING, NOTITIES, CaseRing, open_for_team
from .errors import NotAllowed, TooLarge
from .instance import Instance
from .ledger import Ledger
from .opening import find_track
from .people import ACTIVE, TEAM_ROLES, Person, open_user
from .reader import MAX_TEXT
from .tracks import plan, settle

CONTACT: Final = ("eerste_contact", "poging")


@dataclass
class Held:
    """A track in a member's hands for one act, read under lock in this transaction."""

    session: Session = field(repr=False)
    instance: Instance = field(repr=False)
    person: Person
    case: Case
    track: Track
    dues: list[Due]
    ring: CaseRing = field(repr=False)
    now: datetime

    @property
    def is_owner(self) -> bool:
        """Whether the track is this person's."""
        return self.track.owner_id == self.person.user_id

    @property
    def is_coordinator(self) -> bool:
        """Whether this person coordinates the track's team."""
        return self.person.coordinates(self.track.team)

    def require_owner(self) -> None:
        """Only the owner or the coordinator goes on; who else wants to, takes the track over first."""
        if not (self.is_owner or self.is_coordinator):
            raise NotAllowed("niet_de_eigenaar")

    def require_open(self) -> None:
        """Nothing is done on a closed track but reopening it."""
        if self.track.closed_at is not None:
            raise NotAllowed("al_afgerond")

    def ledger(self) -> Ledger:
        """A ledger for this act."""
        return Ledger(self.session, self.instance, now=self.now)

    def close(self, ledger: Ledger, action: str, document: Mapping[str, Any], *, team_only: bool = False) -> None:
        """Write the act with its sealed event: for reporter and teams, or for the teams only."""
        event = new_id()
        body = self.ring.seal(
            NOTITIES if team_only else MELDING,
            {"team": self.track.team, **document},
            Binding("event", self.case.id, event, 0),
        )
        ledger.close(self.person.user_id, action, self.case.id, body, event=event)


def hold(session: Session, instance: Instance, person: Person, reference: str, *, now: datetime) -> Held:
    """Take a track in hand for one act; `NotYours` when no team of the person has the case."""
    case, track = find_track(session, person, reference)
    session.refresh(track, with_for_update=True)
    dues = list(session.scalars(select(Due).where(Due.track_id == track.id).order_by(Due.moment)))
    grants = session.scalars(select(CaseGrant).where(CaseGrant.case_id == case.id)).all()
    folds = session.scalars(select(Fold).where(Fold.case_id == case.id, Fold.team == track.team)).all()
    ring, fresh = open_for_team(case.id, person.teams[track.team], grants, folds)
    if MELDING not in ring.keys:
        raise Onleesbaar("case_grant")
    if fresh:
        session.execute(insert(Fold), fresh)
    return Held(session, instance, person, case, track, dues, ring, now)


def _move(held: Held, to: str) -> None:
    allowed = moves.may_move(
        held.track.state, to, is_owner=held.is_owner, is_coordinator=held.is_coordinator, is_team_member=True
    )
    if not allowed:
        raise NotAllowed("stap_kan_niet")


def take(held: Held) -> None:
    """Make the track one's own; also to take over what a colleague had."""
    held.require_open()
    if held.is_owner:
        return
    ledger = held.ledger()
    state = "in_behandeling" if held.track.state == "nieuw" else held.track.state
    plan(ledger, held.track, held.dues, [], now=held.now, owner_id=held.person.user_id, state=state, proposed_by=None)
    held.close(ledger, "genomen", {"text": ""})


def colleagues(session: Session, instance: Instance, team: str) -> list[tuple[bytes, str]]:
    """The active members of a team, by name."""
    rows = session.scalars(
        select(User)
        .join(Role, Role.user_id == User.id)
        .where(Role.team == team, Role.role.in_(TEAM_ROLES), User.state == ACTIVE)
        .distinct()
    ).all()
    return sorted(((user.id, open_user(instance, user)[1]) for user in rows), key=lambda row: row[1].casefold())


def hand_over(held: Held, to: bytes, reason: str) -> None:
    """Give the track to a colleague of the team; a coordinator may assign what nobody has."""
    held.require_open()
    held.require_owner()
    names = dict(colleagues(held.session, held.instance, held.track.team))
    if to not in names:
        raise NotAllowed("geen_collega")
    ledger = held.ledger()
    state = "in_behandeling" if held.track.state == "nieuw" else held.track.state
    plan(ledger, held.track, held.dues, [], now=held.now, owner_id=to, state=state, proposed_by=None)
    held.close(ledger, "overgedragen", {"text": reason.strip(), "to": names[to]}, team_only=True)


def add_note(held: Held, text: str) -> None:
    """A note that the teams of this case read and the reporter never."""
    if not text.strip():
        raise NotAllowed("lege_tekst")
    if len(text) > MAX_TEXT:
        raise TooLarge
    note = new_id()
    document = {"from": held.track.team, "name": held.person.name, "text": text, "at": held.now.isoformat()}
    ledger = held.ledger()
    ledger.add(
        Note, id=note, case_id=held.case.id, revision=1, hour=held.now.replace(minute=0, second=0, microsecond=0),
        sealed=held.ring.seal(NOTITIES, document, Binding("note", held.case.id, note, 1)),
    )  # fmt: skip
    held.close(ledger, "notitie", {"text": ""}, team_only=True)


def write_message(held: Held, text: str) -> None:
    """A message to the reporter. Where the reporter asked to be written to, it counts as the first contact."""
    if not text.strip():
        raise NotAllowed("lege_tekst")
    if len(text) > MAX_TEXT:
        raise TooLarge
    message = new_id()
    document = {"from": held.track.team, "name": None, "text": text, "at": held.now.isoformat()}
    ledger = held.ledger()
    ledger.add(
        Message, id=message, case_id=held.case.id, revision=1,
        hour=held.now.replace(minute=0, second=0, microsecond=0),
        sealed=held.ring.seal(MELDING, document, Binding("message", held.case.id, message, 1)),
    )  # fmt: skip
    melding = read_melding(held)
    by_letter = "eerst_schrijven" in melding["marks"] or not (melding["report"].get("contact") or {}).get("telephone")
    fresh: list[chase.PlannedDue] = []
    if held.track.closed_at is None and by_letter:
        fresh = _contact_made(held, ledger)
    if held.track.closed_at is None:
        settle(ledger, held.dues, ("opvolging",), "gedaan", now=held.now)
        fresh = [*fresh, *chase.after_answer(held.track.urgency, now=held.now)]
        plan(ledger, held.track, held.dues, fresh, now=held.now, unread=False)
    else:
        ledger.change(held.track, unread=False)
    held.close(ledger, "bericht_team", {"text": ""})


def _contact_made(held: Held, ledger: Ledger) -> list[chase.PlannedDue]:
    pending = [due for due in held.dues if due.ended_at is None and due.kind in CONTACT]
    if not pending:
        return []
    settle(ledger, held.dues, CONTACT, "gedaan", now=held.now)
    return chase.after_contact(held.track.urgency, held.track.team, now=held.now)


def mark_read(held: Held) -> None:
    """What the reporter wrote was read; nothing else changes."""
    ledger = held.ledger()
    ledger.change(held.track, unread=False)
    held.close(ledger, "gelezen", {"text": ""})


def attempt(held: Held, *, reached: bool, text: str = "") -> None:
    """A call to the reporter. Reached: the first contact is made. Not reached: the next attempt is planned."""
    held.require_open()
    ledger = held.ledger()
    if reached:
        fresh = _contact_made(held, ledger) or chase.after_answer(held.track.urgency, now=held.now)
        settle(ledger, held.dues, ("opvolging",), "gedaan", now=held.now)
    else:
        settle(ledger, held.dues, ("poging",), "gedaan", now=held.now)
        fresh = chase.after_attempt(held.track.urgency, now=held.now)
    changes: dict[str, Any] = {"owner_id": held.person.user_id} if held.track.owner_id is None else {}
    if held.track.state == "nieuw":
        changes["state"] = "in_behandeling"
    plan(ledger, held.track, held.dues, fresh, now=held.now, **changes)
    held.close(ledger, "gesproken" if reached else "geen_gehoor", {"text": ""})
    if text.strip():
        add_note(held, text)


def wait(held: Held, *, kind: str, for_whom: str, until: datetime | None = None, text: str = "") -> None:
    """Wait for the reporter or for somebody else, until a moment; then the clock asks again."""
    held.require_open()
    _move(held, kind)
    if until is not None and until <= held.now:
        raise NotAllowed("moment_voorbij")
    ledger = held.ledger()
    settle(ledger, held.dues, ("opvolging", "wacht_op_melder", "wacht_op_derde"), "gedaan", now=held.now)
    fresh = chase.waiting(kind, for_whom, now=held.now, until=until)
    plan(ledger, held.track, held.dues, fresh, now=held.now, state=kind)
    held.close(ledger, "wacht", {"text": text.strip(), "kind": kind, "for": for_whom})


def resume(held: Held) -> None:
    """What was awaited came, or waiting longer makes no sense."""
    held.require_open()
    _move(held, "in_behandeling")
    ledger = held.ledger()
    settle(ledger, held.dues, ("wacht_op_melder", "wacht_op_derde"), "gedaan", now=held.now)
    fresh = chase.after_answer(held.track.urgency, now=held.now)
    plan(ledger, held.track, held.dues, fresh, now=held.now, state="in_behandeling")
    held.close(ledger, "verder", {"text": ""})


def read_melding(held: Held) -> dict[str, Any]:
    """The document of compartment A, for an act that needs it."""
    doc = _doc(held)
    found: dict[str, Any] = held.ring.open(doc.sealed, Binding("case_doc", held.case.id, MELDING, doc.revision))
    return found


def _doc(held: Held) -> CaseDoc:
    doc = held.session.get(CaseDoc, (held.case.id, MELDING))
    if doc is None:
        raise Onleesbaar("case_doc")
    return doc


def write_melding(held: Held, ledger: Ledger, document: Mapping[str, Any]) -> None:
    """A new revision of the document of compartment A."""
    doc = _doc(held)
    revision = doc.revision + 1
    sealed = held.ring.seal(MELDING, dict(document), Binding("case_doc", held.case.id, MELDING, revision))
    ledger.change(doc, revision=revision, sealed=sealed)
