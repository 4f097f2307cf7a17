"""Where somebody is signed in: said without knowing who, where or on what; and ended from elsewhere."""

import re

from sqlalchemy import select

from weerbaar_meldpunt.store.people import SessionRow


def page(door):
    return door.client.get("/account/sessies").get_data(as_text=True)


def test_one_sees_ones_own_sessions_and_which_is_this_one(in_by, people, clock):
    member, other = people.member("ondersteuning"), people.member("ondersteuning")
    in_by(other)
    one = in_by(member)
    in_by(member)

    text = page(one)

    assert text.count("Een andere sessie") == 1
    assert text.count("Deze sessie") == 1
    assert "Begonnen:" in text


def test_a_session_that_is_ended_is_out_at_its_next_page(in_by, people):
    member = people.member("ondersteuning")
    one, lost = in_by(member), in_by(member)
    assert lost.is_in()
    [other] = re.findall(r'name="session" value="([0-9a-f]{64})"', page(one))

    one.post("/account/sessies", session=other)

    assert one.is_in()
    assert not lost.is_in()


def test_all_others_end_at_once(in_by, people):
    member = people.member("ondersteuning")
    one, *others = [in_by(member) for _ in range(3)]

    one.post("/account/sessies", all="ja")

    assert one.is_in()
    assert [other.is_in() for other in others] == [False, False]


def test_nobody_ends_the_session_of_another(in_by, people, instance):
    mine, other = people.member("ondersteuning"), people.member("ondersteuning")
    victim = in_by(other)
    with instance.readings() as session:
        row = session.scalars(select(SessionRow).where(SessionRow.owner.is_not(None))).one()
    one = in_by(mine)

    one.post("/account/sessies", session=row.id.hex())
    one.post("/account/sessies", all="ja")

    assert victim.is_in()


def test_the_row_names_no_account_and_no_device(in_by, people, instance):
    reporter = people.reporter()
    in_by(reporter)

    with instance.readings() as session:
        row = session.scalars(select(SessionRow).where(SessionRow.owner.is_not(None))).one()

    assert set(SessionRow.__table__.columns.keys()) == {"id", "owner", "revision", "sweep_after", "sealed"}
    assert row.owner != reporter.user_id
    assert reporter.login.encode() not in row.sealed


def test_when_it_began_is_told_to_the_minute_it_began(in_by, people, clock):
    member = people.member("ondersteuning")
    one = in_by(member)
    began = clock.now
    clock.forward(minutes=12)
    one.is_in()
    clock.forward(minutes=12)

    assert f"{began.astimezone(__import__('zoneinfo').ZoneInfo('Europe/Amsterdam')):%H:%M}" in page(one)


def test_a_step_up_does_not_make_a_session_younger_or_longer(in_by, people, clock):
    member = people.member("ondersteuning")
    one = in_by(member)
    before = re.findall(r"Begonnen:.*?uiterlijk:.*?</p>", page(one), re.DOTALL)
    clock.forward(minutes=6)
    one.post("/bevestigen", code=member.code(clock.now))

    assert re.findall(r"Begonnen:.*?uiterlijk:.*?</p>", page(one), re.DOTALL) == before
