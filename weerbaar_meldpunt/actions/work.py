"""What a member of a team does on a track. Each act is one transaction of the caller, with its leaf and its dues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules import chase, moves
from weerbaar_meldpunt.store.cases import Message, Note
from weerbaar_meldpunt.store.links import outdate_segments
from weerbaar_meldpunt.store.people import Role, TeamGrant, User
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import Binding

from .barred import is_barred
from .casekeys import MELDING, NOTITIES
from .dossier import name_of
from .errors import NotAllowed, TooLarge
from .held import AlreadyDone, Held, hold, read_melding, write_melding
from .instance import Instance
from .ledger import Ledger
from .notify import mail_reporter
from .people import ACTIVE, TEAM_ROLES
from .reader import MAX_TEXT
from .tracks import plan, settle

__all__ = [
    "CONTACT", "FIRST_CONTACT", "FOLLOW_UP", "NOT_TICKED", "WAITING", "AlreadyDone", "Held", "add_note", "add_text",
    "attempt", "colleagues", "finish_due", "hand_over", "hold", "mark_read", "read_melding", "resume", "take", "wait",
    "write_melding", "write_message",
]  # fmt: skip

FIRST_CONTACT: Final = "eerste_contact"
CONTACT: Final = (FIRST_CONTACT, "poging")
FOLLOW_UP: Final = "opvolging"
WAITING: Final = ("wacht_op_melder", "wacht_op_derde")
# Contact is made by speaking or writing, and what is awaited comes or is given up: these are never ticked off.
NOT_TICKED: Final = frozenset({*CONTACT, *WAITING})


def _move(held: Held, to: str) -> None:
    allowed = moves.may_move(
        held.track.state, to, is_owner=held.is_owner, is_coordinator=held.is_coordinator, is_team_member=True
    )
    if not allowed:
        raise NotAllowed("stap_kan_niet")


def take(held: Held) -> None:
    """Make the track one's own; also to take over what a colleague had."""
    held.require_open()
    held.require_vouched()
    if held.is_owner:
        return
    ledger = held.ledger()
    state = "in_behandeling" if held.track.state == "nieuw" else held.track.state
    plan(ledger, held.track, held.dues, [], now=held.now, owner_id=held.person.user_id, state=state)
    held.close(ledger, "genomen", {"text": ""})


def colleagues(session: Session, instance: Instance, team: str) -> list[tuple[bytes, str]]:
    """The active members of a team who hold its key, by name."""
    rows = session.scalars(
        select(User)
        .join(Role, Role.user_id == User.id)
        .join(TeamGrant, TeamGrant.member_id == User.id)
        .where(
            Role.team == team, Role.role.in_(TEAM_ROLES), User.state == ACTIVE,
            TeamGrant.kind == "team", TeamGrant.team == team,
        )
        .distinct()
    ).all()  # fmt: skip
    return sorted(((user.id, name_of(instance, user) or "?") for user in rows), key=lambda row: row[1].casefold())


def hand_over(held: Held, to: bytes, reason: str) -> None:
    """Give the track to a colleague of the team; a coordinator may assign what nobody has."""
    held.require_open()
    held.require_vouched()
    if len(reason) > MAX_TEXT:
        raise TooLarge
    held.require_owner()
    names = dict(colleagues(held.session, held.instance, held.track.team))
    if to not in names:
        raise NotAllowed("geen_collega")
    if is_barred(_barred_member(held), names[to]):
        raise NotAllowed("collega_ziet_zaak_niet")
    if held.track.owner_id == to:
        return
    ledger = held.ledger()
    state = "in_behandeling" if held.track.state == "nieuw" else held.track.state
    plan(ledger, held.track, held.dues, [], now=held.now, owner_id=to, state=state)
    held.close(ledger, "overgedragen", {"text": reason.strip(), "to": names[to]}, team_only=True)


def _check_text(text: str) -> None:
    if not text.strip():
        raise NotAllowed("lege_tekst")
    if len(text) > MAX_TEXT:
        raise TooLarge


def add_text(held: Held, ledger: Ledger, model: type[Message | Note], name: str | None, text: str) -> None:
    """Seal a message or a note into an act."""
    compartment, row = (NOTITIES if model is Note else MELDING), new_id()
    if model is Message:
        outdate_segments(held.session, held.case.id)
    document = {"from": held.track.team, "name": name, "text": text, "at": held.now.isoformat()}
    ledger.add(
        model, id=row, case_id=held.case.id, revision=1, hour=held.now.replace(minute=0, second=0, microsecond=0),
        sealed=held.ring.seal(compartment, document, Binding(model.__tablename__, held.case.id, row, 1)),
    )  # fmt: skip


def add_note(held: Held, text: str) -> None:
    """A note that the teams of this case read and the reporter never."""
    _check_text(text)
    ledger = held.ledger()
    add_text(held, ledger, Note, held.person.name, text)
    held.close(ledger, "notitie", {"text": ""}, team_only=True)


def write_message(held: Held, text: str) -> None:
    """A message to the reporter. Where the reporter asked to be written to, it counts as the first contact."""
    _check_text(text)
    ledger = held.ledger()
    add_text(held, ledger, Message, None, text)
    # The reporter gets the answer; only a track that was changed behind the program is not written as if it were true.
    if held.vouched and held.track.closed_at is not None:
        ledger.change(held.track, unread=False)
    elif held.vouched:
        _plan_follow_up(held, ledger, _contact_in_writing(held, ledger), unread=False)
    held.close(ledger, "bericht_team", {"text": ""})
    mail_reporter(held.session, held.instance, held.case, new_id(), now=held.now)


def _contact_in_writing(held: Held, ledger: Ledger) -> list[chase.PlannedDue]:
    """What follows when a message is contact: this reporter is to be reached in writing, or has no number to call.

    So it is at night with who wants no call then: that one is called at the start of the safe hours.
    """
    try:
        melding = read_melding(held)
    except Onleesbaar:  # an answer to the reporter must be possible still; it counts as no contact
        return []
    contact = melding["report"].get("contact") or {}
    by_letter = "eerst_schrijven" in melding["marks"] or contact.get("channel") in ("bericht", "brief")
    if by_letter or not contact.get("telephone"):
        return _contact_made(held, ledger)
    call_at = chase.may_call_from(contact, held.track.urgency, now=held.now)
    return [*_contact_made(held, ledger), chase.PlannedDue("poging", call_at)] if call_at else []


def _contact_made(held: Held, ledger: Ledger) -> list[chase.PlannedDue]:
    """End what asked for contact; the first time, what comes after it is planned."""
    pending = {due.kind for due in held.dues if due.ended_at is None and due.kind in CONTACT}
    settle(ledger, held.dues, CONTACT, "gedaan", now=held.now)
    if FIRST_CONTACT in pending:
        return chase.after_contact(held.track.urgency, held.track.team, now=held.now)
    return []


def _plan_follow_up(held: Held, ledger: Ledger, fresh: Sequence[chase.PlannedDue], **changes: Any) -> None:
    """After the team did something: the next follow-up instead of the one before. A proposal keeps its own due."""
    if held.track.proposed_by is None:
        settle(ledger, held.dues, (FOLLOW_UP,), "gedaan", now=held.now)
        fresh = fresh or chase.after_answer(held.track.urgency, now=held.now)
    plan(ledger, held.track, held.dues, fresh, now=held.now, **changes)


def mark_read(held: Held) -> None:
    """What the reporter wrote was read; nothing else changes."""
    if not held.track.unread:
        return
    held.require_vouched()
    ledger = held.ledger()
    ledger.change(held.track, unread=False)
    held.close(ledger, "gelezen", {"text": ""})


def attempt(held: Held, *, reached: bool, text: str = "") -> None:
    """A call to the reporter. Reached: the first contact is made. Not reached: the next attempt is planned."""
    held.require_open()
    held.require_vouched()
    if len(text) > MAX_TEXT:
        raise TooLarge
    ledger = held.ledger()
    changes: dict[str, Any] = {"owner_id": held.person.user_id} if held.track.owner_id is None else {}
    if held.track.state == "nieuw":
        changes["state"] = "in_behandeling"
    if reached:
        _plan_follow_up(held, ledger, _contact_made(held, ledger), **changes)
    else:
        settle(ledger, held.dues, ("poging",), "gedaan", now=held.now)
        fresh = chase.after_attempt(held.track.urgency, now=held.now, contact=_contact(held))
        plan(ledger, held.track, held.dues, fresh, now=held.now, **changes)
    if text.strip():
        add_text(held, ledger, Note, held.person.name, text)
    held.close(ledger, "gesproken" if reached else "geen_gehoor", {"text": ""})


def _contact(held: Held) -> Mapping[str, Any]:
    """How the reporter may be reached; nothing where that does not open."""
    try:
        return read_melding(held)["report"].get("contact") or {}
    except Onleesbaar:
        return {}


def wait(held: Held, *, kind: str, for_whom: str, until: datetime | None = None, text: str = "") -> None:
    """Wait for the reporter or for somebody else, until a moment; then the clock asks again."""
    held.require_open()
    held.require_vouched()
    held.require_no_proposal()
    if len(text) > MAX_TEXT:
        raise TooLarge
    if kind not in WAITING or for_whom not in chase.awaited(kind):
        raise NotAllowed("op_wie")
    _move(held, kind)
    if until is not None and until <= held.now:
        raise NotAllowed("moment_voorbij")
    if until is not None and until > held.now + moves.longest_wait():
        raise NotAllowed("moment_te_ver")
    ledger = held.ledger()
    settle(ledger, held.dues, (FOLLOW_UP, *WAITING), "gedaan", now=held.now)
    fresh = chase.waiting(kind, for_whom, now=held.now, until=until)
    plan(ledger, held.track, held.dues, fresh, now=held.now, state=kind)
    held.close(ledger, "wacht", {"text": text.strip(), "kind": kind, "for": for_whom})


def resume(held: Held) -> None:
    """What was awaited came, or waiting longer makes no sense."""
    held.require_open()
    held.require_vouched()
    if held.track.state not in WAITING:
        raise NotAllowed("stap_kan_niet")
    _move(held, "in_behandeling")
    ledger = held.ledger()
    settle(ledger, held.dues, WAITING, "gedaan", now=held.now)
    fresh = chase.after_answer(held.track.urgency, now=held.now)
    plan(ledger, held.track, held.dues, fresh, now=held.now, state="in_behandeling")
    held.close(ledger, "verder", {"text": ""})


def finish_due(held: Held, due_id: bytes, *, dropped: bool = False, reason: str = "") -> None:
    """Something that had to happen did, or will not and why. Works on a closed track too: aftercare goes on there."""
    held.require_vouched()
    if len(reason) > MAX_TEXT:
        raise TooLarge
    due = next((due for due in held.dues if due.id == due_id), None)
    if due is None or due.ended_at is not None or due.kind in NOT_TICKED:
        raise NotAllowed("termijn_voorbij")
    if dropped:
        held.require_owner()
        if not reason.strip():
            raise NotAllowed("reden_nodig")
    if due.kind == FOLLOW_UP:
        held.require_no_proposal()
    ledger = held.ledger()
    ledger.change(due, step="vervallen" if dropped else "gedaan", ended_at=held.now, next_at=None)
    fresh: Sequence[chase.PlannedDue] = ()
    if due.kind == FOLLOW_UP and held.track.closed_at is None:
        fresh = chase.after_answer(held.track.urgency, now=held.now)
    plan(ledger, held.track, held.dues, fresh, now=held.now)
    action = "termijn_vervallen" if dropped else "termijn_gedaan"
    held.close(ledger, action, {"text": reason.strip(), "due": due.kind}, team_only=True)


def _barred_member(held: Held) -> str | None:
    """Whom the reporter does not want; `Onleesbaar` where the report does not say it, but for a coordinator."""
    try:
        found: str | None = read_melding(held)["report"].get("barred_member")
    except Onleesbaar:
        if not held.is_coordinator:
            raise
        return None
    return found
