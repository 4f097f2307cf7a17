"""Nothing that people wrote stands readable anywhere: unique words are planted everywhere and looked for in every file.

The same journey with sealing switched off must find them all: a scan that finds nothing proves nothing by itself.
"""

import base64
import logging
import re
import tempfile
import urllib.parse
from dataclasses import dataclass, field

import pytest

from weerbaar_meldpunt.vault import files as sealed_files
from weerbaar_meldpunt.vault import seal as seals
from weerbaar_meldpunt.web.steps import STEPS

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

    def plant(self, where: str, *, plain: bool = False) -> str:
        """A fresh word; `plain` where only lower-case letters and digits may stand."""
        number = f"{len(self.words):03d}"
        word = f"kanarie{number}zx" if plain else f"kanárie {number} zx"
        self.words[where] = word
        return word


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

    member = sign_in(app.test_client(), ready.first("ondersteuning"))
    work_on(member, f"/zaak/{reference}", read_forms, send, planted)
    return reference


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


def walked(app, ready, sign_in, read_forms, send):
    planted = Planted()
    journey(app, ready, sign_in, read_forms, send, planted)
    ready.instance.engine.dispose()
    return planted


@pytest.mark.slow
def test_no_planted_word_stands_in_any_file_in_any_way_of_writing(watched, app, ready, sign_in, read_forms, send):
    planted = walked(app, ready, sign_in, read_forms, send)

    assert len(planted.words) > 25
    assert found_in(watched, planted) == {}


@pytest.fixture
def sealing_off(monkeypatch):
    """Nothing is sealed, from before the first account on."""
    for room in (seals, sealed_files):
        monkeypatch.setattr(room, "Cobblestone256Encryptor", Open)
        monkeypatch.setattr(room, "Cobblestone256Decryptor", Reopen)


@pytest.mark.slow
def test_with_sealing_switched_off_the_same_scan_finds_every_word(
    sealing_off, watched, app, ready, sign_in, read_forms, send
):
    planted = walked(app, ready, sign_in, read_forms, send)

    assert set(planted.words) - set(found_in(watched, planted)) == set()
