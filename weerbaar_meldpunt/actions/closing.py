"""Establishing the facts, closing with an outcome, confirming by a second person, and opening again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules import chase, moves
from weerbaar_meldpunt.rules.figure_codes import duration_code, fact_codes
from weerbaar_meldpunt.store.tracks import Track

from .errors import NotAllowed
from .facts import counts_now, write_fact
from .queue import drop_headlines
from .tracks import plan, settle
from .work import Held, read_melding, write_melding

# These outcomes say that the report was none, so its facts are taken back from the figures.
TAKEN_BACK: Final = frozenset({"dubbel", "ingetrokken", "geen_incident"})
KEPT_AFTER_CLOSING: Final = ("nazorg_72u", "nazorg_2w", "nazorg_6w")


def suggested_facts(report: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the report itself says of the facts, to fill the form of the worker who establishes them."""
    target, incident = report.get("target") or {}, report.get("incident") or {}
    kinds = list(incident.get("kinds") or [])
    if report.get("legal") and "juridische_druk" not in kinds:
        kinds.append("juridische_druk")
    return {
        "role": target.get("role", "onbekend"),
        "organisation": target.get("organisation"),
        "kinds": kinds,
        "channels": list(incident.get("channels") or []),
        "routes": list(answer.get("routes") or []),
        "aangifte": "onbekend",
        "gender": target.get("gender"),
    }


def validate_facts(held: Held, facts: Mapping[str, Any]) -> None:
    """Establish the facts of the case, or correct them: the figures get the difference."""
    held.require_open()
    codes = fact_codes(facts)
    melding = read_melding(held)
    before = melding["facts"]
    counted = counts_now(held.session, held.instance)
    entry = {"facts": dict(facts), "codes": codes, "counted": counted, "by": held.person.name,
             "at": held.now.isoformat()}  # fmt: skip
    ledger = held.ledger()
    write_melding(held, ledger, melding | {"facts": entry})
    action = "feiten_bekeken"
    if counted:
        if before is None or not before["counted"]:
            action = "feiten_vastgesteld"
            write_fact(held.session, held.instance, codes | {"n": 1}, now=held.now)
        elif before["codes"] != codes:
            action = "feiten_verbeterd"
            write_fact(held.session, held.instance, before["codes"] | {"n": -1}, now=held.now)
            write_fact(held.session, held.instance, codes | {"n": 1}, now=held.now)
    drop_headlines(held.session, held.case.id)
    held.close(ledger, action, {"text": ""}, team_only=True)


def close(held: Held, outcome: str, *, done: str, not_done: str) -> bool:
    """Close the track, or propose it where a second person must confirm; answers whether it is closed now."""
    held.require_open()
    held.require_owner()
    if outcome not in moves.outcomes_for(held.track.team):
        raise NotAllowed("onbekende_uitkomst")
    if held.track.state == "nieuw":
        raise NotAllowed("eerst_nemen")
    melding = read_melding(held)
    if melding["facts"] is None:
        raise NotAllowed("eerst_feiten")
    words = {"outcome": outcome, "done": done.strip(), "not_done": not_done.strip()}
    if moves.needs_second_person(outcome=outcome, urgency=held.track.urgency):
        ledger = held.ledger()
        plan(
            ledger, held.track, held.dues, chase.confirmation(now=held.now), now=held.now,
            proposed_by=held.person.user_id, outcome=outcome,
        )  # fmt: skip
        held.close(ledger, "afsluiting_voorgesteld", {"text": "", **words}, team_only=True)
        return False
    _close(held, words, melding)
    return True


def confirm_close(held: Held) -> None:
    """A second person of the team confirms a proposed closing; never who proposed it."""
    held.require_open()
    if held.track.proposed_by is None or held.track.outcome is None:
        raise NotAllowed("niets_voorgesteld")
    if held.track.proposed_by == held.person.user_id:
        raise NotAllowed("tweede_persoon")
    _close(held, {"outcome": held.track.outcome, "done": "", "not_done": ""}, read_melding(held))


def refuse_close(held: Held, reason: str) -> None:
    """A second person does not agree; the track stays open with its owner."""
    held.require_open()
    if held.track.proposed_by is None:
        raise NotAllowed("niets_voorgesteld")
    ledger = held.ledger()
    fresh = chase.after_answer(held.track.urgency, now=held.now)
    plan(ledger, held.track, held.dues, fresh, now=held.now, proposed_by=None, outcome=None)
    held.close(ledger, "afsluiting_geweigerd", {"text": reason.strip()}, team_only=True)


def _close(held: Held, words: Mapping[str, str], melding: Mapping[str, Any]) -> None:
    ledger = held.ledger()
    # Aftercare goes on when the work on the track is done; all else falls away.
    kinds = sorted({due.kind for due in held.dues} - set(KEPT_AFTER_CLOSING))
    settle(ledger, held.dues, kinds, "vervallen", now=held.now)
    plan(
        ledger, held.track, held.dues, chase.after_closing(held.track.team, now=held.now), now=held.now,
        state="afgerond", outcome=words["outcome"], closed_at=held.now, proposed_by=None, unread=False,
    )  # fmt: skip
    held.close(ledger, "afgerond", {"text": "", **words})
    if words["outcome"] in TAKEN_BACK:
        _take_back(held, melding)
    if not _open_tracks(held.session, held):
        _count_closing(held, 1)


def _open_tracks(session: Session, held: Held) -> bool:
    others = select(Track.id).where(Track.case_id == held.case.id, Track.closed_at.is_(None), Track.id != held.track.id)
    return session.scalar(others.limit(1)) is not None


def _take_back(held: Held, melding: Mapping[str, Any]) -> None:
    entry = melding["facts"]
    if entry and entry["counted"] and counts_now(held.session, held.instance):
        write_fact(held.session, held.instance, entry["codes"] | {"n": -1}, now=held.now)
        ledger = held.ledger()
        write_melding(held, ledger, dict(melding) | {"facts": dict(entry) | {"counted": False}})
        held.close(ledger, "feiten_ingetrokken", {"text": ""}, team_only=True)


def _count_closing(held: Held, n: int) -> None:
    """A case whose last track closes counts as handled; reopened, it is taken back with its old duration."""
    if not counts_now(held.session, held.instance):
        return
    duration = duration_code(held.case.received_at, _closed_at(held))
    write_fact(held.session, held.instance, {"measure": "afgehandeld", "duur": duration, "n": n}, now=held.now)
    held.close(held.ledger(), "zaak_gesloten" if n > 0 else "zaak_heropend", {"text": ""}, team_only=True)


def _closed_at(held: Held) -> datetime:
    moments: Sequence[datetime | None] = held.session.scalars(
        select(Track.closed_at).where(Track.case_id == held.case.id)
    ).all()
    return max((moment for moment in moments if moment), default=held.now)


def reopen(held: Held, reason: str) -> None:
    """Open a closed track again, with a reason; what was counted as handled is taken back."""
    if held.track.closed_at is None:
        raise NotAllowed("niet_afgerond")
    if not _open_tracks(held.session, held):
        _count_closing(held, -1)
    ledger = held.ledger()
    settle(ledger, held.dues, ("enquete",), "vervallen", now=held.now)
    plan(
        ledger, held.track, held.dues, chase.after_answer(held.track.urgency, now=held.now), now=held.now,
        state="in_behandeling", outcome=None, closed_at=None, owner_id=held.track.owner_id or held.person.user_id,
    )  # fmt: skip
    held.close(ledger, "heropend", {"text": reason.strip()})
