"""Establishing the facts, closing with an outcome, confirming by a second person, and opening again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select

from weerbaar_meldpunt.rules import chase, moves
from weerbaar_meldpunt.rules.figure_codes import fact_codes
from weerbaar_meldpunt.rules.vocabulary import UNCOUNTED_OUTCOMES
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault.seal import Binding

from . import caserows, emergency, holding, retention
from .errors import NotAllowed, Onleesbaar, TooLarge
from .facts import counts_now, write_fact
from .handled import count_closing
from .queue import drop_headlines
from .reader import MAX_TEXT
from .tracks import plan, settle
from .trail import is_our_event
from .work import Held, read_melding, write_melding

PROPOSED: Final = "afsluiting_voorgesteld"
_ENDS: Final = ("afsluiting_geweigerd", "afgerond", "heropend")  # what ends a proposal


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
    """Establish the facts of the case, or correct them: the figures get the difference.

    `NotAllowed("onbekende_feiten")` for a code that would be counted wrongly for ever.
    """
    held.require_open()
    try:
        codes = fact_codes(facts)
    except (KeyError, ValueError):
        raise NotAllowed("onbekende_feiten") from None
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
    held.require_vouched()
    held.require_owner()
    held.require_no_proposal()
    if outcome not in moves.outcomes_for(held.track.team):
        raise NotAllowed("onbekende_uitkomst")
    if held.track.state == "nieuw":
        raise NotAllowed("eerst_nemen")
    if len(done) + len(not_done) > MAX_TEXT:
        raise TooLarge
    _require_read(held)
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
        held.close(ledger, PROPOSED, {"text": "", **words}, team_only=True)
        return False
    _close(held, words, melding)
    return True


def _require_read(held: Held) -> None:
    """Nobody is closed off while what they wrote last was not read."""
    if held.track.unread:
        raise NotAllowed("eerst_lezen")


def confirm_close(held: Held) -> None:
    """A second person of the team confirms a proposed closing; never who proposed it."""
    held.require_open()
    held.require_vouched()
    if held.track.proposed_by is None or held.track.outcome is None:
        raise NotAllowed("niets_voorgesteld")
    if held.track.proposed_by == held.person.user_id:
        raise NotAllowed("tweede_persoon")
    _require_read(held)
    words = _proposal(held)
    if words["outcome"] != held.track.outcome:
        raise NotAllowed("niets_voorgesteld")
    _close(held, words, read_melding(held))


def _proposal(held: Held) -> dict[str, str]:
    """What was proposed, in the words of who did: they are what the reporter gets to read.

    The leaf of the proposal says who that was, not the track: it must be the program's, of the person in the track, and
    the last that happened to a proposal here. Else whoever can write the database could confirm their own.
    """
    rows, _ = caserows.read(held.session, held.instance, [held.case.id], caserows.events([held.case.id]))
    about = [row for row in rows if row.part in (PROPOSED, *_ENDS)]
    for row in sorted(about, key=lambda row: row.number, reverse=True):
        if not is_our_event(held.instance, row):
            raise Onleesbaar("event")
        document = held.ring.open(row.sealed or b"", Binding("event", held.case.id, row.id, 0))
        if document["team"] == held.track.team:
            if row.part != PROPOSED or row.other != held.track.proposed_by:
                break
            return {name: document[name] for name in ("outcome", "done", "not_done")}
    raise Onleesbaar("event")


def refuse_close(held: Held, reason: str) -> None:
    """Somebody of the team does not agree, or who proposed it takes it back; the track stays open with its owner."""
    held.require_open()
    held.require_vouched()
    if held.track.proposed_by is None:
        raise NotAllowed("niets_voorgesteld")
    _require_reason(reason)
    ledger = held.ledger()
    settle(ledger, held.dues, ("opvolging",), "gedaan", now=held.now)
    fresh = chase.after_message(held.track.urgency, now=held.now)
    plan(ledger, held.track, held.dues, fresh, now=held.now, proposed_by=None, outcome=None)
    held.close(ledger, "afsluiting_geweigerd", {"text": reason.strip()}, team_only=True)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise NotAllowed("reden_nodig")
    if len(reason) > MAX_TEXT:
        raise TooLarge


def _close(held: Held, words: Mapping[str, str], melding: Mapping[str, Any]) -> None:
    ledger = held.ledger()
    # Aftercare goes on when the work on the track is done, but not for who should not be sought; all else falls away.
    kinds = sorted({due.kind for due in held.dues} - set(chase.kept_after_closing(words["outcome"], now=held.now)))
    settle(ledger, held.dues, kinds, "vervallen", now=held.now)
    after = chase.after_closing(held.track.team, now=held.now, outcome=words["outcome"])
    plan(
        ledger, held.track, held.dues, after, now=held.now,
        state=moves.CLOSED, outcome=words["outcome"], closed_at=held.now, proposed_by=None, unread=False,
    )  # fmt: skip
    emergency.forget_closed(held.session, ledger, held.case.id, closing=held.track.id)
    held.close(ledger, "afgerond", {"text": "", **words})
    others = held.session.execute(
        select(Track.outcome, Track.closed_at).where(Track.case_id == held.case.id, Track.id != held.track.id)
    ).all()
    # As long as one team says that there was something, or is still at it, the case counts.
    mine = (other for other in others if other.outcome != moves.TRANSFERRED)
    outcomes = {words["outcome"], *(other.outcome if other.closed_at else "" for other in mine)}
    _count_facts(held, melding, counts=not outcomes <= UNCOUNTED_OUTCOMES)
    if all(other.closed_at for other in others):
        count_closing(held.session, held.instance, held.case, 1, by=held.person.user_id, now=held.now)
        holding.begin(held, melding)


def _count_facts(held: Held, melding: Mapping[str, Any], *, counts: bool) -> None:
    """Take the facts back from the figures, or give them again after a case that was none turned out to be one."""
    entry = melding["facts"]
    if not entry or entry["counted"] == counts or not counts_now(held.session, held.instance):
        return
    write_fact(held.session, held.instance, entry["codes"] | {"n": 1 if counts else -1}, now=held.now)
    ledger = held.ledger()
    write_melding(held, ledger, dict(melding) | {"facts": dict(entry) | {"counted": counts}})
    drop_headlines(held.session, held.case.id)
    held.close(ledger, "feiten_vastgesteld" if counts else "feiten_ingetrokken", {"text": ""}, team_only=True)


def reopen(held: Held, reason: str) -> None:
    """Open a closed track again, with a reason; what was counted as handled is taken back."""
    held.require_vouched()
    if held.track.closed_at is None:
        raise NotAllowed("niet_afgerond")
    _require_reason(reason)
    open_elsewhere = held.session.scalar(
        select(Track.id).where(Track.case_id == held.case.id, Track.closed_at.is_(None)).limit(1)
    )
    if open_elsewhere is None:
        count_closing(held.session, held.instance, held.case, -1, by=held.person.user_id, now=held.now)
    ledger = held.ledger()
    retention.stop(held.session, ledger, held.case)
    settle(ledger, held.dues, ("enquete",), "vervallen", now=held.now)
    plan(
        ledger, held.track, held.dues, chase.after_message(held.track.urgency, now=held.now), now=held.now,
        state="in_behandeling", outcome=None, closed_at=None, owner_id=held.track.owner_id or held.person.user_id,
    )  # fmt: skip
    try:
        melding = read_melding(held)
        emergency.renew(
            held.session, held.instance, ledger, case=held.case, melding=melding, urgency=held.track.urgency
        )
    except Onleesbaar:  # the case is open again all the same; the gap in the report shows on its page
        pass
    held.close(ledger, "heropend", {"text": reason.strip()})
