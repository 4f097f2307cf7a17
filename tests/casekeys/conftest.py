"""What tests of case keys share: a desk, teams that get a next key, and rows that somebody planted."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from tests.actions_work.conftest import Desk, desk
from weerbaar_meldpunt.actions import epochs
from weerbaar_meldpunt.store.audit import Alarm, Leaf
from weerbaar_meldpunt.store.cases import Case, CaseDoc, CaseEpoch

__all__ = ["Desk", "desk"]


@pytest.fixture
def next_key(desk: Desk) -> Callable[..., None]:
    """A team gets its next key, as after a leaver: made by its coordinator, pinned, and taken over by the others."""

    def made(team: str, *, without: tuple[bytes, ...] = ()) -> None:
        first = desk.ready.first(team)
        with desk.instance.sessions.begin() as session:
            key = epochs.new_epoch(
                session, desk.instance, first.person, first.root, team, without=without, now=desk.now
            )  # fmt: skip
        desk.instance.write_pins(desk.instance.pins().with_sealing(key))
        with desk.instance.sessions.begin() as session:
            epochs.note_pins(session, desk.instance, now=desk.now)

    return made


@pytest.fixture
def rows(desk: Desk) -> Callable[..., list[Any]]:
    """All rows of a table that belong to a case, with every column."""

    def found(model: Any, reference: str, *where: Any) -> list[Any]:
        with desk.instance.readings() as session:
            of_case = select(Case.id).where(Case.reference == reference).scalar_subquery()
            return list(session.scalars(select(model).where(model.case_id == of_case, *where)))

    return found


@pytest.fixture
def case_epochs(rows: Callable[..., list[Any]]) -> Callable[[str], dict[str, int]]:
    """The newest epoch of each compartment that has one beyond the first."""

    def newest(reference: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in rows(CaseEpoch, reference):
            found[row.compartment] = max(row.epoch, found.get(row.compartment, 0))
        return found

    return newest


@pytest.fixture
def document_revision(rows: Callable[..., list[Any]]) -> Callable[[str], int]:
    def revision(reference: str) -> int:
        return int(rows(CaseDoc, reference, CaseDoc.compartment == "A")[0].revision)

    return revision


@pytest.fixture
def alarms(desk: Desk) -> Callable[[], list[tuple[str, str]]]:
    """What alarms stand: kind and about."""

    def found() -> list[tuple[str, str]]:
        with desk.instance.readings() as session:
            return sorted((row.kind, row.about) for row in session.scalars(select(Alarm)))

    return found


@pytest.fixture
def leaves(desk: Desk) -> Callable[[str], list[str]]:
    """The actions in the trail of a case, oldest first."""

    def found(reference: str) -> list[str]:
        with desk.instance.readings() as session:
            of_case = select(Case.id).where(Case.reference == reference).scalar_subquery()
            query = select(Leaf.action).where(Leaf.object == of_case).order_by(Leaf.seq)
            return list(session.scalars(query))

    return found


def values_of(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in type(row).__table__.columns}


@pytest.fixture
def plant(desk: Desk) -> Callable[..., None]:
    """Put a row there as a writer of the database does: without a leaf."""

    def planted(model: Any, **values: Any) -> None:
        with desk.instance.sessions.begin() as session:
            session.execute(insert(model).values(**values))

    return planted


@pytest.fixture
def overwrite(desk: Desk) -> Callable[..., None]:
    """Change rows as a writer of the database does."""

    def changed(model: Any, where: list[Any], **values: Any) -> None:
        with desk.instance.sessions.begin() as session:
            done = session.execute(update(model).where(*where).values(**values))
            assert done.rowcount > 0

    return changed


@pytest.fixture
def team_key_ids(desk: Desk) -> Callable[[str], list[bytes]]:
    """The key ids of a team, oldest first."""

    def found(team: str) -> list[bytes]:
        pins = [pin for pin in desk.instance.pins().lines if pin.key == ("team", team)]
        return [pin.fingerprint[:16] for pin in pins]

    return found
