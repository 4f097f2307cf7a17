"""The outside of a backup: whose it is, its stream key wrapped to who may open it, then one sealed stream.

    57 4D 42 01 | u32 length | JSON: instance, id, made, wraps, custody | sealed object of kind backup, to the end

The head is open, so that somebody with a drawer full of backups can tell them apart. It proves nothing: the wraps are
bound to the id, the stream to the id and its key, and what stands inside is signed under the server's key.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from .context import context
from .derive import ID_BYTES, equal, new_key, sha256
from .errors import Onleesbaar
from .files import FileSealer
from .keys import ServerKeys
from .wrap import Grant, PublicKey, key_pair, sign, unwrap, wrap

MAGIC: Final = b"\x57\x4d\x42\x01"  # "WMB", version 1
KIND: Final = "backup"
_MAX_HEAD: Final = 1024 * 1024


@dataclass(frozen=True)
class Head:
    """What stands in the open before a backup."""

    instance: bytes
    id: bytes
    made: str
    # The custodians' sealed shares of RECOVERY: two of them must be able to open a backup when nothing else is left.
    custody: Mapping[str, Any] = field(default_factory=dict)
    wraps: tuple[tuple[str, int, bytes], ...] = ()  # kind and epoch of the key, and the stream's key wrapped to it

    def unreadable(self) -> Onleesbaar:
        """The error that names this backup."""
        return Onleesbaar(f"{KIND}/{self.id.hex()}")


def start(target: BinaryIO, head: Head, recipients: Sequence[PublicKey]) -> FileSealer:
    """Write the head, with a fresh stream key wrapped to each recipient; answers what seals the stream."""
    key = new_key()
    wraps = [[one.kind, one.epoch, wrap(one, key, Grant(KIND, head.id)).hex()] for one in recipients]
    document = {
        "instance": head.instance.hex(), "id": head.id.hex(), "made": head.made, "wraps": wraps,
        "custody": dict(head.custody),
    }  # fmt: skip
    text = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    target.write(MAGIC + struct.pack(">I", len(text)) + text)
    return FileSealer(target, head.id, kind=KIND, fresh=key)


def read_head(source: BinaryIO) -> Head:
    """The head of a backup; the stream's first byte is next. `Onleesbaar` for what is no backup."""
    fault = Onleesbaar(KIND)
    start_of_file = source.read(len(MAGIC) + 4)
    if len(start_of_file) != len(MAGIC) + 4 or not start_of_file.startswith(MAGIC):
        raise fault
    (length,) = struct.unpack(">I", start_of_file[len(MAGIC) :])
    if length > _MAX_HEAD:
        raise fault
    try:
        document = json.loads(source.read(length))
        head = Head(
            bytes.fromhex(document["instance"]), bytes.fromhex(document["id"]), str(document["made"]),
            dict(document["custody"]),
            tuple((str(kind), int(epoch), bytes.fromhex(one)) for kind, epoch, one in document["wraps"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, RecursionError):
        raise fault from None
    if len(head.instance) != ID_BYTES or len(head.id) != ID_BYTES:
        raise fault
    return head


def stream_key(head: Head, kind: str, seed: bytes) -> bytes:
    """The stream's key, for who holds the seed of BACKUP or RECOVERY; `Onleesbaar` when it is not theirs."""
    for wrapped_to, epoch, wrapped in head.wraps:
        if wrapped_to == kind:
            try:
                return unwrap(key_pair(seed, kind, head.instance, epoch), wrapped, Grant(KIND, head.id))
            except (Onleesbaar, ValueError):
                continue
    raise head.unreadable()


def _statement(head: Head, manifest: bytes) -> bytes:
    return context("backup", head.instance, head.id, sha256(manifest))


def sign_manifest(server: ServerKeys, head: Head, manifest: bytes) -> bytes:
    """What shows that the desk itself made this backup: anybody could wrap a stream to its public keys."""
    return sign(server.checkpoint_seed, _statement(head, manifest))


def manifest_signed(server: ServerKeys, head: Head, manifest: bytes, signature: bytes) -> bool:
    """Whether the holder of this server key made the manifest. Ed25519 signs the same bytes the same way each time."""
    return equal(sign_manifest(server, head, manifest), signature)
