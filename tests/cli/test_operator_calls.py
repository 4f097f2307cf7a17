"""What an operator does at the console: file, look at open columns, pin, examine."""

import json

import pytest

from weerbaar_meldpunt.actions import teamkeys
from weerbaar_meldpunt.rules.vocabulary import TEAMS

INIT = ("init", "--login", "beheer@voorbeeld.test", "--name", "Eerste Beheerder", *(
    word for number in (1, 2, 3) for word in ("--custodian", f"Bewaarder {number} <b{number}@voorbeeld.test>")
))  # fmt: skip


@pytest.fixture
def written(tmp_path):
    def write(document):
        path = tmp_path / "melding.json"
        path.write_text(json.dumps(document), "utf-8")
        return str(path)

    return write


def test_every_scenario_lands_in_the_queues_it_is_meant_for(call, ready, written, scenarios):
    folder = ready.instance.settings.instance
    for scenario in scenarios:
        filed = call("report", written(scenario["report"]), "--now", scenario["received_at"], where=folder)

        assert filed.status == 0, filed.err
        reference = filed.document["reference"]
        rows = {
            team: next(
                (row for row in call("queue", team, "--json", where=folder).document if row["reference"] == reference),
                None,
            )
            for team in TEAMS
        }
        # Without a route the coordinator of ondersteuning refers on.
        expected = scenario["expect"]["routes"] or ["ondersteuning"]
        assert [team for team, row in rows.items() if row] == expected, scenario["id"]
        assert {row["urgency"] for row in rows.values() if row} == {scenario["expect"]["urgency"]}
        assert all(row["due_at"] for row in rows.values() if row)


def test_the_open_columns_say_nothing_of_what_was_reported(call, ready, written):
    folder = ready.instance.settings.instance
    call(
        "report", written({"format": 1, "narrative": "zonnebloemveld", "incident": {"kinds": ["doxing"]}}), where=folder
    )

    shown = call("queue", "ondersteuning", "--json", where=folder).out

    assert "zonnebloemveld" not in shown
    assert "doxing" not in shown


def test_a_report_on_behalf_gives_a_claim_code_too(call, ready, written):
    document = {"format": 1, "reporter": {"relation": "griffier", "consent": "ja"}}

    filed = call("report", written(document), where=ready.instance.settings.instance).document

    assert filed["receipt_code"] != filed["claim_code"]
    assert len(filed["control_words"]) == 2


def test_a_file_goes_along_sealed(call, ready, written, tmp_path):
    evidence = tmp_path / "bewijs.txt"
    evidence.write_bytes(b"zonnebloemveld" * 1000)

    filed = call("report", written({"format": 1}), "--attach", str(evidence), where=ready.instance.settings.instance)

    assert filed.status == 0
    (blob,) = ready.instance.blobs.iterdir()
    assert b"zonnebloemveld" not in blob.read_bytes()


def test_a_refused_report_leaves_no_file_behind(call, ready, written, tmp_path):
    large = tmp_path / "groot.bin"
    with large.open("wb") as file:
        file.truncate(26 * 1024 * 1024)

    outcome = call("report", written({"format": 1}), "--attach", str(large), where=ready.instance.settings.instance)

    assert outcome.status == 2
    assert "25 MiB" in outcome.err
    assert list(ready.instance.blobs.iterdir()) == []


def test_without_a_pinned_key_nothing_is_filed(call, instance, written):
    outcome = call("report", written({"format": 1}), where=instance.settings.instance)

    assert outcome.status == 1
    assert "nothing was filed" in outcome.err


def test_where_no_instance_is_the_command_says_what_to_do_first(call, tmp_path):
    outcome = call("queue", "ondersteuning", where=tmp_path / "nothing here")

    assert outcome.status == 2
    assert "meldpunt init" in outcome.err


def test_a_new_instance_invites_its_first_administrator_and_is_made_once(call, tmp_path):
    first, second = call(*INIT, where=tmp_path / "new"), call(*INIT, where=tmp_path / "new")

    assert first.status == 0
    assert "/uitnodiging/" in first.out
    assert second.status == 2


def test_a_real_instance_does_not_let_anybody_set_the_clock(call, tmp_path, written):
    call(*INIT, where=tmp_path / "new")

    outcome = call("report", written({"format": 1}), "--now", "2026-11-23T12:00:00+01:00", where=tmp_path / "new")

    assert outcome.status == 2
    assert "demonstration only" in outcome.err


def test_a_key_is_pinned_only_after_somebody_said_yes(call, instance, people):
    member = people.member("ondersteuning")
    with instance.sessions.begin() as session:
        teamkeys.found_team(session, instance, member.person, member.root, "ondersteuning", now=people.now)

    refused = call("vault", "pin", given="n\n", where=instance.settings.instance)
    assert "pinned" not in refused.out
    accepted = call("vault", "pin", given="y\n", where=instance.settings.instance)

    assert "pinned" in accepted.out
    assert instance.pins().sealing("team", "ondersteuning") is not None


def test_the_examination_names_what_is_wrong(call, instance):
    outcome = call("doctor", "--json", where=instance.settings.instance)

    assert outcome.status == 1
    wrong = {finding["what"] for finding in outcome.document if not finding["fine"]}
    assert {"key of ondersteuning", "clock"} <= wrong


def test_the_sheet_gives_back_the_very_keys(call, instance):
    outcome = call("vault", "sheet", where=instance.settings.instance)

    folder = instance.settings.instance
    blocks = dict(block.split("\n", 1) for block in outcome.out.strip().split("\n\n"))
    assert {name: bytes.fromhex(groups) for name, groups in blocks.items()} == {
        name: (folder / name).read_bytes() for name in ("server.key", "pepper.key")
    }
