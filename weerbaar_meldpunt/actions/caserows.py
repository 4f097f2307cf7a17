"""Rows of several tables about the same cases, read in one statement: what opening a case and a queue page cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    LargeBinary,
    Row,
    Select,
    String,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy import union as either
from sqlalchemy.orm import Session, aliased

from weerbaar_meldpunt.store.audit import Leaf, LeafRow
from weerbaar_meldpunt.store.base import UtcDateTime
from weerbaar_meldpunt.store.cases import Attachment, CaseDoc, CaseEpoch, CaseGrant, Fold, Message, Note
from weerbaar_meldpunt.store.people import User
from weerbaar_meldpunt.store.tracks import Due, Track
from weerbaar_meldpunt.vault import audit as hashes

from .instance import Instance
from .trail import LINE, Trail, trail_from

Part = Select[*tuple[Any, ...]]

# The columns that the parts share; each part fills those it has.
_COLUMNS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "case_id": LargeBinary, "id": LargeBinary, "part": String, "number": Integer, "moment": UtcDateTime,
        "sealed": LargeBinary, "other": LargeBinary, "more": LargeBinary, "last": LargeBinary, "extra": Integer,
        "table": String, "chain": LargeBinary, "head": LargeBinary, "before": LargeBinary, "rows": LargeBinary,
    }
)  # fmt: skip

_NO_ROWS: Final = hashes.rows_hash(())


def part(what: str, **columns: Any) -> Part:
    """A select that can stand in a union with the others."""
    given = (
        # A database that is strict with types must know that of a column that no part before this one fills.
        type_coerce(columns[name], kind).label(name) if name in columns else cast(null(), kind).label(name)
        for name, kind in _COLUMNS.items()
    )
    return select(literal(what).label("what"), *given)


def docs(case_ids: Sequence[bytes]) -> Part:
    """The documents of these cases."""
    return part(
        "doc", case_id=CaseDoc.case_id, part=CaseDoc.compartment, number=CaseDoc.revision, sealed=CaseDoc.sealed
    ).where(CaseDoc.case_id.in_(case_ids))


def grants(case_ids: Sequence[bytes]) -> Part:
    """The wrapped keys of these cases."""
    return part(
        "grant", case_id=CaseGrant.case_id, part=CaseGrant.compartment, number=CaseGrant.epoch,
        sealed=CaseGrant.wrapped, other=CaseGrant.recipient, more=CaseGrant.grantor, last=CaseGrant.reader_mac,
    ).where(CaseGrant.case_id.in_(case_ids))  # fmt: skip


def epochs(case_ids: Sequence[bytes]) -> Part:
    """The seals by which later keys of these cases hang from the ones before."""
    return part(
        "epoch", case_id=CaseEpoch.case_id, part=CaseEpoch.compartment, number=CaseEpoch.epoch, sealed=CaseEpoch.sealed
    ).where(CaseEpoch.case_id.in_(case_ids))


def folds(case_ids: Sequence[bytes], team: str) -> Part:
    """What a team's cache holds of these cases."""
    return part(
        "fold", case_id=Fold.case_id, part=Fold.compartment, number=Fold.epoch, sealed=Fold.sealed
    ).where(Fold.case_id.in_(case_ids), Fold.team == team)  # fmt: skip


def texts(what: str, model: type[Message | Note], case_ids: Sequence[bytes]) -> Part:
    """The messages or the notes of these cases."""
    found = part(
        what, case_id=model.case_id, id=model.id, number=model.revision, moment=model.hour, sealed=model.sealed
    )
    return found.where(model.case_id.in_(case_ids))


def attachments(case_ids: Sequence[bytes]) -> Part:
    """What is sealed about the evidence files of these cases."""
    return part(
        "attachment", case_id=Attachment.case_id, id=Attachment.id, part=Attachment.compartment,
        number=Attachment.revision, sealed=Attachment.sealed, other=Attachment.blob_id,
    ).where(Attachment.case_id.in_(case_ids))  # fmt: skip


def events(case_ids: Sequence[bytes]) -> Part:
    """What happened on these cases, with who did it where that was a member of staff, and the leaf to check it by."""
    before = aliased(Leaf)
    return (
        part(
            "event", case_id=Leaf.object, id=Leaf.id, part=Leaf.action, number=Leaf.seq, moment=Leaf.at,
            sealed=Leaf.body, other=Leaf.actor, more=User.sealed, extra=User.revision, last=Leaf.body_hash,
            chain=Leaf.chain, head=Leaf.head, before=before.chain, rows=Leaf.rows_hash,
        )
        .outerjoin(before, before.seq == Leaf.seq - 1)
        .outerjoin(User, User.id == Leaf.actor)
        .where(Leaf.object.in_(case_ids))
    )  # fmt: skip


def _newest_of_work(case_ids: Sequence[bytes]) -> Select[*tuple[Any, ...]]:
    """The newest leaf of every track and due of these cases: the clock's stand under no single case."""
    tracks = select(Track.id).where(Track.case_id.in_(case_ids))
    dues = select(Due.id).join(Track, Track.id == Due.track_id).where(Track.case_id.in_(case_ids))
    newest = select(func.max(LeafRow.seq)).group_by(LeafRow.table, LeafRow.row)
    return newest.where(
        or_(
            and_(LeafRow.table == Track.__tablename__, LeafRow.row.in_(tracks)),
            and_(LeafRow.table == Due.__tablename__, LeafRow.row.in_(dues)),
        )
    )


def _lines(case_ids: Sequence[bytes], *, work: bool) -> Part:
    of_case = select(Leaf.seq).where(Leaf.object.in_(case_ids))
    # Each leaf once, with all its rows: only the whole of them can be checked.
    which: ColumnElement[bool] = Leaf.seq.in_(either(of_case, _newest_of_work(case_ids)))
    if not work:  # a page of many cases does not read all their openings along
        which = and_(Leaf.object.in_(case_ids), or_(LeafRow.seq.is_not(None), Leaf.rows_hash != _NO_ROWS))
    before = aliased(Leaf)
    return (
        part(
            LINE, case_id=Leaf.object, id=LeafRow.row, part=Leaf.action, number=Leaf.seq, moment=Leaf.at,
            sealed=LeafRow.row_hash, other=Leaf.actor, last=Leaf.body_hash, extra=LeafRow.place, table=LeafRow.table,
            chain=Leaf.chain, head=Leaf.head, before=before.chain, rows=Leaf.rows_hash,
        )
        # A leaf of which the lines were deleted must come along: what is left would be taken for the newest.
        .outerjoin(LeafRow, LeafRow.seq == Leaf.seq)
        .outerjoin(before, before.seq == Leaf.seq - 1)
        .where(which)
    )  # fmt: skip


def read(
    session: Session, instance: Instance, case_ids: Sequence[bytes], *parts: Part, work: bool = False
) -> tuple[list[Row[Any]], Trail]:  # fmt: skip
    """The rows of all parts, and the trail of the cases: one statement. `work`: that of tracks and dues too."""
    lines = _lines(case_ids, work=work)
    rows = session.execute(union_all(*parts, lines) if parts else lines).all()
    return [row for row in rows if row.what != LINE], trail_from(
        instance, case_ids, [row for row in rows if row.what == LINE]
    )


def trail_of(session: Session, instance: Instance, case_id: bytes) -> Trail:
    """The trail of one case, for an act on it."""
    return read(session, instance, [case_id], work=True)[1]


def a_doc(row: Row[Any]) -> CaseDoc:
    """A document out of a row of `read`; with every column, so that the trail can be held against it."""
    return CaseDoc(case_id=row.case_id, compartment=row.part, revision=row.number, sealed=row.sealed)


def a_grant(row: Row[Any]) -> CaseGrant:
    """A wrapped key out of a row of `read`."""
    return CaseGrant(
        case_id=row.case_id, compartment=row.part, epoch=row.number, recipient=row.other, wrapped=row.sealed,
        grantor=row.more, reader_mac=row.last,
    )  # fmt: skip


def an_epoch(row: Row[Any]) -> CaseEpoch:
    """The seal on a later key out of a row of `read`."""
    return CaseEpoch(case_id=row.case_id, compartment=row.part, epoch=row.number, sealed=row.sealed)


def a_message(row: Row[Any]) -> Message:
    """A message out of a row of `read`."""
    return Message(id=row.id, case_id=row.case_id, revision=row.number, hour=row.moment, sealed=row.sealed)


def a_fold(row: Row[Any], team: str) -> Fold:
    """A row of a team's cache out of a row of `read`."""
    return Fold(case_id=row.case_id, team=team, compartment=row.part, epoch=row.number, sealed=row.sealed)
