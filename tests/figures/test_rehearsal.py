"""`meldpunt figures rehearse`: random months in, a publication that keeps its promises out, or nothing at all."""

import csv
import hashlib
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from weerbaar_meldpunt.actions import rehearsal
from weerbaar_meldpunt.actions.rehearsal import FactsFault, Unpublishable, rehearse
from weerbaar_meldpunt.rules.figure_codes import DERIVED, DIMENSIONS, FACT_DIMENSIONS

MONTHS = [f"2026-{number:02}" for number in range(1, 13)]
GEMEENTE_OF = {child: parent for parent, members in DERIVED["organisatie"].items() for child in members}
AMBT_OF = {child: parent for parent, members in DERIVED["ambt"].items() for child in members}


def random_lines(seed, months=MONTHS, rate=50, *, late=True):
    """Facts of random months, in random order; a part is taken back, with `late` also in a later month."""
    chance, lines, held = random.Random(seed), [], []

    def add(month, codes, n):
        lines.append({"measure": "meldingen", "period": month, **codes, "n": n})

    for month in months:
        if not late:
            held.clear()
        for _ in range(chance.randrange(rate // 2, rate * 2)):
            codes = {
                name: chance.choices(DIMENSIONS[name], [0.7**place for place in range(len(DIMENSIONS[name]))])[0]
                for name in FACT_DIMENSIONS["meldingen"]
            }
            held.append(codes)
            add(month, codes, 1)
        for _ in range(len(held) // 12):
            add(month, held.pop(chance.randrange(len(held))), -1)
        for code in DIMENSIONS["duur"]:
            if n := chance.randrange(0, 12):
                lines.append({"measure": "afgehandeld", "period": month, "duur": code, "n": n})
    chance.shuffle(lines)
    return [json.dumps(line).encode() + b"\n" for line in lines]


def table_rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """Twelve random months, rehearsed once for all tests that only look."""
    lines, out = random_lines(12, late=False), tmp_path_factory.mktemp("proef") / "uit"
    rehearse(lines, out, key=None)
    return [json.loads(line) for line in lines], out


@pytest.fixture(scope="module")
def corrected(tmp_path_factory):
    """Twelve random months with many corrections of earlier months, and a last month that has room for all of them."""
    lines = random_lines(13, MONTHS[:11]) + random_lines(14, MONTHS[11:], 1500, late=False)
    out = tmp_path_factory.mktemp("proef") / "uit"
    rehearse(lines, out, key=None)
    return [json.loads(line) for line in lines], out


class Truth:
    """The numbers of reports straight from the lines, by month and by the codes of a few dimensions."""

    def __init__(self, facts):
        self.facts = [
            fact | {"organisatie": GEMEENTE_OF[fact["rolgroep"]], "ambt": AMBT_OF[fact["rolgroep"]]}
            for fact in facts
            if fact["measure"] == "meldingen"
        ]
        self.counted = {}

    def __call__(self, codes, first, last):
        names = tuple(codes)
        if names not in self.counted:
            counts = self.counted[names] = Counter()
            for fact in self.facts:
                counts[fact["period"], *(fact[name] for name in names)] += fact["n"]
        return sum(self.counted[names][month, *codes.values()] for month in MONTHS if first <= month <= last)


def codes_of(row):
    return {name: row[name] for name in DIMENSIONS if row[name] not in ("", "T")}


@pytest.mark.parametrize("made", ["rehearsed", "corrected"])
def test_every_table_adds_up_along_each_of_its_dimensions(made, request):
    _, out = request.getfixturevalue(made)
    for measure in ("meldingen", "afgehandeld"):
        rows = table_rows(out / f"{measure}.csv")
        values = {(r["period"], r["table"], *(r[name] for name in DIMENSIONS)): int(r["value"]) for r in rows}
        assert len(values) == len(rows)
        margins = [(at, place) for at in values for place in range(2, len(at)) if at[place] == "T"]
        assert len(margins) >= len({at[:2] for at in values})
        for at, place in margins:
            codes = list(DIMENSIONS.values())[place - 2]
            assert values[at] == sum(values[(*at[:place], code, *at[place + 1 :])] for code in codes), at


def test_organisations_are_the_sum_of_their_role_groups(rehearsed):
    _, out = rehearsed
    rows = table_rows(out / "meldingen.csv")
    by_role = {(r["period"], r["rolgroep"], r["soort"]): int(r["value"]) for r in rows if r["table"] == "T2"}
    for row in rows:
        if row["table"] == "T2o" and row["organisatie"] != "T":
            members = DERIVED["organisatie"][row["organisatie"]]
            assert int(row["value"]) == sum(by_role[row["period"], role, row["soort"]] for role in members)


@pytest.mark.parametrize("made", ["rehearsed", "corrected"])
def test_months_add_up_to_the_year_so_far(made, request):
    _, out = request.getfixturevalue(made)
    for measure in ("meldingen", "afgehandeld"):
        rows = table_rows(out / f"{measure}.csv")
        values = {(r["period"], r["table"], *(r[name] for name in DIMENSIONS)): int(r["value"]) for r in rows}
        spans = [at for at in values if "/" in at[0]]
        assert {at[0] for at in spans} == {f"2026-01/{month}" for month in MONTHS}
        for at in spans:
            first, last = at[0].split("/")
            assert values[at] == sum(values[(month, *at[1:])] for month in MONTHS if first <= month <= last)


def test_no_month_is_off_by_more_than_four_and_no_year_so_far_by_more_than_nine(rehearsed):
    facts, out = rehearsed
    truth = Truth(facts)
    for row in table_rows(out / "meldingen.csv"):
        period = row["period"]
        if period in MONTHS:
            first, last, most = period, period, 4
        elif "/" in period:
            first, last, most = (*period.split("/"), 9)
        else:
            first, last, most = {"2026-H1": (MONTHS[0], MONTHS[5], 9), "2026-H2": (MONTHS[6], MONTHS[11], 9),
                                 "2026": (MONTHS[0], MONTHS[11], 9)}[period]  # fmt: skip
        assert abs(int(row["value"]) - truth(codes_of(row), first, last)) <= most, row


def test_after_corrections_the_year_is_off_by_nine_at_most_and_no_month_shows_less_than_nothing(corrected):
    facts, out = corrected
    truth = Truth(facts)
    for row in table_rows(out / "meldingen.csv"):
        assert int(row["value"]) >= 0
        if row["period"] == "2026-01/2026-12":
            assert abs(int(row["value"]) - truth(codes_of(row), MONTHS[0], MONTHS[11])) <= 9, row


def test_a_shared_cell_has_one_value_in_a_period(rehearsed):
    _, out = rehearsed
    seen = {}
    for row in table_rows(out / "meldingen.csv"):
        at = (row["period"], tuple(codes_of(row).items()))
        assert seen.setdefault(at, row["value"]) == row["value"]


def test_every_month_has_its_edition_and_every_file_that_holds_words_says_proef(rehearsed):
    _, out = rehearsed
    files = files_in(out)

    assert set(files) == {
        "meldingen.csv", "afgehandeld.csv", "codes.csv", "methode.html", "PROEF_LEES_MIJ.txt",
        *(f"editions/{month}/{name}" for month in MONTHS for name in ("tekst.txt", "edition.json")),
    }  # fmt: skip
    for name, content in files.items():
        assert name.endswith(".csv") or b"PROEF" in content, name
        if name.endswith(".csv"):
            assert f"{hashlib.sha256(content).hexdigest()}  {name}".encode() in files["PROEF_LEES_MIJ.txt"]


def test_the_same_lines_give_the_same_bytes_and_another_key_gives_others(tmp_path):
    lines = random_lines(3, MONTHS[:4])

    for name, key in (("one", None), ("two", None), ("three", b"k" * 32), ("four", b"k" * 32)):
        rehearse(lines, tmp_path / name, key=key)

    one, two, three, four = (files_in(tmp_path / name) for name in ("one", "two", "three", "four"))
    assert one == two
    assert three == four
    assert one["meldingen.csv"] != three["meldingen.csv"]
    assert one["codes.csv"] == three["codes.csv"]


def test_the_key_is_the_hash_of_the_lines_unless_one_is_given(tmp_path):
    lines = random_lines(4, MONTHS[:2])
    key = hashlib.sha256(b"rehearse" + b"".join(lines)).digest()

    rehearse(lines, tmp_path / "one", key=None)
    rehearse(lines, tmp_path / "two", key=key)

    assert files_in(tmp_path / "one") == files_in(tmp_path / "two")


def test_the_order_of_the_lines_changes_no_number(tmp_path):
    lines = random_lines(5, MONTHS[:3])

    rehearse(lines, tmp_path / "one", key=b"k")
    rehearse(list(reversed(lines)), tmp_path / "two", key=b"k")

    assert files_in(tmp_path / "one") == files_in(tmp_path / "two")


def test_a_month_without_lines_is_an_edition_too_and_a_new_year_starts_again(tmp_path):
    lines = random_lines(6, ["2026-11", "2027-02"])

    rehearse(lines, tmp_path / "out", key=None)

    rows = table_rows(tmp_path / "out" / "meldingen.csv")
    assert {row["period"] for row in rows} >= {
        "2026-11", "2026-12", "2027-01", "2027-02", "2026-01/2026-12", "2027-01/2027-01", "2026-H2", "2026",
    }  # fmt: skip
    assert (tmp_path / "out" / "editions" / "2027-01" / "tekst.txt").is_file()


def test_only_measures_that_occur_are_written(tmp_path):
    line = b'{"measure":"afgehandeld","period":"2026-01","duur":"d0_1","n":7}\n'

    rehearse([line], tmp_path / "out", key=None)

    assert {path.name for path in (tmp_path / "out").glob("*.csv")} == {"afgehandeld.csv", "codes.csv"}


def test_costs_are_shown_when_a_half_year_is_over(tmp_path):
    lines = [
        json.dumps({"measure": "kosten", "period": f"2026-0{month}", "maatregelsoort": kind, "bijdrager": code,
                    "euro": 9_000}).encode()
        for month in range(1, 7)
        for kind in ("bouwkundig", "overig")
        for code in ("GM0014", "GM0034", "GM0037", "GM0047", "GM0050", "GM0059", "GM0060", "GM0072", "GM0074", "GM0080")
    ]  # fmt: skip

    rehearse(lines, tmp_path / "out", key=None)

    rows = {row["maatregelsoort"]: row for row in table_rows(tmp_path / "out" / "kosten.csv")}
    assert {row["period"] for row in rows.values()} == {"2026-H1"}
    assert (rows["bouwkundig"]["value"], rows["persoonlijk"]["status"]) == ("540000", "suppressed")


GOOD = b'{"measure":"afgehandeld","period":"2026-01","duur":"d0_1","n":2}\n'


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        ([GOOD, GOOD, b"{\n"], 3),
        ([GOOD, b"\n", GOOD], 2),
        ([b'{"measure":"afgehandeld","period":"2026-01","duur":"d9"}\n', GOOD], 1),
        ([GOOD, b'{"measure":"afgehandeld","period":"2026-01","duur":"d0_1","n":-3}\n'], 2),
        ([b'{"measure":"afgehandeld","period":"2026-01","duur":"d0_1","n":-1}\n',
          b'{"measure":"afgehandeld","period":"2026-02","duur":"d0_1","n":1}\n'], 1),
        ([b'{"measure":"afgehandeld","period":"2026-01","duur":"d0_1","n":-1}\n',
          b'{"measure":"afgehandeld","period":"2026-02","duur":"d2_7","n":1}\n',
          b'{"measure":"afgehandeld","period":"2026-03","duur":"d0_1","n":-1}\n'], 1),
        ([GOOD, b'{"measure":"afgehandeld","period":"2099-01","duur":"d0_1"}\n'], 2),
        ([], 1),
    ],
    ids=["no JSON", "empty line", "unknown code", "below nothing", "below nothing, later made up",
         "below nothing twice", "a year in another century", "no lines"],
)  # fmt: skip
def test_a_wrong_line_is_named_and_nothing_is_written(tmp_path, lines, number):
    with pytest.raises(FactsFault, match=f"^line {number}:") as fault:
        rehearse(lines, tmp_path / "deep" / "out", key=None)

    assert fault.value.line == number
    assert list(tmp_path.iterdir()) == []


def test_what_is_taken_back_in_the_month_it_was_counted_is_no_fault(tmp_path):
    rehearse([GOOD.replace(b'"n":2', b'"n":-2'), GOOD], tmp_path / "out", key=None)

    assert (tmp_path / "out" / "afgehandeld.csv").is_file()


@pytest.mark.parametrize("broken", ["close_month", "require_publishable"])
def test_when_no_edition_keeps_its_promises_nothing_is_written(tmp_path, monkeypatch, broken):
    def refuse(*_args):
        raise Unpublishable("a promise")

    monkeypatch.setattr(rehearsal, broken, refuse)

    with pytest.raises(Unpublishable):
        rehearse([GOOD], tmp_path / "out", key=None)

    assert list(tmp_path.iterdir()) == []


def test_one_number_changed_on_its_way_into_the_file_stops_the_rehearsal(tmp_path, monkeypatch):
    written = rehearsal.counts_csv
    monkeypatch.setattr(rehearsal, "counts_csv", lambda blocks: written(blocks).replace(b",T,0,", b",T,5,", 1))

    with pytest.raises(Unpublishable):
        rehearse([GOOD], tmp_path / "out", key=None)

    assert list(tmp_path.iterdir()) == []


def test_an_earlier_rehearsal_is_replaced_whole_and_nothing_else_is_touched(tmp_path):
    rehearse(random_lines(7, MONTHS[:2]), tmp_path / "out", key=None)
    rehearse([GOOD], tmp_path / "out", key=None)

    assert "meldingen.csv" not in files_in(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_filled_and_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "empty").mkdir()
    rehearse([GOOD], tmp_path / "empty", key=None)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")

    with pytest.raises(FactsFault):
        rehearse([GOOD], tmp_path / "full", key=None)
    with pytest.raises(FactsFault):
        rehearse([GOOD], tmp_path / "full" / "mine.txt", key=None)

    assert files_in(tmp_path / "full") == {"mine.txt": b"mine"}
    assert "afgehandeld.csv" in files_in(tmp_path / "empty")


def test_when_the_new_folder_cannot_take_its_place_the_old_one_comes_back(tmp_path, monkeypatch):
    rehearse([GOOD], tmp_path / "out", key=None)
    before = files_in(tmp_path / "out")
    real = Path.rename

    def failing(self, target):
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(FactsFault):
        rehearse([GOOD, GOOD], tmp_path / "out", key=None)

    assert files_in(tmp_path / "out") == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_no_true_count_stands_in_any_file_or_name(tmp_path):
    """Improbable counts are planted, and their digits looked for."""
    lines = [
        json.dumps({"measure": "meldingen", "period": month, "provincie": "NH", "rolgroep": "wethouder",
                    "soort": "bedreiging", "kanaal": "online", "route": "beveiliging", "aangifte": "ja",
                    "n": n}).encode()
        for month, n in (("2026-01", 7919), ("2026-02", 6842))
    ]  # fmt: skip

    rehearse(lines, tmp_path / "out", key=b"k")

    for name, content in files_in(tmp_path / "out").items():
        plain = content if not name.endswith(".json") else json.dumps(
            {key: value for key, value in json.loads(content).items() if "sha256" not in key and key != "sources"}
        ).encode()  # fmt: skip
        if name == "PROEF_LEES_MIJ.txt":
            plain = b""  # hashes only
        for count in (7919, 6842, 7919 + 6842):
            for form in (f"{count}", f"{count:,}", f"{count:,}".replace(",", ".")):
                assert form.encode() not in plain, name
                assert form not in name
