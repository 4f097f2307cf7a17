"""A session that ended in mid-sentence: what was typed is there after signing in again, and is sent once."""

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.store.cases import Message, Note
from weerbaar_meldpunt.store.people import SessionRow

from .conftest import Door, go_on, token_of

TEAM = "ondersteuning"
NOTE = "Ik sprak met mevrouw Jansen. Zij wil niet dat wij haar thuis bellen."


def sign_in_with(door, page, account, clock):
    """From the page that keeps the text, through the factor, to the page that gives it back."""
    clock.forward(seconds=31)
    asked = go_on(door, page, login=account.login, password=account.password)
    assert asked.status_code == 200, asked.status_code
    return go_on(door, asked, code=account.code(clock.now))


@pytest.fixture
def case(ready, file, clock):
    filed = file({"target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"]}, "narrative": "geheim"})
    return f"/zaak/{filed.reference}"


def test_a_note_of_a_member_survives_the_end_of_the_session(ready, in_by, case, clock, instance):
    member = ready.second(TEAM)
    door = in_by(member)
    page = door.client.get(case)
    token = token_of(page)
    clock.forward(minutes=16)

    late = door.client.post(f"{case}/notitie", data={"csrf_token": token, "note": NOTE, "team": TEAM})
    assert late.status_code == 401
    assert "U bent niet meer ingelogd" in late.get_data(as_text=True)
    back = sign_in_with(door, late, member, clock)
    assert NOTE in back.get_data(as_text=True)
    with instance.readings() as session:
        assert session.scalars(select(Note)).all() == [], "nothing is sent by itself"
    assert go_on(door, back).status_code == 303

    with instance.readings() as session:
        assert len(session.scalars(select(Note)).all()) == 1


def test_nothing_of_it_is_kept_here_meanwhile(ready, in_by, case, clock, instance):
    member = ready.second(TEAM)
    door = in_by(member)
    token = token_of(door.client.get(case))
    clock.forward(minutes=16)
    late = door.client.post(f"{case}/notitie", data={"csrf_token": token, "note": NOTE})
    go_on(door, late, login=member.login, password=member.password)

    everything = b"".join(path.read_bytes() for path in instance.settings.instance.rglob("*") if path.is_file())

    assert NOTE.encode() not in everything
    assert b"mevrouw Jansen" not in everything


def test_a_wrong_password_and_a_wrong_code_keep_it_too(ready, in_by, case, clock, instance):
    member = ready.second(TEAM)
    door = in_by(member)
    token = token_of(door.client.get(case))
    clock.forward(minutes=16)
    late = door.client.post(f"{case}/notitie", data={"csrf_token": token, "note": NOTE})

    again = go_on(door, late, login=member.login, password="heel iets anders dan dat")
    assert again.status_code == 401
    clock.forward(seconds=31)
    asked = go_on(door, again, login=member.login, password=member.password)
    wrong = go_on(door, asked, code="000000")
    assert wrong.status_code == 401
    back = go_on(door, wrong, code=member.code(clock.now))
    go_on(door, back)

    with instance.readings() as session:
        assert len(session.scalars(select(Note)).all()) == 1


def test_a_message_of_a_reporter_with_an_account_survives_too(ready, in_by, file, clock, instance):
    reporter = ready.people.reporter()
    filed = file(
        {"target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"]}, "narrative": "geheim"},
        account=reporter.person,
    )
    door, where = in_by(reporter), f"/mijn-meldingen/{filed.reference}"
    token = token_of(door.client.get(where))
    clock.forward(minutes=31)

    late = door.client.post(where, data={"csrf_token": token, "text": NOTE})
    assert late.status_code == 401
    back = sign_in_with(door, late, reporter, clock)
    assert go_on(door, back).status_code == 303

    with instance.readings() as session:
        assert len(session.scalars(select(Message)).all()) == 1


def test_who_has_no_right_to_it_sends_nothing(ready, in_by, case, clock, instance):
    """Somebody else signs in at the browser that was left behind."""
    member, other = ready.second(TEAM), ready.first("juridisch")
    door = in_by(member)
    token = token_of(door.client.get(case))
    clock.forward(minutes=16)
    late = door.client.post(f"{case}/notitie", data={"csrf_token": token, "note": NOTE})

    back = sign_in_with(door, late, other, clock)

    assert go_on(door, back).status_code == 404
    with instance.readings() as session:
        assert session.scalars(select(Note)).all() == []


def test_a_form_without_words_just_asks_to_sign_in(ready, in_by, case, clock, door):
    outsider = door()
    token = token_of(outsider.client.get("/inloggen"))

    answer = outsider.client.post(f"{case}/notitie", data={"csrf_token": token, "note": NOTE})

    assert answer.status_code == 303, "who never was signed in has nothing to lose"
    assert answer.location == "/inloggen"


def test_a_form_from_another_site_is_not_carried_through_the_door(ready, in_by, case, clock):
    door = in_by(ready.second(TEAM))
    door.client.get(case)
    clock.forward(minutes=16)

    answer = door.client.post(f"{case}/notitie", data={"csrf_token": "x", "text": NOTE})

    assert answer.status_code == 400
    assert "_kept_to" not in answer.get_data(as_text=True)


def test_when_the_door_is_busy_the_words_are_shown_to_copy(ready, in_by, case, clock, monkeypatch):
    from weerbaar_meldpunt.actions import passwordkeys
    from weerbaar_meldpunt.actions.errors import Busy

    member = ready.second(TEAM)
    door = in_by(member)
    token = token_of(door.client.get(case))
    clock.forward(minutes=16)
    late = door.client.post(f"{case}/notitie", data={"csrf_token": token, "note": NOTE})

    def full(**named):
        raise Busy

    monkeypatch.setattr(passwordkeys, "place", full)
    answer = go_on(door, late, login=member.login, password=member.password)

    assert answer.status_code == 503
    assert NOTE in answer.get_data(as_text=True)


def test_after_a_session_that_was_ended_elsewhere_the_words_are_not_lost(ready, in_by, case, clock, instance):
    door = in_by(ready.second(TEAM))
    token = token_of(door.client.get(case))
    with instance.sessions.begin() as session:
        for row in session.scalars(select(SessionRow)):
            session.delete(row)

    answer = door.client.post(f"{case}/notitie", data={"csrf_token": token, "note": NOTE})

    assert NOTE in answer.get_data(as_text=True)


# --- the warning ---------------------------------------------------------------------------------------------------


def test_a_page_says_how_long_the_session_goes_on(people, in_by, clock):
    import re

    door = in_by(people.member(TEAM))

    def left():
        return int(re.search(r'data-session-left="(\d+)"', door.client.get("/account").get_data(as_text=True)).group(1))

    assert left() == 15 * 60
    clock.forward(minutes=10)
    assert left() == 15 * 60
    for _ in range(46):
        clock.forward(minutes=10)
        door.client.get("/account")
    clock.forward(minutes=5)
    assert left() <= 5 * 60, "and it ends after eight hours, whatever happens"


def test_staying_moves_the_idle_limit_and_nothing_else(people, in_by, clock):
    door = in_by(people.member(TEAM))
    token = token_of(door.client.get("/account"))
    clock.forward(minutes=14)

    assert door.client.post("/account/blijven", data={"csrf_token": token}).status_code == 204
    clock.forward(minutes=14)
    assert door.is_in()
    clock.forward(minutes=16)
    assert door.client.post("/account/blijven", data={"csrf_token": token}).status_code == 401


def test_a_page_without_a_session_warns_of_nothing(app):
    assert "data-session-left" not in Door(app.test_client()).client.get("/inloggen").get_data(as_text=True)
