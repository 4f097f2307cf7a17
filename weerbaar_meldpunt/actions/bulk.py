"""Somebody who opens more than their work asks: counted from the trail, and named to people of another team.

Openings stand in the trail. Queue pages and search hits do not, since a team's day is full of them; they are counted by
member and hour, kept for two days, and written a few at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.openings import COUNTED, OPENED, Limit, limits_on
from weerbaar_meldpunt.store.audit import Alarm, Leaf, LookCount
from weerbaar_meldpunt.store.engine import insert_if_absent
from weerbaar_meldpunt.store.people import Role

from .alarms import OF_A_PERSON, guards_of, raise_alarm
from .instance import Instance
from .opening import ACTIONS, FILE
from .people import STAFF_ROLES

KEPT: Final = timedelta(days=2)
FLUSH_AT: Final = 10  # pages that one process may have counted and not written yet
_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "zaken": (*ACTIONS.values(), FILE), "veilig": (ACTIONS["B"],), "bestanden": (FILE,),
}  # fmt: skip
QUEUE_PAGE, SEARCH_HIT = "wachtrij", "treffers"


@dataclass(frozen=True, slots=True)
class TooMany:
    """A member who went over a limit."""

    user_id: bytes
    limit: Limit
    count: int

    @property
    def what(self) -> str:
        """The limit's name."""
        return self.limit.name

    @property
    def about(self) -> str:
        """What the alarm is about: the member, and which limit."""
        return f"{self.user_id.hex()}:{self.limit.name}"


class Looks:
    """Counts that one process holds until there are enough of them to write."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: dict[tuple[bytes, datetime, str], int] = {}

    def add(self, user_id: bytes, what: str, n: int, *, now: datetime) -> bool:
        """Count; True when it is time to write."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            key = (user_id, hour, what)
            self._held[key] = self._held.get(key, 0) + n
            return self._held[key] >= FLUSH_AT or any(held[1] < hour for held in self._held)

    def take(self) -> dict[tuple[bytes, datetime, str], int]:
        """What was counted since it was last taken."""
        with self._lock:
            taken, self._held = self._held, {}
        return taken

    def put_back(self, counts: Mapping[tuple[bytes, datetime, str], int]) -> None:
        """What could not be written is counted on."""
        with self._lock:
            for key, n in counts.items():
                self._held[key] = self._held.get(key, 0) + n


def keep_looks(session: Session, counts: Mapping[tuple[bytes, datetime, str], int]) -> None:
    """Write what a process counted."""
    for (user_id, hour, what), n in sorted(counts.items()):
        values = {"user_id": user_id, "hour": hour, "what": what, "n": 0}
        session.execute(insert_if_absent(session, LookCount), [values])
        row = update(LookCount).where(LookCount.user_id == user_id, LookCount.hour == hour, LookCount.what == what)
        session.execute(row.values(n=LookCount.n + n))


def sweep_looks(session: Session, *, now: datetime) -> None:
    """Counts of long ago say when somebody worked, and nothing else: they go."""
    session.execute(delete(LookCount).where(LookCount.hour < now - KEPT))


def too_many(session: Session, *, now: datetime) -> list[TooMany]:
    """Who went over a limit and is not named for it today."""
    found = [
        TooMany(user_id, limit, count)
        for limit in limits_on(today(now))
        for user_id, count in _counts(session, limit, now=now)
    ]
    if not found:
        return []
    # Once a day for each limit: who was looked at this morning may have a reason that holds all day.
    named = set(
        session.scalars(
            select(Alarm.about).where(
                Alarm.kind == OF_A_PERSON, Alarm.about.in_([one.about for one in found]),
                Alarm.at > now - timedelta(days=1),
            )
        )
    )  # fmt: skip
    return [one for one in found if one.about not in named]


def _counts(session: Session, limit: Limit, *, now: datetime) -> list[tuple[bytes, int]]:
    since = now - timedelta(minutes=limit.minutes)
    if limit.what in COUNTED:
        total = func.sum(LookCount.n)
        rows = session.execute(
            select(LookCount.user_id, total)
            .where(LookCount.what == limit.what, LookCount.hour >= since)
            .group_by(LookCount.user_id)
            .having(total > limit.most)
        )
        return [(row[0], row[1]) for row in rows]
    if limit.what not in OPENED:
        raise ValueError(limit.what)
    first = session.scalar(select(Leaf.seq).where(Leaf.at > since).order_by(Leaf.at, Leaf.seq).limit(1))
    if first is None:
        return []
    staff = select(Role.user_id).where(Role.role.in_(STAFF_ROLES))
    count = func.count() if limit.what == "bestanden" else func.count(Leaf.object.distinct())
    rows = session.execute(
        select(Leaf.actor, count)
        .where(Leaf.seq >= first, Leaf.at > since, Leaf.action.in_(_ACTIONS[limit.what]), Leaf.actor.in_(staff))
        .group_by(Leaf.actor)
        .having(count > limit.most)
    )
    return [(row[0], row[1]) for row in rows]


def raise_for(session: Session, instance: Instance, found: TooMany, *, now: datetime) -> bool:
    """Tell the coordinators of the other teams and the auditors; never the member's own team alone."""
    auditors = set(session.scalars(select(Role.user_id).where(Role.role == "auditor"))) - {found.user_id}
    told = sorted(auditors | guards_of(session, found.user_id))
    return raise_alarm(session, instance, OF_A_PERSON, found.about, now=now, to=told)
