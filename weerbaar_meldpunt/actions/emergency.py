"""The emergency list: whom to call about an open acute or urgent case while the program, or everybody's key, is gone.

An entry holds a reference, a name, a number, safe hours and the urgency; never an address. It has a key of its own,
wrapped to each team that has the case and to RECOVERY. It goes when the last track of the case closes and is in no
backup. The clock writes the sealed entries to a file a day, which a coordinator (on a page) or two custodians open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.custody import Emergency, EmergencyGrant
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault.derive import new_id, new_key
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding, SealKey, open_json, seal_json
from weerbaar_meldpunt.vault.wrap import Grant, KeyPair, PublicKey, unwrap, wrap

from .alarms import raise_alarm
from .barred import is_barred
from .custodians import recovery_key
from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .person import Person
from .pinning import name_of_key, require_believed
from .vouching import trail_of_rows, vouched

LISTED: Final = frozenset(("acuut", "hoog"))
OPENED: Final = "noodlijst_geopend"
DAMAGED: Final = "noodlijst_beschadigd"


@dataclass(frozen=True)
class Entry:
    """One line of the list, as who may read it sees it."""

    reference: str
    urgency: str
    name: str | None = field(repr=False)
    telephone: str | None = field(repr=False)
    safe_hours: tuple[tuple[str | None, str | None], ...]
    night_call: bool | None


@dataclass(frozen=True)
class Opened:
    """The list: its entries, the most pressing first, and how many are not shown."""

    entries: tuple[Entry, ...]
    barred: int = 0  # the reporter asked that this very person does not see them
    unreadable: int = 0


def _document(reference: str, report: Mapping[str, Any], urgency: str) -> dict[str, Any]:
    contact = report.get("contact") or {}
    return {
        "reference": reference, "urgency": urgency, "name": contact.get("name"),
        "telephone": contact.get("telephone"), "safe_hours": contact.get("safe_hours") or [],
        "night_call": contact.get("night_call"), "barred": report.get("barred_member"),
    }  # fmt: skip


def note(
    session: Session, instance: Instance, ledger: Ledger, *, case_id: bytes, reference: str,
    report: Mapping[str, Any], urgency: str, teams: Iterable[PublicKey],
) -> None:  # fmt: skip
    """Put a case on the list, in the act that files or reopens it; nothing for one that can wait."""
    if urgency not in LISTED:
        return
    entry, key = new_id(), new_key()
    sealed = seal_json(SealKey(key), _document(reference, report, urgency), _binding(entry))
    ledger.add(Emergency, id=entry, case_id=case_id, sealed=sealed)
    recovery = recovery_key(session, instance, now=ledger.now)
    for to in (*teams, *((recovery,) if recovery else ())):
        ledger.add(EmergencyGrant, entry_id=entry, recipient=to.key_id, wrapped=wrap(to, key, _grant(entry)))


def _binding(entry: bytes) -> Binding:
    return Binding("emergency", None, entry, 0)


def _grant(entry: bytes) -> Grant:
    return Grant("entry", entry)


def forget(session: Session, ledger: Ledger, case_id: bytes) -> bool:
    """Take a case off the list, whatever is still open of it; whether it was on it."""
    entry = session.scalars(select(Emergency).where(Emergency.case_id == case_id)).one_or_none()
    if entry is None:
        return False
    for grant in session.scalars(select(EmergencyGrant).where(EmergencyGrant.entry_id == entry.id)):
        ledger.remove(grant)
    session.flush()  # what is wrapped goes before what it opens
    ledger.remove(entry)
    session.flush()
    return True


def forget_closed(session: Session, ledger: Ledger, case_id: bytes, *, closing: bytes) -> None:
    """Take a case off the list when the track that closes now is the last that was open."""
    others = select(Track.id).where(Track.case_id == case_id, Track.id != closing, Track.closed_at.is_(None))
    if session.scalar(others.limit(1)) is None:
        forget(session, ledger, case_id)


def renew(
    session: Session, instance: Instance, ledger: Ledger, *, case: Case, melding: Mapping[str, Any], urgency: str
) -> None:
    """Make the entry of an open case anew: it was reopened, or the teams that have it are others now.

    For who has the opened document of compartment A at hand; its list of recipients says who gets the entry.
    """
    forget(session, ledger, case.id)
    teams = tuple(team for team, _epoch in melding["recipients"]["A"]["teams"])
    keys = instance.sealing_keys(session, "team", teams)
    note(
        session, instance, ledger, case_id=case.id, reference=case.reference, report=melding["report"],
        urgency=urgency, teams=keys.values(),
    )  # fmt: skip


# --- opening -------------------------------------------------------------------------------------------------------


def note_opening(session: Session, instance: Instance, person: Person, team: str, *, now: datetime) -> None:
    """Note that a coordinator opens the list; the page commits before anything is unwrapped."""
    if not person.coordinates(team):
        raise NotAllowed("alleen_coordinator")
    Ledger(session, instance, now=now).close(person.user_id, OPENED, person.user_id)


def open_list(session: Session, instance: Instance, person: Person, team: str) -> Opened:
    """The entries a coordinator's team has. What the trail does not vouch for is a gap: anybody can seal to a team."""
    if not person.coordinates(team):
        raise NotAllowed("alleen_coordinator")
    pairs = {keys.pair.public.key_id: keys.pair for keys in person.teams.get(team, ())}
    found = vouched_entries(session, instance, pairs)
    lines = [
        (row.id, row.sealed if fine else b"", [(one.recipient, one.wrapped) for one in grants])
        for row, grants, fine in found
    ]
    return opened_entries(lines, pairs, name=person.name)


def opened_entries(
    lines: Iterable[tuple[bytes, bytes, Sequence[tuple[bytes, bytes]]]], pairs: Mapping[bytes, KeyPair], *,
    name: str = "",
) -> Opened:  # fmt: skip
    """Entries with their wraps, opened with these key pairs for somebody of this name; what does not open counts."""
    shown, barred, unreadable = list[Entry](), 0, 0
    for entry, sealed, wraps in lines:
        document = _opened(entry, sealed, wraps, pairs)
        if document is None:
            unreadable += 1
        elif name and is_barred(document.get("barred"), name):
            barred += 1
        else:
            shown.append(_entry(document))
    return Opened(tuple(sorted(shown, key=lambda one: (one.urgency != "acuut", one.reference))), barred, unreadable)


@dataclass(frozen=True)
class _Judged:
    """An entry with its wraps, each judged by itself: one that was changed takes none of the others with it."""

    entry: Emergency
    grants: list[EmergencyGrant]  # those that stand as the trail says
    fine: bool  # whether the entry itself does
    doubted: bool  # whether any of its wraps does not


def vouched_entries(
    session: Session, instance: Instance, recipients: Iterable[bytes] | None = None
) -> list[tuple[Emergency, list[EmergencyGrant], bool]]:
    """Every entry that has wraps (for these recipients), with those the trail vouches for, and whether for itself too.

    An entry without a wrap that is vouched for is among them: for its reader it is a gap.
    """
    return [(one.entry, one.grants, one.fine) for one in _judged(session, instance, recipients)]


def _judged(session: Session, instance: Instance, recipients: Iterable[bytes] | None) -> list[_Judged]:
    query = select(Emergency, EmergencyGrant).join(EmergencyGrant, EmergencyGrant.entry_id == Emergency.id)
    if recipients is not None:
        query = query.where(EmergencyGrant.recipient.in_(list(recipients)))
    found: dict[bytes, tuple[Emergency, list[EmergencyGrant]]] = {}
    for entry, grant in session.execute(query.order_by(Emergency.id, EmergencyGrant.recipient)):
        found.setdefault(entry.id, (entry, []))[1].append(grant)
    trail = trail_of_rows(session, instance, [row for entry, grants in found.values() for row in (entry, *grants)])
    judged = []
    for entry, grants in found.values():
        believed = [grant for grant in grants if trail.agrees(grant)]
        judged.append(_Judged(entry, believed, trail.agrees(entry), len(believed) < len(grants)))
    return judged


def _opened(
    entry: bytes, sealed: bytes, wraps: Sequence[tuple[bytes, bytes]], pairs: Mapping[bytes, KeyPair]
) -> dict[str, Any] | None:
    for recipient, wrapped in wraps:
        if recipient in pairs:
            try:
                key = SealKey(unwrap(pairs[recipient], wrapped, _grant(entry)))
                return dict(open_json(key, sealed, _binding(entry)))
            except (Onleesbaar, ValueError, TypeError):
                continue
    return None


def _entry(document: Mapping[str, Any]) -> Entry:
    hours = tuple((part.get("from"), part.get("to")) for part in document["safe_hours"])
    return Entry(
        document["reference"], document["urgency"], document["name"], document["telephone"], hours,
        document["night_call"],
    )  # fmt: skip


# --- when keys change ----------------------------------------------------------------------------------------------


def catch_up(session: Session, instance: Instance, person: Person, *, now: datetime) -> int:
    """Wrap entries anew that this person's teams hold under an older key, or that RECOVERY cannot open yet.

    For every act in which a member has the secrets at hand, beside `custodians.catch_up`; answers how many wraps.
    """
    made = sum(rewrap(session, instance, person, team, now=now) for team in person.teams)
    recovery = instance.house_key(session, "recovery")
    if recovery is None or person.pins.get(name_of_key(recovery)) != recovery.fingerprint.hex():
        return made
    lacking = select(EmergencyGrant.entry_id).where(EmergencyGrant.recipient == recovery.key_id)
    missing = session.scalars(select(Emergency).where(Emergency.id.not_in(lacking))).all()
    if not missing:
        return made
    pairs = {keys.pair.public.key_id: keys.pair for ring in person.teams.values() for keys in ring}
    ledger, count = Ledger(session, instance, now=now), 0
    for entry, grants, fine in vouched_entries(session, instance, pairs):
        if not fine or entry not in missing:
            continue
        for grant in grants:
            key = unwrap(pairs[grant.recipient], grant.wrapped, _grant(entry.id))
            wrapped = wrap(recovery, key, _grant(entry.id))
            ledger.add(EmergencyGrant, entry_id=entry.id, recipient=recovery.key_id, wrapped=wrapped)
            count += 1
            break
    if count:
        ledger.close(person.user_id, "noodlijst_bijgewerkt", person.user_id)
    return made + count


def rewrap(session: Session, instance: Instance, person: Person, team: str, *, now: datetime) -> int:
    """Move the entries of a team from its older epochs to the one that seals now; answers how many. Cheap when none.

    Only to a key that this person believes and holds: whoever writes the pin file and a row must not get the numbers,
    nor take them from the team. Otherwise it does nothing, as a sign-in goes on; the pins have alarms of their own.
    After it no entry that is vouched for stands in the way of destroying an older epoch.
    """
    ring = person.teams.get(team, ())
    newest = _own_newest(instance, person, team, ring)
    if newest is None:
        return 0
    pairs = {keys.pair.public.key_id: keys.pair for keys in ring[:-1]}
    ledger, count = Ledger(session, instance, now=now), 0
    for one in _judged(session, instance, pairs):
        entry = one.entry
        standing = session.get(EmergencyGrant, (entry.id, newest.key_id))
        planted = standing is not None and not vouched(session, instance, standing)
        if one.doubted or planted or not one.fine:
            raise_alarm(session, instance, DAMAGED, entry.id.hex(), now=now)
        if planted or not one.fine or not one.grants:  # nothing goes before its successor surely stands
            continue
        key = unwrap(pairs[one.grants[0].recipient], one.grants[0].wrapped, _grant(entry.id))
        for grant in one.grants:
            ledger.remove(grant)
        session.flush()
        if standing is None:
            ledger.add(
                EmergencyGrant, entry_id=entry.id, recipient=newest.key_id, wrapped=wrap(newest, key, _grant(entry.id))
            )
        count += 1
    if count:
        ledger.close(person.user_id, "noodlijst_bijgewerkt", person.user_id)
    return count


def _own_newest(instance: Instance, person: Person, team: str, ring: Sequence[TeamKeys]) -> PublicKey | None:
    """The newest key of a person's own ring, when it follows another and is the one they believe seals now."""
    if len(ring) < 2:
        return None
    try:
        pin = require_believed(instance, person.pins, "team", team)
    except NotAllowed:
        return None
    newest = ring[-1].pair.public
    return newest if pin is not None and pin.fingerprint == newest.fingerprint else None
