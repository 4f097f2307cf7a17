"""For the tests of the rules: a report in a few words, reports at random, the design's tables read a second time."""

import importlib.util
import random
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from weerbaar_meldpunt.rules.report import Report, ReportFaults, parse_report
from weerbaar_meldpunt.rules.routing import Answer, decide

HERE = Path(__file__).parent
# A Monday in winter, in office hours, with four working days after it.
NOON = datetime.fromisoformat("2026-11-23T12:30:00+01:00")


def module(name: str) -> ModuleType:
    """A module beside this file, by its path: these folders are no packages."""
    spec = importlib.util.spec_from_file_location(f"rules_tests_{name}", HERE / f"{name}.py")
    assert spec and spec.loader
    found = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="session")
def make_random_report() -> Callable[..., dict[str, Any]]:
    """`make_random_report(rng, triage=False)`: a valid document, the same for the same seed."""
    return module("random_reports").random_report


@pytest.fixture(scope="session")
def arrival() -> datetime:
    """A moment at which every random report is valid; so is every later one."""
    return module("random_reports").ARRIVAL


@pytest.fixture(scope="session")
def ten_thousand_reports(make_random_report, arrival) -> list[Report]:
    """Seeded, so that a failure can be seen again."""
    rng = random.Random(20261123)
    return [parse_report(make_random_report(rng, triage=True), now=arrival, allow_triage=True) for _ in range(10_000)]


@pytest.fixture(scope="session")
def expected_answer() -> Callable[[Report, datetime], dict[str, object]]:
    """The answer by the second reading of the design."""
    return module("second_reading").expected_answer


@pytest.fixture(scope="session")
def read() -> Callable[..., Report]:
    """`read(incident={…}, …)`: a report about a wethouder of some gemeente, but for what is given."""

    def read_parts(*, now: datetime = NOON, **parts: Any) -> Report:
        target = {"role": "wethouder", "organisation_type": "gemeente"} | parts.pop("target", {})
        return parse_report({"format": 1, "target": target} | parts, now=now, allow_triage=True)

    return read_parts


@pytest.fixture(scope="session")
def accepted() -> Callable[..., Report]:
    """`accepted(narrative=…)`: the report that is read from a document of format 1."""

    def read_document(*, now: datetime = NOON, triage: bool = False, **parts: Any) -> Report:
        return parse_report({"format": 1} | parts, now=now, allow_triage=triage)

    return read_document


@pytest.fixture(scope="session")
def faults_of() -> Callable[[object], dict[str, str]]:
    """`faults_of(document)`: the message by path of key, of a document that must be refused."""

    def refuse(document: object) -> dict[str, str]:
        with pytest.raises(ReportFaults) as refused_with:
            parse_report(document, now=NOON)
        assert all("\n" not in str(fault) for fault in refused_with.value.faults)
        return {fault.path: fault.message for fault in refused_with.value.faults}

    return refuse


@pytest.fixture(scope="session")
def refused(faults_of) -> Callable[..., dict[str, str]]:
    """`refused(narrative=1)`: the faults of a document of format 1."""
    return lambda **parts: faults_of({"format": 1} | parts)


@pytest.fixture(scope="session")
def decided(read) -> Callable[..., Answer]:
    """`decided(incident={…}, …, now=…)`: the answer to such a report."""

    def decide_parts(*, now: datetime = NOON, **parts: Any) -> Answer:
        return decide(read(now=now, **parts), now=now)

    return decide_parts


@pytest.fixture(scope="session")
def rule_of() -> Callable[[Answer, str], str]:
    """`rule_of(answer, "urgency")`: the rule that gave this part of an answer (its first one)."""

    def first_rule(answer: Answer, about: str) -> str:
        return next(reason.rule for reason in answer.reasons if reason.about == about)

    return first_rule
