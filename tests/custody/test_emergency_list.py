"""The emergency list: whom to call about open cases that cannot wait; never an address, and for nobody else."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.actions_work.conftest import Desk
from weerbaar_meldpunt.actions import closing, emergency, emergency_file, emergency_gaps, recovering
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.verifying import verify
from weerbaar_meldpunt.jobs.clock import Clock
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.custody import Emergency, EmergencyGrant
from weerbaar_meldpunt.store.people import TeamEpoch
from weerbaar_meldpunt.vault.derive import new_id, new_key
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding, SealKey, seal_json
from weerbaar_meldpunt.vault.wrap import Grant, wrap

TEAM = "ondersteuning"
ADDRESS, NAME, NUMBER = "Kanarieplein 7, Delft", "Rosa Zonnebloem", "0612345678"
URGENT = {
    "target": {"role": "raadslid"},
    "incident": {"kinds": ["doxing"]},
    "contact": {
        "name": NAME, "telephone": NUMBER, "safe_hours": [{"from": "18:00", "to": "22:00"}], "night_call": False,
        "mail": "rosa@voorbeeld.test",
    },
    "private": {"home_address": ADDRESS},
}  # fmt: skip
CAN_WAIT = {"target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"]}, "preventive": True}


@pytest.fixture
def desk(ready, file, clock):
    return Desk(ready, file, clock.now, [])


def entries(ready):
    with ready.instance.readings() as session:
        return session.scalar(select(func.count()).select_from(Emergency))


def listed(ready, account, team=TEAM):
    with ready.instance.readings() as session:
        return emergency.open_list(session, ready.instance, account.person, team)


def references(ready, account, team=TEAM):
    return [one.reference for one in listed(ready, account, team).entries]


# --- what stands on it ---------------------------------------------------------------------------------------------


def test_a_case_that_cannot_wait_is_on_the_list_of_each_team_that_has_it(ready, desk):
    filed = desk.file(URGENT)
    assert filed.answer["urgency"] in emergency.LISTED
    everywhere = desk.file(
        URGENT | {"incident": {"kinds": ["stalking"], "concrete_threat": True}, "legal": {"kind": "kort_geding"},
                  "target": {"role": "burgemeester", "organisation": "GM0363"}}
    )  # fmt: skip

    assert set(references(ready, ready.first(TEAM))) == {filed.reference, everywhere.reference}
    for team in everywhere.teams:
        assert everywhere.reference in references(ready, ready.first(team), team)
    only = next(one for one in listed(ready, ready.first(TEAM)).entries if one.reference == filed.reference)
    assert (only.name, only.telephone, only.safe_hours, only.night_call) == (
        NAME, NUMBER, (("18:00", "22:00"),), False,
    )  # fmt: skip


def test_one_that_can_wait_is_not(ready, desk):
    assert desk.file(CAN_WAIT).answer["urgency"] not in emergency.LISTED
    assert entries(ready) == 0


def test_no_address_and_no_mail_stands_on_it(ready, desk):
    desk.file(URGENT)

    with ready.instance.readings() as session:
        row = session.scalars(select(Emergency)).one()
        grants = session.scalars(select(EmergencyGrant)).all()
    pairs = {keys.pair.public.key_id: keys.pair for keys in ready.first(TEAM).person.teams[TEAM]}
    document = emergency._opened(row.id, row.sealed, [(one.recipient, one.wrapped) for one in grants], pairs)
    assert set(document) == {
        "reference", "urgency", "name", "telephone", "safe_hours", "night_call", "barred"
    }  # fmt: skip
    assert ADDRESS not in str(document)
    assert "rosa@" not in str(document)


def test_it_goes_when_the_last_track_closes_and_comes_back_when_the_case_is_reopened(ready, desk):
    member, filed = ready.second(TEAM), desk.file(URGENT)
    desk.finish(member, filed.reference)
    assert entries(ready) == 0

    desk.do(member, filed.reference, closing.reopen, "Er kwam een nieuwe dreiging.")

    assert references(ready, ready.first(TEAM)) == [filed.reference]


def test_it_stays_as_long_as_another_team_works_on_the_case(ready, desk):
    document = URGENT | {
        "target": {"role": "burgemeester", "organisation": "GM0363"}, "legal": {"kind": "kort_geding"}
    }  # fmt: skip
    filed = desk.file(document)
    assert {TEAM, "juridisch"} <= set(filed.teams)

    desk.finish(ready.second(TEAM), filed.reference)

    assert filed.reference in references(ready, ready.first("juridisch"), "juridisch")


def test_the_trail_still_verifies_whatever_happened_to_the_list(ready, desk):
    member, filed = ready.second(TEAM), desk.file(URGENT)
    desk.finish(member, filed.reference)
    desk.do(member, filed.reference, closing.reopen, "Opnieuw.")
    desk.file(URGENT)

    with ready.instance.readings() as session:
        verdict = verify(session, ready.instance)
    assert verdict.first is None, verdict


# --- who opens it --------------------------------------------------------------------------------------------------


def test_only_a_coordinator_of_the_team_opens_it(ready, desk):
    desk.file(URGENT)

    for account in (ready.second(TEAM), ready.first("juridisch"), ready.editors[0], ready.people.beheerder()):
        with pytest.raises(NotAllowed), ready.instance.readings() as session:
            emergency.open_list(session, ready.instance, account.person, TEAM)


def test_whom_the_reporter_does_not_want_does_not_see_the_line(ready, desk):
    name = ready.first(TEAM).person.name
    desk.file(URGENT | {"barred_member": name})

    found = listed(ready, ready.first(TEAM))

    assert (found.entries, found.barred) == ((), 1)


def test_a_planted_entry_is_a_gap_and_never_a_number_to_call(ready, desk, clock, alarms):
    """Anybody can seal to a team's public key: the trail says who did."""
    filed = desk.file(URGENT)
    with ready.instance.sessions.begin() as session:
        case_id = session.scalar(select(Case.id).where(Case.reference == filed.reference))
        team = ready.instance.sealing_keys(session, "team", (TEAM,))[TEAM]
        entry, key = session.scalars(select(Emergency)).one(), new_key()
        document = {
            "reference": filed.reference, "urgency": "acuut", "name": NAME, "telephone": "0699999999",
            "safe_hours": [], "night_call": None, "barred": None,
        }  # fmt: skip
        entry.sealed = seal_json(SealKey(key), document, Binding("emergency", None, entry.id, 0))
        session.get(EmergencyGrant, (entry.id, team.key_id)).wrapped = wrap(team, key, Grant("entry", entry.id))
        assert case_id

    found = listed(ready, ready.first(TEAM))
    assert (found.entries, found.unreadable) == ((), 1)
    Clock(ready.instance, moment=clock).keep_list()
    assert (emergency.DAMAGED, entry.id.hex()) in alarms()


def test_an_entry_that_was_put_in_beside_the_others_is_a_gap(ready, desk):
    waiting = desk.file(CAN_WAIT)
    with ready.instance.sessions.begin() as session:
        case_id = session.scalar(select(Case.id).where(Case.reference == waiting.reference))
        team = ready.instance.sealing_keys(session, "team", (TEAM,))[TEAM]
        entry, key = new_id(), new_key()
        sealed = seal_json(SealKey(key), {"reference": "X"}, Binding("emergency", None, entry, 0))
        session.add(Emergency(id=entry, case_id=case_id, sealed=sealed))
        session.flush()
        wrapped = wrap(team, key, Grant("entry", entry))
        session.add(EmergencyGrant(entry_id=entry, recipient=team.key_id, wrapped=wrapped))

    found = listed(ready, ready.first(TEAM))
    assert (found.entries, found.unreadable) == ((), 1)


def changed_wrap(ready, recipient):
    """Somebody writes another key in the wrap of one recipient, and nothing else."""
    with ready.instance.sessions.begin() as session:
        entry = session.scalars(select(Emergency)).one()
        session.get(EmergencyGrant, (entry.id, recipient.key_id)).wrapped = wrap(
            recipient, new_key(), Grant("entry", entry.id)
        )
        return entry.id


def test_a_changed_or_planted_wrap_of_another_takes_the_entry_from_nobody_else(ready, desk, clock):
    filed = desk.file(URGENT)
    with ready.instance.readings() as session:
        recovery = ready.instance.house_key(session, "recovery")
        team = ready.instance.sealing_keys(session, "team", (TEAM,))[TEAM]
    entry = changed_wrap(ready, recovery)
    stranger = TeamKeys("juridisch", 9, new_key()).pair.public
    with ready.instance.sessions.begin() as session:
        wrapped = wrap(stranger, new_key(), Grant("entry", entry))
        session.add(EmergencyGrant(entry_id=entry, recipient=stranger.key_id, wrapped=wrapped))

    assert references(ready, ready.first(TEAM)) == [filed.reference]
    write(ready, clock.now)
    (path,) = emergency_file.files(ready.instance.settings.instance)
    ((written, _sealed, wraps),) = emergency_file.read_file(path)["entries"]
    assert written == entry.hex()
    assert [recipient for recipient, _wrapped in wraps] == [team.key_id.hex()]


def test_a_changed_wrap_is_a_gap_for_the_team_it_is_of(ready, desk):
    desk.file(URGENT)
    with ready.instance.readings() as session:
        team = ready.instance.sealing_keys(session, "team", (TEAM,))[TEAM]
    changed_wrap(ready, team)

    found = listed(ready, ready.first(TEAM))

    assert (found.entries, found.unreadable) == ((), 1)


# --- the page ------------------------------------------------------------------------------------------------------


def test_the_page_shows_names_and_numbers_and_notes_who_opened_it(ready, desk, app, sign_in, clock):
    filed, coordinator = desk.file(URGENT), ready.first(TEAM)
    client = sign_in(app.test_client(), coordinator)

    answer = client.get(f"/noodlijst/{TEAM}")

    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    for word in (NAME, NUMBER, filed.reference, "18:00"):
        assert word in text
    assert ADDRESS not in text
    with ready.instance.readings() as session:
        opened = list(session.scalars(select(Leaf.actor).where(Leaf.action == emergency.OPENED)))
    assert opened == [coordinator.user_id]


def test_the_page_asks_for_the_second_factor_again_after_five_minutes(ready, desk, app, sign_in, clock):
    desk.file(URGENT)
    client = sign_in(app.test_client(), ready.first(TEAM))
    clock.forward(minutes=6)

    answer = client.get(f"/noodlijst/{TEAM}")

    assert answer.status_code == 303
    with ready.instance.readings() as session:
        assert session.scalar(select(Leaf.seq).where(Leaf.action == emergency.OPENED)) is None


def test_there_is_no_such_page_for_anybody_else(ready, app, sign_in):
    for account in (ready.second(TEAM), ready.first("juridisch")):
        assert sign_in(app.test_client(), account).get(f"/noodlijst/{TEAM}").status_code == 404


def test_an_empty_list_says_so(ready, app, sign_in):
    text = sign_in(app.test_client(), ready.first(TEAM)).get(f"/noodlijst/{TEAM}").get_data(as_text=True)

    assert "Er is geen open zaak met spoed" in text


def test_after_a_backup_was_put_back_the_coordinator_fills_the_list_again(ready, desk, app, sign_in, form_token):
    filed, waiting = desk.file(URGENT), desk.file(CAN_WAIT)
    with ready.instance.sessions.begin() as session:  # what no backup holds
        for row in (*session.scalars(select(EmergencyGrant)), *session.scalars(select(Emergency))):
            session.delete(row)
            session.flush()
    with ready.instance.readings() as session:
        assert emergency_gaps.missing(session, TEAM) == [filed.reference]
    client = sign_in(app.test_client(), ready.first(TEAM))
    assert "De lijst is niet compleet" in client.get(f"/noodlijst/{TEAM}").get_data(as_text=True)

    token = form_token(client, f"/noodlijst/{TEAM}")
    answer = client.post(f"/noodlijst/{TEAM}/aanvullen", data={"csrf_token": token}, follow_redirects=True)

    text = answer.get_data(as_text=True)
    assert NUMBER in text
    assert "De lijst is niet compleet" not in text
    assert waiting.reference not in text


# --- the file of the day, without the program ----------------------------------------------------------------------


def write(ready, now, **more):
    with ready.instance.readings() as session:
        emergency_file.write_file(session, ready.instance, now=now, **more)


def test_the_clock_writes_a_sealed_file_a_day_and_keeps_two(ready, desk, clock):
    desk.file(URGENT)
    folder = ready.instance.settings.instance
    for _ in range(3):
        Clock(ready.instance, moment=clock, wall=clock).keep_list()
        clock.forward(days=1)
        with ready.instance.sessions.begin() as session:  # a day passed, and the clock was there all the time
            from weerbaar_meldpunt.store.tracks import Pulse

            for pulse in session.scalars(select(Pulse)):
                pulse.seen_at = clock.now
    write(ready, clock.now)

    names = [path.name for path in emergency_file.files(folder)]
    assert names == [f"emergency-{clock.now - timedelta(days=1):%Y-%m-%d}", f"emergency-{clock.now:%Y-%m-%d}"]
    for path in emergency_file.files(folder):
        content = path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
        for plain in (NAME, NUMBER, ADDRESS):
            assert plain.encode() not in content
            assert plain.encode().hex().encode() not in content


def test_while_the_time_cannot_be_believed_no_file_goes(ready, clock):
    for days in (0, 1, 2):
        write(ready, clock.now + timedelta(days=days), may_delete=False)

    assert len(emergency_file.files(ready.instance.settings.instance)) == 3


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 3), (3, 1)])
def test_two_custodians_open_it_when_the_database_is_gone(ready, desk, call, clock, first, second):
    filed = desk.file(URGENT)
    write(ready, clock.now)
    folder = ready.instance.settings.instance
    ready.instance.engine.dispose()
    for path in folder.glob("meldpunt.sqlite*"):
        path.rename(path.with_name(f"weg-{path.name}"))
    (folder / "meldpunt.sqlite").mkdir()  # nothing opens there
    one, two = ready.custody.sheets[first - 1], ready.custody.sheets[second - 1]

    answer = call("vault", "recover", "--emergency", given=f"{first}\ny\n{one.code}\n{second}\ny\n{two.code}\n")

    assert answer.status == 0, answer.err
    for word in (filed.reference, NAME, NUMBER, "18:00-22:00", "not at night", one.name):
        assert word in answer.out
    assert ADDRESS not in answer.out
    assert "write down yourself" in answer.err


def test_opened_beside_a_living_database_it_stands_in_the_trail_and_alarms(ready, desk, call, clock, alarms):
    desk.file(URGENT)
    write(ready, clock.now)
    one, two = ready.custody.sheets[:2]

    answer = call("vault", "recover", "--emergency", given=f"1\ny\n{one.code}\n2\ny\n{two.code}\n")

    assert answer.status == 0, answer.err
    assert emergency.OPENED in {kind for kind, _ in alarms()}


def test_one_custodian_or_a_wrong_code_opens_no_list(ready, desk, call, clock):
    desk.file(URGENT)
    write(ready, clock.now)
    one, two = ready.custody.sheets[:2]

    for given in (f"1\ny\n{one.code}\n1\n", f"1\ny\n{two.code}\n2\ny\n{two.code}\n"):
        answer = call("vault", "recover", "--emergency", given=given)
        assert answer.status != 0
        assert NUMBER not in answer.out + answer.err


def test_a_damaged_file_is_refused_and_a_changed_entry_counted(ready, desk, call, clock):
    desk.file(URGENT)
    write(ready, clock.now)
    (path,) = emergency_file.files(ready.instance.settings.instance)
    text = path.read_text()
    one, two = ready.custody.sheets[:2]
    given = f"1\ny\n{one.code}\n2\ny\n{two.code}\n"
    document = emergency_file.read_file(path)
    sealed = document["entries"][0][1]
    path.write_text(text.replace(sealed, sealed[:-2] + ("00" if sealed[-2:] != "00" else "11")))

    changed = call("vault", "recover", "--emergency", given=given)
    assert changed.status == 0
    assert NUMBER not in changed.out
    assert "1 entries do not open" in changed.err
    path.write_text(text[:-20])
    assert call("vault", "recover", "--emergency", given=given).status == 1


# --- keys that change ----------------------------------------------------------------------------------------------


def next_key(ready, clock):
    """Bring the team back with two custodians: its next key, signed and pinned; answers the old one and the new."""
    with ready.instance.readings() as session:
        circle = recovering.circle_of(session, ready.instance)
    opened = recovering.open_recovery(circle, {one.id: one.code for one in ready.custody.sheets[:2]})
    with ready.instance.readings() as session:
        found = next(one for one in recovering.find_rings(session, ready.instance, opened) if one.group == TEAM)
    members = {one.user_id: one.person.pair.public.fingerprint for one in ready.members[TEAM]}
    with ready.instance.sessions.begin() as session:
        key = recovering.restore_group(session, ready.instance, found, members, now=clock.now)
    ready.instance.write_pins(ready.instance.pins().with_sealing(key))
    return found.ring[0].pair.public, key


def wraps(ready):
    with ready.instance.readings() as session:
        return {one.recipient: one.wrapped for one in session.scalars(select(EmergencyGrant))}


def test_entries_follow_a_team_to_its_next_key_and_a_new_recovery(ready, desk, clock, compare, sign_in, app):
    """After a team was brought back, its members move the list at their next sign-in."""
    filed, member = desk.file(URGENT), ready.first(TEAM)
    old, key = next_key(ready, clock)
    assert references(ready, member) == [filed.reference]

    sign_in(app.test_client(), member)

    assert old.key_id not in wraps(ready)
    assert key.key_id in wraps(ready)
    assert references(ready, member) == [filed.reference]


def test_no_entry_moves_to_a_key_that_the_member_does_not_believe(ready, desk, clock, sign_in, app):
    """Whoever writes the pin file and the database must not get the numbers at somebody's sign-in."""
    filed, member = desk.file(URGENT), ready.first(TEAM)
    next_key(ready, clock)
    planted = TeamKeys(TEAM, 3, new_key()).pair.public
    with ready.instance.sessions.begin() as session:
        session.add(TeamEpoch(kind="team", team=TEAM, epoch=3, public_key=planted.raw, made_at=clock.now))
    ready.instance.write_pins(ready.instance.pins().with_sealing(planted))
    before = wraps(ready)

    client = sign_in(app.test_client(), member)

    assert wraps(ready) == before
    assert references(ready, member) == [filed.reference]
    assert client.get(f"/noodlijst/{TEAM}").status_code == 200


def test_no_entry_leaves_the_old_key_while_its_wrap_to_the_next_one_was_planted(
    ready, desk, clock, sign_in, app, alarms
):
    filed, member = desk.file(URGENT), ready.first(TEAM)
    old, key = next_key(ready, clock)
    with ready.instance.sessions.begin() as session:
        entry = session.scalars(select(Emergency.id)).one()
        wrapped = wrap(key, new_key(), Grant("entry", entry))
        session.add(EmergencyGrant(entry_id=entry, recipient=key.key_id, wrapped=wrapped))

    sign_in(app.test_client(), member)

    assert old.key_id in wraps(ready)
    assert references(ready, member) == [filed.reference]
    assert (emergency.DAMAGED, entry.hex()) in alarms()
