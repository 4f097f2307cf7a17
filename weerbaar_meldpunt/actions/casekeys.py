"""The keys of a case: made at filing, wrapped to teams and readers, opened by who was granted them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.teams import compartments_for
from weerbaar_meldpunt.store.cases import Case, CaseEpoch, CaseGrant, Fold, Headline
from weerbaar_meldpunt.vault.derive import equal, new_key, sha256
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import ReaderKeys, TeamKeys, same_mac
from weerbaar_meldpunt.vault.seal import HEADER_BYTES, Binding, SealKey, open_json, open_key, seal_json, seal_key
from weerbaar_meldpunt.vault.wrap import Grant, KeyPair, PublicKey, unwrap, wrap

from .ledger import Ledger
from .trail import Trail

MELDING, VEILIG, NOTITIES = "A", "B", "N"
COMPARTMENTS: Final = (MELDING, VEILIG, NOTITIES)


@dataclass
class CaseRing:
    """The keys of one case that somebody may use, by compartment; the place of a key in its list is its epoch."""

    case_id: bytes
    keys: dict[str, list[SealKey]] = field(default_factory=dict, repr=False)
    # Where the trail knows of a newer key than we have: what was sealed before still opens, nothing new is sealed.
    behind: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()  # the kinds of rows that gave a key which is not believed

    @classmethod
    def new(cls, case_id: bytes) -> CaseRing:
        """Fresh keys for a new case; no compartment's key is derived from another's."""
        return cls(case_id, {c: [SealKey(new_key())] for c in COMPARTMENTS})

    @property
    def epochs(self) -> dict[str, int]:
        """The newest epoch of each compartment."""
        return {compartment: len(keys) - 1 for compartment, keys in self.keys.items()}

    def newest(self, compartment: str) -> SealKey:
        """The key that new things are sealed under; `Onleesbaar` when the newest one is not to be had."""
        if compartment not in self.keys or compartment in self.behind:
            raise Onleesbaar("case_grant")
        return self.keys[compartment][-1]

    def with_key(self, compartment: str, key: SealKey) -> CaseRing:
        """This ring with the next key of a compartment."""
        return replace(self, keys=self.keys | {compartment: [*self.keys.get(compartment, ()), key]})

    def seal(self, compartment: str, document: Any, binding: Binding) -> bytes:
        """Seal under the newest key of a compartment."""
        return seal_json(self.newest(compartment), document, binding)

    def is_newest(self, compartment: str, sealed: bytes) -> bool:
        """Whether an object was sealed under the newest key of a compartment."""
        keys = self.keys.get(compartment, [])
        return bool(keys) and compartment not in self.behind and sealed[:HEADER_BYTES] == keys[-1].header

    def open(self, sealed: bytes, binding: Binding) -> Any:
        """Open under the very key the object names; never by trying."""
        for keys in self.keys.values():
            for key in keys:
                if sealed[:HEADER_BYTES] == key.header:
                    return open_json(key, sealed, binding)
        raise Onleesbaar(binding.kind)


def epoch_binding(case_id: bytes, compartment: str, epoch: int) -> Binding:
    """Where the seal belongs by which the key of `epoch` hangs from the one before it."""
    return Binding("epoch", case_id, compartment, epoch)


def give(
    ledger: Ledger, case_id: bytes, compartment: str, epoch: int, key: SealKey, to: PublicKey, *,
    grantor: bytes | None = None, mac: bytes | None = None,
) -> None:  # fmt: skip
    """Wrap one key to one recipient."""
    ledger.add(CaseGrant, **grant_values(case_id, compartment, epoch, key, to, grantor=grantor), reader_mac=mac)


def grant_values(
    case_id: bytes, compartment: str, epoch: int, key: SealKey, to: PublicKey, *, grantor: bytes | None = None
) -> dict[str, Any]:
    """The row of a key that is wrapped to somebody, but for a reader's MAC."""
    grant = Grant("case_grant", case_id, compartment, epoch, grantor)
    return {
        "case_id": case_id, "compartment": compartment, "epoch": epoch, "recipient": to.key_id, "grantor": grantor,
        "wrapped": wrap(to, key.secret, grant),
    }  # fmt: skip


def grant_to_team(
    ledger: Ledger, ring: CaseRing, team: PublicKey, compartments: Iterable[str], *, grantor: bytes | None = None
) -> None:
    """Wrap the keys of all epochs to a team's pinned key; `grantor` is the member who shares the case."""
    for compartment in compartments:
        for epoch, key in enumerate(ring.keys[compartment]):
            give(ledger, ring.case_id, compartment, epoch, key, team, grantor=grantor)


def grant_to_reader(ledger: Ledger, ring: CaseRing, reader: ReaderKeys, compartments: Iterable[str]) -> PublicKey:
    """Wrap the keys of all epochs to a reader, with the MAC by which the reader knows the first key as the true one."""
    public = reader.pair(ring.case_id).public
    for compartment in compartments:
        for epoch, key in enumerate(ring.keys[compartment]):
            mac = reader.mac(ring.case_id, compartment, key.secret) if epoch == 0 else None
            give(ledger, ring.case_id, compartment, epoch, key, public, mac=mac)
    return public


def _unwrap(pair: KeyPair, row: CaseGrant) -> bytes:
    return unwrap(pair, row.wrapped, Grant("case_grant", row.case_id, row.compartment, row.epoch, row.grantor))


def _chained(
    case_id: bytes, found: Mapping[tuple[str, int], bytes], epochs: Iterable[CaseEpoch], trail: Trail
) -> CaseRing:
    """The keys that hang from the first one, each by the seal under the key before it that names it.

    A first key was believed for another reason (the trail, the reader's MAC). A later one that nothing names, and all
    that come after it, are left out: whoever can write the database could have put it there.
    """
    named = {(row.compartment, row.epoch): row for row in epochs if row.case_id == case_id and trail.agrees(row)}
    keys: dict[str, list[SealKey]] = {}
    refused = set()
    for (compartment, epoch), secret in sorted(found.items()):
        held, key = keys.setdefault(compartment, []), SealKey(secret)
        if epoch == len(held) and (epoch == 0 or _names(held[-1], named.get((compartment, epoch)), key)):
            held.append(key)
        else:
            refused.add(CaseEpoch.__tablename__)
    keys = {compartment: held for compartment, held in keys.items() if held}
    known = trail.epochs.get(case_id, {})
    behind = {compartment for compartment, held in keys.items() if len(held) - 1 < known.get(compartment, 0)}
    return CaseRing(case_id, keys, frozenset(behind), frozenset(refused))


def _names(before: SealKey, row: CaseEpoch | None, key: SealKey) -> bool:
    if row is None:
        return False
    try:
        said = open_key(before, row.sealed, epoch_binding(row.case_id, row.compartment, row.epoch))
    except Onleesbaar:
        return False
    return equal(said, sha256(key.secret))


def open_for_reader(
    case_id: bytes, reader: ReaderKeys, grants: Iterable[CaseGrant], epochs: Iterable[CaseEpoch], trail: Trail
) -> CaseRing:
    """A reader's keys. A first key without the reader's MAC is refused, and so is a later one out of the blue.

    `Onleesbaar` when not even the report itself opens.
    """
    pair, found, refused = reader.pair(case_id), dict[tuple[str, int], bytes](), set()
    for row in grants:
        if row.recipient != pair.public.key_id:
            continue
        try:
            secret = _unwrap(pair, row)
        except Onleesbaar:
            refused.add(CaseGrant.__tablename__)
            continue
        mac = reader.mac(case_id, row.compartment, secret) if row.epoch == 0 else b""
        if same_mac(row.reader_mac or b"", mac) if row.epoch == 0 else trail.agrees(row):
            found[row.compartment, row.epoch] = secret
        else:
            refused.add(CaseGrant.__tablename__)
    ring = _chained(case_id, found, epochs, trail)
    if MELDING not in ring.keys:
        raise Onleesbaar("case_grant")
    return replace(ring, refused=ring.refused | refused)


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
    case_id: bytes, teams: Sequence[TeamKeys], grants: Iterable[CaseGrant], folds: Iterable[Fold],
    epochs: Iterable[CaseEpoch], trail: Trail,
) -> tuple[CaseRing, list[dict[str, Any]]]:  # fmt: skip
    """A team's keys of a case, from the cache where it is there; answers also the cache rows that were missing.

    A grant is believed only when the trail says that it was given so: whoever can write the database could have wrapped
    a key of their own to the team. What does not open is left out of the ring.
    """
    current, refused = teams[-1], set()
    theirs = compartments_for(current.team)
    pairs = {keys.pair.public.key_id: keys.pair for keys in teams}
    mine = [row for row in grants if row.recipient in pairs and row.compartment in theirs and trail.agrees(row)]
    cached = _from_cache(current, {(row.compartment, row.epoch) for row in mine}, folds)
    unwrapped: dict[tuple[str, int], bytes] = {}
    for row in mine:
        place = (row.compartment, row.epoch)
        if place not in cached and place not in unwrapped:
            try:
                unwrapped[place] = _unwrap(pairs[row.recipient], row)
            except Onleesbaar:
                refused.add(CaseGrant.__tablename__)
    ring = _chained(case_id, cached | unwrapped, epochs, trail)
    fresh = [
        fold_values(current, case_id, compartment, epoch, secret)
        for (compartment, epoch), secret in unwrapped.items()
        if epoch <= ring.epochs.get(compartment, -1)
    ]
    return replace(ring, refused=ring.refused | refused), fresh


def _from_cache(
    team: TeamKeys, wanted: Collection[tuple[str, int]], folds: Iterable[Fold]
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


def keep_cache(session: Session, model: type[Fold | Headline], rows: Sequence[dict[str, Any]]) -> None:
    """Write rows of a cache, over what stood there: two sessions may fold the same case at once.

    Of a case that was erased since it was read, nothing is kept.
    """
    if not rows:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    table, names = model.__table__, list(rows[0])
    given = (bindparam(f"new_{name}", type_=table.c[name].type).label(name) for name in names)
    there = select(Case.id).where(Case.id == bindparam("new_case_id", type_=Case.id.type)).exists()
    query = dialect.insert(table).from_select(names, select(*given).where(there))
    keys = [column.name for column in table.primary_key]
    values = {name: query.excluded[name] for name in names if name not in keys}
    session.connection().execute(
        query.on_conflict_do_update(index_elements=keys, set_=values),
        [{f"new_{name}": value for name, value in row.items()} for row in rows],
    )
