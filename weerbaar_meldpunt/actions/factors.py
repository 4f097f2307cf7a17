"""The second factor: a code of an app whose step counts once, a passkey, or a printed code that goes when used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyotp
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.people import Bundle, Role, User
from weerbaar_meldpunt.vault.codes import ALPHABET
from weerbaar_meldpunt.vault.derive import equal, random_bytes, sha256
from weerbaar_meldpunt.vault.errors import Onleesbaar

from . import passkeys
from .account_files import note_highest
from .bundles import open_bundle, seal_bundle
from .instance import Instance
from .person import ACTIVE, STAFF_ROLES, Person
from .teamkeys import with_adopted_pins

STEP_SECONDS: Final = 30
CODES: Final = 10
CODE_BYTES: Final = 10  # 80 bits
_CODE_LETTERS: Final = 16
_GROUP: Final = 4
_READ_AS: Final = str.maketrans("OIL", "011")


@dataclass(frozen=True)
class Given:
    """What somebody gives as a second factor: typed digits or a printed code, or what a passkey signed."""

    code: str = ""
    credential: str = ""
    challenge: bytes | None = None
    seen: str = ""  # the origin of the request


@dataclass(frozen=True)
class Owner:
    """Whose second factor was right, and what their bundle holds now."""

    user_id: bytes
    roles: frozenset[tuple[str, str]]
    bundle: Mapping[str, Any]

    @property
    def is_staff(self) -> bool:
        """Whether it is an account of staff."""
        return is_staff(self.roles)


def roles_of(session: Session, user_id: bytes) -> frozenset[tuple[str, str]]:
    """The roles an account holds, with the team where they have one."""
    rows = session.execute(select(Role.role, Role.team).where(Role.user_id == user_id)).all()
    return frozenset((role, team) for role, team in rows)


def is_staff(roles: frozenset[tuple[str, str]]) -> bool:
    """Whether these are roles of staff, not of a reporter."""
    return any(role in STAFF_ROLES for role, _ in roles)


def step_of(secret: str, code: str, *, now: datetime) -> int | None:
    """The time step a TOTP code belongs to, one step of drift allowed (RFC 6238)."""
    digits = "".join(c for c in code if c.isdigit())
    current = int(now.timestamp()) // STEP_SECONDS
    for step in (current - 1, current, current + 1):
        if equal(pyotp.TOTP(secret).at(step * STEP_SECONDS).encode(), digits.encode()):
            return step
    return None


def is_current(secret: str, code: str, *, now: datetime) -> bool:
    """Whether a code is one of this secret's, for who sets up an app; what signs in is `accept`."""
    try:
        return step_of(secret, code, now=now) is not None
    except (ValueError, TypeError):  # not a secret
        return False


def accept(
    session: Session, instance: Instance, user_id: bytes, root: bytes, given: Given, *, now: datetime,
    adopt_pins: bool = False,
) -> Owner | None:  # fmt: skip
    """Check a second factor and use it up, also when two give it at the same time. Nothing when it is wrong or used.

    A role that works with a passkey only is let in by one, or by a printed code; an app's code does until there is one.
    """
    found = session.execute(
        select(User, Bundle).join(Bundle, Bundle.user_id == User.id).where(User.id == user_id, User.state == ACTIVE)
    ).one_or_none()
    if found is None:
        return None
    sealed: Bundle = found[1]
    try:
        bundle = open_bundle(root, sealed)
    except Onleesbaar:  # ROOT was replaced meanwhile
        return None
    roles = roles_of(session, user_id)
    staff, stopped = is_staff(roles), False
    if given.credential and given.challenge:
        signed = passkeys.signed(
            session, instance, user_id, bundle, given.credential, given.challenge, seen=given.seen, staff=staff, now=now
        )
        if signed is None:
            return None
        changed, stopped = bundle | {"passkeys": signed.passkeys}, signed.stopped
    else:
        only = passkeys.requires(roles, instance.settings) and passkeys.has_passkey(bundle)
        used = _used(bundle, given.code, app=not only, now=now)
        if used is None:
            return None
        changed = used
    if adopt_pins:
        changed = with_adopted_pins(session, instance, user_id, changed, now=now)
        if not staff:
            changed = note_highest(session, instance, changed)
    seen = sealed.revision
    written = session.execute(
        update(Bundle)
        .where(Bundle.user_id == user_id, Bundle.revision == seen)
        .values(revision=seen + 1, sealed=seal_bundle(root, user_id, seen + 1, changed))
        .execution_options(synchronize_session=False)
    )
    session.expire(sealed)
    if written.rowcount != 1 or stopped:  # type: ignore[attr-defined]
        return None
    return Owner(user_id, roles, changed)


def _used(bundle: Mapping[str, Any], code: str, *, app: bool, now: datetime) -> dict[str, Any] | None:
    """The bundle after this code was used; nothing when it is none that may be."""
    step = step_of(bundle["totp"], code, now=now) if app else None
    if step is not None and step > bundle["step"]:
        return {**bundle, "step": step}
    digest = _digest(code)
    left = [one for one in bundle["factor_codes"] if one != digest]
    if digest is None or len(left) == len(bundle["factor_codes"]):
        return None
    return {**bundle, "factor_codes": left}


# --- printed codes -------------------------------------------------------------------------------------------------


def new_codes() -> list[str]:
    """Ten codes of 80 random bits, as they are printed."""
    return [_shown(random_bytes(CODE_BYTES)) for _ in range(CODES)]


def _shown(source: bytes) -> str:
    bits = int.from_bytes(source)
    text = "".join(ALPHABET[bits >> 5 * (_CODE_LETTERS - 1 - i) & 31] for i in range(_CODE_LETTERS))
    return "-".join(text[i : i + _GROUP] for i in range(0, _CODE_LETTERS, _GROUP))


def _digest(typed: str) -> str | None:
    """What the bundle keeps of a code; read without regard to case, spaces and dashes."""
    text = "".join(c for c in typed.upper() if c.isalnum()).translate(_READ_AS)
    if len(text) != _CODE_LETTERS or any(c not in ALPHABET for c in text):
        return None
    return sha256(text.encode("ascii")).hex()


def kept_codes(codes: list[str]) -> list[str]:
    """What the bundle keeps of codes that are shown once."""
    return [digest for code in codes if (digest := _digest(code)) is not None]


def codes_left(person: Person) -> int:
    """How many printed codes an account still has."""
    return len(person.bundle.get("factor_codes", ()))
