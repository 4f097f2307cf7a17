"""The next key of a team or of the statistics: made by a member after somebody left, signed by the one before.

Whoever left keeps what they could open, and opens nothing that is sealed once the new key is pinned. The old one goes
a day after the pin, when nothing refers to it any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import CaseGrant, Fold, Headline
from weerbaar_meldpunt.store.custody import EmergencyGrant, RecoveryGrant
from weerbaar_meldpunt.store.engine import insert_if_absent
from weerbaar_meldpunt.store.figures import EntryGrant, FiguresTable
from weerbaar_meldpunt.store.links import drop_segments_of_team
from weerbaar_meldpunt.store.membership import Departure, EpochPin
from weerbaar_meldpunt.store.people import Roster, TeamEpoch, TeamGrant, User
from weerbaar_meldpunt.vault.derive import new_key
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.pins import Pin
from weerbaar_meldpunt.vault.wrap import PublicKey, epoch_statement, sign

from . import linkkeys, pinning
from .alarms import raise_alarm
from .custodians import RECOVERY, grant_to_recovery, teams_to_renew
from .errors import NotAllowed
from .instance import Instance
from .labels import labelled
from .ledger import PROGRAM, Ledger, last_leaf
from .person import Person, group_of, kind_of, open_user
from .resealing import figures_resealed
from .rosters import Listed, read_roster, write_roster
from .staff import fingerprint_of
from .teamkeys import grant, planted_keys, signed_by
from .telling import members_of, tell
from .vouching import trail_of_rows, vouched

MADE, PINNED, DESTROYED = "nieuwe_sleutel", "sleutel_vastgelegd", "sleutel_vernietigd"
TOO_LATE: Final = "nieuwe_sleutel_te_laat"
KEY_PLANTED: Final = "opvolger_ondergeschoven"
KEY_MISSING: Final = "sleutelrij_ontbreekt"
FINGERPRINT_CHANGED: Final = "vingerafdruk_gewijzigd"
PATIENCE: Final = timedelta(hours=72)
REST: Final = timedelta(hours=24)  # an old key stays this long after the pin of the next one


@dataclass(frozen=True)
class Coming:
    """A member on the list who would get the next key, and what the acting member knows of theirs."""

    user_id: bytes
    name: str
    key: PublicKey
    compared: bool  # the acting member pinned this very key


@dataclass(frozen=True)
class KeyState:
    """Where the key of a group stands, for its members and for who administers."""

    group: str
    epoch: int  # the one that things are sealed to
    leavers: tuple[bytes, ...]  # who left and still knows it
    late: bool  # longer ago than is reasonable
    custodian_left: bool  # somebody who kept half of RECOVERY's key then has left
    waiting: PublicKey | None  # the next one, made and not pinned yet
    reseal: bool = False  # of the statistics: the figures are still under the key before

    @property
    def wants_new(self) -> bool:
        """Whether a member must make a new key, and nobody did yet."""
        return bool(self.leavers or self.custodian_left) and self.waiting is None


# --- where it stands -----------------------------------------------------------------------------------------------


def key_states(session: Session, instance: Instance, groups: Collection[str], *, now: datetime) -> list[KeyState]:
    """Where the keys of these groups stand; only of those that have a pinned one."""
    renew = {group_of(kind, team) for kind, team in teams_to_renew(session, instance)}
    found = []
    for group in groups:
        pin = instance.pins().sealing(*kind_of(group))
        if pin is None:
            continue
        left = _departures(session, group, pin.epoch)
        found.append(
            KeyState(
                group, pin.epoch, tuple(row.member_id for row in left),
                any(row.left_at + PATIENCE <= now for row in left), group in renew,
                _next(session, instance, group, pin.epoch),
                pin.kind == "stats" and not figures_resealed(session, instance),
            )
        )  # fmt: skip
    return found


def _departures(session: Session, group: str, epoch: int) -> Sequence[Departure]:
    kind, team = kind_of(group)
    return session.scalars(
        select(Departure)
        .where(Departure.kind == kind, Departure.team == team, Departure.epoch >= epoch)
        .order_by(Departure.left_at, Departure.member_id)
    ).all()


def _key(row: TeamEpoch) -> PublicKey | None:
    try:
        return PublicKey(row.kind, row.team, row.epoch, row.public_key)
    except Onleesbaar:
        return None


def _next(session: Session, instance: Instance, group: str, epoch: int) -> PublicKey | None:
    """The key that waits to be pinned after this epoch; nothing for a row that the program did not write."""
    kind, team = kind_of(group)
    row = session.get(TeamEpoch, (kind, team, epoch + 1), populate_existing=True)
    before = session.get(TeamEpoch, (kind, team, epoch), populate_existing=True)
    if row is None or before is None or not vouched(session, instance, row):
        return None
    key, older = _key(row), _key(before)
    if key is None or older is None or not instance.pins().holds(older):
        return None
    return key if signed_by(older, key, row.signature) else None


# --- making --------------------------------------------------------------------------------------------------------


def current_key(instance: Instance, person: Person, group: str) -> TeamKeys:
    """The key of a group that things are sealed to, when this person holds it and pinned the same."""
    ring = person.ring(group)
    if not ring:
        raise NotAllowed("geen_sleutel")
    pin = pinning.require_believed(instance, person.pins, *kind_of(group))
    if pin is None or ring[-1].pair.public.fingerprint != pin.fingerprint:
        raise NotAllowed("geen_sleutel")
    return ring[-1]


def coming(session: Session, instance: Instance, person: Person, group: str) -> list[Coming]:
    """The members on the list who still hold the key of now: who would get the next one.

    Whoever lost it is not among them, whatever roles or state they have by now: they are admitted anew. `Planted` when
    the list is not the program's, or a member's key in the database is not the one on the list.
    """
    current = current_key(instance, person, group)
    listed = {one.user_id: one for one in read_roster(session, instance, current)}
    held, found = _holding(session, instance, current) | {person.user_id}, []
    for user in members_of(session, group):
        one = listed.get(user.id) if user.id in held else None
        key = _listed_key(person, user, one) if one is not None else None
        if key is not None:
            found.append(Coming(user.id, open_user(instance, user)[1], key, _compared(person, key)))
    return sorted(found, key=lambda one: one.name.casefold())


def _holding(session: Session, instance: Instance, current: TeamKeys) -> set[bytes]:
    """Who was given the key of now and did not lose it, as the trail says: not as roles and states in rows say."""
    query = select(TeamGrant).where(
        TeamGrant.kind == current.kind, TeamGrant.team == current.team, TeamGrant.epoch == current.epoch
    )
    rows = session.scalars(query.execution_options(populate_existing=True)).all()
    trail = trail_of_rows(session, instance, rows)
    return {row.member_id for row in rows if trail.agrees(row)}


def _listed_key(person: Person, user: User, one: Listed) -> PublicKey | None:
    """The key of a member that the list vouches for; nothing for who made a new pair since and must be admitted anew.

    Of the acting member, who has the secret already, it is the own key of now.
    """
    if user.id == person.user_id:
        return person.pair.public
    if user.public_key is None or user.key_number != one.number:
        return None
    if fingerprint_of(user) != one.fingerprint:
        raise pinning.Planted("vingerafdruk_klopt_niet", FINGERPRINT_CHANGED, user.id.hex())
    return PublicKey("user", user.id, user.key_number, user.public_key)


def _compared(person: Person, key: PublicKey) -> bool:
    own = key.owner == person.user_id and key.fingerprint == person.pair.public.fingerprint
    return own or person.pins.get(pinning.name_of_key(key)) == key.fingerprint.hex()


def new_epoch(
    session: Session, instance: Instance, person: Person, root: bytes, group: str, *,
    without: Collection[bytes] = (), replaces: bytes | None = None, now: datetime,
) -> PublicKey:  # fmt: skip
    """A member makes the next secret: wrapped to the members on the list and RECOVERY only, signed by the one before.

    Whose key the acting member did not compare is refused; `without` names members who must be admitted anew then.
    `replaces` is the fingerprint of a next key that was made and never pinned. Of two at once, one is refused.
    """
    current = current_key(instance, person, group)
    pinning.require_believed(instance, person.pins, RECOVERY, instance.id.hex())
    members = [one for one in coming(session, instance, person, group) if one.user_id not in without]
    if person.user_id not in {one.user_id for one in members}:
        raise NotAllowed("niet_van_dit_team")
    if not all(one.compared for one in members):
        raise NotAllowed("eerst_collega_vergelijken")
    ledger = Ledger(session, instance, now=now)
    _make_room(session, instance, ledger, group, current.epoch, replaces, now=now)
    keys = TeamKeys(current.team, current.epoch + 1, new_key(), current.kind)
    public = keys.pair.public
    ledger.add(
        TeamEpoch, kind=keys.kind, team=keys.team, epoch=keys.epoch, public_key=public.raw, made_at=now,
        signature=sign(current.sign_seed, epoch_statement(keys.kind, keys.team, keys.epoch, public.fingerprint)),
    )  # fmt: skip
    for one in members:
        grant(ledger, keys, one.user_id, one.key, person.user_id)
    grant_to_recovery(session, instance, ledger, keys, grantor=person.user_id)
    if keys.kind == "team":
        linkkeys.renew(session, instance, ledger, person, public)
    write_roster(session, ledger, keys, [Listed(one.user_id, one.key.epoch, one.key.fingerprint) for one in members])
    try:
        ledger.close(person.user_id, MADE, public.key_id)
    except IntegrityError:  # a colleague was first: this one is discarded with the transaction
        raise NotAllowed("sleutel_was_er_al") from None
    pinning.keep_made(session, root, person.user_id, public)
    labelled("epoch/made")
    tell(session, instance, members_of(session, group), but=person.user_id, now=now)
    return public


def _make_room(
    session: Session, instance: Instance, ledger: Ledger, group: str, epoch: int, replaces: bytes | None, *,
    now: datetime,
) -> None:  # fmt: skip
    """Take away a next key that is planted, or the one this person means to replace; nothing else."""
    kind, team = kind_of(group)
    last_leaf(session)  # the console pins under the same lock: what it pinned meanwhile is not taken away
    pin = instance.pins().sealing(kind, team)
    if pin is None or pin.epoch != epoch:
        raise NotAllowed("sleutel_was_er_al")
    row = session.get(TeamEpoch, (kind, team, epoch + 1), populate_existing=True)
    if row is None:
        return
    waits = _next(session, instance, group, epoch)
    if waits is not None and waits.fingerprint != replaces:
        raise NotAllowed("sleutel_was_er_al")
    if waits is None:
        raise_alarm(session, instance, KEY_PLANTED, pinning.pin_name(kind, team, epoch + 1), now=now)
    ledger.remove(row)
    _take_away(session, ledger, kind, team, epoch + 1)
    session.flush()


def _take_away(
    session: Session, ledger: Ledger, kind: str, team: str, epoch: int, *, renewed: bool = False
) -> None:  # fmt: skip
    """Delete who was given an epoch, RECOVERY too, and its list; what gave access is buried.

    `renewed`: they all hold a later one. Buried, a backup from before it would open for nobody once it is put back.
    """
    for model in (TeamGrant, RecoveryGrant, Roster):
        rows = session.scalars(select(model).where(model.kind == kind, model.team == team, model.epoch == epoch))
        for row in rows.all():
            ledger.remove(row, renewed=renewed)


# --- what the clock does -------------------------------------------------------------------------------------------


def note_pins(session: Session, instance: Instance, *, now: datetime) -> int:
    """Note which keys are pinned by now, and drop what the team's caches held under the one before; answers how many.

    `meldpunt vault pin` calls it, and every sweep of the clock.
    """
    known = {tuple(row) for row in session.execute(select(EpochPin.kind, EpochPin.team, EpochPin.epoch))}
    fresh = [
        pin for pin in instance.pins().lines
        if pin.kind in ("team", "stats") and pin.sealing and (pin.kind, pin.owner, pin.epoch) not in known
    ]  # fmt: skip
    for pin in fresh:
        values = {"kind": pin.kind, "team": pin.owner, "epoch": pin.epoch, "seen_at": now}
        session.execute(insert_if_absent(session, EpochPin), values)
        if pin.epoch > 1:
            drop_caches(session, pin.owner)
        Ledger(session, instance, now=now).close(PROGRAM, PINNED, pin.fingerprint[:16])
    return len(fresh)


def drop_caches(session: Session, team: str) -> None:
    """Delete a team's caches: sessions make them again, under the key of now."""
    drop_segments_of_team(session, team)
    for model in (Fold, Headline):
        session.execute(delete(model).where(model.team == team))


def keep_watch(session: Session, instance: Instance, *, now: datetime, may_delete: bool) -> None:
    """What the clock does about keys each hour: note pins, alarm what is late or planted, destroy what is old.

    `may_delete` is whether the time can be believed.
    """
    note_pins(session, instance, now=now)
    for name in planted_keys(session, instance):
        raise_alarm(session, instance, KEY_PLANTED, name, now=now)
    for pin in instance.pins().lines:
        # Without it new reports go elsewhere, and open cases are written on under the key a leaver may know.
        if pin.sealing and pin.kind in ("team", "stats", "link") and not _stands(session, pin):
            raise_alarm(session, instance, KEY_MISSING, f"{pin.kind} {pin.owner or '-'}/{pin.epoch}", now=now)
    for kind, team, epoch in _sealing(instance):
        group = group_of(kind, team)
        late = any(row.left_at + PATIENCE <= now for row in _departures(session, group, epoch))
        if late and raise_alarm(session, instance, TOO_LATE, f"{group}/{epoch}", now=now):
            tell(session, instance, members_of(session, group), now=now)
    if may_delete:
        for kind, team, epoch in _destroyable(session, instance, now=now):
            destroy_epoch(session, instance, kind, team, epoch, now=now)


def _stands(session: Session, pin: Pin) -> bool:
    """Whether the database has the very key that a pin names."""
    row = session.get(TeamEpoch, (pin.kind, pin.owner, pin.epoch), populate_existing=True)
    key = _key(row) if row is not None else None
    return key is not None and key.fingerprint == pin.fingerprint


def _sealing(instance: Instance) -> Iterable[tuple[str, str, int]]:
    """The epoch of each team and of the statistics that things are sealed to."""
    pins = instance.pins().lines
    return [(pin.kind, pin.owner, pin.epoch) for pin in pins if pin.sealing and pin.kind in ("team", "stats")]


def _destroyable(session: Session, instance: Instance, *, now: datetime) -> Iterable[tuple[str, str, int]]:
    """The epochs that nothing refers to, a day after the next one was pinned, and that somebody still holds."""
    pinned = {(row.kind, row.team, row.epoch): row.seen_at for row in session.scalars(select(EpochPin))}
    for kind, team, sealing in _sealing(instance):
        held = {
            epoch
            for model in (TeamGrant, RecoveryGrant)
            for epoch in session.scalars(
                select(model.epoch).where(model.kind == kind, model.team == team, model.epoch < sealing).distinct()
            )
        }
        for epoch in sorted(held):
            later = [seen for (k, t, e), seen in pinned.items() if (k, t) == (kind, team) and e > epoch]
            if later and min(later) + REST <= now and references(session, instance, kind, team, epoch) == 0:
                yield kind, team, epoch


def references(session: Session, instance: Instance, kind: str, team: str, epoch: int) -> int:
    """How many keys and figures are still wrapped to an epoch: as long as there is one, it stays."""
    row = session.get(TeamEpoch, (kind, team, epoch))
    key = _key(row) if row else None
    pin = next((pin for pin in instance.pins().lines if (pin.kind, pin.owner, pin.epoch) == (kind, team, epoch)), None)
    if pin is None or key is None or key.fingerprint != pin.fingerprint:
        return 1  # what cannot be counted is not destroyed
    count = 0
    for column in (CaseGrant.recipient, EntryGrant.recipient, EmergencyGrant.recipient):
        count += session.scalar(select(func.count()).where(column == key.key_id)) or 0
    if kind == "stats" and session.scalar(select(func.count()).select_from(FiguresTable)):
        count += not figures_resealed(session, instance)
    return count


def destroy_epoch(session: Session, instance: Instance, kind: str, team: str, epoch: int, *, now: datetime) -> None:
    """Delete every grant of an epoch, the custodians' too: nobody opens anything with it any more."""
    row = session.get(TeamEpoch, (kind, team, epoch))
    key = _key(row) if row else None
    ledger = Ledger(session, instance, now=now)
    _take_away(session, ledger, kind, team, epoch, renewed=True)
    session.flush()
    ledger.close(PROGRAM, DESTROYED, key.key_id if key else instance.id)
    labelled("epoch/destroyed")
