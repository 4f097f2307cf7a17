"""The roster of duty: who is called, under seal, and where nobody is."""

from datetime import timedelta

import pytest

from weerbaar_meldpunt.actions import roster
from weerbaar_meldpunt.actions.errors import NotAllowed, Onleesbaar
from weerbaar_meldpunt.actions.filing import on_duty
from weerbaar_meldpunt.actions.people import DISABLED
from weerbaar_meldpunt.store.people import User
from weerbaar_meldpunt.store.tracks import Duty
from weerbaar_meldpunt.vault.derive import new_key
from weerbaar_meldpunt.vault.keys import ServerKeys
from weerbaar_meldpunt.vault.seal import Binding, open_json

TEAM = "ondersteuning"
DAY = timedelta(days=1)


@pytest.fixture
def noon(at):
    return at("2026-11-23T12:00")


@pytest.fixture
def put(desk, noon):
    """Put somebody on duty from and to so many days from noon."""

    def add(owner, start, end, *, backup=None, team=TEAM, **more):
        with desk.instance.sessions.begin() as session:
            return roster.add_duty(
                session, desk.instance, team, starts_at=noon + start * DAY, ends_at=noon + end * DAY, owner=owner,
                owner_number="06 1111 1111", backup=backup, backup_number="06 2222 2222" if backup else "", now=noon,
                **more,
            )  # fmt: skip

    return add


def now_on(desk, now, team=TEAM):
    with desk.instance.readings() as session:
        row = roster.on_duty_now(session, team, now)
        return row.owner_id if row else None


def gaps(desk, now, *teams):
    with desk.instance.readings() as session:
        return [(gap.team, gap.starts_at - now, gap.ends_at - now) for gap in roster.gaps(session, teams, now)]


def test_who_is_on_duty_is_who_is_on_the_roster_at_that_moment(desk, put, noon):
    first, second = desk.member(), desk.member()
    put(first, 0, 1)
    put(second, 1, 2)

    assert now_on(desk, noon - timedelta(seconds=1)) is None
    assert now_on(desk, noon) == first
    assert now_on(desk, noon + DAY) == second
    assert now_on(desk, noon + 2 * DAY) is None
    assert now_on(desk, noon, "juridisch") is None


def test_who_stands_in_for_somebody_goes_first(desk, put, noon):
    usual, stands_in = desk.member(), desk.member()
    put(usual, 0, 7)
    put(stands_in, 1, 2)

    assert [now_on(desk, noon + days * DAY) for days in (0, 1, 2)] == [usual, stands_in, usual]


def test_names_and_numbers_are_sealed_under_the_server_key(desk, put):
    owner, backup = desk.member(), desk.member()
    duty = put(owner, 0, 1, backup=backup)

    with desk.instance.readings() as session:
        row = session.get_one(Duty, duty)
    view = roster.open_duty(desk.instance, row)

    assert (view.owner.user_id, view.owner.number) == (owner, "06 1111 1111")
    assert view.backup is not None
    assert (view.backup.user_id, view.backup.number) == (backup, "06 2222 2222")
    assert "1111" not in repr(view)
    assert b"1111" not in row.sealed
    with pytest.raises(Onleesbaar):
        open_json(ServerKeys(new_key()).seal, row.sealed, Binding("duty", TEAM, duty, 1))


def test_a_period_does_not_open_as_that_of_another_team(desk, put):
    duty = put(desk.member(), 0, 1)
    desk.change(Duty, duty, team="juridisch")

    with desk.instance.readings() as session, pytest.raises(Onleesbaar):
        roster.open_duty(desk.instance, session.get_one(Duty, duty))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"start": 1, "end": 1}, "rooster_periode"),
        ({"start": 1, "end": 0}, "rooster_periode"),
        ({"end": 40}, "rooster_periode"),
        ({"owner": "stranger"}, "geen_collega"),
        ({"backup": "stranger"}, "geen_collega"),
        ({"owner": "disabled"}, "geen_collega"),
        ({"backup": "owner"}, "achterwacht_is_dezelfde"),
    ],
)
def test_what_would_leave_a_call_unanswered_does_not_get_on_the_roster(desk, put, change, reason):
    people = {"owner": desk.member(), "stranger": desk.member("juridisch"), "disabled": desk.member(state=DISABLED)}
    wanted = {"owner": "owner", "backup": None, "start": 0, "end": 1} | change

    with pytest.raises(NotAllowed) as refused:
        put(people[wanted["owner"]], wanted["start"], wanted["end"], backup=people.get(wanted["backup"]))

    assert refused.value.reason == reason
    assert desk.count(Duty) == 0


def test_somebody_without_a_number_cannot_be_called(desk, noon):
    with desk.instance.sessions.begin() as session, pytest.raises(NotAllowed):
        roster.add_duty(
            session, desk.instance, TEAM, starts_at=noon, ends_at=noon + DAY, owner=desk.member(), owner_number=" ",
            now=noon,
        )  # fmt: skip


def test_only_the_coordinator_of_the_team_makes_its_roster(ready, at):
    noon, instance = at("2026-11-23T12:00"), ready.instance
    coordinator, member, other = ready.first(TEAM), ready.second(TEAM), ready.first("juridisch")

    def add(by):
        with instance.sessions.begin() as session:
            return roster.add_duty(
                session, instance, TEAM, starts_at=noon, ends_at=noon + DAY, owner=member.user_id, owner_number="06",
                now=noon, by=by.person,
            )  # fmt: skip

    for somebody in (member, other):
        with pytest.raises(NotAllowed, match="alleen_coordinator"):
            add(somebody)
    duty = add(coordinator)
    with instance.sessions.begin() as session, pytest.raises(NotAllowed):
        roster.remove_duty(session, instance, duty, now=noon, by=other.person)
    with instance.sessions.begin() as session:
        assert [view.owner.user_id for view in roster.duties(session, instance, TEAM, noon)] == [member.user_id]
        roster.remove_duty(session, instance, duty, now=noon, by=coordinator.person)
        assert roster.duties(session, instance, TEAM, noon) == []


def test_a_name_on_the_roster_is_that_of_the_account(desk, put):
    owner = desk.member()
    duty = put(owner, 0, 1)

    with desk.instance.readings() as session:
        assert session.get_one(User, owner)
        assert roster.open_duty(desk.instance, session.get_one(Duty, duty)).owner.name == "Collega 1"


# --- gaps ----------------------------------------------------------------------------------------------------------


def test_an_empty_roster_is_one_gap_of_a_week(desk, noon):
    assert gaps(desk, noon, TEAM) == [(TEAM, timedelta(), 7 * DAY)]


def test_a_roster_that_covers_the_week_has_no_gap(desk, put, noon):
    first, second = desk.member(), desk.member()
    put(first, -1, 3)
    put(second, 3, 9)

    assert gaps(desk, noon, TEAM) == []


def test_each_period_without_anybody_is_a_gap(desk, put, noon):
    somebody = desk.member()
    put(somebody, 1, 2)
    put(somebody, 1.5, 3)
    put(somebody, 5, 6)

    assert gaps(desk, noon, TEAM) == [(TEAM, 0 * DAY, 1 * DAY), (TEAM, 3 * DAY, 5 * DAY), (TEAM, 6 * DAY, 7 * DAY)]


def test_a_long_period_hides_no_gap_after_a_short_one_within_it(desk, put, noon):
    somebody = desk.member()
    put(somebody, -1, 5)
    put(somebody, 1, 2)

    assert gaps(desk, noon, TEAM) == [(TEAM, 5 * DAY, 7 * DAY)]


def test_gaps_are_per_team(desk, put, noon):
    put(desk.member(), -1, 9)
    put(desk.member("juridisch"), -1, 2, team="juridisch")

    assert gaps(desk, noon, TEAM, "juridisch") == [("juridisch", 2 * DAY, 7 * DAY)]


def test_a_promise_is_covered_by_the_same_roster(desk, put, noon):
    put(desk.member(), -1, 1)

    with desk.instance.readings() as session:
        assert on_duty(session, (TEAM,), noon + timedelta(minutes=30), now=noon)
        assert not on_duty(session, (TEAM,), noon + 2 * DAY, now=noon)
        assert not on_duty(session, ("juridisch",), noon + timedelta(minutes=30), now=noon)
