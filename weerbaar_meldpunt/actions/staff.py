"""Staff accounts as the beheerder, the auditor and colleagues see them; never a reporter's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.people import Role, TeamGrant, User
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.wrap import PublicKey

from .instance import Instance
from .person import STAFF_ROLES, group_of, user_document


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
    noted: Mapping[str, Any] = field(
        default_factory=dict
    )  # what else is sealed about them: a change that waits, a reason

    def groups(self) -> frozenset[str]:
        """The teams (or `statistiek`) this person belongs to by role."""
        return groups_of(self.roles)


def groups_of(roles: frozenset[tuple[str, str]]) -> frozenset[str]:
    """The groups that share a key, to which these roles belong."""
    teams = {team for role, team in roles if team}
    return frozenset(teams | ({group_of("stats", "")} if ("statistiekredacteur", "") in roles else set()))


def fingerprint_of(user: User) -> bytes | None:
    """The fingerprint of an account's own key; nothing before it was set up, or when the row holds no key."""
    if not user.public_key:
        return None
    try:
        return PublicKey("user", user.id, user.key_number, user.public_key).fingerprint
    except Onleesbaar:
        return None


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
        document = user_document(instance, user)
        known = found.get(user.id)
        keys = {group_of(grant.kind, grant.team)} if grant else set()
        found[user.id] = StaffRow(
            user.id, document.pop("login"), document.pop("name"), user.state,
            (known.roles if known else frozenset()) | {(role.role, role.team)},
            fingerprint_of(user),
            (known.keys if known else frozenset()) | keys,
            document,
        )  # fmt: skip
    return sorted(found.values(), key=lambda row: row.name.casefold())


def staff_row(session: Session, instance: Instance, user_id: bytes) -> StaffRow | None:
    """One staff account; nothing for a reporter's, as for one that does not exist."""
    return next((row for row in staff(session, instance) if row.user_id == user_id), None)
