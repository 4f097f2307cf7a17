"""What every answer says to the browser: load nothing from elsewhere, keep nothing, tell nobody where you were."""

from __future__ import annotations

from typing import Final

from flask import Response, request

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
# Evidence is only ever saved, never shown by the browser as a page of ours.
FILE_POLICY: Final = "sandbox; default-src 'none'"
PUBLIC: Final = ("figures.public",)


def set_headers(response: Response) -> Response:
    """The headers of docs/security.md, on every answer; what a page set itself stays."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), browsing-topics=()")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains; preload")
    if request.endpoint == "static":
        headers["Cache-Control"] = "public, max-age=31536000, immutable" if request.args.get("v") else "no-cache"
        return response
    if not headers.get("X-Public"):
        headers["Cache-Control"] = "no-store"
        if request.endpoint != "home.danger":
            headers.setdefault("X-Robots-Tag", "noindex")
    headers.pop("X-Public", None)
    return response
