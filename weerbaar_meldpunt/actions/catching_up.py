"""What the program does for a team whenever a member has its secrets at hand: what custodians lack, entries of a list.

Nobody is asked and nothing is waited for: it costs a query when there is nothing to do.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from . import custodians, emergency
from .errors import InstanceFault, NotAllowed, Onleesbaar
from .instance import Instance
from .person import KEY_ROLES, Person, unlock
from .sessions import SessionContent


def catch_up(session: Session, instance: Instance, person: Person, *, now: datetime) -> None:
    """Give RECOVERY what it lacks of this person's teams, and move the emergency list to the keys of now."""
    if any(role in KEY_ROLES for role, _team in person.roles):
        custodians.catch_up(session, instance, person, now=now)
        emergency.catch_up(session, instance, person, now=now)


def catch_up_at_signin(session: Session, instance: Instance, content: SessionContent, *, now: datetime) -> None:
    """The same for somebody who signs in just now. A fault in it keeps nobody out; the hourly check alarms it."""
    try:
        with session.begin_nested():
            person = unlock(session, instance, content)
            if person is not None:
                catch_up(session, instance, person, now=now)
    except (Onleesbaar, NotAllowed, InstanceFault):
        return
