"""Wrapped keys, fingerprints and the signature on a next epoch."""

import dataclasses
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vault import byhand
from weerbaar_meldpunt.vault import wrap as wraps
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys, user_key_pair
from weerbaar_meldpunt.vault.wrap import (
    GRANT_KINDS,
    KEY_KINDS,
    PUBLIC_BYTES,
    WRAPPED_BYTES,
    Grant,
    PublicKey,
    epoch_statement,
    key_pair,
    shown_fingerprint,
    sign,
    unwrap,
    verified,
    wrap,
)

CASE, MEMBER = b"c" * 16, b"u" * 16
GRANT = Grant("case_grant", CASE, "A", 0, MEMBER)
SECRET = b"s" * 32
# Points of small order on Curve25519 (RFC 7748 §7): with them every sender shares the same secret.
LOW_ORDER = {
    "zero": bytes(32),
    "one": b"\1" + bytes(31),
    "order eight": bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
}


def test_a_wrapped_key_is_exactly_the_bytes_of_the_specification(team):
    wrapped = wrap(team.public, SECRET, GRANT)

    assert len(wrapped) == WRAPPED_BYTES == 1188
    assert wrapped[:4].hex() == "574b0111"
    assert wrapped[4:20] == team.public.key_id
    assert byhand.open_wk(team.seed, wrapped, team.public.key_id, "case_grant", CASE, "A", 0, MEMBER) == SECRET
    assert unwrap(team, wrapped, GRANT) == SECRET


def test_every_changed_byte_of_a_wrapped_key_is_refused(team):
    wrapped = wrap(team.public, SECRET, GRANT)

    for place in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[place] ^= 1 << place % 8
        with pytest.raises(Onleesbaar):
            unwrap(team, bytes(changed), GRANT)


def test_a_wrapped_key_of_any_other_length_is_refused_before_the_key_is_used(team, monkeypatch):
    wrapped = wrap(team.public, SECRET, GRANT)
    monkeypatch.setattr(wraps, "_SUITE", None)  # would be an AttributeError

    for end in range(len(wrapped)):
        with pytest.raises(Onleesbaar):
            unwrap(team, wrapped[:end], GRANT)
    for tail in (b"\0", bytes(16), wrapped):
        with pytest.raises(Onleesbaar):
            unwrap(team, wrapped + tail, GRANT)


@pytest.mark.parametrize("header", ["574b0211", "574b0112", "574b0101", "574d0111", "00000000"])
def test_an_unknown_magic_version_or_suite_is_refused_and_nothing_else_is_tried(team, header, monkeypatch):
    wrapped = bytes.fromhex(header) + wrap(team.public, SECRET, GRANT)[4:]
    monkeypatch.setattr(wraps, "_SUITE", None)

    with pytest.raises(Onleesbaar):
        unwrap(team, wrapped, GRANT)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "team_grant"}, {"object": b"d" * 16}, {"compartment": "B"}, {"compartment": None}, {"epoch": 1},
        {"grantor": b"v" * 16}, {"grantor": None}, {"object": MEMBER, "grantor": CASE},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrapped_key_opens_only_for_what_it_was_granted(team, change):
    wrapped = wrap(team.public, SECRET, GRANT)

    with pytest.raises(Onleesbaar):
        unwrap(team, wrapped, dataclasses.replace(GRANT, **change))


def test_grants_of_two_cases_two_teams_and_two_epochs_of_a_team_cannot_change_places():
    pairs = [TeamKeys(name, epoch, b"t" * 32).pair for name in ("juridisch", "beveiliging") for epoch in (1, 2)]
    cases = [dataclasses.replace(GRANT, object=bytes([n]) * 16) for n in (1, 2)]
    wrapped = {(pair.public.key_id, grant): wrap(pair.public, SECRET, grant) for pair in pairs for grant in cases}

    for place, sealed in wrapped.items():
        for pair in pairs:
            for grant in cases:
                if place == (pair.public.key_id, grant):
                    assert unwrap(pair, sealed, grant) == SECRET
                else:
                    with pytest.raises(Onleesbaar):
                        unwrap(pair, sealed, grant)


def test_a_wrapped_key_relabelled_for_another_is_refused(team):
    other = TeamKeys("beveiliging", 1, b"b" * 32).pair
    wrapped = wrap(team.public, SECRET, GRANT)

    with pytest.raises(Onleesbaar):
        unwrap(other, wrapped[:4] + other.public.key_id + wrapped[20:], GRANT)


@pytest.mark.parametrize("point", LOW_ORDER.values(), ids=LOW_ORDER)
def test_a_point_of_small_order_is_refused_on_both_sides(team, point):
    wrapped = wrap(team.public, SECRET, GRANT)
    planted = PublicKey("user", MEMBER, 1, team.public.raw[: PUBLIC_BYTES - 32] + point)

    with pytest.raises(Onleesbaar):
        unwrap(team, wrapped[:1108] + point + wrapped[1140:], GRANT)
    with pytest.raises(Onleesbaar):
        wrap(planted, SECRET, GRANT)


def test_a_public_key_that_is_none_is_refused(team):
    with pytest.raises(Onleesbaar):
        wrap(PublicKey("user", MEMBER, 1, b"\xff" * PUBLIC_BYTES), SECRET, GRANT)


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_only_what_names_a_successor_carries_a_verify_key(kind):
    right = 1248 if kind in ("team", "link", "stats") else 1216

    assert len(PublicKey(kind, MEMBER, 1, bytes(right)).raw) == right
    for size in (0, 1184, 1215, 1217, 1247, 1249, 1216 + 1248 - right):
        with pytest.raises(Onleesbaar):
            PublicKey(kind, MEMBER, 1, bytes(size))


def test_a_key_of_an_unknown_kind_is_refused():
    with pytest.raises(Onleesbaar):
        PublicKey("ploeg", "juridisch", 1, bytes(1248))


def test_the_kinds_are_frozen():
    assert {
        "team_grant", "recovery_grant", "link_grant", "case_grant", "entry", "custodian", "backup"
    } <= GRANT_KINDS  # fmt: skip
    assert {"team", "link", "stats", "user", "reader", "custodian", "recovery", "backup"} <= KEY_KINDS.keys()


def test_what_a_grant_leaves_out_is_absent_and_its_epoch_zero():
    assert Grant("entry", CASE) == Grant("entry", CASE, None, 0, None)


def test_the_error_names_the_grant_or_the_key(team):
    with pytest.raises(Onleesbaar) as grant:
        unwrap(team, b"", GRANT)
    with pytest.raises(Onleesbaar) as key:
        PublicKey("team", None, 2, b"")

    assert (grant.value.kind, grant.value.object_id) == ("case_grant", f"case_grant/{CASE.hex()}/A/0")
    assert (key.value.kind, key.value.object_id) == ("public_key", "public_key/team/-/2")


def test_an_unknown_kind_is_a_mistake_of_ours_and_no_format():
    with pytest.raises(ValueError, match="dossier"):
        Grant("dossier", CASE)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_only_keys_of_32_bytes_are_wrapped(team, size):
    with pytest.raises(ValueError, match="32-byte"):
        wrap(team.public, bytes(size), GRANT)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_pair_is_made_from_32_bytes(size):
    with pytest.raises(ValueError, match="32 bytes"):
        key_pair(bytes(size), "user", MEMBER, 1)


def test_a_fingerprint_says_whose_key_it_is_and_which(team):
    expected = byhand.fingerprint("team", "juridisch", 1, team.public.raw)
    same_bytes = [
        PublicKey(kind, owner, epoch, team.public.raw)
        for kind in ("team", "stats") for owner in ("juridisch", "beveiliging", None) for epoch in (1, 2)
    ]  # fmt: skip

    assert team.public.fingerprint == expected
    assert team.public.key_id == expected[:16]
    assert len({key.fingerprint for key in same_bytes}) == len(same_bytes)


def test_a_pin_of_a_team_also_pins_who_signs_its_next_epoch(team):
    other_signer = PublicKey("team", "juridisch", 1, team.public.raw[:PUBLIC_BYTES] + bytes(32))

    assert other_signer.fingerprint != team.public.fingerprint


def test_a_fingerprint_is_read_out_as_eight_groups_of_four():
    assert shown_fingerprint(bytes(range(32))) == "0001 0203 0405 0607 0809 0a0b 0c0d 0e0f"


def test_the_next_epoch_is_signed_by_the_one_before():
    first, second = TeamKeys("juridisch", 1, b"1" * 32), TeamKeys("juridisch", 2, b"2" * 32)
    statement = epoch_statement("team", "juridisch", 2, second.pair.public.fingerprint)

    signature = sign(first.sign_seed, statement)

    assert statement == byhand.ctx("sign", "team", "juridisch", 2, second.pair.public.fingerprint)
    assert verified(first.pair.public.verify_key, signature, statement)


@pytest.mark.parametrize(
    "statement",
    [
        epoch_statement("stats", "juridisch", 2, b"f" * 32), epoch_statement("team", "beveiliging", 2, b"f" * 32),
        epoch_statement("team", "juridisch", 3, b"f" * 32), epoch_statement("team", "juridisch", 2, b"g" * 32), b"",
    ],
)  # fmt: skip
def test_a_signature_counts_for_one_epoch_of_one_key_only(statement):
    first = TeamKeys("juridisch", 1, b"1" * 32)
    signature = sign(first.sign_seed, epoch_statement("team", "juridisch", 2, b"f" * 32))

    assert not verified(first.pair.public.verify_key, signature, statement)


def test_a_signature_that_is_none_is_no_error(team):
    statement = epoch_statement("team", "juridisch", 2, b"f" * 32)
    user = user_key_pair(b"s" * 32, MEMBER, 1)

    for signature in (b"", bytes(63), bytes(64), bytes(65)):
        assert not verified(team.public.verify_key, signature, statement)
    assert not verified(user.public.verify_key, bytes(64), statement)  # a member's key names no successor


def test_a_pair_does_not_show_its_seed(team):
    assert team.seed.hex()[:8] not in repr(team)
    assert repr(team.seed)[2:10] not in repr(team)


def test_a_pair_made_twice_is_the_same_pair():
    first, second = (key_pair(b"s" * 32, "reader", CASE) for _ in range(2))

    assert first == second
    assert unwrap(second, wrap(first.public, SECRET, GRANT), GRANT) == SECRET
    assert hashlib.sha256(first.public.raw).digest() == hashlib.sha256(byhand.public(b"s" * 32)).digest()


PART = st.none() | st.binary(max_size=16) | st.sampled_from(["A", "B", "N", "juridisch"])


@given(st.binary(min_size=32, max_size=32), PART, PART, st.integers(0, 9), PART)
@settings(max_examples=40, deadline=None)
def test_every_key_comes_back_for_what_it_was_granted(secret, object_, compartment, epoch, grantor):
    pair, grant = key_pair(b"p" * 32, "reader", CASE), Grant("case_grant", object_, compartment, epoch, grantor)

    assert unwrap(pair, wrap(pair.public, secret, grant), grant) == secret


@given(st.binary(max_size=1200), st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_bytes_from_elsewhere_open_or_break_the_parser(noise, labelled, sized):
    pair = key_pair(b"p" * 32, "reader", CASE)
    wrapped = (bytes.fromhex("574b0111") + pair.public.key_id if labelled else b"") + noise
    if sized:
        wrapped = wrapped[:1188].ljust(1188, b"\x2a")

    with pytest.raises(Onleesbaar):
        unwrap(pair, wrapped, GRANT)
