"""Two words that a frightened person reads along while a caller says them over a bad line."""

import re
from collections import defaultdict
from itertools import combinations

import pytest

from weerbaar_meldpunt.rules.words import control_words, word_list

HOW_MANY = 2048
# Written differently, heard alike: Dutch spelling first, then the letters that a telephone line makes one.
HEARD_ALIKE = (
    ("ng", "N"), ("sch", "sg"), ("ij", "Y"), ("ei", "Y"), ("ey", "Y"), ("au", "A"), ("ou", "A"), ("oe", "U"),
    ("eu", "O"), ("ui", "I"), ("ie", "i"), ("ch", "g"), ("qu", "k"), ("ph", "f"), ("th", "t"), ("uw", "w"),
    ("ce", "se"), ("ci", "si"), ("c", "k"), ("q", "k"), ("x", "ks"), ("y", "i"),
    ("b", "p"), ("d", "t"), ("v", "f"), ("w", "f"), ("z", "s"), ("n", "m"),
)  # fmt: skip


def sounds(word):
    """The word as a bad line leaves it, one letter a sound."""
    for written, heard in HEARD_ALIKE:
        word = word.replace(written, heard)
    return re.sub(r"(.)\1+", r"\1", word)


def holes(code):
    """The code with each of its sounds lost once, marked or unnoticed."""
    for at in range(len(code)):
        yield code[:at] + "?" + code[at + 1 :]
        yield code[:at] + code[at + 1 :]


def distance(one, other):
    """How many sounds must be changed, lost or added to make one code of the other."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        above, row = row, [i]
        for j, right in enumerate(other, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (left != right)))
    return row[-1]


def grouped(key):
    groups = defaultdict(list)
    for word in word_list():
        groups[key(word)].append(word)
    return groups.values()


def scripted(*draws):
    """A source of chance that gives these draws, and refuses one that its caller did not leave room for."""
    left = list(draws)

    def random_below(limit):
        draw = left.pop(0)
        assert 0 <= draw < limit
        return draw

    return random_below


def test_there_are_two_thousand_and_forty_eight_words_each_once_and_in_order():
    words = word_list()

    assert len(words) == HOW_MANY
    assert list(words) == sorted(set(words))


def test_a_word_is_four_to_nine_plain_letters():
    assert [word for word in word_list() if not re.fullmatch("[a-z]{4,9}", word)] == []


def test_no_more_than_four_words_begin_with_the_same_four_letters():
    assert [group for group in grouped(lambda word: word[:4]) if len(group) > 4] == []


def test_a_word_that_is_cut_off_is_never_another_word():
    words = set(word_list())

    begun = [(word[:at], word) for word in words for at in range(1, len(word)) if word[:at] in words]

    assert begun == []


@pytest.mark.parametrize("heard", [str, sounds], ids=["as spelt", "as heard"])
def test_one_sound_that_is_lost_added_or_mistaken_does_not_make_another_word(heard):
    by_hole = defaultdict(set)
    for word in word_list():
        for code in {heard(word), *holes(heard(word))}:
            by_hole[code].add(word)

    alike = {pair for words in by_hole.values() for pair in combinations(sorted(words), 2)}

    assert {(a, b) for a, b in alike if distance(heard(a), heard(b)) < 2} == set()


@pytest.mark.parametrize("part", [slice(4), slice(-6, None)], ids=["begin", "end"])
def test_words_that_begin_or_end_alike_differ_in_three_sounds(part):
    pairs = [pair for group in grouped(lambda word: word[part]) for pair in combinations(group, 2)]

    assert [(a, b) for a, b in pairs if distance(sounds(a), sounds(b)) < 3] == []


@pytest.mark.parametrize("word", ["bom", "brand", "dood", "graf", "haat", "hoer", "kogel", "moord", "nazi", "wapen"])
def test_no_word_is_heard_as_one_that_frightens(word):
    assert [ours for ours in word_list() if sounds(ours) == sounds(word)] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("nasi", "nazi"), ("peil", "pijl"), ("rouw", "rauw"), ("hart", "hard"), ("pakken", "bakken"), ("mama", "nana")],
)
def test_these_would_be_taken_for_each_other(one, other):
    assert sounds(one) == sounds(other)


def test_the_two_words_on_a_receipt_are_never_the_same():
    last = HOW_MANY - 1

    pairs = [
        control_words(scripted(first, second))
        for first in range(HOW_MANY)
        for second in {0, max(first - 1, 0), min(first, last - 1), last - 1}
    ]

    assert [pair for pair in pairs if pair[0] == pair[1]] == []


@pytest.mark.parametrize("first", [0, 1, 1023, 2046, 2047])
def test_after_any_first_word_every_other_word_has_one_draw(first):
    pairs = [control_words(scripted(first, second)) for second in range(HOW_MANY - 1)]

    word = word_list()[first]
    assert {one for one, _ in pairs} == {word}
    assert sorted(other for _, other in pairs) == [other for other in word_list() if other != word]


def test_every_word_can_come_first():
    assert [control_words(scripted(first, 0))[0] for first in range(HOW_MANY)] == list(word_list())


def test_a_receipt_costs_two_draws_with_no_room_beyond_the_list():
    asked = []

    control_words(lambda limit: asked.append(limit) or 0)

    assert asked == [HOW_MANY, HOW_MANY - 1]


def test_the_list_is_read_once():
    assert word_list() is word_list()
