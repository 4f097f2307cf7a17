"""Walking through the door without script, and a passkey made of software for what needs no browser."""

import base64
import hashlib
import importlib.util
import json
import re
import secrets
import struct
from dataclasses import dataclass, field
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from weerbaar_meldpunt.actions import signin, throttle
from weerbaar_meldpunt.actions.people import normal_login
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.seal import Binding, open_json

ORIGIN, RP = "http://localhost:8000", "localhost"


def token_of(answer):
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.get_data(as_text=True))
    assert found, answer.get_data(as_text=True)[:500]
    return found.group(1)


@dataclass
class Door:
    """One browser at the door."""

    client: object

    def password(self, login, password, *, page="/inloggen", **more):
        token = token_of(self.client.get("/inloggen"))
        data = {"csrf_token": token, "login": login, "password": password, **more}
        return self.client.post(page, data=data)

    def factor(self, code="", **more):
        page = self.client.get("/inloggen/code")
        if page.status_code != 200:
            return page
        return self.client.post("/inloggen/code", data={"csrf_token": token_of(page), "code": code, **more})

    def post(self, path, *, of=None, **data):
        """Send a form of the page `of`."""
        page = self.client.get(of or path)
        return self.client.post(path, data={"csrf_token": token_of(page), **data})

    def is_in(self):
        return self.client.get("/account").status_code == 200


@pytest.fixture
def door(app):
    """A new browser."""
    return lambda: Door(app.test_client())


@pytest.fixture
def in_by(app, sign_in):
    """A browser in which somebody is signed in."""
    return lambda account: Door(sign_in(app.test_client(), account))


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class SoftKey:
    """An authenticator of software: one key, a counter, and a say in what it signs."""

    count: int = 0
    steps: bool = True  # whether its counter goes on
    verified: bool = True
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def _data(self, rp, attested=b""):
        if self.steps:
            self.count += 1
        flags = 0x01 | (0x04 if self.verified else 0) | (0x40 if attested else 0)
        return hashlib.sha256(rp.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count) + attested

    def _client(self, kind, challenge, origin):
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()

    def create(self, options, *, origin=ORIGIN, rp=RP):
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._data(rp, attested)})
        client = self._client("webauthn.create", options["challenge"], origin)
        return self._answer(clientDataJSON=b64(client), attestationObject=b64(made), transports=[])

    def get(self, options, *, origin=ORIGIN, rp=RP):
        data = self._data(rp)
        client = self._client("webauthn.get", options["challenge"], origin)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=b64(client), authenticatorData=b64(data), signature=b64(signature), userHandle=None
        )

    def _answer(self, **response):
        return json.dumps(
            {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": response,
             "clientExtensionResults": {}}
        )  # fmt: skip


def options_of(answer):
    """What a page asks of the browser's passkey."""
    import html

    found = re.search(r'data-options="([^"]+)"', answer.get_data(as_text=True))
    assert found, answer.get_data(as_text=True)[:1500]
    return json.loads(html.unescape(found.group(1)))


@pytest.fixture
def soft_key():
    return SoftKey


@pytest.fixture
def add_passkey():
    """Make a passkey on the account page of a browser that is signed in."""

    def added(door, key, **more):
        page = door.client.get("/account/passkeys")
        made = key.create(options_of(page), **more)
        return door.client.post(
            "/account/passkeys", data={"csrf_token": token_of(page), "passkey": made, "name": "werktelefoon"}
        )

    return added


def _forms_of():
    """The reader of forms that the access matrix has."""
    where = Path(__file__).parents[1] / "security" / "conftest.py"
    spec = importlib.util.spec_from_file_location("forms_of_security", where)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module  # a dataclass asks its module for its names
    spec.loader.exec_module(module)
    return module.forms_of


forms_of = _forms_of()
ASIDE = ("/uitloggen", "/account/blijven", "/inloggen/passkey")


def go_on(door, page, **answers):
    """Send the form of a page as a browser without script does: line ends as two characters."""
    form = next(form for form in forms_of(page.get_data(as_text=True)) if form.action not in ASIDE)
    data = {}
    for one in form.fields:
        if one.kind in ("checkbox", "radio") and not one.checked:
            continue
        # The first line break after the tag is not there for a browser.
        value = one.value.removeprefix("\n") if one.kind == "textarea" else one.value
        data.setdefault(one.name, []).append(value.replace("\r\n", "\n").replace("\n", "\r\n"))
    data |= {name: [value] for name, value in answers.items()}
    return door.client.post(form.action or page.request.path, data=data)


WRONG = "heel iets anders dan dat"
NOBODY = "niemand@voorbeeld.test"


def counted(instance, login):
    counter = throttle.counter_of_name(instance, normal_login(login))
    with instance.readings() as session:
        return throttle.failures(session, counter)


def besiege(instance, login, count, now):
    """What so many outsiders leave behind."""
    with instance.sessions.begin() as session:
        for _ in range(count):
            signin.note_failure(session, instance, login, now=now)


def mails(instance):
    with instance.readings() as session:
        return [
            open_json(instance.server.seal, row.sealed, Binding("outbox", None, row.id, 1))
            for row in session.scalars(select(Outbox))
        ]


def plain(answer, *names):
    text = answer.get_data(as_text=True)
    for name in names:
        text = text.replace(name, "").replace(name.replace("@", "%40"), "")
    return answer.status_code, re.sub(r'(value|data-options)="[^"]{40,}"', "", text)


def comes_in(door, account, password, clock):
    clock.forward(seconds=31)
    one = door()
    one.password(account.login, password)
    one.factor(account.code(clock.now))
    return one.is_in()


def recovery_code_on(page):
    return re.search(r'id="recovery"[^>]*>(.*?)</p>', page, re.DOTALL).group(1).replace("<wbr>", "").strip()
