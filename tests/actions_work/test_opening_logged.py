"""An opening stands in the trail before anything is unwrapped, and what was changed behind the program is a gap."""

import pytest
from sqlalchemy import event, select, text

from weerbaar_meldpunt.actions import casekeys, closing, work
from weerbaar_meldpunt.actions.casekeys import MELDING, NOTITIES, VEILIG
from weerbaar_meldpunt.actions.errors import NotYours, Onleesbaar
from weerbaar_meldpunt.actions.opening import Opening, note_opening, open_attachment, open_case, open_private
from weerbaar_meldpunt.store.audit import Leaf, LeafRow
from weerbaar_meldpunt.store.cases import Attachment, Case, CaseDoc, CaseGrant, Fold, Headline, Message, Note
from weerbaar_meldpunt.vault.derive import new_key
from weerbaar_meldpunt.vault.wrap import Grant, wrap

from .conftest import THREAT

TEAM = "ondersteuning"
PRIVATE = {"home_address": "Wilgenlaan 7", "family": "twee kinderen", "movements": None}


def opening_of(desk, member, reference, **more):
    with desk.instance.sessions.begin() as session:
        return note_opening(session, desk.instance, member.person, reference, now=desk.now, **more)


def flip(desk, model, column, where):
    """One bit of one column of one row, the way somebody with the file would."""
    with desk.instance.sessions.begin() as session:
        row = session.scalars(select(model).where(*where)).first()
        changed = bytearray(getattr(row, column))
        changed[-1] ^= 1
        setattr(row, column, bytes(changed))


def case_id(desk, reference):
    with desk.instance.readings() as session:
        return session.scalars(select(Case.id).where(Case.reference == reference)).one()


def a_full_case(desk, tmp_path):
    """A case with a message, a note, a file and an address."""
    from weerbaar_meldpunt.actions.evidence import take

    path = tmp_path / "foto.txt"
    path.write_text("bewijs")
    file = take(desk.instance, path, now=desk.now)
    filed = desk.file(THREAT | {"private": PRIVATE}, files=[file])
    member = desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.write_message, "Wij lezen mee.")
    desk.do(member, filed.reference, work.add_note, "Rustig gesprek.")
    return filed, member


# --- logged first --------------------------------------------------------------------------------------------------


def test_when_the_trail_cannot_be_written_nothing_is_unwrapped(desk, monkeypatch):
    filed, member = desk.file(), desk.ready.second(TEAM)
    unwrapped = []
    monkeypatch.setattr(casekeys, "unwrap", lambda *_: unwrapped.append(1))

    def fail(_connection, _cursor, statement, *_):
        if statement.startswith("INSERT INTO audit "):
            raise OSError("no room")

    event.listen(desk.instance.engine, "before_cursor_execute", fail)
    with pytest.raises(OSError, match="no room"):
        desk.open(member, filed.reference)

    assert unwrapped == []


def test_every_opening_is_in_the_trail_with_who_and_what(desk):
    filed, member = desk.file(THREAT | {"private": PRIVATE}), desk.ready.second(TEAM)

    desk.open(member, filed.reference)
    opening_of(desk, member, filed.reference, compartment=VEILIG)
    desk.open(desk.ready.first(TEAM), filed.reference)

    with desk.instance.readings() as session:
        leaves = session.execute(
            select(Leaf.action, Leaf.actor).where(Leaf.object == case_id(desk, filed.reference)).order_by(Leaf.seq)
        ).all()
    assert leaves[1:] == [
        ("geopend", member.user_id),
        ("geopend_veilig", member.user_id),
        ("geopend", desk.ready.first(TEAM).user_id),
    ]


def test_the_reporter_sees_that_and_when_the_case_was_opened(desk):
    filed = desk.file()
    assert desk.reporter(filed).view.seen_at is None
    desk.later(minutes=7)

    desk.open(desk.ready.second(TEAM), filed.reference)

    assert desk.reporter(filed).view.seen_at == desk.now


def test_address_and_family_are_an_opening_of_their_own(desk):
    filed, member = desk.file(THREAT | {"private": PRIVATE}), desk.ready.second(TEAM)
    of_a = opening_of(desk, member, filed.reference)
    of_b = opening_of(desk, member, filed.reference, compartment=VEILIG)

    with desk.instance.readings() as session:
        with pytest.raises(NotYours):
            open_private(session, desk.instance, member.person, of_a)
        found = open_private(session, desk.instance, member.person, of_b)

    assert found["home_address"] == "Wilgenlaan 7"
    assert "Wilgenlaan" not in repr(desk.open(member, filed.reference).melding)


def test_a_team_without_compartment_b_cannot_even_note_that_it_opens_it(desk):
    filed = desk.file(THREAT | {"private": PRIVATE, "request": {"legal_support": True}})
    lawyer = desk.ready.first("juridisch")

    with pytest.raises(NotYours):
        opening_of(desk, lawyer, filed.reference, compartment=VEILIG)

    assert desk.open(lawyer, filed.reference).has_private is False


def test_an_opening_made_up_by_a_stranger_opens_nothing(desk):
    filed = desk.file()
    stranger = desk.ready.first("beveiliging")
    made_up = Opening(case_id(desk, filed.reference), filed.reference, desk.now, b"", TEAM, MELDING, 1)

    with desk.instance.readings() as session, pytest.raises(NotYours):
        open_case(session, desk.instance, stranger.person, made_up)


def test_who_works_in_two_teams_opens_the_track_that_is_asked(desk):
    people = desk.ready.people
    both = people.staff(("behandelaar", TEAM), ("behandelaar", "juridisch"))
    people.admit(desk.ready.first(TEAM), both, TEAM)
    people.admit(desk.ready.first("juridisch"), both, "juridisch")
    filed = desk.file(THREAT | {"request": {"legal_support": True}})

    assert desk.open(both, filed.reference, team="juridisch").mine.team == "juridisch"
    assert desk.open(both, filed.reference, team=TEAM).mine.team == TEAM
    with pytest.raises(NotYours):
        desk.open(both, filed.reference, team="beveiliging")


# --- changed behind the program ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "column", "shown"),
    [
        pytest.param(CaseDoc, "sealed", lambda view: view.readable, id="the-report"),
        pytest.param(Message, "sealed", lambda view: view.messages[0].text is not None, id="a-message"),
        pytest.param(Note, "sealed", lambda view: view.notes[0].text is not None, id="a-note"),
        pytest.param(Attachment, "sealed", lambda view: view.attachments[0].file is not None, id="a-file"),
        pytest.param(Attachment, "blob_id", lambda view: view.attachments[0].file is not None, id="another-file"),
    ],
)
def test_a_changed_byte_is_a_marked_gap_and_the_rest_of_the_case_is_shown(desk, tmp_path, model, column, shown):
    filed, _ = a_full_case(desk, tmp_path)
    member = desk.ready.first(TEAM)
    assert desk.open(member, filed.reference).gaps == ()
    where = [model.compartment == MELDING] if model is CaseDoc else []

    flip(desk, model, column, where)

    view = desk.open(member, filed.reference)
    assert not shown(view)
    assert view.gaps == (model.__tablename__,)
    visible = [
        view.readable, view.messages[0].text, view.notes[0].text, view.attachments[0].file,
    ]  # fmt: skip
    assert sum(not item for item in visible) == 1
    assert view.mine.state == "nieuw"
    assert [e.action for e in view.events][:3] == ["ingediend", "bericht_team", "notitie"]


def test_a_changed_address_is_refused_and_the_case_itself_still_opens(desk, tmp_path):
    filed, member = a_full_case(desk, tmp_path)
    flip(desk, CaseDoc, "sealed", [CaseDoc.compartment == VEILIG])

    opening = opening_of(desk, member, filed.reference, compartment=VEILIG)

    with desk.instance.readings() as session, pytest.raises(Onleesbaar):
        open_private(session, desk.instance, member.person, opening)
    assert desk.open(member, filed.reference).readable


@pytest.mark.parametrize("compartment", [MELDING, VEILIG, NOTITIES])
def test_a_changed_grant_hides_its_compartment_only(desk, tmp_path, compartment):
    filed, _ = a_full_case(desk, tmp_path)
    member = desk.ready.first(TEAM)
    with desk.instance.sessions.begin() as session:
        session.execute(Fold.__table__.delete())
    key_id = member.person.teams[TEAM][-1].pair.public.key_id

    flip(desk, CaseGrant, "wrapped", [CaseGrant.compartment == compartment, CaseGrant.recipient == key_id])

    view = desk.open(member, filed.reference)
    assert view.gaps == ("case_grant",)
    assert view.readable == (compartment != MELDING)
    assert view.has_private == (compartment != VEILIG)
    assert (view.notes[0].text is not None) == (compartment != NOTITIES)


@pytest.mark.parametrize("model", [Fold, Headline])
def test_a_damaged_cache_is_made_again_from_what_it_was_made_of(desk, model):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.queue(member, TEAM)
    desk.open(member, filed.reference)
    flip(desk, model, "sealed", [])

    view, page = desk.open(member, filed.reference), desk.queue(member, TEAM)

    assert view.readable
    assert page.rows[0].headline.kinds == ("bedreiging_intimidatie",)
    assert desk.queue(member, TEAM).unfolded == ()


def test_an_older_report_that_is_put_back_whole_is_not_shown_as_the_report(desk):
    filed, member = desk.file(), desk.ready.first(TEAM)
    with desk.instance.readings() as session:
        old = session.execute(select(CaseDoc.revision, CaseDoc.sealed).where(CaseDoc.compartment == MELDING)).one()
    desk.do(member, filed.reference, work.take)
    desk.facts(member, filed.reference)
    assert desk.open(member, filed.reference).revision == old.revision + 1

    with desk.instance.sessions.begin() as session:
        row = session.scalars(select(CaseDoc).where(CaseDoc.compartment == MELDING)).one()
        row.revision, row.sealed = old.revision, old.sealed

    view = desk.open(member, filed.reference)
    assert (view.readable, view.gaps) == (False, ("case_doc",))
    assert desk.reporter(filed).view.readable is False


def test_no_act_makes_the_truth_of_an_older_report_that_was_put_back(desk):
    filed, member = desk.file(), desk.ready.first(TEAM)
    with desk.instance.readings() as session:
        old = session.execute(select(CaseDoc.revision, CaseDoc.sealed).where(CaseDoc.compartment == MELDING)).one()
    desk.do(member, filed.reference, work.take)
    desk.facts(member, filed.reference)
    view = desk.open(member, filed.reference)
    with desk.instance.sessions.begin() as session:
        row = session.scalars(select(CaseDoc).where(CaseDoc.compartment == MELDING)).one()
        row.revision, row.sealed = old.revision, old.sealed

    for act, args in (
        (closing.validate_facts, [closing.suggested_facts(view.report, view.answer)]),
        (closing.close, ["dubbel"]),
    ):
        more = {"done": "", "not_done": ""} if act is closing.close else {}
        with pytest.raises(Onleesbaar):
            desk.do(member, filed.reference, act, *args, **more)


def test_a_team_can_still_answer_when_the_report_itself_is_damaged(desk):
    filed, member = desk.file(), desk.ready.first(TEAM)
    flip(desk, CaseDoc, "sealed", [CaseDoc.compartment == MELDING])

    desk.do(member, filed.reference, work.write_message, "Wij zoeken uit wat er mis is.")

    assert desk.reporter(filed).view.messages[0].text == "Wij zoeken uit wat er mis is."


def test_a_message_that_was_taken_away_is_missed(desk, tmp_path):
    filed, member = a_full_case(desk, tmp_path)
    with desk.instance.sessions.begin() as session:
        session.execute(Message.__table__.delete())

    assert desk.open(member, filed.reference).gaps == ("message",)


def test_a_message_that_was_put_under_another_case_opens_in_neither(desk, tmp_path):
    filed, member = a_full_case(desk, tmp_path)
    other = desk.file()
    with desk.instance.sessions.begin() as session:
        session.scalars(select(Message)).one().case_id = case_id(desk, other.reference)

    assert desk.open(member, other.reference).messages[0].text is None
    assert desk.open(member, filed.reference).gaps == ("message",)


def test_a_key_that_was_planted_for_the_team_is_never_sealed_with(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    team_key = member.person.teams[TEAM][-1].pair.public
    this, planted = case_id(desk, filed.reference), new_key()
    with desk.instance.sessions.begin() as session:
        session.add(
            CaseGrant(
                case_id=this, compartment=MELDING, epoch=1, recipient=team_key.key_id,
                wrapped=wrap(team_key, planted, Grant("case_grant", this, MELDING, 1)),
            )
        )  # fmt: skip

    desk.do(member, filed.reference, work.write_message, "Onder welke sleutel?")

    view = desk.open(member, filed.reference)
    assert view.messages[0].text == "Onder welke sleutel?"
    assert view.gaps == ("case_grant",)
    with desk.instance.readings() as session:
        assert session.scalars(select(Fold.epoch).where(Fold.case_id == this, Fold.compartment == MELDING)).all() == [0]


def test_a_grant_that_was_swapped_for_one_of_ones_own_is_refused_in_queue_and_case(desk):
    filed, member = desk.file(), desk.ready.first(TEAM)
    team_key = member.person.teams[TEAM][-1].pair.public
    this = case_id(desk, filed.reference)
    with desk.instance.sessions.begin() as session:
        row = session.get_one(CaseGrant, (this, MELDING, 0, team_key.key_id))
        row.wrapped = wrap(team_key, new_key(), Grant("case_grant", this, MELDING, 0))

    assert desk.queue(member, TEAM).rows[0].headline is None
    assert desk.open(member, filed.reference).readable is False


def test_a_trail_that_was_written_along_without_the_server_key_convinces_nobody(desk, tmp_path):
    from weerbaar_meldpunt.actions.rowhash import row_values
    from weerbaar_meldpunt.vault import audit as hashes

    filed, member = a_full_case(desk, tmp_path)
    flip(desk, Message, "sealed", [])
    with desk.instance.sessions.begin() as session:
        message = session.scalars(select(Message)).one()
        covered = session.scalars(select(LeafRow).where(LeafRow.table == "message")).one()
        covered.row_hash = hashes.row_hash("message", row_values(message))

    view = desk.open(member, filed.reference)

    assert view.messages[0].text is None
    assert "message" in view.gaps


def test_a_damaged_account_of_a_colleague_hides_no_case(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.do(desk.ready.first(TEAM), filed.reference, work.take)
    with desk.instance.sessions.begin() as session:
        session.execute(text("UPDATE user SET sealed = x'00' WHERE id = :id"), {"id": desk.ready.first(TEAM).user_id})

    assert desk.open(member, filed.reference).mine.owner_name == "?"
    assert desk.queue(member, TEAM).rows[0].owner_name == "?"


# --- files ---------------------------------------------------------------------------------------------------------


def test_a_file_is_handed_out_whole_and_as_it_came(desk, tmp_path):
    filed, member = a_full_case(desk, tmp_path)
    opening = opening_of(desk, member, filed.reference, action="geopend_bestand")
    attachment_id = desk.open(member, filed.reference).attachments[0].id

    with desk.instance.readings() as session:
        found, pieces = open_attachment(session, desk.instance, member.person, opening, attachment_id)

    assert (found.name, b"".join(pieces)) == ("foto.txt", b"bewijs")


def test_a_file_with_a_changed_byte_is_refused_before_its_first_byte(desk, tmp_path):
    filed, member = a_full_case(desk, tmp_path)
    attachment = desk.open(member, filed.reference).attachments[0]
    path = desk.instance.blobs / attachment.file.blob_id.hex()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    opening = opening_of(desk, member, filed.reference)

    with desk.instance.readings() as session, pytest.raises(Onleesbaar):
        open_attachment(session, desk.instance, member.person, opening, attachment.id)


def test_a_file_of_another_case_is_not_found_here(desk, tmp_path):
    filed, member = a_full_case(desk, tmp_path)
    other = desk.file()
    attachment = desk.open(member, filed.reference).attachments[0]
    opening = opening_of(desk, member, other.reference)

    with desk.instance.readings() as session, pytest.raises(NotYours):
        open_attachment(session, desk.instance, member.person, opening, attachment.id)


def test_the_reporter_counts_openings_by_day_and_team_and_those_of_the_address_apart(desk):
    filed = desk.file(THREAT | {"private": PRIVATE})
    member = desk.ready.second("ondersteuning")
    for _ in range(3):
        desk.open(member, filed.reference)
    opening_of(desk, member, filed.reference, compartment=VEILIG)
    desk.later(days=1)
    desk.open(member, filed.reference)

    days = desk.reporter(filed).opening_days

    assert [(day.at.day, day.times, day.teams) for day in days[:1]] == [(desk.now.day, 1, ("ondersteuning",))]
    assert sorted((day.actions, day.times) for day in days[1:]) == [(("geopend",), 3), (("geopend_veilig",), 1)]
