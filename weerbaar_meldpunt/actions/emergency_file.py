"""The emergency list as a file a day, for when the program or its database is gone: sealed entries, nothing plain.

Beside the entries it holds what two custodians need to open them: their sealed shares of RECOVERY. What it is held
against are the pins in the instance's folder, or on the custodians' sheets.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.settings import SettingsFault, load_settings
from weerbaar_meldpunt.store.custody import Custodian, RecoveryPair
from weerbaar_meldpunt.vault.derive import ID_BYTES
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import ServerKeys
from weerbaar_meldpunt.vault.pins import PinFault, Pins
from weerbaar_meldpunt.vault.seal import Binding, open_json
from weerbaar_meldpunt.vault.wrap import KeyPair, PublicKey

from .alarms import raise_alarm
from .custodians import LEFT, Keeper
from .emergency import DAMAGED, OPENED, Opened, opened_entries, vouched_entries
from .errors import InstanceFault
from .instance import PINS, SERVER_KEY, Instance, open_instance, sync_folder
from .ledger import PROGRAM, Ledger
from .recovering import Circle

NAME: Final = "emergency-"
FORMAT: Final = 1
KEPT: Final = 2
_PART: Final = ".part"


def write_file(session: Session, instance: Instance, *, now: datetime, may_delete: bool = True) -> list[bytes]:
    """Write today's file anew, and keep that of the day before. Only reads the database.

    What the trail does not vouch for stays out, and is answered for an alarm (`alarm_damaged`). `may_delete` is whether
    the time can be believed; until then no older file goes.
    """
    entries, damaged = [], list[bytes]()
    for entry, grants, fine in vouched_entries(session, instance):
        if not fine:
            damaged.append(entry.id)
            continue
        wraps = [[one.recipient.hex(), one.wrapped.hex()] for one in grants]
        entries.append([entry.id.hex(), entry.sealed.hex(), wraps])
    document = {
        "format": FORMAT, "instance": instance.id.hex(), "made": now.isoformat(timespec="minutes"),
        **_custody(session), "entries": entries,
    }  # fmt: skip
    folder = instance.settings.instance
    path = folder / f"{NAME}{today(now):%Y-%m-%d}"
    # Another clock may write the same file at this moment: each under a name of its own, and the last one counts.
    part = path.with_name(f"{path.name}.{os.getpid()}{_PART}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(folder)
    if may_delete:
        for old in sorted(found for found in files(folder) if found.name < path.name)[: -(KEPT - 1)]:
            old.unlink(missing_ok=True)
    return damaged


def alarm_damaged(session: Session, instance: Instance, damaged: Iterable[bytes], *, now: datetime) -> None:
    """Somebody wrote in the list behind the program: whoever it says to call may be anybody."""
    for entry in damaged:
        raise_alarm(session, instance, DAMAGED, entry.hex(), now=now)


def _custody(session: Session) -> dict[str, Any]:
    keepers = session.scalars(select(Custodian).where(Custodian.state != LEFT).order_by(Custodian.place)).all()
    pairs = session.scalars(select(RecoveryPair).order_by(RecoveryPair.epoch, RecoveryPair.pair)).all()
    return {
        "custodians": [
            [row.id.hex(), row.place, (row.public_key or b"").hex(), row.revision, row.sealed.hex()] for row in keepers
        ],
        "pairs": [
            [row.epoch, row.pair, *(part.hex() for part in (row.lower_id, row.higher_id, row.lower_wrapped,
                                                            row.higher_wrapped, row.sealed))]
            for row in pairs
        ],
    }  # fmt: skip


def files(folder: Path) -> list[Path]:
    """The files in an instance's folder, newest last."""
    return sorted(path for path in folder.glob(f"{NAME}*") if path.suffix != _PART)


# --- opening it without a database ---------------------------------------------------------------------------------


def read_file(path: Path) -> dict[str, Any]:
    """The document in a file; `InstanceFault` for what is none."""
    try:
        document = json.loads(path.read_text("ascii"))
        if document["format"] != FORMAT or len(bytes.fromhex(document["instance"])) != ID_BYTES:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise InstanceFault(f"{path}: not an emergency list") from None
    return dict(document)


def circle_of_file(folder: Path, document: Mapping[str, Any]) -> Circle:
    """The custodians and shares of a file, with the pins of the instance's folder; no database is needed."""
    try:
        pins = Pins.parse((folder / PINS).read_text("ascii"))
    except (OSError, UnicodeDecodeError, PinFault) as fault:
        raise InstanceFault(f"{PINS}: {fault}") from None
    try:
        server: ServerKeys | None = ServerKeys((folder / SERVER_KEY).read_bytes())
    except (OSError, ValueError):  # names are under it; who they are the sheets say too
        server = None
    try:
        keepers = tuple(_keeper(pins, server, *line) for line in document["custodians"])
        pairs = tuple(_pair(*line) for line in document["pairs"])
        return Circle(bytes.fromhex(document["instance"]), pins, keepers, pairs)
    except (ValueError, KeyError, TypeError, Onleesbaar):
        raise InstanceFault("the emergency list is damaged") from None


def _keeper(
    pins: Pins, server: ServerKeys | None, custodian: str, place: int, raw: str, revision: int, sealed: str
) -> Keeper:
    one = bytes.fromhex(custodian)
    key = PublicKey("custodian", one, 0, bytes.fromhex(raw)) if raw else None
    name = "?"
    if server is not None:
        try:
            binding = Binding("user", one, None, int(revision))
            name = str(open_json(server.seal, bytes.fromhex(sealed), binding)["name"])
        except (Onleesbaar, KeyError):
            name = "?"
    pinned = key is not None and pins.holds(key)
    return Keeper(one, int(place), name, "", "sleutel" if key else "uitgenodigd", key, pinned)


def _pair(epoch: int, pair: str, *parts: str) -> RecoveryPair:
    lower_id, higher_id, lower, higher, sealed = (bytes.fromhex(part) for part in parts)
    return RecoveryPair(
        epoch=int(epoch), pair=str(pair), lower_id=lower_id, higher_id=higher_id, lower_wrapped=lower,
        higher_wrapped=higher, sealed=sealed,
    )  # fmt: skip


def open_file(document: Mapping[str, Any], opened: Mapping[int, KeyPair]) -> Opened:
    """The entries of a file that RECOVERY opens; what does not open is counted."""
    pairs = {pair.public.key_id: pair for pair in opened.values()}
    try:
        lines = [
            (
                bytes.fromhex(entry),
                bytes.fromhex(sealed),
                [(bytes.fromhex(to), bytes.fromhex(key)) for to, key in wraps],
            )
            for entry, sealed, wraps in document["entries"]
        ]
    except (ValueError, KeyError, TypeError):
        raise InstanceFault("the emergency list is damaged") from None
    return opened_entries(lines, pairs)


def note_opened_offline(*, now: datetime) -> bool:
    """Note in the trail, with an alarm, that custodians opened the list; False when there is no database to note it."""
    try:
        instance = open_instance(load_settings())
    except (InstanceFault, SettingsFault, SQLAlchemyError, OSError):
        return False
    try:
        with instance.sessions.begin() as session:
            Ledger(session, instance, now=now).close(PROGRAM, OPENED, instance.id)
            raise_alarm(session, instance, OPENED, f"{now:%Y-%m-%d %H:%M}", now=now)
    except SQLAlchemyError:
        return False
    finally:
        instance.engine.dispose()
    return True
