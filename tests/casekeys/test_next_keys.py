"""A case gets a next key with the first write after a team got one; everything of before still opens (T12)."""

from typing import Any

import pytest
from sqlalchemy import event

from weerbaar_meldpunt.actions import work
from weerbaar_meldpunt.actions.errors import Onleesbaar
from weerbaar_meldpunt.store.cases import CaseDoc, CaseEpoch, CaseGrant
from weerbaar_meldpunt.vault import wrap as hpke

TEAM = "ondersteuning"


def test_nothing_is_renewed_as_long_as_the_teams_keys_are_those_of_the_filing(desk: Any, case_epochs: Any) -> None:
    filed = desk.file()
    desk.do(desk.ready.first(TEAM), filed.reference, work.take)
    desk.reply(filed, "Er is nog iets.")
    assert case_epochs(filed.reference) == {}


def test_the_first_act_after_a_new_team_key_starts_new_case_keys_once(
    desk: Any, next_key: Any, case_epochs: Any, leaves: Any
) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    desk.do(member, filed.reference, work.add_note, "Voor de nieuwe sleutel.")
    next_key(TEAM)
    desk.do(member, filed.reference, work.add_note, "Na de nieuwe sleutel.")
    desk.do(member, filed.reference, work.write_message, "Dag.")
    assert case_epochs(filed.reference) == {"A": 1, "B": 1, "N": 1}
    assert leaves(filed.reference).count("sleutel_vernieuwd") == 1
    view = desk.open(member, filed.reference)
    assert view.gaps == ()
    assert sorted(note.text for note in view.notes) == ["Na de nieuwe sleutel.", "Voor de nieuwe sleutel."]


def test_looking_renews_nothing(desk: Any, next_key: Any, case_epochs: Any) -> None:
    filed = desk.file()
    next_key(TEAM)
    desk.open(desk.ready.first(TEAM), filed.reference)
    desk.queue(desk.ready.first(TEAM), TEAM)
    desk.reporter(filed)
    assert case_epochs(filed.reference) == {}


def test_a_reporter_who_writes_renews_the_report_alone_and_everybody_reads_on(
    desk: Any, next_key: Any, case_epochs: Any
) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    desk.reply(filed, "Een.")
    next_key(TEAM)
    desk.later(minutes=1)
    desk.reply(filed, "Twee.")
    assert case_epochs(filed.reference) == {"A": 1}
    assert [message.text for message in desk.reporter(filed).view.messages] == ["Een.", "Twee."]
    view = desk.open(member, filed.reference)
    assert (view.gaps, [message.text for message in view.messages]) == ((), ["Een.", "Twee."])


def test_keys_chain_over_several_team_keys(desk: Any, next_key: Any, case_epochs: Any) -> None:
    filed, member = desk.file(), desk.ready.second(TEAM)
    texts = []
    for round_ in range(4):
        texts.append(f"Bericht {round_}")
        desk.do(member, filed.reference, work.write_message, texts[-1])
        desk.later(minutes=5)
        next_key(TEAM)
    assert case_epochs(filed.reference) == {"A": 3, "B": 3, "N": 3}
    for view in (desk.open(member, filed.reference), desk.reporter(filed).view):
        assert (view.gaps, [message.text for message in view.messages]) == ((), texts)


def test_an_old_team_secret_opens_nothing_that_is_written_after_the_pin(desk: Any, next_key: Any, rows: Any) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    (old,) = member.person.teams[TEAM]
    next_key(TEAM)
    desk.do(member, filed.reference, work.write_message, "Niet voor wie wegging.")
    for grant in rows(CaseGrant, filed.reference, CaseGrant.epoch == 1):
        assert grant.recipient != old.pair.public.key_id
        with pytest.raises(Onleesbaar):
            what = hpke.Grant("case_grant", grant.case_id, grant.compartment, grant.epoch, grant.grantor)
            hpke.unwrap(old.pair, grant.wrapped, what)


def test_the_report_is_sealed_anew_with_each_new_key_and_lists_who_it_was_made_for(
    desk: Any, next_key: Any, rows: Any, document_revision: Any
) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    before = rows(CaseDoc, filed.reference, CaseDoc.compartment == "A")[0]
    next_key(TEAM)
    desk.do(member, filed.reference, work.add_note, "x")
    after = rows(CaseDoc, filed.reference, CaseDoc.compartment == "A")[0]
    assert after.revision == before.revision + 1
    assert after.sealed[:20] != before.sealed[:20]
    melding = desk.do(member, filed.reference, work.read_melding)
    assert melding["recipients"]["A"]["teams"] == [[TEAM, 2]]
    assert document_revision(filed.reference) == after.revision


def test_only_a_team_on_the_list_gets_the_new_key_whatever_grants_there_are(
    desk: Any, next_key: Any, rows: Any, plant: Any, team_key_ids: Any
) -> None:
    filed, member = desk.file(), desk.ready.first(TEAM)
    other = team_key_ids("juridisch")[0]
    genuine = rows(CaseGrant, filed.reference, CaseGrant.compartment == "A")[0]
    plant(CaseGrant, case_id=genuine.case_id, compartment="A", epoch=0, recipient=other, wrapped=genuine.wrapped)
    next_key(TEAM)
    desk.do(member, filed.reference, work.add_note, "x")
    fresh = {grant.recipient for grant in rows(CaseGrant, filed.reference, CaseGrant.epoch == 1)}
    assert other not in fresh
    assert team_key_ids(TEAM)[1] in fresh


def test_a_team_without_a_key_to_seal_to_holds_up_no_writing(
    desk: Any, next_key: Any, case_epochs: Any, overwrite: Any
) -> None:
    from weerbaar_meldpunt.store.people import TeamEpoch

    filed, member = desk.file(), desk.ready.first(TEAM)
    next_key(TEAM)
    overwrite(TeamEpoch, [TeamEpoch.team == TEAM, TeamEpoch.epoch == 2], public_key=bytes(1248))
    desk.instance._keys.clear()
    desk.reply(filed, "Hulp.")
    assert case_epochs(filed.reference) == {}
    assert desk.reporter(filed).view.messages[-1].text == "Hulp."
    assert member.person.teams[TEAM]


def test_opening_costs_no_more_statements_after_a_new_key_and_no_public_key_work_once_folded(
    desk: Any, next_key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from weerbaar_meldpunt.actions import casekeys

    filed, member = desk.file(), desk.ready.first(TEAM)
    next_key(TEAM)
    desk.do(desk.ready.second(TEAM), filed.reference, work.add_note, "x")
    unwraps, statements = list[Any](), list[str]()

    def counted(pair: Any, row: Any) -> bytes:
        unwraps.append(row)
        return genuine(pair, row)

    genuine = casekeys._unwrap
    monkeypatch.setattr(casekeys, "_unwrap", counted)
    person = member.person

    def opened() -> tuple[int, int]:
        unwraps.clear()
        statements.clear()
        desk_open(desk, person, filed.reference)
        return len(unwraps), len(statements)

    event.listen(desk.instance.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    first, again = opened(), opened()
    assert first[0] <= 3 * 2
    assert again[0] == 0
    assert max(first[1], again[1]) <= 8


def desk_open(desk: Any, person: Any, reference: str) -> None:
    from weerbaar_meldpunt.actions.opening import keep_folds, note_opening, open_case

    with desk.instance.sessions.begin() as session:
        opening = note_opening(session, desk.instance, person, reference, now=desk.now)
    with desk.instance.readings() as session:
        view = open_case(session, desk.instance, person, opening)
    if view.fresh:
        with desk.instance.sessions.begin() as session:
            keep_folds(session, view)
    assert view.gaps == ()


def test_two_epochs_of_one_compartment_are_two_rows_that_name_each_other(desk: Any, next_key: Any, rows: Any) -> None:
    filed = desk.file()
    next_key(TEAM)
    desk.reply(filed, "x")
    (row,) = rows(CaseEpoch, filed.reference)
    assert len(row.sealed) == 124
    assert (row.compartment, row.epoch) == ("A", 1)
