"""Taking a track in hand for one act of a member: read under lock, opened, held against the trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import Case, CaseDoc, Fold
from weerbaar_meldpunt.store.tracks import Due, Track
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import Binding

from . import caserows
from .barred import Barred, is_barred
from .caseepochs import gave_up, renew
from .casekeys import MELDING, NOTITIES, CaseRing, keep_cache, open_for_team
from .errors import NotAllowed, NotYours
from .instance import Instance
from .ledger import Ledger
from .opening import tracks_of
from .people import Person
from .tracks import genuine, stamp_of
from .trail import Trail


class AlreadyDone(Exception):
    """This very form was sent before, and what it asked was done."""


@dataclass
class Held:
    """A track in a member's hands for one act, read under lock in this transaction."""

    session: Session = field(repr=False)
    instance: Instance = field(repr=False)
    person: Person
    case: Case
    track: Track
    ring: CaseRing = field(repr=False)
    now: datetime
    trail: Trail = field(repr=False)
    vouched: bool = True  # whether the track stood as its newest leaf says when it was taken in hand
    form: bytes | None = None  # the id the form carried; it names the event of the act
    written: int | None = None  # the revision of the document that this act wrote itself
    _dues: list[Due] | None = None
    _forged: set[bytes] | None = None  # dues that were not as the trail says when they were first read

    @property
    def dues(self) -> list[Due]:
        """All dues of the track, ended ones too, as they stand before this act; but for those changed by others."""
        if self._dues is None:
            query = select(Due).where(Due.track_id == self.track.id).order_by(Due.moment)
            found = list(self.session.scalars(query))
            if self._forged is None:
                self._forged = {due.id for due in found} - {due.id for due in genuine(self.trail, found)}
            self._dues = [due for due in found if due.id not in self._forged]
        return self._dues

    @property
    def is_owner(self) -> bool:
        """Whether the track is this person's."""
        return self.track.owner_id == self.person.user_id

    @property
    def is_coordinator(self) -> bool:
        """Whether this person coordinates the track's team."""
        return self.person.coordinates(self.track.team)

    def require_owner(self) -> None:
        """Only the owner or the coordinator goes on; who else wants to, takes the track over first."""
        if not (self.is_owner or self.is_coordinator):
            raise NotAllowed("niet_de_eigenaar")

    def require_open(self) -> None:
        """Nothing is done on a closed track but reopening it."""
        if self.track.closed_at is not None:
            raise NotAllowed("al_afgerond")

    def require_vouched(self) -> None:
        """Nothing is done on the word of columns that were changed behind the program.

        An act would write them anew, with a leaf that says they are true.
        """
        if not self.vouched:
            raise Onleesbaar("track")

    def require_no_proposal(self) -> None:
        """While a closing waits for a second person, that is what happens next."""
        if self.track.proposed_by is not None:
            raise NotAllowed("voorstel_loopt")

    def ledger(self) -> Ledger:
        """A ledger for this act."""
        return Ledger(self.session, self.instance, now=self.now)

    def close(self, ledger: Ledger, action: str, document: Mapping[str, Any], *, team_only: bool = False) -> None:
        """Write the act with its sealed event: for reporter and teams, or for the teams only."""
        event, self.form = self.form or new_id(), None
        body = self.ring.seal(
            NOTITIES if team_only else MELDING,
            {"team": self.track.team, **document},
            Binding("event", self.case.id, event, 0),
        )
        ledger.close(self.person.user_id, action, self.case.id, body, event=event)
        self._dues = None  # a next act on the same track sees what this one planned


def hold(
    session: Session, instance: Instance, person: Person, reference: str, *, now: datetime, team: str | None = None,
    seen: str | None = None, form: bytes | None = None,
) -> Held:  # fmt: skip
    """Take a track in hand for one act; `NotYours` when no team of the person has the case.

    `Barred` for whom the reporter does not want. Where the report that says so does not open, only a coordinator gets
    the case in hand. `seen` is the stamp of the track on the page that the act comes from: refused when a colleague was
    there first.
    `form` is an id that the page's form carried: `AlreadyDone` when it was sent before.
    """
    query = tracks_of(person, reference, team).limit(1)
    row = session.execute(
        # One act on a case at a time, whichever team does it; new rows may still refer to the case.
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotYours
    case, track = row.Case, row.Track
    if form and session.scalar(select(Leaf.seq).where(Leaf.object == case.id, Leaf.id == form).limit(1)):
        raise AlreadyDone
    if seen is not None and seen != stamp_of(track):
        raise NotAllowed("intussen_veranderd")
    ring, trail = _opened(session, instance, person, case.id, track.team)
    held = Held(session, instance, person, case, track, ring, now, trail, trail.agrees(track) and not trail.holed, form)
    try:
        melding = read_melding(held)
    except Onleesbaar:
        if not held.is_coordinator:
            raise
        return held
    if is_barred(melding["report"].get("barred_member"), person.name):
        raise Barred(case.id, track.team)
    # The first write after a team got a new key makes new keys for the case too, before anything is sealed.
    fresh = renew(session, instance, ring, melding, actor=person.user_id, pins=person.pins, now=now)
    if fresh is not ring:
        held.ring, held.written = fresh, _row(held).revision
    return held


def _opened(session: Session, instance: Instance, person: Person, case_id: bytes, team: str) -> tuple[CaseRing, Trail]:
    ids = [case_id]
    parts = (caserows.grants(ids), caserows.epochs(ids), caserows.folds(ids, team))
    rows, trail = caserows.read(session, instance, ids, *parts, work=True)
    ring, fresh = open_for_team(
        case_id, person.teams[team], [caserows.a_grant(row) for row in rows if row.what == "grant"],
        [caserows.a_fold(row, team) for row in rows if row.what == "fold"],
        [caserows.an_epoch(row) for row in rows if row.what == "epoch"], trail,
    )  # fmt: skip
    if MELDING not in ring.keys and gave_up(instance, case_id, team, trail):
        raise NotYours
    if not {MELDING, NOTITIES} <= ring.keys.keys():
        raise Onleesbaar("case_grant")
    keep_cache(session, Fold, fresh)
    return ring, trail


def _row(held: Held) -> CaseDoc:
    doc = held.session.get(CaseDoc, (held.case.id, MELDING), populate_existing=True)
    if doc is None:
        raise Onleesbaar("case_doc")
    return doc


def _doc(held: Held) -> CaseDoc:
    doc = _row(held)
    # What was put back by somebody else must not become the truth by being written again.
    if not (doc.revision == held.written or held.trail.agrees(doc)) or not held.ring.is_newest(MELDING, doc.sealed):
        raise Onleesbaar("case_doc")
    return doc


def read_melding(held: Held) -> dict[str, Any]:
    """The document of compartment A, for an act that needs it; `Onleesbaar` too for an older one that was put back."""
    doc = _doc(held)
    found: dict[str, Any] = held.ring.open(doc.sealed, Binding("case_doc", held.case.id, MELDING, doc.revision))
    return found


def write_melding(held: Held, ledger: Ledger, document: Mapping[str, Any]) -> None:
    """A new revision of the document of compartment A; only over one that is as the trail says."""
    doc = _doc(held)
    revision = doc.revision + 1
    sealed = held.ring.seal(MELDING, dict(document), Binding("case_doc", held.case.id, MELDING, revision))
    ledger.change(doc, revision=revision, sealed=sealed)
    held.written = revision
