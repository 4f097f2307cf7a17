"""Somebody who opens more than their work asks is named to people of another team; a busy day is no alarm."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import alarms, bulk
from weerbaar_meldpunt.actions.ledger import Ledger
from weerbaar_meldpunt.actions.opening import ACTIONS, FILE
from weerbaar_meldpunt.jobs.clock import Clock
from weerbaar_meldpunt.rules.openings import limits_on
from weerbaar_meldpunt.store.audit import Alarm, Leaf, LookCount
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import new_id

from .conftest import TEAM


def opens(desk, member, cases, *, action="geopend", each=timedelta()):
    """Openings as the page notes them, one case after another."""
    for case_id in cases:
        desk.now += each
        with desk.instance.sessions.begin() as session:
            Ledger(session, desk.instance, now=desk.now).close(member.user_id, action, case_id)


def named(desk):
    with desk.instance.readings() as session:
        return [(one.user_id, one.what, one.count) for one in bulk.too_many(session, now=desk.now)]


def strike(desk):
    Clock(desk.instance, moment=lambda: desk.now, wall=lambda: desk.now, running=lambda: 0.0).watch()
    with desk.instance.readings() as session:
        return list(session.scalars(select(Alarm).order_by(Alarm.about)))


def test_forty_cases_in_ten_minutes_are_an_alarm(desk):
    member = desk.ready.second(TEAM)

    opens(desk, member, [new_id() for _ in range(40)], each=timedelta(seconds=15))

    assert named(desk) == [(member.user_id, "zaken-10", 40)]
    [alarm] = strike(desk)
    assert (alarm.kind, alarm.about) == ("veel_geopend", f"{member.user_id.hex()}:zaken-10")


def test_a_busy_coordinator_in_the_morning_is_no_alarm(desk):
    """Twenty cases in half an hour, six addresses, thirty files, and twelve looks at the queue."""
    member, cases = desk.ready.first(TEAM), [new_id() for _ in range(20)]
    opens(desk, member, cases, each=timedelta(seconds=90))
    opens(desk, member, cases[:6], action=ACTIONS["B"])
    opens(desk, member, cases[:1] * 30, action=FILE)
    looks = bulk.Looks()
    for _ in range(12):
        looks.add(member.user_id, bulk.QUEUE_PAGE, 1, now=desk.now)
    with desk.instance.sessions.begin() as session:
        bulk.keep_looks(session, looks.take())

    assert named(desk) == []


def test_the_same_case_opened_again_and_again_is_one_case(desk):
    opens(desk, desk.ready.second(TEAM), [new_id()] * 100)

    assert named(desk) == []


def test_forty_in_a_day_are_forty_in_a_day(desk):
    opens(desk, desk.ready.second(TEAM), [new_id() for _ in range(40)], each=timedelta(minutes=10))

    assert named(desk) == []


def test_addresses_count_by_themselves_and_sooner(desk):
    member = desk.ready.second(TEAM)
    opens(desk, member, [new_id() for _ in range(11)], action=ACTIONS["B"], each=timedelta(minutes=5))

    assert named(desk) == [(member.user_id, "veilig-60", 11)]


@pytest.mark.parametrize("limit", limits_on(__import__("datetime").date(2026, 11, 23)), ids=lambda one: one.name)
def test_every_limit_alarms_at_one_more_and_not_before(desk, limit):
    member = desk.ready.second(TEAM)
    actions = {"zaken": "geopend", "veilig": ACTIONS["B"], "bestanden": FILE}

    def reach(count):
        if limit.what in actions:
            opens(desk, member, [new_id() for _ in range(count)], action=actions[limit.what])
        else:
            with desk.instance.sessions.begin() as session:
                hour = desk.now.replace(minute=0, second=0, microsecond=0)
                bulk.keep_looks(session, {(member.user_id, hour, limit.what): count})

    reach(limit.most)
    assert limit.name not in [what for _, what, _ in named(desk)]
    reach(1)
    assert limit.name in [what for _, what, _ in named(desk)]


def test_the_coordinators_of_the_other_teams_and_the_auditor_are_told_and_not_the_one_it_is_about(desk):
    auditor, subject = desk.ready.people.auditor(), desk.ready.first(TEAM)
    with desk.instance.readings() as session:
        before = set(session.scalars(select(Outbox.id)))
    opens(desk, subject, [new_id() for _ in range(40)])

    [alarm] = strike(desk)

    with desk.instance.readings() as session:
        told = set(session.scalars(select(Outbox.recipient_id).where(Outbox.id.not_in(before))))
        assert told == {auditor.user_id, *(desk.ready.first(team).user_id for team in ("beveiliging", "juridisch"))}

        def seen_by(account):
            return [(one.name, one.kind) for one in alarms.alarms_for(session, desk.instance, account.person)]

        name = subject.person.name
        assert seen_by(auditor) == seen_by(desk.ready.first("juridisch")) == [(name, "veel_geopend")]
        assert seen_by(desk.ready.people.beheerder()) == [(None, "veel_geopend")]
        assert seen_by(subject) == []
        assert seen_by(desk.ready.second(TEAM)) == []
    assert alarm.ended_at is None


def test_it_is_named_once_a_day_however_often_the_clock_strikes(desk):
    opens(desk, desk.ready.second(TEAM), [new_id() for _ in range(40)])
    auditor = desk.ready.people.auditor()

    for _ in range(5):
        found = strike(desk)
        desk.later(minutes=1)
    assert len(found) == 1
    with desk.instance.sessions.begin() as session:
        alarms.end_alarm(session, desk.instance, auditor.person, found[0].id, "Inhaalslag, gevraagd.", now=desk.now)

    assert len(strike(desk)) == 1
    desk.later(days=1)
    opens(desk, desk.ready.second(TEAM), [new_id() for _ in range(40)])
    assert len(strike(desk)) == 2


def test_a_reporter_who_opens_their_own_case_is_nobodys_alarm(desk):
    with desk.instance.sessions.begin() as session:
        for _ in range(40):
            Ledger(session, desk.instance, now=desk.now).close(b"r" * 16, "geopend", new_id())

    assert named(desk) == []


def test_the_openings_of_years_are_not_gone_through_for_those_of_ten_minutes(desk, statements):
    opens(desk, desk.ready.second(TEAM), [new_id() for _ in range(3)])
    statements.clear()

    named(desk)

    texts = [(text, values) for text, values in statements if "FROM audit" in text]
    assert texts
    with desk.instance.engine.connect() as connection:
        for text, values in texts:
            plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + text, values).all()
            assert not [row for row in plan if row[3].startswith("SCAN audit")], plan


# --- queue pages ---------------------------------------------------------------------------------------------------


def test_queue_pages_are_counted_by_member_and_hour_a_few_at_a_time(desk, app, clock, sign_in):
    member = desk.ready.second(TEAM)
    client = sign_in(app.test_client(), member)
    for _ in range(bulk.FLUSH_AT - 1):
        assert client.get(f"/werk/{TEAM}").status_code == 200
    with desk.instance.readings() as session:
        assert session.scalars(select(LookCount)).all() == []
        leaves = len(session.scalars(select(Leaf.seq)).all())

    client.get(f"/werk/{TEAM}")

    with desk.instance.readings() as session:
        [row] = session.scalars(select(LookCount))
        assert (row.user_id, row.what, row.n) == (member.user_id, "wachtrij", bulk.FLUSH_AT)
        assert (row.hour.minute, row.hour.second) == (0, 0)
        assert len(session.scalars(select(Leaf.seq)).all()) == leaves


def test_counts_are_thrown_away_after_two_days(desk):
    hour = desk.now.replace(minute=0, second=0, microsecond=0)
    with desk.instance.sessions.begin() as session:
        bulk.keep_looks(
            session, {(bytes(16), hour, "wachtrij"): 3, (bytes(16), hour - timedelta(days=3), "wachtrij"): 3}
        )
        bulk.sweep_looks(session, now=desk.now)

    with desk.instance.readings() as session:
        assert [row.hour for row in session.scalars(select(LookCount))] == [hour]
