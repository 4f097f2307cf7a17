"""The shipped clock, killed (-9) while it destroys: each case is whole or gone, and the next clock goes on."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions.verifying import verify
from weerbaar_meldpunt.store.cases import Attachment, Case
from weerbaar_meldpunt.store.tracks import Pulse

pytestmark = pytest.mark.slow
HOUSE = Path(__file__).parents[2]


@pytest.fixture
def clock_process(desk):
    """`meldpunt clock --once` in a process of its own; dies at a label when one is given."""

    def run(die_at=""):
        with desk.instance.sessions.begin() as session:
            session.query(Pulse).delete()
            session.add(Pulse(name="klok", seen_at=desk.now - timedelta(seconds=60)))
        desk.instance.engine.dispose()
        environment = {
            **os.environ, "PYTHONPATH": str(HOUSE), "MELDPUNT_DIE_AT": die_at,
            "MELDPUNT_INSTANCE": str(desk.instance.settings.instance),
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-m", "weerbaar_meldpunt", "clock", "--once", "--now", desk.now.isoformat()],
            env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("die_at", "gone"),
    [
        ("erasing/rows-deleted", 0), ("erasing/rows-deleted:2", 1), ("erasing/committed", 1),
        ("erasing/committed:2", 2), ("erasing/files-removed:2", 2),
    ],
)  # fmt: skip
def test_whatever_it_dies_of_the_next_clock_finishes_and_each_case_is_counted_once(
    desk, closed, propose, decide, clock_process, register, tmp_path, die_at, gone
):
    filed = [closed(tmp_path=tmp_path) for _ in range(3)]
    staying = closed(tmp_path=tmp_path)
    desk.later(days=740)
    decide(propose(*(one.reference for one in filed)), by=desk.ready.second("ondersteuning"))

    died = clock_process(die_at)
    assert died.returncode == -signal.SIGKILL, died.stderr[-2000:]
    with desk.instance.readings() as session:
        assert len(session.scalars(select(Case)).all()) == 4 - gone
        assert verify(session, desk.instance).wrong == 0
        held = session.scalars(select(Attachment.blob_id)).all()
    assert all((desk.instance.blobs / blob_id.hex()).exists() for blob_id in held)

    done = clock_process()
    assert done.returncode == 0, done.stderr[-2000:]
    with desk.instance.readings() as session:
        assert session.scalars(select(Case.reference)).all() == [staying.reference]
        assert verify(session, desk.instance).wrong == 0
    assert sum(line.count for line in register()) == 3


def test_with_a_clock_that_jumped_two_years_ahead_the_shipped_clock_destroys_nothing(
    desk, closed, propose, decide, clock_process
):
    """The machine's own time was put ahead: what waits to go waits until the time is believed."""
    filed = closed()
    desk.later(days=740)
    decide(propose(filed.reference), by=desk.ready.second("ondersteuning"))
    with desk.instance.sessions.begin() as session:
        session.query(Pulse).delete()
        session.add(Pulse(name="klok", seen_at=desk.now - timedelta(days=730)))
    desk.instance.engine.dispose()

    done = subprocess.run(
        [sys.executable, "-m", "weerbaar_meldpunt", "clock", "--once", "--now", desk.now.isoformat()],
        env={**os.environ, "PYTHONPATH": str(HOUSE), "MELDPUNT_INSTANCE": str(desk.instance.settings.instance)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-2000:]
    with desk.instance.readings() as session:
        assert session.scalars(select(Case.reference)).all() == [filed.reference]
    assert clock_process().returncode == 0
    with desk.instance.readings() as session:
        assert session.scalars(select(Case.reference)).all() == []
