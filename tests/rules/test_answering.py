"""Documents in, answers out, as the command line needs it: one document, or one a line."""

import json
import random
from datetime import datetime, timedelta

import pytest

from weerbaar_meldpunt.rules.answering import answer_lines, answer_text
from weerbaar_meldpunt.rules.faults import ReportFaults

NOON = datetime.fromisoformat("2026-11-23T12:30:00+01:00")
PLANTED = "Geheimwoord-7301"


def test_an_answer_has_every_key_of_the_format_in_its_order():
    answer = answer_text(b'{"format": 1}', now=NOON)

    assert list(answer) == [
        "format", "rules_version", "routes", "urgency", "first_contact_before", "security_entitlement", "marks",
        "offers",
        "side_actions", "legal_terms", "reasons",
    ]  # fmt: skip
    assert (answer["format"], answer["rules_version"], answer["urgency"]) == (1, "2026-11", "midden")
    assert all(list(reason) == ["rule", "about", "because"] for reason in answer["reasons"])


def test_an_answer_is_plain_json_for_any_report(make_random_report, arrival):
    rng = random.Random(9)

    for _ in range(300):
        answer = answer_text(json.dumps(make_random_report(rng, triage=True)).encode(), now=arrival)
        assert json.loads(json.dumps(answer)) == answer


def test_json_and_yaml_get_the_same_answer():
    as_json = (
        b'{"format": 1, "target": {"role": "cdk"}, "incident": {"kinds": ["doxing"], "occurred_at": "2026-11-20"}}'
    )
    as_yaml = b"format: 1\ntarget: {role: cdk}\nincident:\n  kinds: [doxing]\n  occurred_at: 2026-11-20\n"

    assert answer_text(as_json, now=NOON) == answer_text(as_yaml, now=NOON)


def test_the_receipt_in_the_document_wins_over_now():
    by_telephone = b'{"format": 1, "intake": "telefoon", "received_at": "2026-11-20T10:00:00+01:00"}'

    answer = answer_text(by_telephone, now=NOON)

    assert answer["first_contact_before"] == "2026-11-23T17:00:00+01:00"
    assert answer == answer_text(b'{"format": 1}', now=NOON - timedelta(days=3, hours=2, minutes=30))


def test_a_worker_may_say_that_it_is_nothing_but_lawful_criticism():
    assert answer_text(b'{"format": 1, "lawful_criticism_only": true}', now=NOON)["urgency"] == "laag"
    (line,) = answer_lines([b'{"format": 1, "lawful_criticism_only": true}'], now=NOON)
    assert line[1] and line[0]["urgency"] == "laag"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (b"", ["document: an object is asked"]),
        (b"[]", ["document: an object is asked"]),
        (b"{}", ["format: is required; the known format is 1"]),
        (b'{"format": 1, "format": 1}', ["format: key given twice"]),
        (b'{"format": 1, "preventive": 1, "conflict": 2}',
         ["conflict: a list is asked", "preventive: true or false is asked"]),
        (b"\xff", ["document: not UTF-8 text"]),
    ],
)  # fmt: skip
def test_a_bad_document_is_refused_with_every_fault(text, faults):
    with pytest.raises(ReportFaults) as refused:
        answer_text(text, now=NOON)

    assert [str(fault) for fault in refused.value.faults] == faults


def test_a_faulty_line_gives_an_error_and_stops_no_other_line():
    lines = [
        b'{"format": 1}\n',
        b'{"format": 1, "incident": {"weapon": "' + PLANTED.encode() + b'"}, "preventive": 3}\n',
        b"\n",
        b"format: 1\n",
        b"\xff\xfe\n",
        b'{"format": 1, "incident": {"weapon": true}}',
    ]

    answers = list(answer_lines(lines, now=NOON))

    assert [ok for _, ok in answers] == [True, False, False, False, False, True]
    assert [answer.get("urgency") for answer, _ in answers] == ["midden", None, None, None, None, "hoog"]
    assert answers[1][0] == {"error": "incident.weapon: true or false is asked\npreventive: true or false is asked"}
    assert all(list(answer) == ["error"] and answer["error"] for answer, ok in answers if not ok)
    assert PLANTED not in json.dumps([answer for answer, _ in answers])


def test_lines_are_answered_as_they_come():
    def endless():
        while True:
            yield b'{"format": 1}\n'

    answers = answer_lines(endless(), now=NOON)

    assert [next(answers)[1] for _ in range(3)] == [True, True, True]


def test_a_line_gets_the_answer_that_the_document_gets_alone(make_random_report, arrival):
    rng = random.Random(10)
    lines = [json.dumps(make_random_report(rng)).encode() + b"\r\n" for _ in range(100)]

    assert list(answer_lines(lines, now=arrival)) == [(answer_text(line, now=arrival), True) for line in lines]
