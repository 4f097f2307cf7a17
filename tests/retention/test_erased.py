"""A case that went: nobody opens it, nothing of it is left but what must be, and nobody else notices."""

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import reader, work
from weerbaar_meldpunt.actions.erasing import Word, erase_case, remove_files
from weerbaar_meldpunt.actions.errors import NotYours
from weerbaar_meldpunt.actions.filing import account_readers
from weerbaar_meldpunt.actions.tombstones import erased
from weerbaar_meldpunt.actions.verifying import verify
from weerbaar_meldpunt.store.audit import Leaf, LeafRow, Tombstone
from weerbaar_meldpunt.store.base import Base
from weerbaar_meldpunt.store.cases import CaseGrant, Reader
from weerbaar_meldpunt.store.tracks import Due, Track


def erase(desk, case_id):
    with desk.instance.sessions.begin() as session:
        blobs = erase_case(session, desk.instance, case_id, Word("termijn"), now=desk.now)
    remove_files(desk.instance, blobs)
    return blobs


def test_an_erased_case_opens_for_nobody(desk, closed, case_id, tmp_path):
    filed = closed(tmp_path=tmp_path)
    member, which = desk.ready.first("ondersteuning"), case_id(filed.reference)

    blobs = erase(desk, which)

    with pytest.raises(NotYours):
        desk.open(member, filed.reference)
    with pytest.raises(NotYours):
        desk.do(member, filed.reference, work.add_note, "nog iets")
    with desk.instance.readings() as session:
        assert reader.enter(session, desk.instance, filed.receipt_code, now=desk.now) is None
    assert len(blobs) == 1
    assert not (desk.instance.blobs / blobs[0].hex()).exists()


def test_what_was_sealed_in_it_opens_with_no_key_that_a_member_or_reader_still_holds(desk, closed, case_id, everything):
    """A thief with a member's keys and the database of today finds no wrap of the case's keys."""
    filed = closed()
    which = case_id(filed.reference)
    recipients = {row.recipient for row in rows_of(desk, CaseGrant)}
    assert recipients

    erase(desk, which)

    assert rows_of(desk, CaseGrant) == []
    for name in ("case_doc", "case_epoch", "message", "note", "attachment", "fold", "headline", "segment", "emergency"):
        assert everything()[name] == [], name


def rows_of(desk, model):
    with desk.instance.readings() as session:
        return list(session.scalars(select(model)))


def test_its_id_and_the_ids_of_its_tracks_and_terms_stand_nowhere_but_in_the_trail(desk, closed, case_id, everything):
    filed = closed()
    desk.queue(desk.ready.first("ondersteuning"), "ondersteuning", state="afgerond")
    which = case_id(filed.reference)
    tracks = [row.id for row in rows_of(desk, Track)]
    ids = {which, *tracks, *(row.id for row in rows_of(desk, Due))}
    assert len(ids) > 2

    erase(desk, which)

    for table, rows in everything().items():
        if table in ("audit", "audit_row"):
            continue
        for row in rows:
            assert not any(isinstance(value, bytes) and known in value for value in row for known in ids), table
    texts = [value for rows in everything().values() for row in rows for value in row if isinstance(value, str)]
    assert not any(filed.reference in text for text in texts)


def test_every_table_that_names_a_case_is_tied_to_it_so_that_nothing_is_left_behind():
    """Whoever adds a table with a case's, a track's or a due's id gives it a foreign key, or erasing misses it."""
    homes = {"case_id": "case", "track_id": "track", "due_id": "due"}
    loose = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name in homes and homes[column.name] not in {key.column.table.name for key in column.foreign_keys}
    ]

    assert loose == []


def test_the_leaves_stay_and_their_words_go(desk, closed, case_id):
    filed = closed()
    which = case_id(filed.reference)
    with desk.instance.readings() as session:
        before = session.scalars(select(Leaf).where(Leaf.object == which)).all()
    assert any(leaf.body for leaf in before)

    erase(desk, which)

    with desk.instance.readings() as session:
        after = session.scalars(select(Leaf).where(Leaf.object == which).order_by(Leaf.seq)).all()
    assert [leaf.seq for leaf in after][: len(before)] == [leaf.seq for leaf in before]
    assert all(leaf.body is None for leaf in after)
    assert {leaf.body_hash for leaf in before} <= {leaf.body_hash for leaf in after}
    assert after[-1].action == "gewist"


def test_the_whole_trail_still_verifies(desk, closed, case_id):
    erase(desk, case_id(closed().reference))
    closed()

    with desk.instance.readings() as session:
        verdict = verify(session, desk.instance)

    assert verdict.first is None, verdict
    assert verdict.wrong == 0


def test_a_case_that_was_cut_out_without_a_leaf_does_not_verify(desk, closed, case_id):
    """The same rows gone behind the program: the trail says so."""
    which = case_id(closed().reference)
    with desk.instance.sessions.begin() as session:
        session.execute(CaseGrant.__table__.delete().where(CaseGrant.case_id == which))

    with desk.instance.readings() as session:
        assert verify(session, desk.instance).wrong > 0


def test_one_tombstone_names_the_case_and_others_its_keys_and_readers(desk, closed, case_id):
    filed = closed()
    which, grants = case_id(filed.reference), len(rows_of(desk, CaseGrant))
    before = len(rows_of(desk, Tombstone))

    erase(desk, which)

    with desk.instance.readings() as session:
        assert erased(session, [which]) == {which}
    assert len(rows_of(desk, Tombstone)) == before + grants + 1 + 1  # the case, its only reader


def test_the_number_of_an_erased_case_of_an_account_is_not_used_again(desk, closed, case_id):
    account = desk.ready.people.reporter()
    first = closed(account=account.person)

    erase(desk, case_id(first.reference))
    second = desk.file(account=account.person)

    with desk.instance.readings() as session:
        numbers = account_readers(session, desk.instance, account.person.bundle)
    assert [bool(one.case_id) for one in numbers[:2]] == [False, True]
    assert second.reader.lookup != first.reader.lookup
    emptied = [row for row in rows_of(desk, Reader) if row.case_id is None]
    assert [row.lookup for row in emptied] == [first.reader.lookup]
    assert emptied[0].key_id is None


def test_other_cases_are_not_touched(desk, closed, case_id, tmp_path):
    going, staying = closed(), closed(tmp_path=tmp_path)
    member = desk.ready.first("ondersteuning")
    before = desk.open(member, staying.reference)

    erase(desk, case_id(going.reference))

    after = desk.open(member, staying.reference)
    assert after.gaps == ()
    assert [message.text for message in after.messages] == [message.text for message in before.messages]
    assert after.melding["report"] == before.melding["report"]
    assert [attachment.file for attachment in after.attachments] == [
        attachment.file for attachment in before.attachments
    ]
    assert desk.reporter(staying).view.readable


def test_what_was_counted_for_the_figures_stays_counted(desk, closed, case_id, everything):
    filed = closed()
    before = everything()["stat_fact"], everything()["entry_grant"]
    counted = [row for row in rows_of(desk, Leaf) if row.action in ("feiten_vastgesteld", "zaak_gesloten")]
    assert counted

    erase(desk, case_id(filed.reference))

    assert (everything()["stat_fact"], everything()["entry_grant"]) == before
    assert [row.seq for row in rows_of(desk, Leaf) if row.action in ("feiten_vastgesteld", "zaak_gesloten")] == [
        row.seq for row in counted
    ]


def test_erasing_twice_is_erasing_once(desk, closed, case_id, register):
    which = case_id(closed().reference)

    erase(desk, which)
    leaves = len(rows_of(desk, Leaf))
    assert erase(desk, which) == []

    assert len(rows_of(desk, Leaf)) == leaves
    assert [line.count for line in register()] == [1]


def test_the_register_says_how_many_of_what_and_never_which(desk, closed, case_id, register):
    references = [closed().reference, closed().reference, closed("geen_contact_gekregen").reference]
    ids = [case_id(reference) for reference in references]

    for which in ids:
        erase(desk, which)

    lines = {(line.ground, line.term, line.outcome): line for line in register()}
    assert {key: line.count for key, line in lines.items()} == {
        ("termijn", "gewoon", "geholpen"): 2, ("termijn", "gewoon", "geen_contact_gekregen"): 1,
    }  # fmt: skip
    for line in lines.values():
        said = "".join(str(getattr(line, column.key)) for column in line.__table__.columns)
        assert not any(which.hex() in said or repr(which) in said for which in ids)
        assert not any(reference in said for reference in references)


def test_the_deleted_pages_hold_nothing_of_it(desk, closed, case_id, tmp_path):
    """Every sealed byte of the case is looked for in the database file and its log, after the clock's checkpoint."""
    from weerbaar_meldpunt.store.cases import CaseDoc, Message
    from weerbaar_meldpunt.store.engine import truncate_wal

    filed = closed()
    sealed = [row.sealed[40:90] for model in (CaseDoc, Message) for row in rows_of(desk, model)]
    wrapped = [row.wrapped[40:90] for row in rows_of(desk, CaseGrant)]
    which = case_id(filed.reference)
    truncate_wal(desk.instance.engine)
    files = [path for path in desk.instance.settings.instance.iterdir() if "sqlite" in path.name or "db" in path.name]
    assert all(any(piece in path.read_bytes() for path in files) for piece in [*sealed, *wrapped])

    erase(desk, which)
    assert truncate_wal(desk.instance.engine)

    assert not any(piece in path.read_bytes() for path in files if path.exists() for piece in [*sealed, *wrapped])


def test_the_rows_that_leaves_covered_are_said_to_be_gone(desk, closed, case_id):
    which = case_id(closed().reference)
    grants = {(row.case_id, row.compartment) for row in rows_of(desk, CaseGrant)}

    erase(desk, which)

    with desk.instance.readings() as session:
        last = session.scalars(select(Leaf.seq).where(Leaf.object == which, Leaf.action == "gewist")).one()
        rows = session.scalars(select(LeafRow).where(LeafRow.seq == last)).all()
    gone = {row.table for row in rows if row.row_hash == b""}
    assert {"case", "case_doc", "case_grant", "message", "note", "track", "due", "keeping"} <= gone
    assert len([row for row in rows if row.table == "case_grant"]) >= len(grants)
