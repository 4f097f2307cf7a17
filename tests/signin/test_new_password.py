"""T12 at the door: a new password, everything new, the printed code; what was sealed before still opens for who may."""

import re

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import credentials, opening, passwordkeys, reader, signin
from weerbaar_meldpunt.actions import sessions as rows
from weerbaar_meldpunt.actions.errors import NotAllowed, Onleesbaar
from weerbaar_meldpunt.actions.tombstones import tombstone_of
from weerbaar_meldpunt.store.audit import Alarm, Leaf, Tombstone
from weerbaar_meldpunt.store.people import Bundle, Root, TeamGrant
from weerbaar_meldpunt.vault.keys import user_key_pair
from weerbaar_meldpunt.vault.wrap import Grant, unwrap

from .conftest import comes_in, recovery_code_on, token_of

NEW = "negen paarse kapstokken"
TEAM = "ondersteuning"
REPORT = {"target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"]}, "narrative": "geheim woord"}


def change(door, account, *, known="nee", old=None, new=NEW, again=None):
    return door.post(
        "/account/wachtwoord", old_password=old or account.password, password=new, again=again or new, known=known
    )


def roots(instance, account):
    with instance.readings() as session:
        return {row.way: row.sealed for row in session.scalars(select(Root).where(Root.user_id == account.user_id))}


def buried(instance):
    with instance.readings() as session:
        return set(session.scalars(select(Tombstone.row_hash)))


def stones(instance, account, *models):
    with instance.readings() as session:
        found = []
        for model in models:
            column = TeamGrant.member_id if model is TeamGrant else model.user_id
            found += [tombstone_of(row) for row in session.scalars(select(model).where(column == account.user_id))]
        return set(found)


# --- the password alone --------------------------------------------------------------------------------------------


def test_only_the_way_by_the_password_changes_and_the_old_one_is_buried(instance, in_by, door, people, clock):
    member = people.member(TEAM)
    own, other = in_by(member), in_by(member)
    before = roots(instance, member)
    old = stones(instance, member, Root)

    assert change(own, member).location == "/account"

    after = roots(instance, member)
    assert after["pw"] != before["pw"]
    assert after["rc"] == before["rc"]
    assert len(old & buried(instance)) == 1
    assert own.is_in()
    assert not other.is_in(), "other sessions end"
    assert comes_in(door, member, NEW, clock)
    assert not comes_in(door, member, member.password, clock)


def test_a_wrong_old_password_changes_nothing_and_the_fifth_ends_the_session(instance, in_by, people):
    member = people.member(TEAM)
    own, before = in_by(member), roots(instance, member)

    answers = [change(own, member, old="heel iets anders dan dat").status_code for _ in range(5)]

    assert answers == [422] * 4 + [303]
    assert roots(instance, member) == before
    assert not own.is_in()


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"again": "iets anders dan eerst"}, "again"),
        ({"new": "te kort"}, "password"),
        ({"new": "wachtwoordwachtwoord"}, "password"),
        ({"known": ""}, "known"),
    ],
)
def test_what_is_wrong_with_it_is_said_at_its_field(instance, in_by, people, more, field):
    member = people.member(TEAM)
    before = roots(instance, member)

    answer = change(in_by(member), member, **more)

    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.get_data(as_text=True)
    assert roots(instance, member) == before


def test_a_password_that_was_changed_while_the_page_was_open_is_not_overwritten(instance, people, clock):
    member = people.member(TEAM)
    with instance.readings() as session:
        held = credentials.own_password(session, member.user_id)
    first, second = (credentials.prepare_new(instance, member.person, NEW + word) for word in (" een", " twee"))

    def put(prepared):
        with instance.sessions.begin() as session:
            credentials.change_password(
                session, instance, member.person, member.root, held, prepared, cookie=bytes(48), now=clock.now
            )

    put(first)
    with pytest.raises(NotAllowed, match="wachtwoord_al_veranderd"):
        put(second)


def test_a_members_change_stands_in_the_trail_and_a_reporters_nowhere(instance, in_by, people):
    member, reporter = people.member(TEAM), people.reporter()
    change(in_by(member), member)
    change(in_by(reporter), reporter)

    with instance.readings() as session:
        changes = session.scalars(select(Leaf.actor).where(Leaf.action == "wachtwoord_veranderd")).all()
        assert changes == [member.user_id]
        assert session.scalars(select(Leaf).where(Leaf.actor == reporter.user_id)).all() == []


# --- somebody may know it ------------------------------------------------------------------------------------------


def renew(door, account, *, typed=None):
    """ "Iemand kent het misschien", up to the code that is typed again; answers the new code."""
    shown = change(door, account, known="ja")
    assert shown.location == "/account/nieuwe-code", shown.get_data(as_text=True)[:3000]
    page = door.client.get("/account/nieuwe-code")
    code = recovery_code_on(page.get_data(as_text=True))
    return code, door.client.post(
        "/account/nieuwe-code", data={"csrf_token": token_of(page), "recovery": typed if typed is not None else code}
    )


def test_until_the_new_code_was_typed_again_nothing_has_changed(instance, in_by, door, people, clock):
    member = people.member(TEAM)
    own, before = in_by(member), roots(instance, member)

    _code, answer = renew(own, member, typed="00000-00000")

    assert answer.status_code == 422
    assert roots(instance, member) == before
    assert comes_in(door, member, member.password, clock)


def test_root_key_pair_and_code_are_new_and_what_is_old_is_buried(instance, ready, in_by, door, clock):
    member = ready.second(TEAM)
    own, other = in_by(member), in_by(member)
    old_bundle = dict(member.person.bundle)
    old = stones(instance, member, Root, TeamGrant)
    assert len(old) == 3
    grants = [
        (row.wrapped, Grant("team_grant", row.team, None, row.epoch, row.grantor)) for row in member.person.grants
    ]

    code, answer = renew(own, member)

    assert answer.location == "/account"
    assert old <= buried(instance)
    assert own.is_in()
    assert not other.is_in()
    with instance.readings() as session:
        half = signin.start_signin(session, instance, member.login, NEW, now=clock.now)
        fresh = rows.SessionContent("person", clock.now, clock.now, clock.now, member.user_id, half.root)
        from weerbaar_meldpunt.actions import people as accounts

        person = accounts.unlock(session, instance, fresh)
        assert half.root != member.root
        assert person.bundle["number"] == old_bundle["number"] + 1
        assert person.bundle["totp"] == old_bundle["totp"]
        assert person.bundle["pins"] == old_bundle["pins"]
        assert person.teams == {}, "waits for a colleague to give the key again"
        assert session.scalars(select(TeamGrant).where(TeamGrant.member_id == member.user_id)).all() == []
        assert signin.start_recovery(session, instance, member.login, code, now=clock.now) is not None
        assert signin.start_recovery(session, instance, member.login, member.recovery_code, now=clock.now) is None
    pair = user_key_pair(bytes.fromhex(person.bundle["seed"]), member.user_id, person.bundle["number"])
    for wrapped, grant in grants:
        with pytest.raises(Onleesbaar):
            unwrap(pair, wrapped, grant)
    assert not comes_in(door, member, member.password, clock)


def test_old_sessions_and_old_root_open_nothing_any_more(instance, ready, in_by, file, clock):
    member = ready.second(TEAM)
    own = in_by(member)
    renew(own, member)

    with instance.readings() as session:
        row = session.get(Bundle, member.user_id)
        from weerbaar_meldpunt.actions.bundles import open_bundle

        with pytest.raises(Onleesbaar):
            open_bundle(member.root, row)


def test_a_session_of_the_old_root_that_was_kept_is_out_and_no_fault(app, instance, ready, in_by, clock):
    """A row that somebody copied aside and put back: its ROOT opens no bundle."""
    from .conftest import Door

    member = ready.second(TEAM)
    own, other = in_by(member), in_by(member)
    cookie = other.client.get_cookie("wmp").value
    with instance.readings() as session:
        kept = [
            {column.key: getattr(row, column.key) for column in row.__table__.columns}
            for row in session.scalars(select(rows.SessionRow).where(rows.SessionRow.owner.is_not(None)))
        ]
    renew(own, member)
    with instance.sessions.begin() as session:
        for values in kept:
            session.merge(rows.SessionRow(**values))
    thief = Door(app.test_client())
    thief.client.set_cookie("wmp", cookie)

    assert thief.client.get("/account").status_code == 303


def test_who_alone_holds_a_teams_key_keeps_it_and_an_alarm_rings(instance, people, in_by, clock):
    """Else every case of the team would be lost with a forgotten password."""
    only = people.member(TEAM, coordinator=True)
    people.found(only, TEAM)
    code_before = only.person.teams[TEAM][0].secret
    own = in_by(only)

    renew(own, only)

    with instance.readings() as session:
        half = signin.start_signin(session, instance, only.login, NEW, now=clock.now)
        fresh = rows.SessionContent("person", clock.now, clock.now, clock.now, only.user_id, half.root)
        from weerbaar_meldpunt.actions import people as accounts

        person = accounts.unlock(session, instance, fresh)
        assert person.teams[TEAM][0].secret == code_before
        assert [alarm.kind for alarm in session.scalars(select(Alarm))] == ["enige_met_sleutel"]


def test_a_reporter_gets_a_new_secret_of_files_and_finds_every_report(instance, ready, in_by, file, clock):
    reporter = ready.people.reporter()
    filed = [file(REPORT, account=reporter.person) for _ in range(2)]
    own = in_by(reporter)
    before = reporter.person.bundle["files"]

    renew(own, reporter)

    page = own.client.get("/mijn-meldingen").get_data(as_text=True)
    assert all(one.reference in page for one in filed)
    with instance.readings() as session:
        half = signin.start_signin(session, instance, reporter.login, NEW, now=clock.now)
        from weerbaar_meldpunt.actions.bundles import open_bundle

        bundle = open_bundle(half.root, session.get(Bundle, reporter.user_id))
    assert bundle["files"] != before
    assert before in str(bundle["files_before"])


def test_a_renewal_that_waited_too_long_changes_nothing(instance, people, in_by, clock):
    """Two renewals at once: the second finds that its ROOT is no longer the one."""
    member = people.member(TEAM)
    prepared = credentials.prepare_new(instance, member.person, NEW)
    first, second = credentials.begin_renewal(prepared), credentials.begin_renewal(prepared)

    def put(pending):
        with instance.sessions.begin() as session:
            return credentials.confirm_renewal(
                session, instance, member.user_id, member.root, pending, pending["code"], now=clock.now
            )

    assert put(first) is not None
    with pytest.raises(NotAllowed, match="wachtwoord_al_veranderd"):
        put(second)


def test_what_a_team_had_opens_for_the_colleagues_all_along(instance, ready, file, in_by, clock):
    filed, member = file(REPORT), ready.second(TEAM)
    renew(in_by(member), member)
    colleague = ready.first(TEAM)

    with instance.sessions.begin() as session:
        noted = opening.note_opening(session, instance, colleague.person, filed.reference, now=clock.now, team=TEAM)
    with instance.readings() as session:
        assert opening.open_case(session, instance, colleague.person, noted)
    assert reader


# --- the app -------------------------------------------------------------------------------------------------------


def test_another_app_counts_once_it_gave_a_code_and_the_old_one_then_no_more(instance, people, in_by, door, clock):
    import pyotp

    member = people.member(TEAM)
    own = in_by(member)
    old = stones(instance, member, Bundle)
    own.post("/account/app", begin="ja")
    secret = re.search(r'id="secret"[^>]*>([A-Z2-7]+)', own.client.get("/account/app").get_data(as_text=True)).group(1)
    assert own.post("/account/app", code="000000").status_code == 422
    assert comes_in(door, member, member.password, clock), "the old one counts until then"
    old |= stones(instance, member, Bundle)

    fresh = pyotp.TOTP(secret).at(int(clock.forward(seconds=31).timestamp()))
    assert own.post("/account/app", code=fresh).status_code == 303

    assert not comes_in(door, member, member.password, clock)
    assert old & buried(instance)
    one = door()
    one.password(member.login, member.password)
    clock.forward(seconds=31)
    assert one.factor(pyotp.TOTP(secret).at(int(clock.now.timestamp()))).status_code == 303


def test_the_derivations_of_a_new_password_are_those_of_who_is_known(people, in_by, monkeypatch):
    member, seen = people.member(TEAM), []
    own = in_by(member)
    real = passwordkeys.place
    monkeypatch.setattr(passwordkeys, "place", lambda *, known=False: seen.append(known) or real(known=known))

    change(own, member)

    assert seen == [True, True]
