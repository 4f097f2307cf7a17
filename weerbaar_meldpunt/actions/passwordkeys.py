"""A password that was chosen or typed, made into a key: few at once, and never while the database is locked.

One derivation takes half a second and 128 MiB on purpose (`vault/password.py`). So they wait in a short queue, and
who finds it full is refused at once: filing a report takes none, and must not wait for those that do. Half of what may
run, and a part of the queue, is kept for who is known (an own device, a passkey, somebody who is signed in): outsiders
who fill the rest keep nobody of them out.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from weerbaar_meldpunt.vault import password as passwords
from weerbaar_meldpunt.vault.derive import new_id, random_bytes
from weerbaar_meldpunt.vault.seal import SealKey

from .errors import Busy, NotAllowed
from .instance import Instance

MIN_PASSWORD: Final = {True: 15, False: 12}
MAX_PASSWORD: Final = 128
# Nobody chose a longer one, and nobody makes us take in more.
LONGEST_TYPED: Final = 4 * MAX_PASSWORD
# Of one worker: running at once, of those for who is not known, and the same for who waits.
AT_ONCE, UNKNOWN_AT_ONCE = 2, 1
QUEUE, UNKNOWN_QUEUE = 8, 6
# On a machine that is busy with other things nobody's thread is held for longer, and no browser gives up first.
LONGEST_WAIT: Final = 20.0  # seconds
# Each of these holds a thread of the worker; it has more than twice as many (`meldpunt serve --threads`).
PLACES: Final = AT_ONCE + QUEUE
# Derivations give way to everything else on the machine. Measured: a queue page beside two sign-ins a second takes 2.4
# times as long at 0, and 1.4 times at 10; of a saturated machine they still get a tenth.
NICE: Final = 10


class _Room:
    """Who runs and who waits in this process."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Nobody is here."""
        self._change = threading.Condition()
        self._running = {True: 0, False: 0}
        self._waiting = {True: 0, False: 0}
        self._hands: ThreadPoolExecutor | None = None

    def _free(self, known: bool) -> bool:
        return sum(self._running.values()) < AT_ONCE and (known or self._running[False] < UNKNOWN_AT_ONCE)

    def _full(self, known: bool) -> bool:
        return sum(self._waiting.values()) >= QUEUE or (not known and self._waiting[False] >= UNKNOWN_QUEUE)

    def enter(self, known: bool) -> None:
        with self._change:
            if self._waiting[known] or not self._free(known):
                if self._full(known):
                    raise Busy
                self._waiting[known] += 1
                try:
                    if not self._change.wait_for(lambda: self._free(known), LONGEST_WAIT):
                        raise Busy
                finally:
                    self._waiting[known] -= 1
            self._running[known] += 1

    def leave(self, known: bool) -> None:
        with self._change:
            self._running[known] -= 1
            self._change.notify_all()

    def taken(self) -> int:
        with self._change:
            return sum(self._running.values()) + sum(self._waiting.values())

    def hands(self) -> ThreadPoolExecutor:
        """The threads that derive: their own, because only a thread that does nothing else may be made to give way."""
        with self._change:
            if self._hands is None:
                self._hands = ThreadPoolExecutor(AT_ONCE, "argon2", initializer=_give_way)
            return self._hands


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere it would be the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


_room = _Room()

if hasattr(os, "register_at_fork"):  # a child of this process has none of its threads, and nobody in its queue
    os.register_at_fork(after_in_child=_room.clear)


@dataclass(frozen=True)
class Prepared:
    """What a chosen password gave for one account: made before the transaction in which the account is set up."""

    user_id: bytes
    for_staff: bool
    salt: bytes
    key: SealKey = field(repr=False)


def free_places() -> int:
    """How many derivations of this worker may begin or wait now."""
    return PLACES - _room.taken()


@contextmanager
def place(*, known: bool = False) -> Iterator[None]:
    """A turn to derive; waits for it in the queue, and raises `Busy` when that is full. Hold no transaction meanwhile.

    `known`: an own device, a passkey or somebody who is signed in asks.
    """
    _room.enter(known)
    try:
        yield
    finally:
        _room.leave(known)


def derive(instance: Instance, password: str, *, salt: bytes, user_id: bytes) -> SealKey:
    """The key of a password; inside a `place` only."""
    work = _room.hands().submit(
        passwords.password_key, password[:LONGEST_TYPED], salt=salt, pepper=instance.pepper, user_id=user_id
    )
    return work.result()


def stretch(instance: Instance, password: str, *, salt: bytes, user_id: bytes, known: bool = False) -> SealKey:
    """The key of a password; raises `Busy` when too many wait already."""
    with place(known=known):
        return derive(instance, password, salt=salt, user_id=user_id)


# --- choosing one --------------------------------------------------------------------------------------------------

# What people here begin with; a password of these and little else is guessed.
_CONTEXT: Final = (
    "wachtwoord", "password", "welkom", "welcome", "qwerty", "azerty", "12345", "67890", "meldpunt", "weerbaar",
    "bestuur", "gemeente", "provincie", "waterschap", "burgemeester", "wethouder", "raadslid", "griffie", "griffier",
    "secretaris", "geheim", "nederland", "holland", "oranje", "ondersteuning", "beveiliging", "juridisch", "inloggen",
    "lente", "zomer", "herfst", "winter", "januari", "februari", "maart", "april", "juni", "juli", "augustus",
    "september", "oktober", "november", "december", "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag",
    "zaterdag", "zondag", "correct horse battery staple", "correcthorsebatterystaple",
)  # fmt: skip
_LEFT: Final = 6  # characters beside those words
_LETTERS: Final = 5  # different ones
_LOOKED_AT: Final = 72  # as far as zxcvbn looks
_SCORE: Final = 3  # of 4: at least 10^8 guesses


def check_new_password(password: str, *, staff: bool, words: tuple[str, ...] = ()) -> None:
    """Length, what everybody guesses first, and a second look; no rules on the kinds of characters (NIST SP 800-63B).

    `words` belong to this person: login and name. Raises `NotAllowed`.
    """
    if not MIN_PASSWORD[staff] <= len(password) <= MAX_PASSWORD:
        raise NotAllowed("wachtwoord_lengte")
    plain = password.casefold()
    own = tuple(word.casefold() for word in words if len(word) > 3)
    rest = plain
    for word in sorted((*_CONTEXT, *own), key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(rest.strip(" .-_!?0123456789")) < _LEFT or len(set(plain)) < _LETTERS or _guessed(plain, own):
        raise NotAllowed("wachtwoord_te_raden")


def _guessed(plain: str, own: tuple[str, ...]) -> bool:
    """What the list of common passwords and patterns says."""
    from zxcvbn import zxcvbn  # its lists take some megabytes: read where one is chosen

    found = zxcvbn(plain[:_LOOKED_AT], user_inputs=[*_CONTEXT, *own])
    return int(found["score"]) < _SCORE


def prepare(
    instance: Instance, password: str, *, staff: bool, login: str = "", name: str = "", user_id: bytes | None = None,
    known: bool = False,
) -> Prepared:  # fmt: skip
    """Check a chosen password and make its key, for an account that exists or for a new one.

    Call it without a transaction: others wait for the lock of one. Raises `NotAllowed` and `Busy`.
    """
    check_new_password(password, staff=staff, words=(login.partition("@")[0], *name.split()))
    user_id, salt = user_id or new_id(), random_bytes(passwords.SALT_BYTES)
    return Prepared(user_id, staff, salt, stretch(instance, password, salt=salt, user_id=user_id, known=known))
