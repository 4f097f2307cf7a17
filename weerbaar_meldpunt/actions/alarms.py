"""Alarms: something that a person must look at. Kept until somebody ends it, and mailed once to who keeps watch.

Each is a row that the trail covers, so nobody who writes the database makes one go unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import reminder
from weerbaar_meldpunt.store.audit import Alarm
from weerbaar_meldpunt.store.people import Role, User
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import new_id

from .checkpoints import WATCH, addressed
from .dossier import name_of
from .errors import NotAllowed
from .instance import Instance
from .ledger import PROGRAM, Ledger, last_leaf
from .outbox import mail_row
from .people import ACTIVE, Person

RAISED: Final = "alarm"
ENDED: Final = "alarm_afgehandeld"
OF_A_PERSON: Final = "veel_geopend"  # names a colleague: not shown to that colleague, by name to few
MAX_NOTE: Final = 300
_SHOWN: Final = 200
_AN_ID: Final = re.compile(r"\b[0-9a-f]{32}\b")


@dataclass(frozen=True, slots=True)
class AlarmView:
    """An alarm as one person may see it."""

    id: bytes
    kind: str
    about: str
    name: str | None  # of the member it is about, for who may know that
    at: datetime
    ended_at: datetime | None
    ended_by: str | None
    note: str


def raise_alarm(
    session: Session, instance: Instance, kind: str, about: str, *, now: datetime, to: Sequence[bytes] | None = None
) -> bool:
    """Note an alarm and mail who keeps watch, or the accounts in `to`; False when the same one stands already.

    `about` is a code, a number or an id in hex; never content.
    """
    standing = select(Alarm.id).where(Alarm.kind == kind, Alarm.about == about, Alarm.ended_at.is_(None))
    if session.scalar(standing.limit(1)) is not None:
        return False
    last_leaf(session)  # from here on one at a time: two who see the same thing raise one alarm
    if session.scalar(standing.limit(1)) is not None:
        return False
    alarm_id = new_id()
    ledger = Ledger(session, instance, now=now)
    ledger.add(Alarm, id=alarm_id, kind=kind, about=about, at=now)
    ledger.close(PROGRAM, RAISED, alarm_id)
    holders = select(Role.user_id).where(Role.role.in_(WATCH)) if to is None else list(to)
    users = session.scalars(select(User).where(User.state == ACTIVE, User.id.in_(holders)))
    mails = [
        mail_row(instance, reminder(), source=alarm_id, recipient_id=one.id, address=one.address, wall=now)
        for one in addressed(instance, users)
    ]
    if mails:
        session.execute(insert(Outbox), mails)
    return True


def standing_alarms(session: Session, *, kind: str | None = None) -> Sequence[Alarm]:
    """Alarms that nobody ended yet, newest first; as many as a page shows."""
    query = select(Alarm).where(Alarm.ended_at.is_(None)).order_by(Alarm.at.desc(), Alarm.id).limit(_SHOWN)
    return session.scalars(query.where(Alarm.kind == kind) if kind else query).all()


def guards_of(session: Session, user_id: bytes) -> frozenset[bytes]:
    """The coordinators who look at what a member does: of the other teams, so that no team judges its own coordinator.

    Where there are none, the other coordinators of the own team.
    """
    own = set(session.scalars(select(Role.team).where(Role.user_id == user_id)))
    rows = session.execute(
        select(Role.user_id, Role.team)
        .join(User, User.id == Role.user_id)
        .where(Role.role == "coordinator", User.state == ACTIVE, Role.user_id != user_id)
    ).all()
    others = frozenset(row.user_id for row in rows if row.team not in own)
    return others or frozenset(row.user_id for row in rows)


def _may_see(session: Session, person: Person, alarm: Alarm) -> tuple[bool, bool]:
    """Whether a person may see an alarm, and whether by name."""
    if alarm.kind != OF_A_PERSON:
        return person.has("beheerder") or person.has("auditor"), False
    subject = subject_of(alarm)
    if subject == person.user_id:
        return False, False
    by_name = person.has("auditor") or (subject is not None and person.user_id in guards_of(session, subject))
    return by_name or person.has("beheerder"), by_name


def subject_of(alarm: Alarm) -> bytes | None:
    """The account that an alarm is about, where it names one."""
    found = _AN_ID.search(alarm.about)
    return bytes.fromhex(found.group()) if found else None


def alarms_for(session: Session, instance: Instance, person: Person, *, ended: bool = False) -> list[AlarmView]:
    """The alarms that a person may see, newest first: those that stand, or those that were ended."""
    query = select(Alarm).where(Alarm.ended_at.is_not(None) if ended else Alarm.ended_at.is_(None))
    order = (Alarm.ended_at.desc(), Alarm.id) if ended else (Alarm.at.desc(), Alarm.id)
    rows = [(row, _may_see(session, person, row)) for row in session.scalars(query.order_by(*order).limit(_SHOWN))]
    seen = [(row, by_name) for row, (may, by_name) in rows if may]
    named = {row.id: subject_of(row) for row, by_name in seen if by_name or row.kind != OF_A_PERSON}
    people = {row.ended_by for row, _ in seen} | set(named.values())
    names = names_of(session, instance, (user for user in people if user is not None))
    return [
        AlarmView(
            row.id, row.kind, row.about if row.kind != OF_A_PERSON else row.about.partition(":")[2],
            names.get(named.get(row.id) or b""), row.at, row.ended_at,
            names.get(row.ended_by) if row.ended_by else None, row.note or "",
        )
        for row, _ in seen
    ]  # fmt: skip


def names_of(session: Session, instance: Instance, user_ids: Iterable[bytes]) -> dict[bytes, str]:
    """The names of members of staff."""
    users = session.scalars(select(User).where(User.id.in_(list(user_ids))))
    return {user.id: name_of(instance, user) or "?" for user in users}


def count_for(session: Session, person: Person) -> int:
    """How many alarms stand that a person may see; for the number beside the word in the menu."""
    all_kinds = person.has("beheerder") or person.has("auditor")
    if not all_kinds and not person.has("coordinator"):
        return 0
    standing = standing_alarms(session, kind=None if all_kinds else OF_A_PERSON)
    return sum(_may_see(session, person, alarm)[0] for alarm in standing)


def end_alarm(
    session: Session, instance: Instance, person: Person, alarm_id: bytes, note: str, *, now: datetime
) -> None:
    """Somebody looked at it, and says in a few words what was done."""
    note = " ".join(note.split())
    alarm = session.get(Alarm, alarm_id)
    if alarm is None or not _may_see(session, person, alarm)[0]:
        raise NotAllowed("alarm_weg")
    if alarm.ended_at is not None:
        raise NotAllowed("alarm_weg")
    if alarm.kind == OF_A_PERSON and not _may_see(session, person, alarm)[1]:
        raise NotAllowed("alarm_niet_van_u")
    if not note or len(note) > MAX_NOTE:
        raise NotAllowed("alarm_notitie")
    ledger = Ledger(session, instance, now=now)
    ledger.change(alarm, ended_at=now, ended_by=person.user_id, note=note)
    ledger.close(person.user_id, ENDED, alarm_id)
