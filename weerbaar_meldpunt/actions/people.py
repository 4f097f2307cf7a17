"""People: their sealed bundle, what they hold when signed in, how they are invited and admitted to a team's key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

import pyotp
from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.vocabulary import ACCOUNT_ROLES, TEAMS
from weerbaar_meldpunt.store.people import Bundle, Invitation, Role, Root, TeamGrant, User
from weerbaar_meldpunt.vault import password as passwords
from weerbaar_meldpunt.vault.codes import code_from, read_code, shown_code
from weerbaar_meldpunt.vault.derive import new_id, new_key, random_bytes, sha256
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys, user_key_pair
from weerbaar_meldpunt.vault.seal import Binding, SealKey, open_json, open_key, seal_json, seal_key
from weerbaar_meldpunt.vault.wrap import Grant, KeyPair, PublicKey, unwrap

from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .passwordkeys import Prepared, prepare
from .sessions import SessionContent

INVITED, ACTIVE, DISABLED = "uitgenodigd", "actief", "uitgeschakeld"
TEAM_ROLES: Final = frozenset({"behandelaar", "coordinator"})
KEY_ROLES: Final = TEAM_ROLES | {"statistiekredacteur"}
STAFF_ROLES: Final = KEY_ROLES | {"beheerder", "auditor"}
INVITATION: Final = timedelta(hours=24)
STATS = "statistiek"
MAX_LOGIN: Final = 64
# A reporter's login ends in a number that the server draws, and a staff login never does. So nobody learns from
# registering or inviting whether a name is in use, nobody takes another's name, and one look-up finds either kind.
_REPORTERS_LOGIN: Final = re.compile(r".*-[0-9]{6}", re.DOTALL)


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in, with what their ROOT opens in this request."""

    user_id: bytes
    name: str
    login: str
    roles: frozenset[tuple[str, str]]
    bundle: Mapping[str, Any] = field(repr=False)
    grants: tuple[TeamGrant, ...] = field(default=(), repr=False)

    def has(self, role: str, team: str | None = None) -> bool:
        """Whether the person holds a role, for this team or for any."""
        return any(held == role and team in (None, of) for held, of in self.roles)

    def member_of(self, team: str) -> bool:
        """Whether the person works in this team."""
        return any(held in TEAM_ROLES and of == team for held, of in self.roles)

    def coordinates(self, team: str) -> bool:
        """Whether the person coordinates this team."""
        return ("coordinator", team) in self.roles

    @property
    def is_reporter(self) -> bool:
        """Whether this is the account of a melder or gemachtigde, not of staff."""
        return not any(held in STAFF_ROLES for held, _ in self.roles)

    @cached_property
    def pair(self) -> KeyPair:
        """The person's own key pair."""
        return user_key_pair(bytes.fromhex(self.bundle["seed"]), self.user_id, self.bundle["number"])

    @cached_property
    def _rings(self) -> dict[tuple[str, str], tuple[TeamKeys, ...]]:
        rings: dict[tuple[str, str], tuple[TeamKeys, ...]] = {}
        for row in sorted(self.grants, key=lambda grant: grant.epoch):
            pinned = self.bundle["pins"].get(f"{row.kind}/{row.team}/{row.epoch}")
            if pinned is None:  # granted since the last sign-in; pins are taken over there
                continue
            grant = Grant("team_grant", row.team, None, row.epoch, row.grantor)
            keys = TeamKeys(row.team, row.epoch, unwrap(self.pair, row.wrapped, grant), row.kind)
            # A grant is believed only when it gives the key this person pinned at admission.
            if pinned != keys.pair.public.fingerprint.hex():
                raise Onleesbaar("team_grant")
            rings[row.kind, row.team] = (*rings.get((row.kind, row.team), ()), keys)
        return rings

    @property
    def teams(self) -> Mapping[str, tuple[TeamKeys, ...]]:
        """The keys of the teams this person works in, all epochs, newest last."""
        return {team: keys for (kind, team), keys in self._rings.items() if kind == "team" and self.member_of(team)}

    @property
    def statistics(self) -> tuple[TeamKeys, ...]:
        """The keys of the statistics, for a statistiekredacteur."""
        return self._rings.get(("stats", ""), ()) if self.has("statistiekredacteur") else ()


@dataclass(frozen=True)
class Enrolment:
    """What somebody who sets up an account gets to see until it works."""

    user_id: bytes
    login: str
    totp_secret: str
    otpauth_uri: str
    recovery_code: str


@dataclass(frozen=True)
class StaffRow:
    """One staff account, as the beheerder and coordinators see it."""

    user_id: bytes
    login: str
    name: str
    state: str
    roles: frozenset[tuple[str, str]]
    fingerprint: bytes | None
    keys: frozenset[str]  # the teams (or `statistiek`) whose secret was granted


def normal_login(login: str) -> str:
    """A login as it is compared: without case and outer spaces."""
    return login.strip().casefold()


def lookup_of(instance: Instance, login: str) -> bytes:
    """By what an account is found: staff in one space, reporters in another, told apart by the form of the login."""
    plain = normal_login(login)
    return instance.server.lookup("melder" if _REPORTERS_LOGIN.fullmatch(plain) else "login", plain)


def seal_user(instance: Instance, user_id: bytes, revision: int, login: str, name: str) -> bytes:
    """A user's login and name under the server's key."""
    return seal_json(instance.server.seal, {"login": login, "name": name}, Binding("user", user_id, None, revision))


def open_user(instance: Instance, row: User) -> tuple[str, str]:
    """A user's login and name."""
    document = open_json(instance.server.seal, row.sealed, Binding("user", row.id, None, row.revision))
    return document["login"], document["name"]


def seal_bundle(root: bytes, user_id: bytes, revision: int, document: Mapping[str, Any]) -> bytes:
    """A user's bundle under ROOT."""
    return seal_json(SealKey(root), dict(document), Binding("bundle", user_id, None, revision))


def open_bundle(root: bytes, row: Bundle) -> dict[str, Any]:
    """A user's bundle; `Onleesbaar` when ROOT is not theirs."""
    document = open_json(SealKey(root), row.sealed, Binding("bundle", row.user_id, None, row.revision))
    return dict(document)


def unlock(session: Session, instance: Instance, content: SessionContent) -> Person | None:
    """The person of a session with their keys, in one statement; nothing when the account is not active any more."""
    if content.user_id is None or content.root is None:
        return None
    kind = and_(TeamGrant.member_id == User.id, TeamGrant.team == Role.team, TeamGrant.kind != "stats")
    stats = and_(TeamGrant.member_id == User.id, TeamGrant.kind == "stats", Role.role == "statistiekredacteur")
    rows: Sequence[Any] = session.execute(
        select(User, Bundle, Role, TeamGrant)
        .join(Bundle, Bundle.user_id == User.id)
        .outerjoin(Role, Role.user_id == User.id)
        .outerjoin(TeamGrant, kind | stats)
        .where(User.id == content.user_id, User.state == ACTIVE)
    ).all()
    if not rows:
        return None
    user, bundle = rows[0][0], rows[0][1]
    login, name = open_user(instance, user)
    grants = {(g.kind, g.team, g.epoch): g for *_, g in rows if g is not None}
    return Person(
        user_id=user.id,
        name=name,
        login=login,
        roles=frozenset((role.role, role.team) for _, _, role, _ in rows if role is not None),
        bundle=open_bundle(content.root, bundle),
        grants=tuple(grants.values()),
    )


def _refuse_combination(roles: frozenset[tuple[str, str]]) -> None:
    names = {role for role, _ in roles}
    if names - set(ACCOUNT_ROLES) or any((team in TEAMS) != (role in TEAM_ROLES) for role, team in roles):
        raise NotAllowed("onbekende_rol")
    # Who administers holds no key, so that no single person can both open a case and let others in.
    if "beheerder" in names and names & KEY_ROLES:
        raise NotAllowed("beheerder_houdt_geen_sleutel")


def invite(
    session: Session, instance: Instance, *, login: str, name: str, roles: frozenset[tuple[str, str]],
    by: bytes, now: datetime,
) -> str:  # fmt: skip
    """A staff account that waits for its owner; answers the token of the link, good once and for 24 hours.

    Somebody who never finished is invited anew: earlier links end and the roles of now count.
    """
    _refuse_combination(roles)
    if _REPORTERS_LOGIN.fullmatch(normal_login(login)):  # whether a reporter has it or not
        raise NotAllowed("login_bestaat")
    lookup = lookup_of(instance, login)
    user = session.scalars(select(User).where(User.login_lookup == lookup)).one_or_none()
    if user is None:
        user = User(id=new_id(), login_lookup=lookup, state=INVITED, revision=0, key_number=0)
        session.add(user)
    elif user.state != INVITED:
        raise NotAllowed("login_bestaat")
    user.revision, user.public_key = user.revision + 1, None
    user.sealed = seal_user(instance, user.id, user.revision, login.strip(), name.strip())
    session.flush()
    for model in (Role, Invitation, Root, Bundle):
        session.execute(delete(model).where(model.user_id == user.id))
    for role, team in roles:
        session.add(Role(user_id=user.id, role=role, team=team))
    token = random_bytes(32)
    session.add(Invitation(token_hash=sha256(token), user_id=user.id, expires_at=now + INVITATION))
    session.flush()
    Ledger(session, instance, now=now).close(by, "uitgenodigd", user.id)
    return token.hex()


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
    return prepare(instance, password, staff=True, login=login, name=name, user_id=user.id)


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
        "seed": seed.hex(), "number": number, "totp": secret, "step": 0, "factor_codes": [], "pins": {},
        "files": new_key().hex(), "highest": 0,
    }  # fmt: skip
    ways = (("pw", password.key, password.salt), ("rc", passwords.recovery_key(code, user.id), bytes(16)))
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
        for invitation in session.scalars(select(Invitation).where(Invitation.user_id == user_id)):
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
    for model in (Root, Bundle, Role, Invitation):
        session.execute(delete(model).where(model.user_id.in_(gone)))
    session.execute(delete(User).where(User.id.in_(gone)))


def staff(session: Session, instance: Instance) -> list[StaffRow]:
    """All staff accounts; never a reporter's."""
    rows: Sequence[Any] = session.execute(
        select(User, Role, TeamGrant)
        .join(Role, Role.user_id == User.id)
        .outerjoin(TeamGrant, TeamGrant.member_id == User.id)
        .where(User.id.in_(select(Role.user_id).where(Role.role.in_(STAFF_ROLES))))
    ).all()
    found: dict[bytes, StaffRow] = {}
    for user, role, grant in rows:
        login, name = open_user(instance, user)
        known = found.get(user.id)
        fingerprint = None
        if user.public_key:
            fingerprint = PublicKey("user", user.id, user.key_number, user.public_key).fingerprint
        keys = {STATS if grant.kind == "stats" else grant.team} if grant else set()
        found[user.id] = StaffRow(
            user.id, login, name, user.state,
            (known.roles if known else frozenset()) | {(role.role, role.team)},
            fingerprint,
            (known.keys if known else frozenset()) | keys,
        )  # fmt: skip
    return sorted(found.values(), key=lambda row: row.name.casefold())
