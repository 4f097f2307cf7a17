"""T12: the printed code and a second factor give a new password and a new code; either alone gives nothing."""

import re

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import signin

from .conftest import comes_in, go_on, recovery_code_on

NEW = "negen paarse kapstokken"
TEAM = "ondersteuning"


# --- the printed code ----------------------------------------------------------------------------------------------


def recover(door, account, clock, *, code=None, new=NEW, factor=None):
    one = door()
    answer = one.post("/inloggen/vergeten", login=account.login, recovery=code or account.recovery_code)
    if answer.status_code != 303:
        return one, answer
    clock.forward(seconds=31)
    answer = one.post("/inloggen/vergeten/code", code=factor or account.code(clock.now))
    if answer.location != "/inloggen/vergeten/wachtwoord":
        return one, answer
    answer = one.post("/inloggen/vergeten/wachtwoord", password=new, again=new)
    if answer.status_code != 303:
        return one, answer
    page = one.client.get("/inloggen/vergeten/nieuwe-code")
    shown = recovery_code_on(page.get_data(as_text=True))
    assert not one.is_in(), "until the code was typed again nobody is in"
    return one, go_on(one, page, recovery=shown)


@pytest.mark.parametrize("kind", ["member", "reporter"])
def test_the_printed_code_and_a_factor_give_a_new_password(instance, people, door, clock, kind):
    account = people.member(TEAM) if kind == "member" else people.reporter()

    one, answer = recover(door, account, clock)

    assert answer.status_code == 303
    assert one.is_in()
    assert comes_in(door, account, NEW, clock)
    assert not comes_in(door, account, account.password, clock)


def test_the_code_counts_once(instance, people, door, clock):
    account = people.member(TEAM)
    recover(door, account, clock)

    _one, answer = recover(door, account, clock)

    assert answer.status_code == 401


def test_the_code_without_a_factor_opens_nothing(instance, people, door, clock):
    account = people.member(TEAM)
    one, _answer = recover(door, account, clock, factor="000000")

    assert not one.is_in()
    for path in ("wachtwoord", "nieuwe-code"):
        assert one.client.get(f"/inloggen/vergeten/{path}").location == "/inloggen/vergeten"
    assert one.client.get("/inloggen/code").location.startswith("/inloggen"), "nor is it a password"


def test_a_right_password_is_no_right_code(instance, people, door, clock):
    """Half-way in by a password does not lead on to a new one."""
    account = people.member(TEAM)
    one = door()
    one.password(account.login, account.password)

    assert one.client.get("/inloggen/vergeten/code").location == "/inloggen/vergeten"


def test_wrong_codes_and_names_look_the_same(people, door):
    account, other = people.member(TEAM), people.member(TEAM)

    def tried(login, code):
        answer = door().post("/inloggen/vergeten", login=login, recovery=code)
        text = answer.get_data(as_text=True).replace(login, "").replace(code, "")
        return answer.status_code, re.sub(r'value="[^"]{40,}"', "", text)

    wrong = tried(account.login, other.recovery_code)
    assert wrong[0] == 401
    assert wrong == tried("niemand@voorbeeld.test", account.recovery_code)
    assert wrong == tried(account.login, "geen code")


def test_outsiders_do_not_keep_who_holds_the_paper_waiting(instance, people, door, clock):
    account = people.member(TEAM)
    with instance.sessions.begin() as session:
        for _ in range(1000):
            signin.note_failure(session, instance, account.login, now=clock.now)

    one, _answer = recover(door, account, clock)

    assert one.is_in()
    assert comes_in(door, account, NEW, clock), "and then the ordinary way is open again"


def test_five_wrong_factors_end_the_way_of_the_paper(people, door):
    account = people.member(TEAM)
    one = door()
    one.post("/inloggen/vergeten", login=account.login, recovery=account.recovery_code)

    answers = [one.post("/inloggen/vergeten/code", code="000000").status_code for _ in range(5)]

    assert answers == [401] * 4 + [303]
    assert one.client.get("/inloggen/vergeten/code").status_code == 303


def test_a_members_new_password_has_fifteen_characters_here_too(people, door, clock):
    _one, answer = recover(door, people.member(TEAM), clock, new="kb7 wqz 29 lm")

    assert answer.status_code == 422


def test_no_mail_is_sent_by_a_forgotten_password(instance, people, door, clock):
    from weerbaar_meldpunt.store.tracks import Outbox

    recover(door, people.member(TEAM), clock)

    with instance.readings() as session:
        assert session.scalars(select(Outbox)).all() == []
