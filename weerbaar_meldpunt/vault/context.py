"""Contexts: what a seal, a wrap, a hash or a signature is bound to, as bytes nobody can read two ways."""

from __future__ import annotations

import struct

Part = bytes | str | int | None

PREFIX = b"wmp/v1/"


def length_prefixed(value: bytes) -> bytes:
    """`value` behind its length as four bytes, big-endian."""
    return struct.pack(">I", len(value)) + value


def _part(value: Part) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    return str(value).encode("ascii")


def context(label: str, *parts: Part) -> bytes:
    """The unambiguous bytes for `label` and its parts; an absent part is an empty one."""
    return b"".join([PREFIX, label.encode("ascii"), b"\0", *(length_prefixed(_part(p)) for p in parts)])
