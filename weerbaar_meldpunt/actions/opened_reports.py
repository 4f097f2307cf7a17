"""The reports of many cases opened at once, for the headlines of a queue and for a search: one statement for them all.

A report that does not open, or that is not as the trail says, is left out: it shows as a gap in the queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import CaseDoc, CaseEpoch, CaseGrant
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding

from . import caserows
from .casekeys import MELDING, CaseRing, open_for_team
from .instance import Instance
from .trail import Trail


@dataclass(frozen=True)
class OpenedReport:
    """One report of compartment A, with what its other rows are read by."""

    case_id: bytes
    revision: int
    melding: Mapping[str, Any] = field(repr=False)
    ring: CaseRing = field(repr=False)
    trail: Trail = field(repr=False)
    # The rows of what was asked beside, by the name of the part.
    parts: Mapping[str, Sequence[Any]] = field(repr=False)


def open_reports(
    session: Session, instance: Instance, teams: Sequence[TeamKeys], team: str, case_ids: Sequence[bytes],
    *beside: caserows.Part,
) -> tuple[list[OpenedReport], list[dict[str, Any]]]:  # fmt: skip
    """The reports that a team's keys open, and the rows of the team's cache that were missing."""
    rows, trail = caserows.read(
        session, instance, case_ids,
        caserows.grants(case_ids).where(CaseGrant.compartment == MELDING),
        caserows.docs(case_ids).where(CaseDoc.compartment == MELDING),
        caserows.epochs(case_ids).where(CaseEpoch.compartment == MELDING),
        caserows.folds(case_ids, team), *beside,
    )  # fmt: skip
    by_case: dict[bytes, dict[str, list[Any]]] = {case_id: {} for case_id in case_ids}
    for row in rows:
        by_case[row.case_id].setdefault(row.what, []).append(row)
    opened, folds = list[OpenedReport](), list[dict[str, Any]]()
    for case_id, parts in by_case.items():
        ring, fresh = open_for_team(
            case_id, teams, [caserows.a_grant(row) for row in parts.get("grant", [])],
            [caserows.a_fold(row, team) for row in parts.get("fold", [])],
            [caserows.an_epoch(row) for row in parts.get("epoch", [])], trail,
        )  # fmt: skip
        folds += fresh
        doc = next((caserows.a_doc(row) for row in parts.get("doc", [])), None)
        if doc is None or not trail.agrees(doc) or not ring.is_newest(MELDING, doc.sealed):
            continue
        try:
            melding = ring.open(doc.sealed, Binding("case_doc", case_id, MELDING, doc.revision))
        except Onleesbaar:
            continue
        opened.append(OpenedReport(case_id, doc.revision, melding, ring, trail, parts))
    return opened, folds
