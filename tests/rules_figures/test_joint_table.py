"""Item 2 of statistics.md §9: behind each edition stands a joint table of whole reports, so nothing can contradict."""

from collections import Counter

import pytest

from weerbaar_meldpunt.rules.figure_codes import DERIVED, DIMENSIONS, FACT_DIMENSIONS


def joined(layout, cells):
    """Invented reports whose tables are exactly these: built branch by branch along the tree of the tables."""

    def n(**codes):
        return cells[layout.places[tuple(sorted(codes.items()))]]

    reports = [
        {"rolgroep": role, "soort": kind}
        for role in DIMENSIONS["rolgroep"]
        for kind in DIMENSIONS["soort"]
        for _ in range(n(rolgroep=role, soort=kind))
    ]

    def deal(dimension, belongs, counted):
        """Give the reports of a group their codes of one more dimension, as many of each as the table says."""
        mine = [report for report in reports if belongs(report)]
        codes = [code for code in DIMENSIONS[dimension] for _ in range(counted(code))]
        for report, code in zip(mine, codes, strict=True):
            report[dimension] = code

    for role in DIMENSIONS["rolgroep"]:
        deal("route", lambda r, role=role: r["rolgroep"] == role, lambda c, role=role: n(rolgroep=role, route=c))
    for kind in DIMENSIONS["soort"]:
        deal("kanaal", lambda r, kind=kind: r["soort"] == kind, lambda c, kind=kind: n(soort=kind, kanaal=c))
        deal("aangifte", lambda r, kind=kind: r["soort"] == kind, lambda c, kind=kind: n(soort=kind, aangifte=c))
    for office, members in DERIVED["ambt"].items():
        deal(
            "provincie",
            lambda r, members=members: r["rolgroep"] in members,
            lambda c, office=office: n(ambt=office, provincie=c),
        )
    deal("geslacht", lambda _: True, lambda c: n(geslacht=c))
    return Counter(tuple(report[name] for name in FACT_DIMENSIONS["meldingen"]) for report in reports)


@pytest.mark.parametrize(("rate", "skew"), [(5, "flat"), (40, "skewed"), (110, "extreme"), (300, "flat")])
def test_one_table_of_reports_stands_behind_all_tables_of_a_month(desk, close, rate, skew):
    at_work = desk(("joint", rate), rate, skew)
    year = close([(f"2026-{number:02}", at_work.month()) for number in range(1, 7)])[-1].after

    for cells in year.shown.values():
        behind = joined(year.layout, cells)

        assert year.layout.count(behind) == list(cells)


def test_tables_that_do_not_agree_have_none(close):
    year = close([("2026-01", {("NH", "wethouder", "bedreiging", "online", "beveiliging", "ja", "man"): 20})])[-1].after
    cells = list(year.shown["2026-01"])
    cells[year.layout.places[(("aangifte", "ja"), ("soort", "bedreiging"))]] += 5

    with pytest.raises(ValueError, match="zip"):
        joined(year.layout, cells)
