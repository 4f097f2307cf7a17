"""A real desk for a real browser: the server as it is run, Debian's Chromium, people with passwords at full cost."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import visiting
from weerbaar_meldpunt.actions.instance import create_instance


@dataclass
class Desk:
    """The running server, its people, and where everything it writes stands."""

    address: str
    ready: Any
    folder: Path

    @property
    def places(self) -> list[Path]:
        """Every folder in which something of a report could be left behind."""
        return [self.folder / name for name in ("instance", "temporary", "log")]


@pytest.fixture(scope="session")
def desk(tmp_path_factory, ready_maker):
    """The server, started with the documented command on a demonstration instance; stopped at the end."""
    folder = tmp_path_factory.mktemp("des k")
    for name in ("temporary", "log"):
        (folder / name).mkdir()
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    address = f"http://localhost:{port}"
    now = datetime.now(UTC)
    instance = create_instance(folder / "instance", now=now, demonstration=True)
    ready = ready_maker(instance, now=now)
    environment = {
        **os.environ,
        "MELDPUNT_INSTANCE": str(folder / "instance"),
        "MELDPUNT_BASE_URL": address,
        "TMPDIR": str(folder / "temporary"),
    }
    meldpunt = str(Path(sys.executable).with_name("meldpunt"))
    with (folder / "log" / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            [meldpunt, "serve", "--port", str(port)], env=environment, cwd=folder, stdout=log, stderr=log
        )
    try:
        wait_for(address, server)
        yield Desk(address, ready, folder)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
        instance.engine.dispose()


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Until the first answer."""
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server does not answer")


@pytest.fixture
def visit(chromium, desk, request):
    """A new visitor's page; `scripts` and `width` to choose. Any fault in the console fails the test."""
    # A page that is refused on purpose is an error line of the browser's too; those name a status.
    with visiting(chromium, desk.address, allowed="the server responded with a status of 4", patience=20_000) as opened:
        yield lambda *, scripts=True, width=1280: opened(width=width, scripts=scripts, height=900)
    log = (desk.folder / "log" / "serve.log").read_text("utf-8")
    assert [line for line in log.splitlines() if " fault " in line] == []
