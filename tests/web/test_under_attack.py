"""The desk stays open for others while somebody is slow, holds the database or sends what is no request."""

import contextlib
import io
import logging
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore

import pytest

from weerbaar_meldpunt.actions.evidence import open_upload, plain_pieces
from weerbaar_meldpunt.web import patience, sessions
from weerbaar_meldpunt.web.guards import safe_next
from weerbaar_meldpunt.web.patience import NoRoom, PatientSocket
from weerbaar_meldpunt.web.uploads import MOST_PARTS

WORD = "zonnebloemveld"
SLOW = 60  # more than the forty-eight threads of a desk
UPLOAD = (
    "POST /melden/bewijs HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=XX\r\n"
    "Content-Length: 200000000\r\n\r\n--XX\r\n"
)
SMALL_FORM = (
    "POST /inloggen HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 60000\r\n\r\nlogin="
)
UNREAD = "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000000\r\n\r\n"


# --- a desk of its own, with a real server -------------------------------------------------------------------------


@dataclass
class Served:
    """A desk that is served, and its log."""

    port: int
    log: Path

    def get(self, path: str = "/") -> tuple[int, float]:
        """A page, and how many seconds it took."""
        before = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            answer.read()
            return answer.status, time.monotonic() - before

    def with_cookie(self, opening: str) -> str:
        """The same from a browser that has a page with a form open, so that its body is read."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/inloggen", timeout=30) as answer:
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return opening.replace("Host: localhost", f"Host: localhost\r\nCookie: {cookie}")

    def send(self, text: str) -> str:
        """What comes back on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port)) as sender:
            sender.settimeout(20)
            sender.sendall(text.encode())
            return sender.recv(65536).decode()


@pytest.fixture
def served(instance, tmp_path) -> Iterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path / "serve.log"
    environment = os.environ | {"MELDPUNT_INSTANCE": str(instance.settings.instance)}
    with log.open("wb") as written:
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name("meldpunt")), "serve", "--port", str(port)],
            env=environment, cwd=tmp_path, stdout=written, stderr=written,
        )  # fmt: skip
    desk = Served(port, log)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                desk.get()
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < until, log.read_text()
                time.sleep(0.2)
        yield desk
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def soon(true: Callable[[], bool]) -> bool:
    """Whether something comes true within five seconds."""
    until = time.monotonic() + 5
    while not (found := true()) and time.monotonic() < until:
        time.sleep(0.2)
    return found


@contextlib.contextmanager
def dribbling(port: int, opening: str, *, every: float = 1.0) -> Iterator[list[socket.socket]]:
    """Connections that each send an opening and then one byte at a time."""
    held, over = [], threading.Event()
    for _ in range(SLOW):
        one = socket.create_connection(("127.0.0.1", port))
        one.sendall(opening.encode())
        held.append(one)

    def feed() -> None:
        while opening and not over.wait(every):
            for one in held:
                with contextlib.suppress(OSError):
                    one.sendall(b"a")

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    try:
        yield held
    finally:
        over.set()
        feeder.join()
        for one in held:
            one.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("opening", "every"),
    [
        (UPLOAD, 1.0),
        (UPLOAD, 0.1),
        ("cookie " + UPLOAD, 1.0),
        (SMALL_FORM, 1.0),
        (UNREAD, 1.0),
        ("GET / HTTP/1.1\r\nX-Slow: a", 1.0),
        ("", 1.0),
    ],
    ids=[
        "uploads",
        "busier uploads",
        "uploads of who has a form open",
        "small forms",
        "bodies nobody asked for",
        "headers",
        "silence",
    ],
)
def test_the_first_page_answers_while_slow_senders_dribble(served, opening, every):
    if opening.startswith("cookie "):
        opening = served.with_cookie(opening.removeprefix("cookie "))

    with dribbling(served.port, opening, every=every):
        time.sleep(1)
        answers = []
        for _ in range(4):
            answers.append(served.get("/"))
            time.sleep(0.5)

    assert [status for status, _ in answers] == [200] * 4
    # Without the limits there is no answer at all while they dribble; the width is for a busy machine.
    assert max(seconds for _, seconds in answers) < 20
    assert soon(lambda: served.send(UPLOAD.replace("200000000", "100000") + "a" * 100_000).startswith("HTTP/1.1 400"))
    assert "Traceback" not in served.log.read_text()


@pytest.mark.slow
def test_uploads_too_many_are_told_so_and_their_connection_ends_while_the_others_go_on(served):
    answers = []
    with dribbling(served.port, served.with_cookie(UPLOAD)) as held:
        time.sleep(2)
        for one in held:
            one.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                answers.append(one.recv(65536).decode())

    assert SLOW / 2 < len(answers) < SLOW  # two workers wait for four each
    for answer in answers:
        assert answer.startswith("HTTP/1.1 503")
        assert "Retry-After: 10" in answer
        assert "Connection: close" in answer
        assert "tel:112" in answer


@pytest.mark.slow
def test_a_large_body_is_refused_with_a_page_that_its_sender_gets_to_see(served):
    with socket.create_connection(("127.0.0.1", served.port)) as sender:
        sender.settimeout(20)
        sender.sendall(UPLOAD.replace("200000000", "9000000").encode())
        for _ in range(140):
            sender.sendall(b"a" * 65536)

        answer = sender.recv(65536).decode()

    assert answer.startswith("HTTP/1.1 400")
    assert "Connection: close" in answer


@pytest.mark.slow
def test_the_log_says_nothing_of_what_is_no_request(served):
    nonsense = (f"{WORD}\r\n\r\n", f"GET /{WORD} HTTP/9.9\r\n\r\n", f"GET / HTTP/1.1\r\n{WORD} : x\r\n\r\n")

    answers = [served.send(text) for text in nonsense]

    assert [answer.split()[1] for answer in answers] == ["400"] * 3

    log = served.log.read_text()
    assert WORD not in log
    assert "127.0.0.1" not in log.replace(f"127.0.0.1:{served.port}", "")


# --- the patience of one connection --------------------------------------------------------------------------------


@pytest.fixture
def pair():
    """The sender's end, and ours among two places for slow senders."""
    theirs, ours = socket.socketpair()
    slots = BoundedSemaphore(1)
    patient = PatientSocket.around(ours, slots)
    patient.begin()
    patient.begin_body(lambda: None)
    yield theirs, patient, slots
    theirs.close()
    patient.end()
    patient.close()


def quick(patch: pytest.MonkeyPatch) -> None:
    """The same rules in a tenth of the time."""
    patch.setattr(patience, "GRACE", 0.6)
    patch.setattr(patience, "STALL", 0.4)
    patch.setattr(patience, "UNHELD", 0.05)


def dribble(theirs: socket.socket, pieces: int, piece: bytes, every: float) -> threading.Thread:
    def feed() -> None:
        for _ in range(pieces):
            time.sleep(every)
            with contextlib.suppress(OSError):
                theirs.sendall(piece)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    return feeder


@pytest.mark.slow
def test_a_phone_on_a_bad_line_gets_through(pair, monkeypatch):
    quick(monkeypatch)
    theirs, patient, _ = pair
    feeder = dribble(theirs, 15, b"a" * 400, 0.1)  # 4 KB a second

    received = b""
    while len(received) < 6000:
        received += patient.recv(8192)

    feeder.join()
    assert len(received) == 6000


@pytest.mark.slow
def test_who_sends_a_byte_now_and_then_is_let_go(pair, monkeypatch):
    quick(monkeypatch)
    theirs, patient, slots = pair
    feeder = dribble(theirs, 20, b"a", 0.1)
    before = time.monotonic()

    with pytest.raises(NoRoom):
        while True:
            patient.recv(8192)

    assert time.monotonic() - before < 1.9  # twenty bytes would take two seconds
    patient.end()
    assert slots.acquire(blocking=False)
    slots.release()
    feeder.join()


def test_who_sends_nothing_any_more_is_let_go(pair, monkeypatch):
    quick(monkeypatch)
    theirs, patient, _ = pair
    theirs.sendall(b"a" * 8000)  # quick enough for the average of many seconds
    assert len(patient.recv(8192)) == 8000

    with pytest.raises(NoRoom):
        patient.recv(8192)


def test_a_slow_sender_is_not_waited_for_when_all_places_are_taken(pair, monkeypatch):
    quick(monkeypatch)
    _, patient, slots = pair
    slots.acquire()

    before = time.monotonic()
    with pytest.raises(NoRoom):
        patient.recv(8192)

    assert time.monotonic() - before < 4
    assert not patient.hold()
    slots.release()


def test_what_is_there_already_needs_no_place(pair):
    theirs, patient, slots = pair
    slots.acquire()
    theirs.sendall(b"a" * 1000)

    assert len(patient.recv(8192)) == 1000
    slots.release()


def test_headers_that_are_too_slow_end_the_connection_without_a_fault(pair, monkeypatch):
    quick(monkeypatch)
    _, patient, _ = pair
    patient.end_body()

    with pytest.raises(ConnectionResetError):
        patient.recv(8192)


@pytest.mark.slow
def test_who_does_not_take_the_answer_does_not_keep_a_thread(pair, monkeypatch):
    monkeypatch.setattr(patience, "SENDING", 0.2)
    monkeypatch.setattr(patience, "SLOWEST", 2**30)
    _, patient, _ = pair

    with pytest.raises(ConnectionResetError):
        patient.sendall(b"a" * 20_000_000)


class _Watched(io.BytesIO):
    asked = 0

    def read(self, *size: int) -> bytes:
        self.asked += 1
        return super().read(*size)


def test_a_large_body_of_who_has_no_page_of_ours_open_is_not_read(client):
    body = _Watched(b"--XX\r\n" * 1000)

    answer = client.post(
        "/melden/bewijs",
        input_stream=body, content_length=200_000_000, content_type="multipart/form-data; boundary=XX",
    )  # fmt: skip

    assert answer.status_code == 400
    assert body.asked == 0


def test_words_of_who_has_no_page_of_ours_open_are_given_back(client):
    answer = client.post("/terug", data={"text": f"Ik stond bij het {WORD} te wachten."})

    assert answer.status_code == 400
    assert WORD in answer.get_data(as_text=True)


def test_the_page_with_words_given_back_has_no_value_of_the_form_itself(client):
    own = ("_form", "_draft", "_page", "_revision", "form", "seen", "blob", "user_id", "next", "csrf_token")
    marks = {name: f"{name.strip('_')}-0123456789abcdef0123456789abcdef" for name in own}

    page = client.post("/terug", data=marks | {"text": f"Ik stond bij het {WORD}."}).get_data(as_text=True)

    assert WORD in page
    assert [value for value in marks.values() if value in page] == []


# --- somebody holds the database -----------------------------------------------------------------------------------


@contextlib.contextmanager
def database_held(instance) -> Iterator[None]:
    """Another program is writing all the time."""
    other = sqlite3.connect(instance.settings.instance / "meldpunt.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_a_signed_in_page_comes_soon_while_somebody_else_writes(app, people, sign_in, clock, instance, caplog):
    client = sign_in(app.test_client(), people.reporter())
    clock.forward(minutes=2)  # the idle limit is kept at most once a minute

    before = time.monotonic()
    with database_held(instance), caplog.at_level(logging.INFO):
        answer = client.get("/account")

    assert answer.status_code == 200
    assert time.monotonic() - before < 4
    assert not any(record.exc_info for record in caplog.records)


def test_an_idle_limit_is_kept_again_after_the_database_was_held(app, people, sign_in, clock, instance):
    client = sign_in(app.test_client(), people.reporter())
    clock.forward(minutes=20)
    with database_held(instance):
        client.get("/account")
    client.get("/account")
    clock.forward(minutes=20)

    assert client.get("/account").status_code == 200


def test_the_way_out_is_at_once_while_somebody_else_writes(app, people, sign_in, instance):
    client = sign_in(app.test_client(), people.reporter())

    before = time.monotonic()
    with database_held(instance):
        answer = client.get("/snel-weg")

    assert answer.status_code == 303
    assert time.monotonic() - before < 4  # the database itself would wait five seconds
    assert client.get_cookie("wmp") is None
    assert client.get("/account").status_code == 303


def test_the_way_out_ends_the_session_for_a_copied_cookie_too(app, people, sign_in):
    client, copy = sign_in(app.test_client(), people.reporter()), app.test_client()
    copy.set_cookie("wmp", client.get_cookie("wmp").value)

    client.get("/snel-weg")

    assert copy.get("/account").status_code == 303


def test_a_hurried_transaction_leaves_its_connection_as_patient_as_the_others(instance):
    from weerbaar_meldpunt.actions.instance import hasty_transaction

    with hasty_transaction(instance):
        pass

    with instance.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000


def test_a_fault_outside_every_page_is_one_line_without_words_or_path(app, client, caplog, monkeypatch):
    app.testing = False
    from weerbaar_meldpunt.web import errors

    errors.register(app)

    def broken(*_: object) -> None:
        raise RuntimeError(WORD)

    monkeypatch.setattr(sessions.SealedSessions, "save_session", broken)

    with caplog.at_level(logging.INFO):
        answer = client.get(f"/uitnodiging/{WORD}")

    assert answer.status_code == 500
    assert "RuntimeError at " in caplog.text
    assert WORD not in caplog.text
    assert "Traceback" not in caplog.text


# --- where signing in leads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\t/evil.example/x",
        "/\n/evil.example",
        "/\r/evil.example",
        "/\x00/evil.example",
        "/\u2028/evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "///evil.example",
        "https://evil.example",
        "evil.example",
        "//[evil",
        "",
        None,
    ],
)
def test_signing_in_leads_to_no_other_site(path):
    assert safe_next(path) is None


@pytest.mark.parametrize("path", ["/werk", "/zaak/WM-2345-6789?x=1", "/"])
def test_signing_in_leads_back_to_where_somebody_was(path):
    assert safe_next(path) == path


def test_a_tab_in_the_address_of_the_sign_in_page_leads_nowhere(client):
    page = client.get("/inloggen?next=/%09/evil.example/x").get_data(as_text=True)

    assert "evil.example" not in page


# --- many small files ----------------------------------------------------------------------------------------------


def open_handles() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_files_that_came_in_hold_no_handle_until_the_form_is_dealt_with(instance, clock):
    before, uploads = open_handles(), []
    for number in range(30):
        upload = open_upload(instance)
        upload.write(b"%d" % number)
        upload.seek(0)
        uploads.append(upload)

    assert open_handles() == before
    kept = uploads[7].finish("a.txt", now=clock.now)
    assert b"".join(plain_pieces(instance, kept)) == b"7"
    for upload in uploads:
        upload.close()
    assert [blob.name for blob in instance.blobs.iterdir()] == [kept.blob_id.hex()]


def test_files_beyond_what_a_form_may_bring_are_named_and_leave_nothing(app, ready, form_token):
    client = app.test_client()
    files = [(io.BytesIO(b"x%d" % number), f"foto{number}.txt") for number in range(MOST_PARTS + 3)]

    answer = client.post("/melden/bewijs", data={"csrf_token": form_token(client, "/melden/bewijs"), "files": files})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert re.search(rf"foto{MOST_PARTS}\.txt past er niet meer bij", page)
    assert len(list(ready.instance.blobs.iterdir())) == MOST_PARTS


# --- the process ---------------------------------------------------------------------------------------------------

PROCESS = """
import ctypes, pathlib, resource, sys
try:
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (int(sys.argv[1]), int(sys.argv[1])))
except (ValueError, OSError):
    pass
from weerbaar_meldpunt.actions.instance import harden_process
harden_process()
bytearray(64 * 1024 * 1024)
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)[0],
      (resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == -1)
      == ("VmLck:\\t       0 kB" not in pathlib.Path("/proc/self/status").read_text()))
"""


@pytest.mark.slow
@pytest.mark.parametrize("limit", [8 * 1024 * 1024, -1])
def test_no_other_program_looks_into_ours_and_a_limit_on_locked_memory_kills_nothing(limit):
    ran = subprocess.run([sys.executable, "-c", PROCESS, str(limit)], capture_output=True, text=True, check=False)

    assert ran.stderr == ""
    assert ran.stdout.split() == ["0", "0", "True"]
