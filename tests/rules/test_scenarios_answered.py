"""The fifteen scenarios of the design are answered as it says, the order within each list included."""

import json
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from weerbaar_meldpunt.rules.answering import answer_text

SCENARIOS = yaml.safe_load((Path(__file__).parents[1] / "data" / "scenarios.yaml").read_text("utf-8"))


def test_there_are_fifteen_scenarios():
    assert len({scenario["id"] for scenario in SCENARIOS}) == 15


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[f"{case['id']} {case['title']}" for case in SCENARIOS])
@pytest.mark.parametrize("written_as", ["json", "yaml"])
def test_a_scenario_gets_exactly_the_answer_that_is_expected(scenario, written_as):
    write = json.dumps if written_as == "json" else yaml.safe_dump
    text = write(scenario["report"]).encode()
    expected = scenario["expect"]

    answer = answer_text(text, now=datetime.fromisoformat(scenario["received_at"]))

    contact_before = datetime.fromisoformat(answer.pop("first_contact_before"))
    terms = [{key: term[key] for key in ("term", "last_day", "whose")} for term in answer.pop("legal_terms")]
    assert contact_before == datetime.fromisoformat(expected["first_contact_before"])
    assert terms == expected["legal_terms"]
    others = ("routes", "urgency", "security_entitlement", "side_actions")
    assert {key: answer[key] for key in others} == {key: expected[key] for key in others}
