"""What tests of searching and comparing share: the desk of the other tests, and a search as the page makes one."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from tests.actions_work.conftest import THREAT, Desk, desk
from tests.casekeys.conftest import next_key
from weerbaar_meldpunt.actions import searching
from weerbaar_meldpunt.actions.segments import Wanted
from weerbaar_meldpunt.store.cases import Case

__all__ = ["THREAT", "Desk", "desk", "next_key"]


@pytest.fixture
def search(desk: Desk) -> Callable[..., set[str]]:
    """Search as a member; answers the references that were found."""

    def made(member: Any, typed: str, team: str = "ondersteuning", *, marks: Any = ()) -> set[str]:
        person = member.person
        with desk.instance.sessions.begin() as session:
            searching.note_search(session, desk.instance, person, team, now=desk.now)
        with desk.instance.readings() as session:
            found = searching.search(session, desk.instance, person, team, Wanted.of(typed, marks))
        with desk.instance.sessions.begin() as session:
            searching.keep(session, desk.instance, person, team, found, now=desk.now)
        with desk.instance.readings() as session:
            return set(session.scalars(select(Case.reference).where(Case.id.in_(found.case_ids))))

    return made


@pytest.fixture(params=["one by one", "in segments"])
def packing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Cases that are opened by themselves in each search, and cases that stand in a segment after the first."""
    monkeypatch.setattr(searching, "WORTH_A_SEGMENT", 1 if request.param == "in segments" else 10_000)
    return str(request.param)
