"""The invented people of a demonstration: staff in every role with their keys, two reporters, and how they sign in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.people import Root
from weerbaar_meldpunt.vault import password as passwords
from weerbaar_meldpunt.vault.codes import read_code
from weerbaar_meldpunt.vault.seal import Binding, open_key

from . import admissions, people, pinning, teamkeys
from .demonstration_custody import make_custody
from .errors import InstanceFault
from .instance import Instance, write_private
from .people import STATS, Enrolment, Person
from .sessions import SessionContent

FILE: Final = "demo-accounts.json"
# Everything here is invented and the page says so; a real instance knows no such file.
PASSWORD: Final = "vier gele fietsen in de regen"  # noqa: S105

_STAFF: Final[tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]] = (
    (
        "coordinator.ondersteuning",
        "Femke Brouwer",
        (("behandelaar", "ondersteuning"), ("coordinator", "ondersteuning")),
    ),
    ("behandelaar.ondersteuning", "Youssef Amrani", (("behandelaar", "ondersteuning"),)),
    ("behandelaar2.ondersteuning", "Marieke Dijkstra", (("behandelaar", "ondersteuning"),)),
    ("coordinator.beveiliging", "Ruben Hoekstra", (("behandelaar", "beveiliging"), ("coordinator", "beveiliging"))),
    ("behandelaar.beveiliging", "Sanne Vermeulen", (("behandelaar", "beveiliging"),)),
    ("coordinator.juridisch", "Iris Koopman", (("behandelaar", "juridisch"), ("coordinator", "juridisch"))),
    ("behandelaar.juridisch", "Daan Willems", (("behandelaar", "juridisch"),)),
    ("twee.teams", "Noor Schouten", (("behandelaar", "ondersteuning"), ("behandelaar", "juridisch"))),
    ("statistiekredacteur", "Bram de Haan", (("statistiekredacteur", ""),)),
    ("statistiekredacteur2", "Leila Osman", (("statistiekredacteur", ""),)),
    ("beheerder", "Wim Postma", (("beheerder", ""),)),
    ("auditor", "Anouk Peters", (("auditor", ""),)),
)
_REPORTERS: Final = ("wethouder", "griffier")


@dataclass
class DemoAccount:
    """Somebody of the demonstration who can act and sign in."""

    instance: Instance = field(repr=False)
    user_id: bytes
    login: str
    role: str
    totp_secret: str = field(repr=False)
    root: bytes = field(repr=False)

    _known: Person | None = field(default=None, repr=False)

    def person(self, session: Session, *, now: datetime) -> Person:
        """Who they are, with the keys they hold; looked up once all keys are given."""
        if self._known is not None:
            return self._known
        content = SessionContent("person", now, now, now, self.user_id, self.root)
        found = people.unlock(session, self.instance, content)
        if found is None:
            raise InstanceFault("the demonstration is not complete")
        return found

    def remember(self, session: Session, *, now: datetime) -> None:
        """From now on their keys do not change any more."""
        self._known = self.person(session, now=now)

    def document(self) -> dict[str, str]:
        """How they sign in."""
        return {"role": self.role, "login": self.login, "password": PASSWORD, "totp_secret": self.totp_secret}


def make_people(instance: Instance, *, now: datetime) -> dict[str, DemoAccount]:
    """Everybody, by the part of the login before the @; teams and statistics have pinned keys afterwards."""
    custody = make_custody(instance, now=now)
    made = {}
    for login, name, roles in _STAFF:
        made[login] = _staff(instance, f"{login}@demo.example", name, roles, now=now)
    for login in _REPORTERS:
        with instance.sessions.begin() as session:
            enrolment = people.register(session, instance, login, PASSWORD, now=now)
        made[login] = _confirmed(instance, enrolment.login, f"melder ({login})", enrolment, now=now)
    for group in (*TEAMS, STATS):
        _give_keys(instance, made, group, now=now)
    for account in made.values():
        if not account.role.startswith("melder"):
            _compare(instance, account, now=now)
    with instance.readings() as session:
        for account in made.values():
            account.remember(session, now=now)
    lines = [account.document() for account in made.values()] + [sheet.document() for sheet in custody.sheets]
    write_private(instance.settings.instance / FILE, json.dumps(lines, ensure_ascii=False, indent=1).encode())
    return made


def _staff(
    instance: Instance, login: str, name: str, roles: tuple[tuple[str, str], ...], *, now: datetime
) -> DemoAccount:
    with instance.sessions.begin() as session:
        token = people.invite(session, instance, login=login, name=name, roles=frozenset(roles), by=b"", now=now)
    with instance.sessions.begin() as session:
        user = people.open_invitation(session, token, now=now)
        if user is None:
            raise InstanceFault("an invitation of the demonstration does not open")
        enrolment = people.enrol(session, instance, user, PASSWORD, now=now)
    words = " + ".join(f"{role} {team}".strip() for role, team in roles)
    return _confirmed(instance, login, words, enrolment, now=now)


def _confirmed(instance: Instance, login: str, role: str, enrolment: Enrolment, *, now: datetime) -> DemoAccount:
    with instance.sessions.begin() as session:
        people.confirm_enrolment(session, instance, enrolment.user_id, enrolment.recovery_code, now=now)
        row = session.scalars(select(Root).where(Root.user_id == enrolment.user_id, Root.way == "rc")).one()
        key = passwords.recovery_key(read_code(enrolment.recovery_code), enrolment.user_id)
        root = open_key(key, row.sealed, Binding("root_rc", enrolment.user_id, None, row.revision))
    return DemoAccount(instance, enrolment.user_id, login, role, enrolment.totp_secret, root)


def _give_keys(instance: Instance, made: dict[str, DemoAccount], group: str, *, now: datetime) -> None:
    def belongs(person: Person) -> bool:
        return person.has("statistiekredacteur") if group == STATS else person.member_of(group)

    with instance.readings() as session:
        members = [account for account in made.values() if belongs(account.person(session, now=now))]
    founder, *others = members
    _compare(instance, founder, now=now)
    with instance.sessions.begin() as session:
        person = founder.person(session, now=now)
        key = teamkeys.found_team(session, instance, person, founder.root, group, now=now)
    instance.write_pins(instance.pins().with_sealing(key))
    _compare(instance, founder, now=now)
    # The second member is let in by the first alone, as in any new team; from then on one compares and one approves.
    for other, proposer in zip(others, (founder, *[others[0]] * len(others)), strict=False):
        _compare(instance, proposer, now=now)
        with instance.sessions.begin() as session:
            compared = other.person(session, now=now).pair.public.fingerprint
            admissions.propose(
                session, instance, proposer.person(session, now=now), proposer.root, other.user_id, group,
                fingerprint=compared, digest=instance.pins().digest, now=now,
            )  # fmt: skip
        with instance.sessions.begin() as session:
            admissions.approve(session, instance, founder.person(session, now=now), other.user_id, group, now=now)
        _compare(instance, other, now=now)


def _compare(instance: Instance, account: DemoAccount, *, now: datetime) -> None:
    """What a member does on the page of keys, after comparing the digest of the pins with a colleague."""
    with instance.sessions.begin() as session:
        digest = instance.pins().digest
        pinning.accept(session, instance, account.user_id, account.root, digest=digest, now=now)


def _read(instance: Instance) -> list[dict[str, Any]]:
    try:
        lines: list[dict[str, Any]] = json.loads((instance.settings.instance / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        raise InstanceFault("this demonstration has no list of accounts") from None
    return lines


def read_accounts(instance: Instance, *, now: datetime) -> list[dict[str, Any]]:
    """The logins of a demonstration, each with the code of its second factor at this moment."""
    lines = _read(instance)
    moment = int(now.timestamp())
    # A custodian has no account, and a code that never changes.
    return [line | {"code": pyotp.TOTP(line["totp_secret"]).at(moment)} for line in lines if "totp_secret" in line]


def read_sheets(instance: Instance) -> list[dict[str, str]]:
    """The names and codes of a demonstration's custodians."""
    return [line for line in _read(instance) if "totp_secret" not in line]
