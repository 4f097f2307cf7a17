"""From a password to a key: Argon2id (RFC 9106) with the server's pepper.

No password hash is kept: opening ROOT is the check. The costs are set here and never read from the database,
so that a changed row cannot exhaust the server. One lane only: with more, two threads at once can wait for
each other for ever (docs/security.md, "Primitives").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from .context import context
from .derive import ID_BYTES, KEY_BYTES, hkdf, new_key
from .seal import SealKey

KDF_NUMBER: Final = 1
LANES: Final = 1
SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess costs: KiB of memory and passes over it."""

    memory_kib: int = 131_072
    passes: int = 3


COST = Cost()


def pepper_id(pepper: bytes) -> bytes:
    """16 bytes that say which pepper a row was made with."""
    return hkdf(pepper, "id", length=ID_BYTES)


def password_key(password: str, *, salt: bytes, pepper: bytes, user_id: bytes) -> SealKey:
    """The key that seals a user's ROOT under the password, taken exactly as it was typed.

    Takes half a second and 128 MiB on purpose.
    """
    raw = Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=COST.passes,
        lanes=LANES,
        memory_cost=COST.memory_kib,
        ad=context("pw", user_id),
        secret=pepper,
    ).derive(password.encode())
    return SealKey(hkdf(raw, "kek/pw", salt=user_id))


def recovery_key(code: bytes, user_id: bytes) -> SealKey:
    """The key that seals a user's ROOT under the printed recovery code."""
    return SealKey(hkdf(code, "kek/rc", salt=user_id))


def new_root() -> bytes:
    """A fresh ROOT: everything a user can open hangs from it."""
    return new_key()
