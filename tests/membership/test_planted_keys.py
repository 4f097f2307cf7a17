"""T12: what a writer of the database or of the pin file puts there is refused, and alarms; everything else goes on."""

import pytest
from sqlalchemy import delete, func, select, update

from weerbaar_meldpunt.actions import epochs, pinning, teamkeys
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.store.people import Roster, TeamEpoch, TeamGrant, User
from weerbaar_meldpunt.vault.keys import TeamKeys, user_key_pair
from weerbaar_meldpunt.vault.seal import Binding, seal_json
from weerbaar_meldpunt.vault.wrap import Grant, epoch_statement, sign, wrap

TEAM = "ondersteuning"
REPORT = {"target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"]}}


# --- what a writer of the database tries ---------------------------------------------------------------------------


def test_a_planted_team_grant_is_refused_and_alarms_and_the_rest_goes_on(life):
    other = life.ready.people.staff(("behandelaar", TEAM), ("behandelaar", "juridisch"))
    life.ready.people.admit(life.second, other, TEAM)
    life.ready.people.admit(life.ready.second("juridisch"), other, "juridisch")
    evil = TeamKeys(TEAM, 1, b"\x09" * 32)
    key = other.person.pair.public
    with life.instance.sessions.begin() as session:
        session.execute(
            update(TeamGrant)
            .where(TeamGrant.member_id == other.user_id, TeamGrant.team == TEAM)
            .values(grantor=b"", wrapped=wrap(key, evil.secret, Grant("team_grant", TEAM, None, 1, b"")))
        )

    person = other.person
    assert list(person.teams) == ["juridisch"]
    assert person.refused == (f"team/{TEAM}/1",)
    life.arrive(other)
    assert (teamkeys.GRANT_PLANTED, f"team/{TEAM}/1 {other.user_id.hex()}") in life.alarms()
    assert list(other.person.teams) == ["juridisch"]


def signed_by_leaver(leaver, secret=b"\x09" * 32):
    """Whoever held an epoch can sign the next one."""
    evil = TeamKeys(TEAM, 2, secret)
    statement = epoch_statement("team", TEAM, 2, evil.pair.public.fingerprint)
    return evil, sign(leaver.kept.teams[TEAM][-1].sign_seed, statement)


@pytest.mark.parametrize("signed", [True, False], ids=["signed by a leaver", "unsigned"])
def test_a_planted_epoch_is_not_offered_at_the_console_and_alarms(life, leaver, signed):
    evil, signature = signed_by_leaver(leaver)
    with life.instance.sessions.begin() as session:
        session.add(
            TeamEpoch(
                kind="team", team=TEAM, epoch=2, public_key=evil.pair.public.raw, made_at=life.now,
                signature=signature if signed else None,
            )
        )  # fmt: skip

    assert life.pin() == []
    life.watch()
    assert (epochs.KEY_PLANTED, f"team/{TEAM}/2") in life.alarms()


def test_a_planted_epoch_makes_way_for_the_true_one(life, leaver):
    evil, signature = signed_by_leaver(leaver)
    with life.instance.sessions.begin() as session:
        session.add(
            TeamEpoch(
                kind="team", team=TEAM, epoch=2, public_key=evil.pair.public.raw, made_at=life.now, signature=signature
            )
        )

    made = life.next_key()

    assert epochs.KEY_PLANTED in life.alarm_kinds()
    assert life.pin() == [made]


def test_an_epoch_in_the_pin_file_that_the_one_before_did_not_sign_waits_for_a_comparison(life):
    evil = TeamKeys(TEAM, 2, b"\x09" * 32)
    with life.instance.sessions.begin() as session:
        session.add(TeamEpoch(kind="team", team=TEAM, epoch=2, public_key=evil.pair.public.raw, made_at=life.now))
    life.instance.write_pins(life.instance.pins().with_sealing(evil.pair.public))

    life.arrive(life.first)

    assert f"team/{TEAM}/2" not in life.first.person.pins
    assert list(life.first.person.teams[TEAM])[-1].epoch == 1


def test_a_verify_key_that_is_swapped_in_the_database_vouches_for_nobody(life):
    """The verify key is part of the fingerprint: with another one the row is not the pinned key any more."""
    evil = TeamKeys(TEAM, 1, b"\x09" * 32)
    after = TeamKeys(TEAM, 2, b"\x0a" * 32)
    statement = epoch_statement("team", TEAM, 2, after.pair.public.fingerprint)
    with life.instance.sessions.begin() as session:
        row = session.get_one(TeamEpoch, ("team", TEAM, 1))
        row.public_key = row.public_key[:1216] + evil.pair.public.verify_key
        session.add(
            TeamEpoch(
                kind="team", team=TEAM, epoch=2, public_key=after.pair.public.raw, made_at=life.now,
                signature=sign(evil.sign_seed, statement),
            )
        )  # fmt: skip
    life.instance.write_pins(life.instance.pins().with_sealing(after.pair.public))

    life.arrive(life.first)
    life.watch()

    assert f"team/{TEAM}/2" not in life.first.person.pins
    assert (epochs.KEY_PLANTED, f"team/{TEAM}/1") in life.alarms()


def plant_on_list(life, how):
    """Somebody who writes the database wants a key of their own on the team's list."""
    from weerbaar_meldpunt.actions.people import seal_user
    from weerbaar_meldpunt.store.people import Role

    evil = user_key_pair(b"\x06" * 32, b"\x66" * 16, 1).public
    keys = life.first.person.teams[TEAM][-1]
    with life.instance.sessions.begin() as session:
        user = User(
            id=b"\x66" * 16, login_lookup=bytes(32), state="actief", revision=1, key_number=1, public_key=evil.raw,
            sealed=seal_user(life.instance, b"\x66" * 16, 1, "x", "X"),
        )  # fmt: skip
        session.add(user)
        session.flush()
        session.add(Role(user_id=user.id, role="behandelaar", team=TEAM))
        row = session.get_one(Roster, ("team", TEAM, 1))
        if how == "sealed by a leaver":
            document = [[b"\x66".hex() * 16, 1, evil.fingerprint.hex()]]
            row.sealed = seal_json(keys.key("roster"), document, Binding("roster", TEAM, None, row.revision))
        elif how == "deleted":
            session.execute(delete(Roster).where(Roster.team == TEAM))
        else:
            row.sealed = b"x" * len(row.sealed)


@pytest.mark.parametrize("how", ["sealed by a leaver", "deleted", "other bytes"])
def test_a_list_of_members_that_the_program_did_not_write_is_refused(life, leaver, how):
    plant_on_list(life, how)

    with pytest.raises(pinning.Planted) as refused:
        life.next_key()

    assert refused.value.alarm == "ledenlijst_gewijzigd"
    with life.instance.readings() as session:
        assert session.scalar(select(func.count()).where(TeamEpoch.team == TEAM)) == 1


def test_an_older_list_that_is_put_back_is_refused(life):
    with life.instance.readings() as session:
        older = session.get_one(Roster, ("team", TEAM, 1))
        kept = (older.revision, older.sealed)
    third = life.third()
    life.change(third, None)
    with life.instance.sessions.begin() as session:
        row = session.get_one(Roster, ("team", TEAM, 1))
        row.revision, row.sealed = kept

    with pytest.raises(pinning.Planted):
        life.next_key()


def test_a_members_key_that_was_swapped_in_the_database_gets_nothing_and_alarms(life, leaver):
    life.compare(life.first, life.second)
    evil = user_key_pair(b"\x06" * 32, life.second.user_id, 1).public
    with life.instance.sessions.begin() as session:
        session.execute(update(User).where(User.id == life.second.user_id).values(public_key=evil.raw))

    with pytest.raises(pinning.Planted) as refused:
        life.make_next(life.first)

    assert refused.value.alarm == epochs.FINGERPRINT_CHANGED


# --- the pin file --------------------------------------------------------------------------------------------------


def rewrite_pins(life, change):
    from weerbaar_meldpunt.vault.pins import Pins

    life.instance.write_pins(Pins.parse(change(life.instance.pins().text())))


def test_a_pin_that_was_changed_alarms_and_is_not_taken_over(life):
    mine = life.first.person.pins[f"team/{TEAM}/1"]
    rewrite_pins(life, lambda text: text.replace(mine, "ab" * 32))

    life.arrive(life.first)

    assert (pinning.PIN_CHANGED, f"team/{TEAM}/1") in life.alarms()
    assert life.first.person.pins[f"team/{TEAM}/1"] == mine
    with pytest.raises(pinning.Planted):
        life.make_next(life.first)


def test_a_pin_that_vanished_alarms(life):
    rewrite_pins(life, lambda text: "".join(line for line in text.splitlines(True) if "beveiliging" not in line))

    life.arrive(life.first)

    assert life.alarms() == {(pinning.PIN_CHANGED, "team/beveiliging/1")}
    assert list(life.first.person.teams) == [TEAM]


def test_a_new_pin_that_nobody_vouches_for_waits_for_a_comparison_without_an_alarm(life):
    stranger = TeamKeys("vierde", 1, b"\x05" * 32).pair.public
    life.instance.write_pins(life.instance.pins().with_sealing(stranger))

    life.arrive(life.first)
    assert "team/vierde/1" not in life.first.person.pins
    assert life.alarms() == set()

    life.ready.people.adopt(life.first)
    assert life.first.person.pins["team/vierde/1"] == stranger.fingerprint.hex()


def test_nothing_is_pinned_when_the_file_changed_while_they_telephoned(life):
    shown = life.instance.pins().digest
    life.instance.write_pins(life.instance.pins().with_sealing(TeamKeys("vierde", 1, b"\x05" * 32).pair.public))

    with pytest.raises(NotAllowed, match="sleutels_veranderd"), life.instance.sessions.begin() as session:
        pinning.accept(
            session, life.instance, life.first.user_id, life.first.root, digest=shown, now=life.now
        )  # fmt: skip


def test_while_a_pin_is_another_than_before_nothing_new_is_pinned(life):
    mine = life.first.person.pins[f"team/{TEAM}/1"]
    rewrite_pins(life, lambda text: text.replace(mine, "ab" * 32))

    with pytest.raises(pinning.Planted):
        life.ready.people.adopt(life.first)


def test_colleagues_with_the_same_pins_read_the_same_digest_to_each_other(life):
    digests = {pinning.digest_of(account.person.pins) for account in (life.first, life.second)}

    assert digests == {life.instance.pins().digest}
