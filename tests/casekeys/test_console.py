"""`meldpunt vault rewrap` and `reseal`, as a member calls them at the console."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.custody.conftest import call
from weerbaar_meldpunt.actions.rewrap import wraps_left
from weerbaar_meldpunt.store.cases import Headline

TEAM = "ondersteuning"

__all__ = ["call"]


def typed(account: Any) -> str:
    return f"{account.login}\n{account.password}\n{account.code(datetime.now(UTC))}\n"


@pytest.fixture
def cases(desk: Any, next_key: Any) -> None:
    for _ in range(3):
        desk.file()
    next_key(TEAM)


def left(desk: Any) -> int:
    with desk.instance.readings() as session:
        return wraps_left(session, desk.instance, TEAM)


def test_a_member_lets_the_machine_wrap_everything_anew(desk: Any, cases: Any, call: Any) -> None:
    done = call("vault", "rewrap", given=typed(desk.ready.second(TEAM)))
    assert (done.status, left(desk)) == (0, 0), done.err
    assert f"{TEAM}: 3 cases wrapped anew; 0 wraps are under an older key" in done.out
    for reference in desk.references:
        assert desk.open(desk.ready.first(TEAM), reference).gaps == ()


def test_a_wrong_code_or_somebody_without_a_team_does_nothing(desk: Any, cases: Any, call: Any) -> None:
    member = desk.ready.second(TEAM)
    for given in (f"{member.login}\n{member.password}\n000000\n", typed(desk.ready.people.beheerder())):
        done = call("vault", "rewrap", given=given)
        assert done.status == 2
        assert "not an active member" in done.err
    assert left(desk) == 9


def test_reseal_makes_the_caches_again(desk: Any, call: Any) -> None:
    for _ in range(3):
        desk.file()
    desk.queue(desk.ready.first(TEAM), TEAM)
    with desk.instance.readings() as session:
        before = set(session.scalars(select(Headline.sealed)))
    done = call("vault", "reseal", given=typed(desk.ready.first(TEAM)))
    assert done.status == 0, done.err
    with desk.instance.readings() as session:
        after = set(session.scalars(select(Headline.sealed)))
        assert session.scalar(select(func.count()).select_from(Headline)) == 3
    assert not before & after
