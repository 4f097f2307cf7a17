"""T22. No word that a visitor sends, and none that a fault carries, stands in any line of any log."""

import io
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

CANARY = "kanarie-{}-zx"
SECRET = re.compile(r"kanarie|%6Banarie|a2FuYXJpZ", re.IGNORECASE)
HEADERS = ("User-Agent", "Referer", "X-Forwarded-For", "X-Real-IP", "Forwarded", "Accept-Language", "X-Request-Id",
           "Origin", "Authorization", "From", "If-None-Match", "Range")  # fmt: skip


@pytest.fixture
def everything():
    """All that any logger says, at its most talkative, with traces."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s %(pathname)s %(args)s"))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def lines_with_canary(written):
    return [line for line in written.getvalue().splitlines() if SECRET.search(line)]


def test_the_scan_finds_a_canary_that_is_logged(everything):
    """The control: what is looked for is found when it is there."""
    logging.getLogger("meldpunt.requests").info("asked for %s", CANARY.format("control"))

    assert len(lines_with_canary(everything)) == 1


def requests_of(app):
    """Every route with a canary in each part of its path, in the query and in every field of a form."""
    for rule in app.url_map.iter_rules():
        values = {name: CANARY.format(name) for name in rule.arguments}
        try:
            built = rule.build(values, append_unknown=False)
        except ValueError:  # a converter that takes its own words only
            continue
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, built[1]


FIELDS = ("text", "note", "message", "narrative", "login", "password", "code", "name", "typed", "reason", "words",
          "zaak", "again", "purpose", "owner_number", "claim", "receipt", "next", "csrf_token", "step",
          "kind")  # fmt: skip
FORM = {name: CANARY.format(name) for name in FIELDS}


def test_nothing_of_a_path_a_query_a_header_a_cookie_or_a_form_stands_in_a_log(app, ready, sign_in, everything):
    clients = [app.test_client(), sign_in(app.test_client(), ready.first("ondersteuning"))]
    clients.append(sign_in(app.test_client(), ready.people.auditor()))
    everything.truncate(0)
    answered = 0
    for client in clients:
        client.set_cookie("vreemd", CANARY.format("cookie"))
        page = client.get("/account").get_data(as_text=True)
        page = page if "csrf_token" in page else client.get("/inloggen").get_data(as_text=True)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
        for endpoint, method, path in requests_of(app):
            if endpoint in ("signin.out", "home.leave", "receipt.leave"):  # these end the visit
                continue
            answer = client.open(
                f"{path}?{'&'.join(f'{name}={CANARY.format(name)}' for name in FIELDS)}", method=method,
                headers={name: CANARY.format(name) for name in HEADERS if name != "Origin"},
                data=FORM | {"csrf_token": token} if method == "POST" else None,
            )  # fmt: skip
            answer.close()
            answered += 1

    assert answered > 200
    assert everything.getvalue().count("ms ") >= answered  # each request has its line
    assert lines_with_canary(everything) == []


@pytest.mark.parametrize("where", ["view", "before", "after", "template", "database"])
def test_nothing_that_a_fault_carries_stands_in_a_log(app, client, everything, monkeypatch, where):
    from sqlalchemy.exc import OperationalError

    word, inner = CANARY.format("exception"), ValueError(CANARY.format("cause"))

    def broken(*_args, **_more):
        held = CANARY.format("local variable")
        try:
            raise inner
        except ValueError as cause:
            raise RuntimeError(word, held) from cause

    def refused(*_args, **_more):
        raise OperationalError(f"SELECT '{word}'", {"value": word}, Exception(word))

    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    if where == "before":
        app.before_request_funcs.setdefault(None, []).append(broken)
    elif where == "after":
        app.after_request_funcs.setdefault(None, []).insert(0, broken)
    elif where == "template":
        app.jinja_env.filters["moment"] = broken
        app.jinja_env.globals["asset"] = broken
    else:
        app.view_functions["home.danger"] = refused if where == "database" else broken

    client.get("/", headers={"User-Agent": CANARY.format("agent")})

    assert lines_with_canary(everything) == []
    assert re.search(r"fault|RuntimeError|database", everything.getvalue())


def test_a_clock_whose_work_fails_says_the_kind_and_not_the_words(instance, everything, monkeypatch):
    from weerbaar_meldpunt.jobs import schedule

    def broken():
        raise RuntimeError(CANARY.format("job"))

    schedule.safely("the chase", broken)()

    assert lines_with_canary(everything) == []
    assert "the chase failed (RuntimeError)" in everything.getvalue()


def test_the_database_writes_no_values_into_its_faults(instance):
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    with instance.readings() as session, pytest.raises(DBAPIError) as fault:
        session.execute(text("SELECT :word FROM no_such_table"), {"word": CANARY.format("parameter")})

    assert not SECRET.search(str(fault.value))


# --- the real server -----------------------------------------------------------------------------------------------

RAW = [
    "GET /{c} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {c}\r\n\r\n",
    "{c} / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET / {c}\r\nHost: localhost\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {c}\r\n{c}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\n{c} : {c}\r\n\r\n",
    "POST /inloggen HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 80\r\n\r\nlogin={c}&password={c}&csrf_token={c}",
    "POST /inloggen HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: {c}\r\n\r\n{c}",
    "POST /melden/verhaal HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{c}\r\n0\r\n\r\n",
    "GET /uitnodiging/{c} HTTP/1.1\r\nHost: localhost\r\nCookie: wmp={c}\r\n\r\n",
    "{c}\r\n\r\n",
    "GET /%ff{c}%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
]


@pytest.mark.slow
def test_the_real_server_writes_nothing_of_what_it_was_sent(instance, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path / "serve.log"
    environment = os.environ | {"MELDPUNT_INSTANCE": str(instance.settings.instance)}
    with log.open("wb") as written:
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name("meldpunt")), "serve", "--port", str(port), "--workers", "1"],
            env=environment, cwd=tmp_path, stdout=written, stderr=written,
        )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while "200" not in answer_to(port, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"):
            assert server.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        for number, raw in enumerate(RAW):
            answer_to(port, raw.replace("{c}", CANARY.format(number)))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)

    lines = log.read_text(errors="replace")
    assert "home.danger 200" in lines
    assert not [line for line in lines.splitlines() if SECRET.search(line)]


def answer_to(port, text):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sender:
            sender.sendall(text.encode("latin-1"))
            sender.settimeout(3)
            return sender.recv(4096).decode("latin-1")
    except OSError:
        return ""
