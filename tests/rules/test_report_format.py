"""The report format, version 1: what is accepted, what is refused, and that a refusal never shows what was written."""

from datetime import datetime

import pytest

from weerbaar_meldpunt.rules import vocabulary as codes
from weerbaar_meldpunt.rules.report import Report

NOON = datetime.fromisoformat("2026-11-23T12:30:00+01:00")


# ---- Nothing is required but the format ----------------------------------------------------------


def test_an_empty_report_is_accepted(accepted):
    report = accepted()

    assert (report.target.role, report.incident.kinds, report.legal, report.narrative) == ("onbekend", (), None, "")
    assert (report.request.support, report.incident.answered_elsewhere, report.incident.message_count) == (
        True,
        True,
        1,
    )
    assert (report.reporter.relation, report.reporter.consent, report.intake) == ("zelf", "nvt", "web")
    assert (report.incident.earlier_cases, report.incident.language, report.contact.language) == (0, "nl", "nl")
    assert (report.incident.offender, report.target.organisation_type) == ("onbekend", "onbekend")


@pytest.mark.parametrize("part", ["reporter", "target", "incident", "request", "contact", "private"])
def test_an_empty_part_is_a_part_that_is_left_out(accepted, part):
    assert accepted(**{part: {}}) == accepted(**{part: None}) == accepted()


def test_papers_of_which_nothing_is_known_are_papers(accepted):
    assert accepted(legal={}).legal is not None
    assert accepted(legal=None).legal is None


@pytest.mark.parametrize("document", [{}, {"format": None}, {"narrative": "…"}])
def test_the_format_is_required(faults_of, document):
    assert faults_of(document) == {"format": "is required; the known format is 1"}


@pytest.mark.parametrize("given", [0, 2, "1", 1.0, True, [1], {}])
def test_another_format_is_refused_before_anything_else(faults_of, given):
    assert faults_of({"format": given, "no_such_key": 1}) == {"format": "unknown format; the known format is 1"}


@pytest.mark.parametrize("document", [None, [], "format: 1", 1, True, [{"format": 1}]])
def test_a_document_is_an_object(faults_of, document):
    assert faults_of(document) == {"": "an object is asked"}


# ---- Codes ---------------------------------------------------------------------------------------

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
def test_every_known_code_is_accepted_and_another_is_refused_with_the_list_of_them(accepted, refused, path, known):
    assert [value_at(accepted(**document_with(path, code)), path) for code in known] == list(known)

    for wrong in ("geheim", known[0].upper(), known[0] + " ", "", 1, True, [known[0]], {}):
        assert refused(**document_with(path, wrong)) == {path: f"unknown code; known codes: {', '.join(known)}"}


@pytest.mark.parametrize(("path", "known"), LISTED)
def test_every_known_code_in_a_list_is_accepted_and_another_is_refused_at_its_place(accepted, refused, path, known):
    assert value_at(accepted(**document_with(path, list(known))), path) == known

    message = f"unknown code; known codes: {', '.join(known)}"
    assert refused(**document_with(path, [known[0], "geheim", known[1], None])) == {
        f"{path}[1]": message, f"{path}[3]": message,
    }  # fmt: skip
    assert refused(**document_with(path, known[0])) == {path: "a list is asked"}


@pytest.mark.parametrize(("path", "known"), LISTED)
def test_a_repeated_member_counts_once_and_the_order_stays(accepted, path, known):
    assert value_at(accepted(**document_with(path, [known[1], known[0], known[1]])), path) == (known[1], known[0])


def test_other_lists_count_a_repeated_member_once_too(accepted):
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
def test_a_platform_is_any_lower_case_code(accepted, code):
    assert accepted(incident={"platforms": [code]}).incident.platforms == (code,)


@pytest.mark.parametrize("code", ["", "Telegram", "tele gram", "-x", "é", "x\n", "a" * 41, 4])
def test_what_is_no_code_is_no_platform(refused, code):
    assert refused(incident={"platforms": ["x", code]}).keys() == {"incident.platforms[1]"}


# ---- Strict types --------------------------------------------------------------------------------

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
def test_a_flag_is_true_or_false_and_nothing_that_looks_like_it(accepted, refused, path):
    for flag in (True, False):
        assert value_at(accepted(**document_with(path, flag)), path) is flag
    for wrong in ("true", "ja", "", 1, 0, 1.0, [], {}):
        assert refused(**document_with(path, wrong)) == {path: "true or false is asked"}


@pytest.mark.parametrize("path", ["incident.earlier_cases", "incident.message_count"])
def test_a_count_is_a_whole_number(accepted, refused, path):
    for count in (0, 1, 999_999_999):
        assert value_at(accepted(**document_with(path, count)), path) == count
    for wrong in ("3", 3.0, True, -1, 1_000_000_000, 10**30, [], {}):
        assert refused(**document_with(path, wrong)).keys() == {path}


@pytest.mark.parametrize("path", TEXTS)
def test_a_text_is_kept_as_it_is(accepted, refused, path):
    for text in ("", " ", "0", "null", "é 𝄞 \x00 \r\n\t", "<script>", "x" * 100_000):
        assert value_at(accepted(**document_with(path, text)), path) == text
    for wrong in (0, True, 1.5, ["tekst"], {"tekst": 1}):
        assert refused(**document_with(path, wrong)) == {path: "a text is asked"}


@pytest.mark.parametrize("path", TEXTS)
def test_half_a_character_is_refused_since_it_could_not_be_kept(refused, path):
    assert refused(**document_with(path, "voor\ud83dna")).keys() == {path}


@pytest.mark.parametrize("part", ["reporter", "target", "incident", "legal", "request", "contact", "private"])
@pytest.mark.parametrize("wrong", ["tekst", 1, True, [], [{}]])
def test_a_part_is_an_object(refused, part, wrong):
    assert refused(**{part: wrong}) == {part: "an object is asked"}


def test_null_counts_as_left_out_wherever_it_stands(accepted):
    everything = Report.from_document({"format": 1}).as_document()
    nulls = {key: None for key in everything if key != "format"}
    within = {key: dict.fromkeys(value) for key, value in everything.items() if isinstance(value, dict)}

    assert accepted(**nulls) == accepted(**within) == accepted()
    assert accepted(legal=dict.fromkeys(accepted(legal={}).as_document()["legal"])) == accepted(legal={})
    assert accepted(links=[{"url": None}]).links == accepted(links=[{}]).links


def test_a_null_within_a_list_is_no_member(refused):
    assert refused(links=[None], offender_known_as=[None]) == {
        "links[0]": "an object is asked", "offender_known_as[0]": "a text is asked",
    }  # fmt: skip


@pytest.mark.parametrize("hour", ["00:00", "09:30", "23:59", "24:00"])
def test_safe_hours_are_times_of_day(accepted, hour):
    assert accepted(contact={"safe_hours": [{"from": hour}]}).contact.safe_hours[0].start == hour


@pytest.mark.parametrize("hour", ["9:00", "24:01", "12:60", "12", "", 900, "12:00:00"])
def test_other_hours_are_refused(refused, hour):
    assert refused(contact={"safe_hours": [{"from": hour}]}) == {
        "contact.safe_hours[0].from": 'a time of day is asked ("09:00")'
    }


# ---- Unknown keys --------------------------------------------------------------------------------


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
def test_an_unknown_key_is_refused_by_name_with_the_known_ones_even_when_it_is_null(refused, parts, path, known):
    faults = refused(**parts)

    assert faults.keys() == {path}
    assert faults[path].startswith("unknown key; known keys: ") and known in faults[path].split(": ")[1].split(", ")


@pytest.mark.parametrize("key", ["a b", "a\nb", "é", "", "x" * 500, '"'])
def test_the_name_of_a_strange_key_stays_on_one_short_line(refused, key):
    ((path, _),) = refused(**{key: 1}).items()

    assert path.startswith('"') and "\n" not in path and path.isascii() and len(path) < 400


@pytest.mark.parametrize(("within", "path"), [(None, ""), ("incident", "incident")])
def test_a_key_with_half_a_character_is_refused_at_the_object_that_holds_it(refused, within, path):
    key = {"\ud83d": 1}

    assert refused(**({within: key} if within else key)).keys() == {path}


def test_every_fault_is_told_at_once(faults_of):
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
