"""A clock in a process of its own, with short leases and small batches, that kills itself (-9) where it is told to.

Called with the instance folder and `never`, `claimed` (it holds claims and has written nothing), `writing` (in the
middle of the transaction), `committed` (right after one) or `sent` (the mail server took a mail, its row still stands).
"""

import itertools
import logging
import os
import signal
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

from weerbaar_meldpunt.actions import chase, outbox
from weerbaar_meldpunt.actions.instance import open_instance
from weerbaar_meldpunt.jobs import clock, schedule
from weerbaar_meldpunt.settings import load_settings

folder, dies = Path(sys.argv[1]), sys.argv[2]
chase.LEASE = timedelta(seconds=2)
outbox.LEASE = timedelta(seconds=12)  # the sender gives back what it could not finish ten seconds before the end
schedule.LOOK_EVERY = 1
chase.claim_dues = partial(chase.claim_dues, limit=7)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def counted(function, *, before: bool, after: int):
    """The function, with a death before or after it once it was called often enough."""

    rounds = itertools.count(1)

    def wrapped(*args, **named):
        enough = next(rounds) > after
        if before and enough:
            die()
        answer = function(*args, **named)
        if enough:
            die()
        return answer

    return wrapped


def slower(function):
    """So that two clocks get to work side by side."""

    def wrapped(*args, **named):
        time.sleep(0.02)
        return function(*args, **named)

    return wrapped


take_steps, delivered = chase.take_steps, outbox.delivered
if dies == "claimed":
    take_steps = counted(take_steps, before=True, after=10)
elif dies == "writing":
    take_steps = counted(take_steps, before=False, after=10)
elif dies == "committed":
    clock.Clock._batch = counted(clock.Clock._batch, before=False, after=10)
elif dies == "sent":
    delivered = counted(delivered, before=True, after=25)
chase.take_steps, outbox.delivered = slower(take_steps), delivered

logging.basicConfig(level=logging.INFO, stream=sys.stdout)
schedule.run(open_instance(load_settings(folder)))
