"""The trail as an auditor reads it: who did what and when. No content: the sealed words of a leaf are never opened.

A page is found by an index and by the number it ends at, so it costs the same at any length of the trail. Where a rare
act is looked for among very many, a page looks a bounded way back and says from where to go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import start_of_day
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.people import Role

from .alarms import names_of
from .errors import NotAllowed
from .instance import Instance
from .ledger import PROGRAM, Ledger
from .people import STAFF_ROLES, Person

PAGE: Final = 50
MOST_LINES: Final = 20_000  # of a download
LOOKED_BACK: Final = 5_000  # leaves that one page goes through at most
LOOKED_AT: Final = "logboek_bekeken"
TAKEN: Final = "logboek_opgehaald"
_NO_END: Final = 2**31 - 1  # as far as a whole number of the database goes
THE_PROGRAM: Final = "programma"
# A clock that was wrong for a while gave moments that are not in the order of the numbers.
_ASKEW: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an auditor asks to see."""

    person: str = ""  # an id in hex, or `programma`
    action: str = ""
    team: str = ""
    first: date | None = None
    last: date | None = None
    reference: str = ""
    before: int | None = None

    @property
    def about_somebody(self) -> bool:
        """Whether one person or one case is looked at: that is noted."""
        return bool(self.reference) or self.person not in ("", THE_PROGRAM)


@dataclass(frozen=True, slots=True)
class Line:
    """One leaf."""

    seq: int
    at: datetime
    actor: str  # staff, program, reader
    name: str
    action: str
    reference: str  # of a case; or nothing
    subject: str  # the name of the member it is about; or nothing


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines, newest first, and the number to go on from; none when there is no more."""

    lines: tuple[Line, ...]
    older: int | None


def look(session: Session, instance: Instance, wanted: Wanted, *, size: int = PAGE) -> LogPage:
    """One page of the trail."""
    bounds = _bounds(session, wanted)
    driver = _driver(session, wanted, bounds, size) if bounds is not None else None
    if driver is None:
        return LogPage((), None)
    query, rest = driver
    some = query.subquery()
    found = session.scalars(
        select(some.c.seq).where(*(condition(some.c) for condition in rest)).order_by(some.c.seq.desc()).limit(size + 1)
    ).all()
    older = found[size - 1] if len(found) > size else None
    if older is None and rest:
        passed, least = session.execute(select(func.count(), func.min(some.c.seq)).select_from(some)).one()
        older = least if passed >= LOOKED_BACK else None
    return LogPage(_lines(session, instance, found[:size]), older)


def every_line(session: Session, instance: Instance, wanted: Wanted) -> Iterator[Line]:
    """All that is asked, newest first, up to what a download holds; a piece at a time."""
    count, page = 0, look(session, instance, wanted, size=500)
    while count < MOST_LINES:
        for line in page.lines[: MOST_LINES - count]:
            count += 1
            yield line
        if page.older is None:
            return
        page = look(session, instance, replace(wanted, before=page.older), size=500)


def note_look(
    session: Session, instance: Instance, person: Person, wanted: Wanted, *, now: datetime, taken: bool = False
) -> None:
    """Who looks at what one person did, or at who was at one case, stands in the trail too; and so does a download."""
    subject = _case_id(session, wanted.reference) if wanted.reference else _person_id(wanted.person)
    Ledger(session, instance, now=now).close(person.user_id, TAKEN if taken else LOOKED_AT, subject or person.user_id)


def staff_names(session: Session, instance: Instance) -> list[tuple[str, str]]:
    """All members of staff, also those who left: id in hex and name."""
    ids = session.scalars(select(Role.user_id).where(Role.role.in_(STAFF_ROLES)).distinct()).all()
    names = names_of(session, instance, ids)
    return sorted(((user_id.hex(), name) for user_id, name in names.items()), key=lambda row: row[1].casefold())


# --- finding -------------------------------------------------------------------------------------------------------

Condition = Any  # of the columns of the driver, a filter that its index does not know


def _bounds(session: Session, wanted: Wanted) -> tuple[int, int] | None:
    """The numbers between which the period lies; nothing when there is none."""
    low, high = 1, _NO_END
    if wanted.first is not None:
        earlier = select(Leaf.seq).where(Leaf.at < start_of_day(wanted.first) - _ASKEW)
        low = (session.scalar(earlier.order_by(Leaf.at.desc(), Leaf.seq.desc()).limit(1)) or 0) + 1
    if wanted.last is not None:
        later = select(Leaf.seq).where(Leaf.at >= start_of_day(wanted.last + timedelta(days=1)) + _ASKEW)
        first_after = session.scalar(later.order_by(Leaf.at, Leaf.seq).limit(1))
        high = high if first_after is None else first_after - 1
    if wanted.before is not None:
        high = min(high, wanted.before - 1)
    return (low, high) if low <= high else None


def _driver(
    session: Session, wanted: Wanted, bounds: tuple[int, int], size: int
) -> tuple[Select[Any], list[Condition]] | None:
    """The leaves out of one index, newest first and not endlessly many, and what they must answer to beside."""
    rest: list[Condition] = []
    if wanted.first is not None:
        since = start_of_day(wanted.first)
        rest.append(lambda columns: columns.at >= since)
    if wanted.last is not None:
        until = start_of_day(wanted.last + timedelta(days=1))
        rest.append(lambda columns: columns.at < until)
    actors = _actors(session, wanted)
    if wanted.reference:
        case_id = _case_id(session, wanted.reference)
        if case_id is None:
            return None
        if actors is not None:
            rest.append(lambda columns: columns.actor.in_(actors))
        keys = [Leaf.object == case_id]
    elif actors is not None:
        keys = [Leaf.actor == actor for actor in actors]
        if not keys:
            return None
    if (wanted.reference or actors is not None) and wanted.action:
        rest.append(lambda columns: columns.action == wanted.action)
    elif not wanted.reference and actors is None:
        keys = [Leaf.action == wanted.action] if wanted.action else [Leaf.seq > 0]
    limit = LOOKED_BACK if rest else size + 1
    parts = [_newest(key, bounds, limit) for key in keys]
    if len(parts) == 1:
        return parts[0], rest
    together = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return select(together).order_by(together.c.seq.desc()).limit(limit), rest


def _newest(key: ColumnElement[bool], bounds: tuple[int, int], limit: int) -> Any:
    return (
        select(Leaf.seq, Leaf.at, Leaf.actor, Leaf.action)
        .where(key, Leaf.seq >= bounds[0], Leaf.seq <= bounds[1])
        .order_by(Leaf.seq.desc())
        .limit(limit)
    )


def _actors(session: Session, wanted: Wanted) -> list[bytes] | None:
    """Whose acts are asked; nothing when anybody's."""
    chosen: list[bytes] | None = None
    if wanted.person:
        chosen = [PROGRAM if wanted.person == THE_PROGRAM else _person_id(wanted.person) or b"?"]
    if wanted.team:
        members = session.scalars(select(Role.user_id).where(Role.team == wanted.team).distinct()).all()
        chosen = sorted(members) if chosen is None else [one for one in chosen if one in members]
    return chosen


def _person_id(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _case_id(session: Session, reference: str) -> bytes | None:
    return session.scalar(select(Case.id).where(Case.reference == reference.strip().upper()))


def _lines(session: Session, instance: Instance, numbers: Sequence[int]) -> tuple[Line, ...]:
    rows = session.execute(
        select(Leaf.seq, Leaf.at, Leaf.actor, Leaf.action, Leaf.object, Case.reference)
        .outerjoin(Case, Case.id == Leaf.object)
        .where(Leaf.seq.in_(numbers))
        .order_by(Leaf.seq.desc())
    ).all()
    names = names_of(session, instance, {row.actor for row in rows} | {row.object for row in rows})

    def kind(actor: bytes) -> str:
        return "program" if actor == PROGRAM else "staff" if actor in names else "reader"

    return tuple(
        Line(
            row.seq, row.at, kind(row.actor), names.get(row.actor, ""), row.action, row.reference or "",
            names.get(row.object, ""),
        )
        for row in rows
    )  # fmt: skip


def require_auditor(person: Person) -> None:
    """Nobody else reads the trail."""
    if not person.has("auditor"):
        raise NotAllowed("niet_uw_rol")
