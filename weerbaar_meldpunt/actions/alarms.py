"""Alarms: something that a person must look at. Kept until somebody ends it, and mailed once to who keeps watch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import mail_address, reminder
from weerbaar_meldpunt.store.audit import Alarm
from weerbaar_meldpunt.store.people import Role, User
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.errors import Onleesbaar

from .instance import Instance
from .outbox import mail_row
from .people import ACTIVE, open_user

WATCH = ("beheerder", "auditor")


def raise_alarm(session: Session, instance: Instance, kind: str, about: str, *, now: datetime) -> bool:
    """Note an alarm and mail who keeps watch; False when the same one stands already. `about` holds no content."""
    standing = select(Alarm.id).where(Alarm.kind == kind, Alarm.about == about, Alarm.ended_at.is_(None))
    if session.scalar(standing.limit(1)) is not None:
        return False
    alarm = Alarm(id=new_id(), kind=kind, about=about, at=now)
    session.add(alarm)
    session.flush()
    for user in session.scalars(
        select(User).where(User.state == ACTIVE, User.id.in_(select(Role.user_id).where(Role.role.in_(WATCH))))
    ):
        try:
            address = mail_address(open_user(instance, user)[0])
        except Onleesbaar:
            continue
        if address:
            mail = mail_row(instance, reminder(), source=alarm.id, recipient_id=user.id, address=address, wall=now)
            session.add(Outbox(**mail))
    session.flush()
    return True


def standing_alarms(session: Session) -> Sequence[Alarm]:
    """Alarms that nobody ended yet, newest first."""
    return session.scalars(select(Alarm).where(Alarm.ended_at.is_(None)).order_by(Alarm.at.desc(), Alarm.id)).all()


def end_alarm(session: Session, alarm_id: bytes, by: bytes, *, now: datetime) -> None:
    """Somebody looked at it."""
    alarm = session.get(Alarm, alarm_id)
    if alarm is not None and alarm.ended_at is None:
        alarm.ended_at, alarm.ended_by = now, by
        session.flush()
