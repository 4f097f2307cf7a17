"""Item 1 of statistics.md §9: what may be promised of every month, half-year and year, whatever comes in."""

import pytest

from weerbaar_meldpunt.rules.figure_codes import DIMENSIONS, FACT_DIMENSIONS
from weerbaar_meldpunt.rules.figure_edition import blocks_of
from weerbaar_meldpunt.rules.figure_tables import LAYOUTS
from weerbaar_meldpunt.rules.figures import OutOfOrder, close_month, new_year, total

YEAR = [f"2026-{number:02}" for number in range(1, 13)]
ONE = ("NH", "wethouder", "bedreiging", "online", "beveiliging", "ja", "vrouw")


def months_of_a_desk(at_work, *, clean_up=True):
    """A year of a desk, with one month in which a fifth of everything is taken back and nothing comes in."""
    rate, made = at_work.rate, []
    for month in YEAR:
        cleaning = clean_up and month == "2026-08"
        at_work.rate = 0 if cleaning else rate
        made.append((month, at_work.month(withdrawn=0.2 if cleaning else 0.03)))
    return made


def promises_broken(closed):
    """Every promise of the method that a closed month breaks."""
    before, after, month = closed.before, closed.after, closed.month
    layout, shown = after.layout, after.shown[month]
    same_year = before.year == after.year
    flow = [new - old for new, old in zip(after.flow, before.flow if same_year else [0] * len(shown), strict=True)]
    broken = []
    for place, key in enumerate(layout.keys):
        if min(shown[place], flow[place]) < 0:
            broken.append(f"{key} is negative")
        if shown[place] % 5:
            broken.append(f"{key} is not in fives")
        if place not in layout.unprinted and abs(shown[place] - flow[place]) > 4:
            broken.append(f"{key} is off by more than 4 in {month}")
        if abs(total(after)[place] - after.flow[place]) > 9:
            broken.append(f"{key} is off by more than 9 since January")
        if month[5:] >= "07" and place in layout.half_yearly:
            half = total(after, since=f"{after.year}-07")[place]
            if abs(half - after.half_flow[place]) > 9:
                broken.append(f"{key} is off by more than 9 since July")
    for relation in layout.relations:
        for name, table in (("shown", shown), ("flow", flow), ("year", total(after))):
            if table[relation.whole] != sum(table[part] for part in relation.parts):
                broken.append(f"{layout.keys[relation.whole]} does not add up ({name})")
    return broken


@pytest.mark.slow
@pytest.mark.parametrize("skew", ["flat", "skewed", "extreme"])
@pytest.mark.parametrize("rate", [5, 20, 40, 110, 300, 400])
def test_a_month_errs_by_four_at_most_and_every_table_adds_up(desk, close, rate, skew):
    for seed in range(3):  # 648 months over all parameters
        closed = close(months_of_a_desk(desk((rate, skew, seed), rate, skew)))

        assert [fault for one in closed for fault in promises_broken(one)] == []


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {ONE: 1},
        {ONE: 4},
        {ONE: 5},
        {ONE: 7919},
        {(code, *ONE[1:]): 2 for code in DIMENSIONS["provincie"]},
        {(*ONE[:3], "online", "beveiliging", code, "man"): 3 for code in DIMENSIONS["aangifte"]},
    ],
    ids=["nothing", "one", "four", "five", "all in one cell", "two in each province", "three in each answer"],
)
def test_odd_months_keep_every_promise(close, facts):
    closed = close([(month, facts) for month in YEAR[4:9]])

    assert [fault for one in closed for fault in promises_broken(one)] == []


def test_multiples_of_five_stay_as_they_are(close):
    [one] = close([("2026-01", {ONE: 35})])

    place = one.after.layout.places[()]
    assert one.after.shown["2026-01"][place] == 35


def test_more_withdrawn_than_reported_shows_no_negative_and_is_made_up_later(close):
    other = ("ZH", *ONE[1:])

    closed = close([("2026-01", {ONE: 40}), ("2026-02", {ONE: -30, other: 3}), ("2026-03", {other: 60})])

    assert [fault for one in closed for fault in promises_broken(one)] == []
    total_place = closed[-1].after.layout.places[()]
    assert closed[1].after.shown["2026-02"][total_place] <= 5
    # January 40, less 30, with 63 since: in the end the flow is the truth again.
    assert closed[-1].after.flow[total_place] == 73


def test_what_the_old_year_could_not_take_off_is_taken_off_in_the_new(close):
    other = ("ZH", *ONE[1:])

    closed = close([("2026-12", {ONE: 20}), ("2027-01", {ONE: -15}), ("2027-02", {ONE: 20, other: 10})])

    place = closed[-1].after.layout.places[()]
    assert closed[1].after.flow[place] == 0
    assert closed[-1].after.flow[place] == 15
    assert [fault for one in closed for fault in promises_broken(one)] == []


def test_corrections_left_at_the_end_of_december_are_the_start_of_january(close):
    closed = close([("2026-11", {ONE: 20}), ("2026-12", {ONE: -15}), ("2027-01", {ONE: 40})])

    place = closed[-1].after.layout.places[()]
    assert (closed[1].after.flow[place], closed[2].before.year) == (20, 2027)
    assert closed[-1].after.left[place] == -15
    assert closed[-1].after.flow[place] == 25


def test_the_same_key_gives_the_same_year_and_another_key_another(desk, close):
    months = months_of_a_desk(desk("same", 40))[:4]

    first, again, other = close(months)[-1], close(months)[-1], close(months, key=b"another key")[-1]

    assert first.after == again.after
    assert first.after.flow == other.after.flow
    assert first.after.shown != other.after.shown


def test_cells_that_two_tables_share_have_one_value(a_year):
    _, blocks = a_year
    seen = {}
    for block in blocks:
        for codes, value in block.rows:
            named = frozenset((d, c) for d, c in zip(block.dimensions, codes, strict=True) if c != "T")
            assert seen.setdefault((block.period, named), value) == value


def test_the_year_so_far_is_the_sum_of_its_months(a_year):
    year, blocks = a_year
    at = {(block.table, block.period): dict(block.rows) for block in blocks}
    for table in year.layout.tables:
        for place, month in enumerate(YEAR):
            if (table.id, month) in at:
                for codes, value in at[table.id, f"2026-01/{month}"].items():
                    assert value == sum(at[table.id, one][codes] for one in YEAR[: place + 1])


def test_december_prints_the_half_year_and_the_year_and_march_does_not(a_year):
    year, _ = a_year

    march = {(block.table, block.period) for block in blocks_of(year, "2026-03")}
    december = {(block.table, block.period) for block in blocks_of(year, "2026-12")}

    assert march == {(t, p) for t in ("T1", "T2", "T2o", "T3", "T4", "T5") for p in ("2026-03", "2026-01/2026-03")}
    assert {("T7", "2026-H2"), ("T7", "2026"), ("T8", "2026"), ("T1", "2026-01/2026-12")} <= december


def test_a_group_of_legal_reports_never_shows_above_the_routes_that_routing_gives_it(desk, close):
    for one in close([(month, desk(("legal", month), 30).month(withdrawn=0, recoded=0)) for month in YEAR]):
        places, shown = one.after.layout.places, one.after.shown[one.month]
        for role in DIMENSIONS["rolgroep"]:
            if role != "ambtelijk":
                legal = shown[places[("rolgroep", role), ("soort", "juridisch")]]
                routes = [places[("rolgroep", role), ("route", route)] for route in ("juridisch", "beveiliging")]
                assert legal <= sum(shown[route] for route in routes)


def test_handled_cases_are_rounded_by_the_same_rules(desk, close):
    at_work = desk("handled", 50, measure="afgehandeld")

    closed = close(months_of_a_desk(at_work), measure="afgehandeld")

    assert [fault for one in closed for fault in promises_broken(one)] == []
    assert FACT_DIMENSIONS["afgehandeld"] == ("duur",)
    assert {block.table for block in blocks_of(closed[-1].after, "2026-12")} == {"T6"}


@pytest.mark.parametrize("month", ["2026-02", "2026-04", "2027-01", "2025-12"])
def test_a_month_out_of_turn_is_refused(close, noise, month):
    year = close([("2026-01", {ONE: 3}), ("2026-02", {ONE: 3})])[-1].after

    with pytest.raises(OutOfOrder):
        close_month(year, month, {ONE: 1}, noise)


def test_a_month_is_never_rounded_twice(noise):
    year = close_month(new_year("meldingen", 2026), "2026-05", {ONE: 7}, noise)

    with pytest.raises(OutOfOrder):
        close_month(year, "2026-05", {}, noise)


def test_a_closed_month_stays_as_it_was_when_cases_are_recoded_withdrawn_or_entered_late(close):
    late, recoded = ("FR", *ONE[1:]), (*ONE[:5], "nee", "vrouw")
    first = [("2026-01", {ONE: 13}), ("2026-02", {ONE: 9})]

    plain = close([*first, ("2026-03", {ONE: 2})])[-1].after
    corrected = close([*first, ("2026-03", {ONE: 2 - 6, recoded: 4, late: 5})])[-1].after

    assert [plain.shown[month] for month, _ in first] == [corrected.shown[month] for month, _ in first]


@pytest.mark.slow
def test_a_month_is_rounded_well_within_five_seconds(desk, close):
    import time

    at_work = desk("speed", 400, "flat")
    months = months_of_a_desk(at_work)
    close(months[:1])  # the solver is loaded once
    start = time.monotonic()
    closed = close(months)

    assert (time.monotonic() - start) / len(closed) < 5


def test_every_cell_has_a_name_and_a_place():
    for layout in LAYOUTS.values():
        assert len(set(layout.keys)) == len(layout.keys) == len(layout.places)
        assert layout.keys[layout.places[()]] == "T"
