"""Two workers with threads, passwords at full cost: T25, the thousand outsiders of T16, what signing in costs others.

The ratios are printed and held against the goals of performance.md, each with its floor measured in the same run: the
result is the median of pairs, and it fails only when the best pair misses too.
"""

import itertools
import os
import random
import re
import secrets
import signal
import statistics
import threading
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pyotp
import pytest

from weerbaar_meldpunt.actions import credentials, throttle
from weerbaar_meldpunt.actions.instance import create_instance
from weerbaar_meldpunt.vault import password as passwords

from .served import Browser, served, workers_of

pytestmark = [pytest.mark.slow, pytest.mark.real_passwords]
TEAM = "ondersteuning"
WRONG = "heel iets anders dan dat"


@pytest.fixture(scope="module")
def desk(tmp_path_factory, ready_maker):
    """The running server, its people, and its processes."""
    folder = tmp_path_factory.mktemp("served")
    now = datetime.now(UTC)
    instance = create_instance(folder / "instance", now=now, demonstration=True)
    ready = ready_maker(instance, now=now)
    with served(folder / "instance", folder / "serve.log") as (port, server):
        yield SimpleNamespace(port=port, server=server, ready=ready, instance=instance, log=folder / "serve.log")
    instance.engine.dispose()


def printed_codes(desk, account):
    """Ten second factors that need no clock."""
    with desk.instance.sessions.begin() as session:
        return credentials.make_factor_codes(
            session, desk.instance, account.person, account.root, now=datetime.now(UTC)
        )


def signed_in(desk, account, code):
    browser = Browser(desk.port)
    assert browser.password(account).status_code == 303
    assert browser.factor(code).status_code == 303
    return browser


@pytest.fixture
def two_in(desk):
    """Two browsers in which the same member is signed in."""
    account = desk.ready.second(TEAM)
    codes = printed_codes(desk, account)
    return [signed_in(desk, account, code) for code in codes[:2]]


# --- T25 -----------------------------------------------------------------------------------------------------------


def test_a_session_is_served_by_either_worker(desk, two_in):
    workers = workers_of(desk.server)
    assert len(workers) == 2
    for asleep in workers:
        os.kill(asleep, signal.SIGSTOP)
        try:
            assert all(two_in[0].is_in() for _ in range(4))
        finally:
            os.kill(asleep, signal.SIGCONT)


def test_signing_out_everywhere_counts_at_once_in_every_worker_and_thread(desk, two_in):
    here, there = two_in
    answers, over = [], threading.Event()

    def keep_asking():
        browser = Browser(desk.port)
        browser.cookies = dict(there.cookies)
        while not over.is_set():
            asked = time.monotonic()
            answers.append((asked, browser.get("/account").status_code))

    crowd = [threading.Thread(target=keep_asking) for _ in range(8)]
    for thread in crowd:
        thread.start()
    time.sleep(1)
    assert here.send("/account/sessies", has="all", all="ja").status_code == 303
    ended = time.monotonic()
    time.sleep(2)
    over.set()
    for thread in crowd:
        thread.join()

    before = [status for asked, status in answers if asked < ended - 0.5]
    after = [status for asked, status in answers if asked > ended]
    assert before.count(200) > 5
    assert len(after) > 20
    assert set(after) == {303}
    assert here.is_in()


# --- T16: a thousand outsiders -------------------------------------------------------------------------------------


def test_a_thousand_wrong_passwords_keep_nobody_out_tell_nothing_and_slow_no_report(desk):
    owner = desk.ready.first(TEAM)
    codes = printed_codes(desk, owner)
    own = signed_in(desk, owner, codes[0])
    assert own.send("/uitloggen", of="/account").status_code == 303
    Browser(desk.port).file_report()  # the first is slower: templates, pins

    calm = [Browser(desk.port).file_report() for _ in range(15)]
    tries, over, lock = [], threading.Event(), threading.Lock()
    numbers = itertools.count()
    # Half of the tries are for the owner's name; of the others each is for a name of its own, so that none is refused
    # before its derivation.
    chance = random.Random(16)

    def outsider():
        while not over.is_set() and (number := next(numbers)) < 1000:
            login = owner.login if number % 2 else f"iemand{chance.random()}@voorbeeld.test"
            try:
                status = Browser(desk.port).password(owner, password=WRONG, login=login).status_code
            except OSError:  # an outsider's connection may be cut; a reporter's may not
                status = 0
            with lock:
                tries.append((login == owner.login, status))
            time.sleep(0.5)  # what would flood the line itself is for the hoster

    crowd = [threading.Thread(target=outsider) for _ in range(12)]
    for thread in crowd:
        thread.start()
    time.sleep(3)
    besieged, cut = [], 0
    while len(tries) < 990:
        try:
            besieged.append(Browser(desk.port).file_report())
        except OSError:
            cut += 1
    for thread in crowd:
        thread.join()
    before = statistics.median(calm)
    calm += [Browser(desk.port).file_report() for _ in range(15)]
    after = statistics.median(calm[15:])

    ratio = statistics.median(besieged) / statistics.median(calm)
    print(
        f"\nreport beside outsiders / without: {ratio:.2f} (goal 1.5; {len(besieged)} and {len(calm)} reports, "
        f"p50 {statistics.median(besieged) * 1000:.0f} and {statistics.median(calm) * 1000:.0f} ms)"
    )
    assert len(tries) >= 1000
    assert {status for _, status in tries} <= {0, 401, 429, 503}
    assert [status for _, status in tries].count(0) < 100
    assert any(status == 401 for mine, status in tries if not mine)
    # A machine that is busy with something else says nothing of what outsiders do to it.
    assert ratio <= 1.5 or is_noisy([before, after]), (before, after)
    assert cut == 0 or is_noisy([before, after]), cut

    # The name is closed for browsers that nobody knows, and the owner comes in on the own device.
    with desk.instance.sessions.begin() as session:
        counter = throttle.counter_of_name(desk.instance, owner.login)
        while throttle.failures(session, counter) < throttle.CLOSED_AT:
            throttle.count_failure(session, counter, now=datetime.now(UTC))
        other = throttle.counter_of_name(desk.instance, "niemand@voorbeeld.test")
        while throttle.failures(session, other) < throttle.CLOSED_AT:
            throttle.count_failure(session, other, now=datetime.now(UTC))
    stranger = Browser(desk.port)
    known, unknown = (
        stranger.password(owner, password=WRONG, login=login) for login in (owner.login, "niemand@voorbeeld.test")
    )
    assert known.status_code == unknown.status_code == 429
    assert plain(known, owner.login) == plain(unknown, "niemand@voorbeeld.test")
    assert own.password(owner).status_code == 303
    assert own.factor(codes[1]).status_code == 303
    assert own.is_in()


def plain(answer, login):
    text = answer.get_data(as_text=True).replace(login, "").replace(login.replace("@", "%40"), "")
    return re.sub(r'value="[^"]{40,}"', "", text)


def is_noisy(floor):
    """Whether the same thing, done alone, took such different times that nothing can be decided from it."""
    return (max(floor) - min(floor)) / statistics.median(floor) > 0.6


# --- L2: the queue beside sign-ins ---------------------------------------------------------------------------------


def test_the_queue_beside_two_sign_ins_a_second(desk):
    staff = [member for members in desk.ready.members.values() for member in members]
    codes = [(account, code) for account in staff for code in printed_codes(desk, account)]
    random.Random(2).shuffle(codes)
    worker = desk.ready.second("juridisch")
    with desk.instance.sessions.begin() as session:
        from weerbaar_meldpunt.actions.sessions import create_session, start_content

        content = start_content("person", now=datetime.now(UTC), user_id=worker.user_id, root=worker.root)
        import base64

        cookie = base64.urlsafe_b64encode(create_session(session, content)).decode()
    reader = Browser(desk.port)
    reader.cookies["wmp"] = cookie
    assert reader.get("/werk/juridisch").status_code == 200
    done = []

    def sign_in(account, code):
        browser = Browser(desk.port)
        asked = browser.password(account)
        done.append(asked.status_code == 303 and browser.factor(code).status_code == 303 and browser.is_in())

    def block(*, signing, seconds=8.0, every=0.1):
        """Asked at set moments; late is late from there on."""
        took, start, crowd, signed = [], time.monotonic(), [], 0
        for number in range(int(seconds / every)):
            due = start + number * every
            while signing and signed < 2 * (due - start):
                thread = threading.Thread(target=sign_in, args=codes.pop())
                thread.start()
                crowd.append(thread)
                signed += 1
            time.sleep(max(0, due - time.monotonic()))
            assert reader.get("/werk/juridisch").status_code == 200
            took.append(time.monotonic() - due)
        for thread in crowd:
            thread.join()
        return statistics.quantiles(took, n=20)[-1]

    block(signing=False)
    pairs, floor = [], []
    for _ in range(3):
        floor.append(block(signing=False))
        pairs.append(block(signing=True) / floor[-1])
    print(
        f"\nL2 queue p95 beside 2 sign-ins a second / without: {statistics.median(pairs):.2f} "
        f"(goal 2, stretch 1.5; min {min(pairs):.2f}, max {max(pairs):.2f}); {len(done)} sign-ins"
    )
    assert len(done) >= 40
    assert min(pairs) <= 2 or is_noisy(floor), floor
    assert done.count(True) > 0.9 * len(done) or is_noisy(floor), floor


# --- L1 and T17 in one process -------------------------------------------------------------------------------------


@pytest.fixture
def browser_of(app):
    """A browser in this process, and the time that its server took for a form."""
    from .conftest import Door, token_of

    def sends(door, path, of, **data):
        token = token_of(door.client.get(of))
        before = time.perf_counter()
        answer = door.client.post(path, data={"csrf_token": token, **data})
        return answer, time.perf_counter() - before

    return lambda: (Door(app.test_client()), sends)


def test_a_sign_in_costs_hardly_more_than_its_one_derivation(browser_of, people, clock, monkeypatch):
    member, calls = people.member(TEAM), []
    real = passwords.password_key
    monkeypatch.setattr(passwords, "password_key", lambda *args, **named: calls.append(1) or real(*args, **named))

    def login():
        clock.forward(seconds=31)
        door, sends = browser_of()
        one, first = sends(door, "/inloggen", "/inloggen", login=member.login, password=member.password)
        code = pyotp.TOTP(member.totp_secret).at(int(clock.now.timestamp()))
        two, second = sends(door, "/inloggen/code", "/inloggen/code", code=code)
        assert (one.status_code, two.status_code) == (303, 303)
        return first + second

    def floor():
        before = time.perf_counter()
        real(secrets.token_hex(16), salt=bytes(16), pepper=bytes(32), user_id=bytes(16))
        return time.perf_counter() - before

    login(), floor()
    calls.clear()
    pairs, derivations = [], []
    for _ in range(7):
        ours, bare, again, over = login(), floor(), floor(), login()
        pairs.append((ours + over) / (bare + again))
        derivations.append(len(calls))
        calls.clear()
    print(
        f"\nL1 sign-in / one Argon2id: {statistics.median(pairs):.3f} (goal 1.1, stretch 1.05; "
        f"min {min(pairs):.3f}, max {max(pairs):.3f}); derivations a sign-in: {derivations[0] / 2:.0f}"
    )
    assert derivations == [2] * 7
    assert min(pairs) <= 1.1


def test_a_name_that_exists_answers_as_fast_as_one_that_does_not(browser_of, people, clock, instance, monkeypatch):
    """T17: two hundred each, turn about. Cheaper derivations hide less of a difference than dear ones would."""
    from sqlalchemy import delete

    from weerbaar_meldpunt.store.people import Throttle

    monkeypatch.setattr(passwords, "COST", passwords.Cost(memory_kib=8192, passes=1))
    member = people.member(TEAM)
    door, sends = browser_of()
    took = {member.login: [], "niemand9@voorbeeld.test": []}
    answers = set()
    for number in range(205):
        for login in sorted(took, reverse=bool(number % 2)):
            answer, seconds = sends(door, "/inloggen", "/inloggen", login=login, password=WRONG)
            answers.add((answer.status_code, plain(answer, login)))
            if number >= 5:
                took[login].append(seconds)
        with instance.sessions.begin() as session:
            session.execute(delete(Throttle))
    known, unknown = (statistics.median(took[login]) for login in took)
    print(f"\nT17 known / unknown name: {known / unknown:.3f} (within 10 %; {known * 1000:.1f} ms of 200 tries)")

    assert len(answers) == 1
    assert 0.9 < known / unknown < 1.1
