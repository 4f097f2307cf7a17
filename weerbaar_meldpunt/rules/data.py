"""Reading policy that is kept as data: every file has a version, a date of force and a note of its author."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict


class Data(BaseModel):
    """A piece of a policy file: unknown keys are refused, nothing is converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PolicyFile(Data):
    """What every policy file says of itself."""

    version: str
    in_force_from: date
    note: str


Policy = TypeVar("Policy", bound=PolicyFile)


class NoSuchVersion(LookupError):
    """A version that this release does not carry."""


def read_policy(kind: type[Policy], name: str) -> Policy:
    """One file of `tables/`, checked; a file that is wrong stops the program at its first use."""
    text = files(__package__).joinpath("tables", name).read_text(encoding="utf-8")
    return kind.model_validate(_tuples(tomllib.loads(text)))


@cache
def versions(stem: str) -> tuple[str, ...]:
    """The versions of a table that are carried, oldest first (their names sort)."""
    names = [PurePath(entry.name) for entry in files(__package__).joinpath("tables").iterdir()]
    found = [n.stem.removeprefix(stem + "-") for n in names if n.suffix == ".toml" and n.stem.startswith(stem + "-")]
    return tuple(sorted(found))


def read_version(kind: type[Policy], stem: str, version: str) -> Policy:
    """A version by its name; `NoSuchVersion` when it is not carried."""
    if version not in versions(stem):
        raise NoSuchVersion(f"{stem}: no version {version!r}; carried: {', '.join(versions(stem))}")
    return read_policy(kind, f"{stem}-{version}.toml")


def every_version(kind: type[Policy], stem: str) -> tuple[Policy, ...]:
    """Every version that is carried, oldest first."""
    return tuple(read_version(kind, stem, version) for version in versions(stem))


def in_force(policies: Iterable[Policy], day: date) -> Policy:
    """The one in force on a day; before the first, the first. Of two from one day the later version holds."""
    by_date = sorted(policies, key=lambda policy: (policy.in_force_from, policy.version))
    return [policy for policy in by_date if policy.in_force_from <= day or policy is by_date[0]][-1]


def version_on(kind: type[Policy], stem: str, day: date) -> Policy:
    """The version in force on a day; before the first one, the first."""
    return in_force(every_version(kind, stem), day)


def _tuples(value: Any) -> Any:
    """Lists as tuples, so that what is read cannot be changed."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
