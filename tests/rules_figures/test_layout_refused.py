"""Item 5 of statistics.md §9: which tables may stand beside each other, and how many people a cell needs."""

import pytest

from weerbaar_meldpunt.rules.figure_tables import (
    HALF_YEAR,
    LAYOUTS,
    YEAR,
    LayoutRefused,
    Table,
    check_population,
    check_tree,
    layout,
)

OURS = LAYOUTS["meldingen"].tables


def with_table(*dimensions, **more):
    return (*OURS, Table("TX", dimensions, **more))


@pytest.mark.parametrize(
    "dimensions",
    [
        ("rolgroep", "kanaal"),
        ("organisatie", "kanaal"),
        ("provincie", "organisatie"),
        ("provincie", "soort"),
        ("route", "aangifte"),
        ("kanaal", "aangifte"),
    ],
    ids=" × ".join,
)
def test_a_table_that_closes_a_cycle_stops_the_program(dimensions):
    with pytest.raises(LayoutRefused, match="cycle"):
        layout("meldingen", with_table(*dimensions))


def test_a_table_rounded_once_a_year_beside_monthly_ones_is_a_cycle():
    yearly = [table for table in OURS if table.id != "T8"] + [
        Table("T8", ("provincie", "ambt"), (YEAR,), monthly=False)
    ]

    with pytest.raises(LayoutRefused, match="cycle"):
        layout("meldingen", yearly)


@pytest.mark.parametrize("dimensions", [("ambt", "soort"), ("organisatie", "soort"), ("geslacht",), ("kanaal",)])
def test_a_table_that_hangs_on_the_tree_passes(dimensions):
    check_tree(with_table(*dimensions))


def test_the_tables_as_designed_are_a_tree_and_refuse_what_the_measure_does_not_count():
    check_tree(OURS)
    check_population(OURS)
    with pytest.raises(LayoutRefused, match="duur"):
        layout("meldingen", with_table("duur"))
    with pytest.raises(LayoutRefused, match="twice"):
        layout("meldingen", (*OURS, OURS[0]))


def test_a_cell_in_which_fewer_than_thirty_people_can_fall_is_refused():
    reference = {(("rolgroep", code),): 30 for code in ("burgemeester", "wethouder", "raadslid")}
    table = Table("TX", ("rolgroep",))

    with pytest.raises(LayoutRefused, match="29 people"):
        check_population([table], reference | {(("rolgroep", "provinciebestuur"),): 29})


def test_a_cell_of_which_nobody_knows_how_many_people_can_fall_in_it_is_refused():
    with pytest.raises(LayoutRefused, match="unknown number"):
        layout("meldingen", (Table("TX", ("provincie", "rolgroep"), (HALF_YEAR,)),))
