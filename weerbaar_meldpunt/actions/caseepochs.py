"""A next key for a case: whoever is taken off the list of recipients opens nothing that is sealed from then on.

Each next key hangs from the one before it by a seal under that one. It is wrapped to the recipients in the report's
own document and to nobody else, never to what rows of grants say (docs/security.md, "Epochs").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.cases import Case, CaseDoc, CaseEpoch, CaseGrant, Fold, Headline, Reader
from weerbaar_meldpunt.store.links import drop_segments_of_case
from weerbaar_meldpunt.vault.derive import ID_BYTES, new_key, sha256
from weerbaar_meldpunt.vault.pins import Pin
from weerbaar_meldpunt.vault.seal import Binding, SealKey, seal_key
from weerbaar_meldpunt.vault.wrap import PublicKey

from .casekeys import COMPARTMENTS, MELDING, NOTITIES, CaseRing, epoch_binding, give
from .errors import InstanceFault, NotAllowed, Onleesbaar
from .instance import Instance
from .labels import labelled
from .ledger import Ledger
from .pinning import pin_name
from .rowhash import row_id
from .tombstones import bury_place
from .trail import GONE, Trail

RENEWED: Final = "sleutel_vernieuwd"
_GRANT: Final = CaseGrant.__tablename__
CLAIM: Final = "claim"  # the role of a reader whose seed only a claim code opens
# {compartment: {"teams": [[team, team epoch its key was made under], …], "readers": [[public key in hex, role], …]}}
Recipients = dict[str, dict[str, list[list[Any]]]]


class Overtaken(Exception):
    """Somebody else started a new epoch of this case since it was opened: open it again, and then act."""


def start_epoch(
    session: Session, instance: Instance, ledger: Ledger, ring: CaseRing, doc: dict[str, Any], *,
    compartments: Collection[str], recipients: Recipients | None = None, grantor: bytes | None = None, now: datetime,
) -> CaseRing:  # fmt: skip
    """Start the next epoch of these compartments; answers the ring with the new keys. For whoever holds the ring.

    `doc` is the opened document of compartment A, as it is to be from now on; its list of recipients is brought up to
    date in place, and it is sealed anew. `recipients` is a changed list: who is not on it any more loses every grant of
    that compartment. Somebody who comes on it gets the new keys only; what they may read of before, the caller grants
    (`grant_to_team`, `grant_to_reader`) from the ring that came in. Lock the case (`lock_case`) before opening it.

    `Overtaken` when the ring or the document is not the newest; `Onleesbaar` when a key that is needed is missing;
    `NotAllowed("team_niet_gereed")` when a team on the list has no pinned key.
    """
    wanted = _living(deepcopy(doc["recipients"] if recipients is None else recipients), doc, now=now)
    row = _newest_document(session, ring, doc)
    _drop_emptied(session, ring.case_id, doc["recipients"], wanted)
    _take_off(session, instance, ledger, ring.case_id, doc["recipients"], wanted)
    pinned = instance.sealing_keys(session, "team", TEAMS)
    for compartment in sorted(set(compartments)):
        before, epoch, key = ring.newest(compartment), ring.epochs[compartment] + 1, SealKey(new_key())
        ledger.add(
            CaseEpoch, case_id=ring.case_id, compartment=compartment, epoch=epoch,
            sealed=seal_key(before, sha256(key.secret), epoch_binding(ring.case_id, compartment, epoch)),
        )  # fmt: skip
        for to in _keys_of(pinned, ring.case_id, compartment, wanted):
            give(ledger, ring.case_id, compartment, epoch, key, to, grantor=grantor)
        ring = ring.with_key(compartment, key)
    doc["recipients"] = wanted
    revision = row.revision + 1
    sealed = ring.seal(MELDING, doc, Binding("case_doc", ring.case_id, MELDING, revision))
    ledger.change(row, revision=revision, sealed=sealed)
    drop_caches(session, ring.case_id)
    labelled("epoch/keys-made")
    return ring


def _living(recipients: Recipients, doc: Mapping[str, Any], *, now: datetime) -> Recipients:
    """The recipients without a claim code that nobody used in time."""
    until = doc.get("claim_until")
    if until and datetime.fromisoformat(until) <= now:
        for listed in recipients.values():
            listed["readers"] = [[raw, role] for raw, role in listed["readers"] if role != CLAIM]
    return recipients


def lock_case(session: Session, case_id: bytes) -> Case:
    """Hold a case for one act: acts on one case follow each other, from whichever side they come."""
    query = select(Case).where(Case.id == case_id).with_for_update(key_share=True)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _drop_emptied(session: Session, case_id: bytes, before: Recipients, wanted: Recipients) -> None:
    """Take readers off the list whose row holds no key any more.

    After a restore the list is as old as the backup: somebody whose mandate was withdrawn since stands on it still, and
    only their row says that they look along no more. Readers that this very act adds have no row yet.
    """
    held = set(session.scalars(select(Reader.key_id).where(Reader.case_id == case_id)))
    for compartment, listed in wanted.items():
        known = {raw for raw, _ in before[compartment]["readers"]}
        listed["readers"] = [
            [raw, role]
            for raw, role in listed["readers"]
            if raw not in known or PublicKey("reader", case_id, 0, bytes.fromhex(raw)).key_id in held
        ]


def _newest_document(session: Session, ring: CaseRing, doc: Mapping[str, Any]) -> CaseDoc:
    row = session.get(CaseDoc, (ring.case_id, MELDING), populate_existing=True)
    if row is None:
        raise Onleesbaar("case_doc")
    if not ring.is_newest(MELDING, row.sealed):
        raise Overtaken
    stands = ring.open(row.sealed, Binding("case_doc", ring.case_id, MELDING, row.revision))
    if stands["recipients"] != doc["recipients"]:
        raise Overtaken
    return row


def _keys_of(
    pinned: Mapping[str, PublicKey], case_id: bytes, compartment: str, recipients: Recipients
) -> Iterable[PublicKey]:
    """The public keys of a compartment's recipients; notes the epochs of the teams in the list."""
    listed = recipients[compartment]
    for entry in listed["teams"]:
        if entry[0] not in pinned:
            raise NotAllowed("team_niet_gereed")
        entry[1] = pinned[entry[0]].epoch
        yield pinned[entry[0]]
    if compartment == NOTITIES and listed["readers"]:
        raise ValueError("no reader holds the key of the teams' notes")
    for raw, _role in listed["readers"]:
        yield PublicKey("reader", case_id, 0, bytes.fromhex(raw))


def key_ids_of_team(instance: Instance, team: str) -> set[bytes]:
    """The key ids of all epochs of a team that were ever pinned."""
    pins = instance.pins().lines
    return {pin.fingerprint[:ID_BYTES] for pin in pins if pin.kind == "team" and pin.owner == team}


def _key_ids(instance: Instance, case_id: bytes, listed: Mapping[str, list[list[Any]]]) -> set[bytes]:
    of_teams = {key_id for team, _ in listed["teams"] for key_id in key_ids_of_team(instance, team)}
    readers = {PublicKey("reader", case_id, 0, bytes.fromhex(raw)).key_id for raw, _ in listed["readers"]}
    return of_teams | readers


def _take_off(
    session: Session, instance: Instance, ledger: Ledger, case_id: bytes, before: Recipients, after: Recipients
) -> None:
    """Delete the grants of who is not a recipient any more."""
    gone = {
        (compartment, key_id)
        for compartment in COMPARTMENTS
        for key_id in _key_ids(instance, case_id, before[compartment]) - _key_ids(instance, case_id, after[compartment])
    }
    if not gone:
        return
    for compartment in COMPARTMENTS:
        for team in sorted(_teams(before[compartment]) - _teams(after[compartment])):
            bury_place(
                session, CaseGrant.__tablename__, now=ledger.now, case_id=case_id, compartment=compartment, team=team
            )
    rows = session.scalars(
        select(CaseGrant)
        .where(CaseGrant.case_id == case_id, CaseGrant.recipient.in_({key_id for _, key_id in gone}))
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        if (row.compartment, row.recipient) in gone:
            ledger.remove(row)


def _teams(listed: Mapping[str, list[list[Any]]]) -> set[str]:
    return {str(team) for team, _ in listed["teams"]}


def gave_up(instance: Instance, case_id: bytes, team: str, trail: Trail) -> bool:
    """Whether a team had the key of a case and gave it up: each of its grants is gone, and the program says so itself.

    Rows that somebody else deleted are another matter: those are missing, and the trail still tells of them.
    """
    said = {
        trail.newest[_GRANT, row]
        for key_id in key_ids_of_team(instance, team)
        if (_GRANT, (row := _first_grant(case_id, key_id))) in trail.newest
    }
    return said == {GONE}


def _first_grant(case_id: bytes, key_id: bytes) -> bytes:
    return row_id(CaseGrant, {"case_id": case_id, "compartment": MELDING, "epoch": 0, "recipient": key_id})


def drop_caches(session: Session, case_id: bytes) -> None:
    """Delete what teams cached of a case; their sessions make it again."""
    for model in (Fold, Headline):
        session.execute(delete(model).where(model.case_id == case_id))
    drop_segments_of_case(session, case_id)


def stale(
    session: Session, instance: Instance, ring: CaseRing, doc: Mapping[str, Any], pins: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """The compartments of a ring whose key was made under an older epoch of a team than the one that seals now.

    Nothing is stale while a team on the list has no key to seal to, or one that whoever acts does not believe (`pins`
    are theirs): writing must go on then.
    """
    try:
        file = instance.pins()
    except InstanceFault:  # nothing can be wrapped; `doctor` says so
        return ()
    found = list[str]()
    for compartment in COMPARTMENTS:
        if compartment not in ring.keys or compartment in ring.behind:
            continue
        for team, epoch in doc["recipients"][compartment]["teams"]:
            pin = file.sealing("team", team)
            if pin is None or not _believed(pin, pins):
                return ()
            if pin.epoch > epoch:
                found.append(compartment)
                break
    if not found or MELDING not in ring.keys or MELDING in ring.behind:
        return ()
    teams = tuple({team for compartment in found for team, _ in doc["recipients"][compartment]["teams"]})
    return tuple(found) if len(instance.sealing_keys(session, "team", teams)) == len(teams) else ()


def _believed(pin: Pin, pins: Mapping[str, str] | None) -> bool:
    return pins is None or pins.get(pin_name(pin.kind, pin.owner, pin.epoch)) == pin.fingerprint.hex()


def renew(
    session: Session, instance: Instance, ring: CaseRing, doc: dict[str, Any], *, actor: bytes,
    compartments: Collection[str] = COMPARTMENTS, pins: Mapping[str, str] | None = None, now: datetime,
) -> CaseRing:  # fmt: skip
    """The ring to write with: with new keys where those of now were made under an older epoch of a team.

    Called before the first write of an act, by whoever acts; most often nothing is stale and nothing is written.
    """
    old = [compartment for compartment in stale(session, instance, ring, doc, pins) if compartment in compartments]
    if not old:
        return ring
    ledger = Ledger(session, instance, now=now)
    fresh = start_epoch(session, instance, ledger, ring, doc, compartments=old, now=now)
    ledger.close(actor, RENEWED, ring.case_id)
    return fresh
