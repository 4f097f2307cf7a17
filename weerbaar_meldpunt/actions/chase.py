"""The chase: who must hear that something did not happen in time, noted once for ever, so that no case is forgotten.

A clock claims dues for a short while (lease) and under a number (fence), and then takes the next step of each in one
transaction: the step, the due, the mails and the leaf of the trail. A clock that was killed loses its lease; one that
was only slow finds the fence gone and writes nothing.

Two times: `now` is what the chase goes by (actions/pulse.py), `wall` the machine's clock, for leases and mails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, insert, or_, select, update
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents import mails
from weerbaar_meldpunt.rules import chase as rules
from weerbaar_meldpunt.rules.chase_plan import FIRST_STEP
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.engine import insert_if_absent
from weerbaar_meldpunt.store.tracks import Due, DueClaim, DueStep, Outbox, Track
from weerbaar_meldpunt.vault.derive import new_id

from .crews import Crew, load_crews
from .gaps import note_gaps
from .instance import Instance
from .ledger import PROGRAM, Ledger
from .outbox import mail_row
from .tracks import plan
from .vouching import trail_of_rows

BATCH: Final = 100
LEASE: Final = timedelta(seconds=20)
# A clock reads the time and may then wait for the database, while another takes a lease that looks that much too long.
WAITED: Final = timedelta(minutes=1)
LAPSED: Final = "vervallen"
URGENT: Final = "acuut"
SURVEY: Final = "enquete"
LAST_STEP: Final = "heel_team"


@dataclass
class Taken:
    """What a clock did with a batch, for its log: numbers and teams, no case and no name."""

    seen: int = 0  # dues that were looked at
    steps: int = 0
    mails: int = 0
    refused: int = 0  # another clock took them over
    without_address: int = 0
    nobody: set[str] = field(default_factory=set)  # teams of which nobody can be told

    def add(self, other: Taken) -> None:
        """Count another batch too."""
        self.seen += other.seen
        self.steps += other.steps
        self.mails += other.mails
        self.refused += other.refused
        self.without_address += other.without_address
        self.nobody |= other.nobody


# --- claiming ------------------------------------------------------------------------------------------------------


def _looked_at(now: datetime) -> ColumnElement[bool]:
    return and_(Due.ended_at.is_(None), Due.next_at <= now)


def _free(wall: datetime) -> ColumnElement[bool]:
    # A lease further ahead than any is given was made by a clock that was wrong.
    return or_(DueClaim.lease_until <= wall, DueClaim.lease_until > wall + LEASE + WAITED)


def anything_due(session: Session, *, now: datetime) -> bool:
    """Whether the clock must look at something, claimed or not."""
    return session.scalar(select(Due.id).where(_looked_at(now)).limit(1)) is not None


def claim_dues(
    session: Session, clock: bytes, *, now: datetime, wall: datetime, limit: int = BATCH, urgent: bool = False
) -> dict[bytes, int]:
    """Take some dues in hand; answers the fence of each. `urgent`: of acute tracks only.

    The newest first: after a long silence an alarm of this minute must not wait for all that is late already.
    """
    query = (
        select(Due.id, DueClaim.due_id.label("claimed"))
        .outerjoin(DueClaim, DueClaim.due_id == Due.id)
        .where(_looked_at(now), or_(DueClaim.due_id.is_(None), _free(wall)))
        .order_by(Due.next_at.desc())
        .limit(limit)
        .with_for_update(skip_locked=True, of=Due)
    )
    if urgent:
        query = query.join(Track, Track.id == Due.track_id).where(Track.urgency == URGENT)
    chosen = session.execute(query).all()
    if not chosen:
        return {}
    ids, claim = [row.id for row in chosen], {"clock": clock, "lease_until": wall + LEASE}
    session.execute(
        update(DueClaim)
        .where(DueClaim.due_id.in_(ids), _free(wall))
        .values(fence=DueClaim.fence + 1, **claim)
        .execution_options(synchronize_session=False)
    )
    if fresh := [{"due_id": row.id, "fence": 1, **claim} for row in chosen if row.claimed is None]:
        # Two clocks on PostgreSQL can both see a due without a claim: the second finds the first one's row.
        session.connection().execute(insert_if_absent(session, DueClaim), fresh)
    mine = select(DueClaim.due_id, DueClaim.fence).where(
        DueClaim.due_id.in_(ids), DueClaim.clock == clock, DueClaim.lease_until == claim["lease_until"]
    )
    return {row.due_id: row.fence for row in session.execute(mine)}


def _still_mine(session: Session, claims: Mapping[bytes, int], clock: bytes) -> list[bytes]:
    """The claims that nobody took over, locked: from here on this transaction holds them.

    They are not given back with each batch: a due that was seen to is due again only after its lease.
    """
    held = session.execute(
        select(DueClaim.due_id, DueClaim.fence)
        .where(DueClaim.due_id.in_(list(claims)), DueClaim.clock == clock)
        .order_by(DueClaim.due_id)
        .with_for_update()
    )
    return [row.due_id for row in held if claims[row.due_id] == row.fence]


def give_back(session: Session, clock: bytes, *, wall: datetime) -> None:
    """Whatever this clock still holds is free again: for a clock that stops, so that the next one need not wait."""
    session.execute(
        update(DueClaim)
        .where(DueClaim.clock == clock, DueClaim.lease_until > wall)
        .values(lease_until=wall)
        .execution_options(synchronize_session=False)
    )


# --- stepping ------------------------------------------------------------------------------------------------------


@dataclass
class _Batch:
    """What is written for a batch of dues."""

    session: Session
    instance: Instance
    ledger: Ledger
    crews: Mapping[str, Crew]
    alarmed: set[tuple[str, str]]  # teams and steps that were alarmed just now
    now: datetime
    wall: datetime
    steps: list[dict[str, Any]] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)
    told_all: list[Track] = field(default_factory=list)
    changed: bool = False
    taken: Taken = field(default_factory=Taken)
    touched: set[bytes] = field(default_factory=set)  # the dues that this batch wrote

    def change(self, due: Due, **values: Any) -> None:
        self.ledger.change(due, **values)
        self.touched.add(due.id)
        self.changed = True


def take_steps(
    session: Session, instance: Instance, claims: Mapping[bytes, int], clock: bytes, *, now: datetime, wall: datetime
) -> Taken:
    """Take the next step of every due of a claim that is still ours. The caller's transaction is the whole of it."""
    mine = _still_mine(session, claims, clock)
    rows = session.execute(
        select(Due, Track)
        .join(Track, Track.id == Due.track_id)
        .where(Due.id.in_(mine), _looked_at(now))  # what somebody did meanwhile is done
        .order_by(Track.id, Due.moment)
        # A track that a worker has in hand just now is for the next look.
        .with_for_update(of=(Due, Track), skip_locked=True)
    ).all()
    taken = Taken(seen=len(rows), refused=len(claims) - len(mine))
    if not rows:
        return taken
    crews = load_crews(session, instance, {track.team for _, track in rows}, now=now)
    batch = _Batch(
        session, instance, Ledger(session, instance, now=now), crews,
        _alarmed(session, [track for due, track in rows if rules.sounds_alarm(due.kind, track.urgency, now=now)], now),
        now, wall, taken=taken,
    )  # fmt: skip
    trail = trail_of_rows(session, instance, list({row.id: row for pair in rows for row in pair}.values()))
    for due, track in rows:
        changed = [row.__tablename__ for row in (due, track) if not trail.agrees(row)]
        if changed:
            _distrust(batch, due, track, changed)
        else:
            _look_at(batch, due, track)
    for model, written in ((DueStep, batch.steps), (Outbox, batch.letters)):
        if written:
            session.connection().execute(insert(model), written)
    _begin_again(batch, batch.told_all)
    if batch.changed:
        batch.ledger.close(PROGRAM, "herinnerd", instance.id)
    taken.steps, taken.mails = len(batch.steps), len(batch.letters)
    return taken


def _look_at(batch: _Batch, due: Due, track: Track) -> None:
    now = batch.now
    crew = batch.crews[track.team]
    planned = rules.PlannedDue(due.kind, due.moment)
    if track.closed_at is not None and not _goes_on(due, track, now=now):
        batch.change(due, step=LAPSED, ended_at=now, next_at=None)
        return
    rest = rules.rests_until(planned, track.urgency, taken=track.owner_id in crew.members, now=now)
    if rest is not None:
        batch.change(due, next_at=rest)
        return
    if not rules.may_step_now(due.kind, track.urgency, now=now):
        batch.change(due, next_at=rules.next_hour(due.kind, track.urgency, now=now))
        return
    rung = rules.next_rung(due.step, due.kind, track.urgency, now=now)
    if rung is None:
        batch.change(due, next_at=None)
        batch.told_all.append(track)
        return
    people = crew.asked(rules.asked(rung.step, now=now), track.owner_id)
    if not people:  # the step is not taken, since nobody would hear of it
        batch.taken.nobody.add(track.team)
        batch.change(due, next_at=rules.try_again(due.kind, track.urgency, now=now))
        return
    _tell(batch, due, track, crew, rung.step, people)
    batch.change(due, step=rung.step, next_at=rung.look_again_at)
    if rung.look_again_at is None:
        batch.told_all.append(track)


def _distrust(batch: _Batch, due: Due, track: Track, changed: Sequence[str]) -> None:
    """A due or track that was changed behind the program: it is left as it is, and all of the team hears of it, once.

    Written anew it would stand in the trail as true, and what it says of who must hear it and when may be a lie.
    """
    reference = batch.session.scalar(select(Case.reference).where(Case.id == track.case_id))
    note_gaps(batch.session, batch.instance, reference or "?", changed, now=batch.now)
    told = select(DueStep.id).where(DueStep.due_id == due.id, DueStep.step == LAST_STEP)
    people = list(batch.crews[track.team].members)
    if people and batch.session.scalar(told) is None:
        _tell(batch, due, track, batch.crews[track.team], LAST_STEP, people)


def _goes_on(due: Due, track: Track, *, now: datetime) -> bool:
    """Whether this due outlives the closing of its track: aftercare and the survey."""
    return due.kind == SURVEY or due.kind in rules.kept_after_closing(track.outcome or "", now=now)


def _tell(batch: _Batch, due: Due, track: Track, crew: Crew, step: str, people: Sequence[bytes]) -> None:
    source = new_id()
    batch.steps.append({"id": source, "due_id": due.id, "step": step, "at": batch.now})
    text = mails.reminder()
    if rules.sounds_alarm(due.kind, track.urgency, now=batch.now):
        untaken = track.owner_id is None
        if untaken and (track.team, step) in batch.alarmed:
            return  # alarms of one team close together are one
        if untaken:
            batch.alarmed.add((track.team, step))
        before = rules.confirm_before(track.urgency, now=batch.now)
        text = mails.alarm(confirm_before=before, number=crew.number_behind(people))
    for person in people:
        address = crew.address(person)
        if address is None:
            batch.taken.without_address += 1
            continue
        batch.letters.append(
            mail_row(
                batch.instance, text, source=source, recipient_id=person, address=address, wall=batch.wall
            )
        )  # fmt: skip


def _alarmed(session: Session, tracks: Sequence[Track], now: datetime) -> set[tuple[str, str]]:
    """The teams that were alarmed a moment ago and did not confirm yet, with the step of it."""
    if not tracks:
        return set()
    since = rules.alarms_are_one_since(now=now)
    rows = session.execute(
        select(Track.team, Track.urgency, Due.kind, DueStep.step)
        .join(Due, Due.track_id == Track.id)
        .join(DueStep, DueStep.due_id == Due.id)
        .where(
            Track.team.in_({track.team for track in tracks}),
            Track.urgency.in_({track.urgency for track in tracks}),
            Track.closed_at.is_(None),
            Track.owner_id.is_(None),
            Due.ended_at.is_(None),
            DueStep.at > since,
            DueStep.at <= now,
        )
        .distinct()
    )
    return {(row.team, row.step) for row in rows if rules.sounds_alarm(row.kind, row.urgency, now=now)}


def _begin_again(batch: _Batch, told: Iterable[Track], *, before: datetime | None = None) -> None:
    """Where the whole team was told everything there was and nobody did anything: a new due, so that it goes on.

    `before`: a look later than this does not count as one.
    """
    tracks = {track.id: track for track in told if track.closed_at is None}
    if not tracks:
        return
    dues: dict[bytes, list[Due]] = {track_id: [] for track_id in tracks}
    for due in batch.session.scalars(select(Due).where(Due.track_id.in_(list(tracks))).order_by(Due.moment)):
        dues[due.track_id].append(due)
    found = [due for held in dues.values() for due in held]
    trail = trail_of_rows(batch.session, batch.instance, [*tracks.values(), *found])
    for track_id, read in dues.items():
        # What this batch itself wrote is not in a leaf yet.
        held = [due for due in read if due.id in batch.touched or trail.agrees(due)]
        if not trail.agrees(tracks[track_id]):
            continue
        looks = [due.next_at for due in held if due.ended_at is None and due.next_at is not None]
        if any(before is None or moment < before for moment in looks):
            continue
        track = tracks[track_id]
        plan(batch.ledger, track, held, [rules.next_round(track.urgency, now=batch.now)], now=batch.now)
        batch.changed = True


# --- after a clock that was wrong ----------------------------------------------------------------------------------


def bring_back(
    session: Session, instance: Instance, *, now: datetime, after: bytes = b"", limit: int = 500
) -> bytes | None:
    """After a false time ahead: what was put off into it is looked at again in the true one, some dues a call.

    Answers the id to go on after, or None when all were seen; then tracks that fell silent get a new round.
    """
    far = rules.longest_rest(now=now)
    rows = session.execute(
        select(Due, Track)
        .join(Track, Track.id == Due.track_id)
        .where(Due.id > after, Due.ended_at.is_(None), Due.next_at > far, Due.next_at > Due.moment)
        .where(or_(Due.moment <= now, Due.step != FIRST_STEP))
        .order_by(Due.id)
        .limit(limit)
        .with_for_update(of=(Due, Track))
    ).all()
    batch = _Batch(session, instance, Ledger(session, instance, now=now), {}, set(), now, now)
    trail = trail_of_rows(session, instance, [due for due, _ in rows])
    for due, track in rows:
        if not trail.agrees(due):
            continue
        planned = rules.PlannedDue(due.kind, due.moment)
        batch.change(due, next_at=rules.first_look(planned, track.urgency, now=now))
    if len(rows) < limit:
        told = session.scalars(
            select(Track)
            .join(Due, Due.track_id == Track.id)
            .where(Track.closed_at.is_(None), Due.ended_at.is_(None), Due.next_at.is_(None))
            .distinct()
        ).all()
        _begin_again(batch, told, before=far)
    if batch.changed:
        batch.ledger.close(PROGRAM, "klok_hersteld", instance.id)
    return rows[-1][0].id if len(rows) == limit else None
