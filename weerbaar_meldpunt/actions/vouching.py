"""Whether rows stand as the trail says, whatever they belong to: for keys of the house and lists beside the cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, aliased

from weerbaar_meldpunt.store.audit import Leaf, LeafRow
from weerbaar_meldpunt.store.base import Base

from .instance import Instance
from .trail import Trail, as_read, trail_from

_AT_ONCE = 400


def trail_of_rows(session: Session, instance: Instance, rows: Sequence[Base]) -> Trail:
    """What the newest leaf says of each of these rows. What the trail does not name, nobody but a writer put there."""
    places = [as_read(row)[:2] for row in rows]
    lines = list[Any]()
    for start in range(0, len(places), _AT_ONCE):
        wanted = places[start : start + _AT_ONCE]
        newest = (
            select(func.max(LeafRow.seq))
            .where(tuple_(LeafRow.table, LeafRow.row).in_(wanted))
            .group_by(LeafRow.table, LeafRow.row)
        )
        before = aliased(Leaf)
        lines += session.execute(
            select(
                Leaf.seq.label("number"), LeafRow.place.label("extra"), LeafRow.table.label("table"),
                LeafRow.row.label("id"), LeafRow.row_hash.label("sealed"), Leaf.at.label("moment"),
                Leaf.actor.label("other"), Leaf.action.label("part"), Leaf.object.label("case_id"),
                Leaf.body_hash.label("last"), Leaf.chain.label("chain"), Leaf.head.label("head"),
                before.chain.label("before"),
            )
            .join(LeafRow, LeafRow.seq == Leaf.seq)
            .outerjoin(before, before.seq == Leaf.seq - 1)
            .where(Leaf.seq.in_(newest))
        ).all()  # fmt: skip
    return trail_from(instance, (), list({(line.number, line.extra): line for line in lines}.values()))


def vouched(session: Session, instance: Instance, row: Base) -> bool:
    """Whether one row stands as its newest leaf says."""
    return trail_of_rows(session, instance, [row]).agrees(row)
