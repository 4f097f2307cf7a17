"""What every page stands in: the instance, the moment, and the transactions that a page owns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, cast

from flask import current_app, g
from sqlalchemy.orm import Session

from weerbaar_meldpunt.actions.instance import Instance

EXTENSION: Final = "meldpunt"
CLOCK: Final = "MELDPUNT_CLOCK"


def instance() -> Instance:
    """The instance this program serves."""
    return cast(Instance, current_app.extensions[EXTENSION])


def now() -> datetime:
    """The moment of this request, the same all through it; UTC."""
    if "now" not in g:
        clock: Callable[[], datetime] = current_app.config.get(CLOCK) or _system_clock
        g.now = clock()
    return cast(datetime, g.now)


def _system_clock() -> datetime:
    return datetime.now(UTC)


@contextmanager
def transaction() -> Iterator[Session]:
    """A transaction that writes: committed at the end, rolled back when anything goes wrong."""
    with instance().sessions.begin() as session:
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """A session that only reads, and holds no lock that a writer would wait for."""
    with instance().readings() as session:
        yield session
