"""What only a database with several writers can get wrong: clocks and workers in transactions at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import chase, outbox
from weerbaar_meldpunt.documents import mails
from weerbaar_meldpunt.jobs.clock import Clock
from weerbaar_meldpunt.store.tracks import Due, DueStep, Outbox, Track
from weerbaar_meldpunt.vault.derive import new_id

pytestmark = pytest.mark.slow
NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


@pytest.fixture
def desk(emptied, desk_of):
    return desk_of(emptied)


def test_two_clocks_that_claim_at_the_same_moment_take_different_dues(desk):
    desk.tracks(30, ("opvolging", NOON), now=NOON, owner=desk.member())
    sessions = desk.instance.sessions

    with sessions.begin() as one, sessions.begin() as other:
        first = chase.claim_dues(one, new_id(), now=NOON, wall=NOON, limit=20)
        second = chase.claim_dues(other, new_id(), now=NOON, wall=NOON, limit=20)

    assert (len(first), len(second)) == (20, 10)
    assert not first.keys() & second.keys()


def test_a_track_that_a_worker_has_in_hand_is_left_for_the_next_look(desk):
    desk.member()
    busy, free = desk.tracks(2, ("opvolging", NOON), now=NOON)
    with desk.instance.sessions.begin() as session:
        claims = chase.claim_dues(session, desk.clock, now=NOON, wall=NOON)

    with desk.instance.sessions.begin() as worker:
        worker.scalars(select(Track).where(Track.id == busy).with_for_update()).one()
        with desk.instance.sessions.begin() as session:
            taken = chase.take_steps(session, desk.instance, claims, desk.clock, now=NOON, wall=NOON)
    assert (taken.seen, taken.steps) == (1, 1)
    assert desk.due(free).step == "herinnerd"
    assert desk.due(busy).step == "gepland"

    later = NOON + chase.LEASE
    desk.strike(later)
    assert desk.due(busy).step == "herinnerd"


def test_three_clocks_side_by_side_note_every_step_once(desk, monkeypatch):
    monkeypatch.setattr(chase, "claim_dues", _few_at_a_time(chase.claim_dues))
    desk.tracks(500, ("opvolging", NOON), now=NOON, owner=desk.member())

    with ThreadPoolExecutor(3) as threads:
        clocks = [Clock(desk.instance, wall=lambda: NOON, running=lambda: 0.0) for _ in range(3)]
        taken = [task.result() for task in [threads.submit(clock.chase) for clock in clocks]]

    assert sum(batch.steps for batch in taken) == 500
    assert min(batch.steps for batch in taken) > 0
    with desk.instance.readings() as session:
        assert len(set(session.scalars(select(DueStep.due_id)))) == 500
        assert len(session.scalars(select(Outbox.id)).all()) == 500
        assert session.scalars(select(Due.id).where(Due.step != "herinnerd")).all() == []


def _few_at_a_time(claim_dues):
    def claim(*args, **named):
        return claim_dues(*args, **{"limit": 7} | named)

    return claim


def test_two_senders_that_claim_at_the_same_moment_take_different_mails(desk):
    sessions, instance = desk.instance.sessions, desk.instance
    rows = [
        outbox.mail_row(
            instance, mails.reminder(), source=new_id(), recipient_id=new_id(), address="a@b.nl", wall=NOON
        )
        for _ in range(15)
    ]  # fmt: skip
    with sessions.begin() as session:
        session.add_all([Outbox(**row) for row in rows])

    with sessions.begin() as one, sessions.begin() as other:
        first = outbox.claim_letters(one, instance, b"A" * 16, wall=NOON)
        second = outbox.claim_letters(other, instance, b"B" * 16, wall=NOON)

    assert (len(first), len(second)) == (10, 5)
    assert not {letter.id for letter in first} & {letter.id for letter in second}


def test_two_clocks_that_look_for_the_first_time_at_the_same_moment_both_go_on(desk):
    desk.tracks(20, ("opvolging", NOON), now=NOON, owner=desk.member())

    with ThreadPoolExecutor(8) as threads:
        clocks = [Clock(desk.instance, wall=lambda: NOON + timedelta(seconds=1)) for _ in range(8)]
        results = [task.exception() for task in [threads.submit(clock.chase) for clock in clocks]]

    assert results == [None] * 8
    assert desk.count(DueStep) == 20
