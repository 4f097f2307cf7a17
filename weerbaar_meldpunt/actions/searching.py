"""Searching the cases of a team in a member's own session: that it was done stands in the trail, what for nowhere.

What stands in segments is searched in bulk. Cases that are in none yet are opened one by one, some hundreds in each
search, and packed into a segment for the next one. Nothing of a text is shown: a hit is a row as in the queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import CaseDoc, Fold, Message
from weerbaar_meldpunt.store.links import Segment, SegmentCase, drop_segments, drop_worn_segments
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding

from . import bulk, caserows
from .casekeys import MELDING, keep_cache
from .errors import NotYours
from .instance import Instance
from .ledger import Ledger
from .opened_reports import open_reports
from .people import Person
from .queue import MAX_PAGE
from .retention import has_it
from .segments import Entry, Wanted, entry_of, found_in, keep_segment, packed, search_segment

SEARCHED: Final = "gezocht"
ONE_BY_ONE: Final = 512  # cases that one search opens by themselves: half a second
WORTH_A_SEGMENT: Final = 32  # fewer are opened one by one again next time
REACH: Final = 10_000  # hits beyond these are not counted
_AT_ONCE: Final = 16  # segments in memory at a time


@dataclass(frozen=True)
class Opened:
    """A case that was opened by itself, with what it looked like: it is packed only when that is still so."""

    entry: Entry = field(repr=False)
    revision: int
    messages: int


@dataclass
class Found:
    """What a search found, and what it can leave for the next one."""

    case_ids: list[bytes]
    more: bool  # there are more hits than anybody counts
    left: int  # cases that are not searched yet: another search goes on with them
    opened: list[Opened] = field(default_factory=list, repr=False)
    folds: list[dict[str, Any]] = field(default_factory=list, repr=False)
    damaged: list[bytes] = field(default_factory=list, repr=False)


def note_search(session: Session, instance: Instance, person: Person, team: str, *, now: datetime) -> None:
    """Note that this person searches, not what for; the page commits before it opens anything."""
    if team not in person.teams:
        raise NotYours
    Ledger(session, instance, now=now).close(person.user_id, SEARCHED, person.user_id)


def search(session: Session, instance: Instance, person: Person, team: str, wanted: Wanted) -> Found:
    """The cases of the team that hold all of the words and marks. Only reads; `keep` keeps what it made."""
    ring = person.teams.get(team)
    if not ring:
        raise NotYours
    found = Found([], more=False, left=0)
    hits = _in_segments(session, ring[-1], wanted, person.name, found)
    loose = _loose(session, team, ring[-1].epoch)
    waiting = session.scalars(loose.order_by(Track.opened_at.desc(), Track.id).limit(ONE_BY_ONE)).all()
    if len(waiting) == ONE_BY_ONE:
        found.left = (session.scalar(select(func.count()).select_from(loose.subquery())) or 0) - ONE_BY_ONE
    found.opened, found.folds = _open(session, instance, ring, team, waiting)
    hits |= {one.entry.case_id for one in found.opened if found_in(one.entry, wanted, person.name)}
    found.case_ids = sorted(hits)
    return found


def _in_segments(session: Session, keys: TeamKeys, wanted: Wanted, name: str, found: Found) -> set[bytes]:
    """The hits in the team's segments of this epoch, as far as what stands there is still true."""
    hits = set[bytes]()
    rows = session.execute(
        select(Segment.id, Segment.sealed)
        .where(Segment.team == keys.team, Segment.epoch == keys.epoch)
        .execution_options(yield_per=_AT_ONCE)
    )
    pairs = list[tuple[bytes, bytes]]()
    for segment_id, sealed in rows:
        try:
            pairs += [(segment_id, case_id) for case_id in search_segment(keys, segment_id, sealed, wanted, name)]
        except Onleesbaar:  # a cache: it is made anew out of the cases themselves
            found.damaged.append(segment_id)
        if len(pairs) >= REACH:
            found.more = True
            break
    for start in range(0, len(pairs), 500):
        some = pairs[start : start + 500]
        live = session.execute(
            select(SegmentCase.segment_id, SegmentCase.case_id).where(
                SegmentCase.live, SegmentCase.team == keys.team, SegmentCase.case_id.in_([case for _, case in some])
            )
        )
        hits |= {case for _, case in {(row[0], row[1]) for row in live} & set(some)}
    return hits


def _loose(session: Session, team: str, epoch: int) -> Select[bytes]:
    """The cases of a team that stand in none of its segments as they are now."""
    packed_already = (
        select(SegmentCase.case_id)
        .join(Segment, Segment.id == SegmentCase.segment_id)
        .where(SegmentCase.case_id == Track.case_id, SegmentCase.live, SegmentCase.team == team, Segment.epoch == epoch)
    )
    return select(Track.case_id).where(Track.team == team, has_it(), ~packed_already.exists())


def _open(
    session: Session, instance: Instance, teams: Sequence[TeamKeys], team: str, case_ids: Sequence[bytes]
) -> tuple[list[Opened], list[dict[str, Any]]]:
    """Open compartment A of these cases: as the queue does for a headline, and the messages too."""
    if not case_ids:
        return [], []
    reports, folds = open_reports(
        session, instance, teams, team, case_ids, caserows.texts("message", Message, case_ids)
    )
    opened = list[Opened]()
    for report in reports:
        messages, texts = [caserows.a_message(row) for row in report.parts.get("message", [])], list[str]()
        for message in messages:
            try:
                if report.trail.agrees(message):
                    binding = Binding("message", report.case_id, message.id, message.revision)
                    texts.append(report.ring.open(message.sealed, binding)["text"])
            except Onleesbaar:
                continue
        opened.append(Opened(entry_of(report.case_id, report.melding, texts), report.revision, len(messages)))
    return opened, folds


def keep(session: Session, instance: Instance, person: Person, team: str, found: Found, *, now: datetime) -> None:
    """After a search, in a transaction of its own: keep what was made for the next one, and count the hits.

    A case that changed, moved or went since it was opened is in no segment.
    """
    # As many as the page shows: one common word in a search is no reason for an alarm.
    hits = {
        (person.user_id, now.replace(minute=0, second=0, microsecond=0), bulk.SEARCH_HIT): min(
            len(found.case_ids), MAX_PAGE
        )
    }
    if found.case_ids:
        bulk.keep_looks(session, hits)
    keep_cache(session, Fold, found.folds)
    drop_segments(session, found.damaged)
    if len(found.opened) < WORTH_A_SEGMENT:
        return
    keys = person.teams[team][-1]
    drop_worn_segments(session, team)
    for entries in packed(_unchanged(session, team, keys.epoch, found.opened)):
        keep_segment(session, keys, entries)


def _unchanged(session: Session, team: str, epoch: int, opened: Sequence[Opened]) -> Iterable[Entry]:
    ids = [one.entry.case_id for one in opened]
    loose = set(session.scalars(_loose(session, team, epoch).where(Track.case_id.in_(ids))))
    docs = select(CaseDoc.case_id, CaseDoc.revision).where(CaseDoc.case_id.in_(ids), CaseDoc.compartment == MELDING)
    revisions = {row[0]: row[1] for row in session.execute(docs)}
    written = select(Message.case_id, func.count()).where(Message.case_id.in_(ids)).group_by(Message.case_id)
    messages = {row[0]: row[1] for row in session.execute(written)}
    for one in opened:
        case_id = one.entry.case_id
        same = revisions.get(case_id) == one.revision and messages.get(case_id, 0) == one.messages
        if same and case_id in loose:
            yield one.entry
