"""The pin file: what is sealed to, read line by line, added to and never rewritten."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vault import byhand
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.pins import PinFault, Pins, pins_of
from weerbaar_meldpunt.vault.wrap import PublicKey, key_pair

F1, F2, F3 = ("1" * 64, "2" * 64, "3" * 64)
ID = b"\xab" * 16
JURIDISCH = [TeamKeys("juridisch", epoch, bytes([epoch]) * 32).pair.public for epoch in (1, 2, 3)]
TEAMS = [TeamKeys(name, 1, name.encode()[:8] * 4).pair.public for name in ("beveiliging", "juridisch")]
STATS = TeamKeys("", 1, b"f" * 32, "stats").pair.public
RECOVERY = key_pair(b"r" * 32, "recovery", ID, 1).public


def test_a_pin_file_is_read_and_written_the_same():
    text = f"team juridisch 1 {F1}\nteam juridisch 2 {F2} sealing\nstats - 1 {F3} sealing\n"

    pins = Pins.parse(text)

    assert pins.text() == text
    assert pins.sealing("team", "juridisch").epoch == 2
    assert pins.sealing("stats", "").fingerprint.hex() == F3
    assert pins.sealing("team", "beveiliging") is None


def test_comments_empty_lines_and_spaces_do_not_matter():
    pins = Pins.parse(f"# compared by telephone\n\n   \n  team   juridisch\t1 {F1.upper()} sealing  \r\n")

    assert pins.text() == f"team juridisch 1 {F1} sealing\n"


def test_an_empty_file_pins_nothing():
    assert Pins.parse("").sealing("team", "juridisch") is None


@pytest.mark.parametrize(
    "line",
    [
        "team", "team juridisch 1", f"team juridisch 1 {F1[:-1]} sealing", f"team juridisch 1 {F1}0 sealing",
        f"team juridisch 1 {F1[:-1]}g sealing", f"team juridisch 1 {F1} Sealing", f"team juridisch 1 {F1} sealing x",
        f"team juridisch one {F1} sealing", f"team juridisch 01 {F1} sealing", f"team juridisch +1 {F1} sealing",
        f"team juridisch 1_0 {F1} sealing", f"team juridisch １ {F1} sealing", f"team juridisch 1.0 {F1} sealing",
        f"ploeg juridisch 1 {F1} sealing", f"reader {ID.hex()} 0 {F1} sealing", f"recovery juridisch 1 {F1} sealing",
        f"recovery - 1 {F1} sealing", f"recovery {ID.hex()[:-2]} 1 {F1} sealing",
        f"recovery {ID.hex().upper()} 1 {F1} sealing", "=======", "\0",
    ],
    ids=ascii,
)  # fmt: skip
def test_a_line_that_is_no_pin_is_named(line):
    with pytest.raises(PinFault, match="line 3: not a pin"):
        Pins.parse(f"# eerst\nteam beveiliging 1 {F2} sealing\n{line}\n")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"team a 1 {F1} sealing\nteam a 2 {F2} sealing\n", "line 2: a second sealing epoch"),
        (f"team a 1 {F1} sealing\nteam a 1 {F2}\n", "line 2: an epoch stands twice"),
        (f"team a 1 {F1} sealing\nteam a 3 {F2}\n", "line 2: an epoch .* is missing"),
        (f"team a 2 {F1} sealing\n", "line 1: an epoch .* is missing"),
        (f"team a 0 {F1} sealing\n", "line 1: an epoch"),
        (f"team a -1 {F1} sealing\n", "line 1: an epoch"),
        (f"team a 2 {F2} sealing\nteam a 1 {F1}\n", "line 1: an epoch .* out of order"),
        (f"team a 1 {F1}\nteam a 2 {F2}\n", "no sealing epoch for team a"),
        (f"stats - 1 {F1}\n", "no sealing epoch for stats -"),
        (f"custodian {ID.hex()} 1 {F1} sealing\n", "line 1: an epoch"),
    ],
)
def test_lines_that_do_not_belong_together_are_named(text, fault):
    with pytest.raises(PinFault, match=fault):
        Pins.parse(text)


def test_one_sealing_epoch_a_key_stands_beside_that_of_every_other_key():
    keys = ["team a 1", "team b 1", "stats a 1", "link - 1", f"custodian {ID.hex()} 0", f"user {ID.hex()} 1"]
    text = "".join(f"{key} {F1} sealing\n" for key in keys)

    assert Pins.parse(text).text() == text


def test_only_the_very_key_owner_and_epoch_is_pinned():
    pins = pins_of([JURIDISCH[0], STATS, RECOVERY])

    assert all(pins.holds(key) for key in (JURIDISCH[0], STATS, RECOVERY))
    same = JURIDISCH[0].raw
    planted = [
        PublicKey("team", "juridisch", 1, JURIDISCH[1].raw), PublicKey("team", "juridisch", 2, same),
        PublicKey("team", "beveiliging", 1, same), PublicKey("stats", "juridisch", 1, same),
        PublicKey("team", "juridisch", 1, same[:-1] + b"\0"), JURIDISCH[1],
    ]  # fmt: skip
    assert not any(pins.holds(key) for key in planted)


def test_a_fingerprint_that_differs_anywhere_is_another_key():
    right = pins_of([JURIDISCH[0]]).text()

    for place in (17, 48, 80):
        digit = "0" if right[place] != "0" else "1"
        assert not Pins.parse(right[:place] + digit + right[place + 1 :]).holds(JURIDISCH[0])


def test_a_new_epoch_takes_over_the_sealing_and_the_old_line_stays():
    pins = pins_of(JURIDISCH[:2]).with_sealing(TEAMS[0])

    assert [(pin.owner, pin.epoch, pin.sealing) for pin in pins.lines] == [
        ("juridisch", 1, False), ("juridisch", 2, True), ("beveiliging", 1, True)
    ]  # fmt: skip
    assert pins.holds(JURIDISCH[0])
    assert Pins.parse(pins.text()) == pins


@pytest.mark.parametrize("key", [JURIDISCH[0], JURIDISCH[2], PublicKey("team", "juridisch", 1, JURIDISCH[2].raw)])
def test_a_pin_is_never_replaced_and_no_epoch_is_skipped(key):
    pins = pins_of(JURIDISCH[:1])

    with pytest.raises(PinFault, match="never replaced"):
        pins.with_sealing(key)
    assert pins.text() == pins_of(JURIDISCH[:1]).text()


def test_the_first_epoch_of_a_key_is_its_first():
    with pytest.raises(PinFault, match="skipped"):
        Pins(()).with_sealing(JURIDISCH[1])
    assert Pins(()).with_sealing(key_pair(b"c" * 32, "custodian", ID).public).lines[0].epoch == 0


def test_the_pins_have_one_digest_whatever_the_order_of_their_lines():
    pins = pins_of([STATS, *JURIDISCH[:2], RECOVERY, TEAMS[0]])
    lines = pins.text().splitlines(keepends=True)

    expected = [
        ("recovery", ID, 1, RECOVERY), ("stats", "", 1, STATS), ("team", "beveiliging", 1, TEAMS[0]),
        ("team", "juridisch", 1, JURIDISCH[0]), ("team", "juridisch", 2, JURIDISCH[1]),
    ]  # fmt: skip
    parts = [part for kind, owner, epoch, key in expected for part in (kind, owner, epoch, key.fingerprint)]
    assert pins.digest == hashlib.sha256(byhand.ctx("pins", *parts)).digest()
    assert Pins.parse("".join([lines[4], lines[3], *lines[:3]])).digest == pins.digest


def test_epochs_are_ordered_as_numbers_in_the_digest():
    pins = Pins.parse("".join(f"team a {n} {n:064x}{' sealing' * (n == 11)}\n" for n in range(1, 12)))

    parts = [part for n in range(1, 12) for part in ("team", "a", n, n.to_bytes(32, "big"))]
    assert pins.digest == hashlib.sha256(byhand.ctx("pins", *parts)).digest()


def test_another_fingerprint_owner_or_epoch_gives_another_digest():
    one_key = [f"team a 1 {F1}", f"team a 1 {F2}", f"team b 1 {F1}", f"stats a 1 {F1}", f"team a 1 {F1}\nteam a 2 {F1}"]
    texts = ["", *(f"{text} sealing" for text in one_key)]

    assert len({Pins.parse(text).digest for text in texts}) == len(texts)


@given(st.text(alphabet="team links-012 ab\n#\t", max_size=200) | st.text(max_size=80))
@settings(deadline=None)
def test_any_text_is_read_or_refused_with_one_error(text):
    try:
        pins = Pins.parse(text)
    except PinFault:
        return
    assert Pins.parse(pins.text()) == pins
