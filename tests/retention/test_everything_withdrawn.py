"""The reporter wants everything to go: a week to think again, then the clock does it, and nobody is hurried."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import consent, holding, withdrawal
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.store.audit import Alarm
from weerbaar_meldpunt.store.retention import Withdrawal
from weerbaar_meldpunt.store.tracks import Track

SAFE = {"contact": {"telephone": "0612345678", "channel": "telefoon", "safe_hours": [{"from": "17:00", "to": "21:00"}]}}


def standing(desk, filed, case_id):
    with desk.instance.readings() as session:
        return withdrawal.standing(session, case_id(filed.reference), now=desk.now)


@pytest.fixture(params=["receipt code", "account"])
def filed(request, desk):
    """A report, with and without an account."""
    if request.param == "account":
        return desk.file(account=desk.ready.people.reporter().person)
    return desk.file()


def test_it_goes_after_seven_days_and_not_before(desk, filed, own_act, run_clock, exists, register):
    erase_at = own_act(filed, withdrawal.ask)
    assert erase_at - desk.now == timedelta(days=7)

    desk.later(days=7, minutes=-2)
    assert run_clock() == 0
    desk.later(minutes=2)
    assert run_clock() == 1

    assert not exists(filed.reference)
    [line] = register()
    assert (line.ground, line.outcome, line.count) == ("ingetrokken", "open", 1)
    assert line.proposed_by is None


def test_until_then_it_can_be_undone(desk, filed, own_act, run_clock, exists, case_id):
    own_act(filed, withdrawal.ask)
    desk.later(days=6)

    own_act(filed, withdrawal.undo)

    desk.later(days=30)
    assert run_clock() == 0
    assert exists(filed.reference)
    assert not standing(desk, filed, case_id).asked


def test_asking_again_does_not_hurry_it_nor_put_it_off(desk, filed, own_act, case_id):
    first = own_act(filed, withdrawal.ask)
    desk.later(days=3)

    assert own_act(filed, withdrawal.ask) == first
    assert standing(desk, filed, case_id).erase_at == first


def test_undoing_what_was_not_asked_is_refused(filed, own_act):
    with pytest.raises(NotAllowed, match="niets_ingetrokken"):
        own_act(filed, withdrawal.undo)


def test_the_teams_see_that_it_was_asked(desk, filed, own_act):
    own_act(filed, withdrawal.ask)

    assert desk.track(filed.reference).unread
    view = desk.open(desk.ready.first("ondersteuning"), filed.reference)
    assert [event.action for event in view.events if event.vouched][-2:].count("intrekking_gevraagd") == 1
    assert view.gaps == ()


def test_a_hold_keeps_it_names_its_ground_and_it_goes_when_the_hold_ends(
    desk, filed, own_act, run_clock, exists, case_id
):
    own_act(filed, withdrawal.ask)
    first = desk.ready.first("ondersteuning")
    desk.do(
        first, filed.reference, holding.place_hold, ground="strafzaak", text="De politie vroeg het te bewaren.",
        review_on=desk.now.date() + timedelta(days=90),
    )  # fmt: skip
    desk.later(days=8)

    assert run_clock() == 0
    assert exists(filed.reference)
    [hold] = standing(desk, filed, case_id).holds
    assert hold.ground == "strafzaak"
    with desk.instance.readings() as session:
        from weerbaar_meldpunt.actions import reader

        view = reader.own_case(session, desk.instance, filed.reader).view
    assert withdrawal.reasons(view) == {hold.id.hex(): "De politie vroeg het te bewaren."}

    desk.do(first, filed.reference, holding.review_hold, hold.id, review_on=None, text="Niet meer nodig.")
    assert run_clock() == 1
    assert not exists(filed.reference)


def test_a_jump_ahead_of_the_machines_clock_hurries_nothing(desk, own_act, exists):
    from weerbaar_meldpunt.jobs.clock import Clock

    filed = desk.file()
    own_act(filed, withdrawal.ask)
    clock = Clock(desk.instance, moment=lambda: desk.now, wall=lambda: desk.now, running=lambda: 0.0)
    clock.chase()
    desk.later(days=8)

    assert clock.erase() == 0
    assert exists(filed.reference)


# --- under pressure ------------------------------------------------------------------------------------------------


def test_pressure_plans_a_call_in_safe_hours_and_does_not_hurry_the_end(desk, own_act):
    filed = desk.file(SAFE | {"incident": {"kinds": ["verbale_agressie"]}})

    erase_at = own_act(filed, withdrawal.ask, pressure=True)

    assert erase_at - desk.now == timedelta(days=7)
    calls = [due for due in desk.dues(filed.reference) if due.kind == "poging"]
    assert [due.moment.strftime("%H:%M") for due in calls] == ["16:00"]  # 17:00 in Amsterdam
    assert consent.PRESSURE in desk.open(desk.ready.first("ondersteuning"), filed.reference).melding["marks"]


def test_pressure_on_a_case_that_was_closed_opens_it_for_that_call(desk, closed, own_act):
    filed = closed(document=SAFE | {"target": {"role": "raadslid", "organisation": "GM0363"}})

    own_act(filed, withdrawal.ask, pressure=True)

    track = desk.track(filed.reference)
    assert (track.state, track.closed_at) == ("in_behandeling", None)
    assert [due.kind for due in desk.dues(filed.reference) if due.kind == "poging"] == ["poging"]
    assert desk.open(desk.ready.first("ondersteuning"), filed.reference).gaps == ()


def test_no_open_column_says_that_somebody_is_under_pressure(desk, own_act, everything):
    quiet, pressed = desk.file(), desk.file()

    own_act(quiet, withdrawal.ask)
    own_act(pressed, withdrawal.ask, pressure=True)

    texts = [value for rows in everything().values() for row in rows for value in row if isinstance(value, str)]
    assert not any("druk" in text and "juridisch" not in text for text in texts)


# --- who may -------------------------------------------------------------------------------------------------------


def test_a_proxy_may_until_the_official_took_the_report_over(desk, own_act):
    document = {
        "reporter": {"relation": "griffier", "consent": "ja"}, "target": {"role": "raadslid"},
        "incident": {"kinds": ["verbale_agressie"]},
    }  # fmt: skip
    filed = desk.file(document)

    own_act(filed, withdrawal.ask)


# --- attacks -------------------------------------------------------------------------------------------------------


def test_a_withdrawal_that_was_planted_lets_nothing_go_and_sounds_an_alarm(desk, run_clock, exists, case_id):
    filed, other = desk.file(), desk.file()
    with desk.instance.sessions.begin() as session:
        session.add(
            Withdrawal(case_id=case_id(filed.reference), asked_at=desk.now, erase_at=desk.now - timedelta(days=1))
        )

    assert run_clock() == 0

    assert exists(filed.reference)
    assert exists(other.reference)
    with desk.instance.readings() as session:
        assert session.scalars(select(Alarm.kind)).all() == ["vernietiging_gestopt"]


def test_a_day_put_forward_in_the_database_does_not_hurry_it(desk, own_act, run_clock, exists):
    filed = desk.file()
    own_act(filed, withdrawal.ask)
    with desk.instance.sessions.begin() as session:
        session.scalars(select(Withdrawal)).one().erase_at = desk.now

    assert run_clock() == 0
    assert exists(filed.reference)


def test_a_planted_withdrawal_does_not_hold_up_a_true_one(desk, own_act, run_clock, exists, case_id):
    planted, true = desk.file(), desk.file()
    own_act(true, withdrawal.ask)
    desk.later(days=7)
    with desk.instance.sessions.begin() as session:
        session.add(
            Withdrawal(case_id=case_id(planted.reference), asked_at=desk.now, erase_at=desk.now - timedelta(days=9))
        )

    assert run_clock() == 1

    assert exists(planted.reference)
    assert not exists(true.reference)


# --- what left -----------------------------------------------------------------------------------------------------


def test_it_says_what_left_the_house_already(desk, closed):
    from weerbaar_meldpunt.actions import reader, work

    filed = closed(facts={"aangifte": "ja"})
    desk.reply(filed, "Nog iets.")
    member = desk.ready.second("ondersteuning")
    desk.do(member, filed.reference, work.wait, kind="wacht_op_derde", for_whom="politie")

    with desk.instance.readings() as session:
        view = reader.own_case(session, desk.instance, filed.reader).view
    assert {left.to for left in withdrawal.what_left(view)} == {"aangifte", "politie"}


def test_a_track_counts_no_less_after_it(desk, own_act, case_id):
    filed = desk.file()
    own_act(filed, withdrawal.ask)

    with desk.instance.readings() as session:
        track = session.scalars(select(Track).where(Track.case_id == case_id(filed.reference))).one()
    assert track.closed_at is None
    assert track.due_at is not None
