"""Contexts: what a seal, a wrap, a hash or a signature is bound to, as bytes nobody can read two ways."""

from __future__ import annotations

import operator
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
    return b"%d" % operator.index(value)  # refuses what is not a whole number: its bytes would be frozen for ever


def context(label: str, *parts: Part) -> bytes:
    """The unambiguous bytes for `label` and its parts; an absent part is an empty one."""
    return b"".join([PREFIX, label.encode("ascii"), b"\0", *(length_prefixed(_part(p)) for p in parts)])


def shown(kind: str, *parts: Part) -> str:
    """What an object is called in an error or an alarm: its kind and where it belongs; nothing of its content."""
    return "/".join([kind, *(p.hex() if isinstance(p, bytes) else "-" if p is None else str(p) for p in parts)])
