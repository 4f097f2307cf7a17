"""Custodians and what they keep: RECOVERY, by which any two of three bring back a team that nobody can open any more.

RECOVERY is a key pair of the house. Its seed is stored only under pair keys, each made from a random half of two
custodians; a half opens with the code on that custodian's sheet. Members wrap the secrets of their teams to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.custody import Custodian, HouseKey, RecoveryGrant, RecoveryPair
from weerbaar_meldpunt.store.people import TeamEpoch
from weerbaar_meldpunt.vault.derive import new_key
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import PAIRS, TeamKeys, house_key_pair, pair_key
from weerbaar_meldpunt.vault.pins import PinFault
from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json, seal_key
from weerbaar_meldpunt.vault.wrap import Grant, PublicKey, wrap

from .alarms import raise_alarm
from .errors import NotAllowed
from .instance import Instance
from .ledger import PROGRAM, Ledger, last_leaf
from .person import Person
from .pinning import name_of_key
from .vouching import trail_of_rows

INVITED, KEYED, LEFT = "uitgenodigd", "sleutel", "vertrokken"
PLACES: Final = (1, 2, 3)
RECOVERY, BACKUP = "recovery", "backup"
DEVIATES: Final = "herstel_afwijkend"


@dataclass(frozen=True)
class Keeper:
    """A custodian in function, as the console and the staff see one."""

    id: bytes
    place: int
    name: str
    mail: str = field(repr=False)
    state: str
    key: PublicKey | None
    pinned: bool
    vouched: bool = True  # whether the row stands as the trail says: else somebody wrote in the database


def seal_contact(instance: Instance, custodian_id: bytes, revision: int, name: str, mail: str) -> bytes:
    """A custodian's name and address under the server's key, as those of accounts are."""
    return seal_json(
        instance.server.seal, {"name": name, "address": mail}, Binding("user", custodian_id, None, revision)
    )


def contact_of(instance: Instance, row: Custodian) -> tuple[str, str]:
    """A custodian's name and mail address."""
    document = open_json(instance.server.seal, row.sealed, Binding("user", row.id, None, row.revision))
    return document["name"], document["address"]


def custodian_key(row: Custodian) -> PublicKey | None:
    """The public key a custodian made; None while there is none, or what stands there is no key."""
    if row.public_key is None:
        return None
    try:
        return PublicKey("custodian", row.id, 0, row.public_key)
    except Onleesbaar:
        return None


def custodians(session: Session, instance: Instance) -> list[Keeper]:
    """The custodians in function, by their place."""
    pins, found = instance.pins(), []
    rows = session.scalars(
        select(Custodian).where(Custodian.state != LEFT).order_by(Custodian.place, Custodian.id)
    ).all()
    trail = trail_of_rows(session, instance, rows)
    for row in rows:
        key = custodian_key(row)
        try:
            name, mail = contact_of(instance, row)
        except Onleesbaar:  # with another server key: the fingerprint on the sheet still says who it is
            name, mail = "?", ""
        pinned = key is not None and pins.holds(key)
        found.append(Keeper(row.id, row.place, name, mail, row.state, key, pinned, trail.agrees(row)))
    return found


def mail_addresses(session: Session, instance: Instance) -> list[tuple[bytes, str]]:
    """Id and mail address of every custodian who has a key: to them the checkpoints go."""
    return [(one.id, one.mail) for one in custodians(session, instance) if one.mail and one.key is not None]


def pin_as_shown(session: Session, instance: Instance, shown: PublicKey) -> bool:
    """Pin the key on a custodian's sheet, in the caller's write transaction; False when it is not theirs any more."""
    last_leaf(session)
    offered = [one.key for one in custodians(session, instance) if one.vouched and not one.pinned]
    if not any(key is not None and key.fingerprint == shown.fingerprint for key in offered):
        return False
    try:
        instance.add_pin(shown)
    except PinFault:  # another console was first
        return False
    return True


# --- RECOVERY and BACKUP -------------------------------------------------------------------------------------------


def circle(session: Session, instance: Instance) -> dict[int, PublicKey]:
    """The pinned keys of the custodians in function, by place.

    A pin stays when its custodian leaves, so that only the trail says who is in function: a row that was written behind
    the program does not count, or who left could be put back in.
    """
    keepers = custodians(session, instance)
    return {one.place: one.key for one in keepers if one.pinned and one.vouched and one.key is not None}


def recovery_wanted(session: Session, instance: Instance) -> bool:
    """Whether three pinned custodians wait for a RECOVERY key of their own: the first, or after one was replaced."""
    keys = circle(session, instance)
    if set(keys) != set(PLACES):
        return False
    current = instance.house_key(session, RECOVERY)
    if current is None:
        return True
    held = {
        row.pair: (row.lower_id, row.higher_id)
        for row in session.scalars(select(RecoveryPair).where(RecoveryPair.epoch == current.epoch))
    }
    return held != {pair: (keys[int(pair[0])].owner, keys[int(pair[1])].owner) for pair in PAIRS}


def _next_epoch(instance: Instance, kind: str) -> int:
    pins = instance.pins().lines
    return 1 + max((pin.epoch for pin in pins if pin.key == (kind, instance.id.hex())), default=0)


def discard_unpinned(session: Session, instance: Instance, kind: str, *, now: datetime) -> bool:
    """Throw away keys of the house that no pin names, before a new one is made; whether there were any.

    They are left by a run that was cut off before it pinned, or were planted by somebody: nobody can tell, so it
    alarms.
    """
    first = _next_epoch(instance, kind)
    rows = list(session.scalars(select(HouseKey).where(HouseKey.kind == kind, HouseKey.epoch >= first)))
    pairs: Sequence[RecoveryPair] = ()
    if kind == RECOVERY:
        pairs = session.scalars(select(RecoveryPair).where(RecoveryPair.epoch >= first)).all()
    if not rows and not pairs:
        return False
    ledger = Ledger(session, instance, now=now)
    for row in (*rows, *pairs):
        ledger.remove(row)
    session.flush()
    ledger.close(PROGRAM, "sleutel_weggegooid", instance.id)
    raise_alarm(session, instance, "onbekende_sleutel", f"{kind}/{first}", now=now)
    return True


def make_recovery(session: Session, instance: Instance, *, now: datetime) -> PublicKey:
    """A new RECOVERY key pair for the three pinned custodians; its seed is stored for each two of them only.

    The caller pins the key once this transaction is committed.
    """
    keys = circle(session, instance)
    if set(keys) != set(PLACES):
        raise NotAllowed("bewaarders_niet_compleet")
    discard_unpinned(session, instance, RECOVERY, now=now)
    epoch, seed = _next_epoch(instance, RECOVERY), new_key()
    public = house_key_pair(seed, RECOVERY, instance.id, epoch).public
    ledger = Ledger(session, instance, now=now)
    ledger.add(HouseKey, kind=RECOVERY, epoch=epoch, public_key=public.raw, made_at=now)
    for pair in PAIRS:
        lower, higher, halves = keys[int(pair[0])], keys[int(pair[1])], (new_key(), new_key())
        grant = Grant("custodian", pair, None, epoch)
        ledger.add(
            RecoveryPair, epoch=epoch, pair=pair, lower_id=lower.owner, higher_id=higher.owner,
            lower_wrapped=wrap(lower, halves[0], grant), higher_wrapped=wrap(higher, halves[1], grant),
            sealed=seal_key(pair_key(pair, *halves), seed, Binding("recovery", None, pair, epoch)),
        )  # fmt: skip
    ledger.close(PROGRAM, "herstelsleutel_gemaakt", instance.id)
    return public


def make_recovery_as_shown(
    session: Session, instance: Instance, shown: Mapping[int, PublicKey], *, now: datetime
) -> PublicKey | None:
    """A new RECOVERY key for the three that were shown; None when they are not those any more, or another made it."""
    last_leaf(session)
    present = {place: key.fingerprint for place, key in circle(session, instance).items()}
    if present != {place: key.fingerprint for place, key in shown.items()} or not recovery_wanted(session, instance):
        return None
    return make_recovery(session, instance, now=now)


def pin_house_key(session: Session, instance: Instance, key: PublicKey) -> bool:
    """Pin a key of the house that was just made, in a write transaction; False when another console threw it away."""
    last_leaf(session)
    row = session.get(HouseKey, (key.kind, key.epoch), populate_existing=True)
    if row is None or row.public_key != key.raw:
        return False
    try:
        instance.add_pin(key)
    except PinFault:  # another console was first
        return False
    return True


def make_backup(session: Session, instance: Instance, *, now: datetime) -> tuple[PublicKey, bytes]:
    """A new BACKUP key pair: its public key, and the seed that is shown once for the offline sheet and kept nowhere.

    The caller pins the key once this transaction is committed.
    """
    discard_unpinned(session, instance, BACKUP, now=now)
    epoch, seed = _next_epoch(instance, BACKUP), new_key()
    public = house_key_pair(seed, BACKUP, instance.id, epoch).public
    ledger = Ledger(session, instance, now=now)
    ledger.add(HouseKey, kind=BACKUP, epoch=epoch, public_key=public.raw, made_at=now)
    ledger.close(PROGRAM, "backupsleutel_gemaakt", instance.id)
    return public, seed


# --- what members give to RECOVERY ---------------------------------------------------------------------------------


def recovery_key(session: Session, instance: Instance, *, now: datetime) -> PublicKey | None:
    """The pinned RECOVERY key; None while there is none. One that its pin does not name is refused, with an alarm."""
    key = instance.house_key(session, RECOVERY)
    pin = instance.pins().sealing(RECOVERY, instance.id.hex())
    if key is None and pin is not None:
        raise_alarm(session, instance, DEVIATES, f"{RECOVERY}/{pin.epoch}", now=now)
    return key


def grant_to_recovery(
    session: Session, instance: Instance, ledger: Ledger, keys: TeamKeys, *, grantor: bytes | None = None
) -> bool:
    """Wrap a TEAM or STATS secret to the pinned RECOVERY key, in an act of the caller; False where there is none yet.

    `grantor` is the member who gives it; empty at the console. What stands there as the trail says is left alone.
    """
    key = recovery_key(session, instance, now=ledger.now)
    if key is None:
        return False
    grant = Grant("recovery_grant", keys.team, None, keys.epoch, grantor)
    row = session.get(RecoveryGrant, (keys.kind, keys.team, keys.epoch, key.epoch))
    if row is None:
        ledger.add(
            RecoveryGrant, kind=keys.kind, team=keys.team, epoch=keys.epoch, recovery_epoch=key.epoch,
            grantor=grantor, wrapped=wrap(key, keys.secret, grant),
        )  # fmt: skip
    elif not trail_of_rows(session, instance, [row]).agrees(row):
        # Planted or damaged: two custodians would find nothing in it when it is all that is left.
        raise_alarm(session, instance, "herstel_beschadigd", f"{keys.kind}/{keys.team}/{keys.epoch}", now=ledger.now)
        ledger.change(row, grantor=grantor, wrapped=wrap(key, keys.secret, grant))
    return True


def missing_grants(session: Session, instance: Instance, person: Person) -> list[TeamKeys]:
    """The secrets this person holds that the newest RECOVERY key cannot open yet."""
    key = instance.house_key(session, RECOVERY)
    if key is None:
        return []
    have = _given(session, instance, key.epoch)
    rings = (*person.teams.values(), person.statistics)
    return [keys for ring in rings for keys in ring if (keys.kind, keys.team, keys.epoch) not in have]


def _given(session: Session, instance: Instance, epoch: int) -> set[tuple[str, str, int]]:
    """The secrets that an epoch of RECOVERY was given; what the trail does not vouch for opens nothing when it must."""
    rows = session.scalars(select(RecoveryGrant).where(RecoveryGrant.recovery_epoch == epoch)).all()
    trail = trail_of_rows(session, instance, rows)
    return {(row.kind, row.team, row.epoch) for row in rows if trail.agrees(row)}


def catch_up(session: Session, instance: Instance, person: Person, *, now: datetime) -> int:
    """Give RECOVERY what it lacks of this person's teams; answers how many secrets.

    For every act in which a member has the secrets at hand. Nothing is given to a RECOVERY key that the member did not
    compare: whoever changed the pin file would get all of it.
    """
    key = recovery_key(session, instance, now=now)
    if key is None or person.pins.get(name_of_key(key)) != key.fingerprint.hex():
        return 0
    missing = missing_grants(session, instance, person)
    if missing:
        ledger = Ledger(session, instance, now=now)
        for keys in missing:
            grant_to_recovery(session, instance, ledger, keys, grantor=person.user_id)
        ledger.close(person.user_id, "herstel_toegekend", person.user_id)
    retire_old(session, instance, now=now)
    return len(missing)


def retire_old(session: Session, instance: Instance, *, now: datetime) -> bool:
    """Destroy what older RECOVERY keys open, once the newest can do the same; whether anything went."""
    key = instance.house_key(session, RECOVERY)
    if key is None:
        return False
    pairs = session.scalars(select(RecoveryPair).where(RecoveryPair.epoch < key.epoch)).all()
    old = session.scalars(select(RecoveryGrant).where(RecoveryGrant.recovery_epoch < key.epoch)).all()
    if not old and not pairs:
        return False
    fresh = _given(session, instance, key.epoch)
    if any((row.kind, row.team, row.epoch) not in fresh for row in old):
        return False
    ledger = Ledger(session, instance, now=now)
    for row in (*old, *pairs):
        ledger.remove(row)
    session.flush()
    ledger.close(PROGRAM, "herstel_opgeruimd", instance.id)
    return True


def teams_to_renew(session: Session, instance: Instance) -> list[tuple[str, str]]:
    """Kind and team of which the sealing epoch is one that a custodian who left could help to open, from an old copy.

    Their members make a new epoch (docs/security.md, "People"); what is sealed from then on stays closed to them.
    """
    key = instance.house_key(session, RECOVERY)
    if key is None or key.epoch == 1:
        return []
    made = session.scalar(select(HouseKey.made_at).where(HouseKey.kind == RECOVERY, HouseKey.epoch == key.epoch))
    older = session.scalars(select(TeamEpoch).where(TeamEpoch.made_at < made).order_by(TeamEpoch.kind, TeamEpoch.team))
    sealing = {(pin.kind, pin.owner, pin.epoch) for pin in instance.pins().lines if pin.sealing}
    return [(row.kind, row.team) for row in older if (row.kind, row.team, row.epoch) in sealing]
