"""The municipalities, provinces, water boards and public bodies that a report can name.

Source: CBS, Gebieden in Nederland 2025 (CC BY 4.0); water boards by the province with most voters.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

# The codes of the figures; Caribbean Netherlands and unknown are one and never split.
PROVINCE_CODES: Final = MappingProxyType(
    {
        "Groningen": "GR", "Fryslân": "FR", "Drenthe": "DR", "Overijssel": "OV", "Flevoland": "FL",
        "Gelderland": "GE", "Utrecht": "UT", "Noord-Holland": "NH", "Zuid-Holland": "ZH", "Zeeland": "ZE",
        "Noord-Brabant": "NB", "Limburg": "LI", "Caribisch Nederland": "ZZ",
    }
)  # fmt: skip
UNKNOWN_PROVINCE: Final = "ZZ"

# Names in daily use beside the official spelling, so that a search finds them.
_ALIASES: Final = MappingProxyType(
    {
        "'s-Gravenhage": "Den Haag", "'s-Hertogenbosch": "Den Bosch", "De Fryske Marren": "De Friese Meren",
        "Súdwest-Fryslân": "Zuidwest-Friesland", "Dantumadiel": "Dantumadeel",
        "Tytsjerksteradiel": "Tietjerksteradeel", "Fryslân": "Friesland",
        "Nuenen, Gerwen en Nederwetten": "Nuenen",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Organisation:
    """One organisation; names are not unique (Utrecht is two), the code is."""

    code: str
    name: str
    kind: str
    province: str

    @property
    def province_code(self) -> str:
        """The code of its province in the figures."""
        return PROVINCE_CODES.get(self.province, UNKNOWN_PROVINCE)


def organisation(code: str) -> Organisation | None:
    """The organisation with this code, or None."""
    return organisations().get(code)


def province_code(code: str | None) -> str:
    """The province in the figures of an organisation code, ZZ when there is none."""
    known = organisations().get(code) if code else None
    return known.province_code if known else UNKNOWN_PROVINCE


def search(text: str, *, limit: int = 20) -> list[Organisation]:
    """Organisations whose name, daily name or code contains the text, those that begin with it first."""
    wanted = _plain(text.strip())
    if not wanted:
        return []
    found = [(org, names) for org, names in _search_names() if any(wanted in name for name in names)]
    found.sort(key=lambda row: (not any(name.startswith(wanted) for name in row[1]), row[1][0]))
    return [org for org, _ in found[:limit]]


@cache
def organisations() -> Mapping[str, Organisation]:
    """All organisations by code, in the order of the list."""
    text = files(__package__).joinpath("tables", "organisaties.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return MappingProxyType(
        {row["code"]: Organisation(row["code"], row["naam"], row["type"], row["provincie"]) for row in rows}
    )


@cache
def _search_names() -> tuple[tuple[Organisation, tuple[str, ...]], ...]:
    rows = []
    for org in organisations().values():
        names = [org.name, org.code]
        if org.name in _ALIASES:
            names.append(_ALIASES[org.name])
        rows.append((org, tuple(_plain(name) for name in names)))
    return tuple(rows)


def _plain(name: str) -> str:
    """Without accents, apostrophes and case: who looks for 's-Gravenhage may well leave them out."""
    spread = unicodedata.normalize("NFKD", name)
    return "".join(c for c in spread if not unicodedata.combining(c) and c not in "'’").casefold()
