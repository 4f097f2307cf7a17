"""Evidence files: sealed as they stream in, padded to 64 KiB steps, never whole in memory and never plain on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag

from .derive import new_key
from .seal import HEADER_BYTES, Binding, SealKey

STEP: Final = 64 * 1024
_READ: Final = 256 * 1024
_MARK: Final = b"\x80"


def _binding(kind: str, blob_id: bytes) -> Binding:
    """Without an owner: a file comes before its case. Its key and hash, sealed with the case, bind it there."""
    if kind not in ("file", "preview", "backup"):
        raise ValueError(kind)
    return Binding(kind, None, blob_id, 0)


class FileSealer:
    """Seals what is written to it straight into `target`; counts and hashes the plain bytes on the way."""

    def __init__(self, target: BinaryIO, blob_id: bytes, *, kind: str = "file", fresh: bytes = b"") -> None:
        self.key = fresh or new_key()
        self.size = 0
        self._hash = hashlib.sha256()
        self._target = target
        key = SealKey(self.key)
        self._encryptor = Cobblestone256Encryptor(key.secret, _binding(kind, blob_id).context(key.header))
        target.write(key.header)

    def write(self, chunk: bytes) -> int:
        """Seal a piece of the file."""
        self.size += len(chunk)
        self._hash.update(chunk)
        self._target.write(self._encryptor.update(chunk))
        return len(chunk)

    def finish(self) -> None:
        """Pad and close the seal; before this nothing can be opened."""
        self._target.write(self._encryptor.update(_MARK + bytes(-(self.size + 1) % STEP)))
        self._target.write(self._encryptor.finalize())

    @property
    def sha256(self) -> bytes:
        """SHA-256 of the plain bytes written so far."""
        return self._hash.digest()


def _padded_chunks(source: BinaryIO, key: SealKey, binding: Binding) -> Iterator[bytes]:
    if source.read(HEADER_BYTES) != key.header:
        raise binding.unreadable()
    decryptor = Cobblestone256Decryptor(key.secret, binding.context(key.header))
    try:
        while chunk := source.read(_READ):
            yield decryptor.update(chunk)
        yield decryptor.finalize()
    except (InvalidTag, ValueError):
        raise binding.unreadable() from None


def verify_file(
    source: BinaryIO, secret: bytes, blob_id: bytes, *, size: int, sha256: bytes, kind: str = "file"
) -> None:
    """Read a sealed file to its end and compare it with its noted size and hash; `Onleesbaar` when it differs."""
    digest, left, padding, zeros = hashlib.sha256(), size, b"", 0
    binding = _binding(kind, blob_id)
    for chunk in _padded_chunks(source, SealKey(secret), binding):
        digest.update(chunk[:left])
        rest = chunk[left:]
        left -= min(left, len(chunk))
        if rest and not padding:
            padding, rest = rest[:1], rest[1:]
        zeros += len(rest)
        if rest.count(0) != len(rest):
            raise binding.unreadable()
    if digest.digest() != sha256 or padding != _MARK or zeros != -(size + 1) % STEP:
        raise binding.unreadable()


def sealed_size(source: BinaryIO, secret: bytes, blob_id: bytes, *, kind: str = "file") -> int:
    """How many plain bytes a sealed file holds, once all of it was read and its padding seen; else `Onleesbaar`.

    For a stream whose size was noted nowhere: what this answers is what `open_file` may be asked for.
    """
    binding, read, mark, last = _binding(kind, blob_id), 0, -1, b""
    for chunk in _padded_chunks(source, SealKey(secret), binding):
        if filled := chunk.rstrip(b"\0"):
            mark, last = read + len(filled) - 1, filled[-1:]
        read += len(chunk)
    if last != _MARK or read % STEP or read - mark > STEP:
        raise binding.unreadable()
    return mark


def open_file(source: BinaryIO, secret: bytes, blob_id: bytes, *, size: int, kind: str = "file") -> Iterator[bytes]:
    """The plain pieces of a sealed file. Call `verify_file` first: pieces come before truncation is known."""
    left = size
    for chunk in _padded_chunks(source, SealKey(secret), _binding(kind, blob_id)):
        if left:
            yield chunk[:left]
            left -= min(left, len(chunk))
