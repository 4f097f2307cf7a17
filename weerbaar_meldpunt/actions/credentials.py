"""Changing what one signs in with: the password alone, or everything that hangs from it.

A new password seals the same ROOT: nothing else changes, and other sessions end. When somebody may know the old one,
and when a printed recovery code was used, everything is new: ROOT, key pair and code. A member then waits for a
colleague to give the keys of the teams again; a reporter's reports follow one by one, as they are opened. What a
printed code belongs to counts only once it was typed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyotp
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.doors import Device
from weerbaar_meldpunt.store.people import Bundle, Root, TeamGrant, User
from weerbaar_meldpunt.vault import password as passwords
from weerbaar_meldpunt.vault.codes import WrongCode, code_from, read_code, shown_code
from weerbaar_meldpunt.vault.derive import equal, new_key, random_bytes
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import user_key_pair
from weerbaar_meldpunt.vault.seal import Binding, SealKey, open_key, seal_key
from weerbaar_meldpunt.vault.wrap import Grant, KeyPair, unwrap, wrap

from . import factors, passwordkeys
from .account_files import rotate_files
from .alarms import raise_alarm
from .bundles import open_bundle, seal_bundle
from .departures import note_departure
from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .passkeys import rewrite
from .passwordkeys import Prepared
from .person import ACTIVE, Person, group_of, open_user
from .sessions import end_all_sessions
from .tombstones import bury

WAYS = ("pw", "rc")


@dataclass(frozen=True)
class OwnPassword:
    """The row that somebody's password opens, as it stood when the page was made."""

    user_id: bytes
    salt: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    revision: int


def own_password(session: Session, user_id: bytes) -> OwnPassword:
    """The row to check a typed password against, outside any transaction."""
    row = session.scalars(select(Root).where(Root.user_id == user_id, Root.way == "pw")).one()
    return OwnPassword(user_id, row.salt, row.sealed, row.revision)


def is_own_password(instance: Instance, held: OwnPassword, password: str) -> bool:
    """Whether a password is the one that stands. Takes a derivation: hold no transaction. Raises `Busy`."""
    key = passwordkeys.stretch(instance, password, salt=held.salt, user_id=held.user_id, known=True)
    try:
        open_key(key, held.sealed, Binding("root_pw", held.user_id, None, held.revision))
    except Onleesbaar:
        return False
    return True


def prepare_new(instance: Instance, person: Person, password: str) -> Prepared:
    """The key of a new password of somebody who is signed in. Raises `NotAllowed` and `Busy`."""
    return passwordkeys.prepare(
        instance, password, staff=not person.is_reporter, login=person.login, name=person.name,
        user_id=person.user_id, known=True,
    )  # fmt: skip


def prepare_forgotten(session: Session, instance: Instance, user_id: bytes) -> tuple[bool, str, str]:
    """What a new password of somebody who came with the recovery code is checked against: staff or not, login, name."""
    login, name = open_user(instance, session.scalars(select(User).where(User.id == user_id)).one())
    return factors.is_staff(factors.roles_of(session, user_id)), login, name


def change_password(
    session: Session, instance: Instance, person: Person, root: bytes, held: OwnPassword, prepared: Prepared, *,
    cookie: bytes, now: datetime,
) -> None:  # fmt: skip
    """Only the way by the password is sealed anew; other sessions end. `cookie` is that of this session."""
    row = _root_row(session, person.user_id, "pw")
    if row.revision != held.revision or prepared.user_id != person.user_id:
        raise NotAllowed("wachtwoord_al_veranderd")
    _seal_root(session, instance, row, root, prepared.key, prepared.salt, now=now)
    end_all_sessions(session, root, but=cookie)
    if not person.is_reporter:
        Ledger(session, instance, now=now).close(person.user_id, "wachtwoord_veranderd", person.user_id)


def _root_row(session: Session, user_id: bytes, way: str) -> Root:
    query = select(Root).where(Root.user_id == user_id, Root.way == way).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _seal_root(
    session: Session, instance: Instance, row: Root, root: bytes, key: SealKey, salt: bytes, *, now: datetime
) -> None:
    bury(session, [row], now=now)
    row.revision += 1
    row.kdf, row.salt, row.pepper_id = passwords.KDF_NUMBER, salt, passwords.pepper_id(instance.pepper)
    row.sealed = seal_key(key, root, Binding(f"root_{row.way}", row.user_id, None, row.revision))
    session.flush()


# --- everything new ------------------------------------------------------------------------------------------------


def begin_renewal(prepared: Prepared) -> dict[str, Any]:
    """A new ROOT and recovery code that wait in the sealed session until the code was typed again."""
    return {
        "what": "root", "root": passwords.new_root().hex(), "code": shown_code(code_from(random_bytes(17))),
        "salt": prepared.salt.hex(), "key": prepared.key.secret.hex(), "staff": prepared.for_staff,
    }  # fmt: skip


def is_shown_code(pending: Mapping[str, Any], typed: str) -> bool:
    """Whether the code that was shown was copied well."""
    try:
        return equal(read_code(typed), read_code(pending["code"]))
    except WrongCode:
        return False


def confirm_renewal(
    session: Session, instance: Instance, user_id: bytes, old_root: bytes, pending: Mapping[str, Any], typed: str, *,
    now: datetime,
) -> bytes | None:  # fmt: skip
    """Put the new ROOT, key pair and code in the place of the old ones; answers the new ROOT, nothing for a wrong code.

    All sessions end, own devices are forgotten, and the team's keys that a colleague holds too must be given anew.
    """
    if not is_shown_code(pending, typed):
        return None
    user = session.scalars(select(User).where(User.id == user_id, User.state == ACTIVE).with_for_update()).one_or_none()
    if user is None:
        raise NotAllowed("geen_uitnodiging")
    sealed = session.scalars(select(Bundle).where(Bundle.user_id == user_id).with_for_update()).one()
    try:
        bundle = open_bundle(old_root, sealed)
    except Onleesbaar:  # renewed by another session a moment ago
        raise NotAllowed("wachtwoord_al_veranderd") from None
    staff = factors.is_staff(factors.roles_of(session, user_id))
    if staff and not pending["staff"]:
        raise NotAllowed("wachtwoord_lengte")
    root, seed, number = bytes.fromhex(pending["root"]), new_key(), user.key_number + 1
    old = user_key_pair(bytes.fromhex(bundle["seed"]), user_id, bundle["number"])
    fresh = user_key_pair(seed, user_id, number)
    keys = {"pw": SealKey(bytes.fromhex(pending["key"])), "rc": passwords.recovery_key(read_code(typed), user_id)}
    salts = {"pw": bytes.fromhex(pending["salt"]), "rc": bytes(16)}
    for way in WAYS:
        _seal_root(session, instance, _root_row(session, user_id, way), root, keys[way], salts[way], now=now)
    changed = bundle | {"seed": seed.hex(), "number": number, "devices": []}
    if not staff:
        changed = rotate_files(changed)
    bury(session, [sealed], now=now)
    sealed.revision += 1
    sealed.sealed = seal_bundle(root, user_id, sealed.revision, changed)
    user.public_key, user.key_number = fresh.public.raw, number
    session.execute(delete(Device).where(Device.user_id == user_id))
    session.flush()
    end_all_sessions(session, old_root)
    if staff:
        ledger = Ledger(session, instance, now=now)
        _hand_in_keys(session, instance, ledger, user_id, old, fresh, now=now)
        ledger.close(user_id, "sleutel_vernieuwd", user_id)
    return root


def _hand_in_keys(
    session: Session, instance: Instance, ledger: Ledger, user_id: bytes, old: KeyPair, fresh: KeyPair, *,
    now: datetime,
) -> None:  # fmt: skip
    """Grants to the old key pair go. Where nobody else holds a key, it goes to the new pair: else it would be lost."""
    for row in session.scalars(select(TeamGrant).where(TeamGrant.member_id == user_id)).all():
        # Whoever may know the old pair could open what the team seals, until it has a next key.
        note_departure(session, row.kind, row.team, user_id, row.epoch, now=now)
        others = (
            select(TeamGrant.member_id)
            .join(User, User.id == TeamGrant.member_id)
            .where(TeamGrant.kind == row.kind, TeamGrant.team == row.team, TeamGrant.epoch == row.epoch)
            .where(TeamGrant.member_id != user_id, User.state == ACTIVE)
        )
        if session.scalar(others.limit(1)) is not None:
            ledger.remove(row)
            continue
        try:
            secret = unwrap(old, row.wrapped, Grant("team_grant", row.team, None, row.epoch, row.grantor))
        except Onleesbaar:  # planted, or damaged: it gave nothing before either
            ledger.remove(row)
            continue
        grant = Grant("team_grant", row.team, None, row.epoch, user_id)
        ledger.change(row, grantor=user_id, wrapped=wrap(fresh.public, secret, grant))
        raise_alarm(session, instance, "enige_met_sleutel", group_of(row.kind, row.team), now=now)


# --- second factors ------------------------------------------------------------------------------------------------


def begin_new_app() -> dict[str, Any]:
    """A new secret for an app, that waits in the sealed session for its first code."""
    return {"what": "app", "secret": pyotp.random_base32()}


def app_uri(person: Person, pending: Mapping[str, Any]) -> str:
    """What the app scans."""
    uri: str = pyotp.TOTP(pending["secret"]).provisioning_uri(name=person.login, issuer_name="Weerbaar meldpunt")
    return uri


def confirm_new_app(
    session: Session, instance: Instance, person: Person, root: bytes, pending: Mapping[str, Any], code: str, *,
    now: datetime,
) -> bool:  # fmt: skip
    """The app gave a code of the new secret: from now on only that one counts, and this code is used."""
    step = factors.step_of(pending["secret"], code, now=now)
    if step is None:
        return False
    _change_factors(
        session, instance, person, root, {"totp": pending["secret"], "step": step}, "app_vervangen", now=now
    )
    return True


def make_factor_codes(session: Session, instance: Instance, person: Person, root: bytes, *, now: datetime) -> list[str]:
    """Ten new printed codes, shown once; earlier ones count no more."""
    codes = factors.new_codes()
    kept = {"factor_codes": factors.kept_codes(codes)}
    _change_factors(session, instance, person, root, kept, "codes_gemaakt", now=now)
    return codes


def _change_factors(
    session: Session, instance: Instance, person: Person, root: bytes, changed: Mapping[str, Any], action: str, *,
    now: datetime,
) -> None:  # fmt: skip
    row = session.scalars(select(Bundle).where(Bundle.user_id == person.user_id).with_for_update()).one()
    rewrite(session, root, row, open_bundle(root, row) | dict(changed), now=now)
    if not person.is_reporter:
        Ledger(session, instance, now=now).close(person.user_id, action, person.user_id)
