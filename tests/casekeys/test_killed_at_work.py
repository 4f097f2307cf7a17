"""Killed (-9) in the middle of new keys, wrapping anew or handing over: all of it stands, or nothing of it (T18)."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from weerbaar_meldpunt.actions import transfer, work
from weerbaar_meldpunt.actions.rewrap import rewrap_batch, wraps_left
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import CaseEpoch, CaseGrant

TEAM, OTHER = "ondersteuning", "beveiliging"
SCRIPT = Path(__file__).parent / "acts_that_die.py"


def run(desk: Any, member: Any, act: str, *more: str, die_at: str) -> None:
    environment = {**os.environ, "MELDPUNT_DIE_AT": die_at, "PYTHONPATH": str(Path(__file__).parents[2])}
    desk.instance.engine.dispose()
    folder = str(desk.instance.settings.instance)
    moment = desk.now.isoformat()
    done = subprocess.run(
        [sys.executable, str(SCRIPT), folder, member.user_id.hex(), member.root.hex(), moment, act, *more],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]


def rows_of(desk: Any) -> tuple[int, int, int]:
    with desk.instance.readings() as session:
        return tuple(session.scalar(select(func.count()).select_from(m)) for m in (CaseGrant, CaseEpoch, Leaf))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("die_at", "kept"),
    [
        ("rewrap/prepared", 0),
        ("rewrap/rows-written", 0),
        ("rewrap/leaves-written", 0),
        ("rewrap/batch-kept", 2),
        ("rewrap/rows-written:2", 2),
        ("rewrap/leaves-written:3", 4),
    ],
)
def test_killed_while_wrapping_anew(desk: Any, next_key: Any, die_at: str, kept: int) -> None:
    filed = [desk.file() for _ in range(5)]
    member = desk.ready.first(TEAM)
    next_key(TEAM)
    run(desk, member, "rewrap", die_at=die_at)

    with desk.instance.readings() as session:
        assert wraps_left(session, desk.instance, TEAM) == 3 * (len(filed) - kept)
    for one in filed:  # whether it was its turn or not
        view = desk.open(desk.ready.second(TEAM), one.reference)
        assert (view.gaps, view.readable) == ((), True)
    with desk.instance.sessions.begin() as session:
        progress = rewrap_batch(session, desk.instance, member.person, TEAM, now=desk.now)
    assert (progress.done, progress.left) == (len(filed) - kept, 0)
    for one in filed:
        assert desk.open(member, one.reference).gaps == ()


def test_killed_while_a_case_gets_new_keys(desk: Any, next_key: Any, case_epochs: Any) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    next_key(TEAM)
    before = rows_of(desk)
    run(desk, member, "note", filed.reference, die_at="epoch/keys-made")
    assert rows_of(desk) == before
    view = desk.open(member, filed.reference)
    assert (view.gaps, view.notes) == ((), ())
    desk.do(member, filed.reference, work.add_note, "Nog eens.")
    assert case_epochs(filed.reference) == {"A": 1, "B": 1, "N": 1}
    assert [note.text for note in desk.open(member, filed.reference).notes] == ["Nog eens."]


@pytest.mark.parametrize("die_at", ["epoch/keys-made", "transfer/rows-written"])
def test_killed_while_a_case_changes_hands(desk: Any, die_at: str) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    before = rows_of(desk)
    run(desk, member, "transfer", filed.reference, die_at=die_at)
    assert rows_of(desk) == before
    view = desk.open(member, filed.reference)
    assert (view.gaps, view.messages, len(view.tracks)) == ((), (), 1)
    desk.do(member, filed.reference, transfer.transfer, OTHER, reason="x", words="y")
    assert desk.open(desk.ready.first(OTHER), filed.reference).gaps == ()
