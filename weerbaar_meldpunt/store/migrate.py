"""Bringing a database to the newest version of the tables, safe when two processes do it at once."""

from __future__ import annotations

import logging
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from weerbaar_meldpunt.places import migrations_folder

logging.getLogger("alembic").setLevel(logging.WARNING)  # it says at every start what it found

VERSIONS = "alembic_version"  # the table in which a database says its own version
_LOCK = 7_041_936  # any number, the same for all


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def newest() -> str | None:
    """The newest version this program knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(engine: Engine) -> str | None:
    """The version a database is at."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest version; one process does it, the others wait and find it done."""
    at = current(engine)
    if at == newest():
        return
    if at is not None and not known(at):
        raise NewerDatabase
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        command.upgrade(_config(connection), "head")


class NewerDatabase(Exception):
    """A newer version of the program made this database."""


def known(version: str) -> bool:
    """Whether this program knows a version of the tables; not when a newer program made it."""
    script = ScriptDirectory.from_config(_config())
    return version in {revision.revision for revision in script.walk_revisions()}


def upgrade_to(connection: Connection, version: str) -> None:
    """Bring a database to a version, inside a transaction of the caller."""
    command.upgrade(_config(connection), version)


def differences(engine: Engine) -> list[Any]:
    """What the tables in the program and in the database differ in; nothing when a migration was not forgotten."""
    from alembic.autogenerate import compare_metadata

    from weerbaar_meldpunt.store import tables

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        return list(compare_metadata(context, tables.metadata))
