"""Who of a team can be told that something waits: the members, the coordinators, and who is on duty now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import mail_address
from weerbaar_meldpunt.store.people import Role, User
from weerbaar_meldpunt.store.tracks import Duty
from weerbaar_meldpunt.vault.errors import Onleesbaar

from .absence import stand_ins
from .instance import Instance
from .people import ACTIVE, TEAM_ROLES, open_user
from .roster import on_duty_in, open_duty

# A team of which nobody is left is seen to by this one: it is where its cases would go too.
STANDS_IN: Final = "ondersteuning"
COORDINATOR: Final = "coordinator"
DAY_AND_NIGHT_NUMBER: Final = "ot"


@dataclass
class Crew:
    """The people of one team that a step of the ladder can reach."""

    instance: Instance = field(repr=False)
    members: dict[bytes, User] = field(default_factory=dict, repr=False)
    coordinators: list[bytes] = field(default_factory=list, repr=False)
    duty: Duty | None = field(default=None, repr=False)
    away: dict[bytes, bytes] = field(default_factory=dict, repr=False)  # who is away now, and who is asked instead
    stands_in: Crew | None = field(default=None, repr=False)
    _addresses: dict[bytes, str | None] = field(default_factory=dict, repr=False)

    def asked(self, kinds: Sequence[str], owner: bytes | None) -> list[bytes]:
        """The first of these kinds of people of whom there is anybody; nobody when the team is empty."""
        found: dict[str, list[bytes | None]] = {
            "eigenaar": [self._present(owner)],
            "dienst": [self.duty.owner_id if self.duty else None],
            "achterwacht": [self.duty.backup_id if self.duty else None],
            "coordinator": list(self.coordinators),
            "team": list(self.members),
        }
        for kind in kinds:
            # Who left the team or was switched off is nobody: what waits for them must not wait for ever.
            people = [person for person in found[kind] if person is not None and person in self.members]
            if people:
                return people
        if owner in self.members:  # away, and nobody else of these kinds is there
            return [owner]
        return self.stands_in.asked((COORDINATOR, "team"), None) if self.stands_in else []

    def _present(self, owner: bytes | None) -> bytes | None:
        """The owner, or who stands in while they are away, and so on; nobody when all of those are away or left."""
        asked, passed = owner, set[bytes]()
        while asked is not None and asked in self.away and asked not in passed:
            passed.add(asked)
            asked = self.away[asked]
        return asked if asked not in passed else None

    def address(self, person: bytes) -> str | None:
        """Where somebody gets mail; None when their login is no mail address or does not open."""
        if person not in self._addresses:
            self._addresses[person] = self._open(person)
        return self._addresses[person]

    def _open(self, person: bytes) -> str | None:
        if person not in self.members:
            return self.stands_in.address(person) if self.stands_in else None
        try:
            return mail_address(open_user(self.instance, self.members[person])[0])
        except Onleesbaar:
            return None

    def number_behind(self, people: Sequence[bytes]) -> str:
        """Whom these people can call when they cannot help: the achterwacht, else the number for day and night."""
        number = self.instance.settings.telephone[DAY_AND_NIGHT_NUMBER]
        if self.duty is None or self.duty.backup_id is None or self.duty.backup_id in people:
            return number
        try:
            backup = open_duty(self.instance, self.duty).backup
        except Onleesbaar:
            return number
        return backup.number if backup else number


def load_crews(session: Session, instance: Instance, teams: Iterable[str], *, now: datetime) -> dict[str, Crew]:
    """The crews of these teams, in three statements."""
    names = {*teams, STANDS_IN}
    crews = {team: Crew(instance) for team in names}
    rows = session.execute(
        select(User, Role.role, Role.team)
        .join(Role, Role.user_id == User.id)
        .where(Role.team.in_(names), Role.role.in_(TEAM_ROLES), User.state == ACTIVE)
        .order_by(User.id, Role.role)
    )
    for user, role, team in rows:
        crews[team].members[user.id] = user
        if role == COORDINATOR:
            crews[team].coordinators.append(user.id)
    for team, duty in on_duty_in(session, sorted(names), now).items():
        crews[team].duty = duty
    for (team, member), instead in stand_ins(session, names, now=now).items():
        crews[team].away[member] = instead
    for team, crew in crews.items():
        crew.stands_in = crews[STANDS_IN] if team != STANDS_IN else None
    return crews
