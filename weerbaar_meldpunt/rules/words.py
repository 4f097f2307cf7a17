"""The control words on a receipt: whoever calls on our behalf says them first."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Final

LIST: Final = "controlewoorden.txt"


@cache
def word_list() -> tuple[str, ...]:
    """The shipped words, sorted: friendly, and apart enough to be told from each other over a bad line."""
    return tuple(files(__package__).joinpath("tables", LIST).read_text(encoding="utf-8").split())


def control_words(random_below: Callable[[int], int]) -> tuple[str, str]:
    """Two different words for one receipt; `random_below(n)` gives any of 0 to n - 1 with equal chance."""
    words = word_list()
    first = random_below(len(words))
    # The second is drawn from the words left over, so that no draw has to be thrown away.
    second = random_below(len(words) - 1)
    return words[first], words[second + (second >= first)]
