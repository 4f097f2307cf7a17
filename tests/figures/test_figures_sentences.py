"""Item 9 of statistics.md §9: a sentence says no more than the margin of the numbers can carry."""

import pytest

from weerbaar_meldpunt.documents.figures_text import about, sentences, shown
from weerbaar_meldpunt.rules.figure_codes import DIMENSIONS
from weerbaar_meldpunt.rules.figure_edition import Block, Edition
from weerbaar_meldpunt.rules.figure_tables import LAYOUTS


def edition(period, total, *, so_far=None, roles=None, reported=0, handled=None):
    """An edition with these numbers, and nothing wherever none is given."""
    blocks = []

    def block(measure, table_id, at, known):
        table = LAYOUTS[measure].table(table_id)
        rows = tuple((row, known.get(row, 0)) for row in table.rows())
        blocks.append(Block(measure, table_id, at, table.dimensions, rows))

    block("meldingen", "T1", period, {("T",): total})
    block("meldingen", "T1", f"{period[:4]}-01/{period}", {("T",): total if so_far is None else so_far})
    block("meldingen", "T2", period, {("T", "T"): total} | {(role, "T"): n for role, n in (roles or {}).items()})
    block("meldingen", "T5", period, {("T", "T"): total, ("T", "ja"): reported})
    if handled is not None:
        known = dict(zip([("T",), *((code,) for code in DIMENSIONS["duur"])], [sum(handled), *handled], strict=True))
        block("afgehandeld", "T6", period, known)
    return Edition(period, tuple(blocks))


def text(*args, before=None, **more):
    return " ".join(sentences(edition(*args, **more), before))


def test_a_month_is_told_with_the_year_so_far():
    assert text("2026-03", 40, so_far=1250).startswith(
        "In maart 2026 registreerde het meldpunt ongeveer 40 meldingen; sinds januari zijn dat er ongeveer 1.250."
    )


def test_a_month_shown_as_nothing_is_never_called_none():
    said = text("2026-03", 0, so_far=0)

    assert "geen of enkele meldingen" in said
    assert "geen meldingen" not in said
    assert "ongeveer 0" not in said


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        (45, 40, "vergelijkbaar met februari 2026"),
        (40, 45, "vergelijkbaar met februari 2026"),
        (40, 40, "vergelijkbaar met februari 2026"),
        (50, 40, "meer dan in februari 2026"),
        (40, 50, "minder dan in februari 2026"),
    ],
)
def test_more_or_less_is_said_from_a_difference_of_ten_only(now, then, said):
    told = text("2026-03", now, before=edition("2026-02", then))

    assert said in told
    assert ("meer dan" in told) + ("minder dan" in told) == (abs(now - then) >= 10)
    assert "toename" not in told


def test_the_first_month_is_compared_with_nothing():
    assert "dan in" not in text("2026-01", 100)
    assert "vergelijkbaar" not in text("2026-01", 100)


@pytest.mark.parametrize(("second", "said"), [(35, True), (40, False), (45, False), (50, False)])
def test_who_reported_most_is_said_with_a_lead_of_ten_only(second, said):
    told = text("2026-03", 100, roles={"raadslid": 45, "wethouder": second})

    assert ("De meeste meldingen kwamen van raadsleden en commissieleden (ongeveer 45)." in told) == said


@pytest.mark.parametrize(
    ("total", "reported", "said"),
    [
        (45, 20, None),
        (50, 20, "Bij ongeveer 40% is aangifte gedaan."),
        (65, 25, "Bij ongeveer 40% is aangifte gedaan."),
        (60, 20, "Bij ongeveer 35% is aangifte gedaan."),
        (200, 0, None),
    ],
)
def test_a_share_is_told_from_fifty_reports_in_steps_of_five_and_never_as_none(total, reported, said):
    told = text("2026-03", total, reported=reported)

    assert said in told if said else "%" not in told


@pytest.mark.parametrize(
    ("handled", "said"),
    [
        ((5, 5, 5, 0), None),
        ((5, 10, 5, 0), "na 2 tot en met 7 dagen"),
        ((10, 5, 5, 0), "binnen 1 dag"),
        ((0, 0, 5, 30), "na 31 dagen of langer"),
    ],
)
def test_the_middle_duration_is_told_from_twenty_cases(handled, said):
    told = text("2026-03", 40, handled=handled)

    assert f"was {said} afgesloten" in told if said else "afgesloten" not in told


def test_a_nought_in_a_table_stands_for_one_to_four_as_well():
    assert (shown(0), shown(5), shown(1250), shown(None)) == ("0–4", "5", "1.250", "–")
    assert (about(0), about(15)) == ("geen of enkele", "ongeveer 15")
