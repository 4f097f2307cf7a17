"""T18. Killed (-9) at each labelled point: all of an act stands or nothing of it, and whoever comes after goes on."""

import json
import secrets
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from weerbaar_meldpunt.actions import epochs, evidence, labels, sweeping
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.store.cases import Case, Claim
from weerbaar_meldpunt.store.people import TeamEpoch, TeamGrant
from weerbaar_meldpunt.vault.codes import code_from, shown_code

pytestmark = pytest.mark.slow

TEAM = "ondersteuning"
MELDPUNT = ("-m", "weerbaar_meldpunt")


def swept(instance, clock):
    with instance.readings() as session:
        sweeping.sweep_blobs(session, instance, wall=clock.now + timedelta(days=4000))
    return list(instance.blobs.iterdir())


# --- filing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("die_at", "stands"),
    [
        ("filing/file-named", False),
        ("leaf/rows-written", False),
        ("filing/leaf-written", False),
        ("filing/committed", True),
    ],
)
def test_a_report_stands_as_a_whole_or_not_at_all_and_no_code_is_shown_for_one_that_is_lost(
    ready, dying, whole, clock, tmp_path, die_at, stands
):
    evidence = tmp_path / "bewijs.txt"
    evidence.write_bytes(b"zonnebloemveld" * 10_000)
    words = (*MELDPUNT, "report", "-", "--attach", evidence)
    document = json.dumps({"format": 1, "narrative": "zonnebloemveld"})
    where = ready.instance.settings.instance
    ready.instance.engine.dispose()

    printed = dying(*words, die_at=die_at, given=document, where=where)

    assert printed == ""
    assert whole() == stands
    assert len(swept(ready.instance, clock)) == stands  # its file stays, and that of a lost one goes
    again = json.loads(dying(*words, given=document, where=where))
    assert again["receipt_code"]
    assert whole() == stands + 1


@pytest.mark.parametrize(
    ("die_at", "repeated"), [("leaf/rows-written", False), ("filing/leaf-written", False), ("file/committed", True)]
)
def test_the_same_form_sent_again_gives_the_one_code_of_the_one_case(act, whole, die_at, repeated):
    form = secrets.token_hex(32)
    assert act("file", form, die_at=die_at) == ""

    second, third = json.loads(act("file", form)), json.loads(act("file", form))

    assert second["repeated"] is repeated
    assert third["repeated"]
    assert (second["code"], second["reference"]) == (third["code"], third["reference"])
    assert whole() == 1


# --- claiming --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("die_at", "taken"),
    [
        ("epoch/keys-made", False),
        ("leaf/rows-written", False),
        ("claim/rows-written", False),
        ("claim/committed", True),
    ],
)
def test_a_report_is_taken_over_as_a_whole_or_not_at_all(ready, file, act, whole, die_at, taken):
    filed = file({"reporter": {"relation": "griffier", "consent": "ja"}, "narrative": "zonnebloemveld"})
    receipt = shown_code(code_from(secrets.token_bytes(17)))
    assert act("claim", filed.claim_code, receipt, die_at=die_at) == ""
    assert whole() == 1
    with ready.instance.readings() as session:
        assert session.scalar(select(func.count()).select_from(Claim)) == (not taken)

    if not taken:
        assert act("claim", filed.claim_code, receipt) == filed.reference
        assert whole() == 1


# --- a team's next key -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("die_at", "made"), [("leaf/rows-written", False), ("epoch/made", False), ("epoch/committed", True)]
)
def test_a_teams_next_key_is_made_as_a_whole_or_not_at_all(ready, file, act, whole, die_at, made):
    member = ready.first(TEAM)
    words = ("epoch", member.user_id.hex(), member.root.hex(), TEAM)
    assert act(*words, die_at=die_at) == ""

    with ready.instance.readings() as session:
        assert session.get(TeamEpoch, ("team", TEAM, 2)) is not None if made else True
        granted = session.scalar(select(func.count()).where(TeamGrant.team == TEAM, TeamGrant.epoch == 2))
        assert granted == (2 if made else 0)
    file({"narrative": "zonnebloemveld"})  # to the key that is pinned
    assert whole() == 1
    if not made:
        assert len(act(*words)) == 64
        assert whole() == 1


@pytest.mark.parametrize("die_at", ["epoch/pinned", "leaf/rows-written", "pin/committed"])
def test_a_key_that_was_pinned_is_used_whatever_died_after(ready, file, act, whole, opens, die_at):
    member = ready.first(TEAM)
    act("epoch", member.user_id.hex(), member.root.hex(), TEAM)
    act("pin", die_at=die_at)

    ready.people.adopt(member)
    filed = file({"narrative": "zonnebloemveld"})

    assert ready.instance.pins().sealing("team", TEAM).epoch == 2
    with ready.instance.sessions.begin() as session:
        epochs.note_pins(session, ready.instance, now=ready.people.now)  # what each sweep of the clock does
    assert "zonnebloemveld" in opens(ready.instance, member, filed.reference)
    assert whole() == 1


@pytest.mark.parametrize("die_at", ["leaf/rows-written", "epoch/destroyed", "destroy/committed"])
def test_an_old_key_is_destroyed_as_a_whole_or_not_at_all(ready, act, whole, die_at):
    member = ready.first(TEAM)
    act("epoch", member.user_id.hex(), member.root.hex(), TEAM)
    act("pin")
    act("destroy", TEAM, "1", die_at=die_at)

    with ready.instance.readings() as session:
        held = session.scalar(select(func.count()).where(TeamGrant.team == TEAM, TeamGrant.epoch == 1))
    assert held == (0 if die_at == "destroy/committed" else 2)
    assert whole() == 0


# --- destroying ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("die_at", "gone"),
    [
        ("leaf/rows-written", False),
        ("erasing/rows-deleted", False),
        ("erase/committed", True),
        ("erasing/committed", True),
        ("erasing/files-removed", True),
    ],
)
def test_a_case_is_destroyed_as_a_whole_or_not_at_all(ready, file, act, whole, clock, opens, die_at, gone):
    upload = evidence.open_upload(ready.instance)
    upload.write(b"bewijs" * 1000)
    filed = file({"narrative": "zonnebloemveld"}, files=[upload.finish("bewijs.txt", now=clock.now)])
    act("erase", filed.reference, die_at=die_at)

    assert whole() == (not gone)
    assert (opens(ready.instance, filed) is None) == gone
    assert len(swept(ready.instance, clock)) == (not gone)
    if not gone:
        act("erase", filed.reference)
        assert whole() == 0
        assert list(ready.instance.blobs.iterdir()) == []


# --- and never in earnest --------------------------------------------------------------------------------------------


def test_a_real_desk_cannot_be_killed_so(monkeypatch):
    monkeypatch.setenv(labels.VARIABLE, "filing/leaf-written")
    labels.arm(demonstration=False)

    labels.labelled("filing/leaf-written")  # and we are still here


def test_without_the_variable_a_label_does_nothing(monkeypatch):
    monkeypatch.delenv(labels.VARIABLE, raising=False)
    labels.arm(demonstration=True)

    labels.labelled("filing/leaf-written")


def test_two_at_once_make_one_next_key(ready):
    member, other = ready.first(TEAM), ready.second(TEAM)
    with ready.instance.sessions.begin() as session:
        epochs.new_epoch(session, ready.instance, member.person, member.root, TEAM, now=ready.people.now)
    with pytest.raises(NotAllowed), ready.instance.sessions.begin() as session:
        epochs.new_epoch(session, ready.instance, other.person, other.root, TEAM, now=ready.people.now)
    with ready.instance.readings() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 0
