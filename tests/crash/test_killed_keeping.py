"""T18. Killed (-9) while backing up and while putting a backup back: nothing half is ever taken for a whole."""

import pytest
from sqlalchemy import func, select

from weerbaar_meldpunt.actions import evidence, reopening, restoring
from weerbaar_meldpunt.actions.errors import InstanceFault
from weerbaar_meldpunt.actions.founding import sheet_words
from weerbaar_meldpunt.actions.instance import open_instance
from weerbaar_meldpunt.actions.restoring import RestoreFault
from weerbaar_meldpunt.settings import load_settings
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.keeping import Backup

pytestmark = pytest.mark.slow
MELDPUNT = ("-m", "weerbaar_meldpunt")


@pytest.fixture
def desk(ready, file, clock):
    """A desk with cases and files."""
    for place in range(3):
        upload = evidence.open_upload(ready.instance)
        upload.write(b"bewijs" * 20_000)
        file({"narrative": f"zaak {place}"}, files=[upload.finish("bewijs.txt", now=clock.now)])
    ready.instance.engine.dispose()
    return ready.instance


def keys(desk):
    folder = desk.settings.instance
    return (folder / "server.key").read_bytes(), (folder / "pepper.key").read_bytes()


def read(path, desk, seed):
    return restoring.open_backup(path, "backup", seed, *keys(desk))


def backups(desk):
    with desk.readings() as session:
        return session.scalar(select(func.count()).select_from(Backup))


@pytest.mark.parametrize("die_at", ["backup/rows", "backup/rows:9", "backup/blobs", "backup/unfinished"])
def test_a_backup_that_was_cut_off_is_no_backup(desk, ready, dying, whole, tmp_path, die_at):
    path, where = tmp_path / "backup.wmb", desk.settings.instance

    dying(*MELDPUNT, "backup", "--out", path, die_at=die_at, where=where)

    assert not path.exists()
    left = path.with_name("backup.wmb.unfinished")
    with pytest.raises(RestoreFault, match=r"unfinished or damaged|no backup"):
        read(left, desk, ready.custody.backup_seed)
    assert backups(desk) == 0  # and doctor does not count it
    assert whole() == 3
    dying(*MELDPUNT, "backup", "--out", path, where=where)
    assert read(path, desk, ready.custody.backup_seed).size
    assert not left.exists()
    assert backups(desk) == 1


def test_one_that_was_whole_and_had_no_name_yet_can_still_be_used(desk, ready, dying, tmp_path):
    path = tmp_path / "backup.wmb"

    dying(*MELDPUNT, "backup", "--out", path, die_at="backup/unnamed", where=desk.settings.instance)

    assert not path.exists()
    assert read(path.with_name("backup.wmb.unfinished"), desk, ready.custody.backup_seed).size


def typed(desk, ready, *more, keys_there=False):
    """What the operator types; keys that lie in the folder already are not asked."""
    secrets = (*(() if keys_there else keys(desk)), ready.custody.backup_seed)
    return "".join(f"{line}\n" for line in (*(sheet_words(one) for one in secrets), *more))


@pytest.mark.parametrize(
    "die_at",
    ["restore/begun", "restore/rows", "restore/rows:20", "restore/blob", "restore/blob:3", "restore/filled",
     "restore/committed"],
)  # fmt: skip
def test_a_restore_that_was_cut_off_serves_nothing_and_the_same_call_ends_it(
    desk, ready, dying, whole, tmp_path, die_at
):
    path, where = tmp_path / "backup.wmb", tmp_path / "restored"
    dying(*MELDPUNT, "backup", "--out", path, where=desk.settings.instance)
    words = (*MELDPUNT, "restore", path, "--no-anchor")

    dying(*words, die_at=die_at, given=typed(desk, ready), where=where)

    for closed_too in (False, True):
        with pytest.raises(InstanceFault, match="did not end"):
            open_instance(load_settings(where), closed_too=closed_too)
    dying(*words, given=typed(desk, ready, "y", "OPEN", keys_there=die_at != "restore/begun"), where=where)
    restored = open_instance(load_settings(where))
    assert whole(restored) == 3
    assert len(list(restored.blobs.iterdir())) == 3
    restored.engine.dispose()


@pytest.mark.parametrize(
    ("die_at", "replayed"), [("restore/replayed", False), ("leaf/rows-written", False), ("replay/committed", True)]
)
def test_killed_while_tombstones_are_replayed_it_stays_closed(
    desk, ready, dying, act, whole, tmp_path, clock, die_at, replayed
):
    path, where = tmp_path / "backup.wmb", tmp_path / "restored"
    dying(*MELDPUNT, "backup", "--out", path, where=desk.settings.instance)
    restoring.unpack(read(path, desk, ready.custody.backup_seed), where, *keys(desk), now=clock.now)
    restored = open_instance(load_settings(where), closed_too=True)
    replays = select(func.count()).where(Leaf.action == "teruggezet")

    act("replay", die_at=die_at, instance=restored)

    with pytest.raises(InstanceFault, match="closed"):
        open_instance(load_settings(where))
    with restored.readings() as session:
        assert session.scalar(replays) == replayed
    act("replay", instance=restored)
    with restored.sessions.begin() as session:
        reopening.open_for_service(session, restored, now=clock.now)
    assert whole(restored) == 3
    restored.engine.dispose()
