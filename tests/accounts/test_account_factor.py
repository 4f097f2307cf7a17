"""The second factor cannot be guessed, however many are half-way in; the queue for passwords leaves room for filing."""

import re
import threading

import pytest

from weerbaar_meldpunt.actions import passwordkeys, signin
from weerbaar_meldpunt.actions import sessions as rows
from weerbaar_meldpunt.actions.errors import Busy, TooManyTries
from weerbaar_meldpunt.cli import serve
from weerbaar_meldpunt.vault import password as passwords


def token_of(answer):
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.get_data(as_text=True)).group(1)


def half_way(instance, account, now):
    with instance.readings() as session:
        half = signin.start_signin(session, instance, account.login, account.password, now=now)
    with instance.sessions.begin() as session:
        return half, rows.create_presession(session, half)


def test_ten_doors_half_open_do_not_give_fifty_guesses(app, people):
    member = people.member("ondersteuning")
    doors = [app.test_client() for _ in range(10)]
    for door in doors:
        page = door.get("/inloggen")
        answer = door.post(
            "/inloggen", data={"csrf_token": token_of(page), "login": member.login, "password": member.password}
        )
        assert answer.status_code == 303

    answers = [
        door.post("/inloggen/code", data={"csrf_token": token_of(page), "code": "000000"}).status_code
        for door in doors
        for _ in range(5)
        if (page := door.get("/inloggen/code")).status_code == 200
    ]

    assert len([status for status in answers if status in (401, 303)]) == signin.FREE_FAILURES + 1
    assert 429 in answers


def test_the_right_code_waits_too_while_an_account_is_closed_for_tries(instance, people, clock):
    member = people.member("ondersteuning")
    half, _cookie = half_way(instance, member, clock.now)
    with instance.sessions.begin() as session:
        for _ in range(signin.FREE_FAILURES + 3):
            signin.note_failure(session, instance, member.login, now=clock.now)

    with pytest.raises(TooManyTries), instance.sessions.begin() as session:
        signin.finish_signin(session, instance, half, member.code(clock.now), now=clock.now)

    later = clock.forward(minutes=1)
    with instance.sessions.begin() as session:
        assert signin.finish_signin(session, instance, half, member.code(later), now=later) is not None


def test_tries_that_read_the_same_moment_are_all_counted(instance, people, clock):
    half, cookie = half_way(instance, people.member("ondersteuning"), clock.now)

    for _ in range(7):
        with instance.sessions.begin() as session:
            rows.count_try(session, cookie, half)

    with instance.readings() as session:
        assert rows.open_presession(session, cookie, now=clock.now).tries == 7


def test_a_page_half_way_in_reads_its_tries_where_it_counts_them(client, people, instance, clock, monkeypatch):
    """Others may have used up the tries between the start of a request and its transaction."""
    member = people.member("ondersteuning")
    page = client.get("/inloggen")
    client.post("/inloggen", data={"csrf_token": token_of(page), "login": member.login, "password": member.password})
    page = client.get("/inloggen/code")
    real, cookie = signin.welcome, client.get_cookie("wmp-pre")
    assert cookie is not None
    seen = []

    def finish(session, place, half, given, *, now):
        seen.append(session.in_transaction() and half.tries)
        return real(session, place, half, given, now=now)

    monkeypatch.setattr(signin, "welcome", finish)
    import base64

    with instance.sessions.begin() as session:
        raw = base64.urlsafe_b64decode(cookie.value)
        half = rows.open_presession(session, raw, now=clock.now)
        for _ in range(signin.MAX_FACTOR_TRIES):
            rows.count_try(session, raw, half)

    answer = client.post("/inloggen/code", data={"csrf_token": token_of(page), "code": member.code(clock.now)})

    assert seen == [signin.MAX_FACTOR_TRIES]
    assert answer.location.startswith("/inloggen")
    assert client.get("/account").status_code == 303


def test_the_queue_for_passwords_takes_less_than_half_of_the_threads():
    threads = next(option.default for option in serve.params if option.name == "threads")

    assert threads / 2 > passwordkeys.PLACES


@pytest.fixture
def slow_derivations(monkeypatch):
    """Derivations that do not end before they are told to."""
    go, inside = threading.Event(), threading.Semaphore(0)
    real = passwords.password_key

    def slow(*args, **named):
        inside.release()
        assert go.wait(20)
        return real(*args, **named)

    monkeypatch.setattr(passwords, "password_key", slow)
    yield go, inside
    go.set()


def wait_until(true):
    for _ in range(1000):
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came true")


def crowd(instance, count, *, known):
    threads = [
        threading.Thread(
            target=lambda: passwordkeys.stretch(instance, "x", salt=bytes(16), user_id=bytes(16), known=known)
        )
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads


def test_who_finds_the_queue_full_is_told_so_at_once(instance, clock, slow_derivations):
    go, inside = slow_derivations
    unknown = passwordkeys.UNKNOWN_AT_ONCE + passwordkeys.UNKNOWN_QUEUE
    waiting = crowd(instance, unknown, known=False)
    assert inside.acquire(timeout=10)
    wait_until(lambda: passwordkeys.free_places() == passwordkeys.PLACES - unknown)

    with pytest.raises(Busy), instance.readings() as session:
        signin.start_signin(session, instance, "iemand@voorbeeld.test", "heel iets anders", now=clock.now)

    assert not inside.acquire(timeout=0.2), "of who is not known, one derives at a time"
    go.set()
    for thread in waiting:
        thread.join(10)
    assert passwordkeys.free_places() == passwordkeys.PLACES


def test_outsiders_who_fill_the_queue_leave_room_for_who_is_known(instance, slow_derivations):
    go, inside = slow_derivations
    unknown = crowd(instance, passwordkeys.UNKNOWN_AT_ONCE + passwordkeys.UNKNOWN_QUEUE, known=False)
    assert inside.acquire(timeout=10)
    known = crowd(instance, 1, known=True)

    assert inside.acquire(timeout=10), "the reserved half is free for a known device"

    go.set()
    for thread in (*unknown, *known):
        thread.join(10)


def test_who_is_known_waits_in_a_queue_that_ends_too(instance, slow_derivations):
    go, inside = slow_derivations
    known = crowd(instance, passwordkeys.PLACES, known=True)
    for _ in range(passwordkeys.AT_ONCE):
        assert inside.acquire(timeout=10)
    wait_until(lambda: passwordkeys.free_places() == 0)

    with pytest.raises(Busy):
        passwordkeys.stretch(instance, "x", salt=bytes(16), user_id=bytes(16), known=True)

    go.set()
    for thread in known:
        thread.join(10)


def test_nobody_waits_in_the_queue_for_ever(instance, slow_derivations, monkeypatch):
    go, inside = slow_derivations
    monkeypatch.setattr(passwordkeys, "LONGEST_WAIT", 0.2)
    first = crowd(instance, 1, known=False)
    assert inside.acquire(timeout=10)

    with pytest.raises(Busy):
        passwordkeys.stretch(instance, "x", salt=bytes(16), user_id=bytes(16))

    assert passwordkeys.free_places() == passwordkeys.PLACES - 1
    go.set()
    first[0].join(10)


def test_a_full_queue_refuses_registering_too(client, monkeypatch):
    def full(*args, **named):
        raise Busy

    monkeypatch.setattr(passwordkeys, "stretch", full)
    page = client.get("/account/nieuw")

    answer = client.post(
        "/account/nieuw",
        data={
            "csrf_token": token_of(page),
            "login": "anna",
            "password": "acht blauwe bootjes",
            "again": "acht blauwe bootjes",
        },
    )

    assert answer.status_code == 503
