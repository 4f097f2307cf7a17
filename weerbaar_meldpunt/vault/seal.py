"""Sealing what must stay unread by anyone who holds only the database.

A seal (C2SP chunked-encryption: HKDF-SHA512, AES-256-GCM, committed key) hides content and shows tampering
or a swap between rows. It does not hide that an object exists, how long it is within its padding step, or
anything from a process that holds the keys.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag

from .context import Part, context, shown
from .derive import ID_BYTES, KEY_BYTES, hkdf
from .errors import Onleesbaar

MAGIC: Final = b"\x57\x4d\x01\x01"  # "WM", version 1, suite 1 (Cobblestone-256)
HEADER_BYTES: Final = len(MAGIC) + ID_BYTES
OVERHEAD: Final = 92  # header, salt 24, commitment 32, one tag 16; 16 more for each whole chunk of 16 KiB
MAX_JSON_BYTES: Final = 1024 * 1024
_SMALL_STEP, _LARGE_STEP, _SMALL_LIMIT = 512, 4096, 4096

# Frozen: a kind names one use for ever, whatever a table or column comes to be called (docs/security.md, "Kinds").
KINDS: Final = frozenset(
    (
        "root_pw", "root_rc", "bundle", "case_doc", "message", "event", "note", "attachment", "file", "preview",
        "epoch", "claim", "draft", "fold", "headline", "segment", "roster", "link", "fact", "emergency", "link_fold",
        "figures", "recovery", "session", "presession", "user", "notify", "outbox", "duty", "export", "backup",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a sealed object belongs. Kinds are frozen: tables and columns may be renamed, kinds never."""

    kind: str
    owner: Part = None
    row: Part = None
    revision: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"not a kind of sealed object: {self.kind}")

    def context(self, header: bytes) -> bytes:
        """The bytes the seal is bound to."""
        return context("seal", header, self.kind, self.owner, self.row, self.revision)

    def unreadable(self) -> Onleesbaar:
        """The error that names this object."""
        return Onleesbaar(shown(self.kind, self.owner, self.row))


@dataclass(frozen=True)
class SealKey:
    """A symmetric key and the id by which an object says that it was sealed under it."""

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError("a seal key is 32 bytes")

    def __repr__(self) -> str:
        return "SealKey(…)"

    @cached_property
    def id(self) -> bytes:
        """16 bytes derived from the key; gives nothing of it away."""
        return hkdf(self.secret, "id", length=ID_BYTES)

    @cached_property
    def header(self) -> bytes:
        """The first 20 bytes of everything sealed under this key."""
        return MAGIC + self.id


def seal(key: SealKey, plain: bytes, binding: Binding) -> bytes:
    """A sealed object that only `key` opens, and only where `binding` says it belongs."""
    encryptor = Cobblestone256Encryptor(key.secret, binding.context(key.header))
    return key.header + encryptor.update(plain) + encryptor.finalize()


def open_sealed(key: SealKey, sealed: bytes, binding: Binding) -> bytes:
    """The plain bytes; `Onleesbaar` for anything that is not exactly this object under this key."""
    if sealed[:HEADER_BYTES] != key.header or len(sealed) < OVERHEAD:
        raise binding.unreadable()
    decryptor = Cobblestone256Decryptor(key.secret, binding.context(key.header))
    try:
        return decryptor.update(sealed[HEADER_BYTES:]) + decryptor.finalize()
    except (InvalidTag, ValueError):
        raise binding.unreadable() from None


def pad(plain: bytes) -> bytes:
    """`plain` with its length hidden in steps of 512 bytes, above 4 KiB in steps of 4 KiB."""
    if len(plain) > MAX_JSON_BYTES:
        raise ValueError("a sealed document holds at most 1 MiB")
    step = _SMALL_STEP if len(plain) + 1 <= _SMALL_LIMIT else _LARGE_STEP
    return plain + b"\x80" + bytes(-(len(plain) + 1) % step)


def unpad(padded: bytes) -> bytes:
    """The bytes before the padding; padding without its mark is unreadable."""
    plain = padded.rstrip(b"\0")
    if not plain.endswith(b"\x80"):
        raise Onleesbaar
    return plain[:-1]


def seal_json(key: SealKey, document: Any, binding: Binding) -> bytes:
    """A JSON document, padded and sealed; `ValueError` for what is not JSON, not UTF-8 or above 1 MiB."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return seal(key, pad(text.encode()), binding)


def open_json(key: SealKey, sealed: bytes, binding: Binding) -> Any:
    """The JSON document in a sealed object."""
    padded = open_sealed(key, sealed, binding)
    try:
        return json.loads(unpad(padded).decode())
    except (Onleesbaar, ValueError, RecursionError):
        raise binding.unreadable() from None


def seal_key(key: SealKey, secret: bytes, binding: Binding) -> bytes:
    """A raw 32-byte key under another key: 124 bytes, unpadded."""
    if len(secret) != KEY_BYTES:
        raise ValueError("only 32-byte keys are sealed raw")
    return seal(key, secret, binding)


def open_key(key: SealKey, sealed: bytes, binding: Binding) -> bytes:
    """The raw 32-byte key in a sealed object."""
    secret = open_sealed(key, sealed, binding)
    if len(secret) != KEY_BYTES:
        raise binding.unreadable()
    return secret
