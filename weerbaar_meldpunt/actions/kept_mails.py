"""What people kept outside: mails of checkpoints with their tombstones, or the database that was lost."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from pathlib import Path

from weerbaar_meldpunt.documents.mails import read_tombstones
from weerbaar_meldpunt.settings import load_settings
from weerbaar_meldpunt.store.engine import open_engine, open_sessions
from weerbaar_meldpunt.vault.audit import Anchor, read_anchor

from .tombstones import entries

_MARK = "weerbaar-meldpunt/"  # how the first line of a checkpoint begins
Stones = list[tuple[date, bytes]]


def read_mails(path: Path) -> tuple[list[Anchor], Stones]:
    """The checkpoints and tombstones in a file of mails: a mailbox, one mail as a program saves it, or copied text.

    `ValueError` when there is no checkpoint in it.
    """
    anchors: list[Anchor] = []
    stones: Stones = []
    for text in _texts(path):
        stones += read_tombstones(text)
        _, *more = text.split(_MARK)
        for part in more:
            anchors.append(read_anchor(_MARK + part))
    if not anchors:
        raise ValueError("there is no checkpoint in this text")
    return anchors, stones


def _texts(path: Path) -> Iterator[str]:
    content = path.read_bytes()
    if content.startswith(b"From "):
        box = mailbox.mbox(path, create=False)
        try:
            for kept in box:
                yield _body(message_from_bytes(kept.as_bytes(), policy=policy.default))
        finally:
            box.close()
        return
    message = message_from_bytes(content, policy=policy.default)
    yield _body(message) if message["Content-Type"] else content.decode("utf-8", errors="replace")


def _body(message: Message) -> str:
    part = message.get_body(("plain",)) if isinstance(message, EmailMessage) else None
    return str(part.get_content()) if part is not None else ""


def stones_of(folder: Path) -> Stones:
    """The tombstones in the database of an instance that was lost; nothing else of it is believed or changed."""
    engine = open_engine(load_settings(folder).database)
    try:
        with open_sessions(engine.execution_options(reading=True))() as session:
            return list(entries(session))
    finally:
        engine.dispose()
