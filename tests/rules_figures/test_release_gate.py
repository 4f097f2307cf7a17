"""Item 6 of statistics.md §9: the gate fails closed, whatever is changed in whatever is about to be released."""

import time
from dataclasses import replace

import pytest

from weerbaar_meldpunt.rules import figure_intervals, rounding
from weerbaar_meldpunt.rules.figure_edition import blocks_of
from weerbaar_meldpunt.rules.figure_gate import require_publishable
from weerbaar_meldpunt.rules.figures import close_month, new_year
from weerbaar_meldpunt.rules.rounding import Series, Unpublishable, check_rounding


def with_row(blocks, place, value):
    """The tables with one value of one table replaced."""
    block = blocks[place]
    rows = [*block.rows]
    rows[1] = (rows[1][0], value(rows[1][1]))
    return [*blocks[:place], replace(block, rows=tuple(rows)), *blocks[place + 1 :]]


def test_what_was_made_passes(a_year):
    require_publishable(*a_year)


@pytest.mark.parametrize("place", [0, 5, 11, 40, -1])
@pytest.mark.parametrize(
    "value", [lambda n: n + 1, lambda n: n + 5, lambda n: n - 5, lambda n: None], ids=["+1", "+5", "-5", "gone"]
)
def test_one_changed_value_is_refused(a_year, place, value):
    year, blocks = a_year

    with pytest.raises(Unpublishable):
        require_publishable(year, with_row(blocks, place % len(blocks), value))


def test_a_missing_doubled_or_foreign_table_is_refused(a_year):
    year, blocks = a_year
    foreign = replace(blocks[0], table="TX")
    short = replace(blocks[0], rows=blocks[0].rows[:-1])
    turned = replace(blocks[1], rows=tuple(reversed(blocks[1].rows)))

    for changed in (blocks[:-1], [*blocks, blocks[0]], [*blocks, foreign], [short, *blocks[1:]]):
        with pytest.raises(Unpublishable):
            require_publishable(year, changed)
    with pytest.raises(Unpublishable, match="other rows"):
        require_publishable(year, [blocks[0], turned, *blocks[2:]])


def test_a_month_that_was_changed_together_with_its_tables_is_refused(a_year):
    year, _ = a_year
    for change in (1, 5, -5):
        cells = list(year.shown["2026-03"])
        cells[year.layout.places[()]] += change
        changed = replace(year, shown={**year.shown, "2026-03": tuple(cells)})
        blocks = [block for month in year.shown for block in blocks_of(changed, month)]

        with pytest.raises(Unpublishable):
            require_publishable(changed, blocks)


def test_a_missing_month_is_refused(a_year):
    year, _ = a_year
    changed = replace(year, shown={month: cells for month, cells in year.shown.items() if month != "2026-04"})

    with pytest.raises(Unpublishable, match="not whole"):
        require_publishable(changed, [block for month in changed.shown for block in blocks_of(changed, month)])


@pytest.mark.parametrize("off", [1, 5, -5, 50])
def test_a_rounding_that_strays_from_the_flow_is_refused_whoever_solved_it(off):
    layout = new_year("afgehandeld", 2026).layout
    flow, shown = [12, 12, 0, 0, 0], [10 + off, 10 + off, 0, 0, 0]
    series = [Series(shown, flow)]

    if off == 5:  # 15 for 12 is a rounding too
        check_rounding(layout, flow, shown, series=series)
    else:
        with pytest.raises(Unpublishable):
            check_rounding(layout, flow, shown, series=series)


def test_a_year_so_far_that_strays_by_more_than_nine_is_refused():
    layout = new_year("afgehandeld", 2026).layout

    check_rounding(layout, [0] * 5, [0] * 5, series=[Series([9, 9, 0, 0, 0], [0] * 5)])
    with pytest.raises(Unpublishable, match="series"):
        check_rounding(layout, [0] * 5, [0] * 5, series=[Series([10, 10, 0, 0, 0], [0] * 5)])


def test_a_solver_that_runs_out_of_time_publishes_nothing(desk, noise, monkeypatch):
    monkeypatch.setattr(rounding, "_TIME_LIMIT", 0.0)
    facts = desk("no time", 60).month()

    with pytest.raises(Unpublishable):
        close_month(new_year("meldingen", 2026), "2026-01", facts, noise)


def test_intervals_that_cannot_be_worked_out_in_time_publish_nothing(a_year, monkeypatch):
    monkeypatch.setattr(figure_intervals, "_TIME_LIMIT", 0.0)
    monkeypatch.setattr(figure_intervals, "atoms", lambda _layout: ())  # no witness: linear programs are needed

    with pytest.raises(Unpublishable):
        require_publishable(*a_year)


def test_cells_without_a_witness_go_to_the_linear_programs_and_pass(close, monkeypatch):
    one = close([("2026-01", {("d0_1",): 12, ("d2_7",): 3})], measure="afgehandeld")[0]
    asked = []
    real = figure_intervals.interval
    monkeypatch.setattr(figure_intervals, "atoms", lambda _layout: ())
    monkeypatch.setattr(figure_intervals, "interval", lambda *args: asked.append(args) or real(*args))

    require_publishable(one.after, blocks_of(one.after, "2026-01"))

    assert len(asked) == len(one.after.layout.keys)


def test_the_gate_over_twelve_editions_takes_well_under_a_minute(a_year):
    start = time.monotonic()
    require_publishable(*a_year)

    assert time.monotonic() - start < 60
