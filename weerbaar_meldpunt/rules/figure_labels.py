"""What the codes of the figures are called in a publication, which is Dutch whatever language a page has."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from .figure_codes import MARGIN


def label(dimension: str, code: str) -> str:
    """The name of a code in a table."""
    return _labels()["" if code == MARGIN else dimension, code][0]


def in_sentence(dimension: str, code: str) -> str:
    """How a code is spoken of in a sentence."""
    return _labels()[dimension, code][1]


def heading(dimension: str) -> str:
    """The name of a dimension."""
    return _labels()[dimension, ""][0]


@cache
def _labels() -> Mapping[tuple[str, str], tuple[str, str]]:
    text = files(__package__).joinpath("tables", "figures-labels.csv").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            (row["dimension"], row["code"]): (row["label_nl"], row["sentence_nl"])
            for row in csv.DictReader(text.splitlines())
        }
    )
