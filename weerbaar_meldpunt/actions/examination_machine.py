"""What the machine and the folder say of an instance, without opening it: files, keys, room, swap, the database."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from weerbaar_meldpunt.settings import Settings
from weerbaar_meldpunt.vault.pins import PinFault, Pins

from .evidence import FREE_FLOOR
from .instance import BLOBS, PEPPER, PINS, RESTORING, SERVER_KEY
from .passkeys import fault_of, rp_id
from .room import RESERVE, RESERVE_BYTES

KEY_FILES: Final = (SERVER_KEY, PEPPER)
DATABASE: Final = "is another program holding it? is the disk full? then: restart, and look again"
_SWAPS: Final = Path("/proc/swaps")
_BLOCKS: Final = Path("/sys/class/block")


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at, whether it is fine, what was found, and what to do when it is not."""

    what: str
    fine: bool
    found: str
    do: str = ""


def look(settings: Settings) -> Iterator[Looked]:
    """Everything that can be seen from outside."""
    folder = settings.instance
    if not folder.is_dir():
        yield Looked("folder", False, f"{folder} is not there", "name it with --instance or MELDPUNT_INSTANCE")
        return
    yield from _keys(folder)
    yield _pins(folder)
    yield _modes(folder)
    yield from _disk(folder)
    yield _swap()
    yield _passkeys(settings)
    yield from _restore(folder)
    yield from _database_file(settings)


def _passkeys(settings: Settings) -> Looked:
    fault = fault_of(settings)
    if not fault:
        return Looked("passkeys", True, f"bound to {rp_id(settings)}")
    required = bool(settings.passkey_required)
    # Codes of an app work there too, so it is wrong only where a role may not use those.
    return Looked("passkeys", not required, fault, "set base_url to the https address that people type" * required)


def _keys(folder: Path) -> Iterator[Looked]:
    for name in KEY_FILES:
        path = folder / name
        sheet = f"type it again from the sheet (docs/operate.md): xxd -r -p > {name}"
        try:
            size, mode = len(path.read_bytes()), path.stat().st_mode & 0o077
        except OSError as fault:
            yield Looked(name, False, f"{fault.strerror}", sheet)
            continue
        if size != 32:
            yield Looked(name, False, f"{size} bytes, and a key is 32", sheet)
        elif mode:
            yield Looked(name, False, "others on this machine can read it", f"chmod 600 {name}")
        else:
            yield Looked(name, True, "only its owner can read it")


def _pins(folder: Path) -> Looked:
    do = "put the file of before back (it is in every backup); nothing can be filed until then"
    try:
        pins = Pins.parse((folder / PINS).read_text("ascii"))
    except OSError as fault:
        return Looked("pin file", False, f"{fault.strerror}", do)
    except (UnicodeDecodeError, PinFault) as fault:
        return Looked("pin file", False, str(fault), do)
    return Looked("pin file", True, f"{len(pins.lines)} keys")


def _modes(folder: Path) -> Looked:
    """Files that others can read or write, and files that are somebody else's."""
    wrong = []
    for path in (folder, *sorted(folder.iterdir()), *_some(folder / BLOBS)):
        if path.name == ".gitkeep":  # of the checkout, empty
            continue
        try:
            found = path.lstat()
        except FileNotFoundError:  # it went meanwhile
            continue
        if found.st_mode & 0o077 and not stat.S_ISLNK(found.st_mode):
            wrong.append(f"{path.name} ({stat.filemode(found.st_mode)})")
        elif found.st_uid != os.geteuid():
            wrong.append(f"{path.name} (of another user)")
    if not wrong:
        return Looked("permissions", True, "only its owner reads the folder and what is in it")
    more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    return Looked(
        "permissions", False, f"others can get at {', '.join(wrong[:5])}{more}",
        "chmod -R go= on the folder, chown -R to the user of the service",
    )  # fmt: skip


def _some(folder: Path, most: int = 1000) -> Iterator[Path]:
    if folder.is_dir():
        with os.scandir(folder) as entries:
            for _, entry in zip(range(most), entries, strict=False):
                yield Path(entry.path)


def _disk(folder: Path) -> Iterator[Looked]:
    free = shutil.disk_usage(folder).free
    found = f"{free // 2**20} MiB free; new files are refused below {FREE_FLOOR // 2**20}"
    yield Looked("disk", free >= FREE_FLOOR, found, "make room or enlarge the disk; nothing is lost meanwhile")
    reserve = folder / RESERVE
    lies = reserve.exists() and reserve.stat().st_size == RESERVE_BYTES
    found = "16 MiB lie ready" if lies else "not there: with a full disk nobody could open a case"
    yield Looked("reserve", lies, found, "let the clock run for an hour, with room on the disk: it makes it")
    blobs = folder / BLOBS
    usable = blobs.is_dir() and os.access(blobs, os.W_OK | os.X_OK)
    found = "can be written" if usable else "is not there or cannot be written"
    yield Looked("evidence folder", usable, found, "make the folder blobs again, from a backup when it is gone")


def _swap() -> Looked:
    """Keys in memory must not land on a disk that can be read later."""
    try:
        lines = _SWAPS.read_text().splitlines()[1:]
    except OSError:
        return Looked("swap", True, "not known on this system")
    open_ones = [name for line in lines if (name := line.split()[0]) and not _sealed_swap(name)]
    found = f"not encrypted: {', '.join(open_ones)}" if open_ones else "none, or encrypted"
    do = "swapoff, or encrypt it (cryptswap), or run with LimitMEMLOCK=infinity so that keys stay out of it"
    return Looked("swap", not open_ones, found, do)


def _sealed_swap(name: str) -> bool:
    """Whether a swap device is one of dm-crypt or lives in memory (zram)."""
    device = Path(name).resolve().name
    try:
        return device.startswith("zram") or (_BLOCKS / device / "dm" / "uuid").read_text().startswith("CRYPT-")
    except OSError:
        return False


def _restore(folder: Path) -> Iterator[Looked]:
    if (folder / RESTORING).exists():
        yield Looked(
            "restore", False, "a restore into this folder did not end",
            "give the same `meldpunt restore FILE` again: it begins anew",
        )  # fmt: skip


def _database_file(settings: Settings) -> Iterator[Looked]:
    """Whether the file of an embedded database is there and nobody keeps it locked."""
    address = make_url(settings.database)
    if address.get_backend_name() != "sqlite" or not address.database:
        return
    path = Path(address.database)
    if not path.exists():
        yield Looked("database file", False, f"{path.name} is not there", "put a backup back: meldpunt restore FILE")
        return
    try:
        with sqlite3.connect(path, timeout=5, isolation_level=None) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        connection.close()
    except sqlite3.Error as fault:
        locked = "locked" in str(fault)
        found = "another program has kept it locked for 5 seconds" if locked else f"{fault}"
        do = (
            "see which program holds it (fuser), and stop that one" if locked else "put a backup back: meldpunt restore"
        )
        yield Looked("database file", False, found, do)
    else:
        yield Looked("database file", True, "can be read and written")
