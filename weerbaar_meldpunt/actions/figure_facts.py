"""The sealed facts of a month, opened all at once when it closes, and held against what the audit trail counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.figure_codes import FACT_DIMENSIONS
from weerbaar_meldpunt.rules.figure_lines import read_sealed_fact
from weerbaar_meldpunt.rules.figure_periods import next_month
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.figures import EntryGrant, StatFact
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding, SealKey, open_json
from weerbaar_meldpunt.vault.wrap import Grant, unwrap

from .facts import LOCAL

# How many facts each audited act wrote. A correction writes two: the old codes back, the new ones in.
AUDITED: Final[Mapping[str, Mapping[str, int]]] = {
    "meldingen": {"feiten_vastgesteld": 1, "feiten_verbeterd": 2, "feiten_ingetrokken": 1},
    "afgehandeld": {"zaak_gesloten": 1, "zaak_heropend": 1},
}
_AT_ONCE: Final = 500  # rows read or deleted in one go


@dataclass
class OpenedFacts:
    """The facts up to a month: counts by measure and codes, numbers of rows, and the rows themselves by id."""

    counts: dict[str, dict[tuple[str, ...], int]] = field(default_factory=lambda: {m: {} for m in FACT_DIMENSIONS})
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FACT_DIMENSIONS, 0))
    ids: list[bytes] = field(default_factory=list, repr=False)


def open_facts(session: Session, ring: Sequence[TeamKeys], period: str) -> OpenedFacts:
    """Open every fact up to and including a month; `Onleesbaar` when one does not open or is none.

    Facts of earlier months count too: one whose transaction ended just after its month was closed.
    """
    pairs = {keys.pair.public.key_id: keys.pair for keys in ring}
    opened = OpenedFacts()
    rows = session.execute(
        select(StatFact.id, StatFact.sealed, EntryGrant.recipient, EntryGrant.wrapped)
        .outerjoin(EntryGrant, EntryGrant.entry_id == StatFact.id)
        .where(StatFact.month <= period)
        .execution_options(yield_per=_AT_ONCE)
    )
    for entry, sealed, recipient, wrapped in rows:
        if recipient not in pairs:
            raise Onleesbaar("entry")
        key = SealKey(unwrap(pairs[recipient], wrapped, Grant("entry", entry)))
        try:
            measure, codes, n = read_sealed_fact(open_json(key, sealed, Binding("fact", None, entry, 0)))
        except ValueError:
            raise Onleesbaar("fact") from None
        counts = opened.counts[measure]
        counts[codes] = counts.get(codes, 0) + n
        opened.rows[measure] += 1
        opened.ids.append(entry)
    return opened


def audited_rows(session: Session, period: str) -> dict[str, int]:
    """How many facts the audit trail says were written from the beginning until the end of a month, by measure."""
    actions = {action for audited in AUDITED.values() for action in audited}
    found: dict[str, int] = {}
    for action, count in session.execute(
        select(Leaf.action, func.count())
        .where(Leaf.action.in_(actions), Leaf.at < end_of(period))
        .group_by(Leaf.action)
    ):
        found[action] = count
    return {
        measure: sum(rows * found.get(action, 0) for action, rows in audited.items())
        for measure, audited in AUDITED.items()
    }


def delete_facts(session: Session, opened: OpenedFacts) -> None:
    """Delete exactly the facts that were opened; one that came in meanwhile stays for the next close."""
    for start in range(0, len(opened.ids), _AT_ONCE):
        chunk = opened.ids[start : start + _AT_ONCE]
        session.execute(delete(EntryGrant).where(EntryGrant.entry_id.in_(chunk)))
        session.execute(delete(StatFact).where(StatFact.id.in_(chunk)))


def end_of(period: str) -> datetime:
    """The moment a month is over in Dutch local time."""
    after = next_month(period)
    return datetime(int(after[:4]), int(after[5:]), 1, tzinfo=LOCAL).astimezone(UTC)
