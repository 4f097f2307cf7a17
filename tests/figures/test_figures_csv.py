"""The contract of the public CSV files: what others build on, so it is checked to the letter."""

import csv
import io

import pytest

from weerbaar_meldpunt.documents.figures_csv import codes_csv, costs_csv, counts_csv, read_counts
from weerbaar_meldpunt.rules.figure_codes import DERIVED, DIMENSIONS
from weerbaar_meldpunt.rules.figure_costs import costs_block
from weerbaar_meldpunt.rules.figure_edition import blocks_of
from weerbaar_meldpunt.rules.figures import close_month, new_year

FACTS = {("NH", "wethouder", "bedreiging", "online", "beveiliging", "ja", "vrouw"): 23}


@pytest.fixture(scope="module")
def blocks():
    year, found = new_year("meldingen", 2026), []
    for number in range(1, 7):
        year = close_month(year, f"2026-{number:02}", FACTS, lambda _text: 0.5)
        found += blocks_of(year, f"2026-{number:02}")
    return found


def rows(text):
    return list(csv.DictReader(io.StringIO(text.decode("utf-8"), newline="")))


def test_the_header_is_the_contract(blocks):
    assert counts_csv(blocks).split(b"\n")[0] == (
        b"period,table,provincie,organisatie,rolgroep,ambt,soort,kanaal,route,aangifte,geslacht,duur,value,status"
    )
    assert costs_csv([]) == b"period,table,maatregelsoort,value,status\n"
    assert codes_csv().split(b"\n")[0] == b"dimension,parent,child,label_nl,population"


def test_lines_end_in_one_newline_and_there_is_no_mark_before_them(blocks):
    text = counts_csv(blocks)

    assert b"\r" not in text
    assert text.endswith(b"\n")
    assert not text.startswith(b"\xef\xbb\xbf")


def test_a_dimension_that_a_table_does_not_have_is_empty_and_a_margin_is_t(blocks):
    for row in rows(counts_csv(blocks)):
        own = {"T1": {"provincie"}, "T2": {"rolgroep", "soort"}, "T2o": {"organisatie", "soort"},
               "T3": {"soort", "kanaal"}, "T4": {"rolgroep", "route"}, "T5": {"soort", "aangifte"},
               "T7": {"geslacht"}}[row["table"]]  # fmt: skip
        for name, codes in DIMENSIONS.items():
            assert row[name] in (("T", *codes) if name in own else ("",))
        assert row["status"] == "rounded"
        assert int(row["value"]) % 5 == 0


def test_every_combination_of_codes_is_present_also_when_nothing_is_shown(blocks):
    found = {(row["rolgroep"], row["soort"]) for row in rows(counts_csv(blocks)) if row["table"] == "T2"}

    assert found == {(r, s) for r in ("T", *DIMENSIONS["rolgroep"]) for s in ("T", *DIMENSIONS["soort"])}


def test_the_periods_are_months_years_so_far_and_half_years(blocks):
    periods = {row["period"] for row in rows(counts_csv(blocks))}

    months = [f"2026-{number:02}" for number in range(1, 7)]
    assert periods == {*months, *(f"2026-01/{month}" for month in months), "2026-H1"}


def test_a_file_is_read_back_as_what_it_was_written_from(blocks):
    assert read_counts(counts_csv(blocks), "meldingen") == blocks


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"period,table", b"table,period", 1),
        lambda text: text.replace(b",rounded\n", b",published\n", 1),
        lambda text: text.replace(b",rounded\n", b",rounded,x\n", 1),
        lambda text: text + b"noot\n",
        lambda _text: b"",
        lambda text: text.replace(b"T1,NH,", b"T1,,NH", 1),
    ],
    ids=["header", "status", "longer row", "footer", "empty", "other column"],
)
def test_a_file_that_is_not_to_the_letter_is_refused(blocks, change):
    with pytest.raises(ValueError):
        read_counts(change(counts_csv(blocks)), "meldingen")


def test_the_codes_tell_how_role_groups_nest():
    found = rows(codes_csv())

    nested = {(row["parent"], row["child"]) for row in found if "=" in row["parent"]}
    assert nested == {
        (f"{above}={parent}", child)
        for above, groups in DERIVED.items()
        for parent, members in groups.items()
        for child in members
    }
    for dimension, codes in DIMENSIONS.items():
        assert [r["child"] for r in found if (r["dimension"], r["parent"]) == (dimension, "T")] == list(codes)
    assert all(row["label_nl"] for row in found)
    assert {"burgemeester": "342", "raadslid": "8931"}.items() <= {r["child"]: r["population"] for r in found}.items()


def test_costs_are_whole_euro_and_a_hidden_line_keeps_its_row_without_a_value():
    spent = {("bouwkundig", f"GM{number:04}"): 20_000 for number in range(12)}
    spent |= {("overig", f"GM{number:04}"): 9_000 for number in range(12)}

    found = {
        row["maatregelsoort"]: (row["value"], row["status"]) for row in rows(costs_csv([costs_block(spent, "2026-H1")]))
    }

    assert found["bouwkundig"] == ("240000", "rounded")
    assert found["elektronisch"] == ("", "suppressed")
    assert found["T"] == ("350000", "rounded")
