"""What an operator does at the console: file a report from a document, and look at the open columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.reading import parse_text
from weerbaar_meldpunt.rules.report import parse_report
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault.derive import random_bytes

from . import evidence
from .drafts import DraftFile
from .filing import file_report
from .instance import PEPPER, SERVER_KEY, Instance
from .labels import labelled


def file_from_operator(instance: Instance, text: bytes, paths: Sequence[Path], *, now: datetime) -> dict[str, Any]:
    """File the report in a document with its files; answers what the reporter is to get, as JSON can carry it.

    Raises `ReportFaults`, `TooLarge` and `NotReady`; then nothing is kept.
    """
    report = parse_report(parse_text(text), now=now, allow_triage=True)
    files: list[DraftFile] = []
    try:
        for path in paths:
            files.append(evidence.take(instance, path, now=now))
        with instance.sessions.begin() as session:
            filed = file_report(session, instance, report, form=random_bytes(32).hex(), now=now, files=files)
    except BaseException:
        for file in files:
            evidence.remove_blob(instance, file.blob_id)
        raise
    labelled("filing/committed")
    return {
        "reference": filed.reference,
        "receipt_code": filed.receipt_code,
        **({"claim_code": filed.claim_code} if filed.claim_code else {}),
        "control_words": list(filed.words),
        "received_at": filed.received_at.isoformat(),
        "teams": list(filed.teams),
        "answer": dict(filed.answer),
    }


def sheet(instance: Instance) -> list[tuple[str, str]]:
    """The two key files as people can write them down: hexadecimal digits in groups of four, eight groups a line."""
    found = []
    for name in (SERVER_KEY, PEPPER):
        digits = (instance.settings.instance / name).read_bytes().hex()
        groups = [digits[i : i + 4] for i in range(0, len(digits), 4)]
        found.append((name, "\n".join(" ".join(groups[i : i + 8]) for i in range(0, len(groups), 8))))
    return found


def open_columns(session: Session, team: str, *, limit: int) -> list[dict[str, Any]]:
    """The open columns of a team's open tracks, the most pressing first; no key opens anything here."""
    rows = session.execute(
        select(Case.reference, Track)
        .join(Case, Case.id == Track.case_id)
        .where(Track.team == team, Track.closed_at.is_(None))
        .order_by(Track.urgency, Track.due_at, Track.id)
        .limit(limit)
    ).all()
    return [
        {
            "reference": reference,
            "team": track.team,
            "state": track.state,
            "urgency": track.urgency,
            "owner": track.owner_id.hex() if track.owner_id else None,
            "opened_at": track.opened_at.isoformat(),
            "due_at": track.due_at.isoformat() if track.due_at else None,
            "due_kind": track.due_kind,
            "unread": track.unread,
        }
        for reference, track in rows
    ]
