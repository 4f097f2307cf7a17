"""T15, T16, T17 at the door: guessing is slow, an owner is never kept out by others, and no answer tells who exists."""

import re
import threading

import pytest
from sqlalchemy import select, update

from weerbaar_meldpunt.actions import factors, signin, throttle
from weerbaar_meldpunt.actions.people import normal_login
from weerbaar_meldpunt.store.doors import TryLink
from weerbaar_meldpunt.store.people import Bundle, Throttle
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.seal import Binding, open_json

from .conftest import options_of, token_of

WRONG = "heel iets anders dan dat"
NOBODY = "niemand@voorbeeld.test"


def counted(instance, login):
    counter = throttle.counter_of_name(instance, normal_login(login))
    with instance.readings() as session:
        return throttle.failures(session, counter)


def besiege(instance, login, count, now):
    """What so many outsiders leave behind."""
    with instance.sessions.begin() as session:
        for _ in range(count):
            signin.note_failure(session, instance, login, now=now)


def mails(instance):
    with instance.readings() as session:
        return [
            open_json(instance.server.seal, row.sealed, Binding("outbox", None, row.id, 1))
            for row in session.scalars(select(Outbox))
        ]


def plain(answer, *names):
    text = answer.get_data(as_text=True)
    for name in names:
        text = text.replace(name, "").replace(name.replace("@", "%40"), "")
    return answer.status_code, re.sub(r'(value|data-options)="[^"]{40,}"', "", text)


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
