"""Codes that people write down: read with patience, and a slip of the pen noticed."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weerbaar_meldpunt.vault.codes import ALPHABET, SOURCE_BYTES, WrongCode, code_from, read_code, shown_code

SOURCE = bytes(range(SOURCE_BYTES))
CODE = code_from(SOURCE)
SHOWN = shown_code(CODE)
SOURCES = st.binary(min_size=SOURCE_BYTES, max_size=SOURCE_BYTES)


def is_read(text):
    try:
        read_code(text)
    except WrongCode:
        return False
    return True


def test_a_code_is_the_first_130_bits_of_its_source_in_crockford_base32():
    bits = "".join(f"{byte:08b}" for byte in SOURCE)[:130]

    assert CODE.decode() == "".join(ALPHABET[int(bits[i : i + 5], 2)] for i in range(0, 130, 5))
    assert CODE == b"000G40R40M30E209185GR38E1W"
    assert code_from(SOURCE[:-1] + bytes([SOURCE[-1] ^ 0x3F])) == CODE  # the last six bits are not used
    assert code_from(SOURCE[:-1] + bytes([SOURCE[-1] ^ 0x40])) != CODE


def test_a_code_is_shown_in_groups_of_five_with_its_check_character():
    groups = SHOWN.split("-")

    assert [len(group) for group in groups] == [5, 5, 5, 5, 5, 2]
    assert "".join(groups)[:26].encode() == CODE
    assert set("".join(groups)) <= set(ALPHABET)


def test_the_check_character_is_luhn_mod_32():
    # From the right, every second value doubled and its two base-32 digits added: all together a multiple of 32.
    values = [ALPHABET.index(c) for c in reversed(SHOWN.replace("-", ""))]
    doubled = [sum(divmod(2 * value, 32)) for value in values[1::2]]

    assert (sum(values[::2]) + sum(doubled)) % 32 == 0
    assert shown_code(b"0" * 26)[-1] == "0"
    assert shown_code(b"0" * 25 + b"1")[-1] == "Y"


def test_every_character_can_be_spoken_without_being_taken_for_another():
    assert ALPHABET == "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    assert not set("ILOU") & set(ALPHABET)


@pytest.mark.parametrize(
    "typed",
    [
        SHOWN, SHOWN.lower(), SHOWN.replace("-", ""), SHOWN.replace("-", " "), SHOWN.replace("-", " – "),
        f"  {SHOWN}\n",
        SHOWN.replace("0", "O"), SHOWN.replace("0", "o"), SHOWN.replace("1", "I"), SHOWN.replace("1", "l"),
        SHOWN.replace("1", "L").replace("0", "O").lower(), "\u200b".join(SHOWN), SHOWN.replace("-", "\u00a0"),
        SHOWN.replace("-", "\u2011"), SHOWN.replace("-", "\u00ad"), SHOWN.replace("-", "\u2212"), " ".join(SHOWN),
        SHOWN.replace("-", "."), SHOWN.replace("-", "_"), SHOWN.replace("-", "\u2028"), SHOWN.replace("-", "\u2029"),
    ],
    ids=ascii,
)  # fmt: skip
def test_a_code_is_read_however_it_was_copied(typed):
    assert read_code(typed) == CODE


@pytest.mark.parametrize(
    "typed",
    [
        "", "-", SHOWN[:-1], SHOWN + "0", SHOWN[1:], SHOWN.replace("G", "U", 1), SHOWN.replace("G", "*", 1),
        SHOWN.replace("G", "é", 1), SHOWN.replace("4", "４", 1), "0" * 26 + "1", SHOWN * 2, "x" * 100_000,
    ],
    ids=lambda typed: ascii(typed)[:40],
)  # fmt: skip
def test_what_cannot_be_a_code_is_refused_with_one_error(typed):
    with pytest.raises(WrongCode) as caught:
        read_code(typed)

    assert str(caught.value) == ""


@pytest.mark.parametrize("source", [SOURCE, bytes(SOURCE_BYTES), b"\xff" * SOURCE_BYTES, b"\x5a\xc3" * 8 + b"\x99"])
def test_every_wrong_character_is_noticed(source):
    right = shown_code(code_from(source)).replace("-", "")

    for place, wrong in itertools.product(range(27), ALPHABET):
        if wrong != right[place]:
            assert not is_read(right[:place] + wrong + right[place + 1 :])


def test_two_neighbours_that_changed_places_are_noticed_but_for_0_and_z():
    # Luhn mod 32 cannot see 0Z against Z0, as Luhn mod 10 cannot see 09 against 90. Nothing more is missed.
    missed = set()
    for place, (one, other) in itertools.product(range(25), itertools.combinations(ALPHABET, 2)):
        before, after = "7" * place, "7" * (24 - place)
        checks = {shown_code((before + pair + after).encode())[-1] for pair in (one + other, other + one)}
        if len(checks) == 1:
            missed.add((one, other))
    for last in ALPHABET:
        check = shown_code(("7" * 25 + last).encode())[-1]
        if check != last and is_read("7" * 25 + check + last):
            missed.add(tuple(sorted((check, last))))

    assert missed == {("0", "Z")}


def test_a_character_too_few_or_too_many_is_noticed():
    right = SHOWN.replace("-", "")

    for place in range(27):
        assert not is_read(right[:place] + right[place + 1 :])
        assert not is_read(right[:place] + "7" + right[place:])


@given(SOURCES)
@settings(deadline=None)
def test_every_code_that_is_shown_is_read_again(source):
    code = code_from(source)

    assert read_code(shown_code(code)) == code
    assert read_code(shown_code(code).lower().replace("0", "o").replace("1", "i")) == code


@given(st.text(max_size=60))
@settings(deadline=None)
def test_whatever_is_typed_is_a_code_or_not_one_and_never_breaks(typed):
    try:
        code = read_code(typed)
    except WrongCode:
        return
    assert read_code(shown_code(code)) == code


@pytest.mark.parametrize("size", [0, 16, 18])
def test_a_code_is_made_from_17_bytes(size):
    with pytest.raises(ValueError, match="17 bytes"):
        code_from(bytes(size))
