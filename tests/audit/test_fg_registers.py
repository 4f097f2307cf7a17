"""The registers of the FG: requests of persons named in cases, and datalekken. Terms, two people, no content."""

import re
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import inspect, select

from weerbaar_meldpunt.actions import breaches, oversight, requests
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.rules.oversight import BREACH_STEPS, request_due
from weerbaar_meldpunt.rules.values import AMSTERDAM
from weerbaar_meldpunt.store.audit import Alarm
from weerbaar_meldpunt.store.oversight import Breach, BreachStep, PersonRequest, RequestDecision
from weerbaar_meldpunt.store.tracks import Outbox


@pytest.fixture
def fg(desk):
    return desk.ready.people.auditor()


def do(desk, act, account, *args, **more):
    with desk.instance.sessions.begin() as session:
        return act(session, desk.instance, account.person, *args, now=desk.now, **more)


def refused(desk, reason, act, account, *args, **more):
    with pytest.raises(NotAllowed, match=f"^{reason}$"):
        do(desk, act, account, *args, **more)


def mails_to(desk, account):
    with desk.instance.readings() as session:
        return len(session.scalars(select(Outbox).where(Outbox.recipient_id == account.user_id)).all())


# --- the term of a request -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "due", "extended"),
    [
        pytest.param("2026-11-23", "2026-12-23", "2027-02-23", id="a month, and three"),
        pytest.param("2027-01-31", "2027-03-01", "2027-04-30", id="February's last day is a Sunday"),
        pytest.param("2026-11-25", "2026-12-28", "2027-02-25", id="Christmas and the weekend after it"),
        pytest.param("2026-10-01", "2026-11-02", "2027-01-04", id="a Sunday moves to Monday; 1 January to the 4th"),
        pytest.param("2028-01-31", "2028-02-29", "2028-05-01", id="a leap year; 30 April is a Sunday"),
    ],
)
def test_an_answer_is_due_in_a_month_or_three_and_on_a_working_day(received, due, extended):
    assert request_due(date.fromisoformat(received)).isoformat() == due
    assert request_due(date.fromisoformat(received), extended=True).isoformat() == extended


# --- requests ------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(desk, fg):
    """A request that came in, of which the identity was seen; by its number."""
    number = do(desk, requests.receive, fg, "inzage", desk.now.date()).number
    do(desk, requests.see_identity, fg, number)
    return number


def test_the_register_has_no_place_for_a_name():
    columns = {column.key for column in inspect(PersonRequest).column_attrs}

    assert columns == {
        "id", "number", "kind", "received_on", "due_on", "extended", "identity_seen_on", "answered_on", "closed_at",
    }  # fmt: skip


def test_numbers_follow_each_other_by_year(desk, fg):
    numbers = [do(desk, requests.receive, fg, "inzage", desk.now.date()).number for _ in range(3)]
    desk.later(days=60)

    assert numbers == ["V-2026-001", "V-2026-002", "V-2026-003"]
    assert do(desk, requests.receive, fg, "bezwaar", desk.now.date()).number == "V-2027-001"


def test_nothing_is_decided_before_somebody_saw_who_asks(desk, fg):
    number = do(desk, requests.receive, fg, "inzage", desk.now.date()).number

    refused(desk, "eerst_identiteit", requests.propose, fg, number, "rechten_van_anderen", "geldt")


def test_one_person_cannot_decide(desk, fg, asked):
    do(desk, requests.propose, fg, asked, "rechten_van_anderen", "geldt")

    refused(desk, "tweede_persoon_verzoek", requests.confirm, fg, asked, "rechten_van_anderen", agreed=True)
    refused(desk, "eerst_besluit", requests.answer, fg, asked)


def test_two_people_decide_on_each_ground_and_then_the_letter_goes(desk, fg, asked):
    coordinator = desk.ready.first("ondersteuning")
    for ground in ("rechten_van_anderen", "strafbare_feiten"):
        do(desk, requests.propose, coordinator, asked, ground, "geldt")
    do(desk, requests.confirm, fg, asked, "rechten_van_anderen", agreed=True)
    refused(desk, "eerst_besluit", requests.answer, fg, asked)  # one still waits for a second
    do(desk, requests.confirm, fg, asked, "strafbare_feiten", agreed=True)

    do(desk, requests.answer, fg, asked)

    with desk.instance.readings() as session:
        [view] = requests.requests(session)
    assert view.row.answered_on == desk.now.date().isoformat()
    assert {one.ground for one in view.decisions} == {"rechten_van_anderen", "strafbare_feiten"}
    assert desk.verify().wrong == 0


def test_what_a_second_person_does_not_agree_with_is_taken_away_and_can_be_proposed_anew(desk, fg, asked):
    coordinator = desk.ready.first("ondersteuning")
    do(desk, requests.propose, coordinator, asked, "rechtsvordering", "geldt")
    do(desk, requests.confirm, fg, asked, "rechtsvordering", agreed=False)

    do(desk, requests.propose, fg, asked, "rechtsvordering", "geldt_niet")
    do(desk, requests.confirm, coordinator, asked, "rechtsvordering", agreed=True)

    assert desk.verify().wrong == 0


@pytest.mark.parametrize("who", ["member", "editor", "administrator"])
def test_nobody_else_touches_a_request(desk, fg, asked, who):
    account = {
        "member": desk.ready.second("ondersteuning"), "editor": desk.ready.editors[0],
        "administrator": desk.ready.people.beheerder(),
    }[who]  # fmt: skip

    refused(desk, "niet_uw_rol", requests.receive, account, "inzage", desk.now.date())
    refused(desk, "niet_uw_rol", requests.propose, account, asked, "rechtsvordering", "geldt")
    refused(desk, "niet_uw_rol", requests.answer, account, asked)


def test_a_request_is_made_longer_once_and_within_the_first_month_only(desk, fg, asked):
    do(desk, requests.extend, fg, asked)
    refused(desk, "verlengen_kan_niet", requests.extend, fg, asked)

    other = do(desk, requests.receive, fg, "inzage", desk.now.date()).number
    desk.later(days=31)
    refused(desk, "verlengen_kan_niet", requests.extend, fg, other)


@pytest.mark.parametrize("days", [1, -366])
def test_a_day_that_cannot_be_is_refused(desk, fg, days):
    refused(desk, "dag_kan_niet", requests.receive, fg, "inzage", desk.now.date() + timedelta(days=days))


def test_a_decision_that_was_planted_in_the_database_is_named(desk, fg, asked):
    do(desk, requests.propose, desk.ready.first("juridisch"), asked, "geen_grond", "geldt_niet")
    desk.write("UPDATE request_decision SET confirmed_by = proposed_by, confirmed_at = proposed_at, outcome = 'geldt'")

    assert desk.verify().kinds == {"row_altered": 1}
    assert RequestDecision.__tablename__ in desk.verify().findings[0].where


def test_the_letter_is_the_same_for_whoever_is_in_a_case_and_whoever_is_not(desk, fg, app, clock, sign_in):
    letters = []
    client = sign_in(app.test_client(), fg)
    for ground in ("niets_over_verzoeker", "rechten_van_anderen"):
        number = do(desk, requests.receive, fg, "inzage", desk.now.date()).number
        do(desk, requests.see_identity, fg, number)
        do(desk, requests.propose, desk.ready.first("juridisch"), number, ground, "geldt")
        assert client.get(f"/fg/verzoeken/{number}/brief").status_code == 303
        do(desk, requests.confirm, fg, number, ground, agreed=True)
        letters.append(client.get(f"/fg/verzoeken/{number}/brief").get_data(as_text=True).replace(number, "N"))
    tokens = [re.sub(r'(value|data-token)="[^"]+"', "", letter) for letter in letters]

    assert tokens[0] == tokens[1]
    assert "niet of een melding bestaat" in letters[0] or "of een melding bestaat" in letters[0]
    for ground in ("niets_over", "Rechten van anderen", "Er staat niets"):
        assert ground not in letters[0]


def test_the_fg_is_reminded_before_the_term_ends_and_of_each_moment_once(desk, fg, asked):
    before = mails_to(desk, fg)
    sent = []
    for _ in range(40):
        with desk.instance.sessions.begin() as session:
            sent.append(oversight.remind(session, desk.instance, now=desk.now))
        desk.later(days=1)

    assert [day for day, count in enumerate(sent) if count] == [23, 28, 30]
    assert mails_to(desk, fg) - before == 3


# --- datalekken ----------------------------------------------------------------------------------------------------


@pytest.fixture
def leak(desk, fg):
    """A datalek that was found an hour ago."""
    found_at = desk.now - timedelta(hours=1)
    return do(desk, breaches.find, fg, kind="verkeerd_verstuurd", persons="een", found_at=found_at)


def test_seventy_two_hours_run_from_the_moment_it_was_found_through_weekend_and_summer_time(desk, fg):
    friday = datetime(2027, 3, 26, 17, 0, tzinfo=AMSTERDAM)  # the clock goes ahead on Sunday
    desk.now = friday + timedelta(minutes=5)

    leak = do(desk, breaches.find, fg, kind="inbraak", persons="onbekend", found_at=friday)

    assert leak.due_at - friday.astimezone(leak.due_at.tzinfo) == timedelta(hours=72)
    assert leak.due_at.astimezone(AMSTERDAM).isoformat() == "2027-03-29T18:00:00+02:00"


def test_a_leak_goes_step_by_step_and_is_closed_after_the_last(desk, fg, leak):
    steps = [("beoordeeld", "hoog_risico"), ("gemeld_ap", "gemeld"), ("verteld", "verteld"), ("hersteld", "hersteld")]

    closed = [do(desk, breaches.take_step, fg, leak.number, step, how) for step, how in steps]

    assert closed == [False, False, False, True]
    refused(desk, "al_afgehandeld", breaches.take_step, fg, leak.number, "hersteld", "hersteld")
    with desk.instance.readings() as session:
        [view] = breaches.breaches(session)
    assert view.row.closed_at == desk.now
    assert [step.step for step in view.steps].sort() == sorted(BREACH_STEPS).sort()
    assert desk.verify().wrong == 0


@pytest.mark.parametrize(
    ("risk", "step", "reason"),
    [("risico", "gemeld_ap", "melden_moet"), ("hoog_risico", "gemeld_ap", "melden_moet"),
     ("hoog_risico", "verteld", "vertellen_moet")],
)  # fmt: skip
def test_what_the_law_asks_cannot_be_left_out(desk, fg, leak, risk, step, reason):
    do(desk, breaches.take_step, fg, leak.number, "beoordeeld", risk)

    refused(desk, reason, breaches.take_step, fg, leak.number, step, "niet_nodig")


def test_without_a_risk_nobody_needs_to_be_told_and_the_register_says_so(desk, fg, leak):
    do(desk, breaches.take_step, fg, leak.number, "beoordeeld", "geen_risico")
    do(desk, breaches.take_step, fg, leak.number, "gemeld_ap", "niet_nodig")
    do(desk, breaches.take_step, fg, leak.number, "verteld", "niet_nodig")

    with desk.instance.readings() as session:
        [view] = breaches.breaches(session)
    assert view.reported
    assert view.next_step == "hersteld"


def test_the_risk_is_judged_first_and_each_step_once(desk, fg, leak):
    refused(desk, "eerst_beoordelen", breaches.take_step, fg, leak.number, "gemeld_ap", "gemeld")
    do(desk, breaches.take_step, fg, leak.number, "beoordeeld", "risico")
    refused(desk, "al_gedaan", breaches.take_step, fg, leak.number, "beoordeeld", "geen_risico")
    refused(desk, "onbekende_keuze", breaches.take_step, fg, leak.number, "verteld", "gemeld")


def test_whoever_finds_one_notes_it_and_only_the_fg_takes_the_steps(desk, fg):
    for account in (desk.ready.first("juridisch"), desk.ready.people.beheerder()):
        leak = do(desk, breaches.find, account, kind="inbraak", persons="onbekend", found_at=desk.now)
        refused(desk, "niet_uw_rol", breaches.take_step, account, leak.number, "beoordeeld", "geen_risico")
    refused(
        desk, "niet_uw_rol", breaches.find, desk.ready.second("juridisch"), kind="inbraak", persons="een",
        found_at=desk.now,
    )  # fmt: skip


def test_a_moment_that_is_still_to_come_is_refused(desk, fg):
    refused(
        desk, "dag_kan_niet", breaches.find, fg, kind="inbraak", persons="een",
        found_at=desk.now + timedelta(minutes=1),
    )  # fmt: skip


def test_the_hours_are_mailed_and_the_last_one_is_an_alarm(desk, fg, leak):
    before = mails_to(desk, fg)
    sent = []
    for hour in range(1, 90):
        with desk.instance.sessions.begin() as session:
            if oversight.remind(session, desk.instance, now=desk.now):
                sent.append(hour)
        desk.later(hours=1)

    assert sent == [1, 24, 48, 66, 72]
    assert mails_to(desk, fg) - before == 5
    with desk.instance.readings() as session:
        [alarm] = session.scalars(select(Alarm))
    assert (alarm.kind, alarm.about) == ("datalek_te_laat", leak.number)


def test_a_clock_that_stood_still_sends_one_reminder_and_not_five(desk, fg, leak):
    desk.later(hours=80)
    with desk.instance.sessions.begin() as session:
        assert oversight.remind(session, desk.instance, now=desk.now) == 1
        assert oversight.remind(session, desk.instance, now=desk.now) == 0


def test_once_it_is_reported_nobody_is_reminded(desk, fg, leak):
    do(desk, breaches.take_step, fg, leak.number, "beoordeeld", "risico")
    do(desk, breaches.take_step, fg, leak.number, "gemeld_ap", "gemeld")
    desk.later(hours=80)

    with desk.instance.readings() as session:
        assert not oversight.anything_to_remind(session, now=desk.now)


def test_the_register_tells_no_content():
    for model in (Breach, BreachStep):
        assert not {"text", "note", "words", "sealed"} & {column.key for column in inspect(model).column_attrs}


def test_the_page_counts_down_and_takes_the_next_step(desk, leak, fg, app, clock, sign_in):
    clock.now = desk.now
    client = sign_in(app.test_client(), fg)
    page = client.get("/fg/datalekken").get_data(as_text=True)

    assert "nog 70 uur" in page
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
    answer = client.post(
        f"/fg/datalekken/{leak.number}", data={"csrf_token": token, "step": "gemeld_ap:gemeld"}
    ).get_data(as_text=True)
    assert "Beoordeel eerst hoe groot het risico is." in answer
    assert f'href="#f-step-{leak.number}"' in answer
    client.post(f"/fg/datalekken/{leak.number}", data={"csrf_token": token, "step": "beoordeeld:risico"})
    assert "Er is een risico" in client.get("/fg/datalekken").get_data(as_text=True)
    clock.forward(days=4)
    assert "te laat" in sign_in(app.test_client(), fg).get("/fg/datalekken").get_data(as_text=True)


@pytest.mark.parametrize(
    ("day", "hour"), [("", "12:00"), ("2026-11-23", ""), ("gisteren", "12:00"), ("2026-11-23", "25:00")]
)
def test_a_leak_without_its_moment_is_asked_again_with_what_was_typed(desk, fg, app, clock, sign_in, day, hour):
    client = sign_in(app.test_client(), fg)
    page = client.get("/fg/datalekken").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)

    answer = client.post(
        "/fg/datalekken",
        data={"csrf_token": token, "kind": "inbraak", "persons": "een", "found_date": day, "found_time": hour},
    )

    assert answer.status_code == 422
    assert re.search(r'value="inbraak"\s+checked', answer.get_data(as_text=True))
