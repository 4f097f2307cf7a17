"""A case that goes to another team, beside or instead of the own one, and back: who can open what (T10, T12)."""

from typing import Any

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import closing, queue, transfer, work
from weerbaar_meldpunt.actions.casekeys import open_for_team
from weerbaar_meldpunt.actions.caserows import a_grant, an_epoch, epochs, grants, read
from weerbaar_meldpunt.actions.errors import NotAllowed, NotYours
from weerbaar_meldpunt.actions.opening import note_opening, open_private
from weerbaar_meldpunt.actions.tombstones import tombstone_of
from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.audit import Tombstone
from weerbaar_meldpunt.store.cases import Case, CaseGrant, Fold, Headline
from weerbaar_meldpunt.store.people import User

OT, BV, JD = "ondersteuning", "beveiliging", "juridisch"
HOME = {
    "target": {"role": "raadslid", "organisation": "GM0363"},
    "incident": {"kinds": ["bedreiging_intimidatie"], "channels": ["email"]},
    "narrative": "Er kwam een mail met een bedreiging.",
    "contact": {"name": "R. de Boer", "telephone": "0612345678"},
    "private": {"home_address": "Dijk 1, Ergens"},
}
SAID = {"reason": "Zij weten hier meer van.", "words": "Uw melding ligt nu bij een ander team."}


def address(desk: Any, member: Any, reference: str) -> Any:
    with desk.instance.sessions.begin() as session:
        opening = note_opening(session, desk.instance, member.person, reference, now=desk.now, compartment="B")
    with desk.instance.readings() as session:
        return open_private(session, desk.instance, member.person, opening)["home_address"]


def opened_by(desk: Any, member: Any, team: str, reference: str) -> dict[str, int]:
    """The keys of a case that somebody of a team can unwrap, from the rows alone: no page, no route, no cache."""
    with desk.instance.readings() as session:
        case_id = session.scalar(select(Case.id).where(Case.reference == reference))
        rows, trail = read(session, desk.instance, [case_id], grants([case_id]), epochs([case_id]))
        ring, _ = open_for_team(
            case_id, member.person.teams[team], [a_grant(row) for row in rows if row.what == "grant"], (),
            [an_epoch(row) for row in rows if row.what == "epoch"], trail,
        )  # fmt: skip
    return ring.epochs


# --- sharing -------------------------------------------------------------------------------------------------------


def test_a_shared_case_opens_for_both_teams_with_everything_of_before(desk: Any) -> None:
    filed, mine, theirs = desk.file(HOME), desk.ready.first(OT), desk.ready.second(BV)
    desk.do(mine, filed.reference, work.take)
    desk.do(mine, filed.reference, work.add_note, "Een notitie van voor het delen.")
    desk.do(mine, filed.reference, transfer.share, BV, **SAID)
    for member in (mine, theirs):
        view = desk.open(member, filed.reference)
        assert (view.gaps, [note.text for note in view.notes]) == ((), ["Een notitie van voor het delen."])
        assert address(desk, member, filed.reference) == "Dijk 1, Ergens"
    assert desk.track(filed.reference, OT).closed_at is None
    assert [due.kind for due in desk.dues(filed.reference, BV)] == ["eerste_contact"]
    assert desk.track(filed.reference, BV).owner_id is None
    assert [row.reference for row in desk.queue(theirs, BV).rows] == [filed.reference]


def test_a_team_gets_the_compartments_of_its_work_and_no_more(desk: Any) -> None:
    filed, mine, lawyer = desk.file(HOME), desk.ready.first(OT), desk.ready.first(JD)
    desk.do(mine, filed.reference, transfer.share, JD, **SAID)
    assert opened_by(desk, lawyer, JD, filed.reference) == {"A": 0, "N": 0}
    with pytest.raises(NotYours):
        address(desk, lawyer, filed.reference)


def test_the_reporter_reads_that_the_case_was_shared_and_not_why(desk: Any) -> None:
    filed = desk.file()
    desk.do(desk.ready.first(OT), filed.reference, transfer.share, BV, **SAID)
    view = desk.reporter(filed).view
    assert [message.text for message in view.messages] == [SAID["words"]]
    assert SAID["reason"] not in repr([event.document for event in view.events])
    assert desk.open(desk.ready.first(BV), filed.reference).events[-2].document["text"] == SAID["reason"]


def test_sharing_twice_or_with_the_own_team_is_refused(desk: Any) -> None:
    filed, mine = desk.file(), desk.ready.first(OT)
    desk.do(mine, filed.reference, transfer.share, BV, **SAID)
    for team, why in ((BV, "team_heeft_zaak_al"), (OT, "welk_team"), ("brandweer", "welk_team")):
        with pytest.raises(NotAllowed) as refused:
            desk.do(mine, filed.reference, transfer.share, team, **SAID)
        assert refused.value.reason == why


@pytest.mark.parametrize("missing", ["reason", "words"])
@pytest.mark.parametrize("act", [transfer.share, transfer.transfer])
def test_no_case_changes_hands_without_a_reason_and_words_for_the_reporter(desk: Any, act: Any, missing: str) -> None:
    filed = desk.file()
    with pytest.raises(NotAllowed) as refused:
        desk.do(desk.ready.first(OT), filed.reference, act, BV, **(SAID | {missing: "  "}))
    assert refused.value.reason == "reden_nodig"


@pytest.mark.parametrize("act", [transfer.share, transfer.transfer])
def test_only_the_owner_or_the_coordinator_gives_a_case_to_another_team(desk: Any, act: Any) -> None:
    filed = desk.file()
    desk.do(desk.ready.first(OT), filed.reference, work.take)
    with pytest.raises(NotAllowed) as refused:
        desk.do(desk.ready.second(OT), filed.reference, act, BV, **SAID)
    assert refused.value.reason == "niet_de_eigenaar"


@pytest.mark.parametrize("act", [transfer.share, transfer.transfer])
def test_a_team_that_is_not_ready_gets_no_case(desk: Any, act: Any) -> None:
    filed = desk.file()
    with desk.instance.sessions.begin() as session:
        for account in desk.ready.members[BV]:
            session.get_one(User, account.user_id).state = "uitgeschakeld"
    with pytest.raises(NotAllowed) as refused:
        desk.do(desk.ready.first(OT), filed.reference, act, BV, **SAID)
    assert refused.value.reason == "team_niet_gereed"


@pytest.mark.parametrize("act", [transfer.share, transfer.transfer])
def test_a_team_in_which_everybody_is_meant_gets_no_case(desk: Any, act: Any) -> None:
    names = [name for _, name in _members(desk, BV)]
    filed = desk.file(HOME | {"conflict": ["ondersteuningsteam"], "barred_member": " en ".join(names)})
    with pytest.raises(NotAllowed) as refused:
        desk.do(desk.ready.first(OT), filed.reference, act, BV, **SAID)
    assert refused.value.reason == "team_ziet_zaak_niet"


def _members(desk: Any, team: str) -> list[tuple[bytes, str]]:
    with desk.instance.readings() as session:
        return work.colleagues(session, desk.instance, team)


# --- handing over --------------------------------------------------------------------------------------------------


def test_who_hands_a_case_over_opens_nothing_of_it_any_more(desk: Any, rows: Any, team_key_ids: Any) -> None:
    filed, mine, theirs = desk.file(HOME), desk.ready.first(OT), desk.ready.first(BV)
    desk.open(mine, filed.reference)
    before = [tombstone_of(row) for row in rows(CaseGrant, filed.reference) if row.recipient in team_key_ids(OT)]
    desk.do(mine, filed.reference, transfer.transfer, BV, **SAID)

    assert opened_by(desk, mine, OT, filed.reference) == {}
    for attempt in (
        desk.open,
        lambda who, ref: desk.do(who, ref, work.add_note, "x"),
        lambda who, ref: address(desk, who, ref),
    ):
        with pytest.raises(NotYours):
            attempt(mine, filed.reference)
    assert not rows(Fold, filed.reference) and not rows(Headline, filed.reference)
    with desk.instance.readings() as session:
        buried = set(session.scalars(select(Tombstone.row_hash)))
    assert len(before) == 3
    assert set(before) <= buried

    view = desk.open(theirs, filed.reference)
    assert (view.gaps, view.report["narrative"]) == ((), HOME["narrative"])
    assert address(desk, theirs, filed.reference) == "Dijk 1, Ergens"


def test_what_is_written_after_it_is_under_keys_the_former_team_never_had(desk: Any) -> None:
    filed, mine, theirs = desk.file(), desk.ready.first(OT), desk.ready.first(BV)
    kept = desk.do(mine, filed.reference, lambda held: held.ring)  # a copy of every key the team had
    desk.do(mine, filed.reference, transfer.transfer, BV, **SAID)
    desk.do(theirs, filed.reference, work.write_message, "Van het nieuwe team.")
    desk.reply(filed, "Aan het nieuwe team.")
    from weerbaar_meldpunt.store.cases import Message

    known = {key.header for keys in kept.keys.values() for key in keys}
    with desk.instance.readings() as session:
        sealed = session.scalars(select(Message.sealed)).all()
    assert len(sealed) == 3  # with what the reporter reads of the handing over itself
    assert not [one for one in sealed if one[:20] in known]


def test_the_track_of_the_former_team_is_closed_and_stays_so_when_the_reporter_writes(desk: Any) -> None:
    filed, mine = desk.file(), desk.ready.first(OT)
    desk.do(mine, filed.reference, transfer.transfer, BV, **SAID)
    desk.reply(filed, "Nog iets.")
    track = desk.track(filed.reference, OT)
    assert (track.state, track.outcome, track.unread, track.due_at) == ("afgerond", "overgedragen", False, None)
    assert desk.dues(filed.reference, OT) == []
    assert desk.track(filed.reference, BV).unread


def test_nobody_is_handed_over_while_what_they_wrote_was_not_read(desk: Any) -> None:
    filed, mine = desk.file(), desk.ready.first(OT)
    desk.reply(filed, "Lees dit.")
    with pytest.raises(NotAllowed) as refused:
        desk.do(mine, filed.reference, transfer.transfer, BV, **SAID)
    assert refused.value.reason == "eerst_lezen"


def test_a_case_is_not_handed_over_where_its_address_would_be_lost_to_every_team(desk: Any) -> None:
    filed, mine = desk.file(HOME), desk.ready.first(OT)
    with pytest.raises(NotAllowed) as refused:
        desk.do(mine, filed.reference, transfer.transfer, JD, **SAID)
    assert refused.value.reason == "adres_zonder_team"
    desk.do(mine, filed.reference, transfer.share, JD, **SAID)  # sharing is possible


def test_there_and_back_and_everything_ever_written_opens(desk: Any, next_key: Any) -> None:
    """OT -> BV -> OT -> BV, with new team keys in between: the life of a case that nobody wants to lose."""
    filed, texts = desk.file(HOME), []
    teams = [OT, BV, OT, BV]
    for place, team in enumerate(teams):
        member = desk.ready.first(team)
        for text in (f"Notitie {place}",):
            desk.do(member, filed.reference, work.add_note, text)
            texts.append(text)
        desk.later(hours=1)
        desk.reply(filed, f"Van de melder {place}")
        desk.do(member, filed.reference, work.mark_read)
        if place == 1:
            next_key(BV)
        if place + 1 < len(teams):
            desk.do(member, filed.reference, transfer.transfer, teams[place + 1], **SAID)
    view = desk.open(desk.ready.second(BV), filed.reference)
    assert view.gaps == ()
    assert sorted(note.text for note in view.notes) == sorted(texts)
    said = {message.text for message in view.messages}
    assert {f"Van de melder {place}" for place in range(4)} <= said
    assert None not in said
    assert {message.text for message in desk.reporter(filed).view.messages} == said
    assert address(desk, desk.ready.first(BV), filed.reference) == "Dijk 1, Ergens"
    assert opened_by(desk, desk.ready.first(OT), OT, filed.reference) == {}
    assert desk.track(filed.reference, BV).closed_at is None
    assert desk.track(filed.reference, BV).outcome is None


def test_a_case_that_is_handed_over_does_not_count_as_handled(desk: Any, leaves: Any) -> None:
    filed = desk.file()
    desk.do(desk.ready.first(OT), filed.reference, transfer.transfer, BV, **SAID)
    assert "zaak_gesloten" not in leaves(filed.reference)


def test_the_new_team_can_finish_a_case_that_was_handed_over(desk: Any) -> None:
    filed, theirs = desk.file(), desk.ready.first(BV)
    desk.do(desk.ready.first(OT), filed.reference, transfer.transfer, BV, **SAID)
    desk.do(theirs, filed.reference, work.take)
    desk.facts(theirs, filed.reference)
    assert desk.do(theirs, filed.reference, closing.close, "maatregelen_geleverd", done="Geregeld.", not_done="")


def test_an_acute_case_alarms_the_new_team_at_once(desk: Any) -> None:
    acute = HOME | {"incident": HOME["incident"] | {"happening_now": True, "weapon": True}}
    filed = desk.file(acute)
    assert desk.track(filed.reference, OT).urgency == "acuut"
    team = next(one for one in TEAMS if one not in filed.teams)
    desk.later(minutes=20)
    desk.do(desk.ready.first(OT), filed.reference, transfer.share, team, **SAID)
    contact = next(due for due in desk.dues(filed.reference, team) if due.kind == "eerste_contact")
    assert contact.next_at == desk.now
    assert desk.track(filed.reference, team).urgency == "acuut"


# --- who holds which keys, whatever the pages do -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("acts", "holds"),
    [
        ((), {OT: "ABN", BV: "", JD: ""}),
        (((transfer.share, OT, BV),), {OT: "ABN", BV: "ABN", JD: ""}),
        (((transfer.share, OT, JD),), {OT: "ABN", BV: "", JD: "AN"}),
        (((transfer.transfer, OT, BV),), {OT: "", BV: "ABN", JD: ""}),
        (((transfer.share, OT, JD), (transfer.transfer, OT, BV)), {OT: "", BV: "ABN", JD: "AN"}),
        (((transfer.share, OT, JD), (transfer.share, JD, BV)), {OT: "ABN", BV: "AN", JD: "AN"}),
        (((transfer.transfer, OT, BV), (transfer.share, BV, OT)), {OT: "ABN", BV: "ABN", JD: ""}),
    ],
)
def test_the_keys_that_each_team_can_unwrap(desk: Any, acts: Any, holds: dict[str, str]) -> None:
    filed = desk.file(HOME)
    for act, by, to in acts:
        desk.do(desk.ready.first(by), filed.reference, act, to, **SAID)
    found = {team: "".join(sorted(opened_by(desk, desk.ready.second(team), team, filed.reference))) for team in TEAMS}
    assert found == holds
    for who in (*desk.ready.editors, desk.ready.people.beheerder(), desk.ready.people.auditor()):
        assert dict(who.person.teams) == {}


def test_a_case_that_is_gone_is_not_offered_in_the_queue_as_damaged(desk: Any) -> None:
    filed, mine = desk.file(), desk.ready.first(OT)
    desk.do(mine, filed.reference, transfer.transfer, BV, **SAID)
    assert [row.reference for row in desk.queue(mine, OT).rows] == []
    (row,) = desk.queue(mine, OT, state="afgerond").rows
    assert (row.outcome, row.headline) == ("overgedragen", None)
    assert queue is not None
