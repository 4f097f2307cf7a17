"""The cases of an account, found from derived keys: numbers that are never used twice, codes and secrets renewed."""

import threading
from dataclasses import replace

import pytest

from weerbaar_meldpunt.actions import account_files, reader, rekeying, work
from weerbaar_meldpunt.actions.account_files import account_readers, next_reader, note_highest, rotate_files
from weerbaar_meldpunt.actions.errors import NotAllowed, NotYours
from weerbaar_meldpunt.actions.own_acts import hold_own
from weerbaar_meldpunt.store.audit import Leaf, LeafRow, Tombstone
from weerbaar_meldpunt.store.cases import Case, Reader
from weerbaar_meldpunt.store.people import Bundle, User
from weerbaar_meldpunt.vault.derive import new_key
from weerbaar_meldpunt.vault.keys import ReaderKeys, account_code

from .conftest import keys_in, opens


@pytest.fixture
def owner(ready):
    return ready.people.reporter()


def with_bundle(person, bundle):
    return replace(person, bundle=bundle)


def numbers(desk, person):
    with desk.instance.readings() as session:
        return [(one.number, one.case_id is not None) for one in account_readers(session, desk.instance, person.bundle)]


def erased(desk, reference):
    """What erasing leaves of the readers of a case."""
    with desk.instance.sessions.begin() as session:
        from sqlalchemy import select

        case_id = session.scalars(select(Case.id).where(Case.reference == reference)).one()
        for row in session.scalars(select(Reader).where(Reader.case_id == case_id)):
            row.case_id = row.key_id = None


def test_cases_take_the_numbers_in_order(desk, owner, file):
    for _ in range(3):
        file({}, account=owner.person)

    assert numbers(desk, owner.person) == [(0, True), (1, True), (2, True)]


def test_the_number_of_an_erased_case_is_never_used_again(desk, owner, file):
    file({}, account=owner.person)
    erased(desk, file({}, account=owner.person).reference)

    file({}, account=owner.person)

    assert numbers(desk, owner.person) == [(0, True), (1, False), (2, True)]


def test_a_case_beyond_twenty_misses_is_found_when_the_bundle_knows_of_it(desk, owner, file):
    person, secret = owner.person, bytes.fromhex(owner.person.bundle["files"])
    filed = file({})
    lost = desk.keys(filed.receipt_code)
    far = ReaderKeys.from_code(account_code(secret, 57), desk.instance.id)
    desk.act(lost, rekeying._replace, far)
    assert numbers(desk, person) == []

    known = with_bundle(person, person.bundle | {"highest": 57})

    assert numbers(desk, known) == [(57, True)]
    with desk.instance.readings() as session:
        assert next_reader(session, desk.instance, known.bundle).lookup == ReaderKeys.from_code(
            account_code(secret, 58), desk.instance.id
        ).lookup  # fmt: skip


def test_a_sign_in_notes_the_highest_number_and_never_a_lower_one(desk, owner, file):
    for _ in range(2):
        file({}, account=owner.person)

    with desk.instance.readings() as session:
        assert note_highest(session, desk.instance, owner.person.bundle)["highest"] == 1
        assert note_highest(session, desk.instance, owner.person.bundle | {"highest": 9})["highest"] == 9


def test_two_reports_filed_at_once_take_two_numbers(desk, owner, file):
    start, faults = threading.Barrier(2), []

    def one():
        start.wait()
        try:
            file({}, account=owner.person)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert faults == []
    assert numbers(desk, owner.person) == [(0, True), (1, True)]


# --- a new secret ----------------------------------------------------------------------------------------------------


def test_with_a_new_secret_every_case_is_found_and_new_ones_hang_from_it(desk, owner, file):
    old = file({}, account=owner.person)
    person = with_bundle(owner.person, rotate_files(owner.person.bundle))

    new = file({}, account=person)

    with desk.instance.readings() as session:
        assert {own.view.reference for own in reader.own_cases(session, desk.instance, person)} == {
            old.reference, new.reference
        }  # fmt: skip
        found = account_readers(session, desk.instance, person.bundle)
    assert [(one.current, one.number) for one in found] == [(True, 0), (False, 0)]


def test_at_its_next_opening_a_case_is_rekeyed_and_who_knew_the_old_secret_opens_nothing_new(desk, owner, file):
    filed, thief = file({}, account=owner.person), dict(owner.person.bundle)
    person = with_bundle(owner.person, rotate_files(owner.person.bundle))
    copy = desk.everything()
    with desk.instance.readings() as session:
        one = reader.account_reader(session, desk.instance, person, filed.reference)
    assert not one.current

    with desk.instance.sessions.begin() as session:
        rekeying.rekey_old(session, desk.instance, person, one, now=desk.clock.now)
    desk.member(filed.reference, work.write_message, "Alleen voor u.")

    with desk.instance.readings() as session:
        assert reader.account_reader(session, desk.instance, person, filed.reference).current
        assert [own.view.messages[0].text for own in reader.own_cases(session, desk.instance, person)] == [
            "Alleen voor u."
        ]
        assert reader.own_cases(session, desk.instance, with_bundle(owner.person, thief)) == []
    case_id, after = desk.rows(Case)[0].id, desk.everything()
    assert opens(keys_in(case_id, [one.keys.seed], copy, after), after) == {("case_doc", "B")}


def test_an_old_secret_goes_once_nothing_hangs_from_it(desk, owner, file):
    filed = file({}, account=owner.person)
    person = with_bundle(owner.person, rotate_files(owner.person.bundle))

    with desk.instance.readings() as session:
        assert "files_before" in note_highest(session, desk.instance, person.bundle)
        one = reader.account_reader(session, desk.instance, person, filed.reference)
    with desk.instance.sessions.begin() as session:
        rekeying.rekey_old(session, desk.instance, person, one, now=desk.clock.now)

    with desk.instance.readings() as session:
        assert "files_before" not in note_highest(session, desk.instance, person.bundle)


def test_a_secret_that_a_draft_hangs_from_stays(desk, owner):
    from weerbaar_meldpunt.actions.drafts import draft_in, save_draft

    with desk.instance.sessions.begin() as session:
        slot = account_files.free_slot(session, desk.instance, owner.person.bundle)
        save_draft(session, draft_in(slot), now=desk.clock.now)
    bundle = rotate_files(owner.person.bundle)

    with desk.instance.readings() as session:
        assert account_files.draft_slots(session, desk.instance, bundle) == [slot]
        assert "files_before" in note_highest(session, desk.instance, bundle)


# --- a new code, into an account, out of it --------------------------------------------------------------------------


def test_a_new_code_leaves_the_old_one_nothing_that_is_written_from_then_on(desk, file, token):
    filed, form = file({"private": {"home_address": "Kade 3"}}), token()
    old, copy = desk.keys(filed.receipt_code), desk.everything()

    code = desk.act(old, rekeying.new_code, form)
    desk.member(filed.reference, work.write_message, "Alleen voor u.")

    mine = desk.own(desk.keys(code))
    assert mine.view.messages[0].text == "Alleen voor u."
    assert mine.view.gaps == ()
    assert desk.act(desk.keys(code), lambda held: held.private())["private"]["home_address"] == "Kade 3"
    with pytest.raises(NotYours):
        desk.own(old)
    after = desk.everything()
    found = opens(keys_in(mine.case_id, [old.seed], copy, after), after)
    assert ("message", after.messages[0].id) not in found
    assert ("case_doc", "A") not in found
    with desk.instance.readings() as session:
        assert rekeying.new_code_again(session, desk.instance, form) == code


def test_what_the_old_code_gave_is_buried(desk, file, token):
    filed, before = file({}), len(desk.rows(Tombstone))

    desk.act(desk.keys(filed.receipt_code), rekeying.new_code, token())

    assert len(desk.rows(Tombstone)) - before == 3  # its two grants, and its reader as it was
    assert [row.role for row in desk.rows(Reader, case_id=None)] == ["vervangen"]


def test_two_new_codes_at_once_and_one_of_them_works(desk, file, token):
    filed, start, outcomes = file({}), threading.Barrier(2), []

    def renew(form):
        start.wait()
        try:
            outcomes.append(desk.act(desk.keys(filed.receipt_code), rekeying.new_code, form))
        except (NotYours, NotAllowed):
            outcomes.append(None)

    threads = [threading.Thread(target=renew, args=(token(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    [code] = [code for code in outcomes if code]
    assert outcomes.count(None) == 1
    assert desk.own(desk.keys(code)).view.reference == filed.reference


def test_taking_a_receipt_into_an_account_writes_nothing_that_names_the_account(desk, owner, file):
    filed = file({})
    user_id = owner.person.user_id
    with desk.instance.readings() as session:
        bundle, user = session.get(Bundle, user_id).sealed, session.get(User, user_id).sealed
    leaves = len(desk.rows(Leaf))

    with desk.instance.sessions.begin() as session:
        rekeying.take_into_account(session, desk.instance, owner.person, filed.receipt_code, now=desk.clock.now)

    with desk.instance.readings() as session:
        assert session.get(Bundle, user_id).sealed == bundle
        assert session.get(User, user_id).sealed == user
    fresh = desk.rows(Leaf)[leaves:]
    assert [leaf.action for leaf in fresh] == ["code_vernieuwd"]
    assert user_id not in {leaf.actor for leaf in fresh} | {leaf.object for leaf in fresh}
    assert not [row for row in desk.rows(LeafRow) if user_id in row.row]
    assert numbers(desk, owner.person) == [(0, True)]


def test_a_claim_code_is_not_taken_into_an_account_behind_the_officials_back(desk, owner, by_proxy):
    with desk.instance.sessions.begin() as session, pytest.raises(NotAllowed):
        rekeying.take_into_account(session, desk.instance, owner.person, by_proxy.claim_code, now=desk.clock.now)


def test_a_key_of_another_account_opens_nothing(desk, owner, file):
    filed = file({}, account=owner.person)
    stranger = with_bundle(owner.person, owner.person.bundle | {"files": new_key().hex()})

    with desk.instance.readings() as session, pytest.raises(NotYours):
        reader.account_reader(session, desk.instance, stranger, filed.reference)
    with desk.instance.sessions.begin() as session, pytest.raises(NotYours):
        hold_own(session, desk.instance, ReaderKeys(bytes(16), new_key()), now=desk.clock.now)
