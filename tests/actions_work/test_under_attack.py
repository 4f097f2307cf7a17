"""Whoever can write the database, or reads what was not meant for them, gains nothing that the trail does not show."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from weerbaar_meldpunt.actions import closing, ledger, opening, work
from weerbaar_meldpunt.actions.barred import Barred, is_barred, note_barred
from weerbaar_meldpunt.actions.casekeys import VEILIG
from weerbaar_meldpunt.actions.errors import NotAllowed, Onleesbaar, TooLarge
from weerbaar_meldpunt.actions.evidence import take
from weerbaar_meldpunt.actions.reader import MAX_TEXT
from weerbaar_meldpunt.jobs.schedule import run_once
from weerbaar_meldpunt.rules import moves
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import CaseDoc
from weerbaar_meldpunt.store.tracks import Due, Track

from .conftest import THREAT

TEAM = "ondersteuning"
GRAVE = {"incident": {"kinds": ["bedreiging_intimidatie"], "happening_now": True, "concrete_threat": True}}


def write(desk, *statements):
    """Straight into the database, past the program."""
    with desk.instance.sessions.begin() as session:
        for statement in statements:
            session.execute(statement)


def damage_the_report(desk):
    with desk.instance.sessions.begin() as session:
        row = session.scalars(select(CaseDoc).where(CaseDoc.compartment == "A")).one()
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])


# --- whom the reporter does not want -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Petra. Zij is de zus van de dader", "Petra Bakker"),
        ("Petra, Team veiligheid", "Petra Bakker"),
        ("Petra (Beveiliging)", "Petra Bakker"),
        ("Petra van Beveiliging", "Petra Bakker"),
        ("Petra Zij kent hem", "Petra Bakker"),
        ("Petra\nJansen weet het ook", "Petra Bakker"),
        ("Petra B.", "Petra Bakker"),
        ("PETRA IS DE ZUS", "Petra Bakker"),
        ("P. Bakker", "Petra Bakker"),
        ("Bakker", "Petra Bakker-Visser"),
        ("Visser", "Petra Bakker-Visser"),
        ("Bakker", "Petra Bakker MSc"),
        ("Petra", "Bakker, Petra"),
        ("Jan Peter", "Jan-Peter Smit"),
        ("Janpeter", "Jan-Peter Smit"),
        ("Jan-Peter", "Janpeter Smit"),
        ("meneer de Heer", "Jan de Heer"),
        ("Soren", "Søren Smit"),
        ("Persoon 1", "Persoon 1"),
    ],
)
def test_who_was_meant_is_barred_in_ordinary_wording(written, name):
    assert is_barred(written, name)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Petra Jansen", "Petra Bakker"), ("Petra J.", "Petra Bakker"), ("Jan Bakker", "Jan-Peter Smit"),
        ("Persoon 1", "Persoon 2"), ("...", "Petra Bakker"), ("Jan", "--"),
    ],
)  # fmt: skip
def test_who_was_clearly_not_meant_is_not_barred(written, name):
    assert not is_barred(written, name)


@pytest.mark.parametrize(
    "written",
    [
        "de", "team", "iemand", "Iemand van het team", "mr.", "Medewerker", "een medewerker van juridisch", "j", "1",
        "ik weet niet wie, iemand van de gemeente", "Mevrouw", "collega van mijn man", "niemand",
    ],
)  # fmt: skip
def test_an_ordinary_word_locks_no_team_out(written):
    team = ["J. de Boer", "mr. Anna van Dam", "Team 1", "Medewerker 2", "Karel Smit (juridisch)", "Persoon 1", "De Wit"]

    assert [name for name in team if is_barred(written, name)] == []


def test_a_report_that_does_not_open_is_shown_to_no_one_who_could_be_barred(desk):
    named = desk.ready.second(TEAM)
    filed = desk.file(THREAT | {"barred_member": named.person.name, "private": {"home_address": "Wilgenlaan 7"}})
    damage_the_report(desk)

    with pytest.raises(Onleesbaar):
        desk.open(named, filed.reference)
    with pytest.raises(Onleesbaar):
        desk.do(named, filed.reference, work.take)
    assert desk.open(desk.ready.first(TEAM), filed.reference).gaps == ("case_doc",)


@pytest.mark.parametrize("coordinates", [True, False])
def test_without_the_report_nobody_gets_the_address(desk, coordinates):
    filed = desk.file(THREAT | {"private": {"home_address": "Wilgenlaan 7"}})
    member = desk.ready.first(TEAM) if coordinates else desk.ready.second(TEAM)
    damage_the_report(desk)
    with desk.instance.sessions.begin() as session:
        noted = opening.note_opening(
            session, desk.instance, member.person, filed.reference, now=desk.now, compartment=VEILIG
        )

    with desk.instance.readings() as session, pytest.raises(Onleesbaar):
        opening.open_private(session, desk.instance, member.person, noted)


def test_who_was_shown_nothing_did_not_see_the_case(desk):
    people = desk.ready.people
    named = people.member(TEAM, name="Iris Kuipers")
    people.admit(desk.ready.first(TEAM), named, TEAM)
    filed = desk.file(THREAT | {"barred_member": "Iris Kuipers"})
    with desk.instance.sessions.begin() as session:
        noted = opening.note_opening(session, desk.instance, named.person, filed.reference, now=desk.now)
    with desk.instance.readings() as session, pytest.raises(Barred):
        opening.open_case(session, desk.instance, named.person, noted)
    with desk.instance.sessions.begin() as session:
        note_barred(session, desk.instance, named.person, noted.case_id, now=desk.now)

    assert (desk.reporter(filed).seen_at, desk.reporter(filed).view.seen_at) == (None, None)

    desk.open(desk.ready.first(TEAM), filed.reference)

    assert len(desk.reporter(filed).openings) == 1


# --- a second person -----------------------------------------------------------------------------------------------


def proposed(desk):
    """A closing that a member proposed and somebody else must confirm."""
    filed, member = desk.file(THREAT | GRAVE), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.take)
    desk.facts(member, filed.reference)
    outcome = next(o for o in moves.outcomes_for(TEAM) if moves.needs_second_person(outcome=o, urgency="acuut"))
    assert desk.do(member, filed.reference, closing.close, outcome, done="Gebeld.", not_done="") is False
    return filed, member, desk.ready.first(TEAM)


ACTS = [
    (work.take, [], {}), (work.attempt, [], {"reached": False}), (closing.refuse_close, ["Nee."], {}),
    (closing.confirm_close, [], {}), (work.hand_over, [b"", ""], {}),
]  # fmt: skip


@pytest.mark.parametrize(("act", "args", "more"), ACTS, ids=[act.__name__ for act, _, _ in ACTS])
def test_no_act_covers_a_forged_proposal_with_a_good_leaf(desk, act, args, more):
    filed, member, other = proposed(desk)
    write(desk, update(Track).where(Track.team == TEAM).values(proposed_by=other.user_id))

    with pytest.raises(Onleesbaar):
        desk.do(member, filed.reference, act, *args, **more)
    assert "track" in desk.open(member, filed.reference).gaps


def test_a_reporter_is_answered_while_the_track_is_forged_and_the_forgery_stays_visible(desk):
    filed, member, other = proposed(desk)
    write(desk, update(Track).where(Track.team == TEAM).values(proposed_by=other.user_id))

    desk.do(member, filed.reference, work.write_message, "Wij zoeken het uit.")

    assert desk.reporter(filed).view.messages[0].text == "Wij zoeken het uit."
    assert "track" in desk.open(member, filed.reference).gaps


def test_nobody_confirms_their_own_proposal_whatever_was_written_over_it_since(desk):
    filed, member, other = proposed(desk)
    write(
        desk,
        update(Track).where(Track.team == TEAM).values(proposed_by=other.user_id),
        update(Leaf).where(Leaf.action == closing.PROPOSED).values(actor=other.user_id),
    )
    desk.reply(filed, "Er is nog iets.")  # the reporter's own act writes the track anew
    desk.do(member, filed.reference, work.mark_read)

    with pytest.raises(Onleesbaar):
        desk.do(member, filed.reference, closing.confirm_close)


def test_a_proposal_that_was_refused_is_not_brought_back_to_be_confirmed(desk):
    filed, member, other = proposed(desk)
    outcome = desk.track(filed.reference).outcome
    desk.do(other, filed.reference, closing.refuse_close, "Nog niet.")
    write(desk, update(Track).where(Track.team == TEAM).values(proposed_by=member.user_id, outcome=outcome))
    desk.reply(filed, "Er is nog iets.")
    desk.do(other, filed.reference, work.mark_read)

    with pytest.raises(Onleesbaar):
        desk.do(other, filed.reference, closing.confirm_close)


# --- what is shown is as the trail says ----------------------------------------------------------------------------


def test_a_lowered_urgency_is_a_gap_for_team_and_reporter(desk):
    filed, member = desk.file(THREAT | GRAVE), desk.ready.second(TEAM)
    assert desk.open(member, filed.reference).gaps == ()

    write(desk, update(Track).values(urgency="laag"))

    assert desk.open(member, filed.reference).gaps == ("track",)
    assert desk.reporter(filed).view.gaps == ("track",)


def test_a_due_that_was_put_off_or_taken_away_is_a_gap(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    later = desk.now + timedelta(days=900)
    first = desk.dues(filed.reference)[0].id

    write(desk, update(Due).where(Due.id == first).values(moment=later, next_at=later))
    assert desk.open(member, filed.reference).gaps == ("due",)

    write(desk, Due.__table__.delete().where(Due.id == first))
    assert desk.open(member, filed.reference).gaps == ("due",)


@pytest.mark.parametrize("change", [{"action": "bekeken"}, {"actor": b"\1" * 16}], ids=["what", "who"])
def test_an_opening_that_was_written_over_is_a_gap_and_no_opening(desk, change):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.open(member, filed.reference)
    assert len(desk.reporter(filed).openings) == 1

    write(desk, update(Leaf).where(Leaf.action == "geopend").values(**change))

    own = desk.reporter(filed)
    assert (own.openings, own.view.gaps) == ((), ("audit",))


def test_what_the_clock_writes_on_tracks_and_dues_is_no_gap(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    other = desk.file()
    for _ in range(12):
        run_once(desk.instance, desk.later(hours=30))
    assert desk.dues(filed.reference)[0].step != "gepland"

    for reference in (filed.reference, other.reference):
        assert desk.open(member, reference).gaps == ()
    desk.do(member, filed.reference, work.take)
    write(desk, update(Due).where(Due.step != "gepland").values(step="gepland"))

    assert desk.open(member, filed.reference).gaps == ("due",)


# --- long words and lost files -------------------------------------------------------------------------------------


def test_words_that_are_too_long_are_refused_before_anything_is_written(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.take)
    long, due = "x" * (MAX_TEXT + 1), desk.dues(filed.reference)[0].id
    colleague = desk.ready.first(TEAM).user_id

    for act, args, more in (
        (work.wait, [], {"kind": "wacht_op_derde", "for_whom": "politie", "text": long}),
        (work.hand_over, [colleague, long], {}),
        (work.finish_due, [due], {"dropped": True, "reason": long}),
    ):
        with pytest.raises(TooLarge):
            desk.do(member, filed.reference, act, *args, **more)


def test_a_file_that_is_gone_is_a_gap_and_is_refused_in_so_many_words(desk, tmp_path):
    path = tmp_path / "foto.txt"
    path.write_text("bewijs")
    filed, member = desk.file(files=[take(desk.instance, path, now=desk.now)]), desk.ready.second(TEAM)
    assert desk.open(member, filed.reference).gaps == ()
    for blob in desk.instance.blobs.iterdir():
        blob.unlink()

    view = desk.open(member, filed.reference)
    assert (view.gaps, view.attachments[0].name) == (("attachment",), "foto.txt")
    with desk.instance.sessions.begin() as session:
        noted = opening.note_opening(session, desk.instance, member.person, filed.reference, now=desk.now)
    with desk.instance.readings() as session, pytest.raises(Onleesbaar):
        opening.open_attachment(session, desk.instance, member.person, noted, view.attachments[0].id)


# --- two at once ---------------------------------------------------------------------------------------------------


def test_an_opening_reads_the_end_of_the_chain_under_its_lock(desk, monkeypatch):
    filed, asked = desk.file(), []
    real = ledger.last_leaf
    monkeypatch.setattr(opening, "last_leaf", lambda *args: asked.append(1) or real(*args))

    with desk.instance.sessions.begin() as session:
        opening.note_opening(session, desk.instance, desk.ready.second(TEAM).person, filed.reference, now=desk.now)

    assert asked == [1]


def test_many_who_open_at_once_all_stand_in_the_trail(desk):
    filed, person, faults = desk.file(), desk.ready.second(TEAM).person, []

    def look():
        try:
            with desk.instance.sessions.begin() as session:
                opening.note_opening(session, desk.instance, person, filed.reference, now=desk.now)
        except Exception as fault:
            faults.append(fault)

    at_once = [threading.Thread(target=look) for _ in range(8)]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()

    assert faults == []
    assert len(desk.reporter(filed).openings) == 8


def test_noting_an_opening_is_two_statements_to_read_and_write(desk):
    filed, person, said = desk.file(), desk.ready.second(TEAM).person, []

    def note(_connection, _cursor, statement, *_):
        said.append(statement)

    event.listen(desk.instance.engine, "before_cursor_execute", note)
    with desk.instance.sessions.begin() as session:
        opening.note_opening(session, desk.instance, person, filed.reference, now=desk.now)
    event.remove(desk.instance.engine, "before_cursor_execute", note)

    assert [statement.split()[0] for statement in said if not statement.startswith("BEGIN")] == ["SELECT", "INSERT"]


def test_a_colleague_who_is_not_wanted_is_given_nothing(desk):
    filed = desk.file(THREAT | {"barred_member": desk.ready.second(TEAM).person.name})

    with pytest.raises(NotAllowed, match="collega_ziet_zaak_niet"):
        desk.do(
            desk.ready.first(TEAM), filed.reference, work.hand_over, desk.ready.second(TEAM).user_id, "Neem jij deze?"
        )
