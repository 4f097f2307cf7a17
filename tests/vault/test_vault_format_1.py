"""Format 1 for ever: what was sealed once in fixtures/format-1.json still opens, and every derived value is the same.

The file says how it was made. Nothing in it is ever changed: a next format gets a file of its own beside it.
"""

import base64
import hashlib
import io
import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.vault import byhand
from weerbaar_meldpunt.vault import audit
from weerbaar_meldpunt.vault.codes import code_from, read_code, shown_code
from weerbaar_meldpunt.vault.context import context
from weerbaar_meldpunt.vault.files import open_file, verify_file
from weerbaar_meldpunt.vault.keys import (
    FormKeys,
    ReaderKeys,
    ServerKeys,
    TeamKeys,
    account_code,
    session_keys,
    session_owner,
    split,
    user_key_pair,
)
from weerbaar_meldpunt.vault.password import password_key, pepper_id, recovery_key
from weerbaar_meldpunt.vault.pins import Pins
from weerbaar_meldpunt.vault.seal import Binding, SealKey, open_json, open_key
from weerbaar_meldpunt.vault.wrap import Grant, epoch_statement, shown_fingerprint, sign, unwrap, verified

FIXTURES = Path(__file__).parent / "fixtures"
FORMAT = json.loads((FIXTURES / "format-1.json").read_text())
AT = datetime.fromisoformat("2026-11-23T12:30:05.999+01:00")


def key(text):
    """32 bytes named by a text."""
    return hashlib.sha256(text.encode()).digest()


def part(text):
    """A part of a context as the file writes it: `id:` 16 bytes, `hash:` the SHA-256 of such an id, else itself."""
    if isinstance(text, str) and text.startswith("id:"):
        return key(text)[:16]
    if isinstance(text, str) and text.startswith("hash:"):
        return hashlib.sha256(key("id:" + text[5:])[:16]).digest()
    return text


def team(epoch=1):
    return TeamKeys("juridisch", epoch, key(f"key:team {epoch}"))


def reader():
    return ReaderKeys.from_code(code_from(key("receipt")[:17]), part("id:instance"))


PAIRS = {
    "team juridisch 1": lambda: team().pair,
    "stats 1": lambda: TeamKeys("", 1, key("key:stats"), "stats").pair,
    "user 1": lambda: user_key_pair(key("key:user"), part("id:user"), 1),
    "reader": lambda: reader().pair(part("id:case")),
}
RECOVERY_CODE = code_from(key("recovery code")[:17])
FORM = FormKeys(key("key:form"))
SERVER = ServerKeys(key("key:server"))
PINS = Pins.parse(
    f"team juridisch 1 {key('pin 1').hex()}\nteam juridisch 2 {key('pin 2').hex()} sealing\n"
    f"recovery {part('id:instance').hex()} 1 {key('pin 3').hex()} sealing\nstats - 1 {key('pin 4').hex()} sealing\n"
)
ROW = {
    "id": part("id:track"), "team": "juridisch", "n": 3, "unread": True, "due_at": AT, "owner_id": None,
    "sealed": b"\0\1",
}  # fmt: skip
ROW_HASH = audit.row_hash("track", ROW)
ROWS_HASH = audit.rows_hash([("track", part("id:track"), ROW_HASH), ("case_grant", part("id:grant"), b"")])
LEAF = audit.leaf(7, AT, part("id:user"), "geopend", part("id:case"), ROWS_HASH, key("body"))
CHAIN = audit.chain(key("chain 6"), LEAF)

VALUES = {
    "context": lambda: context("seal", b"\0\xff", "één", 10, None, "", 0),
    "seal key id": lambda: SealKey(key("key:ck_A")).id,
    "pepper id": lambda: pepper_id(key("key:pepper")),
    "password key": lambda: password_key(
        " Één wachtwoord ", salt=part("id:salt"), pepper=key("key:pepper"), user_id=part("id:user")
    ).secret,
    "recovery code": lambda: RECOVERY_CODE,
    "recovery code, shown": lambda: shown_code(RECOVERY_CODE).encode(),
    "recovery key": lambda: recovery_key(RECOVERY_CODE, part("id:user")).secret,
    "team sign seed": lambda: team().sign_seed,
    "team roster key": lambda: team().key("roster").secret,
    "team fold key": lambda: team().fold.secret,
    "team segment key": lambda: team().key("segment").secret,
    "stats figures key": lambda: TeamKeys("", 1, key("key:stats"), "stats").key("figures").secret,
    "link fold key": lambda: TeamKeys("", 1, key("key:link"), "link").fold.secret,
    "link fingerprint": lambda: TeamKeys("", 1, key("key:link"), "link").pair.public.fingerprint,
    **{f"{name}: public key, SHA-256": lambda n=name: hashlib.sha256(PAIRS[n]().public.raw).digest() for name in PAIRS},
    **{f"{name}: fingerprint": lambda n=name: PAIRS[n]().public.fingerprint for name in PAIRS},
    "team juridisch 1: fingerprint, shown": lambda: shown_fingerprint(team().pair.public.fingerprint).encode(),
    "epoch statement": lambda: epoch_statement("team", "juridisch", 2, team(2).pair.public.fingerprint),
    "epoch signature": lambda: sign(
        team().sign_seed, epoch_statement("team", "juridisch", 2, team(2).pair.public.fingerprint)
    ),
    "reader lookup": lambda: reader().lookup,
    "reader seed": lambda: reader().seed,
    "reader mac": lambda: reader().mac(part("id:case"), "A", key("key:ck_A")),
    "account code 12": lambda: account_code(key("key:files"), 12),
    "account reader lookup": lambda: ReaderKeys.from_code(
        account_code(key("key:files"), 12), part("id:instance")
    ).lookup,
    "claim lookup": lambda: split(FORM.code("claim"), part("id:instance"), "claim")[0],
    "claim key": lambda: split(FORM.code("claim"), part("id:instance"), "claim")[1].secret,
    "draft lookup": lambda: split(FORM.code("draft"), part("id:instance"), "draft")[0],
    "draft key": lambda: split(FORM.code("draft"), part("id:instance"), "draft")[1].secret,
    "form receipt code": lambda: FORM.code("receipt"),
    "form claim code": lambda: FORM.code("claim"),
    "form draft code": lambda: FORM.code("draft"),
    "form key": lambda: FORM.idempotency_key,
    "session row": lambda: session_keys(key("key:cookie"), part("id:sid"))[0],
    "session key": lambda: session_keys(key("key:cookie"), part("id:sid"))[1].secret,
    "presession key": lambda: session_keys(key("key:cookie"), part("id:sid"), "presession")[1].secret,
    "session owner": lambda: session_owner(key("key:root")),
    "server seal key": lambda: SERVER.seal.secret,
    "server lookup": lambda: SERVER.lookup("login", "iemand@gemeente.example"),
    "server throttle": lambda: SERVER.throttle("login", "iemand@gemeente.example"),
    "server checkpoint seed": lambda: SERVER.checkpoint_seed,
    "pins digest": lambda: PINS.digest,
    "row hash": lambda: ROW_HASH,
    "rows hash": lambda: ROWS_HASH,
    "leaf": lambda: LEAF,
    "chain": lambda: CHAIN,
    "head": lambda: SERVER.audit_head(CHAIN),
}  # fmt: skip


def name_of(entry):
    return f"{entry['kind']} {entry.get('row') or entry.get('object')}"


@pytest.mark.parametrize("name", VALUES)
def test_every_derived_value_is_still_the_same(name):
    assert VALUES[name]().hex() == FORMAT["values"][name]


def test_no_value_of_the_file_is_left_unchecked():
    assert list(VALUES) == list(FORMAT["values"])


@pytest.mark.parametrize("entry", FORMAT["sealed"], ids=name_of)
def test_every_sealed_object_still_opens(entry):
    secret, sealed = key(entry["key"]), base64.b64decode(entry["sealed"])
    place = entry["kind"], part(entry["owner"]), part(entry["row"]), entry["revision"]

    by_hand = byhand.open_so(secret, sealed, *place)

    if entry["form"] == "json":
        assert open_json(SealKey(secret), sealed, Binding(*place)) == entry["plain"]
        assert json.loads(by_hand.rstrip(b"\0")[:-1]) == entry["plain"]
    else:
        assert open_key(SealKey(secret), sealed, Binding(*place)) == by_hand == key(entry["plain"])


@pytest.mark.parametrize("entry", FORMAT["wrapped"], ids=name_of)
def test_every_wrapped_key_still_opens(entry):
    pair, wrapped = PAIRS[entry["recipient"]](), base64.b64decode(entry["wrapped"])
    place = entry["kind"], part(entry["object"]), entry["compartment"], entry["epoch"], part(entry["grantor"])

    assert unwrap(pair, wrapped, Grant(*place)) == key(entry["payload"])
    assert byhand.open_wk(pair.seed, wrapped, pair.public.key_id, *place) == key(entry["payload"])


def test_the_sealed_file_still_opens():
    noted, sealed = FORMAT["file"], (FIXTURES / "format-1.file").read_bytes()
    secret, blob = key(noted["key"]), part(noted["row"])

    verify_file(
        io.BytesIO(sealed), secret, blob, size=noted["size"], sha256=hashlib.sha256(noted["plain"].encode()).digest()
    )
    opened = b"".join(open_file(io.BytesIO(sealed), secret, blob, size=noted["size"]))

    assert opened == noted["plain"].encode()
    assert byhand.open_so(secret, sealed, "file", None, blob, 0).startswith(opened + b"\x80\0")


def test_root_still_opens_with_the_password_and_with_the_printed_code():
    user = part("id:user")
    by_password = password_key(" Één wachtwoord ", salt=part("id:salt"), pepper=key("key:pepper"), user_id=user)
    by_code = recovery_key(read_code(shown_code(RECOVERY_CODE).lower()), user)

    for kind, opener in (("root_pw", by_password), ("root_rc", by_code)):
        sealed = base64.b64decode(FORMAT["root"][kind])
        assert open_key(opener, sealed, Binding(kind, user, None, 1)) == key("key:root")


def test_the_signature_on_the_next_epoch_still_counts():
    statement = epoch_statement("team", "juridisch", 2, team(2).pair.public.fingerprint)

    assert verified(team().pair.public.verify_key, bytes.fromhex(FORMAT["values"]["epoch signature"]), statement)


def test_every_kind_that_is_sealed_today_stands_in_the_file():
    kinds = {entry["kind"] for entry in FORMAT["sealed"]} | FORMAT["root"].keys() | {"file"}

    assert kinds >= {
        "root_pw", "root_rc", "bundle", "case_doc", "message", "event", "note", "attachment", "file", "claim", "draft",
        "fold", "headline", "fact", "figures", "session", "presession", "user",
    }  # fmt: skip
