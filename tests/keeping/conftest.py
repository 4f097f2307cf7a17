"""A backup of an instance in which everybody can work, and putting it back elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from weerbaar_meldpunt.actions import backup, evidence, reopening, restoring
from weerbaar_meldpunt.actions.instance import PEPPER, SERVER_KEY, Instance, open_instance
from weerbaar_meldpunt.settings import load_settings


@pytest.fixture(autouse=True)
def room_enough(monkeypatch):
    monkeypatch.setattr(evidence, "FREE_FLOOR", 0)


@dataclass
class Keeper:
    """Makes backups of an instance and puts them back, with what lies in the safe."""

    instance: Instance
    folder: Path
    seed: bytes
    made: int = 0

    @property
    def keys(self) -> tuple[bytes, bytes]:
        """Server key and pepper, from the sheet."""
        where = self.instance.settings.instance
        return (where / SERVER_KEY).read_bytes(), (where / PEPPER).read_bytes()

    def backup(self, *, now) -> Path:
        """A backup file of now."""
        self.made += 1
        path = self.folder / f"{self.made}.wmb"
        with backup.backup_file(path) as target:
            done = backup.make_backup(self.instance, target, now=now)
        with self.instance.sessions.begin() as session:
            backup.note_backup(session, self.instance, done, now=now)
        return path

    def open(self, path: Path) -> restoring.Opened:
        """A backup, verified."""
        return restoring.open_backup(path, "backup", self.seed, *self.keys)

    def restore(self, path: Path, *, now, name: str = "restored") -> Instance:
        """A closed instance out of a backup."""
        where = self.folder / name
        restoring.unpack(self.open(path), where, *self.keys, now=now)
        return open_instance(load_settings(where), closed_too=True)


@pytest.fixture
def keeper(ready, tmp_path):
    folder = tmp_path / "safe"
    folder.mkdir()
    return Keeper(ready.instance, folder, ready.custody.backup_seed)


@pytest.fixture
def replayed() -> Callable[..., reopening.Replayed]:
    """Replay tombstones on a closed instance, and open it."""

    def done(restored: Instance, stones, *, now, open_too: bool = True) -> reopening.Replayed:
        with restored.sessions.begin() as session:
            answer = reopening.replay(session, restored, stones, now=now)
        if open_too:
            with restored.sessions.begin() as session:
                reopening.open_for_service(session, restored, now=now)
        return answer

    return done
