"""Browsers that their owner called their own: what outsiders try in somebody's name does not make these wait.

A device opens nothing. Its cookie finds a row (a hash that another account on the same browser does not share), and it
counts only while the bundle of the account holds it too, so that nobody can plant one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.store.doors import Device
from weerbaar_meldpunt.vault.derive import sha256

from .bundles import change_bundle

MOST: Final = 20
KEPT_DAYS: Final = 400  # as long as browsers keep a cookie


@dataclass(frozen=True)
class OwnDevice:
    """A device as its owner sees it; the day stands in the bundle only."""

    id: str
    since: date
    this: bool


def device_hash(cookie: bytes, user_id: bytes) -> bytes:
    """By what a device of one account is found."""
    return sha256(cookie + user_id)


def is_known(session: Session, cookie: bytes, user_id: bytes) -> bool:
    """Whether a browser's cookie is one of this account's."""
    if not cookie:
        return False
    row = session.get(Device, device_hash(cookie, user_id))
    return row is not None and row.user_id == user_id


def listed(bundle: Mapping[str, Any], cookie: bytes, user_id: bytes) -> list[OwnDevice]:
    """The devices of an account, this one first."""
    here = device_hash(cookie, user_id).hex() if cookie else ""
    found = [
        OwnDevice(one["id"], date.fromisoformat(one["since"]), one["id"] == here) for one in bundle.get("devices", ())
    ]
    return sorted(found, key=lambda one: (one.this, one.since), reverse=True)


def remember(session: Session, root: bytes, user_id: bytes, cookie: bytes, *, now: datetime) -> None:
    """From now on this browser is one of the account's own; rows that the bundle does not hold go."""
    one = {"id": device_hash(cookie, user_id).hex(), "since": today(now).isoformat()}

    def with_this(bundle: dict[str, Any]) -> dict[str, Any]:
        others = [device for device in bundle.get("devices", ()) if device["id"] != one["id"]]
        return bundle | {"devices": [*others, one][-MOST:]}

    _match_rows(session, user_id, change_bundle(session, root, user_id, with_this))


def forget(session: Session, root: bytes, user_id: bytes, device_id: str) -> None:
    """Take a device from the list."""

    def without(bundle: dict[str, Any]) -> dict[str, Any]:
        return bundle | {"devices": [device for device in bundle.get("devices", ()) if device["id"] != device_id]}

    _match_rows(session, user_id, change_bundle(session, root, user_id, without))


def _match_rows(session: Session, user_id: bytes, bundle: Mapping[str, Any]) -> None:
    hashes = {bytes.fromhex(one["id"]) for one in bundle["devices"]}
    session.execute(delete(Device).where(Device.user_id == user_id, Device.id_hash.not_in(hashes)))
    held = set(session.scalars(select(Device.id_hash).where(Device.user_id == user_id)))
    session.add_all(Device(id_hash=digest, user_id=user_id) for digest in hashes - held)
    session.flush()


def in_bundle(bundle: Mapping[str, Any], cookie: bytes, user_id: bytes) -> bool:
    """Whether the owner's own list holds this browser."""
    digest = device_hash(cookie, user_id).hex()
    return bool(cookie) and any(one["id"] == digest for one in bundle.get("devices", ()))
