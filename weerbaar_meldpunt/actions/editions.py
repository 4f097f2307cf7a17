"""Editions as they are stored, read and proven: by their hash, and by the leaf of what was done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from weerbaar_meldpunt.rules.figure_edition import Edition, read_edition
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.figures import Edition as EditionRow
from weerbaar_meldpunt.store.people import User
from weerbaar_meldpunt.vault import audit as hashes
from weerbaar_meldpunt.vault.derive import equal, sha256
from weerbaar_meldpunt.vault.errors import Onleesbaar

from .instance import Instance
from .people import open_user

PREPARED, APPROVED, PUBLISHED = "voorbereid", "goedgekeurd", "gepubliceerd"
CLOSED_ACT: Final = "cijfers_afgesloten"
APPROVED_ACT: Final = "cijfers_goedgekeurd"
PUBLISHED_ACT: Final = "cijfers_gepubliceerd"


@dataclass(frozen=True)
class EditionState:
    """Where an edition stands, for the editors."""

    period: str
    state: str
    prepared_by: bytes
    prepared_name: str
    prepared_at: datetime
    approved_name: str | None
    approved_at: datetime | None
    published_at: datetime | None


def require_witnessed(session: Session, instance: Instance, row: EditionRow, action: str) -> Leaf:
    """The leaf of an act on this very document; `Onleesbaar` when the trail knows of no such act."""
    before = aliased(Leaf)
    found = session.execute(
        select(Leaf, before.chain)
        .outerjoin(before, before.seq == Leaf.seq - 1)
        .where(Leaf.object == row.id, Leaf.action == action)
        .order_by(Leaf.seq)
        .limit(1)
    ).one_or_none()
    if found is None:
        raise Onleesbaar("edition")
    leaf, chain = found
    own = hashes.leaf(
        leaf.seq, leaf.at, leaf.actor, leaf.action, leaf.object, leaf.rows_hash, sha256(row.document_hash)
    )
    after = hashes.chain(chain or hashes.START, own)
    if after != leaf.chain or not equal(instance.server.audit_head(after), leaf.head):
        raise Onleesbaar("edition")
    return leaf


def stored(session: Session, instance: Instance, row: EditionRow, action: str) -> Edition:
    """The edition in a row, proven by its leaf; `Onleesbaar` when a byte of it is not what was made then."""
    if sha256(row.document) != row.document_hash:
        raise Onleesbaar("edition")
    require_witnessed(session, instance, row, action)
    try:
        edition = read_edition(row.document)
    except ValueError:
        raise Onleesbaar("edition") from None
    if edition.period != row.period:
        raise Onleesbaar("edition")
    return edition


def published_periods(session: Session) -> list[str]:
    """The months that are public, newest first."""
    query = select(EditionRow.period).where(EditionRow.state == PUBLISHED).order_by(EditionRow.period.desc())
    return list(session.scalars(query))


def published_editions(session: Session, instance: Instance) -> list[Edition]:
    """Every published edition, oldest first."""
    rows = session.scalars(select(EditionRow).where(EditionRow.state == PUBLISHED).order_by(EditionRow.period)).all()
    return [stored(session, instance, row, PUBLISHED_ACT) for row in rows]


def published_edition(session: Session, instance: Instance, period: str) -> Edition | None:
    """The published edition of a month, or nothing."""
    query = select(EditionRow).where(EditionRow.period == period, EditionRow.state == PUBLISHED)
    row = session.scalars(query).one_or_none()
    return None if row is None else stored(session, instance, row, PUBLISHED_ACT)


def prepared_edition(session: Session, instance: Instance, period: str) -> Edition | None:
    """The edition of a month in any state, for the editors who judge it."""
    row = session.scalars(select(EditionRow).where(EditionRow.period == period)).one_or_none()
    return None if row is None else stored(session, instance, row, CLOSED_ACT)


def edition_states(session: Session, instance: Instance) -> list[EditionState]:
    """All editions, newest first, with who did what."""
    rows = session.scalars(select(EditionRow).order_by(EditionRow.period.desc())).all()
    names = _names(session, instance, rows)
    return [
        EditionState(
            row.period, row.state, row.prepared_by, names.get(row.prepared_by, ""), row.prepared_at,
            names.get(row.approved_by) if row.approved_by else None, row.approved_at, row.published_at,
        )
        for row in rows
    ]  # fmt: skip


def _names(session: Session, instance: Instance, rows: Sequence[EditionRow]) -> dict[bytes, str]:
    people = {person for row in rows for person in (row.prepared_by, row.approved_by) if person}
    users = session.scalars(select(User).where(User.id.in_(people))).all()
    return {user.id: open_user(instance, user)[1] for user in users}
