"""How each key hangs from another: every label, salt and length as docs/security.md gives them."""

import hashlib
import hmac

import pytest

from tests.vault import byhand
from weerbaar_meldpunt.vault.codes import code_from, read_code, shown_code
from weerbaar_meldpunt.vault.keys import (
    FormKeys,
    ReaderKeys,
    ServerKeys,
    TeamKeys,
    account_code,
    cookie_csrf,
    same_mac,
    session_keys,
    session_owner,
    split,
    user_key_pair,
)

INSTANCE, CASE, USER = b"i" * 16, b"c" * 16, b"u" * 16
SECRET = b"s" * 32
CODE = code_from(b"\xa5" * 17)


def mac(key, message):
    return hmac.new(key, message, "sha256").digest()


def test_a_team_secret_is_never_a_key_but_gives_them():
    team = TeamKeys("juridisch", 3, SECRET)

    public = team.pair.public
    assert team.pair.seed == byhand.hkdf(SECRET, "team/kem")
    assert team.sign_seed == byhand.hkdf(SECRET, "team/sign")
    assert public.raw[:1216] == byhand.public(team.pair.seed)
    assert public.fingerprint == byhand.fingerprint("team", "juridisch", 3, public.raw)
    for use in ("roster", "fold", "segment"):
        assert team.key(use).secret == byhand.hkdf(SECRET, f"team/{use}")
    assert team.fold == team.key("fold")


def test_the_statistics_are_run_as_a_team_is_and_have_a_key_for_the_figures_too():
    stats = TeamKeys("", 1, SECRET, "stats")

    assert stats.key("figures").secret == byhand.hkdf(SECRET, "team/figures")
    for use in ("roster", "fold", "segment"):
        assert stats.key(use).secret == byhand.hkdf(SECRET, f"team/{use}")
    assert stats.pair.public.fingerprint == byhand.fingerprint("stats", None, 1, stats.pair.public.raw)


def test_the_links_have_labels_of_their_own():
    link = TeamKeys("", 1, SECRET, "link")

    assert link.pair.seed == byhand.hkdf(SECRET, "link/kem")
    assert link.sign_seed == byhand.hkdf(SECRET, "link/sign")
    assert link.key("fold").secret == byhand.hkdf(SECRET, "link/fold")


@pytest.mark.parametrize(("kind", "use"), [("team", "figures"), ("link", "roster"), ("team", "kem"), ("team", "sign")])
def test_no_key_is_given_for_a_use_that_has_none(kind, use):
    with pytest.raises(ValueError, match=use):
        TeamKeys("juridisch", 1, SECRET, kind).key(use)


@pytest.mark.parametrize(("kind", "secret"), [("user", SECRET), ("team", bytes(31)), ("team", b"")])
def test_a_secret_of_another_kind_or_size_is_refused(kind, secret):
    with pytest.raises(ValueError, match="not a secret"):
        TeamKeys("juridisch", 1, secret, kind)


def test_a_members_pair_carries_the_member_and_the_number_of_the_key():
    pair = user_key_pair(SECRET, USER, 2)

    assert pair.public.raw == byhand.public(SECRET)
    assert pair.public.fingerprint == byhand.fingerprint("user", USER, 2, pair.public.raw)


@pytest.mark.parametrize("code", [CODE, account_code(SECRET, 4)], ids=["of a receipt", "of an account"])
def test_the_readers_side_hangs_from_a_code_and_the_instance(code):
    reader = ReaderKeys.from_code(code, INSTANCE)

    both = byhand.hkdf(code, "receipt", INSTANCE, 48)
    assert (reader.lookup, reader.seed) == (both[:16], both[16:])
    pair = reader.pair(CASE)
    assert pair.public.fingerprint == byhand.fingerprint("reader", CASE, 0, byhand.public(reader.seed))


def test_a_reader_has_another_key_id_on_another_case_and_another_look_up_on_another_instance():
    reader = ReaderKeys.from_code(CODE, INSTANCE)

    assert reader.pair(CASE).public.key_id != reader.pair(b"d" * 16).public.key_id
    assert reader.lookup != ReaderKeys.from_code(CODE, b"j" * 16).lookup


def test_the_reader_mac_binds_the_first_key_of_one_compartment_of_one_case_to_one_reader():
    reader = ReaderKeys.from_code(CODE, INSTANCE)
    key = byhand.hkdf(reader.seed, "reader/mac")

    made = reader.mac(CASE, "A", SECRET)

    assert made == mac(key, byhand.ctx("reader-mac", CASE, "A", hashlib.sha256(SECRET).digest()))
    others = [
        reader.mac(b"d" * 16, "A", SECRET), reader.mac(CASE, "B", SECRET), reader.mac(CASE, "A", b"t" * 32),
        ReaderKeys(reader.lookup, b"r" * 32).mac(CASE, "A", SECRET), b"", made[:-1],
    ]  # fmt: skip
    assert same_mac(made, reader.mac(CASE, "A", SECRET))
    assert not any(same_mac(made, other) for other in others)


def test_an_account_has_a_code_for_each_number_and_stores_none():
    codes = [account_code(SECRET, n) for n in range(50)]

    assert codes[11] == byhand.hkdf(SECRET, "files/11")
    assert len(set(codes)) == 50


@pytest.mark.parametrize("use", ["claim", "draft"])
def test_a_claim_or_draft_code_gives_a_look_up_and_a_key(use):
    lookup, key = split(CODE, INSTANCE, use)

    both = byhand.hkdf(CODE, use, INSTANCE, 48)
    assert (lookup, key.secret) == (both[:16], both[16:])


def test_one_form_gives_the_same_codes_however_often_it_is_sent():
    form = FormKeys(SECRET)

    for use in ("receipt", "claim", "draft"):
        assert form.code(use) == code_from(byhand.hkdf(SECRET, f"form/{use}", length=17))
        assert read_code(shown_code(form.code(use))) == FormKeys(SECRET).code(use)
    assert form.idempotency_key == byhand.hkdf(SECRET, "form/key", length=16)
    assert len({form.code("receipt"), form.code("claim"), form.code("draft")}) == 3


def test_each_form_has_a_token_of_its_own():
    assert len({FormKeys.new().token for _ in range(20)}) == 20
    assert len(FormKeys.new().token) == 32


@pytest.mark.parametrize("stage", ["session", "presession"])
def test_a_session_row_is_found_by_a_hash_and_opened_by_the_cookies_secret(stage):
    row, key = session_keys(SECRET, b"1" * 16, stage)

    assert row == hashlib.sha256(b"1" * 16).digest()
    assert key.secret == byhand.hkdf(SECRET, stage, b"1" * 16)


def test_a_cookie_of_somebody_half_way_in_opens_no_session():
    assert session_keys(SECRET, bytes(16), "session")[1] != session_keys(SECRET, bytes(16), "presession")[1]


def test_a_persons_sessions_are_listed_under_a_pseudonym():
    assert session_owner(SECRET) == byhand.hkdf(SECRET, "session/owner", length=16)


def test_form_tokens_hang_from_the_cookie():
    assert cookie_csrf(SECRET, b"1" * 16) == byhand.hkdf(SECRET, "csrf", b"1" * 16).hex()


def test_the_server_keys():
    server = ServerKeys(SECRET)

    assert server.seal.secret == byhand.hkdf(SECRET, "server/seal")
    assert server.checkpoint_seed == byhand.hkdf(SECRET, "server/checkpoint")
    assert server.csrf == byhand.hkdf(SECRET, "server/csrf").hex()
    assert server.audit_head(b"h" * 32) == mac(byhand.hkdf(SECRET, "server/audit"), b"h" * 32)
    assert server.lookup("login", "a@b.nl") == mac(
        byhand.hkdf(SECRET, "server/lookup"), byhand.ctx("lookup", "login", "a@b.nl")
    )
    assert server.throttle("login", "a@b.nl") == mac(
        byhand.hkdf(SECRET, "server/throttle"), byhand.ctx("throttle", "login", "a@b.nl")
    )


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_server_key_is_32_bytes(size):
    with pytest.raises(ValueError, match="32 bytes"):
        ServerKeys(bytes(size))


def test_a_use_that_no_format_knows_is_refused():
    for call in (
        lambda: split(CODE, INSTANCE, "receipt"),
        lambda: FormKeys(SECRET).code("key"),
        lambda: session_keys(SECRET, bytes(16), "owner"),
    ):
        with pytest.raises(ValueError, match=r"receipt|key|owner"):
            call()


def test_no_two_uses_of_one_secret_give_the_same_key():
    team, stats, link = (TeamKeys("", 1, SECRET, kind) for kind in ("team", "stats", "link"))
    keys = [
        team.pair.seed, team.sign_seed, team.key("roster").secret, team.fold.secret, team.key("segment").secret,
        stats.key("figures").secret, link.pair.seed, link.sign_seed, link.fold.secret, ServerKeys(SECRET).seal.secret,
        ServerKeys(SECRET).checkpoint_seed, account_code(SECRET, 0), ReaderKeys.from_code(SECRET, INSTANCE).seed,
        split(SECRET, INSTANCE, "claim")[1].secret, split(SECRET, INSTANCE, "draft")[1].secret,
        session_keys(SECRET, INSTANCE)[1].secret, session_keys(SECRET, INSTANCE, "presession")[1].secret,
    ]  # fmt: skip

    assert len({key[:16] for key in keys} | {session_owner(SECRET), FormKeys(SECRET).idempotency_key}) == len(keys) + 2


@pytest.mark.parametrize(
    "holder",
    [
        ServerKeys(b"geheim!!" * 4), TeamKeys("juridisch", 1, b"geheim!!" * 4), FormKeys(b"geheim!!" * 4),
        ReaderKeys(b"geheim!!" * 2, b"geheim!!" * 4),
    ],
)  # fmt: skip
def test_nothing_that_holds_a_secret_shows_it(holder):
    assert "geheim" not in repr(holder)
    assert "geheim" not in f"{holder}"
