"""T5: one lane, costs from the code alone, many at once that all end, also after a fork; only what may derive does."""

import contextlib
import os
import threading
import time

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import passwordkeys, signin
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.store.people import Root
from weerbaar_meldpunt.vault import password as passwords


def test_one_lane_and_the_costs_of_the_design():
    assert passwords.LANES == 1
    assert (passwords.Cost().memory_kib, passwords.Cost().passes) == (131_072, 3)


def test_what_a_row_says_of_the_costs_is_not_read(instance, people, clock):
    member = people.member("ondersteuning")
    with instance.sessions.begin() as session:
        row = session.scalars(select(Root).where(Root.user_id == member.user_id, Root.way == "pw")).one()
        row.kdf = 4_000_000

    with instance.readings() as session:
        assert signin.start_signin(session, instance, member.login, member.password, now=clock.now) is not None


def logins(instance, member, now, *, threads=8, each=2):
    """So many at once; answers how many got in, and how long it took. A full queue is tried again."""
    got, lock = [], threading.Lock()

    def one():
        for _ in range(each):
            with instance.readings() as session:
                arrival = signin.arrive(session, instance, member.login, now=now)
            with passwordkeys.place(known=True):
                half = signin.check_password(instance, arrival, member.password, now=now)
            with lock:
                got.append(half is not None)

    started, crowd = time.monotonic(), [threading.Thread(target=one) for _ in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join(60)
    return got, time.monotonic() - started


@pytest.mark.slow
@pytest.mark.real_passwords
def test_eight_threads_that_sign_in_twice_each_are_done_within_thirty_seconds(instance, people, clock):
    member = people.member("ondersteuning")

    got, took = logins(instance, member, clock.now)

    assert got == [True] * 16
    assert took < 30


@pytest.mark.slow
@pytest.mark.real_passwords
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_of_a_process_that_derived_derives_too(instance, people, clock):
    """Its parent's threads are not there, and a place that was taken at the fork is free."""
    member = people.member("ondersteuning")
    logins(instance, member, clock.now, threads=1, each=1)
    with passwordkeys.place(known=True):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                got, _took = logins(instance, member, clock.now, threads=2, each=2)
                status = 0 if got == [True] * 4 and passwordkeys.free_places() == passwordkeys.PLACES else 2
            finally:
                os._exit(status)
    until = time.monotonic() + 30
    while (found := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > until:
            os.kill(child, 9)
            os.waitpid(child, 0)
            pytest.fail("the child waits for ever")
        time.sleep(0.05)
    assert os.waitstatus_to_exitcode(found[1]) == 0


def test_a_sign_in_derives_exactly_once_whether_the_name_exists_or_not(door, people, clock, monkeypatch):
    member, calls = people.member("ondersteuning"), []
    real = passwords.password_key
    monkeypatch.setattr(passwords, "password_key", lambda *args, **named: calls.append(1) or real(*args, **named))

    one = door()
    one.password(member.login, member.password)
    one.factor(member.code(clock.now))
    assert (one.is_in(), len(calls)) == (True, 1)
    door().password("niemand@voorbeeld.test", member.password)
    assert len(calls) == 2
    door().password(member.login, "heel iets anders dan dat")
    assert len(calls) == 3


def test_while_somebody_waits_for_their_turn_no_connection_is_held(app, door, people, instance):
    """Who waits for Argon2 must not keep the database from who files a report."""
    member, seen = people.member("ondersteuning"), []
    real = passwordkeys.derive

    def watched(*args, **named):
        seen.append(instance.engine.pool.checkedout())
        return real(*args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwordkeys, "derive", watched)
        door().password(member.login, member.password)

    assert seen == [0]


@pytest.mark.parametrize(
    "password",
    [
        "kort", "a" * 129, "wachtwoordwachtwoord", "Welkom2026!Welkom2026!", "qwertyuiopasdfgh", "1234567890123456",
        "gemeente-2026-gemeente!", "letmeinletmeinletmein", "jan.jansen-jan.jansen", "correcthorsebatterystaple",
    ],
)  # fmt: skip
def test_what_everybody_guesses_is_no_password(password):
    with pytest.raises(NotAllowed):
        passwordkeys.check_new_password(password, staff=True, words=("jan.jansen",))


@pytest.mark.parametrize(
    "password", ["zeven gele fietsen in de regen", "x" * 3 + "Ünïcødé 雨の自転車 twaalf" * 4, "9f2k-wq0z-77pl-mmx3-tt1"]
)
def test_long_and_odd_passwords_are_fine(password):
    passwordkeys.check_new_password(password, staff=True, words=("jan.jansen",))


@pytest.mark.parametrize(("length", "staff", "fine"), [(11, False, 0), (12, False, 1), (14, True, 0), (15, True, 1)])
def test_members_need_fifteen_characters_and_others_twelve(length, staff, fine):
    password = "kb7 wqz 29 lmf xt"[:length]
    if fine:
        passwordkeys.check_new_password(password, staff=staff)
    else:
        with pytest.raises(NotAllowed, match="lengte"):
            passwordkeys.check_new_password(password, staff=staff)


def test_a_second_look_takes_no_time_that_somebody_could_waste():
    started = time.process_time()
    for password in ("ab" * 64, "abcdefgh" * 16, "aA1!" * 32, "q" * 60 + "Z9"):
        with contextlib.suppress(NotAllowed):
            passwordkeys.check_new_password(password, staff=False)
    assert time.process_time() - started < 2
