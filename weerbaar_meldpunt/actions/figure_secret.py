"""The secret of a rounding: what keeps anyone from reckoning back, and by what an edition can be made again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from weerbaar_meldpunt.rules.figure_edition import Source
from weerbaar_meldpunt.vault.derive import hkdf, hmac_sha256

_FRACTION_BYTES = 8


@dataclass(frozen=True)
class RoundingSecret:
    """Kept sealed inside the table of figures; a rehearsal takes one from its input."""

    secret: bytes

    def __repr__(self) -> str:
        return "RoundingSecret(…)"

    def noise(self, text: str) -> float:
        """A fraction from 0 up to 1 for a text, the same whenever it is asked."""
        digest = hmac_sha256(self.secret, text.encode())
        return float(int.from_bytes(digest[:_FRACTION_BYTES], "big") / (1 << 8 * _FRACTION_BYTES))

    def source(self, measure: str, period: str, facts: Mapping[tuple[str, ...], int]) -> Source:
        """The id of this secret, and a hash of what the month was made from. Keyed: small counts are guessed easily."""
        text = json.dumps([measure, period, sorted((*codes, n) for codes, n in facts.items())], separators=(",", ":"))
        digest = hmac_sha256(self.secret, b"input|" + text.encode())
        return Source(hkdf(self.secret, "id", length=16).hex(), digest.hex())


def program_version() -> str:
    """The version of the program that made an edition."""
    return version("weerbaar_meldpunt")
