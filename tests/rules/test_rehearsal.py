"""A new version of the tables is rehearsed: the differences it makes are shown before it goes live."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from weerbaar_meldpunt.rules.ready import Tables
from weerbaar_meldpunt.rules.rehearsal import rehearse
from weerbaar_meldpunt.rules.report import parse_report
from weerbaar_meldpunt.rules.routing import decide, load_tables

SHIPPED = load_tables("2026-11")


def version(**changes) -> Tables:
    dated = {"version": "2027-01", "in_force_from": date(2027, 1, 1)}
    return Tables(SHIPPED.file.model_copy(update=dated | changes), SHIPPED.terms)


@pytest.fixture(scope="module")
def cases(ten_thousand_reports, arrival):
    return [(f"zaak {place}", report, arrival) for place, report in enumerate(ten_thousand_reports[:1000])]


def test_a_version_that_decides_the_same_shows_no_difference(cases):
    reworded = tuple(
        row.model_copy(update={"otherwise": "we weten nog te weinig"}) if row.otherwise else row
        for row in SHIPPED.file.urgency
    )

    assert list(rehearse(cases, before=SHIPPED, after=version(urgency=reworded))) == []


def test_a_changed_row_shows_exactly_the_cases_it_changes_and_what_becomes_of_them(cases):
    milder = tuple(row for row in SHIPPED.file.action if row.action != "riec")

    found = list(rehearse(cases, before=SHIPPED, after=version(action=milder)))

    changed = [name for name, report, now in cases if "riec" in decide(report, now=now).side_actions]
    assert [difference.case for difference in found] == changed and changed
    for difference in found:
        assert difference.parts == ("side_actions",)
        assert set(difference.before.side_actions) - set(difference.after.side_actions) == {"riec"}
        assert (difference.before.rules_version, difference.after.rules_version) == ("2026-11", "2027-01")


def test_the_scenarios_are_a_set_to_rehearse_on(arrival):
    text = (Path(__file__).parents[1] / "data" / "scenarios.yaml").read_text("utf-8")
    cases = [
        (scenario["id"], parse_report(scenario["report"], now=arrival, allow_triage=True), arrival)
        for scenario in yaml.safe_load(text)
    ]
    sooner = tuple(
        row.model_copy(update={"minutes": 15}) if row.urgency == "acuut" else row for row in SHIPPED.file.first_contact
    )

    found = list(rehearse(cases, before=SHIPPED, after=version(first_contact=sooner)))

    assert [(difference.case, difference.parts) for difference in found] == [
        ("S02", ("first_contact_before",)), ("S07", ("first_contact_before",)), ("S19", ("first_contact_before",)),
    ]  # fmt: skip
