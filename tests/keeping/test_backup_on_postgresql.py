"""A backup does not know which database it came from: from PostgreSQL to a file and back, every row as it was."""

import pytest

from tests.jobs.conftest import HAS_POSTGRESQL, postgresql
from weerbaar_meldpunt.actions import backup, evidence, reopening, restoring
from weerbaar_meldpunt.actions.instance import create_instance, open_instance
from weerbaar_meldpunt.actions.restoring import RestoreFault
from weerbaar_meldpunt.actions.verifying import verify
from weerbaar_meldpunt.settings import load_settings
from weerbaar_meldpunt.store import copying

__all__ = ["postgresql"]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not HAS_POSTGRESQL, reason="no PostgreSQL server is installed")]


def all_rows(instance):
    found = {}
    with copying.snapshot(instance.engine) as connection:
        for table in copying.kept_tables(connection):
            names, *lines = copying.row_lines(connection, table)
            found[table.name] = (names, sorted(lines))
    return found


def made(instance, path, *, now):
    with backup.backup_file(path) as target:
        backup.make_backup(instance, target, now=now)
    return path


def without_restore(rows):
    return {name: found for name, found in rows.items() if name != "restoration"}


def test_from_postgresql_into_a_file_and_back_into_postgresql(tmp_path, postgresql, ready_maker, clock, monkeypatch):
    monkeypatch.setattr(evidence, "FREE_FLOOR", 0)
    config = f'database_url = "{postgresql}"\n'
    first = create_instance(tmp_path / "first", now=clock.now, demonstration=True, config=config)
    ready = ready_maker(first)
    keys = [(tmp_path / "first" / name).read_bytes() for name in ("server.key", "pepper.key")]
    seed, before = ready.custody.backup_seed, all_rows(first)
    path = made(first, tmp_path / "one.wmb", now=clock.now)

    # Into a file: settings of its own lie ready, or it would be put where it came from.
    opened = restoring.open_backup(path, "backup", seed, *keys)
    with pytest.raises(RestoreFault, match="not empty"):
        restoring.unpack(opened, tmp_path / "wrong", *keys, now=clock.now)
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "meldpunt.toml").write_text("demonstration = true\n")
    restoring.unpack(opened, tmp_path / "second", *keys, now=clock.now)
    second = open_instance(load_settings(tmp_path / "second"), closed_too=True)
    assert without_restore(all_rows(second)) == without_restore(before)
    with second.sessions.begin() as session:
        reopening.replay(session, second, [], now=clock.now)
    with second.sessions.begin() as session:
        reopening.open_for_service(session, second, now=clock.now)
    now_there = all_rows(second)

    # And back: the database is empty again.
    path = made(second, tmp_path / "two.wmb", now=clock.now)
    with first.engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    first.engine.dispose()
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / "meldpunt.toml").write_text("demonstration = true\n" + config)
    restoring.unpack(
        restoring.open_backup(path, "backup", seed, *keys), tmp_path / "third", *keys, now=clock.forward(hours=1)
    )
    third = open_instance(load_settings(tmp_path / "third"), closed_too=True)

    after = all_rows(third)
    assert len(after["restoration"][1]) == 2
    assert without_restore(after) == without_restore(now_there)
    with third.readings() as session:
        assert verify(session, third).findings == []
    for instance in (second, third):
        instance.engine.dispose()
