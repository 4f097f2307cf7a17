"""What tests of custodians share: calling the console, and looking at what stands."""

from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from weerbaar_meldpunt.actions import pinning, teamkeys
from weerbaar_meldpunt.cli import main
from weerbaar_meldpunt.store.audit import Alarm


@dataclass
class Outcome:
    """What a call gave."""

    status: int
    out: str
    err: str


@pytest.fixture
def call(instance, monkeypatch):
    """Call `meldpunt` on the test's instance; `given` is what is typed."""

    def called(*words: str, given: str | None = None, where: Any = None) -> Outcome:
        monkeypatch.setenv("MELDPUNT_INSTANCE", str(where or instance.settings.instance))
        result = CliRunner().invoke(main, list(words), input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return called


@pytest.fixture
def alarms(instance):
    """The kinds of alarms that stand, with what each is about."""

    def standing() -> set[tuple[str, str]]:
        with instance.readings() as session:
            return {(one.kind, one.about) for one in session.scalars(select(Alarm))}

    return standing


@pytest.fixture
def make_team(instance, people):
    """Found a team of two, with whatever custody stands."""

    def made(team):
        first, second = people.member(team, coordinator=True), people.member(team)
        people.found(first, team)
        people.admit(first, second, team)
        return [first, second]

    return made


@pytest.fixture
def compare(instance, clock):
    """A member compares the new pins with a colleague."""

    def compared(account):
        with instance.sessions.begin() as session:
            pinning.accept(
                session, instance, account.user_id, account.root, digest=instance.pins().digest, now=clock.now
            )

    return compared


@pytest.fixture
def pin_groups(instance):
    """What the console does with the keys of teams."""

    def pinned():
        with instance.readings() as session:
            keys = teamkeys.unpinned_keys(session, instance)
        for key in keys:
            instance.write_pins(instance.pins().with_sealing(key))
        return keys

    return pinned
