"""Something left the house: a worker notes to whom and what, so that the reporter can read it afterwards."""

from __future__ import annotations

from typing import Final

from .consent import OUTSIDE, PASSED_ON, passed_on
from .errors import NotAllowed, TooLarge
from .reader import MAX_TEXT
from .work import Held, read_melding

__all__ = ["TO_WHOM", "allowed_to", "note_passed_on", "passed_on"]

ELSE: Final = "anders"
TO_WHOM: Final = (*OUTSIDE, ELSE)


def allowed_to(held: Held) -> frozenset[str]:
    """Whom the reporter allows us to tell."""
    sharing = read_melding(held).get("sharing") or {}
    return frozenset(sharing.get("met") or ()) & frozenset(OUTSIDE)


def note_passed_on(held: Held, to_whom: str, text: str, *, why: str = "") -> None:
    """Note that something was told to somebody outside. Without the reporter's consent a reason is asked.

    The reporter reads all of it, the reason too: that is what was promised for when a life is in danger.
    """
    if to_whom not in TO_WHOM:
        raise NotAllowed("aan_wie")
    if not text.strip():
        raise NotAllowed("lege_tekst")
    if len(text) + len(why) > MAX_TEXT:
        raise TooLarge
    consent = to_whom in allowed_to(held)
    if not consent and not why.strip():
        raise NotAllowed("reden_zonder_toestemming")
    ledger = held.ledger()
    document = {"to_whom": to_whom, "text": text.strip(), "consent": consent}
    held.close(ledger, PASSED_ON, document | ({"why": why.strip()} if why.strip() else {}))
