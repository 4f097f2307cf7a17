"""Calling `meldpunt` as an operator does, in this process."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner

from weerbaar_meldpunt.cli import main


@dataclass
class Outcome:
    """What a call gave."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Call `meldpunt` with these words; `given` is standard input, `where` the instance folder."""

    def called(*words: str, given: str | None = None, where: Any = None) -> Outcome:
        monkeypatch.setenv("MELDPUNT_INSTANCE", str(where or tmp_path / "nowhere"))
        result = CliRunner().invoke(main, list(words), input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return called
