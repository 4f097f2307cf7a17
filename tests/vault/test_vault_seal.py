"""Sealed objects: opened by their key where they belong, and refused in every other way with one error."""

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vault import byhand
from weerbaar_meldpunt.vault import seal as seals
from weerbaar_meldpunt.vault.context import context
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import (
    HEADER_BYTES,
    KINDS,
    MAX_JSON_BYTES,
    OVERHEAD,
    Binding,
    SealKey,
    open_json,
    open_key,
    open_sealed,
    pad,
    seal,
    seal_json,
    seal_key,
    unpad,
)

CASE, MESSAGE = b"c" * 16, b"m" * 16
HERE = Binding("message", CASE, MESSAGE, 7)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 32_768, 40_000])
def test_a_sealed_object_is_exactly_the_bytes_of_the_specification(key, size):
    plain = b"\x5a" * size

    sealed = seal(key, plain, HERE)

    assert sealed[:4].hex() == "574d0101"
    assert sealed[4:20] == byhand.hkdf(key.secret, "id", length=16)
    assert len(sealed) == size + OVERHEAD + 16 * (size // 16_384)
    assert byhand.open_so(key.secret, sealed, "message", CASE, MESSAGE, 7) == plain
    assert open_sealed(key, sealed, HERE) == plain


def test_the_same_text_sealed_twice_looks_like_two_texts(key):
    first, second = seal(key, b"", HERE), seal(key, b"", HERE)

    assert first[:HEADER_BYTES] == second[:HEADER_BYTES]
    assert first[HEADER_BYTES:] != second[HEADER_BYTES:]


def test_every_changed_bit_is_refused(key):
    sealed = seal(key, b"het geheim", HERE)

    for place in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[place] ^= 1 << bit
            with pytest.raises(Onleesbaar):
                open_sealed(key, bytes(changed), HERE)


def test_every_truncation_and_every_trailing_byte_is_refused(key):
    sealed = seal(key, b"het geheim", HERE)

    for end in range(len(sealed)):
        with pytest.raises(Onleesbaar):
            open_sealed(key, sealed[:end], HERE)
    for tail in (b"\0", b"\xff" * 16, sealed):
        with pytest.raises(Onleesbaar):
            open_sealed(key, sealed + tail, HERE)


@pytest.mark.parametrize("size", [16_384, 32_768, 40_000])
def test_a_long_object_is_refused_when_cut_or_extended_at_a_chunk(key, size):
    sealed = seal(key, bytes(size), HERE)

    for boundary in range(HEADER_BYTES + 56, len(sealed), 16_384 + 16):
        for end in (boundary - 1, boundary, boundary + 1):
            with pytest.raises(Onleesbaar):
                open_sealed(key, sealed[:end], HERE)
    with pytest.raises(Onleesbaar):
        open_sealed(key, sealed + sealed[-16:], HERE)


def test_chunks_that_changed_places_are_refused(key):
    sealed = seal(key, bytes(40_000), HERE)
    start, step = HEADER_BYTES + 56, 16_384 + 16
    first, second = sealed[start : start + step], sealed[start + step : start + 2 * step]

    with pytest.raises(Onleesbaar):
        open_sealed(key, sealed[:start] + second + first + sealed[start + 2 * step :], HERE)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "note"}, {"owner": b"d" * 16}, {"owner": None}, {"row": b"n" * 16}, {"row": None}, {"revision": 6},
        {"revision": 8}, {"owner": MESSAGE, "row": CASE},
    ],
    ids=str,
)  # fmt: skip
def test_an_object_opens_only_where_it_belongs(key, change):
    sealed = seal_json(key, {"text": "voor hier"}, HERE)

    with pytest.raises(Onleesbaar):
        open_json(key, sealed, dataclasses.replace(HERE, **change))


def test_two_rows_cannot_change_places(key):
    there = Binding("message", CASE, b"n" * 16, 7)
    here, elsewhere = seal(key, b"1", HERE), seal(key, b"2", there)

    for sealed, binding in ((here, there), (elsewhere, HERE)):
        with pytest.raises(Onleesbaar):
            open_sealed(key, sealed, binding)


def test_the_compartments_and_revisions_of_one_case_cannot_change_places(key):
    places = [Binding("case_doc", CASE, compartment, revision) for compartment in "AB" for revision in (1, 2)]
    sealed = {place: seal(key, b"x", place) for place in places}

    for place in places:
        for other in places:
            if other == place:
                assert open_sealed(key, sealed[place], other) == b"x"
            else:
                with pytest.raises(Onleesbaar):
                    open_sealed(key, sealed[place], other)


def test_another_key_is_refused_also_under_the_id_of_the_right_one(key):
    other = SealKey(b"o" * 32)
    sealed = seal(other, b"x", HERE)
    relabelled = key.header + sealed[HEADER_BYTES:]

    for forged in (sealed, relabelled):
        with pytest.raises(Onleesbaar):
            open_sealed(key, forged, HERE)


@pytest.mark.parametrize("header", ["574d0201", "574d0102", "574d0100", "574d0001", "574b0101", "00000000"])
def test_an_unknown_magic_version_or_suite_is_refused_and_nothing_else_is_tried(key, header, monkeypatch):
    sealed = bytes.fromhex(header) + seal(key, b"x", HERE)[4:]
    monkeypatch.setattr(seals, "Cobblestone256Decryptor", None)  # would be a TypeError

    with pytest.raises(Onleesbaar):
        open_sealed(key, sealed, HERE)


def test_an_object_of_another_key_is_refused_before_anything_is_decrypted(key, monkeypatch):
    sealed = seal(SealKey(b"o" * 32), b"x", HERE)
    monkeypatch.setattr(seals, "Cobblestone256Decryptor", None)

    with pytest.raises(Onleesbaar):
        open_sealed(key, sealed, HERE)


def test_the_error_names_the_object_and_nothing_of_why_or_of_what_is_in_it(key):
    sealed = seal_json(key, {"text": "Kanarie"}, HERE)
    wrong_row, changed = dataclasses.replace(HERE, revision=8), sealed[:-1] + bytes([sealed[-1] ^ 1])

    seen = set()
    for forged, binding in ((sealed, wrong_row), (changed, HERE), (b"", HERE)):
        with pytest.raises(Onleesbaar) as caught:
            open_json(key, forged, binding)
        seen.add((caught.value.object_id, caught.value.kind, str(caught.value), caught.value.__cause__))

    # The text, which may end in a log, gives the kind alone.
    assert seen == {(f"message/{CASE.hex()}/{MESSAGE.hex()}", "message", "message", None)}


@pytest.mark.parametrize(
    ("size", "padded"),
    [
        (0, 512), (1, 512), (511, 512), (512, 1024), (4094, 4096), (4095, 4096), (4096, 8192), (8191, 8192),
        (8192, 12_288), (MAX_JSON_BYTES, MAX_JSON_BYTES + 4096),
    ],
)  # fmt: skip
def test_documents_are_padded_in_steps(size, padded):
    plain = b"x" * size

    assert pad(plain) == plain + b"\x80" + bytes(padded - size - 1)
    assert unpad(pad(plain)) == plain


def test_a_document_shows_its_step_and_not_its_length(key):
    lengths = {len(seal_json(key, "x" * size, HERE)) for size in range(0, 500, 7)}

    assert lengths == {512 + OVERHEAD}


@pytest.mark.parametrize("padded", [b"", bytes(512), b"{}" + bytes(510), b"{}\x80\x01" + bytes(508)])
def test_padding_without_its_mark_is_unreadable(key, padded):
    sealed = seal(key, padded, HERE)

    with pytest.raises(Onleesbaar):
        open_json(key, sealed, HERE)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"\xff", '{"a":1}'.encode("utf-16"), b"\xef\xbb\xbf{}", b'"\xed\xa0\x80"', b"[" * 100_000,
        b'{"a":1}x', b"1" * 5000,
    ],
    ids=["nothing", "half", "not text", "UTF-16", "marked", "half a character", "deep", "more", "a long number"],
)  # fmt: skip
def test_what_is_not_json_in_utf_8_is_unreadable(key, text):
    sealed = seal(key, pad(text), HERE)

    with pytest.raises(Onleesbaar):
        open_json(key, sealed, HERE)


@pytest.mark.parametrize("document", [float("nan"), float("inf"), "\ud800", "x" * MAX_JSON_BYTES])
def test_what_could_not_be_read_again_is_not_sealed(key, document):
    with pytest.raises(ValueError, match=r"."):
        seal_json(key, document, HERE)


def test_a_document_of_exactly_one_mebibyte_is_sealed(key):
    document = "x" * (MAX_JSON_BYTES - 2)  # its two quotation marks count too

    assert open_json(key, seal_json(key, document, HERE), HERE) == document


def test_a_raw_key_takes_124_bytes(key):
    here = Binding("fold", CASE, "A", 0)

    sealed = seal_key(key, b"s" * 32, here)

    assert len(sealed) == 124
    assert open_key(key, sealed, here) == b"s" * 32


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_only_keys_of_32_bytes_are_sealed_raw_or_opened_as_such(key, size):
    here = Binding("fold", CASE, "A", 0)

    with pytest.raises(ValueError, match="32-byte"):
        seal_key(key, bytes(size), here)
    with pytest.raises(Onleesbaar):
        open_key(key, seal(key, bytes(size), here), here)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_seal_key_is_32_bytes(size):
    with pytest.raises(ValueError, match="32 bytes"):
        SealKey(bytes(size))


def test_a_key_does_not_show_itself():
    assert "s" * 8 not in repr(SealKey(b"s" * 32))


def test_the_kinds_are_frozen():
    # Kinds may be added, never renamed or taken away: each is a part of the bytes that objects are bound to.
    assert {
        "root_pw", "root_rc", "bundle", "case_doc", "message", "event", "note", "attachment", "file", "preview",
        "epoch", "claim", "draft", "fold", "headline", "segment", "roster", "link", "fact", "emergency", "link_fold",
        "figures", "recovery", "session", "presession", "user", "notify", "outbox", "duty", "export", "backup",
    } <= KINDS  # fmt: skip


def test_what_a_place_leaves_out_is_absent_and_its_revision_zero():
    assert Binding("fact") == Binding("fact", None, None, 0)


def test_an_unknown_kind_is_a_mistake_of_ours_and_no_format():
    with pytest.raises(ValueError, match="bericht"):
        Binding("bericht", CASE)


@pytest.mark.parametrize("part", [1.0, True.__str__, object(), {"a"}, [1]])
def test_a_context_takes_only_what_has_one_way_to_be_written(part):
    with pytest.raises(TypeError):
        context("seal", part)


PARTS = st.lists(st.none() | st.binary(max_size=20) | st.text(max_size=20) | st.integers(), max_size=6)


@given(PARTS, PARTS)
@settings(deadline=None)
def test_two_different_contexts_have_different_bytes(left, right):
    def written(parts):
        return [byhand.ctx("x", part) for part in parts]

    assert context("seal", *left) == byhand.ctx("seal", *left)
    assert (context("seal", *left) == context("seal", *right)) == (written(left) == written(right))


@given(JSON)
@settings(deadline=None)
def test_every_document_comes_back_as_it_was(document):
    key = SealKey(b"k" * 32)

    sealed = seal_json(key, document, HERE)

    assert json.dumps(open_json(key, sealed, HERE)) == json.dumps(json.loads(json.dumps(document, sort_keys=True)))
    assert (len(sealed) - OVERHEAD) % 512 == 0 or len(sealed) > 16_384


@given(st.binary(max_size=600))
@settings(deadline=None)
def test_padding_comes_off_again(plain):
    assert unpad(pad(plain)) == plain


@given(st.binary(max_size=300), st.booleans())
@settings(max_examples=300, deadline=None)
def test_no_bytes_from_elsewhere_open_or_break_the_parser(noise, labelled):
    key = SealKey(b"k" * 32)
    sealed = (key.header if labelled else b"") + noise

    for opened in (open_sealed, open_json, open_key):
        with pytest.raises(Onleesbaar):
            opened(key, sealed, HERE)
