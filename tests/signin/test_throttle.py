"""T16, T17 at the door: guessing is slow, an owner is never kept out by others, and no answer tells who exists."""

import re
import threading

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import signin, throttle
from weerbaar_meldpunt.store.doors import TryLink
from weerbaar_meldpunt.store.people import Throttle

from .conftest import NOBODY, WRONG, besiege, counted, mails, options_of, plain, token_of

# --- a name --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["persoon1@voorbeeld.test", NOBODY])
def test_from_the_sixth_failure_each_try_waits_twice_as_long_up_to_a_quarter_of_an_hour(
    instance, people, door, clock, login
):
    people.member("ondersteuning")
    waits = []
    for _ in range(18):
        answer = door().password(login, WRONG)
        while answer.status_code == 429:
            waits.append(int(answer.headers["Retry-After"]))
            clock.forward(seconds=waits[-1])
            answer = door().password(login, WRONG)
        assert answer.status_code == 401

    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_a_delay_is_a_refusal_and_takes_no_derivation(instance, people, door, clock, monkeypatch):
    member = people.member("ondersteuning")
    besiege(instance, member.login, 20, clock.now)
    monkeypatch.setattr(signin.passwordkeys, "derive", lambda *args, **named: pytest.fail("derived"))

    assert door().password(member.login, member.password).status_code == 429


def test_tries_at_the_same_moment_are_counted_before_they_are_made(instance, people, clock):
    """A burst that comes in before the first of it is known to have failed is no way round the delay."""
    member = people.member("ondersteuning")
    besiege(instance, member.login, 5, clock.now)
    counter = throttle.counter_of_name(instance, member.login)
    taken, start = [], threading.Barrier(8)

    def one():
        start.wait()
        try:
            with instance.sessions.begin() as session:
                taken.append(throttle.take_turn(session, counter, now=clock.now))
        except throttle.TooManyTries:
            pass

    crowd = [threading.Thread(target=one) for _ in range(8)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()

    assert len(taken) == 1


def test_a_right_password_is_no_failure_and_leaves_nothing_behind(instance, people, door, clock):
    member = people.member("ondersteuning")

    door().password(member.login, member.password)

    with instance.readings() as session:
        assert session.scalars(select(Throttle)).all() == []


def test_a_right_password_alone_does_not_forgive_what_went_wrong(instance, people, door, clock):
    member = people.member("ondersteuning")
    besiege(instance, member.login, 4, clock.now)

    one = door()
    one.password(member.login, member.password)
    assert counted(instance, member.login) == 4

    one.factor(member.code(clock.now))
    assert counted(instance, member.login) == 0


def test_a_clock_that_was_wrong_keeps_nobody_out(instance, people, door, clock):
    member = people.member("ondersteuning")
    besiege(instance, member.login, 20, clock.forward(days=400))
    clock.forward(days=-400)

    assert door().password(member.login, member.password).status_code == 303


def test_counters_go_after_a_month_in_which_nobody_tried(instance, people, clock):
    besiege(instance, NOBODY, 120, clock.now)
    with instance.sessions.begin() as session:
        throttle.sweep_throttle(session, now=clock.forward(days=29))
    assert counted(instance, NOBODY) == 120
    with instance.sessions.begin() as session:
        throttle.sweep_throttle(session, now=clock.forward(days=2))
    assert counted(instance, NOBODY) == 0


# --- a thousand outsiders (T16) ------------------------------------------------------------------------------------


@pytest.fixture
def besieged(instance, people, in_by, clock):
    """A member who has signed in on their own device once, and whose name outsiders tried a thousand times since."""
    member = people.member("ondersteuning")
    own = in_by(member)
    own.client.post("/uitloggen", data={"csrf_token": token_of(own.client.get("/account"))})
    besiege(instance, member.login, 1000, clock.now)
    return member, own


def test_an_own_device_is_still_in(besieged, clock):
    member, own = besieged
    assert not own.is_in()

    own.password(member.login, member.password)
    own.factor(member.code(clock.forward(seconds=31)))

    assert own.is_in()


def test_a_browser_that_is_not_known_may_not_even_try_a_right_password(besieged, door, clock):
    member, _own = besieged
    clock.forward(days=2)

    answer = door().password(member.login, member.password)

    assert answer.status_code == 429
    assert "Deze weg is nu dicht" in answer.get_data(as_text=True)


def test_a_closed_name_and_a_name_that_nobody_has_look_the_same(besieged, instance, door, clock):
    member, _own = besieged
    besiege(instance, NOBODY, 1000, clock.now)

    assert plain(door().password(member.login, WRONG), member.login) == plain(door().password(NOBODY, WRONG), NOBODY)


def test_a_passkey_is_still_in(besieged, instance, in_by, door, soft_key, add_passkey, clock):
    member, own = besieged
    own.password(member.login, member.password)
    own.factor(member.code(clock.forward(seconds=31)))
    key = soft_key()
    add_passkey(own, key)
    besiege(instance, member.login, 1000, clock.now)

    other = door()
    other.post("/inloggen/passkey", of="/inloggen")
    page = other.client.get("/inloggen/met-passkey")
    other.client.post(
        "/inloggen/met-passkey",
        data={
            "csrf_token": token_of(page), "login": member.login, "password": member.password,
            "passkey": key.get(options_of(page)),
        },
    )  # fmt: skip

    assert other.is_in()


def test_a_mailed_link_lets_one_browser_try_again_once(besieged, instance, door, clock):
    member, _own = besieged
    asked = door()
    asked.post("/inloggen/openen", of="/inloggen/openen", login=member.login)
    [mail] = mails(instance)
    assert mail["to"] == member.login
    link = re.search(r"/inloggen/openen/[0-9a-f]{64}", mail["body"]).group(0)

    one, other = door(), door()
    assert one.client.get(link).status_code == 200
    assert one.client.get(link).status_code == 200, "looking uses nothing up"
    assert one.post(link).location == "/inloggen"
    assert other.client.get(link).status_code == 404

    assert not one.is_in(), "the link grants nothing"
    assert door().password(member.login, member.password).status_code == 429, "nor does it open other browsers"
    assert one.password("iemand.anders@voorbeeld.test", WRONG).status_code == 401
    assert one.password(member.login, member.password).status_code == 303
    one.factor(member.code(clock.forward(seconds=31)))
    assert one.is_in()
    assert counted(instance, member.login) == 0, "and after a complete sign-in everybody may try again"


def test_the_browser_that_was_let_try_does_not_guess_for_ever(besieged, instance, door, clock):
    member, _own = besieged
    door().post("/inloggen/openen", of="/inloggen/openen", login=member.login)
    link = re.search(r"/inloggen/openen/[0-9a-f]{64}", mails(instance)[0]["body"]).group(0)
    one = door()
    one.post(link)

    answers = [one.password(member.login, WRONG).status_code for _ in range(8)]

    assert answers == [401] * 6 + [429] * 2


def test_asking_for_a_link_answers_the_same_for_every_name(besieged, instance, door, people, clock):
    member, _own = besieged
    reporter = people.reporter()
    for login in (NOBODY, reporter.login, ""):
        besiege(instance, login, 6, clock.now)

    answers = [
        plain(door().post("/inloggen/openen", of="/inloggen/openen", login=login), login)
        for login in (member.login, NOBODY, reporter.login, "")
    ]

    assert answers == [answers[0]] * 4
    assert [mail["to"] for mail in mails(instance)] == [member.login]
    with instance.readings() as session:
        assert len(session.scalars(select(TryLink)).all()) == 4


def test_nobody_is_mailed_whose_name_nobody_tried(instance, people, door):
    member = people.member("ondersteuning")

    answer = door().post("/inloggen/openen", of="/inloggen/openen", login=member.login)

    assert answer.status_code == 200
    assert mails(instance) == []


def test_a_mailbox_is_not_filled_with_links(besieged, instance, door, clock):
    member, _own = besieged
    for _ in range(5):
        door().post("/inloggen/openen", of="/inloggen/openen", login=member.login)
    assert len(mails(instance)) == 1

    clock.forward(minutes=61)
    door().post("/inloggen/openen", of="/inloggen/openen", login=member.login)
    assert len(mails(instance)) == 2


def test_a_link_is_over_after_an_hour(besieged, instance, door, clock):
    member, _own = besieged
    door().post("/inloggen/openen", of="/inloggen/openen", login=member.login)
    link = re.search(r"/inloggen/openen/[0-9a-f]{64}", mails(instance)[0]["body"]).group(0)
    clock.forward(minutes=61)

    assert door().client.get(link).status_code == 404


def test_who_has_no_address_opens_their_browser_with_the_printed_code(instance, people, door, clock):
    reporter = people.reporter("appel")
    besiege(instance, reporter.login, 1000, clock.now)
    one = door()
    wrong = one.post("/inloggen/openen", of="/inloggen/openen", login=reporter.login, recovery="00000-00000")
    assert wrong.status_code == 401

    one.post("/inloggen/openen", of="/inloggen/openen", login=reporter.login, recovery=reporter.recovery_code)

    assert one.password(reporter.login, reporter.password).status_code == 303
    one.factor(reporter.code(clock.now))
    assert one.is_in()


def test_a_device_of_one_account_is_none_of_another(besieged, instance, people, clock):
    _member, own = besieged
    other = people.member("ondersteuning")
    besiege(instance, other.login, 1000, clock.now)

    assert own.password(other.login, other.password).status_code == 429


def test_an_own_device_counts_its_own_failures(besieged, clock):
    member, own = besieged

    answers = [own.password(member.login, WRONG).status_code for _ in range(8)]

    assert answers == [401] * 6 + [429] * 2


# --- registering ---------------------------------------------------------------------------------------------------


def test_who_registers_without_end_pushes_out_their_own_unconfirmed_accounts_only(instance, people, door, monkeypatch):
    monkeypatch.setattr(throttle, "MOST_UNCONFIRMED", 3)
    reporter = people.reporter()
    from weerbaar_meldpunt.store.people import User

    for number in range(6):
        answer = door().post(
            "/account/nieuw", login=f"naam{number}", password="acht blauwe bootjes", again="acht blauwe bootjes"
        )
        assert answer.status_code == 200

    with instance.readings() as session:
        assert len(session.scalars(select(User).where(User.state == "uitgenodigd")).all()) == 3
    assert reporter.person.login
