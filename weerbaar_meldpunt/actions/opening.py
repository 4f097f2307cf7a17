"""Opening a case as a member of a team: noted in the trail first, then unwrapped, then shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Case, CaseDoc, Fold
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault.seal import Binding

from . import dossier
from .casekeys import MELDING, VEILIG, CaseRing, open_for_team
from .dossier import AttachmentView, CaseView
from .errors import NotYours, Onleesbaar
from .evidence import plain_pieces
from .instance import Instance
from .ledger import Ledger
from .people import Person

ACTIONS = {MELDING: "geopend", VEILIG: "geopend_veilig"}


@dataclass(frozen=True)
class Opening:
    """Proof that an opening stands in the trail; nothing of a case is unwrapped without one."""

    case_id: bytes
    reference: str
    received_at: datetime
    track_id: bytes
    team: str
    compartment: str
    seq: int


def find_track(session: Session, person: Person, reference: str) -> tuple[Case, Track]:
    """The case and the person's team's track on it; `NotYours` for another team's case as for none at all."""
    rows = session.execute(
        select(Case, Track)
        .join(Track, Track.case_id == Case.id)
        .where(Case.reference == reference, Track.team.in_(list(person.teams)))
        .order_by(Track.closed_at.is_not(None), Track.team)
    ).all()
    if not rows:
        raise NotYours
    return rows[0][0], rows[0][1]


def note_opening(
    session: Session, instance: Instance, person: Person, reference: str, *, now: datetime,
    compartment: str = MELDING, action: str | None = None,
) -> Opening:  # fmt: skip
    """Note that this person opens this case; the page commits before it unwraps anything."""
    case, track = find_track(session, person, reference)
    ledger = Ledger(session, instance, now=now)
    seq = ledger.close(person.user_id, action or ACTIONS[compartment], case.id)
    return Opening(case.id, case.reference, case.received_at, track.id, track.team, compartment, seq)


def _ring(session: Session, person: Person, opening: Opening, found: dossier.Dossier) -> CaseRing:
    ring, fresh = open_for_team(opening.case_id, person.teams[opening.team], found.grants, found.folds)
    if MELDING not in ring.keys:
        raise Onleesbaar("case_grant")
    if fresh:  # a cache: the wraps stay the truth
        session.execute(insert(Fold), fresh)
    return ring


def open_case(session: Session, instance: Instance, person: Person, opening: Opening) -> CaseView:
    """Everything of the case that the person's team was granted, but for compartment B."""
    found = dossier.load(session, opening.case_id, team=opening.team)
    tracks = dossier.load_tracks(session, instance, opening.case_id)
    ring = _ring(session, person, opening, found)
    return dossier.view(
        instance, ring, found, tracks,
        reference=opening.reference, received_at=opening.received_at, team=opening.team,
    )  # fmt: skip


def open_private(session: Session, person: Person, opening: Opening) -> Mapping[str, Any]:
    """Home address, family and movements; only with an opening of compartment B of its own."""
    if opening.compartment != VEILIG:
        raise NotYours
    found = dossier.load(session, opening.case_id, team=opening.team)
    ring = _ring(session, person, opening, found)
    doc: CaseDoc | None = found.docs.get(VEILIG)
    if doc is None or VEILIG not in ring.keys:
        raise NotYours
    document = ring.open(doc.sealed, Binding("case_doc", opening.case_id, VEILIG, doc.revision))
    private: Mapping[str, Any] = document["private"]
    return private


def open_attachment(
    session: Session, instance: Instance, person: Person, opening: Opening, attachment_id: bytes
) -> tuple[AttachmentView, Iterator[bytes]]:
    """An evidence file, verified to its end before the first piece is handed out."""
    case = open_case(session, instance, person, opening)
    for attachment in case.attachments:
        if attachment.id == attachment_id and attachment.file is not None:
            return attachment, plain_pieces(instance, attachment.file)
    raise NotYours
