"""T20. An old backup is put back: who was let in then and was shut out since stays out; everybody else gets in."""

import secrets
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from weerbaar_meldpunt.actions import (
    claims,
    credentials,
    epochs,
    mandate,
    passkeys,
    reader,
    rekeying,
    reopening,
    rewrap,
    transfer,
    work,
)
from weerbaar_meldpunt.actions.bundles import open_bundle, seal_bundle
from weerbaar_meldpunt.actions.checkpoints import make_checkpoint
from weerbaar_meldpunt.actions.erasing import Word, erase_case
from weerbaar_meldpunt.actions.errors import NotAllowed, NotYours
from weerbaar_meldpunt.actions.kept_mails import stones_of
from weerbaar_meldpunt.actions.leaving import change_account, switch_reporter
from weerbaar_meldpunt.actions.own_acts import hold_own
from weerbaar_meldpunt.actions.sessions import new_cookie
from weerbaar_meldpunt.actions.signin import start_signin
from weerbaar_meldpunt.actions.verifying import verify
from weerbaar_meldpunt.store.cases import Case, CaseDoc, CaseGrant, Reader
from weerbaar_meldpunt.store.doors import Passkey
from weerbaar_meldpunt.store.membership import Departure
from weerbaar_meldpunt.store.people import Bundle, Role, Root, TeamGrant, User
from weerbaar_meldpunt.vault.audit import Anchor, Checkpoint, read_anchor
from weerbaar_meldpunt.vault.derive import sha256
from weerbaar_meldpunt.vault.keys import FormKeys, ReaderKeys

HOUR = timedelta(hours=1)


def anchor_of(instance, *, now):
    with instance.sessions.begin() as session:
        row = make_checkpoint(session, instance, now=now, recipients=[])
        return read_anchor(row.text)


def stones(instance):
    return stones_of(instance.settings.instance)


@pytest.fixture
def leaver(ready):
    return ready.second("juridisch")


@pytest.fixture
def beheerder(ready):
    return ready.people.beheerder()


def leave(ready, beheerder, account, *, now):
    """Somebody else comes first, so that the team is not left thin."""
    new = ready.people.member("juridisch")
    ready.people.admit(account, new, "juridisch")
    with ready.instance.sessions.begin() as session:
        assert change_account(
            session, ready.instance, beheerder.person, account.user_id, None, reason="Andere baan", now=now
        )
    return new


def signs_in(instance, account, *, now):
    with instance.sessions.begin() as session:
        return start_signin(session, instance, account.login, account.password, now=now) is not None


def test_who_left_stays_out_and_the_team_is_asked_for_a_new_key(keeper, ready, leaver, beheerder, clock, replayed):
    path = keeper.backup(now=clock.now)
    leave(ready, beheerder, leaver, now=clock.forward(hours=1))

    restored = keeper.restore(path, now=clock.now)
    with restored.readings() as session:  # the backup would have let them in
        assert session.get(Root, (leaver.user_id, "pw")) is not None
    replayed(restored, stones(ready.instance), now=clock.now)

    assert not signs_in(restored, leaver, now=clock.now)
    with restored.readings() as session:
        assert session.scalar(select(func.count()).where(TeamGrant.member_id == leaver.user_id)) == 0
        assert session.get_one(User, leaver.user_id).state == "uitgeschakeld"
        assert session.get(Departure, ("team", "juridisch", leaver.user_id)) is not None
    for stays in (ready.first("juridisch"), ready.first("ondersteuning"), ready.editors[0]):
        assert signs_in(restored, stays, now=clock.now)


def test_everybody_who_was_not_shut_out_opens_what_the_backup_holds(keeper, ready, file, clock, replayed, opens):
    filed = file({"narrative": "zonnebloemveld", "incident": {"kinds": ["bedreiging_intimidatie"]}})
    path = keeper.backup(now=clock.now)

    restored = keeper.restore(path, now=clock.now)
    replayed(restored, stones(ready.instance), now=clock.now)

    assert "zonnebloemveld" in opens(restored, ready.first("ondersteuning"), filed.reference)
    assert "zonnebloemveld" in opens(restored, filed)


def test_an_erased_case_is_gone_again(keeper, ready, file, clock, replayed, opens):
    kept, erased = (file({"narrative": word, "incident": {"kinds": ["doxing"]}}) for word in ("blijft", "gewist"))
    path = keeper.backup(now=clock.now)
    with ready.instance.sessions.begin() as session:
        case = session.scalars(select(Case).where(Case.reference == erased.reference)).one()
        erase_case(session, ready.instance, case.id, Word("verzoek"), now=clock.forward(hours=1))
        lookup, case_id = erased.reader.lookup, case.id

    restored = keeper.restore(path, now=clock.now)
    with restored.readings() as session:
        assert session.get(CaseDoc, (case_id, "A")) is not None
    done = replayed(restored, stones(ready.instance), now=clock.now)

    assert done.erased == 1
    with restored.readings() as session:
        assert session.get(Case, case_id) is None
        assert session.scalar(select(func.count()).where(CaseDoc.case_id == case_id)) == 0
        assert session.scalar(select(func.count()).where(CaseGrant.case_id == case_id)) == 0
        assert session.get_one(Reader, lookup).case_id is None  # the look-up is never used twice
    assert opens(restored, erased) is None
    assert "blijft" in opens(restored, kept)


def test_it_is_not_opened_while_a_kept_checkpoint_counts_more_tombstones(
    keeper, ready, leaver, beheerder, clock, replayed
):
    path = keeper.backup(now=clock.now)
    leave(ready, beheerder, leaver, now=clock.forward(hours=1))
    anchor = anchor_of(ready.instance, now=clock.now)

    restored = keeper.restore(path, now=clock.now)
    replayed(restored, [], now=clock.now, open_too=False)
    with restored.readings() as session:
        assert "tombstones" in reopening.faults(session, restored, anchor)[0]
    replayed(restored, stones(ready.instance), now=clock.now, open_too=False)
    with restored.readings() as session:
        assert reopening.faults(session, restored, anchor) == []


def test_a_checkpoint_of_another_desk_counts_for_nothing(keeper, ready, clock, replayed):
    restored = keeper.restore(keeper.backup(now=clock.now), now=clock.now)
    theirs = Checkpoint(bytes(16), 1, bytes(32), 0, bytes(32), clock.now)

    with restored.readings() as session:
        assert reopening.faults(session, restored, Anchor(theirs)) == ["this checkpoint is of another desk"]


def test_the_trail_still_verifies_afterwards(keeper, ready, leaver, beheerder, file, clock, replayed):
    file({"incident": {"kinds": ["doxing"]}, "contact": {"telephone": "0612345678"}})
    anchor_of(ready.instance, now=clock.now)
    path = keeper.backup(now=clock.now)
    leave(ready, beheerder, leaver, now=clock.forward(hours=1))

    restored = keeper.restore(path, now=clock.now)
    replayed(restored, stones(ready.instance), now=clock.now)

    with restored.readings() as session:
        verdict = verify(session, restored)
    assert verdict.findings == []
    assert verdict.leaves > 10


def test_replaying_twice_changes_nothing_more(keeper, ready, leaver, beheerder, clock, replayed):
    path = keeper.backup(now=clock.now)
    leave(ready, beheerder, leaver, now=clock.forward(hours=1))
    restored = keeper.restore(path, now=clock.now)

    first = replayed(restored, stones(ready.instance), now=clock.now, open_too=False)
    second = replayed(restored, stones(ready.instance), now=clock.now, open_too=False)

    assert first.stones and first.removed
    assert (second.stones, second.removed, second.disabled, second.erased) == (0, {}, 0, 0)


# --- the reporter's side ---------------------------------------------------------------------------------------------


PROXY_REPORT = {
    "reporter": {"relation": "griffier", "consent": "ja"},
    "narrative": "zonnebloemveld",
    "incident": {"kinds": ["doxing"]},
}


def redeem(instance, code, *, choice, now):
    keys = ReaderKeys.from_code(FormKeys.new().code("receipt"), instance.id)
    with instance.sessions.begin() as session:
        claims.redeem(session, instance, code, keys, choice=choice, now=now)
    return keys


def own(instance, keys):
    """Whether the reporter's side of a case opens with these keys."""
    with instance.readings() as session:
        try:
            return reader.own_case(session, instance, keys).view.readable
        except NotYours:
            return False


def back(keeper, ready, path, replayed, *, now):
    """An open desk out of a backup, of which the trail still says what is true."""
    restored = keeper.restore(path, now=now)
    replayed(restored, stones(ready.instance), now=now)
    with restored.readings() as session:
        assert verify(session, restored).findings == []
    return restored


def test_a_proxy_whose_mandate_was_withdrawn_stays_out_and_the_official_gets_in(keeper, ready, file, clock, replayed):
    filed = file(PROXY_REPORT)
    official = redeem(ready.instance, filed.claim_code, choice="alles", now=clock.now)
    path = keeper.backup(now=clock.now)
    assert own(ready.instance, filed.reader)
    with ready.instance.sessions.begin() as session:
        mandate.change(hold_own(session, ready.instance, official, now=clock.forward(hours=1)), "nee")
    assert not own(ready.instance, filed.reader)

    restored = back(keeper, ready, path, replayed, now=clock.now)

    assert not own(restored, filed.reader)
    assert own(restored, official)


def test_a_claim_code_that_was_used_since_opens_nothing(keeper, ready, file, clock, replayed):
    filed = file(PROXY_REPORT)
    path = keeper.backup(now=clock.now)
    redeem(ready.instance, filed.claim_code, choice="nee", now=clock.forward(hours=1))

    restored = back(keeper, ready, path, replayed, now=clock.now)

    with restored.readings() as session, pytest.raises(NotAllowed):
        claims.look(session, restored, filed.claim_code, now=clock.now)
    assert not own(restored, filed.reader)  # the proxy was let go, too


def test_a_receipt_that_was_replaced_stays_out(keeper, ready, file, clock, replayed):
    filed, other = file({"narrative": "een"}), file({"narrative": "twee"})
    path = keeper.backup(now=clock.now)
    with ready.instance.sessions.begin() as session:
        held = hold_own(session, ready.instance, filed.reader, now=clock.forward(hours=1))
        rekeying.new_code(held, secrets.token_hex(32))

    restored = back(keeper, ready, path, replayed, now=clock.now)

    assert not own(restored, filed.reader)
    assert own(restored, other.reader)


# --- what one signs in with ------------------------------------------------------------------------------------------


NEW = "acht blauwe fietsen in de zon"


def test_an_old_password_stays_out_and_the_printed_code_still_lets_its_owner_in(keeper, ready, clock, replayed):
    member, instance = ready.second("ondersteuning"), ready.instance
    path = keeper.backup(now=clock.now)
    with instance.readings() as session:
        held = credentials.own_password(session, member.user_id)
    prepared = credentials.prepare_new(instance, member.person, NEW)
    with instance.sessions.begin() as session:
        credentials.change_password(
            session, instance, member.person, member.root, held, prepared, cookie=new_cookie(), now=clock.now
        )
    assert not signs_in(instance, member, now=clock.now)

    restored = back(keeper, ready, path, replayed, now=clock.forward(hours=1))

    assert not signs_in(restored, member, now=clock.now)
    with restored.readings() as session:
        assert session.get(Root, (member.user_id, "rc")) is not None
        assert session.get_one(User, member.user_id).state == "actief"
    assert signs_in(restored, ready.first("ondersteuning"), now=clock.now)


def with_passkey(instance, member, *, now):
    """A passkey in the bundle and its row, as the page leaves them; answers its id."""
    with instance.sessions.begin() as session:
        row = session.get_one(Bundle, member.user_id)
        entry = {"id": secrets.token_hex(32), "key": "00", "count": 0, "name": "sleutel", "since": "2026-11-23"}
        bundle = open_bundle(member.root, row) | {"passkeys": [entry]}
        passkeys.rewrite(session, member.root, row, bundle, now=now)
        session.add(Passkey(id_hash=sha256(bytes.fromhex(entry["id"])), user_id=member.user_id))
        return sha256(bytes.fromhex(entry["id"]))


def sign_in_again(instance, member):
    """What each sign-in does: the bundle is sealed anew, and gets no stone."""
    with instance.sessions.begin() as session:
        row = session.get_one(Bundle, member.user_id)
        row.sealed = seal_bundle(member.root, member.user_id, row.revision + 1, open_bundle(member.root, row))
        row.revision += 1


def test_a_passkey_that_was_taken_away_stays_out_however_often_its_owner_signed_in(keeper, ready, clock, replayed):
    member, other, instance = ready.second("ondersteuning"), ready.first("ondersteuning"), ready.instance
    digest = with_passkey(instance, member, now=clock.now)
    path = keeper.backup(now=clock.now)
    for _ in range(7):
        sign_in_again(instance, member)
        sign_in_again(instance, other)
    with instance.sessions.begin() as session:
        passkeys.remove(session, instance, member.person, member.root, digest.hex(), now=clock.forward(hours=1))

    restored = back(keeper, ready, path, replayed, now=clock.now)

    with restored.readings() as session:
        assert session.get(Passkey, digest) is None
        assert session.get(Bundle, member.user_id) is None
        assert session.get(Bundle, other.user_id) is not None
        assert session.get_one(User, member.user_id).state == "uitgeschakeld"  # to be invited anew
    assert not signs_in(restored, member, now=clock.now)
    assert signs_in(restored, other, now=clock.now)


def test_a_backup_from_after_the_change_lets_its_owner_in(keeper, ready, clock, replayed):
    member, instance = ready.second("ondersteuning"), ready.instance
    digest = with_passkey(instance, member, now=clock.now)
    with instance.sessions.begin() as session:
        passkeys.remove(session, instance, member.person, member.root, digest.hex(), now=clock.now)
    path = keeper.backup(now=clock.forward(hours=1))
    sign_in_again(instance, member)

    restored = back(keeper, ready, path, replayed, now=clock.now)

    assert signs_in(restored, member, now=clock.now)


# --- places that are lost while keys are renewed ---------------------------------------------------------------------


def next_key(ready, team, *, now):
    first, instance = ready.first(team), ready.instance
    with instance.sessions.begin() as session:
        key = epochs.new_epoch(session, instance, first.person, first.root, team, now=now)
    instance.write_pins(instance.pins().with_sealing(key))
    with instance.sessions.begin() as session:
        epochs.note_pins(session, instance, now=now)
    for member in ready.members[team]:
        ready.people.adopt(member)


def rewrapped(ready, team, *, now):
    with ready.instance.sessions.begin() as session:
        rewrap.rewrap_batch(session, ready.instance, ready.first(team).person, team, now=now)


def test_a_backup_from_before_a_new_key_still_opens_for_everybody_who_stayed(
    keeper, ready, file, clock, replayed, opens
):
    filed = file({"narrative": "zonnebloemveld"})
    path = keeper.backup(now=clock.now)
    next_key(ready, "ondersteuning", now=clock.forward(hours=1))
    rewrapped(ready, "ondersteuning", now=clock.now)
    with ready.instance.sessions.begin() as session:
        epochs.destroy_epoch(session, ready.instance, "team", "ondersteuning", 1, now=clock.forward(hours=25))

    restored = back(keeper, ready, path, replayed, now=clock.now)

    for member in ready.members["ondersteuning"]:
        assert signs_in(restored, member, now=clock.now)
        assert "zonnebloemveld" in opens(restored, member, filed.reference)


def test_a_case_that_moved_away_after_its_keys_were_renewed_does_not_come_back_where_others_hold_it(
    keeper, ready, file, clock, replayed, opens
):
    filed = file({"narrative": "zonnebloemveld"})
    member, instance = ready.first("ondersteuning"), ready.instance

    def do(act, *args, **more):
        with instance.sessions.begin() as session:
            act(work.hold(session, instance, member.person, filed.reference, now=clock.now), *args, **more)

    do(transfer.share, "beveiliging", reason="x", words="y")
    path = keeper.backup(now=clock.now)
    next_key(ready, "ondersteuning", now=clock.forward(hours=1))
    rewrapped(ready, "ondersteuning", now=clock.now)
    do(transfer.transfer, "juridisch", reason="x", words="y")

    restored = back(keeper, ready, path, replayed, now=clock.now)

    assert opens(restored, member, filed.reference) is None
    assert "zonnebloemveld" in opens(restored, ready.first("beveiliging"), filed.reference)


def test_a_case_whose_new_team_is_not_in_the_backup_stays_with_the_one_before(
    keeper, ready, file, clock, replayed, opens
):
    filed = file({"narrative": "zonnebloemveld"})
    member, instance = ready.first("ondersteuning"), ready.instance
    path = keeper.backup(now=clock.now)
    with instance.sessions.begin() as session:
        held = work.hold(session, instance, member.person, filed.reference, now=clock.forward(hours=1))
        transfer.transfer(held, "beveiliging", reason="x", words="y")

    restored = keeper.restore(path, now=clock.now)
    done = replayed(restored, stones(instance), now=clock.now)

    assert (done.kept_cases, done.closed_cases) == (1, 0)
    assert "zonnebloemveld" in opens(restored, member, filed.reference)


def test_a_role_that_was_taken_away_stays_away(keeper, ready, beheerder, clock, replayed):
    account, instance = ready.first("juridisch"), ready.instance
    new = ready.people.member("juridisch")
    ready.people.admit(ready.second("juridisch"), new, "juridisch")
    path = keeper.backup(now=clock.now)
    roles = frozenset({("behandelaar", "juridisch")})
    with instance.sessions.begin() as session:
        change_account(session, instance, beheerder.person, account.user_id, roles, reason="x", now=clock.now)

    restored = back(keeper, ready, path, replayed, now=clock.forward(hours=1))

    with restored.readings() as session:
        left = session.execute(select(Role.role, Role.team).where(Role.user_id == account.user_id)).all()
    assert {tuple(row) for row in left} == roles
    assert signs_in(restored, account, now=clock.now)


def test_a_reporters_account_that_was_switched_off_stays_off(keeper, ready, beheerder, clock, replayed):
    account, other = ready.people.reporter(), ready.people.reporter()
    path = keeper.backup(now=clock.now)
    with ready.instance.sessions.begin() as session:
        switch_reporter(session, ready.instance, beheerder.person, account.login, on=False, now=clock.now)

    restored = back(keeper, ready, path, replayed, now=clock.forward(hours=1))

    assert not signs_in(restored, account, now=clock.now)
    assert signs_in(restored, other, now=clock.now)
