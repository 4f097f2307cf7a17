"""T15, T16: the second factor counts once, ends after five tries, and tells its owner when somebody guesses."""

import re
import threading

from sqlalchemy import update

from weerbaar_meldpunt.actions import factors, signin
from weerbaar_meldpunt.store.people import Bundle

from .conftest import counted, mails

# --- the second factor (T15, T16) ----------------------------------------------------------------------------------


def test_the_factor_ends_after_five_tries_and_each_is_counted_for_the_account(instance, people, door):
    member = people.member("ondersteuning")
    one = door()
    one.password(member.login, member.password)

    answers = [one.factor("000000").status_code for _ in range(6)]

    assert answers == [401] * 4 + [303, 303]
    assert counted(instance, member.login) == 5


def test_after_ten_wrong_codes_the_owner_is_mailed_and_told_at_the_next_sign_in(instance, people, door, clock):
    member = people.member("ondersteuning")
    for _ in range(10):
        one = door()
        while one.password(member.login, member.password).status_code == 429:
            clock.forward(minutes=16)
        while one.factor("000000").status_code == 429:
            clock.forward(minutes=16)
            if one.password(member.login, member.password).status_code == 303:
                continue
    assert [(mail["to"], mail["subject"]) for mail in mails(instance)] == [(member.login, "Let op uw account")]
    clock.forward(minutes=16)

    owner = door()
    owner.password(member.login, member.password)
    owner.factor(member.code(clock.now))

    page = owner.client.get("/account").get_data(as_text=True)
    assert "10 keer een verkeerde code" in page
    assert "verkeerde code" not in owner.client.get("/account").get_data(as_text=True)


def test_nine_wrong_codes_alarm_nobody(instance, people, door, clock):
    member = people.member("ondersteuning")
    for _ in range(9):
        one = door()
        one.password(member.login, member.password)
        one.factor("000000")
        clock.forward(minutes=16)

    owner = door()
    owner.password(member.login, member.password)
    owner.factor(member.code(clock.now))

    assert "verkeerde code" not in owner.client.get("/account").get_data(as_text=True)
    assert mails(instance) == []


def test_a_code_given_twice_at_the_same_moment_lets_one_in(instance, people, clock):
    member = people.member("ondersteuning")
    start, got = threading.Barrier(2), []
    with instance.readings() as session:
        half = signin.start_signin(session, instance, member.login, member.password, now=clock.now)

    def one():
        start.wait()
        with instance.sessions.begin() as session:
            got.append(signin.finish_signin(session, instance, half, member.code(clock.now), now=clock.now))

    both = [threading.Thread(target=one) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert sorted(found is not None for found in got) == [False, True]


def test_a_bundle_that_changed_since_it_was_read_is_not_overwritten(instance, people, clock, monkeypatch):
    """On a database that lets two read at once, the one UPDATE … WHERE rev = seen decides."""
    member = people.member("ondersteuning")
    with instance.readings() as session:
        half = signin.start_signin(session, instance, member.login, member.password, now=clock.now)
    real = factors.with_adopted_pins

    def another_was_first(session, *args, **named):
        changed = real(session, *args, **named)
        session.execute(
            update(Bundle).where(Bundle.user_id == member.user_id).values(revision=Bundle.revision + 1),
            execution_options={"synchronize_session": False},
        )
        return changed

    monkeypatch.setattr(factors, "with_adopted_pins", another_was_first)
    with instance.sessions.begin() as session:
        assert signin.finish_signin(session, instance, half, member.code(clock.now), now=clock.now) is None
        session.rollback()


def test_after_the_clock_went_back_no_older_code_is_good(instance, people, door, clock):
    member = people.member("ondersteuning")
    one = door()
    one.password(member.login, member.password)
    assert one.factor(member.code(clock.now)).status_code == 303

    clock.forward(minutes=-10)
    for _ in range(3):
        other = door()
        other.password(member.login, member.password)
        assert other.factor(member.code(clock.now)).status_code == 401
    clock.forward(minutes=12)
    other = door()
    other.password(member.login, member.password)
    assert other.factor(member.code(clock.now)).status_code == 303


def test_a_password_that_was_changed_meanwhile_lets_nobody_in_who_is_half_way(instance, people, door, in_by, clock):
    from weerbaar_meldpunt.actions import credentials

    member = people.member("ondersteuning")
    thief = door()
    thief.password(member.login, member.password)
    with instance.readings() as session:
        held = credentials.own_password(session, member.user_id)
    prepared = credentials.prepare_new(instance, member.person, "negen paarse kapstokken")
    with instance.sessions.begin() as session:
        credentials.change_password(
            session, instance, member.person, member.root, held, prepared, cookie=bytes(48), now=clock.now
        )

    assert thief.factor(member.code(clock.now)).status_code == 401
    assert not thief.is_in()


# --- printed codes of the second factor ----------------------------------------------------------------------------


def test_ten_printed_codes_each_work_once_and_however_they_are_typed(in_by, door, people):
    member = people.member("ondersteuning")
    codes = re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", in_by(member).post("/account/codes").get_data(as_text=True))
    assert len(set(codes)) == 10

    for typed in (codes[0], codes[1].lower().replace("-", " "), codes[2].replace("0", "o").replace("1", "l")):
        one = door()
        one.password(member.login, member.password)
        assert one.factor(typed).status_code == 303
        other = door()
        other.password(member.login, member.password)
        assert other.factor(typed).status_code == 401


def test_new_printed_codes_end_the_older_ones(in_by, door, people):
    member = people.member("ondersteuning")
    own = in_by(member)
    old, _new = (
        re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", own.post("/account/codes").get_data(as_text=True))
        for _ in range(2)
    )
    one = door()
    one.password(member.login, member.password)

    assert one.factor(old[0]).status_code == 401


def test_the_bundle_keeps_no_printed_code_as_it_was_printed(in_by, people, instance):
    member = people.member("ondersteuning")
    codes = re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", in_by(member).post("/account/codes").get_data(as_text=True))

    kept = str(dict(member.person.bundle))

    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
