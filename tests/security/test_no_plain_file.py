"""T8. While 3 MB of evidence comes in, no file holds a word of it: not for a moment, not in memory files, not deleted.

Watched in two ways: every file that the server could write is read over and over while the upload runs, also those that
are open and have no name; and where `strace` is installed and may be used, every call that writes is looked at.
"""

import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.signin.served import Browser, served, workers_of
from weerbaar_meldpunt.actions.instance import create_instance

pytestmark = pytest.mark.slow

WORD = b"kanarie-in-de-kolenmijn."
CONTENT = WORD * (3_000_000 // len(WORD))
SHARED = Path("/dev/shm")


@pytest.fixture(scope="module")
def desk(tmp_path_factory, ready_maker):
    """A running server, of which every folder it may write is known."""
    folder = tmp_path_factory.mktemp("watched")
    (folder / "temporary").mkdir()
    instance = create_instance(folder / "instance", now=datetime.now(UTC), demonstration=True)
    ready_maker(instance, now=datetime.now(UTC))
    instance.engine.dispose()
    environment = {"TMPDIR": str(folder / "temporary")}
    with served(folder / "instance", folder / "serve.log", environment=environment) as (port, server):
        yield folder, port, server


class Watch:
    """Reads every file below some folders, and every open file of some processes, until it is stopped."""

    def __init__(self, folders, processes):
        self.folders, self.processes = folders, processes
        self.looks, self.seen, self.found = 0, set(), set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.is_set():
            self.looks += 1
            for path in self._paths():
                with suppress(OSError, ValueError):
                    self.seen.add(path.name)
                    if WORD in path.read_bytes():
                        self.found.add(str(path))

    def _paths(self):
        for folder in self.folders:
            yield from (path for path in folder.rglob("*") if path.is_file())
        for pid in self.processes:
            with suppress(OSError):  # another user's, where we are not root
                for path in Path(f"/proc/{pid}/fd").iterdir():
                    if path.is_file():
                        yield path


def slowly(port, browser):
    """Send the file in 40 pieces within two seconds, as a phone does; answers the status."""
    page = browser.get("/melden/bewijs").get_data(as_text=True)
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)"[^>]*value="([^"]*)"', page))
    edge = b"grens0123456789"
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (edge, name.encode(), value.encode())
        for name, value in hidden.items()
    ]
    head = b'--%s\r\nContent-Disposition: form-data; name="files"; filename="bewijs.txt"\r\n\r\n' % edge
    body = b"".join(parts) + head + CONTENT + b"\r\n--%s--\r\n" % edge
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    request = (
        f"POST /melden/bewijs HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookies}\r\nConnection: close\r\n"
        f"Origin: http://localhost:{port}\r\nContent-Type: multipart/form-data; boundary={edge.decode()}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("localhost", port), timeout=60) as line:
        line.sendall(request.encode())
        step = len(body) // 40 + 1
        for place in range(0, len(body), step):
            line.sendall(body[place : place + step])
            time.sleep(0.05)
        answer = b""
        while piece := line.recv(65536):
            answer += piece
    return int(answer.split(b" ", 2)[1])


def test_no_file_anywhere_holds_a_word_of_it_while_it_comes_in(desk):
    folder, port, server = desk
    folders = [folder, *([SHARED] if SHARED.is_dir() else [])]

    with Watch(folders, [server.pid, *workers_of(server)]) as watch:
        assert slowly(port, Browser(port)) == 303

    assert watch.looks > 5
    assert any(name.endswith(".part") for name in watch.seen)  # it was seen while it came in
    assert watch.found == set()
    blobs = list((folder / "instance" / "blobs").iterdir())
    assert max(path.stat().st_size for path in blobs) > len(CONTENT)


def test_the_same_watch_finds_a_plain_temporary_file_and_one_without_a_name(tmp_path):
    """The control: what werkzeug would do by itself."""
    program = (
        "import sys, tempfile, time\n"
        f"word = {WORD!r}\n"
        "named = open(sys.argv[1] + '/named.tmp', 'wb', buffering=0); named.write(word * 100)\n"
        "nameless = tempfile.TemporaryFile(dir=sys.argv[1], buffering=0); nameless.write(word * 100)\n"
        "print('ready', flush=True); time.sleep(30)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with Watch([tmp_path], [other.pid]) as watch:
            time.sleep(0.3)
        other.kill()

    assert str(tmp_path / "named.tmp") in watch.found
    assert any(path.startswith("/proc/") for path in watch.found)


WRITES = "trace=write,writev,pwrite64,pwritev,pwritev2,memfd_create"


def traced(log, processes):
    return subprocess.Popen(
        ["strace", "-f", "-qq", "-y", "-s", "100000", "-e", WRITES, "-o", log, *(f"-p{pid}" for pid in processes)],
        stderr=subprocess.PIPE,
    )


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed: the watch above stands alone")
def test_no_call_that_writes_carries_a_word_of_it(desk, tmp_path):
    _, port, server = desk
    log = tmp_path / "calls"
    browser = Browser(port)
    browser.get("/melden/bewijs")
    with traced(log, [server.pid, *workers_of(server)]) as tracer:
        time.sleep(1)
        if tracer.poll() is not None:
            pytest.skip("this machine lets nobody trace: the watch above stands alone")
        assert slowly(port, browser) == 303
        tracer.terminate()
        tracer.wait(30)

    calls = log.read_bytes()
    assert b".part>" in calls  # the sealed pieces went by
    assert WORD not in calls
    assert b"memfd_create" not in calls


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed: the watch above stands alone")
def test_the_same_trace_finds_a_plain_write(tmp_path):
    log = tmp_path / "calls"
    program = f"import tempfile; file = tempfile.TemporaryFile(); file.write({WORD!r} * 40); file.flush()"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-y", "-s", "100000", "-e", WRITES, "-o", log, sys.executable, "-c", program],
        check=False, capture_output=True,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("this machine lets nobody trace: the watch above stands alone")

    assert WORD in log.read_bytes()
