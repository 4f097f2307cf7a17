"""Is the custody in order? For `meldpunt doctor`, for `serve` as it starts, and for the clock that alarms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.custody import Custodian, HouseKey, RecoveryGrant, RecoveryPair
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.wrap import PublicKey

from .alarms import raise_alarm
from .custodians import BACKUP, DEVIATES, LEFT, PLACES, RECOVERY, custodian_key, custodians, recovery_wanted
from .instance import LAST_RESORT, LEAST_MEMBERS, Instance, TeamState, readiness, team_states
from .vouching import trail_of_rows

Looked = tuple[str, bool, str]  # what, whether it is fine, what was found
UNREADY: Final = "team_niet_gereed"


def findings(session: Session, instance: Instance) -> Iterator[Looked]:
    """Custodians, the keys of the house and the readiness of each team; `InstanceFault` when the pin file is broken."""
    keepers = custodians(session, instance)
    pinned = [one for one in keepers if one.pinned]
    waiting = [one.name for one in keepers if not one.pinned]
    found = f"{len(pinned)} of {len(PLACES)} pinned" + (f"; waiting for {', '.join(waiting)}" if waiting else "")
    yield "custodians", len(pinned) == len(PLACES), found
    key = instance.house_key(session, RECOVERY)
    if key is None:
        yield "key of recovery", False, "none: a team that forgets everything is lost (meldpunt vault pin makes it)"
    elif recovery_wanted(session, instance):
        yield "key of recovery", False, "a custodian was replaced: meldpunt vault pin makes the next one"
    else:
        yield "key of recovery", True, f"epoch {key.epoch}, for the three custodians of now"
    backup = instance.house_key(session, BACKUP)
    yield "key of backups", backup is not None, f"epoch {backup.epoch}" if backup else "none (meldpunt vault pin)"
    strange = [*deviating(session, instance), *damaged_grants(session, instance)]
    yield "keys of the house", not strange, ", ".join(strange) or "as they were pinned and written"
    for team, state in team_states(session, instance, TEAMS).items():
        yield f"readiness of {team}", state.ready, _words(team, state)


def _words(team: str, state: TeamState) -> str:
    if state.ready:
        return f"{state.holders} members hold its key, and so does recovery"
    lacks = []
    if not state.pinned:
        lacks.append("no pinned key")
    else:
        if state.holders < LEAST_MEMBERS:
            lacks.append(f"{state.holders} active members hold its key, at least {LEAST_MEMBERS} must")
        if not state.recoverable:
            lacks.append("recovery was not granted its key: a member signs in and compares the new keys")
    goes = "nobody can file a report" if team == LAST_RESORT else "its cases go to ondersteuning"
    return f"{'; '.join(lacks)}; {goes}"


def deviating(session: Session, instance: Instance) -> list[str]:
    """Keys of custodians, RECOVERY and BACKUP that are not what was pinned, or that the program did not write."""
    pins, found = instance.pins(), list[str]()
    keys = session.scalars(select(HouseKey).order_by(HouseKey.kind, HouseKey.epoch)).all()
    keepers = session.scalars(select(Custodian).order_by(Custodian.id)).all()
    pairs = session.scalars(select(RecoveryPair).order_by(RecoveryPair.epoch, RecoveryPair.pair)).all()
    trail = trail_of_rows(session, instance, [*keys, *keepers, *pairs])
    for row in keys:
        name = f"{row.kind}/{row.epoch}"
        try:
            fine = pins.holds(PublicKey(row.kind, instance.id, row.epoch, row.public_key))
        except Onleesbaar:
            fine = False
        if not fine or not trail.agrees(row):
            found.append(name)
    known = {(row.kind, row.epoch) for row in keys}
    for pin in pins.lines:
        if pin.kind in (RECOVERY, BACKUP) and (pin.kind, pin.epoch) not in known:
            found.append(f"{pin.kind}/{pin.epoch}")
    for one in keepers:
        key = custodian_key(one)
        is_pinned = pins.sealing("custodian", one.id.hex()) is not None
        changed = is_pinned and one.state != LEFT and (key is None or not pins.holds(key))
        if changed or not trail.agrees(one):
            found.append(f"custodian/{one.id.hex()}")
    found += [f"{RECOVERY}/{pair.epoch}/{pair.pair}" for pair in pairs if not trail.agrees(pair)]
    return found


def damaged_grants(session: Session, instance: Instance) -> list[str]:
    """What was given to RECOVERY and is not what a member gave: two custodians would find nothing in it."""
    rows = session.scalars(select(RecoveryGrant).order_by(RecoveryGrant.kind, RecoveryGrant.team)).all()
    trail = trail_of_rows(session, instance, rows)
    return sorted({f"{row.kind}/{row.team}/{row.epoch}" for row in rows if not trail.agrees(row)})


def watch(session: Session, instance: Instance, *, now: datetime) -> None:
    """What the clock does: alarm keys that are not what they were, and a team that can receive nothing any more."""
    for name in deviating(session, instance):
        raise_alarm(session, instance, DEVIATES, name, now=now)
    for name in damaged_grants(session, instance):
        raise_alarm(session, instance, "herstel_beschadigd", name, now=now)
    for team, state in team_states(session, instance, TEAMS).items():
        if state.pinned and not state.ready:
            raise_alarm(session, instance, UNREADY, team, now=now)


def not_yet(session: Session, instance: Instance) -> str:
    """What `serve` says as it starts while nobody can file a report; nothing when they can."""
    if readiness(session, instance, (LAST_RESORT,))[LAST_RESORT]:
        return ""
    return (
        "Not ready: the form shows telephone numbers only until ondersteuning has a pinned key, two members and"
        " custodians behind it (meldpunt doctor, docs/operate.md)"
    )
