"""The hashes of the trail: every column counts, every leaf hangs from the one before."""

import hashlib
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from tests.vault import byhand
from weerbaar_meldpunt.vault.audit import (
    START,
    Checkpoint,
    case_tombstone,
    chain,
    checkpoint_key,
    leaf,
    mailed,
    read_anchor,
    row_hash,
    rows_hash,
    sign_checkpoint,
    tombstone_head,
)

AT = datetime(2026, 11, 23, 11, 30, 5, tzinfo=UTC)
ROW = {"id": b"r" * 16, "state": "nieuw", "n": 3, "unread": True, "due_at": AT, "owner_id": None}


def sha(data):
    return hashlib.sha256(data).digest()


def test_a_row_hash_is_that_of_all_columns_in_alphabetical_order():
    parts = [
        "due_at", "2026-11-23T11:30:05Z", "id", b"r" * 16, "n", "3", "owner_id", b"", "state", "nieuw", "unread", "1",
    ]  # fmt: skip

    assert row_hash("track", ROW) == sha(byhand.ctx("row", "track", *parts))
    assert row_hash("track", dict(reversed(ROW.items()))) == row_hash("track", ROW)


@pytest.mark.parametrize(
    "change",
    [
        {"state": "gesloten"}, {"n": 4}, {"unread": False}, {"due_at": AT + timedelta(seconds=1)}, {"id": b"s" * 16},
        {"owner_id": b"o" * 16}, {"extra": None},
    ],
    ids=str,
)  # fmt: skip
def test_any_changed_column_gives_another_row_hash(change):
    assert row_hash("track", ROW | change) != row_hash("track", ROW)


def test_another_table_or_a_column_less_gives_another_row_hash():
    assert row_hash("due", ROW) != row_hash("track", ROW)
    assert row_hash("track", {k: v for k, v in ROW.items() if k != "n"}) != row_hash("track", ROW)


def test_a_moment_is_the_same_in_every_zone_and_counts_to_the_second():
    amsterdam = AT.astimezone(timezone(timedelta(hours=1))).replace(microsecond=999_999)

    assert row_hash("due", {"moment": amsterdam}) == row_hash("due", {"moment": AT})


@pytest.mark.parametrize("value", [datetime(2026, 11, 23, 11, 30), date(2026, 11, 23), 1.5])  # noqa: DTZ001
def test_what_could_be_hashed_in_two_ways_is_refused(value):
    with pytest.raises((ValueError, TypeError)):
        row_hash("due", {"moment": value})


def test_text_cannot_slip_from_one_column_into_the_next():
    assert row_hash("note", {"a": "xy", "b": ""}) != row_hash("note", {"a": "x", "b": "y"})


def test_a_rows_hash_covers_what_one_act_wrote_in_its_order():
    rows = [("case", b"c" * 16, b"1" * 32), ("track", b"t" * 16, b"")]

    assert rows_hash(rows) == sha(byhand.ctx("rows", "case", b"c" * 16, b"1" * 32, "track", b"t" * 16, b""))
    assert rows_hash(rows[::-1]) != rows_hash(rows)
    assert rows_hash([]) == sha(byhand.ctx("rows"))


def test_a_leaf_covers_who_did_what_to_what_and_when():
    arguments = (7, AT, b"m" * 16, "geopend", b"c" * 16, b"r" * 32, b"b" * 32)

    made = leaf(*arguments)

    assert made == sha(
        b"\0" + byhand.ctx("audit", 7, "2026-11-23T11:30:05Z", b"m" * 16, "geopend", b"c" * 16, b"r" * 32, b"b" * 32)
    )
    others = (8, AT + timedelta(seconds=1), b"n" * 16, "gelezen", b"d" * 16, b"s" * 32, b"")
    changed = [leaf(*arguments[:place], other, *arguments[place + 1 :]) for place, other in enumerate(others)]
    assert len({made, *changed}) == len(others) + 1


def test_a_chain_hangs_each_leaf_from_all_before():
    first, second = b"1" * 32, b"2" * 32

    assert bytes(32) == START
    assert chain(START, first) == sha(b"\2" + bytes(32) + first)
    assert chain(chain(START, first), second) != chain(chain(START, second), first)


# --- tombstones and checkpoints ------------------------------------------------------------------------------------

CHECKPOINT = Checkpoint(b"i" * 16, 7, b"c" * 32, 2, b"t" * 32, AT)


def test_a_tombstone_head_hangs_from_the_one_before_and_covers_days_and_hashes_in_order():
    stones = [(date(2026, 11, 22), b"1" * 32), (date(2026, 11, 23), b"2" * 32)]

    head, count = tombstone_head(START, stones)

    by_hand = byhand.ctx("tombstones", bytes(32), "2026-11-22", b"1" * 32, "2026-11-23", b"2" * 32)
    assert (head, count) == (sha(by_hand), 2)
    assert tombstone_head(START, stones[::-1])[0] != head
    assert tombstone_head(head, [])[0] == sha(byhand.ctx("tombstones", head))


def test_an_erased_case_is_known_by_its_id_alone():
    assert case_tombstone(b"c" * 16) == sha(byhand.ctx("row", "case", "id", b"c" * 16))


def test_a_checkpoint_is_six_lines_and_is_read_back_exactly():
    assert CHECKPOINT.text == (
        "weerbaar-meldpunt/" + "69" * 16 + "\n7\n" + "Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M=" + "\n2\n"
        "dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHQ=\n2026-11-23T11:30:05Z\n"
    )
    assert Checkpoint.parse(CHECKPOINT.text) == CHECKPOINT


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\n", lambda text: text[:-1], lambda text: text.replace("\n7\n", "\n07\n"),
        lambda text: text.replace("\n7\n", "\n 7\n"), lambda text: text.replace("Z\n", "+00:00\n"),
        lambda text: text.replace("weerbaar-meldpunt/", ""), lambda text: text.replace("69" * 16, "69" * 15 + "6A"),
        lambda text: text.replace("M=\n", "N=\n"), lambda text: "",
    ],
)  # fmt: skip
def test_what_is_not_written_exactly_so_is_no_checkpoint(change):
    with pytest.raises(ValueError, match=r"."):
        Checkpoint.parse(change(CHECKPOINT.text))


def test_a_mailed_checkpoint_carries_the_key_and_the_signature_that_check_it():
    seed = b"s" * 32
    text = mailed(CHECKPOINT, seed, sign_checkpoint(seed, CHECKPOINT))

    anchor = read_anchor("Van: meldpunt\n\n" + text + "\nVervallen toegang, deel 1 van 1: 0\n")

    assert anchor.checkpoint == CHECKPOINT
    assert anchor.key == checkpoint_key(seed)
    assert anchor.signed
    assert not read_anchor(text.replace("\n7\n", "\n8\n")).signed
