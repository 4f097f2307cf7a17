"""Telling members of staff that something waits for them: a mail of the fixed set, without content."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import mail_address, reminder
from weerbaar_meldpunt.store.people import Role, User
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.errors import Onleesbaar

from .instance import Instance
from .outbox import mail_row
from .person import ACTIVE, STATS, TEAM_ROLES, open_user


def members_of(session: Session, group: str) -> list[User]:
    """The active accounts of a team, or of who makes the figures, whether they hold the key or not."""
    query = select(User).join(Role, Role.user_id == User.id).where(User.state == ACTIVE).order_by(User.id).distinct()
    if group == STATS:
        query = query.where(Role.role == "statistiekredacteur")
    else:
        query = query.where(Role.team == group, Role.role.in_(TEAM_ROLES))
    return list(session.scalars(query))


def tell(session: Session, instance: Instance, users: Iterable[User], *, but: bytes = b"", now: datetime) -> None:
    """Put one reminder ready for each of these people, but for the one who did it."""
    source = new_id()
    for user in users:
        if user.id == but:
            continue
        try:
            address = mail_address(open_user(instance, user)[0])
        except Onleesbaar:
            continue
        if address:
            mail = mail_row(instance, reminder(), source=source, recipient_id=user.id, address=address, wall=now)
            session.add(Outbox(**mail))
    session.flush()
