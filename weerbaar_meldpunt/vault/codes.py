"""Codes that people write down: 130 random bits as Crockford base32 with a check character.

They can be spoken and copied by hand: case, spaces and dashes do not matter, O reads as 0, I and L as 1.
"""

from __future__ import annotations

import unicodedata
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SOURCE_BYTES: Final = 17
_LENGTH, _GROUP = 26, 5
_VALUES: Final = {c: i for i, c in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_BETWEEN: Final = frozenset(("Pd", "Zs", "Zl", "Zp", "Cc", "Cf"))  # dashes, spaces, line ends, invisible characters


class WrongCode(ValueError):
    """What was typed is not a code; says nothing about whether it belongs to anything."""


def code_from(source: bytes) -> bytes:
    """The code made of the first 130 bits of 17 bytes: 26 upper-case ASCII characters, as keys are derived from."""
    if len(source) != SOURCE_BYTES:
        raise ValueError("a code is made from 17 bytes")
    bits = int.from_bytes(source, "big") >> (8 * SOURCE_BYTES - 5 * _LENGTH)
    return "".join(ALPHABET[bits >> 5 * (_LENGTH - 1 - i) & 31] for i in range(_LENGTH)).encode("ascii")


def _check_character(characters: str) -> str:
    """Luhn mod 32 over the characters, so that a slip of the pen is noticed before anything is tried.

    Notices each wrong character, and each two neighbours that changed places but for 0 and Z.
    """
    total, factor = 0, 2
    for character in reversed(characters):
        addend = _VALUES[character] * factor
        total += addend // 32 + addend % 32
        factor = 3 - factor
    return ALPHABET[-total % 32]


def shown_code(code: bytes) -> str:
    """The code as people see it: with its check character, in groups of five."""
    text = code.decode("ascii")
    text += _check_character(text)
    return "-".join(text[i : i + _GROUP] for i in range(0, len(text), _GROUP))


def read_code(typed: str) -> bytes:
    """The 26 characters of what somebody typed; `WrongCode` when it cannot be a code."""
    characters = [c for c in typed.upper() if unicodedata.category(c) not in _BETWEEN and c not in ".·_−"]
    if len(characters) != _LENGTH + 1 or any(c not in _VALUES for c in characters):
        raise WrongCode
    text = "".join(ALPHABET[_VALUES[c]] for c in characters)
    if _check_character(text[:-1]) != text[-1]:
        raise WrongCode
    return text[:-1].encode("ascii")
