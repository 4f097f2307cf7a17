"""Counting what a member is shown without opening it: queue pages and search hits, for the alarm on bulk opening."""

from __future__ import annotations

import logging
from typing import Final

from flask import current_app
from sqlalchemy.exc import OperationalError

from weerbaar_meldpunt.actions import bulk

from .guards import person
from .place import now, transaction

EXTENSION: Final = "meldpunt.looks"
LOG: Final = logging.getLogger("meldpunt")


def count_looks(what: str, n: int = 1) -> None:
    """Count `n` for who is signed in; written a few at a time, so that a queue page does not wait for the disk."""
    looks: bulk.Looks = current_app.extensions.setdefault(EXTENSION, bulk.Looks())
    if n and looks.add(person().user_id, what, n, now=now()):
        taken = looks.take()
        try:
            with transaction() as session:
                bulk.keep_looks(session, taken)
        except OperationalError:  # the page is shown, and the next one tries again
            looks.put_back(taken)
            LOG.warning("counts of what is looked at wait: the database is busy")
