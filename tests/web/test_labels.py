"""Every code that a page can show has a word, and the delicate ones have the word we agreed on."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from weerbaar_meldpunt.rules import chase, report, routing, terms, vocabulary
from weerbaar_meldpunt.web import labels

PACKAGE = Path(labels.__file__).parents[1]
LISTS = sorted(
    name
    for name, value in vars(vocabulary).items()
    if isinstance(value, tuple) and name.isupper() and name != "LATE_INTAKES"  # two of the intakes
)


def sources(*floors: str) -> Iterator[ast.Module]:
    for floor in floors:
        for path in sorted((PACKAGE / floor).rglob("*.py")):
            yield ast.parse(path.read_text("utf-8"))


def texts(node: ast.AST) -> set[str]:
    """The strings an expression can be: a constant, or both ends of a choice."""
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def refusals() -> set[str]:
    """Every reason with which an action or a page refuses something."""
    calls = (node for tree in sources("actions", "web") for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        code
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "NotAllowed"
        for argument in call.args
        for code in texts(argument)
    }


def trail_actions() -> set[str]:
    """Every action that is noted in the trail: what is given to a ledger, by position or through a name."""
    found: set[str] = set()
    for tree in sources("actions", "web", "jobs"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "close":
                found |= {code for argument in node.args[1:2] for code in texts(argument)}
            if isinstance(node, ast.Call):
                found |= {code for word in node.keywords if word.arg == "action" for code in texts(word.value)}
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                name = getattr(node.targets[0] if isinstance(node, ast.Assign) else node.target, "id", "")
                if name == "action" or name.endswith("_ACT"):
                    found |= texts(node.value)
                if name == "ACTIONS" and isinstance(node.value, ast.Dict):
                    found |= {code for value in node.value.values for code in texts(value)}
    return {code for code in found if re.fullmatch("[a-z_]+", code)}


@pytest.mark.parametrize("name", LISTS)
def test_every_code_of_the_vocabulary_has_a_label(name):
    codes = getattr(vocabulary, name)

    unnamed = [code for code in codes if code not in labels.WORDS[name.lower()]]

    assert unnamed == []


@pytest.mark.parametrize("team", vocabulary.TEAMS)
def test_every_outcome_of_a_team_and_the_team_itself_have_a_label(team):
    for name in ("teams", "teams_short", "teams_in_sentence"):
        assert team in labels.WORDS[name]

    assert [code for code in vocabulary.OUTCOMES[team] if code not in labels.WORDS["outcomes"]] == []


def test_every_yes_or_no_of_a_report_has_a_question_and_a_short_word():
    parts = (report.Target, report.Incident, report.Legal, report.Request, report.Report)
    flags = {name for part in parts for name, field in part.model_fields.items() if field.annotation is bool}
    flags.add("night_call")

    assert flags <= set(labels.WORDS["flags"])
    assert flags <= set(labels.WORDS["flags_short"])


def test_every_mark_of_a_queue_row_has_a_word():
    tree = ast.parse((PACKAGE / "actions" / "queue.py").read_text("utf-8"))
    shown = next(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == "headline_document")
    flags = {
        element.value
        for comparison in ast.walk(shown)
        if isinstance(comparison, ast.comprehension) and isinstance(comparison.iter, ast.Tuple)
        for element in comparison.iter.elts
    }

    assert "weapon" in flags
    assert flags | {"conflict", *vocabulary.MARKS} <= set(labels.WORDS["marks"])


def test_every_refusal_is_a_sentence():
    found = refusals()

    assert len(found) > 15
    assert found - set(labels.WORDS["not_allowed"]) == set()
    assert all(labels.label("not_allowed", code).endswith(".") for code in found)


def test_every_action_of_the_trail_has_a_word():
    found = trail_actions()

    assert {"ingediend", "geopend", "geen_gehoor", "zaak_heropend", "feiten_verbeterd"} <= found
    assert found - set(labels.WORDS["trail"]) == set()


def test_everybody_who_can_be_waited_for_has_a_word():
    awaited = {who for state in ("wacht_op_melder", "wacht_op_derde") for who in chase.awaited(state)}

    assert awaited
    assert awaited <= set(labels.WORDS["awaited"])


def test_the_reporter_has_words_for_every_state_too():
    assert set(labels.WORDS["track_states_melder"]) == set(vocabulary.TRACK_STATES)


def test_every_legal_term_of_every_table_has_a_word():
    versions = {routing.load_tables(version).file.terms for version in routing.table_versions()}
    codes = {row.term for version in versions for row in terms.term_table(version).term}

    assert codes
    assert codes <= set(labels.WORDS["legal_terms"])


def test_what_is_offered_is_said_in_the_words_of_the_table():
    for version in routing.table_versions():
        for code, text in routing.load_tables(version).file.offers.items():
            assert labels.label("offers", code) == text

    assert labels.choices("alternatives:geen_recht")


def test_choices_stand_in_the_order_of_the_vocabulary():
    assert [code for code, _ in labels.choices("kinds")] == list(vocabulary.KINDS)
    assert [code for code, _ in labels.choices("outcomes:juridisch")] == list(vocabulary.OUTCOMES["juridisch"])
    assert [code for code, _, _ in labels.options("roles")] == list(vocabulary.ROLES)


def test_words_that_would_hurt_are_other_words():
    assert labels.label("offenders", "verward_persoon") == "Iemand met onbegrepen gedrag"
    assert labels.label("offenders", "veelprocedeerder") == "Iemand die steeds procedures begint"
    assert labels.label("legal_kinds", "onterechte_aangifte") == "Iemand deed aangifte tegen mij"
    assert labels.label("roles", "commissielid") == "Commissielid, burgerraadslid of fractiemedewerker"
    assert "Kies dan raadslid of Statenlid" in labels.hint("flags", "appointment_certain")


@pytest.mark.parametrize(
    "banned",
    ["slachtoffer", "dader", "helaas", "u dient", "rustig blijven", "hoort erbij", "geen recht", " je ", "jouw"],
)
def test_no_label_uses_a_word_that_we_do_not_use(banned):
    said = [
        f"{name}/{code}: {labels.label(name, code)} {labels.hint(name, code)}"
        for name, words in labels.WORDS.items()
        for code in words
    ]

    assert [text for text in said if banned in text.lower()] == []


def test_a_platform_that_nobody_listed_is_shown_by_its_own_code():
    assert labels.label("platforms", "mastodon") == "mastodon"


def test_a_list_that_is_none_is_a_fault_of_the_page():
    with pytest.raises(KeyError):
        labels.choices("kleuren")


def test_figures_have_the_names_of_the_publication():
    assert labels.label("figures", "duur") == "Tijd tot afsluiten"
    assert ("NH", "Noord-Holland") in labels.choices("figures:provincie")
