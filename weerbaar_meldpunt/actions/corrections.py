"""Putting right what one said about oneself: how to be reached, the own words, address and family (AVG art. 16).

The reporter's own data is changed at once and the teams are told; what stood there before stays readable, since
somebody may have acted on it. The answer of the rules is not made again: a worker judges what the change means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from weerbaar_meldpunt.rules.report import Contact, Private

from .errors import TooLarge
from .own_acts import OwnHeld
from .reader import MAX_TEXT

_MOST_PRIVATE: Final = 20_000


def correct_contact(held: OwnHeld, contact: Mapping[str, Any]) -> bool:
    """How the reporter is reached from now on; whether anything changed. `ValidationError` for what is no contact."""
    held.require_decides()
    before = held.melding["report"].get("contact") or {}
    after = Contact.model_validate(dict(contact)).model_dump(mode="json", by_alias=True)
    if before == after:
        return False
    held.remember("contact", before)
    held.melding["report"]["contact"] = after
    _write(held, "contact")
    return True


def correct_story(held: OwnHeld, text: str) -> bool:
    """The reporter's own words, put right; whether anything changed. An empty text takes nothing back: write that."""
    held.require_decides()
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise TooLarge
    before = held.melding["report"].get("narrative") or ""
    if not text or text == before:
        return False
    held.remember("narrative", before)
    held.melding["report"]["narrative"] = text
    _write(held, "narrative")
    return True


def correct_private(held: OwnHeld, private: Mapping[str, str]) -> bool:
    """Address, family and habits, for whoever holds their key; whether anything changed."""
    held.require_decides()
    if sum(map(len, private.values())) > _MOST_PRIVATE:
        raise TooLarge
    document = held.private()
    before = document.get("private") or {}
    after = Private.model_validate({name: text.strip() or None for name, text in private.items()}).model_dump()
    if {name: before.get(name) for name in after} == after:
        return False
    entry = {"at": held.now.isoformat(), "by": held.role, "what": "private", "before": before}
    ledger = held.ledger()
    history = [*document.get("history", ()), entry]
    held.rewrite_private(ledger, document | {"private": before | after, "history": history})
    held.wake(ledger)
    held.close(ledger, "verbeterd", {"what": ["private"]})
    return True


def _write(held: OwnHeld, what: str) -> None:
    ledger = held.ledger()
    held.rewrite(ledger)
    held.wake(ledger)
    held.close(ledger, "verbeterd", {"what": [what]})
