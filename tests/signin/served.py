"""The server as it is run, with two workers, and browsers without script that talk to it over the wire."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path

from .conftest import ASIDE, forms_of


class Answer:
    def __init__(self, status, headers, body, took):
        self.status_code, self.headers, self.body, self.took = status, headers, body, took
        self.location = headers.get("Location", "")

    def get_data(self, as_text=False):
        return self.body.decode("utf-8", "replace") if as_text else self.body


class Browser:
    """Cookies, and a new connection for each request, so that either worker may answer."""

    def __init__(self, port):
        self.port, self.cookies = port, {}

    def ask(self, method, path, data=None):
        connection = http.client.HTTPConnection("localhost", self.port, timeout=120)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if data is not None:
            body = urllib.parse.urlencode(data, doseq=True)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        before = time.monotonic()
        try:
            connection.request(method, path, body, headers)
            got = connection.getresponse()
            text = got.read()
        finally:
            connection.close()
        for line in got.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return Answer(got.status, got.headers, text, time.monotonic() - before)

    def get(self, path):
        return self.ask("GET", path)

    def send(self, path, *, of=None, press=None, has=None, **answers):
        """Send the form of a page: the one that has a field of this name."""
        page = self.get(of or path)
        forms = forms_of(page.get_data(as_text=True))
        forms = [form for form in forms if form.action == path] or [one for one in forms if one.action not in ASIDE]
        assert forms, (path, page.status_code)
        wanted = has or next((name for name in answers if name != "csrf_token"), None)
        form = next((form for form in forms if wanted in {one.name for one in form.fields}), forms[0])
        data = {}
        for one in form.fields:
            if one.kind == "file" or (one.kind in ("checkbox", "radio") and not one.checked):
                continue
            data.setdefault(one.name, []).append(one.value.removeprefix("\n") if one.kind == "textarea" else one.value)
        data |= answers
        button = next((one for one in form.buttons if one[1] == press), None) if press else None
        assert button or not press, form.buttons
        if button:
            data[button[0]] = press
        return self.ask("POST", form.action or path, data)

    def password(self, account, password=None, login=None):
        return self.send("/inloggen", login=login or account.login, password=password or account.password)

    def factor(self, code):
        return self.send("/inloggen/code", code=code)

    def is_in(self):
        return self.get("/account").status_code == 200

    def file_report(self):
        """A report without an account; answers how long all of it took."""
        before = time.monotonic()
        one = self.send("/melden/soort", press="verder", **{"incident.kinds": ["doxing"]})
        assert one.status_code == 303, one.get_data(as_text=True)
        two = self.send("/melden/bereiken", press="nakijken", **{"contact.telephone": "0612345678"})
        assert two.status_code == 303, two.get_data(as_text=True)
        page = self.get("/melden/nakijken")
        form = next(form for form in forms_of(page.get_data(as_text=True)) if form.action.endswith("/melden/nakijken"))
        data = {one.name: one.value for one in form.fields if one.kind != "file"}
        done = self.ask("POST", form.action, data)
        assert done.location.endswith("/melden/ontvangen"), done.get_data(as_text=True)
        return time.monotonic() - before


@contextmanager
def served(folder, log, *, environment=None):
    """The documented command on an instance; answers the port and the process."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    told = {
        **os.environ, "MELDPUNT_INSTANCE": str(folder), "MELDPUNT_BASE_URL": f"http://localhost:{port}",
        **(environment or {}),
    }  # fmt: skip
    with log.open("wb") as written:
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name("meldpunt")), "serve", "--port", str(port), "--workers", "2"],
            env=told, cwd=log.parent, stdout=written, stderr=written,
        )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while True:
            try:
                if Browser(port).get("/").status_code == 200:
                    break
            except OSError:
                pass
            assert server.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield port, server
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def workers_of(server):
    """The processes that answer."""
    found = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return [int(pid) for pid in found]
