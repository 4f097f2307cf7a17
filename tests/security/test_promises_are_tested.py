"""docs/security.md maps each promise and each numbered test to where it stands; here that map is checked."""

import ast
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]

PAGE = (HOUSE / "docs" / "security.md").read_text("utf-8")
# The numbers of the specification that this part of the house owes; T21 and T24 come with the pages they are about.
OWED = [f"T{number}" for number in (*range(1, 21), 22, 23, 25)]
_LINE = re.compile(r"^\| (T\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
_PLACE = re.compile(r"`([a-z_0-9/]+\.py)(?:::(\w+))?`")


def the_map() -> dict[str, list[tuple[str, str]]]:
    """The places of each numbered test, as the page names them (below tests/)."""
    return {number: _PLACE.findall(places) for number, _, places in _LINE.findall(PAGE)}


def functions_of(path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("number", OWED)
def test_every_owed_number_has_tests_that_exist(number):
    places = the_map().get(number, [])

    assert places, f"{number} names no test"
    for file, name in places:
        path = HOUSE / "tests" / file
        assert path.exists(), f"{number}: {file}"
        found = functions_of(path)
        assert any(known.startswith("test_") for known in found), f"{number}: {file} holds no test"
        assert not name or name in found, f"{number}: {file}::{name}"


def test_every_promise_names_a_number_that_is_on_the_map():
    section = PAGE.split("\n## Promises\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| Who |")]
    known = set(the_map())

    assert len(rows) >= 12
    for row in rows:
        numbers = set(re.findall(r"\bT\d+\b", row.rsplit("|", 2)[1]))
        assert numbers, row
        assert numbers <= known, row


def test_what_is_not_promised_is_said():
    assert "\n## Not promised\n" in PAGE


def test_no_test_of_a_promise_is_skipped_by_its_own_hand():
    for places in the_map().values():
        for file, _ in places:
            assert "mark.skip(" not in (HOUSE / "tests" / file).read_text("utf-8"), file
