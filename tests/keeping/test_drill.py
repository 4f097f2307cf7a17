"""The drill, from the console as somebody would do it on the worst day: everything is lost but paper and mails."""

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from weerbaar_meldpunt.actions import outbox
from weerbaar_meldpunt.actions.checkpoints import make_checkpoint
from weerbaar_meldpunt.actions.erasing import Word, erase_case
from weerbaar_meldpunt.actions.founding import sheet_words
from weerbaar_meldpunt.actions.instance import open_instance
from weerbaar_meldpunt.cli import main
from weerbaar_meldpunt.settings import load_settings
from weerbaar_meldpunt.store.cases import Case

pytestmark = pytest.mark.slow


@pytest.fixture
def console(monkeypatch):
    """Call `meldpunt` on a folder; `typed` is what the operator answers, a line each."""

    def called(where, *words, typed=()):
        monkeypatch.setenv("MELDPUNT_INSTANCE", str(where))
        result = CliRunner().invoke(main, list(words), input="".join(f"{line}\n" for line in typed))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return called


def erase(instance, filed, *, now):
    with instance.sessions.begin() as session:
        case = session.scalars(select(Case).where(Case.reference == filed.reference)).one()
        erase_case(session, instance, case.id, Word("verzoek"), now=now)


def days_mails(instance, path, *, now):
    """The day's checkpoint as the custodians get it, kept in a mailbox."""
    with instance.sessions.begin() as session:
        make_checkpoint(session, instance, now=now)
    with instance.sessions.begin() as session:
        letters = outbox.claim_letters(session, instance, bytes(16), wall=now)
    with path.open("ab") as box:
        for letter in letters:
            if b"ijkpunt" in letter.message.lower():
                box.write(b"From meldpunt Mon Nov 23 12:00:00 2026\n" + letter.message.replace(b"\r\n", b"\n") + b"\n")
    assert path.stat().st_size


@pytest.fixture
def lost(ready, file, clock, tmp_path, console):
    """A desk with a backup of yesterday; since then a case was destroyed, and the day's mails were kept."""
    instance = ready.instance
    kept, gone = (file({"narrative": word, "incident": {"kinds": ["doxing"]}}) for word in ("blijft", "gewist"))
    made = console(instance.settings.instance, "backup", "--out", str(tmp_path / "yesterday.wmb"))
    assert made.exit_code == 0, made.output
    assert "backup, recovery" in made.stderr
    erase(instance, gone, now=clock.forward(hours=20))
    days_mails(instance, tmp_path / "mails.mbox", now=clock.forward(hours=4))
    return kept, gone


def typed_lines(secret):
    return sheet_words(secret).split("\n")


def keys(instance):
    folder = instance.settings.instance
    return [*typed_lines((folder / "server.key").read_bytes()), *typed_lines((folder / "pepper.key").read_bytes())]


def test_from_an_empty_machine_to_an_open_desk(ready, lost, console, tmp_path, opens):
    kept, gone = lost
    where, backup = tmp_path / "new machine", str(tmp_path / "yesterday.wmb")

    back = console(where, "restore", backup, typed=[*keys(ready.instance), *typed_lines(ready.custody.backup_seed)])

    assert back.exit_code == 1, back.output
    assert "The backup is whole, and this desk made it." in back.output
    assert "Still closed" in back.output
    for words in (["serve"], ["clock", "--once"], ["queue", "ondersteuning"], ["backup", "--out", "x"]):
        refused = console(where, *words)
        assert refused.exit_code == 2, words
        assert refused.stderr.startswith("closed:"), words
        assert len(refused.stderr.splitlines()) == 1

    again = console(where, "restore", "--tombstones", str(tmp_path / "mails.mbox"), typed=["y", "OPEN"])

    assert again.exit_code == 0, again.output
    assert "1 cases destroyed again" in again.output
    assert "extern anker" in again.output
    assert console(where, "queue", "ondersteuning", "--json").stdout.count("reference") == 1
    desk = open_instance(load_settings(where))
    assert "blijft" in opens(desk, kept)
    assert "blijft" in opens(desk, ready.first("ondersteuning"), kept.reference)
    assert opens(desk, gone) is None
    desk.engine.dispose()


def test_two_custodians_do_it_when_the_sheet_is_lost_too(ready, lost, console, tmp_path):
    codes = [sheet.code for sheet in ready.custody.sheets]
    where, backup = tmp_path / "new machine", str(tmp_path / "yesterday.wmb")

    wrong = console(where, "restore", backup, "--custodians", typed=[*keys(ready.instance), codes[0], codes[0]])
    assert wrong.exit_code == 1
    assert "two codes do not open" in wrong.stderr
    assert not where.exists()
    right = console(where, "restore", backup, "--custodians", typed=[*keys(ready.instance), codes[0], codes[2]])

    assert "and closed" in right.output


def test_the_old_folder_serves_as_well_as_the_mails(ready, lost, console, tmp_path):
    where, backup = tmp_path / "new machine", str(tmp_path / "yesterday.wmb")
    old = str(ready.instance.settings.instance)
    typed = [*keys(ready.instance), *typed_lines(ready.custody.backup_seed), "y", "OPEN"]

    done = console(
        where, "restore", backup, "--old-instance", old, "--anchor", str(tmp_path / "mails.mbox"), typed=typed
    )

    assert done.exit_code == 0, done.output
    assert "1 cases destroyed again" in done.output


def test_it_stays_closed_when_the_mails_are_not_complete(ready, lost, console, clock, tmp_path):
    instance, where = ready.instance, tmp_path / "new machine"
    with instance.sessions.begin() as session:
        case = session.scalars(select(Case)).one()
        erase_case(session, instance, case.id, Word("verzoek"), now=clock.forward(hours=1))
    days_mails(instance, tmp_path / "today.mbox", now=clock.forward(hours=23))
    typed = [*keys(instance), *typed_lines(ready.custody.backup_seed), "y", "OPEN"]

    done = console(
        where, "restore", str(tmp_path / "yesterday.wmb"), "--tombstones", str(tmp_path / "mails.mbox"),
        "--anchor", str(tmp_path / "today.mbox"), typed=typed,
    )  # fmt: skip

    assert done.exit_code == 1
    assert "tombstones" in done.stderr
    assert console(where, "queue", "ondersteuning").stderr.startswith("closed:")


@pytest.mark.parametrize("answers", [["n"], ["y", "open"], ["y", ""]])
def test_nobody_opens_it_by_mistake(ready, lost, console, tmp_path, answers):
    where = tmp_path / "new machine"
    typed = [*keys(ready.instance), *typed_lines(ready.custody.backup_seed), *answers, "nee"]

    done = console(
        where, "restore", str(tmp_path / "yesterday.wmb"), "--tombstones", str(tmp_path / "mails.mbox"), typed=typed
    )

    assert done.exit_code == 1
    assert "Still closed." in done.output


def test_a_slip_in_typing_costs_nothing(ready, lost, console, tmp_path):
    where, backup = tmp_path / "new machine", str(tmp_path / "yesterday.wmb")
    right = [*keys(ready.instance), *typed_lines(ready.custody.backup_seed)]
    for place in range(0, 6, 2):
        slipped = [*right]
        slipped[place] = slipped[place].replace(slipped[place][0], "f" if slipped[place][0] != "f" else "0", 1)
        refused = console(where, "restore", backup, typed=slipped)
        assert refused.exit_code == 1
        assert not where.exists() or not list(where.iterdir())
    assert "and closed" in console(where, "restore", backup, typed=right).output


def test_a_desk_that_never_kept_a_checkpoint_says_so_itself(ready, lost, console, tmp_path):
    where, backup = tmp_path / "new machine", str(tmp_path / "yesterday.wmb")
    typed = [*keys(ready.instance), *typed_lines(ready.custody.backup_seed), "y", "OPEN"]

    done = console(where, "restore", backup, "--no-anchor", typed=typed)

    assert done.exit_code == 0, done.output
    assert "geen extern anker" in done.output


def test_an_open_instance_is_not_restored_over(ready, console):
    refused = console(ready.instance.settings.instance, "restore")

    assert refused.exit_code == 2
    assert "is open" in refused.stderr
