"""One act in a process of its own, which kills itself (-9) at the label in MELDPUNT_DIE_AT.

Called with the instance folder, the moment, and the act with what it needs:
`file FORM` (with the answers that the caller wrote beside it), `claim CODE RECEIPT`, `epoch USER ROOT TEAM`,
`pin`, `destroy TEAM EPOCH`, `erase REFERENCE`, `replay`.
"""

import json
import sys
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from weerbaar_meldpunt.actions import claims, epochs, erasing, people, reopening
from weerbaar_meldpunt.actions.filing import file_report
from weerbaar_meldpunt.actions.instance import open_instance
from weerbaar_meldpunt.actions.labels import labelled
from weerbaar_meldpunt.actions.sessions import start_content
from weerbaar_meldpunt.actions.teamkeys import unpinned_keys
from weerbaar_meldpunt.rules.report import parse_report
from weerbaar_meldpunt.settings import load_settings
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.vault.codes import read_code
from weerbaar_meldpunt.vault.keys import ReaderKeys

folder, moment, act, *more = sys.argv[1:]
now = datetime.fromisoformat(moment)
instance = open_instance(load_settings(Path(folder)), closed_too=act == "replay")

if act == "pin":
    with instance.readings() as session:
        (key,) = unpinned_keys(session, instance)
    instance.write_pins(instance.pins().with_sealing(key))
    labelled("epoch/pinned")

with instance.sessions.begin() as session:
    if act == "file":
        report = parse_report({"format": 1, "narrative": "zonnebloemveld"}, now=now)
        filed = file_report(session, instance, report, form=more[0], now=now)
        shown = json.dumps({"code": filed.receipt_code, "reference": filed.reference, "repeated": filed.repeated})
    elif act == "claim":
        keys = ReaderKeys.from_code(read_code(more[1]), instance.id)
        shown = claims.redeem(session, instance, more[0], keys, choice="nee", now=now).reference
    elif act == "epoch":
        user_id, root = bytes.fromhex(more[0]), bytes.fromhex(more[1])
        person = people.unlock(session, instance, start_content("person", now=now, user_id=user_id, root=root))
        shown = epochs.new_epoch(session, instance, person, root, more[2], now=now).fingerprint.hex()
    elif act == "pin":
        shown = str(epochs.note_pins(session, instance, now=now))
    elif act == "destroy":
        epochs.destroy_epoch(session, instance, "team", more[0], int(more[1]), now=now)
        shown = ""
    elif act == "erase":
        case = session.scalars(select(Case).where(Case.reference == more[0])).one()
        files = erasing.erase_case(session, instance, case.id, erasing.Word("verzoek"), now=now)
        shown = ""
    elif act == "replay":
        reopening.replay(session, instance, [], now=now)
        shown = ""
labelled(f"{act}/committed")
if act == "erase":
    erasing.remove_files(instance, files)
print(shown)
