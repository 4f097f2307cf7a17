"""A track or a due that somebody changed in the database: nothing makes it true, and somebody hears of it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import chase, work
from weerbaar_meldpunt.actions.errors import Onleesbaar
from weerbaar_meldpunt.actions.gaps import note_gaps
from weerbaar_meldpunt.store.tracks import Due, DueStep, Outbox, Track

TEAM = "ondersteuning"


def clock(desk: Any) -> Any:
    """One look of a clock."""
    with desk.instance.sessions.begin() as session:
        claims = chase.claim_dues(session, bytes(16), now=desk.now, wall=desk.now)
        return chase.take_steps(session, desk.instance, claims, bytes(16), now=desk.now, wall=desk.now)


def forge(desk: Any, overwrite: Any, reference: str, **values: Any) -> Any:
    track = desk.track(reference)
    overwrite(Track, [Track.id == track.id], **values)
    return track


def test_a_message_of_the_reporter_does_not_make_a_forged_track_true(desk: Any, overwrite: Any, alarms: Any) -> None:
    filed = desk.file()
    forge(desk, overwrite, filed.reference, urgency="laag")
    desk.reply(filed, "Ik ben bang.")
    assert desk.reporter(filed).view.messages[-1].text == "Ik ben bang."
    view = desk.open(desk.ready.first(TEAM), filed.reference)
    assert "track" in view.gaps
    assert not desk.track(filed.reference).unread
    assert ("rij_gewijzigd", f"track {filed.reference}") in alarms()


def test_a_message_of_the_reporter_leaves_a_forged_due_alone_and_plans_on_without_it(
    desk: Any, overwrite: Any, alarms: Any
) -> None:
    filed = desk.file()
    desk.do(desk.ready.first(TEAM), filed.reference, work.take)
    (due,) = desk.dues(filed.reference)
    far = desk.now + timedelta(days=900)
    overwrite(Due, [Due.id == due.id], moment=far, next_at=far)
    desk.reply(filed, "Hallo?")
    track = desk.track(filed.reference)
    assert track.unread
    assert track.due_at < far  # what was planned now, not what somebody wrote there
    assert "due" in desk.open(desk.ready.first(TEAM), filed.reference).gaps
    assert ("rij_gewijzigd", f"due {filed.reference}") in alarms()


def test_no_act_of_a_member_ends_or_counts_on_a_forged_due(desk: Any, overwrite: Any) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    (due,) = desk.dues(filed.reference)
    overwrite(Due, [Due.id == due.id], step="gedaan", ended_at=desk.now, next_at=None)
    desk.do(member, filed.reference, work.attempt, reached=True)
    with desk.instance.readings() as session:
        assert session.get_one(Due, due.id).step == "gedaan"  # as the forger left it: a gap, not a truth
    assert desk.dues(filed.reference)  # the track has a due all the same
    assert "due" in desk.open(member, filed.reference).gaps


def test_no_act_of_a_member_ends_a_due_that_was_moved(desk: Any, overwrite: Any) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    (due,) = desk.dues(filed.reference)
    far = desk.now + timedelta(days=900)
    overwrite(Due, [Due.id == due.id], moment=far, next_at=far)
    desk.do(member, filed.reference, work.attempt, reached=True)
    with desk.instance.readings() as session:
        stands = session.get_one(Due, due.id)
    assert (stands.step, stands.ended_at, stands.moment) == ("gepland", None, far)
    assert desk.track(filed.reference).due_at < far
    assert "due" in desk.open(member, filed.reference).gaps


def test_no_act_is_done_on_a_forged_track(desk: Any, overwrite: Any) -> None:
    filed = desk.file()
    forge(desk, overwrite, filed.reference, urgency="laag")
    with pytest.raises(Onleesbaar):
        desk.do(desk.ready.first(TEAM), filed.reference, work.take)
    assert desk.track(filed.reference).owner_id is None


def test_the_clock_does_not_make_a_forged_due_true_and_tells_the_whole_team_once(
    desk: Any, overwrite: Any, alarms: Any
) -> None:
    filed = desk.file()
    (due,) = desk.dues(filed.reference)
    later = due.moment + timedelta(days=30)
    overwrite(Due, [Due.id == due.id], moment=later, next_at=desk.now - timedelta(minutes=1))
    clock(desk)
    desk.later(minutes=10)
    clock(desk)
    with desk.instance.readings() as session:
        stands = session.get_one(Due, due.id)
        steps = session.scalars(select(DueStep.step).where(DueStep.due_id == due.id)).all()
        mailed = {row.recipient_id for row in session.scalars(select(Outbox))}
    assert (stands.step, stands.moment) == ("gepland", later)
    assert steps == ["heel_team"]
    assert {account.user_id for account in desk.ready.members[TEAM]} <= mailed
    assert ("rij_gewijzigd", f"due {filed.reference}") in alarms()
    assert "due" in desk.open(desk.ready.first(TEAM), filed.reference).gaps


def test_the_clock_does_not_let_a_due_lapse_because_somebody_closed_the_track_in_the_database(
    desk: Any, overwrite: Any, alarms: Any
) -> None:
    filed = desk.file()
    (due,) = desk.dues(filed.reference)
    forge(desk, overwrite, filed.reference, closed_at=desk.now, state="afgerond", outcome="geholpen")
    desk.later(days=30)
    clock(desk)
    with desk.instance.readings() as session:
        assert session.get_one(Due, due.id).ended_at is None
    assert ("rij_gewijzigd", f"track {filed.reference}") in alarms()


def test_the_clock_goes_on_with_what_is_as_it_was_left(desk: Any) -> None:
    filed = desk.file()
    desk.later(days=30)
    taken = clock(desk)
    assert taken.steps > 0
    assert desk.open(desk.ready.first(TEAM), filed.reference).gaps == ()


def test_an_alarm_of_a_gap_is_raised_once_for_a_case_and_a_kind(desk: Any, alarms: Any) -> None:
    raised = []
    for tables in (("due",), ("due", "track"), ("track",)):
        with desk.instance.sessions.begin() as session:
            raised.append(note_gaps(session, desk.instance, "ABCD-EFGH", tables, now=desk.now))
    assert raised == [True, True, False]
    assert alarms() == [("rij_gewijzigd", "due ABCD-EFGH"), ("rij_gewijzigd", "track ABCD-EFGH")]
