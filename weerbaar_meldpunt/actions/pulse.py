"""The moment the clocks go by: never earlier than one that was seen, and an alarm when the machine's clock jumps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.engine import insert_if_absent
from weerbaar_meldpunt.store.tracks import Pulse

SEEN: Final = "klok"  # the newest moment any clock went by
BEFORE_JUMP: Final = "voor_sprong"  # the moment before a jump ahead that may have been false
JUMP: Final = "sprong"  # the moment the last jump led to
BEAT: Final = timedelta(minutes=1)  # a quiet clock writes its moment this often
BACK: Final = timedelta(seconds=120)
AHEAD: Final = timedelta(days=1)
REMEMBERED: Final = timedelta(days=7)  # how long a jump ahead may still turn out to have been false

STEADY, WENT_BACK, WENT_AHEAD, CAME_BACK = "steady", "went_back", "went_ahead", "came_back"


@dataclass(frozen=True, slots=True)
class Look:
    """The moment to go by, what the machine's clock did, and whether its time is good enough to delete by."""

    now: datetime
    did: str
    may_delete: bool


def is_quiet(session: Session, *, wall: datetime) -> bool:
    """Whether a clock noted this very minute already, so that a look without work has nothing to write."""
    seen = session.scalar(select(Pulse.seen_at).where(Pulse.name == SEEN))
    return seen is not None and timedelta() <= wall - seen < BEAT


def look(session: Session, *, wall: datetime, at_least: datetime | None = None) -> Look:
    """Note that a clock looks. `wall` is the machine's clock, `at_least` what this clock knows to have passed.

    Back by more than two minutes: go by what was seen. Ahead by more than a day (or nobody looked for a day): all that
    is overdue is chased, and nothing is deleted by age for a day. Back again to where it was before such a jump: the
    jump was false, and the true time is believed.
    """
    session.connection().execute(insert_if_absent(session, Pulse), [{"name": SEEN, "seen_at": wall}])
    pulses = {pulse.name: pulse for pulse in session.scalars(select(Pulse).with_for_update())}
    seen = pulses[SEEN].seen_at
    if at_least is None or at_least > seen + AHEAD:  # another clock found out meanwhile that this was a false time
        at_least = seen
    now, did = max(wall, seen, at_least), STEADY
    if wall > seen + AHEAD:
        did = WENT_AHEAD
        if BEFORE_JUMP not in pulses:  # of several jumps in a row, the time before the first
            _note(session, pulses, BEFORE_JUMP, seen)
        _note(session, pulses, JUMP, wall)
    elif wall < seen - BACK:
        did, now = _went_back(session, pulses, wall=wall, seen=seen, now=now)
    _note(session, pulses, SEEN, now)
    session.flush()
    jump = pulses.get(JUMP)
    if jump is not None and now - jump.seen_at > REMEMBERED:
        _forget_jump(session, pulses)
    steady = did == STEADY and (jump is None or now - jump.seen_at >= AHEAD)
    return Look(now, did, steady)


def _went_back(
    session: Session, pulses: dict[str, Pulse], *, wall: datetime, seen: datetime, now: datetime
) -> tuple[str, datetime]:
    before = pulses.get(BEFORE_JUMP)
    if before is None or seen - wall <= AHEAD or wall < before.seen_at - BACK:
        return WENT_BACK, now
    _forget_jump(session, pulses)
    return CAME_BACK, wall


def _forget_jump(session: Session, pulses: dict[str, Pulse]) -> None:
    for name in (BEFORE_JUMP, JUMP):
        session.execute(delete(Pulse).where(Pulse.name == name))
        pulses.pop(name, None)


def _note(session: Session, pulses: dict[str, Pulse], name: str, moment: datetime) -> None:
    if name in pulses:
        pulses[name].seen_at = moment
    else:
        pulses[name] = Pulse(name=name, seen_at=moment)
        session.add(pulses[name])
