"""`meldpunt doctor` names each fault of the desk in plain words, and says what to do; also when nothing opens."""

import json
import sqlite3
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from weerbaar_meldpunt.actions import evidence, examination, examination_machine, room
from weerbaar_meldpunt.actions.alarms import raise_alarm
from weerbaar_meldpunt.actions.outbox import mail_row
from weerbaar_meldpunt.actions.person import DISABLED
from weerbaar_meldpunt.cli import main
from weerbaar_meldpunt.documents.mails import reminder
from weerbaar_meldpunt.jobs.schedule import run_once
from weerbaar_meldpunt.settings import Smtp
from weerbaar_meldpunt.store.keeping import Backup
from weerbaar_meldpunt.store.membership import Departure
from weerbaar_meldpunt.store.people import User
from weerbaar_meldpunt.store.tracks import Outbox, Pulse
from weerbaar_meldpunt.vault.derive import new_id, new_key

HOUR = timedelta(hours=1)


@pytest.fixture
def wrong(ready, clock):
    """What doctor finds wrong now, by what it looked at."""

    def looked(settings=None):
        findings = examination.examine_folder(settings or ready.instance.settings, now=clock.now)
        bad = {one.what: one for one in findings if not one.fine}
        assert all(one.do for one in bad.values()), [one.what for one in bad.values() if not one.do]
        assert all(not one.do for one in findings if one.fine)
        return bad

    return looked


def folder(ready):
    return ready.instance.settings.instance


def write(instance, *statements):
    with instance.sessions.begin() as session:
        for statement in statements:
            session.execute(statement)


def add(instance, *rows):
    with instance.sessions.begin() as session:
        session.add_all(rows)


@pytest.mark.parametrize("name", ["server.key", "pepper.key"])
def test_a_key_that_is_missing_short_or_open_to_others_is_named(ready, wrong, name):
    assert name not in wrong()
    path = folder(ready) / name
    content = path.read_bytes()

    path.chmod(0o640)
    assert "others" in wrong()[name].found
    path.chmod(0o600)
    path.write_bytes(content[:31])
    found = wrong()
    assert "31 bytes" in found[name].found
    assert "instance" in found  # and it says that nothing opens
    path.unlink()
    found = wrong()
    assert "sheet" in found[name].do
    assert name in found["instance"].do


def test_another_server_key_or_pepper_is_named(ready, wrong):
    for name, what in (("server.key", "server key"), ("pepper.key", "pepper")):
        path = folder(ready) / name
        content = path.read_bytes()
        assert what not in wrong()
        path.write_bytes(new_key())
        assert what in wrong()
        path.write_bytes(content)


def test_a_broken_or_missing_pin_file_is_named_by_its_line(ready, wrong):
    path = folder(ready) / "pins"
    text = path.read_text()

    path.write_text(text + "team ondersteuning 9 00 sealing\n")
    assert "line" in wrong()["pin file"].found
    path.unlink()
    assert "No such file" in wrong()["pin file"].found


def test_a_setting_that_is_none_is_named(ready, clock, monkeypatch):
    (folder(ready) / "meldpunt.toml").write_text('demonstration = true\ntelefoon = "112"\n')
    monkeypatch.setenv("MELDPUNT_INSTANCE", str(folder(ready)))

    (finding,) = examination.examine_folder(now=clock.now)

    assert finding.what == "settings"
    assert "telefoon" in finding.found


def test_an_instance_that_is_not_there_is_named(ready, clock, tmp_path, monkeypatch):
    monkeypatch.setenv("MELDPUNT_INSTANCE", str(tmp_path / "nowhere"))

    found = {one.what: one for one in examination.examine_folder(now=clock.now)}

    assert not found["folder"].fine
    assert not (tmp_path / "nowhere").exists()


def test_files_that_others_can_read_are_named(ready, wrong):
    assert "permissions" not in wrong()
    (folder(ready) / "meldpunt.sqlite").chmod(0o644)
    assert "meldpunt.sqlite" in wrong()["permissions"].found
    (folder(ready) / "meldpunt.sqlite").chmod(0o600)
    folder(ready).chmod(0o755)
    assert "permissions" in wrong()
    folder(ready).chmod(0o700)
    blob = ready.instance.blobs / ("ab" * 16)
    blob.write_bytes(b"x")
    blob.chmod(0o604)
    assert blob.name in wrong()["permissions"].found


def test_a_disk_below_the_floor_and_a_reserve_that_is_gone_are_named(ready, wrong, monkeypatch):
    room.keep_reserve(ready.instance)
    assert not {"disk", "reserve"} & set(wrong())

    monkeypatch.setattr(examination_machine, "FREE_FLOOR", 2**62)
    room.release_reserve(ready.instance)
    assert {"disk", "reserve"} <= set(wrong())


def test_a_folder_of_evidence_that_is_gone_is_named(ready, wrong):
    assert "evidence folder" not in wrong()
    ready.instance.blobs.rmdir()
    assert "evidence folder" in wrong()


def test_a_swap_that_is_not_encrypted_is_named(ready, wrong, monkeypatch, tmp_path):
    swaps, blocks = tmp_path / "swaps", tmp_path / "block"
    swaps.write_text("Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n/dev/dm-1 partition 1 0 -3\n")
    for name, uuid in (("sda2", None), ("dm-1", "CRYPT-PLAIN-swap\n")):
        (blocks / name / "dm").mkdir(parents=True)
        if uuid:
            (blocks / name / "dm" / "uuid").write_text(uuid)
    monkeypatch.setattr(examination_machine, "_SWAPS", swaps)
    monkeypatch.setattr(examination_machine, "_BLOCKS", blocks)

    assert wrong()["swap"].found == "not encrypted: /dev/sda2"


@pytest.mark.slow
def test_a_database_that_somebody_keeps_locked_is_named_within_seconds(ready, wrong):
    ready.instance.engine.dispose()
    other = sqlite3.connect(folder(ready) / "meldpunt.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        found = wrong()
    finally:
        other.close()

    assert "locked" in found["database file"].found
    assert "fuser" in found["database file"].do


def test_a_database_that_is_gone_is_named_and_not_made_anew(ready, wrong):
    ready.instance.engine.dispose()
    for path in folder(ready).glob("meldpunt.sqlite*"):
        path.unlink()

    found = wrong()

    assert "not there" in found["database file"].found
    assert "restore" in found["database file"].do


def test_a_clock_that_stands_still_and_one_that_jumped_are_named(ready, wrong, clock):
    add(ready.instance, Pulse(name="klok", seen_at=clock.now))
    assert not {"clock", "time"} & set(wrong())

    clock.forward(minutes=6)
    assert "last looked" in wrong()["clock"].found
    write(ready.instance, update(Pulse).values(seen_at=clock.now + HOUR))
    assert {"clock", "time"} <= set(wrong())
    write(ready.instance, update(Pulse).values(seen_at=clock.now))
    add(ready.instance, Pulse(name="sprong", seen_at=clock.now - HOUR))
    assert "jumped" in wrong()["time"].found


def test_mails_that_do_not_leave_and_mails_that_do_not_open_are_named(ready, wrong, clock, monkeypatch):
    settings = ready.instance.settings
    object.__setattr__(settings, "smtp", Smtp("localhost"))
    row = mail_row(
        ready.instance, reminder(), source=new_id(), recipient_id=new_id(), address="a@voorbeeld.test", wall=clock.now
    )
    add(ready.instance, Outbox(**row))
    assert not {"mail", "mails", "mails that wait"} & set(wrong(settings))

    write(ready.instance, update(Outbox).values(attempts=3))
    assert "mails were tried" in wrong(settings)["mails that wait"].found
    write(ready.instance, update(Outbox).values(sealed=b"x" * 600))
    assert "do not open" in wrong(settings)["mails"].found


def test_an_alarm_that_stands_is_named_by_its_kind(ready, wrong, clock):
    assert "alarms" not in wrong()
    with ready.instance.sessions.begin() as session:
        raise_alarm(session, ready.instance, "klok_sprong", "went_back", now=clock.now)

    assert wrong()["alarms"].found == "standing: 1 × klok_sprong"


def test_evidence_of_which_the_file_is_gone_is_counted(ready, wrong, file, clock):
    upload = evidence.open_upload(ready.instance)
    upload.write(b"bewijs")
    file({"incident": {"kinds": ["doxing"]}}, files=[upload.finish("bewijs.txt", now=clock.now)])
    assert "evidence" not in wrong()

    next(ready.instance.blobs.iterdir()).unlink()
    assert "1 files" in wrong()["evidence"].found


def test_a_team_that_cannot_receive_cases_is_named(ready, wrong):
    assert not any("ondersteuning" in what for what in wrong() if not what.startswith("roster"))
    write(ready.instance, update(User).where(User.id == ready.second("ondersteuning").user_id).values(state=DISABLED))

    assert "1 active members" in wrong()["readiness of ondersteuning"].found


def test_somebody_who_left_and_still_knows_the_key_is_counted(ready, wrong, clock):
    left = ready.second("juridisch")
    add(
        ready.instance,
        Departure(kind="team", team="juridisch", member_id=left.user_id, epoch=1, left_at=clock.now - 80 * HOUR),
    )

    found = wrong()["key of juridisch"].found

    assert "1 who left still know it" in found
    assert "72 hours" in found


def test_a_backup_that_is_older_than_a_day_is_named(ready, wrong, clock):
    assert wrong()["backup"].found == "none was ever made"
    add(ready.instance, Backup(id=new_id(), made_at=clock.now, leaf=1, size=1))
    assert "backup" not in wrong()
    clock.forward(hours=27)
    assert "the last one is of" in wrong()["backup"].found


def test_a_trail_that_was_not_checked_last_night_and_a_missing_checkpoint_are_named(ready, wrong, clock):
    assert {"trail", "checkpoint"} <= set(wrong())
    run_once(ready.instance, clock.now)
    assert not {"trail", "checkpoint"} & set(wrong())
    clock.forward(hours=27)
    assert {"trail", "checkpoint"} <= set(wrong())


def test_a_gap_in_the_roster_of_the_next_week_is_named(ready, wrong):
    assert "nobody from" in wrong()["roster of ondersteuning, 7 days"].found


def test_a_restore_that_waits_or_did_not_end_is_named(keeper, ready, clock, wrong):
    restored = keeper.restore(keeper.backup(now=clock.now), now=clock.now)
    restored.engine.dispose()

    assert "closed" in wrong(restored.settings)["restore"].found
    (restored.settings.instance / "restoring").touch(mode=0o600)
    assert "did not end" in wrong(restored.settings)["restore"].found


def test_everything_is_one_document_for_a_monitor(ready, monkeypatch):
    monkeypatch.setenv("MELDPUNT_INSTANCE", str(folder(ready)))
    result = CliRunner().invoke(main, ["doctor", "--json"])

    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert {"what", "fine", "found", "do"} == set(document[0])
