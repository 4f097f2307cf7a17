"""Marks of from whom something came, written in one way: an account, a telephone number, an address, a name.

Two reports are compared by these alone, so what is written in two ways must come out as one, and what is two must not.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

SHORTEST: Final = 3
LONGEST: Final = 500
# What websites hang behind an address to see where somebody came from; it says nothing of whose page it is.
_TRACKING: Final = frozenset(
    (
        "fbclid", "gclid", "dclid", "msclkid", "yclid", "igshid", "igsh", "mc_cid", "mc_eid", "mibextid", "si", "ref",
        "ref_src", "ref_url", "referrer", "source", "src", "cn", "feature", "rdid", "share_id", "share_url", "_rdr",
        "_t", "_r", "lang", "hl", "locale", "app", "wtsid", "trk", "spm", "cmpid", "cid",
    )
)  # fmt: skip
_TRACKING_BEGINS: Final = ("utm_", "pk_", "__cft__", "__tn__", "mtm_", "hsa_")
_BARE_HOSTS: Final = ("www.", "m.", "mobile.", "nl-nl.", "web.")
_SITE: Final = re.compile(r"^(?:[a-z0-9-]+\.)+[a-z]{2,24}(?:[/?#]|$)")
_MAIL: Final = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_DIGITS: Final = re.compile(r"^\+?[0-9][0-9\s().\-/]{6,24}$")
_NATIONAL: Final = re.compile(r"^0[1-9][0-9]{8}$")
_INTERNATIONAL: Final = re.compile(r"^[1-9][0-9]{6,14}$")


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: of what kind, and its text as it is compared."""

    kind: str  # adres, telefoon, mail, account, naam
    text: str

    @property
    def token(self) -> str:
        """What is hashed."""
        return f"{self.kind}:{self.text}"


def read_mark(written: str) -> Mark | None:
    """What somebody wrote, as a mark; None for what is too short to say who it is."""
    text = " ".join(unicodedata.normalize("NFKC", written).casefold().split())[:LONGEST]
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    found = _telephone(text) or _mail(text) or _site(text) or _account(text)
    if found is None and len(text) >= SHORTEST:
        found = Mark("naam", text)
    return found


def _telephone(text: str) -> Mark | None:
    """A number as E.164; one without a country is of the Netherlands."""
    if not _DIGITS.match(text):
        return None
    digits = "".join(c for c in text if c.isdigit())
    if text.startswith("+"):
        digits = re.sub(r"^(31|32|49)0", r"\1", digits)  # +31 (0)6 …
        return Mark("telefoon", f"+{digits}") if _INTERNATIONAL.match(digits) else None
    if digits.startswith("00"):
        return Mark("telefoon", f"+{digits[2:]}") if _INTERNATIONAL.match(digits[2:]) else None
    return Mark("telefoon", f"+31{digits[1:]}") if _NATIONAL.match(digits) else None


def _mail(text: str) -> Mark | None:
    return Mark("mail", text.removeprefix("mailto:")) if _MAIL.match(text.removeprefix("mailto:")) else None


def _site(text: str) -> Mark | None:
    """Host and path, and of what stands behind them only what is not there to follow people."""
    if "://" not in text and not _SITE.match(text):
        return None
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return None
    if not host or parts.scheme not in ("http", "https"):
        return None
    for prefix in _BARE_HOSTS:
        if host.startswith(prefix) and "." in host.removeprefix(prefix):
            host = host.removeprefix(prefix)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if not _follows(name)]
    path = re.sub(r"/+", "/", parts.path).rstrip("/")
    return Mark("adres", host + path + (f"?{urlencode(sorted(kept))}" if kept else ""))


def _follows(name: str) -> bool:
    return name in _TRACKING or name.startswith(_TRACKING_BEGINS)


def _account(text: str) -> Mark | None:
    name = text.removeprefix("@")
    return Mark("account", name) if text.startswith("@") and len(name) >= SHORTEST and " " not in name else None
