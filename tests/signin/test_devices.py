"""An own device: its owner is never kept out by others; it opens nothing, and tells nothing of who was here when."""

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import devices, signin
from weerbaar_meldpunt.store.doors import Device

from .conftest import Door, token_of


def cookie_header(answer):
    return next((line for line in answer.headers.getlist("Set-Cookie") if "-device=" in line), "")


def come_in(door, account, clock, **more):
    clock.forward(seconds=31)
    door.password(account.login, account.password)
    return door.factor(account.code(clock.now), **more)


def test_a_members_browser_is_their_own_device_at_once(door, people, clock):
    answer = come_in(door(), people.member("ondersteuning"), clock)

    header = cookie_header(answer)
    assert "SameSite=Lax" in header
    assert "HttpOnly" in header
    assert f"Max-Age={400 * 24 * 3600}" in header


def test_a_reporters_is_one_only_when_they_say_so(door, people, clock):
    reporter = people.reporter()
    assert not cookie_header(come_in(door(), reporter, clock))

    assert cookie_header(come_in(door(), reporter, clock, own_device="ja"))


def test_the_page_asks_a_reporter_and_never_a_member(door, people):
    reporter, member = people.reporter(), people.member("ondersteuning")
    one, other = door(), door()
    one.password(reporter.login, reporter.password)
    other.password(member.login, member.password)

    assert "Dit is mijn eigen apparaat" in one.client.get("/inloggen/code").get_data(as_text=True)
    assert "Dit is mijn eigen apparaat" not in other.client.get("/inloggen/code").get_data(as_text=True)


def test_signing_out_keeps_it(door, people, clock):
    one = door()
    come_in(one, people.member("ondersteuning"), clock)

    answer = one.post("/uitloggen", of="/account")

    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert one.client.get_cookie("wmp-device") is not None
    assert not one.is_in()


def test_a_cookie_alone_opens_nothing(app, door, people, clock):
    one, thief = door(), Door(app.test_client())
    come_in(one, people.member("ondersteuning"), clock)
    thief.client.set_cookie("wmp-device", one.client.get_cookie("wmp-device").value)

    assert not thief.is_in()


def test_two_accounts_in_one_browser_share_no_row(door, people, clock, instance):
    """Or the database would tell that a member and a reporter are one person."""
    one, member, reporter = door(), people.member("ondersteuning"), people.reporter()
    come_in(one, member, clock)
    first = one.client.get_cookie("wmp-device").value
    one.post("/uitloggen", of="/account")
    come_in(one, reporter, clock, own_device="ja")

    assert one.client.get_cookie("wmp-device").value == first
    with instance.readings() as session:
        rows = session.scalars(select(Device)).all()
    assert len({row.id_hash for row in rows}) == 2
    assert {row.user_id for row in rows} == {member.user_id, reporter.user_id}


def test_its_row_holds_no_moment_and_does_not_change_at_a_sign_in(door, people, clock, instance):
    assert set(Device.__table__.columns.keys()) == {"id_hash", "user_id"}
    one, reporter = door(), people.reporter()
    come_in(one, reporter, clock, own_device="ja")
    with instance.readings() as session:
        before = [(row.id_hash, row.user_id) for row in session.scalars(select(Device))]
    clock.forward(days=3)
    come_in(one, reporter, clock)

    with instance.readings() as session:
        assert [(row.id_hash, row.user_id) for row in session.scalars(select(Device))] == before


def test_one_that_is_taken_from_the_list_is_like_any_browser(door, people, clock, instance):
    one, member = door(), people.member("ondersteuning")
    come_in(one, member, clock)
    kept = one.client.get_cookie("wmp-device").value
    page = one.client.get("/account/sessies").get_data(as_text=True)
    assert "Dit apparaat" in page
    device = devices.listed(member.person.bundle, b"", member.user_id)[0]

    one.post("/account/apparaten/weg", of="/account/sessies", device=device.id)

    assert one.client.get_cookie("wmp-device") is None
    with instance.sessions.begin() as session:
        for _ in range(200):
            signin.note_failure(session, instance, member.login, now=clock.now)
    thief = door()
    thief.client.set_cookie("wmp-device", kept)
    assert thief.password(member.login, member.password).status_code == 429


def test_a_planted_row_is_gone_after_the_next_sign_in_on_a_new_device(door, people, clock, instance):
    member = people.member("ondersteuning")
    with instance.sessions.begin() as session:
        session.add(Device(id_hash=devices.device_hash(b"x" * 48, member.user_id), user_id=member.user_id))

    come_in(door(), member, clock)

    with instance.readings() as session:
        assert not devices.is_known(session, b"x" * 48, member.user_id)
        assert len(session.scalars(select(Device)).all()) == 1


def test_so_many_at_most_and_the_oldest_goes(people, instance, clock):
    member = people.member("ondersteuning")
    for number in range(devices.MOST + 3):
        with instance.sessions.begin() as session:
            devices.remember(session, member.root, member.user_id, bytes([number]) * 48, now=clock.now)

    with instance.readings() as session:
        assert len(session.scalars(select(Device)).all()) == devices.MOST
        assert not devices.is_known(session, bytes([0]) * 48, member.user_id)
        assert devices.is_known(session, bytes([devices.MOST + 2]) * 48, member.user_id)


@pytest.mark.parametrize("wrong", ["", "x", "00" * 32, "é"])
def test_taking_away_what_is_none_of_mine_does_nothing(door, people, clock, wrong):
    one, member = door(), people.member("ondersteuning")
    come_in(one, member, clock)

    token = token_of(one.client.get("/account/sessies"))
    one.client.post("/account/apparaten/weg", data={"csrf_token": token, "device": wrong})

    assert len(member.person.bundle["devices"]) == 1
