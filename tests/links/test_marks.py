"""Marks are written in one way: what is the same person's comes out the same, what is another's does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weerbaar_meldpunt.rules.marks import read_mark


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("06 1234 5678", "+31 6 12345678"), ("0612345678", "0031612345678"), ("+31 (0)6-12345678", "06-12345678"),
        ("020 123 45 67", "+31201234567"), ("@Boze_Burger", "@boze_burger"), ("Jan  de Vries", "jan de vries"),
        ("https://www.facebook.com/Jan.de.Vries/?fbclid=abc", "facebook.com/jan.de.vries"),
        ("https://m.facebook.com/profile.php?id=100&ref=x", "http://facebook.com/profile.php?id=100"),
        ("https://x.com/iemand/status/12?s=20&utm_source=app#boven", "x.com/iemand/status/12?s=20"),
        ("Iemand@Voorbeeld.test", "mailto:iemand@voorbeeld.test"), ("ﬁets", "fiets"),
    ],
)  # fmt: skip
def test_written_in_two_ways_it_is_one_mark(one, other):
    assert read_mark(one) == read_mark(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0612345678", "0612345679"), ("facebook.com/profile.php?id=1", "facebook.com/profile.php?id=2"),
        ("facebook.com/jan", "facebook.com/jans"), ("@jan", "jan"), ("youtube.com/watch?v=a", "youtube.com/watch?v=b"),
        ("+32612345678", "0612345678"), ("a@b.test", "c@b.test"), ("kpn.test/jan", "kpn.test/piet"),
    ],
)  # fmt: skip
def test_two_people_are_two_marks(one, other):
    assert read_mark(one) != read_mark(other)


@pytest.mark.parametrize("text", ["", "a", "  ", "@a", "ab"])
def test_too_short_says_nobody(text):
    assert read_mark(text) is None


@pytest.mark.parametrize("text", ["http://[", "https://", "://", "1" * 400, "\u200b\u200b", "javascript:alert(1)"])
def test_strange_text_breaks_nothing(text):
    read_mark(text)


@given(st.text(max_size=60))
def test_reading_what_was_read_gives_the_same_and_nothing_breaks(text):
    mark = read_mark(text)
    if mark is not None and mark.kind in ("naam", "mail"):
        assert read_mark(mark.text) == mark
