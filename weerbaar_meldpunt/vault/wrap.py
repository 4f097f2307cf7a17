"""Wrapping a key to a public key: HPKE base mode with X-Wing (ML-KEM-768 + X25519), post-quantum.

HPKE does not authenticate who wrapped: no key is believed because it opens something (docs/security.md, "Pins").
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ed25519, mlkem, x25519
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from .context import Part, context, shown
from .derive import ID_BYTES, KEY_BYTES, sha256
from .errors import Onleesbaar

MAGIC: Final = b"\x57\x4b\x01\x11"  # "WK", version 1, suite 0x11
_HEADER_BYTES: Final = len(MAGIC) + ID_BYTES
WRAPPED_BYTES: Final = _HEADER_BYTES + 1120 + 48
_MLKEM_PUBLIC, _X25519_PUBLIC = 1184, 32
PUBLIC_BYTES: Final = _MLKEM_PUBLIC + _X25519_PUBLIC
VERIFY_BYTES: Final = 32
_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

# Frozen, as the kinds of sealed objects are.
GRANT_KINDS: Final = frozenset(
    ("team_grant", "recovery_grant", "link_grant", "case_grant", "entry", "custodian", "backup")
)
# The kinds of public keys, each with its length: what names a successor carries a verify key.
KEY_KINDS: Final = dict.fromkeys(("team", "link", "stats"), PUBLIC_BYTES + VERIFY_BYTES) | dict.fromkeys(
    ("user", "reader", "custodian", "recovery", "backup"), PUBLIC_BYTES
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a wrapped key is for. `grantor` is a claim by whoever wrapped it, not a proof."""

    kind: str
    object: Part
    compartment: Part = None
    epoch: int = 0
    grantor: Part = None

    def __post_init__(self) -> None:
        if self.kind not in GRANT_KINDS:
            raise ValueError(f"not a kind of wrapped key: {self.kind}")

    def info(self, header: bytes) -> bytes:
        """The bytes the wrap is bound to."""
        return context("wrap", header, self.kind, self.object, self.compartment, self.epoch, self.grantor)

    def unreadable(self) -> Onleesbaar:
        """The error that names this grant."""
        return Onleesbaar(shown(self.kind, self.object, self.compartment, self.epoch))


@dataclass(frozen=True)
class PublicKey:
    """A public key with whose it is; `raw` is 1216 bytes, followed by a verify key for teams, link and stats."""

    kind: str
    owner: Part
    epoch: int
    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_KINDS.get(self.kind):
            raise self.unreadable()

    @cached_property
    def fingerprint(self) -> bytes:
        """All 256 bits; what pins store and people compare (the first 128 are shown)."""
        return sha256(context("fp", self.kind, self.owner, self.epoch, self.raw))

    @property
    def key_id(self) -> bytes:
        """The first 16 bytes of the fingerprint."""
        return self.fingerprint[:ID_BYTES]

    @property
    def verify_key(self) -> bytes:
        """The Ed25519 key that checks the signature on the next epoch."""
        return self.raw[PUBLIC_BYTES:]

    @cached_property
    def _hpke(self) -> MLKEM768X25519PublicKey:
        try:
            return MLKEM768X25519PublicKey(
                mlkem.MLKEM768PublicKey.from_public_bytes(self.raw[:_MLKEM_PUBLIC]),
                x25519.X25519PublicKey.from_public_bytes(self.raw[_MLKEM_PUBLIC:PUBLIC_BYTES]),
            )
        except ValueError:
            raise self.unreadable() from None

    def unreadable(self) -> Onleesbaar:
        """The error that names this key."""
        return Onleesbaar(shown("public_key", self.kind, self.owner, self.epoch))


def shown_fingerprint(fingerprint: bytes) -> str:
    """The first 128 bits as 8 groups of 4 hex digits, to read out over the telephone."""
    digits = fingerprint[:16].hex()
    return " ".join(digits[i : i + 4] for i in range(0, 32, 4))


@dataclass(frozen=True)
class KeyPair:
    """A key pair made from a 32-byte seed; the seed is all that is ever kept."""

    seed: bytes
    public: PublicKey
    _private: MLKEM768X25519PrivateKey = field(compare=False)

    def __repr__(self) -> str:
        return f"KeyPair({self.public.kind}, …)"


def _halves(seed: bytes) -> tuple[mlkem.MLKEM768PrivateKey, x25519.X25519PrivateKey]:
    """The two private halves, as X-Wing expands a seed (draft-connolly-cfrg-xwing-kem)."""
    if len(seed) != KEY_BYTES:
        raise ValueError("a key seed is 32 bytes")
    expanded = hashlib.shake_256(seed).digest(96)
    return (
        mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        x25519.X25519PrivateKey.from_private_bytes(expanded[64:]),
    )


def key_pair(seed: bytes, kind: str, owner: Part, epoch: int = 0, *, sign_seed: bytes | None = None) -> KeyPair:
    """The key pair of `seed`; with `sign_seed` its public part also carries the verify key."""
    ml, x = _halves(seed)
    raw = ml.public_key().public_bytes_raw() + x.public_key().public_bytes_raw()
    if sign_seed is not None:
        raw += ed25519.Ed25519PrivateKey.from_private_bytes(sign_seed).public_key().public_bytes_raw()
    return KeyPair(seed, PublicKey(kind, owner, epoch, raw), MLKEM768X25519PrivateKey(ml, x))


def wrap(recipient: PublicKey, secret: bytes, grant: Grant) -> bytes:
    """A 32-byte key that only the holder of `recipient` can unwrap: 1188 bytes."""
    if len(secret) != KEY_BYTES:
        raise ValueError("only 32-byte keys are wrapped")
    header = MAGIC + recipient.key_id
    try:
        return header + _SUITE.encrypt(secret, recipient._hpke, grant.info(header))
    except ValueError:  # a planted key: a point that gives every sender the same secret
        raise recipient.unreadable() from None


def unwrap(pair: KeyPair, wrapped: bytes, grant: Grant) -> bytes:
    """The key in a wrap; `Onleesbaar` for anything that is not exactly this grant to this pair."""
    header = MAGIC + pair.public.key_id
    if len(wrapped) != WRAPPED_BYTES or wrapped[:_HEADER_BYTES] != header:
        raise grant.unreadable()
    try:
        return _SUITE.decrypt(wrapped[_HEADER_BYTES:], pair._private, grant.info(header))
    except (InvalidTag, ValueError):
        raise grant.unreadable() from None


def verify_key_of(seed: bytes) -> bytes:
    """The public key that checks what `seed` signed."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def recipient_of(wrapped: bytes) -> bytes:
    """The key id a wrap names as its recipient; nothing for what is no wrap. A claim until it opens."""
    return wrapped[len(MAGIC) : _HEADER_BYTES] if wrapped.startswith(MAGIC) and len(wrapped) == WRAPPED_BYTES else b""


def sign(seed: bytes, message: bytes) -> bytes:
    """An Ed25519 signature over `message`."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verified(verify_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is that of `verify_key` over `message`."""
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(verify_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def epoch_statement(kind: str, owner: Part, epoch: int, fingerprint: bytes) -> bytes:
    """What epoch - 1 signs so that `epoch` may follow it."""
    return context("sign", kind, owner, epoch, fingerprint)
