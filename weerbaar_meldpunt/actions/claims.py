"""A report changes hands: the code that a proxy or a team gives, and the official who takes the report over with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.report import Contact
from weerbaar_meldpunt.vault.codes import WrongCode, read_code, shown_code
from weerbaar_meldpunt.vault.keys import FormKeys, ReaderKeys

from .caseepochs import start_epoch
from .casekeys import MELDING, VEILIG
from .claimrows import OpenClaim, make_claim, open_claim
from .errors import NotAllowed, NotYours, TooLarge
from .filing import CLAIM_DAYS
from .instance import Instance
from .labels import labelled
from .mandate import CHOICES, keeps, narrow
from .own_acts import (
    CLAIM,
    MELDER,
    OWN,
    PROXY,
    REPLACED,
    OwnHeld,
    changed_list,
    changed_recipients,
    hold_own,
    reader_rows,
    recipients_of,
)
from .reader import MAX_TEXT, OwnCase, own_case
from .work import Held, read_melding

LASTS: Final = timedelta(days=CLAIM_DAYS)
# Dues and a mark that waited for a yes of whom the report is about; it is theirs now.
_CONSENT_DUES: Final = ("toestemming_14d", "toestemming_30d")
_WAITING, _TAKEN = "wacht_op_toestemming", "overgenomen"


@dataclass(frozen=True)
class Waiting:
    """What somebody with a claim code sees before they take the report over."""

    own: OwnCase = field(repr=False)
    until: datetime
    has_proxy: bool  # somebody reported for them and may be let look along
    replaces: bool  # another code opens the report now, and will not any more
    has_private: bool  # the address, family and habits come along


@dataclass(frozen=True)
class Taken:
    """What the official gets to see once the report is theirs."""

    reference: str
    words: tuple[str, str] = field(repr=False)
    keys: ReaderKeys = field(repr=False)
    choice: str


def _standing(session: Session, instance: Instance, typed: str, *, now: datetime, hold: bool = False) -> OpenClaim:
    try:
        code = read_code(typed)
    except WrongCode:
        raise NotAllowed("code_onbekend") from None
    claim = open_claim(session, instance, code, hold=hold)
    if claim is None:
        raise NotAllowed("code_onbekend")
    if claim.row.expires_at <= now:
        raise NotAllowed("code_verlopen")
    return claim


def look(session: Session, instance: Instance, typed: str, *, now: datetime) -> Waiting:
    """What stands behind a claim code. `NotAllowed`: `code_onbekend` (never was, used, replaced), `code_verlopen`."""
    claim = _standing(session, instance, typed, now=now)
    own = own_case(session, instance, claim.keys)
    if own.role != CLAIM:
        raise NotAllowed("code_onbekend")
    roles = {one.role for one in recipients_of(own.case_id, own.view.melding)} if own.view.readable else set()
    return Waiting(own, claim.row.expires_at, PROXY in roles, MELDER in roles, VEILIG in own.ring.keys)


def redeem(
    session: Session, instance: Instance, typed: str, keys: ReaderKeys, *, choice: str,
    contact: Mapping[str, Any] | None = None, now: datetime,
) -> Taken:  # fmt: skip
    """Take a report over, once: from here on it opens with `keys`, and for a proxy as far as `choice` says.

    `contact` is how the official may be reached; that of the proxy stays readable, and is not called any more. Refused
    as `look` refuses, and `meekijken_kiezen` when there is a proxy and nothing was chosen.
    """
    claim = _standing(session, instance, typed, now=now, hold=True)
    held = hold_own(session, instance, claim.keys, now=now)
    if held.role != CLAIM:
        raise NotAllowed("code_onbekend")
    recipients = held.recipients
    has_proxy = PROXY in {one.role for one in recipients}
    if not has_proxy:
        choice = "nee"
    elif choice not in CHOICES:
        raise NotAllowed("meekijken_kiezen")
    ledger = held.ledger()
    ledger.remove(claim.row)
    held.remove_claims(ledger)
    held.release(ledger, [one.key.key_id for one in recipients if one.role == MELDER], REPLACED)
    if has_proxy:
        narrow(held, ledger, choice)
    if held.case.notify is not None:  # whoever asked for mails was somebody else
        ledger.change(held.case, notify=None)
    public = held.add_reader(ledger, keys, MELDER, held.compartments)
    _make_it_theirs(held, choice, contact, has_proxy=has_proxy)
    held.wake(ledger, ends=_CONSENT_DUES)
    held.new_epochs(
        ledger,
        changed_recipients(
            held, lambda one, part: one.role == PROXY and keeps(choice, one, part), add=public, role=MELDER,
            to=held.compartments,
        ),
    )  # fmt: skip
    held.key_id = public.key_id
    held.close(ledger, "overgenomen", {"choice": choice if has_proxy else ""})
    labelled("claim/rows-written")
    first, second = held.melding["words"]
    return Taken(held.case.reference, (first, second), keys, choice)


def _make_it_theirs(held: OwnHeld, choice: str, contact: Mapping[str, Any] | None, *, has_proxy: bool) -> None:
    """What changes in the report when whom it is about takes it over."""
    melding = held.melding
    report = melding["report"]
    if has_proxy:
        held.remember("contact", report.get("contact") or {})
        report["contact"] = Contact.model_validate(dict(contact or {})).model_dump(mode="json", by_alias=True)
        melding["mandate"] = {"choice": choice, "at": held.now.isoformat()}
    elif contact:
        held.remember("contact", report.get("contact") or {})
        fresh = Contact.model_validate(dict(contact)).model_dump(mode="json", by_alias=True)
        report["contact"] = (report.get("contact") or {}) | {key: fresh[key] for key in contact}
    marks = [mark for mark in melding["marks"] if mark not in (_WAITING, _TAKEN)]
    melding["marks"] = [*marks, _TAKEN] if has_proxy else marks
    melding.pop("claim_until", None)


def taken_before(session: Session, instance: Instance, keys: ReaderKeys) -> Taken | None:
    """What a form that was sent already gave: the report is theirs; nothing when it is not."""
    try:
        own = own_case(session, instance, keys)
    except NotYours:
        return None
    if own.role != MELDER or not own.view.readable:
        return None
    return Taken(own.view.reference, own.view.words, keys, (own.view.melding.get("mandate") or {}).get("choice", "nee"))


# --- a new code ------------------------------------------------------------------------------------------------------


def new_claim(held: OwnHeld, form: str) -> str:
    """A new code by which the proxy hands the report over; an older one opens nothing any more.

    `form` is the token of the page's form: sent twice, it gives the same code.
    """
    held.require(PROXY)
    keys = FormKeys(bytes.fromhex(form))
    if MELDER in {one.role for one in held.recipients}:
        raise NotAllowed("al_overgenomen")
    code = keys.code("claim")
    if open_claim(held.session, held.instance, code) is None:  # else the same form was sent before
        ledger = held.ledger()
        held.remove_claims(ledger)
        until = held.now + LASTS
        public = make_claim(ledger, held.instance, keys, held.ring, held.compartments, until=until)
        held.melding["claim_until"] = until.isoformat()
        held.new_epochs(
            ledger,
            changed_recipients(
                held, lambda one, _: one.role != CLAIM, add=public, role=CLAIM, to=held.compartments
            ),
        )  # fmt: skip
        held.close(ledger, "overdrachtscode", {"by": PROXY})
    return shown_code(code)


def new_claim_by_team(held: Held, form: str, *, reason: str, identity: str) -> str:
    """A code for somebody whom a member knows for sure: a lost receipt, or a report that was taken by telephone.

    Once it is used, what opened the report until then opens it no more. Reporter and teams read that it was made and
    why. A member can only pass on what the team itself may open.
    """
    if not reason.strip() or not identity.strip():
        raise NotAllowed("reden_nodig")
    if len(reason) + len(identity) > MAX_TEXT:
        raise TooLarge
    keys = FormKeys(bytes.fromhex(form))
    code = keys.code("claim")
    if open_claim(held.session, held.instance, code) is not None:
        return shown_code(code)
    melding = read_melding(held)
    compartments = [compartment for compartment in OWN if compartment in held.ring.keys]
    ledger = held.ledger()
    old = [one.key.key_id for one in recipients_of(held.case.id, melding) if one.role == CLAIM]
    for row in reader_rows(held.session, held.case.id, old):
        ledger.remove(row)
    until = held.now + LASTS
    public = make_claim(ledger, held.instance, keys, held.ring, compartments, until=until)
    melding["claim_until"] = until.isoformat()
    wanted = changed_list(
        held.case.id, melding, lambda one, _: one.role != CLAIM, add=public, role=CLAIM, to=compartments
    )
    held.ring = start_epoch(
        held.session, held.instance, ledger, held.ring, melding, compartments=compartments, recipients=wanted,
        now=held.now,
    )  # fmt: skip
    held.close(ledger, "overdrachtscode", {"text": reason.strip(), "identity": identity.strip(), "by": "team"})
    return shown_code(code)


def passes_private(held: Held) -> bool:
    """Whether a code that this member makes opens address, family and habits too."""
    return VEILIG in held.ring.keys and MELDING in held.ring.keys
