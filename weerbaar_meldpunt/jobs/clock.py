"""The clock: says when to look. Any number of clocks may run; what is due stands in the database, not here."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Lock
from typing import Final

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from weerbaar_meldpunt.actions import (
    bulk,
    chase,
    checkpoints,
    custody_check,
    destroying,
    emergency_file,
    epochs,
    erasing,
    evidence,
    linking,
    nightly,
    oversight,
    pulse,
    retention,
    room,
    sweeping,
    verifying,
)
from weerbaar_meldpunt.actions.alarms import raise_alarm
from weerbaar_meldpunt.actions.chase import Taken
from weerbaar_meldpunt.actions.instance import Instance
from weerbaar_meldpunt.store.engine import truncate_wal

from .mail import MailRun, send_waiting, wall_clock

LOG: Final = logging.getLogger("meldpunt.clock")
BATCHES_BETWEEN_URGENT: Final = 20
JUMPED, LITTLE_ROOM = "klok_sprong", "weinig_ruimte"

# What an operator reads, one line each: no case, no name, no address.
TROUBLE: Final = {
    "no_server": "no mail server is set: mails are kept, not sent",
    "unreachable": "the mail server cannot be reached or broke off: mails wait",
    "password_in_clear": "mails wait: the mail server's password would go over the line in clear; set tls",  # nosec B105
}
JUMPS: Final = {
    pulse.WENT_BACK: "ALARM: this machine's clock went back; the chase goes by the latest time that was seen",
    pulse.WENT_AHEAD: "ALARM: more than a day passed since a clock looked, or this machine's clock was put ahead;"
    " what is overdue is chased, nothing is deleted by age for a day",
    pulse.CAME_BACK: "ALARM: this machine's clock had been ahead; what was put off into that time is looked at again",
}


Claims = Mapping[bytes, int]


@dataclass
class _Turn:
    """Whose turn it is in one run of the chase: acute tracks first, and again every so many batches."""

    urgent: bool = True
    batches: int = 0

    def ends(self) -> bool:
        """Count a batch; whether it is time to look at the clock and at acute tracks again."""
        self.batches += 1
        if self.batches % BATCHES_BETWEEN_URGENT:
            return False
        self.urgent = True
        return True


class Clock:
    """One clock: who it is towards the others, and what it knows to have passed.

    `moment` is the time the chase goes by, `wall` the machine's clock, by which leases and mails go: the same, but for
    a demonstration that is told another moment. `running` is a clock in seconds that nobody can set.
    """

    def __init__(
        self, instance: Instance, *, moment: Callable[[], datetime] | None = None,
        wall: Callable[[], datetime] = wall_clock, running: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.instance = instance
        self.id = os.urandom(16)
        self.stop = Event()
        self._moment, self._wall, self._running = moment or wall, wall, running
        self._went_by: tuple[datetime, float] | None = None
        self._looking = Lock()
        self._said: dict[str, str] = {}

    def _say(self, about: str, what: str, line: str = "") -> None:
        """Log a line when what is to be said about something changes; the same again is said once."""
        if self._said.get(about, "") != what:
            self._said[about] = what
            if line:
                LOG.warning(line)

    # --- the time ---

    def _at_least(self) -> datetime | None:
        """What must have passed since the last look, even when the machine's clock says otherwise."""
        if self._went_by is None:
            return None
        moment, running = self._went_by
        return moment + timedelta(seconds=self._running() - running)

    def _look(self) -> pulse.Look:
        with self._looking:
            with self.instance.sessions.begin() as session:
                look = pulse.look(session, wall=self._moment(), at_least=self._at_least())
                if look.did != pulse.STEADY:
                    raise_alarm(session, self.instance, JUMPED, look.did, now=look.now)
            self._went_by = look.now, self._running()
            self._say("time", look.did, JUMPS.get(look.did, ""))
            if look.did == pulse.CAME_BACK:
                self._bring_back(look.now)
            return look

    def _bring_back(self, now: datetime) -> None:
        after: bytes | None = b""
        while after is not None:
            with self.instance.sessions.begin() as session:
                after = chase.bring_back(session, self.instance, now=now, after=after)

    # --- the chase ---

    def chase(self) -> Taken:
        """Take every step that is due, batch by batch, until none is left."""
        taken = Taken()
        with self.instance.readings() as session:
            quiet = pulse.is_quiet(session, wall=self._moment())
        if quiet and not self.anything_due():
            return taken
        now = self._look().now
        turn = _Turn()
        with self.instance.sessions.begin() as session:
            claims = self._claim(session, turn, now)
        while claims:
            batch, claims = self._batch(claims, turn, now)
            taken.add(batch)
            if not batch.seen:  # all of it is in somebody else's hands just now
                break
            if turn.ends():
                now = self._look().now
        self._tell(taken)
        return taken

    def anything_due(self) -> bool:
        """Whether there is anything to look at, in the hands of another clock or not."""
        now = max(self._moment(), self._at_least() or self._moment())
        with self.instance.readings() as session:
            return chase.anything_due(session, now=now)

    def _claim(self, session: Session, turn: _Turn, now: datetime) -> Claims:
        """The next dues in hand: acute ones first, as long as there are any."""
        claims: Claims = {}
        if turn.urgent:
            claims = chase.claim_dues(session, self.id, now=now, wall=self._wall(), urgent=True)
            turn.urgent = bool(claims)
        return claims or chase.claim_dues(session, self.id, now=now, wall=self._wall())

    def _batch(self, claims: Claims, turn: _Turn, now: datetime) -> tuple[Taken, Claims]:
        """Take the steps of these dues and, in the same transaction, the next ones in hand."""
        try:
            with self.instance.sessions.begin() as session:
                taken = self._steps(session, claims, now)
                return taken, {} if self.stop.is_set() or not taken.seen else self._claim(session, turn, now)
        except OperationalError:  # the database is busy or gone: the lease runs out, and somebody tries again
            raise
        except Exception as fault:
            LOG.error("a batch of dues failed (%s); they are taken one by one", type(fault).__name__)
        taken = Taken()
        for due, fence in claims.items():
            try:
                with self.instance.sessions.begin() as session:
                    taken.add(self._steps(session, {due: fence}, now))
            except Exception as fault:  # it stays claimed for a while, and must not hold up the others
                taken.seen += 1
                LOG.error("ALARM: a due cannot be chased (%s); it is tried again", type(fault).__name__)
        with self.instance.sessions.begin() as session:
            return taken, self._claim(session, turn, now)

    def _steps(self, session: Session, claims: Claims, now: datetime) -> Taken:
        return chase.take_steps(session, self.instance, claims, self.id, now=now, wall=self._wall())

    def _tell(self, taken: Taken) -> None:
        if taken.steps:
            LOG.info("chased: %d steps noted, %d mails put ready", taken.steps, taken.mails)
        if taken.without_address:
            LOG.warning("%d reminders have no mail: the login of who must hear it is no address", taken.without_address)
        if taken.seen:
            nobody = ", ".join(sorted(taken.nobody))
            line = f"ALARM: nobody can be told that something waits for {nobody}" if nobody else ""
            self._say("nobody", nobody, line)

    def give_back(self) -> None:
        """Let go of what is in hand, before this clock stops."""
        with self.instance.sessions.begin() as session:
            chase.give_back(session, self.id, wall=self._wall())

    # --- mails and sweeping ---

    def send(self) -> MailRun:
        """Send what waits in the outbox."""
        run = send_waiting(self.instance, self.id, wall=self._wall, stopping=self.stop.is_set)
        if run.sent:
            LOG.info("%d mails sent", run.sent)
        if run.refused:
            LOG.warning("%d mails were refused by the mail server; they are tried again", run.refused)
        if run.unreadable:
            LOG.error("ALARM: %d mails do not open with this server key; they are kept", run.unreadable)
        if run.trouble or run.sent:
            self._say("mail", run.trouble, TROUBLE.get(run.trouble, ""))
        return run

    def sweep(self) -> None:
        """Throw away what is over; only while the time can be believed."""
        look = self._look()
        if look.may_delete:
            with self.instance.sessions.begin() as session:
                sweeping.sweep_rows(session, now=look.now)
            with self.instance.readings() as session:
                swept = sweeping.sweep_blobs(session, self.instance, wall=self._wall())
            if swept.unfinished or swept.orphaned:
                LOG.info("%d unfinished and %d orphaned files removed", swept.unfinished, swept.orphaned)
        truncate_wal(self.instance.engine)
        self._keep_room(look.now)

    def _keep_room(self, now: datetime) -> None:
        """Make the reserve again once there is room; alarm in time when there is little."""
        room.keep_reserve(self.instance)
        little = room.free(self.instance) < evidence.FREE_FLOOR
        self._say("room", "little" if little else "", "ALARM: little room on the disk; new files are refused")
        if little:
            with self.instance.sessions.begin() as session:
                raise_alarm(session, self.instance, LITTLE_ROOM, "schijf", now=now)

    # --- what goes for good ---

    def erase(self) -> int:
        """Let the cases go that two people, or their reporter, decided about: one a transaction, then its files.

        Only while the time can be believed. Whoever is killed half-way leaves a case whole or gone; the next clock
        goes on, and files that were left behind are found by the sweep.
        """
        with self.instance.readings() as session:
            waits = destroying.anything_to_erase(session, now=self._moment())
        look = self._look() if waits else None
        gone, skip = 0, set[bytes]()
        while look is not None and look.may_delete and not self.stop.is_set():
            with self.instance.sessions.begin() as session:
                left = destroying.erase_next(session, self.instance, skip=skip, now=look.now)
            if left is None:
                break
            erasing.remove_files(self.instance, left.files)
            gone += left.erased
        if gone:
            LOG.info("%d cases were destroyed", gone)
            truncate_wal(self.instance.engine)
        return gone

    def keep_terms(self) -> None:
        """Tell coordinators what will go, end proposals that nobody answered, let marks go whose month is over."""
        look = self._look()
        with self.instance.sessions.begin() as session:
            destroying.lapse(session, self.instance, now=look.now)
            destroying.warn(session, self.instance, now=look.now)
        if look.may_delete:
            with self.instance.sessions.begin() as session:
                linking.expire(session, self.instance, now=look.now)
                retention.forget_old_words(session, now=look.now)

    def keep_keys(self) -> None:
        """Note keys that were pinned, alarm where a new one is late or one was planted, destroy what nobody needs."""
        look = self._look()
        with self.instance.sessions.begin() as session:
            epochs.keep_watch(session, self.instance, now=look.now, may_delete=look.may_delete)
            custody_check.watch(session, self.instance, now=look.now)

    def keep_list(self) -> None:
        """Write the sealed emergency list to the file of the day, for when all this is down."""
        look = self._look()
        with self.instance.readings() as session:
            damaged = emergency_file.write_file(session, self.instance, now=look.now, may_delete=look.may_delete)
        if damaged:
            with self.instance.sessions.begin() as session:
                emergency_file.alarm_damaged(session, self.instance, damaged, now=look.now)
            LOG.error("ALARM: %d entries of the emergency list are not what was written", len(damaged))

    # --- the trail ---

    def watch(self) -> None:
        """Look for somebody who opens more than their work asks, and remind of what the FG has to do in time."""
        now = self._look().now
        with self.instance.readings() as session:
            busy = bulk.too_many(session, now=now)
            late = oversight.anything_to_remind(session, now=now)
        for found in busy:
            with self.instance.sessions.begin() as session:
                if bulk.raise_for(session, self.instance, found, now=now):
                    LOG.warning("ALARM: a member of staff opened more than the limits allow (%s)", found.what)
        if late:
            with self.instance.sessions.begin() as session:
                oversight.remind(session, self.instance, now=now)

    def keep_trail(self) -> None:
        """The day's checkpoint, and the night's check of the whole trail: one clock makes each."""
        now = self._look().now
        with self.instance.readings() as session:
            point, check = checkpoints.is_due(session, now=now), nightly.is_due(session, now=now)
        if point:
            with self.instance.sessions.begin() as session:
                made = checkpoints.make_if_due(session, self.instance, now=now)
            if made is not None:
                LOG.info("checkpoint %d is made, of %d leaves", made.number, made.size)
        if check:
            self._check_trail(now)

    def _check_trail(self, now: datetime) -> None:
        with self.instance.sessions.begin() as session:
            if not nightly.take_turn(session, now=now):
                return
        night = nightly.night_of(now)
        try:
            with self.instance.readings() as session:
                verifying.one_moment(session)
                verdict = verifying.verify(session, self.instance)
        except Exception as fault:
            with self.instance.sessions.begin() as session:
                nightly.note_failure(session, self.instance, type(fault).__name__, night=night, now=now)
            LOG.error("ALARM: the check of the trail broke off (%s); see: meldpunt audit verify", type(fault).__name__)
            raise
        with self.instance.sessions.begin() as session:
            nightly.note_verdict(session, self.instance, verdict, night=night, now=now)
        if verdict.first is not None:
            LOG.error(
                "ALARM: the trail is not what was written: %d faults, the first at leaf %s (%s); see: meldpunt audit"
                " verify", verdict.wrong, verdict.first.seq, verdict.first.what,
            )  # fmt: skip
