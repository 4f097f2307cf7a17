"""A case goes to another team too, or instead: shared or handed over, with a reason, and the reporter is told.

Who hands it over gives every key up: the own grants go, and the case gets new keys that the own team never had. What
was lawfully opened before stays known (docs/security.md, "Promises").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules import chase, moves
from weerbaar_meldpunt.rules.report import Report, ReportFaults
from weerbaar_meldpunt.rules.routing import decide, load_tables
from weerbaar_meldpunt.rules.teams import compartments_for
from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.cases import Message
from weerbaar_meldpunt.store.tracks import Due, Track
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.wrap import PublicKey

from . import emergency
from .barred import is_barred
from .caseepochs import Recipients, start_epoch
from .casekeys import COMPARTMENTS, MELDING, grant_to_team
from .errors import NotAllowed, Onleesbaar, TooLarge
from .instance import Instance, ready_keys
from .labels import labelled
from .ledger import Ledger, last_leaf
from .pinning import require_believed
from .queue import drop_headlines
from .reader import MAX_TEXT
from .tracks import genuine, plan, settle
from .work import Held, add_text, colleagues, read_melding, write_melding

SHARED, TRANSFERRED = "zaak_gedeeld", "zaak_overgedragen"


@dataclass(frozen=True)
class Choice:
    """Another team, and what giving it the case would do; `refused` is a reason why it cannot be, as of now."""

    team: str
    gets: tuple[str, ...] = ()  # compartments
    has_already: bool = False
    barred: tuple[str, ...] = ()  # its members who can be the one that the reporter does not want to see this
    share_refused: str = ""
    transfer_refused: str = ""


def choices(session: Session, instance: Instance, melding: Mapping[str, Any], own: str) -> list[Choice]:
    """What can be done with a case towards each team but the own one, by the opened document of compartment A."""
    keys = ready_keys(session, instance, TEAMS)
    return [_choice(session, instance, melding, own, team, keys) for team in TEAMS if team != own]


def _choice(
    session: Session, instance: Instance, melding: Mapping[str, Any], own: str, team: str, keys: Mapping[str, PublicKey]
) -> Choice:
    recipients: Recipients = melding["recipients"]
    has = {one for one in COMPARTMENTS if team in _teams_of(recipients, one)}
    gets = tuple(one for one in compartments_for(team) if own in _teams_of(recipients, one) and one not in has)
    members = [name for _, name in colleagues(session, instance, team)]
    barred = tuple(name for name in members if is_barred(melding["report"].get("barred_member"), name))
    refused = ""
    if team not in keys:
        refused = "team_niet_gereed"
    elif members and len(barred) == len(members):
        refused = "team_ziet_zaak_niet"
    elif not gets:
        refused = "team_heeft_zaak_al"
    # Whoever goes must leave every part of the case with somebody: an address that no team holds is lost to all teams.
    alone = [one for one in COMPARTMENTS if _teams_of(recipients, one) == [own] and one not in gets]
    leaves = refused or ("adres_zonder_team" if alone else "") or ("team_heeft_zaak_al" if has else "")
    return Choice(team, gets, bool(has), barred, refused, leaves)


def _teams_of(recipients: Recipients, compartment: str) -> list[str]:
    return [team for team, _ in recipients[compartment]["teams"]]


def share(held: Held, team: str, *, reason: str, words: str) -> None:
    """Another team gets the case too: all keys that it may have, of every epoch, and a track of its own.

    `reason` is for the teams; `words` is what the reporter reads. `NotAllowed` where it cannot be (see `Choice`).
    """
    melding, key, choice = _prepared(held, team, reason, words)
    if choice.share_refused:
        raise NotAllowed(choice.share_refused)
    ledger = held.ledger()
    grant_to_team(ledger, held.ring, key, choice.gets, grantor=held.person.user_id)
    recipients = _with_team(melding["recipients"], key, choice.gets)
    write_melding(held, ledger, melding | {"recipients": recipients})
    drop_headlines(held.session, held.case.id)
    if not choice.has_already:
        _give_track(held, ledger, melding, team, [*_teams_of(recipients, MELDING)])
    _tell(held, ledger, melding | {"recipients": recipients}, words)
    held.close(ledger, SHARED, {"text": reason.strip(), "to_team": team}, team_only=True)
    labelled("transfer/rows-written")


def transfer(held: Held, team: str, *, reason: str, words: str) -> None:
    """Another team gets the case instead of this one, whose grants go and whose track closes; new keys for all that is
    written from now on.
    """
    held.require_no_proposal()
    melding, key, choice = _prepared(held, team, reason, words)
    if choice.transfer_refused:
        raise NotAllowed(choice.transfer_refused)
    if held.track.unread:
        raise NotAllowed("eerst_lezen")
    own = held.track.team
    ledger = held.ledger()
    grant_to_team(ledger, held.ring, key, choice.gets, grantor=held.person.user_id)
    recipients = _with_team(melding["recipients"], key, choice.gets)
    for listed in recipients.values():
        listed["teams"] = [entry for entry in listed["teams"] if entry[0] != own]
    last_leaf(held.session)  # nobody wraps a key of ours anew between this and our leaf
    held.ring = start_epoch(
        held.session, held.instance, ledger, held.ring, melding, compartments=tuple(held.ring.keys),
        recipients=recipients, grantor=held.person.user_id, now=held.now,
    )  # fmt: skip
    settle(ledger, held.dues, None, "vervallen", now=held.now)
    plan(
        ledger, held.track, held.dues, [], now=held.now, state=moves.CLOSED, outcome=moves.TRANSFERRED,
        closed_at=held.now, owner_id=None, unread=False,
    )  # fmt: skip
    _give_track(held, ledger, melding, team, _teams_of(recipients, MELDING))
    _tell(held, ledger, melding, words)
    held.close(ledger, TRANSFERRED, {"text": reason.strip(), "to_team": team}, team_only=True)
    labelled("transfer/rows-written")


def _prepared(held: Held, team: str, reason: str, words: str) -> tuple[dict[str, Any], PublicKey, Choice]:
    held.require_open()
    held.require_vouched()
    held.require_owner()
    if not reason.strip() or not words.strip():
        raise NotAllowed("reden_nodig")
    if len(reason) + len(words) > MAX_TEXT:
        raise TooLarge
    if team not in TEAMS or team == held.track.team:
        raise NotAllowed("welk_team")
    melding = read_melding(held)
    keys = ready_keys(held.session, held.instance, TEAMS)
    choice = _choice(held.session, held.instance, melding, held.track.team, team, keys)
    if team not in keys:
        raise NotAllowed("team_niet_gereed")
    # Everybody a key is wrapped to must be pinned by this member too, not in the file alone.
    on_it = {name for compartment in COMPARTMENTS for name in _teams_of(melding["recipients"], compartment)}
    for one in sorted({team, *on_it}):
        require_believed(held.instance, held.person.pins, "team", one)
    if not set(choice.gets) <= held.ring.keys.keys():
        raise Onleesbaar("case_grant")
    return melding, keys[team], choice


def _with_team(recipients: Recipients, key: PublicKey, compartments: Collection[str]) -> Recipients:
    wanted = deepcopy(recipients)
    for compartment in compartments:
        wanted[compartment]["teams"].append([str(key.owner), key.epoch])
    return wanted


def _give_track(held: Held, ledger: Ledger, melding: dict[str, Any], team: str, teams: Sequence[str]) -> None:
    """Work for the other team: a new track, or the one it once had, open again and nobody's."""
    urgency, fresh = held.track.urgency, _first_dues(held, melding, team, teams)
    track = held.session.scalars(
        select(Track).where(Track.case_id == held.case.id, Track.team == team).with_for_update()
    ).one_or_none()
    if track is not None and not held.trail.agrees(track):
        raise NotAllowed("spoor_veranderd")
    if track is not None:
        dues = held.session.scalars(select(Due).where(Due.track_id == track.id)).all()
        plan(
            ledger, track, genuine(held.trail, dues), fresh, now=held.now, state=moves.NEW, urgency=urgency,
            owner_id=None, outcome=None, closed_at=None, unread=False,
        )  # fmt: skip
        return
    first, track_id = min(fresh, key=lambda due: due.moment), new_id()
    ledger.add(
        Track, id=track_id, case_id=held.case.id, team=team, state=moves.NEW, urgency=urgency, opened_at=held.now,
        due_at=first.moment, due_kind=first.kind,
    )  # fmt: skip
    for due in fresh:
        ledger.add(
            Due, id=new_id(), track_id=track_id, kind=due.kind, moment=due.moment, step="gepland",
            next_at=chase.first_look(due, urgency, now=held.now),
        )  # fmt: skip


def _first_dues(held: Held, melding: dict[str, Any], team: str, teams: Sequence[str]) -> list[chase.PlannedDue]:
    """What a new report would bring this team, counted from now: the first contact, announced moments, legal terms."""
    urgency, now = held.track.urgency, held.now
    contact = chase.another_teams_contact(urgency, now=now)
    try:
        report = Report.from_document(dict(melding["report"]))
        tables = load_tables(held.case.rules_version)
        answer = decide(report, now=datetime.fromisoformat(melding["received_at"]), tables=tables)
    except (ReportFaults, LookupError, ValueError):  # of an older format, or by rules that are not carried any more
        return [contact]
    answer = replace(answer, urgency=urgency, first_contact_before=contact.moment)
    wishes = report.contact.model_dump(mode="json")
    planned = chase.first_dues(answer, team, received_at=now, teams=tuple(teams), contact=wishes)
    return list({(due.kind, due.moment): due for due in planned}.values())


def _tell(held: Held, ledger: Ledger, melding: dict[str, Any], words: str) -> None:
    """The reporter reads it as a message; the emergency list follows who has the case."""
    add_text(held, ledger, Message, None, words.strip())
    emergency.renew(
        held.session, held.instance, ledger, case=held.case, melding=melding, urgency=held.track.urgency
    )  # fmt: skip
