"""A case in the hands of its reporter's side for one act: opened under lock, changed, and closed with its leaf.

What a reader is (melder, gemachtigde) is read from the report's own document, never from a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules import chase
from weerbaar_meldpunt.store.cases import Case, CaseDoc, Reader
from weerbaar_meldpunt.store.tracks import Due, Track
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.keys import ReaderKeys
from weerbaar_meldpunt.vault.seal import Binding
from weerbaar_meldpunt.vault.wrap import PublicKey

from . import caserows
from .caseepochs import Recipients, lock_case, renew, start_epoch
from .casekeys import MELDING, VEILIG, CaseRing, grant_to_reader, open_for_reader
from .errors import NotAllowed, NotYours, Onleesbaar, TooLarge
from .gaps import note_gaps
from .instance import Instance
from .ledger import Ledger
from .queue import drop_headlines
from .tracks import genuine, plan, settle
from .trail import Trail

# What a reader is. `voortgang` sees how far the teams are and holds no key; the last two hold nothing at all.
MELDER, PROXY, CLAIM = "melder", "gemachtigde", "claim"
PROGRESS, TAKEN_OVER, REPLACED = "voortgang", "overgenomen", "vervangen"
OWN: Final = (MELDING, VEILIG)  # what a reader can hold


@dataclass(frozen=True)
class Recipient:
    """Somebody of the reporter's side who holds keys of the case."""

    key: PublicKey = field(repr=False)
    role: str
    compartments: frozenset[str]


def recipients_of(case_id: bytes, document: Mapping[str, Any]) -> list[Recipient]:
    """Who of the reporter's side may open what, as the report's own document says."""
    found: dict[str, tuple[str, set[str]]] = {}
    for compartment in OWN:
        for raw, role in document["recipients"][compartment]["readers"]:
            found.setdefault(raw, (role, set()))[1].add(compartment)
    return [
        Recipient(PublicKey("reader", case_id, 0, bytes.fromhex(raw)), role, frozenset(held))
        for raw, (role, held) in found.items()
    ]


@dataclass
class OwnHeld:
    """The case of a reader for one act; `melding` is the report's document, for the act to change."""

    session: Session = field(repr=False)
    instance: Instance = field(repr=False)
    case: Case
    keys: ReaderKeys = field(repr=False)
    key_id: bytes
    ring: CaseRing = field(repr=False)
    now: datetime
    trail: Trail = field(repr=False)
    melding: dict[str, Any] = field(repr=False)

    @property
    def recipients(self) -> list[Recipient]:
        """All of the reporter's side."""
        return recipients_of(self.case.id, self.melding)

    @property
    def role(self) -> str:
        """What this reader is."""
        return next((one.role for one in self.recipients if one.key.key_id == self.key_id), "")

    @property
    def compartments(self) -> tuple[str, ...]:
        """The compartments that this reader holds."""
        return tuple(compartment for compartment in OWN if compartment in self.ring.keys)

    @property
    def decides(self) -> bool:
        """Whether this reader decides about the case: whom it is about, or the proxy until they took it over."""
        return self.role == MELDER or (self.role == PROXY and MELDER not in {one.role for one in self.recipients})

    def require(self, *roles: str) -> None:
        """`NotAllowed` for another of the reporter's side."""
        if self.role not in roles:
            raise NotAllowed("niet_van_u")

    def require_decides(self) -> None:
        """`NotAllowed` for a proxy once the report was taken over."""
        if not self.decides:
            raise NotAllowed("niet_van_u")

    def ledger(self) -> Ledger:
        """A ledger for this act."""
        return Ledger(self.session, self.instance, now=self.now)

    def remember(self, what: str, before: Any) -> None:
        """Keep what stood there, readable for the teams and the reporter: nothing of a report is ever overwritten."""
        entry = {"at": self.now.isoformat(), "by": self.role, "what": what, "before": before}
        self.melding["history"] = [*self.melding.get("history", ()), entry]

    def rewrite(self, ledger: Ledger) -> None:
        """Write the report's document as it stands now. `TooLarge` when it does not fit any more."""
        row = self.session.get(CaseDoc, (self.case.id, MELDING), populate_existing=True)
        if row is None or not self.ring.is_newest(MELDING, row.sealed):
            raise Onleesbaar("case_doc")
        _write(ledger, self.ring, row, self.melding)
        drop_headlines(self.session, self.case.id)

    def private(self) -> dict[str, Any]:
        """Address, family and movements, for whoever holds their key."""
        row = self._private_row()
        found: dict[str, Any] = self.ring.open(row.sealed, Binding("case_doc", self.case.id, VEILIG, row.revision))
        return found

    def rewrite_private(self, ledger: Ledger, document: Mapping[str, Any]) -> None:
        """Write address, family and movements anew."""
        _write(ledger, self.ring, self._private_row(), document)

    def _private_row(self) -> CaseDoc:
        row = self.session.get(CaseDoc, (self.case.id, VEILIG), populate_existing=True)
        if row is None or VEILIG not in self.ring.keys or not self.trail.agrees(row):
            raise Onleesbaar("case_doc")
        return row

    def new_epochs(self, ledger: Ledger, recipients: Recipients) -> None:
        """New keys for everything this reader holds, for exactly these recipients; writes the report's document."""
        self.ring = start_epoch(
            self.session, self.instance, ledger, self.ring, self.melding, compartments=self.compartments,
            recipients=recipients, now=self.now,
        )  # fmt: skip
        drop_headlines(self.session, self.case.id)

    def remove_claims(self, ledger: Ledger) -> None:
        """Readers that waited for a claim code, which opens nothing any more."""
        claims = [one.key.key_id for one in self.recipients if one.role == CLAIM]
        for row in reader_rows(self.session, self.case.id, claims):
            ledger.remove(row)

    def add_reader(self, ledger: Ledger, keys: ReaderKeys, role: str, compartments: Iterable[str]) -> PublicKey:
        """A reader more, with the keys of all epochs until now; answers the public key for the list of recipients."""
        public = grant_to_reader(ledger, self.ring, keys, compartments)
        ledger.add(Reader, lookup=keys.lookup, case_id=self.case.id, key_id=public.key_id, role=role)
        return public

    def release(self, ledger: Ledger, key_ids: Iterable[bytes], role: str) -> None:
        """Readers who hold nothing any more: their look-up stays reserved, so that no number is used twice."""
        for row in reader_rows(self.session, self.case.id, key_ids):
            ledger.change(row, case_id=None, key_id=None, role=role)

    def wake(self, ledger: Ledger, *, ends: Sequence[str] = (), also: Sequence[chase.PlannedDue] = ()) -> None:
        """Tell the teams that still work on the case: it counts as unread, and somebody looks at it.

        `ends` are kinds of dues that fall away, `also` is planned. What was changed behind the program stays as it is.
        """
        strange = set[str]()
        for track in self.session.scalars(
            select(Track).where(Track.case_id == self.case.id, Track.closed_at.is_(None))
        ):
            found = list(self.session.scalars(select(Due).where(Due.track_id == track.id)))
            dues = genuine(self.trail, found)
            strange |= {Due.__tablename__} if len(dues) < len(found) else set()
            if not self.trail.agrees(track):
                strange.add(Track.__tablename__)
                continue
            settle(ledger, dues, ends, "vervallen", now=self.now)
            fresh = [*(chase.after_message(track.urgency, now=self.now) if track.state != "nieuw" else ()), *also]
            plan(ledger, track, dues, fresh, now=self.now, unread=True)
        note_gaps(self.session, self.instance, self.case.reference, strange, now=self.now)

    def close(self, ledger: Ledger, action: str, document: Mapping[str, Any] | None = None) -> None:
        """Write the act with its event, for whoever may read the report."""
        event = new_id()
        body = self.ring.seal(MELDING, {"text": "", **(document or {})}, Binding("event", self.case.id, event, 0))
        ledger.close(self.key_id, action, self.case.id, body, event=event)


def _write(ledger: Ledger, ring: CaseRing, row: CaseDoc, document: Mapping[str, Any]) -> None:
    revision = row.revision + 1
    try:
        sealed = ring.seal(row.compartment, dict(document), Binding("case_doc", row.case_id, row.compartment, revision))
    except ValueError:
        raise TooLarge from None
    ledger.change(row, revision=revision, sealed=sealed)


def reader_rows(session: Session, case_id: bytes, key_ids: Iterable[bytes]) -> Sequence[Reader]:
    """The rows of some readers of a case."""
    query = select(Reader).where(Reader.case_id == case_id, Reader.key_id.in_(set(key_ids)))
    return session.scalars(query.execution_options(populate_existing=True)).all()


def hold_own(session: Session, instance: Instance, keys: ReaderKeys, *, now: datetime) -> OwnHeld:
    """Take the own case in hand for one act; `NotYours` when there is none, or nothing of it may be read."""
    case_id = session.scalar(select(Reader.case_id).where(Reader.lookup == keys.lookup))
    if case_id is None:
        raise NotYours
    case, key_id = lock_case(session, case_id), keys.pair(case_id).public.key_id
    if not reader_rows(session, case_id, [key_id]):  # it went while we waited
        raise NotYours
    ids = [case_id]
    parts = (caserows.grants(ids), caserows.epochs(ids), caserows.docs(ids))
    rows, trail = caserows.read(session, instance, ids, *parts, work=True)
    grants = [row for row in (caserows.a_grant(row) for row in rows if row.what == "grant") if row.recipient == key_id]
    if not grants:
        raise NotYours
    ring = open_for_reader(
        case_id, keys, grants, [caserows.an_epoch(row) for row in rows if row.what == "epoch"], trail
    )
    doc = next((caserows.a_doc(row) for row in rows if row.what == "doc" and row.part == MELDING), None)
    if doc is None or not trail.agrees(doc) or not ring.is_newest(MELDING, doc.sealed):
        raise Onleesbaar("case_doc")
    melding = ring.open(doc.sealed, Binding("case_doc", case_id, MELDING, doc.revision))
    held = OwnHeld(session, instance, case, keys, key_id, ring, now, trail, melding)
    if not held.role:  # whoever is not in the report's own list was put in from outside
        raise Onleesbaar("reader")
    held.ring = renew(session, instance, ring, melding, actor=key_id, compartments=held.compartments, now=now)
    return held


def changed_recipients(
    held: OwnHeld, keep: Callable[[Recipient, str], bool], *, add: PublicKey | None = None, role: str = "",
    to: Iterable[str] = (),
) -> Recipients:  # fmt: skip
    """The list of recipients with the readers for whom `keep(reader, compartment)` holds, and perhaps one more."""
    return changed_list(held.case.id, held.melding, keep, add=add, role=role, to=to)


def changed_list(
    case_id: bytes, document: Mapping[str, Any], keep: Callable[[Recipient, str], bool], *,
    add: PublicKey | None = None, role: str = "", to: Iterable[str] = (),
) -> Recipients:  # fmt: skip
    """The list of recipients of a report's document, with the readers to keep, and perhaps one more."""
    wanted: Recipients = deepcopy(document["recipients"])
    known = {one.key.raw.hex(): one for one in recipients_of(case_id, document)}
    for compartment in OWN:
        listed = wanted[compartment]["readers"]
        wanted[compartment]["readers"] = [entry for entry in listed if keep(known[entry[0]], compartment)]
        if add is not None and compartment in to:
            wanted[compartment]["readers"].append([add.raw.hex(), role])
    return wanted


def replace_reader(held: OwnHeld, ledger: Ledger, keys: ReaderKeys) -> None:
    """The same person under other keys: what opened the case until now opens nothing of it any more."""
    role, old = held.role, held.key_id
    public = held.add_reader(ledger, keys, role, held.compartments)
    wanted = changed_recipients(held, lambda one, _: one.key.key_id != old, add=public, role=role, to=held.compartments)
    held.new_epochs(ledger, wanted)
    held.release(ledger, [old], REPLACED)
    held.keys, held.key_id = keys, public.key_id
