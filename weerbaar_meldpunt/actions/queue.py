"""A team's queue: what is most pressing first, with headlines opened in the member's session."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, Label, Select, and_, delete, func, literal, select, true
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.moves import CLOSED
from weerbaar_meldpunt.rules.vocabulary import TRACK_STATES, URGENCIES
from weerbaar_meldpunt.store.cases import Case, CaseDoc, Fold, Headline
from weerbaar_meldpunt.store.links import outdate_segments
from weerbaar_meldpunt.store.people import User
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json

from .barred import is_barred
from .casekeys import MELDING, keep_cache
from .dossier import name_of
from .errors import NotYours
from .instance import Instance
from .opened_reports import open_reports
from .people import Person

PAGE: Final = 50
MAX_PAGE: Final = 200
# However many tracks there are: numbers beside tabs are counted this far, and pages go this far.
COUNTED: Final = 999
REACH: Final = 10_000
MINE, NOBODY, LATE = "mij", "niemand", "te_laat"
PRESSING: Final = "druk"
ORDERS: Final = (PRESSING, "nieuw", "oud")
# Each order is that of an index, so that a page costs the same at any number of tracks.
_ORDERS_OPEN: Final[Mapping[str, tuple[Any, ...]]] = MappingProxyType(
    {
        PRESSING: (Track.urgency, Track.due_at, Track.id),
        "nieuw": (Track.opened_at.desc(), Track.id.desc()),
        "oud": (Track.opened_at, Track.id),
    }
)
_ORDERS_CLOSED: Final[Mapping[str, tuple[Any, ...]]] = MappingProxyType(
    {
        PRESSING: (Track.closed_at.desc(), Track.id.desc()),
        "nieuw": (Track.closed_at.desc(), Track.id.desc()),
        "oud": (Track.closed_at, Track.id),
    }
)


@dataclass(frozen=True)
class HeadlineView:
    """What a queue row says of a case; organisation and first words come only after opening."""

    kinds: tuple[str, ...]
    role: str
    marks: tuple[str, ...]
    barred: bool = False  # the reporter asked that this member does not see it


@dataclass(frozen=True)
class QueueRow:
    """One track in the queue."""

    reference: str
    track_id: bytes
    case_id: bytes
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
    total: int  # never above REACH + 1
    # Of the open tracks: by state, `te_laat`, `mij`, `niemand`. Counted to COUNTED + 1, which says "more than that".
    counts: Mapping[str, int]
    unfolded: tuple[bytes, ...] = field(default=(), repr=False)  # cases whose headline must be made once


def queue_page(
    session: Session, instance: Instance, person: Person, team: str, *, now: datetime, state: str | None = None,
    urgency: str | None = None, owner: str | None = None, overdue: bool = False, page: int = 1, size: int = PAGE,
    order: str = PRESSING,
) -> QueuePage:  # fmt: skip
    """A page of the team's open tracks, or of those in one state. Only reads, in one statement, whatever the number.

    `owner` is `mij`, `niemand` or a member's id in hex. Headlines that nobody of the team met yet are in `unfolded`;
    `fold_headlines` makes them.
    """
    keys = person.teams.get(team)
    if not keys:
        raise NotYours
    size = max(1, min(size, MAX_PAGE))
    where = _filters(person, team, state=state, urgency=urgency, owner=owner, overdue=overdue, now=now)
    orders = _ORDERS_CLOSED if state == CLOSED else _ORDERS_OPEN
    chosen = orders.get(order, orders[PRESSING])
    page = max(1, min(page, -(-REACH // size)))
    found = session.execute(_page(person, team, where, chosen, page, size, now)).all()
    total = found[0].total
    pages = max(1, -(-min(total, REACH) // size))
    if page > pages:
        page = pages
        found = session.execute(_page(person, team, where, chosen, page, size, now)).all()
    return _shown(instance, person, keys[-1], found, page=page, pages=pages, now=now)


def rows_among(
    session: Session, instance: Instance, person: Person, team: str, case_ids: Collection[bytes], *, now: datetime
) -> QueuePage:
    """The tracks of a team on these cases, open ones first, as rows of a queue; as many as a page holds."""
    keys = person.teams.get(team)
    if not keys:
        raise NotYours
    where = [Track.team == team, Track.case_id.in_(case_ids)]
    order = (Track.closed_at.is_not(None), Track.urgency, Track.opened_at.desc(), Track.id)
    found = session.execute(_page(person, team, where, order, 1, MAX_PAGE, now)).all()
    return _shown(instance, person, keys[-1], found, page=1, pages=1, now=now)


def _shown(
    instance: Instance, person: Person, keys: TeamKeys, found: Sequence[Any], *, page: int, pages: int, now: datetime
) -> QueuePage:
    rows = [row for row in found if row.Track is not None]
    headlines = {row.Track.case_id: _opened(keys, row) for row in rows}
    return QueuePage(
        rows=tuple(
            QueueRow(
                reference=row.reference, track_id=row.Track.id, case_id=row.Track.case_id, state=row.Track.state,
                urgency=row.Track.urgency, owner_id=row.Track.owner_id, owner_name=name_of(instance, row.User),
                received_at=row.received_at, due_at=row.Track.due_at, due_kind=row.Track.due_kind,
                overdue=bool(row.Track.due_at and row.Track.due_at < now), unread=row.Track.unread,
                closed_at=row.Track.closed_at, outcome=row.Track.outcome, proposed=row.Track.proposed_by is not None,
                headline=_view(headlines[row.Track.case_id], person),
            )
            for row in rows
        ),
        page=page, pages=pages, total=found[0].total,
        counts={name.removeprefix("n_"): value for name, value in found[0]._mapping.items() if name[:2] == "n_"},
        unfolded=tuple(case_id for case_id, headline in headlines.items() if headline is None),
    )  # fmt: skip


def fold_headlines(
    session: Session, instance: Instance, person: Person, team: str, page: QueuePage
) -> QueuePage:  # fmt: skip
    """The page with the headlines that were missing: each opened once, checked and kept in the team's cache."""
    if not page.unfolded:
        return page
    documents = _fold(session, instance, person.teams[team], team, page.unfolded)
    rows = (
        replace(row, headline=_view(documents[row.case_id], person)) if row.case_id in documents else row
        for row in page.rows
    )
    return replace(page, rows=tuple(rows), unfolded=())


def _filters(
    person: Person, team: str, *, state: str | None, urgency: str | None, owner: str | None, overdue: bool,
    now: datetime,
) -> list[ColumnElement[bool]]:  # fmt: skip
    where: list[ColumnElement[bool]] = [Track.team == team]
    if state == CLOSED:
        where.append(Track.closed_at.is_not(None))
    else:
        where.append(Track.closed_at.is_(None))
        if state:
            where.append(Track.state == state)
    if urgency:
        where.append(Track.urgency == urgency)
    if owner == NOBODY:
        where.append(Track.owner_id.is_(None))
    elif owner:
        where.append(Track.owner_id == (person.user_id if owner == MINE else bytes.fromhex(owner)))
    if overdue and state != CLOSED:
        where.append(_late(now))
    return where


def _late(now: datetime) -> ColumnElement[bool]:
    # All urgencies by name, so that the index by urgency and due moment finds the few that are late.
    return and_(Track.urgency.in_(URGENCIES), Track.due_at < now)


def _count(where: Sequence[ColumnElement[bool]], limit: int, name: str) -> Label[Any]:
    some = select(literal(1)).select_from(Track).where(*where).limit(limit + 1).subquery()
    return select(func.count()).select_from(some).scalar_subquery().label(name)


def _page(
    person: Person, team: str, where: Sequence[ColumnElement[bool]], order: tuple[Any, ...], page: int, size: int,
    now: datetime,
) -> Select[*tuple[Any, ...]]:  # fmt: skip
    """One row a track, each with the numbers beside the tabs; one row without a track when there is none."""
    of_team = [Track.team == team, Track.closed_at.is_(None)]
    counts = [
        *(_count([*of_team, Track.state == state], COUNTED, f"n_{state}") for state in TRACK_STATES if state != CLOSED),
        _count([*of_team, _late(now)], COUNTED, f"n_{LATE}"),
        _count([*of_team, Track.owner_id == person.user_id], COUNTED, f"n_{MINE}"),
        _count([*of_team, Track.owner_id.is_(None)], COUNTED, f"n_{NOBODY}"),
        _count(where, REACH, "total"),
    ]
    # First which tracks, out of an index alone; then what is shown of them.
    shown = select(Track.id).where(*where).order_by(*order).offset((page - 1) * size).limit(size).subquery()
    one = select(literal(1).label("one")).subquery()
    return (
        select(*counts, Track, Case.reference, Case.received_at, User, Headline, CaseDoc.revision)
        .select_from(one)
        .outerjoin(shown, true())
        .outerjoin(Track, Track.id == shown.c.id)
        .outerjoin(Case, Case.id == Track.case_id)
        .outerjoin(User, User.id == Track.owner_id)
        .outerjoin(Headline, and_(Headline.case_id == Track.case_id, Headline.team == team))
        .outerjoin(CaseDoc, and_(CaseDoc.case_id == Track.case_id, CaseDoc.compartment == MELDING))
        .order_by(*order)
    )


def _binding(case_id: bytes, revision: int) -> Binding:
    return Binding("headline", case_id, None, revision)


def _opened(keys: TeamKeys, row: Any) -> Mapping[str, Any] | None:
    """The headline out of the cache; none when it is not there, damaged, or of an earlier document."""
    if row.Headline is None or row.Headline.revision != row.revision:
        return None
    try:
        found: Mapping[str, Any] = open_json(
            keys.fold, row.Headline.sealed, _binding(row.Track.case_id, row.Headline.revision)
        )
    except Onleesbaar:
        return None
    return found


def _view(document: Mapping[str, Any] | None, person: Person) -> HeadlineView | None:
    if document is None:
        return None
    if is_barred(document["barred"], person.name):
        return HeadlineView((), "", (), barred=True)
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
    role = (report.get("target") or {}).get("role", "onbekend")
    return {"kinds": kinds, "role": role, "marks": marks, "barred": report.get("barred_member")}


def headline_values(keys: TeamKeys, case_id: bytes, revision: int, melding: Mapping[str, Any]) -> dict[str, Any]:
    """The cache row of a headline."""
    sealed = seal_json(keys.fold, headline_document(melding), _binding(case_id, revision))
    return {"case_id": case_id, "team": keys.team, "revision": revision, "sealed": sealed}


def fold_cases(
    session: Session, instance: Instance, person: Person, team: str, *, after: bytes = b"", limit: int = MAX_PAGE
) -> bytes | None:
    """Make the caches of a team's next cases; answers the case to go on after, nothing when these were the last."""
    query = select(Track.case_id).where(Track.team == team, Track.case_id > after).order_by(Track.case_id).limit(limit)
    case_ids = session.scalars(query).all()
    if case_ids:
        _fold(session, instance, person.teams[team], team, case_ids)
    return case_ids[-1] if len(case_ids) == limit else None


def _fold(
    session: Session, instance: Instance, teams: Sequence[TeamKeys], team: str, case_ids: Sequence[bytes]
) -> dict[bytes, Mapping[str, Any]]:
    opened, folds = open_reports(session, instance, teams, team, case_ids)
    headlines, found = list[dict[str, Any]](), dict[bytes, Mapping[str, Any]]()
    for report in opened:
        headlines.append(headline_values(teams[-1], report.case_id, report.revision, report.melding))
        found[report.case_id] = headline_document(report.melding)
    keep_cache(session, Fold, folds)
    keep_cache(session, Headline, headlines)
    return found


def drop_headlines(session: Session, case_id: bytes) -> None:
    """Delete a case's cached headlines when its document changed; sessions make them again."""
    session.execute(delete(Headline).where(Headline.case_id == case_id))
    outdate_segments(session, case_id)
