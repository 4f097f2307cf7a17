"""What a claim code opens: the seed of a reader that waits for whoever the report is about, once, for thirty days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Claim, Reader
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import FormKeys, ReaderKeys, split
from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json
from weerbaar_meldpunt.vault.wrap import PublicKey

from .casekeys import CaseRing, grant_to_reader
from .instance import Instance
from .ledger import Ledger
from .tombstones import bury


def make_claim(
    ledger: Ledger, instance: Instance, keys: FormKeys, ring: CaseRing, compartments: Iterable[str], *, until: datetime
) -> PublicKey:
    """A reader whose seed only the claim code of this form opens, for the official's own side of the case.

    Answers its public key, for the list of recipients. A claim row says neither of which case nor of which account.
    """
    lookup, key = split(keys.code("claim"), instance.id, "claim")
    reader = ReaderKeys(new_id(), FormKeys.new().token)
    public = grant_to_reader(ledger, ring, reader, compartments)
    sealed = seal_json(key, {"seed": reader.seed.hex(), "case": ring.case_id.hex()}, Binding("claim", None, lookup, 0))
    ledger.add(Claim, lookup=lookup, sealed=sealed, expires_at=until)
    ledger.add(Reader, lookup=reader.lookup, case_id=ring.case_id, key_id=public.key_id, role="claim")
    return public


@dataclass(frozen=True)
class OpenClaim:
    """A claim that stands: its row, and the reader that its code opens."""

    row: Claim = field(repr=False)
    case_id: bytes
    keys: ReaderKeys = field(repr=False)


def open_claim(session: Session, instance: Instance, code: bytes, *, hold: bool = False) -> OpenClaim | None:
    """The claim behind a code, over or not; nothing when it was used, replaced, or never was.

    With `hold` nobody else uses it before this transaction ends. `Onleesbaar` for a row that was put there by others.
    """
    lookup, key = split(code, instance.id, "claim")
    query = select(Claim).where(Claim.lookup == lookup)
    row = session.scalars(query.with_for_update() if hold else query).one_or_none()
    if row is None:
        return None
    document = open_json(key, row.sealed, Binding("claim", None, lookup, 0))
    try:
        seed, case_id = bytes.fromhex(document["seed"]), bytes.fromhex(document["case"])
        key_id = ReaderKeys(b"", seed).pair(case_id).public.key_id
    except (KeyError, TypeError, ValueError):
        raise Onleesbaar("claim") from None
    reader = session.scalar(select(Reader.lookup).where(Reader.case_id == case_id, Reader.key_id == key_id))
    return OpenClaim(row, case_id, ReaderKeys(reader, seed)) if reader else None


def sweep_claims(session: Session, *, now: datetime) -> None:
    """Delete claims whose time is over: what is left of their readers opens with nothing any more."""
    rows = session.scalars(select(Claim).where(Claim.expires_at < now)).all()
    bury(session, rows, now=now)
    for row in rows:
        session.delete(row)
    session.flush()
