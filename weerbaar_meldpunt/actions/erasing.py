"""Letting a case go for good: every wrap of its keys and every row of it, in one transaction, and what stays of it.

Destroying the wraps is the erasure: without them nothing that was sealed opens, in a copy neither. What stays are the
leaves of the trail without their bodies, the look-ups of its readers with nothing behind them (so that no number is
used twice), one tombstone, and a number in the register. Files go after the commit; what a death leaves of them, the
sweep finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Table, inspect, select, update
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.base import Base
from weerbaar_meldpunt.store.cases import Attachment, Case, Reader
from weerbaar_meldpunt.store.links import drop_segments_of_case
from weerbaar_meldpunt.store.retention import Destroyed, Keeping
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault.derive import new_id

from .evidence import remove_blob
from .instance import Instance
from .labels import labelled
from .ledger import PROGRAM, Ledger
from .tombstones import bury_case

ERASED: Final = "gewist"
NOBODY: Final = bytes(16)  # the batch of what nobody proposed
STILL_OPEN: Final = "open"  # stands in the register where a track had no outcome yet
_NO_TERM: Final = "geen"


@dataclass(frozen=True)
class Word:
    """On whose word a case goes, and why: what the register says of it."""

    ground: str
    batch: bytes = NOBODY
    proposed_by: bytes | None = None
    confirmed_by: bytes | None = None


def erase_case(session: Session, instance: Instance, case_id: bytes, word: Word, *, now: datetime) -> list[bytes]:
    """Delete everything of a case in the caller's transaction; answers its files, to be removed after the commit.

    Nothing for a case that is gone already: so twice is the same as once. Who may ask for it was decided before.
    """
    case = session.execute(
        select(Case).where(Case.id == case_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if case is None:
        return []
    blobs = list(session.scalars(select(Attachment.blob_id).where(Attachment.case_id == case_id)))
    ledger = Ledger(session, instance, now=now)
    _count(session, ledger, case_id, word, now=now)
    drop_segments_of_case(session, case_id)
    # The look-up stays, with nothing behind it: an account's next number is never one that was used.
    for reader in session.scalars(select(Reader).where(Reader.case_id == case_id)):
        ledger.change(reader, case_id=None, key_id=None)
    session.flush()
    for rows in _rows_of(session, case):
        for row in rows:
            ledger.remove(row)
        session.flush()
    ledger.remove(case)
    session.flush()
    session.execute(update(Leaf).where(Leaf.object == case_id).values(body=None))
    bury_case(session, case_id, now=now)
    labelled("erasing/rows-deleted")
    ledger.close(word.confirmed_by or PROGRAM, ERASED, case_id)
    return blobs


def remove_files(instance: Instance, blob_ids: Iterable[bytes]) -> None:
    """The sealed files of a case that is gone: nobody has their keys any more."""
    labelled("erasing/committed")
    for blob_id in blob_ids:
        remove_blob(instance, blob_id)
    labelled("erasing/files-removed")


def _count(session: Session, ledger: Ledger, case_id: bytes, word: Word, *, now: datetime) -> None:
    """A line of the register: how many, of what kind; nothing by which one of them can be found."""
    keeping = session.get(Keeping, case_id)
    outcomes = session.scalars(select(Track.outcome).where(Track.case_id == case_id)).all()
    line: dict[str, Any] = {
        "batch": word.batch, "day": today(now).isoformat(), "ground": word.ground,
        "term": keeping.term if keeping else _NO_TERM,
        "outcome": "+".join(sorted({outcome or STILL_OPEN for outcome in outcomes})) or STILL_OPEN,
    }  # fmt: skip
    found = session.scalars(select(Destroyed).filter_by(**line).with_for_update()).one_or_none()
    if found is not None:
        ledger.change(found, count=found.count + 1)
        return
    people = {"proposed_by": word.proposed_by, "confirmed_by": word.confirmed_by}
    ledger.add(Destroyed, id=new_id(), count=1, **line, **people)


def _rows_of(session: Session, case: Case) -> Iterator[Sequence[Base]]:
    """All rows that hang from a case, those that hang from others first. Whatever table is added later is found too."""
    found: list[tuple[Table, list[Any]]] = [(_table(Case), [case])]
    levels: list[list[Any]] = []
    for table, parents in found:  # grows while it is read: a track's dues, the steps of a due
        for child, column, parent_column in _hanging_from(table):
            model = _models()[child]
            keys = [getattr(parent, parent_column) for parent in parents]
            rows = list(session.scalars(select(model).where(getattr(model, column).in_(keys))))
            if rows and model is not Reader:
                found.append((child, rows))
                levels.append(rows)
    gone = set[int]()
    for rows in reversed(levels):  # what hangs from two others goes with the deepest
        yield [row for row in rows if id(row) not in gone]
        gone |= {id(row) for row in rows}


@cache
def _models() -> dict[Table, type[Base]]:
    return {_table(mapper.class_): mapper.class_ for mapper in Base.registry.mappers}


def _table(model: type[Base]) -> Table:
    table = inspect(model).local_table
    assert isinstance(table, Table)  # nosec B101: every model of this house is one table
    return table


@cache
def _hanging_from(table: Table) -> tuple[tuple[Table, str, str], ...]:
    """The tables with a foreign key to this one, with the attribute that refers and the one that is referred to."""
    return tuple(
        (child, _attribute(child, key.parent.name), _attribute(table, key.column.name))
        for child in Base.metadata.sorted_tables
        for key in child.foreign_keys
        if key.column.table is table and child is not table
    )


def _attribute(table: Table, column: str) -> str:
    return inspect(_models()[table]).get_property_by_column(table.c[column]).key
