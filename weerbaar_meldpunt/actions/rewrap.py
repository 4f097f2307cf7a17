"""Wrapping a team's case keys anew after it got a new key, in batches that can stop anywhere and go on.

It takes a session of a member: only who holds the team's old key can do it. Nothing waits for it: cases open by their
old wraps until it is their turn, and what is written meanwhile gets new case keys (`caseepochs`). The slow half only
reads, so that nobody who files a report waits for it.

A wrap that is replaced gets no stone: a backup from before it would open for nobody once it is put back. Who left the
team is kept out by their own grant of the team's secret, which was buried when they left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.base import Base
from weerbaar_meldpunt.store.cases import Case, CaseEpoch, CaseGrant, Fold, Headline
from weerbaar_meldpunt.vault import audit as hashes
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.wrap import PublicKey

from .caseepochs import key_ids_of_team
from .casekeys import CaseRing, grant_values, keep_cache, open_for_team
from .errors import NotAllowed, NotYours
from .gaps import note_gaps
from .instance import Instance
from .labels import labelled
from .ledger import Leaves
from .person import Person
from .pinning import require_believed
from .rowhash import row_id
from .vouching import trail_of_rows

BATCH: Final = 100  # cases
REWRAPPED: Final = "opnieuw_ingepakt"
_TABLE: Final = CaseGrant.__tablename__
_KEY: Final = ("case_id", "compartment", "epoch", "recipient")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is."""

    done: int = 0  # cases of this batch that are done
    left: int = 0  # wraps that are still under an older key of the team
    refused: tuple[bytes, ...] = ()  # cases of this batch with a wrap that is not believed: it stays, for an alarm
    after: bytes | None = None  # the case to go on after; nothing when this was the last batch


@dataclass(frozen=True)
class _Anew:
    """One wrap and what takes its place."""

    old: CaseGrant
    fresh: dict[str, Any] | None  # nothing when the team has this key by its newest wrap already


@dataclass
class Prepared:
    """The wraps of some cases, verified and made anew; nothing of it is written yet."""

    team: str
    wraps: dict[bytes, list[_Anew]] = field(default_factory=dict, repr=False)
    folds: dict[bytes, list[dict[str, Any]]] = field(default_factory=dict, repr=False)
    refused: list[bytes] = field(default_factory=list)
    after: bytes | None = None


def wraps_left(session: Session, instance: Instance, team: str) -> int:
    """How many wraps of case keys are under an older key of a team than the one that seals now."""
    return _count(session, _old_ids(instance, team))


def wraps_under(session: Session, instance: Instance, team: str, epoch: int) -> int:
    """How many wraps of case keys a team's key of one epoch still opens; at none that key may be destroyed."""
    pins = instance.pins().lines
    return _count(session, {pin.fingerprint[:16] for pin in pins if pin.key == ("team", team) and pin.epoch == epoch})


def _count(session: Session, key_ids: set[bytes]) -> int:
    if not key_ids:
        return 0
    query = select(func.count()).select_from(CaseGrant).where(CaseGrant.recipient.in_(key_ids))
    return session.scalar(query) or 0


def _old_ids(instance: Instance, team: str) -> set[bytes]:
    seals = instance.pins().sealing("team", team)
    return key_ids_of_team(instance, team) - ({seals.fingerprint[:16]} if seals else set())


def _team_key(session: Session, instance: Instance, person: Person, team: str) -> PublicKey:
    """The key of now, pinned in the file and by this person; anything else is refused."""
    require_believed(instance, person.pins, "team", team)
    key = instance.sealing_keys(session, "team", (team,)).get(team)
    if key is None:
        raise NotAllowed("team_niet_gereed")
    return key


def prepare_batch(
    session: Session, instance: Instance, person: Person, team: str, *, limit: int = BATCH, after: bytes = b""
) -> Prepared:
    """Verify the wraps of the next cases as at an opening, and wrap their keys to the team's key of now. Only reads.

    A wrap that is not believed is not wrapped again, so that a planted one never becomes true. `NotYours` for who does
    not hold the team's keys.
    """
    keys = person.teams.get(team)
    if not keys:
        raise NotYours
    to, old = _team_key(session, instance, person, team), _old_ids(instance, team)
    case_ids = _next_cases(session, old, after, limit)
    made = Prepared(team, after=case_ids[-1] if len(case_ids) == limit else None)
    for case in _opened(session, instance, keys, case_ids):
        has = {(row.compartment, row.epoch) for row in case.grants if row.recipient == to.key_id}
        anew = []
        for row in case.grants:
            if row.recipient in old and row.epoch <= case.ring.epochs.get(row.compartment, -1):
                key, place = case.ring.keys[row.compartment][row.epoch], (row.compartment, row.epoch)
                fresh = (
                    grant_values(case.case_id, *place, key, to, grantor=person.user_id) if place not in has else None
                )
                anew.append(_Anew(row, fresh))
                has.add(place)
        if len(anew) < case.under(old):
            made.refused.append(case.case_id)
        if anew:
            made.wraps[case.case_id] = anew
            if keys[-1].pair.public.key_id == to.key_id:  # caches are made under the key of now only
                made.folds[case.case_id] = case.folds
    labelled("rewrap/prepared")
    return made


def _next_cases(session: Session, old: set[bytes], after: bytes, limit: int) -> list[bytes]:
    """The next cases with a wrap under an old key, in order; out of the index alone, whatever the number."""
    found: set[bytes] = set()
    for key_id in old:
        query = select(CaseGrant.case_id).where(CaseGrant.recipient == key_id, CaseGrant.case_id > after)
        found |= set(session.scalars(query.distinct().order_by(CaseGrant.case_id).limit(limit)))
    return sorted(found)[:limit]


@dataclass(frozen=True)
class _Opened:
    case_id: bytes
    ring: CaseRing
    folds: list[dict[str, Any]]
    grants: list[CaseGrant]  # those that are as the trail says
    recipients: list[bytes]  # of all there are

    def under(self, old: set[bytes]) -> int:
        """How many wraps there are under old keys, believed or not."""
        return sum(recipient in old for recipient in self.recipients)


def _opened(
    session: Session, instance: Instance, keys: Sequence[TeamKeys], case_ids: Sequence[bytes]
) -> Iterator[_Opened]:
    if not case_ids:
        return
    held = key_ids_of_team(instance, keys[-1].team)
    of_team = CaseGrant.case_id.in_(case_ids), CaseGrant.recipient.in_(held)
    wraps = session.scalars(select(CaseGrant).where(*of_team).execution_options(populate_existing=True)).all()
    epochs = session.scalars(select(CaseEpoch).where(CaseEpoch.case_id.in_(case_ids))).all()
    # The newest leaf of each row is enough here: a case with a long history costs no more than a new one.
    trail = trail_of_rows(session, instance, [*wraps, *epochs])
    by_case: dict[bytes, tuple[list[CaseGrant], list[CaseEpoch]]] = {case_id: ([], []) for case_id in case_ids}
    for row in wraps:
        by_case[row.case_id][0].append(row)
    for seal in epochs:
        by_case[seal.case_id][1].append(seal)
    for case_id, (mine, seals) in by_case.items():
        believed = [row for row in mine if trail.agrees(row)]
        ring, folds = open_for_team(case_id, keys, believed, (), seals, trail)
        yield _Opened(case_id, ring, folds, believed, [row.recipient for row in mine])


def keep_batch(session: Session, instance: Instance, person: Person, prepared: Prepared, *, now: datetime) -> Progress:
    """Write a batch: every wrap that is still as it was read gives way to the new one, with a leaf for each case.

    The caller's transaction is the whole of it: killed before its end, nothing was done and the next run does it again.
    """
    case_ids = sorted(prepared.wraps)
    # The cases first and the trail after, as every act on a case does: who took them the other way round would wait for
    # each other for ever.
    session.execute(select(Case.id).where(Case.id.in_(case_ids)).order_by(Case.id).with_for_update(key_share=True))
    # From here on nobody else writes a leaf: two who do this at once follow each other, and so does a transfer.
    leaves = Leaves(session, instance, now=now)
    query = select(*(getattr(CaseGrant, name) for name in (*_KEY, "wrapped")))
    stands = {tuple(row[:4]): row.wrapped for row in session.execute(query.where(CaseGrant.case_id.in_(case_ids)))}
    replaced, gone, folds = list[dict[str, Any]](), list[dict[str, Any]](), list[dict[str, Any]]()
    done = list[bytes]()
    for case_id, wraps in prepared.wraps.items():
        same = [one for one in wraps if stands.get(_key_of(one.old)) == one.old.wrapped]
        if not same:  # a colleague was first, or the case went to another team meanwhile
            continue
        covered = []
        for one in same:
            where = {f"old_{name}": getattr(one.old, name) for name in _KEY}
            covered.append((_TABLE, row_id(CaseGrant, _values(one.old)), b""))
            if one.fresh is None:
                gone.append(where)
                continue
            values = one.fresh | {"reader_mac": None}
            replaced.append(where | {f"new_{name}": value for name, value in values.items()})
            covered.append((_TABLE, row_id(CaseGrant, values), hashes.row_hash(_TABLE, values)))
        leaves.add(person.user_id, REWRAPPED, case_id, covered)
        folds += prepared.folds.get(case_id, [])
        done.append(case_id)
    _write(session, prepared.team, done, replaced, gone, folds)
    labelled("rewrap/rows-written")
    leaves.write()
    labelled("rewrap/leaves-written")
    left = wraps_left(session, instance, prepared.team)
    return Progress(len(done), left, tuple(prepared.refused), prepared.after)


def _key_of(row: CaseGrant) -> tuple[bytes, str, int, bytes]:
    return row.case_id, row.compartment, row.epoch, row.recipient


def _values(row: CaseGrant) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _KEY}


def _write(
    session: Session, team: str, case_ids: Sequence[bytes], replaced: Sequence[dict[str, Any]],
    gone: Sequence[dict[str, Any]], folds: Sequence[dict[str, Any]],
) -> None:  # fmt: skip
    table = Base.metadata.tables[_TABLE]
    this = and_(*(table.c[name] == bindparam(f"old_{name}") for name in _KEY))
    connection = session.connection()
    if replaced:
        columns = ("recipient", "grantor", "wrapped", "reader_mac")
        fresh: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
        connection.execute(update(table).where(this).values(fresh), [_used(row) for row in replaced])
    if gone:
        connection.execute(delete(table).where(this), list(gone))
    if case_ids:
        of_team = Headline.team == team, Headline.case_id.in_(case_ids)
        session.execute(delete(Headline).where(*of_team))
        session.execute(delete(Fold).where(Fold.team == team, Fold.case_id.in_(case_ids)))
        keep_cache(session, Fold, folds)


def _used(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("new_case_id", "new_compartment", "new_epoch")}


def rewrap_batch(
    session: Session, instance: Instance, person: Person, team: str, *, limit: int = BATCH, after: bytes = b"",
    now: datetime,
) -> Progress:  # fmt: skip
    """Both halves in one transaction."""
    prepared = prepare_batch(session, instance, person, team, limit=limit, after=after)
    return keep_batch(session, instance, person, prepared, now=now)


def note_refused(session: Session, instance: Instance, progress: Progress, *, now: datetime) -> None:
    """An alarm for each case with a wrap that was not believed."""
    if progress.refused:
        query = select(Case.reference).where(Case.id.in_(progress.refused))
        for reference in session.scalars(query):
            note_gaps(session, instance, reference, (_TABLE,), now=now)
