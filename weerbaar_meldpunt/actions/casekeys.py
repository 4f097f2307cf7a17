"""The keys of a case: made at filing, wrapped to teams and readers, opened by who was granted them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.teams import compartments_for
from weerbaar_meldpunt.store.base import Base
from weerbaar_meldpunt.store.cases import CaseGrant, Fold
from weerbaar_meldpunt.vault.derive import new_key
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import ReaderKeys, TeamKeys, same_mac
from weerbaar_meldpunt.vault.seal import HEADER_BYTES, MAGIC, Binding, SealKey, open_json, open_key, seal_json, seal_key
from weerbaar_meldpunt.vault.wrap import Grant, KeyPair, PublicKey, unwrap, wrap

from .ledger import Ledger
from .trail import Trail

MELDING, VEILIG, NOTITIES = "A", "B", "N"
COMPARTMENTS: Final = (MELDING, VEILIG, NOTITIES)


@dataclass
class CaseRing:
    """The keys of one case that somebody may use, by compartment, oldest epoch first."""

    case_id: bytes
    keys: dict[str, list[SealKey]] = field(default_factory=dict, repr=False)
    epochs: dict[str, int] = field(default_factory=dict)

    @classmethod
    def new(cls, case_id: bytes) -> CaseRing:
        """Fresh keys for a new case; no compartment's key is derived from another's."""
        return cls(case_id, {c: [SealKey(new_key())] for c in COMPARTMENTS}, dict.fromkeys(COMPARTMENTS, 0))

    def add(self, compartment: str, epoch: int, secret: bytes) -> None:
        """Add a key that was opened; epochs come in order."""
        self.keys.setdefault(compartment, []).append(SealKey(secret))
        self.epochs[compartment] = epoch

    def secret(self, compartment: str) -> bytes:
        """The newest key of a compartment."""
        return self.keys[compartment][-1].secret

    def seal(self, compartment: str, document: Any, binding: Binding) -> bytes:
        """Seal under the newest key of a compartment."""
        return seal_json(self.keys[compartment][-1], document, binding)

    def open(self, sealed: bytes, binding: Binding) -> Any:
        """Open under the very key the object names; never by trying."""
        for keys in self.keys.values():
            for key in keys:
                if sealed[:HEADER_BYTES] == MAGIC + key.id:
                    return open_json(key, sealed, binding)
        raise Onleesbaar(binding.kind)


def grant_to_team(ledger: Ledger, ring: CaseRing, team: PublicKey, compartments: Iterable[str]) -> None:
    """Wrap the newest keys to a team's pinned key."""
    for compartment in compartments:
        grant = Grant("case_grant", ring.case_id, compartment, ring.epochs[compartment])
        ledger.add(
            CaseGrant, case_id=ring.case_id, compartment=compartment, epoch=ring.epochs[compartment],
            recipient=team.key_id, wrapped=wrap(team, ring.secret(compartment), grant),
        )  # fmt: skip


def grant_to_reader(ledger: Ledger, ring: CaseRing, reader: ReaderKeys, compartments: Iterable[str]) -> PublicKey:
    """Wrap the keys to a reader, with the MAC by which the reader knows the first key for the one made at filing."""
    public = reader.pair(ring.case_id).public
    for compartment in compartments:
        secret = ring.secret(compartment)
        grant = Grant("case_grant", ring.case_id, compartment, ring.epochs[compartment])
        ledger.add(
            CaseGrant, case_id=ring.case_id, compartment=compartment, epoch=ring.epochs[compartment],
            recipient=public.key_id, wrapped=wrap(public, secret, grant),
            reader_mac=reader.mac(ring.case_id, compartment, secret),
        )  # fmt: skip
    return public


def _unwrap(pair: KeyPair, row: CaseGrant) -> bytes:
    return unwrap(pair, row.wrapped, Grant("case_grant", row.case_id, row.compartment, row.epoch, row.grantor))


def open_for_reader(case_id: bytes, reader: ReaderKeys, grants: Sequence[CaseGrant]) -> CaseRing:
    """A reader's keys; a first key that does not carry the reader's MAC is refused."""
    pair, ring = reader.pair(case_id), CaseRing(case_id)
    for row in sorted(grants, key=lambda grant: (grant.compartment, grant.epoch)):
        if row.recipient != pair.public.key_id:
            continue
        secret = _unwrap(pair, row)
        if row.epoch == 0 and not same_mac(row.reader_mac or b"", reader.mac(case_id, row.compartment, secret)):
            raise Onleesbaar("case_grant")
        ring.add(row.compartment, row.epoch, secret)
    if MELDING not in ring.keys:
        raise Onleesbaar("case_grant")
    return ring


def _fold_binding(case_id: bytes, compartment: str, epoch: int) -> Binding:
    return Binding("fold", case_id, compartment, epoch)


def folded(team: TeamKeys, row: Fold) -> bytes:
    """A case key out of the team's cache."""
    return open_key(team.fold, row.sealed, _fold_binding(row.case_id, row.compartment, row.epoch))


def fold_values(team: TeamKeys, case_id: bytes, compartment: str, epoch: int, secret: bytes) -> dict[str, Any]:
    """The cache row of a case key."""
    sealed = seal_key(team.fold, secret, _fold_binding(case_id, compartment, epoch))
    return {"case_id": case_id, "team": team.team, "compartment": compartment, "epoch": epoch, "sealed": sealed}


def open_for_team(
    case_id: bytes, teams: Sequence[TeamKeys], grants: Sequence[CaseGrant], folds: Sequence[Fold], trail: Trail
) -> tuple[CaseRing, list[dict[str, Any]]]:
    """A team's keys of a case, from the cache where it is there; answers also the cache rows that were missing.

    A grant that is not in the cache yet is believed only when the trail says that it was given so: whoever can write
    the database could have wrapped a key of their own to the team. What does not open is left out of the ring.
    """
    current, fresh = teams[-1], list[dict[str, Any]]()
    theirs = compartments_for(current.team)
    wanted = {(grant.compartment, grant.epoch) for grant in grants if grant.compartment in theirs}
    found = _from_cache(current, wanted, folds)
    if wanted - found.keys():
        pairs = {keys.pair.public.key_id: keys.pair for keys in teams}
        for row in grants:
            place = (row.compartment, row.epoch)
            if place in found or row.recipient not in pairs or not trail.agrees(row):
                continue
            try:
                found[place] = _unwrap(pairs[row.recipient], row)
            except Onleesbaar:
                continue
            fresh.append(fold_values(current, case_id, *place, found[place]))
    ring = CaseRing(case_id)
    for place, secret in sorted(found.items()):
        ring.add(*place, secret)
    return ring, fresh


def _from_cache(
    team: TeamKeys, wanted: Collection[tuple[str, int]], folds: Sequence[Fold]
) -> dict[tuple[str, int], bytes]:
    """The keys in a team's cache that a grant still stands for; a damaged cache row counts as none."""
    found: dict[tuple[str, int], bytes] = {}
    for row in folds:
        place = (row.compartment, row.epoch)
        if row.team == team.team and place in wanted:
            try:
                found[place] = folded(team, row)
            except Onleesbaar:
                continue
    return found


def keep_cache(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Write rows of a cache, over what stood there: two sessions may fold the same case at once."""
    if not rows:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    query = dialect.insert(model)
    keys = {column.name for column in inspect(model).primary_key}
    values = {name: query.excluded[name] for name in rows[0] if name not in keys}
    session.execute(query.on_conflict_do_update(index_elements=sorted(keys), set_=values), list(rows))
