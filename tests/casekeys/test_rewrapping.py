"""A team's case keys wrapped anew after it got a next key: in batches, by a member, whatever happens (T12, T18)."""

from typing import Any

import pytest
from sqlalchemy import delete, select

from tests.casekeys.conftest import values_of
from weerbaar_meldpunt.actions import epochs, rewrap, transfer, work
from weerbaar_meldpunt.actions.errors import NotYours
from weerbaar_meldpunt.actions.rewrap import keep_batch, note_refused, prepare_batch, rewrap_batch, wraps_left
from weerbaar_meldpunt.store.cases import CaseGrant, Fold, Headline
from weerbaar_meldpunt.vault.wrap import Grant, PublicKey, wrap

TEAM, OTHER = "ondersteuning", "beveiliging"
SAID = {"reason": "Zij weten hier meer van.", "words": "Uw melding ligt nu bij een ander team."}


def batch(desk: Any, member: Any, **more: Any) -> Any:
    with desk.instance.sessions.begin() as session:
        return rewrap_batch(session, desk.instance, member.person, TEAM, now=desk.now, **more)


def left(desk: Any, team: str = TEAM) -> int:
    with desk.instance.readings() as session:
        return wraps_left(session, desk.instance, team)


def test_nothing_is_left_to_do_while_the_key_of_the_filing_still_seals(desk: Any) -> None:
    desk.file()
    assert left(desk) == 0
    assert batch(desk, desk.ready.first(TEAM)).done == 0


def test_batches_go_on_until_no_wrap_is_under_the_old_key_and_every_case_opens(desk: Any, next_key: Any) -> None:
    filed = [desk.file() for _ in range(5)]
    next_key(TEAM)
    assert left(desk) == 15
    member, after, done = desk.ready.second(TEAM), b"", []
    while after is not None:
        progress = batch(desk, member, limit=2, after=after)
        done.append(progress.done)
        after = progress.after
    assert done == [2, 2, 1]
    assert left(desk) == 0
    for one in filed:
        view = desk.open(desk.ready.first(TEAM), one.reference)
        assert (view.gaps, view.readable) == ((), True)
        assert desk.reporter(one).view.gaps == ()


def test_who_starts_anew_each_time_gets_to_the_end_too(desk: Any, next_key: Any) -> None:
    for _ in range(5):
        desk.file()
    next_key(TEAM)
    counts = []
    while left(desk):
        counts.append(batch(desk, desk.ready.first(TEAM), limit=2).done)
    assert counts == [2, 2, 1]


def test_the_old_key_alone_opens_nothing_any_more_and_is_then_destroyed(desk: Any, next_key: Any) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    next_key(TEAM)
    with desk.instance.readings() as session:
        assert epochs.references(session, desk.instance, "team", TEAM, 1) == 3
    batch(desk, member)
    with desk.instance.readings() as session:
        assert epochs.references(session, desk.instance, "team", TEAM, 1) == 0
    desk.later(hours=25)
    with desk.instance.sessions.begin() as session:
        epochs.keep_watch(session, desk.instance, now=desk.now, may_delete=True)
    assert [keys.epoch for keys in member.person.teams[TEAM]] == [2]
    view = desk.open(member, filed.reference)
    assert (view.gaps, view.readable) == ((), True)


def test_every_epoch_of_every_compartment_is_wrapped_anew(desk: Any, next_key: Any, rows: Any) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    next_key(TEAM)
    desk.do(member, filed.reference, work.add_note, "x")
    next_key(TEAM)
    assert left(desk) == 6  # the first wraps under the first key, and those of the second epoch under the second
    batch(desk, member)
    team = [
        row for row in rows(CaseGrant, filed.reference) if row.reader_mac is None and row.recipient == _key_id(desk)
    ]
    assert sorted((row.compartment, row.epoch) for row in team) == [(c, e) for c in "ABN" for e in (0, 1)]
    assert {row.grantor for row in team} == {member.user_id}
    assert desk.open(desk.ready.second(TEAM), filed.reference).gaps == ()


def _key_id(desk: Any) -> bytes:
    return bytes(desk.instance.pins().sealing("team", TEAM).fingerprint[:16])


def test_a_planted_wrap_is_never_made_true_and_an_alarm_names_its_case(
    desk: Any, next_key: Any, plant: Any, rows: Any, alarms: Any
) -> None:
    good, bad, member = desk.file(), desk.file(), desk.ready.first(TEAM)
    keys = member.person.teams[TEAM][0]
    genuine = rows(
        CaseGrant, bad.reference, CaseGrant.compartment == "A", CaseGrant.recipient == keys.pair.public.key_id
    )[0]
    next_key(TEAM)
    with desk.instance.sessions.begin() as session:
        session.execute(delete(CaseGrant).where(CaseGrant.case_id == genuine.case_id, CaseGrant.compartment == "A"))
    to: PublicKey = keys.pair.public
    planted = wrap(to, bytes(32), Grant("case_grant", genuine.case_id, "A", 0))
    plant(CaseGrant, **(values_of(genuine) | {"wrapped": planted}))

    progress = batch(desk, member)
    assert progress.refused == (genuine.case_id,)
    assert left(desk) == 1
    with desk.instance.sessions.begin() as session:
        note_refused(session, desk.instance, progress, now=desk.now)
    assert ("rij_gewijzigd", f"case_grant {bad.reference}") in alarms()
    assert ("rij_gewijzigd", f"case_grant {good.reference}") not in alarms()
    (stays,) = rows(CaseGrant, bad.reference, CaseGrant.recipient == to.key_id)
    assert stays.wrapped == planted
    with pytest.raises(Exception, match="case_"):
        desk.do(desk.ready.second(TEAM), bad.reference, work.add_note, "x")


def test_an_old_wrap_that_was_put_back_is_neither_wrapped_nor_taken_away(
    desk: Any, next_key: Any, plant: Any, rows: Any
) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    old_id = member.person.teams[TEAM][0].pair.public.key_id
    of_team = CaseGrant.compartment == "A", CaseGrant.recipient == old_id
    (old,) = (values_of(row) for row in rows(CaseGrant, filed.reference, *of_team))
    next_key(TEAM)
    batch(desk, member)
    plant(CaseGrant, **old)
    progress = batch(desk, member)
    assert (progress.done, progress.left, len(progress.refused)) == (0, 1, 1)
    assert len(rows(CaseGrant, filed.reference, *of_team)) == 1
    assert "case_grant" in desk.open(member, filed.reference).gaps


def test_only_a_member_of_the_team_can(desk: Any, next_key: Any) -> None:
    desk.file()
    next_key(TEAM)
    for account in (desk.ready.first(OTHER), desk.ready.editors[0], desk.ready.people.beheerder()):
        with pytest.raises(NotYours):
            batch(desk, account)
    assert left(desk) == 3


def test_the_second_of_two_at_once_finds_nothing_of_what_it_prepared(desk: Any, next_key: Any, leaves: Any) -> None:
    filed, one, two = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    next_key(TEAM)
    with desk.instance.readings() as session:
        prepared = [prepare_batch(session, desk.instance, who.person, TEAM) for who in (one, two)]
    done = []
    for who, made in zip((one, two), prepared, strict=True):
        with desk.instance.sessions.begin() as session:
            done.append(keep_batch(session, desk.instance, who.person, made, now=desk.now).done)
    assert done == [1, 0]
    assert leaves(filed.reference).count("opnieuw_ingepakt") == 1
    assert desk.open(one, filed.reference).gaps == ()


def test_a_case_that_was_handed_over_meanwhile_does_not_come_back(desk: Any, next_key: Any, rows: Any) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    next_key(TEAM)
    with desk.instance.readings() as session:
        prepared = prepare_batch(session, desk.instance, member.person, TEAM)
    desk.do(member, filed.reference, transfer.transfer, OTHER, **SAID)
    with desk.instance.sessions.begin() as session:
        assert keep_batch(session, desk.instance, member.person, prepared, now=desk.now).done == 0
    assert [row for row in rows(CaseGrant, filed.reference) if row.recipient == _key_id(desk)] == []
    assert rows(Fold, filed.reference) == []


def test_caches_are_made_under_the_new_key_and_none_of_before_stays(desk: Any, next_key: Any, rows: Any) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    desk.open(member, filed.reference)
    desk.queue(member, TEAM)
    old = {row.sealed for row in (*rows(Fold, filed.reference), *rows(Headline, filed.reference))}
    next_key(TEAM)
    batch(desk, member)
    now = {row.sealed for row in (*rows(Fold, filed.reference), *rows(Headline, filed.reference))}
    assert len(now) == 3
    assert not old & now
    header = member.person.teams[TEAM][-1].fold.header
    assert all(sealed.startswith(header) for sealed in now)


def test_a_backup_from_before_opens_once_it_is_put_back(desk: Any, next_key: Any, rows: Any) -> None:
    """A replaced wrap gets no stone: replaying stones over yesterday's backup must not take the team's keys away."""
    from weerbaar_meldpunt.actions.tombstones import tombstone_of
    from weerbaar_meldpunt.store.audit import Tombstone

    filed = desk.file()
    before = {tombstone_of(row) for row in rows(CaseGrant, filed.reference)}
    next_key(TEAM)
    batch(desk, desk.ready.first(TEAM))
    with desk.instance.readings() as session:
        assert not before & set(session.scalars(select(Tombstone.row_hash)))


def test_each_batch_costs_the_same_statements_whatever_the_number_of_cases(desk: Any, next_key: Any) -> None:
    from sqlalchemy import event

    for _ in range(11):
        desk.file()
    next_key(TEAM)
    person, counts, seen = desk.ready.first(TEAM).person, list[int](), list[str]()
    event.listen(desk.instance.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    after: bytes | None = b""
    for limit in (1, 1, 9):  # the first one reads the team's keys too
        seen.clear()
        with desk.instance.sessions.begin() as session:
            after = rewrap_batch(
                session, desk.instance, person, TEAM, limit=limit, after=after or b"", now=desk.now
            ).after
        counts.append(len(seen))
    assert counts[1] == counts[2] <= 15
    assert rewrap.BATCH > 10
