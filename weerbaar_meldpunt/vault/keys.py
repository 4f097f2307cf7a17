"""The keys of the house and how each hangs from another (docs/security.md, "Keys" and "Derivations")."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from .codes import SOURCE_BYTES, code_from
from .context import context
from .derive import ID_BYTES, KEY_BYTES, equal, hkdf, hmac_sha256, random_bytes, sha256
from .seal import SealKey
from .wrap import KeyPair, key_pair


@dataclass(frozen=True)
class ServerKeys:
    """What hangs from the server key file: opens mail addresses and outbox, never a case."""

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError("a server key is 32 bytes")

    def __repr__(self) -> str:
        return "ServerKeys(…)"

    @cached_property
    def seal(self) -> SealKey:
        """Seals names, addresses of accounts, outbox mails, the roster of duty."""
        return SealKey(hkdf(self.secret, "server/seal"))

    @cached_property
    def _lookup(self) -> bytes:
        return hkdf(self.secret, "server/lookup")

    @cached_property
    def _throttle(self) -> bytes:
        return hkdf(self.secret, "server/throttle")

    @cached_property
    def _audit(self) -> bytes:
        return hkdf(self.secret, "server/audit")

    def lookup(self, kind: str, text: str) -> bytes:
        """By what a login is found without its name standing in the database."""
        return hmac_sha256(self._lookup, context("lookup", kind, text))

    def throttle(self, kind: str, text: str) -> bytes:
        """By what tries are counted, for names that exist and names that do not."""
        return hmac_sha256(self._throttle, context("throttle", kind, text))

    def audit_head(self, chain: bytes) -> bytes:
        """What proves that the program, and not a writer of the database, added a leaf."""
        return hmac_sha256(self._audit, chain)

    @cached_property
    def checkpoint_seed(self) -> bytes:
        """The seed that signs the daily checkpoint."""
        return hkdf(self.secret, "server/checkpoint")

    @cached_property
    def csrf(self) -> str:
        """What signs form tokens."""
        return hkdf(self.secret, "server/csrf").hex()


# What hangs from a secret that members share: the word before its labels, and its keys beside `kem` and `sign`.
_SHARED: Final = {
    "team": ("team", frozenset(("roster", "fold", "segment"))),
    "stats": ("team", frozenset(("roster", "fold", "segment", "figures"))),
    "link": ("link", frozenset(("fold",))),
}


@dataclass(frozen=True)
class TeamKeys:
    """A team's secret of one epoch, or that of the statistics; never itself a key."""

    team: str
    epoch: int
    secret: bytes
    kind: str = "team"

    def __post_init__(self) -> None:
        if self.kind not in _SHARED or len(self.secret) != KEY_BYTES:
            raise ValueError("not a secret of a team, the statistics or the links")

    def __repr__(self) -> str:
        return f"TeamKeys({self.team}, {self.epoch}, …)"

    def _derive(self, use: str) -> bytes:
        return hkdf(self.secret, f"{_SHARED[self.kind][0]}/{use}")

    @cached_property
    def pair(self) -> KeyPair:
        """The pair that cases are wrapped to; its public part carries the verify key."""
        return key_pair(self._derive("kem"), self.kind, self.team, self.epoch, sign_seed=self.sign_seed)

    @cached_property
    def sign_seed(self) -> bytes:
        """What signs the next epoch."""
        return self._derive("sign")

    def key(self, use: str) -> SealKey:
        """The key for `roster`, `fold` or `segment`; of the statistics also `figures`, of the links `fold` only."""
        if use not in _SHARED[self.kind][1]:
            raise ValueError(use)
        return SealKey(self._derive(use))

    @cached_property
    def fold(self) -> SealKey:
        """The key of the caches that keep a queue fast."""
        return self.key("fold")


def user_key_pair(seed: bytes, user_id: bytes, number: int) -> KeyPair:
    """A member's own pair, by which colleagues grant the team's secret."""
    return key_pair(seed, "user", user_id, number)


def custodian_key_pair(code: bytes, instance_id: bytes, custodian_id: bytes) -> KeyPair:
    """A custodian's own pair, from the code on their sheet; the code itself is kept nowhere."""
    return key_pair(hkdf(code, "custodian", salt=instance_id), "custodian", custodian_id, 0)


# Any two of three custodians open RECOVERY; a pair is named by the places of its two, the lower first.
PAIRS: Final = ("12", "13", "23")


def pair_key(pair: str, lower: bytes, higher: bytes) -> SealKey:
    """What seals RECOVERY's seed for two custodians: from the random half of each, so that one alone has nothing."""
    if pair not in PAIRS or not len(lower) == len(higher) == KEY_BYTES:
        raise ValueError(pair)
    return SealKey(hkdf(lower + higher, f"recovery/{pair}"))


def house_key_pair(seed: bytes, kind: str, instance_id: bytes, epoch: int) -> KeyPair:
    """The pair of RECOVERY or of BACKUP, which belong to the house and to no person."""
    if kind not in ("recovery", "backup"):
        raise ValueError(kind)
    return key_pair(seed, kind, instance_id, epoch)


@dataclass(frozen=True)
class ReaderKeys:
    """The reporter's side of one case, derived from a code; the look-up names no account."""

    lookup: bytes
    seed: bytes

    def __repr__(self) -> str:
        return "ReaderKeys(…)"

    @classmethod
    def from_code(cls, code: bytes, instance_id: bytes) -> ReaderKeys:
        """From a receipt code (26 characters) or an account's derived code (32 bytes)."""
        both = hkdf(code, "receipt", salt=instance_id, length=ID_BYTES + KEY_BYTES)
        return cls(both[:ID_BYTES], both[ID_BYTES:])

    def pair(self, case_id: bytes) -> KeyPair:
        """The reader's pair for this case."""
        return key_pair(self.seed, "reader", case_id, 0)

    def mac(self, case_id: bytes, compartment: str, case_key: bytes) -> bytes:
        """What shows a reader that the first case key is the one made at filing."""
        return reader_mac(self.seed, case_id, compartment, case_key)


def reader_mac(seed: bytes, case_id: bytes, compartment: str, case_key: bytes) -> bytes:
    """Bind a compartment's first case key to the reader who may open it."""
    return hmac_sha256(hkdf(seed, "reader/mac"), context("reader-mac", case_id, compartment, sha256(case_key)))


def same_mac(left: bytes, right: bytes) -> bool:
    """Compare two MACs."""
    return equal(left, right)


def account_code(files_secret: bytes, number: int) -> bytes:
    """The n-th case of an account, derived in the session and stored nowhere."""
    return hkdf(files_secret, f"files/{number}")


def draft_slot_code(files_secret: bytes, slot: int) -> bytes:
    """The code of one of the account's draft slots; the account finds its drafts by it in any browser."""
    return hkdf(files_secret, f"files/draft/{slot}")


def split(code: bytes, instance_id: bytes, use: str) -> tuple[bytes, SealKey]:
    """Look-up and key of a `claim` or a `draft` code."""
    if use not in ("claim", "draft"):
        raise ValueError(use)
    both = hkdf(code, use, salt=instance_id, length=ID_BYTES + KEY_BYTES)
    return both[:ID_BYTES], SealKey(both[ID_BYTES:])


@dataclass(frozen=True)
class FormKeys:
    """What one form token gives: a form sent twice files one case and shows the same code."""

    token: bytes

    def __repr__(self) -> str:
        return "FormKeys(…)"

    @classmethod
    def new(cls) -> FormKeys:
        """From 256 random bits."""
        return cls(random_bytes(32))

    def code(self, use: str) -> bytes:
        """The `receipt`, `claim` or `draft` code of this form."""
        if use not in ("receipt", "claim", "draft"):
            raise ValueError(use)
        return code_from(hkdf(self.token, f"form/{use}", length=SOURCE_BYTES))

    @property
    def idempotency_key(self) -> bytes:
        """The only thing of the token that is stored with the case."""
        return hkdf(self.token, "form/key", length=ID_BYTES)


def session_keys(secret: bytes, sid: bytes, stage: str = "session") -> tuple[bytes, SealKey]:
    """The row id and key of a session cookie; `stage` is `session` or `presession`."""
    if stage not in ("session", "presession"):
        raise ValueError(stage)
    return sha256(sid), SealKey(hkdf(secret, stage, salt=sid))


def session_owner(root: bytes) -> bytes:
    """The pseudonym under which a person's sessions are listed."""
    return hkdf(root, "session/owner", length=ID_BYTES)


def cookie_csrf(secret: bytes, sid: bytes) -> str:
    """The value a form's token is bound to, for whoever holds this cookie."""
    return hkdf(secret, "csrf", salt=sid).hex()
