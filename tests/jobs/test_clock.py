"""The clock itself: the time it goes by, what it says to the operator, what it does once and over and over."""

import logging
import os
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import chase, pulse
from weerbaar_meldpunt.jobs import clock as clocks
from weerbaar_meldpunt.jobs.clock import Clock
from weerbaar_meldpunt.jobs.schedule import run_once, safely
from weerbaar_meldpunt.store.engine import truncate_wal
from weerbaar_meldpunt.store.tracks import Due, DueClaim, DueStep, Outbox, Pulse
from weerbaar_meldpunt.vault.derive import new_id

MONDAY = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # noon in Amsterdam
DAY = timedelta(days=1)


class Machine:
    """A machine whose clock can be set, and time that only goes on."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now, self.seconds = now, 0.0

    def passes(self, **span: float) -> None:
        """Time goes by."""
        self.now += timedelta(**span)
        self.seconds += timedelta(**span).total_seconds()

    def is_set(self, now: datetime) -> None:
        """Somebody sets the clock."""
        self.now = now


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def ticking(instance, machine) -> Clock:
    return Clock(instance, wall=lambda: machine.now, running=lambda: machine.seconds)


def alarms(caplog):
    return [record.message for record in caplog.records if record.message.startswith("ALARM")]


def pulses(instance):
    with instance.readings() as session:
        return {row.name: row.seen_at for row in session.scalars(select(Pulse))}


# --- the time it goes by -------------------------------------------------------------------------------------------


def test_a_clock_that_looks_leaves_its_pulse(ticking, instance, machine):
    ticking.chase()
    machine.passes(seconds=61)
    ticking.chase()

    assert pulses(instance) == {"klok": MONDAY + timedelta(seconds=61)}


def test_a_quiet_clock_writes_once_a_minute_and_not_each_time_it_looks(ticking, instance, machine):
    ticking.chase()

    for _ in range(11):
        machine.passes(seconds=5)
        ticking.chase()

    assert pulses(instance) == {"klok": MONDAY}


def test_a_clock_set_back_is_an_alarm_of_one_line_and_the_chase_goes_on(ticking, desk, machine, caplog):
    track = desk.track(("opvolging", MONDAY + timedelta(minutes=10)), now=MONDAY, owner=desk.member())
    ticking.chase()

    machine.is_set(MONDAY - timedelta(hours=3))
    for _ in range(3):
        machine.passes(minutes=5)
        ticking.chase()

    assert desk.steps(track) == [("herinnerd", MONDAY + timedelta(minutes=10))]
    assert alarms(caplog) == [clocks.JUMPS[pulse.WENT_BACK]]


def test_a_few_seconds_back_are_no_alarm(ticking, machine, caplog):
    ticking.chase()

    machine.is_set(MONDAY - timedelta(seconds=119))
    ticking.chase()

    assert alarms(caplog) == []


def test_an_alarm_of_an_acute_case_runs_on_while_the_clock_stands_in_the_past(ticking, desk, machine):
    track = desk.track(("eerste_contact", MONDAY + timedelta(minutes=30)), urgency="acuut", now=MONDAY)
    desk.member()
    ticking.chase()

    machine.is_set(MONDAY - timedelta(hours=12))
    for _ in range(16):
        machine.passes(minutes=1)
        ticking.chase()

    assert [step for step, _ in desk.steps(track)] == ["herinnerd", "achterwacht", "coordinator", "heel_team"]


def test_a_new_process_starts_from_the_latest_moment_that_was_seen(instance, desk, machine):
    Clock(instance, wall=lambda: MONDAY).chase()
    track = desk.track(("opvolging", MONDAY), now=MONDAY, owner=desk.member())

    Clock(instance, wall=lambda: MONDAY - timedelta(hours=2), running=lambda: 0.0).chase()

    assert desk.steps(track) == [("herinnerd", MONDAY)]


def test_a_day_without_a_clock_is_an_alarm_and_what_is_late_is_chased(ticking, desk, machine, caplog):
    track = desk.track(("opvolging", MONDAY + timedelta(hours=2)), now=MONDAY, owner=desk.member())
    ticking.chase()

    machine.passes(days=2)
    ticking.chase()

    assert desk.steps(track) == [("herinnerd", MONDAY + 2 * DAY)]
    assert alarms(caplog) == [clocks.JUMPS[pulse.WENT_AHEAD]]


def test_a_weekend_of_a_single_day_less_a_second_is_no_alarm(ticking, machine, caplog):
    ticking.chase()

    machine.passes(hours=23, minutes=59)
    ticking.chase()

    assert alarms(caplog) == []


def test_nothing_is_deleted_by_age_for_a_day_after_a_jump_ahead(ticking, instance, machine):
    from weerbaar_meldpunt.actions.drafts import new_draft, save_draft
    from weerbaar_meldpunt.store.cases import Draft

    draft = new_draft(instance)
    with instance.sessions.begin() as session:
        save_draft(session, draft, now=MONDAY)
    ticking.chase()

    def drafts() -> int:
        ticking.sweep()
        with instance.readings() as session:
            return len(session.scalars(select(Draft)).all())

    machine.is_set(MONDAY + 400 * DAY)
    assert drafts() == 1
    machine.passes(hours=23)
    assert drafts() == 1
    machine.passes(hours=1)
    assert drafts() == 0


def test_a_jump_that_the_sweeping_notices_first_is_an_alarm_too(ticking, machine, caplog):
    ticking.chase()

    machine.is_set(MONDAY + 10 * DAY)
    ticking.sweep()
    ticking.chase()

    assert alarms(caplog) == [clocks.JUMPS[pulse.WENT_AHEAD]]


@pytest.fixture
def was_ahead(ticking, desk, machine):
    """Cases that were chased while the clock stood a year ahead, and then it was put right."""
    desk.member()
    tracks = {
        "climbing": desk.track(("opvolging", MONDAY + timedelta(hours=1)), now=MONDAY),
        "not yet due": desk.track(("opvolging", MONDAY + 5 * DAY), now=MONDAY),
        "acute": desk.track(("eerste_contact", MONDAY + timedelta(minutes=30)), urgency="acuut", now=MONDAY),
    }
    ticking.chase()
    machine.is_set(MONDAY + 365 * DAY)
    for _ in range(40):
        ticking.chase()
        machine.passes(minutes=1)
    machine.is_set(MONDAY + timedelta(minutes=40))
    desk.told()
    return tracks


def test_after_a_false_time_ahead_nothing_stays_put_off_into_it(ticking, desk, machine, instance, was_ahead, caplog):
    ticking.chase()

    assert alarms(caplog)[-1] == clocks.JUMPS[pulse.CAME_BACK]
    assert pulses(instance) == {"klok": machine.now}
    for track in was_ahead.values():
        looks = [due.next_at for due in desk.dues(track) if due.ended_at is None and due.next_at]
        assert looks
        assert min(looks) < machine.now + 7 * DAY


def test_after_a_false_time_ahead_the_chase_goes_on_and_no_step_is_noted_twice(ticking, desk, machine, was_ahead):
    for _ in range(20):
        ticking.chase()
        machine.passes(hours=12)

    with desk.instance.readings() as session:
        noted = session.execute(select(DueStep.due_id, DueStep.step)).all()
    assert len(noted) == len(set(noted))
    assert desk.dues(was_ahead["climbing"])[0].step == "heel_team"
    assert desk.told()


def test_several_false_jumps_in_a_row_are_undone_together(ticking, instance, machine, caplog):
    ticking.chase()
    for days in (3, 40, 400):
        machine.is_set(MONDAY + days * DAY)
        ticking.chase()

    machine.is_set(MONDAY + timedelta(minutes=1))
    ticking.chase()

    assert alarms(caplog)[-1] == clocks.JUMPS[pulse.CAME_BACK]
    assert pulses(instance) == {"klok": MONDAY + timedelta(minutes=1)}


def test_a_clock_that_still_remembers_the_false_time_does_not_bring_it_back(instance, desk, machine):
    other = Machine()
    first = Clock(instance, wall=lambda: machine.now, running=lambda: machine.seconds)
    second = Clock(instance, wall=lambda: other.now, running=lambda: other.seconds)
    first.chase()
    for both in (machine, other):
        both.is_set(MONDAY + 365 * DAY)
    first.chase()
    other.passes(minutes=2)
    second.chase()
    for both in (machine, other):
        both.is_set(MONDAY + timedelta(minutes=10))
    first.chase()

    other.passes(minutes=2)
    second.chase()

    assert pulses(instance)["klok"] < MONDAY + DAY


def test_a_jump_of_long_ago_is_no_excuse_for_a_clock_that_goes_back_now(ticking, instance, machine):
    ticking.chase()
    machine.passes(days=3)  # the machine was off
    ticking.chase()
    for _ in range(8):
        machine.passes(hours=23)
        ticking.chase()
    latest = machine.now

    machine.is_set(latest - 2 * DAY)
    ticking.chase()

    assert pulses(instance) == {"klok": latest}


# --- what it does --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_looking_once_does_all_there_is_to_do(instance, desk, mail_server):
    import dataclasses

    instance.settings = dataclasses.replace(instance.settings, smtp=mail_server.settings)
    desk.tracks(120, ("opvolging", MONDAY), now=MONDAY, owner=desk.member())

    taken = run_once(instance, MONDAY)

    assert (taken.steps, taken.mails, desk.count(DueStep)) == (120, 120, 120)
    assert len(set(mail_server.box.ids)) == 120
    assert desk.count(Outbox) == 0


def test_looking_once_waits_for_what_another_clock_has_in_hand(instance, desk, monkeypatch):
    track = desk.track(("opvolging", MONDAY), now=MONDAY, owner=desk.member())
    monkeypatch.setattr(chase, "LEASE", timedelta(seconds=1))
    with instance.sessions.begin() as session:  # by a clock that dies now
        chase.claim_dues(session, new_id(), now=MONDAY, wall=datetime.now(UTC))

    assert run_once(instance, MONDAY).steps == 1
    assert [step for step, _ in desk.steps(track)] == ["herinnerd"]


def test_looking_once_lets_go_of_what_it_looked_at(instance, desk, at):
    track = desk.track(("opvolging", MONDAY), now=MONDAY, owner=desk.member())
    run_once(instance, at("2026-11-24T03:00"))
    assert desk.steps(track) == []

    began = time.monotonic()
    run_once(instance, at("2026-11-24T09:00"))

    assert time.monotonic() - began < 5
    assert [step for step, _ in desk.steps(track)] == ["herinnerd"]


def test_a_due_that_cannot_be_chased_holds_up_no_other(ticking, desk, monkeypatch, caplog):
    desk.member()
    tracks = desk.tracks(5, ("opvolging", MONDAY), now=MONDAY)
    poisoned = desk.due(tracks[0]).id
    look_at = chase._look_at

    def poison(batch, due, track):
        if due.id == poisoned:
            raise ValueError("geheim")
        look_at(batch, due, track)

    monkeypatch.setattr(chase, "_look_at", poison)
    ticking.chase()

    assert desk.count(DueStep) == 4
    assert alarms(caplog) == ["ALARM: a due cannot be chased (ValueError); it is tried again"]
    assert "geheim" not in caplog.text


def test_the_poisoned_due_is_taken_up_again_when_its_lease_is_over(ticking, desk, machine, monkeypatch):
    desk.member()
    track = desk.track(("opvolging", MONDAY), now=MONDAY)
    with monkeypatch.context() as broken:
        broken.setattr(chase, "_look_at", lambda *_: 1 / 0)
        ticking.chase()
    assert desk.steps(track) == []

    machine.passes(seconds=20)
    ticking.chase()

    assert len(desk.steps(track)) == 1


def test_the_operator_hears_once_that_nobody_can_be_told_and_not_who_or_what(ticking, desk, machine, caplog):
    desk.tracks(3, ("eerste_contact", MONDAY), urgency="acuut", now=MONDAY)

    for _ in range(4):
        ticking.chase()
        machine.passes(minutes=5)

    assert alarms(caplog) == ["ALARM: nobody can be told that something waits for ondersteuning"]


def test_the_operator_hears_how_many_reminders_had_no_address(ticking, desk, caplog):
    desk.member(login="jansen")
    desk.track(("opvolging", MONDAY), now=MONDAY)

    ticking.chase()

    assert "1 reminders have no mail: the login of who must hear it is no address" in caplog.text
    assert "jansen" not in caplog.text


def test_the_operator_hears_once_that_mails_are_kept(ticking, desk, caplog):
    desk.track(("opvolging", MONDAY), now=MONDAY, owner=desk.member())
    ticking.chase()

    ticking.send()
    ticking.send()

    assert caplog.messages.count("no mail server is set: mails are kept, not sent") == 1
    assert desk.count(Outbox) == 1


def test_a_job_that_fails_says_what_failed_and_nothing_of_why(caplog):
    def job() -> None:
        raise RuntimeError("Jansen, Dorpsstraat 1")

    safely("the chase", job)()

    assert caplog.messages == ["the chase failed (RuntimeError); it is tried again"]
    assert "Dorpsstraat" not in caplog.text


def test_a_case_that_was_filed_is_chased_and_stops_when_it_is_handled(ready, file, at):
    from weerbaar_meldpunt.actions import work

    night = at("2026-11-28T03:00")
    filed = file({"incident": {"kinds": ["bedreiging_intimidatie"], "weapon": True, "happening_now": True},
                  "contact": {"telephone": "0612345678"}}, now=night)  # fmt: skip
    assert filed.answer["urgency"] == "acuut"

    run_once(ready.instance, night)
    with ready.instance.readings() as session:
        steps = session.scalars(select(DueStep.step)).all()
        mails = session.scalars(select(Outbox).where(Outbox.source.in_(select(DueStep.id)))).all()
    assert set(steps) == {"herinnerd"}
    assert len(steps) == len(filed.teams)
    assert {mail.recipient_id for mail in mails} == {ready.first(team).user_id for team in filed.teams}

    for team in filed.teams:
        with ready.instance.sessions.begin() as session:
            held = work.hold(session, ready.instance, ready.second(team).person, filed.reference, now=night)
            work.attempt(held, reached=True)
    run_once(ready.instance, night + timedelta(hours=2))

    with ready.instance.readings() as session:
        assert len(session.scalars(select(DueStep)).all()) == len(filed.teams)
        open_dues = session.scalars(select(Due).where(Due.ended_at.is_(None))).all()
    assert {due.kind for due in open_dues} == {"opvolging", "nazorg_72u", "nazorg_2w", "nazorg_6w"}


def test_the_log_of_a_whole_run_holds_numbers_and_no_case(instance, desk, mail_server, caplog):
    import dataclasses

    caplog.set_level(logging.DEBUG)
    instance.settings = dataclasses.replace(instance.settings, smtp=mail_server.settings)
    owner = desk.member()
    track = desk.track(("opvolging", MONDAY), now=MONDAY, owner=owner)

    run_once(instance, MONDAY)

    assert "chased: 1 steps noted, 1 mails put ready" in caplog.messages
    assert "1 mails sent" in caplog.messages
    for secret in (desk.address(owner), track.hex(), owner.hex(), "ondersteuning"):
        assert secret not in "\n".join(record.message for record in caplog.records if record.name == "meldpunt.clock")


def test_the_write_ahead_log_is_emptied(ticking, desk, instance):
    desk.tracks(50, ("opvolging", MONDAY), now=MONDAY, owner=desk.member())
    wal = instance.settings.instance / "meldpunt.sqlite-wal"
    with closing(sqlite3.connect(instance.settings.instance / "meldpunt.sqlite")) as web_worker:
        web_worker.execute("SELECT count(*) FROM due").fetchall()
        assert wal.stat().st_size > 0

        ticking.sweep()

        assert wal.stat().st_size == 0


def test_somebody_who_is_reading_makes_the_sweeping_wait_only_a_moment(ticking, desk, instance):
    desk.tracks(5, ("opvolging", MONDAY), now=MONDAY, owner=desk.member())
    with closing(sqlite3.connect(instance.settings.instance / "meldpunt.sqlite")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM due").fetchall()
        desk.tracks(5, ("opvolging", MONDAY), now=MONDAY, owner=desk.member())

        began = time.monotonic()
        assert not truncate_wal(instance.engine)

        assert time.monotonic() - began < 5
    assert truncate_wal(instance.engine)


def test_claims_of_a_clock_are_under_its_own_name(instance):
    assert Clock(instance).id != Clock(instance).id
    assert DueClaim.clock.type.length == len(os.urandom(16))
