"""A refusal never shows what was written, and a report that was accepted comes back as it was."""

import random
from datetime import datetime, timedelta

import pytest

from weerbaar_meldpunt.rules.report import Report, ReportFaults, parse_report

NOON = datetime.fromisoformat("2026-11-23T12:30:00+01:00")


PLANTED = "Geheimwoord-7301"


def planted_everywhere(accepted) -> list[dict]:
    """A document for every key, with the planted word where it does not belong."""
    everything = accepted(legal={}, links=[{}], contact={"safe_hours": [{}]}).as_document()
    found = []
    for key, value in everything.items():
        if key == "format":
            continue
        found += [{key: {"x": PLANTED}}, {key: [PLANTED]}, {key: PLANTED}, {key: [[PLANTED]]}]
        if isinstance(value, dict):
            found += [
                {key: {inner: wrong}}
                for inner in value
                for wrong in (PLANTED, [PLANTED], [{"x": PLANTED}], {"y": PLANTED})
            ]
    found += [{"links": [{"seen_at": PLANTED}]}, {"contact": {"safe_hours": [{"from": PLANTED}]}}]
    return found


def test_no_fault_and_nothing_that_hangs_on_it_shows_what_was_written(accepted):
    shown = 0
    for document in planted_everywhere(accepted):
        try:
            accepted(**document)
        except ReportFaults as refused_with:
            shown += 1
            told = f"{refused_with} {refused_with!r} {refused_with.faults!r} {refused_with.args!r}"
            assert PLANTED not in told and PLANTED not in repr(refused_with.__context__)
    assert shown > 150


def test_a_report_that_is_printed_shows_no_free_text_or_contact(accepted):
    told = dict.fromkeys(("name", "telephone", "mail"), PLANTED)
    report = accepted(
        narrative=PLANTED, barred_member=PLANTED, offender_known_as=[PLANTED], links=[{"url": PLANTED}], contact=told,
        private={"home_address": PLANTED, "family": PLANTED, "movements": PLANTED},
    )  # fmt: skip

    assert PLANTED not in repr(report) + str(report)


def test_a_report_written_out_and_read_back_is_the_same_for_ten_thousand_of_them(ten_thousand_reports):
    for report in ten_thousand_reports:
        document = report.as_document()
        again = Report.from_document(document)
        assert again == report and again.as_document() == document


def test_a_report_written_out_has_every_key_of_the_format(accepted):
    document = accepted(legal={}, links=[{}], contact={"safe_hours": [{}]}).as_document()

    assert list(document) == [
        "format", "received_at", "intake", "reporter", "target", "incident", "legal", "conflict", "barred_member",
        "request", "preventive", "lawful_criticism_only", "narrative", "contact", "private", "offender_known_as",
        "links",
    ]  # fmt: skip
    assert document["contact"]["safe_hours"] == [{"from": None, "to": None}]
    assert document["links"] == [{"url": None, "seen_at": None}]
    assert list(document["target"]) == [
        "role", "other_roles", "organisation", "organisation_type", "term_start", "term_end", "appointment_certain",
        "gender", "group", "home_outside_area",
    ]  # fmt: skip
    assert list(document["incident"]) == [
        "kinds", "channels", "platforms", "offender", "occurred_at", "happening_now", "concrete_threat", "weapon",
        "address_exposed", "family_involved", "repeated", "earlier_cases", "moment_announced", "announced_for",
        "life_in_danger_self", "order_breached", "damage", "message_count", "language", "reported_elsewhere_on",
        "answered_elsewhere",
    ]  # fmt: skip
    assert list(document["legal"]) == [
        "kind", "side", "event_on", "document_on", "received_on", "act_before", "said_in_meeting",
    ]  # fmt: skip


def test_a_report_cannot_be_changed_after_it_was_read(accepted):
    report = accepted()

    with pytest.raises(ValueError, match="frozen"):
        report.narrative = "anders"
    with pytest.raises(ValueError, match="frozen"):
        report.incident.weapon = True


def test_reports_that_are_broken_at_random_are_refused_with_faults_and_nothing_else(make_random_report, arrival):
    rng, junk = (
        random.Random(4),
        [None, True, -1, 2.5, "", "x", [], {}, [[]], [None], {"x": None}, "2026-11-20", 10**40],
    )

    def broken(value: object) -> object:
        if rng.random() < 0.04:
            return rng.choice(junk)
        if isinstance(value, dict):
            return {key: broken(item) for key, item in value.items()}
        return [broken(item) for item in value] if isinstance(value, list) else value

    outcomes = {"accepted": 0, "refused": 0}
    for _ in range(3000):
        try:
            parse_report(broken(make_random_report(rng)), now=arrival + timedelta(days=1))
            outcomes["accepted"] += 1
        except ReportFaults as refused_with:
            assert refused_with.faults
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 300
