"""Dates that can hardly be right are accepted, and a worker is told which ones to ask about."""

from datetime import datetime, timedelta

import pytest

from weerbaar_meldpunt.rules.implausible import implausible_dates
from weerbaar_meldpunt.rules.report import parse_report

NOON = datetime.fromisoformat("2026-11-23T12:30:00+01:00")
FUTURE, PASSED, BEFORE, FAR = "in_de_toekomst", "al_voorbij", "einde_voor_begin", "heel_ver_weg"


def odd(path: str, why: str, **parts):
    return pytest.param(parts, [(path, why)], id=f"{path}: {why} {parts}")


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        odd("incident.occurred_at", FUTURE, incident={"occurred_at": "2026-11-23T12:30:01+01:00"}),
        odd("incident.occurred_at", FUTURE, incident={"occurred_at": "2026-11-24"}),
        odd("incident.reported_elsewhere_on", FUTURE, incident={"reported_elsewhere_on": "2026-11-24"}),
        odd("incident.announced_for", PASSED, incident={"announced_for": "2026-11-22"}),
        odd("incident.announced_for", PASSED, incident={"announced_for": "2026-11-23T12:29+01:00"}),
        odd("target.term_end", BEFORE, target={"term_start": "2026-01-01", "term_end": "2025-12-31"}),
        odd("legal.event_on", FUTURE, legal={"event_on": "2026-11-24"}),
        odd("legal.document_on", FUTURE, legal={"document_on": "2026-11-24"}),
        odd("legal.received_on", FUTURE, legal={"received_on": "2026-11-24"}),
        odd("legal.received_on", BEFORE, legal={"document_on": "2026-11-20", "received_on": "2026-11-19"}),
        odd("legal.act_before", BEFORE, legal={"document_on": "2026-11-20", "act_before": "2026-11-19"}),
        odd("legal.act_before", BEFORE, legal={"received_on": "2026-11-20", "act_before": "2026-11-19"}),
        odd("links[1].seen_at", FUTURE, links=[{"url": "a"}, {"seen_at": "2026-11-24T00:00:00+01:00"}]),
        odd("incident.occurred_at", FAR, incident={"occurred_at": "0202-11-20"}),
        odd("incident.announced_for", FAR, incident={"announced_for": "9999-12-31"}),
        odd("target.term_start", FAR, target={"term_start": "0001-01-01"}),
        odd("legal.act_before", FAR, legal={"act_before": "2226-11-30"}),
    ],
)
def test_a_date_that_can_hardly_be_right_is_named_with_what_is_odd(read, parts, found):
    assert list(implausible_dates(read(**parts), now=NOON)) == found


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {
            "incident": {
                "occurred_at": "2026-11-23",
                "announced_for": "2026-11-23",
                "reported_elsewhere_on": "2026-11-23",
            }
        },
        {"incident": {"occurred_at": "2026-11-23T12:30:00+01:00", "announced_for": "2027-03-01"}},
        {"target": {"term_start": "2026-01-01", "term_end": "2026-01-01"}},
        {"target": {"term_start": "1988-01-01", "term_end": "2030-03-01"}},
        {
            "legal": {
                "event_on": "2026-11-10",
                "document_on": "2026-11-11",
                "received_on": "2026-11-12",
                "act_before": "2026-11-12",
            }
        },
        {"legal": {"act_before": "2020-01-01"}},
    ],
    ids=str,
)
def test_dates_that_may_well_be_right_are_left_alone(read, parts):
    assert implausible_dates(read(**parts), now=NOON) == ()


def test_what_was_future_when_it_came_in_is_judged_by_the_moment_of_receipt(arrival):
    document = {
        "format": 1, "intake": "papier", "received_at": "2026-11-20T12:00+01:00",
        "incident": {"occurred_at": "2026-11-21"},
    }  # fmt: skip
    report = parse_report(document, now=arrival)

    assert implausible_dates(report, now=arrival + timedelta(days=90)) == (("incident.occurred_at", FUTURE),)


def test_a_date_is_named_once_and_any_report_can_be_looked_at(ten_thousand_reports, arrival):
    for report in ten_thousand_reports[:2000]:
        paths = [path for path, _ in implausible_dates(report, now=arrival)]
        assert len(set(paths)) == len(paths)
