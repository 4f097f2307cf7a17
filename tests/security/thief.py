"""A thief at work: has a copy of the whole instance folder, with server key and pepper, and tries everything on it.

Knows every derivation of docs/security.md and where every sealed thing belongs. Whatever bytes there are (keys, ids,
hashes, salts, what was opened before) are tried as a secret, alone and through each derivation, on every sealed object
and every wrapped key, until nothing new opens. A table with something sealed that it has no place for is an error:
then this program has fallen behind, and its silence would prove nothing.
"""

from __future__ import annotations

import io
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from weerbaar_meldpunt.vault import backups, codes, derive, files, password
from weerbaar_meldpunt.vault.context import context
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import PAIRS
from weerbaar_meldpunt.vault.seal import HEADER_BYTES, MAGIC, Binding, SealKey, open_sealed, unpad
from weerbaar_meldpunt.vault.wrap import MAGIC as WRAPPED
from weerbaar_meldpunt.vault.wrap import Grant, KeyPair, key_pair, unwrap, verify_key_of

Row = dict[str, Any]
TEAMS = ("ondersteuning", "beveiliging", "juridisch", "")
SERVER = ("seal", "lookup", "throttle", "audit", "checkpoint", "csrf")
# Every info of the table of derivations; what takes a number is tried with the first of them.
INFOS = (
    *(f"server/{name}" for name in SERVER),
    "kek/pw", "kek/rc", "session", "presession", "session/owner", "export",
    "form/receipt", "form/claim", "form/draft", "form/key", "reader/mac", "id", "csrf",
    *(f"team/{use}" for use in ("kem", "sign", "roster", "fold", "segment", "figures")),
    *(f"link/{use}" for use in ("kem", "sign", "fold")),
    *(f"files/{n}" for n in range(4)), *(f"files/draft/{n}" for n in range(5)),
    *(f"recovery/{pair}" for pair in PAIRS),
)  # fmt: skip
_HEX = re.compile(r"(?:[0-9a-f]{2}){16,}")
_CODE = re.compile(r"[0-9A-Z]{5}(?:-[0-9A-Z]{1,5}){5}")


@dataclass(frozen=True)
class Opened:
    """Something that opened: what kind, where it stood, whose it is, and what was in it."""

    kind: str
    table: str
    case: bytes | None
    plain: bytes = field(repr=False)


@dataclass
class Thief:
    """The loot, what is known so far, and what opened."""

    folder: Path
    tables: dict[str, list[Row]] = field(default_factory=dict)
    secrets: set[bytes] = field(default_factory=set, repr=False)
    opened: dict[tuple[str, ...], Opened] = field(default_factory=dict)
    _done: set[bytes] = field(default_factory=set)
    _raw: tuple[bytes, bytes] = (b"", b"")
    _keys: dict[bytes, SealKey] = field(default_factory=dict)  # by the id that sealed things name
    _pairs: dict[bytes, KeyPair] = field(default_factory=dict)  # by the id that wrapped things name
    _owners: list[tuple[str, Any, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        database = sqlite3.connect(self.folder / "meldpunt.sqlite")
        database.row_factory = sqlite3.Row
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        self.tables = {name: [dict(row) for row in database.execute(f'SELECT * FROM "{name}"')] for name in names}
        database.close()
        self.instance = self.tables["instance"][0]["id"]
        self.server, self.pepper = ((self.folder / name).read_bytes() for name in ("server.key", "pepper.key"))
        self._key_ids = {sealed[4:HEADER_BYTES] for *_, sealed in self._sealed()} | self._heads_of_files()
        self._recipients = {wrapped[4:20] for *_, wrapped, _ in self._wraps()} | self._recipients_of_backups()
        self._owners = list(self._all_owners())
        self._users = [row["user_id"] for row in self.tables["root"]]
        self.learn(self.server, self.pepper)
        for rows in self.tables.values():
            for row in rows:
                for value in row.values():
                    self._learn_value(value)
        self.learn(bytes(16), bytes(32))

    # --- what is known ---

    def learn(self, *secrets: bytes) -> None:
        """One more thing that may be a secret."""
        self.secrets.update(secrets)

    def _learn_value(self, value: Any) -> None:
        if isinstance(value, bytes) and 10 <= len(value) <= 64:
            self.learn(value)
        elif isinstance(value, str):
            for digits in _HEX.findall(value):
                self.learn(bytes.fromhex(digits))
            for typed in _CODE.findall(value):
                with suppress(codes.WrongCode):
                    self.learn(codes.read_code(typed))

    def learn_password(self, typed: str) -> None:
        """A password that somebody gave away: tried on every account."""
        for row in self.tables["root"]:
            key = password.password_key(typed, salt=row["salt"], pepper=self.pepper, user_id=row["user_id"])
            self.learn(key.secret)

    def learn_code(self, typed: str) -> None:
        """A code that somebody gave away: a receipt, a claim, a recovery code, a custodian's."""
        self.learn(codes.read_code(typed))

    # --- at work ---

    def work(self) -> list[Opened]:
        """Try everything on everything until nothing new is known."""
        while fresh := self.secrets - self._done:
            self._done |= fresh
            for secret in fresh:
                self._try_as_key(secret)
                self._try_as_pair(secret)
                self._try_derived(secret)
            self._try_all()
        return list(self.opened.values())

    def _try_derived(self, secret: bytes) -> None:
        """All that hangs from a secret by one derivation, and from a code that does so by one more."""
        for info in INFOS:
            for salt in self._users if info.startswith("kek/") else (b"",):
                derived = derive.hkdf(secret, info, salt=salt)
                self._try_as_key(derived)
                if info.startswith("files/"):
                    self._try_code(derived)
        self._try_code(secret)
        for use in ("receipt", "claim", "draft"):
            self._try_code(codes.code_from(derive.hkdf(secret, f"form/{use}", length=codes.SOURCE_BYTES)))

    def _try_code(self, code: bytes) -> None:
        """What a code opens: a reader's pair, a custodian's, a claim, a draft."""
        self._try_as_pair(derive.hkdf(code, "receipt", salt=self.instance, length=48)[16:], "reader")
        self._try_as_pair(derive.hkdf(code, "custodian", salt=self.instance), "custodian")
        for use in ("claim", "draft"):
            self._try_as_key(derive.hkdf(code, use, salt=self.instance, length=48)[16:])

    def _try_as_key(self, secret: bytes) -> None:
        if len(secret) == 32:
            key = SealKey(secret)
            if key.id in self._key_ids:
                self._keys[key.id] = key

    def _try_as_pair(self, secret: bytes, only: str = "") -> None:
        if len(secret) != 32:
            return
        for owner in self._owners:
            if only in ("", owner[0]):
                self._keep_pair(secret, *owner)
        if only:
            return
        for kinds, word, teams in ((("team", "stats"), "team", TEAMS), (("link",), "link", ("",))):
            kem, sign = derive.hkdf(secret, f"{word}/kem"), derive.hkdf(secret, f"{word}/sign")
            raw = key_pair(kem, "reader", b"", 0).public.raw + verify_key_of(sign)
            for kind in kinds:
                for team in teams:
                    for epoch in (1, 2, 3):
                        if self._id(kind, team, epoch, raw) in self._recipients:
                            made = key_pair(kem, kind, team, epoch, sign_seed=sign)
                            self._pairs[made.public.key_id] = made

    def _keep_pair(self, seed: bytes, kind: str, owner: Any, epoch: int) -> None:
        if self._raw[0] != seed:
            self._raw = (seed, key_pair(seed, "reader", b"", 0).public.raw)
        if self._id(kind, owner, epoch, self._raw[1]) in self._recipients:
            made = key_pair(seed, kind, owner, epoch)
            self._pairs[made.public.key_id] = made

    @staticmethod
    def _id(kind: str, owner: Any, epoch: int, raw: bytes) -> bytes:
        return derive.sha256(context("fp", kind, owner, epoch, raw))[:16]

    def _all_owners(self) -> Iterable[tuple[str, Any, int]]:
        for row in self.tables["user"]:
            for number in range(row["key_number"] + 1):
                yield "user", row["id"], number
        for row in self.tables["case"]:
            yield "reader", row["id"], 0
        for row in self.tables["custodian"]:
            yield "custodian", row["id"], 0
        for kind in ("recovery", "backup"):
            for epoch in (1, 2, 3):
                yield kind, self.instance, epoch

    def _files(self, magic: bytes) -> Iterator[Path]:
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                with path.open("rb") as source:
                    if source.read(len(magic)) == magic:
                        yield path

    def _heads_of_files(self) -> set[bytes]:
        return {path.read_bytes()[4:HEADER_BYTES] for path in self._files(MAGIC)}

    def _recipients_of_backups(self) -> set[bytes]:
        return {wrapped[4:20] for path in self._files(backups.MAGIC) for *_, wrapped in self._head(path).wraps}

    @staticmethod
    def _head(path: Path) -> backups.Head:
        with path.open("rb") as source:
            return backups.read_head(source)

    def _try_all(self) -> None:
        for name, row, column, sealed in self._sealed():
            key = self._keys.get(sealed[4:HEADER_BYTES])
            for binding in self._bindings(name, row, column) if key else ():
                with suppress(Onleesbaar):
                    self._take(name, row, column, binding.kind, open_sealed(key, sealed, binding))
        halves = set()
        for name, _, wrapped, grants in self._wraps():
            pair = self._pairs.get(wrapped[4:20])
            for grant in grants if pair else ():
                with suppress(Onleesbaar):
                    secret = unwrap(pair, wrapped, grant)
                    self.learn(secret)
                    halves |= {secret} if name == "recovery_pair" else set()
        for lower in halves:
            for higher in halves:
                for pair in PAIRS:
                    self._try_as_key(derive.hkdf(lower + higher, f"recovery/{pair}"))
                    self.learn(derive.hkdf(lower + higher, f"recovery/{pair}"))
        self._try_files()

    def _try_files(self) -> None:
        """Sealed files of evidence under their names, and backups that lie in the folder."""
        for path in self._files(MAGIC):
            content = path.read_bytes()
            key = self._keys.get(content[4:HEADER_BYTES])
            for kind in ("file", "preview") if key else ():
                blob, source = bytes.fromhex(path.stem), io.BytesIO(content)
                with suppress(Onleesbaar):
                    size = files.sealed_size(source, key.secret, blob, kind=kind)
                    plain = b"".join(files.open_file(io.BytesIO(content[:]), key.secret, blob, size=size, kind=kind))
                    self.opened["file", path.name] = Opened(kind, "blobs", self._case_of(blob), plain)
        for path in self._files(backups.MAGIC):
            head = self._head(path)
            for kind, epoch, wrapped in head.wraps:
                pair = self._pairs.get(wrapped[4:20])
                if pair is not None:
                    with suppress(Onleesbaar):
                        backups.stream_key(head, kind, pair.seed)
                        self.opened["backup", path.name, kind, str(epoch)] = Opened("backup", "backups", None, b"")

    def _case_of(self, blob: bytes) -> bytes | None:
        return next((row["case_id"] for row in self.tables["attachment"] if row["blob_id"] == blob), None)

    def _take(self, name: str, row: Row, column: str, kind: str, plain: bytes) -> None:
        place = (name, column, repr([value for value in row.values() if isinstance(value, bytes)][:3]), kind)
        if place in self.opened:
            return
        case = row["object"] if name == "audit" else row.get("case_id", row["id"] if name == "case" else None)
        self.opened[place] = Opened(kind, name, case, plain)
        if len(plain) == 32:
            self.learn(plain)
            return
        with suppress(Onleesbaar, ValueError, UnicodeDecodeError):
            self._learn_document(json.loads(unpad(plain)))

    def _learn_document(self, document: Any) -> None:
        if isinstance(document, dict):
            for value in document.values():
                self._learn_document(value)
        elif isinstance(document, list):
            for value in document:
                self._learn_document(value)
        else:
            self._learn_value(document)

    # --- where everything belongs ---

    def _sealed(self) -> Iterator[tuple[str, Row, str, bytes]]:
        for name, rows in self.tables.items():
            for row in rows:
                for column, value in row.items():
                    if isinstance(value, bytes) and value.startswith(MAGIC):
                        yield name, row, column, value

    def _wraps(self) -> Iterator[tuple[str, Row, bytes, list[Grant]]]:
        for name, rows in self.tables.items():
            for row in rows:
                for column, value in row.items():
                    if isinstance(value, bytes) and value.startswith(WRAPPED):
                        yield name, row, value, self._grants(name, row, column)

    def _grants(self, name: str, row: Row, column: str) -> list[Grant]:
        match name:
            case "case_grant":
                return [Grant("case_grant", row["case_id"], row["compartment"], row["epoch"], row["grantor"])]
            case "team_grant" | "recovery_grant":
                return [Grant(name, row["team"], None, row["epoch"], row["grantor"])]
            case "link_grant":
                return [Grant(name, "link", None, row["epoch"], row["grantor"])]
            case "entry_grant" | "emergency_grant":
                return [Grant("entry", row["entry_id"])]
            case "link_entry":
                return [Grant("entry", row["id"])]
            case "recovery_pair":
                return [Grant("custodian", row["pair"], None, row["epoch"])]
        raise AssertionError(f"the thief does not know how {name}.{column} is wrapped")

    def _bindings(self, name: str, row: Row, column: str) -> list[Binding]:
        revision = row.get("revision", 0)
        match name, column:
            case "user" | "custodian", "sealed":
                return [Binding("user", row["id"], None, revision)]
            case "root", "sealed":
                return [Binding(f"root_{row['way']}", row["user_id"], None, revision)]
            case "bundle", "sealed":
                return [Binding("bundle", row["user_id"], None, revision)]
            case "session", "sealed":
                return [Binding(kind, None, row["id"], revision) for kind in ("session", "presession")]
            case "case_doc", "sealed":
                return [Binding("case_doc", row["case_id"], row["compartment"], revision)]
            case "message" | "note" | "attachment", "sealed":
                return [Binding(name, row["case_id"], row["id"], revision)]
            case "audit", "body":
                return [Binding("event", row["object"], row["id"], 0)]
            case "case_epoch", "sealed":
                return [Binding("epoch", row["case_id"], row["compartment"], row["epoch"])]
            case "claim" | "draft", "sealed":
                return [Binding(name, None, row["lookup"], revision)]
            case "fold", "sealed":
                return [Binding("fold", row["case_id"], row["compartment"], row["epoch"])]
            case "headline", "sealed":
                return [Binding("headline", row["case_id"], None, revision)]
            case "segment", "sealed":
                return [Binding("segment", row["team"], row["id"], 0)]
            case "team_roster", "sealed":
                return [Binding("roster", row["team"], None, revision)]
            case "link_entry", "sealed":
                return [Binding("link", None, row["id"], 0)]
            case "link_fold", "sealed":
                return [Binding("link_fold", None, row["entry_id"], 0)]
            case "stat_fact", "sealed":
                return [Binding("fact", None, row["id"], 0)]
            case "emergency", "sealed":
                return [Binding("emergency", None, row["id"], 0)]
            case "figures_table", "sealed":
                return [Binding("figures", row["measure"], row["year"], revision)]
            case "recovery_pair", "sealed":
                return [Binding("recovery", None, row["pair"], row["epoch"])]
            case "outbox", "sealed":
                return [Binding("outbox", None, row["id"], 1)]
            case "duty", "sealed":
                return [Binding("duty", row["team"], row["id"], revision)]
            case "case", "notify":
                return [Binding("notify", row["id"], None, 1)]
        raise AssertionError(f"the thief does not know where {name}.{column} belongs")

    def all_places(self) -> None:
        """Every sealed thing has its place here, opened or not; else `AssertionError`."""
        for name, row, column, _ in self._sealed():
            self._bindings(name, row, column)
        list(self._wraps())
