"""Who of the reporter's side may look along: shown, made less at any time, and laid down by the proxy.

It is only ever made less. A reader knows the first key by a mark that only its own seed makes, so nobody can give keys
to another reader's look-up: who is to see more again gets a code of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Reader
from weerbaar_meldpunt.vault.keys import ReaderKeys

from . import caserows
from .casekeys import MELDING, VEILIG
from .errors import NotAllowed, NotYours
from .instance import Instance
from .ledger import Ledger
from .own_acts import (
    CLAIM,
    MELDER,
    PROGRESS,
    PROXY,
    TAKEN_OVER,
    OwnHeld,
    Recipient,
    changed_recipients,
    hold_own,
    reader_rows,
    recipients_of,
)

# What a proxy may see, from nothing to everything: the compartments of which the keys stay.
CHOICES: Final[Mapping[str, frozenset[str]]] = {
    "nee": frozenset(),
    "voortgang": frozenset(),
    "melding": frozenset({MELDING}),
    "alles": frozenset({MELDING, VEILIG}),
}
_ORDER: Final = tuple(CHOICES)


@dataclass(frozen=True)
class LooksAlong:
    """Somebody of the reporter's side, and what they may see (a code of `CHOICES`); or a code that nobody used yet."""

    role: str
    sees: str
    me: bool = False


def looks_along(
    session: Session, case_id: bytes, document: Mapping[str, Any], *, key_id: bytes
) -> list[LooksAlong]:  # fmt: skip
    """Everybody of the reporter's side of a case, who is shown it first."""
    found = [
        LooksAlong(one.role, "alles" if VEILIG in one.compartments else "melding", one.key.key_id == key_id)
        for one in recipients_of(case_id, document)
    ]
    followers = len(_followers(session, case_id))
    found += [LooksAlong(PROXY, "voortgang") for _ in range(followers)]
    return sorted(found, key=lambda one: (not one.me, one.role))


def _followers(session: Session, case_id: bytes) -> Sequence[Reader]:
    return session.scalars(select(Reader).where(Reader.case_id == case_id, Reader.role == PROGRESS)).all()


def most_seen(shown: Sequence[LooksAlong]) -> str:
    """The most that a proxy sees now; `nee` when there is none."""
    return max((one.sees for one in shown if one.role == PROXY), key=_ORDER.index, default="nee")


def narrow(held: OwnHeld, ledger: Ledger, choice: str) -> None:
    """Leave the proxies what was chosen: rows of those who hold no key any more. The list is the caller's to change."""
    proxies = [one.key.key_id for one in held.recipients if one.role == PROXY]
    if choice == "voortgang":
        for row in reader_rows(held.session, held.case.id, proxies):
            ledger.change(row, role=PROGRESS)
    elif choice == "nee":
        followers = [row.key_id for row in _followers(held.session, held.case.id) if row.key_id]
        held.release(ledger, [*proxies, *followers], TAKEN_OVER)


def keeps(choice: str, one: Recipient, compartment: str) -> bool:
    """Whether a reader keeps the keys of a compartment under a choice for the proxies."""
    return one.role != PROXY or compartment in CHOICES[choice]


def change(held: OwnHeld, choice: str) -> None:
    """The official lets the proxies see less, from now on; what is sealed from here on they cannot open."""
    held.require(MELDER)
    now_seen = most_seen(looks_along(held.session, held.case.id, held.melding, key_id=held.key_id))
    if choice not in CHOICES:
        raise NotAllowed("meekijken_kiezen")
    if _ORDER.index(choice) >= _ORDER.index(now_seen):
        raise NotAllowed("meekijken_niet_ruimer")
    ledger = held.ledger()
    narrow(held, ledger, choice)
    held.melding["mandate"] = {"choice": choice, "at": held.now.isoformat()}
    held.new_epochs(ledger, changed_recipients(held, lambda one, part: keeps(choice, one, part)))
    held.close(ledger, "meekijken_veranderd", {"choice": choice})


def lay_down(session: Session, instance: Instance, keys: ReaderKeys, *, now: datetime) -> None:
    """The proxy does not want to look along any more: nothing of the case opens with these keys from here on."""
    row = session.get(Reader, keys.lookup)
    if row is not None and row.case_id is not None and row.role == PROGRESS:
        _stop_following(session, instance, keys, row, now=now)
        return
    held = hold_own(session, instance, keys, now=now)
    held.require(PROXY)
    ledger = held.ledger()
    held.new_epochs(ledger, changed_recipients(held, lambda one, _: one.key.key_id != held.key_id))
    held.release(ledger, [held.key_id], TAKEN_OVER)
    held.close(ledger, "meekijken_neergelegd")


def _stop_following(session: Session, instance: Instance, keys: ReaderKeys, row: Reader, *, now: datetime) -> None:
    case_id, key_id = row.case_id, row.key_id
    if case_id is None or key_id is None or key_id != keys.pair(case_id).public.key_id:
        raise NotYours
    if not caserows.trail_of(session, instance, case_id).agrees(row):
        raise NotYours
    ledger = Ledger(session, instance, now=now)
    ledger.change(row, case_id=None, key_id=None, role=TAKEN_OVER)
    ledger.close(key_id, "meekijken_neergelegd", case_id)


def cancel_claim(held: OwnHeld) -> None:
    """Take back a claim code that nobody used yet."""
    held.require_decides()
    if CLAIM not in {one.role for one in held.recipients}:
        raise NotAllowed("geen_code_open")
    ledger = held.ledger()
    held.remove_claims(ledger)
    held.melding.pop("claim_until", None)
    held.new_epochs(ledger, changed_recipients(held, lambda one, _: one.role != CLAIM))
    held.close(ledger, "code_ingetrokken")


def claim_until(document: Mapping[str, Any]) -> Any:
    """Until when a claim code stands; nothing when there is none."""
    until = document.get("claim_until")
    return datetime.fromisoformat(until) if until else None
