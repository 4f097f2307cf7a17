"""Opening a case as a member of a team: noted in the trail first, then unwrapped, then shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.teams import compartments_for
from weerbaar_meldpunt.store.cases import Case, Fold
from weerbaar_meldpunt.store.tracks import Track

from . import dossier
from .barred import Barred, is_barred
from .caseepochs import gave_up
from .casekeys import MELDING, VEILIG, CaseRing, keep_cache, open_for_team
from .dossier import AttachmentView, CaseView
from .errors import NotYours, Onleesbaar
from .evidence import plain_pieces
from .instance import Instance
from .ledger import Ledger, last_leaf
from .people import Person

ACTIONS: Final = {MELDING: "geopend", VEILIG: "geopend_veilig"}
FILE: Final = "geopend_bestand"


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


def tracks_of(person: Person, reference: str, team: str | None, *more: Any) -> Select[*tuple[Any, ...]]:
    """The case of a reference with the tracks on it that are of the person's teams, open ones first."""
    teams = [held for held in person.teams if team in (None, held)]
    return (
        select(Case, Track, *more)
        .join(Track, Track.case_id == Case.id)
        .where(Case.reference == reference, Track.team.in_(teams))
        .order_by(Track.closed_at.is_not(None), Track.team)
    )


def find_track(session: Session, person: Person, reference: str, *, team: str | None = None) -> tuple[Case, Track]:
    """The case and a team's track on it; `NotYours` for another team's case as for none at all.

    Without `team`, for who works in more than one: the first that is open.
    """
    row = session.execute(tracks_of(person, reference, team).limit(1)).one_or_none()
    if row is None:
        raise NotYours
    return row[0], row[1]


def note_opening(
    session: Session, instance: Instance, person: Person, reference: str, *, now: datetime,
    compartment: str = MELDING, action: str | None = None, team: str | None = None,
) -> Opening:  # fmt: skip
    """Note that this person opens this case; the page commits before it unwraps anything."""
    found = tracks_of(person, reference, team).limit(1)
    columns = {"case": Case.id, "reference": Case.reference, "received_at": Case.received_at, "track": Track.id,
               "team": Track.team}  # fmt: skip
    # In the statement that takes the lock of the chain: nobody writes a leaf between this and ours.
    row = last_leaf(
        session,
        *(found.with_only_columns(column).scalar_subquery().label(name) for name, column in columns.items()),
    )
    if row.case is None or compartment not in compartments_for(row.team):
        raise NotYours
    ledger = Ledger(session, instance, now=now, last=row)
    seq = ledger.close(person.user_id, action or ACTIONS[compartment], row.case)
    return Opening(row.case, row.reference, row.received_at, row.track, row.team, compartment, seq)


def _open(
    session: Session, instance: Instance, person: Person, opening: Opening
) -> tuple[CaseRing, dossier.Dossier, Sequence[dict[str, Any]]]:
    found = dossier.load(session, instance, opening.case_id, team=opening.team)
    teams = person.teams.get(opening.team)
    if not teams:
        raise NotYours
    ring, fresh = open_for_team(opening.case_id, teams, found.grants, found.folds, found.epochs, found.trail)
    if MELDING not in ring.keys and gave_up(instance, opening.case_id, opening.team, found.trail):
        raise NotYours
    return ring, found, fresh


def open_case(session: Session, instance: Instance, person: Person, opening: Opening) -> CaseView:
    """Everything of the case that the person's team was granted, but for compartment B. Only reads; see `keep_folds`.

    `Barred` when the reporter asked that this very person does not see it. Where the report does not open, nobody can
    tell who that is: then only a coordinator gets the rest, to mend it (`Onleesbaar`).
    """
    ring, found, fresh = _open(session, instance, person, opening)
    tracks = dossier.load_tracks(session, instance, opening.case_id)
    view = dossier.view(
        instance, ring, found, tracks,
        reference=opening.reference, received_at=opening.received_at, team=opening.team, fresh=fresh,
    )  # fmt: skip
    if not view.readable and not person.coordinates(opening.team):
        raise Onleesbaar("case_doc")
    if is_barred(view.report.get("barred_member"), person.name):
        raise Barred(opening.case_id, opening.team)
    return view


def keep_folds(session: Session, view: CaseView) -> None:
    """Keep what the first opening unwrapped in the team's cache; the wraps stay the truth."""
    keep_cache(session, Fold, view.fresh)


def open_private(session: Session, instance: Instance, person: Person, opening: Opening) -> Mapping[str, Any]:
    """Home address, family and movements; only with an opening of compartment B of its own.

    `Onleesbaar` for everybody when the report does not open: it says whom the reporter does not want here.
    """
    if opening.compartment != VEILIG:
        raise NotYours
    ring, found, _ = _open(session, instance, person, opening)
    melding = dossier.open_doc(ring, found, MELDING)
    if is_barred(melding["report"].get("barred_member"), person.name):
        raise Barred(opening.case_id, opening.team)
    private: Mapping[str, Any] = dossier.open_doc(ring, found, VEILIG)["private"]
    return private


def open_attachment(
    session: Session, instance: Instance, person: Person, opening: Opening, attachment_id: bytes
) -> tuple[AttachmentView, Iterator[bytes]]:
    """An evidence file, verified to its end before the first piece is handed out."""
    case = open_case(session, instance, person, opening)
    for attachment in case.attachments:
        if attachment.id == attachment_id:
            if attachment.file is None:
                raise Onleesbaar("attachment")
            return attachment, plain_pieces(instance, attachment.file)
    raise NotYours
