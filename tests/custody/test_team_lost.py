"""T12: everybody of a team forgot everything. Two custodians bring it back; every document ever filed still opens."""

from itertools import combinations

import pytest
from sqlalchemy import select, update

from weerbaar_meldpunt.actions import opening, recovering
from weerbaar_meldpunt.actions import people as accounts
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.instance import readiness
from weerbaar_meldpunt.actions.recovering import RecoveryRefused
from weerbaar_meldpunt.documents import mails
from weerbaar_meldpunt.store.audit import Checkpoint, Leaf
from weerbaar_meldpunt.store.cases import CaseGrant
from weerbaar_meldpunt.store.custody import RecoveryGrant
from weerbaar_meldpunt.store.people import Role, TeamEpoch, User
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import new_key
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding, open_json

TEAM = "ondersteuning"
REPORT = {"incident": {"kinds": ["doxing"]}, "target": {"role": "raadslid"}, "narrative": "geheim woord"}


@pytest.fixture
def enrol_again(ready):
    """Somebody forgot everything: switched off, invited anew under the same name, with a new key pair."""

    def again(account):
        instance, now = ready.instance, ready.people.now
        with instance.sessions.begin() as session:
            session.get_one(User, account.user_id).state = accounts.DISABLED
            rows = session.scalars(select(Role).where(Role.user_id == account.user_id))
            roles = frozenset((row.role, row.team) for row in rows)
        with instance.sessions.begin() as session:
            token = accounts.invite(
                session, instance, login=account.login, name="Opnieuw", roles=roles, by=b"", now=now
            )
        with instance.sessions.begin() as session:
            user = accounts.open_invitation(session, token, now=now)
            enrolment = accounts.enrol(session, instance, user, account.password, now=now)
        return ready.people._confirmed(account.login, enrolment)

    return again


def opened_by(ready, *sheets):
    with ready.instance.readings() as session:
        circle = recovering.circle_of(session, ready.instance)
    pairs = recovering.open_recovery(circle, {sheet.id: sheet.code for sheet in sheets})
    with ready.instance.readings() as session:
        return {found.group: found for found in recovering.find_rings(session, ready.instance, pairs)}


def bring_back(ready, found, accounts_, now):
    members = {one.user_id: one.person.pair.public.fingerprint for one in accounts_}
    with ready.instance.sessions.begin() as session:
        key = recovering.restore_group(session, ready.instance, found, members, now=now)
    ready.instance.write_pins(ready.instance.pins().with_sealing(key))
    with ready.instance.sessions.begin() as session:
        recovering.finish(session, ready.instance, [found.group], now=now)
    return key


def narrative(ready, account, reference, now, team=TEAM):
    with ready.instance.sessions.begin() as session:
        seen = opening.note_opening(session, ready.instance, account.person, reference, now=now, team=team)
    with ready.instance.readings() as session:
        return opening.open_case(session, ready.instance, account.person, seen).report["narrative"]


@pytest.mark.parametrize("places", list(combinations((0, 1, 2), 2)))
def test_two_custodians_bring_back_a_team_and_every_document_opens_again(
    ready, file, clock, enrol_again, compare, places
):
    before = file(REPORT)
    fresh = [enrol_again(account) for account in ready.members[TEAM]]
    for account in fresh:
        assert account.person.teams == {}  # what they held is gone with their key pair

    found = opened_by(ready, *(ready.custody.sheets[place] for place in places))[TEAM]
    key = bring_back(ready, found, fresh, clock.now)

    assert key.epoch == 2
    for account in fresh:
        compare(account)
        assert [keys.epoch for keys in account.person.teams[TEAM]] == [1, 2]
        assert narrative(ready, account, before.reference, clock.now) == "geheim woord"
    after = file(REPORT, now=clock.now)
    assert narrative(ready, fresh[0], after.reference, clock.now) == "geheim woord"
    with ready.instance.readings() as session:
        assert readiness(session, ready.instance, (TEAM,))[TEAM]
        assert session.get(RecoveryGrant, ("team", TEAM, 2, 1)) is not None  # and they can be brought back again


def test_who_held_the_old_key_opens_nothing_that_is_sealed_from_then_on(ready, file, clock, enrol_again):
    kept = ready.second(TEAM).person.teams[TEAM][0]
    fresh = [enrol_again(account) for account in ready.members[TEAM]]
    bring_back(ready, opened_by(ready, *ready.custody.sheets[:2])[TEAM], fresh, clock.now)

    file(REPORT, now=clock.now)

    with ready.instance.readings() as session:
        assert kept.pair.public.key_id not in set(session.scalars(select(CaseGrant.recipient)))


def test_everybody_is_told_with_a_fixed_text_and_an_anchor_goes_out_at_once(ready, clock, enrol_again, alarms):
    fresh = [enrol_again(account) for account in ready.members[TEAM]]
    bring_back(ready, opened_by(ready, *ready.custody.sheets[:2])[TEAM], fresh, clock.now)

    assert ("team_hersteld", f"{TEAM}/2") in alarms()
    instance = ready.instance
    with instance.readings() as session:
        actions = list(session.scalars(select(Leaf.action).order_by(Leaf.seq)))
        assert actions.index("team_hersteld") < actions.index("ijkpunt")
        assert session.scalars(select(Checkpoint)).all()
        told = {}
        for row in session.scalars(select(Outbox)):
            document = open_json(instance.server.seal, row.sealed, Binding("outbox", None, row.id, 1))
            told.setdefault((document["subject"], document["body"]), set()).add(document["to"])
    everybody = told[mails.keys_restored().subject, mails.keys_restored().body]
    assert {f"bewaarder{place}@demo.example" for place in (1, 2, 3)} <= everybody
    assert {one.login for team in ready.members.values() for one in team} <= everybody
    assert {one.login for one in ready.editors} <= everybody


def test_the_statistics_come_back_the_same_way(ready, clock, enrol_again, compare):
    fresh = [enrol_again(account) for account in ready.editors]
    bring_back(ready, opened_by(ready, *ready.custody.sheets[1:])["statistiek"], fresh, clock.now)

    for account in fresh:
        compare(account)
        assert [keys.epoch for keys in account.person.statistics] == [1, 2]


def test_the_key_is_given_to_the_very_key_that_was_compared_and_to_nobody_who_does_not_belong(
    ready, clock, enrol_again
):
    fresh = [enrol_again(account) for account in ready.members[TEAM]]
    found = opened_by(ready, *ready.custody.sheets[:2])[TEAM]
    stranger = ready.first("juridisch")
    wrong = (
        ({fresh[0].user_id: b"\0" * 32}, "sleutel_veranderd"),
        ({stranger.user_id: stranger.person.pair.public.fingerprint}, "niet_van_dit_team"),
        ({b"\1" * 16: b"\0" * 32}, "kan_niet_toelaten"),
    )
    for members, reason in wrong:
        with pytest.raises(NotAllowed, match=reason), ready.instance.sessions.begin() as session:
            recovering.restore_group(session, ready.instance, found, members, now=clock.now)
    with pytest.raises(RecoveryRefused, match="nobody"), ready.instance.sessions.begin() as session:
        recovering.restore_group(session, ready.instance, found, {}, now=clock.now)
    with ready.instance.readings() as session:
        assert session.get(TeamEpoch, ("team", TEAM, 2)) is None


def test_a_grant_that_gives_another_secret_is_left_out_and_named(ready):
    from weerbaar_meldpunt.vault.wrap import Grant, wrap

    with ready.instance.sessions.begin() as session:
        key = ready.instance.house_key(session, "recovery")
        row = session.get(RecoveryGrant, ("team", TEAM, 1, 1))
        row.wrapped = wrap(key, new_key(), Grant("recovery_grant", TEAM, None, 1, row.grantor))

    found = opened_by(ready, *ready.custody.sheets[:2])[TEAM]

    assert found.ring == ()
    assert found.altered == (f"team/{TEAM}/1",)
    with pytest.raises(RecoveryRefused), ready.instance.sessions.begin() as session:
        recovering.restore_group(session, ready.instance, found, {b"\1" * 16: b""}, now=ready.people.now)


def test_a_next_key_that_waits_or_was_planted_gives_way(ready, clock, enrol_again, compare, alarms):
    planted = TeamKeys(TEAM, 2, new_key()).pair.public.raw
    with ready.instance.sessions.begin() as session:
        session.add(TeamEpoch(kind="team", team=TEAM, epoch=2, public_key=planted, made_at=clock.now))
    fresh = [enrol_again(account) for account in ready.members[TEAM]]

    key = bring_back(ready, opened_by(ready, *ready.custody.sheets[:2])[TEAM], fresh, clock.now)

    assert key.raw != planted
    assert ("opvolger_ondergeschoven", f"{TEAM}/2") in alarms()


def test_a_console_that_died_before_it_pinned_goes_on_with_vault_pin(ready, clock, enrol_again, pin_groups, compare):
    fresh = [enrol_again(account) for account in ready.members[TEAM]]
    found = opened_by(ready, *ready.custody.sheets[:2])[TEAM]
    members = {one.user_id: one.person.pair.public.fingerprint for one in fresh}
    with ready.instance.sessions.begin() as session:
        made = recovering.restore_group(session, ready.instance, found, members, now=clock.now)

    assert [key.fingerprint for key in pin_groups()] == [made.fingerprint]
    compare(fresh[0])
    assert [keys.epoch for keys in fresh[0].person.teams[TEAM]] == [1, 2]


# --- T13: what a lost key or pepper costs --------------------------------------------------------------------------


def test_a_lost_pepper_closes_every_password_and_custodians_still_bring_a_team_back(
    ready, file, clock, enrol_again, compare
):
    """Costs: passwords. Recovery codes, colleagues and custodians still work; nothing is replaced in silence."""
    from weerbaar_meldpunt.actions.signin import start_recovery, start_signin

    before = file(REPORT)
    member, folder = ready.first("juridisch"), ready.instance.settings.instance
    ready.instance.pepper = b"\7" * 32  # another one: the first is lost
    with ready.instance.sessions.begin() as session:
        assert start_signin(session, ready.instance, member.login, member.password, now=clock.now) is None
    with ready.instance.sessions.begin() as session:
        assert start_recovery(session, ready.instance, member.login, member.recovery_code, now=clock.now) is not None
    assert (folder / "pepper.key").read_bytes() != ready.instance.pepper

    fresh = [enrol_again(account) for account in ready.members[TEAM]]
    bring_back(ready, opened_by(ready, *ready.custody.sheets[:2])[TEAM], fresh, clock.now)
    compare(fresh[0])
    assert narrative(ready, fresh[0], before.reference, clock.now) == "geheim woord"


def test_without_pepper_or_server_key_nothing_starts_and_nothing_is_made_in_its_place(ready):
    from weerbaar_meldpunt.actions.errors import InstanceFault
    from weerbaar_meldpunt.actions.instance import open_instance

    folder = ready.instance.settings.instance
    for name in ("pepper.key", "server.key"):
        away = (folder / name).rename(folder / f"{name}.weg")
        with pytest.raises(InstanceFault, match=name):
            open_instance(ready.instance.settings)
        assert not (folder / name).exists()
        away.rename(folder / name)
        (folder / name).write_bytes(b"te kort")
        with pytest.raises(InstanceFault, match="32 bytes"):
            open_instance(ready.instance.settings)
        assert (folder / name).read_bytes() == b"te kort"
        (folder / name).unlink()
        (folder / name).write_bytes(b"\1" * 32)


def test_another_server_key_costs_names_mail_and_the_trail_and_no_case_key(ready, file, clock):
    """Costs: who has an account, mails, the proof of the trail. Custodians' shares and pins do not hang from it."""
    from weerbaar_meldpunt.vault.keys import ServerKeys

    file(REPORT)
    ready.instance.server = ServerKeys(b"\2" * 32)

    found = opened_by(ready, *ready.custody.sheets[:2])

    assert all(one.ring and not one.altered for one in found.values())
    with ready.instance.readings() as session:
        circle = recovering.circle_of(session, ready.instance)
    assert {keeper.name for keeper in circle.keepers} == {"?"}
    assert all(keeper.pinned for keeper in circle.keepers)


def test_somebody_who_was_switched_off_is_not_offered(ready):
    gone = ready.second(TEAM)
    with ready.instance.sessions.begin() as session:
        session.execute(update(User).where(User.id == gone.user_id).values(state=accounts.DISABLED))

    with ready.instance.readings() as session:
        offered = {row.user_id for row in recovering.candidates(session, ready.instance, TEAM)}
    assert offered == {ready.first(TEAM).user_id}
