"""The pin file: the fingerprints that keys in the database must match before anything is sealed to them.

A line is: kind, owner (a team's code, an id in hex, or -), epoch, fingerprint in hex, and `sealing` or nothing.
Every epoch keeps its line, and one epoch of each key is the one that new things are sealed to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from .context import Part, context
from .derive import ID_BYTES, sha256
from .wrap import KEY_KINDS, PublicKey

_NAMED: Final = frozenset(("team", "link", "stats"))  # their owner is a code or nothing; all others have an id
_FIRST_EPOCH: Final = {"custodian": 0}  # a custodian's key has no epochs; all others count from 1
_SEALING: Final = "sealing"
_FINGERPRINT_DIGITS: Final = 64


class PinFault(ValueError):
    """The pin file cannot be read, skips or repeats an epoch, or does not name one sealing epoch for each key."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One line: this key of this owner and epoch has this fingerprint."""

    kind: str
    owner: str
    epoch: int
    fingerprint: bytes
    sealing: bool

    def line(self) -> str:
        """The line as it stands in the file."""
        words = [self.kind, self.owner or "-", str(self.epoch), self.fingerprint.hex(), *[_SEALING] * self.sealing]
        return " ".join(words)

    @property
    def key(self) -> tuple[str, str]:
        """Whose key it is, whatever the epoch."""
        return self.kind, self.owner


def _owner(key: PublicKey) -> str:
    """A key's owner as it stands in the file: a team's code, an id in hex, nothing for what has no owner."""
    return key.owner.hex() if isinstance(key.owner, bytes) else str(key.owner or "")


def _owner_part(pin: Pin) -> Part:
    """A pin's owner as it is hashed: a code as it is, an id as its raw bytes."""
    return pin.owner if pin.kind in _NAMED else bytes.fromhex(pin.owner)


def _read(line: str) -> Pin:
    """One line; `ValueError` for what is not a pin."""
    kind, owner, epoch, digest, *rest = line.split()
    if kind not in KEY_KINDS or kind == "reader" or rest not in ([], [_SEALING]):
        raise ValueError
    if str(int(epoch)) != epoch or len(digest) != _FINGERPRINT_DIGITS:
        raise ValueError
    if kind not in _NAMED and (len(owner) != 2 * ID_BYTES or bytes.fromhex(owner).hex() != owner):
        raise ValueError
    return Pin(kind, "" if owner == "-" else owner, int(epoch), bytes.fromhex(digest), bool(rest))


@dataclass(frozen=True)
class Pins:
    """All pins, with one sealing epoch a key."""

    lines: tuple[Pin, ...]

    @classmethod
    def parse(cls, text: str) -> Pins:
        """Read the file; `PinFault` names the line, or the key whose lines do not belong together."""
        pins: list[Pin] = []
        newest: dict[tuple[str, str], int] = {}
        sealing: set[tuple[str, str]] = set()
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            try:
                pin = _read(line)
            except ValueError:
                raise PinFault(f"pin file, line {number}: not a pin") from None
            if pin.epoch != newest.get(pin.key, _FIRST_EPOCH.get(pin.kind, 1) - 1) + 1:
                raise PinFault(f"pin file, line {number}: an epoch stands twice, is missing or out of order")
            if pin.sealing and pin.key in sealing:
                raise PinFault(f"pin file, line {number}: a second sealing epoch for one key")
            newest[pin.key] = pin.epoch
            sealing |= {pin.key} if pin.sealing else set()
            pins.append(pin)
        for kind, owner in newest:
            if (kind, owner) not in sealing:
                raise PinFault(f"pin file: no sealing epoch for {kind} {owner or '-'}")
        return cls(tuple(pins))

    def text(self) -> str:
        """The file's text."""
        return "".join(pin.line() + "\n" for pin in self.lines)

    @cached_property
    def digest(self) -> bytes:
        """One hash over all pins, which two people can compare by telephone as they do a fingerprint."""
        found = sorted(self.lines, key=lambda pin: (*pin.key, pin.epoch))
        parts = ((pin.kind, _owner_part(pin), pin.epoch, pin.fingerprint) for pin in found)
        return sha256(context("pins", *(part for pin in parts for part in pin)))

    @cached_property
    def _all(self) -> dict[tuple[str, str, int], Pin]:
        return {(pin.kind, pin.owner, pin.epoch): pin for pin in self.lines}

    @cached_property
    def _sealing(self) -> dict[tuple[str, str], Pin]:
        return {pin.key: pin for pin in self.lines if pin.sealing}

    def sealing(self, kind: str, owner: str) -> Pin | None:
        """The pin that new things are sealed to."""
        return self._sealing.get((kind, owner))

    def holds(self, key: PublicKey) -> bool:
        """Whether this very key, owner and epoch is pinned."""
        pin = self._all.get((key.kind, _owner(key), key.epoch))
        return pin is not None and pin.fingerprint == key.fingerprint

    def with_sealing(self, key: PublicKey) -> Pins:
        """These pins with `key` added as the sealing epoch of its owner; an epoch is never replaced or skipped."""
        owner = _owner(key)
        older = [pin for pin in self.lines if pin.key == (key.kind, owner)]
        if key.epoch != max((pin.epoch for pin in older), default=_FIRST_EPOCH.get(key.kind, 1) - 1) + 1:
            raise PinFault("a pin is never replaced and no epoch is skipped")
        kept = (
            Pin(p.kind, p.owner, p.epoch, p.fingerprint, p.sealing and p.key != (key.kind, owner)) for p in self.lines
        )
        return Pins((*kept, Pin(key.kind, owner, key.epoch, key.fingerprint, sealing=True)))


def pins_of(keys: Iterable[PublicKey]) -> Pins:
    """A first pin file for these keys."""
    pins = Pins(())
    for key in keys:
        pins = pins.with_sealing(key)
    return pins
