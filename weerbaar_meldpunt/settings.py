"""The settings of one instance: read once, from its `meldpunt.toml` and the environment, and passed on as values."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

FILE = "meldpunt.toml"


class SettingsFault(ValueError):
    """A setting that is missing or wrong; the message names it."""


_STAFF: Final = ("behandelaar", "coordinator", "statistiekredacteur", "beheerder", "auditor")

# Shown to people in fear; the shipped numbers can be replaced by the desk's own.
TELEPHONE: Final = MappingProxyType(
    {"nood": "112", "nood_bes": "911", "ot": "070-3738314", "113": "113", "politie": "0900-8844"}
)


@dataclass(frozen=True, slots=True)
class Smtp:
    """The mail server that fixed-text mails leave by."""

    host: str
    port: int = 25
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All that may differ between two instances. Policy of the program itself is data in `rules/tables`."""

    instance: Path
    demonstration: bool = False
    base_url: str = "http://localhost:8000"
    database_url: str | None = None
    smtp: Smtp | None = None
    mail_from: str = "meldpunt@localhost"
    telephone: MappingProxyType[str, str] = field(default_factory=lambda: TELEPHONE)
    neutral_page: str = "https://www.knmi.nl/"
    names_shown: tuple[str, ...] = ()  # teams whose members a reporter sees by name in "wie keek er?"
    # Roles that sign in with a passkey, not with the code of an app (docs/operate.md).
    passkey_required: frozenset[str] = frozenset()

    @property
    def database(self) -> str:
        """The database's address: a SQLite file in the instance folder unless set otherwise."""
        return self.database_url or f"sqlite:///{self.database_file}"

    @property
    def database_file(self) -> Path | None:
        """The file that the database is, unless another one is set."""
        return None if self.database_url else self.instance / "meldpunt.sqlite"


def default_instance() -> Path:
    """The instance folder that a command works on when none is named."""
    return Path(os.environ.get("MELDPUNT_INSTANCE") or "instance").absolute()


def load_settings(instance: Path | None = None) -> Settings:
    """Read the settings of an instance; `SettingsFault` when its file holds what is not a setting."""
    folder = (instance or default_instance()).absolute()
    path = folder / FILE
    try:
        document = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SettingsFault(f"{FILE}: {fault}") from None
    known = {
        "demonstration", "base_url", "database_url", "mail_from", "neutral_page", "names_shown", "smtp", "telephone",
        "passkey_required",
    }  # fmt: skip
    if unknown := sorted(set(document) - known):
        raise SettingsFault(f"{FILE}: unknown setting {', '.join(unknown)}")
    try:
        smtp = Smtp(**document.pop("smtp")) if "smtp" in document else _smtp_from_environment()
        telephone = dict(TELEPHONE) | document.pop("telephone", {})
        document["names_shown"] = _teams(document.pop("names_shown", []))
    except (TypeError, ValueError) as fault:
        raise SettingsFault(f"{FILE}: {fault}") from None
    if "passkey_required" in document:
        document["passkey_required"] = _roles(document["passkey_required"])
    base_url = os.environ.get("MELDPUNT_BASE_URL")
    if base_url:
        document["base_url"] = base_url
    return Settings(instance=folder, smtp=smtp, telephone=MappingProxyType(telephone), **document)


def _teams(asked: object) -> tuple[str, ...]:
    if not isinstance(asked, list) or not all(isinstance(team, str) for team in asked):
        raise SettingsFault(f'{FILE}: names_shown is a list of teams, as ["ondersteuning"]')
    return tuple(asked)


def _roles(asked: object) -> frozenset[str]:
    if not isinstance(asked, list) or set(asked) - set(_STAFF):
        raise SettingsFault(f"{FILE}: passkey_required is a list of {', '.join(_STAFF)}")
    return frozenset(asked)


def _smtp_from_environment() -> Smtp | None:
    host = os.environ.get("MELDPUNT_SMTP_HOST")
    return Smtp(host, int(os.environ.get("MELDPUNT_SMTP_PORT", "25"))) if host else None
