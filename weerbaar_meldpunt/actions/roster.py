"""The roster of duty: who is called for a team in a period, who stands behind them, and where nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.people import Role, User
from weerbaar_meldpunt.store.tracks import Duty
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json

from .errors import NotAllowed
from .instance import Instance
from .ledger import PROGRAM, Ledger
from .people import ACTIVE, TEAM_ROLES, Person, open_user

LOOKED_AHEAD: Final = 7  # days; a gap nearer than this is a fault
LONGEST: Final = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class OnCall:
    """Somebody on the roster, and the number they are called on."""

    user_id: bytes
    name: str = field(repr=False)
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DutyView:
    """One period of the roster, opened with the server's key."""

    id: bytes
    team: str
    starts_at: datetime
    ends_at: datetime
    owner: OnCall
    backup: OnCall | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A period in which nobody is on duty for a team."""

    team: str
    starts_at: datetime
    ends_at: datetime


def on_duty_in(session: Session, teams: Sequence[str], now: datetime) -> dict[str, Duty]:
    """Who is on duty for each of these teams; where periods overlap, the one that began last."""
    rows = session.scalars(
        select(Duty)
        .where(Duty.team.in_(teams), Duty.starts_at <= now, Duty.ends_at > now)
        .order_by(Duty.starts_at, Duty.id)
    )
    return {row.team: row for row in rows}


def on_duty_now(session: Session, team: str, now: datetime) -> Duty | None:
    """Who is on duty for a team, if anybody is."""
    return on_duty_in(session, (team,), now).get(team)


def open_duty(instance: Instance, row: Duty) -> DutyView:
    """A period with names and numbers."""
    document = open_json(instance.server.seal, row.sealed, Binding("duty", row.team, row.id, row.revision))
    backup = document["backup"]
    return DutyView(
        row.id, row.team, row.starts_at, row.ends_at,
        OnCall(row.owner_id, **document["owner"]),
        OnCall(row.backup_id, **backup) if row.backup_id is not None and backup else None,
    )  # fmt: skip


def add_duty(
    session: Session, instance: Instance, team: str, *, starts_at: datetime, ends_at: datetime, owner: bytes,
    owner_number: str, backup: bytes | None = None, backup_number: str = "", now: datetime, by: Person | None = None,
) -> bytes:  # fmt: skip
    """Put somebody of the team on duty, with an achterwacht. `by` is the coordinator who does it, or the program."""
    if by is not None and not by.coordinates(team):
        raise NotAllowed("alleen_coordinator")
    if not starts_at < ends_at <= starts_at + LONGEST:
        raise NotAllowed("rooster_periode")
    names = _members(session, instance, team)
    if owner not in names or (backup is not None and backup not in names):
        raise NotAllowed("geen_collega")
    if backup == owner:
        raise NotAllowed("achterwacht_is_dezelfde")
    if not owner_number.strip() or (backup is not None and not backup_number.strip()):
        raise NotAllowed("rooster_nummer")
    duty = new_id()
    document = {"owner": _on_call(names[owner], owner_number), "backup": None}
    if backup is not None:
        document["backup"] = _on_call(names[backup], backup_number)
    session.add(
        Duty(
            id=duty, team=team, starts_at=starts_at, ends_at=ends_at, owner_id=owner, backup_id=backup, revision=1,
            sealed=seal_json(instance.server.seal, document, Binding("duty", team, duty, 1)),
        )
    )  # fmt: skip
    session.flush()
    Ledger(session, instance, now=now).close(by.user_id if by else PROGRAM, "rooster", duty)
    return duty


def remove_duty(session: Session, instance: Instance, duty_id: bytes, *, now: datetime, by: Person) -> None:
    """Take a period off the roster."""
    row = session.get(Duty, duty_id)
    if row is None or not by.coordinates(row.team):
        raise NotAllowed("alleen_coordinator")
    session.delete(row)
    session.flush()
    Ledger(session, instance, now=now).close(by.user_id, "rooster_weg", duty_id)


def without(session: Session, instance: Instance, team: str, user_id: bytes, *, now: datetime) -> int:
    """Take somebody who leaves a team off its roster, from now on; answers how many periods lost who was on duty.

    A period that has an owner no more is a gap, and shows as one: a time must not be promised on the word of somebody
    who is gone. As achterwacht they are only taken off.
    """
    rows = session.scalars(select(Duty).where(Duty.team == team, Duty.ends_at > now).with_for_update()).all()
    lost = [row for row in rows if row.owner_id == user_id]
    for row in lost:
        session.delete(row)
    for row in rows:
        if row.backup_id == user_id and row.owner_id != user_id:
            owner = open_duty(instance, row).owner
            document = {"owner": {"name": owner.name, "number": owner.number}, "backup": None}
            row.backup_id, row.revision = None, row.revision + 1
            row.sealed = seal_json(instance.server.seal, document, Binding("duty", team, row.id, row.revision))
    session.flush()
    return len(lost)


def duties(session: Session, instance: Instance, team: str, now: datetime, days: int = LOOKED_AHEAD) -> list[DutyView]:
    """The roster of a team from now on, in order."""
    rows = session.scalars(_ahead((team,), now, now + timedelta(days=days)))
    return [open_duty(instance, row) for row in rows]


def gaps(session: Session, teams: Sequence[str], now: datetime, days: int = LOOKED_AHEAD) -> list[Gap]:
    """Where nobody is on duty in the days to come."""
    until = now + timedelta(days=days)
    covered, found = dict.fromkeys(teams, now), list[Gap]()
    for row in session.scalars(_ahead(teams, now, until)):
        if row.starts_at > covered[row.team]:
            found.append(Gap(row.team, covered[row.team], row.starts_at))
        covered[row.team] = max(covered[row.team], row.ends_at)
    found += [Gap(team, end, until) for team, end in covered.items() if end < until]
    return sorted(found, key=lambda gap: (gap.starts_at, gap.team))


def _ahead(teams: Sequence[str], now: datetime, until: datetime) -> Any:
    return (
        select(Duty)
        .where(Duty.team.in_(teams), Duty.starts_at < until, Duty.ends_at > now)
        .order_by(Duty.starts_at, Duty.id)
    )


def _on_call(name: str, number: str) -> dict[str, str]:
    return {"name": name, "number": " ".join(number.split())}


def _members(session: Session, instance: Instance, team: str) -> dict[bytes, str]:
    rows = session.scalars(
        select(User)
        .join(Role, Role.user_id == User.id)
        .where(Role.team == team, Role.role.in_(TEAM_ROLES), User.state == ACTIVE)
        .distinct()
    )
    return {user.id: open_user(instance, user)[1] for user in rows}
