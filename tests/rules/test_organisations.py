"""The organisations that a report can name, and how somebody finds theirs."""

from collections import Counter

import pytest

from weerbaar_meldpunt.rules.organisations import organisation, organisations, province_code, search
from weerbaar_meldpunt.rules.vocabulary import ORGANISATION_TYPES


def test_the_list_has_every_municipality_province_water_board_and_public_body_once():
    kinds = Counter(known.kind for known in organisations().values())

    assert kinds == {"gemeente": 342, "provincie": 12, "waterschap": 21, "openbaar_lichaam": 3}
    assert set(kinds) <= set(ORGANISATION_TYPES)
    assert all(code == known.code and known.name == known.name.strip() for code, known in organisations().items())


def test_every_organisation_has_a_province_of_the_figures():
    codes = {known.province_code for known in organisations().values()}

    assert codes == {"GR", "FR", "DR", "OV", "FL", "GE", "UT", "NH", "ZH", "ZE", "NB", "LI", "ZZ"}
    assert {known.kind for known in organisations().values() if known.province_code == "ZZ"} == {"openbaar_lichaam"}


@pytest.mark.parametrize(
    ("code", "province"), [("GM0358", "NH"), ("BES-SAB", "ZZ"), (None, "ZZ"), ("", "ZZ"), ("GM9", "ZZ")]
)
def test_an_unknown_organisation_is_of_an_unknown_province(code, province):
    assert province_code(code) == province


def test_a_code_that_is_none_finds_none():
    assert organisation("GM0358").name == "Aalsmeer"
    assert organisation("gm0358") is None


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("aalsm", "Aalsmeer"), ("AALSMEER", "Aalsmeer"), ("  aalsmeer ", "Aalsmeer"), ("GM0358", "Aalsmeer"),
        ("den haag", "'s-Gravenhage"), ("s-gravenhage", "'s-Gravenhage"), ("’s-Gravenhage", "'s-Gravenhage"),
        ("den bosch", "'s-Hertogenbosch"), ("fryslan", "Fryslân"), ("Friesland", "Fryslân"),
        ("sudwest", "Súdwest-Fryslân"), ("Zuidwest-Friesland", "Súdwest-Fryslân"), ("tietjerk", "Tytsjerksteradiel"),
        ("gerwen", "Nuenen, Gerwen en Nederwetten"), ("saba", "Saba"),
    ],
)  # fmt: skip
def test_an_organisation_is_found_by_name_daily_name_or_code_without_accents(typed, name):
    assert name in [found.name for found in search(typed)]


def test_names_that_begin_with_what_was_typed_come_first():
    names = [found.name for found in search("berg", limit=50)]

    begins = [name.casefold().startswith("berg") for name in names]
    assert begins == sorted(begins, reverse=True) and {True, False} == set(begins)


def test_two_organisations_of_one_name_are_both_found():
    assert {found.kind for found in search("utrecht") if found.name == "Utrecht"} == {"gemeente", "provincie"}


@pytest.mark.parametrize("typed", ["", "  ", "geheim", "'"])
def test_nothing_typed_finds_nothing(typed):
    assert search(typed) == []


def test_a_search_gives_no_more_than_asked():
    assert len(search("e", limit=5)) == 5
