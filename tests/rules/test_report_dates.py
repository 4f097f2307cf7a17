"""The dates of a report, when it came in, and what depends on who sends it."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from weerbaar_meldpunt.rules import vocabulary as codes
from weerbaar_meldpunt.rules.organisations import organisations
from weerbaar_meldpunt.rules.report import Report

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOON = datetime.fromisoformat("2026-11-23T12:30:00+01:00")


def document_with(path: str, value: object) -> dict:
    part, _, key = path.rpartition(".")
    return {part: {key: value}} if part else {key: value}


def value_at(report: Report, path: str) -> object:
    found: object = report
    for name in path.split("."):
        found = getattr(found, name)
    return found


# ---- Dates and moments ---------------------------------------------------------------------------

DAYS = [
    "target.term_start", "target.term_end", "incident.reported_elsewhere_on", "legal.event_on", "legal.document_on",
    "legal.received_on", "legal.act_before",
]  # fmt: skip
EITHER = ["incident.occurred_at", "incident.announced_for"]
NO_DATES = [
    "gisteren", "", "2026-02-29", "2026-13-01", "20-11-2026", "2026-11", "2026", "2026-11-20T25:00", "2026-11-20T24:00",
    "1e9", 20261120, 0, True, [], {}, " 2026-11-20", "2026-11-20\n", "２０２６-11-20",
]  # fmt: skip


@pytest.mark.parametrize("path", [*DAYS, *EITHER])
@pytest.mark.parametrize("written", ["2026-11-20", "20261120", "2026-W47-5"])
def test_a_date_is_written_as_iso_8601_has_it(accepted, path, written):
    assert value_at(accepted(**document_with(path, written)), path) == date(2026, 11, 20)


@pytest.mark.parametrize("path", DAYS)
def test_a_moment_where_a_date_is_asked_is_a_fault(refused, path):
    for moment in ("2026-11-20T12:00:00+01:00", "2026-11-20T12:00", datetime(2026, 11, 20, tzinfo=UTC)):
        assert refused(**document_with(path, moment)) == {path: "a date is asked (ISO 8601), not a moment"}


@pytest.mark.parametrize("moment_key", ["received_at", "links"])
def test_a_date_where_a_moment_is_asked_is_a_fault(refused, moment_key):
    parts = {"received_at": "2026-11-20", "intake": "papier"} if moment_key == "received_at" else {
        "links": [{"seen_at": "2026-11-20"}]
    }  # fmt: skip

    ((path, message),) = refused(**parts).items()

    assert path.startswith(moment_key) and message == "a moment is asked (ISO 8601 date and time), not a date alone"


@pytest.mark.parametrize("path", EITHER)
def test_what_happened_and_what_is_announced_take_a_moment_or_a_date(accepted, path):
    moment = value_at(accepted(**document_with(path, "2026-11-20T21:30:00+01:00")), path)

    assert moment == datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
    assert type(value_at(accepted(**document_with(path, "2026-11-20")), path)) is date


@pytest.mark.parametrize("path", [*DAYS, *EITHER, "received_at"])
@pytest.mark.parametrize("wrong", NO_DATES, ids=repr)
def test_what_is_no_date_is_a_fault(refused, path, wrong):
    assert refused(**document_with(path, wrong)).keys() == {path}


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-20T21:30", "2026-11-20T20:30:00+00:00"), ("2026-07-01T12:00:00", "2026-07-01T10:00:00+00:00"),
        ("2026-11-20T20:30Z", "2026-11-20T20:30:00+00:00"), ("2026-11-20t20:30z", "2026-11-20T20:30:00+00:00"),
        ("2026-11-20 20:30:00.25+0000", "2026-11-20T20:30:00.250000+00:00"),
        ("20261120T203000,5-0400", "2026-11-21T00:30:00.500000+00:00"),
        ("2026-11-20T16-04", "2026-11-20T20:00:00+00:00"),
        ("2026-10-25T02:30", "2026-10-25T00:30:00+00:00"), ("2027-03-28T02:30", "2027-03-28T01:30:00+00:00"),
    ],
)  # fmt: skip
def test_a_moment_without_an_offset_is_of_amsterdam(accepted, written, moment):
    report = accepted(incident={"occurred_at": written})

    assert report.incident.occurred_at == datetime.fromisoformat(moment)
    assert Report.from_document(report.as_document()) == report


@pytest.mark.parametrize(
    "given",
    [datetime(2026, 11, 20, 21, 30, tzinfo=AMSTERDAM), datetime(2026, 11, 20, 21, 30), "2026-11-20T21:30:00"],  # noqa: DTZ001
    ids=repr,
)
def test_a_form_may_give_the_moment_itself(accepted, given):
    moment = accepted(incident={"occurred_at": given}).incident.occurred_at

    assert moment == datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
    assert moment.tzinfo == timezone(timedelta(hours=1))


@pytest.mark.parametrize("path", [*DAYS, *EITHER])
@pytest.mark.parametrize("odd", ["0001-01-01", "9999-12-31", "2199-01-01"])
def test_an_implausible_date_is_accepted_never_refused(decided, path, odd):
    part, _, key = path.rpartition(".")
    document = {part: {key: odd}}
    if part == "incident":
        document[part]["kinds"] = ["stalking", "explosief", "verbale_agressie"]

    assert decided(**document).urgency in codes.URGENCIES
    assert decided(**document, now=datetime(2026, 1, 1, tzinfo=UTC)).urgency in codes.URGENCIES


@pytest.mark.parametrize("path", EITHER)
@pytest.mark.parametrize(
    "odd", ["0001-01-01T12:00", "1850-01-01T08:00", "9999-12-31T22:59:59Z", "2199-01-01T00:00+14:00"]
)
def test_an_implausible_moment_is_accepted_decided_and_kept(decided, read, path, odd):
    document = {"incident": {path.split(".")[1]: odd, "kinds": ["stalking", "explosief"]}}

    assert decided(**document).urgency in codes.URGENCIES
    assert Report.from_document(read(**document).as_document()) == read(**document)


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:30:00Z", "9999-12-31T23:30:00-05:00"])
def test_a_moment_that_no_clock_ever_shows_is_no_moment(refused, never):
    assert refused(incident={"occurred_at": never}).keys() == {"incident.occurred_at"}


def test_an_end_before_a_start_is_accepted(accepted):
    report = accepted(target={"term_start": "2026-11-01", "term_end": "2020-01-01"})

    assert report.target.term_end < report.target.term_start


# ---- Receipt, organisation, triage ---------------------------------------------------------------


@pytest.mark.parametrize("intake", codes.INTAKES)
def test_a_receipt_in_the_future_is_refused(refused, intake):
    assert refused(intake=intake, received_at="2026-11-23T12:30:01+01:00") == {"received_at": "lies in the future"}


@pytest.mark.parametrize("intake", ["telefoon", "papier"])
def test_a_receipt_in_the_past_is_for_telephone_and_paper(accepted, intake):
    report = accepted(intake=intake, received_at="2026-11-22T20:00:00")

    assert report.received_at == datetime(2026, 11, 22, 19, tzinfo=UTC)


@pytest.mark.parametrize("intake", ["web", "json", None])
def test_a_receipt_in_the_past_is_refused_with_another_intake(refused, intake):
    faults = refused(intake=intake, received_at="2026-11-23T12:29:59+01:00")

    assert faults == {"received_at": "an earlier moment is for the intakes telefoon and papier"}


@pytest.mark.parametrize("intake", codes.INTAKES)
def test_a_receipt_at_this_very_moment_is_accepted(accepted, intake):
    assert accepted(intake=intake, received_at="2026-11-23T11:30:00Z").received_at == NOON


def test_the_receipt_of_an_accepted_report_is_not_judged_again_when_it_is_read_back(accepted):
    report = accepted(intake="telefoon", received_at="2026-11-22T20:00:00")

    assert Report.from_document(report.as_document()) == report
    assert Report.from_document(report.as_document() | {"intake": "web"}).received_at == report.received_at


@pytest.mark.parametrize("code", list(organisations()))
def test_the_type_follows_from_the_organisation(accepted, code):
    kind = organisations()[code].kind

    for given in ({}, {"organisation_type": None}, {"organisation_type": "onbekend"}, {"organisation_type": kind}):
        assert accepted(target={"organisation": code} | given).target.organisation_type == kind


@pytest.mark.parametrize(
    ("code", "kind"), [("GM0358", "provincie"), ("PV20", "gemeente"), ("BES-SAB", "gemeente"), ("GM0358", "waterschap")]
)
def test_a_type_that_disagrees_with_the_organisation_is_refused(refused, code, kind):
    assert refused(target={"organisation": code, "organisation_type": kind}).keys() == {"target.organisation_type"}


@pytest.mark.parametrize("code", ["GM9999", "gm0358", "Aalsmeer", "", " GM0358", 358, ["GM0358"]])
def test_an_unknown_organisation_is_refused(refused, code):
    assert refused(target={"organisation": code, "organisation_type": "gemeente"}).keys() == {"target.organisation"}


def test_only_a_worker_says_that_it_is_nothing_but_lawful_criticism(accepted, refused):
    assert refused(lawful_criticism_only=True) == {"lawful_criticism_only": "is set by a worker at triage only"}
    assert accepted(lawful_criticism_only=True, triage=True).lawful_criticism_only
    assert not accepted(lawful_criticism_only=False).lawful_criticism_only
