"""Being away for a while: who of the team is asked instead, so that no case waits for somebody on holiday."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.values import AMSTERDAM
from weerbaar_meldpunt.store.membership import Absence, Departure
from weerbaar_meldpunt.store.people import User
from weerbaar_meldpunt.vault.derive import new_id

from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .person import Person, open_user
from .telling import members_of, tell

LONGEST: Final = timedelta(days=366)


@dataclass(frozen=True)
class Away:
    """Somebody who is away from a team, or will be."""

    id: bytes
    team: str
    member_id: bytes
    name: str
    stand_in: bytes
    stand_in_name: str
    starts_at: datetime
    ends_at: datetime

    @property
    def last_day(self) -> date:
        """The last whole day they are away, in Amsterdam."""
        return (self.ends_at - timedelta(seconds=1)).astimezone(AMSTERDAM).date()

    def now(self, moment: datetime) -> bool:
        """Whether they are away at a moment."""
        return self.starts_at <= moment < self.ends_at


def note_absence(
    session: Session, instance: Instance, person: Person, team: str, *, starts_at: datetime, ends_at: datetime,
    stand_in: bytes, member: bytes | None = None, now: datetime,
) -> bytes:  # fmt: skip
    """A member says from when to when they are away and who of the team is asked instead; `member` for a coordinator.

    An ill colleague cannot note it themselves, so the coordinator of the team may.
    """
    who = member or person.user_id
    if not person.member_of(team) or (who != person.user_id and not person.coordinates(team)):
        raise NotAllowed("alleen_coordinator")
    team_members = {user.id: user for user in members_of(session, team)}
    if who not in team_members or stand_in not in team_members:
        raise NotAllowed("geen_collega")
    if stand_in == who:
        raise NotAllowed("achterwacht_is_dezelfde")
    if ends_at <= now:
        raise NotAllowed("moment_voorbij")
    if not starts_at < ends_at <= starts_at + LONGEST:
        raise NotAllowed("afwezig_periode")
    overlapping = select(Absence.id).where(
        Absence.team == team, Absence.member_id == who, Absence.starts_at < ends_at, Absence.ends_at > starts_at
    )
    if session.scalar(overlapping.limit(1)) is not None:
        raise NotAllowed("al_afwezig")
    row = Absence(id=new_id(), member_id=who, team=team, stand_in=stand_in, starts_at=starts_at, ends_at=ends_at)
    session.add(row)
    session.flush()
    Ledger(session, instance, now=now).close(person.user_id, "afwezig", row.id)
    tell(session, instance, [team_members[stand_in]], but=person.user_id, now=now)
    return row.id


def end_absence(session: Session, instance: Instance, person: Person, absence_id: bytes, *, now: datetime) -> None:
    """Back again, or not away after all: for the member and the coordinator of the team."""
    row = session.get(Absence, absence_id)
    if row is None or not (row.member_id == person.user_id or person.coordinates(row.team)):
        raise NotAllowed("niet_afwezig")
    session.delete(row)
    session.flush()
    Ledger(session, instance, now=now).close(person.user_id, "niet_afwezig", absence_id)


def absences(session: Session, instance: Instance, teams: Iterable[str], *, now: datetime) -> list[Away]:
    """Who is away from these teams or will be, soonest first."""
    rows = session.scalars(
        select(Absence)
        .where(Absence.team.in_(list(teams)), Absence.ends_at > now)
        .order_by(Absence.starts_at, Absence.id)
    ).all()
    people = {person for row in rows for person in (row.member_id, row.stand_in)}
    names = {user.id: open_user(instance, user)[1] for user in session.scalars(select(User).where(User.id.in_(people)))}
    return [
        Away(
            row.id, row.team, row.member_id, names.get(row.member_id, "?"), row.stand_in,
            names.get(row.stand_in, "?"), row.starts_at, row.ends_at,
        )
        for row in rows
    ]  # fmt: skip


def stand_ins(session: Session, teams: Iterable[str], *, now: datetime) -> dict[tuple[str, bytes], bytes]:
    """Who is asked instead of whom at this moment, by team and member."""
    rows = session.scalars(
        select(Absence)
        .where(Absence.team.in_(list(teams)), Absence.starts_at <= now, Absence.ends_at > now)
        .order_by(Absence.starts_at, Absence.id)
    )
    return {(row.team, row.member_id): row.stand_in for row in rows}


@dataclass(frozen=True)
class Missing:
    """Who of a team is not there, for a page of every day."""

    away: Mapping[bytes, Away]
    leaver: bool  # somebody who left knows the key that things are sealed to


def who_is_missing(
    session: Session, instance: Instance, team: str, names: Mapping[bytes, str], *, now: datetime
) -> Missing:
    """Who is away now and who stands in, and whether a leaver knows the key: one statement. `names` of the members."""
    pin = instance.pins().sealing("team", team)
    left = select(Departure.member_id).where(
        Departure.kind == "team", Departure.team == team, Departure.epoch >= (pin.epoch if pin else 0)
    )
    one = select(literal(1).label("one")).subquery()
    here = (Absence.team == team) & (Absence.starts_at <= now) & (Absence.ends_at > now)
    rows: Sequence[Any] = session.execute(
        select(left.exists().label("left"), Absence).select_from(one).outerjoin(Absence, here).order_by(Absence.id)
    ).all()
    away = {
        row.member_id: Away(
            row.id, row.team, row.member_id, names.get(row.member_id, "?"), row.stand_in,
            names.get(row.stand_in, "?"), row.starts_at, row.ends_at,
        )
        for _, row in rows
        if row is not None
    }  # fmt: skip
    return Missing(away, bool(pin and rows[0].left))
