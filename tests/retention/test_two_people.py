"""Nothing goes by the clock alone: one coordinator proposes, another confirms, and what changed meanwhile counts."""

from datetime import date, timedelta
from threading import Thread

import pytest
from sqlalchemy import select, update

from weerbaar_meldpunt.actions import closing, destroying, holding
from weerbaar_meldpunt.actions.errors import NotAllowed, Onleesbaar
from weerbaar_meldpunt.store.audit import Alarm
from weerbaar_meldpunt.store.retention import Destruction, DestructionCase, Hold, Keeping
from weerbaar_meldpunt.store.tracks import Outbox, Pulse, Track

YEARS = {"days": 740}


@pytest.fixture
def ripe(desk, closed):
    """Cases whose term is over."""

    def made(count=1, **more):
        filed = [closed(**more) for _ in range(count)]
        desk.later(**YEARS)
        return filed

    return made


def due(desk, team="ondersteuning"):
    with desk.instance.readings() as session:
        return [one.reference for one in destroying.due(session, team, now=desk.now)]


def hold(desk, reference, by=None, **more):
    more = {"ground": "rechtsvordering", "text": "Er loopt een zaak bij de rechter."} | more
    more.setdefault("review_on", desk.now.date() + timedelta(days=100))
    desk.do(by or desk.ready.first("ondersteuning"), reference, holding.place_hold, **more)


def test_a_case_is_on_the_list_from_the_day_its_term_is_over_and_not_before(desk, closed):
    filed = closed()
    desk.now = desk.now.replace(year=2028, month=11, day=22)
    assert due(desk) == []
    with desk.instance.readings() as session:
        assert [one.reference for one in destroying.soon(session, "ondersteuning", now=desk.now)] == [filed.reference]

    desk.later(days=1)
    assert due(desk) == [filed.reference]


def test_the_clock_alone_destroys_nothing_however_late_it_is(desk, ripe, run_clock, exists):
    [filed] = ripe()
    desk.later(days=5000)

    assert run_clock() == 0
    assert exists(filed.reference)


def test_what_two_people_decided_goes_and_the_rest_stays(desk, ripe, run_clock, exists, propose, decide, register):
    one, two, three = ripe(3)

    proposal = propose(one.reference, two.reference)
    assert run_clock() == 0
    assert decide(proposal, by=desk.ready.second("ondersteuning")) == 2
    assert run_clock() == 2

    assert [exists(filed.reference) for filed in (one, two, three)] == [False, False, True]
    [line] = register()
    assert (line.count, line.term, line.outcome) == (2, "gewoon", "geholpen")
    assert line.proposed_by == desk.ready.first("ondersteuning").user_id
    assert line.confirmed_by == desk.ready.second("ondersteuning").user_id


def test_who_proposed_cannot_confirm(desk, ripe, propose, decide):
    [filed] = ripe()
    proposal = propose(filed.reference)

    with pytest.raises(NotAllowed, match="tweede_persoon"):
        decide(proposal, by=desk.ready.first("ondersteuning"))


def test_only_a_coordinator_of_the_team_proposes(desk, ripe, propose):
    [filed] = ripe()

    for by in (desk.ready.second("ondersteuning"), desk.ready.first("juridisch"), desk.ready.people.beheerder()):
        with pytest.raises(NotAllowed, match="alleen_coordinator"):
            propose(filed.reference, by=by)


def test_the_second_person_is_a_coordinator_or_a_colleague_of_the_team_and_nobody_who_only_administers(
    desk, ripe, propose, decide
):
    [filed] = ripe()
    proposal = propose(filed.reference)

    for by in (
        desk.ready.second("juridisch"), desk.ready.people.beheerder(), desk.ready.people.auditor(),
        desk.ready.editors[0],
    ):  # fmt: skip
        with pytest.raises(NotAllowed, match="alleen_coordinator"):
            decide(proposal, by=by)
    assert decide(proposal, by=desk.ready.first("juridisch")) == 1


def test_a_coordinator_of_another_team_sees_how_many_of_what_and_not_which(desk, ripe, propose):
    [filed] = ripe()
    propose(filed.reference)

    with desk.instance.readings() as session:
        [theirs] = destroying.proposals(session, desk.instance, desk.ready.first("juridisch").person, now=desk.now)
        [ours] = destroying.proposals(session, desk.instance, desk.ready.second("ondersteuning").person, now=desk.now)
        nobody = destroying.proposals(session, desk.instance, desk.ready.second("juridisch").person, now=desk.now)
    assert theirs.counts == {("termijn", "gewoon", "geholpen"): 1}
    assert theirs.cases == ()
    assert [case.reference for case in ours.cases] == [filed.reference]
    assert nobody == []


def test_a_no_leaves_everything_and_it_can_be_proposed_again(desk, ripe, propose, decide, run_clock, exists):
    [filed] = ripe()

    assert decide(propose(filed.reference), by=desk.ready.second("ondersteuning"), agrees=False) == 0
    assert run_clock() == 0
    assert exists(filed.reference)
    assert due(desk) == [filed.reference]
    propose(filed.reference)


def test_a_case_in_one_proposal_is_in_no_other(desk, ripe, propose):
    [filed] = ripe()
    propose(filed.reference)

    assert due(desk) == []
    with pytest.raises(NotAllowed, match="niets_gekozen"):
        propose(filed.reference)


def test_a_proposal_that_nobody_answers_lapses(desk, ripe, propose, decide):
    [filed] = ripe()
    proposal = propose(filed.reference)
    desk.later(days=14)

    with pytest.raises(NotAllowed, match="voorstel_voorbij"):
        decide(proposal, by=desk.ready.second("ondersteuning"))
    with desk.instance.sessions.begin() as session:
        assert destroying.lapse(session, desk.instance, now=desk.now) == 1
    assert due(desk) == [filed.reference]


def test_a_hold_takes_a_case_off_the_list_and_a_proposal_cannot_name_it(desk, closed, propose):
    filed = closed()
    hold(desk, filed.reference, review_on=desk.now.date() + timedelta(days=365))
    desk.later(**YEARS)

    assert due(desk) == []
    with pytest.raises(NotAllowed, match="niets_gekozen"):
        propose(filed.reference)


@pytest.mark.parametrize("when", ["before the yes", "after the yes"])
def test_a_hold_that_comes_late_still_keeps_the_case(desk, ripe, propose, decide, run_clock, exists, when):
    one, two = ripe(2)
    proposal = propose(one.reference, two.reference)

    if when == "before the yes":
        hold(desk, one.reference)
        assert decide(proposal, by=desk.ready.second("ondersteuning")) == 1
    else:
        assert decide(proposal, by=desk.ready.second("ondersteuning")) == 2
        hold(desk, one.reference)

    assert run_clock() == 1
    assert [exists(one.reference), exists(two.reference)] == [True, False]


@pytest.mark.parametrize("who", ["reporter", "team"])
def test_a_case_that_opens_again_meanwhile_stays(desk, ripe, propose, decide, run_clock, exists, who):
    [filed] = ripe()
    proposal = propose(filed.reference)
    decide(proposal, by=desk.ready.second("ondersteuning"))

    if who == "reporter":
        desk.reply(filed, "Het begint opnieuw.")
    else:
        desk.do(desk.ready.second("ondersteuning"), filed.reference, closing.reopen, "Nieuwe dreiging.")

    assert run_clock() == 0
    assert exists(filed.reference)


def test_a_hold_ends_on_its_last_day_or_when_a_coordinator_ends_it(desk, closed):
    until, ended = closed(), closed()
    desk.later(**YEARS)
    day = desk.now.date()
    hold(desk, until.reference, until=day + timedelta(days=10))
    hold(desk, ended.reference)
    with desk.instance.readings() as session:
        which = {row.until: row.id for row in session.scalars(select(Hold))}[None]
    assert due(desk) == []

    desk.do(
        desk.ready.first("ondersteuning"), ended.reference, holding.review_hold, which, review_on=None,
        text="De rechter deed uitspraak.",
    )  # fmt: skip
    assert due(desk) == [ended.reference]
    desk.later(days=10)
    assert due(desk) == [ended.reference]
    desk.later(days=1)
    assert set(due(desk)) == {ended.reference, until.reference}


def test_a_hold_has_a_known_ground_words_and_a_day_to_look_again_within_a_year(desk, closed):
    filed = closed()
    day = desk.now.date()
    for reason, more in {
        "onbekende_grond": {"ground": "zomaar"},
        "reden_nodig": {"text": "  "},
        "dag_kan_niet": {"review_on": day},
    }.items():
        with pytest.raises(NotAllowed, match=reason):
            hold(desk, filed.reference, **more)
    with pytest.raises(NotAllowed, match="dag_kan_niet"):
        hold(desk, filed.reference, review_on=date(2028, 1, 1))
    with pytest.raises(NotAllowed, match="dag_kan_niet"):
        hold(desk, filed.reference, until=day - timedelta(days=1))
    with pytest.raises(NotAllowed, match="alleen_coordinator"):
        hold(desk, filed.reference, by=desk.ready.second("ondersteuning"))


def test_the_reporter_reads_the_ground_and_the_words_of_a_hold(desk, closed):
    filed = closed()
    hold(desk, filed.reference)

    [event] = [event for event in desk.reporter(filed).view.events if event.action == "bewaring"]

    assert event.document["ground"] == "rechtsvordering"
    assert event.document["text"] == "Er loopt een zaak bij de rechter."


# --- attacks -------------------------------------------------------------------------------------------------------


def test_a_day_that_was_put_forward_in_the_database_lets_nothing_go_and_sounds_an_alarm(desk, closed, propose):
    filed = closed()
    with desk.instance.sessions.begin() as session:
        session.execute(update(Keeping).values(ends_on="2026-11-20"))
    assert due(desk) == [filed.reference]

    assert propose(filed.reference) is None
    with desk.instance.readings() as session:
        assert session.scalars(select(Alarm.kind)).all() == ["vernietiging_gestopt"]


def test_a_hold_that_was_cut_out_of_the_database_still_keeps_the_case(desk, closed, run_clock, exists, case_id):
    filed = closed()
    hold(desk, filed.reference, review_on=desk.now.date() + timedelta(days=365))
    desk.later(**YEARS)
    with desk.instance.sessions.begin() as session:
        session.delete(session.scalars(select(Hold)).one())

    with desk.instance.readings() as session:
        from weerbaar_meldpunt.actions.retention import DOUBTED, why_not

        assert why_not(session, desk.instance, case_id(filed.reference), "termijn", now=desk.now) == DOUBTED


def test_a_planted_yes_lets_nothing_go(desk, ripe, propose, run_clock, exists):
    """Whoever writes the database sets the proposal to confirmed, with the name of a second person."""
    [filed] = ripe()
    propose(filed.reference)
    with desk.instance.sessions.begin() as session:
        row = session.scalars(select(Destruction)).one()
        row.state, row.decided_by, row.decided_at = "bevestigd", desk.ready.second("ondersteuning").user_id, desk.now

    assert run_clock() == 0

    assert exists(filed.reference)
    with desk.instance.readings() as session:
        assert session.scalars(select(Alarm.kind)).all() == ["vernietiging_gestopt"]


def test_a_case_planted_in_a_proposal_is_not_confirmed_and_does_not_go(
    desk, ripe, propose, decide, run_clock, exists, case_id
):
    one, other = ripe(2)
    proposal = propose(one.reference)
    with desk.instance.sessions.begin() as session:
        session.add(DestructionCase(destruction_id=proposal, case_id=case_id(other.reference), ground="termijn"))

    with pytest.raises(Onleesbaar):
        decide(proposal, by=desk.ready.second("ondersteuning"))
    assert run_clock() == 0
    assert exists(one.reference)
    assert exists(other.reference)


def test_a_case_planted_after_the_yes_does_not_go(desk, ripe, propose, decide, run_clock, exists, case_id):
    one, other = ripe(2)
    proposal = propose(one.reference)
    decide(proposal, by=desk.ready.second("ondersteuning"))
    with desk.instance.sessions.begin() as session:
        session.add(DestructionCase(destruction_id=proposal, case_id=case_id(other.reference), ground="termijn"))

    run_clock()

    assert exists(other.reference)


def test_a_closed_track_that_was_planted_so_lets_nothing_go(desk, closed, case_id):
    from weerbaar_meldpunt.actions.retention import DOUBTED, why_not

    filed = closed()
    desk.later(**YEARS)
    desk.do(desk.ready.second("ondersteuning"), filed.reference, closing.reopen, "Toch niet.")
    with desk.instance.sessions.begin() as session:
        session.execute(update(Track).values(state="afgerond", closed_at=desk.now, outcome="geholpen"))

    with desk.instance.readings() as session:
        assert why_not(session, desk.instance, case_id(filed.reference), "termijn", now=desk.now) == DOUBTED


@pytest.mark.parametrize("jump", [timedelta(days=2), timedelta(days=-1)])
def test_while_the_time_cannot_be_believed_nothing_goes(desk, ripe, propose, decide, run_clock, exists, jump):
    [filed] = ripe()
    decide(propose(filed.reference), by=desk.ready.second("ondersteuning"))
    with desk.instance.sessions.begin() as session:
        session.query(Pulse).delete()
        session.add(Pulse(name="klok", seen_at=desk.now - jump))

    assert run_clock(steady=False) == 0
    assert exists(filed.reference)

    assert run_clock() == 1  # the same decision, once the time is believed


def test_two_clocks_at_once_let_each_case_go_once(desk, ripe, propose, decide, run_clock, register):
    filed = ripe(4)
    decide(propose(*(one.reference for one in filed)), by=desk.ready.second("ondersteuning"))
    with desk.instance.sessions.begin() as session:
        session.query(Pulse).delete()
        session.add(Pulse(name="klok", seen_at=desk.now - timedelta(seconds=30)))
    counts = []
    threads = [Thread(target=lambda: counts.append(run_clock(steady=False))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == 4
    assert sum(line.count for line in register()) == 4
    assert due(desk) == []


def test_two_second_people_at_once_decide_once(desk, ripe, propose, decide):
    [filed] = ripe()
    proposal = propose(filed.reference)
    decide(proposal, by=desk.ready.second("ondersteuning"))

    with pytest.raises(NotAllowed, match="voorstel_voorbij"):
        decide(proposal, by=desk.ready.first("juridisch"))


# --- telling -------------------------------------------------------------------------------------------------------


def mails(desk):
    with desk.instance.readings() as session:
        return [row.recipient_id for row in session.scalars(select(Outbox))]


def warn(desk):
    with desk.instance.sessions.begin() as session:
        return destroying.warn(session, desk.instance, now=desk.now)


def test_coordinators_are_told_thirty_days_before_and_once(desk, closed):
    closed()
    with desk.instance.sessions.begin() as session:
        session.query(Outbox).delete()
    desk.now = desk.now.replace(year=2028, month=10, day=23)
    assert warn(desk) == 0
    desk.later(days=1)

    assert warn(desk) == 1
    assert mails(desk) == [desk.ready.first("ondersteuning").user_id]
    assert warn(desk) == 0


def test_many_cases_at_once_are_one_mail(desk, closed):
    for _ in range(5):
        closed()
    with desk.instance.sessions.begin() as session:
        session.query(Outbox).delete()
    desk.later(**YEARS)

    assert warn(desk) == 5
    assert len(mails(desk)) == 1


def test_a_hold_that_must_be_looked_at_again_is_told_and_told_again_after_it_was_prolonged(desk, closed):
    filed = closed()
    hold(desk, filed.reference, review_on=desk.now.date() + timedelta(days=30))
    assert warn(desk) == 0
    desk.later(days=30)
    assert warn(desk) == 1
    assert warn(desk) == 0
    with desk.instance.readings() as session:
        which = session.scalars(select(Hold.id)).one()

    desk.do(
        desk.ready.first("ondersteuning"), filed.reference, holding.review_hold, which,
        review_on=desk.now.date() + timedelta(days=30), text="Nog geen uitspraak.",
    )  # fmt: skip
    assert warn(desk) == 0
    desk.later(days=30)
    assert warn(desk) == 1


def test_other_coordinators_hear_of_a_proposal_not_who_made_it(desk, ripe, propose):
    [filed] = ripe()
    with desk.instance.sessions.begin() as session:
        session.query(Outbox).delete()

    propose(filed.reference)

    assert desk.ready.first("ondersteuning").user_id not in mails(desk)
    assert mails(desk)


# --- without consent -----------------------------------------------------------------------------------------------


BEHIND_THE_BACK = {
    "reporter": {"relation": "griffier", "consent": "nog_te_vragen"},
    "target": {"role": "raadslid", "organisation": "GM0363"},
    "incident": {"kinds": ["verbale_agressie"]},
}


def test_who_was_never_asked_is_on_the_list_after_thirty_days_unless_a_ground_is_recorded(desk, propose, decide):
    from weerbaar_meldpunt.actions import work

    one, grounded = desk.file(BEHIND_THE_BACK), desk.file(BEHIND_THE_BACK)
    desk.later(days=30, minutes=1)
    first = desk.ready.first("ondersteuning")
    desk.do(first, grounded.reference, work.take)
    [asked] = [row for row in desk.dues(grounded.reference) if row.kind == "toestemming_30d"]
    desk.do(first, grounded.reference, work.finish_due, asked.id, dropped=True, reason="Er is gevaar.")

    assert due(desk) == [one.reference]
    assert decide(propose(one.reference), by=desk.ready.second("ondersteuning")) == 1


def test_without_consent_a_grave_case_stays(desk):
    desk.file(BEHIND_THE_BACK | {"incident": {"kinds": ["bedreiging_intimidatie"], "concrete_threat": True}})
    desk.later(days=31)

    assert due(desk) == []


def test_a_team_that_handed_a_case_over_has_it_on_no_list_of_its_own(desk, closed):
    """Its own track is closed; the case is another team's, and so are its number and when it goes."""
    from weerbaar_meldpunt.rules.moves import TRANSFERRED

    filed = closed()
    with desk.instance.sessions.begin() as session:
        session.execute(update(Track).values(outcome=TRANSFERRED))
    desk.later(**YEARS)

    assert due(desk) == []
    assert warn(desk) == 0
    assert filed.reference
