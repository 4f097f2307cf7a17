"""The tables in the program and those a new database gets are the same, however many make it at once."""

import subprocess
import sys

import pytest
from sqlalchemy import inspect

from weerbaar_meldpunt.store.engine import PRAGMAS, open_engine
from weerbaar_meldpunt.store.migrate import current, differences, newest, upgrade
from weerbaar_meldpunt.store.tables import metadata

MIGRATE = (
    "import sys; from weerbaar_meldpunt.store import engine, migrate; migrate.upgrade(engine.open_engine(sys.argv[1]))"
)


def test_no_migration_was_forgotten(instance):
    assert differences(instance.engine) == []


def test_a_new_database_has_every_table_with_its_indexes(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'new.sqlite'}")
    upgrade(engine)

    found = inspect(engine)
    assert set(found.get_table_names()) == {*metadata.tables, "alembic_version"}
    for name, table in metadata.tables.items():
        assert {index["name"] for index in found.get_indexes(name)} >= {str(index.name) for index in table.indexes}
    assert current(engine) == newest()
    engine.dispose()


def test_tables_keyed_by_random_ids_keep_no_order_of_insertion(instance):
    with instance.engine.connect() as connection:
        for name in ("case", "case_grant", "message", "reader", "draft", "session", "stat_fact", "track"):
            sql = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).scalar()
            assert "WITHOUT ROWID" in sql.upper(), name


def test_every_connection_is_durable_and_overwrites_what_it_deletes(instance):
    asked = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "temp_store": 2}

    with instance.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(statement).scalar()
            for name, statement in (
                ("journal_mode", "PRAGMA journal_mode"),
                ("synchronous", "PRAGMA synchronous"),
                ("foreign_keys", "PRAGMA foreign_keys"),
                ("secure_delete", "PRAGMA secure_delete"),
                ("temp_store", "PRAGMA temp_store"),
            )
        }

    assert found == asked
    assert len(PRAGMAS) == len(asked)


@pytest.mark.slow
def test_four_programs_that_start_at_once_make_one_database(tmp_path):
    address = f"sqlite:///{tmp_path / 'new.sqlite'}"
    started = [subprocess.Popen([sys.executable, "-c", MIGRATE, address], stderr=subprocess.PIPE) for _ in range(4)]

    endings = [(process.communicate(timeout=60)[1].decode(), process.returncode) for process in started]

    assert [code for _, code in endings] == [0, 0, 0, 0], endings
    engine = open_engine(address)
    assert differences(engine) == []
    engine.dispose()
