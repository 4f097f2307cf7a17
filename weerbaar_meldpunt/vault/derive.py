"""Deriving, comparing and making random bytes: HKDF-SHA256 and HMAC-SHA256 (RFC 5869, RFC 2104)."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .context import PREFIX

ID_BYTES = 16
KEY_BYTES = 32


def hkdf(key: bytes, info: str, *, salt: bytes = b"", length: int = KEY_BYTES) -> bytes:
    """`length` bytes derived from `key` for the use named by `info`."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt or None, info=PREFIX + info.encode()).derive(key)


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 of `message` under `key`."""
    return hmac.new(key, message, hashlib.sha256).digest()


def sha256(data: bytes) -> bytes:
    """SHA-256 of `data`."""
    return hashlib.sha256(data).digest()


def equal(left: bytes, right: bytes) -> bool:
    """Whether two byte strings are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(left, right)


def random_bytes(count: int) -> bytes:
    """`count` bytes from the system's generator."""
    return secrets.token_bytes(count)


def random_below(limit: int) -> int:
    """A uniform whole number from 0 to `limit` - 1."""
    return secrets.randbelow(limit)


def new_id() -> bytes:
    """A random row id of 16 bytes; it says nothing about order or time."""
    return secrets.token_bytes(ID_BYTES)


def new_key() -> bytes:
    """A fresh 32-byte key."""
    return secrets.token_bytes(KEY_BYTES)
