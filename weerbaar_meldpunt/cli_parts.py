"""What the commands share: refusing in one line, printing JSON, reading a moment, opening the instance."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NoReturn

import click

from weerbaar_meldpunt.rules.values import read_moment
from weerbaar_meldpunt.settings import SettingsFault, load_settings

WRONG_INPUT, CHECK_FAILED = 2, 1


def refuse(message: str, status: int = WRONG_INPUT) -> NoReturn:
    """End with one line for the operator."""
    click.echo(message, err=True)
    sys.exit(status)


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


class Moment(click.ParamType[datetime]):
    """An ISO 8601 moment; without an offset it is Amsterdam's."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it, or say what is asked."""
        if isinstance(value, datetime):
            return value
        found = read_moment(str(value))
        if found is None:
            self.fail("a moment is asked, as in 2026-11-23T12:30:00+01:00", param, ctx)
        return found.astimezone(UTC)


@contextmanager
def opened() -> Iterator[Any]:
    """The instance that a command works on; what is wrong with it in one line."""
    from weerbaar_meldpunt.actions.errors import InstanceFault
    from weerbaar_meldpunt.actions.instance import open_instance

    try:
        instance = open_instance(load_settings())
    except (InstanceFault, SettingsFault) as fault:
        refuse(str(fault))
    try:
        yield instance
    finally:
        instance.engine.dispose()


def at(instance: Any, moment: datetime | None) -> datetime:
    """The moment to work at: now, or what a demonstration was told."""
    if moment is None:
        return datetime.now(UTC)
    if not instance.demonstration:
        refuse("--now is for a demonstration only")
    return moment
