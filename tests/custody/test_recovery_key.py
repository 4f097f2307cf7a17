"""T12: RECOVERY is made for three pinned custodians; no single one opens anything; planted keys are refused."""

from itertools import permutations

import pytest
from sqlalchemy import delete, select, update

from weerbaar_meldpunt.actions import custodian_links, custodians, custody_check, recovering
from weerbaar_meldpunt.actions.custodians import BACKUP, RECOVERY
from weerbaar_meldpunt.actions.demonstration_custody import make_sheet
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.instance import readiness
from weerbaar_meldpunt.actions.recovering import RecoveryRefused
from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.custody import Custodian, HouseKey, RecoveryGrant, RecoveryPair
from weerbaar_meldpunt.vault.codes import read_code
from weerbaar_meldpunt.vault.derive import new_key
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import PAIRS, custodian_key_pair, house_key_pair
from weerbaar_meldpunt.vault.wrap import Grant, unwrap


def open_with(ready, *sheets):
    with ready.instance.readings() as session:
        circle = recovering.circle_of(session, ready.instance)
    return recovering.open_recovery(circle, {sheet.id: sheet.code for sheet in sheets})


@pytest.mark.parametrize("places", list(permutations((0, 1, 2), 2)))
def test_any_two_custodians_open_the_pinned_key_and_in_any_order(ready, places):
    opened = open_with(ready, *(ready.custody.sheets[place] for place in places))

    pin = ready.instance.pins().sealing(RECOVERY, ready.instance.id.hex())
    assert [pair.public.fingerprint for pair in opened.values()] == [pin.fingerprint]


def test_one_custodian_opens_nothing_whatever_rows_they_have(ready):
    """With every row of the database and their own code, a custodian gets the random halves of their own pairs only."""
    for sheet in ready.custody.sheets:
        own = custodian_key_pair(read_code(sheet.code), ready.instance.id, sheet.id)
        with ready.instance.readings() as session:
            pairs = session.scalars(select(RecoveryPair)).all()
            grants = session.scalars(select(RecoveryGrant)).all()
        halves = []
        for row in pairs:
            grant = Grant("custodian", row.pair, None, row.epoch)
            for wrapped in (row.lower_wrapped, row.higher_wrapped):
                try:
                    halves.append(unwrap(own, wrapped, grant))
                except Onleesbaar:
                    continue
        assert len(halves) == 2
        for row in pairs:
            for first in halves:
                for second in halves:
                    with pytest.raises(Onleesbaar):
                        recovering.open_key(
                            recovering.pair_key(row.pair, first, second),
                            row.sealed,
                            recovering.Binding("recovery", None, row.pair, row.epoch),
                        )
        for row in grants:
            with pytest.raises(Onleesbaar):
                unwrap(own, row.wrapped, Grant("recovery_grant", row.team, None, row.epoch, row.grantor))


def test_one_custodian_twice_is_not_two(ready):
    first = ready.custody.sheets[0]

    with pytest.raises(RecoveryRefused, match="two different"):
        open_with(ready, first, first)


def test_the_code_of_another_and_what_is_no_code_are_refused_by_name(ready):
    first, second, third = ready.custody.sheets
    with ready.instance.readings() as session:
        circle = recovering.circle_of(session, ready.instance)

    with pytest.raises(RecoveryRefused, match=first.name.split(" (")[0]):
        recovering.open_recovery(circle, {first.id: third.code, second.id: second.code})
    with pytest.raises(RecoveryRefused, match="no code"):
        recovering.open_recovery(circle, {first.id: "dit is geen code", second.id: second.code})


@pytest.mark.parametrize("column", ["lower_wrapped", "higher_wrapped", "sealed"])
def test_an_altered_share_is_refused_and_says_which(ready, column):
    with ready.instance.sessions.begin() as session:
        row = session.get(RecoveryPair, (1, "12"))
        content = bytearray(getattr(row, column))
        content[-1] ^= 1
        setattr(row, column, bytes(content))

    with pytest.raises(RecoveryRefused, match="recovery/1/12") as refused:
        open_with(ready, *ready.custody.sheets[:2])
    assert refused.value.altered == "recovery/1/12"
    assert open_with(ready, *ready.custody.sheets[1:])  # the other pairs are what they were


def test_shares_that_were_swapped_between_pairs_open_nothing(ready):
    with ready.instance.sessions.begin() as session:
        a, b = session.get(RecoveryPair, (1, "12")), session.get(RecoveryPair, (1, "13"))
        a.sealed, b.sealed = b.sealed, a.sealed

    for sheets in (ready.custody.sheets[:2], (ready.custody.sheets[0], ready.custody.sheets[2])):
        with pytest.raises(RecoveryRefused):
            open_with(ready, *sheets)


def test_a_seed_that_somebody_else_shared_is_not_the_pinned_key(ready, clock):
    """A writer of the database can make shares for the custodians' public keys: they open, and are refused."""
    with ready.instance.sessions.begin() as session:
        session.execute(delete(RecoveryPair))
        session.execute(delete(HouseKey).where(HouseKey.kind == RECOVERY))
        ours = ready.instance.pins().text()
        try:  # what the writer's own copy of the program would do, without our pin file
            ready.instance.write_pins(type(ready.instance.pins())(tuple(
                pin for pin in ready.instance.pins().lines if pin.kind != RECOVERY
            )))  # fmt: skip
            custodians.make_recovery(session, ready.instance, now=clock.now)
        finally:
            (ready.instance.settings.instance / "pins").write_text(ours)

    with pytest.raises(RecoveryRefused, match="not the pinned key"):
        open_with(ready, *ready.custody.sheets[:2])


def test_an_altered_pin_of_a_custodian_is_refused(ready):
    path, sheet = ready.instance.settings.instance / "pins", ready.custody.sheets[0]
    text = path.read_text()
    line = next(line for line in text.splitlines() if sheet.id.hex() in line)
    words = line.split()
    words[3] = "00" * 32
    path.write_text(text.replace(line, " ".join(words)))

    with pytest.raises(RecoveryRefused, match="pin of"):
        open_with(ready, *ready.custody.sheets[:2])


# --- making it -----------------------------------------------------------------------------------------------------


def test_it_is_made_only_for_three_pinned_custodians(instance, clock):
    make_sheet(instance, "Een", "", now=clock.now)
    make_sheet(instance, "Twee", "", now=clock.now)

    with instance.sessions.begin() as session:
        assert not custodians.recovery_wanted(session, instance)
        with pytest.raises(NotAllowed, match="bewaarders_niet_compleet"):
            custodians.make_recovery(session, instance, now=clock.now)


def test_a_custodian_key_that_was_swapped_after_the_pin_is_refused_and_alarms(ready, clock, alarms):
    first = ready.custody.sheets[0]
    with ready.instance.sessions.begin() as session:
        fake = custodian_key_pair(b"0" * 26, ready.instance.id, first.id).public.raw
        session.execute(update(Custodian).where(Custodian.id == first.id).values(public_key=fake))

    with ready.instance.sessions.begin() as session:
        assert first.id not in {key.owner for key in custodians.circle(session, ready.instance).values()}
        with pytest.raises(NotAllowed):
            custodians.make_recovery(session, ready.instance, now=clock.now)
        custody_check.watch(session, ready.instance, now=clock.now)
    assert (custodians.DEVIATES, f"custodian/{first.id.hex()}") in alarms()


@pytest.mark.parametrize("kind", [RECOVERY, BACKUP])
def test_a_planted_key_of_the_house_is_never_wrapped_to_and_alarms(ready, clock, alarms, kind):
    fake = house_key_pair(new_key(), kind, ready.instance.id, 1).public.raw
    with ready.instance.sessions.begin() as session:
        session.execute(update(HouseKey).where(HouseKey.kind == kind).values(public_key=fake))
        ready.instance._keys.clear()
    with ready.instance.sessions.begin() as session:
        assert ready.instance.house_key(session, kind) is None
        if kind == RECOVERY:
            assert custodians.recovery_key(session, ready.instance, now=clock.now) is None
        custody_check.watch(session, ready.instance, now=clock.now)

    assert (custodians.DEVIATES, f"{kind}/1") in alarms()


def test_a_next_key_that_somebody_planted_is_thrown_away_when_the_true_one_is_made(ready, clock, alarms):
    fake = house_key_pair(new_key(), RECOVERY, ready.instance.id, 2).public.raw
    with ready.instance.sessions.begin() as session:
        session.add(HouseKey(kind=RECOVERY, epoch=2, public_key=fake, made_at=clock.now))
    with ready.instance.sessions.begin() as session:
        made = custodians.make_recovery(session, ready.instance, now=clock.now)

    assert made.epoch == 2
    assert made.raw != fake
    assert ("onbekende_sleutel", "recovery/2") in alarms()


def test_a_run_that_died_before_it_pinned_is_made_again(ready, clock):
    with ready.instance.sessions.begin() as session:
        lost = custodians.make_recovery(session, ready.instance, now=clock.now)  # and then nothing was pinned
    with ready.instance.sessions.begin() as session:
        made = custodians.make_recovery(session, ready.instance, now=clock.now)
    ready.instance.write_pins(ready.instance.pins().with_sealing(made))

    assert made.epoch == lost.epoch
    opened = open_with(ready, *ready.custody.sheets[:2])
    assert opened[2].public.fingerprint == made.fingerprint


# --- what members give to it ---------------------------------------------------------------------------------------


def test_every_team_and_the_statistics_stand_behind_it_from_their_founding(ready):
    with ready.instance.readings() as session:
        rows = session.scalars(select(RecoveryGrant)).all()

    assert {(row.kind, row.team) for row in rows} == {*(("team", team) for team in TEAMS), ("stats", "")}


def test_without_two_members_or_custodians_a_team_gets_no_cases(instance, people, clock):
    member = people.member("ondersteuning", coordinator=True)
    people.found(member, "ondersteuning")
    with instance.readings() as session:
        assert not readiness(session, instance, ("ondersteuning",))["ondersteuning"]
    people.admit(member, people.member("ondersteuning"), "ondersteuning")

    with instance.readings() as session:  # two members and a pinned key: recovery lacks still
        assert not readiness(session, instance, ("ondersteuning",))["ondersteuning"]


def test_a_team_that_is_older_than_recovery_gives_its_secret_at_the_next_sign_in(
    instance, people, clock, sign_in, app, compare
):
    from weerbaar_meldpunt.actions.demonstration_custody import make_custody

    member = people.member("ondersteuning", coordinator=True)
    people.found(member, "ondersteuning")
    people.admit(member, people.member("ondersteuning"), "ondersteuning")
    make_custody(instance, now=clock.now)
    sign_in(app.test_client(), member)
    with instance.readings() as session:
        # Whoever changed the pin file would get it: first the member compares.
        assert session.scalars(select(RecoveryGrant)).all() == []
    compare(member)

    sign_in(app.test_client(), member)

    with instance.readings() as session:
        (row,) = session.scalars(select(RecoveryGrant)).all()
        assert (row.kind, row.team, row.epoch, row.grantor) == ("team", "ondersteuning", 1, member.user_id)
        assert readiness(session, instance, ("ondersteuning",))["ondersteuning"]


def test_a_grant_that_somebody_planted_or_damaged_is_made_anew_and_alarms(ready, clock, alarms):
    member = ready.first("juridisch")
    key = ("team", "juridisch", 1, 1)
    with ready.instance.sessions.begin() as session:
        session.get(RecoveryGrant, key).wrapped = b"\0" * 1188
    from weerbaar_meldpunt.actions.ledger import Ledger

    with ready.instance.sessions.begin() as session:
        ledger = Ledger(session, ready.instance, now=clock.now)
        custodians.grant_to_recovery(
            session, ready.instance, ledger, member.person.teams["juridisch"][0], grantor=member.user_id
        )
        ledger.close(member.user_id, "herstel_toegekend", member.user_id)

    assert ("herstel_beschadigd", "team/juridisch/1") in alarms()
    opened = open_with(ready, *ready.custody.sheets[:2])
    with ready.instance.readings() as session:
        rings = {found.group: found for found in recovering.find_rings(session, ready.instance, opened)}
    assert rings["juridisch"].ring[0].secret == member.person.teams["juridisch"][0].secret


# --- one of them is replaced ---------------------------------------------------------------------------------------


def replace(ready, place, clock):
    """A custodian leaves, another follows, the console makes the next RECOVERY."""
    gone = ready.custody.sheets[place - 1]
    with ready.instance.sessions.begin() as session:
        custodian_links.dismiss(session, ready.instance, gone.id, now=clock.now)
    fresh = make_sheet(ready.instance, "De nieuwe bewaarder", "", now=clock.now)
    with ready.instance.sessions.begin() as session:
        assert custodians.recovery_wanted(session, ready.instance)
        key = custodians.make_recovery(session, ready.instance, now=clock.now)
    ready.instance.write_pins(ready.instance.pins().with_sealing(key))
    return gone, fresh


@pytest.mark.parametrize("place", [1, 2, 3])
def test_who_leaves_opens_nothing_any_more_and_the_other_two_still_do(ready, clock, place):
    gone = ready.custody.sheets[place - 1]
    rest = [sheet for sheet in ready.custody.sheets if sheet is not gone]
    with ready.instance.sessions.begin() as session:
        custodian_links.dismiss(session, ready.instance, gone.id, now=clock.now)

    for other in rest:
        with pytest.raises(RecoveryRefused):
            open_with(ready, gone, other)
    assert open_with(ready, *rest)


def test_after_a_replacement_members_give_everything_to_the_new_key_and_the_old_is_destroyed(
    ready, clock, compare, sign_in, app
):
    clock.forward(days=1)
    gone, fresh = replace(ready, 2, clock)
    members = [ready.first(team) for team in TEAMS] + [ready.editors[0]]
    for member in members[:-1]:
        compare(member)
        sign_in(app.test_client(), member)
    with ready.instance.readings() as session:  # one group did not follow yet: its old way back stands
        assert {row.recovery_epoch for row in session.scalars(select(RecoveryGrant))} == {1, 2}
        assert session.get(RecoveryPair, (1, "13")) is not None
    compare(members[-1])
    sign_in(app.test_client(), members[-1])

    with ready.instance.readings() as session:
        assert {row.recovery_epoch for row in session.scalars(select(RecoveryGrant))} == {2}
        assert {row.epoch for row in session.scalars(select(RecoveryPair))} == {2}
        assert {row.pair for row in session.scalars(select(RecoveryPair))} == set(PAIRS)
    first, _, third = ready.custody.sheets
    for pair in ((first, fresh), (fresh, third), (first, third)):
        opened = open_with(ready, *pair)
        with ready.instance.readings() as session:
            assert all(found.ring for found in recovering.find_rings(session, ready.instance, opened))
    with pytest.raises(RecoveryRefused):
        open_with(ready, first, gone)


def test_teams_are_asked_for_a_new_key_after_a_custodian_left(ready, clock):
    with ready.instance.readings() as session:
        assert custodians.teams_to_renew(session, ready.instance) == []
    clock.forward(days=1)
    replace(ready, 3, clock)

    with ready.instance.readings() as session:
        assert set(custodians.teams_to_renew(session, ready.instance)) == {
            *(("team", team) for team in TEAMS), ("stats", "")
        }  # fmt: skip


def test_what_was_destroyed_of_a_custodian_cannot_come_back_from_a_backup(ready, clock):
    from weerbaar_meldpunt.actions.tombstones import tombstone_of
    from weerbaar_meldpunt.store.audit import Tombstone

    gone = ready.custody.sheets[0]
    with ready.instance.readings() as session:
        theirs = [
            tombstone_of(row)
            for row in session.scalars(select(RecoveryPair))
            if gone.id in (row.lower_id, row.higher_id)
        ]
    with ready.instance.sessions.begin() as session:
        custodian_links.dismiss(session, ready.instance, gone.id, now=clock.now)

    with ready.instance.readings() as session:
        assert set(theirs) <= set(session.scalars(select(Tombstone.row_hash)))
    assert len(theirs) == 2


def test_somebody_who_left_is_not_back_because_the_database_says_so(ready, clock, alarms):
    """The pin of who left stays: a writer of the database and they together would be one of the three again."""
    gone, fresh = replace(ready, 1, clock)
    with ready.instance.sessions.begin() as session:
        session.execute(update(Custodian).where(Custodian.id == gone.id).values(state=custodians.KEYED))
        session.execute(update(Custodian).where(Custodian.id == fresh.id).values(state=custodians.LEFT))

    with ready.instance.sessions.begin() as session:
        assert gone.id not in {key.owner for key in custodians.circle(session, ready.instance).values()}
        assert not custodians.recovery_wanted(session, ready.instance)
        custody_check.watch(session, ready.instance, now=clock.now)
    assert (custodians.DEVIATES, f"custodian/{gone.id.hex()}") in alarms()


def test_planted_grants_do_not_make_the_true_ones_go(ready, clock, compare, sign_in, app, alarms):
    """Who plants grants to the next RECOVERY must not bring about that the ones that open are destroyed."""
    clock.forward(days=1)
    replace(ready, 2, clock)
    with ready.instance.sessions.begin() as session:
        for row in session.scalars(select(RecoveryGrant)).all():
            session.add(
                RecoveryGrant(kind=row.kind, team=row.team, epoch=row.epoch, recovery_epoch=2, wrapped=b"\1" * 1188)
            )
    member = ready.first("juridisch")
    compare(member)
    sign_in(app.test_client(), member)

    with ready.instance.sessions.begin() as session:
        rows = {(row.team, row.recovery_epoch): row for row in session.scalars(select(RecoveryGrant))}
        assert ("beveiliging", 1) in rows
        assert rows["juridisch", 2].wrapped != b"\1" * 1188  # this member made theirs anew
        custody_check.watch(session, ready.instance, now=clock.now)
    assert ("herstel_beschadigd", "team/beveiliging/1") in alarms()
    opened = open_with(ready, ready.custody.sheets[0], ready.custody.sheets[2])
    with ready.instance.readings() as session:
        assert all(found.ring for found in recovering.find_rings(session, ready.instance, opened))
