"""Founding a desk at the console, and what else only the console does: who may, what is pinned, what goes on paper."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.people import Role, User
from weerbaar_meldpunt.vault.wrap import PublicKey, shown_fingerprint

from . import custodian_links, custodians, people, signin, throttle
from .epochs import note_pins
from .errors import Busy, NotAllowed, TooManyTries
from .instance import Instance, create_instance
from .ledger import PROGRAM, Ledger
from .passwordkeys import place
from .person import is_reporters_login

PINNED: Final = "aan_console_vastgelegd"
_CONSOLE: Final = b"console"


class Refusal(Exception):
    """Why somebody at the console is not let on, in one line."""


@dataclass(frozen=True)
class Founded:
    """What is printed once when a desk is founded."""

    administrator_link: str = field(repr=False)
    custodian_links: tuple[tuple[str, str], ...] = field(repr=False)
    backup_words: str = field(repr=False)
    backup_fingerprint: str


def found_instance(
    folder: Path, *, login: str, name: str, base_url: str, custodians: Sequence[tuple[str, str]], now: datetime
) -> Founded:
    """A new real instance with its links: three custodians, one administrator; and the key that backups are sealed to.

    `NotAllowed` for a login or a name that cannot be, before anything is made.
    """
    for who, mail in custodians:
        custodian_links.check_contact(who, mail)
    if is_reporters_login(login) or "@" not in login:
        raise NotAllowed("login_bestaat")
    instance = create_instance(folder, now=now, config=f"base_url = {json.dumps(base_url)}\n")
    try:
        return _founded(instance, login=login, name=name, named=custodians, now=now)
    finally:
        instance.engine.dispose()


def _founded(
    instance: Instance, *, login: str, name: str, named: Sequence[tuple[str, str]], now: datetime
) -> Founded:  # fmt: skip
    links = []
    for who, mail in named:
        with instance.sessions.begin() as session:
            token = custodian_links.invite_custodian(session, instance, name=who, mail=mail, now=now)
        links.append((who, f"{instance.settings.base_url}/bewaarder/{token}"))
    with instance.sessions.begin() as session:
        administrator = invite_administrator(session, instance, login=login, name=name, now=now)
        key, seed = custodians.make_backup(session, instance, now=now)
    instance.add_pin(key)
    return Founded(administrator, tuple(links), sheet_words(seed), shown_fingerprint(key.fingerprint))


def active_administrators(session: Session) -> int:
    """How many active accounts administer."""
    query = select(User.id).join(Role, Role.user_id == User.id).where(User.state == people.ACTIVE)
    return len(set(session.scalars(query.where(Role.role == "beheerder"))))


def invite_administrator(session: Session, instance: Instance, *, login: str, name: str, now: datetime) -> str:
    """The link for a first administrator, or for another when nobody administers any more; refused while one does."""
    if active_administrators(session):
        raise NotAllowed("beheerder_actief")
    roles = frozenset({("beheerder", "")})
    token = people.invite(session, instance, login=login, name=name, roles=roles, by=PROGRAM, now=now)
    return f"{instance.settings.base_url}/uitnodiging/{token}"


def sign_in_at_console(instance: Instance, login: str, password: str, code: str, *, role: str, now: datetime) -> bytes:
    """Who acts, with password and second factor as on the page; `Refusal` for everybody else."""
    found = person_at_console(instance, login, password, code, now=now)
    if found is None or not found.has(role):
        raise Refusal(f"this is not an active {role} with the right password and code; a code is good once")
    return found.user_id


def person_at_console(
    instance: Instance, login: str, password: str, code: str, *, now: datetime
) -> people.Person | None:
    """Somebody with password and second factor, and the keys they hold; nothing when one of these is wrong.

    Counted apart: who tries at the web page from outside cannot keep anybody from the console.
    """
    own = throttle.counter_of_name(instance, people.normal_login(login)).key
    found = None
    try:
        with instance.readings() as session:
            arrival = signin.arrive(session, instance, login, now=now, opens=own, link=_CONSOLE)
        with place():
            with instance.sessions.begin() as session:
                turn = signin.take_turn(session, arrival, now=now)
            half = signin.check_password(instance, arrival, password, now=now)
        if half is not None:
            with instance.sessions.begin() as session:
                signin.right(session, turn, now=now)
                done = signin.finish_signin(session, instance, half, code, now=now)
                if done is None:
                    signin.wrong_factor(session, instance, half, now=now)
                else:
                    found = people.unlock(session, instance, done)
    except TooManyTries:
        raise Refusal("too many wrong tries at this console: try again later") from None
    except Busy:
        raise Refusal("too many people sign in just now: try again") from None
    return found


def note_pinned(
    session: Session, instance: Instance, keys: Iterable[PublicKey], *, by: bytes, now: datetime
) -> None:  # fmt: skip
    """Say in the trail which keys were pinned and by whom, and do what follows from a new key of a team."""
    for key in keys:
        Ledger(session, instance, now=now).close(by, PINNED, key.key_id)
    note_pins(session, instance, now=now)


def digest_words(instance: Instance) -> str:
    """The digest over the whole pin file, as people read it to each other."""
    return shown_fingerprint(instance.pins().digest)


def sheet_words(secret: bytes) -> str:
    """A secret for a sheet of paper: hexadecimal digits in groups of four, eight groups a line."""
    digits = secret.hex()
    groups = [digits[i : i + 4] for i in range(0, len(digits), 4)]
    return "\n".join(" ".join(groups[i : i + 8]) for i in range(0, len(groups), 8))
