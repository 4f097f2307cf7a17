"""From a password to a key: one lane, fixed costs, the password as it was typed."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tests.vault import byhand
from weerbaar_meldpunt.vault import password as passwords
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.password import password_key, pepper_id, recovery_key
from weerbaar_meldpunt.vault.seal import Binding, open_key, seal_key

HOUSE = Path(__file__).parents[2]
USER, SALT, PEPPER = b"u" * 16, b"z" * 16, b"p" * 32
MANY_LOGINS = """
import os, sys, threading
from weerbaar_meldpunt.vault.password import password_key

def logins():
    found = []
    def two():
        for _ in range(2):
            found.append(password_key("w", salt=bytes(16), pepper=bytes(32), user_id=bytes(16)).secret)
    threads = [threading.Thread(target=two) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(found) == 16 and len(set(found)) == 1

if sys.argv[1] == "forked":
    password_key("w", salt=bytes(16), pepper=bytes(32), user_id=bytes(16))  # used before the fork, as by a parent
    child = os.fork()
    if child == 0:
        logins()
        os._exit(0)
    sys.exit(os.waitpid(child, 0)[1])
logins()
"""


@pytest.fixture
def cheap(monkeypatch):
    monkeypatch.setattr(passwords, "COST", passwords.Cost(memory_kib=64, passes=1))


@pytest.fixture
def given(monkeypatch):
    """What Argon2id is given, instead of what it makes of it."""
    found = {}

    class Recorder:
        def __init__(self, **arguments):
            found.update(arguments)

        def derive(self, password):
            found["password"] = password
            return bytes(32)

    monkeypatch.setattr(passwords, "Argon2id", Recorder)
    return found


def test_there_is_one_lane_and_the_costs_are_those_of_the_specification(given):
    password_key("wachtwoord", salt=SALT, pepper=PEPPER, user_id=USER)

    assert passwords.LANES == 1
    assert (passwords.KDF_NUMBER, passwords.SALT_BYTES) == (1, 16)
    assert given == {
        "salt": SALT, "length": 32, "iterations": 3, "lanes": 1, "memory_cost": 131_072, "secret": PEPPER,
        "ad": byhand.ctx("pw", USER), "password": b"wachtwoord",
    }  # fmt: skip


def test_no_row_can_set_a_cost():
    # A changed row could otherwise exhaust the memory of the server, or bring back the lanes that deadlock.
    assert set(inspect.signature(password_key).parameters) == {"password", "salt", "pepper", "user_id"}


def test_the_key_of_a_password_is_exactly_that_of_the_specification():
    raw = Argon2id(
        salt=SALT, length=32, iterations=3, lanes=1, memory_cost=128 * 1024, secret=PEPPER, ad=byhand.ctx("pw", USER)
    ).derive("Één wachtwoord".encode())  # fmt: skip

    assert password_key("Één wachtwoord", salt=SALT, pepper=PEPPER, user_id=USER).secret == byhand.hkdf(
        raw, "kek/pw", salt=USER
    )


@pytest.mark.parametrize(
    "password",
    [" met spaties ", "e\u0301e\u0301n", "één", "a" * 128, "\ttab\n", "nul\0nul", "🔑" * 20, "HOOFDletters", ""],
    ids=ascii,
)
def test_a_password_is_taken_exactly_as_it_was_typed(given, password):
    password_key(password, salt=SALT, pepper=PEPPER, user_id=USER)

    assert given["password"] == password.encode("utf-8")


def test_another_password_salt_pepper_or_user_gives_another_key(cheap):
    inputs = {"password": "a", "salt": SALT, "pepper": PEPPER, "user_id": USER}
    others = {"password": "b", "salt": b"y" * 16, "pepper": b"q" * 32, "user_id": b"v" * 16}

    keys = [password_key(**inputs).secret, *(password_key(**inputs | {n: v}).secret for n, v in others.items())]

    assert len(set(keys)) == len(keys)


def test_a_wrong_password_or_pepper_does_not_open_root(cheap):
    here = Binding("root_pw", USER, None, 1)
    sealed = seal_key(password_key("goed", salt=SALT, pepper=PEPPER, user_id=USER), b"r" * 32, here)

    assert open_key(password_key("goed", salt=SALT, pepper=PEPPER, user_id=USER), sealed, here) == b"r" * 32
    for password, pepper in (("fout", PEPPER), ("goed", b"q" * 32)):
        with pytest.raises(Onleesbaar):
            open_key(password_key(password, salt=SALT, pepper=pepper, user_id=USER), sealed, here)


def test_the_printed_recovery_code_gives_a_key_of_its_own():
    code = b"ABCDEFGHJKMNPQRSTVWXYZ0123"

    assert recovery_key(code, USER).secret == byhand.hkdf(code, "kek/rc", salt=USER)


def test_a_pepper_is_named_and_not_shown():
    assert pepper_id(PEPPER) == byhand.hkdf(PEPPER, "id", length=16)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["threads", "forked"])
def test_eight_threads_with_two_logins_each_end_in_time(way):
    # In a process of its own: with more than one lane this hangs for ever, and would take the tests along.
    done = subprocess.run([sys.executable, "-c", MANY_LOGINS, way], cwd=HOUSE, timeout=30, check=False)

    assert done.returncode == 0
