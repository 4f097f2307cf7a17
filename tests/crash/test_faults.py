"""T18. A locked database, a clock that jumps, a database of another version: what people see, and what is kept."""

import multiprocessing
import re
import sqlite3
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from weerbaar_meldpunt.actions.errors import InstanceFault
from weerbaar_meldpunt.actions.instance import open_instance
from weerbaar_meldpunt.jobs.clock import Clock
from weerbaar_meldpunt.store.audit import Alarm
from weerbaar_meldpunt.store.cases import Case, Draft

STORY = "Zij stonden gisteravond weer voor mijn deur. " * 4
spawn = multiprocessing.get_context("spawn")


def hold(path, seconds, held):
    """Another program that keeps the database locked."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    held.set()
    time.sleep(seconds)
    other.close()


@pytest.fixture
def locked(ready):
    """The database is locked by another process for some seconds."""
    running = []

    def by_another(seconds):
        held = spawn.Event()
        other = spawn.Process(target=hold, args=(ready.instance.settings.instance / "meldpunt.sqlite", seconds, held))
        other.start()
        running.append(other)
        assert held.wait(30)

    yield by_another
    for other in running:
        other.terminate()
        other.join()
        other.close()


def filled(client):
    page = client.get("/melden/verhaal").get_data(as_text=True)
    return dict(re.findall(r'type="hidden" name="([^"]+)"[^>]*value="([^"]*)"', page)) | {"narrative": STORY}


def drafts(instance):
    with instance.readings() as session:
        return session.scalar(select(func.count()).select_from(Draft))


@pytest.mark.slow
def test_a_database_that_stays_locked_gives_the_words_back_after_five_seconds(ready, client, locked):
    data = filled(client)
    locked(60)
    began = time.monotonic()

    answer = client.post("/melden/verhaal", data=data)

    took = time.monotonic() - began
    assert answer.status_code == 503
    assert 4.5 < took < 30
    assert answer.headers["Retry-After"]
    assert STORY.strip() in answer.get_data(as_text=True)
    assert drafts(ready.instance) == 0
    assert client.get("/melden/verhaal").status_code == 200  # reading goes on


@pytest.mark.slow
def test_one_that_is_free_again_in_time_is_waited_for(ready, client, locked):
    data = filled(client)
    locked(2)

    answer = client.post("/melden/verhaal", data=data)

    assert answer.status_code == 303
    assert drafts(ready.instance) == 1


@pytest.mark.parametrize(
    ("jump", "said"),
    [(-timedelta(hours=3), "went_back"), (timedelta(days=3), "went_ahead"), (-timedelta(seconds=60), None)],
)
def test_a_clock_that_jumps_alarms_once_and_nothing_is_deleted_by_age(ready, client, clock, jump, said):
    client.post("/melden/verhaal", data=filled(client))
    ticking = Clock(ready.instance, wall=clock)
    ticking.sweep()
    clock.forward(days=jump.days, seconds=jump.seconds)
    for _ in range(3):
        Clock(ready.instance, wall=clock).sweep()

    with ready.instance.readings() as session:
        alarms = [(row.kind, row.about) for row in session.scalars(select(Alarm))]
    assert alarms == ([("klok_sprong", said)] if said else [])
    assert drafts(ready.instance) == 1


def test_a_jump_of_a_month_deletes_no_draft_until_a_day_has_really_passed(ready, client, clock):
    client.post("/melden/verhaal", data=filled(client))
    Clock(ready.instance, wall=clock).sweep()

    clock.forward(days=31)
    Clock(ready.instance, wall=clock).sweep()
    assert drafts(ready.instance) == 1

    for _ in range(26):
        clock.forward(hours=1)
        Clock(ready.instance, wall=clock).sweep()
    assert drafts(ready.instance) == 0


def test_a_database_of_a_newer_program_is_refused_in_one_line(ready):
    with ready.instance.sessions.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    ready.instance.engine.dispose()

    with pytest.raises(InstanceFault, match="newer version"):
        open_instance(ready.instance.settings)


def test_a_database_that_is_gone_is_refused_and_no_other_takes_its_place(ready):
    ready.instance.engine.dispose()
    folder = ready.instance.settings.instance
    for path in folder.glob("meldpunt.sqlite*"):
        path.unlink()

    with pytest.raises(InstanceFault, match="not there"):
        open_instance(ready.instance.settings)
    assert not list(folder.glob("meldpunt.sqlite*"))


def test_what_is_not_there_costs_no_case(ready, file):
    file({"narrative": "x"})
    for name in ("server.key", "pepper.key"):
        path = ready.instance.settings.instance / name
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(InstanceFault, match=name):
            open_instance(ready.instance.settings)
        assert not path.exists()  # never a silent replacement
        path.write_bytes(content)
    again = open_instance(ready.instance.settings)
    with again.readings() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 1
    again.engine.dispose()
