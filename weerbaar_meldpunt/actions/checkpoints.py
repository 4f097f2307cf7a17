"""Checkpoints: how far the trail and the tombstones were, signed by the program and kept outside by people.

Whoever has the server key can write a new tail; only a checkpoint that somebody kept elsewhere shows it. So each day's
goes by mail to the custodians, with the tombstones that it counts first. Who gets them is told that a day without one
is an alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import checkpoint_mails, mail_address, read_tombstones
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.store.audit import Checkpoint as CheckpointRow
from weerbaar_meldpunt.store.custody import Custodian
from weerbaar_meldpunt.store.people import Role, User
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault import audit as hashes
from weerbaar_meldpunt.vault.audit import Anchor, Checkpoint, read_anchor
from weerbaar_meldpunt.vault.derive import new_id, sha256
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import Binding, open_json

from .instance import Instance
from .ledger import PROGRAM, Ledger, last_leaf
from .outbox import mail_row
from .people import ACTIVE, open_user
from .tombstones import close_set, entries

MADE: Final = "ijkpunt"
WATCH: Final = ("beheerder", "auditor")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who keeps checkpoints outside."""

    id: bytes
    address: str = field(repr=False)


def newest(session: Session) -> CheckpointRow | None:
    """The last checkpoint that was made."""
    return session.scalar(select(CheckpointRow).order_by(CheckpointRow.number.desc()).limit(1))


def is_due(session: Session, *, now: datetime) -> bool:
    """Whether today has no checkpoint yet."""
    last = newest(session)
    return last is None or today(last.at) < today(now)


def make_if_due(session: Session, instance: Instance, *, now: datetime) -> CheckpointRow | None:
    """The day's checkpoint, unless another clock made it: asked again once nobody else can write a leaf."""
    last_leaf(session)
    return make_checkpoint(session, instance, now=now) if is_due(session, now=now) else None


def make_checkpoint(
    session: Session, instance: Instance, *, now: datetime, recipients: Sequence[Recipient] | None = None
) -> CheckpointRow:
    """Sign how far everything is, keep it, and put the mails ready; one line in the trail."""
    last = last_leaf(session)  # nobody writes a leaf between this and ours
    before = newest(session)
    number = before.number + 1 if before else 1
    known = Checkpoint.parse(before.text) if before else None
    close_set(session, number)
    head, count = hashes.tombstone_head(known.tombstone_head if known else hashes.START, entries(session, number))
    checkpoint = Checkpoint(
        instance.id, last.seq or 0, last.chain or hashes.START, (known.tombstones if known else 0) + count, head,
        now.replace(microsecond=0),
    )  # fmt: skip
    signature = hashes.sign_checkpoint(instance.server.checkpoint_seed, checkpoint)
    ledger = Ledger(session, instance, now=now)
    ledger.add(
        CheckpointRow, number=number, size=checkpoint.size, at=checkpoint.at, text=checkpoint.text, signature=signature
    )
    ledger.close(PROGRAM, MADE, instance.id)
    row = session.get_one(CheckpointRow, number)
    who = recipients_of(session, instance) if recipients is None else recipients
    for text in checkpoint_mails(mailed_text(instance, row), entries(session, number), count):
        source = new_id()
        rows = [
            mail_row(instance, text, source=source, recipient_id=one.id, address=one.address, wall=now) for one in who
        ]
        if rows:
            session.execute(insert(Outbox), rows)
    return row


def recipients_of(session: Session, instance: Instance) -> list[Recipient]:
    """The custodians; as long as there are none, who administers and who audits."""
    found = []
    for custodian in session.scalars(select(Custodian).where(Custodian.state == "sleutel").order_by(Custodian.place)):
        try:
            binding = Binding("user", custodian.id, None, custodian.revision)
            address = mail_address(str(open_json(instance.server.seal, custodian.sealed, binding).get("address", "")))
        except Onleesbaar:
            continue
        if address:
            found.append(Recipient(custodian.id, address))
    return found or staff_recipients(session, instance, WATCH)


def staff_recipients(session: Session, instance: Instance, roles: Sequence[str]) -> list[Recipient]:
    """Active accounts with one of these roles that mail can be sent to."""
    holders = select(Role.user_id).where(Role.role.in_(roles))
    users = session.scalars(select(User).where(User.state == ACTIVE, User.id.in_(holders)).order_by(User.id))
    return addressed(instance, users)


def addressed(instance: Instance, users: Iterable[User]) -> list[Recipient]:
    """Those of these people whose login is an address."""
    found = []
    for user in users:
        try:
            address = mail_address(open_user(instance, user)[0])
        except Onleesbaar:
            continue
        if address:
            found.append(Recipient(user.id, address))
    return found


def mailed_text(instance: Instance, row: CheckpointRow) -> str:
    """A checkpoint as people keep it: the signed lines, the public key and the signature."""
    return hashes.mailed(Checkpoint.parse(row.text), instance.server.checkpoint_seed, row.signature)


def hash_of(row: CheckpointRow) -> bytes:
    """By what a publication names a checkpoint without telling its size: SHA-256 of what was signed, and of how."""
    return sha256(row.text.encode() + row.signature)


def read_mail(text: str) -> tuple[Anchor, list[tuple[date, bytes]]]:
    """The checkpoint of a kept mail, and the tombstones in it; `ValueError` when it holds no checkpoint."""
    return read_anchor(text), read_tombstones(text)
