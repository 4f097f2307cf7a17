"""Leaving: an account is switched off, or loses a role, and with it the keys of the teams it leaves, in one act.

A beheerder deletes and never creates. Where fewer than two who hold the key would be left, a second person confirms
first: another beheerder or a coordinator of that team; where there is neither, another member; where there is nobody
at all, the beheerder does it alone and the trail says so. What waits stands with the account, under the server's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.membership import Absence, Admission
from weerbaar_meldpunt.store.people import Role, TeamGrant, User
from weerbaar_meldpunt.store.tracks import Track

from . import roster
from .admissions import holders
from .alarms import raise_alarm
from .departures import note_departure
from .enrolment import forget_ways_in, refuse_combination
from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .person import (
    ACTIVE,
    DISABLED,
    INVITED,
    STAFF_ROLES,
    STATS,
    Person,
    is_reporters_login,
    kind_of,
    lookup_of,
    seal_user,
    user_document,
)
from .staff import groups_of
from .telling import members_of, tell
from .tombstones import bury_place

Roles = frozenset[tuple[str, str]]
LEAST_HOLDERS: Final = 2
WAITS: Final = timedelta(hours=24)  # so long a second person has to answer
ALONE: Final = "vertrek_alleen"
THIN: Final = "vertrek_dun_team"
MAX_REASON: Final = 500
DISABLED_ACT, DISABLED_ALONE = "uitgeschakeld", "uitgeschakeld_alleen"
ROLES_ACT, ROLES_ALONE = "rollen_veranderd", "rollen_veranderd_alleen"


@dataclass(frozen=True)
class Change:
    """What is to happen to an account: other roles, or none any more; and who wants it, why."""

    roles: Roles | None
    reason: str
    by: bytes
    at: datetime

    def document(self) -> dict[str, Any]:
        """As it is sealed with the account."""
        roles = None if self.roles is None else sorted(self.roles)
        return {"roles": roles, "reason": self.reason, "by": self.by.hex(), "at": self.at.isoformat()}


def waiting_change(noted: Mapping[str, Any]) -> Change | None:
    """The change that waits for a second person, out of what is sealed with an account."""
    found = noted.get("change")
    if not found:
        return None
    roles = None if found["roles"] is None else frozenset((role, team) for role, team in found["roles"])
    return Change(roles, found["reason"], bytes.fromhex(found["by"]), datetime.fromisoformat(found["at"]))


def open_tracks(session: Session, user_id: bytes) -> dict[str, int]:
    """How many open tracks somebody owns, by team: numbers only, for who administers."""
    rows = session.execute(
        select(Track.team, func.count())
        .where(Track.owner_id == user_id, Track.closed_at.is_(None))
        .group_by(Track.team)
    )
    return dict(sorted((team, count) for team, count in rows))


def _locked(session: Session, user_id: bytes) -> tuple[User, Roles]:
    """A staff account with its roles as they stand now; two acts on it go one after the other."""
    user = session.scalars(
        select(User).where(User.id == user_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    rows = session.execute(select(Role.role, Role.team).where(Role.user_id == user_id)).all()
    roles = frozenset((role, team) for role, team in rows)
    if user is None or not any(role in STAFF_ROLES for role, _ in roles):
        raise NotAllowed("geen_medewerker")
    return user, roles


def thinned(session: Session, user_id: bytes, before: Roles, after: Roles | None) -> frozenset[str]:
    """The groups that this change would leave with fewer than two who hold the key."""
    found = set()
    for group in groups_of(before) - groups_of(after or frozenset()):
        held = holders(session, group)
        if user_id in held and len(held) - 1 < LEAST_HOLDERS:
            found.add(group)
    return frozenset(found)


def confirmers(session: Session, user_id: bytes, groups: frozenset[str], *, by: bytes) -> frozenset[bytes]:
    """Who may confirm what leaves these groups thin: never the one who proposed it nor the one who leaves."""

    def ids(*where: Any) -> frozenset[bytes]:
        rows = select(User.id).join(Role, Role.user_id == User.id).where(User.state == ACTIVE, *where)
        return frozenset(session.scalars(rows)) - {user_id, by}

    coordinates = [(Role.role == "coordinator") & (Role.team == group) for group in groups]
    first = ids(or_(Role.role == "beheerder", *coordinates))
    if first:
        return first
    return frozenset(user.id for group in groups for user in members_of(session, group)) - {user_id, by}


def change_account(
    session: Session, instance: Instance, by: Person, user_id: bytes, roles: Roles | None, *, reason: str,
    seen: Roles | None = None, now: datetime,
) -> bool:  # fmt: skip
    """A beheerder gives an account these roles and no others, or with None switches it off; at once, or False.

    False: it waits for a second person, since a team would be left with fewer than two who hold its key. A role that is
    added gives no key: that takes an admission. `NotAllowed` for a combination that is refused, and without a reason.
    `seen` are the roles on the page that the act comes from: refused when they are others by now.
    """
    if not by.has("beheerder"):
        raise NotAllowed("alleen_beheerder")
    user, before = _locked(session, user_id)
    if user_id == by.user_id:
        raise NotAllowed("niet_zichzelf")
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        raise NotAllowed("reden_nodig")
    if user.state == DISABLED:
        raise NotAllowed("al_uitgeschakeld")
    if seen is not None and seen != before:
        raise NotAllowed("rollen_intussen")
    if roles is not None:
        refuse_combination(roles)
        if not any(role in STAFF_ROLES for role, _ in roles):
            raise NotAllowed("zonder_rol")
        if roles == before:
            raise NotAllowed("niets_veranderd")
    change = Change(roles, reason, by.user_id, now)
    thin = thinned(session, user_id, before, roles)
    if thin and (second := confirmers(session, user_id, thin, by=by.user_id)):
        _note(instance, user, change=change.document())
        session.flush()
        Ledger(session, instance, now=now).close(by.user_id, "vertrek_voorgesteld", user_id)
        users = session.scalars(select(User).where(User.id.in_(second))).all()
        tell(session, instance, users, but=by.user_id, now=now)
        return False
    _apply(session, instance, user, before, change, by.user_id, alone=bool(thin), now=now)
    return True


def may_confirm(session: Session, user_id: bytes, roles: Roles, change: Change, *, now: datetime) -> frozenset[bytes]:
    """Who may confirm a change that waits. After a day without an answer it is also whoever proposed it.

    A whole team that forgot everything cannot answer, and has to be switched off before it can come back. Everybody
    who was asked had a mail, and could call it off.
    """
    # When the team is no longer left thin, whoever might have been asked may still end the waiting.
    groups = thinned(session, user_id, roles, change.roles) or groups_of(roles)
    late = frozenset({change.by}) if now >= change.at + WAITS else frozenset()
    return confirmers(session, user_id, groups, by=change.by) | late


def confirm_change(session: Session, instance: Instance, by: Person, user_id: bytes, *, now: datetime) -> None:
    """A second person agrees, and it happens."""
    user, before = _locked(session, user_id)
    change = waiting_change(user_document(instance, user))
    if change is None or user.state == DISABLED:
        raise NotAllowed("geen_voorstel_vertrek")
    if by.user_id not in may_confirm(session, user_id, before, change, now=now):
        raise NotAllowed("tweede_persoon_vertrek")
    if change.roles is not None:
        refuse_combination(change.roles)
    thin, alone = thinned(session, user_id, before, change.roles), by.user_id == change.by
    _apply(session, instance, user, before, change, by.user_id, alone=alone, now=now)
    if thin and not alone:  # whoever confirmed: a second account is quickly made
        raise_alarm(session, instance, THIN, user_id.hex(), now=now)


def cancel_change(session: Session, instance: Instance, by: Person, user_id: bytes, *, now: datetime) -> None:
    """Nothing happens after all: for who proposed it, another beheerder, or who was asked to confirm."""
    user, before = _locked(session, user_id)
    change = waiting_change(user_document(instance, user))
    if change is None:
        raise NotAllowed("geen_voorstel_vertrek")
    if not by.has("beheerder") and by.user_id not in may_confirm(session, user_id, before, change, now=now):
        raise NotAllowed("alleen_beheerder")
    _note(instance, user, change=None)
    session.flush()
    Ledger(session, instance, now=now).close(by.user_id, "vertrek_afgeblazen", user_id)


def _note(instance: Instance, user: User, **noted: Any) -> None:
    """Seal something beside login and name; what is None goes."""
    document = user_document(instance, user) | noted
    login, name = document.pop("login"), document.pop("name")
    user.revision += 1
    kept = {key: value for key, value in document.items() if value is not None}
    user.sealed = seal_user(instance, user.id, user.revision, login, name, kept)


def _apply(
    session: Session, instance: Instance, user: User, before: Roles, change: Change, by: bytes, *, alone: bool,
    now: datetime,
) -> None:  # fmt: skip
    gone = groups_of(before) - groups_of(change.roles or frozenset())
    ledger = Ledger(session, instance, now=now)
    for group in sorted(gone):
        _leave_group(session, ledger, user.id, group, now=now)
        if group != STATS:
            roster.without(session, instance, group, user.id, now=now)
    if change.roles is None:
        act = DISABLED_ALONE if alone else DISABLED_ACT
        user.state = DISABLED
        forget_ways_in(session, user.id, now=now)
        ended = {"reason": change.reason, "by": change.by.hex(), "at": now.isoformat()}
        _note(instance, user, change=None, ended=ended)
    else:
        act = ROLES_ALONE if alone else ROLES_ACT
        for role, team in sorted(before - change.roles):
            bury_place(session, Role.__tablename__, now=now, user_id=user.id, role=role, team=team)
        session.execute(delete(Role).where(Role.user_id == user.id))
        session.add_all(Role(user_id=user.id, role=role, team=team) for role, team in sorted(change.roles))
        _note(instance, user, change=None)
    session.flush()
    ledger.close(by, act, user.id)
    if alone:
        raise_alarm(session, instance, ALONE, user.id.hex(), now=now)
    told = {one.id: one for group in gone for one in members_of(session, group)}
    tell(session, instance, told.values(), but=by, now=now)


def _leave_group(session: Session, ledger: Ledger, user_id: bytes, group: str, *, now: datetime) -> None:
    """Delete what lets somebody into a group; remember that they know its secret until the next one is pinned."""
    kind, team = kind_of(group)
    grants = session.scalars(
        select(TeamGrant).where(TeamGrant.member_id == user_id, TeamGrant.kind == kind, TeamGrant.team == team)
    ).all()
    for grant in grants:
        ledger.remove(grant)
    if grants:
        bury_place(session, TeamGrant.__tablename__, now=now, kind=kind, team=team, member_id=user_id)
        note_departure(session, kind, team, user_id, max(grant.epoch for grant in grants), now=now)
    proposals = session.scalars(
        select(Admission).where(
            Admission.kind == kind, Admission.team == team,
            or_(Admission.member_id == user_id, Admission.proposed_by == user_id),
        )
    ).all()  # fmt: skip
    for proposal in proposals:
        ledger.remove(proposal)
    if group != STATS:
        away = or_(Absence.member_id == user_id, Absence.stand_in == user_id)
        session.execute(delete(Absence).where(Absence.team == team, away))


# --- a reporter's account ------------------------------------------------------------------------------------------


def find_reporter(session: Session, instance: Instance, login: str) -> User | None:
    """The account of a melder or gemachtigde by its exact login, and by nothing less; staff are found on their list."""
    if not is_reporters_login(login):
        return None
    user = session.scalars(select(User).where(User.login_lookup == lookup_of(instance, login))).one_or_none()
    return user if user is not None and user.state != INVITED else None


def switch_reporter(session: Session, instance: Instance, by: Person, login: str, *, on: bool, now: datetime) -> None:
    """Switch a reporter's account off, or on again: it is out at once, and nothing of it is deleted.

    The trail says that a beheerder did this, and not to whom: having an account is a secret.
    """
    if not by.has("beheerder"):
        raise NotAllowed("alleen_beheerder")
    user = find_reporter(session, instance, login)
    if user is None:
        raise NotAllowed("geen_account")
    user.state = ACTIVE if on else DISABLED
    session.flush()
    if not on:
        bury_place(session, User.__tablename__, now=now, id=user.id)
    act = "melderaccount_aan" if on else "melderaccount_uit"
    Ledger(session, instance, now=now).close(by.user_id, act, instance.id)
