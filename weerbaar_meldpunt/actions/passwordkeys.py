"""A password that was chosen or typed, made into a key: few at once, and never while the database is locked.

One derivation takes half a second and 128 MiB on purpose (`vault/password.py`). So they wait in a short queue, and
who finds it full is refused at once: filing a report takes none, and its threads must not be taken by those that do.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

from weerbaar_meldpunt.vault import password as passwords
from weerbaar_meldpunt.vault.derive import new_id, random_bytes
from weerbaar_meldpunt.vault.seal import SealKey

from .errors import Busy, NotAllowed
from .instance import Instance

MIN_PASSWORD: Final = {True: 15, False: 12}
MAX_PASSWORD: Final = 128
AT_ONCE: Final = 2
# Running and waiting together. Of a worker's eight threads at least five stay free for everything else.
PLACES: Final = 3
_running = threading.BoundedSemaphore(AT_ONCE)
_places = threading.BoundedSemaphore(PLACES)


@dataclass(frozen=True)
class Prepared:
    """What a chosen password gave for one account: made before the transaction in which the account is set up."""

    user_id: bytes
    for_staff: bool
    salt: bytes
    key: SealKey = field(repr=False)


def free_places() -> int:
    """How many derivations of this worker may begin or wait now."""
    return _places._value


def stretch(instance: Instance, password: str, *, salt: bytes, user_id: bytes) -> SealKey:
    """The key of a password; raises `Busy` when too many wait already."""
    if not _places.acquire(blocking=False):
        raise Busy
    try:
        with _running:
            return passwords.password_key(password, salt=salt, pepper=instance.pepper, user_id=user_id)
    finally:
        _places.release()


def check_new_password(password: str, *, staff: bool, words: tuple[str, ...] = ()) -> None:
    """Length and a list of what everybody guesses first; no rules on the kinds of characters (NIST SP 800-63B)."""
    if not MIN_PASSWORD[staff] <= len(password) <= MAX_PASSWORD:
        raise NotAllowed("wachtwoord_lengte")
    plain = password.casefold()
    guessed = ("wachtwoord", "password", "welkom", "qwerty", "12345", "meldpunt", *(w for w in words if len(w) > 3))
    rest = plain
    for word in guessed:
        rest = rest.replace(word.casefold(), "")
    if len(rest) < 6 or len(set(plain)) < 5:
        raise NotAllowed("wachtwoord_te_raden")


def prepare(
    instance: Instance, password: str, *, staff: bool, login: str = "", name: str = "", user_id: bytes | None = None
) -> Prepared:
    """Check a chosen password and make its key, for an account that exists or for a new one.

    Call it without a transaction: others wait for the lock of one. Raises `NotAllowed` and `Busy`.
    """
    check_new_password(password, staff=staff, words=(login.partition("@")[0], *name.split()))
    user_id, salt = user_id or new_id(), random_bytes(passwords.SALT_BYTES)
    return Prepared(user_id, staff, salt, stretch(instance, password, salt=salt, user_id=user_id))
