"""What is sealed of a year is read back as it was, also after the code lists have grown."""

import json

import pytest

from weerbaar_meldpunt.rules import figure_keeping
from weerbaar_meldpunt.rules.figure_codes import DIMENSIONS
from weerbaar_meldpunt.rules.figure_edition import Edition, Source, blocks_of, edition_bytes, read_edition
from weerbaar_meldpunt.rules.figure_keeping import kept, read_kept


def test_a_year_is_read_back_as_it_was(a_year):
    year, _ = a_year

    assert read_kept(json.loads(json.dumps(kept(year)))) == year


def test_a_year_kept_before_a_code_was_added_reads_the_same(a_year, monkeypatch):
    year, _ = a_year
    document = json.loads(json.dumps(kept(year)))
    grown = {name: ("new", *codes) for name, codes in DIMENSIONS.items()}
    monkeypatch.setattr(figure_keeping, "DIMENSIONS", grown)

    assert read_kept(document).truth == year.truth


def test_a_year_in_another_format_or_with_an_unknown_cell_is_refused(a_year):
    document = kept(a_year[0])

    for wrong in (document | {"format": 2}, document | {"flow": {"gemeente=Ons Dorp": 1}}):
        with pytest.raises(ValueError):
            read_kept(wrong)


@pytest.mark.slow
def test_a_hundred_thousand_reports_fit_in_one_sealed_document(desk, close):
    at_work = desk("many", 100_000, "flat")
    year = close([("2026-01", at_work.month(withdrawn=0, recoded=0))])[0].after

    assert len(year.truth) > 30_000
    assert len(json.dumps(kept(year), separators=(",", ":"))) < 1024 * 1024
    assert read_kept(kept(year)) == year


def test_an_edition_is_read_back_as_it_was_and_has_one_form(a_year):
    year, _ = a_year
    edition = Edition("2026-12", blocks_of(year, "2026-12"), {"meldingen": Source("aa", "bb")}, "1", "cc")

    assert read_edition(edition_bytes(edition)) == edition
    assert edition_bytes(read_edition(edition_bytes(edition))) == edition_bytes(edition)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"null", b'{"format":1}', b"\xff"])
def test_what_is_no_edition_is_refused(text):
    with pytest.raises(ValueError, match="not an edition"):
        read_edition(text)


@pytest.mark.parametrize("value", ["5", 5.0, True, [5]])
def test_an_edition_holds_whole_numbers_only(a_year, value):
    year, _ = a_year
    document = json.loads(edition_bytes(Edition("2026-12", blocks_of(year, "2026-12"))))
    document["tables"][0]["rows"][0][-1] = value

    with pytest.raises(ValueError, match="not an edition"):
        read_edition(json.dumps(document).encode())
