"""The last rung: two of three custodians bring a team back that nobody can open any more, at the console.

Works when nobody can sign in. What is opened is held against the pins at every step, so that altered rows and altered
pins are refused; whom the team's secret is given to is named and compared by people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import keys_restored, mail_address
from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.custody import RecoveryGrant, RecoveryPair
from weerbaar_meldpunt.store.people import Role, Roster, TeamEpoch, TeamGrant, User
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.codes import WrongCode, read_code
from weerbaar_meldpunt.vault.derive import ID_BYTES, equal, new_id, new_key
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys, custodian_key_pair, house_key_pair, pair_key
from weerbaar_meldpunt.vault.pins import Pins
from weerbaar_meldpunt.vault.seal import Binding, open_key
from weerbaar_meldpunt.vault.wrap import Grant, KeyPair, PublicKey, epoch_statement, recipient_of, sign, unwrap

from .alarms import raise_alarm
from .checkpoints import make_checkpoint
from .custodians import RECOVERY, Keeper, custodians, grant_to_recovery, mail_addresses
from .epochs import note_pins
from .errors import NotAllowed
from .instance import Instance
from .ledger import PROGRAM, Ledger
from .outbox import mail_row
from .person import ACTIVE, STAFF_ROLES, STATS, group_of, kind_of, open_user
from .rosters import Listed, write_roster
from .staff import StaffRow, fingerprint_of, staff
from .teamkeys import grant_all
from .vouching import vouched

RESTORED: Final = "team_hersteld"
GROUPS: Final = (*TEAMS, STATS)


class RecoveryRefused(Exception):
    """Why nothing was opened, in one line for the console; `altered` is what somebody changed, for an alarm."""

    def __init__(self, line: str, *, altered: str = "") -> None:
        super().__init__(line)
        self.altered = altered


@dataclass(frozen=True)
class Circle:
    """The custodians with their sealed shares, as they stand in the database or in a file for when there is none."""

    instance_id: bytes
    pins: Pins
    keepers: tuple[Keeper, ...]
    pairs: tuple[RecoveryPair, ...] = field(repr=False)

    def can(self) -> list[Keeper]:
        """The custodians who hold a share of a key that still counts."""
        holding = {one for pair in self.pairs for one in (pair.lower_id, pair.higher_id)}
        return [keeper for keeper in self.keepers if keeper.id in holding]

    def named(self, custodian_id: bytes) -> str:
        """A custodian's name."""
        return next((one.name for one in self.keepers if one.id == custodian_id), "?")


def circle_of(session: Session, instance: Instance) -> Circle:
    """The custodians in function and every share that still counts."""
    pairs = session.scalars(select(RecoveryPair).order_by(RecoveryPair.epoch, RecoveryPair.pair)).all()
    return Circle(instance.id, instance.pins(), tuple(custodians(session, instance)), tuple(pairs))


def check_code(circle: Circle, custodian_id: bytes, typed: str) -> KeyPair:
    """A custodian's key pair from their code; refused when it is not that of the pinned key."""
    name = circle.named(custodian_id)
    try:
        pair = custodian_key_pair(read_code(typed), circle.instance_id, custodian_id)
    except WrongCode:
        raise RecoveryRefused(f"what {name} typed is no code: look at the sheet again") from None
    pin = circle.pins.sealing("custodian", custodian_id.hex())
    if pin is None or not equal(pin.fingerprint, pair.public.fingerprint):
        raise RecoveryRefused(f"this is not the code of {name}, or the pin of {name} was altered")
    return pair


def open_recovery(circle: Circle, codes: Mapping[bytes, str]) -> dict[int, KeyPair]:
    """The RECOVERY key pairs that two custodians open with their codes, by epoch, each checked against its pin.

    More than one epoch only while a custodian was replaced and not every team followed yet. `RecoveryRefused` says
    why nothing was opened.
    """
    if len(codes) != 2:
        raise RecoveryRefused("two different custodians are needed")
    pairs = {one: check_code(circle, one, typed) for one, typed in codes.items()}
    shares = [row for row in circle.pairs if {row.lower_id, row.higher_id} == set(pairs)]
    if not shares:
        raise RecoveryRefused("these two hold no share together: one of them was replaced, or the shares were deleted")
    return {row.epoch: _opened(circle, row, pairs) for row in shares}


def _opened(circle: Circle, row: RecoveryPair, pairs: Mapping[bytes, KeyPair]) -> KeyPair:
    about, grant = f"{RECOVERY}/{row.epoch}/{row.pair}", Grant("custodian", row.pair, None, row.epoch)
    try:
        lower = unwrap(pairs[row.lower_id], row.lower_wrapped, grant)
        higher = unwrap(pairs[row.higher_id], row.higher_wrapped, grant)
        binding = Binding("recovery", None, row.pair, row.epoch)
        seed = open_key(pair_key(row.pair, lower, higher), row.sealed, binding)
    except (Onleesbaar, ValueError):
        raise RecoveryRefused(f"the shares {about} were altered: they do not open", altered=about) from None
    opened = house_key_pair(seed, RECOVERY, circle.instance_id, row.epoch)
    if not circle.pins.holds(opened.public):
        raise RecoveryRefused(f"what {about} gives is not the pinned key: rows or pins were altered", altered=about)
    return opened


# --- what RECOVERY opens -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """What RECOVERY opened of a group's secrets."""

    group: str
    ring: tuple[TeamKeys, ...] = field(repr=False)  # oldest first
    altered: tuple[str, ...] = ()  # wraps that gave another key than the pinned one, or nothing

    def complete(self, pins: Pins) -> bool:
        """Whether the secret that things are sealed to is among them."""
        pin = pins.sealing(*kind_of(self.group))
        return pin is not None and any(keys.epoch == pin.epoch for keys in self.ring)


def find_rings(session: Session, instance: Instance, opened: Mapping[int, KeyPair]) -> list[Found]:
    """The secrets of every team and of the statistics that these keys open, each held against its pin."""
    pins, found = instance.pins(), []
    rows = session.scalars(select(RecoveryGrant).where(RecoveryGrant.recovery_epoch.in_(opened))).all()
    for group in GROUPS:
        kind, team = kind_of(group)
        ring, altered = dict[int, TeamKeys](), list[str]()
        for row in sorted(rows, key=lambda one: (one.epoch, -one.recovery_epoch)):
            if (row.kind, row.team) != (kind, team) or row.epoch in ring:
                continue
            keys = _secret(row, opened[row.recovery_epoch])
            if keys is None or not pins.holds(keys.pair.public):
                altered.append(f"{kind}/{team}/{row.epoch}")
            else:
                ring[row.epoch] = keys
        found.append(Found(group, tuple(ring[epoch] for epoch in sorted(ring)), tuple(altered)))
    return found


def _secret(row: RecoveryGrant, pair: KeyPair) -> TeamKeys | None:
    try:
        secret = unwrap(pair, row.wrapped, Grant("recovery_grant", row.team, None, row.epoch, row.grantor))
        return TeamKeys(row.team, row.epoch, secret, row.kind)
    except (Onleesbaar, ValueError):
        return None


def candidates(session: Session, instance: Instance, group: str) -> list[StaffRow]:
    """The active accounts that belong to a group by role and have a key: to whom its secret may be given."""
    rows = staff(session, instance)
    return [row for row in rows if row.state == ACTIVE and row.fingerprint and group in row.groups()]


def holding(session: Session, found: Found, rows: Sequence[StaffRow]) -> set[bytes]:
    """Which of these people hold the newest secret of a group already, wrapped to the key they have now."""
    last = found.ring[-1]
    grants = session.scalars(
        select(TeamGrant).where(TeamGrant.kind == last.kind, TeamGrant.team == last.team, TeamGrant.epoch == last.epoch)
    )
    wrapped = {grant.member_id: recipient_of(grant.wrapped) for grant in grants}
    return {row.user_id for row in rows if row.fingerprint and wrapped.get(row.user_id) == row.fingerprint[:ID_BYTES]}


def alarm_altered(session: Session, instance: Instance, about: str, *, now: datetime) -> None:
    """Somebody changed what the custodians keep, or what they open."""
    raise_alarm(session, instance, "herstel_beschadigd", about, now=now)


# --- giving it back ------------------------------------------------------------------------------------------------


def restore_group(
    session: Session, instance: Instance, found: Found, members: Mapping[bytes, bytes], *, now: datetime
) -> PublicKey:
    """Give a group's secrets to named members, and make its next one: for them and RECOVERY only, signed by the last.

    `members` is the fingerprint of each that was compared at the console. What comes in from now on is not for those
    who held the secret before. The caller pins the answered key once this is committed, and calls `finish`.
    """
    if not found.complete(instance.pins()):
        raise RecoveryRefused(f"the key of {found.group} is not among what RECOVERY opened")
    if not members:
        raise RecoveryRefused("nobody was named")
    keys = {one: _compared_key(session, found.group, one, print_) for one, print_ in members.items()}
    last, ledger = found.ring[-1], Ledger(session, instance, now=now)
    _make_room(session, instance, ledger, last, now=now)
    fresh = TeamKeys(last.team, last.epoch + 1, new_key(), last.kind)
    public = fresh.pair.public
    ledger.add(
        TeamEpoch, kind=fresh.kind, team=fresh.team, epoch=fresh.epoch, public_key=public.raw, made_at=now,
        signature=sign(last.sign_seed, epoch_statement(fresh.kind, fresh.team, fresh.epoch, public.fingerprint)),
    )  # fmt: skip
    ring = (*found.ring, fresh)
    for key in keys.values():
        grant_all(session, ledger, ring, key, b"")
    for one in ring:
        grant_to_recovery(session, instance, ledger, one)
    listed = [Listed(user_id, key.epoch, key.fingerprint) for user_id, key in keys.items()]
    write_roster(session, ledger, fresh, listed)
    ledger.close(PROGRAM, RESTORED, public.key_id)
    raise_alarm(session, instance, RESTORED, f"{found.group}/{fresh.epoch}", now=now)
    return public


def _compared_key(session: Session, group: str, user_id: bytes, fingerprint: bytes) -> PublicKey:
    user = session.scalars(
        select(User).where(User.id == user_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    own = fingerprint_of(user) if user is not None and user.state == ACTIVE else None
    if user is None or user.public_key is None or own is None:
        raise NotAllowed("kan_niet_toelaten")
    if not equal(own, fingerprint):  # read in this transaction: it may have been replaced while they telephoned
        raise NotAllowed("sleutel_veranderd")
    roles = {(row.role, row.team) for row in session.scalars(select(Role).where(Role.user_id == user_id))}
    kind, team = kind_of(group)
    wanted = ("statistiekredacteur",) if kind == "stats" else ("behandelaar", "coordinator")
    if not any((role, team) in roles for role in wanted):
        raise NotAllowed("niet_van_dit_team")
    return PublicKey("user", user_id, user.key_number, user.public_key)


def _make_room(session: Session, instance: Instance, ledger: Ledger, last: TeamKeys, *, now: datetime) -> None:
    """Throw away a next epoch that was never pinned: nobody who could have made it can be asked any more."""
    row = session.get(TeamEpoch, (last.kind, last.team, last.epoch + 1), populate_existing=True)
    if row is None:
        return
    if not vouched(session, instance, row):
        about = f"{group_of(last.kind, last.team)}/{last.epoch + 1}"
        raise_alarm(session, instance, "opvolger_ondergeschoven", about, now=now)
    ledger.remove(row)
    for model in (TeamGrant, RecoveryGrant, Roster):
        rows = session.scalars(
            select(model).where(model.kind == last.kind, model.team == last.team, model.epoch == last.epoch + 1)
        ).all()
        for one in rows:
            ledger.remove(one)
    session.flush()


def finish(session: Session, instance: Instance, restored: Sequence[str], *, now: datetime) -> None:
    """After the new keys are pinned: note it, tell everybody by mail, and anchor the trail outside at once."""
    note_pins(session, instance, now=now)
    _tell_everybody(session, instance, now=now)
    if restored:
        make_checkpoint(session, instance, now=now)


def _tell_everybody(session: Session, instance: Instance, *, now: datetime) -> None:
    source, text = new_id(), keys_restored()
    told = [(one, mail_address(mail)) for one, mail in mail_addresses(session, instance)]
    holders = select(Role.user_id).where(Role.role.in_(STAFF_ROLES))
    for user in session.scalars(select(User).where(User.state == ACTIVE, User.id.in_(holders)).order_by(User.id)):
        try:
            told.append((user.id, mail_address(open_user(instance, user)[0])))
        except Onleesbaar:
            continue
    for one, address in told:
        if address:
            mail = mail_row(instance, text, source=source, recipient_id=one, address=address, wall=now)
            session.add(Outbox(**mail))
    session.flush()
