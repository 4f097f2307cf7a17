"""Two clocks over 500 overdue tracks: real processes, one database file, and one of them killed (-9) on the way."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.store.tracks import DueStep, Outbox

pytestmark = pytest.mark.slow
DIES = Path(__file__).with_name("clock_that_dies.py")
TRACKS = 500


@pytest.fixture
def overdue(desk):
    """500 tracks that are late now, whatever the hour at which the test runs."""
    late = datetime.now(UTC) - timedelta(minutes=1)
    desk.tracks(TRACKS, ("opvolging", late), urgency="acuut", now=late, owner=desk.member())
    return desk


@pytest.fixture
def start(instance, mail_server):
    """Start a clock; what still runs at the end of the test is stopped."""
    started: list[subprocess.Popen[bytes]] = []
    environment = os.environ | {
        "MELDPUNT_SMTP_HOST": "127.0.0.1",
        "MELDPUNT_SMTP_PORT": str(mail_server.port),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }

    def run(*command: str) -> subprocess.Popen[bytes]:
        log = (instance.settings.instance.parent / f"clock{len(started)}.log").open("wb")
        with log:
            process = subprocess.Popen([sys.executable, *command], env=environment, stdout=log, stderr=log)
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture
def dying(start, instance):
    def run(dies: str):
        return start(str(DIES), str(instance.settings.instance), dies)

    return run


@pytest.fixture
def shipped(start, instance):
    """The command as it ships."""

    def run():
        return start("-m", "weerbaar_meldpunt", "--instance", str(instance.settings.instance), "clock")

    return run


def wait_until(true, *, seconds=90):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)


def all_sent(desk):
    return desk.count(DueStep) == TRACKS and desk.count(Outbox) == 0


def fixed_part(raw: bytes) -> bytes:
    return re.sub(rb"(?m)^(Message-ID|To|Date): .*\r\n", b"", raw).rstrip(b"\r\n ").removesuffix(b"=20")


def check_everything_happened_once(desk, box, *, repeats=0):
    with desk.instance.readings() as session:
        noted = Counter(tuple(row) for row in session.execute(select(DueStep.due_id, DueStep.step)))
    assert len(noted) == TRACKS
    assert set(noted.values()) == {1}
    ids = Counter(box.ids)
    assert len(ids) == TRACKS
    assert len(box.ids) - TRACKS <= repeats
    assert len({fixed_part(raw) for _, raw in box.raw}) == 1
    assert len({len(raw) for _, raw in box.raw}) == 1
    for message_id in [text for text, count in ids.items() if count > 1]:
        copies = {raw for message, (_, raw) in zip(box.ids, box.raw, strict=True) if message == message_id}
        assert len(copies) == 1, "a repeat is the same mail"


@pytest.mark.parametrize("dies", ["claimed", "writing", "committed"])
def test_500_tracks_are_chased_once_each_wherever_a_clock_dies(overdue, mail_server, dying, dies):
    victim, survivor = dying(dies), dying("never")

    wait_until(lambda: all_sent(overdue))

    assert victim.wait(timeout=30) == -signal.SIGKILL
    assert survivor.poll() is None
    check_everything_happened_once(overdue, mail_server.box, repeats=1)


def test_a_sender_that_dies_between_the_yes_and_the_delete_repeats_that_mail_under_its_id(
    overdue, mail_server, dying
):  # fmt: skip
    victim = dying("sent")
    assert victim.wait(timeout=60) == -signal.SIGKILL
    sent = len(mail_server.box.raw)
    assert 0 < sent < TRACKS

    dying("never")
    wait_until(lambda: all_sent(overdue))

    check_everything_happened_once(overdue, mail_server.box, repeats=1)
    assert len(mail_server.box.raw) == TRACKS + 1
    assert mail_server.box.ids[sent - 1] in mail_server.box.ids[sent:]


def test_a_sender_killed_while_the_mail_server_says_yes_repeats_that_mail_under_its_id(overdue, mail_server, dying):
    victim = dying("never")

    def kill_at_the_hundredth(count: int) -> None:
        if count == 100 and victim.poll() is None:
            victim.send_signal(signal.SIGKILL)
            victim.wait()

    mail_server.box.on_data = kill_at_the_hundredth
    wait_until(lambda: victim.poll() is not None)

    dying("never")
    wait_until(lambda: all_sent(overdue))

    check_everything_happened_once(overdue, mail_server.box, repeats=1)
    assert len(mail_server.box.raw) == TRACKS + 1


def test_the_command_as_it_ships_does_the_same(overdue, mail_server, shipped):
    first, second = shipped(), shipped()
    wait_until(lambda: len(mail_server.box.raw) > 0)

    first.send_signal(signal.SIGKILL)
    wait_until(lambda: all_sent(overdue))

    check_everything_happened_once(overdue, mail_server.box, repeats=1)
    second.send_signal(signal.SIGTERM)
    assert second.wait(timeout=20) == 0
    log = (overdue.instance.settings.instance.parent / "clock1.log").read_text("utf-8")
    assert "mails sent" in log
    assert "@" not in log
    assert not re.search(r"[0-9a-f]{32}", log)


def test_a_clock_that_is_told_to_stop_gives_back_what_it_has_in_hand(overdue, mail_server, shipped):
    process = shipped()
    wait_until(lambda: len(mail_server.box.raw) >= 5)

    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=20) == 0
    with overdue.instance.readings() as session:
        assert session.scalars(select(Outbox).where(Outbox.lease_until.is_not(None))).all() == []
    assert overdue.count(Outbox) + len(mail_server.box.raw) == overdue.count(DueStep)
