"""Reading one document from a text: JSON, or YAML that says no more than JSON; whatever is ambiguous is refused."""

import json
import random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from weerbaar_meldpunt.rules.faults import ReportFaults
from weerbaar_meldpunt.rules.reading import parse_text

PLANTED = "Geheimwoord-7301"
DRAWN = settings(database=None, derandomize=True, deadline=None, max_examples=150)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


def fault_of(text: str | bytes, **how) -> str:
    """The one fault, as an operator reads it."""
    with pytest.raises(ReportFaults) as refused:
        parse_text(text, **how)
    (fault,) = refused.value.faults
    assert PLANTED not in str(fault) and "\n" not in str(fault)
    return str(fault)


@DRAWN
@given(JSON_VALUES)
def test_json_means_what_json_means(value):
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert parse_text(text, json_only=True) == parse_text(text) == value


def test_yaml_of_a_report_means_the_same_as_its_json(make_random_report):
    rng = random.Random(6)

    for _ in range(25):
        document = json.loads(json.dumps(make_random_report(rng)))  # no part stands in it twice: no anchors
        for text in (yaml.safe_dump(document), yaml.safe_dump(document, default_flow_style=True, allow_unicode=True)):
            assert parse_text(text) == document


def test_yaml_as_people_write_it_is_read():
    text = """
# een melding
format: 1
target: {role: wethouder, organisation: GM0358}
incident:
  kinds: [doxing, 'stalking']
  weapon: false
  occurred_at: 2026-11-20T21:30:00+01:00
narrative: |
  Eerste regel: met dubbele punt.
  Tweede regel # geen commentaar
legal:
"""

    document = parse_text(text)

    assert document["incident"]["occurred_at"] == "2026-11-20T21:30:00+01:00"
    assert document["narrative"] == "Eerste regel: met dubbele punt.\nTweede regel # geen commentaar\n"
    assert (document["format"], document["incident"]["weapon"], document["legal"]) == (1, False, None)


@pytest.mark.parametrize(
    "word",
    ["no", "yes", "on", "off", "y", "2026-11-20", "12:30", "0o17", "0x1F", "017", "1_000", ".inf", ".nan", "=", "<<"],
)
def test_a_word_that_some_yaml_turns_into_something_else_stays_a_text(word):
    assert parse_text(f"narrative: {word}") == {"narrative": word}
    assert parse_text(f"{word}: x") == {word: "x"}


@pytest.mark.parametrize(
    ("written", "value"),
    [("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("-3", -3), ("1.5", 1.5),
        ("1e3", 1000.0),
     ("'1'", "1"), ('"true"', "true")],
)  # fmt: skip
def test_the_types_of_json_are_there_in_yaml(written, value):
    (found,) = parse_text(f"key: {written}").values()

    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"format": 1, "format": 1}', "format"),
        ('{"incident": {"weapon": true, "weapon": false}}', "incident.weapon"),
        ('{"links": [{}, {"url": "a", "seen_at": null, "url": "b"}]}', "links[1].url"),
        ('{"a b": 1, "a b": 1}', '"a b"'),
        ("format: 1\nformat: 1", "format"),
        ("incident:\n  weapon: true\n  weapon: false", "incident.weapon"),
        ("links:\n- {}\n- {url: a, url: b}", "links[1].url"),
        ("format: 1\n'format': 1", "format"),
    ],
)
def test_a_key_given_twice_is_refused_by_its_path(text, path):
    assert fault_of(text) == f"{path}: key given twice"


@pytest.mark.parametrize(
    "text",
    [
        "format: !!int 1", "narrative: !!str x", "a: !!python/object/apply:os.system [x]", "a: !eigen x", "a: ! x",
        "!!map {a: 1}", "? !!str a\n: 1", "a: !!binary eA==", "a: !!timestamp 2026-11-20", "a: [!!str x]",
    ],
)  # fmt: skip
def test_a_yaml_tag_is_refused(text):
    assert "tags are refused, line 1" in fault_of(text)


@pytest.mark.parametrize(
    "text",
    ["a: &x 1", "&x a: 1", "a: &x [1]\nb: *x", "a: *x", "<<: *x", "- &x {a: *x}", "a: &x {<<: *x}", "&x {a: 1}"],
)
def test_a_yaml_anchor_or_alias_is_refused(text):
    assert "anchors and aliases are refused, line 1" in fault_of(text)


def test_a_laughing_bomb_does_not_go_off():
    text = "a0: &a0 [lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))

    assert "anchors and aliases are refused" in fault_of(text)


@pytest.mark.parametrize(
    "text", ["a: 1\n---\na: 1", "---\na: 1\n...\n---\nb: 2", "a: 1\n--- \n", "--- {a: 1}\n--- {a: 1}"]
)
def test_a_second_yaml_document_is_refused(text):
    assert "a second document is refused" in fault_of(text)


@pytest.mark.parametrize("text", ['{"a": 1} {"a": 1}', '{"a": 1}\n{"a": 1}', '{"a": 1}]', "[1] x", '"a" "b"'])
def test_a_second_json_document_is_refused(text):
    assert fault_of(text, json_only=True).startswith("document: not JSON: Extra data")
    assert fault_of(text)


def test_one_document_with_its_markers_is_one_document():
    assert parse_text("---\na: 1\n...\n") == {"a": 1}
    assert parse_text('\ufeff{"a": 1}') == parse_text(b'\xef\xbb\xbf{"a": 1}\r\n') == {"a": 1}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"\xff\xfe{\x00}\x00", "document: not UTF-8 text"),
        (b'{"narrative": "caf\xe9"}', "document: not UTF-8 text"),
        ('{"a": NaN}', "document: NaN is no number of JSON"),
        ('{"a": [-Infinity]}', "document: -Infinity is no number of JSON"),
        ('{"a": ' + "9" * 5000 + "}", "document: holds a number that cannot be read"),
        ("a: " + "9" * 5000, "document: holds a number that cannot be read"),
        ("[" * 100_000, "document: nested too deeply"),
        ('{"a":' * 100_000, "document: nested too deeply"),
        ("- " * 5_000, "document: nested too deeply"),
        ("a: \x07", "document: holds a character that no text document may hold"),
        ("1: a", "document: keys must be texts, line 1"),
        ("a: 1\n? [x]\n: b", "document: keys must be texts, line 2"),
        ("null: a", "document: keys must be texts, line 1"),
        ("a: 'x", "document: not YAML, line 1"),
        ("a: b: c", "document: not YAML, line 1"),
        ("a: 1\n\tb: 2", "document: not YAML, line 2"),
    ],
    ids=lambda value: repr(value[:20]),
)  # fmt: skip
def test_what_is_no_plain_document_is_refused_with_its_place(text, fault):
    assert fault_of(text) == fault


@pytest.mark.parametrize(
    "text",
    [
        '{"narrative": "' + PLANTED, '{"narrative": "' + PLANTED + '"', "narrative: '" + PLANTED,
        f"narrative: {PLANTED}: {PLANTED}",
        f"- {PLANTED}\nx", f"narrative: *{PLANTED}", f"narrative: &{PLANTED} x", f"narrative: !{PLANTED} x",
        f'{{"narrative": "\\q{PLANTED}"}}', f"a: {PLANTED}\n---\nb: {PLANTED}",
        f'{{"a": "{PLANTED}", "b": 1, "b": 2}}', f"a: [{PLANTED}", f"a: {{{PLANTED}", f"@{PLANTED}: 1",
    ],
)  # fmt: skip
def test_a_fault_never_quotes_the_text(text):
    assert fault_of(text)
    assert fault_of(text.encode(), json_only=True)


def test_where_a_text_is_meant_as_json_the_fault_speaks_of_json():
    assert fault_of('{"format": 1, "narrative": "x}').startswith("document: not JSON: ")
    assert fault_of("[1, 2").startswith("document: not JSON: ")
    assert fault_of("{format: 1").startswith("document: not YAML, ")
    assert fault_of('narrative: "x').startswith("document: not YAML, ")


@pytest.mark.parametrize("text", ["format: 1", "", "{format: 1}", "# niets"])
def test_where_json_is_asked_yaml_is_refused(text):
    assert fault_of(text, json_only=True).startswith("document: not JSON: ")


@pytest.mark.parametrize("text", ["", "  \n", "# niets", "---", "null"])
def test_an_empty_text_is_a_document_of_nothing(text):
    assert parse_text(text) is None


@DRAWN
@given(st.binary(max_size=60) | st.text("{}[]:,-'\"&*!|>%@#\n \tab1\\", max_size=30).map(str.encode))
def test_any_bytes_are_a_document_or_a_fault(data):
    for json_only in (True, False):
        try:
            parse_text(data, json_only=json_only)
        except ReportFaults as refused:
            assert len(refused.faults) == 1 and "\n" not in str(refused)
