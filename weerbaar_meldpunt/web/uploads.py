"""Requests whose files are sealed while they stream in: nothing of a file is ever plain on disk or whole in memory."""

from __future__ import annotations

from typing import IO, Any, Final, cast

from flask import Request, g

from weerbaar_meldpunt.actions.evidence import DiskFull, NoPlace, Surplus, Upload, open_upload

from .place import instance

# More files than this in one form are named and not kept: each costs a blob, however small it is.
MOST_PARTS: Final = 100


class SealingRequest(Request):
    """A request that has no plain temporary files."""

    max_form_parts = 2000

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        # Werkzeug would put what is over 500 kB in a plain temporary file (docs/security.md).
        if not filename:  # an empty file field
            return cast(IO[bytes], _Nothing())
        uploads = g.setdefault("uploads", [])
        upload = _upload(len(uploads))
        uploads.append(upload)
        return cast(IO[bytes], upload)


def _upload(number: int) -> Upload:
    if number >= MOST_PARTS or g.get("no_room", False):
        return Surplus()
    try:
        return open_upload(instance())
    except DiskFull:
        return NoPlace()


class _Nothing:
    """Takes the zero bytes of a file field in which nothing was chosen."""

    size = 0

    def write(self, chunk: bytes) -> int:
        return len(chunk)

    def seek(self, *_: Any) -> int:
        return 0

    def read(self, *_: Any) -> bytes:
        return b""

    def close(self) -> None:
        return None


def drop_unfinished() -> None:
    """At the end of a request: what was not finished leaves nothing behind."""
    for upload in g.pop("uploads", []):
        upload.close()
