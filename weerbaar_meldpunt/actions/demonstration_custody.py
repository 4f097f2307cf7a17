"""The invented custodians of a demonstration, with their codes: so that bringing back a team can be tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from . import custodian_links, custodians
from .errors import InstanceFault
from .instance import Instance

# Everything here is invented; a real instance keeps no code anywhere.
NAMES: Final = ("Tineke Bakker (notaris)", "Hendrik Visser (griffier)", "Samira El Idrissi (provincie)")


@dataclass(frozen=True)
class Sheet:
    """What stands on a custodian's sheet."""

    id: bytes
    name: str
    code: str = field(repr=False)

    def document(self) -> dict[str, str]:
        """For the list of the demonstration."""
        return {"role": "bewaarder", "name": self.name, "code": self.code}


@dataclass(frozen=True)
class Custody:
    """Three sheets of custodians and the one of the backups."""

    sheets: tuple[Sheet, ...]
    backup_seed: bytes = field(repr=False)


def make_sheet(instance: Instance, name: str, mail: str, *, now: datetime) -> Sheet:
    """Somebody is invited, writes down a code, types it again, and their key is pinned as the console does."""
    with instance.sessions.begin() as session:
        token = custodian_links.invite_custodian(session, instance, name=name, mail=mail, now=now)
    with instance.sessions.begin() as session:
        row = custodian_links.open_link(session, token, now=now)
        if row is None:
            raise InstanceFault("an invitation of the demonstration does not open")
        code, fingerprint = custodian_links.new_code(instance, row)
        custodian_links.keep_key(session, instance, token, code, fingerprint, now=now)
        key = custodians.custodian_key(row)
    if key is None:
        raise InstanceFault("a custodian of the demonstration has no key")
    instance.write_pins(instance.pins().with_sealing(key))
    return Sheet(row.id, name, code)


def make_custody(instance: Instance, *, now: datetime) -> Custody:
    """Three custodians with pinned keys, RECOVERY and BACKUP: before any team makes a key of its own."""
    sheets = tuple(
        make_sheet(instance, name, f"bewaarder{place}@demo.example", now=now) for place, name in enumerate(NAMES, 1)
    )
    with instance.sessions.begin() as session:
        recovery = custodians.make_recovery(session, instance, now=now)
    instance.write_pins(instance.pins().with_sealing(recovery))
    with instance.sessions.begin() as session:
        backup, seed = custodians.make_backup(session, instance, now=now)
    instance.write_pins(instance.pins().with_sealing(backup))
    return Custody(sheets, seed)
