"""The tables are data: what a table file may not say is refused when it is read, not when a report comes in."""

import tomllib
from importlib.resources import files

import pytest
from pydantic import ValidationError

from weerbaar_meldpunt.rules import data
from weerbaar_meldpunt.rules.data import NoSuchVersion, read_version
from weerbaar_meldpunt.rules.decision_tables import Names, RoutingFile
from weerbaar_meldpunt.rules.facts import FACTS, WORKED_OUT
from weerbaar_meldpunt.rules.ready import Tables
from weerbaar_meldpunt.rules.routing import load_tables
from weerbaar_meldpunt.rules.terms import TermTable, term_table


def file_of(name: str) -> dict:
    return tomllib.loads(files("weerbaar_meldpunt.rules").joinpath("tables", name).read_text("utf-8"))


def as_tuples(value: object) -> object:
    if isinstance(value, dict):
        return {key: as_tuples(item) for key, item in value.items()}
    return tuple(as_tuples(item) for item in value) if isinstance(value, list) else value


def routing() -> dict:
    return file_of("routing-2026-11.toml")


def tables_from(content: dict) -> Tables:
    return Tables(RoutingFile.model_validate(as_tuples(content)), term_table("2026-11"))


def test_the_shipped_file_is_read():
    assert tables_from(routing()).version == "2026-11"


def without(*path: str | int):
    def change(content: dict) -> None:
        inner = content
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]

    return change


def setting(*path: str | int, to: object):
    def change(content: dict) -> None:
        inner = content
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = to

    return change


NO_LAST_ROW = "ends with one `otherwise`"
BROKEN = [
    pytest.param(without("version"), "version", id="no version"),
    pytest.param(without("in_force_from"), "in_force_from", id="no date of force"),
    pytest.param(setting("in_force_from", to="2026-11-01"), "in_force_from", id="a date that is a text"),
    pytest.param(setting("surprise", to=1), "surprise", id="an unknown table"),
    pytest.param(setting("urgency", 0, "surprise", to=1), "surprise", id="an unknown key in a row"),
    pytest.param(without("urgency", -1), NO_LAST_ROW, id="urgency without a last row"),
    pytest.param(without("entitlement", -1), NO_LAST_ROW, id="entitlement without a last row"),
    pytest.param(without("no_route", -1), NO_LAST_ROW, id="no route without a last row"),
    pytest.param(setting("urgency", to=[]), NO_LAST_ROW, id="no urgency at all"),
    pytest.param(setting("urgency", 0, "otherwise", to="x"), "cases or is the last one", id="cases and otherwise"),
    pytest.param(without("urgency", 0, "when"), "cases or is the last one", id="neither cases nor otherwise"),
    pytest.param(setting("urgency", 0, "urgency", to="direct"), "unknown code", id="an unknown urgency"),
    pytest.param(setting("route", 0, "route", to="politie"), "unknown code", id="an unknown team"),
    pytest.param(setting("route", 0, "mark", to="let_op"), "unknown code", id="an unknown mark"),
    pytest.param(setting("action", 0, "action", to="bellen"), "unknown code", id="an unknown action"),
    pytest.param(setting("route", 0, "rule", to="U1"), "stands twice", id="a rule id twice"),
    pytest.param(without("first_contact", 0), "one row an urgency", id="an urgency without a term"),
    pytest.param(setting("first_contact", 0, "working_days", to=1), "minutes or working days", id="two terms"),
    pytest.param(without("offers", "uitleg"), "offers without a text", id="an offer without a text"),
    pytest.param(setting("alternatives", "geen_recht", to=["taart"]), "offers without a text", id="an unknown offer"),
    pytest.param(without("no_route", -1, "offers"), "the last one with its offers", id="no offer at last"),
    pytest.param(setting("no_route", 0, "when", 0, "offers", to=[]), "offers", id="a reason that offers nothing"),
    pytest.param(setting("urgency", 0, "when", 0, "because", to=""), "because", id="a case without a reason"),
    pytest.param(without("urgency", 0, "when", 0, "because"), "because", id="a case whose reason is left out"),
    pytest.param(without("urgency", 0, "when", 0, "all"), "at least one fact", id="a case that always applies"),
    pytest.param(setting("urgency", 0, "when", 0, "all", to=["weapons"]), "unknown fact", id="an unknown fact"),
    pytest.param(setting("definition", 0, "when", 0, "all", to=["eiland"]), "further down", id="a definition ahead"),
    pytest.param(setting("definition", 1, "name", to="alleen_ambtenaar"), "already", id="a definition twice"),
    pytest.param(setting("definition", 1, "name", to="weapon"), "already", id="a definition over a fact"),
    pytest.param(setting("definition", 0, "when", to=[]), "when", id="a definition of nothing"),
    pytest.param(setting("action", 0, "never", to=["nooit"]), "unknown fact", id="an unknown bar"),
    pytest.param(lambda content: content["action"].reverse(), "in which they are proposed", id="actions out of order"),
    pytest.param(without("consent"), "consent", id="no row on consent"),
    pytest.param(without("thresholds", "recent_hours"), "recent_hours", id="an amount missing"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_a_broken_routing_table_is_refused_and_says_why(change, message):
    content = routing()
    change(content)

    with pytest.raises((ValidationError, ValueError), match=message):
        tables_from(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(setting("term", 1, "legal_kinds", to=["ruzie"]), "unknown code", id="an unknown kind"),
        pytest.param(
            setting("term", 1, "legal_kinds", to=[]), "from papers or from an incident", id="runs from nothing"
        ),
        pytest.param(setting("term", 1, "incident", to=[{"kind": "stalking"}]), "from papers or", id="runs from both"),
        pytest.param(setting("term", 1, "runs_from", to="occurred_at"), "date of an incident", id="the wrong date"),
        pytest.param(setting("term", 9, "runs_from", to="event_on"), "date of an incident", id="a paper's date"),
        pytest.param(setting("term", 1, "runs_from", to="document"), "runs_from", id="an unknown date"),
        pytest.param(setting("term", 1, "length", to={"weeks": 4, "days": 1}), "one unit", id="two units"),
        pytest.param(setting("term", 1, "length", to={"years": 1}), "years", id="an unknown unit"),
        pytest.param(setting("term", 1, "whose", to="niemand"), "unknown code", id="nobody's"),
        pytest.param(setting("term", 3, "whose_by_side", to={"links": "eigen"}), "unknown side", id="an unknown side"),
        pytest.param(
            setting("term", 3, "whose_by_side", to={"tegen_mij": "x"}), "unknown owner", id="an unknown owner"
        ),
        pytest.param(without("pressing_within_days"), "pressing_within_days", id="no amount of days"),
    ],
)
def test_a_broken_table_of_terms_is_refused_and_says_why(change, message):
    content = file_of("terms-2026-11.toml")
    change(content)

    with pytest.raises(ValidationError, match=message):
        TermTable.model_validate(as_tuples(content))


def test_every_row_tells_its_source():
    file = load_tables("2026-11").file
    rows = [row for table in (file.urgency, file.entitlement, file.route, file.no_route, file.action) for row in table]

    assert all(row.source.strip() for row in rows)
    assert all(row.source.strip() for row in term_table("2026-11").term)


def test_every_fact_that_is_worked_out_is_used_by_the_table_or_kept_for_the_next():
    file = load_tables("2026-11").file
    cases = [case for row in (*file.role_definition, *file.definition) for case in row.when]
    cases += [case for table in (file.urgency, file.entitlement, file.route, file.no_route, file.action)
              for row in table for case in row.when]  # fmt: skip
    used = {name for case in cases for name in case.names}

    # The table looks at consent by its own row, which names no facts.
    assert set(WORKED_OUT) - used == {"consent_missing"}


def test_no_two_facts_share_a_bit():
    names = Names(load_tables("2026-11").file)

    assert len(set(FACTS)) == len(FACTS)
    assert len(set(names.bits.values())) == len(names.bits)
    assert all(bit.bit_count() == 1 for bit in names.bits.values())


def test_a_version_that_is_not_carried_is_named():
    for wrong in ("2020-01", "", "../routing-2026-11", "2026-11.toml"):
        with pytest.raises(NoSuchVersion, match="carried: 2026-11"):
            load_tables(wrong)
    with pytest.raises(NoSuchVersion):
        read_version(TermTable, "terms", "2020-01")


def test_tables_are_asked_for_by_version_or_by_day():
    with pytest.raises(ValueError, match="a version or a day"):
        load_tables()


def test_every_table_that_is_carried_has_a_version_and_a_date_of_force():
    carried = [entry.name for entry in files("weerbaar_meldpunt.rules").joinpath("tables").iterdir()]

    for name in carried:
        if name.endswith(".toml"):
            assert {"version", "in_force_from", "note"} <= file_of(name).keys(), name


def test_the_routing_table_names_a_table_of_terms_that_is_carried():
    for version in data.versions("routing"):
        assert load_tables(version).file.terms in data.versions("terms")
