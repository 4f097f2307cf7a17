"""Establishing the facts, closing, the second person, opening again, and what the figures get of it."""

import pytest
from sqlalchemy import func, select

from weerbaar_meldpunt.actions import closing, work
from weerbaar_meldpunt.actions.errors import NotAllowed, NotYours, Onleesbaar
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.figures import StatFact
from weerbaar_meldpunt.store.tracks import Due, Track

from .conftest import THREAT

TEAM = "ondersteuning"
ACUTE = THREAT | {"incident": THREAT["incident"] | {"happening_now": True, "weapon": True}}
# What each leaf adds to the facts of the month (statistics.md, "Counting rules").
FACTS_OF = {
    "feiten_vastgesteld": 1, "feiten_verbeterd": 2, "feiten_ingetrokken": 1, "zaak_gesloten": 1, "zaak_heropend": 1,
}  # fmt: skip


def propose(desk, member, reference, outcome="geen_incident", **words):
    desk.do(member, reference, work.take)
    desk.facts(member, reference)
    return desk.do(member, reference, closing.close, outcome, done="Gebeld.", not_done="Geen aangifte.", **words)


def counted(desk):
    """How many facts there are, and how many the trail says there must be."""
    with desk.instance.readings() as session:
        facts = session.scalar(select(func.count()).select_from(StatFact))
        actions = session.scalars(select(Leaf.action)).all()
    return facts, sum(FACTS_OF.get(action, 0) for action in actions)


def actions(desk, member, reference):
    return [event.action for event in desk.open(member, reference).events]


def test_a_track_closes_with_an_outcome_once_the_facts_are_established(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)

    assert desk.finish(member, filed.reference) is True

    track = desk.track(filed.reference)
    assert (track.state, track.outcome, track.closed_at) == ("afgerond", "geholpen", desk.now)
    assert (track.due_at, track.due_kind, track.unread) == (None, None, False)


def test_nothing_closes_before_it_was_taken_and_the_facts_established(desk):
    filed, first = desk.file(), desk.ready.first(TEAM)
    words = {"done": "", "not_done": ""}

    with pytest.raises(NotAllowed, match="eerst_nemen"):
        desk.do(first, filed.reference, closing.close, "geholpen", **words)
    desk.do(first, filed.reference, work.take)
    with pytest.raises(NotAllowed, match="eerst_feiten"):
        desk.do(first, filed.reference, closing.close, "geholpen", **words)


def test_an_outcome_of_another_team_is_refused(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.take)
    desk.facts(member, filed.reference)

    with pytest.raises(NotAllowed, match="onbekende_uitkomst"):
        desk.do(member, filed.reference, closing.close, "afgewikkeld", done="", not_done="")


def test_only_owner_and_coordinator_close(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    desk.do(first, filed.reference, work.take)
    desk.facts(second, filed.reference)

    with pytest.raises(NotAllowed, match="niet_de_eigenaar"):
        desk.do(second, filed.reference, closing.close, "geholpen", done="", not_done="")


def test_nothing_closes_while_the_reporter_wrote_something_unread(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.take)
    desk.facts(member, filed.reference)
    desk.reply(filed, "Wacht, er is meer.")

    with pytest.raises(NotAllowed, match="eerst_lezen"):
        desk.do(member, filed.reference, closing.close, "geholpen", done="", not_done="")


def test_the_reporter_reads_what_was_and_was_not_done(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    propose(desk, first, filed.reference)

    desk.do(second, filed.reference, closing.confirm_close)

    closed = [event for event in desk.reporter(filed).view.events if event.action == "afgerond"]
    assert [(e.document["done"], e.document["not_done"]) for e in closed] == [("Gebeld.", "Geen aangifte.")]


@pytest.mark.parametrize(
    ("team", "document", "outcome"),
    [
        pytest.param(TEAM, THREAT, "geen_incident", id="no-incident"),
        pytest.param(TEAM, ACUTE, "geholpen", id="acute"),
        pytest.param(
            "beveiliging",
            THREAT | {"target": {"role": "wethouder"}, "request": {"security_measures": True}},
            "geen_aanspraak_alternatief",
            id="measures-refused",
        ),
        pytest.param(
            "beveiliging",
            THREAT | {"target": {"role": "wethouder"}, "request": {"security_measures": True}},
            "advies_zonder_maatregelen",
            id="advice-without-measures",
        ),
    ],
)
def test_a_second_person_confirms_and_never_who_proposed_it(desk, team, document, outcome):
    filed, first, second = desk.file(document), desk.ready.first(team), desk.ready.second(team)

    assert propose(desk, first, filed.reference, outcome, team=team) is False

    track = desk.track(filed.reference, team)
    assert (track.state, track.closed_at, track.proposed_by) == ("in_behandeling", None, first.user_id)
    with pytest.raises(NotAllowed, match="tweede_persoon"):
        desk.do(first, filed.reference, closing.confirm_close, team=team)
    desk.do(second, filed.reference, closing.confirm_close, team=team)
    assert desk.track(filed.reference, team).outcome == outcome


def test_a_member_of_another_team_is_no_second_person(desk):
    filed, first = desk.file(), desk.ready.first(TEAM)
    propose(desk, first, filed.reference)

    with pytest.raises(NotYours):
        desk.do(desk.ready.first("juridisch"), filed.reference, closing.confirm_close)


def test_who_does_not_agree_says_why_and_the_track_stays_open(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    propose(desk, first, filed.reference)

    with pytest.raises(NotAllowed, match="reden_nodig"):
        desk.do(second, filed.reference, closing.refuse_close, " ")
    desk.do(second, filed.reference, closing.refuse_close, "Er staat een bedreiging in de mail.")

    track = desk.track(filed.reference)
    assert (track.proposed_by, track.outcome, track.closed_at) == (None, None, None)
    assert "afsluiting_geweigerd" not in [event.action for event in desk.reporter(filed).view.events]


def test_while_a_closing_waits_nothing_else_moves_the_track(desk):
    filed, first = desk.file(), desk.ready.first(TEAM)
    propose(desk, first, filed.reference)

    with pytest.raises(NotAllowed, match="voorstel_loopt"):
        desk.do(first, filed.reference, work.wait, kind="wacht_op_melder", for_whom="melder")
    with pytest.raises(NotAllowed, match="voorstel_loopt"):
        desk.do(first, filed.reference, closing.close, "geholpen", done="", not_done="")


def test_writing_to_the_reporter_does_not_put_off_the_second_person(desk):
    filed, first = desk.file(), desk.ready.first(TEAM)
    propose(desk, first, filed.reference)
    confirm_by = min(due.moment for due in desk.dues(filed.reference) if due.kind == "opvolging")

    desk.do(first, filed.reference, work.write_message, "Wij sluiten bijna af.")

    assert confirm_by in [due.moment for due in desk.dues(filed.reference) if due.kind == "opvolging"]


def test_nobody_confirms_over_a_message_that_came_after_the_proposal(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    propose(desk, first, filed.reference)
    desk.reply(filed, "Er is net weer iets gebeurd.")

    with pytest.raises(NotAllowed, match="eerst_lezen"):
        desk.do(second, filed.reference, closing.confirm_close)


def test_nobody_confirms_an_own_proposal_by_writing_another_name_in_the_table(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    propose(desk, second, filed.reference)  # so that the trail holds an earlier proposal of the other name
    desk.do(first, filed.reference, closing.refuse_close, "Nog niet.")
    desk.do(first, filed.reference, closing.close, "geen_incident", done="", not_done="")
    with desk.instance.sessions.begin() as session:
        session.get_one(Track, desk.track(filed.reference).id).proposed_by = second.user_id

    with pytest.raises(Onleesbaar):
        desk.do(first, filed.reference, closing.confirm_close)

    assert desk.track(filed.reference).closed_at is None


def test_reopening_asks_a_reason_and_starts_the_chase_again(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    desk.finish(first, filed.reference)
    desk.later(days=3)

    with pytest.raises(NotAllowed, match="reden_nodig"):
        desk.do(second, filed.reference, closing.reopen, "")
    desk.do(second, filed.reference, closing.reopen, "Het begon opnieuw.")

    track = desk.track(filed.reference)
    assert (track.state, track.outcome, track.closed_at, track.owner_id) == (
        "in_behandeling", None, None, first.user_id,
    )  # fmt: skip
    assert track.due_at is not None
    assert "enquete" not in [due.kind for due in desk.dues(filed.reference)]


def test_an_open_track_is_not_reopened(desk):
    filed = desk.file()

    with pytest.raises(NotAllowed, match="niet_afgerond"):
        desk.do(desk.ready.first(TEAM), filed.reference, closing.reopen, "Zomaar.")


def test_aftercare_goes_on_after_closing_and_the_rest_falls_away(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.attempt, reached=True)

    desk.finish(member, filed.reference)

    assert sorted(due.kind for due in desk.dues(filed.reference)) == ["enquete", "nazorg_2w", "nazorg_6w", "nazorg_72u"]


def test_two_acts_on_one_track_in_hand_leave_no_due_behind(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    view = desk.open(member, filed.reference)
    with desk.instance.sessions.begin() as session:
        held = work.hold(session, desk.instance, member.person, filed.reference, now=desk.now)
        work.take(held)
        work.attempt(held, reached=True)
        closing.validate_facts(held, closing.suggested_facts(view.report, view.answer))
        assert closing.close(held, "geholpen", done="", not_done="")

    assert "opvolging" not in [due.kind for due in desk.dues(filed.reference)]
    assert desk.open(member, filed.reference).gaps == ()


def test_facts_with_a_code_nobody_knows_are_refused(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.take)

    for wrong in ({"role": "keizer"}, {"organisation": "GM9999"}, {"kinds": ["x"]}, {"aangifte": "misschien"}):
        with pytest.raises(NotAllowed, match="onbekende_feiten"):
            desk.facts(member, filed.reference, **wrong)
    assert counted(desk) == (0, 0)


def test_a_correction_of_the_facts_writes_the_difference(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.take)
    desk.facts(member, filed.reference)
    desk.facts(member, filed.reference)  # looked at again, nothing changed

    desk.facts(member, filed.reference, aangifte="ja")

    assert counted(desk) == (3, 3)


@pytest.mark.parametrize("outcome", ["dubbel", "ingetrokken"])
def test_a_report_that_was_none_takes_its_facts_back(desk, outcome):
    filed, member = desk.file(), desk.ready.second(TEAM)

    desk.finish(member, filed.reference, outcome)

    assert "feiten_ingetrokken" in actions(desk, member, filed.reference)
    assert counted(desk) == (3, 3)


def test_a_case_that_counts_after_all_is_counted_again(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.finish(member, filed.reference, "dubbel")
    desk.do(member, filed.reference, closing.reopen, "Toch een eigen zaak.")

    desk.do(member, filed.reference, closing.close, "geholpen", done="", not_done="")

    assert actions(desk, member, filed.reference).count("feiten_vastgesteld") == 2
    facts, said = counted(desk)
    assert facts == said == 6


def test_one_team_that_calls_it_double_does_not_take_back_what_another_worked_on(desk):
    document = THREAT | {"request": {"legal_support": True}}
    filed, support, legal = desk.file(document), desk.ready.first(TEAM), desk.ready.first("juridisch")
    desk.finish(support, filed.reference)
    desk.do(legal, filed.reference, work.take)

    desk.do(legal, filed.reference, closing.close, "dubbel", done="", not_done="")

    assert "feiten_ingetrokken" not in actions(desk, support, filed.reference)
    assert "zaak_gesloten" in actions(desk, support, filed.reference)
    assert counted(desk) == (2, 2)


def test_a_case_counts_as_handled_when_its_last_track_closes(desk):
    document = THREAT | {"request": {"legal_support": True}}
    filed, support, legal = desk.file(document), desk.ready.first(TEAM), desk.ready.first("juridisch")

    desk.finish(support, filed.reference)
    assert "zaak_gesloten" not in actions(desk, support, filed.reference)
    desk.do(legal, filed.reference, work.take)
    desk.do(legal, filed.reference, closing.close, "afgewikkeld", done="", not_done="")

    assert actions(desk, support, filed.reference).count("zaak_gesloten") == 1


def test_every_act_leaves_open_tracks_with_a_due_and_closed_ones_without(desk):
    filed, first, second = desk.file(ACUTE), desk.ready.first(TEAM), desk.ready.second(TEAM)
    propose(desk, first, filed.reference, "geholpen", team=TEAM)
    desk.do(second, filed.reference, closing.confirm_close, team=TEAM)

    with desk.instance.readings() as session:
        tracks = session.scalars(select(Track)).all()
        open_dues = set(session.scalars(select(Due.track_id).where(Due.ended_at.is_(None))))
    assert all(track.id in open_dues for track in tracks if track.closed_at is None)
    assert all((track.due_at is None) == (track.closed_at is not None) for track in tracks)
