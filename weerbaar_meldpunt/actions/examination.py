"""Is everything in order? What `meldpunt doctor` looks at, each with what was found, in one line, without content."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select

from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.migrate import current, newest
from weerbaar_meldpunt.store.people import TeamGrant
from weerbaar_meldpunt.store.tracks import Pulse

from . import outbox, roster
from .errors import InstanceFault
from .evidence import FREE_FLOOR
from .instance import PEPPER, SERVER_KEY, Instance, readiness
from .pulse import SEEN

LEAST_MEMBERS: Final = 2
SILENCE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    fine: bool
    found: str

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def examine(instance: Instance, *, now: datetime) -> list[Finding]:
    """Everything an operator must know before people trust this instance."""
    return [
        *_disk(instance), *_database(instance), *_teams(instance), *_roster(instance, now=now),
        *_clock(instance, now=now), *_mail(instance),
    ]  # fmt: skip


def _disk(instance: Instance) -> Iterator[Finding]:
    for name in (SERVER_KEY, PEPPER):
        mode = (instance.settings.instance / name).stat().st_mode & 0o077
        yield Finding(
            name, not mode, "only its owner can read it" if not mode else "others on this machine can read it"
        )
    free = shutil.disk_usage(instance.blobs).free
    yield Finding(
        "disk", free > FREE_FLOOR, f"{free // 2**20} MiB free; new files are refused below {FREE_FLOOR // 2**20}"
    )


def _database(instance: Instance) -> Iterator[Finding]:
    at = current(instance.engine)
    yield Finding("database", at == newest(), f"at version {at}, the program is at {newest()}")


def _teams(instance: Instance) -> Iterator[Finding]:
    try:
        instance.pins()
    except InstanceFault as fault:
        yield Finding("pin file", False, str(fault))
        return
    with instance.readings() as session:
        ready = readiness(session, instance, TEAMS)
        counted = session.execute(
            select(TeamGrant.team, func.count(TeamGrant.member_id.distinct()))
            .where(TeamGrant.kind == "team")
            .group_by(TeamGrant.team)
        ).all()
    holders = dict(counted)
    for team in TEAMS:
        yield Finding(f"key of {team}", ready[team], "pinned" if ready[team] else "not pinned; its cases go elsewhere")
        held = holders.get(team, 0)
        yield Finding(
            f"members of {team}", held >= LEAST_MEMBERS, f"{held} hold the key; at least {LEAST_MEMBERS} should"
        )


def _clock(instance: Instance, *, now: datetime) -> Iterator[Finding]:
    with instance.readings() as session:
        seen = session.scalar(select(Pulse.seen_at).where(Pulse.name == SEEN))
    # A pulse in the future is of a clock that ran wrong, and hides one that stands still.
    fine = seen is not None and abs(now - seen) < SILENCE
    yield Finding("clock", fine, f"last looked at {seen:%Y-%m-%d %H:%M} UTC" if seen else "has never looked")


def _roster(instance: Instance, *, now: datetime) -> Iterator[Finding]:
    with instance.readings() as session:
        gaps = roster.gaps(session, TEAMS, now)
    for team in TEAMS:
        holes = [gap for gap in gaps if gap.team == team]
        found = f"nobody from {holes[0].starts_at:%Y-%m-%d %H:%M} UTC" if holes else "somebody is always on duty"
        yield Finding(f"roster of {team}, 7 days", not holes, found)


def _mail(instance: Instance) -> Iterator[Finding]:
    with instance.readings() as session:
        waiting = outbox.waiting(session)
    sends = instance.settings.smtp is not None
    found = "a mail server is set" if sends else "no mail server is set, so nobody is reminded by mail"
    yield Finding("mail", sends or instance.demonstration, f"{found}; {waiting} waiting")
