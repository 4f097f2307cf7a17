"""After a new key of the statistics was pinned: an editor seals the figures and the month's facts under it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.figures import EntryGrant, FiguresTable
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json
from weerbaar_meldpunt.vault.wrap import Grant, unwrap, wrap

from . import pinning
from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .person import STATS, Person, kind_of

RESEALED: Final = "cijfers_herverzegeld"


def figures_resealed(session: Session, instance: Instance) -> bool:
    """Whether the figures stand under the sealing key of the statistics, as far as the trail tells."""
    pin = instance.pins().sealing(*kind_of(STATS))
    if pin is None or pin.epoch == 1:
        return True
    done = select(Leaf.seq).where(Leaf.action == RESEALED, Leaf.object == pin.fingerprint[:16])
    return session.scalar(done.limit(1)) is not None


def reseal_figures(session: Session, instance: Instance, person: Person, *, now: datetime) -> int:
    """Seal every table and the key of every fact under the newest key; answers how many were under an older one.

    `Onleesbaar` when one does not open, and then nothing is changed.
    """
    ring = person.ring(STATS)
    pin = pinning.require_believed(instance, person.pins, *kind_of(STATS))
    if not ring or pin is None or ring[-1].pair.public.fingerprint != pin.fingerprint:
        raise NotAllowed("geen_sleutel_cijfers")
    ledger = Ledger(session, instance, now=now)
    count = _reseal_tables(session, ring) + _rewrap_facts(session, ring)
    ledger.close(person.user_id, RESEALED, ring[-1].pair.public.key_id)
    return count


def _reseal_tables(session: Session, ring: tuple[TeamKeys, ...]) -> int:
    current, count = ring[-1].key("figures"), 0
    rows = session.scalars(select(FiguresTable).with_for_update().execution_options(populate_existing=True))
    for row in rows.all():
        if row.sealed.startswith(current.header):
            continue
        older = [key for keys in ring[:-1] if row.sealed.startswith((key := keys.key("figures")).header)]
        if not older:
            raise Onleesbaar("figures")
        document = open_json(older[0], row.sealed, Binding("figures", row.measure, row.year, row.revision))
        row.revision += 1
        row.sealed = seal_json(current, document, Binding("figures", row.measure, row.year, row.revision))
        count += 1
    session.flush()
    return count


def _rewrap_facts(session: Session, ring: tuple[TeamKeys, ...]) -> int:
    older = {keys.pair.public.key_id: keys.pair for keys in ring[:-1]}
    current = ring[-1].pair.public
    rows = session.scalars(
        select(EntryGrant)
        .where(EntryGrant.recipient.in_(older))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        grant = Grant("entry", row.entry_id)
        secret = unwrap(older[row.recipient], row.wrapped, grant)
        session.add(EntryGrant(entry_id=row.entry_id, recipient=current.key_id, wrapped=wrap(current, secret, grant)))
        session.delete(row)
    session.flush()
    return len(rows)
