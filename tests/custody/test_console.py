"""Founding, pinning and bringing back, as somebody at the console does it."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import custodian_links, custodians, epochs
from weerbaar_meldpunt.actions import people as accounts
from weerbaar_meldpunt.actions.custodians import BACKUP, RECOVERY
from weerbaar_meldpunt.actions.instance import create_instance, open_instance
from weerbaar_meldpunt.settings import load_settings
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.custody import Custodian, RecoveryPair
from weerbaar_meldpunt.vault.keys import TeamKeys, house_key_pair
from weerbaar_meldpunt.vault.wrap import shown_fingerprint

NAMED = [
    word for number in (1, 2, 3) for word in ("--custodian", f"Bewaarder {number} <bewaarder{number}@voorbeeld.test>")
]
INIT = ["init", "--login", "beheer@voorbeeld.test", "--name", "Eerste Beheerder", *NAMED]


@pytest.fixture
def desk(call, tmp_path):
    """A new real desk; answers what was printed and its folder."""
    folder = tmp_path / "desk"
    printed = call(*INIT, where=folder)
    assert printed.status == 0, printed.err
    return printed, folder


def at(folder):
    return open_instance(load_settings(folder))


def follow_links(folder, printed, now, which=(0, 1, 2)):
    """Custodians follow their links; answers their codes."""
    instance, codes = at(folder), []
    for token in [re.findall(r"/bewaarder/([0-9a-f]{64})", printed.out)[place] for place in which]:
        with instance.sessions.begin() as session:
            row = custodian_links.open_link(session, token, now=now)
            code, fingerprint = custodian_links.new_code(instance, row)
            custodian_links.keep_key(session, instance, token, code, fingerprint, now=now)
        codes.append(code)
    instance.engine.dispose()
    return codes


@pytest.fixture
def moment():
    from datetime import UTC, datetime

    return datetime.now(UTC)  # a real desk knows no other time


# --- founding ------------------------------------------------------------------------------------------------------


def test_a_new_desk_prints_three_links_for_custodians_one_for_an_administrator_and_the_seed_once(desk):
    printed, folder = desk

    assert len(re.findall(r"/bewaarder/[0-9a-f]{64}", printed.out)) == 3
    assert len(re.findall(r"/uitnodiging/[0-9a-f]{64}", printed.out)) == 1
    seed = bytes.fromhex("".join(re.findall(r"^(?:[0-9a-f]{4} ?){8}$", printed.out, re.MULTILINE)))
    instance = at(folder)
    pair = house_key_pair(seed, BACKUP, instance.id, 1)
    assert instance.pins().holds(pair.public)
    assert shown_fingerprint(pair.public.fingerprint) in printed.out
    for path in folder.rglob("*"):
        if path.is_file():
            assert seed not in path.read_bytes(), path
            assert seed.hex().encode() not in path.read_bytes(), path
    instance.engine.dispose()


def test_names_that_are_not_given_are_asked(call, tmp_path):
    answers = "Een\n\nTwee\ntwee@voorbeeld.test\nDrie\n\n"

    printed = call("init", "--login", "b@voorbeeld.test", "--name", "B", where=tmp_path / "x", given=answers)

    assert printed.status == 0, printed.err
    assert "Link for custodian Twee" in printed.out


def test_what_is_no_name_or_address_is_refused_before_anything_is_made(call, tmp_path):
    folder = tmp_path / "x"

    refused = call(*INIT[:5], "--custodian", "Een <geen adres>", *NAMED[2:], where=folder)

    assert refused.status == 2
    assert not (folder / "server.key").exists()


def test_an_administrator_is_invited_again_only_when_nobody_administers(call, desk, moment):
    _, folder = desk
    words = ("init", "--again", "--login", "ander@voorbeeld.test", "--name", "Ander")

    again = call(*words, where=folder)
    assert again.status == 0
    token = re.search(r"/uitnodiging/([0-9a-f]{64})", again.out).group(1)
    instance = at(folder)
    with instance.sessions.begin() as session:
        user = accounts.open_invitation(session, token, now=moment)
        enrolment = accounts.enrol(session, instance, user, "een lang wachtwoord voor beheer", now=moment)
    with instance.sessions.begin() as session:
        accounts.confirm_enrolment(session, instance, user.id, enrolment.recovery_code, now=moment)
    instance.engine.dispose()

    refused = call(*words, where=folder)
    assert refused.status == 2
    assert "an administrator is active" in refused.err


def test_a_desk_that_is_not_ready_says_so(call, desk):
    _, folder = desk

    found = call("doctor", "--json", where=folder)

    assert found.status == 1
    instance = at(folder)
    from weerbaar_meldpunt.actions.custody_check import findings, not_yet

    with instance.readings() as session:
        assert "telephone numbers only" in not_yet(session, instance)
        wrong = {what for what, fine, _ in findings(session, instance) if not fine}
    instance.engine.dispose()
    assert {"custodians", "key of recovery", "readiness of ondersteuning"} <= wrong
    assert "key of backups" not in wrong


# --- pinning -------------------------------------------------------------------------------------------------------


def test_custodians_are_pinned_one_by_one_and_then_recovery_is_made(call, desk, moment):
    printed, folder = desk
    follow_links(folder, printed, moment, which=(0, 1))
    two = call("vault", "pin", where=folder, given="y\ny\n")
    assert two.out.count("pinned") >= 2
    assert "RECOVERY" not in two.out
    assert "Bewaarder 3: has not followed the link" in two.out
    follow_links(folder, printed, moment, which=(2,))

    three = call("vault", "pin", where=folder, given="y\ny\n")

    assert "RECOVERY epoch 1" in three.out
    shown = three.out.partition("RECOVERY is made for these three")[2]
    assert [f"{place}, Bewaarder {place}: " in shown for place in (1, 2, 3)] == [True] * 3
    instance = at(folder)
    pin = instance.pins().sealing(RECOVERY, instance.id.hex())
    assert shown_fingerprint(pin.fingerprint) in three.out
    assert shown_fingerprint(instance.pins().digest) in three.out
    with instance.readings() as session:
        assert len(session.scalars(select(RecoveryPair)).all()) == 3
        assert "aan_console_vastgelegd" in set(session.scalars(select(Leaf.action)))
    instance.engine.dispose()
    again = call("vault", "pin", where=folder)
    assert "There is no key" in again.out


def test_a_custodian_whose_sheet_says_something_else_is_not_pinned(call, desk, moment):
    printed, folder = desk
    follow_links(folder, printed, moment)

    call("vault", "pin", where=folder, given="y\nn\ny\n")

    instance = at(folder)
    with instance.readings() as session:
        assert [one.pinned for one in custodians.custodians(session, instance)] == [True, False, True]
        assert instance.house_key(session, RECOVERY) is None
    instance.engine.dispose()


def test_recovery_is_not_made_for_three_that_the_operator_does_not_know(call, desk, moment):
    printed, folder = desk
    follow_links(folder, printed, moment)

    refused = call("vault", "pin", where=folder, given="y\ny\ny\nn\n")

    assert "RECOVERY is not made" in refused.err
    instance = at(folder)
    with instance.readings() as session:
        assert instance.house_key(session, RECOVERY) is None
        assert session.scalars(select(RecoveryPair)).all() == []
    instance.engine.dispose()


def test_nobody_pins_a_real_desk_without_looking(call, desk):
    assert call("vault", "pin", "--yes", where=desk[1]).status == 2


def test_as_soon_as_an_administrator_is_active_pinning_asks_who_does_it(call, desk, moment):
    import pyotp

    printed, folder = desk
    token = re.search(r"/uitnodiging/([0-9a-f]{64})", printed.out).group(1)
    instance = at(folder)
    with instance.sessions.begin() as session:
        user = accounts.open_invitation(session, token, now=moment)
        enrolment = accounts.enrol(session, instance, user, "een lang wachtwoord voor beheer", now=moment)
    with instance.sessions.begin() as session:
        accounts.confirm_enrolment(session, instance, user.id, enrolment.recovery_code, now=moment)
    follow_links(folder, printed, moment)
    login, password = "beheer@voorbeeld.test", "een lang wachtwoord voor beheer"
    code = pyotp.TOTP(enrolment.totp_secret).now()

    wrong = call("vault", "pin", where=folder, given=f"{login}\nverkeerd\n{code}\n")
    assert wrong.status == 2
    assert "pinned" not in wrong.out
    right = call("vault", "pin", where=folder, given=f"{login}\n{password}\n{code}\ny\ny\ny\ny\n")

    assert "RECOVERY epoch 1" in right.out, right.err
    with instance.readings() as session:
        by = set(session.scalars(select(Leaf.actor).where(Leaf.action == "aan_console_vastgelegd")))
    assert by == {user.id}
    used = call("vault", "pin", where=folder, given=f"{login}\n{password}\n{code}\n")
    assert used.status == 2  # a code is good once
    instance.engine.dispose()


def test_a_key_that_was_replaced_during_the_call_is_not_pinned(call, ready, clock, monkeypatch):
    member = ready.first("ondersteuning")
    with ready.instance.sessions.begin() as session:
        first = epochs.new_epoch(session, ready.instance, member.person, member.root, "ondersteuning", now=clock.now)
    later = []

    def answer(_question, **_more):
        with ready.instance.sessions.begin() as session:
            later.append(
                epochs.new_epoch(
                    session, ready.instance, member.person, member.root, "ondersteuning",
                    replaces=first.fingerprint, now=clock.now,
                )
            )  # fmt: skip
        return True

    with monkeypatch.context() as patched:
        patched.setattr("click.confirm", answer)
        outcome = call("vault", "pin", given="")

    assert shown_fingerprint(first.fingerprint) in outcome.out
    assert outcome.err.count("CHANGED meanwhile: nothing was pinned") == 1
    assert ready.instance.pins().sealing("team", "ondersteuning").epoch == 1
    call("vault", "pin", given="y\n")
    assert ready.instance.pins().sealing("team", "ondersteuning").fingerprint == later[0].fingerprint


def test_two_consoles_that_pin_at_once_both_leave_their_lines(instance):
    keys = [TeamKeys(f"team{number}", 1, bytes([number]) * 32).pair.public for number in range(1, 13)]
    with ThreadPoolExecutor(len(keys)) as consoles:
        list(consoles.map(lambda key: open_instance(instance.settings).add_pin(key), keys))

    assert all(instance.pins().holds(key) for key in keys)


def test_a_swapped_key_of_a_pinned_custodian_is_refused_by_name(call, ready):
    first, other = ready.custody.sheets[:2]
    with ready.instance.sessions.begin() as session:
        session.get(Custodian, first.id).public_key = session.get(Custodian, other.id).public_key

    answer = call("vault", "pin", given="y\ny\ny\n")

    assert "REFUSED" in answer.err
    assert ready.instance.pins().text().count(first.id.hex()) == 1


# --- custodians ----------------------------------------------------------------------------------------------------


def test_the_list_shows_who_they_are_and_how_far(call, ready):
    shown = call("vault", "custodians").out

    for place, sheet in enumerate(ready.custody.sheets, 1):
        assert re.search(rf"^{place}  {re.escape(sheet.name)} .*pinned", shown, re.MULTILINE)


def test_a_custodian_is_replaced_and_the_next_pin_makes_recovery_for_the_new_three(call, ready, moment, clock):
    answer = call("vault", "custodians", "--replace", "2", "--custodian", "Nieuw <n@voorbeeld.test>", given="y\n")
    assert answer.status == 0, answer.err
    follow_links(ready.instance.settings.instance, answer, moment, which=(0,))

    pinned = call("vault", "pin", "--yes")

    assert "RECOVERY epoch 2" in pinned.out
    with ready.instance.readings() as session:
        assert [one.name for one in custodians.custodians(session, ready.instance)][1] == "Nieuw"


def test_who_does_not_say_yes_replaces_nobody(call, ready):
    assert call("vault", "custodians", "--replace", "2", given="n\n").status == 2
    with ready.instance.readings() as session:
        assert len(session.scalars(select(RecoveryPair)).all()) == 3


def test_a_new_backup_key_prints_its_seed_and_older_backups_keep_theirs(call, ready):
    assert call("vault", "backup-key").status == 1
    printed = call("vault", "backup-key", "--new")

    seed = bytes.fromhex("".join(re.findall(r"^(?:[0-9a-f]{4} ?){8}$", printed.out, re.MULTILINE)))
    pins = ready.instance.pins()
    assert pins.holds(house_key_pair(seed, BACKUP, ready.instance.id, 2).public)
    assert pins.holds(house_key_pair(ready.custody.backup_seed, BACKUP, ready.instance.id, 1).public)


# --- bringing back -------------------------------------------------------------------------------------------------


def sheets(ready, first, second):
    one, two = ready.custody.sheets[first - 1], ready.custody.sheets[second - 1]
    return f"{first}\ny\n{one.code}\n{second}\ny\n{two.code}\n"


def test_two_custodians_bring_a_team_back_at_the_console(call, ready, compare, file):
    coordinator = ready.first("ondersteuning")
    # ondersteuning: yes, both members; then the other groups: no
    answer = call("vault", "recover", given=sheets(ready, 1, 3) + "y\ny\ny\nn\nn\nn\n")

    assert answer.status == 0, answer.err
    assert "epoch 2 is made and pinned" in answer.out
    assert ready.instance.pins().sealing("team", "ondersteuning").epoch == 2
    assert ready.instance.pins().sealing("team", "juridisch").epoch == 1
    compare(coordinator)
    assert [keys.epoch for keys in coordinator.person.teams["ondersteuning"]] == [1, 2]
    for sheet in ready.custody.sheets:
        assert sheet.code not in answer.out


def test_wrong_codes_and_one_custodian_twice_are_one_line_and_change_nothing(call, ready):
    first, second, third = ready.custody.sheets
    text = ready.instance.pins().text()
    tries = {
        "two different custodians": f"1\ny\n{first.code}\n1\n",
        "not the code of": f"1\ny\n{third.code}\n2\ny\n{second.code}\n",
        "no code": f"1\ny\ngeen\n2\ny\n{second.code}\n",
        "nothing was opened": "1\nn\n",
    }
    for line, given in tries.items():
        answer = call("vault", "recover", given=given)
        assert answer.status in (1, 2)
        assert line in answer.err
        assert len(answer.err.strip().splitlines()) == 1
    assert ready.instance.pins().text() == text


def test_altered_rows_are_refused_in_one_line_and_alarm(call, ready, alarms):
    with ready.instance.sessions.begin() as session:
        session.get(RecoveryPair, (1, "13")).sealed = b"\0" * 124

    answer = call("vault", "recover", given=sheets(ready, 1, 3))

    assert answer.status == 1
    assert len(answer.err.strip().splitlines()) == 1
    assert ("herstel_beschadigd", "recovery/1/13") in alarms()


def test_a_desk_without_custodians_says_so(call, instance):
    answer = call("vault", "recover")

    assert answer.status == 1
    assert "no custodians" in answer.err


@pytest.mark.slow
def test_the_demonstration_tells_the_codes_of_its_custodians(call, tmp_path):
    folder = tmp_path / "demo"
    call("demo", "--cases", "1", "--months", "1", where=folder)

    listed = json.loads(call("demo", "accounts", "--json", where=folder).out)
    codes = [one["code"] for one in listed if one["role"] == "bewaarder"]

    assert len(codes) == 3
    answer = call("vault", "recover", where=folder, given=f"1\ny\n{codes[0]}\n2\ny\n{codes[1]}\n" + "n\n" * 4)
    assert answer.status == 0, answer.err
    assert "RECOVERY epoch 1 is open" in answer.out


def test_a_desk_is_made_once(call, desk, tmp_path, clock):
    assert call(*INIT, where=desk[1]).status == 2
    create_instance(tmp_path / "another", now=clock.now).engine.dispose()
    assert call(*INIT, where=tmp_path / "another").status == 2
