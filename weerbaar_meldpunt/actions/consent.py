"""Withdrawing, in two of its three meanings: contact and consent. (Everything: the case is erased, elsewhere.)

Somebody who is put under pressure can say so beside it. That stands in the report's own document and in no open
column, and no page of the reporter's side shows it: whoever looks over a shoulder sees nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from weerbaar_meldpunt.rules import chase
from weerbaar_meldpunt.rules.safe_hours import next_safe_moment

from .errors import NotAllowed, TooLarge
from .own_acts import OwnHeld
from .views import CaseView

OUTSIDE: Final = ("politie", "organisatie", "platform")
NOBODY: Final = "niemand"
NO_CONTACT, PRESSURE = "geen_contact", "onder_druk"
PASSED_ON: Final = "doorgegeven"
MOST_VIA: Final = 300
# What falls away for who wants no calls and no letters; the team's own terms go on.
_CONTACT_DUES: Final = ("eerste_contact", "poging", "nazorg_72u", "nazorg_2w", "nazorg_6w", "enquete")


@dataclass(frozen=True)
class PassedOn:
    """Something that left the house, as the trail says: when, to whom, and what in a few words."""

    at: datetime
    to: str
    text: str


def passed_on(view: CaseView) -> list[PassedOn]:
    """What was already told to others, newest first; nobody can take that back."""
    return [
        PassedOn(event.at, str(event.document.get("to_whom", "")), str(event.document.get("text", "")))
        for event in reversed(view.events)
        if event.action == PASSED_ON and event.vouched and not event.gap
    ]


def set_sharing(held: OwnHeld, allowed: Sequence[str], via: str) -> None:
    """Whom outside the teams we may tell from now on; nobody when nothing is chosen. The teams are told."""
    held.require_decides()
    if set(allowed) - set(OUTSIDE):
        raise NotAllowed("stap_kan_niet")
    if len(via) > MOST_VIA:
        raise TooLarge
    met = [code for code in OUTSIDE if code in allowed] or [NOBODY]
    after = {"met": met, "via": via.strip() if "organisatie" in met else ""}
    before = held.melding.get("sharing")
    if before == after:
        return
    held.remember("sharing", before)
    held.melding["sharing"] = after
    ledger = held.ledger()
    held.rewrite(ledger)
    held.wake(ledger)
    held.close(ledger, "toestemming_veranderd", {"met": met})


def stop_contact(held: OwnHeld, *, pressure: bool = False) -> None:
    """No calls and no letters any more. With `pressure`: one call all the same, in hours that are safe."""
    held.require_decides()
    marks = {NO_CONTACT, PRESSURE} if pressure else {NO_CONTACT}
    if marks <= set(held.melding["marks"]):
        return
    _mark(held, marks, set())
    ledger = held.ledger()
    if held.case.notify is not None:
        ledger.change(held.case, notify=None)
    held.rewrite(ledger)
    held.wake(ledger, ends=_CONTACT_DUES, also=_a_call(held) if pressure else ())
    held.close(ledger, "contact_veranderd", {"contact": False})


def allow_contact(held: OwnHeld) -> None:
    """Calls and letters are welcome again."""
    held.require_decides()
    if NO_CONTACT not in held.melding["marks"]:
        return
    _mark(held, set(), {NO_CONTACT})
    ledger = held.ledger()
    held.rewrite(ledger)
    held.wake(ledger)
    held.close(ledger, "contact_veranderd", {"contact": True})


def say_pressure(held: OwnHeld) -> None:
    """Somebody presses the reporter to withdraw: only the teams see it, and they call in hours that are safe."""
    held.require_decides()
    if PRESSURE in held.melding["marks"]:
        return
    _mark(held, {PRESSURE}, set())
    ledger = held.ledger()
    held.rewrite(ledger)
    held.wake(ledger, also=_a_call(held))
    # The name of the leaf is an open column: it says no more than that the reporter's side changed something.
    held.close(ledger, "contact_veranderd", {"contact": NO_CONTACT not in held.melding["marks"]})


def _a_call(held: OwnHeld) -> list[chase.PlannedDue]:
    contact: Mapping[str, Any] = held.melding["report"].get("contact") or {}
    return [chase.PlannedDue("poging", next_safe_moment(contact, now=held.now))]


def _mark(held: OwnHeld, more: set[str], less: set[str]) -> None:
    marks = [mark for mark in held.melding["marks"] if mark not in less]
    held.melding["marks"] = marks + sorted(more - set(marks))
