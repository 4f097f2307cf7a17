"""Facts for the monthly figures: coded, sealed to the statistics, without a trace of which case they came from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.figures import EntryGrant, StatFact
from weerbaar_meldpunt.vault.derive import new_id, new_key
from weerbaar_meldpunt.vault.seal import Binding, SealKey, seal_json
from weerbaar_meldpunt.vault.wrap import Grant, wrap

from .instance import Instance

LOCAL = ZoneInfo("Europe/Amsterdam")


def month_of(moment: datetime) -> str:
    """The month a fact counts in: that of its validation, in Dutch local time."""
    return moment.astimezone(LOCAL).strftime("%Y-%m")


def counts_now(session: Session, instance: Instance) -> bool:
    """Whether the statistics have a pinned key to seal facts to."""
    return "" in instance.sealing_keys(session, "stats", ("",))


def write_fact(session: Session, instance: Instance, fact: Mapping[str, Any], *, now: datetime) -> None:
    """Seal one fact. It has no leaf and no case reference; the close compares numbers of rows and of leaves only."""
    key = instance.sealing_keys(session, "stats", ("",))[""]
    entry, secret = new_id(), new_key()
    sealed = seal_json(SealKey(secret), dict(fact), Binding("fact", None, entry, 0))
    session.add(StatFact(id=entry, month=month_of(now), sealed=sealed))
    wrapped = wrap(key, secret, Grant("entry", entry))
    session.add(EntryGrant(entry_id=entry, recipient=key.key_id, wrapped=wrapped))
    session.flush()
