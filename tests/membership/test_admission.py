"""T12: somebody comes into a team in two steps: one compares by telephone, another approves; before that, nothing."""

import pytest
from sqlalchemy import delete, select, update

from weerbaar_meldpunt.actions import admissions, pinning
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.rosters import read_roster
from weerbaar_meldpunt.store.membership import Admission
from weerbaar_meldpunt.store.people import Role, User
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.keys import TeamKeys, user_key_pair

TEAM = "ondersteuning"


def propose(life, by, account, group=TEAM, **changed):
    told = {"fingerprint": account.person.pair.public.fingerprint, "digest": life.instance.pins().digest} | changed
    with life.instance.sessions.begin() as session:
        admissions.propose(session, life.instance, by.person, by.root, account.user_id, group, now=life.now, **told)


def approve(life, by, account, group=TEAM):
    with life.instance.sessions.begin() as session:
        return admissions.approve(session, life.instance, by.person, account.user_id, group, now=life.now)


@pytest.fixture
def new(life):
    return life.ready.people.member(TEAM)


def test_a_comparison_alone_gives_nothing(life, new):
    propose(life, life.second, new)

    assert new.person.grants == ()


def test_after_the_coordinator_approved_the_member_holds_the_key_and_stands_on_the_list(life, new):
    propose(life, life.second, new)

    assert approve(life, life.first, new) is False

    life.ready.people.adopt(new)
    assert [keys.epoch for keys in new.person.teams[TEAM]] == [1]
    with life.instance.sessions.begin() as session:
        listed = read_roster(session, life.instance, life.first.person.teams[TEAM][-1])
    assert {one.user_id for one in listed} == {one.user_id for one in (life.first, life.second, new)}


def test_whoever_was_admitted_opens_nothing_before_they_compared_the_pins_themselves(life, new):
    propose(life, life.second, new)
    approve(life, life.first, new)

    assert new.person.teams == {}
    assert new.person.waiting == (f"team/{TEAM}/1",)


def test_the_coordinator_does_not_approve_what_they_compared_themselves(life, new):
    propose(life, life.first, new)

    with pytest.raises(NotAllowed, match="tweede_toelater"):
        approve(life, life.first, new)

    assert new.person.grants == ()


def test_a_member_who_coordinates_nothing_does_not_approve(life, new):
    other = life.third()
    propose(life, life.second, new)

    with pytest.raises(NotAllowed, match="tweede_toelater"):
        approve(life, other, new)


def test_the_second_member_ever_is_let_in_by_the_first_alone_and_the_trail_says_so(people):
    from weerbaar_meldpunt.store.audit import Leaf

    first, second = people.member(TEAM), people.member(TEAM)
    people.found(first, TEAM)

    people.admit(first, second, TEAM)

    assert list(second.person.teams) == [TEAM]
    with people.instance.readings() as session:
        assert admissions.ADMITTED_ALONE in set(session.scalars(select(Leaf.action)))


def test_where_no_coordinator_holds_the_key_another_holder_approves(people):
    first, second, third = (people.member(TEAM) for _ in range(3))
    people.found(first, TEAM)
    people.admit(first, second, TEAM)

    with people.instance.readings() as session:
        may = admissions.approvers(session, TEAM, proposed_by=first.user_id, member=third.user_id)

    assert may == {second.user_id}


def test_nobody_approves_themselves(life, new):
    with life.instance.sessions.begin() as session:
        may = admissions.approvers(session, TEAM, proposed_by=life.second.user_id, member=life.first.user_id)

    assert life.first.user_id not in may


def test_a_key_that_was_swapped_after_the_comparison_gets_nothing(life, new):
    propose(life, life.second, new)
    planted = user_key_pair(b"\x07" * 32, new.user_id, 1).public
    with life.instance.sessions.begin() as session:
        session.execute(update(User).where(User.id == new.user_id).values(public_key=planted.raw))

    with pytest.raises(NotAllowed, match="sleutel_veranderd"):
        approve(life, life.first, new)


@pytest.mark.parametrize("what", ["fingerprint", "digest"])
def test_what_the_page_showed_must_still_be_so_when_they_hang_up(life, new, what):
    with pytest.raises(NotAllowed, match="sleutel_veranderd"):
        propose(life, life.second, new, **{what: bytes(32)})


def test_a_proposal_that_was_planted_in_the_database_is_refused(life, new):
    with life.instance.sessions.begin() as session:
        session.add(
            Admission(
                kind="team", team=TEAM, member_id=new.user_id, proposed_by=life.second.user_id, proposed_at=life.now,
                fingerprint=new.person.pair.public.fingerprint,
            )
        )  # fmt: skip

    with pytest.raises(pinning.Planted) as refused:
        approve(life, life.first, new)

    assert refused.value.alarm == admissions.PROPOSAL_PLANTED
    assert new.person.grants == ()


def test_a_proposal_of_somebody_who_left_meanwhile_counts_for_nothing(life, new):
    third = life.third()
    propose(life, third, new)
    life.change(third, None)

    with pytest.raises(NotAllowed, match="geen_voorstel_toelating"):
        approve(life, life.first, new)


def test_nobody_is_admitted_to_a_team_whose_role_they_do_not_have(life):
    other = life.ready.people.member("juridisch")

    with pytest.raises(NotAllowed, match="niet_van_dit_team"):
        propose(life, life.second, other)


def test_a_colleague_without_the_key_compares_nothing(life, new):
    with pytest.raises(NotAllowed, match="geen_sleutel"):
        propose(life, life.ready.people.member(TEAM), new)


def test_a_colleague_who_has_new_pins_to_compare_does_that_first(life, new):
    stranger = TeamKeys("nieuw", 1, b"\x05" * 32).pair.public
    life.instance.write_pins(life.instance.pins().with_sealing(stranger))

    with pytest.raises(NotAllowed, match="eerst_sleutels_vergelijken"):
        propose(life, life.second, new)


def test_the_colleague_pins_the_key_they_compared(life, new):
    propose(life, life.second, new)

    key = new.person.pair.public
    assert life.second.person.pins[pinning.name_of_key(key)] == key.fingerprint.hex()


def test_a_proposal_can_be_taken_away(life, new):
    propose(life, life.second, new)
    with life.instance.sessions.begin() as session:
        admissions.withdraw(session, life.instance, life.first.person, new.user_id, TEAM, now=life.now)

    with pytest.raises(NotAllowed, match="geen_voorstel_toelating"):
        approve(life, life.first, new)


def test_the_coordinator_hears_of_a_proposal_and_the_team_of_an_admission(life, new):
    def told():
        with life.instance.sessions.begin() as session:
            found = {row.recipient_id for row in session.scalars(select(Outbox))}
            session.execute(delete(Outbox))
            return found

    told()
    propose(life, life.second, new)
    assert told() == {life.first.user_id}

    approve(life, life.first, new)
    assert told() == {life.second.user_id, new.user_id}


def test_whoever_works_in_two_teams_is_admitted_to_each_by_itself(life):
    both = life.ready.people.staff(("behandelaar", TEAM), ("behandelaar", "juridisch"))

    life.ready.people.admit(life.second, both, TEAM)
    assert list(both.person.teams) == [TEAM]

    life.ready.people.admit(life.ready.second("juridisch"), both, "juridisch")
    assert sorted(both.person.teams) == ["juridisch", TEAM]


def test_a_member_with_a_new_key_pair_is_given_all_epochs_again_in_the_place_of_the_old(life):
    """Re-enrolled after everything was forgotten: the grants to the old pair are replaced."""
    from weerbaar_meldpunt.actions.bundles import change_bundle

    second = life.third()
    fresh = user_key_pair(b"\x0b" * 32, second.user_id, 2)
    with life.instance.sessions.begin() as session:
        change_bundle(
            session, second.root, second.user_id, lambda bundle: bundle | {"seed": "0b" * 32, "number": 2}
        )  # fmt: skip
        session.execute(update(User).where(User.id == second.user_id).values(public_key=fresh.public.raw, key_number=2))
    assert second.person.teams == {}

    life.ready.people.admit(life.second, second, TEAM)

    assert [keys.epoch for keys in second.person.teams[TEAM]] == [1]


def test_a_role_that_is_planted_in_the_database_gives_no_key(life):
    auditor = life.ready.people.auditor()
    with life.instance.sessions.begin() as session:
        session.add(Role(user_id=auditor.user_id, role="behandelaar", team=TEAM))

    assert auditor.person.teams == {}


def test_the_first_member_compares_the_custodians_key_before_making_the_teams(people):
    """Or whoever changed the pin file would get every secret that is wrapped to RECOVERY."""
    from weerbaar_meldpunt.actions import teamkeys
    from weerbaar_meldpunt.actions.demonstration_custody import make_custody

    make_custody(people.instance, now=people.now)
    first = people.member(TEAM)
    with pytest.raises(NotAllowed, match="eerst_sleutels_vergelijken"), people.instance.sessions.begin() as session:
        teamkeys.found_team(session, people.instance, first.person, first.root, TEAM, now=people.now)

    people.found(first, TEAM)

    assert list(first.person.teams) == [TEAM]
