"""Nothing that people wrote stands readable anywhere: unique words are planted everywhere and looked for in every file.

The same journey with sealing switched off must find them all: a scan that finds nothing proves nothing by itself.
"""

import base64
import logging
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import backup, work
from weerbaar_meldpunt.actions.erasing import Word, erase_case
from weerbaar_meldpunt.jobs.schedule import run_once
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.engine import truncate_wal
from weerbaar_meldpunt.vault import files as sealed_files
from weerbaar_meldpunt.vault import seal as seals
from weerbaar_meldpunt.vault.keys import session_owner
from weerbaar_meldpunt.web.steps import STEPS

HOUSE = Path(__file__).parents[2]
HEADER = bytes(72)  # as long as what a real seal puts before and behind


class Open:
    """A seal that seals nothing, for the control run."""

    def __init__(self, _key, _context):
        self._begun = False

    def update(self, data):
        begun, self._begun = self._begun, True
        return data if begun else HEADER + data

    def finalize(self):
        return b""


class Reopen(Open):
    def update(self, data):
        begun, self._begun = self._begun, True
        return data if begun else data[len(HEADER) :]


@dataclass
class Planted:
    """Words that stand nowhere else, each by where it was written."""

    words: dict[str, str] = field(default_factory=dict)
    unkept: set[str] = field(default_factory=set)  # where what was written is kept nowhere, sealed or not

    def plant(self, where: str, *, plain: bool = False) -> str:
        """A fresh word; `plain` where only lower-case letters and digits may stand."""
        number = f"{len(self.words):03d}"
        word = f"kanarie{number}zx" if plain else f"kanárie {number} zx"
        self.words[where] = word
        return word

    def never(self, where: str) -> str:
        """A word that is not kept: it was only asked for, or it is erased."""
        self.unkept.add(where)
        return self.plant(where)


def forms_of_writing(word: str):
    """The ways in which a word can stand in a file."""
    raw = word.encode()
    yield raw
    for encoding in ("utf-16-le", "utf-16-be", "latin-1"):
        yield word.encode(encoding)
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield urllib.parse.quote(word).encode()
    yield urllib.parse.quote_plus(word).encode()
    yield word.encode("ascii", "backslashreplace").replace(b"\\x", b"\\u00")  # as JSON escapes it
    for shift in range(3):  # base64 of a longer text that holds the word, at each place it can begin
        middle = base64.b64encode(bytes(shift) + raw)[(4 if shift else 0) :]
        yield middle.rstrip(b"=")[:-2]
        yield middle.rstrip(b"=")[:-2].replace(b"+", b"-").replace(b"/", b"_")


def found_in(folder, planted):
    """The places whose word stands in some file below a folder, with the file."""
    contents = [(path, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    return {
        where: path.name
        for where, word in planted.words.items()
        for path, content in contents
        if any(shape in content for shape in forms_of_writing(word))
    }


@pytest.fixture
def ready(instance, ready_maker):
    """Everybody's keys made here and not copied: with sealing switched off, nothing that was sealed before opens."""
    return ready_maker(instance)


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """Everything written lands below one folder: instance, temporary files, and a log at its most talkative."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    handler = logging.FileHandler(tmp_path / "everything.log")
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield tmp_path
    root.removeHandler(handler)
    root.setLevel(level)
    handler.close()


def journey(app, ready, sign_in, read_forms, send, planted):
    """File through every step with a word in every field, come back, write, work on it and close it."""
    reporter = app.test_client()
    for step in STEPS:
        path = f"/melden/{step.code}"
        page = reporter.get(path).get_data(as_text=True)
        (form,) = [form for form in read_forms(page) if ("doen", "verder") in form.buttons][:1]
        answer = send(reporter, path, form, filled(form, step.code, planted), press=("doen", "verder"))
        assert answer.status_code == 303, (step.code, answer.get_data(as_text=True)[:3000])
    review = reporter.get("/melden/nakijken").get_data(as_text=True)
    (form,) = [form for form in read_forms(review) if form.action.endswith("/melden/nakijken")]
    assert send(reporter, "/melden/nakijken", form, {}).status_code == 303
    receipt = reporter.get("/melden/ontvangen").get_data(as_text=True)
    code = re.search(r"[0-9A-Z]{5}(?:-[0-9A-Z]{1,5}){5}", receipt).group(0)
    reference = re.search(r"Nummer van uw melding: ([0-9A-Z]{4}-[0-9A-Z]{4})", receipt).group(1)

    back = app.test_client()
    (form,) = [form for form in read_forms(back.get("/terug").get_data(as_text=True)) if "code" in names(form)][:1]
    assert send(back, "/terug", form, {"code": code}).status_code == 303
    (form,) = [form for form in read_forms(back.get("/mijn-melding").get_data(as_text=True)) if "text" in names(form)]
    message = {"text": planted.plant("message of the reporter"), "files": [a_file(planted, "file of a message")]}
    assert send(back, "/mijn-melding", form, message).status_code == 303

    decide(back, code, read_forms, send, planted)
    member = sign_in(app.test_client(), ready.first("ondersteuning"))
    work_on(member, f"/zaak/{reference}", read_forms, send, planted)
    return reference


def decide(back, code, read_forms, send, planted):
    """What a reporter changes and takes away on the pages of the own case, with a word in every field."""
    pages = {"gegevens": ("gegevens", "verhaal"), "gegevens/adres": ("adres",), "toestemming": ("toestemming",)}
    for page, acts in pages.items():
        path = f"/mijn-melding/{page}"
        forms = {form.action.rsplit("/", 1)[-1]: form for form in read_forms(back.get(path).get_data(as_text=True))}
        for act in acts:
            typed = {
                one.name: planted.plant(f"own {act}: {one.name}")
                for one in forms[act].fields
                if one.kind in ("textarea", "text", "tel", "email")
            }
            typed |= {"sharing": ["organisatie"]} if act == "toestemming" else {}
            assert send(back, path, forms[act], typed).status_code == 303, (act, typed)
    path = "/mijn-melding/mail"
    (form,) = [one for one in read_forms(back.get(path).get_data(as_text=True)) if "address" in names(one)]
    address = planted.plant("own mail: address", plain=True) + "@voorbeeld.test"
    assert send(back, path, form, {"address": address, "sure": "ja"}).status_code == 303
    path = "/mijn-melding/meenemen"
    (form,) = [one for one in read_forms(back.get(path).get_data(as_text=True)) if "code" in names(one)]
    taken = send(back, path, form, {"code": code})
    assert taken.mimetype == "application/zip"
    assert len(taken.get_data()) > 100_000  # the files too


def names(form):
    return {one.name for one in form.fields}


def a_file(planted, where):
    return (planted.plant(f"{where}: content").encode() * 12_000, planted.plant(f"{where}: name") + ".txt")


def filled(form, step, planted):
    """An answer to every field that takes words, and the first choice of every other."""
    answers = {}
    for one in form.fields:
        where = f"{step}: {one.name}"
        if one.kind == "file":
            answers[one.name] = [a_file(planted, where)]
        elif one.kind in ("textarea", "text", "tel", "email", "url", "search") and not one.name.startswith("_page"):
            answers[one.name] = words_for(one.name, where, planted)
    return {name: value for name, value in answers.items() if value is not None}


def words_for(name, where, planted):
    if name == "target.organisation":  # one of a closed list
        return None
    if name in ("incident.message_count", "incident.earlier_cases"):
        return "3"
    if name == "incident.platforms":
        return planted.plant(where, plain=True)
    return planted.plant(where)


# What a worker chooses beside the words; "overdragen" and "afsluiten" would end the work before the others.
CHOSEN = {
    "feiten": {"organisation": ""},
    "afsluiten": {"outcome": "geholpen", "sure": "ja"},
    "urgentie": {"urgency": "laag"},
}
LAST = ("overdragen", "afsluiten", "heropenen")


def work_on(member, case, read_forms, send, planted):
    """Every act of a worker that takes words, on the page of the case, each once."""
    done = set()
    while True:
        page = member.get(case).get_data(as_text=True)
        forms = {
            form.action.rsplit("/", 1)[-1]: form
            for form in read_forms(page)
            if form.method == "post" and form.action.startswith("/zaak/")
        }
        todo = sorted(set(forms) - done, key=lambda act: (LAST.index(act) + 1 if act in LAST else 0, act))
        if not todo:
            return done
        act = todo[0]
        done.add(act)
        answers = {
            one.name: planted.plant(f"{act}: {one.name}")
            for one in forms[act].fields
            if one.kind in ("textarea", "text") and CHOSEN.get(act, {}).get(one.name) != ""
        }
        answers |= {
            one.name: next(option for option in one.options if option)
            for one in forms[act].fields
            if one.kind == "select" and not one.value
        }
        answer = send(member, case, forms[act], answers | CHOSEN.get(act, {}))
        assert answer.status_code == (200 if act == "veilig" else 303), (act, answer.get_data(as_text=True)[-6000:])


class Life:
    """What else happens to reports in a desk: handed over, shared, searched, erased, backed up."""

    def __init__(self, app, ready, sign_in, read_forms, send, planted, watched):
        self.app, self.ready, self.sign_in, self.planted, self.watched = app, ready, sign_in, planted, watched
        self.read_forms, self.fill = read_forms, send

    def send(self, client, path, field, answers, *, status=303):
        """Send the form with this field on a page; answers the page that came."""
        forms = self.read_forms(client.get(path).get_data(as_text=True))
        (form,) = [form for form in forms if form.method == "post" and field in names(form)][:1]
        answer = self.fill(client, path, form, answers)
        assert answer.status_code == status, (path, answer.status_code, answer.get_data(as_text=True)[-4000:])
        return answer

    def shared_and_searched(self, reference):
        """A member shares the case, tells who else heard of it, holds it, and looks for a word."""
        plant, member = self.planted.plant, self.sign_in(self.app.test_client(), self.ready.first("ondersteuning"))
        case = f"/zaak/{reference}"
        words = {"reason": plant("shared: reason"), "words": plant("shared: words"), "sure": "ja"}
        self.send(member, f"{case}/ander-team/beveiliging/delen?team=ondersteuning", "words", words)
        passed = {"to_whom": "politie", "passed": plant("passed on: what"), "why": plant("passed on: why")}
        self.send(member, f"{case}/melder", "passed", passed)
        hold = {"ground": "strafzaak", "text": plant("hold"), "review_on": "2026-12-01", "until": "2027-01-01"}
        self.send(member, f"{case}/bewaren", "ground", hold)
        typed = {"typed": self.planted.never("search")}
        self.send(member, "/werk/ondersteuning/zoeken", "typed", typed, status=200)

    def taken_over(self, filed):
        """The official takes over what a griffier filed."""
        client = self.app.test_client()
        look = self.send(client, "/overnemen", "code", {"code": filed.claim_code}, status=200)
        (form,) = [form for form in self.read_forms(look.get_data(as_text=True)) if "choice" in names(form)]
        answers = {"choice": "voortgang", "contact.telephone": "0687654321", "contact.channel": "telefoon"}
        answer = self.fill(client, "/overnemen", form, answers)
        assert answer.status_code == 200, answer.get_data(as_text=True)[-3000:]

    def erased(self, filed, now):
        """A case that is destroyed, with everything that was written in it."""
        with self.ready.instance.sessions.begin() as session:
            case = session.scalars(select(Case).where(Case.reference == filed.reference)).one()
            erase_case(session, self.ready.instance, case.id, Word("verzoek"), now=now)

    def backed_up(self, now):
        """A backup lies beside the instance."""
        with backup.backup_file(self.watched / "backup.wmb") as target:
            backup.make_backup(self.ready.instance, target, now=now)


@pytest.fixture
def walk(watched, app, ready, sign_in, read_forms, send, file, clock):
    """Everything that happens in the life of a desk; answers the words that were planted."""

    def walked():
        planted = Planted()
        reference = journey(app, ready, sign_in, read_forms, send, planted)
        life = Life(app, ready, sign_in, read_forms, send, planted, watched)
        proxy = {"reporter": {"relation": "griffier", "consent": "ja"}, "incident": {"kinds": ["doxing"]}}
        other = file(proxy | {"narrative": planted.plant("taken over")}, now=clock.now)
        life.shared_and_searched(other.reference)
        life.taken_over(other)
        run_once(ready.instance, clock.now)
        life.erased(file({"narrative": planted.never("erased")}, now=clock.now), clock.now)
        life.backed_up(clock.now)
        ready.instance.engine.dispose()
        assert reference != other.reference
        return planted

    return walked


@pytest.mark.slow
def test_no_planted_word_stands_in_any_file_in_any_way_of_writing(watched, walk):
    planted = walk()

    assert len(planted.words) > 40
    assert (watched / "backup.wmb").stat().st_size > 100_000
    assert found_in(watched, planted) == {}


@pytest.fixture
def sealing_off(monkeypatch):
    """Nothing is sealed, from before the first account on."""
    for room in (seals, sealed_files):
        monkeypatch.setattr(room, "Cobblestone256Encryptor", Open)
        monkeypatch.setattr(room, "Cobblestone256Decryptor", Reopen)


@pytest.mark.slow
def test_with_sealing_switched_off_the_same_scan_finds_every_word(sealing_off, watched, walk):
    planted = walk()

    found = found_in(watched, planted)
    assert set(planted.words) - set(found) <= planted.unkept
    assert "search" not in found  # nobody wrote it down, sealed or not


# --- no trace from an account to a case ------------------------------------------------------------------------------


def commits(wal):
    """The pages of a write-ahead log, by the commit they were written in."""
    size = struct.unpack(">I", wal[8:12])[0]
    pages, found = [], []
    for place in range(32, len(wal) - 24 - size + 1, 24 + size):
        pages.append(wal[place + 24 : place + 24 + size])
        if struct.unpack(">I", wal[place + 4 : place + 8])[0]:
            found.append(b"".join(pages))
            pages = []
    return found


def wal_of(instance):
    return instance.settings.instance / "meldpunt.sqlite-wal"


@pytest.mark.slow
def test_no_commit_that_writes_a_case_writes_anything_of_the_account_it_is_of(app, ready, sign_in, read_forms, send):
    """The order of writing tells nothing: not in the write-ahead log, not in the trail."""
    account, instance = ready.people.reporter(), ready.instance
    client = sign_in(app.test_client(), account)
    for step, answers in (("verhaal", {"narrative": "zon"}), ("bereiken", {"contact.telephone": "0612345678"})):
        path = f"/melden/{step}"
        forms = read_forms(client.get(path).get_data(as_text=True))
        (form,) = [form for form in forms if ("doen", "verder") in form.buttons][:1]
        assert send(client, path, form, answers, press=("doen", "verder")).status_code == 303
    truncate_wal(instance.engine)
    forms = read_forms(client.get("/melden/nakijken").get_data(as_text=True))
    (form,) = [form for form in forms if form.action.endswith("/melden/nakijken")]
    assert send(client, "/melden/nakijken", form, {}).status_code == 303
    assert client.get("/mijn-meldingen").status_code == 200

    with instance.readings() as session:
        case_id = session.scalars(select(Case.id)).one()
        leaves = session.execute(select(Leaf.actor, Leaf.object)).all()
    of_the_case = [pages for pages in commits(wal_of(instance).read_bytes()) if case_id in pages]
    assert of_the_case
    assert not any(account.user_id in pages for pages in of_the_case)
    assert not any(session_owner(account.root) in pages for pages in of_the_case)  # the pseudonym of its sessions
    assert not any(account.user_id in (leaf.actor, leaf.object) for leaf in leaves)


@pytest.mark.slow
def test_the_same_look_finds_the_member_who_works_on_a_case(ready, file, clock):
    """The control: who works on a case is no secret, and stands in one commit with it."""
    filed, member, instance = file({"narrative": "x"}), ready.first("ondersteuning"), ready.instance
    truncate_wal(instance.engine)
    with instance.sessions.begin() as session:
        work.add_note(work.hold(session, instance, member.person, filed.reference, now=clock.now), "notitie")

    with instance.readings() as session:
        case_id = session.scalars(select(Case.id)).one()
    assert any(case_id in pages and member.user_id in pages for pages in commits(wal_of(instance).read_bytes()))


# --- no core ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_process_that_dies_leaves_no_core_with_what_it_held(ready, tmp_path):
    ready.instance.engine.dispose()
    program = (
        "import os, sys\nfrom pathlib import Path\n"
        "from weerbaar_meldpunt.actions.instance import open_instance\n"
        "from weerbaar_meldpunt.settings import load_settings\n"
        "held = open_instance(load_settings(Path(sys.argv[1])))\nos.abort()\n"
    )
    where = tmp_path / "core"
    where.mkdir()
    done = subprocess.run(
        ["sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh", sys.executable, "-c", program,
         str(ready.instance.settings.instance)],
        cwd=where, env={**os.environ, "PYTHONPATH": str(HOUSE)}, check=False, capture_output=True,
    )  # fmt: skip

    assert done.returncode == -signal.SIGABRT, done.stderr
    assert list(where.iterdir()) == []
