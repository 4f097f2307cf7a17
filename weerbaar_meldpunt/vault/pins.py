"""The pin file: the fingerprints that keys in the database must match before anything is sealed to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from .wrap import PublicKey


class PinFault(ValueError):
    """The pin file cannot be read, or it names no or more than one sealing epoch for a key."""


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
        return " ".join(
            [
                self.kind,
                self.owner or "-",
                str(self.epoch),
                self.fingerprint.hex(),
                *(["sealing"] * self.sealing),
            ]
        )


def _owner(key: PublicKey) -> str:
    """A key's owner as it stands in the file: a team's code, an id in hex, nothing for what has no owner."""
    return key.owner.hex() if isinstance(key.owner, bytes) else str(key.owner or "")


@dataclass(frozen=True)
class Pins:
    """All pins, with one sealing epoch a key."""

    lines: tuple[Pin, ...]

    @classmethod
    def parse(cls, text: str) -> Pins:
        """Read the file; `PinFault` names the line."""
        pins = []
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            try:
                kind, owner, epoch, digest, *rest = words
                fingerprint = bytes.fromhex(digest)
                pin = Pin(kind, "" if owner == "-" else owner, int(epoch), fingerprint, rest == ["sealing"])
                if len(fingerprint) != 32 or rest not in ([], ["sealing"]):
                    raise ValueError
            except ValueError:
                raise PinFault(f"pin file, line {number}: not a pin") from None
            pins.append(pin)
        found = cls(tuple(pins))
        if len(found._sealing) != sum(pin.sealing for pin in pins):
            raise PinFault("pin file: two sealing epochs for one key")
        if len(found._all) != len(pins):
            raise PinFault("pin file: one epoch of a key stands twice")
        return found

    def text(self) -> str:
        """The file's text."""
        return "".join(pin.line() + "\n" for pin in self.lines)

    @cached_property
    def _all(self) -> dict[tuple[str, str, int], Pin]:
        return {(pin.kind, pin.owner, pin.epoch): pin for pin in self.lines}

    @cached_property
    def _sealing(self) -> dict[tuple[str, str], Pin]:
        return {(pin.kind, pin.owner): pin for pin in self.lines if pin.sealing}

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
        known = [pin.epoch for pin in self.lines if (pin.kind, pin.owner) == (key.kind, owner)]
        if key.epoch != max(known, default=key.epoch - 1) + 1:
            raise PinFault("a pin is never replaced and no epoch is skipped")
        older = (
            Pin(p.kind, p.owner, p.epoch, p.fingerprint, p.sealing and (p.kind, p.owner) != (key.kind, owner))
            for p in self.lines
        )
        return Pins((*older, Pin(key.kind, owner, key.epoch, key.fingerprint, True)))


def pins_of(keys: Iterable[PublicKey]) -> Pins:
    """A first pin file for these keys."""
    pins = Pins(())
    for key in keys:
        pins = pins.with_sealing(key)
    return pins
