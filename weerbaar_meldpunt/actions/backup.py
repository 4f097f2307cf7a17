"""A backup of everything that must survive this machine, as one sealed stream, made while the program runs.

Nothing of it is ever plain on a disk, not even for a moment: the rows are read in one snapshot and sealed on their
way out, so there is no copy of the database to forget in a folder. The server key and the pepper are not in it.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.settings import FILE
from weerbaar_meldpunt.store.audit import Leaf, Tombstone
from weerbaar_meldpunt.store.cases import Attachment
from weerbaar_meldpunt.store.copying import kept_tables, row_lines, snapshot
from weerbaar_meldpunt.store.keeping import Backup
from weerbaar_meldpunt.store.migrate import current
from weerbaar_meldpunt.vault.backups import Head, sign_manifest, start
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.password import pepper_id

from .errors import InstanceFault
from .evidence import DiskFull
from .instance import PINS, Instance, sync_folder
from .keepers import custody_kit, keeping_keys
from .labels import labelled
from .ledger import PROGRAM, Ledger

FORMAT: Final = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
ROWS, BLOBS = "rows", "blobs"
UNFINISHED: Final = ".unfinished"
_PIECE: Final = 1024 * 1024
_BLOB_NAME: Final = 32


@dataclass(frozen=True)
class Made:
    """What a finished backup holds, for the operator."""

    id: bytes
    size: int
    rows: int
    files: int
    missing: int  # files of evidence that were not there to be copied: gaps that stood already
    kinds: tuple[str, ...]  # which keys open it: backup, recovery


class _Counted(io.RawIOBase):
    """Counts what goes out, and notices a full disk."""

    def __init__(self, target: BinaryIO) -> None:
        self.size, self._target = 0, target

    def write(self, piece: Any) -> int:
        """Pass it on, whole."""
        try:
            self._target.write(piece)
        except OSError as fault:
            if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise DiskFull from None
            raise
        self.size += len(piece)
        return len(piece)


class _Archive:
    """The members of a backup in the order they are sealed, and what the manifest says of each."""

    def __init__(self, sealer: Any) -> None:
        self._tar = tarfile.open(fileobj=sealer, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - see close
        self.members: dict[str, list[Any]] = {}

    def add(self, name: str, content: bytes) -> None:
        """A member that is in memory."""
        self._put(name, io.BytesIO(content), len(content))

    def add_file(self, name: str, path: Path) -> bool:
        """A member that is a file; False when it went meanwhile."""
        try:
            source = path.open("rb")
        except FileNotFoundError:
            return False
        with source:
            self._put(name, source, os.fstat(source.fileno()).st_size)
        return True

    def _put(self, name: str, source: BinaryIO, size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        read = _Hashed(source)
        self._tar.addfile(entry, read)
        self.members[name] = [size, read.digest.hexdigest()]

    def close(self) -> None:
        """The end of the archive."""
        self._tar.close()


class _Hashed:
    """A file whose bytes are hashed on their way."""

    def __init__(self, source: BinaryIO) -> None:
        self._source, self.digest = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next piece."""
        piece = self._source.read(size)
        self.digest.update(piece)
        return piece


@dataclass
class _Kept:
    """What was put in, counted for the manifest."""

    tables: dict[str, int] = field(default_factory=dict)
    files: int = 0
    missing: list[bytes] = field(default_factory=list)


def make_backup(instance: Instance, target: BinaryIO, *, now: datetime) -> Made:
    """Write a backup to `target`; `InstanceFault` while no key is pinned that could ever open it.

    Consistent: the rows are of one moment, and every file they name was finished before it. A file that goes while
    the copy runs went with its case, which the tombstones take out again at a restore.
    """
    with instance.readings() as session:
        keys = keeping_keys(session, instance)
        kit = custody_kit(session, instance)
    if "backup" not in keys:
        raise InstanceFault("no key for backups is pinned, so nobody could open one (meldpunt vault backup-key)")
    head = Head(instance.id, new_id(), now.astimezone(UTC).replace(microsecond=0).isoformat(), kit)
    counted = _Counted(target)
    sealer = start(cast(BinaryIO, counted), head, [keys[kind] for kind in sorted(keys)])
    archive = _Archive(sealer)
    with snapshot(instance.engine) as connection:
        pins = _pins_of_this_moment(instance, connection)
        about = _about(instance, connection, head)
        archive.add(PINS, pins)
        archive.add_file(FILE, instance.settings.instance / FILE)
        kept = _Kept()
        for table in kept_tables(connection):
            kept.tables[table.name] = _add_rows(archive, connection, table)
            labelled("backup/rows")
        _add_blobs(archive, instance, set(connection.scalars(select(Attachment.blob_id))), kept)
    labelled("backup/blobs")
    manifest = _manifest(about, archive, kept)
    archive.add(MANIFEST, manifest)
    archive.add(SIGNATURE, sign_manifest(instance.server, head, manifest))
    archive.close()
    labelled("backup/unfinished")
    sealer.finish()
    return Made(
        head.id, counted.size, sum(kept.tables.values()), kept.files, len(kept.missing), tuple(sorted(keys))
    )  # fmt: skip


def note_backup(session: Session, instance: Instance, made: Made, *, now: datetime) -> None:
    """Note that a backup was finished and is durable, in the list that `doctor` reads and in the trail."""
    newest = session.scalar(select(func.max(Leaf.seq))) or 0
    session.add(Backup(id=made.id, made_at=now, leaf=newest, size=made.size))
    session.flush()
    Ledger(session, instance, now=now).close(PROGRAM, "reservekopie", instance.id)


def _pins_of_this_moment(instance: Instance, connection: Connection) -> bytes:
    """The pin file as it was when the snapshot began: the snapshot begins between two readings that are the same."""
    path = instance.settings.instance / PINS
    before = path.read_bytes()
    connection.execute(select(func.count()).select_from(Leaf)).scalar_one()
    if path.read_bytes() != before:
        raise InstanceFault("the pin file changed just now; make the backup again")
    return before


def _about(instance: Instance, connection: Connection, head: Head) -> dict[str, Any]:
    newest = connection.execute(select(Leaf.seq, Leaf.chain, Leaf.at).order_by(Leaf.seq.desc()).limit(1)).one_or_none()
    return {
        "format": FORMAT, "program": version("weerbaar_meldpunt"), "instance": head.instance.hex(),
        "backup": head.id.hex(), "made": head.made, "tables_version": current(instance.engine),
        "demonstration": instance.demonstration, "pepper": pepper_id(instance.pepper).hex(),
        "leaf": {"seq": newest.seq, "chain": newest.chain.hex()} if newest else None,
        "tombstones": connection.execute(select(func.count()).select_from(Tombstone)).scalar_one(),
    }  # fmt: skip


def _add_rows(archive: _Archive, connection: Connection, table: Table) -> int:
    """The rows of a table in pieces, so that none is ever whole in memory; answers how many."""
    lines = row_lines(connection, table)
    names, number, count = next(lines), 0, 0
    for number, piece in enumerate(_pieces(lines), 1):
        archive.add(f"{ROWS}/{table.name}/{number:06}.jsonl", names + piece)
        count += piece.count(b"\n")
    if not number:
        archive.add(f"{ROWS}/{table.name}/{1:06}.jsonl", names)
    return count


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _add_blobs(archive: _Archive, instance: Instance, wanted: set[bytes], kept: _Kept) -> None:
    """Every finished sealed file: those of cases, and those of drafts, which no row names in the open."""
    names = sorted(path.name for path in instance.blobs.iterdir() if len(path.name) == _BLOB_NAME)
    for name in names:
        if archive.add_file(f"{BLOBS}/{name}", instance.blobs / name):
            kept.files += 1
            wanted.discard(bytes.fromhex(name))
    if wanted:  # of a case that was destroyed meanwhile, or a gap that stands already
        with instance.readings() as session:
            kept.missing = sorted(
                session.scalars(select(Attachment.blob_id).where(Attachment.blob_id.in_(sorted(wanted)))).all()
            )


def _manifest(about: Mapping[str, Any], archive: _Archive, kept: _Kept) -> bytes:
    document = dict(about) | {
        "tables": kept.tables, "members": archive.members, "missing": [blob_id.hex() for blob_id in kept.missing],
    }  # fmt: skip
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


@contextmanager
def backup_file(path: Path) -> Iterator[BinaryIO]:
    """A new file for a backup, under another name until all of it is durable. `FileExistsError` when one stands."""
    if path.exists():
        raise FileExistsError(path)
    part = path.with_name(path.name + UNFINISHED)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        labelled("backup/unnamed")
        part.rename(path)
        sync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
