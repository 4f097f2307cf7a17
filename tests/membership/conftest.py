"""The life of a team for tests: pinning at the console, making a next key, somebody who leaves with a copy of all."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import epochs, leaving, pinning, teamkeys
from weerbaar_meldpunt.store.audit import Alarm

TEAM = "ondersteuning"


@dataclass
class Life:
    """What happens to the people of an instance, each act in a transaction of its own."""

    ready: Any
    now: Any
    beheerder: Any = field(default=None)

    @property
    def instance(self):
        return self.ready.instance

    @property
    def first(self):
        return self.ready.first(TEAM)

    @property
    def second(self):
        return self.ready.second(TEAM)

    def forward(self, **span):
        self.now += timedelta(**span)
        self.ready.people.now = self.now
        return self.now

    def third(self, team=TEAM, **more):
        """One more member of a team, admitted in two steps."""
        account = self.ready.people.member(team, **more)
        self.ready.people.admit(self.ready.second(team), account, team)
        return account

    def change(self, account, roles, *, by=None, reason="Gaat iets anders doen", **more):
        """A beheerder changes the roles of an account, or with None switches it off."""
        self.beheerder = self.beheerder or self.ready.people.beheerder()
        with self.instance.sessions.begin() as session:
            return leaving.change_account(
                session, self.instance, (by or self.beheerder).person, account.user_id, roles, reason=reason,
                now=self.now, **more,
            )  # fmt: skip

    def compare(self, account, *colleagues):
        """A member compares the fingerprints of colleagues by telephone."""
        for colleague in colleagues:
            with self.instance.sessions.begin() as session:
                pinning.keep_colleague(session, account.root, account.user_id, colleague.person.pair.public)

    def make_next(self, account, group=TEAM, **more):
        """A member makes the next key."""
        with self.instance.sessions.begin() as session:
            return epochs.new_epoch(
                session, self.instance, account.person, account.root, group, now=self.now, **more
            )  # fmt: skip

    def pin(self):
        """What the console does after comparing: every key that is offered."""
        with self.instance.readings() as session:
            keys = teamkeys.unpinned_keys(session, self.instance)
        for key in keys:
            self.instance.write_pins(self.instance.pins().with_sealing(key))
        with self.instance.sessions.begin() as session:
            epochs.note_pins(session, self.instance, now=self.now)
        return keys

    def watch(self, **more):
        """What the clock does about keys."""
        with self.instance.sessions.begin() as session:
            epochs.keep_watch(session, self.instance, now=self.now, may_delete=True, **more)

    def next_key(self):
        """The first member compares with the second and makes the next key."""
        self.compare(self.first, self.second)
        return self.make_next(self.first)

    def state(self, group=TEAM):
        """Where the key of a group stands."""
        with self.instance.readings() as session:
            return epochs.key_states(session, self.instance, (group,), now=self.now)[0]

    def alarms(self):
        """The alarms that stand, as kind and about."""
        with self.instance.readings() as session:
            rows = session.scalars(select(Alarm).where(Alarm.ended_at.is_(None))).all()
        return {(row.kind, row.about) for row in rows}

    def alarm_kinds(self):
        return {kind for kind, _ in self.alarms()}

    def arrive(self, account):
        """What a sign-in does with the pins."""
        from weerbaar_meldpunt.actions.bundles import change_bundle

        with self.instance.sessions.begin() as session:
            change_bundle(
                session, account.root, account.user_id,
                lambda bundle: teamkeys.with_adopted_pins(
                    session, self.instance, account.user_id, bundle, now=self.now
                ),
            )  # fmt: skip


@pytest.fixture
def life(ready):
    return Life(ready, ready.people.now)


@pytest.fixture
def leaver(life):
    """A member who left, and whose keys a copy kept: the bundle's seed and every row there ever was."""
    third = life.third()
    third.kept = third.person
    life.change(third, None)
    return third
