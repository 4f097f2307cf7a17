"""What a member does on a track, and what that plans."""

from datetime import timedelta

import pytest

from weerbaar_meldpunt.actions import closing, work
from weerbaar_meldpunt.actions.barred import Barred, is_barred
from weerbaar_meldpunt.actions.errors import NotAllowed, NotYours, TooLarge

TEAM = "ondersteuning"


def kinds(desk, reference):
    return [due.kind for due in desk.dues(reference)]


def test_taking_a_new_track_makes_it_mine_and_starts_the_work(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)

    desk.do(member, filed.reference, work.take)

    track = desk.track(filed.reference)
    assert (track.owner_id, track.state) == (member.user_id, "in_behandeling")
    assert track.due_kind == "eerste_contact"


def test_a_colleague_takes_over_what_somebody_had(desk):
    filed = desk.file()
    desk.do(desk.ready.second(TEAM), filed.reference, work.take)

    desk.do(desk.ready.first(TEAM), filed.reference, work.take)

    assert desk.track(filed.reference).owner_id == desk.ready.first(TEAM).user_id


def test_of_two_who_take_at_once_the_second_is_told_and_takes_nothing(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    seen_by_both = desk.open(first, filed.reference).mine.stamp
    desk.do(first, filed.reference, work.take, seen=seen_by_both)

    with pytest.raises(NotAllowed, match="intussen_veranderd"):
        desk.do(second, filed.reference, work.take, seen=seen_by_both)

    assert desk.track(filed.reference).owner_id == first.user_id


def test_the_same_form_sent_twice_is_one_act(desk):
    filed, member, form = desk.file(), desk.ready.second(TEAM), bytes(range(16))
    desk.do(member, filed.reference, work.add_note, "Eén keer.", form=form)

    with pytest.raises(work.AlreadyDone):
        desk.do(member, filed.reference, work.add_note, "Eén keer.", form=form)

    assert [note.text for note in desk.open(member, filed.reference).notes] == ["Eén keer."]


def test_the_owner_hands_over_to_a_colleague_who_can_open_it(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    desk.do(second, filed.reference, work.take)

    desk.do(second, filed.reference, work.hand_over, first.user_id, "Ik ben morgen vrij.")

    assert desk.track(filed.reference).owner_id == first.user_id


def test_a_coordinator_assigns_what_nobody_has(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)

    desk.do(first, filed.reference, work.hand_over, second.user_id, "")

    assert desk.track(filed.reference).state == "in_behandeling"


def test_nothing_is_handed_to_who_cannot_open_it(desk):
    filed, first = desk.file(), desk.ready.first(TEAM)
    not_admitted = desk.ready.people.member(TEAM)

    for nobody in (not_admitted.user_id, desk.ready.first("juridisch").user_id, b"x" * 16):
        with pytest.raises(NotAllowed, match="geen_collega"):
            desk.do(first, filed.reference, work.hand_over, nobody, "")


def test_who_does_not_have_the_track_hands_over_nothing(desk):
    filed, first, second = desk.file(), desk.ready.first(TEAM), desk.ready.second(TEAM)
    desk.do(first, filed.reference, work.take)

    with pytest.raises(NotAllowed, match="niet_de_eigenaar"):
        desk.do(second, filed.reference, work.hand_over, second.user_id, "")


def test_a_note_is_for_the_teams_and_never_for_the_reporter(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)

    desk.do(member, filed.reference, work.add_note, "Let op de hond.")

    assert [note.text for note in desk.open(member, filed.reference).notes] == ["Let op de hond."]
    own = desk.reporter(filed).view
    assert own.notes == ()
    assert "notitie" not in [event.action for event in own.events]


def test_an_empty_note_or_message_is_refused(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)

    for act in (work.add_note, work.write_message):
        with pytest.raises(NotAllowed, match="lege_tekst"):
            desk.do(member, filed.reference, act, " \n ")


def test_a_text_that_is_too_long_is_refused(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)

    with pytest.raises(TooLarge):
        desk.do(member, filed.reference, work.add_note, "a" * 200_001)


def test_reporter_and_team_write_to_each_other(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.write_message, "Wanneer kunnen wij bellen?")
    desk.later(hours=1)

    desk.reply(filed, "Na vijven.")

    assert [m.text for m in desk.reporter(filed).view.messages] == ["Wanneer kunnen wij bellen?", "Na vijven."]
    assert [(m.sender, m.text) for m in desk.open(member, filed.reference).messages][-1] == ("melder", "Na vijven.")
    assert desk.track(filed.reference).unread


def test_a_message_is_unread_until_somebody_says_so_and_opening_alone_does_not(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.reply(filed, "Nog iets.")
    desk.open(member, filed.reference)
    assert desk.track(filed.reference).unread

    desk.do(member, filed.reference, work.mark_read)

    assert not desk.track(filed.reference).unread


def test_no_answer_is_no_contact_and_plans_the_next_call(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)

    desk.do(member, filed.reference, work.attempt, reached=False)

    assert sorted(kinds(desk, filed.reference)) == ["eerste_contact", "poging"]
    assert desk.track(filed.reference).owner_id == member.user_id


def test_a_second_call_without_answer_replaces_the_first_attempt(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.attempt, reached=False)
    desk.later(hours=1)

    desk.do(member, filed.reference, work.attempt, reached=False)

    assert kinds(desk, filed.reference).count("poging") == 1


def test_speaking_to_the_reporter_ends_the_calling_and_plans_aftercare(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.attempt, reached=False)
    desk.later(hours=1)

    desk.do(member, filed.reference, work.attempt, reached=True, text="Gesproken, rustig.")

    assert sorted(kinds(desk, filed.reference)) == ["nazorg_2w", "nazorg_6w", "nazorg_72u", "opvolging"]
    assert [note.text for note in desk.open(member, filed.reference).notes] == ["Gesproken, rustig."]


def test_aftercare_is_planned_once_however_often_we_speak(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.attempt, reached=True)
    desk.later(days=1)
    desk.do(member, filed.reference, work.attempt, reached=False)
    desk.later(hours=1)

    desk.do(member, filed.reference, work.attempt, reached=True)

    assert sorted(kinds(desk, filed.reference)) == ["nazorg_2w", "nazorg_6w", "nazorg_72u", "opvolging"]


@pytest.mark.parametrize(
    ("contact", "marks"),
    [
        pytest.param({"telephone": "0612345678", "channel": "bericht"}, {}, id="asked-for-a-message"),
        pytest.param({"name": "Geen nummer"}, {}, id="no-number-to-call"),
        pytest.param({"telephone": "0612345678"}, {"request": {"support": False}}, id="wants-no-call"),
    ],
)
def test_writing_is_the_first_contact_where_the_reporter_is_to_be_written_to(desk, contact, marks):
    from .conftest import THREAT

    incident = THREAT["incident"] | {"concrete_threat": True}
    filed = desk.file(THREAT | {"contact": contact, "incident": incident} | marks)

    desk.do(desk.ready.second(TEAM), filed.reference, work.write_message, "Hoe gaat het?")

    assert "eerste_contact" not in kinds(desk, filed.reference)


def test_writing_is_no_first_contact_with_who_wants_to_be_called(desk):
    filed = desk.file()

    desk.do(desk.ready.second(TEAM), filed.reference, work.write_message, "Wij bellen u.")

    assert "eerste_contact" in kinds(desk, filed.reference)


def test_waiting_for_the_reporter_ends_by_itself_when_they_write(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.take)
    desk.do(member, filed.reference, work.wait, kind="wacht_op_melder", for_whom="melder", text="De mail zelf")
    assert desk.track(filed.reference).state == "wacht_op_melder"
    desk.later(hours=2)

    desk.reply(filed, "Hier is de mail.")

    assert desk.track(filed.reference).state == "in_behandeling"
    assert "wacht_op_melder" not in kinds(desk, filed.reference)


def test_waiting_asks_for_whom_and_a_moment_that_is_not_past_or_years_away(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.take)

    for wrong, code in (
        ({"kind": "wacht_op_derde", "for_whom": "niemand"}, "op_wie"),
        ({"kind": "wacht_op_melder", "for_whom": "politie"}, "op_wie"),
        ({"kind": "wacht_op_derde", "for_whom": "politie", "until": desk.now}, "moment_voorbij"),
        ({"kind": "wacht_op_derde", "for_whom": "politie", "until": desk.now + timedelta(days=400)}, "moment_te_ver"),
    ):
        with pytest.raises(NotAllowed, match=code):
            desk.do(member, filed.reference, work.wait, **wrong)


@pytest.mark.parametrize("kind", ["afgerond", "in_behandeling", "nieuw", "heropend", ""])
def test_waiting_is_no_way_into_another_state(desk, kind):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.take)

    with pytest.raises(NotAllowed):
        desk.do(member, filed.reference, work.wait, kind=kind, for_whom="politie", until=desk.now + timedelta(days=1))

    assert desk.track(filed.reference).state == "in_behandeling"


def test_a_new_track_is_taken_and_never_merely_resumed(desk):
    filed = desk.file()

    with pytest.raises(NotAllowed, match="stap_kan_niet"):
        desk.do(desk.ready.second(TEAM), filed.reference, work.resume)

    assert desk.track(filed.reference).owner_id is None


def test_going_on_after_waiting_plans_a_follow_up(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.take)
    desk.do(member, filed.reference, work.wait, kind="wacht_op_derde", for_whom="politie")

    desk.do(member, filed.reference, work.resume)

    assert desk.track(filed.reference).state == "in_behandeling"
    assert "opvolging" in kinds(desk, filed.reference)


def test_aftercare_that_was_given_is_ticked_off(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.attempt, reached=True)
    due = next(due for due in desk.dues(filed.reference) if due.kind == "nazorg_72u")
    desk.later(days=3)

    desk.do(member, filed.reference, work.finish_due, due.id)

    assert "nazorg_72u" not in kinds(desk, filed.reference)


def test_what_will_not_happen_is_dropped_with_a_reason_by_the_owner(desk):
    filed, first, second = desk.file(), desk.ready.first("ondersteuning"), desk.ready.second(TEAM)
    desk.do(first, filed.reference, work.attempt, reached=True)
    due = desk.dues(filed.reference)[0]

    with pytest.raises(NotAllowed, match="reden_nodig"):
        desk.do(first, filed.reference, work.finish_due, due.id, dropped=True)
    with pytest.raises(NotAllowed, match="niet_de_eigenaar"):
        desk.do(second, filed.reference, work.finish_due, due.id, dropped=True, reason="Wil het niet.")
    desk.do(first, filed.reference, work.finish_due, due.id, dropped=True, reason="Wil het niet.")

    assert due.id not in [open_due.id for open_due in desk.dues(filed.reference)]


def test_first_contact_is_never_ticked_off_without_contact(desk):
    filed, member = desk.file(), desk.ready.first(TEAM)
    due = desk.dues(filed.reference)[0]

    with pytest.raises(NotAllowed, match="termijn_voorbij"):
        desk.do(member, filed.reference, work.finish_due, due.id, dropped=True, reason="Geen zin.")


def test_a_due_of_another_case_cannot_be_ticked_off_here(desk):
    mine, other, member = desk.file(), desk.file(), desk.ready.second(TEAM)
    desk.do(member, other.reference, work.attempt, reached=True)

    with pytest.raises(NotAllowed, match="termijn_voorbij"):
        desk.do(member, mine.reference, work.finish_due, desk.dues(other.reference)[0].id)


def test_nothing_but_reopening_and_writing_is_done_on_a_closed_track(desk):
    filed, member = desk.file(), desk.ready.first(TEAM)
    assert desk.finish(member, filed.reference)

    for act, more in (
        (work.take, {}),
        (work.attempt, {"reached": True}),
        (work.resume, {}),
        (work.wait, {"kind": "wacht_op_melder", "for_whom": "melder"}),
        (closing.close, {"outcome": "geholpen", "done": "", "not_done": ""}),
        (closing.confirm_close, {}),
    ):
        with pytest.raises(NotAllowed, match="al_afgerond"):
            desk.do(member, filed.reference, act, **more)


@pytest.mark.parametrize(
    "who", ["other_team", "beheerder", "statistiekredacteur", "auditor", "reporter", "not_admitted"]
)
def test_nobody_else_takes_a_case_in_hand_or_opens_it(desk, who):
    filed, people = desk.file(), desk.ready.people
    stranger = {
        "other_team": lambda: desk.ready.first("juridisch"),
        "beheerder": people.beheerder,
        "statistiekredacteur": lambda: desk.ready.editors[0],
        "auditor": people.auditor,
        "reporter": people.reporter,
        "not_admitted": lambda: people.member(TEAM),
    }[who]()

    with pytest.raises(NotYours):
        desk.open(stranger, filed.reference)
    with pytest.raises(NotYours):
        desk.do(stranger, filed.reference, work.take)
    with pytest.raises(NotYours):
        desk.queue(stranger, TEAM)


@pytest.mark.parametrize(
    ("written", "name", "barred"),
    [
        ("Fatma el Idrissi", "Fatma El Idrissi", True),
        ("mevrouw Idrissi", "Fatma El Idrissi", True),
        ("fatma", "Fatma El Idrissi", True),
        ("Fatma van jullie team", "Fatma El Idrissi", True),
        ("Fatma de Groot", "Fatma El Idrissi", False),
        ("Jan de Vries", "Jan van Dam", False),
        ("iemand van de balie", "Jan van Dam", False),
        ("Zoë", "Zoe Bos", True),
        ("", "Jan van Dam", False),
        (None, "Jan van Dam", False),
        ("Jan", "", False),
    ],
)
def test_who_a_reporter_does_not_want_is_known_by_the_name(written, name, barred):
    assert is_barred(written, name) is barred


def test_a_member_whom_the_reporter_named_sees_and_does_nothing(desk):
    from .conftest import THREAT

    people = desk.ready.people
    named = people.member(TEAM, name="Iris Kuipers")
    people.admit(desk.ready.first(TEAM), named, TEAM)
    filed = desk.file(THREAT | {"conflict": ["ondersteuningsteam"], "barred_member": "Iris Kuipers"})

    with pytest.raises(Barred):
        desk.open(named, filed.reference)
    with pytest.raises(Barred):
        desk.do(named, filed.reference, work.take)
    row = desk.queue(named, TEAM).rows[0]
    assert (row.headline.barred, row.headline.kinds, row.headline.role) == (True, (), "")
    with pytest.raises(NotAllowed, match="collega_ziet_zaak_niet"):
        desk.do(desk.ready.first(TEAM), filed.reference, work.hand_over, named.user_id, "")
    assert not desk.queue(desk.ready.first(TEAM), TEAM).rows[0].headline.barred
