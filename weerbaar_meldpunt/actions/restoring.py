"""Putting a backup back into an empty folder: verified as a whole before anything is written, and closed after.

What comes back is as old as the backup. Whoever was let in then and was shut out since would be let in again, so
nothing is served from it until the tombstones were replayed (`reopening.py`).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.exc import DBAPIError

from weerbaar_meldpunt.settings import FILE, SettingsFault, load_settings
from weerbaar_meldpunt.store.copying import counted, is_empty, make_tables, put_rows
from weerbaar_meldpunt.store.engine import open_engine
from weerbaar_meldpunt.store.keeping import Restoration
from weerbaar_meldpunt.store.migrate import known, upgrade_to
from weerbaar_meldpunt.vault.backups import KIND, Head, manifest_signed, read_head, stream_key
from weerbaar_meldpunt.vault.codes import read_code
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.files import open_file, sealed_size
from weerbaar_meldpunt.vault.keys import ServerKeys
from weerbaar_meldpunt.vault.password import pepper_id

from .backup import BLOBS, FORMAT, MANIFEST, ROWS, SIGNATURE
from .errors import InstanceFault, WrongCode
from .instance import PEPPER, PINS, RESTORING, SERVER_KEY, harden_process, sync_folder, write_private
from .keepers import seed_of_two
from .labels import arm, labelled

# What may lie ready in the folder before: keys typed from the sheet, and settings that are not those of the backup.
GIVEN: Final = frozenset((SERVER_KEY, PEPPER, FILE))
_ROW_FILE: Final = re.compile(rf"{ROWS}/([a-z_]+)/(\d{{6}})\.jsonl")
_BLOB_FILE: Final = re.compile(rf"{BLOBS}/([0-9a-f]{{32}})")
_COPY: Final = 1024 * 1024


class RestoreFault(Exception):
    """This backup cannot be put back: why, in one line. Nothing was changed that was there before."""


@dataclass(frozen=True)
class Opened:
    """A backup whose seal was read to its end and whose manifest is the desk's own."""

    path: Path
    head: Head
    key: bytes
    size: int
    manifest: Mapping[str, Any]


def head_of(path: Path) -> Head:
    """What stands in the open before a backup; `RestoreFault` when the file is none."""
    try:
        with path.open("rb") as source:
            return read_head(source)
    except Onleesbaar:
        raise RestoreFault("this is no backup of this program") from None
    except OSError as fault:
        raise RestoreFault(f"{path}: {fault.strerror}") from None


def open_backup(path: Path, kind: str, seed: bytes, server_key: bytes, pepper: bytes) -> Opened:
    """Verify a backup from end to end. `kind` is whose seed it is: backup (from the sheet) or recovery (custodians)."""
    head = head_of(path)
    try:
        key = stream_key(head, kind, seed)
    except Onleesbaar:
        raise RestoreFault("these are not the keys that open this backup") from None
    try:
        with path.open("rb") as source:
            read_head(source)
            size = sealed_size(source, key, head.id, kind=KIND)
    except Onleesbaar:
        raise RestoreFault("this backup is unfinished or damaged; use another one") from None
    manifest = _manifest(path, head, key, size, ServerKeys(server_key))
    if manifest["format"] != FORMAT or not known(manifest["tables_version"]):
        raise RestoreFault("a newer version of the program made this backup; use that version")
    if manifest["pepper"] != pepper_id(pepper).hex():
        raise RestoreFault("this is not the pepper of this desk: no password would open anything")
    return Opened(path, head, key, size, manifest)


def _manifest(path: Path, head: Head, key: bytes, size: int, server: ServerKeys) -> Mapping[str, Any]:
    """Read everything once and compare it with the manifest; only then may anything of it be used."""
    found: dict[str, list[Any]] = {}
    text = signature = b""
    for name, length, source in _members(path, key, head, size):
        digest = hashlib.sha256()
        content = b""
        while piece := source.read(_COPY):
            digest.update(piece)
            content = content + piece if name in (MANIFEST, SIGNATURE) else b""
        if name == MANIFEST:
            text = content
        elif name == SIGNATURE:
            signature = content
        elif name in found:
            raise RestoreFault("this backup holds a file twice")
        else:
            found[name] = [length, digest.hexdigest()]
    if not manifest_signed(server, head, text, signature):
        raise RestoreFault("this is not the server key that made this backup, or the backup is not of this desk")
    document = cast(dict[str, Any], json.loads(text))
    if document["members"] != found or document["instance"] != head.instance.hex():
        raise RestoreFault("this backup is not what its manifest says")
    return document


class _Plain(io.RawIOBase):
    """The plain bytes of a stream whose seal was verified, as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill what fits."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


def _members(path: Path, key: bytes, head: Head, size: int) -> Iterator[tuple[str, int, Any]]:
    """The files in a backup, each to be read before the next."""
    with path.open("rb") as sealed:
        read_head(sealed)
        plain = io.BufferedReader(_Plain(open_file(sealed, key, head.id, size=size, kind=KIND)))
        try:
            with tarfile.open(fileobj=plain, mode="r|") as archive:
                for entry in archive:
                    source = archive.extractfile(entry)
                    if source is None:
                        raise RestoreFault("this backup is not what its manifest says")
                    yield entry.name, entry.size, source
        except tarfile.TarError:
            raise RestoreFault("this backup is not what its manifest says") from None


def unpack(opened: Opened, folder: Path, server_key: bytes, pepper: bytes, *, now: datetime) -> None:
    """Put a verified backup into an empty folder; what stands there after is a closed instance, or a begun restore.

    Stopped half-way, the same call begins anew. A database of its own (PostgreSQL) must be empty: it is filled in one
    transaction.
    """
    harden_process()
    arm(demonstration=bool(opened.manifest["demonstration"]))
    _begin(folder)
    labelled("restore/begun")
    write_private(folder / SERVER_KEY, server_key)
    write_private(folder / PEPPER, pepper)
    blobs = folder / BLOBS
    blobs.mkdir(exist_ok=True)
    _put_settings(opened, folder)
    try:
        settings = load_settings(folder)
    except SettingsFault as fault:
        raise RestoreFault(str(fault)) from None
    engine = open_engine(settings.database)
    try:
        with engine.begin() as connection:
            if not _was_filled(opened, connection):
                _fill(opened, connection, folder)
                labelled("restore/filled")
                made = datetime.fromisoformat(opened.manifest["made"])
                row = {"backup_id": opened.head.id, "made_at": made, "restored_at": now}
                connection.execute(insert(Restoration).values(row))
    finally:
        engine.dispose()
    labelled("restore/committed")
    sync_folder(blobs)
    (folder / RESTORING).unlink()
    sync_folder(folder)


def _was_filled(opened: Opened, connection: Connection) -> bool:
    """Whether this very restore was killed after its rows were committed; refuse a database that holds other rows."""
    if is_empty(connection):
        return False
    try:
        rows = [tuple(row) for row in connection.execute(select(Restoration.backup_id, Restoration.opened_at))]
    except DBAPIError:
        rows = []
    if (opened.head.id, None) not in rows:
        raise RestoreFault("the database is not empty: a backup is never put over what is there")
    return True


def _begin(folder: Path) -> None:
    """Mark the folder as one that nothing may be served from; refuse one that holds anything of somebody's."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # it may have stood there for everybody
    begun = (folder / RESTORING).exists()
    if not begun and (there := sorted(path.name for path in folder.iterdir() if path.name not in GIVEN)):
        raise RestoreFault(f"the folder is not empty ({there[0]}): a backup is put into an empty one")
    write_private(folder / RESTORING, b"")


def _put_settings(opened: Opened, folder: Path) -> None:
    """The pin file, and the settings unless others lie ready."""
    for name, _, source in _members(opened.path, opened.key, opened.head, opened.size):
        if name == PINS or (name == FILE and not (folder / FILE).exists()):
            write_private(folder / name, source.read())
        if name not in (PINS, FILE):
            return


def _fill(opened: Opened, connection: Connection, folder: Path) -> None:
    """The rows into the database, the sealed files beside it."""
    tables = make_tables(connection, opened.manifest["tables_version"])
    for name, _, source in _members(opened.path, opened.key, opened.head, opened.size):
        if rows := _ROW_FILE.fullmatch(name):
            _put_piece(connection, tables, rows[1], source)
        elif blob := _BLOB_FILE.fullmatch(name):
            _put_blob(folder / BLOBS / blob[1], source)
            labelled("restore/blob")
        elif name not in (PINS, FILE, MANIFEST, SIGNATURE):
            raise RestoreFault("this backup holds what no backup holds")
    for name, count in opened.manifest["tables"].items():
        if name not in tables or counted(connection, tables[name]) != count:
            raise RestoreFault(f"not every row of {name} came back")
    upgrade_to(connection, "head")


def _put_piece(connection: Connection, tables: Mapping[str, Table], name: str, source: BinaryIO) -> None:
    names = json.loads(source.readline())
    try:
        put_rows(connection, tables[name], names, source)
    except (ValueError, KeyError):
        raise RestoreFault(f"the rows of {name} do not fit") from None
    labelled("restore/rows")


def _put_blob(path: Path, source: BinaryIO) -> None:
    with _durable(path) as target:
        while piece := source.read(_COPY):
            target.write(piece)


@contextmanager
def _durable(path: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def read_sheet_key(typed: str) -> bytes:
    """The 32 bytes of a key as the sheet prints it: hexadecimal in groups; `RestoreFault` says what is asked."""
    try:
        found = bytes.fromhex("".join(typed.split()))
    except ValueError:
        found = b""
    if len(found) != 32:
        raise RestoreFault("a key is 64 hexadecimal digits, in groups of four as the sheet prints them")
    return found


def seed_of_custodians(head: Head, first: str, second: str) -> bytes:
    """The RECOVERY seed from what two custodians typed; `RestoreFault` when the two do not open it."""
    try:
        return seed_of_two(head.custody, head.instance, (read_code(first), read_code(second)))
    except (WrongCode, Onleesbaar):
        raise RestoreFault("these two codes do not open the shares of this backup") from None


def lying_ready(folder: Path, name: str) -> bytes | None:
    """A key file that lies in the folder already; `InstanceFault` when it is no key."""
    path = folder / name
    if not path.exists():
        return None
    content = path.read_bytes()
    if len(content) != 32:
        raise InstanceFault(f"{name} is not 32 bytes")
    return content
