"""Rows that gave access and are gone: their hashes stay, so that a backup that is put back lets nobody in again.

Buried are the rows of `ACCESS`, when they are deleted and when they are replaced (docs/security.md, "Audit"). A bundle
is buried with `bury` only where its factors or ROOT changed: it is sealed anew at each sign-in, and a restore that
threw that away would keep its owner out. Caches (folds, headlines, segments) are in no backup, so they need no stone.
An erased case is buried by its id, because its rows differ from backup to backup. So is a place that somebody lost (a
member in a team, a team on a case): the rows that gave it are renewed with each epoch, and such a row gets no stone.

A set belongs to a checkpoint: what came since the one before. Within it only day and hash say an order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Final

from sqlalchemy import ColumnElement, func, select, tuple_, update
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.store.audit import Tombstone
from weerbaar_meldpunt.store.base import Base
from weerbaar_meldpunt.store.cases import CaseGrant, Claim, Reader
from weerbaar_meldpunt.store.custody import RecoveryGrant, RecoveryPair
from weerbaar_meldpunt.store.doors import Passkey
from weerbaar_meldpunt.store.engine import insert_if_absent
from weerbaar_meldpunt.store.links import LinkGrant
from weerbaar_meldpunt.store.people import Bundle, Invitation, Root, TeamGrant, User
from weerbaar_meldpunt.vault import audit as hashes

from .rowhash import row_values

ACCESS: Final[frozenset[type[Base]]] = frozenset(
    (TeamGrant, CaseGrant, Root, Invitation, Claim, Reader, Passkey, RecoveryPair, RecoveryGrant, LinkGrant)
)
_AT_ONCE: Final = 500


def tombstone_of(row: Base) -> bytes:
    """By what a row is known that was buried: the hash of all its columns."""
    return hashes.row_hash(type(row).__tablename__, row_values(row))


def place_stone(table: str, **place: bytes | str | int) -> bytes:
    """By what a lost place is known: what of the rows that gave it is the same in every epoch."""
    return hashes.row_hash(table, place)


def bundle_stone(user_id: bytes, number: int, revision: int) -> bytes:
    """By what a bundle is known that was the newest when factors were changed; each sign-in makes a next revision."""
    return place_stone(Bundle.__tablename__, user_id=user_id, number=number, revision=revision)


def bury(session: Session, rows: Iterable[Base], *, now: datetime) -> None:
    """Keep the hashes of rows that give access and are about to go or to be replaced."""
    stones = []
    for row in rows:
        stones.append(tombstone_of(row))
        if isinstance(row, Bundle):
            number = session.scalar(select(User.key_number).where(User.id == row.user_id)) or 0
            stones.append(bundle_stone(row.user_id, number, row.revision))
    _keep(session, stones, now=now)


def bury_place(session: Session, table: str, *, now: datetime, **place: bytes | str | int) -> None:
    """Keep that a place was lost, in whatever row a backup still gives it."""
    _keep(session, [place_stone(table, **place)], now=now)


def bury_all(session: Session, model: type[Base], *where: ColumnElement[bool], now: datetime) -> None:
    """Delete the rows of one table that gave access and are over, each buried first. For rows without a leaf."""
    rows = session.scalars(select(model).where(*where)).all()
    bury(session, rows, now=now)
    for row in rows:
        session.delete(row)
    session.flush()


def bury_case(session: Session, case_id: bytes, *, now: datetime) -> None:
    """Keep that a case was erased: whatever a backup still holds of it goes again when that is put back."""
    _keep(session, [hashes.case_tombstone(case_id)], now=now)


def _keep(session: Session, stones: Iterable[bytes], *, now: datetime) -> None:
    day = today(now)
    values = [{"day": day, "row_hash": stone, "set_no": None} for stone in stones]
    if values:
        session.execute(insert_if_absent(session, Tombstone), values)


def listed(session: Session, stones: Collection[bytes]) -> set[bytes]:
    """Which of these hashes are among the tombstones, of whatever day."""
    found, rest = set[bytes](), iter(stones)
    while some := list(islice(rest, _AT_ONCE)):
        found |= set(session.scalars(select(Tombstone.row_hash).where(Tombstone.row_hash.in_(some))))
    return found


def erased(session: Session, case_ids: Collection[bytes]) -> set[bytes]:
    """Which of these cases were erased."""
    by_stone = {hashes.case_tombstone(case_id): case_id for case_id in case_ids}
    return {by_stone[stone] for stone in listed(session, by_stone)}


def close_set(session: Session, number: int) -> None:
    """Everything buried since the last checkpoint becomes the set of this one."""
    session.execute(update(Tombstone).where(Tombstone.set_no.is_(None)).values(set_no=number))


def entries(session: Session, number: int | None = None) -> Iterator[tuple[date, bytes]]:
    """The tombstones of one set, or all there are, in order of day and hash; read as they are asked for."""
    query = select(Tombstone.day, Tombstone.row_hash)
    if number is not None:
        query = query.where(Tombstone.set_no == number)
    rows = session.execute(query.order_by(Tombstone.day, Tombstone.row_hash).execution_options(yield_per=1000))
    return ((row.day, row.row_hash) for row in rows)


def bring(session: Session, stones: Iterable[tuple[date, bytes]]) -> int:
    """Tombstones that were kept outside, taken in; answers how many were not here yet."""
    before = session.scalar(select(func.count()).select_from(Tombstone)) or 0
    rest = iter(stones)
    while some := list(islice(rest, _AT_ONCE)):
        known = {
            tuple(row)
            for row in session.execute(
                select(Tombstone.day, Tombstone.row_hash).where(tuple_(Tombstone.day, Tombstone.row_hash).in_(some))
            )
        }
        values = [{"day": day, "row_hash": stone, "set_no": None} for day, stone in some if (day, stone) not in known]
        if values:
            session.execute(insert_if_absent(session, Tombstone), values)
    return (session.scalar(select(func.count()).select_from(Tombstone)) or 0) - before
