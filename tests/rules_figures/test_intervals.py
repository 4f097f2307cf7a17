"""Item 3 of statistics.md §9: nobody can work a count out of everything that was ever published in a year."""

import random

import pytest

from weerbaar_meldpunt.rules.figure_codes import DIMENSIONS
from weerbaar_meldpunt.rules.figure_edition import blocks_of
from weerbaar_meldpunt.rules.figure_gate import require_publishable
from weerbaar_meldpunt.rules.figure_intervals import (
    Outside,
    Statement,
    _without_witness,
    atoms,
    check_intervals,
    interval,
    known_ties,
    require_widths,
)
from weerbaar_meldpunt.rules.figure_tables import LAYOUTS
from weerbaar_meldpunt.rules.rounding import Unpublishable

LAYOUT = LAYOUTS["meldingen"]
PRINTED = [place for place in range(len(LAYOUT.keys)) if place not in LAYOUT.unprinted]


def outside_of(year, until=12):
    """What an outsider knows after so many editions: each month within 4, each year so far within 9."""
    months = sorted(year.shown)[:until]
    base = [year.shown[month] for month in months]
    said = [Statement(cell, at, at, base[at][cell], 4) for at in range(len(base)) for cell in PRINTED]
    for last in range(len(base)):
        for cell in PRINTED:
            said.append(Statement(cell, 0, last, sum(table[cell] for table in base[: last + 1]), 9))
    return Outside(LAYOUT, len(base), said, known_ties(LAYOUT, base)), base


def test_the_atoms_touch_every_cell_and_are_few():
    for layout in LAYOUTS.values():
        touched = {cell for atom in atoms(layout) for cell in atom}

        assert touched == set(range(len(layout.keys)))
    assert len(atoms(LAYOUT)) < 80


def test_every_cell_of_every_month_of_a_year_has_a_witness(a_year):
    outside, base = outside_of(a_year[0])

    assert _without_witness(outside, base) == []


@pytest.mark.slow
def test_linear_programs_agree_with_the_witnesses_over_six_editions(a_year):
    outside, _ = outside_of(a_year[0], until=6)
    chance = random.Random(3)
    pairs = chance.sample([(month, cell) for month in range(6) for cell in range(len(LAYOUT.keys))], 80)

    for month, cell in pairs:
        low, high = interval(outside, {(month, cell): 1})

        assert high - low >= 4 - 1e-6


@pytest.mark.slow
def test_neither_differences_of_months_nor_what_is_left_over_can_be_narrowed(a_year):
    outside, _ = outside_of(a_year[0], until=6)
    chance = random.Random(4)
    for _ in range(40):
        cell, one, other = chance.choice(PRINTED), *chance.sample(range(6), 2)
        rest = {(one, LAYOUT.places[()]): 1, (one, cell): -1}

        for what in ({(one, cell): 1, (other, cell): -1}, rest if cell != LAYOUT.places[()] else {}):
            low, high = interval(outside, what) if what else (0, 9)
            assert high - low >= 4 - 1e-6


def test_what_shows_nothing_is_never_known_to_hold_somebody(a_year):
    outside, base = outside_of(a_year[0], until=3)
    nothing = [cell for cell in PRINTED if base[1][cell] == 0][:12]

    assert nothing
    for cell in nothing:
        assert interval(outside, {(1, cell): 1})[0] == pytest.approx(0)


@pytest.mark.slow
def test_the_gate_passes_two_years_of_editions(desk, close):
    at_work = desk("two years", 30)
    months = [f"{year}-{number:02}" for year in (2026, 2027) for number in range(1, 13)]
    closed = close([(month, at_work.month()) for month in months])

    for number in (2026, 2027):
        mine = [one for one in closed if one.after.year == number]
        require_publishable(mine[-1].after, [block for one in mine for block in blocks_of(one.after, one.month)])


def true_counts(desk, rate=25):
    return LAYOUT.count(desk("true", rate).month(withdrawn=0, recoded=0))


def test_hiding_small_numbers_only_is_seen_through(desk):
    counts = true_counts(desk)
    said = [Statement(cell, 0, 0, counts[cell], 0) for cell in PRINTED if not 0 < counts[cell] < 5]
    hidden = [(0, cell) for cell in PRINTED if 0 < counts[cell] < 5]
    outside = Outside(LAYOUT, 1, said, known_ties(LAYOUT, [counts]))

    with pytest.raises(Unpublishable, match="can be worked out"):
        require_widths(outside, hidden)
    with pytest.raises(Unpublishable):
        check_intervals(outside, [counts])


def test_rounding_each_number_to_the_nearest_five_is_seen_through(desk):
    counts = true_counts(desk)
    said = [Statement(cell, 0, 0, 5 * round(counts[cell] / 5), 2) for cell in PRINTED]

    with pytest.raises(Unpublishable):
        check_intervals(Outside(LAYOUT, 1, said, known_ties(LAYOUT, [counts])), [counts])


def test_rounding_the_same_month_twice_is_seen_through(desk, close):
    facts = desk("twice", 40).month(withdrawn=0, recoded=0)
    first, second = (close([("2026-01", facts)], key=key)[0].after.shown["2026-01"] for key in (b"one", b"two"))
    said = [Statement(cell, 0, 0, shown[cell], 4) for shown in (first, second) for cell in PRINTED]
    outside = Outside(LAYOUT, 1, said, known_ties(LAYOUT, [first]))
    differing = [(0, cell) for cell in PRINTED if first[cell] != second[cell]]

    assert set(differing) <= set(_without_witness(outside, [first]))
    with pytest.raises(Unpublishable, match="can be worked out"):
        require_widths(outside, differing)


def test_one_true_count_among_rounded_ones_is_seen(a_year):
    outside, base = outside_of(a_year[0], until=1)
    cell = LAYOUT.places[(("soort", "bedreiging"),)]
    known = Outside(LAYOUT, 1, [*outside.statements, Statement(cell, 0, 0, base[0][cell], 0)], outside.ties)

    with pytest.raises(Unpublishable, match="can be worked out"):
        check_intervals(known, base)


def test_a_tie_that_routing_keeps_but_the_numbers_do_not_is_seen():
    """A legal group shown above routes shown as nothing would be known not to be empty."""
    role = ("rolgroep", "statenlid")
    legal = LAYOUT.places[(role, ("soort", "juridisch"))]
    routes = [LAYOUT.places[(role, ("route", code))] for code in ("juridisch", "beveiliging")]
    base = LAYOUT.count({("NH", "statenlid", "juridisch", "online", "geen", "ja", "man"): 5})
    said = [Statement(cell, 0, 0, base[cell], 4) for cell in PRINTED]
    ties = [[tie for tie in known_ties(LAYOUT, [[0] * len(base)])[0] if tie.legal == legal]]

    low, _ = interval(Outside(LAYOUT, 1, said, ties), {(0, routes[0]): 1, (0, routes[1]): 1})

    assert low >= 1 - 1e-6
    assert not ties[0][0].kept(base)


def test_numbers_that_contradict_each_other_are_refused():
    total = LAYOUT.places[()]
    said = [Statement(total, 0, 0, 0, 0), Statement(total, 0, 0, 5, 0)]

    with pytest.raises(Unpublishable, match="cannot be worked out"):
        check_intervals(Outside(LAYOUT, 1, said, [[]]), [[0] * len(LAYOUT.keys)])


def test_all_codes_of_a_dimension_are_reached_by_the_atoms():
    for dimension in ("provincie", "rolgroep", "soort", "kanaal", "route", "aangifte", "geslacht"):
        for code in DIMENSIONS[dimension]:
            place = LAYOUT.places[((dimension, code),)]
            assert any(place in atom for atom in atoms(LAYOUT))
