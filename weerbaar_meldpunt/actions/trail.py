"""Holding the rows of a case against its trail: what was changed behind the program is not shown as if it were true.

A leaf says what each row it covers looked like (docs/security.md, "Audit"). A row that differs from its newest leaf, or
has none, was changed, put back or planted by whoever can write the database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any, Final

from weerbaar_meldpunt.store.base import Base
from weerbaar_meldpunt.vault import audit as hashes
from weerbaar_meldpunt.vault.derive import equal, sha256

from .instance import Instance
from .rowhash import row_id, row_values

GONE: Final = b""  # the hash of a row that was deleted
LINE: Final = "line"
# The report and its keys stay readable when lines of a leaf are gone, beside a marked gap: else whoever can write the
# database keeps a whole case from its team by deleting one line. They have proofs of their own: a key hangs from the
# one before it, and the report stands under the newest.
_STILL_READ: Final = frozenset(("case_doc", "case_grant", "case_epoch"))


@dataclass(frozen=True)
class Trail:
    """What the newest leaf says of each row; `None` where that leaf itself is not the program's."""

    newest: Mapping[tuple[str, bytes], bytes | None] = field(repr=False)
    # The rows that leaves of the cases themselves cover; a leaf of the clock covers those of other cases too.
    own: Collection[tuple[str, bytes]] = field(default=frozenset(), repr=False)
    # Whether a leaf of the cases lost lines that it was written with: what it covered, nobody can tell any more.
    holed: bool = False

    def agrees(self, row: Base) -> bool:
        """Whether a row, with all its columns, is as its newest leaf says."""
        return self.says(*as_read(row))

    def says(self, table: str, row: bytes, digest: bytes) -> bool:
        """Whether a row of this hash is as its newest leaf says."""
        said = self.newest.get((table, row))
        return bool(said) and said == digest

    @cached_property
    def epochs(self) -> Mapping[bytes, Mapping[str, int]]:
        """The newest epoch of the keys of each case, by compartment, that a leaf tells of."""
        found: dict[bytes, dict[str, int]] = {}
        for table, row in self.own:
            if table == "case_epoch" and self.newest[table, row] != GONE:
                case_id, compartment, epoch = row.rsplit(b"|", 2)
                of_case = found.setdefault(case_id, {})
                of_case[compartment.decode()] = max(int(epoch), of_case.get(compartment.decode(), 0))
        return found

    def missing(self, table: str, present: Iterable[bytes]) -> int:
        """How many rows of a table should be there and are not."""
        expected = {row for name, row in self.own if name == table and self.newest[name, row] != GONE}
        return len(expected - set(present))


def as_read(row: Base) -> tuple[str, bytes, bytes]:
    """Table, id and hash of a row as it stands, to hold against the trail later."""
    table, values = type(row).__tablename__, row_values(row)
    return table, row_id(type(row), values), hashes.row_hash(table, values)


def trail_from(instance: Instance, case_ids: Collection[bytes], lines: Sequence[Any]) -> Trail:
    """The trail out of the lines of leaves (see `caserows`), each leaf that covers a row checked by itself."""
    newest: dict[tuple[str, bytes], bytes | None] = {}
    of: dict[tuple[str, bytes], Any] = {}  # a line of the newest leaf that covers a row
    holes: dict[bytes, int] = {}  # the newest leaf of each case that does not have the lines it was written with
    for _, group in groupby(sorted(lines, key=lambda line: (line.number, line.extra)), key=lambda line: line.number):
        covered = list(group)
        vouched, leaf = _is_ours(instance, covered), covered[0]
        if not vouched and leaf.case_id in case_ids and _lost_lines(covered):
            holes[leaf.case_id] = leaf.number
        for line in _with_rows(covered):
            newest[line.table, line.id], of[line.table, line.id] = line.sealed if vouched else None, line
    last = max(holes.values(), default=0)
    for row, line in of.items() if holes else ():
        # A later leaf may have said otherwise of a row, in the lines that are gone: an older line is no word for it.
        if line.table not in _STILL_READ and line.number < (
            holes.get(line.case_id, 0) if line.case_id in case_ids else last
        ):
            newest[row] = None
    own = frozenset((line.table, line.id) for line in _with_rows(lines) if line.case_id in case_ids)
    return Trail(newest, own, bool(holes))


def _lost_lines(lines: Sequence[Any]) -> bool:
    """Whether a leaf that is not in order may have covered more; else it was its own columns that were changed."""
    rows = _with_rows(lines)
    return bool(hashes.rows_hash((line.table, line.id, line.sealed) for line in rows) != lines[0].rows)


def _with_rows(lines: Sequence[Any]) -> Sequence[Any]:
    """Without those of leaves that have no lines: openings, and leaves of which somebody deleted them."""
    return [line for line in lines if line.table is not None]


def _is_ours(instance: Instance, lines: Sequence[Any]) -> bool:
    """Whether the program wrote this leaf, over exactly these rows: only the server key gives a head.

    One that comes without lines must have been written without them, as an opening is.
    """
    rows = ((line.table, line.id, line.sealed) for line in _with_rows(lines))
    return _has_our_head(instance, lines[0], hashes.rows_hash(rows))


def is_our_event(instance: Instance, event: Any) -> bool:
    """Whether the program wrote this leaf: its moment, who, what and its words (see `caserows.events`)."""
    body = sha256(event.sealed) if event.sealed else b""
    return body == event.last and _has_our_head(instance, event, event.rows)


def _has_our_head(instance: Instance, leaf: Any, rows: bytes) -> bool:
    digest = hashes.leaf(leaf.number, leaf.moment, leaf.other, leaf.part, leaf.case_id, rows, leaf.last)
    chain = hashes.chain(hashes.START if leaf.number == 1 else (leaf.before or b""), digest)
    return chain == leaf.chain and equal(instance.server.audit_head(chain), leaf.head)
