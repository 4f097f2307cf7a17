"""The report format, version 1: what is accepted, what is refused, and that a refusal never shows what was written."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from weerbaar_meldpunt.rules import vocabulary as codes
from weerbaar_meldpunt.rules.organisations import organisations
from weerbaar_meldpunt.rules.report import Report, ReportFaults, parse_report

NOON = datetime.fromisoformat("2026-11-23T12:30:00+01:00")


def accepted(*, now: datetime = NOON, triage: bool = False, **parts) -> Report:
    return parse_report({"format": 1} | parts, now=now, allow_triage=triage)


def faults_of(document: object, *, now: datetime = NOON, triage: bool = False) -> dict[str, str]:
    """Message by path of key."""
    with pytest.raises(ReportFaults) as refused:
        parse_report(document, now=now, allow_triage=triage)
    assert all("\n" not in str(fault) for fault in refused.value.faults)
    return {fault.path: fault.message for fault in refused.value.faults}


def refused(**parts) -> dict[str, str]:
    return faults_of({"format": 1} | parts)


# ---- Nothing is required but the format ----------------------------------------------------------------------------------


def test_an_empty_report_is_accepted():
    report = accepted()

    assert (report.target.role, report.incident.kinds, report.legal, report.narrative) == ("onbekend", (), None, "")
    assert (report.request.support, report.incident.answered_elsewhere, report.incident.message_count) == (
        True,
        True,
        1,
    )
    assert (report.reporter.relation, report.reporter.consent, report.intake) == ("zelf", "nvt", "web")


@pytest.mark.parametrize("part", ["reporter", "target", "incident", "request", "contact", "private"])
def test_an_empty_part_is_a_part_that_is_left_out(part):
    assert accepted(**{part: {}}) == accepted(**{part: None}) == accepted()


def test_papers_of_which_nothing_is_known_are_papers():
    assert accepted(legal={}).legal is not None
    assert accepted(legal=None).legal is None


@pytest.mark.parametrize("document", [{}, {"format": None}, {"narrative": "…"}])
def test_the_format_is_required(document):
    assert faults_of(document) == {"format": "is required; the known format is 1"}


@pytest.mark.parametrize("given", [0, 2, "1", 1.0, True, [1], {}])
def test_another_format_is_refused_before_anything_else(given):
    assert faults_of({"format": given, "no_such_key": 1}) == {"format": "unknown format; the known format is 1"}


@pytest.mark.parametrize("document", [None, [], "format: 1", 1, True, [{"format": 1}]])
def test_a_document_is_an_object(document):
    assert faults_of(document) == {"": "an object is asked"}


# ---- Codes ---------------------------------------------------------------------------------------------------------------

CODED = [
    ("intake", codes.INTAKES), ("reporter.relation", codes.RELATIONS), ("reporter.consent", codes.CONSENTS),
    ("target.role", codes.ROLES), ("target.organisation_type", codes.ORGANISATION_TYPES),
    ("target.gender", codes.GENDERS), ("target.group", codes.GROUPS), ("incident.offender", codes.OFFENDERS),
    ("legal.kind", codes.LEGAL_KINDS), ("legal.side", codes.LEGAL_SIDES),
    ("contact.channel", codes.CONTACT_CHANNELS), ("contact.language", codes.CONTACT_LANGUAGES),
]  # fmt: skip
LISTED = [
    ("target.other_roles", codes.ROLES), ("incident.kinds", codes.KINDS), ("incident.channels", codes.CHANNELS),
    ("conflict", codes.CONFLICTS),
]  # fmt: skip


def document_with(path: str, value: object) -> dict:
    part, _, key = path.rpartition(".")
    return {part: {key: value}} if part else {key: value}


def value_at(report: Report, path: str) -> object:
    found: object = report
    for name in path.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize(("path", "known"), CODED)
def test_every_known_code_is_accepted_and_another_is_refused_with_the_list_of_them(path, known):
    assert [value_at(accepted(**document_with(path, code)), path) for code in known] == list(known)

    for wrong in ("geheim", known[0].upper(), known[0] + " ", "", 1, True, [known[0]], {}):
        assert refused(**document_with(path, wrong)) == {path: f"unknown code; known codes: {', '.join(known)}"}


@pytest.mark.parametrize(("path", "known"), LISTED)
def test_every_known_code_in_a_list_is_accepted_and_another_is_refused_at_its_place(path, known):
    assert value_at(accepted(**document_with(path, list(known))), path) == known

    message = f"unknown code; known codes: {', '.join(known)}"
    assert refused(**document_with(path, [known[0], "geheim", known[1], None])) == {
        f"{path}[1]": message, f"{path}[3]": message,
    }  # fmt: skip
    assert refused(**document_with(path, known[0])) == {path: "a list is asked"}


@pytest.mark.parametrize(("path", "known"), LISTED)
def test_a_repeated_member_counts_once_and_the_order_stays(path, known):
    assert value_at(accepted(**document_with(path, [known[1], known[0], known[1]])), path) == (known[1], known[0])


def test_other_lists_count_a_repeated_member_once_too():
    report = accepted(
        offender_known_as=["@x", "@y", "@x"],
        links=[
            {"url": "https://a.example"},
            {"url": "https://a.example"},
            {"url": "https://a.example", "seen_at": None},
        ],
        contact={"safe_hours": [{"from": "09:00", "to": "12:00"}, {"to": "12:00", "from": "09:00"}]},
        incident={"platforms": ["x", "x", "forum"]},
    )

    assert (report.offender_known_as, len(report.links), len(report.contact.safe_hours)) == (("@x", "@y"), 1, 1)
    assert report.incident.platforms == ("x", "forum")


@pytest.mark.parametrize("code", ["x", "telegram", "mastodon.social", "4chan", "nieuw-platform", "a" * 40])
def test_a_platform_is_any_lower_case_code(code):
    assert accepted(incident={"platforms": [code]}).incident.platforms == (code,)


@pytest.mark.parametrize("code", ["", "Telegram", "tele gram", "-x", "é", "x\n", "a" * 41, 4])
def test_what_is_no_code_is_no_platform(code):
    assert refused(incident={"platforms": ["x", code]}).keys() == {"incident.platforms[1]"}


# ---- Strict types --------------------------------------------------------------------------------------------------------

FLAGS = [
    "target.appointment_certain", "target.home_outside_area", "incident.happening_now", "incident.concrete_threat",
    "incident.weapon", "incident.address_exposed", "incident.family_involved", "incident.repeated",
    "incident.moment_announced", "incident.life_in_danger_self", "incident.order_breached", "incident.damage",
    "incident.answered_elsewhere", "legal.said_in_meeting", "request.security_measures", "request.support",
    "request.legal_support", "preventive", "contact.night_call",
]  # fmt: skip
TEXTS = [
    "narrative", "barred_member", "contact.name", "contact.telephone", "contact.mail", "private.home_address",
    "private.family", "private.movements",
]  # fmt: skip


@pytest.mark.parametrize("path", FLAGS)
def test_a_flag_is_true_or_false_and_nothing_that_looks_like_it(path):
    for flag in (True, False):
        assert value_at(accepted(**document_with(path, flag)), path) is flag
    for wrong in ("true", "ja", "", 1, 0, 1.0, [], {}):
        assert refused(**document_with(path, wrong)) == {path: "true or false is asked"}


@pytest.mark.parametrize("path", ["incident.earlier_cases", "incident.message_count"])
def test_a_count_is_a_whole_number(path):
    for count in (0, 1, 999_999_999):
        assert value_at(accepted(**document_with(path, count)), path) == count
    for wrong in ("3", 3.0, True, -1, 1_000_000_000, 10**30, [], {}):
        assert refused(**document_with(path, wrong)).keys() == {path}


@pytest.mark.parametrize("path", TEXTS)
def test_a_text_is_kept_as_it_is(path):
    for text in ("", " ", "0", "null", "é 𝄞 \x00 \r\n\t", "<script>", "x" * 100_000):
        assert value_at(accepted(**document_with(path, text)), path) == text
    for wrong in (0, True, 1.5, ["tekst"], {"tekst": 1}):
        assert refused(**document_with(path, wrong)) == {path: "a text is asked"}


@pytest.mark.parametrize("path", TEXTS)
def test_half_a_character_is_refused_since_it_could_not_be_kept(path):
    assert refused(**document_with(path, "voor\ud83dna")).keys() == {path}


@pytest.mark.parametrize("part", ["reporter", "target", "incident", "legal", "request", "contact", "private"])
@pytest.mark.parametrize("wrong", ["tekst", 1, True, [], [{}]])
def test_a_part_is_an_object(part, wrong):
    assert refused(**{part: wrong}) == {part: "an object is asked"}


def test_null_counts_as_left_out_wherever_it_stands():
    everything = Report.from_document({"format": 1}).as_document()
    nulls = {key: None for key in everything if key != "format"}
    within = {key: dict.fromkeys(value) for key, value in everything.items() if isinstance(value, dict)}

    assert accepted(**nulls) == accepted(**within) == accepted()
    assert accepted(legal=dict.fromkeys(accepted(legal={}).as_document()["legal"])) == accepted(legal={})
    assert accepted(links=[{"url": None}]).links == accepted(links=[{}]).links


def test_a_null_within_a_list_is_no_member():
    assert refused(links=[None], offender_known_as=[None]) == {
        "links[0]": "an object is asked", "offender_known_as[0]": "a text is asked",
    }  # fmt: skip


@pytest.mark.parametrize("hour", ["00:00", "09:30", "23:59", "24:00"])
def test_safe_hours_are_times_of_day(hour):
    assert accepted(contact={"safe_hours": [{"from": hour}]}).contact.safe_hours[0].start == hour


@pytest.mark.parametrize("hour", ["9:00", "24:01", "12:60", "12", "", 900, "12:00:00"])
def test_other_hours_are_refused(hour):
    assert refused(contact={"safe_hours": [{"from": hour}]}) == {
        "contact.safe_hours[0].from": 'a time of day is asked ("09:00")'
    }


# ---- Unknown keys --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "path", "known"),
    [
        ({"kind": 1}, "kind", "narrative"),
        ({"incident": {"kind": "fysiek"}}, "incident.kind", "kinds"),
        ({"target": {"rol": "cdk"}}, "target.rol", "role"),
        ({"legal": {"date": None}}, "legal.date", "event_on"),
        ({"links": [{"url": "x"}, {"link": "x"}]}, "links[1].link", "seen_at"),
        ({"contact": {"safe_hours": [{"start": "09:00"}]}}, "contact.safe_hours[0].start", "from"),
        ({"private": {"adres": "x"}}, "private.adres", "home_address"),
        ({"contact": {"phone": None}}, "contact.phone", "telephone"),
        ({"Narrative": "x"}, "Narrative", "narrative"),
    ],
)
def test_an_unknown_key_is_refused_by_name_with_the_known_ones_even_when_it_is_null(parts, path, known):
    faults = refused(**parts)

    assert faults.keys() == {path}
    assert faults[path].startswith("unknown key; known keys: ") and known in faults[path].split(": ")[1].split(", ")


@pytest.mark.parametrize("key", ["a b", "a\nb", "é", "", "x" * 500, '"'])
def test_the_name_of_a_strange_key_stays_on_one_short_line(key):
    ((path, _),) = refused(**{key: 1}).items()

    assert path.startswith('"') and "\n" not in path and path.isascii() and len(path) < 400


@pytest.mark.parametrize(("within", "path"), [(None, ""), ("incident", "incident")])
def test_a_key_with_half_a_character_is_refused_at_the_object_that_holds_it(within, path):
    key = {"\ud83d": 1}

    assert refused(**({within: key} if within else key)).keys() == {path}


def test_every_fault_is_told_at_once():
    faults = faults_of(
        {
            "format": 1, "received_at": "2026-11-24T12:00+01:00", "lawful_criticism_only": True, "preventive": "ja",
            "incident": {"kinds": ["ruzie"], "weapon": 1, "extra": 0}, "target": {"organisation": "GM9999"},
        }
    )  # fmt: skip

    assert set(faults) == {
        "received_at", "lawful_criticism_only", "preventive", "incident.kinds[0]", "incident.weapon", "incident.extra",
        "target.organisation",
    }  # fmt: skip


# ---- Dates and moments ---------------------------------------------------------------------------------------------------

DAYS = [
    "target.term_start", "target.term_end", "incident.reported_elsewhere_on", "legal.event_on", "legal.document_on",
    "legal.received_on", "legal.act_before",
]  # fmt: skip
EITHER = ["incident.occurred_at", "incident.announced_for"]
NO_DATES = ["gisteren", "", "2026-02-29", "2026-13-01", "20-11-2026", "2026-11", "2026", "2026-11-20T25:00", "1e9", 20261120,
            0, True, [], {}, " 2026-11-20", "2026-11-20\n", "２０２６-11-20"]  # fmt: skip


@pytest.mark.parametrize("path", [*DAYS, *EITHER])
@pytest.mark.parametrize("written", ["2026-11-20", "20261120", "2026-W47-5"])
def test_a_date_is_written_as_iso_8601_has_it(path, written):
    assert value_at(accepted(**document_with(path, written)), path) == date(2026, 11, 20)


@pytest.mark.parametrize("path", DAYS)
def test_a_moment_where_a_date_is_asked_is_a_fault(path):
    for moment in ("2026-11-20T12:00:00+01:00", "2026-11-20T12:00", datetime(2026, 11, 20, tzinfo=UTC)):
        assert refused(**document_with(path, moment)) == {path: "a date is asked (ISO 8601), not a moment"}


@pytest.mark.parametrize("moment_key", ["received_at", "links"])
def test_a_date_where_a_moment_is_asked_is_a_fault(moment_key):
    parts = {"received_at": "2026-11-20", "intake": "papier"} if moment_key == "received_at" else {
        "links": [{"seen_at": "2026-11-20"}]
    }  # fmt: skip

    ((path, message),) = refused(**parts).items()

    assert path.startswith(moment_key) and message == "a moment is asked (ISO 8601 date and time), not a date alone"


@pytest.mark.parametrize("path", EITHER)
def test_what_happened_and_what_is_announced_take_a_moment_or_a_date(path):
    moment = value_at(accepted(**document_with(path, "2026-11-20T21:30:00+01:00")), path)

    assert moment == datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
    assert type(value_at(accepted(**document_with(path, "2026-11-20")), path)) is date


@pytest.mark.parametrize("path", [*DAYS, *EITHER, "received_at"])
@pytest.mark.parametrize("wrong", NO_DATES, ids=repr)
def test_what_is_no_date_is_a_fault(path, wrong):
    assert refused(**document_with(path, wrong)).keys() == {path}


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-20T21:30", "2026-11-20T20:30:00+00:00"), ("2026-07-01T12:00:00", "2026-07-01T10:00:00+00:00"),
        ("2026-11-20T20:30Z", "2026-11-20T20:30:00+00:00"), ("2026-11-20t20:30z", "2026-11-20T20:30:00+00:00"),
        ("2026-11-20 20:30:00.25+0000", "2026-11-20T20:30:00.250000+00:00"),
        ("20261120T203000,5-0400", "2026-11-21T00:30:00.500000+00:00"), ("2026-11-20T16-04", "2026-11-20T20:00:00+00:00"),
        ("2026-10-25T02:30", "2026-10-25T00:30:00+00:00"), ("2027-03-28T02:30", "2027-03-28T01:30:00+00:00"),
    ],
)  # fmt: skip
def test_a_moment_without_an_offset_is_of_amsterdam(written, moment):
    report = accepted(incident={"occurred_at": written})

    assert report.incident.occurred_at == datetime.fromisoformat(moment)
    assert Report.from_document(report.as_document()) == report


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
def test_a_moment_that_no_clock_ever_shows_is_no_moment(never):
    assert refused(incident={"occurred_at": never}).keys() == {"incident.occurred_at"}


def test_an_end_before_a_start_is_accepted():
    report = accepted(target={"term_start": "2026-11-01", "term_end": "2020-01-01"})

    assert report.target.term_end < report.target.term_start


# ---- Receipt, organisation, triage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("intake", codes.INTAKES)
def test_a_receipt_in_the_future_is_refused(intake):
    assert refused(intake=intake, received_at="2026-11-23T12:30:01+01:00") == {"received_at": "lies in the future"}


@pytest.mark.parametrize("intake", ["telefoon", "papier"])
def test_a_receipt_in_the_past_is_for_telephone_and_paper(intake):
    report = accepted(intake=intake, received_at="2026-11-22T20:00:00")

    assert report.received_at == datetime(2026, 11, 22, 19, tzinfo=UTC)


@pytest.mark.parametrize("intake", ["web", "json", None])
def test_a_receipt_in_the_past_is_refused_with_another_intake(intake):
    faults = refused(intake=intake, received_at="2026-11-23T12:29:59+01:00")

    assert faults == {"received_at": "an earlier moment is for the intakes telefoon and papier"}


@pytest.mark.parametrize("intake", codes.INTAKES)
def test_a_receipt_at_this_very_moment_is_accepted(intake):
    assert accepted(intake=intake, received_at="2026-11-23T11:30:00Z").received_at == NOON


def test_the_receipt_of_an_accepted_report_is_not_judged_again_when_it_is_read_back():
    report = accepted(intake="telefoon", received_at="2026-11-22T20:00:00")

    assert Report.from_document(report.as_document()) == report
    assert Report.from_document(report.as_document() | {"intake": "web"}).received_at == report.received_at


@pytest.mark.parametrize("code", list(organisations()))
def test_the_type_follows_from_the_organisation(code):
    kind = organisations()[code].kind

    for given in ({}, {"organisation_type": None}, {"organisation_type": "onbekend"}, {"organisation_type": kind}):
        assert accepted(target={"organisation": code} | given).target.organisation_type == kind


@pytest.mark.parametrize(
    ("code", "kind"), [("GM0358", "provincie"), ("PV20", "gemeente"), ("BES-SAB", "gemeente"), ("GM0358", "waterschap")]
)
def test_a_type_that_disagrees_with_the_organisation_is_refused(code, kind):
    assert refused(target={"organisation": code, "organisation_type": kind}).keys() == {"target.organisation_type"}


@pytest.mark.parametrize("code", ["GM9999", "gm0358", "Aalsmeer", "", " GM0358", 358, ["GM0358"]])
def test_an_unknown_organisation_is_refused(code):
    assert refused(target={"organisation": code, "organisation_type": "gemeente"}).keys() == {"target.organisation"}


def test_only_a_worker_says_that_it_is_nothing_but_lawful_criticism():
    assert refused(lawful_criticism_only=True) == {"lawful_criticism_only": "is set by a worker at triage only"}
    assert accepted(lawful_criticism_only=True, triage=True).lawful_criticism_only
    assert not accepted(lawful_criticism_only=False).lawful_criticism_only


# ---- Never what was written; and back again --------------------------------------------------------------------------------

PLANTED = "Geheimwoord-7301"


def planted_everywhere() -> list[dict]:
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


def test_no_fault_and_nothing_that_hangs_on_it_shows_what_was_written():
    shown = 0
    for document in planted_everywhere():
        try:
            accepted(**document)
        except ReportFaults as refused_with:
            shown += 1
            told = f"{refused_with} {refused_with!r} {refused_with.faults!r} {refused_with.args!r}"
            assert PLANTED not in told and PLANTED not in repr(refused_with.__context__)
    assert shown > 150


def test_a_report_that_is_printed_shows_no_free_text_or_contact():
    told = {key: PLANTED for key in ("name", "telephone", "mail")}
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


def test_a_report_written_out_has_every_key_of_the_format():
    document = accepted(legal={}, links=[{}], contact={"safe_hours": [{}]}).as_document()

    assert list(document) == [
        "format", "received_at", "intake", "reporter", "target", "incident", "legal", "conflict", "barred_member",
        "request", "preventive", "lawful_criticism_only", "narrative", "contact", "private", "offender_known_as", "links",
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


def test_a_report_cannot_be_changed_after_it_was_read():
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
