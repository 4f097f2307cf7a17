"""A team's queue: what is most pressing first, with headlines opened in the member's session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, insert, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Case, CaseDoc, CaseGrant, Fold, Headline
from weerbaar_meldpunt.store.people import User
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json

from .casekeys import MELDING, open_for_team
from .errors import NotYours
from .instance import Instance
from .people import Person, open_user

PAGE: Final = 50
MAX_PAGE: Final = 200
MINE, NOBODY = "mij", "niemand"
ORDERS: Final = ("druk", "nieuw", "oud")


@dataclass(frozen=True)
class HeadlineView:
    """What a queue row says of a case; organisation and first words come only after opening."""

    kinds: tuple[str, ...]
    role: str
    marks: tuple[str, ...]


@dataclass(frozen=True)
class QueueRow:
    """One track in the queue."""

    reference: str
    track_id: bytes
    state: str
    urgency: str
    owner_id: bytes | None
    owner_name: str | None
    received_at: datetime
    due_at: datetime | None
    due_kind: str | None
    overdue: bool
    unread: bool
    closed_at: datetime | None
    outcome: str | None
    proposed: bool
    headline: HeadlineView | None


@dataclass(frozen=True)
class QueuePage:
    """A page of the queue with how many there are."""

    rows: tuple[QueueRow, ...]
    page: int
    pages: int
    total: int
    counts: Mapping[str, int]  # by state of all tracks of the team, and `te_laat`, `mij`, `niemand` of the open ones


def queue_page(
    session: Session, instance: Instance, person: Person, team: str, *, now: datetime, state: str | None = None,
    urgency: str | None = None, owner: str | None = None, overdue: bool = False, page: int = 1, size: int = PAGE,
    order: str = "druk",
) -> QueuePage:  # fmt: skip
    """A page of the team's open tracks (or of one state). A few statements, whatever the number of tracks."""
    if team not in person.teams:
        raise NotYours
    size = max(1, min(size, MAX_PAGE))
    where = _filters(person, team, state=state, urgency=urgency, owner=owner, overdue=overdue, now=now)
    counts, total = _counts(session, person, team, where, now=now)
    pages = max(1, -(-total // size))
    page = max(1, min(page, pages))
    rows = session.execute(_rows(team, where, order).offset((page - 1) * size).limit(size)).all()
    headlines = _headlines(session, person.teams[team], team, rows)
    return QueuePage(
        rows=tuple(
            QueueRow(
                reference=row.reference,
                track_id=row.Track.id,
                state=row.Track.state,
                urgency=row.Track.urgency,
                owner_id=row.Track.owner_id,
                owner_name=open_user(instance, row.User)[1] if row.User else None,
                received_at=row.received_at,
                due_at=row.Track.due_at,
                due_kind=row.Track.due_kind,
                overdue=bool(row.Track.due_at and row.Track.due_at < now),
                unread=row.Track.unread,
                closed_at=row.Track.closed_at,
                outcome=row.Track.outcome,
                proposed=row.Track.proposed_by is not None,
                headline=headlines.get(row.Track.case_id),
            )
            for row in rows
        ),
        page=page,
        pages=pages,
        total=total,
        counts=counts,
    )


def _filters(
    person: Person, team: str, *, state: str | None, urgency: str | None, owner: str | None, overdue: bool,
    now: datetime,
) -> list[ColumnElement[bool]]:  # fmt: skip
    where: list[ColumnElement[bool]] = [Track.team == team]
    where.append(Track.state == state if state else Track.closed_at.is_(None))
    if urgency:
        where.append(Track.urgency == urgency)
    if owner == MINE:
        where.append(Track.owner_id == person.user_id)
    elif owner == NOBODY:
        where.append(Track.owner_id.is_(None))
    elif owner:
        where.append(Track.owner_id == bytes.fromhex(owner))
    if overdue:
        where.append(Track.due_at < now)
    return where


def _counts(
    session: Session, person: Person, team: str, where: Sequence[ColumnElement[bool]], *, now: datetime
) -> tuple[dict[str, int], int]:
    open_ = Track.closed_at.is_(None)
    columns = {
        "te_laat": and_(open_, Track.due_at < now),
        MINE: and_(open_, Track.owner_id == person.user_id),
        NOBODY: and_(open_, Track.owner_id.is_(None)),
        "_total": and_(*where),
    }
    rows = session.execute(
        select(
            Track.state,
            func.count().label("all"),
            *(func.sum(case((condition, 1), else_=0)).label(name) for name, condition in columns.items()),
        )
        .where(Track.team == team)
        .group_by(Track.state)
    ).all()
    counts = {row.state: row.all for row in rows}
    counts |= {name: sum(getattr(row, name) for row in rows) for name in columns}
    return counts, counts.pop("_total")


def _rows(team: str, where: Sequence[ColumnElement[bool]], order: str) -> Select[*tuple[Any, ...]]:
    orders: dict[str, tuple[Any, ...]] = {
        "druk": (Track.urgency, Track.due_at, Track.id),
        "nieuw": (Track.opened_at.desc(), Track.id),
        "oud": (Track.opened_at, Track.id),
    }
    return (
        select(Track, Case.reference, Case.received_at, User, Headline)
        .join(Case, Case.id == Track.case_id)
        .outerjoin(User, User.id == Track.owner_id)
        .outerjoin(Headline, and_(Headline.case_id == Track.case_id, Headline.team == team))
        .where(*where)
        .order_by(*orders.get(order, orders["druk"]))
    )


def _binding(case_id: bytes, revision: int) -> Binding:
    return Binding("headline", case_id, None, revision)


def _headlines(
    session: Session, teams: Sequence[TeamKeys], team: str, rows: Sequence[Any]
) -> dict[bytes, HeadlineView]:
    """The headlines of these rows: out of the cache, or opened once and cached (a bounded number: one page)."""
    fold, found, missing = teams[-1].fold, dict[bytes, HeadlineView](), []
    for row in rows:
        if row.Headline is None:
            missing.append(row.Track.case_id)
            continue
        try:
            document = open_json(fold, row.Headline.sealed, _binding(row.Track.case_id, row.Headline.revision))
        except Onleesbaar:
            continue
        found[row.Track.case_id] = _view(document)
    if missing:
        found |= _fold(session, teams, team, missing)
    return found


def _view(document: Mapping[str, Any]) -> HeadlineView:
    return HeadlineView(tuple(document["kinds"]), document["role"], tuple(document["marks"]))


def headline_document(melding: Mapping[str, Any]) -> dict[str, Any]:
    """What a headline holds of the document of compartment A."""
    report = melding["report"]
    incident, legal = report.get("incident") or {}, report.get("legal")
    kinds = list(incident.get("kinds") or [])
    if legal and "juridische_druk" not in kinds:
        kinds.append("juridische_druk")
    flags = [name for name in ("weapon", "happening_now", "address_exposed", "family_involved") if incident.get(name)]
    wants_no_call = ["eerst_schrijven"] if (report.get("request") or {}).get("support") is False else []
    conflict = ["conflict"] if report.get("conflict") else []
    marks = list(dict.fromkeys([*melding["marks"], *wants_no_call, *flags, *conflict]))
    return {"kinds": kinds, "role": (report.get("target") or {}).get("role", "onbekend"), "marks": marks}


def headline_values(keys: TeamKeys, case_id: bytes, revision: int, melding: Mapping[str, Any]) -> dict[str, Any]:
    """The cache row of a headline."""
    sealed = seal_json(keys.fold, headline_document(melding), _binding(case_id, revision))
    return {"case_id": case_id, "team": keys.team, "revision": revision, "sealed": sealed}


def _fold(
    session: Session, teams: Sequence[TeamKeys], team: str, case_ids: Sequence[bytes]
) -> dict[bytes, HeadlineView]:
    rows = session.execute(
        select(CaseGrant, CaseDoc, Fold)
        .join(CaseDoc, and_(CaseDoc.case_id == CaseGrant.case_id, CaseDoc.compartment == MELDING))
        .outerjoin(
            Fold,
            and_(
                Fold.case_id == CaseGrant.case_id,
                Fold.team == team,
                Fold.compartment == MELDING,
                Fold.epoch == CaseGrant.epoch,
            ),
        )
        .where(
            CaseGrant.case_id.in_(case_ids),
            CaseGrant.compartment == MELDING,
            CaseGrant.recipient.in_([keys.pair.public.key_id for keys in teams]),
        )
    ).all()
    folds, headlines, found = [], [], dict[bytes, HeadlineView]()
    by_case: dict[bytes, list[Any]] = {}
    for row in rows:
        by_case.setdefault(row.CaseGrant.case_id, []).append(row)
    for case_id, parts in by_case.items():
        doc = parts[0].CaseDoc
        try:
            ring, fresh = open_for_team(
                case_id, teams, [p.CaseGrant for p in parts], [p.Fold for p in parts if p.Fold is not None]
            )
            melding = ring.open(doc.sealed, Binding("case_doc", case_id, MELDING, doc.revision))
        except Onleesbaar:  # a marked gap in the queue; the case stays in it and keeps its due moment
            continue
        folds += fresh
        headlines.append(headline_values(teams[-1], case_id, doc.revision, melding))
        found[case_id] = _view(headline_document(melding))
    if folds:
        session.execute(insert(Fold), folds)
    if headlines:
        session.execute(insert(Headline), headlines)
    return found


def drop_headlines(session: Session, case_id: bytes) -> None:
    """Delete a case's cached headlines when its document changed; sessions make them again."""
    session.execute(delete(Headline).where(Headline.case_id == case_id))
