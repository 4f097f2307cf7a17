"""Mails that wait to leave: sealed under the server's key, claimed with a lease and a fence, deleted once sent.

At least once: whoever is killed between the mail server's yes and our delete makes it leave again, with the same
Message-ID, so that a mailbox can see that it is one. Its times are the machine's own, not those the chase goes by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import Text, message_bytes
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import new_id, random_bytes
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json

from .instance import Instance

BATCH: Final = 10
LEASE: Final = timedelta(seconds=30)
# A clock reads the time and may then wait for the database, while another takes a lease that looks that much too long.
WAITED: Final = timedelta(minutes=1)
FIRST_REST, LONGEST_REST = timedelta(seconds=10), timedelta(hours=1)
_REVISION: Final = 1  # a mail is never changed


@dataclass(frozen=True)
class Letter:
    """A mail in the hands of one clock; `message` is None when it does not open with this server's key."""

    id: bytes
    fence: int
    attempts: int
    lease_until: datetime
    recipient: str | None = field(repr=False)
    message: bytes | None = field(repr=False)


def mail_row(
    instance: Instance, text: Text, *, source: bytes, recipient_id: bytes, address: str, wall: datetime
) -> dict[str, Any]:
    """A row of the outbox. Its Message-ID is made here and never changes."""
    row = new_id()
    # A local part of its own length each time would make messages differ in size.
    message_id = f"<{random_bytes(16).hex()}@{instance.settings.mail_from.rpartition('@')[2]}>"
    document = {"to": address, "subject": text.subject, "body": text.body, "date": wall.isoformat(timespec="seconds")}
    return {
        "id": row, "message_id": message_id, "source": source, "recipient_id": recipient_id, "not_before": wall,
        "attempts": 0, "clock": None, "lease_until": None, "fence": 0,
        "sealed": seal_json(instance.server.seal, document, Binding("outbox", None, row, _REVISION)),
    }  # fmt: skip


def waiting(session: Session) -> int:
    """How many mails wait to leave."""
    return session.scalar(select(func.count()).select_from(Outbox)) or 0


def _ready(wall: datetime) -> ColumnElement[bool]:
    # A moment further ahead than any rest was set by a clock that was wrong: it is not waited for.
    due = or_(Outbox.not_before <= wall, Outbox.not_before > wall + LONGEST_REST)
    free = or_(Outbox.lease_until.is_(None), Outbox.lease_until <= wall, Outbox.lease_until > wall + LEASE + WAITED)
    return and_(due, free)


def anything_ready(session: Session, *, wall: datetime) -> bool:
    """Whether a mail may leave now."""
    return session.scalar(select(Outbox.id).where(_ready(wall)).limit(1)) is not None


def claim_letters(
    session: Session, instance: Instance, clock: bytes, *, wall: datetime, limit: int = BATCH
) -> list[Letter]:
    """Take some mails in hand, oldest first. Nobody else sends them while the lease runs."""
    chosen = session.scalars(
        select(Outbox.id)
        .where(_ready(wall))
        .order_by(Outbox.not_before, Outbox.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    rows = session.scalars(
        update(Outbox)
        .where(Outbox.id.in_(chosen), _ready(wall))
        .values(clock=clock, lease_until=wall + LEASE, fence=Outbox.fence + 1)
        .returning(Outbox)
        .execution_options(populate_existing=True)
    ).all()
    letters = [_letter(instance, row) for row in rows]
    order = {row_id: place for place, row_id in enumerate(chosen)}
    return sorted(letters, key=lambda letter: order[letter.id])


def _letter(instance: Instance, row: Outbox) -> Letter:
    recipient = message = None
    try:
        document = open_json(instance.server.seal, row.sealed, Binding("outbox", None, row.id, _REVISION))
        recipient = document["to"]
        message = message_bytes(
            Text(document["subject"], document["body"]), sender=instance.settings.mail_from, recipient=recipient,
            message_id=row.message_id, at=datetime.fromisoformat(document["date"]),
        )  # fmt: skip
    except Onleesbaar:  # the server's key is another, or somebody wrote in the row: it stays, and doctor counts it
        pass
    if row.lease_until is None:
        raise AssertionError("a claimed mail has a lease")
    return Letter(row.id, row.fence, row.attempts, row.lease_until, recipient, message)


def _mine(letter: Letter, clock: bytes) -> ColumnElement[bool]:
    return and_(Outbox.id == letter.id, Outbox.clock == clock, Outbox.fence == letter.fence)


def delivered(session: Session, letter: Letter, clock: bytes) -> bool:
    """The mail server said yes: the row goes. False when somebody else took the mail over meanwhile."""
    gone = session.execute(delete(Outbox).where(_mine(letter, clock)))
    return bool(gone.rowcount)  # type: ignore[attr-defined]


def put_back(session: Session, letter: Letter, clock: bytes, *, wall: datetime, failed: bool) -> None:
    """Not sent: free again; after a failure only after a rest, twice as long each time up to an hour."""
    rest = min(FIRST_REST * 2 ** min(letter.attempts, 20), LONGEST_REST) if failed else timedelta()
    values: dict[str, Any] = {"clock": None, "lease_until": None}
    if failed:
        values |= {"not_before": wall + rest, "attempts": letter.attempts + 1}
    session.execute(update(Outbox).where(_mine(letter, clock)).values(values))
