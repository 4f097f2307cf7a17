"""A database that came out of a backup, made safe to serve from: who was shut out stays out, what was erased goes.

A row whose hash stands in the tombstones is deleted again; whoever thereby has no way in is invited anew or gets a new
claim code, as somebody who lost everything. Then a person reads what the trail says, and opens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, aliased

from weerbaar_meldpunt.store.audit import LeafRow, Tombstone
from weerbaar_meldpunt.store.base import Base
from weerbaar_meldpunt.store.cases import Case, CaseGrant, Reader
from weerbaar_meldpunt.store.copying import LEFT_OUT
from weerbaar_meldpunt.store.keeping import Restoration
from weerbaar_meldpunt.store.membership import Departure
from weerbaar_meldpunt.store.people import Bundle, Role, Root, TeamGrant, User
from weerbaar_meldpunt.vault.audit import Anchor

from .casekeys import MELDING
from .erasing import Word, erase_case
from .errors import Onleesbaar
from .instance import Instance
from .labels import labelled
from .ledger import PROGRAM, Ledger
from .people import ACTIVE, DISABLED, STAFF_ROLES, open_user
from .tombstones import ACCESS, bring, bundle_stone, erased, listed, place_stone, tombstone_of

# How many times somebody may have signed in between a backup and the change of factors that makes its bundle old.
_SIGNED_IN: Final = 5000
REPLAYED: Final = "teruggezet"  # the leaf of what the tombstones took away again
GROUND: Final = "teruggezet"  # why the register says that a case went once more
_AT_ONCE: Final = 500


@dataclass
class Replayed:
    """What the tombstones took away, for the operator: counts, and who must be let in anew."""

    stones: int = 0  # how many of them were not known here
    removed: dict[str, int] = field(default_factory=dict)
    disabled: int = 0
    erased: int = 0
    without_way: tuple[str, ...] = ()  # names of staff who cannot sign in any more
    closed_cases: int = 0  # cases of which no team holds a key any more
    kept_cases: int = 0  # cases that stay with the team they were moved away from, as the other has no key here
    files: list[bytes] = field(default_factory=list)  # of destroyed cases, to be removed after the commit

    def count(self, table: str) -> None:
        """One more row of a table went."""
        self.removed[table] = self.removed.get(table, 0) + 1


def standing(session: Session) -> Restoration | None:
    """The restore that waits for its tombstones; nothing when the instance serves."""
    return session.scalars(select(Restoration).where(Restoration.opened_at.is_(None))).first()


def replay(session: Session, instance: Instance, stones: Iterable[tuple[date, bytes]], *, now: datetime) -> Replayed:
    """Take the tombstones in and apply every one there is, in one transaction. Doing it twice changes nothing more."""
    stones = list(stones)
    fresh = _not_here_yet(session, stones)
    done = Replayed(stones=bring(session, stones))
    ledger = Ledger(session, instance, now=now)
    gone: dict[int, Base] = {}
    for model in sorted(ACCESS, key=lambda table: table.__tablename__):
        gone |= {id(row): row for row in _listed_rows(session, model)}
    gone |= {id(row): row for row in (*_lost_places(session, instance, fresh), *_old_bundles(session, fresh))}
    gone = _but_the_last_team(session, instance, gone, done)
    for row in gone.values():
        _bury_again(session, ledger, row, done, now=now)
    session.flush()
    labelled("restore/replayed")
    _left_out(session, ledger)
    ledger.close(PROGRAM, REPLAYED, instance.id)
    for case_ids in _in_pieces(session.scalars(select(Case.id)).all()):
        for case_id in sorted(erased(session, case_ids)):
            done.files += erase_case(session, instance, case_id, Word(GROUND), now=now)
            done.erased += 1
    done.without_way = _without_way(session, instance)
    done.closed_cases = _closed_cases(session, instance)
    return done


def _not_here_yet(session: Session, stones: list[tuple[date, bytes]]) -> set[bytes]:
    """Stones from after the backup. A place may be lost, given again and lost again: the day tells them apart."""
    fresh: set[bytes] = set()
    for some in _in_pieces(stones):
        rows = session.execute(
            select(Tombstone.day, Tombstone.row_hash).where(tuple_(Tombstone.day, Tombstone.row_hash).in_(some))
        )
        fresh |= {stone for _, stone in set(some) - {tuple(row) for row in rows}}
    return fresh


def _lost_places(session: Session, instance: Instance, fresh: set[bytes]) -> Iterator[Base]:
    """Rows of a place that was lost since: of a member in a team, of a role, of a team on a case, of an account."""
    if not fresh:
        return
    for grant in session.scalars(select(TeamGrant)):
        stone = place_stone(
            TeamGrant.__tablename__, kind=grant.kind, team=grant.team, member_id=grant.member_id
        )  # fmt: skip
        if stone in fresh:
            yield grant
    for role in session.scalars(select(Role)):
        if place_stone(Role.__tablename__, user_id=role.user_id, role=role.role, team=role.team) in fresh:
            yield role
    for user in session.scalars(select(User).where(User.state == ACTIVE)):
        if place_stone(User.__tablename__, id=user.id) in fresh:
            yield user
    teams = {pin.fingerprint[:16]: pin.owner for pin in instance.pins().lines if pin.kind == "team"}
    query = select(CaseGrant).where(CaseGrant.recipient.in_(sorted(teams)))
    for row in session.scalars(query.execution_options(yield_per=_AT_ONCE)):
        team = teams[row.recipient]
        if place_stone(CaseGrant.__tablename__, case_id=row.case_id, compartment=row.compartment, team=team) in fresh:
            yield row


def _old_bundles(session: Session, fresh: set[bytes]) -> Iterator[Base]:
    """Bundles from before a change of factors: the stone names the revision that was the newest then."""
    if not fresh:
        return
    for bundle, number in session.execute(select(Bundle, User.key_number).join(User, User.id == Bundle.user_id)):
        first = bundle.revision
        if any(bundle_stone(bundle.user_id, number, first + more) in fresh for more in range(_SIGNED_IN)):
            yield bundle


def _but_the_last_team(
    session: Session, instance: Instance, gone: dict[int, Base], done: Replayed
) -> dict[int, Base]:  # fmt: skip
    """Without the grants of a team on a case that no other team holds here.

    It was moved to another team since, and that team's grant is not in the backup. Then the team of before keeps what
    it could read, and hands it over once more: else nobody could help this person any more.
    """
    keys = {pin.fingerprint[:16] for pin in instance.pins().lines if pin.kind == "team"}
    taken: dict[bytes, set[bytes]] = {}
    for row in gone.values():
        if isinstance(row, CaseGrant) and row.compartment == MELDING and row.recipient in keys:
            taken.setdefault(row.case_id, set()).add(row.recipient)
    last = set()
    for case_ids in _in_pieces(_not_erased(session, taken)):
        query = select(CaseGrant.case_id, CaseGrant.recipient).where(
            CaseGrant.case_id.in_(case_ids), CaseGrant.compartment == MELDING, CaseGrant.recipient.in_(sorted(keys))
        )
        left: dict[bytes, set[bytes]] = {case_id: set() for case_id in case_ids}
        for case_id, recipient in session.execute(query):
            left[case_id] |= {recipient} - taken[case_id]
        last |= {case_id for case_id, recipients in left.items() if not recipients}
    done.kept_cases = len(last)
    return {
        key: row for key, row in gone.items()
        if not (isinstance(row, CaseGrant) and row.case_id in last and row.recipient in keys)
    }  # fmt: skip


def _not_erased(session: Session, case_ids: Iterable[bytes]) -> list[bytes]:
    """Those of these cases that were not erased."""
    found: list[bytes] = []
    for some in _in_pieces(case_ids):
        found += sorted(set(some) - erased(session, some))
    return found


def _in_pieces(values: Iterable[Any]) -> Iterator[list[Any]]:
    piece: list[Any] = []
    for value in values:
        piece.append(value)
        if len(piece) == _AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece


def _listed_rows(session: Session, model: type[Base]) -> list[Base]:
    found: list[Base] = []
    for rows in _in_pieces(session.scalars(select(model).execution_options(yield_per=_AT_ONCE))):
        by_stone: Mapping[bytes, Base] = {tombstone_of(row): row for row in rows}
        gone = listed(session, by_stone)
        found += [row for stone, row in by_stone.items() if stone in gone]
    return found


def _bury_again(session: Session, ledger: Ledger, row: Base, done: Replayed, *, now: datetime) -> None:
    """Take a row away that was taken away before; its look-up or its account stays where something hangs from it."""
    if isinstance(row, User):
        if row.state != DISABLED:
            row.state = DISABLED
            done.disabled += 1
        return
    done.count(row.__tablename__)
    if isinstance(row, Reader):  # a look-up is never used twice
        ledger.change(row, case_id=None, key_id=None)
        return
    if isinstance(row, TeamGrant):
        _left(session, row, now=now)
    ledger.remove(row, renewed=True)  # it has its stone


def _left(session: Session, row: TeamGrant, *, now: datetime) -> None:
    """Whoever lost a grant knows the secret it held: until the next epoch, what is sealed could be theirs."""
    key = (row.kind, row.team, row.member_id)
    known = session.get(Departure, key)
    if known is None:
        session.add(Departure(kind=row.kind, team=row.team, member_id=row.member_id, epoch=row.epoch, left_at=now))
        session.flush()
    elif known.epoch < row.epoch:
        known.epoch = row.epoch


def _left_out(session: Session, ledger: Ledger) -> None:
    """What no backup holds counts as gone from now on, or the trail would miss it at every check."""
    newer = aliased(LeafRow)
    later = select(newer.seq).where(newer.table == LeafRow.table, newer.row == LeafRow.row, newer.seq > LeafRow.seq)
    rows = session.execute(
        select(LeafRow.table, LeafRow.row).where(
            LeafRow.table.in_(sorted(LEFT_OUT)), LeafRow.row_hash != b"", ~later.exists()
        )
    ).all()
    for table, row in dict.fromkeys((row.table, row.row) for row in rows):
        ledger.missing(table, row)


def _without_way(session: Session, instance: Instance) -> tuple[str, ...]:
    """Staff whom nothing lets in any more, disabled so that they can be invited anew; their names."""
    staff = select(Role.user_id).where(Role.role.in_(STAFF_ROLES))
    users = session.scalars(
        select(User).where(
            User.id.in_(staff), User.state == ACTIVE,
            User.id.not_in(select(Root.user_id)) | User.id.not_in(select(Bundle.user_id)),
        )
    ).all()  # fmt: skip
    names = []
    for user in users:
        user.state = DISABLED
        try:
            names.append(open_user(instance, user)[1])
        except Onleesbaar:
            names.append(user.id.hex())
    session.flush()
    return tuple(sorted(names))


def _closed_cases(session: Session, instance: Instance) -> int:
    """Cases that no key of a team opens: there should be none, and if there are, an older epoch was buried whole."""
    keys = [pin.fingerprint[:16] for pin in instance.pins().lines if pin.kind == "team"]
    held = select(CaseGrant.case_id).where(CaseGrant.compartment == "A", CaseGrant.recipient.in_(keys))
    return session.scalar(select(func.count()).select_from(Case).where(Case.id.not_in(held))) or 0


def faults(session: Session, instance: Instance, anchor: Anchor) -> list[str]:
    """Why this may not be opened yet against the newest checkpoint that somebody kept, each in one line."""
    found, checkpoint = [], anchor.checkpoint
    if checkpoint.instance_id != instance.id:
        found.append("this checkpoint is of another desk")
    if anchor.key is not None and not anchor.signed:
        found.append("this checkpoint does not carry the signature that stands beside it")
    present = session.scalar(select(func.count()).select_from(Tombstone)) or 0
    if checkpoint.tombstones > present:
        found.append(
            f"the checkpoint of {checkpoint.at:%Y-%m-%d} counts {checkpoint.tombstones} tombstones, {present} are here:"
            " give the mails since the backup, or the old database"
        )
    return found


def open_for_service(session: Session, instance: Instance, *, now: datetime) -> None:
    """A person read what the trail says: from here on it serves, and the trail says that it came out of a backup."""
    row = standing(session)
    if row is None:
        return
    row.opened_at = now
    session.flush()
    Ledger(session, instance, now=now).close(PROGRAM, "opengesteld", instance.id)
