"""T12: somebody leaves: out at once, without keys; never fewer than two holders on one word; nothing lies still."""

import threading

import pytest
from sqlalchemy import func, select, update

from weerbaar_meldpunt.actions import leaving
from weerbaar_meldpunt.actions.crews import load_crews
from weerbaar_meldpunt.actions.enrolment import enrol, invite, open_invitation
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.people import unlock
from weerbaar_meldpunt.actions.signin import start_signin
from weerbaar_meldpunt.actions.tombstones import tombstone_of
from weerbaar_meldpunt.store.audit import Leaf, Tombstone
from weerbaar_meldpunt.store.membership import Departure
from weerbaar_meldpunt.store.people import Role, Root, TeamGrant, User
from weerbaar_meldpunt.store.tracks import Track

TEAM = "ondersteuning"


def grants(life, account):
    with life.instance.readings() as session:
        return session.scalars(select(TeamGrant).where(TeamGrant.member_id == account.user_id)).all()


def roles_of(life, account):
    with life.instance.readings() as session:
        return {(row.role, row.team) for row in session.scalars(select(Role).where(Role.user_id == account.user_id))}


def confirm(life, by, account):
    with life.instance.sessions.begin() as session:
        leaving.confirm_change(session, life.instance, by.person, account.user_id, now=life.now)


def actions(life):
    with life.instance.readings() as session:
        return list(session.scalars(select(Leaf.action).order_by(Leaf.seq)))


def test_whoever_is_switched_off_is_out_of_every_session_at_once(life):
    third = life.third()
    content = third.content

    assert life.change(third, None) is True

    with life.instance.readings() as session:
        assert unlock(session, life.instance, content) is None
    assert grants(life, third) == []


def test_the_keys_that_went_are_buried_and_so_are_password_and_code(life):
    third = life.third()
    held = grants(life, third)
    with life.instance.readings() as session:
        held += session.scalars(select(Root).where(Root.user_id == third.user_id)).all()
    assert len(held) == 3

    life.change(third, None)

    with life.instance.readings() as session:
        stones = set(session.scalars(select(Tombstone.row_hash)))
    assert {tombstone_of(row) for row in held} <= stones


def test_whoever_is_switched_off_stays_out_when_their_state_is_changed_in_the_database(life):
    third = life.third()
    content = third.content
    life.change(third, None)
    with life.instance.sessions.begin() as session:
        session.execute(update(User).where(User.id == third.user_id).values(state="actief"))

    with life.instance.readings() as session:
        assert session.scalar(select(func.count()).where(Root.user_id == third.user_id)) == 0
        assert unlock(session, life.instance, content) is None


def test_a_reason_is_asked_and_kept_sealed(life):
    third = life.third()

    with pytest.raises(NotAllowed, match="reden_nodig"):
        life.change(third, None, reason="  ")

    life.change(third, None, reason="Naar een andere gemeente")
    folder = life.instance.settings.instance
    assert all(b"andere gemeente" not in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("who", ["first", "second"])
def test_no_member_of_a_team_switches_anybody_off(life, who):
    third = life.third()

    with pytest.raises(NotAllowed, match="alleen_beheerder"):
        life.change(third, None, by=getattr(life, who))


def test_a_beheerder_does_not_switch_themselves_off(life):
    life.beheerder = life.ready.people.beheerder()

    with pytest.raises(NotAllowed, match="niet_zichzelf"):
        life.change(life.beheerder, None)


def test_leaving_fewer_than_two_who_hold_the_key_waits_for_a_second_person(life):
    assert life.change(life.second, None) is False

    assert grants(life, life.second) != []
    confirm(life, life.first, life.second)
    assert grants(life, life.second) == []


def test_another_beheerder_may_be_the_second_person(life):
    life.change(life.second, None)

    confirm(life, life.ready.people.beheerder(), life.second)

    assert grants(life, life.second) == []


@pytest.mark.parametrize("who", ["beheerder", "second"])
def test_neither_who_proposed_it_nor_who_leaves_confirms(life, who):
    life.change(life.second, None)

    with pytest.raises(NotAllowed, match="tweede_persoon_vertrek"):
        confirm(life, getattr(life, who), life.second)


def test_a_coordinator_of_another_team_does_not_confirm(life):
    life.change(life.second, None)

    with pytest.raises(NotAllowed, match="tweede_persoon_vertrek"):
        confirm(life, life.ready.first("juridisch"), life.second)


def test_where_the_only_coordinator_leaves_a_colleague_may_confirm(life):
    life.change(life.first, None)

    confirm(life, life.second, life.first)

    assert grants(life, life.first) == []


def test_where_nobody_else_is_left_the_beheerder_does_it_alone_and_the_trail_says_so(people):
    alone, beheerder = people.member(TEAM), people.beheerder()
    people.found(alone, TEAM)
    with people.instance.sessions.begin() as session:
        done = leaving.change_account(
            session, people.instance, beheerder.person, alone.user_id, None, reason="Vertrokken", now=people.now
        )

    assert done is True
    with people.instance.readings() as session:
        assert leaving.DISABLED_ALONE in set(session.scalars(select(Leaf.action)))


def test_what_waits_for_a_second_person_can_be_called_off(life):
    life.change(life.second, None)
    with life.instance.sessions.begin() as session:
        leaving.cancel_change(session, life.instance, life.first.person, life.second.user_id, now=life.now)

    with pytest.raises(NotAllowed, match="geen_voorstel_vertrek"):
        confirm(life, life.first, life.second)
    assert grants(life, life.second) != []


def test_losing_a_team_takes_that_teams_key_and_no_other(life):
    both = life.ready.people.staff(("behandelaar", TEAM), ("behandelaar", "juridisch"))
    life.ready.people.admit(life.second, both, TEAM)
    life.ready.people.admit(life.ready.second("juridisch"), both, "juridisch")

    life.change(both, frozenset({("behandelaar", "juridisch")}))

    assert list(both.person.teams) == ["juridisch"]
    assert {grant.team for grant in grants(life, both)} == {"juridisch"}


def test_losing_one_of_two_roles_in_a_team_keeps_its_key(life):
    life.change(life.first, frozenset({("behandelaar", TEAM)}))

    assert list(life.first.person.teams) == [TEAM]


def test_a_role_that_is_added_gives_no_key(life):
    life.change(life.first, frozenset({("behandelaar", TEAM), ("coordinator", TEAM), ("behandelaar", "juridisch")}))

    assert list(life.first.person.teams) == [TEAM]
    assert life.first.person.member_of("juridisch")


def test_a_role_taken_away_and_given_again_does_not_bring_the_key_back(life):
    third = life.third()
    life.change(third, frozenset({("auditor", "")}))

    life.change(third, frozenset({("behandelaar", TEAM)}))

    assert third.person.teams == {}


@pytest.mark.parametrize("other", [("behandelaar", TEAM), ("coordinator", TEAM), ("statistiekredacteur", "")])
def test_beheer_and_a_role_that_holds_a_key_are_refused_in_one_person_in_either_order(life, other):
    plain = life.ready.people.staff(("auditor", ""))
    life.change(plain, frozenset({("beheerder", "")}))
    with pytest.raises(NotAllowed, match="beheerder_houdt_geen_sleutel"):
        life.change(plain, frozenset({("beheerder", ""), other}))

    life.change(plain, frozenset({other}))
    with pytest.raises(NotAllowed, match="beheerder_houdt_geen_sleutel"):
        life.change(plain, frozenset({("beheerder", ""), other}))


def test_a_member_who_becomes_beheerder_loses_the_keys(life):
    third = life.third()

    life.change(third, frozenset({("beheerder", "")}))

    assert grants(life, third) == []
    assert third.person.teams == {}


def test_two_beheerders_who_each_add_one_role_at_once_never_make_a_combination_that_is_refused(life):
    plain, ends = life.ready.people.staff(("auditor", "")), []
    seen = frozenset({("auditor", "")})
    beheerders = [life.ready.people.beheerder(), life.ready.people.beheerder()]

    def add(by, role):
        try:
            ends.append(life.change(plain, frozenset({role}), by=by, seen=seen))
        except NotAllowed as refused:
            ends.append(refused.reason)

    life.beheerder = beheerders[0]
    acts = [("beheerder", ""), ("behandelaar", TEAM)]
    threads = [threading.Thread(target=add, args=pair) for pair in zip(beheerders, acts, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, ends)) == ["True", "rollen_intussen"]
    assert len(roles_of(life, plain) & set(acts)) == 1


def test_a_reporters_account_is_nobody_to_give_roles(life):
    reporter = life.ready.people.reporter()

    with pytest.raises(NotAllowed, match="geen_medewerker"):
        life.change(reporter, frozenset({("auditor", "")}))


def test_the_beheerder_sees_how_many_tracks_lie_with_whom_and_no_more(life, file):
    file({"target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"]}})
    with life.instance.sessions.begin() as session:
        session.execute(update(Track).where(Track.team == TEAM).values(owner_id=life.second.user_id))

    with life.instance.readings() as session:
        assert leaving.open_tracks(session, life.second.user_id) == {TEAM: 1}


def test_a_track_of_somebody_who_left_is_chased_to_the_others(life):
    life.change(life.second, None)
    confirm(life, life.first, life.second)

    with life.instance.readings() as session:
        crew = load_crews(session, life.instance, [TEAM], now=life.now)[TEAM]
    assert crew.asked(("eigenaar", "achterwacht", "coordinator"), life.second.user_id) == [life.first.user_id]


def test_whoever_was_switched_off_comes_back_as_if_new(life):
    third = life.third()
    life.change(third, None)
    with life.instance.sessions.begin() as session:
        roles = frozenset({("behandelaar", TEAM)})
        token = invite(session, life.instance, login=third.login, name="Terug", roles=roles, by=b"", now=life.now)
    with life.instance.sessions.begin() as session:
        user = open_invitation(session, token, now=life.now)
        assert user is not None
        before = third.user_id
        enrol(session, life.instance, user, "acht blauwe bootjes op het meer", now=life.now)

    with life.instance.readings() as session:
        user = session.get_one(User, before)
        assert (user.key_number, user.state) == (2, "uitgenodigd")
        assert start_signin(session, life.instance, third.login, third.password, now=life.now) is None
    assert grants(life, third) == []


def test_that_somebody_left_is_remembered_until_the_next_key(life):
    third = life.third()

    life.change(third, None)

    with life.instance.readings() as session:
        left = session.scalars(select(Departure)).one()
    assert (left.team, left.member_id, left.epoch, left.left_at) == (TEAM, third.user_id, 1, life.now)


def test_somebody_who_never_held_the_key_leaves_nothing_behind(life):
    new = life.ready.people.member(TEAM)

    assert life.change(new, None) is True

    with life.instance.readings() as session:
        assert session.scalars(select(Departure)).all() == []


def test_a_reporters_account_is_found_by_its_exact_login_and_nothing_else(life):
    reporter = life.ready.people.reporter("bang")

    with life.instance.readings() as session:
        assert leaving.find_reporter(session, life.instance, reporter.login).id == reporter.user_id
        for wrong in ("bang", reporter.login[:-1], reporter.login + " x", "", life.first.login):
            assert leaving.find_reporter(session, life.instance, wrong) is None


def test_switching_a_reporter_off_names_no_account_in_the_trail_and_can_be_undone(life):
    reporter, beheerder = life.ready.people.reporter("bang"), life.ready.people.beheerder()
    content = reporter.content
    with life.instance.sessions.begin() as session:
        leaving.switch_reporter(session, life.instance, beheerder.person, reporter.login, on=False, now=life.now)

    with life.instance.readings() as session:
        assert unlock(session, life.instance, content) is None
        leaf = session.scalars(select(Leaf).order_by(Leaf.seq.desc()).limit(1)).one()
    assert (leaf.action, leaf.object) == ("melderaccount_uit", life.instance.id)

    with life.instance.sessions.begin() as session:
        leaving.switch_reporter(session, life.instance, beheerder.person, reporter.login, on=True, now=life.now)
    with life.instance.readings() as session:
        assert unlock(session, life.instance, content) is not None


def test_whoever_leaves_goes_off_the_roster_of_duty_and_the_gap_shows(life):
    from datetime import timedelta

    from weerbaar_meldpunt.actions import roster

    third = life.third()
    days = [life.now + timedelta(days=day) for day in range(4)]
    with life.instance.sessions.begin() as session:
        for (owner, backup), starts in zip(((third, life.first), (life.first, third)), days[:2], strict=True):
            roster.add_duty(
                session, life.instance, TEAM, starts_at=starts, ends_at=starts + timedelta(days=1),
                owner=owner.user_id, owner_number="06-1", backup=backup.user_id, backup_number="06-2", now=life.now,
            )  # fmt: skip

    life.change(third, None)

    with life.instance.readings() as session:
        kept = roster.duties(session, life.instance, TEAM, life.now)
        gaps = roster.gaps(session, (TEAM,), life.now, days=2)
    assert [(duty.starts_at, duty.owner.number, duty.backup) for duty in kept] == [(days[1], "06-1", None)]
    assert [(gap.starts_at, gap.ends_at) for gap in gaps] == [(days[0], days[1])]


def test_after_a_day_without_an_answer_the_beheerder_goes_on_alone_with_an_alarm(life):
    """A whole team that forgot everything cannot confirm, and must be switched off before it comes back."""
    life.change(life.second, None)
    life.forward(hours=23, minutes=59)
    with pytest.raises(NotAllowed, match="tweede_persoon_vertrek"):
        confirm(life, life.beheerder, life.second)

    life.forward(minutes=1)
    confirm(life, life.beheerder, life.second)

    assert grants(life, life.second) == []
    assert leaving.DISABLED_ALONE in actions(life)
    assert life.alarms() == {(leaving.ALONE, life.second.user_id.hex())}
