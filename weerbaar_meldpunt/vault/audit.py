"""Hashes of the audit trail: each leaf names what changed, each leaf hangs from the one before."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from .context import Part, context, length_prefixed
from .derive import KEY_BYTES, sha256
from .wrap import sign, verified, verify_key_of

START: Final = bytes(32)  # what the first leaf hangs from
Value = bytes | str | int | bool | datetime | None


def _moment(value: datetime) -> str:
    """A moment as it is hashed: UTC, ISO, to the second."""
    if value.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _plain(value: Value) -> Part:
    return _moment(value) if isinstance(value, datetime) else value


def row_hash(table: str, columns: Mapping[str, Value]) -> bytes:
    """The hash of one row over all its columns in alphabetical order."""
    parts: list[Part] = [table]
    for name in sorted(columns):
        parts += [name, _plain(columns[name])]
    return sha256(context("row", *parts))


def rows_hash(rows: Iterable[tuple[str, bytes, bytes]]) -> bytes:
    """The hash over (table, row id, row hash) of everything one change wrote; a deleted row has an empty hash."""
    return sha256(context("rows", *(part for row in rows for part in row)))


def leaf(seq: int, at: datetime, actor: bytes, action: str, subject: bytes, rows: bytes, body: bytes) -> bytes:
    """The leaf of one change or opening; `body` is the hash of the sealed body, empty when there is none."""
    return sha256(b"\0" + context("audit", seq, _moment(at), actor, action, subject, rows, body))


def chain(previous: bytes, leaf_hash: bytes) -> bytes:
    """The head of the chain after `leaf_hash`."""
    return sha256(b"\2" + previous + leaf_hash)


# --- tombstones and checkpoints ------------------------------------------------------------------------------------

_ORIGIN: Final = "weerbaar-meldpunt/"
_LINES: Final = 6
_SIGNATURE_BYTES: Final = 64


def case_tombstone(case_id: bytes) -> bytes:
    """By what an erased case is known: of its row, the id alone."""
    return row_hash("case", {"id": case_id})


def tombstone_head(previous: bytes, entries: Iterable[tuple[date, bytes]]) -> tuple[bytes, int]:
    """The head after one more set of tombstones, and how many they are; in order of day and hash."""
    digest, count = hashlib.sha256(context("tombstones", previous)), 0
    for day, row in entries:
        digest.update(length_prefixed(day.isoformat().encode()) + length_prefixed(row))
        count += 1
    return digest.digest(), count


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far the trail and the tombstones were at a moment."""

    instance_id: bytes
    size: int
    chain: bytes
    tombstones: int
    tombstone_head: bytes
    at: datetime

    @property
    def text(self) -> str:
        """What is signed: six lines of ASCII."""
        return "".join(
            f"{line}\n"
            for line in (
                _ORIGIN + self.instance_id.hex(), self.size, _b64(self.chain), self.tombstones,
                _b64(self.tombstone_head), _moment(self.at),
            )
        )  # fmt: skip

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read such a text; `ValueError` for anything that is not exactly one."""
        origin, size, chain_head, tombstones, head, at = text.removesuffix("\n").split("\n")
        found = cls(
            bytes.fromhex(origin.removeprefix(_ORIGIN)), int(size), base64.b64decode(chain_head, validate=True),
            int(tombstones), base64.b64decode(head, validate=True), datetime.fromisoformat(at),
        )  # fmt: skip
        if found.text != text:
            raise ValueError("not a checkpoint")
        return found


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint as it came from outside: perhaps with the key that signed it and its signature."""

    checkpoint: Checkpoint
    key: bytes | None = None
    signature: bytes | None = None

    @property
    def signed(self) -> bool:
        """Whether the key that stands beside the text signed it."""
        both = self.key is not None and self.signature is not None
        return both and verified(self.key or b"", self.signature or b"", self.checkpoint.text.encode())


def sign_checkpoint(seed: bytes, checkpoint: Checkpoint) -> bytes:
    """The program's Ed25519 signature over the text."""
    return sign(seed, checkpoint.text.encode())


def checkpoint_key(seed: bytes) -> bytes:
    """The public key that checks checkpoints."""
    return verify_key_of(seed)


def mailed(checkpoint: Checkpoint, seed: bytes, signature: bytes) -> str:
    """A checkpoint as it is mailed: its text, the public key and the signature, a line each."""
    return f"{checkpoint.text}{_b64(checkpoint_key(seed))}\n{_b64(signature)}\n"


def read_anchor(text: str) -> Anchor:
    """The checkpoint somewhere in a text, as in a mail that was kept or copied over; `ValueError` when there is none.

    Marks of quoting, spaces and empty lines between are left out. Without the signature it still can be compared.
    """
    lines = [line.strip().lstrip(">").strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    for place, line in enumerate(lines):
        if line.startswith(_ORIGIN):
            found = Checkpoint.parse("".join(f"{one}\n" for one in lines[place : place + _LINES]))
            key, signature = (_unb64(one) for one in [*lines[place + _LINES : place + _LINES + 2], "", ""][:2])
            if key is None or signature is None or len(key) != KEY_BYTES or len(signature) != _SIGNATURE_BYTES:
                return Anchor(found)
            return Anchor(found, key, signature)
    raise ValueError("there is no checkpoint in this text")


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _unb64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
