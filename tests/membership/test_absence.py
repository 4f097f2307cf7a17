"""Being away: the chase asks who stands in, and nobody's cases wait for somebody on holiday."""

from datetime import timedelta

import pytest

from weerbaar_meldpunt.actions import absence
from weerbaar_meldpunt.actions.crews import load_crews
from weerbaar_meldpunt.actions.errors import NotAllowed

TEAM = "ondersteuning"


def note(life, account, stand_in, *, starts=timedelta(0), ends=timedelta(days=14), **more):
    with life.instance.sessions.begin() as session:
        return absence.note_absence(
            session, life.instance, account.person, TEAM, starts_at=life.now + starts, ends_at=life.now + ends,
            stand_in=stand_in.user_id, now=life.now, **more,
        )  # fmt: skip


def asked(life, owner, kinds=("eigenaar", "coordinator")):
    with life.instance.readings() as session:
        crew = load_crews(session, life.instance, [TEAM], now=life.now)[TEAM]
    return crew.asked(kinds, owner.user_id)


@pytest.fixture
def third(life):
    return life.third()


def test_who_stands_in_is_asked_instead_of_the_owner_and_only_in_that_time(life, third):
    note(life, life.second, third, starts=timedelta(days=1))
    assert asked(life, life.second) == [life.second.user_id]

    life.forward(days=1)
    assert asked(life, life.second) == [third.user_id]

    life.forward(days=13)
    assert asked(life, life.second) == [life.second.user_id]


def test_when_both_are_away_the_next_on_the_ladder_is_asked(life, third):
    note(life, life.second, third)
    note(life, third, life.second)

    assert asked(life, life.second) == [life.first.user_id]


def test_who_stands_in_for_who_stands_in_is_asked(life, third):
    note(life, life.second, third)
    note(life, third, life.first)

    assert asked(life, life.second, ("eigenaar", "team")) == [life.first.user_id]


def test_the_owner_is_asked_still_when_there_is_nobody_else(life, third):
    note(life, life.second, third)
    note(life, third, life.second)

    assert asked(life, life.second, ("eigenaar",)) == [life.second.user_id]


def test_who_stood_in_and_left_is_not_asked(life, third):
    note(life, life.second, third)

    life.change(third, None)

    assert asked(life, life.second) == [life.second.user_id]


def test_it_is_taken_back_by_the_member_or_the_coordinator_and_by_nobody_else(life, third):
    noted = note(life, life.second, third)

    with pytest.raises(NotAllowed, match="niet_afwezig"), life.instance.sessions.begin() as session:
        absence.end_absence(session, life.instance, third.person, noted, now=life.now)
    with life.instance.sessions.begin() as session:
        absence.end_absence(session, life.instance, life.first.person, noted, now=life.now)

    assert asked(life, life.second) == [life.second.user_id]


def test_the_coordinator_notes_it_for_somebody_who_is_ill_and_a_colleague_does_not(life, third):
    note(life, life.first, third, member=life.second.user_id)
    assert asked(life, life.second) == [third.user_id]

    with pytest.raises(NotAllowed, match="alleen_coordinator"):
        note(life, life.second, life.first, member=third.user_id)


def test_nobody_stands_in_for_themselves_or_from_another_team(life):
    with pytest.raises(NotAllowed, match="achterwacht_is_dezelfde"):
        note(life, life.second, life.second)
    with pytest.raises(NotAllowed, match="geen_collega"):
        note(life, life.second, life.ready.first("juridisch"))


def test_nobody_is_away_twice_at_once(life, third):
    note(life, life.second, third)

    with pytest.raises(NotAllowed, match="al_afwezig"):
        note(life, life.second, life.first, starts=timedelta(days=3), ends=timedelta(days=4))


def test_the_reminder_of_an_overdue_case_goes_to_who_stands_in(life, third, file):
    from sqlalchemy import delete, select

    from weerbaar_meldpunt.actions.work import hold, take
    from weerbaar_meldpunt.jobs.schedule import run_once
    from weerbaar_meldpunt.store.tracks import Outbox

    filed = file({"target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"]}})
    person = life.second.person
    with life.instance.sessions.begin() as session:
        take(hold(session, life.instance, person, filed.reference, now=life.now, team=TEAM))
    note(life, life.second, third, ends=timedelta(days=60))
    with life.instance.sessions.begin() as session:
        session.execute(delete(Outbox))

    team, asked_first = {one.user_id for one in (life.first, life.second, third)}, set()
    for _ in range(20):
        life.forward(hours=12)
        run_once(life.instance, life.now)
        with life.instance.readings() as session:
            asked_first = team & set(session.scalars(select(Outbox.recipient_id)))  # custodians get mails too
        if asked_first:
            break

    assert asked_first == {third.user_id}
