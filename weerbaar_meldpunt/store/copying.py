"""Every row of a database as lines of text and back, in the form that both databases share, for a backup.

The tables are read as they stand in the database and not as the program knows them, so that what an older version
of the program kept can be put back into tables of that version first, and brought up to date after.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, MetaData, Table, func, insert, select

from .migrate import VERSIONS, upgrade_to

# What a backup leaves out: what is over when the program stands still, and caches that sessions make again.
PASSING: Final = frozenset(("session", "throttle", "device", "try_link", "due_claim"))
CACHES: Final = frozenset(("fold", "headline", "segment", "segment_case", "link_fold"))
# Names and telephone numbers of people in danger, for the hours of an outage only.
EMERGENCY: Final = frozenset(("emergency", "emergency_grant"))
LEFT_OUT: Final = PASSING | CACHES | EMERGENCY
_AT_ONCE: Final = 1000


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as it is at its first question, whatever is written meanwhile."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    else:
        engine = engine.execution_options(reading=True)
    with engine.begin() as connection:
        yield connection


def kept_tables(connection: Connection) -> list[Table]:
    """The tables of a backup, each after those its rows point to."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name not in LEFT_OUT | {VERSIONS}]


def _text(value: Any) -> Any:
    match value:
        case bytes() | memoryview():
            return {"b": base64.b64encode(bytes(value)).decode()}
        case datetime():
            moment = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
            return {"t": moment.isoformat()}
        case date():
            return {"d": value.isoformat()}
        case None | bool() | int() | str():
            return value
    raise TypeError(f"a column of a kind that no backup knows: {type(value).__name__}")


def _value(text: Any, zoned: bool) -> Any:
    match text:
        case {"b": content}:
            return base64.b64decode(content, validate=True)
        case {"t": moment}:
            found = datetime.fromisoformat(moment)
            return found if zoned else found.replace(tzinfo=None)
        case {"d": day}:
            return date.fromisoformat(day)
    return text


def row_lines(connection: Connection, table: Table) -> Iterator[bytes]:
    """The rows of a table, one a line, under a line with the names of its columns."""
    columns = list(table.columns)
    yield _line([column.name for column in columns])
    rows = connection.execution_options(yield_per=_AT_ONCE).execute(select(*columns))
    for row in rows:
        yield _line([_text(value) for value in row])


def _line(values: Sequence[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def make_tables(connection: Connection, version: str) -> dict[str, Table]:
    """The tables of a version of the program, in an empty database; answers them by name."""
    upgrade_to(connection, version)
    return {table.name: table for table in kept_tables(connection)}


def put_rows(connection: Connection, table: Table, names: Sequence[str], lines: Iterable[bytes]) -> int:
    """Insert rows that `row_lines` wrote; answers how many. `ValueError` for what is no such line."""
    zoned = connection.dialect.name == "postgresql"
    if set(names) != {column.name for column in table.columns}:
        raise ValueError(f"not the columns of {table.name}")
    batch: list[dict[str, Any]] = []
    count = 0

    def flush() -> None:
        nonlocal count
        if batch:
            connection.execute(insert(table), batch)
            count += len(batch)
            batch.clear()

    for line in lines:
        values = json.loads(line)
        batch.append({name: _value(value, zoned) for name, value in zip(names, values, strict=True)})
        if len(batch) >= _AT_ONCE:
            flush()
    flush()
    return count


def is_empty(connection: Connection) -> bool:
    """Whether the database holds no table at all."""
    found = MetaData()
    found.reflect(connection)
    return not found.tables


def counted(connection: Connection, table: Table) -> int:
    """How many rows a table has."""
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
