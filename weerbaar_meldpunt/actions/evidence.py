"""Evidence files: sealed while they stream in, opened only after the whole of them was verified."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import puremagic

from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.files import FileSealer, open_file, verify_file

from .drafts import DraftFile
from .errors import Onleesbaar, TooLarge
from .instance import Instance, sync_folder
from .labels import labelled

MAX_FILE: Final = 25 * 1024 * 1024
MAX_MESSAGE: Final = 50 * 1024 * 1024
MAX_CASE: Final = 500 * 1024 * 1024
FREE_FLOOR: Final = 2 * 1024**3
SNIFF: Final = 4096
UNKNOWN: Final = "application/octet-stream"


class DiskFull(OSError):
    """Less than the floor of disk space is left: nothing new is taken, reading goes on."""


class Upload(io.RawIOBase):
    """A file that is sealed as it is written; what was written cannot be read back from it.

    A file above the limit, or for which the disk has no room, does not break the request it comes in: the rest of it is
    swallowed and `too_large` or `disk_full` says so, so that the words of the same form are not lost.
    """

    too_large = disk_full = False
    _kept = _sealed = False

    def __init__(self, instance: Instance) -> None:
        super().__init__()
        if shutil.disk_usage(instance.blobs).free < FREE_FLOOR:
            raise DiskFull
        self.blob_id = new_id()
        self._path = instance.blobs / f"{self.blob_id.hex()}.part"
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(handle, "wb")
        self._sealer = FileSealer(self._file, self.blob_id)
        self._head = b""

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, chunk: object) -> int:
        """Seal a piece; above what a file or the disk may hold, take it and keep nothing."""
        piece = bytes(chunk)  # type: ignore[call-overload]
        if self.too_large or self.disk_full:
            return len(piece)
        if self._sealer.size + len(piece) > MAX_FILE:
            self.too_large = True
            self._drop()
            return len(piece)
        if len(self._head) < SNIFF:
            self._head += piece[: SNIFF - len(self._head)]
        try:
            with _disk_full():
                return self._sealer.write(piece)
        except DiskFull:
            self._swallow()
            return len(piece)

    def seek(self, offset: int, whence: int = 0) -> int:
        """The form parser rewinds what came in whole: the seal is closed, so that many files hold no handle each."""
        if not self.too_large and not self.disk_full:
            try:
                self._seal()
            except DiskFull:
                self._swallow()
        return 0

    def _swallow(self) -> None:
        self.disk_full = True
        self._drop()

    def _seal(self) -> None:
        if self._sealed:
            return
        with _disk_full():
            self._sealer.finish()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        self._sealed = True

    def tell(self) -> int:
        """How much was written."""
        return self._sealer.size

    @property
    def size(self) -> int:
        """How many plain bytes were written."""
        return self._sealer.size

    def finish(self, name: str, *, now: datetime) -> DraftFile:
        """Close the seal and keep the blob; durable when this returns. `TooLarge` or `DiskFull`: nothing is kept."""
        if self.too_large:
            raise TooLarge
        if self.disk_full:
            raise DiskFull
        self._seal()
        with _disk_full():
            final = self._path.with_suffix("")
            self._path.rename(final)
            sync_folder(final.parent)
        labelled("filing/file-named")
        self._kept = True
        return DraftFile(
            self.blob_id, self._sealer.key, safe_name(name), self._sealer.size, self._sealer.sha256,
            sniff(self._head), now,
        )  # fmt: skip

    def _drop(self) -> None:
        with suppress(OSError):  # what stands in its buffer may not fit any more, and is not wanted
            self._file.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Drop what was not finished: a cut-off upload leaves nothing behind."""
        if not self.closed and not self._kept and hasattr(self, "_file"):
            self._drop()
        super().close()


class Surplus(Upload):
    """A file more than one form may bring: swallowed, so that the words beside it are kept, and it can be named."""

    def __init__(self) -> None:
        io.RawIOBase.__init__(self)

    def write(self, chunk: object) -> int:
        """Keep nothing."""
        return len(bytes(chunk))  # type: ignore[call-overload]

    def seek(self, offset: int, whence: int = 0) -> int:
        """Nothing to close."""
        return 0

    @property
    def size(self) -> int:
        """More than any case has room for."""
        return MAX_CASE + 1

    def finish(self, name: str, *, now: datetime) -> DraftFile:
        """Never kept."""
        raise TooLarge


class NoPlace(Surplus):
    """A file that comes in while the disk has no room: swallowed, so that the words beside it can be given back."""

    disk_full = True

    def finish(self, name: str, *, now: datetime) -> DraftFile:
        """Never kept."""
        raise DiskFull


@contextmanager
def _disk_full() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull from fault
        raise


def open_upload(instance: Instance) -> Upload:
    """A place to stream an upload into; `DiskFull` when there is no room."""
    return Upload(instance)


def safe_name(name: str) -> str:
    """A name to show and to save under: no folders, no control or direction characters, at most 120 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(c for c in last if c.isprintable() and c not in '"<>|?*:;')
    return clean.strip(". ")[-120:] or "bestand"


def sniff(head: bytes) -> str:
    """What the first bytes say a file is; what was declared does not count."""
    if not head:
        return UNKNOWN
    try:
        found = puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError):
        found = ""
    if found:
        return str(found)
    return "text/plain" if b"\0" not in head else UNKNOWN


def take(instance: Instance, path: Path, *, now: datetime) -> DraftFile:
    """Seal a file from this machine, for an operator's intake."""
    upload = Upload(instance)
    try:
        with path.open("rb") as source:
            while (chunk := source.read(256 * 1024)) and not upload.too_large:
                upload.write(chunk)
        return upload.finish(path.name, now=now)
    except BaseException:
        upload.close()
        raise


def remove_blob(instance: Instance, blob_id: bytes) -> None:
    """Delete a sealed file."""
    (instance.blobs / blob_id.hex()).unlink(missing_ok=True)


def plain_pieces(instance: Instance, file: DraftFile) -> Iterator[bytes]:
    """The pieces of a file, once all of it was read and compared with its hash; `Onleesbaar` before the first.

    So is a file of which the sealed content is gone.
    """
    path = instance.blobs / file.blob_id.hex()
    try:
        with path.open("rb") as source:
            verify_file(source, file.key, file.blob_id, size=file.size, sha256=file.sha256)
    except FileNotFoundError:
        raise Onleesbaar("attachment") from None

    def pieces() -> Iterator[bytes]:
        with path.open("rb") as source:
            yield from open_file(source, file.key, file.blob_id, size=file.size)

    return pieces()
