"""Signing in: one Argon2id for every try, known name or not; then a second factor that counts once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.people import Bundle, Root, User
from weerbaar_meldpunt.vault import password as passwords
from weerbaar_meldpunt.vault.codes import read_code
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import Binding, open_key

from . import devices, factors, passkeys, passwordkeys, throttle
from .bundles import open_bundle
from .catching_up import catch_up_at_signin
from .factors import Given, Owner
from .instance import Instance
from .ledger import Ledger
from .person import ACTIVE, lookup_of, normal_login, open_user
from .sessions import MAX_FACTOR_TRIES, Presession, SessionContent, start_content
from .throttle import FREE_FAILURES, Counter, Turn

__all__ = ["FREE_FAILURES", "MAX_FACTOR_TRIES"]  # read by the pages too

_NOBODY: Final = bytes(16)
is_current = factors.is_current


@dataclass(frozen=True)
class Arrival:
    """Somebody at the door with a name: what to derive with, and where their tries are counted."""

    login: str
    counter: Counter
    user_id: bytes
    salt: bytes = field(repr=False)
    sealed: bytes | None = field(repr=False)  # ROOT under the password; none for a name that nobody has
    revision: int = 0


@dataclass(frozen=True)
class Welcome:
    """A complete sign-in."""

    content: SessionContent
    owner: Owner
    warned: int  # wrong codes after a right password since the last time, when they were many


def arrive(
    session: Session, instance: Instance, login: str, *, now: datetime, device: bytes = b"", credential: str = "",
    opens: bytes | None = None, link: bytes = b"",
) -> Arrival:  # fmt: skip
    """Look a name up. Raises `TooManyTries` and `PathClosed`, for a name that exists as for one that does not.

    `device` is the cookie of an own device, `credential` what a passkey signed, `opens` the counter that a mailed link
    opened for this browser, `link` what tells that browser from others.
    """
    found = session.execute(
        select(User.id, Root.salt, Root.sealed, Root.revision)
        .join(Root, Root.user_id == User.id)
        .where(User.login_lookup == lookup_of(instance, login), User.state == ACTIVE, Root.way == "pw")
    ).one_or_none()
    user_id, salt, sealed, revision = found or (_NOBODY, bytes(passwords.SALT_BYTES), None, 0)
    counter = throttle.counter_of_name(instance, normal_login(login))
    passkey = passkeys.presented(session, credential, user_id)
    if passkey is not None:
        counter = throttle.own_counter(instance, "passkey", passkey)
    elif devices.is_known(session, device, user_id):
        counter = throttle.own_counter(instance, "device", devices.device_hash(device, user_id))
    elif opens == counter.key:
        counter = throttle.own_counter(instance, "link", link)
    throttle.refuse_if_waiting(session, counter, now=now)
    return Arrival(login, counter, user_id, salt, sealed, revision)


def check_password(instance: Instance, arrival: Arrival, password: str, *, now: datetime) -> Presession | None:
    """The one derivation of a sign-in, inside a place of the queue and outside any transaction."""
    key = passwordkeys.derive(instance, password, salt=arrival.salt, user_id=arrival.user_id)
    if arrival.sealed is None:
        return None
    try:
        root = open_key(key, arrival.sealed, Binding("root_pw", arrival.user_id, None, arrival.revision))
    except Onleesbaar:
        return None
    own = None if arrival.counter.closes else arrival.counter.key
    return Presession(
        arrival.user_id, root, now, revision=arrival.revision, counter=own, known=arrival.counter.known
    )  # fmt: skip


def start_signin(
    session: Session, instance: Instance, login: str, password: str, *, now: datetime
) -> Presession | None:
    """Check a password of somebody who is not known, without counting. For programs; the page counts each try."""
    arrival = arrive(session, instance, login, now=now)
    with passwordkeys.place():
        return check_password(instance, arrival, password, now=now)


def start_recovery(
    session: Session, instance: Instance, login: str, typed_code: str, *, now: datetime
) -> Presession | None:
    """Check a printed recovery code. Its 130 bits need no counter; the second factor after it is counted like any."""
    found = session.execute(
        select(User.id, Root.sealed, Root.revision)
        .join(Root, Root.user_id == User.id)
        .where(User.login_lookup == lookup_of(instance, login), User.state == ACTIVE, Root.way == "rc")
    ).one_or_none()
    user_id, sealed, revision = found or (_NOBODY, None, 0)
    try:
        key = passwords.recovery_key(read_code(typed_code), user_id)
        root = open_key(key, sealed or b"", Binding("root_rc", user_id, None, revision))
    except (ValueError, Onleesbaar):
        return None
    # What outsiders try in this name keeps nobody waiting who holds the paper.
    counter = throttle.own_counter(instance, "recovery", user_id)
    return Presession(user_id, root, now, way="rc", revision=revision, counter=counter.key)


def _still_opens(session: Session, presession: Presession) -> bool:
    """Whether the row that let somebody half-way in is still the one that counts."""
    query = select(Root.revision).where(Root.user_id == presession.user_id, Root.way == presession.way)
    return session.scalar(query) == presession.revision


def counter_of(session: Session, instance: Instance, presession: Presession) -> tuple[Counter, str]:
    """Where the tries of somebody half-way in are counted, and the login of the account."""
    login = login_of(session, instance, presession.user_id)
    if presession.counter is not None:
        return Counter(presession.counter, known=presession.known, closes=False), login
    return throttle.counter_of_name(instance, normal_login(login)), login


def prove(session: Session, instance: Instance, presession: Presession, given: Given, *, now: datetime) -> Owner | None:
    """Check the second factor of somebody half-way in. Raises `TooManyTries`; nothing when it is wrong or used.

    Tries count for the account too, so that many who are half-way in guess no more than one.
    """
    if presession.tries >= MAX_FACTOR_TRIES or not _still_opens(session, presession):
        return None
    counter, _login = counter_of(session, instance, presession)
    throttle.refuse_if_waiting(session, counter, now=now)
    return factors.accept(
        session, instance, presession.user_id, presession.root, given, now=now, adopt_pins=presession.way == "pw"
    )


def welcome(
    session: Session, instance: Instance, presession: Presession, given: Given, *, now: datetime
) -> Welcome | None:
    """The second factor, and with it a complete sign-in: counters go back, staff leave a leaf, planted rows alarm."""
    owner = prove(session, instance, presession, given, now=now)
    if owner is None:
        return None
    counter, login = counter_of(session, instance, presession)
    name = normal_login(login)
    wrong = throttle.failures(session, throttle.factor_counter(instance, name))
    throttle.clear(session, counter, throttle.counter_of_name(instance, name), throttle.factor_counter(instance, name))
    passkeys.alarm_at_planted(session, instance, owner.user_id, owner.bundle, staff=owner.is_staff, now=now)
    if owner.is_staff:
        Ledger(session, instance, now=now).close(owner.user_id, "ingelogd", owner.user_id)
    kind = "person" if owner.is_staff else "melder"
    content = start_content(kind, now=now, user_id=owner.user_id, root=presession.root)
    if owner.is_staff:
        catch_up_at_signin(session, instance, content, now=now)
    return Welcome(content, owner, wrong if wrong >= throttle.WARNED_AT else 0)


def forget_failures(session: Session, instance: Instance, presession: Presession) -> None:
    """Set the counters of an account back, after a complete sign-in and after a recovery."""
    counter, login = counter_of(session, instance, presession)
    name = normal_login(login)
    throttle.clear(session, counter, throttle.counter_of_name(instance, name), throttle.factor_counter(instance, name))


def finish_signin(
    session: Session, instance: Instance, presession: Presession, code: str, *, now: datetime
) -> SessionContent | None:
    """`welcome` with a code of an app, for who needs the session only."""
    done = welcome(session, instance, presession, Given(code=code), now=now)
    return done.content if done else None


@dataclass(frozen=True)
class Asked:
    """What the page of the second factor asks of this account."""

    staff: bool
    options: str  # for a passkey, when there is one
    only_passkey: bool


def asked_factor(session: Session, instance: Instance, presession: Presession) -> Asked:
    """Which second factors somebody half-way in can give."""
    roles = factors.roles_of(session, presession.user_id)
    options = ""
    row = session.scalars(select(Bundle).where(Bundle.user_id == presession.user_id)).one_or_none()
    if row is not None and presession.challenge is not None and passkeys.rp_id(instance.settings):
        try:
            bundle = open_bundle(presession.root, row)
        except Onleesbaar:
            bundle = {}
        if passkeys.has_passkey(bundle):
            options = passkeys.request_options(instance, presession.challenge, bundle)
    only = passkeys.requires(roles, instance.settings) and bool(options)
    return Asked(factors.is_staff(roles), options, only)


def wrong_factor(session: Session, instance: Instance, presession: Presession, *, now: datetime) -> None:
    """Count a wrong second factor for the account."""
    counter, login = counter_of(session, instance, presession)
    throttle.count_failure(session, counter, now=now)
    throttle.warn_of_factor(session, instance, presession.user_id, login, normal_login(login), now=now)


def wrong_step_up(session: Session, instance: Instance, user_id: bytes, *, now: datetime) -> None:
    """Count a wrong second factor of somebody who is signed in; five of these end their session."""
    login = login_of(session, instance, user_id)
    throttle.warn_of_factor(session, instance, user_id, login, normal_login(login), now=now)


def note_failure(session: Session, instance: Instance, login: str, *, now: datetime) -> None:
    """Count a failed try for a name, whether an account has it or not."""
    throttle.count_failure(session, throttle.counter_of_name(instance, normal_login(login)), now=now)


def ask_try_link(session: Session, instance: Instance, login: str, *, now: datetime) -> None:
    """Mail the owner a link by which one browser may try again; the same is done for a name that nobody has."""
    counter = throttle.counter_of_name(instance, normal_login(login))
    query = select(User).where(User.login_lookup == lookup_of(instance, login), User.state == ACTIVE)
    user = session.scalars(query).one_or_none()
    own = open_user(instance, user)[0] if user else ""
    throttle.mail_try_link(session, instance, counter, user.id if user else None, own, now=now)


def open_with_code(session: Session, instance: Instance, login: str, typed_code: str, *, now: datetime) -> bytes | None:
    """Who has the printed recovery code may try again too: an account without a mail address gets no mailed link."""
    if start_recovery(session, instance, login, typed_code, now=now) is None:
        return None
    return throttle.counter_of_name(instance, normal_login(login)).key


def login_of(session: Session, instance: Instance, user_id: bytes) -> str:
    """The login of an account, for counting its failed tries."""
    return open_user(instance, session.get_one(User, user_id))[0]


def take_turn(session: Session, arrival: Arrival, *, now: datetime) -> Turn:
    """Count the try that is about to be made; `right` gives it back."""
    return throttle.take_turn(session, arrival.counter, now=now)


def right(session: Session, turn: Turn, *, now: datetime) -> None:
    """The password was right: the try is not counted."""
    throttle.give_back(session, turn, now=now)
