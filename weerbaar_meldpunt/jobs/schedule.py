"""Which job runs when: each every so often while the clock runs, or all of them once."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler

from weerbaar_meldpunt.actions import chase
from weerbaar_meldpunt.actions.chase import Taken
from weerbaar_meldpunt.actions.instance import Instance

from .clock import LOG, Clock

LOOK_EVERY: Final = 5  # seconds; an acute case has five minutes between two steps
SWEEP_EVERY: Final = 3600
LIST_EVERY: Final = 600
WATCH_EVERY: Final = 60
PAUSE: Final = 0.5  # seconds between two looks at what another clock has in hand


def safely(what: str, job: Callable[[], object]) -> Callable[[], None]:
    """A job that is tried again at its next time whatever happened. A traceback could hold more than a log may."""

    def run_job() -> None:
        try:
            job()
        except Exception as fault:
            LOG.error("%s failed (%s); it is tried again", what, type(fault).__name__)

    return run_job


def run(instance: Instance) -> None:
    """Look every few seconds until SIGTERM or SIGINT; what is in hand then is finished or given back."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of each look that is left out while one runs
    clock = Clock(instance)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: clock.stop.set())
    # Memory only: two processes that share a job store run every job twice, and one that is killed takes its job along.
    scheduler = BackgroundScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
    )
    for what, job, seconds in (
        ("the chase", clock.chase, LOOK_EVERY),
        ("sending mails", clock.send, LOOK_EVERY),
        ("sweeping", clock.sweep, SWEEP_EVERY),
        ("writing the emergency list", clock.keep_list, LIST_EVERY),
        ("watching keys", clock.keep_keys, SWEEP_EVERY),
        ("watching terms of keeping", clock.keep_terms, SWEEP_EVERY),
        ("destroying what was decided", clock.erase, WATCH_EVERY),
        ("watching what is opened", clock.watch, WATCH_EVERY),
        ("the checkpoint and the check of the trail", clock.keep_trail, WATCH_EVERY),
    ):
        scheduler.add_job(safely(what, job), "interval", seconds=seconds, next_run_time=datetime.now(UTC), id=what)
    scheduler.start()
    LOG.info("the clock runs; it looks every %d seconds", LOOK_EVERY)
    clock.stop.wait()
    scheduler.shutdown(wait=True)
    safely("giving back what was in hand", clock.give_back)()
    LOG.info("the clock stopped")


def run_once(instance: Instance, now: datetime) -> Taken:
    """Look once: everything that is due at `now`, the mails, the sweeping. Waits for what another clock has in hand."""
    began = time.monotonic()
    clock = Clock(instance, moment=lambda: now + timedelta(seconds=time.monotonic() - began))
    patience = began + chase.LEASE.total_seconds() + 2 * PAUSE
    taken = clock.chase()
    while clock.anything_due() and time.monotonic() < patience:
        time.sleep(PAUSE)
        taken.add(clock.chase())
    clock.give_back()
    clock.keep_trail()
    clock.watch()
    clock.keep_terms()
    clock.erase()
    clock.send()
    clock.sweep()
    clock.keep_keys()
    clock.keep_list()
    return taken
