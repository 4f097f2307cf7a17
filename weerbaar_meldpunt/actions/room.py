"""Room on the disk: what is still taken in when there is little, and a reserve so that a case can be opened when full.

Opening a case is logged before it is shown, so without a last bit of room nobody could read anything any more. That
bit lies ready in a file, which is let go of when the disk is full and made again once there is room.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Final

from .instance import Instance, sync_folder

RESERVE: Final = "reserve"
RESERVE_BYTES: Final = 16 * 1024**2
# Below this no words are taken in either, so that what is left is for opening and for the clock.
WORDS_FLOOR: Final = 64 * 1024**2
NONE_LEFT: Final = 1024**2
# The reserve is made again with so much to spare that making it does not fill the disk.
ROOM_AGAIN: Final = WORDS_FLOOR + 2 * RESERVE_BYTES


def free(instance: Instance) -> int:
    """The bytes that are free where the instance lies."""
    return shutil.disk_usage(instance.settings.instance).free


def no_room_for_words(instance: Instance) -> bool:
    """Whether nothing new is taken in, not even words. Lets go of the reserve when less than that is left."""
    left = free(instance)
    if left < RESERVE_BYTES:
        release_reserve(instance)
    return left < WORDS_FLOOR


def release_reserve(instance: Instance) -> bool:
    """Give the reserve to what must still be written; whether there was one."""
    try:
        _path(instance).unlink()
    except FileNotFoundError:
        return False
    return True


def keep_reserve(instance: Instance) -> bool:
    """Make the reserve again once there is room; whether it lies there now."""
    path = _path(instance)
    if path.exists() and path.stat().st_size == RESERVE_BYTES:
        return True
    if free(instance) < ROOM_AGAIN:
        return False
    part = path.with_name(path.name + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.posix_fallocate(handle, 0, RESERVE_BYTES)  # real blocks: a file with holes keeps nothing free
        os.fsync(handle)
    except OSError:
        part.unlink()
        return False
    finally:
        os.close(handle)
    part.rename(path)
    sync_folder(path.parent)
    return True


def _path(instance: Instance) -> Path:
    return instance.settings.instance / RESERVE


def is_disk_full(instance: Instance, fault: BaseException | None) -> bool:
    """Whether this is the database saying that it has no room, and not that it is busy."""
    if isinstance(fault, sqlite3.Error):
        code = getattr(fault, "sqlite_errorcode", 0)
        # Where it cannot make its own shared file longer it speaks of input and output.
        broken = code & 0xFF == sqlite3.SQLITE_IOERR and free(instance) < NONE_LEFT
        return code == sqlite3.SQLITE_FULL or broken
    return getattr(fault, "sqlstate", "") == "53100"  # PostgreSQL: disk_full
