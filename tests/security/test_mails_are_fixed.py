"""T23. The mails of the house are a fixed set: each is one of these texts, and no code writes another."""

import ast
import re
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import alarms, checkpoints, tombstones
from weerbaar_meldpunt.actions.checkpoints import Recipient
from weerbaar_meldpunt.documents import mails
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.seal import Binding, open_json

HOUSE = Path(mails.__file__).parents[1]
B64 = r"[A-Za-z0-9+/]"
_CHECKPOINT = (
    rf"weerbaar-meldpunt/[0-9a-f]{{32}}\n\d+\n{B64}{{43}}=\n\d+\n{B64}{{43}}=\n"
    rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n{B64}{{43}}=\n{B64}{{86}}==\n"
)
# What may stand at each mark of a text, and nothing else: no name, no case, no team, no address.
MARKS = {
    "time": r"\d\d:\d\d", "number": r"[0-9+ ()-]{0,30}", "link": r"https?://[a-z0-9.:-]+/[a-z-]+/[A-Za-z0-9_-]+",
    "part": r"\d+", "parts": r"\d+", "count": r"\d+", "checkpoint": _CHECKPOINT,
    "tombstones": rf"(?:\d{{4}}-\d\d-\d\d {B64}{{43}}(?:\n|\Z))*",
}  # fmt: skip
# The whole set, by the name each has in the code. A new mail gets a row here, by somebody who weighed its words.
SET = {"REMINDER", "ALARM", "KNOWN", "OPEN", "CHECKPOINT", "MESSAGE", "RESTORED"}


def frame(text):
    """The pattern of a text with its marks."""
    parts = re.split(r"\{(\w+)\}", text)
    return "".join(MARKS[part] if place % 2 else re.escape(part) for place, part in enumerate(parts))


FRAMES = [
    re.compile(f"{frame(getattr(mails, name + '_SUBJECT'))}\n\n{frame(getattr(mails, name))}\n?")
    for name in sorted(SET)
]


def is_of_the_set(text):
    return any(pattern.fullmatch(f"{text['subject']}\n\n{text['body']}") for pattern in FRAMES)


def test_the_texts_of_the_house_are_these_and_no_others():
    subjects = {name.removesuffix("_SUBJECT") for name in vars(mails) if name.endswith("_SUBJECT")}

    assert subjects == SET


@pytest.mark.parametrize("name", sorted(SET))
def test_no_text_names_a_case_a_team_or_what_happened(name):
    text = f"{getattr(mails, name + '_SUBJECT')} {getattr(mails, name)}".lower()

    for word in ("bedreig", "zaak ", "ondersteuning", "beveiliging", "juridisch", "slachtoffer", "dader", "melding "):
        assert word not in text.replace("naar een zaak", "").replace("over een zaak of", ""), word


def test_no_other_code_makes_the_text_of_a_mail():
    """A `Text` is made in documents/mails.py, and read back out of its seal in the outbox; nowhere else."""
    makers = set()
    for path in HOUSE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        names = {
            one.asname or one.name
            for line in ast.walk(tree)
            if isinstance(line, ast.ImportFrom) and (line.module or "").endswith("documents.mails")
            for one in line.names
            if one.name == "Text"
        }
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            whole = isinstance(called, ast.Attribute) and called.attr == "Text" and isinstance(called.value, ast.Name)
            if (isinstance(called, ast.Name) and called.id in names) or (whole and called.value.id == "mails"):
                makers.add(path.name)

    assert makers <= {"outbox.py"}


def test_what_is_made_of_each_is_of_the_set_whatever_it_is_given():
    nasty = "\n\nZaak 12: bedreiging van R. de Boer"
    made = [
        mails.reminder(),
        mails.alarm(confirm_before=datetime.fromisoformat("2026-11-23T12:00:00Z"), number="070 123 45 67"),
        mails.for_reporter(), mails.someone_knows(), mails.open_again("https://meldpunt.example/opnieuw/abc-DEF_1"),
        *mails.checkpoint_mails(
            f"weerbaar-meldpunt/{'0' * 32}\n1\n{'A' * 43}=\n0\n{'A' * 43}=\n2026-11-23T12:00:00Z\n"
            f"{'A' * 43}=\n{'A' * 86}==\n",
            [(date(2026, 11, 23), bytes(32))], 1,
        ),
    ]  # fmt: skip

    assert all(is_of_the_set({"subject": one.subject, "body": one.body}) for one in made)
    for one in made:
        assert not is_of_the_set({"subject": one.subject, "body": one.body + nasty})
        assert not is_of_the_set({"subject": one.subject + " R. de Boer", "body": one.body})


def test_every_mail_of_a_day_is_of_the_set(ready, file, clock):
    """Filing an acute report, alarms, the chase until the whole team is told, a checkpoint with tombstones."""
    from weerbaar_meldpunt.jobs.clock import Clock

    instance = ready.instance
    ready.people.auditor()
    file(
        {
            "target": {"role": "raadslid"},
            "incident": {"kinds": ["bedreiging_intimidatie"], "happening_now": True, "weapon": True},
            "narrative": "Kanarie in het verhaal", "contact": {"name": "R. de Boer", "telephone": "0612345678"},
        },
        now=clock.now,
    )  # fmt: skip
    with instance.sessions.begin() as session:
        alarms.raise_alarm(session, instance, "klok_sprong", "went_back", now=clock.now)
        tombstones.bury_case(session, new_id(), now=clock.now)
        checkpoints.make_checkpoint(
            session, instance, now=clock.now, recipients=[Recipient(new_id(), "bewaarder@voorbeeld.test")]
        )
    chasing = Clock(instance, moment=lambda: clock.now, wall=lambda: clock.now, running=lambda: 0.0)
    for _ in range(20):
        clock.forward(minutes=6)
        chasing.chase()
        chasing.watch()
    chasing.keep_trail()

    with instance.readings() as session:
        rows = session.scalars(select(Outbox)).all()
        texts = [open_json(instance.server.seal, row.sealed, Binding("outbox", None, row.id, 1)) for row in rows]
    assert {text["subject"].partition(",")[0] for text in texts} >= {
        mails.REMINDER_SUBJECT, "IJkpunt van het logboek",
    }  # fmt: skip
    assert [text for text in texts if not is_of_the_set(text)] == []
