"""Whatever people do, in whatever order and at the same time: no open track is without a due, and nothing is lost."""

import random
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import closing, work
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.tracks import plan, settle
from weerbaar_meldpunt.rules import moves
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import Message, Note
from weerbaar_meldpunt.store.tracks import Due, Track

from .conftest import THREAT

TEAM = "ondersteuning"
DOCUMENTS = [
    THREAT,
    THREAT | {"incident": THREAT["incident"] | {"happening_now": True, "weapon": True}},
    THREAT | {"request": {"legal_support": True}},
    THREAT | {"target": {"role": "wethouder"}, "request": {"security_measures": True}},
    THREAT | {"reporter": {"relation": "griffier", "consent": "nog_te_vragen"}},
    {"incident": {"kinds": ["verbale_agressie"]}, "request": {"support": False}},
]


def some_act(chance, desk, filed):
    """An act of a random member, or a message of the reporter; mostly one that is allowed, often one that is not."""
    teams = filed.teams
    team = chance.choice(teams)
    member = chance.choice(desk.ready.members[team])
    open_dues = desk.dues(filed.reference, team)
    outcome = chance.choice(moves.outcomes_for(team))
    kind = chance.choice(work.WAITING)
    for_whom = (
        "melder" if kind == "wacht_op_melder" else chance.choice(["politie", "organisatie", "platform", "melder"])
    )
    until = chance.choice([None, desk.now + timedelta(days=chance.randint(-1, 120))])
    facts = {
        "role": "raadslid", "organisation": chance.choice([None, "GM0363"]), "kinds": ["bedreiging_intimidatie"],
        "channels": ["email"], "routes": list(teams), "aangifte": chance.choice(["ja", "nee", "onbekend"]),
        "gender": None,
    }  # fmt: skip
    acts = [
        (work.take, {}),
        (work.hand_over, {"to": chance.choice(desk.ready.members[team]).user_id, "reason": "Vrij."}),
        (work.add_note, {"text": "Notitie."}),
        (work.write_message, {"text": "Bericht."}),
        (work.mark_read, {}),
        (work.mark_read, {}),
        (work.attempt, {"reached": True}),
        (work.attempt, {"reached": False, "text": "Voicemail."}),
        (work.wait, {"kind": kind, "for_whom": for_whom, "until": until}),
        (work.resume, {}),
        (work.finish_due, {"due_id": chance.choice([due.id for due in open_dues] or [b"x" * 16])}),
        (
            work.finish_due,
            {"due_id": chance.choice([due.id for due in open_dues] or [b""]), "dropped": True, "reason": "Hoeft niet."},
        ),
        (closing.validate_facts, {"facts": facts}),
        (closing.close, {"outcome": outcome, "done": "Gebeld.", "not_done": ""}),
        (closing.close, {"outcome": outcome, "done": "Gebeld.", "not_done": ""}),
        (closing.confirm_close, {}),
        (closing.refuse_close, {"reason": "Nog niet."}),
        (closing.reopen, {"reason": "Het begon opnieuw."}),
    ]
    place = chance.randrange(len(acts) + 2)
    if place >= len(acts):
        desk.reply(filed, "Ik heb nog iets.")
        return "bericht_melder"
    act, more = acts[place]
    try:
        desk.do(member, filed.reference, act, team=team, **more)
    except NotAllowed as refusal:
        return refusal.reason
    return act.__name__


def what_is_wrong(desk):
    """Every way in which tracks and dues do not agree; nothing when all is well."""
    wrong = []
    with desk.instance.readings() as session:
        tracks = session.scalars(select(Track)).all()
        dues = session.scalars(select(Due).where(Due.ended_at.is_(None))).all()
    for track in tracks:
        pending = sorted((due.moment, due.kind) for due in dues if due.track_id == track.id)
        expected = (None, None) if track.closed_at else pending[0] if pending else ("a due", "is missing")
        if (track.due_at, track.due_kind) != expected:
            wrong.append(f"{track.team} {track.state}: {track.due_at} {track.due_kind}, not {expected}")
        if any(due.next_at is None and due.step == "gepland" for due in dues if due.track_id == track.id):
            wrong.append(f"{track.team}: a planned due that no clock will look at")
        if (track.state == "afgerond") != (track.closed_at is not None):
            wrong.append(f"{track.team}: state and closing disagree")
        if track.state in ("in_behandeling", *work.WAITING) and track.owner_id is None:
            wrong.append(f"{track.team}: {track.state} without an owner")
        if (track.outcome is None) != (track.closed_at is None and track.proposed_by is None):
            wrong.append(f"{track.team}: an outcome without closing or proposal")
    return wrong


def live(desk, seed, acts):
    chance = random.Random(seed)
    filed = desk.file(chance.choice(DOCUMENTS))
    done = []
    for _ in range(acts):
        desk.later(minutes=chance.choice([0, 1, 5, 60, 60 * 24, 60 * 24 * 9]))
        done.append(some_act(chance, desk, filed))
        assert what_is_wrong(desk) == [], done
    first = desk.ready.members[filed.teams[0]][0]
    view = desk.open(first, filed.reference)
    assert view.gaps == ()
    assert view.readable
    return done


def test_no_open_track_is_ever_without_a_due(desk):
    done = live(desk, 1, 25)

    assert len(set(done)) > 8


def test_an_act_that_plans_nothing_leaves_a_due_all_the_same(desk):
    filed, member = desk.file(), desk.ready.first(TEAM)
    with desk.instance.sessions.begin() as session:
        held = work.hold(session, desk.instance, member.person, filed.reference, now=desk.now)
        ledger = held.ledger()
        settle(ledger, held.dues, None, "vervallen", now=desk.now)
        plan(ledger, held.track, held.dues, [], now=desk.now)
        held.close(ledger, "verder", {"text": ""})

    assert [due.kind for due in desk.dues(filed.reference)] == ["opvolging"]
    assert what_is_wrong(desk) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 14))
def test_no_open_track_is_ever_without_a_due_in_many_lives(desk, seed):
    done = live(desk, seed, 60)

    assert len(set(done)) > 10


def at_once(*acts):
    """Run each in a thread of its own, all starting together; answers what each gave or raised."""
    ready, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        ready.wait()
        try:
            results[place] = act()
        except Exception as fault:
            results[place] = fault

    threads = [threading.Thread(target=run, args=row) for row in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_two_who_take_a_track_at_the_same_moment_one_has_it_and_the_other_is_told(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    seen = desk.open(first, filed.reference).mine.stamp

    results = at_once(
        lambda: desk.do(first, filed.reference, work.take, seen=seen),
        lambda: desk.do(second, filed.reference, work.take, seen=seen),
    )

    refused = [result for result in results if result is not None]
    assert [fault.reason for fault in refused] == ["intussen_veranderd"]
    assert desk.track(filed.reference).owner_id in (first.user_id, second.user_id)


def test_of_two_who_close_at_the_same_moment_one_closes(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    desk.do(second, filed.reference, work.take)
    desk.facts(second, filed.reference)
    words = {"done": "", "not_done": ""}

    results = at_once(
        lambda: desk.do(first, filed.reference, closing.close, "geholpen", **words),
        lambda: desk.do(second, filed.reference, closing.close, "doorverwezen", **words),
    )

    assert sorted(str(result) for result in results) == ["True", "al_afgerond"]
    with desk.instance.readings() as session:
        assert len(session.scalars(select(Leaf).where(Leaf.action == "zaak_gesloten")).all()) == 1


def test_notes_messages_and_facts_of_many_at_once_are_all_kept(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    desk.do(first, filed.reference, work.take)

    results = at_once(
        lambda: desk.do(first, filed.reference, work.add_note, "Van de een."),
        lambda: desk.do(second, filed.reference, work.add_note, "Van de ander."),
        lambda: desk.do(second, filed.reference, work.write_message, "Dag."),
        lambda: desk.reply(filed, "Ook dag."),
        lambda: desk.facts(first, filed.reference),
        lambda: desk.facts(second, filed.reference, aangifte="ja"),
    )

    assert [result for result in results if isinstance(result, Exception)] == []
    with desk.instance.readings() as session:
        assert len(session.scalars(select(Note)).all()) == 2
        assert len(session.scalars(select(Message)).all()) == 2
    view = desk.open(first, filed.reference)
    assert (view.gaps, view.revision) == ((), 3)
    assert what_is_wrong(desk) == []


def test_the_same_form_sent_twice_at_the_same_moment_is_one_note(desk):
    filed, member, form = desk.file(), desk.ready.second(TEAM), b"0123456789abcdef"

    results = at_once(*[lambda: desk.do(member, filed.reference, work.add_note, "Eén.", form=form)] * 3)

    assert sum(isinstance(result, work.AlreadyDone) for result in results) == 2
    assert len(desk.open(member, filed.reference).notes) == 1
