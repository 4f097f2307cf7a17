"""A full disk: nothing half-stored, the words come back, and cases can still be opened."""

import os
import re
import shutil
import subprocess
from contextlib import suppress
from io import BytesIO

import pytest
from sqlalchemy import func, select

from weerbaar_meldpunt.actions import backup, evidence, room
from weerbaar_meldpunt.actions.instance import open_instance
from weerbaar_meldpunt.app import create_app
from weerbaar_meldpunt.jobs.clock import Clock
from weerbaar_meldpunt.settings import load_settings
from weerbaar_meldpunt.store.audit import Alarm, Leaf
from weerbaar_meldpunt.store.cases import Case, Message

STORY = "Zij stonden gisteravond weer voor mijn deur. " * 4
KIB = 1024


@pytest.fixture
def little(monkeypatch):
    """As little room as is said."""

    def left(count):
        monkeypatch.setattr(room, "free", lambda _: count)

    return left


def count(instance, model):
    with instance.readings() as session:
        return session.scalar(select(func.count()).select_from(model))


# --- the reserve -----------------------------------------------------------------------------------------------------


def test_the_reserve_holds_real_blocks_and_is_made_again_once_there_is_room(instance, little):
    assert room.keep_reserve(instance)
    found = (instance.settings.instance / room.RESERVE).stat()
    assert found.st_size == room.RESERVE_BYTES
    assert found.st_blocks * 512 >= room.RESERVE_BYTES
    assert found.st_mode & 0o077 == 0

    little(room.RESERVE_BYTES - 1)
    assert room.no_room_for_words(instance)
    assert not (instance.settings.instance / room.RESERVE).exists()
    assert not room.keep_reserve(instance)
    little(room.ROOM_AGAIN)
    assert room.keep_reserve(instance)


def test_the_clock_makes_the_reserve_and_alarms_while_there_is_little_room(ready, clock, little, monkeypatch):
    ticking = Clock(ready.instance, wall=clock)
    ticking.sweep()
    assert (ready.instance.settings.instance / room.RESERVE).exists()
    assert count(ready.instance, Alarm) == 0

    little(evidence.FREE_FLOOR - 1)
    monkeypatch.setattr(evidence, "FREE_FLOOR", evidence.FREE_FLOOR + 2)
    ticking.sweep()
    ticking.sweep()

    with ready.instance.readings() as session:
        (alarm,) = session.scalars(select(Alarm))
        assert alarm.kind == "weinig_ruimte"


# --- what a visitor sees ---------------------------------------------------------------------------------------------


def token(client, path):
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).get_data(as_text=True))[1]


def test_words_that_cannot_be_kept_are_given_back_with_the_telephone_numbers(ready, client, little):
    page = client.get("/melden/verhaal").get_data(as_text=True)
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)"[^>]*value="([^"]*)"', page))
    little(room.WORDS_FLOOR - 1)

    answer = client.post("/melden/verhaal", data=hidden | {"narrative": STORY})

    text = answer.get_data(as_text=True)
    assert answer.status_code == 507
    assert STORY.strip() in text
    assert "tel:112" in text
    assert "tel:0703738314" in text
    assert client.get("/melden/verhaal").status_code == 200  # reading goes on


def test_below_that_people_still_sign_in_and_read(ready, app, sign_in, file, little):
    filed = file({"narrative": "zonnebloemveld", "incident": {"kinds": ["doxing"]}})
    little(room.WORDS_FLOOR - 1)

    member = sign_in(app.test_client(), ready.second("ondersteuning"))

    assert "zonnebloemveld" in member.get(f"/zaak/{filed.reference}").get_data(as_text=True)


def test_a_message_with_a_file_below_the_floor_of_files_comes_back_too(ready, app, file, monkeypatch):
    filed = file({"incident": {"kinds": ["doxing"]}})
    client = app.test_client()
    sent = client.post("/terug", data={"csrf_token": token(client, "/terug"), "code": filed.receipt_code})
    assert sent.status_code == 303
    monkeypatch.setattr(evidence, "FREE_FLOOR", 2**62)
    page = client.get("/mijn-melding").get_data(as_text=True)
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)"[^>]*value="([^"]*)"', page))

    answer = client.post(
        "/mijn-melding",
        data=hidden | {"text": STORY, "files": (BytesIO(b"x" * 5000), "bewijs.txt")},
        content_type="multipart/form-data",
    )

    assert answer.status_code == 507
    assert STORY.strip() in answer.get_data(as_text=True)
    assert list(ready.instance.blobs.iterdir()) == []
    assert count(ready.instance, Message) == 0


# --- a disk that is really full --------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 48 MiB of its own, where one may be made."""
    where = tmp_path / "small"
    where.mkdir()
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root may mount a small disk; the limits above are tested without one")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=700", "none", where], check=False)
    if made.returncode:
        pytest.skip("this machine lets nobody mount a small disk; the limits above are tested without one")
    yield where
    subprocess.run(["umount", where], check=True)


def fill_up(folder):
    """Not a byte is left."""
    with (folder / "filler").open("ab", buffering=0) as filler:
        for size in (1024 * KIB, 4 * KIB, 1):
            with suppress(OSError):
                while True:
                    filler.write(bytes(size))


@pytest.fixture
def full(ready, file, small_disk, monkeypatch, clock):
    """The desk on that disk: a case is filed, the reserve lies there, and then everything is full."""
    monkeypatch.setattr(evidence, "FREE_FLOOR", 0)
    monkeypatch.setattr(room, "WORDS_FLOOR", 0)
    monkeypatch.setattr(room, "ROOM_AGAIN", 0)
    filed = file({"narrative": "zonnebloemveld", "incident": {"kinds": ["doxing"]}})
    ready.instance.engine.dispose()
    where = small_disk / "instance"
    shutil.copytree(ready.instance.settings.instance, where)
    instance = open_instance(load_settings(where))
    assert room.keep_reserve(instance)
    app = create_app(instance=instance, clock=clock, testing=True)
    yield instance, app, filed
    instance.engine.dispose()


@pytest.mark.slow
def test_on_a_full_disk_nothing_is_half_stored_and_a_case_can_still_be_opened(
    full, ready, sign_in, small_disk, monkeypatch
):
    instance, app, filed = full
    member = sign_in(app.test_client(), ready.second("ondersteuning"))
    reporter = app.test_client()
    data = {"csrf_token": token(reporter, "/terug"), "code": filed.receipt_code}
    assert reporter.post("/terug", data=data).status_code == 303
    page = reporter.get("/mijn-melding").get_data(as_text=True)
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)"[^>]*value="([^"]*)"', page))
    messages, leaves = count(instance, Message), count(instance, Leaf)
    fill_up(small_disk)
    monkeypatch.setattr(room, "RESERVE_BYTES", 0)  # nobody lets go of it in time: the database is the first to notice

    answers = [reporter.post("/mijn-melding", data=hidden | {"text": STORY * 200}) for _ in range(2)]

    assert answers[0].status_code == 507
    assert STORY.strip() in answers[0].get_data(as_text=True)
    assert (count(instance, Message), count(instance, Leaf)) in ((messages, leaves), (messages + 1, leaves + 1))
    assert not (instance.settings.instance / room.RESERVE).exists()

    opened = member.get(f"/zaak/{filed.reference}")
    assert opened.status_code == 200
    assert "zonnebloemveld" in opened.get_data(as_text=True)
    assert count(instance, Leaf) > leaves  # and it was logged
    with instance.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


@pytest.mark.slow
def test_an_upload_that_fills_the_disk_leaves_nothing(full, small_disk):
    instance, _, _ = full
    fill_up(small_disk)

    upload = evidence.open_upload(instance)
    for _ in range(64):
        upload.write(os.urandom(256 * KIB))
    with pytest.raises(evidence.DiskFull):
        upload.finish("groot.bin", now=None)
    upload.close()

    assert list(instance.blobs.iterdir()) == []
    assert count(instance, Case) == 1


@pytest.mark.slow
def test_a_backup_to_a_full_disk_leaves_nothing_that_looks_like_one(full, small_disk, ready, clock):
    instance, _, _ = full
    fill_up(small_disk)

    with pytest.raises(evidence.DiskFull), backup.backup_file(small_disk / "backup.wmb") as target:
        backup.make_backup(instance, target, now=clock.now)

    assert not list(small_disk.glob("backup*"))
