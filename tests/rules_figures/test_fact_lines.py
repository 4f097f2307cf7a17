"""Facts are read strictly: what is not known is refused, and a refusal never repeats what stood there."""

import json

import pytest

from weerbaar_meldpunt.rules.figure_lines import read_fact_line, read_sealed_fact

REPORT = {
    "measure": "meldingen", "period": "2026-01", "provincie": "NH", "rolgroep": "wethouder", "soort": "bedreiging",
    "kanaal": "online", "route": "beveiliging", "aangifte": "ja", "geslacht": "vrouw",
}  # fmt: skip
HANDLED = {"measure": "afgehandeld", "period": "2026-01", "duur": "d0_1"}
COSTS = {
    "measure": "kosten", "period": "2026-01", "maatregelsoort": "bouwkundig", "bijdrager": "GM0014", "euro": 12500,
}  # fmt: skip


def line(document):
    return json.dumps(document).encode()


def test_a_report_counts_once_and_with_an_unknown_gender_unless_it_says_so():
    read = read_fact_line(line({key: value for key, value in REPORT.items() if key != "geslacht"}))

    assert read.codes == ("NH", "wethouder", "bedreiging", "online", "beveiliging", "ja", "overig_onbekend")
    assert read.n == 1


def test_what_is_taken_back_and_what_was_paid_back_is_read():
    assert read_fact_line(line(REPORT | {"n": -4})).n == -4
    assert read_fact_line(line(HANDLED | {"n": 3})).codes == ("d0_1",)
    assert read_fact_line(line(COSTS | {"euro": -1500})).n == -1500


@pytest.mark.parametrize(
    "document",
    [
        REPORT | {"organisatie": "gemeente"},
        REPORT | {"ambt": "bestuurder"},
        REPORT | {"gemeente": "Ons Dorp"},
        REPORT | {"provincie": "Ons Dorp"},
        REPORT | {"provincie": None},
        REPORT | {"provincie": ["NH"]},
        REPORT | {"rolgroep": "T"},
        REPORT | {"rolgroep": "cdk"},
        REPORT | {"period": "2026-13"},
        REPORT | {"period": "2026-H1"},
        REPORT | {"period": "2026-1"},
        REPORT | {"period": "٢٠٢٦-01"},
        REPORT | {"period": 202601},
        REPORT | {"n": 0},
        REPORT | {"n": True},
        REPORT | {"n": 1.0},
        REPORT | {"n": "1"},
        REPORT | {"n": None},
        REPORT | {"n": 10**30},
        REPORT | {"measure": "aangiften"},
        REPORT | {"measure": None},
        {key: value for key, value in REPORT.items() if key != "route"},
        {key: value for key, value in REPORT.items() if key != "period"},
        HANDLED | {"provincie": "NH"},
        HANDLED | {"duur": "d1"},
        COSTS | {"bijdrager": "Ons Dorp"},
        COSTS | {"n": 1},
        COSTS | {"euro": 12.5},
        {key: value for key, value in COSTS.items() if key != "euro"},
        {},
        [],
        "Ons Dorp",
        None,
    ],
)
def test_a_wrong_line_is_refused_without_repeating_it(document):
    with pytest.raises(ValueError) as refused:
        read_fact_line(line(document))

    assert "Ons Dorp" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"{",
        b"\xff\xfe",
        b'{"measure":"afgehandeld","period":"2026-01","duur":"d0_1","duur":"d2_7"}',
        b'{"measure":"afgehandeld","period":"2026-01","duur":"d0_1","n":NaN}',
        b'{"measure":"afgehandeld","period":"2026-01","duur":"d0_1","n":1e3}',
        b'{"measure":"afgehandeld","period":"2026-01","duur":"d0_1"} {}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_object_of_json_is_refused(text):
    with pytest.raises(ValueError):
        read_fact_line(text)


def test_a_sealed_fact_is_one_report_more_or_less():
    sealed = {key: value for key, value in REPORT.items() if key != "period"}

    assert read_sealed_fact(sealed | {"n": -1})[0::2] == ("meldingen", -1)
    for wrong in (sealed, sealed | {"n": 2}, sealed | {"n": 1, "case": "x"}, sealed | {"n": 1, "route": "x"}, None, []):
        with pytest.raises(ValueError):
            read_sealed_fact(wrong)
