"""The keys of teams: made by the first member, pinned at the console, and what of them a person believes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.base import Base
from weerbaar_meldpunt.store.links import LinkGrant
from weerbaar_meldpunt.store.people import TeamEpoch, TeamGrant
from weerbaar_meldpunt.vault.derive import new_key
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys, user_key_pair
from weerbaar_meldpunt.vault.pins import PinFault
from weerbaar_meldpunt.vault.wrap import (
    Grant,
    PublicKey,
    epoch_statement,
    recipient_of,
    shown_fingerprint,
    unwrap,
    verified,
    wrap,
)

from . import pinning
from .alarms import raise_alarm
from .custodians import RECOVERY, grant_to_recovery
from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger, last_leaf
from .person import Person, group_of, kind_of
from .rosters import Listed, write_roster
from .vouching import trail_of_rows

GRANT_PLANTED = "teamsleutel_ondergeschoven"


def fingerprint_words(fingerprint: bytes) -> str:
    """A fingerprint as people read it to each other: eight groups of four."""
    return shown_fingerprint(fingerprint)


@dataclass(frozen=True)
class TeamKeyRow:
    """The newest key of a team, or of the statistics, and whether it is pinned for sealing."""

    group: str
    epoch: int
    fingerprint: bytes
    pinned: bool


def team_keys(session: Session, instance: Instance) -> dict[str, TeamKeyRow]:
    """The newest key of each team that has one; a row that holds no key counts for none."""
    pins, found = instance.pins(), dict[str, TeamKeyRow]()
    for row in session.scalars(select(TeamEpoch).order_by(TeamEpoch.epoch)):
        try:
            key = PublicKey(row.kind, row.team, row.epoch, row.public_key)
        except Onleesbaar:
            continue
        group = group_of(row.kind, row.team)
        found[group] = TeamKeyRow(group, row.epoch, key.fingerprint, pins.holds(key))
    return found


def unpinned_keys(session: Session, instance: Instance) -> list[PublicKey]:
    """Keys that may be pinned, for the console where they are compared: a first one, or one the last pinned signed.

    Whoever writes the database can plant rows, and a leaver of the last epoch can even sign one: what the program did
    not write itself is not offered, nor anything beside or after a pinned key that does not follow from it.
    """
    return _waiting(session, instance)[0]


def pin_as_shown(session: Session, instance: Instance, shown: PublicKey) -> bool:
    """Pin the key that was read out, in the caller's write transaction; False when it is not that key any more.

    While the operator telephones a member may replace the key, and with it goes what everybody was given: pinned after
    that, a team would seal to what nobody can open. Nobody replaces it between this look and the pin.
    """
    last_leaf(session)
    still = any(key == shown and key.fingerprint == shown.fingerprint for key in unpinned_keys(session, instance))
    if not still or not _granted(session, instance, shown):
        return False
    try:
        instance.add_pin(shown)
    except PinFault:  # another console was first
        return False
    return True


def _granted(session: Session, instance: Instance, key: PublicKey) -> bool:
    """Whether somebody was given the secret of this key, as the trail says."""
    if key.kind == "link":  # it is given to teams
        rows: Sequence[Base] = session.scalars(select(LinkGrant).where(LinkGrant.epoch == key.epoch)).all()
    else:
        rows = session.scalars(
            select(TeamGrant).where(
                TeamGrant.kind == key.kind, TeamGrant.team == str(key.owner or ""), TeamGrant.epoch == key.epoch
            )
        ).all()
    trail = trail_of_rows(session, instance, rows)
    return any(trail.agrees(row) for row in rows)


def planted_keys(session: Session, instance: Instance) -> list[str]:
    """Keys of teams in the database that no pin names and the program did not write, or nobody signed: for an alarm."""
    return _waiting(session, instance)[1]


def _waiting(session: Session, instance: Instance) -> tuple[list[PublicKey], list[str]]:
    pins, last = instance.pins(), dict[tuple[str, str], PublicKey]()
    offered, strange = list[PublicKey](), list[str]()
    rows = session.scalars(select(TeamEpoch).order_by(TeamEpoch.kind, TeamEpoch.team, TeamEpoch.epoch)).all()
    trail = trail_of_rows(session, instance, rows)
    for row in rows:
        name = pinning.pin_name(row.kind, row.team, row.epoch)
        try:
            key = PublicKey(row.kind, row.team, row.epoch, row.public_key)
        except Onleesbaar:
            strange.append(name)
            continue
        if pins.holds(key):
            last[row.kind, row.team] = key
        elif trail.agrees(row) and _may_follow(instance, last.get((row.kind, row.team)), key, row.signature):
            offered.append(key)
        else:
            strange.append(name)
    return offered, strange


def _may_follow(instance: Instance, before: PublicKey | None, key: PublicKey, signature: bytes | None) -> bool:
    if key.epoch == 1:
        return instance.pins().sealing(key.kind, str(key.owner or "")) is None
    return before is not None and key.epoch == before.epoch + 1 and signed_by(before, key, signature)


def signed_by(before: PublicKey, key: PublicKey, signature: bytes | None) -> bool:
    """Whether the epoch before signed this one."""
    statement = epoch_statement(key.kind, key.owner, key.epoch, key.fingerprint)
    return signature is not None and verified(before.verify_key, signature, statement)


def found_team(
    session: Session, instance: Instance, person: Person, root: bytes, team: str, *, now: datetime
) -> PublicKey:
    """The first member makes a team's secret. Nothing is sealed to it until its pin stands in the pin file.

    Where there are custodians, the member compared RECOVERY's key before: the secret is wrapped to it too.
    """
    kind, owner = kind_of(team)
    if not person.belongs_to(team):
        raise NotAllowed("niet_van_dit_team")
    if session.scalar(select(TeamEpoch.epoch).where(TeamEpoch.kind == kind, TeamEpoch.team == owner).limit(1)):
        raise NotAllowed("team_heeft_sleutel")
    pinning.require_believed(instance, person.pins, RECOVERY, instance.id.hex())
    keys = TeamKeys(owner, 1, new_key(), kind)
    ledger = Ledger(session, instance, now=now)
    ledger.add(TeamEpoch, kind=kind, team=owner, epoch=1, public_key=keys.pair.public.raw, made_at=now)
    grant(ledger, keys, person.user_id, person.pair.public, person.user_id)
    grant_to_recovery(session, instance, ledger, keys, grantor=person.user_id)
    mine = person.pair.public
    write_roster(session, ledger, keys, [Listed(person.user_id, mine.epoch, mine.fingerprint)])
    ledger.close(person.user_id, "team_gesticht", person.user_id)
    pinning.keep_made(session, root, person.user_id, keys.pair.public)
    return keys.pair.public


def grant(ledger: Ledger, keys: TeamKeys, member: bytes, key: PublicKey, grantor: bytes) -> None:
    """Wrap a secret to a member's key, as a new row of the caller's act."""
    wrapped = wrap(key, keys.secret, Grant("team_grant", keys.team, None, keys.epoch, grantor))
    ledger.add(
        TeamGrant, kind=keys.kind, team=keys.team, epoch=keys.epoch, member_id=member, grantor=grantor, wrapped=wrapped
    )


def grant_all(session: Session, ledger: Ledger, ring: Sequence[TeamKeys], key: PublicKey, grantor: bytes) -> None:
    """Wrap every epoch of a ring to a member's key; what was wrapped to an earlier key of theirs is replaced."""
    member = key.owner
    if not ring or not isinstance(member, bytes):
        raise ValueError("a member and the keys to give")
    rows = session.scalars(
        select(TeamGrant).where(
            TeamGrant.member_id == member, TeamGrant.kind == ring[0].kind, TeamGrant.team == ring[0].team
        )
    )
    held = {row.epoch: row for row in rows}
    for keys in ring:
        row = held.get(keys.epoch)
        if row is None:
            grant(ledger, keys, member, key, grantor)
        elif recipient_of(row.wrapped) != key.key_id:
            wrapped = wrap(key, keys.secret, Grant("team_grant", keys.team, None, keys.epoch, grantor))
            ledger.change(row, grantor=grantor, wrapped=wrapped)


def with_adopted_pins(
    session: Session, instance: Instance, user_id: bytes, bundle: dict[str, Any], *, now: datetime | None = None
) -> dict[str, Any]:
    """What a sign-in does with the pins: the bundle with the keys that follow from what this person pinned before.

    A successor that the epoch before signed, and a key this person made, are taken over. Everything else that is new
    waits for a comparison. A key that is pinned differently or not any more is refused, and so is a team's secret that
    is not that of the pinned key; with `now` each of them alarms.
    """
    held = pinning.compare(session, instance, bundle)
    if now is not None:
        for name in sorted(held.doubted):
            raise_alarm(session, instance, pinning.PIN_CHANGED, name, now=now)
        for name in _planted_grants(session, user_id, bundle, held):
            raise_alarm(session, instance, GRANT_PLANTED, f"{name} {user_id.hex()}", now=now)
    return pinning.taken_over(bundle, held)


def _planted_grants(session: Session, user_id: bytes, bundle: dict[str, Any], held: pinning.Held) -> list[str]:
    """The grants to this person that do not give the key they pinned."""
    rows = session.scalars(select(TeamGrant).where(TeamGrant.member_id == user_id)).all()
    if not rows:
        return []
    pair = user_key_pair(bytes.fromhex(bundle["seed"]), user_id, bundle["number"])
    found = []
    for row in rows:
        name = pinning.pin_name(row.kind, row.team, row.epoch)
        pinned = held.pins.get(name)
        # One that names another key than theirs is of an earlier key pair, or opens nothing: nothing to refuse.
        if pinned is None or recipient_of(row.wrapped) != pair.public.key_id:
            continue
        try:
            secret = unwrap(pair, row.wrapped, Grant("team_grant", row.team, None, row.epoch, row.grantor))
            given = TeamKeys(row.team, row.epoch, secret, row.kind).pair.public.fingerprint.hex()
        except (Onleesbaar, ValueError):
            given = ""
        if given != pinned:
            found.append(name)
    return found
