"""The same case under another code, or under an account: what opened it before opens nothing of it any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.cases import Reader
from weerbaar_meldpunt.vault.codes import WrongCode, read_code, shown_code
from weerbaar_meldpunt.vault.keys import FormKeys, ReaderKeys

from .account_files import AccountReader, next_reader
from .errors import NotAllowed, NotYours
from .instance import Instance
from .own_acts import CLAIM, OwnHeld, hold_own, replace_reader
from .person import Person

RENEWED = "code_vernieuwd"


def code_of_form(form: str) -> str:
    """The receipt code that the token of a form gives, the same each time the form is sent."""
    return shown_code(FormKeys(bytes.fromhex(form)).code("receipt"))


def keys_of_form(instance: Instance, form: str) -> ReaderKeys:
    """The keys of that code."""
    return ReaderKeys.from_code(FormKeys(bytes.fromhex(form)).code("receipt"), instance.id)


def new_code(held: OwnHeld, form: str) -> str:
    """A new receipt code in place of the one that opened the case until now; or out of an account, by one's own will.

    The number that the case had in an account stays reserved.
    """
    if held.role == CLAIM:
        raise NotAllowed("stap_kan_niet")
    _replace(held, keys_of_form(held.instance, form))
    return code_of_form(form)


def new_code_again(session: Session, instance: Instance, form: str) -> str | None:
    """The code that this very form gave before; nothing when it was not sent yet."""
    row = session.get(Reader, keys_of_form(instance, form).lookup)
    return code_of_form(form) if row is not None and row.case_id is not None else None


def _replace(held: OwnHeld, keys: ReaderKeys) -> None:
    ledger = held.ledger()
    replace_reader(held, ledger, keys)
    held.close(ledger, RENEWED)


def take_into_account(session: Session, instance: Instance, person: Person, typed: str, *, now: datetime) -> str:
    """Put the case of a receipt code under an account: the code opens nothing any more. Answers the reference.

    `NotAllowed("code_onbekend")` for a code that opens no case. Nothing is written to the account.
    """
    try:
        keys = ReaderKeys.from_code(read_code(typed), instance.id)
    except WrongCode:
        raise NotAllowed("code_onbekend") from None
    try:
        held = hold_own(session, instance, keys, now=now)
    except NotYours:
        raise NotAllowed("code_onbekend") from None
    _replace(held, next_reader(session, instance, person.bundle))
    return held.case.reference


def rekey_old(session: Session, instance: Instance, person: Person, one: AccountReader, *, now: datetime) -> None:
    """Move a case of an older FILES secret to the newest: at its first opening since "iemand kent het misschien"."""
    held = hold_own(session, instance, one.keys, now=now)
    still = session.scalar(select(Reader.case_id).where(Reader.lookup == one.keys.lookup))
    if not one.current and still is not None:
        _replace(held, next_reader(session, instance, person.bundle))
