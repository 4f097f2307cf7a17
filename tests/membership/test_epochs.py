"""T12: after somebody left a member makes the next key; it is signed and pinned, and a leaver opens nothing of it."""

import threading

import pytest
from sqlalchemy import delete, func, select, update

from weerbaar_meldpunt.actions import epochs
from weerbaar_meldpunt.actions.errors import NotAllowed, Onleesbaar
from weerbaar_meldpunt.actions.people import STATS
from weerbaar_meldpunt.actions.resealing import reseal_figures
from weerbaar_meldpunt.actions.rosters import read_roster
from weerbaar_meldpunt.actions.tombstones import tombstone_of
from weerbaar_meldpunt.store.audit import Tombstone
from weerbaar_meldpunt.store.cases import Case, CaseGrant, Fold
from weerbaar_meldpunt.store.custody import RecoveryGrant
from weerbaar_meldpunt.store.people import Roster, TeamGrant, User
from weerbaar_meldpunt.vault.keys import user_key_pair
from weerbaar_meldpunt.vault.wrap import Grant, unwrap

TEAM = "ondersteuning"
REPORT = {"target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"]}}


# --- the way it goes -----------------------------------------------------------------------------------------------


def test_a_leaver_makes_a_next_key_wanted_until_it_is_pinned(life, leaver):
    assert life.state().wants_new
    assert life.state().leavers == (leaver.user_id,)

    made = life.next_key()
    assert not life.state().wants_new
    assert life.state().waiting == made

    life.pin()
    assert life.state().leavers == ()
    assert life.state().epoch == 2


def test_the_next_key_goes_to_the_members_on_the_list_and_the_custodians_only(life, leaver):
    life.next_key()

    with life.instance.readings() as session:
        given = set(session.scalars(select(TeamGrant.member_id).where(TeamGrant.team == TEAM, TeamGrant.epoch == 2)))
        custody = session.scalars(
            select(RecoveryGrant).where(RecoveryGrant.team == TEAM, RecoveryGrant.epoch == 2)
        ).all()
    assert given == {life.first.user_id, life.second.user_id}
    assert len(custody) == 1


def test_before_the_pin_nothing_changes_for_anybody(life, leaver, file):
    life.next_key()

    assert [keys.epoch for keys in life.first.person.teams[TEAM]] == [1]
    file(REPORT)
    with life.instance.readings() as session:
        keys = life.instance.sealing_keys(session, "team", (TEAM,))
    assert keys[TEAM].epoch == 1


def test_after_the_pin_members_hold_both_keys_at_once_and_keep_them_at_their_next_sign_in(life, leaver):
    life.next_key()
    life.pin()

    for account in (life.first, life.second):
        assert [keys.epoch for keys in account.person.teams[TEAM]] == [1, 2]
        life.arrive(account)
        assert f"team/{TEAM}/2" in account.person.bundle["pins"]
    assert life.alarms() == set()


def test_a_new_case_is_sealed_to_the_next_key_and_the_leaver_opens_nothing_of_it_with_every_copy(life, leaver, file):
    before = file(REPORT)
    life.next_key()
    life.pin()
    after = file(REPORT)

    with life.instance.readings() as session:
        rows = {
            case.reference: session.scalars(select(CaseGrant).where(CaseGrant.case_id == case.id)).all()
            for case in session.scalars(select(Case))
        }
        everything = session.scalars(select(TeamGrant)).all()
    # All that the leaver has: the own seed, the secret of epoch 1, and a copy of the database of today.
    pairs = [leaver.kept.pair, *(keys.pair for keys in leaver.kept.teams[TEAM])]

    def opened(grants):
        return [row.compartment for row in grants for pair in pairs if _opens(pair, row)]

    assert sorted(opened(rows[before.reference])) == ["A", "B", "N"]
    assert opened(rows[after.reference]) == []
    for row in everything:
        grant = Grant("team_grant", row.team, None, row.epoch, row.grantor)
        for pair in pairs:
            with pytest.raises(Onleesbaar):
                unwrap(pair, row.wrapped, grant)


def _opens(pair, row):
    grant = Grant("case_grant", row.case_id, row.compartment, row.epoch, row.grantor)
    try:
        unwrap(pair, row.wrapped, grant)
    except Onleesbaar:
        return False
    return True


def test_members_open_what_was_sealed_before_and_after(life, leaver, file):
    from weerbaar_meldpunt.actions.work import hold

    before = file(REPORT)
    life.next_key()
    life.pin()
    after = file(REPORT)

    for account in (life.first, life.second):
        for filed in (before, after):
            with life.instance.sessions.begin() as session:
                held = hold(session, life.instance, account.person, filed.reference, now=life.now)
                assert {"A", "N"} <= held.ring.keys.keys()


def test_the_new_list_holds_who_was_given_the_key(life, leaver):
    life.next_key()
    life.pin()

    with life.instance.sessions.begin() as session:
        listed = read_roster(session, life.instance, life.first.person.teams[TEAM][-1])
    assert {one.user_id for one in listed} == {life.first.user_id, life.second.user_id}


def test_an_admission_after_the_pin_gives_every_living_epoch(life, leaver):
    life.next_key()
    life.pin()

    new = life.third()

    assert [keys.epoch for keys in new.person.teams[TEAM]] == [1, 2]


def test_nobody_is_admitted_between_making_and_pinning(life, leaver):
    life.next_key()

    with pytest.raises(NotAllowed, match="eerst_vastleggen"):
        life.third()


def test_a_colleague_whose_key_was_not_compared_gets_nothing_until_it_is(life, leaver):
    with pytest.raises(NotAllowed, match="eerst_collega_vergelijken"):
        life.make_next(life.second)

    life.compare(life.second, life.first)
    assert life.make_next(life.second).epoch == 2


def test_a_colleague_who_cannot_be_reached_can_be_left_out_and_is_admitted_anew(life, leaver):
    life.make_next(life.second, without=(life.first.user_id,))
    life.pin()

    assert [keys.epoch for keys in life.first.person.teams[TEAM]] == [1]
    life.ready.people.admit(life.second, life.first, TEAM)
    assert [keys.epoch for keys in life.first.person.teams[TEAM]] == [1, 2]


def test_of_two_next_keys_at_once_one_is_refused(life, leaver):
    ends = []
    life.compare(life.first, life.second)
    life.compare(life.second, life.first)

    def make(account):
        try:
            ends.append(life.make_next(account).epoch)
        except NotAllowed as refused:
            ends.append(refused.reason)

    threads = [threading.Thread(target=make, args=(account,)) for account in (life.first, life.second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, ends)) == ["2", "sleutel_was_er_al"]
    life.pin()
    for account in (life.first, life.second):
        life.arrive(account)
        assert [keys.epoch for keys in account.person.teams[TEAM]] == [1, 2]
    assert life.alarms() == set()


def test_a_next_key_that_was_never_pinned_can_be_replaced_by_who_saw_it(life, leaver):
    first = life.next_key()
    life.compare(life.second, life.first)
    with pytest.raises(NotAllowed, match="sleutel_was_er_al"):
        life.make_next(life.second)

    second = life.make_next(life.second, replaces=first.fingerprint)

    assert second.fingerprint != first.fingerprint
    assert life.pin() == [second]
    for account in (life.first, life.second):
        life.arrive(account)
        assert [keys.epoch for keys in account.person.teams[TEAM]] == [1, 2]


def test_somebody_who_leaves_before_the_pin_of_a_key_they_were_given_makes_another_necessary(life, leaver):
    fourth = life.third()
    life.compare(life.first, life.second, fourth)
    life.make_next(life.first)

    life.change(fourth, None)
    life.pin()

    assert life.state().leavers == (fourth.user_id,)
    assert life.state().wants_new


def test_the_one_who_makes_the_key_must_hold_the_one_that_is_pinned(life, leaver):
    stranger = life.ready.people.member(TEAM)

    with pytest.raises(NotAllowed, match="geen_sleutel"):
        life.make_next(stranger)


def test_a_key_of_a_team_is_not_made_by_who_works_in_another(life, leaver):
    with pytest.raises(NotAllowed, match="geen_sleutel"):
        life.make_next(life.ready.first("juridisch"))


# --- late, and gone ------------------------------------------------------------------------------------------------


def test_after_seventy_two_hours_without_a_next_key_it_alarms_once(life, leaver):
    life.forward(hours=71, minutes=59)
    life.watch()
    assert life.alarms() == set()

    life.forward(minutes=1)
    life.watch()
    life.watch()

    assert life.alarms() == {(epochs.TOO_LATE, f"{TEAM}/1")}
    assert life.state().late


def test_an_epoch_that_is_made_and_not_pinned_still_alarms_after_seventy_two_hours(life, leaver):
    life.next_key()
    life.forward(hours=73)

    life.watch()

    assert epochs.TOO_LATE in life.alarm_kinds()


def held_epochs(life, team=TEAM):
    with life.instance.readings() as session:
        members = set(session.scalars(select(TeamGrant.epoch).where(TeamGrant.team == team)))
        custody = set(session.scalars(select(RecoveryGrant.epoch).where(RecoveryGrant.team == team)))
    return members, custody


def test_the_old_key_goes_a_day_after_the_pin_but_a_backup_of_before_still_opens_for_who_stayed(life, leaver):
    life.next_key()
    life.pin()
    with life.instance.readings() as session:
        old = session.scalars(select(TeamGrant).where(TeamGrant.team == TEAM, TeamGrant.epoch == 1)).all()
    of_who_stayed = {tombstone_of(row) for row in old}
    of_the_leaver = {tombstone_of(row) for row in leaver.kept.grants}

    life.forward(hours=23, minutes=59)
    life.watch()
    assert held_epochs(life) == ({1, 2}, {1, 2})

    life.forward(minutes=1)
    life.watch()

    assert held_epochs(life) == ({2}, {2})
    with life.instance.readings() as session:
        buried = set(session.scalars(select(Tombstone.row_hash)))
        assert of_the_leaver <= buried
        assert not of_who_stayed & buried
        assert session.get(Roster, ("team", TEAM, 1)) is None
    assert [keys.epoch for keys in life.first.person.teams[TEAM]] == [2]
    life.arrive(life.first)
    assert life.alarms() == set()


def test_the_old_key_stays_as_long_as_one_case_is_wrapped_to_it(life, leaver, file):
    file(REPORT)
    life.next_key()
    life.pin()

    life.forward(hours=48)
    life.watch()

    assert held_epochs(life)[0] == {1, 2}


def test_the_old_key_stays_while_the_time_cannot_be_believed(life, leaver):
    life.next_key()
    life.pin()
    life.forward(hours=48)

    with life.instance.sessions.begin() as session:
        epochs.keep_watch(session, life.instance, now=life.now, may_delete=False)

    assert held_epochs(life)[0] == {1, 2}


def test_a_pin_drops_what_the_teams_cache_held_under_the_key_before(life, leaver, file):
    from weerbaar_meldpunt.actions.queue import fold_headlines, queue_page

    file(REPORT)
    person = life.first.person
    with life.instance.sessions.begin() as session:
        page = queue_page(session, life.instance, person, TEAM, now=life.now)
        fold_headlines(session, life.instance, person, TEAM, page)
        assert session.scalar(select(func.count()).select_from(Fold)) > 0
    life.next_key()

    life.pin()

    with life.instance.readings() as session:
        assert session.scalar(select(func.count()).where(Fold.team == TEAM)) == 0


# --- the figures ---------------------------------------------------------------------------------------------------


@pytest.fixture
def closed(life):
    """A month is closed, so that there are tables; an editor leaves, and the others made and pinned the next key."""
    from weerbaar_meldpunt.actions.facts import write_fact
    from weerbaar_meldpunt.actions.figures import close_month

    first, second = life.ready.editors
    life.forward(days=30)
    with life.instance.sessions.begin() as session:
        close_month(session, life.instance, first.person, "2026-11", now=life.now)
    third = life.ready.people.statistiekredacteur()
    life.ready.people.admit(first, third, STATS)
    with life.instance.sessions.begin() as session:
        codes = {"role": "raadslid"}
        write_fact(session, life.instance, {"measure": "afgehandeld", "n": 1} | codes, now=life.now)
    life.kept = third.person
    life.change(third, None)
    life.compare(first, second)
    life.make_next(first, STATS)
    life.pin()
    return life


def test_after_a_leaving_editor_the_figures_are_sealed_anew_and_the_old_key_opens_none(closed):
    from weerbaar_meldpunt.store.figures import EntryGrant, FiguresTable

    life = closed
    first = life.ready.editors[0]
    assert life.state(STATS).reseal

    with life.instance.sessions.begin() as session:
        assert reseal_figures(session, life.instance, first.person, now=life.now) > 0

    old = life.kept.statistics[-1]
    with life.instance.readings() as session:
        tables = session.scalars(select(FiguresTable)).all()
        grants = session.scalars(select(EntryGrant)).all()
    assert tables
    assert grants
    assert not any(row.sealed.startswith(old.key("figures").header) for row in tables)
    assert not any(row.recipient == old.pair.public.key_id for row in grants)
    assert not life.state(STATS).reseal


def test_the_old_key_of_the_figures_stays_until_they_are_sealed_anew(closed):
    life = closed
    life.forward(hours=25)
    life.watch()
    assert held_epochs(life, "")[0] == {1, 2}

    with life.instance.sessions.begin() as session:
        reseal_figures(session, life.instance, life.ready.editors[1].person, now=life.now)
    life.watch()

    assert held_epochs(life, "")[0] == {2}


def test_the_next_month_closes_under_the_new_key(closed):
    from weerbaar_meldpunt.actions.figures import close_month

    life = closed
    with life.instance.sessions.begin() as session:
        reseal_figures(session, life.instance, life.ready.editors[1].person, now=life.now)
        session.execute(delete_facts())
    life.forward(days=31)

    with life.instance.sessions.begin() as session:
        close_month(session, life.instance, life.ready.editors[1].person, "2026-12", now=life.now)


def delete_facts():
    from weerbaar_meldpunt.store.figures import StatFact

    return delete(StatFact)


# --- a member whose old key pair somebody may have -----------------------------------------------------------------


def renew_pair(life, account):
    """What follows from "iemand kent het misschien": a new key pair, and the grants to the old one gone."""
    from weerbaar_meldpunt.actions.bundles import change_bundle
    from weerbaar_meldpunt.actions.departures import note_departure

    fresh = user_key_pair(b"\x0b" * 32, account.user_id, 2)
    with life.instance.sessions.begin() as session:
        change_bundle(session, account.root, account.user_id, lambda bundle: bundle | {"seed": "0b" * 32, "number": 2})
        session.execute(
            update(User).where(User.id == account.user_id).values(public_key=fresh.public.raw, key_number=2)
        )
        session.execute(delete(TeamGrant).where(TeamGrant.member_id == account.user_id))
        note_departure(session, "team", TEAM, account.user_id, 1, now=life.now)


def test_a_member_with_a_new_pair_is_no_intruder_and_is_admitted_anew_after_the_next_key(life):
    third = life.third()
    renew_pair(life, third)
    assert life.state().wants_new

    life.next_key()
    life.pin()

    assert life.state().leavers == ()
    assert life.alarms() == set()
    life.ready.people.admit(life.second, third, TEAM)
    assert [keys.epoch for keys in third.person.teams[TEAM]] == [1, 2]


def test_whoever_made_a_new_pair_and_still_holds_the_key_can_make_the_next_one(life):
    renew_pair(life, life.first)
    life.ready.people.admit(life.second, life.first, TEAM)
    life.compare(life.first, life.second)

    assert life.make_next(life.first).epoch == 2
