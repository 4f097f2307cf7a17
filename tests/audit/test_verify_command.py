"""`meldpunt audit verify`: what an operator sees, and the exit status."""

import json

import pytest
from click.testing import CliRunner

from weerbaar_meldpunt.cli import main


@pytest.fixture
def call(desk, monkeypatch):
    monkeypatch.setenv("MELDPUNT_INSTANCE", str(desk.instance.settings.instance))

    def called(*words, given=None):
        return CliRunner().invoke(main, ["audit", "verify", *words], input=given)

    return called


def test_all_is_well_and_there_is_no_external_anchor(desk, call):
    desk.happens(1)

    answer = call()

    assert answer.exit_code == 0, answer.output
    assert "Everything is as the trail says." in answer.output
    assert "geen extern anker" in answer.output


@pytest.mark.parametrize("way", ["text", "file", "standard input", "one line"])
def test_an_anchor_is_given_as_text_as_a_file_or_by_standard_input(desk, call, tmp_path, way):
    desk.happens(1)
    anchor = desk.checkpoint()
    kept = tmp_path / "mail.txt"
    kept.write_text("Onderwerp: IJkpunt\n\n" + anchor)

    answer = {
        "text": lambda: call("--anchor", anchor),
        "file": lambda: call("--anchor", str(kept)),
        "standard input": lambda: call("--anchor", "-", given=anchor),
        "one line": lambda: call("--anchor", anchor.replace("\n", "\\n")),
    }[way]()

    assert answer.exit_code == 0, answer.output
    assert "extern anker: " in answer.output
    assert "geen extern anker" not in answer.output


def test_what_is_wrong_is_named_with_the_first_number_and_the_status_is_one(desk, call):
    desk.happens(1)
    [(seq,)] = desk.rows("SELECT seq FROM audit WHERE action = 'geopend' LIMIT 1")
    desk.write("UPDATE audit SET action = 'gelezen' WHERE seq = :seq", seq=seq)
    desk.write("DELETE FROM note")

    answer = call()

    assert answer.exit_code == 1
    assert f"WRONG  leaf {seq}: the leaf was altered" in answer.output
    assert f"First bad number: {seq}" in answer.output
    assert "a row was removed: note" in answer.output
    document = json.loads(call("--json").output)
    assert (document["fine"], document["first"], document["wrong"]) == (False, seq, 2)


def test_an_anchor_that_is_none_is_wrong_input(call):
    answer = call("--anchor", "hier staat niets")

    assert answer.exit_code == 2
    assert "there is no checkpoint in this text" in answer.stderr


def test_it_tells_no_content(desk, call):
    desk.happens(1)
    desk.write("UPDATE case_doc SET sealed = zeroblob(400)")

    answer = call()

    assert answer.exit_code == 1
    for word in ("griffier", "Boer", "raadslid"):
        assert word not in answer.output
