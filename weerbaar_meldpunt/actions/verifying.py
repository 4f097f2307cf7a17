"""Is everything still as the trail says? Reads the whole trail and every row it covers, a piece at a time.

Four things are held against each other: each leaf against the one before it and the server's key; each row against its
newest leaf; the stored checkpoints and the tombstones against both; and, where somebody brings one, a checkpoint that
was kept outside. What is wrong is named by the number of its leaf.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.audit import Checkpoint as CheckpointRow
from weerbaar_meldpunt.store.audit import Leaf, LeafRow, Tombstone
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.vault import audit as hashes
from weerbaar_meldpunt.vault.audit import Checkpoint, read_anchor
from weerbaar_meldpunt.vault.derive import equal, sha256
from weerbaar_meldpunt.vault.wrap import verified

from .instance import Instance
from .raw_values import as_day, as_moment, raw
from .tombstones import erased
from .verified_rows import check_rows

KEPT: Final = 200  # findings that are named one by one; the rest is counted
_AT_ONCE: Final = 500
_MOVED: Final = 20  # leaves among which one that was moved is looked for


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written."""

    seq: int | None  # the leaf it is about; none where no leaf says anything of it
    what: str
    where: str = ""  # a table with the id of the row, a number; never content


@dataclass
class Verdict:
    """What a check of everything found."""

    leaves: int = 0
    rows: int = 0
    checkpoints: int = 0
    tombstones: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    anchor: str = ""  # what was compared from outside, or nothing

    def add(self, seq: int | None, what: str, where: str = "") -> None:
        """Note that something is wrong; of very many, those with the lowest numbers are kept."""
        self.kinds[what] += 1
        self.findings.append(Finding(seq, what, where))
        if len(self.findings) >= 2 * KEPT:
            self.findings = self.sorted()[:KEPT]

    def sorted(self) -> list[Finding]:
        """The findings, lowest number first; those without a number last."""
        return sorted(self.findings, key=lambda one: (one.seq is None, one.seq or 0, one.what, one.where))

    @property
    def wrong(self) -> int:
        """How many things are wrong."""
        return sum(self.kinds.values())

    @property
    def first(self) -> Finding | None:
        """The one with the lowest number."""
        return next(iter(self.sorted()), None)


def one_moment(session: Session) -> None:
    """All that this session reads is of one moment; to be called before its first statement."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def verify(session: Session, instance: Instance, *, anchor: str | None = None) -> Verdict:
    """Check everything; `anchor` is a text with a checkpoint that was kept outside (`ValueError` when it has none)."""
    outside = read_anchor(anchor) if anchor is not None else None
    verdict, trail = Verdict(), _TrailCheck(session, instance)
    stored = trail.checkpoints(verdict)
    if outside is not None:
        trail.expect(outside.checkpoint.size, outside.checkpoint.chain, "anchor")
    trail.leaves(verdict)
    first = min((point.size for point in stored.values()), default=None)
    check_rows(session, verdict, buried_after=first)
    heads = trail.tombstones(verdict, stored)
    if outside is not None:
        text = outside.checkpoint
        verdict.anchor = f"{text.size} {text.at:%Y-%m-%dT%H:%M:%SZ}"
        ours = hashes.checkpoint_key(instance.server.checkpoint_seed)
        if text.instance_id != instance.id or (outside.key is not None and not equal(outside.key, ours)):
            verdict.add(None, "anchor_of_another")
        elif outside.key is not None and not outside.signed:
            verdict.add(None, "anchor_not_signed")
        if (text.tombstones, text.tombstone_head) not in heads:
            verdict.add(text.size, "tombstones_not_as_anchor")
        if outside.key is None:
            verdict.anchor += " unsigned"
    return verdict


class _TrailCheck:
    """The pass over the leaves, with what must be found on the way."""

    def __init__(self, session: Session, instance: Instance) -> None:
        self._session, self._instance = session, instance
        self._expected: dict[int, list[tuple[bytes, str]]] = {}
        self._bodiless: list[tuple[int, bytes]] = []
        self._strange: list[tuple[Any, bytes, bytes]] = []  # leaf, the chain before it, the hash of its rows

    def expect(self, size: int, chain: bytes, by: str) -> None:
        """After so many leaves the chain must be this."""
        self._expected.setdefault(size, []).append((chain, by))

    def checkpoints(self, verdict: Verdict) -> dict[int, Checkpoint]:
        """The stored checkpoints: numbered, signed by us, never smaller than the one before."""
        ours, found, expected = hashes.checkpoint_key(self._instance.server.checkpoint_seed), dict[int, Checkpoint](), 1
        columns = (CheckpointRow.number, CheckpointRow.size, CheckpointRow.text, CheckpointRow.signature)
        query = select(*map(raw, columns)).order_by(CheckpointRow.number)
        for row in self._session.execute(query):
            verdict.checkpoints += 1
            if row.number != expected:
                verdict.add(_number(row.size), "checkpoint_removed", str(expected))
            expected = row.number + 1
            try:
                read = Checkpoint.parse(row.text)
                fine = verified(ours, row.signature, row.text.encode()) and read.size == row.size
            except (ValueError, TypeError, AttributeError):
                fine = False
            if not fine:
                verdict.add(_number(row.size), "checkpoint_altered", str(row.number))
                continue
            found[row.number] = read
            self.expect(read.size, read.chain, f"checkpoint {row.number}")
        return found

    def leaves(self, verdict: Verdict) -> None:
        """Each leaf against the one before it, its rows, its body and the server's key."""
        rows, before, last = _Lines(self._session), hashes.START, 0
        self._met(verdict, 0, before)
        columns = (
            Leaf.seq, Leaf.at, Leaf.actor, Leaf.action, Leaf.object, Leaf.rows_hash, Leaf.body, Leaf.body_hash,
            Leaf.chain, Leaf.head,
        )  # fmt: skip
        query = select(*map(raw, columns))
        for leaf in self._session.execute(query.order_by(Leaf.seq).execution_options(yield_per=_AT_ONCE)):
            verdict.leaves += 1
            if leaf.seq < 1:
                verdict.add(leaf.seq, "leaf_inserted")
                continue
            known = leaf.seq == last + 1
            if not known:
                verdict.add(last + 1, "leaf_removed", f"{last + 1}-{leaf.seq - 1}")
            try:
                self._leaf(verdict, leaf, before if known else None, rows.of(leaf.seq))
            except (TypeError, ValueError, AttributeError):  # a value that this program never writes there
                verdict.add(leaf.seq, "leaf_altered", str(leaf.seq))
            before, last = leaf.chain if isinstance(leaf.chain, bytes) else b"", leaf.seq
            self._met(verdict, last, before)
            if len(self._bodiless) >= _AT_ONCE:
                self._bodies(verdict)
        self._bodies(verdict)
        self._moved(verdict)
        beyond = max(self._expected, default=0)
        if beyond > last:
            by = self._expected[beyond][0][1]
            verdict.add(last + 1, "tail_removed", f"{last + 1}-{beyond} {by}")

    def _leaf(self, verdict: Verdict, leaf: Any, before: bytes | None, lines: list[tuple[str, bytes, bytes]]) -> None:
        where = str(leaf.seq)
        ours = equal(self._instance.server.audit_head(leaf.chain), leaf.head)
        if not ours:
            verdict.add(leaf.seq, "not_by_this_program", where)
        covered = hashes.rows_hash(lines)
        if ours and covered != leaf.rows_hash:
            verdict.add(leaf.seq, "leaf_rows_altered", where)
        if leaf.body is not None:
            if ours and sha256(leaf.body) != leaf.body_hash:
                verdict.add(leaf.seq, "body_altered", where)
        elif leaf.body_hash:
            self._bodiless.append((leaf.seq, leaf.object))
        if ours and before is not None:
            digest = _digest(leaf, leaf.seq)
            if hashes.chain(before, digest) != leaf.chain:
                self._strange.append((leaf, before, leaf.chain))
                if len(self._strange) > _MOVED:
                    self._moved(verdict)

    def _met(self, verdict: Verdict, size: int, chain: bytes) -> None:
        for expected, by in self._expected.pop(size, []):
            if expected != chain:
                verdict.add(size, "rewritten_since", by)

    def _moved(self, verdict: Verdict) -> None:
        """Leaves that do not follow from the one before: put in another place, or changed."""
        numbers = [leaf.seq for leaf, _, _ in self._strange]
        chains = {chain for _, before, own in self._strange for chain in (before, own)}
        for leaf, _, own in self._strange:
            was = next(
                (n for n in numbers for c in chains if n != leaf.seq and hashes.chain(c, _digest(leaf, n)) == own), None
            )
            if was is None:
                verdict.add(leaf.seq, "leaf_altered", str(leaf.seq))
            else:
                verdict.add(leaf.seq, "leaf_moved", f"{was}")
        self._strange.clear()

    def _bodies(self, verdict: Verdict) -> None:
        """Words that are gone: rightly so with an erased case, and not while the case is here."""
        objects = {case_id for _, case_id in self._bodiless}
        here = set(self._session.scalars(select(Case.id).where(Case.id.in_(objects)))) if objects else set()
        gone = erased(self._session, here)
        for seq, case_id in self._bodiless:
            if case_id in here and case_id not in gone:
                verdict.add(seq, "body_removed", str(seq))
        self._bodiless.clear()

    def tombstones(self, verdict: Verdict, stored: dict[int, Checkpoint]) -> set[tuple[int, bytes]]:
        """Each set of tombstones against the checkpoint that counted it; answers every count with its head."""
        head, count, met = hashes.START, 0, {(0, hashes.START)}
        columns = (Tombstone.set_no, Tombstone.day, Tombstone.row_hash)
        query = select(*map(raw, columns)).where(Tombstone.set_no.is_not(None))
        ordered = query.order_by(Tombstone.set_no, Tombstone.day, Tombstone.row_hash)
        rows = self._session.execute(ordered.execution_options(yield_per=_AT_ONCE))
        sets = groupby(rows, key=lambda row: row.set_no)
        number, stones = next(sets, (None, iter(())))
        last = max(stored, default=0)
        for checkpoint in range(1, last + 1):
            while number is not None and (not isinstance(number, int) or number < checkpoint):
                verdict.add(None, "tombstones_altered", str(number))
                number, stones = next(sets, (None, iter(())))
            own: Iterable[Any] = stones if number == checkpoint else ()
            head, more = hashes.tombstone_head(head, map(_stone, own))
            if number == checkpoint:
                number, stones = next(sets, (None, iter(())))
            count += more
            met.add((count, head))
            said = stored.get(checkpoint)
            if said is not None and (said.tombstones, said.tombstone_head) != (count, head):
                verdict.add(said.size, "tombstones_altered", str(checkpoint))
                head, count = said.tombstone_head, said.tombstones  # the next sets hang from what was signed
        if number is not None:
            verdict.add(None, "tombstones_altered", str(number))
        verdict.tombstones = self._session.scalar(select(func.count()).select_from(Tombstone)) or 0
        return met


class _Lines:
    """The rows that leaves cover, read beside the leaves."""

    def __init__(self, session: Session) -> None:
        columns = (LeafRow.seq, LeafRow.table, LeafRow.row, LeafRow.row_hash)
        query = select(*map(raw, columns)).order_by(LeafRow.seq, LeafRow.place)
        rows = session.execute(query.execution_options(yield_per=2000))
        self._groups: Iterator[tuple[int, Iterator[Any]]] = groupby(rows, key=lambda row: row.seq)
        self._next = next(self._groups, None)

    def of(self, seq: int) -> list[tuple[str, bytes, bytes]]:
        """Those of one leaf; leaves are asked for in order."""
        while self._next is not None and self._next[0] < seq:
            self._next = next(self._groups, None)
        if self._next is None or self._next[0] != seq:
            return []
        found = [(row.table, row.row, row.row_hash) for row in self._next[1]]
        self._next = next(self._groups, None)
        return found


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _stone(row: Any) -> tuple[date, bytes]:
    """A tombstone for the head; what is none becomes one that fits no head."""
    return as_day(row.day) or date.min, row.row_hash if isinstance(row.row_hash, bytes) else b""


def _digest(leaf: Any, seq: int) -> bytes:
    at = as_moment(leaf.at)
    if at is None:
        raise ValueError("no moment")
    return hashes.leaf(seq, at, leaf.actor, leaf.action, leaf.object, leaf.rows_hash, leaf.body_hash)
