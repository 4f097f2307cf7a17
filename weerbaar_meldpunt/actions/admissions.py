"""Admission to a team's key, in two steps: a colleague compares by telephone and proposes, a coordinator approves.

The approver is a coordinator who holds the key and did not compare. Where no coordinator of the team holds it (and
among who makes the figures), it is any other holder. Where there is no other holder at all, as when the second member
ever comes in, whoever compared approves too, and the trail says that they did it alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.membership import Admission
from weerbaar_meldpunt.store.people import Role, TeamEpoch, TeamGrant, User
from weerbaar_meldpunt.vault.derive import equal
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.wrap import PublicKey, recipient_of

from . import pinning
from .alarms import raise_alarm
from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .person import ACTIVE, STATS, TEAM_ROLES, Person, group_of, kind_of, open_user
from .rosters import Listed, read_roster, with_member, write_roster
from .staff import fingerprint_of
from .teamkeys import grant_all
from .telling import members_of, tell
from .vouching import trail_of_rows, vouched

PROPOSED: Final = "toelating_voorgesteld"
ADMITTED, ADMITTED_ALONE = "toegelaten", "toegelaten_alleen"
PROPOSAL_PLANTED: Final = "toelating_ondergeschoven"
EPOCH_WAITS: Final = "eerst_vastleggen"


@dataclass(frozen=True)
class Proposal:
    """Somebody who waits to be admitted after a comparison, as the page shows it."""

    group: str
    member_id: bytes
    name: str
    fingerprint: bytes
    proposed_by: bytes
    proposed_name: str
    proposed_at: datetime
    approvers: frozenset[bytes]  # who may approve it now


def holders(session: Session, group: str) -> dict[bytes, frozenset[str]]:
    """The active members of a group to whom its secret was granted, each with their roles in it."""
    kind, team = kind_of(group)
    roles = ("statistiekredacteur",) if group == STATS else tuple(TEAM_ROLES)
    rows = session.execute(
        select(User.id, Role.role)
        .join(Role, Role.user_id == User.id)
        .where(
            User.state == ACTIVE, Role.role.in_(roles), Role.team == team,
            select(TeamGrant.epoch)
            .where(TeamGrant.member_id == User.id, TeamGrant.kind == kind, TeamGrant.team == team)
            .exists(),
        )
    ).all()  # fmt: skip
    found: dict[bytes, frozenset[str]] = {}
    for user_id, role in rows:
        found[user_id] = found.get(user_id, frozenset()) | {role}
    return found


def approvers(session: Session, group: str, *, proposed_by: bytes, member: bytes) -> frozenset[bytes]:
    """Who may approve a proposal of this person; themselves only when nobody else holds the key."""
    held = {user_id: roles for user_id, roles in holders(session, group).items() if user_id != member}
    others = {user_id: roles for user_id, roles in held.items() if user_id != proposed_by}
    if not others:
        return frozenset({proposed_by} & held.keys())
    if any("coordinator" in roles for roles in held.values()):
        return frozenset(user_id for user_id, roles in others.items() if "coordinator" in roles)
    return frozenset(others)


def _candidate(session: Session, user_id: bytes, group: str) -> PublicKey:
    """The key of an active account that belongs to the group by role; `NotAllowed` for everybody else."""
    user = session.scalars(
        select(User).where(User.id == user_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if user is None or user.public_key is None or user.state != ACTIVE or fingerprint_of(user) is None:
        raise NotAllowed("kan_niet_toelaten")
    if user_id not in {member.id for member in members_of(session, group)}:
        raise NotAllowed("niet_van_dit_team")
    return PublicKey("user", user_id, user.key_number, user.public_key)


def _ring(session: Session, instance: Instance, by: Person, group: str) -> tuple[TeamKeys, ...]:
    """The keys this person may give away: all that are pinned, and the newest is the one things are sealed to."""
    ring = by.ring(group)
    if not ring:
        raise NotAllowed("geen_sleutel")
    pin = pinning.require_believed(instance, by.pins, *kind_of(group))
    if pin is None or pin.fingerprint != ring[-1].pair.public.fingerprint:
        raise NotAllowed("geen_sleutel")
    kind, team = kind_of(group)
    later = select(TeamEpoch.epoch).where(
        TeamEpoch.kind == kind, TeamEpoch.team == team, TeamEpoch.epoch > ring[-1].epoch
    )
    if session.scalar(later.limit(1)) is not None:  # who comes in now would lack it
        raise NotAllowed(EPOCH_WAITS)
    return ring


def propose(
    session: Session, instance: Instance, by: Person, root: bytes, user_id: bytes, group: str, *,
    fingerprint: bytes, digest: bytes, now: datetime,
) -> None:  # fmt: skip
    """A colleague who holds the key compared the member's fingerprint and the digest of the pins by telephone.

    `fingerprint` and `digest` are what the page showed: when either is another by now, they have to call again.
    """
    _ring(session, instance, by, group)
    if user_id == by.user_id:
        raise NotAllowed("kan_niet_toelaten")
    key = _candidate(session, user_id, group)
    held = pinning.compare(session, instance, by.bundle)
    if held.doubted:
        raise pinning.Planted("pin_klopt_niet", pinning.PIN_CHANGED, sorted(held.doubted)[0])
    if held.fresh:
        raise NotAllowed("eerst_sleutels_vergelijken")
    if not equal(key.fingerprint, fingerprint) or not equal(pinning.digest_of(held.pins), digest):
        raise NotAllowed("sleutel_veranderd")
    if _holds_all(session, instance, user_id, group, key):
        raise NotAllowed("al_toegelaten")
    kind, team = kind_of(group)
    ledger = Ledger(session, instance, now=now)
    row = _row(session, user_id, group)
    values = {"fingerprint": key.fingerprint, "proposed_by": by.user_id, "proposed_at": now}
    if row is None:
        ledger.add(Admission, kind=kind, team=team, member_id=user_id, **values)
    else:
        ledger.change(row, **values)
    ledger.close(by.user_id, PROPOSED, user_id)
    pinning.keep_colleague(session, root, by.user_id, key)
    waiting = approvers(session, group, proposed_by=by.user_id, member=user_id)
    tell(
        session, instance, [user for user in members_of(session, group) if user.id in waiting], but=by.user_id, now=now
    )


def _holds_all(session: Session, instance: Instance, user_id: bytes, group: str, key: PublicKey) -> bool:
    """Whether the sealing epoch was granted to this very key already."""
    kind, team = kind_of(group)
    pin = instance.pins().sealing(kind, team)
    row = session.get(TeamGrant, (kind, team, pin.epoch, user_id)) if pin else None
    return row is not None and recipient_of(row.wrapped) == key.key_id


def _row(session: Session, user_id: bytes, group: str) -> Admission | None:
    kind, team = kind_of(group)
    return session.scalars(
        select(Admission)
        .where(Admission.kind == kind, Admission.team == team, Admission.member_id == user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def approve(session: Session, instance: Instance, by: Person, user_id: bytes, group: str, *, now: datetime) -> bool:
    """A second person agrees: all epochs of the secret to the very key that was compared, and a place on the list.

    Answers whether whoever compared approved too, because the team has no other holder.
    """
    ring = _ring(session, instance, by, group)
    row = _row(session, user_id, group)
    if row is None:
        raise NotAllowed("geen_voorstel_toelating")
    if not vouched(session, instance, row):
        raise pinning.Planted("voorstel_klopt_niet", PROPOSAL_PLANTED, f"{group} {user_id.hex()}")
    if row.proposed_by not in holders(session, group):  # who compared has left meanwhile
        raise NotAllowed("geen_voorstel_toelating")
    if by.user_id not in approvers(session, group, proposed_by=row.proposed_by, member=user_id):
        raise NotAllowed("tweede_toelater")
    key = _candidate(session, user_id, group)
    if not equal(key.fingerprint, row.fingerprint):
        raise NotAllowed("sleutel_veranderd")
    alone = row.proposed_by == by.user_id
    listed = read_roster(session, instance, ring[-1])
    if alone and _others_hold(session, instance, ring[-1], listed, {by.user_id, user_id}):
        raise NotAllowed("tweede_toelater")
    ledger = Ledger(session, instance, now=now)
    grant_all(session, ledger, ring, key, by.user_id)
    write_roster(session, ledger, ring[-1], with_member(listed, Listed(user_id, key.epoch, key.fingerprint)))
    ledger.remove(row)
    session.flush()
    ledger.close(by.user_id, ADMITTED_ALONE if alone else ADMITTED, user_id)
    if alone and len(listed) > 1:  # not the second member there ever was: colleagues lost the key meanwhile
        raise_alarm(session, instance, ADMITTED_ALONE, f"{group} {user_id.hex()}", now=now)
    tell(session, instance, members_of(session, group), but=by.user_id, now=now)
    return alone


def _others_hold(
    session: Session, instance: Instance, keys: TeamKeys, listed: Sequence[Listed], but: Collection[bytes]
) -> bool:
    """Whether somebody else of the list was given this key and did not lose it, by the trail.

    States and roles of accounts are no rows of the trail: whoever hides a colleague in them is not alone by that.
    """
    rows = session.scalars(
        select(TeamGrant)
        .where(
            TeamGrant.kind == keys.kind, TeamGrant.team == keys.team, TeamGrant.epoch == keys.epoch,
            TeamGrant.member_id.in_({one.user_id for one in listed} - set(but)),
        )
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    trail = trail_of_rows(session, instance, rows)
    return any(trail.agrees(row) for row in rows)


def withdraw(session: Session, instance: Instance, by: Person, user_id: bytes, group: str, *, now: datetime) -> None:
    """A member of the team takes a proposal away: the comparison was wrong, or a coordinator does not agree."""
    row = _row(session, user_id, group)
    if row is None or not by.ring(group):
        raise NotAllowed("geen_voorstel_toelating")
    ledger = Ledger(session, instance, now=now)
    ledger.remove(row)
    session.flush()
    ledger.close(by.user_id, "toelating_ingetrokken", user_id)


def proposals(session: Session, instance: Instance, groups: Collection[str]) -> list[Proposal]:
    """Who waits for an approval in these groups, oldest first."""
    rows = session.execute(
        select(Admission, User).join(User, User.id == Admission.member_id).order_by(Admission.proposed_at)
    ).all()
    names = {
        user.id: open_user(instance, user)[1]
        for user in session.scalars(select(User).where(User.id.in_({row.proposed_by for row, _ in rows})))
    }
    found = []
    for row, user in rows:
        group = group_of(row.kind, row.team)
        if group not in groups:
            continue
        found.append(
            Proposal(
                group, user.id, open_user(instance, user)[1], row.fingerprint, row.proposed_by,
                names.get(row.proposed_by, "?"), row.proposed_at,
                approvers(session, group, proposed_by=row.proposed_by, member=user.id),
            )
        )  # fmt: skip
    return found
