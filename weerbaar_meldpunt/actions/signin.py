"""Signing in: one Argon2id for every try, known name or not; then a second factor whose step counts once."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Final

import pyotp
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.people import Bundle, Role, Root, Throttle, User
from weerbaar_meldpunt.vault import password as passwords
from weerbaar_meldpunt.vault.derive import equal
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import Binding, open_key

from .errors import TooManyTries
from .instance import Instance
from .ledger import Ledger
from .passwordkeys import stretch
from .people import ACTIVE, STAFF_ROLES, lookup_of, normal_login, open_bundle, open_user, seal_bundle
from .sessions import Presession, SessionContent, start_content
from .teamkeys import with_adopted_pins

FREE_FAILURES: Final = 5
LONGEST_DELAY: Final = 900
MAX_FACTOR_TRIES: Final = 5
STEP_SECONDS: Final = 30
_NOBODY = bytes(16)


def _throttled(session: Session, key: bytes, *, now: datetime) -> None:
    row = session.scalars(select(Throttle).where(Throttle.key == key)).one_or_none()
    if row and row.closed_until > now:
        raise TooManyTries(math.ceil((row.closed_until - now).total_seconds()))


def note_failure(session: Session, instance: Instance, login: str, *, now: datetime) -> None:
    """Count a failed try, for a name that exists as for one that does not; the page commits it."""
    key = instance.server.throttle("login", normal_login(login))
    row = session.scalars(select(Throttle).where(Throttle.key == key).with_for_update()).one_or_none()
    failures = (row.failures if row else 0) + 1
    delay = min(2 ** (failures - FREE_FAILURES), LONGEST_DELAY) if failures > FREE_FAILURES else 0
    session.merge(Throttle(key=key, failures=failures, closed_until=now + timedelta(seconds=delay)))
    session.flush()


def start_signin(
    session: Session, instance: Instance, login: str, password: str, *, now: datetime
) -> Presession | None:
    """Check a password. Nothing for every failure alike; raises `TooManyTries` and `Busy`."""
    _throttled(session, instance.server.throttle("login", normal_login(login)), now=now)
    row = session.execute(
        select(User, Root)
        .join(Root, Root.user_id == User.id)
        .where(User.login_lookup == lookup_of(instance, login), User.state == ACTIVE, Root.way == "pw")
    ).one_or_none()
    user_id, salt = (row[0].id, row[1].salt) if row else (_NOBODY, bytes(passwords.SALT_BYTES))
    key = stretch(instance, password[: 4 * 128], salt=salt, user_id=user_id)
    if row is None:
        return None
    try:
        root = open_key(key, row[1].sealed, Binding("root_pw", user_id, None, row[1].revision))
    except Onleesbaar:
        return None
    return Presession(user_id, root, now)


def _step_of(secret: str, code: str, *, now: datetime) -> int | None:
    """The time step a TOTP code belongs to, one step of drift allowed (RFC 6238)."""
    digits = "".join(c for c in code if c.isdigit())
    current = int(now.timestamp()) // STEP_SECONDS
    for step in (current - 1, current, current + 1):
        if equal(pyotp.TOTP(secret).at(step * STEP_SECONDS).encode(), digits.encode()):
            return step
    return None


def finish_signin(
    session: Session, instance: Instance, presession: Presession, code: str, *, now: datetime
) -> SessionContent | None:
    """Check the second factor; a step is used once, also by two at the same time. Nothing when it is wrong or used.

    Tries count for the account too, so that many who are half-way in guess no more than one; raises `TooManyTries`.
    """
    if presession.tries >= MAX_FACTOR_TRIES:
        return None
    row = session.execute(
        select(User, Bundle)
        .join(Bundle, Bundle.user_id == User.id)
        .where(User.id == presession.user_id, User.state == ACTIVE)
    ).one_or_none()
    if row is None:
        return None
    login, _name = open_user(instance, row[0])
    _throttled(session, instance.server.throttle("login", normal_login(login)), now=now)
    sealed: Bundle = row[1]
    bundle = open_bundle(presession.root, sealed)
    step = _step_of(bundle["totp"], code, now=now)
    if step is None or step <= bundle["step"]:
        return None
    seen = sealed.revision
    changed = with_adopted_pins(session, instance, presession.user_id, bundle | {"step": step})
    written = session.execute(
        update(Bundle)
        .where(Bundle.user_id == presession.user_id, Bundle.revision == seen)
        .values(revision=seen + 1, sealed=seal_bundle(presession.root, presession.user_id, seen + 1, changed))
        .execution_options(synchronize_session=False)
    )
    if written.rowcount != 1:  # type: ignore[attr-defined]
        return None
    roles = set(session.scalars(select(Role.role).where(Role.user_id == presession.user_id)))
    staff = bool(roles & STAFF_ROLES)
    if staff:
        Ledger(session, instance, now=now).close(presession.user_id, "ingelogd", presession.user_id)
    return start_content("person" if staff else "melder", now=now, user_id=presession.user_id, root=presession.root)


def is_current(secret: str, code: str, *, now: datetime) -> bool:
    """Whether a code is one of this secret's, for who sets up an app; what signs in is `finish_signin`."""
    try:
        return _step_of(secret, code, now=now) is not None
    except (ValueError, TypeError):  # not a secret
        return False


def login_of(session: Session, instance: Instance, user_id: bytes) -> str:
    """The login of an account, for counting its failed tries."""
    return open_user(instance, session.get_one(User, user_id))[0]


def clear_failures(session: Session, instance: Instance, login: str) -> None:
    """Forget failed tries after a complete sign-in."""
    key = instance.server.throttle("login", normal_login(login))
    row = session.get(Throttle, key)
    if row:
        session.delete(row)
        session.flush()
