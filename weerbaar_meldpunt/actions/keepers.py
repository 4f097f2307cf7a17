"""The keys that outlive this machine: BACKUP, whose seed lies on paper, and RECOVERY, which two custodians open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.custody import RecoveryPair
from weerbaar_meldpunt.vault.keys import custodian_key_pair, pair_key
from weerbaar_meldpunt.vault.seal import Binding, open_key
from weerbaar_meldpunt.vault.wrap import Grant, PublicKey, unwrap

from .errors import Onleesbaar
from .instance import Instance

KINDS: Final = ("backup", "recovery")


def keeping_keys(session: Session, instance: Instance) -> dict[str, PublicKey]:
    """The pinned key of BACKUP and of RECOVERY, as far as they are there. What no pin names is never wrapped to."""
    found = {kind: instance.house_key(session, kind) for kind in KINDS}
    return {kind: key for kind, key in found.items() if key is not None}


def custody_kit(session: Session, instance: Instance) -> dict[str, Any]:
    """The custodians' shares of the RECOVERY seed, as they stand in the database: sealed for two of them together."""
    recovery = keeping_keys(session, instance).get("recovery")
    if recovery is None:
        return {}
    rows = session.scalars(
        select(RecoveryPair).where(RecoveryPair.epoch == recovery.epoch).order_by(RecoveryPair.pair)
    ).all()
    return {
        "epoch": recovery.epoch,
        "pairs": [
            [row.pair, *(part.hex() for part in (row.lower_id, row.higher_id, row.lower_wrapped, row.higher_wrapped,
                                                 row.sealed))]
            for row in rows
        ],
    }  # fmt: skip


def seed_of_two(kit: Mapping[str, Any], instance_id: bytes, codes: tuple[bytes, bytes]) -> bytes:
    """The RECOVERY seed from the codes of two custodians and their shares in a backup; `Onleesbaar` when it is not."""
    try:
        epoch = int(kit["epoch"])
        for pair, *parts in kit["pairs"]:
            ids, (lower, higher, sealed) = [bytes.fromhex(part) for part in parts[:2]], map(bytes.fromhex, parts[2:])
            for typed in (codes, codes[::-1]):
                pairs = [custodian_key_pair(code, instance_id, one) for code, one in zip(typed, ids, strict=True)]
                grant = Grant("custodian", pair, None, epoch)
                try:
                    halves = [unwrap(one, half, grant) for one, half in zip(pairs, (lower, higher), strict=True)]
                    return open_key(pair_key(pair, *halves), sealed, Binding("recovery", None, pair, epoch))
                except Onleesbaar:
                    continue
    except (KeyError, ValueError, TypeError):
        pass
    raise Onleesbaar("recovery")
