"""Handing out an evidence file: saved, never shown as a page of ours, under a name that cannot do anything."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from flask import Response

from weerbaar_meldpunt.actions.views import AttachmentView

from .headers import FILE_POLICY

_SAFE_ENDINGS: Final = frozenset(
    (".pdf", ".png", ".jpg", ".gif", ".webp", ".txt", ".mp3", ".mp4", ".wav", ".webm", ".m4a", ".eml", ".zip")
)


def evidence_response(attachment: AttachmentView, pieces: Iterator[bytes]) -> Response:
    """A verified file as a download. What it is called by whoever sent it is told in a form no header breaks on."""
    response = Response(pieces, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = disposition(attachment)
    response.headers["Content-Security-Policy"] = FILE_POLICY
    if attachment.file is not None:
        response.headers["Content-Length"] = str(attachment.file.size)
    return response


def disposition(attachment: AttachmentView) -> str:
    """`attachment` with a generated ASCII name, and the real one as RFC 6266 (RFC 8187) writes it."""
    kind = attachment.file.media_type if attachment.file else ""
    ending = mimetypes.guess_extension(kind, strict=False) or ""
    plain = f"bewijs-{attachment.id.hex()[:8]}{ending if ending in _SAFE_ENDINGS else '.bin'}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(attachment.name, safe='')}"
