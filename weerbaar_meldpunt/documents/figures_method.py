"""The note on method that goes with every publication of figures: one page, Dutch, without anything from elsewhere."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from weerbaar_meldpunt.places import templates_folder
from weerbaar_meldpunt.rules.figure_costs import DIMENSION as COST_DIMENSION
from weerbaar_meldpunt.rules.figure_costs import TABLE as COST_TABLE
from weerbaar_meldpunt.rules.figure_labels import heading
from weerbaar_meldpunt.rules.figure_tables import HALF_YEAR, LAYOUTS, MONTH, SMALLEST_POPULATION, YEAR, YEAR_TO_DATE

from .figures_text import PROMISE

_PERIODS: Final = {MONTH: "maand", YEAR_TO_DATE: "jaar tot nu", HALF_YEAR: "half jaar", YEAR: "jaar"}


def method_page(notice: str = "") -> str:
    """The page; `notice` stands on top of what is not a publication."""
    page = _environment().get_template("figures/methode.html")
    text: str = page.render(notice=notice, promise=PROMISE, tables=table_rows(), smallest=SMALLEST_POPULATION)
    return text + "\n"


def table_rows() -> list[dict[str, str]]:
    """The tables of the pack in words: id, dimensions, periods."""
    tables = [table for layout in LAYOUTS.values() for table in layout.tables]
    rows: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
        *((table.id, table.dimensions, table.periods) for table in tables),
        (COST_TABLE, (COST_DIMENSION,), (HALF_YEAR,)),
    ]
    return [
        {
            "id": name,
            "dimensions": " × ".join(heading(dimension) for dimension in dimensions),
            "periods": ", ".join(_PERIODS[period] for period in periods),
        }
        for name, dimensions, periods in sorted(rows)
    ]


@cache
def _environment() -> Any:
    made = Environment(
        loader=FileSystemLoader(templates_folder()), autoescape=True, undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    # The same text stands on a page, where it can be translated; a publication is Dutch.
    made.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    return made
