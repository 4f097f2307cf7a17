"""The costs of security measures: nothing from which the spending of one organisation can be read."""

import random

import pytest

from weerbaar_meldpunt.rules.figure_costs import costs_block, safe

KINDS = ("bouwkundig", "elektronisch", "alarmopvolging", "persoonlijk", "overig")


def even(kind, euro=20_000, organisations=12):
    return {(kind, f"GM{number:04}"): euro + 700 * number for number in range(organisations)}


def values(spent):
    return {codes[0]: value for codes, value in costs_block(spent, "2026-H1").rows}


def test_lines_to_which_many_contribute_evenly_are_all_shown():
    spent = {at: euro for kind in KINDS for at, euro in even(kind).items()}

    shown = values(spent)

    assert None not in shown.values()
    assert shown["T"] == sum(shown[kind] for kind in KINDS)
    for kind in KINDS:
        assert abs(shown[kind] - sum(even(kind).values())) < 10_000
        assert shown[kind] % 10_000 == 0


@pytest.mark.parametrize(
    "shares",
    [
        dict.fromkeys(range(9), 10_000),
        {**dict.fromkeys(range(12), 10_000), 99: 130_000},
        {**dict.fromkeys(range(12), 100), 98: 100_000, 99: 100_000},
        {**dict.fromkeys(range(12), 0), 98: 5_000},
        dict.fromkeys(range(12), -500),
        {},
    ],
    ids=["nine", "one above half", "two that know each other", "twelve of nothing", "paid back", "nobody"],
)
def test_a_line_in_which_somebody_shows_through_is_not_safe(shares):
    assert not safe(shares)


def test_ten_equal_shares_are_safe():
    assert safe(dict.fromkeys(range(10), 10_000))


def test_a_line_that_fails_is_folded_into_overig_and_keeps_its_row():
    spent = even("bouwkundig") | even("elektronisch") | even("overig") | {("persoonlijk", "GM0001"): 15_000}

    shown = values(spent)

    assert shown["persoonlijk"] is None
    assert shown["alarmopvolging"] is None  # nobody spent anything: that is nobody's to know
    assert shown["T"] == shown["bouwkundig"] + shown["elektronisch"] + shown["overig"]
    assert abs(shown["overig"] - sum(even("overig").values()) - 15_000) < 10_000


def test_when_overig_fails_only_the_total_is_shown():
    shown = values(even("bouwkundig") | even("elektronisch") | {("persoonlijk", "GM0001"): 15_000})

    assert [kind for kind in KINDS if shown[kind] is not None] == []
    assert abs(shown["T"] - sum(even("bouwkundig").values()) * 2 - 15_000) < 10_000


def test_when_the_total_fails_nothing_is_shown():
    assert set(values({("bouwkundig", "GM0001"): 15_000}).values()) == {None}


def test_an_organisation_that_dominates_over_all_lines_together_hides_the_total():
    spent = {(kind, "GM0001"): 300_000 for kind in KINDS} | even("bouwkundig")

    assert set(values(spent).values()) == {None}


def test_any_costs_add_up_and_err_by_less_than_a_step():
    chance = random.Random(9)
    for _ in range(200):
        spent = {
            (kind, f"GM{number:04}"): chance.randrange(-2_000, 60_000)
            for kind in KINDS
            for number in range(chance.randrange(8, 40))
        }
        shown = values(spent)
        if shown["T"] is not None:
            assert abs(shown["T"] - sum(spent.values())) <= 10_000
        lines = [shown[kind] for kind in KINDS if shown[kind] is not None]
        if lines:
            assert shown["T"] == sum(lines)
