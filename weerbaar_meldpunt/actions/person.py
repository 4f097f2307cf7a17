"""A person who is signed in: what their ROOT opens in this request, and which keys of teams they hold and believe."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.audit import Alarm
from weerbaar_meldpunt.store.oversight import Sample
from weerbaar_meldpunt.store.people import Bundle, Role, TeamGrant, User
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys, user_key_pair
from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json
from weerbaar_meldpunt.vault.wrap import Grant, KeyPair, recipient_of, unwrap

from .bundles import open_bundle
from .instance import Instance
from .pinning import compare, pin_name
from .sessions import SessionContent

INVITED, ACTIVE, DISABLED = "uitgenodigd", "actief", "uitgeschakeld"
TEAM_ROLES: Final = frozenset({"behandelaar", "coordinator"})
KEY_ROLES: Final = TEAM_ROLES | {"statistiekredacteur"}
STAFF_ROLES: Final = KEY_ROLES | {"beheerder", "auditor"}
STATS = "statistiek"
# A reporter's login ends in a number that the server draws, and a staff login never does. So nobody learns from
# registering or inviting whether a name is in use, nobody takes another's name, and one look-up finds either kind.
_REPORTERS_LOGIN: Final = re.compile(r".*-[0-9]{6}", re.DOTALL)


def kind_of(group: str) -> tuple[str, str]:
    """The kind of key and its owner of a group of people: a team, or who makes the figures."""
    return ("stats", "") if group == STATS else ("team", group)


def group_of(kind: str, team: str) -> str:
    """The group of people that share a key of this kind and owner."""
    return STATS if kind == "stats" else team


@dataclass(frozen=True)
class _Opened:
    """What a person's grants gave: keys that are believed, grants that are not, and grants that wait for a pin."""

    rings: Mapping[tuple[str, str], tuple[TeamKeys, ...]]
    refused: tuple[str, ...]
    waiting: tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in, with what their ROOT opens in this request."""

    user_id: bytes
    name: str
    login: str
    roles: frozenset[tuple[str, str]]
    bundle: Mapping[str, Any] = field(repr=False)
    grants: tuple[TeamGrant, ...] = field(default=(), repr=False)
    # What this person believes: the bundle's pins with what was signed since; None is those of the bundle.
    believed: Mapping[str, str] | None = field(default=None, repr=False)
    asked: int = 0  # how many of their openings they are asked a reason for
    alarms: bool = False  # whether any alarm stands; which of them they may see is asked when a page shows it

    def has(self, role: str, team: str | None = None) -> bool:
        """Whether the person holds a role, for this team or for any."""
        return any(held == role and team in (None, of) for held, of in self.roles)

    def member_of(self, team: str) -> bool:
        """Whether the person works in this team."""
        return any(held in TEAM_ROLES and of == team for held, of in self.roles)

    def belongs_to(self, group: str) -> bool:
        """Whether the person works in this team or, for `statistiek`, makes the figures."""
        return self.has("statistiekredacteur") if group == STATS else self.member_of(group)

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

    @property
    def pins(self) -> Mapping[str, str]:
        """Every key this person believes, as kind/owner/epoch: fingerprint in hex."""
        pins: Mapping[str, str] = self.bundle["pins"] if self.believed is None else self.believed
        return pins

    @cached_property
    def _opened(self) -> _Opened:
        rings: dict[tuple[str, str], tuple[TeamKeys, ...]] = {}
        refused, waiting = list[str](), list[str]()
        for row in sorted(self.grants, key=lambda grant: grant.epoch):
            name = pin_name(row.kind, row.team, row.epoch)
            pinned = self.pins.get(name)
            if recipient_of(row.wrapped) != self.pair.public.key_id:  # of an earlier key pair of this person
                continue
            if pinned is None:  # granted, and nobody vouched for that key to this person yet
                waiting.append(name)
                continue
            try:
                grant = Grant("team_grant", row.team, None, row.epoch, row.grantor)
                keys = TeamKeys(row.team, row.epoch, unwrap(self.pair, row.wrapped, grant), row.kind)
            except Onleesbaar:
                refused.append(name)
                continue
            # A grant is believed only when it gives the very key that this person pinned; the others go on working.
            if pinned != keys.pair.public.fingerprint.hex():
                refused.append(name)
                continue
            rings[row.kind, row.team] = (*rings.get((row.kind, row.team), ()), keys)
        return _Opened(rings, tuple(refused), tuple(waiting))

    @property
    def refused(self) -> tuple[str, ...]:
        """Grants that do not give the key this person pinned: planted, or damaged."""
        return self._opened.refused

    @property
    def waiting(self) -> tuple[str, ...]:
        """Keys that were granted and that this person has yet to compare."""
        return self._opened.waiting

    @property
    def looked(self) -> bool:
        """Whether the grants were opened in this request, so that asking for `refused` costs nothing."""
        return "_opened" in self.__dict__

    def ring(self, group: str) -> tuple[TeamKeys, ...]:
        """The keys of a team or of `statistiek` that the person works with, all epochs, newest last."""
        return self._opened.rings.get(kind_of(group), ()) if self.belongs_to(group) else ()

    @property
    def teams(self) -> Mapping[str, tuple[TeamKeys, ...]]:
        """The keys of the teams this person works in, all epochs, newest last."""
        return {
            team: keys for (kind, team), keys in self._opened.rings.items() if kind == "team" and self.member_of(team)
        }

    @property
    def statistics(self) -> tuple[TeamKeys, ...]:
        """The keys of the statistics, for a statistiekredacteur."""
        return self.ring(STATS)


def normal_login(login: str) -> str:
    """A login as it is compared: without case and outer spaces."""
    return login.strip().casefold()


def is_reporters_login(login: str) -> bool:
    """Whether a login has the form of a reporter's: a name and a number."""
    return _REPORTERS_LOGIN.fullmatch(normal_login(login)) is not None


def lookup_of(instance: Instance, login: str) -> bytes:
    """By what an account is found: staff in one space, reporters in another, told apart by the form of the login."""
    return instance.server.lookup("melder" if is_reporters_login(login) else "login", normal_login(login))


def seal_user(
    instance: Instance, user_id: bytes, revision: int, login: str, name: str, more: Mapping[str, Any] | None = None
) -> bytes:
    """A user's login and name, and what else is noted about a member of staff, under the server's key."""
    document = {**(more or {}), "login": login, "name": name}
    return seal_json(instance.server.seal, document, Binding("user", user_id, None, revision))


def user_document(instance: Instance, row: User) -> dict[str, Any]:
    """All that is sealed about a user under the server's key."""
    return dict(open_json(instance.server.seal, row.sealed, Binding("user", row.id, None, row.revision)))


def open_user(instance: Instance, row: User) -> tuple[str, str]:
    """A user's login and name."""
    document = user_document(instance, row)
    return document["login"], document["name"]


def unlock(session: Session, instance: Instance, content: SessionContent) -> Person | None:
    """The person of a session with their keys, in one statement; nothing when the account is not active any more."""
    if content.user_id is None or content.root is None:
        return None
    kind = and_(TeamGrant.member_id == User.id, TeamGrant.team == Role.team, TeamGrant.kind != "stats")
    stats = and_(TeamGrant.member_id == User.id, TeamGrant.kind == "stats", Role.role == "statistiekredacteur")
    # Riding along in this statement, so that a menu tells of them without one of its own.
    unanswered = select(func.count()).where(Sample.member_id == User.id, Sample.answered_at.is_(None))
    standing = exists().where(Alarm.ended_at.is_(None))
    rows: Sequence[Any] = session.execute(
        select(User, Bundle, Role, TeamGrant, unanswered.scalar_subquery().label("asked"), standing.label("alarms"))
        .join(Bundle, Bundle.user_id == User.id)
        .outerjoin(Role, Role.user_id == User.id)
        .outerjoin(TeamGrant, kind | stats)
        .where(User.id == content.user_id, User.state == ACTIVE)
    ).all()
    if not rows:
        return None
    user, sealed = rows[0][0], rows[0][1]
    login, name = open_user(instance, user)
    grants = {(g.kind, g.team, g.epoch): g for _, _, _, g, *_ in rows if g is not None}
    bundle = open_bundle(content.root, sealed)
    return Person(
        user_id=user.id,
        name=name,
        login=login,
        roles=frozenset((role.role, role.team) for _, _, role, *_ in rows if role is not None),
        bundle=bundle,
        grants=tuple(grants.values()),
        # Asks the database only when the pin file holds a next epoch that this bundle does not know yet.
        believed=compare(session, instance, bundle).pins if grants else None,
        asked=rows[0].asked,
        alarms=bool(rows[0].alarms),
    )
