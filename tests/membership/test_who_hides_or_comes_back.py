"""States and roles of accounts stand in no leaf: whoever changes them gets no key by it, and is not alone by it."""

import pytest
from sqlalchemy import delete, insert, select, update

from weerbaar_meldpunt.actions import admissions, epochs
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.store.people import TeamEpoch, TeamGrant, User

TEAM = "ondersteuning"
REPORT = {"target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"]}}


def given(life, epoch):
    with life.instance.readings() as session:
        return set(session.scalars(select(TeamGrant.member_id).where(TeamGrant.team == TEAM, TeamGrant.epoch == epoch)))


def next_key(life):
    life.compare(life.first, life.second)
    return life.make_next(life.first)


def set_state(life, account, state):
    with life.instance.sessions.begin() as session:
        session.execute(update(User).where(User.id == account.user_id).values(state=state))


def test_a_role_that_was_taken_away_and_given_back_brings_no_next_key(life):
    third = life.third()
    life.compare(life.first, third)
    life.change(third, frozenset({("auditor", "")}))
    life.change(third, frozenset({("behandelaar", TEAM)}))

    next_key(life)
    life.pin()

    assert given(life, 2) == {life.first.user_id, life.second.user_id}
    assert third.person.teams == {}


def test_a_leaver_who_is_active_for_a_moment_in_the_database_gets_no_next_key(life):
    third = life.third()
    life.compare(life.first, third)
    life.change(third, None)
    set_state(life, third, "actief")

    assert third.user_id not in {one.user_id for one in _coming(life)}
    next_key(life)

    assert given(life, 2) == {life.first.user_id, life.second.user_id}


def _coming(life):
    with life.instance.readings() as session:
        return epochs.coming(session, life.instance, life.first.person, TEAM)


def test_a_grant_of_a_leaver_that_was_put_back_brings_no_next_key(life):
    third = life.third()
    life.compare(life.first, third)
    with life.instance.readings() as session:
        row = session.scalars(select(TeamGrant).where(TeamGrant.member_id == third.user_id)).one()
        values = {column.key: getattr(row, column.key) for column in TeamGrant.__table__.columns}
    life.change(third, None)
    with life.instance.sessions.begin() as session:
        session.execute(insert(TeamGrant).values(**values))
    set_state(life, third, "actief")

    next_key(life)

    assert given(life, 2) == {life.first.user_id, life.second.user_id}


def test_nobody_admits_alone_by_hiding_the_colleagues(life):
    newcomer = life.ready.people.member(TEAM)
    life.ready.people.adopt(life.second)
    set_state(life, life.first, "uitgeschakeld")
    with life.instance.sessions.begin() as session:
        admissions.propose(
            session, life.instance, life.second.person, life.second.root, newcomer.user_id, TEAM,
            fingerprint=newcomer.person.pair.public.fingerprint, digest=life.instance.pins().digest, now=life.now,
        )  # fmt: skip

    with pytest.raises(NotAllowed, match="tweede_toelater"), life.instance.sessions.begin() as session:
        admissions.approve(session, life.instance, life.second.person, newcomer.user_id, TEAM, now=life.now)

    assert given(life, 1) == {life.first.user_id, life.second.user_id}


def test_whoever_watches_over_openings_opens_nothing(life):
    with pytest.raises(NotAllowed, match="auditor_houdt_geen_sleutel"):
        life.ready.people.staff(("auditor", ""), ("behandelaar", TEAM))


def test_a_team_that_is_left_thin_is_an_alarm_whoever_confirmed(life):
    from weerbaar_meldpunt.actions import leaving

    assert life.change(life.second, None) is False
    with life.instance.sessions.begin() as session:
        leaving.confirm_change(session, life.instance, life.first.person, life.second.user_id, now=life.now)

    assert "vertrek_dun_team" in life.alarm_kinds()


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_pinned_key_whose_row_is_not_as_pinned_is_an_alarm(life, how):
    assert "sleutelrij_ontbreekt" not in life.alarm_kinds()
    where = TeamEpoch.kind == "team", TeamEpoch.team == TEAM
    with life.instance.sessions.begin() as session:
        if how == "gone":
            session.execute(delete(TeamEpoch).where(*where))
        else:
            key = session.scalar(select(TeamEpoch.public_key).where(*where))
            session.execute(update(TeamEpoch).where(*where).values(public_key=key[:-1] + bytes([key[-1] ^ 1])))

    life.watch()

    assert ("sleutelrij_ontbreekt", f"team {TEAM}/1") in life.alarms()


def test_a_row_that_is_no_key_keeps_no_report_out(life, file):
    with life.instance.sessions.begin() as session:
        session.execute(
            insert(TeamEpoch).values(
                kind="team", team="zzz", epoch=1, public_key=b"x", signature=None, made_at=life.now
            )
        )
    life.instance._keys.clear()

    assert file(REPORT).teams == (TEAM,)
