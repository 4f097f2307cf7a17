"""A mail to the reporter that there is a message, for who asked for it: off by default, a fixed text, no content.

The address stands with the case under the server's key: who has that key and the database sees which address belongs
to which case. That is why it is off, and why the page says so before it is given.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import for_reporter, mail_address
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json

from .errors import NotAllowed
from .instance import Instance
from .outbox import mail_row
from .own_acts import OwnHeld

_REVISION: Final = 1  # an address is never changed in its row: another one is sealed anew
_NOBODY: Final = bytes(16)  # the outbox names no case and no person of the reporter's side


def _binding(case_id: bytes) -> Binding:
    return Binding("notify", case_id, None, _REVISION)


def set_address(held: OwnHeld, typed: str) -> None:
    """Mail this address when a team writes. `NotAllowed("geen_adres")` for what no mail can be sent to."""
    held.require_decides()
    address = mail_address(typed)
    if address is None:
        raise NotAllowed("geen_adres")
    sealed = seal_json(held.instance.server.seal, {"to": address}, _binding(held.case.id))
    ledger = held.ledger()
    ledger.change(held.case, notify=sealed)
    held.close(ledger, "mailbericht_aan")


def remove_address(held: OwnHeld) -> None:
    """Mail nobody any more, and forget the address."""
    held.require_decides()
    if held.case.notify is None:
        return
    ledger = held.ledger()
    ledger.change(held.case, notify=None)
    held.close(ledger, "mailbericht_uit")


def address_of(instance: Instance, case: Case) -> str | None:
    """The address that a case mails; nothing when there is none, or it does not open with this server's key."""
    if case.notify is None:
        return None
    try:
        found: str = open_json(instance.server.seal, case.notify, _binding(case.id))["to"]
    except Onleesbaar:
        return None
    return found


def mail_reporter(session: Session, instance: Instance, case: Case, message: bytes, *, now: datetime) -> None:
    """Have one mail leave for a message that a team wrote, when the reporter asked for that."""
    address = address_of(instance, case)
    if address is not None:
        mail = mail_row(instance, for_reporter(), source=message, recipient_id=_NOBODY, address=address, wall=now)
        session.add(Outbox(**mail))
        session.flush()
