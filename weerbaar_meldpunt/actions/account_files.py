"""The cases and drafts of an account, found from keys that are derived in the session and stand nowhere.

The n-th case of an account has a look-up of its own; the look-up of a case that is gone stays reserved, so that no
number is used twice. A new FILES secret leaves the older ones in the bundle until nothing hangs from them any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Draft, Reader
from weerbaar_meldpunt.vault.derive import new_key
from weerbaar_meldpunt.vault.keys import ReaderKeys, account_code, draft_slot_code, split

from .instance import Instance

MISSES: Final = 20
DRAFT_SLOTS: Final = 5
_AT_ONCE: Final = 500


@dataclass(frozen=True)
class AccountReader:
    """One number of an account that is taken: by a living case, or reserved for ever."""

    keys: ReaderKeys = field(repr=False)
    number: int
    case_id: bytes | None
    role: str
    current: bool  # whether it hangs from the newest FILES secret


def _secrets(bundle: Mapping[str, Any]) -> list[tuple[bytes, int]]:
    """The FILES secrets with the highest number noted for each, newest first."""
    older = [(bytes.fromhex(secret), int(highest)) for secret, highest in bundle.get("files_before", ())]
    return [(bytes.fromhex(bundle["files"]), int(bundle.get("highest", 0))), *older]


def _taken(session: Session, instance: Instance, secret: bytes, highest: int) -> Iterator[tuple[int, ReaderKeys, Any]]:
    """The taken numbers of one secret, until twenty misses in a row beyond the highest that is known."""
    first, end = 0, highest + 1 + MISSES
    while first < end:
        last = min(end, first + _AT_ONCE)
        batch = [ReaderKeys.from_code(account_code(secret, n), instance.id) for n in range(first, last)]
        rows = {
            row.lookup: row
            for row in session.execute(
                select(Reader.lookup, Reader.case_id, Reader.role).where(
                    Reader.lookup.in_([reader.lookup for reader in batch])
                )
            )
        }
        for number, keys in enumerate(batch, start=first):
            if keys.lookup in rows:
                end = max(end, number + 1 + MISSES)
                yield number, keys, rows[keys.lookup]
        first = last


def account_readers(
    session: Session, instance: Instance, bundle: Mapping[str, Any], *, older: bool = True
) -> list[AccountReader]:
    """The numbers of an account that are taken, in order; those of older secrets come after."""
    found = []
    for place, (secret, highest) in enumerate(_secrets(bundle)):
        if place and not older:
            break
        for number, keys, row in _taken(session, instance, secret, highest):
            found.append(AccountReader(keys, number, row.case_id, row.role, current=place == 0))
    return found


def next_reader(session: Session, instance: Instance, bundle: Mapping[str, Any]) -> ReaderKeys:
    """The keys of the account's next number: one beyond the highest that was ever taken."""
    taken = account_readers(session, instance, bundle, older=False)
    number = max((one.number for one in taken), default=-1) + 1
    return ReaderKeys.from_code(account_code(bytes.fromhex(bundle["files"]), number), instance.id)


def rotate_files(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """The bundle with a new FILES secret; the old one stays until each of its cases was opened once more.

    For "iemand kent het misschien": who knew the old secret could find, and open, what hangs from it.
    """
    before = [[bundle["files"], int(bundle.get("highest", 0))], *bundle.get("files_before", ())]
    return dict(bundle) | {"files": new_key().hex(), "highest": 0, "files_before": before}


def note_highest(session: Session, instance: Instance, bundle: Mapping[str, Any]) -> dict[str, Any]:
    """The bundle as it is sealed at a sign-in: with the highest number known, without secrets nothing hangs from."""
    (secret, highest), *older = _secrets(bundle)
    numbers = [number for number, _, _ in _taken(session, instance, secret, highest)]
    kept = []
    for old, its_highest in older:
        rows = list(_taken(session, instance, old, its_highest))
        if any(row.case_id for _, _, row in rows) or _drafts_of(session, instance, old):
            kept.append([old.hex(), max([its_highest, *(number for number, _, _ in rows)])])
    changed = dict(bundle) | {"highest": max([highest, *numbers])}
    changed.pop("files_before", None)
    return changed | ({"files_before": kept} if kept else {})


# --- drafts ----------------------------------------------------------------------------------------------------------


def _slot(instance: Instance, secret: bytes, number: int) -> bytes:
    lookup, key = split(draft_slot_code(secret, number), instance.id, "draft")
    return lookup + key.secret


def _drafts_of(session: Session, instance: Instance, secret: bytes) -> list[bytes]:
    slots = {cookie[:16]: cookie for cookie in (_slot(instance, secret, m) for m in range(DRAFT_SLOTS))}
    held = session.scalars(select(Draft.lookup).where(Draft.lookup.in_(slots)))
    return [slots[lookup] for lookup in held]


def draft_slots(session: Session, instance: Instance, bundle: Mapping[str, Any]) -> list[bytes]:
    """What opens each of the drafts that an account holds, those under older secrets too."""
    return [cookie for secret, _ in _secrets(bundle) for cookie in _drafts_of(session, instance, secret)]


def free_slot(session: Session, instance: Instance, bundle: Mapping[str, Any]) -> bytes | None:
    """What a new draft of the account is kept under; nothing while all five are taken."""
    secret = bytes.fromhex(bundle["files"])
    taken = set(_drafts_of(session, instance, secret))
    slots = (_slot(instance, secret, m) for m in range(DRAFT_SLOTS))
    return next((cookie for cookie in slots if cookie not in taken), None)
