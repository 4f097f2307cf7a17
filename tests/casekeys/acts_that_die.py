"""One act in a process of its own, which kills itself (-9) at the label in MELDPUNT_DIE_AT.

Called with the instance folder, the id and the ROOT of the member who acts, the moment, and the act: `rewrap`,
`transfer` or `note` with the reference of a case.
"""

import sys
from datetime import datetime
from pathlib import Path

from weerbaar_meldpunt.actions import people, transfer, work
from weerbaar_meldpunt.actions.instance import open_instance
from weerbaar_meldpunt.actions.labels import labelled
from weerbaar_meldpunt.actions.rewrap import keep_batch, prepare_batch
from weerbaar_meldpunt.actions.sessions import start_content
from weerbaar_meldpunt.settings import load_settings

folder, user_id, root, moment, act, *more = sys.argv[1:]
instance, now = open_instance(load_settings(Path(folder))), datetime.fromisoformat(moment)
content = start_content("person", now=now, user_id=bytes.fromhex(user_id), root=bytes.fromhex(root))
with instance.readings() as session:
    person = people.unlock(session, instance, content)
assert person is not None

if act == "rewrap":
    after: bytes | None = b""
    while after is not None:
        with instance.readings() as session:
            prepared = prepare_batch(session, instance, person, "ondersteuning", limit=2, after=after)
        with instance.sessions.begin() as session:
            after = keep_batch(session, instance, person, prepared, now=now).after
        labelled("rewrap/batch-kept")
else:
    with instance.sessions.begin() as session:
        held = work.hold(session, instance, person, more[0], now=now)
        if act == "note":
            work.add_note(held, "Geschreven door wie het overleefde.")
        else:
            transfer.transfer(
                held, "beveiliging", reason="Zij weten meer.", words="Uw melding ligt bij een ander team."
            )
