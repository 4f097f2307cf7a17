"""Rows that gave access and are gone: their hashes stay, so that a backup that is put back lets nobody in again.

Buried are the rows of `ACCESS`, when they are deleted and when they are replaced (docs/security.md, "Audit"). A bundle
is buried only where its factors or ROOT changed: it is sealed anew at each sign-in, and a restore that threw that away
would keep its owner out. Caches (folds, headlines, segments) are in no backup, so they need no stone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.store.audit import Tombstone
from weerbaar_meldpunt.store.base import Base
from weerbaar_meldpunt.store.cases import CaseGrant, Claim, Reader
from weerbaar_meldpunt.store.engine import insert_if_absent
from weerbaar_meldpunt.store.people import Invitation, Root, TeamGrant
from weerbaar_meldpunt.vault import audit as hashes

from .rowhash import row_values

ACCESS: Final[frozenset[type[Base]]] = frozenset((TeamGrant, CaseGrant, Root, Invitation, Claim, Reader))


def tombstone_of(row: Base) -> bytes:
    """By what a row is known that was buried: the hash of all its columns."""
    return hashes.row_hash(type(row).__tablename__, row_values(row))


def bury(session: Session, rows: Iterable[Base], *, now: datetime) -> None:
    """Keep the hashes of rows that give access and are about to go or to be replaced."""
    values = [{"day": today(now), "row_hash": tombstone_of(row)} for row in rows]
    if values:
        session.execute(insert_if_absent(session, Tombstone), values)
