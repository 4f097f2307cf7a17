"""What people do on a case, and what the clock makes of it: real cases, filed and worked on by the real actions."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import closing, work
from weerbaar_meldpunt.jobs.schedule import run_once
from weerbaar_meldpunt.store.tracks import Due, DueStep, Track

TEAM = "ondersteuning"
DOXED = {"incident": {"kinds": ["doxing"]}, "target": {"role": "raadslid"}}
FACTS = {
    "role": "raadslid", "organisation": None, "kinds": ["bedreiging_intimidatie"], "channels": [],
    "routes": [TEAM], "aangifte": "onbekend", "gender": None,
}  # fmt: skip


@pytest.fixture
def act(ready):
    """Do something on a case as a member of the support team."""

    def done(filed, what, *args, now, by=None, **named):
        with ready.instance.sessions.begin() as session:
            person = (by or ready.second(TEAM)).person
            held = work.hold(session, ready.instance, person, filed.reference, now=now)
            return what(held, *args, **named)

    return done


@pytest.fixture
def open_dues(ready):
    def found(team=TEAM):
        with ready.instance.readings() as session:
            rows = session.scalars(
                select(Due).join(Track).where(Track.team == team, Due.ended_at.is_(None)).order_by(Due.moment)
            )
            return [(due.kind, due.moment) for due in rows]

    return found


def steps(instance):
    with instance.readings() as session:
        return len(session.scalars(select(DueStep)).all())


# --- the night -----------------------------------------------------------------------------------------------------


@pytest.fixture
def sleeper(file, at):
    """Somebody doxed at two in the night who wants no call before the morning."""
    contact = {"telephone": "0612345678", "night_call": False, "safe_hours": [{"from": "08:30", "to": "10:00"}]}
    return file(DOXED | {"contact": contact}, now=at("2026-11-24T02:00"))


def test_who_sleeps_is_written_to_at_once_and_called_in_the_safe_hours(sleeper, open_dues, at):
    assert sleeper.answer["urgency"] == "hoog"

    assert open_dues()[:2] == [("eerste_contact", at("2026-11-24T06:00")), ("poging", at("2026-11-24T08:30"))]


def test_the_message_at_night_is_the_contact_and_the_call_in_the_morning_stays(sleeper, act, open_dues, ready, at):
    run_once(ready.instance, at("2026-11-24T02:00"))
    before = steps(ready.instance)

    act(sleeper, work.take, now=at("2026-11-24T02:10"))
    act(sleeper, work.write_message, "Wij bellen u om half negen.", now=at("2026-11-24T02:15"))
    for hour in ("03:15", "04:15", "06:01", "08:29"):
        run_once(ready.instance, at(f"2026-11-24T{hour}"))

    assert before > 0
    assert steps(ready.instance) == before
    kinds = dict(open_dues())
    assert "eerste_contact" not in kinds
    assert kinds["poging"] - at("2026-11-24T08:30") < timedelta(minutes=1)
    assert "nazorg_72u" in kinds


def test_the_call_in_the_morning_is_chased_when_nobody_makes_it(sleeper, act, ready, at):
    act(sleeper, work.take, now=at("2026-11-24T02:10"))
    act(sleeper, work.write_message, "Wij bellen u om half negen.", now=at("2026-11-24T02:15"))

    run_once(ready.instance, at("2026-11-24T08:31"))

    with ready.instance.readings() as session:
        [chased] = session.scalars(select(Due).join(DueStep, DueStep.due_id == Due.id))
    assert chased.kind == "poging"


def test_no_answer_late_in_the_evening_is_tried_again_in_the_morning(file, act, open_dues, at):
    filed = file(
        DOXED | {"contact": {"telephone": "0612345678", "night_call": False}}, now=at("2026-11-23T21:00")
    )  # fmt: skip

    act(filed, work.attempt, reached=False, now=at("2026-11-23T21:30"))

    assert ("poging", at("2026-11-24T07:00")) in open_dues()


# --- the end -------------------------------------------------------------------------------------------------------


@pytest.fixture
def handled(file, act, at):
    """A case on which there was contact, and whose facts are established."""
    now = at("2026-11-23T12:00")
    filed = file({"incident": {"kinds": ["bedreiging_intimidatie"]}, "contact": {"telephone": "0612345678"}}, now=now)
    act(filed, work.attempt, reached=True, now=now)
    act(filed, closing.validate_facts, FACTS, now=now)
    return filed


def test_after_the_closing_aftercare_and_survey_are_left(handled, act, open_dues, ready, at):
    act(handled, closing.close, "geholpen", done="gebeld", not_done="", now=at("2026-11-24T12:00"))

    assert [kind for kind, _ in open_dues()] == ["nazorg_72u", "nazorg_2w", "enquete", "nazorg_6w"]

    run_once(ready.instance, at("2026-11-26T12:00"))
    assert steps(ready.instance) == 1


def test_whoever_wants_no_more_is_left_in_peace(handled, act, open_dues, ready, at):
    act(handled, closing.close, "melder_wil_niet_verder", done="gebeld", not_done="", now=at("2026-11-24T12:00"))

    run_once(ready.instance, at("2027-03-01T12:00"))

    assert open_dues() == []
    assert steps(ready.instance) == 0
