"""The clock's part: each day a checkpoint, each night a check, by one of many clocks; what is wrong is an alarm."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import alarms, nightly
from weerbaar_meldpunt.jobs.clock import Clock
from weerbaar_meldpunt.store.audit import Alarm, AuditCheck, Checkpoint
from weerbaar_meldpunt.store.tracks import Outbox


@pytest.fixture
def clock_at(desk):
    """A clock that goes by the desk's moment."""

    def made():
        return Clock(desk.instance, moment=lambda: desk.now, wall=lambda: desk.now, running=lambda: 0.0)

    return made


def rows(desk, model):
    with desk.instance.readings() as session:
        return list(session.scalars(select(model)))


def test_each_day_has_one_checkpoint_and_each_night_one_check_whatever_the_number_of_clocks(desk, clock_at):
    clocks = [clock_at() for _ in range(3)]
    for _ in range(2):
        for _ in range(4):
            for one in clocks:
                one.keep_trail()
            desk.later(hours=1)
        desk.later(hours=20)

    assert len(rows(desk, Checkpoint)) == 2
    assert [(row.wrong, row.ended_at is not None) for row in rows(desk, AuditCheck)] == [(0, True)] * 2


def test_what_does_not_fit_is_an_alarm_with_its_number_in_the_log_and_in_the_database(desk, clock_at, caplog):
    auditor = desk.ready.people.auditor()
    desk.happens(1)
    [(seq,)] = desk.rows("SELECT seq FROM audit WHERE action = 'geopend' LIMIT 1")
    desk.write("UPDATE audit SET action = 'gelezen' WHERE seq = :seq", seq=seq)

    clock_at().keep_trail()

    [alarm] = rows(desk, Alarm)
    [check] = rows(desk, AuditCheck)
    assert (alarm.kind, alarm.about) == (nightly.ALARM, f"leaf_altered:{seq}")
    assert (check.wrong, check.first_seq, check.first_what) == (1, seq, "leaf_altered")
    [line] = [record.getMessage() for record in caplog.records if "ALARM" in record.getMessage()]
    assert str(seq) in line
    assert auditor.user_id in {mail.recipient_id for mail in rows(desk, Outbox)}


def test_the_same_fault_alarms_once_until_somebody_ends_it(desk, clock_at):
    auditor = desk.ready.people.auditor()
    desk.happens(1)
    desk.write("UPDATE audit SET head = zeroblob(32) WHERE seq = 3")
    for _ in range(3):
        clock_at().keep_trail()
        desk.later(days=1)

    [alarm] = rows(desk, Alarm)
    with desk.instance.sessions.begin() as session:
        alarms.end_alarm(session, desk.instance, auditor.person, alarm.id, "Kopie teruggezet.", now=desk.now)
    clock_at().keep_trail()

    assert len(rows(desk, Alarm)) == 2


def test_a_check_that_a_clock_died_of_is_made_again_by_another(desk, clock_at):
    with desk.instance.sessions.begin() as session:
        assert nightly.take_turn(session, now=desk.now)

    clock_at().keep_trail()
    assert [row.ended_at for row in rows(desk, AuditCheck)] == [None]
    desk.later(hours=7)
    clock_at().keep_trail()

    assert [row.ended_at for row in rows(desk, AuditCheck)] == [desk.now]


def test_a_check_that_breaks_off_is_an_alarm(desk, clock_at, monkeypatch, caplog):
    from weerbaar_meldpunt.actions import verifying

    desk.ready.people.auditor()

    def broken(*_args, **_more):
        raise RuntimeError("kanarie: secret words")

    monkeypatch.setattr(verifying, "verify", broken)
    with pytest.raises(RuntimeError):
        clock_at().keep_trail()

    assert [alarm.kind for alarm in rows(desk, Alarm)] == [nightly.FAILED]
    assert "kanarie" not in caplog.text


def test_the_night_begins_at_three(desk):
    three = desk.now.replace(hour=2, minute=0)  # in Amsterdam

    assert nightly.night_of(three - timedelta(seconds=1)) != nightly.night_of(three)
