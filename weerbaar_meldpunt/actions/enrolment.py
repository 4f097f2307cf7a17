"""Coming in: invited staff and reporters who register set up password, second factor and printed recovery code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pyotp
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.vocabulary import ACCOUNT_ROLES, TEAMS
from weerbaar_meldpunt.store.doors import Device, Passkey
from weerbaar_meldpunt.store.people import Bundle, Invitation, Role, Root, User
from weerbaar_meldpunt.vault import password as passwords
from weerbaar_meldpunt.vault.codes import code_from, read_code, shown_code
from weerbaar_meldpunt.vault.derive import new_id, new_key, random_bytes, sha256
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import user_key_pair
from weerbaar_meldpunt.vault.seal import Binding, open_key, seal_key

from .bundles import open_bundle, seal_bundle
from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .passwordkeys import Prepared, prepare
from .person import (
    ACTIVE,
    DISABLED,
    INVITED,
    KEY_ROLES,
    STAFF_ROLES,
    TEAM_ROLES,
    is_reporters_login,
    lookup_of,
    open_user,
    seal_user,
)
from .tombstones import bury

INVITATION: Final = timedelta(hours=24)
MAX_LOGIN: Final = 64


@dataclass(frozen=True)
class Enrolment:
    """What somebody who sets up an account gets to see until it works."""

    user_id: bytes
    login: str
    totp_secret: str
    otpauth_uri: str
    recovery_code: str


def refuse_combination(roles: frozenset[tuple[str, str]]) -> None:
    """`NotAllowed` for roles that do not exist, or that one person may not hold together."""
    names = {role for role, _ in roles}
    if names - set(ACCOUNT_ROLES) or any((team in TEAMS) != (role in TEAM_ROLES) for role, team in roles):
        raise NotAllowed("onbekende_rol")
    # Who administers holds no key, so that no single person can both open a case and let others in.
    if "beheerder" in names and names & KEY_ROLES:
        raise NotAllowed("beheerder_houdt_geen_sleutel")
    # And who watches over openings is nobody who opens.
    if "auditor" in names and names & KEY_ROLES:
        raise NotAllowed("auditor_houdt_geen_sleutel")


def invite(
    session: Session, instance: Instance, *, login: str, name: str, roles: frozenset[tuple[str, str]],
    by: bytes, now: datetime,
) -> str:  # fmt: skip
    """A staff account that waits for its owner; answers the token of the link, good once and for 24 hours.

    Somebody who never finished, or who was switched off, is invited anew: earlier links end, the roles of now count,
    and they get a new key pair, which a colleague compares as if they were new.
    """
    refuse_combination(roles)
    if is_reporters_login(login):  # whether a reporter has it or not
        raise NotAllowed("login_bestaat")
    lookup = lookup_of(instance, login)
    user = session.scalars(select(User).where(User.login_lookup == lookup)).one_or_none()
    if user is None:
        user = User(id=new_id(), login_lookup=lookup, state=INVITED, revision=0, key_number=0)
        session.add(user)
    elif user.state not in (INVITED, DISABLED):
        raise NotAllowed("login_bestaat")
    user.revision, user.public_key, user.state = user.revision + 1, None, INVITED
    user.sealed = seal_user(instance, user.id, user.revision, login.strip(), name.strip())
    session.flush()
    forget_ways_in(session, user.id, now=now)
    session.execute(delete(Role).where(Role.user_id == user.id))
    for role, team in roles:
        session.add(Role(user_id=user.id, role=role, team=team))
    token = random_bytes(32)
    session.add(Invitation(token_hash=sha256(token), user_id=user.id, expires_at=now + INVITATION))
    session.flush()
    Ledger(session, instance, now=now).close(by, "uitgenodigd", user.id)
    return token.hex()


def forget_ways_in(session: Session, user_id: bytes, *, now: datetime) -> None:
    """Delete invitation, ROOT and bundle of an account; what gave access is buried: no backup brings it back."""
    for access in (Invitation, Root, Passkey):
        bury(session, session.scalars(select(access).where(access.user_id == user_id)).all(), now=now)
    for model in (Invitation, Root, Passkey, Device, Bundle):
        session.execute(delete(model).where(model.user_id == user_id))


def open_invitation(session: Session, token: str, *, now: datetime) -> User | None:
    """Whose invitation this is, while it is good: until the account works. A planted one opens no account that does."""
    try:
        digest = sha256(bytes.fromhex(token))
    except ValueError:
        return None
    return session.scalar(
        select(User)
        .join(Invitation, Invitation.user_id == User.id)
        .where(Invitation.token_hash == digest, Invitation.used_at.is_(None), Invitation.expires_at > now)
        .where(User.state == INVITED)
    )


def _is_staff(session: Session, user_id: bytes) -> bool:
    role = select(Role.role).where(Role.user_id == user_id, Role.role.in_(STAFF_ROLES)).limit(1)
    return session.scalar(role) is not None


def prepare_invited(instance: Instance, user: User, password: str) -> Prepared:
    """The key of the password that somebody who was invited chose; before the transaction that calls `enrol`."""
    login, name = open_user(instance, user)
    return prepare(instance, password, staff=True, login=login, name=name, user_id=user.id, known=True)


def enrol(
    session: Session, instance: Instance, user: User, password: str | Prepared, *, now: datetime,
    totp_secret: str | None = None,
) -> Enrolment:  # fmt: skip
    """Give an invited account its ROOT, key pair, second factor and printed recovery code, once more if need be.

    `password` is what `prepare` made of it; a plain one takes its Argon2id here, inside the transaction.
    """
    if user.state != INVITED:
        raise NotAllowed("geen_uitnodiging")
    login, name = open_user(instance, user)
    staff = _is_staff(session, user.id)
    if isinstance(password, str):
        password = prepare(instance, password, staff=staff, login=login, name=name, user_id=user.id)
    if password.user_id != user.id:
        raise ValueError("this password was prepared for another account")
    if staff and not password.for_staff:
        raise NotAllowed("wachtwoord_lengte")
    root, code = passwords.new_root(), code_from(random_bytes(17))
    secret = totp_secret or pyotp.random_base32()
    seed, number = new_key(), user.key_number + 1
    bundle = {
        "seed": seed.hex(), "number": number, "totp": secret, "step": 0, "factor_codes": [], "pins": {}, "made": {},
        "files": new_key().hex(), "highest": 0,
    }  # fmt: skip
    ways = (("pw", password.key, password.salt), ("rc", passwords.recovery_key(code, user.id), bytes(16)))
    bury(session, session.scalars(select(Root).where(Root.user_id == user.id)).all(), now=now)
    for way, key, salt in ways:
        session.merge(
            Root(
                user_id=user.id,
                way=way,
                revision=1,
                kdf=passwords.KDF_NUMBER,
                salt=salt,
                pepper_id=passwords.pepper_id(instance.pepper),
                sealed=seal_key(key, root, Binding(f"root_{way}", user.id, None, 1)),
            )
        )
    session.merge(Bundle(user_id=user.id, revision=1, sealed=seal_bundle(root, user.id, 1, bundle)))
    user.public_key = user_key_pair(seed, user.id, number).public.raw
    user.key_number = number
    session.flush()
    return _enrolment(user.id, login, secret, shown_code(code))


def _enrolment(user_id: bytes, login: str, secret: str, code: str) -> Enrolment:
    # Apps show the name beside the code; a picture that can be scanned holds no very long one.
    uri = pyotp.TOTP(secret).provisioning_uri(name=login[:MAX_LOGIN], issuer_name="Weerbaar meldpunt")
    return Enrolment(user_id, login, secret, uri, code)


def _root_by_code(session: Session, user_id: bytes, typed_code: str) -> bytes | None:
    """ROOT of an account that is being set up; nothing for another account, an unknown one or a wrong code."""
    query = select(Root).join(User, User.id == Root.user_id)
    row = session.scalars(query.where(Root.user_id == user_id, Root.way == "rc", User.state == INVITED)).one_or_none()
    if row is None:
        return None
    try:
        key = passwords.recovery_key(read_code(typed_code), user_id)
        return open_key(key, row.sealed, Binding("root_rc", user_id, None, row.revision))
    except (ValueError, Onleesbaar):
        return None


def shown_enrolment(session: Session, instance: Instance, user_id: bytes, code: str) -> Enrolment | None:
    """What was shown to who set the account up, from its own bundle: `code` is the recovery code that was shown."""
    root = _root_by_code(session, user_id, code)
    if root is None:
        return None
    bundle = open_bundle(root, session.scalars(select(Bundle).where(Bundle.user_id == user_id)).one())
    login, _name = open_user(instance, session.scalars(select(User).where(User.id == user_id)).one())
    return _enrolment(user_id, login, bundle["totp"], code)


def confirm_enrolment(session: Session, instance: Instance, user_id: bytes, typed_code: str, *, now: datetime) -> bool:
    """The printed recovery code was typed again and opens ROOT: only now does the account work, and never twice."""
    if _root_by_code(session, user_id, typed_code) is None:
        return False
    session.scalars(select(User).where(User.id == user_id)).one().state = ACTIVE
    session.flush()
    if _is_staff(session, user_id):  # a reporter's account leaves no leaf: having one is a secret too
        used = session.scalars(select(Invitation).where(Invitation.user_id == user_id)).all()
        bury(session, used, now=now)
        for invitation in used:
            invitation.used_at = now
        session.flush()
        Ledger(session, instance, now=now).close(user_id, "account_actief", user_id)
    else:  # nor does it keep the day on which it was made
        session.execute(delete(Invitation).where(Invitation.user_id == user_id))
    return True


def _free_login(session: Session, instance: Instance, wanted: str) -> str:
    while True:
        login = f"{wanted}-{int.from_bytes(random_bytes(8)) % 1_000_000:06}"
        if session.scalar(select(User.id).where(User.login_lookup == lookup_of(instance, login))) is None:
            return login


def register(
    session: Session, instance: Instance, login: str, password: str | Prepared, *, now: datetime,
    totp_secret: str | None = None,
) -> Enrolment:  # fmt: skip
    """An account for a melder or gemachtigde. The login is the name they chose and a number, for everybody alike."""
    wanted = login.strip()
    if not wanted or len(wanted) > MAX_LOGIN:
        raise NotAllowed("login_lengte")
    if isinstance(password, str):
        password = prepare(instance, password, staff=False, login=wanted)
    login = _free_login(session, instance, wanted)
    user_id = password.user_id
    user = User(
        id=user_id, login_lookup=lookup_of(instance, login), state=INVITED, revision=1, key_number=0,
        sealed=seal_user(instance, user_id, 1, login, ""),
    )  # fmt: skip
    session.add(user)
    session.flush()
    session.add(Role(user_id=user_id, role="melder", team=""))
    # Nobody holds this one: it says until when an account may stay that nobody confirms.
    session.add(Invitation(token_hash=random_bytes(32), user_id=user_id, expires_at=now + INVITATION))
    session.flush()
    return enrol(session, instance, user, password, now=now, totp_secret=totp_secret)


def sweep_unconfirmed(session: Session, *, now: datetime) -> None:
    """Delete reporters' accounts that nobody confirmed within a day; invited staff stay, to be invited anew."""
    waiting = select(Invitation.user_id).where(Invitation.expires_at >= now)
    staff_ids = select(Role.user_id).where(Role.role.in_(STAFF_ROLES))
    query = select(User.id).where(User.state == INVITED, User.id.not_in(staff_ids), User.id.not_in(waiting))
    gone = session.scalars(query).all()
    bury(session, session.scalars(select(Root).where(Root.user_id.in_(gone))).all(), now=now)
    for model in (Root, Bundle, Role, Invitation):
        session.execute(delete(model).where(model.user_id.in_(gone)))
    session.execute(delete(User).where(User.id.in_(gone)))
