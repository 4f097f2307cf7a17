"""Finding out that two cases have the same mark of from whom they came: in a session, under the LINK key, never open.

Off until the FG's decision, and off again when that ends. A mark is kept as a hash, sealed, shorter than its case; that
it is kept and that it is compared stands in the trail. Of a hit in another team one learns that team, and no more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules import retention as rules
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.marks import Mark, read_mark
from weerbaar_meldpunt.store.engine import insert_if_absent
from weerbaar_meldpunt.store.links import LinkEntry, LinkFold
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault.derive import new_id, new_key, sha256
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding, SealKey, open_json, seal_json
from weerbaar_meldpunt.vault.wrap import Grant, unwrap, wrap

from .errors import NotAllowed
from .instance import Instance
from .ledger import PROGRAM, Ledger
from .linking_decision import linking_allowed
from .linkkeys import sealing_link
from .retention import NO_INCIDENT, has_it
from .vouching import trail_of_rows
from .work import Held, read_melding

KEPT, COMPARED, EXPIRED, GONE = "kenmerk_bewaard", "kenmerk_vergeleken", "kenmerken_verlopen", "kenmerk_weg"
MOST: Final = 30  # marks in one act
UNFOLDED_AT_ONCE: Final = 1024  # entries that one comparison opens by their wraps
_AT_ONCE: Final = 500


@dataclass(frozen=True)
class Hits:
    """What a comparison found: own cases by id, of other teams only which; and whether some were not compared yet."""

    case_ids: frozenset[bytes] = field(repr=False)
    teams: tuple[str, ...]
    left: int = 0


def candidates(melding: Mapping[str, Any]) -> list[tuple[str, Mark]]:
    """What in a report can be compared, as it was written and as a mark: of the offender and of links, no more."""
    report = melding["report"]
    written = [*(report.get("offender_known_as") or ()), *(link.get("url") for link in report.get("links") or ())]
    found: dict[str, tuple[str, Mark]] = {}
    for text in written:
        mark = read_mark(text) if text else None
        if mark is not None:
            found.setdefault(mark.token, (text, mark))
    return list(found.values())


def _hash(mark: Mark) -> str:
    return sha256(mark.token.encode()).hex()


def _require(held: Held, marks: Collection[Mark]) -> tuple[TeamKeys, ...]:
    if not linking_allowed(held.session, held.instance, now=held.now):
        raise NotAllowed("koppelen_uit")
    if not marks or len(marks) > MOST:
        raise NotAllowed("geen_kenmerk")
    return sealing_link(held.session, held.instance, held.person)


def compare(held: Held, marks: Collection[Mark]) -> Hits:
    """Which other cases have one of these marks. That somebody compared stands in the trail, whatever came of it."""
    ring = _require(held, marks)
    known, left = _opened(held, ring)
    wanted = {_hash(mark) for mark in marks}
    hits = [row for row, token in known if token in wanted and row.case_id != held.case.id]
    held.close(held.ledger(), COMPARED, {"text": "", "count": len(wanted)}, team_only=True)
    return _hits(held, hits, left)


def _hits(held: Held, rows: Sequence[LinkEntry], left: int) -> Hits:
    trail = trail_of_rows(held.session, held.instance, rows) if rows else None
    true = {row.case_id for row in rows if trail is not None and trail.agrees(row)}
    tracks = held.session.execute(select(Track.case_id, Track.team).where(Track.case_id.in_(true), has_it())).all()
    own = frozenset(row.case_id for row in tracks if row.team in held.person.teams)
    others = {row.team for row in tracks if row.case_id not in own}
    return Hits(own, tuple(sorted(others)), left)


def keep_marks(held: Held, marks: Collection[Mark]) -> int:
    """Keep marks of this case for a while, to be compared with; answers how many were new here.

    Where another case has the same one, both stay as long as the newest: it came again.
    """
    ring = _require(held, marks)
    if held.track.outcome == NO_INCIDENT or read_melding(held)["report"].get("lawful_criticism_only"):
        raise NotAllowed("geen_kenmerk")  # of lawful criticism nothing about citizens is kept
    known, _left = _opened(held, ring)
    month, wanted = rules.link_month(today(held.now)), {_hash(mark) for mark in marks}
    ledger, newest = held.ledger(), ring[-1]
    here = set[str]()
    for row, token in known:
        if token in wanted:
            here |= {token} if row.case_id == held.case.id else set()
            if row.expires < month:
                ledger.change(row, expires=month)
    folds = []
    for token in sorted(wanted - here):
        entry, secret = new_id(), new_key()
        document = {"token": token, "team": held.track.team}
        ledger.add(
            LinkEntry, id=entry, case_id=held.case.id, expires=month, recipient=newest.pair.public.key_id,
            sealed=seal_json(SealKey(secret), document, Binding("link", None, entry, 0)),
            wrapped=wrap(newest.pair.public, secret, Grant("entry", entry)),
        )  # fmt: skip
        folds.append(_fold(newest, entry, document))
    held.close(ledger, KEPT, {"text": "", "count": len(wanted)}, team_only=True)
    _keep(held.session, folds)
    return len(wanted - here)


def drop_marks(held: Held) -> int:
    """Marks of this case go; answers how many."""
    rows = held.session.scalars(select(LinkEntry).where(LinkEntry.case_id == held.case.id)).all()
    if rows:
        ledger = held.ledger()
        _remove(held.session, ledger, rows)
        held.close(ledger, GONE, {"text": "", "count": len(rows)}, team_only=True)
    return len(rows)


def kept_of(session: Session, case_id: bytes) -> list[str]:
    """Until which month the marks of a case are kept, one for each; what they are nobody sees without comparing."""
    return sorted(session.scalars(select(LinkEntry.expires).where(LinkEntry.case_id == case_id)))


# --- opening -------------------------------------------------------------------------------------------------------


def _fold_binding(entry: bytes) -> Binding:
    return Binding("link_fold", None, entry, 0)


def _fold(keys: TeamKeys, entry: bytes, document: Mapping[str, Any]) -> dict[str, Any]:
    sealed = seal_json(keys.fold, dict(document), _fold_binding(entry))
    return {"entry_id": entry, "epoch": keys.epoch, "sealed": sealed}


def _keep(session: Session, folds: Sequence[dict[str, Any]]) -> None:
    """Keep entries under the newest key; a damaged one is written anew, and what a colleague folded meanwhile stays."""
    if folds:
        ids = [fold["entry_id"] for fold in folds]
        session.execute(delete(LinkFold).where(LinkFold.entry_id.in_(ids)))
        session.connection().execute(insert_if_absent(session, LinkFold), list(folds))


def _opened(held: Held, ring: Sequence[TeamKeys]) -> tuple[list[tuple[LinkEntry, str]], int]:
    """All entries with their hashes, out of the cache where they are there; and how many are for another time."""
    newest, month = ring[-1], f"{today(held.now):%Y-%m}"
    pairs = {keys.pair.public.key_id: keys.pair for keys in ring}
    rows = held.session.execute(
        select(LinkEntry, LinkFold.sealed)
        .outerjoin(LinkFold, (LinkFold.entry_id == LinkEntry.id) & (LinkFold.epoch == newest.epoch))
        .where(LinkEntry.expires >= month)
        .order_by(LinkEntry.id)
    ).all()
    found, fresh, left = list[tuple[LinkEntry, str]](), list[dict[str, Any]](), 0
    for entry, folded in rows:
        document = _unfolded(newest, entry, folded)
        if document is None and entry.recipient in pairs:
            if len(fresh) >= UNFOLDED_AT_ONCE:
                left += 1
                continue
            try:
                secret = SealKey(unwrap(pairs[entry.recipient], entry.wrapped, Grant("entry", entry.id)))
                document = open_json(secret, entry.sealed, Binding("link", None, entry.id, 0))
            except Onleesbaar:  # planted, or damaged: it says nothing
                continue
            fresh.append(_fold(newest, entry.id, document))
        if document is not None:
            found.append((entry, str(document["token"])))
    _keep(held.session, fresh)
    return found, left


def _unfolded(keys: TeamKeys, entry: LinkEntry, folded: bytes | None) -> Mapping[str, Any] | None:
    if folded is None:
        return None
    try:
        document: Mapping[str, Any] = open_json(keys.fold, folded, _fold_binding(entry.id))
    except Onleesbaar:
        return None
    return document


# --- going ---------------------------------------------------------------------------------------------------------


def expire(session: Session, instance: Instance, *, now: datetime) -> int:
    """Marks whose month is over go, by the clock: they are no case, and their term is all that keeps them."""
    month = f"{today(now):%Y-%m}"
    rows = session.scalars(select(LinkEntry).where(LinkEntry.expires < month).limit(_AT_ONCE)).all()
    if rows:
        ledger = Ledger(session, instance, now=now)
        _remove(session, ledger, rows)
        ledger.close(PROGRAM, EXPIRED, instance.id)
    return len(rows)


def _remove(session: Session, ledger: Ledger, rows: Sequence[LinkEntry]) -> None:
    session.execute(delete(LinkFold).where(LinkFold.entry_id.in_([row.id for row in rows])))
    for row in rows:
        ledger.remove(row)
    session.flush()
