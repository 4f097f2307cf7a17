"""Evidence files: sealed as they stream in, and verified to the end before the first byte is given out."""

import hashlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vault import byhand
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.files import STEP, FileSealer, open_file, verify_file
from weerbaar_meldpunt.vault.seal import HEADER_BYTES, Binding, SealKey, seal

BLOB = b"b" * 16
CHUNK = 16_384 + 16
BODY = HEADER_BYTES + 56


def sealed_file(plain, *, piece=10_000, kind="file"):
    target = io.BytesIO()
    sealer = FileSealer(target, BLOB, kind=kind)
    for start in range(0, len(plain), piece):
        assert sealer.write(plain[start : start + piece]) == len(plain[start : start + piece])
    sealer.finish()
    return target.getvalue(), sealer


def check(sealed, sealer, *, blob=BLOB, kind="file", **changes):
    noted = {"size": sealer.size, "sha256": sealer.sha256} | changes
    verify_file(io.BytesIO(sealed), sealer.key, blob, kind=kind, **noted)


def opened(sealed, sealer, **changes):
    noted = {"size": sealer.size} | changes
    return b"".join(open_file(io.BytesIO(sealed), sealer.key, BLOB, **noted))


@pytest.mark.parametrize(
    ("size", "steps"),
    [(0, 1), (1, 1), (STEP - 1, 1), (STEP, 2), (STEP + 1, 2), (2 * STEP - 1, 2), (200_000, 4), (300_000, 5)],
)
def test_a_file_comes_back_and_shows_its_size_in_steps_of_64_kib(size, steps):
    plain = bytes(n % 251 for n in range(size))

    sealed, sealer = sealed_file(plain)

    check(sealed, sealer)
    assert opened(sealed, sealer) == plain
    assert (sealer.size, sealer.sha256) == (size, hashlib.sha256(plain).digest())
    assert len(sealed) == HEADER_BYTES + 56 + steps * 4 * CHUNK + 16


def test_a_sealed_file_is_exactly_the_bytes_of_the_specification():
    sealed, sealer = sealed_file(b"bewijs" * 5000)

    padded = byhand.open_so(sealer.key, sealed, "file", None, BLOB, 0)

    assert padded == b"bewijs" * 5000 + b"\x80" + bytes(STEP - 30_001)


def test_each_file_has_a_key_of_its_own():
    assert sealed_file(b"x")[1].key != sealed_file(b"x")[1].key


def test_nothing_plain_reaches_the_disk_and_nothing_is_held_back():
    target = io.BytesIO()
    sealer = FileSealer(target, BLOB)

    for _ in range(64):
        sealer.write(b"KANARIE!" * 2048)

    assert b"KANARIE" not in target.getvalue()
    assert len(target.getvalue()) >= 63 * CHUNK


def test_a_file_that_was_not_finished_does_not_verify():
    target = io.BytesIO()
    sealer = FileSealer(target, BLOB)
    sealer.write(bytes(100_000))

    with pytest.raises(Onleesbaar):
        check(target.getvalue(), sealer)


def test_a_file_cut_off_near_any_chunk_is_refused_though_pieces_of_it_would_open():
    sealed, sealer = sealed_file(bytes(200_000))
    boundaries = [0, HEADER_BYTES, BODY - 32, *range(BODY, len(sealed), CHUNK), len(sealed) - 1]

    for boundary in boundaries:
        for end in {max(boundary - 1, 0), boundary, boundary + 1} - {len(sealed)}:
            with pytest.raises(Onleesbaar):
                check(sealed[:end], sealer)
    # This is why verifying comes first: a reader of pieces would have had most of the file by now.
    first = next(open_file(io.BytesIO(sealed[:-1]), sealer.key, BLOB, size=sealer.size))
    assert len(first) > STEP


def test_a_file_with_anything_behind_it_is_refused():
    sealed, sealer = sealed_file(bytes(100_000))

    for tail in (b"\0", bytes(16), sealed[-16:], sealed[-CHUNK:], sealed):
        with pytest.raises(Onleesbaar):
            check(sealed + tail, sealer)


def test_a_file_with_one_changed_byte_is_refused_wherever_it_is():
    sealed, sealer = sealed_file(bytes(200_000))
    places = {*range(BODY + 4), *range(BODY, len(sealed), CHUNK), *range(BODY - 1, len(sealed), CHUNK), len(sealed) - 1}

    for place in places:
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(Onleesbaar):
            check(bytes(changed), sealer)


def test_a_file_whose_chunks_changed_places_is_refused():
    sealed, sealer = sealed_file(bytes(100_000))
    first, second = sealed[BODY : BODY + CHUNK], sealed[BODY + CHUNK : BODY + 2 * CHUNK]

    with pytest.raises(Onleesbaar):
        check(sealed[:BODY] + second + first + sealed[BODY + 2 * CHUNK :], sealer)


@pytest.mark.parametrize("size", [0, 1, 99_999, 100_001, STEP * 2 - 1, STEP * 2, 10**9])
def test_a_file_of_another_size_than_noted_is_refused(size):
    sealed, sealer = sealed_file(bytes(100_000))

    with pytest.raises(Onleesbaar):
        check(sealed, sealer, size=size, sha256=hashlib.sha256(bytes(min(size, 100_000))).digest())


def test_a_file_with_another_hash_key_place_or_kind_than_noted_is_refused():
    sealed, sealer = sealed_file(b"bewijs")
    other_key, _ = sealed_file(b"bewijs")

    for wrong, changes in (
        (sealed, {"sha256": bytes(32)}), (sealed, {"blob": b"c" * 16}), (sealed, {"kind": "preview"}), (other_key, {}),
    ):  # fmt: skip
        with pytest.raises(Onleesbaar):
            check(wrong, sealer, **changes)


@pytest.mark.parametrize(
    "padding",
    [
        b"", bytes(STEP - 6), b"\x81" + bytes(STEP - 7), b"\x80" + bytes(STEP - 8), b"\x80" + bytes(STEP - 6),
        b"\x80" + bytes(STEP - 8) + b"\1", b"\x80" + bytes(2 * STEP - 7),
    ],
    ids=["none", "no mark", "another mark", "too short", "too long", "not zero", "a step too much"],
)  # fmt: skip
def test_a_file_that_is_not_padded_as_it_must_be_is_refused(padding):
    secret = b"f" * 32
    sealed = seal(SealKey(secret), b"bewijs" + padding, Binding("file", None, BLOB, 0))

    with pytest.raises(Onleesbaar):
        verify_file(io.BytesIO(sealed), secret, BLOB, size=6, sha256=hashlib.sha256(b"bewijs").digest())


def test_a_preview_is_sealed_as_another_kind():
    sealed, sealer = sealed_file(b"beeld", kind="preview")

    check(sealed, sealer, kind="preview")
    with pytest.raises(Onleesbaar):
        check(sealed, sealer, kind="file")
    with pytest.raises(ValueError, match="message"):
        FileSealer(io.BytesIO(), BLOB, kind="message")


@given(st.binary(max_size=3000), st.integers(1, 1000))
@settings(max_examples=40, deadline=None)
def test_a_file_is_the_same_in_whatever_pieces_it_came(plain, piece):
    sealed, sealer = sealed_file(plain, piece=piece)

    check(sealed, sealer)
    assert opened(sealed, sealer) == plain
