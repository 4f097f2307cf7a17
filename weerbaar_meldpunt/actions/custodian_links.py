"""How somebody becomes a custodian: a link, a code that is shown once and typed again, a public key that is kept.

A custodian has no account. The link is given in person or by post and is good for two weeks: custodians are people
outside, and what somebody else could do with it is make a code of their own, whose fingerprint is then not the one
that the custodian reads from the printed sheet at the console.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import mail_address
from weerbaar_meldpunt.store.custody import Custodian, RecoveryPair
from weerbaar_meldpunt.vault.codes import SOURCE_BYTES, WrongCode, code_from, read_code, shown_code
from weerbaar_meldpunt.vault.derive import equal, new_id, random_bytes, sha256
from weerbaar_meldpunt.vault.keys import custodian_key_pair
from weerbaar_meldpunt.vault.wrap import PublicKey

from .custodians import INVITED, KEYED, LEFT, PLACES, RECOVERY, contact_of, custodian_key, seal_contact
from .errors import NotAllowed
from .instance import Instance
from .ledger import PROGRAM, Ledger

LINK: Final = timedelta(days=14)
MAX_NAME: Final = 80


def check_contact(name: str, mail: str) -> tuple[str, str]:
    """A name and a mail address (or none) as they are kept; `NotAllowed` for what is neither."""
    name, mail = " ".join(name.split()), mail.strip()
    if not name or len(name) > MAX_NAME or (mail and mail_address(mail) is None):
        raise NotAllowed("bewaarder_gegevens")
    return name, mail


def invite_custodian(session: Session, instance: Instance, *, name: str, mail: str, now: datetime) -> str:
    """A custodian in the first place that is free; answers the token of the link, good once and for two weeks."""
    name, mail = check_contact(name, mail)
    taken = set(session.scalars(select(Custodian.place).where(Custodian.state != LEFT)))
    free = [place for place in PLACES if place not in taken]
    if not free:
        raise NotAllowed("drie_bewaarders")
    custodian, token = new_id(), random_bytes(32)
    ledger = Ledger(session, instance, now=now)
    ledger.add(
        Custodian, id=custodian, place=free[0], state=INVITED, token_hash=sha256(token), expires_at=now + LINK,
        revision=1, sealed=seal_contact(instance, custodian, 1, name, mail),
    )  # fmt: skip
    ledger.close(PROGRAM, "bewaarder_uitgenodigd", custodian)
    return token.hex()


def invite_again(session: Session, instance: Instance, custodian_id: bytes, *, now: datetime) -> str:
    """A new link for who lost the first, or lost the code before the key was pinned; earlier links and codes end."""
    row = session.get(Custodian, custodian_id)
    if row is None or row.state == LEFT:
        raise NotAllowed("geen_bewaarder")
    key = custodian_key(row)
    if key is not None and instance.pins().holds(key):
        raise NotAllowed("bewaarder_vastgelegd")
    token = random_bytes(32)
    ledger = Ledger(session, instance, now=now)
    ledger.change(row, state=INVITED, token_hash=sha256(token), expires_at=now + LINK, public_key=None)
    ledger.close(PROGRAM, "bewaarder_uitgenodigd", row.id)
    return token.hex()


def dismiss(session: Session, instance: Instance, custodian_id: bytes, *, now: datetime) -> None:
    """A custodian leaves. What they could open together with another is destroyed at once; the other two can still.

    Whoever follows gets the place, and at the console a new RECOVERY key is made for the three. Copies from before
    keep what was in them: their teams make new keys (`teams_to_renew`).
    """
    row = session.get(Custodian, custodian_id)
    if row is None or row.state == LEFT:
        raise NotAllowed("geen_bewaarder")
    ledger = Ledger(session, instance, now=now)
    ledger.change(row, state=LEFT, token_hash=None, expires_at=None)
    theirs = (RecoveryPair.lower_id == row.id) | (RecoveryPair.higher_id == row.id)
    for pair in session.scalars(select(RecoveryPair).where(theirs)):
        ledger.remove(pair)
    session.flush()
    ledger.close(PROGRAM, "bewaarder_vertrokken", row.id)


# --- the page of the link ------------------------------------------------------------------------------------------


def open_link(session: Session, token: str, *, now: datetime) -> Custodian | None:
    """Whose link this is, while it is good; a key may have been kept with it already (`KEYED`)."""
    try:
        digest = sha256(bytes.fromhex(token))
    except ValueError:
        return None
    return session.scalar(
        select(Custodian).where(
            Custodian.token_hash == digest, Custodian.expires_at > now, Custodian.state.in_((INVITED, KEYED))
        )
    )


def name_of(instance: Instance, row: Custodian) -> str:
    """A custodian's name."""
    return contact_of(instance, row)[0]


def recovery_of(session: Session, instance: Instance, row: Custodian) -> PublicKey | None:
    """The key of RECOVERY, for the sheet of somebody who holds a share of it; None for who follows another."""
    key = instance.house_key(session, RECOVERY)
    theirs = (RecoveryPair.lower_id == row.id) | (RecoveryPair.higher_id == row.id)
    if key is None or not session.scalar(select(RecoveryPair.pair).where(RecoveryPair.epoch == key.epoch, theirs)):
        return None
    return key


def new_code(instance: Instance, row: Custodian) -> tuple[str, bytes]:
    """A fresh code as it is shown, and the fingerprint of the key it gives. Neither is kept."""
    code = code_from(random_bytes(SOURCE_BYTES))
    return shown_code(code), custodian_key_pair(code, instance.id, row.id).public.fingerprint


def keep_key(
    session: Session, instance: Instance, token: str, typed: str, fingerprint: bytes, *, now: datetime
) -> bytes | None:
    """Keep the public key of a code that was typed from paper; its fingerprint, or None when it is another code.

    `fingerprint` is that of the code that was shown. Good once: `NotAllowed` when the link has done its work.
    """
    row = session.scalar(
        select(Custodian)
        .where(Custodian.token_hash == _digest(token), Custodian.expires_at > now, Custodian.state == INVITED)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotAllowed("link_gebruikt")
    try:
        key = custodian_key_pair(read_code(typed), instance.id, row.id).public
    except WrongCode:
        return None
    if not equal(key.fingerprint, fingerprint):
        return None
    ledger = Ledger(session, instance, now=now)
    ledger.change(row, state=KEYED, public_key=key.raw)
    ledger.close(row.id, "bewaarder_heeft_sleutel", row.id)
    return key.fingerprint


def _digest(token: str) -> bytes:
    try:
        return sha256(bytes.fromhex(token))
    except ValueError:
        return b""
