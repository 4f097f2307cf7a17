"""Is everything in order? What `meldpunt doctor` looks at: what was found in one line, and what to do about it.

It never refuses: where the instance does not open, it says which file or setting is why, and looks at the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from weerbaar_meldpunt.settings import Settings, SettingsFault, load_settings

from . import examination_desk, examination_machine
from .errors import InstanceFault, Onleesbaar
from .examination_machine import Looked
from .instance import Instance, open_instance


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `do` is what to do about it, empty where it is fine."""

    what: str
    fine: bool
    found: str
    do: str = ""

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


# What to do where the room that looked does not say; by the beginning of what was looked at.
_DO: Final = {
    "custodians": "meldpunt vault custodians --invite, and once they made their keys: meldpunt vault pin",
    "key of recovery": "meldpunt vault pin makes it, once all three custodians are pinned",
    "key of backups": "meldpunt vault backup-key, and keep its sheet offline",
    "keys of the house": "treat this as a break-in: change nothing, copy the server, call the custodians",
    "readiness": "let members of that team sign in; look under Mensen; meldpunt vault pin",
}


def examine(instance: Instance, *, now: datetime) -> list[Finding]:
    """Everything an operator must know before people trust this instance."""
    return [
        _finding(one)
        for room in (
            examination_machine.look(instance.settings), examination_desk.look(instance, now=now)
        )
        for one in _carefully(room)
    ]  # fmt: skip


def examine_folder(settings: Settings | None = None, *, now: datetime) -> list[Finding]:
    """The same, also of an instance that does not open: then with the cause in front."""
    try:
        settings = settings or load_settings()
    except SettingsFault as fault:
        return [Finding("settings", False, str(fault), "mend meldpunt.toml; docs/operate.md names every setting")]
    try:
        instance = open_instance(settings, closed_too=True)
    except InstanceFault as fault:
        return [Finding("instance", False, str(fault), _why_closed(settings)), *_machine(settings)]
    except DBAPIError as fault:
        found = f"the database does not answer ({type(fault.orig).__name__})"
        return [Finding("database", False, found, examination_machine.DATABASE), *_machine(settings)]
    try:
        return examine(instance, now=now)
    finally:
        instance.engine.dispose()


def _machine(settings: Settings) -> list[Finding]:
    return [_finding(one) for one in _carefully(examination_machine.look(settings))]


def _why_closed(settings: Settings) -> str:
    missing = [name for name in examination_machine.KEY_FILES if not (settings.instance / name).exists()]
    if missing:
        return f"put {' and '.join(missing)} back from the sheet (docs/operate.md); never make a new one"
    return "nothing is served until this is mended"


def _carefully(room: Iterator[Looked]) -> Iterator[Looked]:
    """What a room finds, until something breaks under it: that is a finding too."""
    try:
        yield from room
    except DBAPIError as fault:
        found = f"the database does not answer ({type(fault.orig).__name__})"
        yield Looked("database", False, found, examination_machine.DATABASE)
    except InstanceFault as fault:
        yield Looked("instance", False, str(fault), "nothing is sealed until this is mended")
    except Onleesbaar as fault:
        yield Looked("sealed rows", False, f"one of kind {fault.kind} does not open", "meldpunt audit verify names it")


def _finding(one: Looked) -> Finding:
    do = one.do or next((do for begins, do in _DO.items() if one.what.startswith(begins)), "")
    return Finding(one.what, one.fine, one.found, "" if one.fine else do)
