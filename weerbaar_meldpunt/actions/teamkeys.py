"""The keys of teams: made by the first member, pinned at the console, given to a colleague after a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.people import Bundle, Role, TeamEpoch, TeamGrant, User
from weerbaar_meldpunt.vault.derive import equal, new_key
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.wrap import Grant, PublicKey, epoch_statement, shown_fingerprint, verified, wrap

from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .people import ACTIVE, STATS, TEAM_ROLES, Person, open_bundle, seal_bundle


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
    """The newest key of each team that has one."""
    pins, found = instance.pins(), dict[str, TeamKeyRow]()
    for row in session.scalars(select(TeamEpoch).order_by(TeamEpoch.epoch)):
        key = PublicKey(row.kind, row.team, row.epoch, row.public_key)
        group = STATS if row.kind == "stats" else row.team
        found[group] = TeamKeyRow(group, row.epoch, key.fingerprint, pins.holds(key))
    return found


def unpinned_keys(session: Session, instance: Instance) -> list[PublicKey]:
    """Keys that may be pinned, for the console where they are compared: a first one, or one the last pinned signed.

    Whoever writes the database can plant rows; none of those is offered beside or after a pinned key.
    """
    pins, last, found = instance.pins(), dict[tuple[str, str], PublicKey](), []
    rows = session.scalars(select(TeamEpoch).order_by(TeamEpoch.kind, TeamEpoch.team, TeamEpoch.epoch))
    for row in rows:
        try:
            key = PublicKey(row.kind, row.team, row.epoch, row.public_key)
        except Onleesbaar:
            continue
        before = last.get((row.kind, row.team))
        if pins.holds(key):
            last[row.kind, row.team] = key
        elif row.epoch == 1:
            if pins.sealing(row.kind, row.team) is None:
                found.append(key)
        elif before is not None and row.epoch == before.epoch + 1 and _signed(before, key, row.signature):
            found.append(key)
    return found


def _signed(before: PublicKey, key: PublicKey, signature: bytes | None) -> bool:
    statement = epoch_statement(key.kind, key.owner, key.epoch, key.fingerprint)
    return signature is not None and verified(before.verify_key, signature, statement)


def _pin_in_bundle(session: Session, root: bytes, user_id: bytes, key: PublicKey) -> None:
    row = session.scalars(select(Bundle).where(Bundle.user_id == user_id)).one()
    bundle = open_bundle(root, row)
    owner = key.owner if isinstance(key.owner, str) else ""
    bundle["pins"][f"{key.kind}/{owner}/{key.epoch}"] = key.fingerprint.hex()
    row.sealed = seal_bundle(root, user_id, row.revision + 1, bundle)
    row.revision += 1
    session.flush()


def found_team(
    session: Session, instance: Instance, person: Person, root: bytes, team: str, *, now: datetime
) -> PublicKey:
    """The first member makes a team's secret. Nothing is sealed to it until its pin stands in the pin file."""
    kind = "stats" if team == STATS else "team"
    owner = "" if team == STATS else team
    allowed = person.has("statistiekredacteur") if kind == "stats" else person.member_of(team)
    if not allowed:
        raise NotAllowed("niet_van_dit_team")
    if session.scalar(select(TeamEpoch.epoch).where(TeamEpoch.kind == kind, TeamEpoch.team == owner)):
        raise NotAllowed("team_heeft_sleutel")
    keys = TeamKeys(owner, 1, new_key(), kind)
    ledger = Ledger(session, instance, now=now)
    ledger.add(TeamEpoch, kind=kind, team=owner, epoch=1, public_key=keys.pair.public.raw, made_at=now)
    _grant(ledger, keys, person.user_id, person.pair.public, person.user_id)
    ledger.close(person.user_id, "team_gesticht", person.user_id)
    _pin_in_bundle(session, root, person.user_id, keys.pair.public)
    return keys.pair.public


def _grant(ledger: Ledger, keys: TeamKeys, member: bytes, key: PublicKey, grantor: bytes) -> None:
    grant = Grant("team_grant", keys.team, None, keys.epoch, grantor)
    ledger.add(
        TeamGrant, kind=keys.kind, team=keys.team, epoch=keys.epoch, member_id=member, grantor=grantor,
        wrapped=wrap(key, keys.secret, grant),
    )  # fmt: skip


def admit(
    session: Session, instance: Instance, by: Person, user_id: bytes, team: str, *, fingerprint: bytes, now: datetime
) -> None:
    """A member gives a colleague the team's secret, all epochs of it: to the key with the fingerprint they compared."""
    kind = "stats" if team == STATS else "team"
    keys = by.statistics if kind == "stats" else by.teams.get(team, ())
    user = session.scalars(select(User).where(User.id == user_id)).one_or_none()
    wanted = ("statistiekredacteur",) if kind == "stats" else tuple(TEAM_ROLES)
    role = select(Role.role).where(
        Role.user_id == user_id, Role.team == ("" if kind == "stats" else team), Role.role.in_(wanted)
    )
    if not keys or user is None or user.public_key is None or user.state != ACTIVE or user_id == by.user_id:
        raise NotAllowed("kan_niet_toelaten")
    if not session.scalar(role.limit(1)):
        raise NotAllowed("niet_van_dit_team")
    held = session.scalars(
        select(TeamGrant.epoch).where(
            TeamGrant.member_id == user_id, TeamGrant.kind == kind, TeamGrant.team == keys[0].team
        )
    ).all()
    public = PublicKey("user", user_id, user.key_number, user.public_key)
    # Read in this transaction: what the page showed may have been replaced while they telephoned.
    if not equal(public.fingerprint, fingerprint):
        raise NotAllowed("sleutel_veranderd")
    ledger = Ledger(session, instance, now=now)
    for epoch in keys:
        if epoch.epoch not in held:
            _grant(ledger, epoch, user_id, public, by.user_id)
    ledger.close(by.user_id, "toegelaten", user_id)


def with_adopted_pins(session: Session, instance: Instance, user_id: bytes, bundle: dict[str, Any]) -> dict[str, Any]:
    """The bundle with the pins of keys this member was granted since; what is pinned already is never changed."""
    grants = session.scalars(select(TeamGrant).where(TeamGrant.member_id == user_id)).all()
    pins = {(pin.kind, pin.owner, pin.epoch): pin.fingerprint.hex() for pin in instance.pins().lines} if grants else {}
    fresh = {
        f"{grant.kind}/{grant.team}/{grant.epoch}": pins[grant.kind, grant.team, grant.epoch]
        for grant in grants
        if (grant.kind, grant.team, grant.epoch) in pins
    }
    return bundle | {"pins": fresh | bundle["pins"]}
