"""The lines of a leaf that somebody deleted: an older leaf is not taken for the newest word on a row."""

from typing import Any

import pytest
from sqlalchemy import delete, func, select

from weerbaar_meldpunt.actions import work
from weerbaar_meldpunt.actions.errors import Onleesbaar
from weerbaar_meldpunt.store.audit import Leaf, LeafRow
from weerbaar_meldpunt.store.cases import Message
from weerbaar_meldpunt.store.tracks import Due, Track

from .conftest import values_of

TEAM = "ondersteuning"


def newest_leaf(desk: Any, reference: str) -> int:
    """The newest leaf of a case that covers rows."""
    with desk.instance.readings() as session:
        case_id = desk.track(reference).case_id
        query = select(func.max(Leaf.seq)).join(LeafRow, LeafRow.seq == Leaf.seq).where(Leaf.object == case_id)
        return int(session.scalar(query))


def delete_rows(desk: Any, model: Any, *where: Any) -> None:
    with desk.instance.sessions.begin() as session:
        assert session.execute(delete(model).where(*where)).rowcount > 0


def put_back(desk: Any, overwrite: Any, reference: str, track: Any, dues: list[Any]) -> None:
    """The track and the dues as they were; later dues go."""
    overwrite(Track, [Track.id == track.id], **values_of(track))
    for due in dues:
        overwrite(Due, [Due.id == due.id], **values_of(due))
    with desk.instance.sessions.begin() as session:
        session.execute(delete(Due).where(Due.track_id == track.id, Due.id.not_in([due.id for due in dues])))


def test_a_message_that_was_deleted_with_the_lines_of_its_leaf_leaves_a_gap(desk: Any) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    desk.reply(filed, "Ik ben bang.")
    assert desk.open(member, filed.reference).gaps == ()
    leaf = newest_leaf(desk, filed.reference)
    with desk.instance.readings() as session:
        (message,) = session.scalars(select(LeafRow.row).where(LeafRow.seq == leaf, LeafRow.table == "message")).all()
    delete_rows(desk, Message, Message.id == message)
    delete_rows(desk, LeafRow, LeafRow.seq == leaf)
    assert "audit" in desk.open(member, filed.reference).gaps
    assert "audit" in desk.reporter(filed).view.gaps


@pytest.mark.parametrize("only", [None, "track"])
def test_an_act_that_was_undone_with_the_lines_of_its_leaf_leaves_a_gap_and_stops_the_next(
    desk: Any, overwrite: Any, only: str | None
) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    track, dues = desk.track(filed.reference), desk.dues(filed.reference)
    desk.do(member, filed.reference, work.take)
    leaf = newest_leaf(desk, filed.reference)
    put_back(desk, overwrite, filed.reference, track, dues)
    delete_rows(desk, LeafRow, LeafRow.seq == leaf, *([LeafRow.table == only] if only else []))
    assert {"audit", "track"} <= set(desk.open(member, filed.reference).gaps)
    with pytest.raises(Onleesbaar):
        desk.do(member, filed.reference, work.take)
    assert desk.track(filed.reference).owner_id is None


def test_openings_cover_no_rows_and_are_no_gap(desk: Any) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    desk.open(member, filed.reference)
    desk.do(member, filed.reference, work.take)
    assert desk.open(member, filed.reference).gaps == ()


def test_lines_deleted_of_one_case_leave_another_as_it_is(desk: Any) -> None:
    filed, other = desk.file(), desk.file()
    member = desk.ready.first(TEAM)
    desk.do(member, filed.reference, work.take)
    delete_rows(desk, LeafRow, LeafRow.seq == newest_leaf(desk, filed.reference))
    assert desk.open(member, other.reference).gaps == ()
    desk.do(member, other.reference, work.take)
