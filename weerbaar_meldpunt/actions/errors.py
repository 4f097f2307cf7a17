"""What can go wrong for a person, as values the pages turn into plain words."""

from __future__ import annotations

from weerbaar_meldpunt.vault.codes import WrongCode
from weerbaar_meldpunt.vault.errors import Onleesbaar

__all__ = [
    "Busy",
    "InstanceFault",
    "NotAllowed",
    "NotReady",
    "NotYours",
    "Onleesbaar",
    "PathClosed",
    "TooLarge",
    "TooManyTries",
    "WrongCode",
]


class InstanceFault(Exception):
    """The instance cannot work: a key, the pin file, the database is missing or wrong. One line, no content."""


class NotYours(Exception):
    """No such case for this person; on purpose the same as a case that does not exist."""


class NotAllowed(Exception):
    """This person may not do this now; `reason` is a code the page has words for."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotReady(Exception):
    """No team has a key yet that a report can be sealed to: show the telephone numbers only."""


class TooLarge(Exception):
    """More than a file or a report may hold."""


class TooManyTries(Exception):
    """Refused for now; `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class PathClosed(TooManyTries):
    """So many wrong passwords came from browsers we do not know that those may not try one now, whosever name it is."""


class Busy(Exception):
    """The queue for signing in is full; filing and open sessions are not affected."""
