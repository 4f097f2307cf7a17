"""The database engine and its sessions: SQLite with WAL, FULL and IMMEDIATE by default; PostgreSQL by address."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, sessionmaker

BUSY_SECONDS = 5
# Durable at every commit; what is deleted is overwritten; nothing goes to a plain temporary file (docs/security.md).
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA temp_store=MEMORY",
)


def open_engine(address: str) -> Engine:
    """An engine; on SQLite every transaction takes its write lock at the start, so that none is refused late."""
    if make_url(address).get_backend_name() != "sqlite":
        return create_engine(address, pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        if not connection.execute("PRAGMA page_count").fetchone()[0]:
            # Of a new database only, since it asks for the write lock: free pages can be given back bit by bit.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        for statement in PRAGMAS:
            connection.execute(statement)

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def truncate_wal(engine: Engine) -> bool:
    """Fold SQLite's write-ahead log into the database and empty it: old pages linger there until then.

    Waits half a second for readers at most, since nobody can write meanwhile; answers whether it was emptied.
    """
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=500")
        cursor.execute("PRAGMA incremental_vacuum").fetchall()
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy
    finally:
        connection.invalidate()  # its patience is not that of the others: it is not used again
        connection.close()


def insert_if_absent(session: Session, model: type[Any]) -> Any:
    """An insert that leaves alone what another process put there first."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(model).on_conflict_do_nothing()


def open_sessions(engine: Engine) -> sessionmaker[Session]:
    """The maker of sessions; objects stay usable after a commit."""
    return sessionmaker(engine, expire_on_commit=False, autoflush=False)
