"""Paths on this site, as they come in with a request."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

ID_BYTES: Final = 16


def safe_next(path: str | None) -> str | None:
    """A path on this site to go to after signing in; nothing that leads elsewhere, as browsers read it."""
    # Browsers leave out tabs and line ends wherever they stand, and read a backslash as a slash.
    if not path or not path.isprintable() or "\\" in path or not path.startswith("/") or path.startswith("//"):
        return None
    try:
        parts = urlsplit(path)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else path


def read_id(text: str | None) -> bytes | None:
    """An id of a row as addresses write it; nothing for anything else."""
    try:
        found = bytes.fromhex(text or "")
    except ValueError:
        return None
    return found if len(found) == ID_BYTES else None
