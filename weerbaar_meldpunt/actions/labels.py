"""Places where a process may be killed by a test: nothing half done may be left behind, wherever it dies.

Without effect but in a demonstration instance, and there only with `MELDPUNT_DIE_AT` in the environment of the
process: the name of a label, or `name:3` for the third time it is passed.
"""

from __future__ import annotations

import os
import signal
from typing import Final

VARIABLE: Final = "MELDPUNT_DIE_AT"

_passed: dict[str, int] = {}
_armed: set[str] = set()


def arm(*, demonstration: bool) -> None:
    """Called where an instance is opened: only an invented one may be killed."""
    _armed.clear()
    if demonstration and (wanted := os.environ.get(VARIABLE)):
        _armed.add(wanted)


def labelled(name: str) -> None:
    """A point that a test can kill this process at (-9: nothing is flushed, nothing is cleaned up)."""
    for armed in _armed:
        wanted, _, time = armed.partition(":")
        if wanted == name:
            _passed[name] = _passed.get(name, 0) + 1
            if _passed[name] >= int(time or 1):
                os.kill(os.getpid(), signal.SIGKILL)
