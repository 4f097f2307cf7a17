"""The pins a person keeps in their own bundle, held against the pin file: which keys they believe, and why.

Under `pins` stands what the person compared or took over, as kind/owner/epoch: fingerprint in hex; colleagues too, as
kind `user`. Under `made` stands a key that this person made themselves and that waits to be pinned at the console.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.people import TeamEpoch
from weerbaar_meldpunt.vault.derive import equal
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.pins import Pin, Pins
from weerbaar_meldpunt.vault.wrap import PublicKey, epoch_statement, verified

from .bundles import change_bundle
from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger

COLLEAGUE: Final = "user"
_SIGNED: Final = frozenset(("team", "stats", "link"))  # kinds whose next epoch the one before signs
PIN_CHANGED: Final = "pin_gewijzigd"


class Planted(NotAllowed):
    """Something in the database or the pin file is not what the program or this person put there: refused, and alarmed.

    The refusal undoes the transaction, so that whoever catches it raises the alarm in one of its own.
    """

    def __init__(self, reason: str, alarm: str, about: str) -> None:
        super().__init__(reason)
        self.alarm, self.about = alarm, about


@dataclass(frozen=True)
class Held:
    """A bundle's pins beside the pin file."""

    pins: Mapping[str, str]  # everything believed: pinned before, or taken over just now
    made: Mapping[str, str]  # own keys that wait for the console
    adopted: frozenset[str]  # taken over just now: signed by the epoch before, or one's own
    fresh: tuple[Pin, ...]  # in the file, and nobody vouches for it: to be compared
    changed: tuple[str, ...]  # another fingerprint in the file than was pinned
    gone: tuple[str, ...]  # pinned once, and not in the file any more

    @property
    def doubted(self) -> frozenset[str]:
        """The keys that nothing is sealed to by this person until somebody looked."""
        return frozenset((*self.changed, *self.gone))

    @property
    def in_order(self) -> bool:
        """Whether the file holds exactly what this person believes."""
        return not (self.fresh or self.changed or self.gone)


def pin_name(kind: str, owner: str, epoch: int) -> str:
    """By what a key is pinned in a bundle; owner is a team's code, an id in hex, or nothing."""
    return f"{kind}/{owner}/{epoch}"


def name_of_key(key: PublicKey) -> str:
    """By what this very key is pinned in a bundle."""
    owner = key.owner.hex() if isinstance(key.owner, bytes) else str(key.owner or "")
    return pin_name(key.kind, owner, key.epoch)


def _name(pin: Pin) -> str:
    return pin_name(pin.kind, pin.owner, pin.epoch)


def is_colleague(name: str) -> bool:
    """Whether a pin of a bundle is that of a colleague, which the pin file does not hold."""
    return name.startswith(f"{COLLEAGUE}/")


def compare(session: Session, instance: Instance, bundle: Mapping[str, Any]) -> Held:
    """Hold a bundle's pins against the pin file. Reads only; a signed successor is believed, nothing else that is new.

    A key that is pinned differently, or not any more, is never taken over: the bundle's own pin stays.
    """
    own: Mapping[str, str] = bundle["pins"]
    made: Mapping[str, str] = bundle.get("made", {})
    file = {_name(pin): pin for pin in instance.pins().lines}
    ours = {name: digest for name, digest in own.items() if not is_colleague(name)}
    changed = tuple(name for name in ours if name in file and file[name].fingerprint.hex() != ours[name])
    gone = tuple(name for name in ours if name not in file)
    adopted: dict[str, str] = {}
    fresh: list[Pin] = []
    for name, pin in sorted(file.items(), key=lambda item: item[1].epoch):
        if name in ours:
            continue
        before = pin_name(pin.kind, pin.owner, pin.epoch - 1)
        known = (ours | adopted).get(before)
        mine = made.get(name) == pin.fingerprint.hex()
        if mine or (known and before not in changed and _signed(session, pin, known)):
            adopted[name] = pin.fingerprint.hex()
        else:
            fresh.append(pin)
    waiting = {name: digest for name, digest in made.items() if name not in file}
    return Held({**own, **adopted}, waiting, frozenset(adopted), tuple(fresh), changed, gone)


def _signed(session: Session, pin: Pin, known: str) -> bool:
    """Whether the epoch before, which is pinned as `known`, signed this one."""
    if pin.kind not in _SIGNED:
        return False
    query = select(TeamEpoch).where(
        TeamEpoch.kind == pin.kind, TeamEpoch.team == pin.owner, TeamEpoch.epoch.in_((pin.epoch - 1, pin.epoch))
    )
    rows = {row.epoch: row for row in session.scalars(query)}
    before, row = rows.get(pin.epoch - 1), rows.get(pin.epoch)
    if before is None or row is None or row.signature is None:
        return False
    try:
        older = PublicKey(before.kind, before.team, before.epoch, before.public_key)
        newer = PublicKey(row.kind, row.team, row.epoch, row.public_key)
    except Onleesbaar:
        return False
    if older.fingerprint.hex() != known or newer.fingerprint != pin.fingerprint:
        return False
    return verified(older.verify_key, row.signature, epoch_statement(pin.kind, pin.owner, pin.epoch, pin.fingerprint))


def taken_over(bundle: Mapping[str, Any], held: Held) -> dict[str, Any]:
    """The bundle with what was adopted; what was pinned before is never changed."""
    return {**bundle, "pins": dict(held.pins), "made": dict(held.made)}


def digest_of(pins: Mapping[str, str]) -> bytes:
    """The digest over a bundle's pins, colleagues left out: equal to that of the file when they hold the same."""
    lines = []
    for name, digest in pins.items():
        kind, owner, epoch = name.split("/")
        if kind != COLLEAGUE:
            lines.append(Pin(kind, owner, int(epoch), bytes.fromhex(digest), sealing=False))
    return Pins(tuple(lines)).digest


def accept(
    session: Session, instance: Instance, user_id: bytes, root: bytes, *, digest: bytes, now: datetime
) -> tuple[Pin, ...]:
    """Pin every new key of the pin file, after comparing the digest with a colleague; answers which were new.

    Refused when the file is not the one whose digest was compared, and while a key that was pinned is another or gone.
    """
    if not equal(instance.pins().digest, digest):
        raise NotAllowed("sleutels_veranderd")
    new: list[Pin] = []

    def with_all(bundle: dict[str, Any]) -> dict[str, Any]:
        held = compare(session, instance, bundle)
        if held.doubted:
            raise Planted("pin_klopt_niet", PIN_CHANGED, sorted(held.doubted)[0])
        new.extend(held.fresh)
        kept = taken_over(bundle, held)
        kept["pins"] |= {_name(pin): pin.fingerprint.hex() for pin in held.fresh}
        return kept

    change_bundle(session, root, user_id, with_all)
    Ledger(session, instance, now=now).close(user_id, "sleutels_vergeleken", user_id)
    return tuple(new)


def keep_colleague(session: Session, root: bytes, user_id: bytes, key: PublicKey) -> None:
    """Pin the key of a colleague that this person compared; a later key number is another pin."""

    def with_key(bundle: dict[str, Any]) -> dict[str, Any]:
        return bundle | {"pins": bundle["pins"] | {name_of_key(key): key.fingerprint.hex()}}

    change_bundle(session, root, user_id, with_key)


def keep_made(session: Session, root: bytes, user_id: bytes, key: PublicKey) -> None:
    """Remember a key that this person made: it is believed as soon as the console pinned that very one."""

    def with_key(bundle: dict[str, Any]) -> dict[str, Any]:
        return bundle | {"made": bundle.get("made", {}) | {name_of_key(key): key.fingerprint.hex()}}

    change_bundle(session, root, user_id, with_key)


def require_believed(instance: Instance, pins: Mapping[str, str], kind: str, owner: str) -> Pin | None:
    """The pin that things are sealed to, when this person pinned the same; nothing when there is none.

    `NotAllowed` when the person has not compared it yet; `Planted` when they pinned another one.
    """
    pin = instance.pins().sealing(kind, owner)
    if pin is None:
        return None
    known = pins.get(_name(pin))
    if known is None:
        raise NotAllowed("eerst_sleutels_vergelijken")
    if known != pin.fingerprint.hex():
        raise Planted("pin_klopt_niet", PIN_CHANGED, _name(pin))
    return pin
