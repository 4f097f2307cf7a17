"""The monthly edition: one editor closes the month, another approves, then it is published and never changed.

Only editors of the figures hold their key. A month is opened as a whole, folded into the sealed table of the year and
rounded; the facts are deleted. What is stored then, and later published, holds rounded numbers only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.figure_codes import FACT_DIMENSIONS
from weerbaar_meldpunt.rules.figure_edition import Edition, all_blocks, blocks_of, edition_bytes
from weerbaar_meldpunt.rules.figure_gate import require_publishable
from weerbaar_meldpunt.rules.figure_keeping import kept, read_kept
from weerbaar_meldpunt.rules.figure_periods import is_month, next_month
from weerbaar_meldpunt.rules.figures import Year, following, new_year
from weerbaar_meldpunt.rules.figures import close_month as round_month
from weerbaar_meldpunt.rules.rounding import Unpublishable
from weerbaar_meldpunt.store.figures import Edition as EditionRow
from weerbaar_meldpunt.store.figures import FiguresTable, StatFact
from weerbaar_meldpunt.store.figures import Instance as InstanceRow
from weerbaar_meldpunt.vault.derive import new_id, new_key, sha256
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json

from .editions import (
    APPROVED,
    APPROVED_ACT,
    CLOSED_ACT,
    PREPARED,
    PUBLISHED,
    PUBLISHED_ACT,
    require_witnessed,
    stored,
)
from .errors import NotAllowed
from .facts import month_of
from .figure_facts import audited_rows, delete_facts, end_of, open_facts
from .figure_secret import RoundingSecret, program_version
from .instance import Instance
from .ledger import Ledger, last_leaf
from .people import Person

__all__ = ["Unpublishable", "approve", "close_month", "next_period", "publish"]

ROLE: Final = "statistiekredacteur"


@dataclass(frozen=True)
class _Table:
    """The sealed table of a measure, open: its year, the secret of the rounding, all facts ever folded."""

    year: Year
    secret: RoundingSecret
    folded: int
    row: FiguresTable | None = None


def next_period(session: Session) -> str:
    """The month that is closed next: the one after the last edition, or the first month there is."""
    last = session.scalar(select(func.max(EditionRow.period)))
    if last:
        return next_month(last)
    first = session.scalar(select(func.min(StatFact.month)))
    made = month_of(session.scalars(select(InstanceRow.made_at)).one())
    return min(first or made, made)


def close_month(session: Session, instance: Instance, person: Person, period: str, *, now: datetime) -> EditionRow:
    """Open the month's facts, fold and round them, and store the edition for a second editor to approve.

    `NotAllowed` when it is not this person's to do, not this month's turn, or when the facts are not those that were
    audited; `Unpublishable` when no edition keeps every promise; `Onleesbaar` when a fact does not open.
    """
    ring = _ring(session, instance, person)
    if not is_month(period) or period != next_period(session):
        raise NotAllowed("maand_niet_aan_de_beurt")
    if now < end_of(period):
        raise NotAllowed("maand_niet_voorbij")
    before = [stored(session, instance, row, CLOSED_ACT) for row in _rows_of_year(session, period)]
    opened, audited = open_facts(session, ring, period), audited_rows(session, period)
    tables = {}
    for measure in FACT_DIMENSIONS:
        table = _table_before(session, ring, measure, period)
        if table.folded + opened.rows[measure] != audited[measure]:
            raise NotAllowed("feiten_kloppen_niet")
        year = round_month(table.year, period, opened.counts[measure], table.secret.noise)
        tables[measure] = replace(table, year=year, folded=audited[measure])
    edition = Edition(
        period=period,
        blocks=tuple(block for table in tables.values() for block in blocks_of(table.year, period)),
        sources={name: table.secret.source(name, period, opened.counts[name]) for name, table in tables.items()},
        program=program_version(),
        anchor=sha256(last_leaf(session).chain or b"").hex(),
    )
    _require_publishable(tables.values(), [*before, edition])
    for table in tables.values():
        _keep(session, ring[-1], table)
    delete_facts(session, opened)
    return _prepare(session, instance, person, edition, now=now)


def approve(session: Session, instance: Instance, person: Person, period: str, *, now: datetime) -> None:
    """A second editor agrees with what the first one prepared; never with the own act."""
    _ring(session, instance, person)
    row = _row(session, period)
    if row.state != PREPARED:
        raise NotAllowed("editie_niet_voorbereid")
    # Who prepared it is read from the trail too: a column can be changed by who writes the database.
    closed = require_witnessed(session, instance, row, CLOSED_ACT)
    if person.user_id in (row.prepared_by, closed.actor):
        raise NotAllowed("eigen_werk")
    ledger = Ledger(session, instance, now=now)
    ledger.change(row, state=APPROVED, approved_by=person.user_id, approved_at=now)
    ledger.close(person.user_id, APPROVED_ACT, row.id, row.document_hash)


def publish(session: Session, instance: Instance, person: Person, period: str, *, now: datetime) -> None:
    """Make an approved edition public, for good. Everything is checked once more, against all editions of the year."""
    ring = _ring(session, instance, person)
    row = _row(session, period)
    if row.state == PUBLISHED:
        raise NotAllowed("editie_al_gepubliceerd")
    if row.state != APPROVED:
        raise NotAllowed("editie_niet_goedgekeurd")
    closed = require_witnessed(session, instance, row, CLOSED_ACT)
    if require_witnessed(session, instance, row, APPROVED_ACT).actor == closed.actor:
        raise NotAllowed("eigen_werk")
    earlier = select(EditionRow.id).where(EditionRow.period < period, EditionRow.state != PUBLISHED)
    if session.scalar(earlier.limit(1)) is not None:
        raise NotAllowed("eerst_eerdere_maanden")
    editions = [stored(session, instance, one, CLOSED_ACT) for one in _rows_of_year(session, period)]
    tables = [_open_table(ring, _table_row(session, measure, int(period[:4]))) for measure in FACT_DIMENSIONS]
    _require_publishable(tables, editions)
    ledger = Ledger(session, instance, now=now)
    ledger.change(row, state=PUBLISHED, published_at=now)
    ledger.close(person.user_id, PUBLISHED_ACT, row.id, row.document_hash)


def _ring(session: Session, instance: Instance, person: Person) -> Sequence[TeamKeys]:
    """The editor's keys, the one that is sealed under last; refused without the role or the pinned key."""
    if not person.has(ROLE) or not person.statistics:
        raise NotAllowed("geen_sleutel_cijfers")
    pinned = instance.sealing_keys(session, "stats", ("",)).get("")
    current = [keys for keys in person.statistics if pinned and keys.pair.public.fingerprint == pinned.fingerprint]
    if not current:
        raise NotAllowed("geen_sleutel_cijfers")
    return [*(keys for keys in person.statistics if keys is not current[0]), current[0]]


def _row(session: Session, period: str) -> EditionRow:
    row = session.scalars(
        select(EditionRow)
        .where(EditionRow.period == period)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotAllowed("geen_editie")
    return row


def _rows_of_year(session: Session, period: str) -> Sequence[EditionRow]:
    """The editions of a calendar year; between two years no published number is shared."""
    first, last = f"{period[:4]}-01", f"{period[:4]}-12"
    return session.scalars(
        select(EditionRow).where(EditionRow.period.between(first, last)).order_by(EditionRow.period)
    ).all()


def _table_row(session: Session, measure: str, year: int) -> FiguresTable | None:
    query = select(FiguresTable).where(FiguresTable.measure == measure, FiguresTable.year == year)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()


def _table_before(session: Session, ring: Sequence[TeamKeys], measure: str, period: str) -> _Table:
    """The table as the month before left it; a new one in January and for the very first month."""
    year = int(period[:4])
    row = _table_row(session, measure, year)
    if row is not None:
        return _continued(_open_table(ring, row), period)
    last_year = _table_row(session, measure, year - 1)
    secret = RoundingSecret(new_key())
    if last_year is not None:
        ended = _continued(_open_table(ring, last_year), period)
        return _Table(following(ended.year), secret, ended.folded)
    if session.scalar(select(EditionRow.id).limit(1)) is not None:
        raise Onleesbaar("figures")  # months were closed, and their table is gone
    return _Table(new_year(measure, year), secret, 0)


def _continued(table: _Table, period: str) -> _Table:
    """The table, when its last month is the one before: an old copy put back would be rounded a second time."""
    if table.year.last is None or next_month(table.year.last) != period:
        raise Onleesbaar("figures")
    return table


def _open_table(ring: Sequence[TeamKeys], row: FiguresTable | None) -> _Table:
    if row is None:
        raise Onleesbaar("figures")
    binding = Binding("figures", row.measure, row.year, row.revision)
    mine = [key for keys in ring if row.sealed.startswith((key := keys.key("figures")).header)]
    if not mine:
        raise Onleesbaar("figures")
    document = open_json(mine[0], row.sealed, binding)
    try:
        year = read_kept(document["year"])
        secret, folded = RoundingSecret(bytes.fromhex(document["secret"])), document["folded"]
    except (KeyError, TypeError, ValueError):
        raise Onleesbaar("figures") from None
    if (year.measure, year.year) != (row.measure, row.year):
        raise Onleesbaar("figures")
    return _Table(year, secret, folded, row)


def _keep(session: Session, keys: TeamKeys, table: _Table) -> None:
    """Seal the table again, under the newest key and the next revision."""
    row = table.row
    if row is None:
        row = FiguresTable(measure=table.year.measure, year=table.year.year, revision=0, sealed=b"")
        session.add(row)
    row.revision += 1
    document: Mapping[str, Any] = {
        "year": kept(table.year), "secret": table.secret.secret.hex(), "folded": table.folded,
    }  # fmt: skip
    row.sealed = seal_json(keys.key("figures"), document, Binding("figures", row.measure, row.year, row.revision))
    session.flush()


def _require_publishable(tables: Iterable[_Table], editions: Sequence[Edition]) -> None:
    for table in tables:
        require_publishable(table.year, all_blocks(editions, table.year.measure))


def _prepare(session: Session, instance: Instance, person: Person, edition: Edition, *, now: datetime) -> EditionRow:
    document, edition_id = edition_bytes(edition), new_id()
    digest = sha256(document)
    ledger = Ledger(session, instance, now=now)
    ledger.add(
        EditionRow, id=edition_id, period=edition.period, document=document, document_hash=digest, state=PREPARED,
        prepared_by=person.user_id, prepared_at=now,
    )  # fmt: skip
    # The leaf carries the hash, so that a document changed in the database is noticed.
    ledger.close(person.user_id, CLOSED_ACT, edition_id, digest)
    return session.get_one(EditionRow, edition_id)
