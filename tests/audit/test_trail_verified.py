"""T19. What was done to the trail, or to a row that it covers, behind the program is found and named by its number."""

import threading

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import tombstones, work
from weerbaar_meldpunt.actions.ledger import Ledger
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault import audit as hashes
from weerbaar_meldpunt.vault.derive import new_id

from .conftest import TEAM, seqs

WITHOUT_KEY = bytes(32)


@pytest.fixture
def worked(desk):
    """A desk where work was done, with a checkpoint in the middle."""
    desk.happens()
    desk.checkpoint()
    desk.later(days=1)
    desk.happens()
    return desk


def newest_of(desk, table):
    """The newest leaf that covers a row of a table, and that row's id as the trail writes it."""
    query = 'SELECT seq, "row" FROM audit_row WHERE "table" = :table AND length(row_hash) > 0 ORDER BY seq DESC LIMIT 1'
    return desk.rows(query, table=table)[0]


def test_what_nobody_touched_is_as_the_trail_says(worked):
    verdict = worked.verify()

    assert verdict.wrong == 0, verdict.findings
    assert verdict.leaves == worked.size() > 20
    assert verdict.checkpoints == 1
    assert verdict.rows > 50
    assert verdict.anchor == ""


def test_an_empty_desk_is_in_order(instance):
    from weerbaar_meldpunt.actions.verifying import verify

    with instance.readings() as session:
        assert verify(session, instance).wrong == 0


# --- rows ----------------------------------------------------------------------------------------------------------


def test_an_urgency_that_was_lowered_is_named_by_the_leaf_that_said_otherwise(worked):
    seq, track = newest_of(worked, "track")

    worked.write("UPDATE track SET urgency = urgency + 1 WHERE id = :id", id=track)

    verdict = worked.verify()
    assert [(one.seq, one.what, one.where) for one in verdict.findings] == [
        (seq, "row_altered", f"track {track.hex()}")
    ]


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("case", "UPDATE \"case\" SET retention_month = '2099-01' WHERE id = (SELECT max(id) FROM \"case\")"),
        ("case_doc", "UPDATE case_doc SET sealed = zeroblob(length(sealed)) WHERE compartment = 'A'"),
        ("case_grant", "UPDATE case_grant SET grantor = zeroblob(16) WHERE compartment = 'N'"),
        ("reader", "UPDATE reader SET role = 'gemachtigde' WHERE lookup = (SELECT max(lookup) FROM reader)"),
        ("note", "UPDATE note SET revision = revision + 1 WHERE id = (SELECT max(id) FROM note)"),
        ("due", "UPDATE due SET step = 'gedaan' WHERE id = (SELECT max(id) FROM due)"),
        ("team_epoch", "UPDATE team_epoch SET public_key = zeroblob(length(public_key))"),
        ("team_grant", "UPDATE team_grant SET wrapped = zeroblob(1188) WHERE team = 'juridisch'"),
    ],
    ids=lambda value: value if value.isidentifier() else "",
)  # fmt: skip
def test_a_changed_row_of_every_kind_is_named(worked, table, change):
    assert worked.write(change) > 0

    verdict = worked.verify()

    assert verdict.kinds.keys() == {"row_altered"}
    assert {one.where.partition(" ")[0] for one in verdict.findings} == {table}
    covering = {row.seq for row in worked.rows('SELECT seq FROM audit_row WHERE "table" = :table', table=table)}
    assert set(seqs(verdict)) <= covering


def test_a_removed_row_is_named_by_the_last_leaf_that_covers_it(worked):
    seq, note = newest_of(worked, "note")

    worked.write("DELETE FROM note WHERE id = :id", id=note)

    verdict = worked.verify()
    assert [(one.seq, one.what) for one in verdict.findings] == [(seq, "row_removed")]


def test_a_row_that_no_leaf_covers_was_inserted(worked):
    planted = new_id()
    worked.write(
        "INSERT INTO due (id, track_id, kind, moment, step) SELECT :id, id, 'nazorg_2w', '2026-12-01 12:00:00.000000',"
        " 'gepland' FROM track LIMIT 1",
        id=planted,
    )

    verdict = worked.verify()

    assert [(one.seq, one.what, one.where) for one in verdict.findings] == [
        (None, "row_inserted", f"due {planted.hex()}")
    ]
    assert verdict.first.seq is None


def test_a_row_that_is_put_back_to_what_it_was_is_told_from_one_that_was_altered(worked):
    reference = worked.references[-1]
    with worked.instance.readings() as session:
        track = session.scalars(
            select(Track).join(Case, Case.id == Track.case_id).where(Case.reference == reference, Track.team == TEAM)
        ).one()
    before = {"id": track.id, "state": track.state, "owner": track.owner_id}
    old = worked.rows("SELECT * FROM track WHERE id = :id", id=track.id)[0]._mapping
    worked.do(worked.ready.first(TEAM), reference, work.take)
    seq = worked.size()

    sets = ", ".join(f"{name} = :{name}" for name in old if name != "id")
    worked.write(f"UPDATE track SET {sets} WHERE id = :id", **old)

    verdict = worked.verify()
    assert before["owner"] == worked.ready.second(TEAM).user_id
    assert [(one.seq, one.what) for one in verdict.findings] == [(seq, "row_rolled_back")]


def test_a_deleted_row_that_is_put_back_is_named(worked):
    with worked.instance.sessions.begin() as session:
        reader = session.scalars(select(_reader())).first()
        values = {name: getattr(reader, name) for name in ("lookup", "case_id", "key_id", "role")}
        ledger = Ledger(session, worked.instance, now=worked.now)
        ledger.remove(reader)
        seq = ledger.close(b"", "gelezen", values["case_id"])

    worked.put(_reader(), values)

    verdict = worked.verify()
    assert [(one.seq, one.what) for one in verdict.findings] == [(seq, "row_put_back")]


def _reader():
    from weerbaar_meldpunt.store.cases import Reader

    return Reader


def test_two_rows_that_changed_places_are_named_as_swapped(worked):
    docs = worked.rows("SELECT case_id, sealed FROM case_doc WHERE compartment = 'A' ORDER BY case_id LIMIT 2")
    query = "UPDATE case_doc SET sealed = :sealed WHERE case_id = :id AND compartment = 'A'"
    worked.write(query, sealed=docs[1].sealed, id=docs[0].case_id)
    worked.write(query, sealed=docs[0].sealed, id=docs[1].case_id)

    verdict = worked.verify()

    assert [one.what for one in verdict.findings] == ["row_swapped", "row_swapped"]
    assert len(set(seqs(verdict))) == 2


def test_a_planted_grant_and_a_planted_team_member_are_named(worked):
    worked.write(
        "INSERT INTO case_grant (case_id, compartment, epoch, recipient, wrapped) SELECT case_id, compartment, epoch,"
        " zeroblob(16), wrapped FROM case_grant LIMIT 1"
    )
    worked.write(
        "INSERT INTO team_grant (kind, team, epoch, member_id, wrapped)"
        " SELECT kind, team, 9, member_id, wrapped FROM team_grant LIMIT 1"
    )

    assert worked.verify().kinds == {"row_inserted": 2}


# --- leaves --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "action = 'gelezen'", "actor = zeroblob(16)", "object = zeroblob(16)", "at = '2020-01-01 00:00:00.000000'",
        "body_hash = zeroblob(32)",
    ],
)  # fmt: skip
def test_an_altered_leaf_is_named(worked, change):
    [(seq,)] = worked.rows("SELECT seq FROM audit WHERE action = 'geopend' ORDER BY seq LIMIT 1")

    worked.write(f"UPDATE audit SET {change} WHERE seq = :seq", seq=seq)

    verdict = worked.verify()
    assert verdict.kinds["leaf_altered"] == 1
    assert set(seqs(verdict)) == {seq}


def test_altered_words_of_a_leaf_are_named(worked):
    [(seq,)] = worked.rows("SELECT seq FROM audit WHERE body IS NOT NULL ORDER BY seq LIMIT 1")

    worked.write("UPDATE audit SET body = zeroblob(length(body)) WHERE seq = :seq", seq=seq)

    assert [(one.seq, one.what) for one in worked.verify().findings] == [(seq, "body_altered")]


def test_words_that_were_removed_are_named_while_their_case_is_here(worked):
    [(seq,)] = worked.rows("SELECT seq FROM audit WHERE action = 'notitie' ORDER BY seq LIMIT 1")

    worked.write("UPDATE audit SET body = NULL WHERE seq = :seq", seq=seq)

    assert [(one.seq, one.what) for one in worked.verify().findings] == [(seq, "body_removed")]


def test_the_list_of_rows_of_a_leaf_cannot_be_changed_with_the_row(worked):
    """Who changes a row and the hash in its newest leaf is found by the leaf."""
    seq, track = newest_of(worked, "track")
    worked.write("UPDATE track SET urgency = urgency + 1 WHERE id = :id", id=track)
    with worked.instance.readings() as session:
        from weerbaar_meldpunt.actions.rowhash import row_values

        fake = hashes.row_hash("track", row_values(session.get_one(Track, track)))
    worked.write(
        'UPDATE audit_row SET row_hash = :fake WHERE seq = :seq AND "row" = :row', fake=fake, seq=seq, row=track
    )

    assert [(one.seq, one.what) for one in worked.verify().findings] == [(seq, "leaf_rows_altered")]


def test_a_leaf_that_was_removed_from_the_middle_is_named(worked):
    [(seq,)] = worked.rows("SELECT seq FROM audit WHERE action = 'geopend' ORDER BY seq LIMIT 1")

    worked.write("DELETE FROM audit WHERE seq = :seq", seq=seq)

    verdict = worked.verify()
    assert [(one.seq, one.what) for one in verdict.findings] == [(seq, "leaf_removed")]


def test_a_leaf_removed_with_the_rest_numbered_anew_is_named(worked):
    [(seq,)] = worked.rows("SELECT seq FROM audit WHERE action = 'geopend' ORDER BY seq LIMIT 1")
    worked.write("DELETE FROM audit WHERE seq = :seq", seq=seq)
    for table in ("audit_row", "audit"):
        worked.write(f"UPDATE {table} SET seq = -seq WHERE seq > :seq", seq=seq)
        worked.write(f"UPDATE {table} SET seq = -seq - 1 WHERE seq < 0")

    verdict = worked.verify()

    assert verdict.first.seq == seq
    assert "leaf_moved" in verdict.kinds or "leaf_altered" in verdict.kinds


def test_leaves_that_changed_places_are_named_with_where_they_were(worked):
    pairs = worked.rows(
        "SELECT a.seq FROM audit a JOIN audit b ON b.seq = a.seq + 1 WHERE a.object != b.object OR a.action != b.action"
        " ORDER BY a.seq LIMIT 1 OFFSET 8"
    )
    seq = pairs[0].seq
    for table in ("audit_row", "audit"):
        for old, new in ((seq, -1), (seq + 1, seq), (-1, seq + 1)):
            worked.write(f"UPDATE {table} SET seq = :new WHERE seq = :old", new=new, old=old)

    verdict = worked.verify()

    moved = [(one.seq, one.where) for one in verdict.sorted() if one.what == "leaf_moved"]
    assert verdict.first.seq == seq
    assert moved == [(seq, str(seq + 1)), (seq + 1, str(seq))]


def forge(desk, seq, *, at=None, action="geopend"):
    """A leaf as a writer of the database without the server key can make it: everything right but the head."""
    [(before,)] = desk.rows("SELECT chain FROM audit WHERE seq = :seq", seq=seq - 1)
    subject = desk.rows('SELECT id FROM "case" LIMIT 1')[0].id
    at, rows, actor = at or desk.now, hashes.rows_hash([]), desk.ready.first(TEAM).user_id
    chain = hashes.chain(before, hashes.leaf(seq, at, actor, action, subject, rows, b""))
    return {
        "seq": seq, "id": new_id(), "at": at, "actor": actor, "action": action, "object": subject, "rows_hash": rows,
        "body": None, "body_hash": b"", "chain": chain, "head": WITHOUT_KEY,
    }  # fmt: skip


def test_a_leaf_that_was_added_at_the_end_without_the_server_key_is_named(worked):
    seq = worked.size() + 1

    worked.put(Leaf, forge(worked, seq))

    assert [(one.seq, one.what) for one in worked.verify().findings] == [(seq, "not_by_this_program")]


@pytest.mark.parametrize("number", [0, -3])
def test_a_leaf_before_the_first_is_named(worked, number):
    worked.put(Leaf, forge(worked, 2) | {"seq": number})

    assert worked.verify().first.seq == number


def test_a_leaf_inserted_in_the_middle_is_named(worked):
    seq = worked.size() // 2
    for table in ("audit_row", "audit"):
        worked.write(f"UPDATE {table} SET seq = -seq - 1 WHERE seq >= :seq", seq=seq)
        worked.write(f"UPDATE {table} SET seq = -seq WHERE seq < 0")
    worked.put(Leaf, forge(worked, seq))

    verdict = worked.verify()

    assert (verdict.first.seq, verdict.first.what) == (seq, "not_by_this_program")


def test_a_tail_rewritten_without_the_server_key_is_named_from_its_first_leaf(worked):
    """Every hash and chain from there on is right; only the heads cannot be made."""
    start, end = worked.size() - 5, worked.size()
    with worked.instance.sessions.begin() as session:
        chain = session.get_one(Leaf, start - 1).chain
        for seq in range(start, end + 1):
            leaf = session.get_one(Leaf, seq)
            if seq == start:
                leaf.action = "gelezen"
            chain = hashes.chain(
                chain,
                hashes.leaf(seq, leaf.at, leaf.actor, leaf.action, leaf.object, leaf.rows_hash, leaf.body_hash),
            )
            leaf.chain, leaf.head = chain, WITHOUT_KEY

    verdict = worked.verify()

    assert seqs(verdict) == list(range(start, end + 1))
    assert verdict.kinds.keys() == {"not_by_this_program"}


def test_a_head_of_another_leaf_does_not_make_a_forged_one_true(worked):
    seq = worked.size() + 1
    [(chain, head)] = worked.rows("SELECT chain, head FROM audit WHERE seq = 5")

    worked.put(Leaf, forge(worked, seq) | {"chain": chain, "head": head})

    assert worked.verify().first.seq == seq


def test_a_tail_that_was_cut_off_is_named_by_the_checkpoint_that_counted_it(worked):
    worked.checkpoint()
    size = worked.size() - 1
    for table in ("audit_row", "audit"):
        worked.write(f"DELETE FROM {table} WHERE seq > :seq", seq=size - 3)

    verdict = worked.verify()

    tail = next(one for one in verdict.sorted() if one.what == "tail_removed")
    assert (tail.seq, tail.where) == (size - 2, f"{size - 2}-{size} checkpoint 2")
    assert verdict.first.seq is not None


def test_a_tail_that_was_cut_off_with_its_checkpoint_still_leaves_rows_that_nothing_explains(worked):
    for table in ("audit_row", "audit"):
        worked.write(f"DELETE FROM {table} WHERE seq > :seq", seq=worked.size() - 4)

    assert worked.verify().wrong > 0


def test_with_the_server_key_only_the_external_anchor_shows_a_rewritten_tail(worked):
    anchor = worked.checkpoint()
    size = int(anchor.splitlines()[1])
    assert worked.verify(anchor).wrong == 0
    for table in ("audit_row", "audit"):
        worked.write(f"DELETE FROM {table} WHERE seq > :seq", seq=size - 1)
    worked.write("DELETE FROM checkpoint WHERE number = 2")
    last = forge(worked, size, action="gelezen")
    worked.put(Leaf, last | {"head": worked.instance.server.audit_head(last["chain"])})

    assert all(one.seq != size for one in worked.verify().findings)
    assert (size, "rewritten_since") in [(one.seq, one.what) for one in worked.verify(anchor).findings]


def test_a_whole_older_database_shows_against_the_external_anchor_only(worked):
    with worked.instance.engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = worked.instance.settings.instance / worked.instance.engine.url.database.rpartition("/")[2]
    old = path.read_bytes()
    size = worked.size()
    worked.happens(1)
    anchor = worked.checkpoint()
    worked.instance.engine.dispose()
    for file in path.parent.glob(path.name + "-*"):
        file.unlink()
    path.write_bytes(old)

    assert worked.verify().wrong == 0
    verdict = worked.verify(anchor)
    assert (verdict.first.seq, verdict.first.what) == (size + 1, "tail_removed")


# --- checkpoints and tombstones ------------------------------------------------------------------------------------


def test_an_altered_or_removed_checkpoint_is_named(worked):
    worked.checkpoint()
    worked.checkpoint()
    worked.write("UPDATE checkpoint SET text = replace(text, '2026', '2027') WHERE number = 2")
    worked.write("DELETE FROM checkpoint WHERE number = 1")

    kinds = worked.verify().kinds

    assert {"checkpoint_altered": 1, "checkpoint_removed": 1}.items() <= kinds.items()


def a_grant_goes(desk):
    """A wrapped key of a case is deleted, as at a transfer; answers the tombstone."""
    from weerbaar_meldpunt.store.cases import CaseGrant

    with desk.instance.sessions.begin() as session:
        grant = session.scalars(select(CaseGrant)).first()
        stone, case_id = tombstones.tombstone_of(grant), grant.case_id
        ledger = Ledger(session, desk.instance, now=desk.now)
        ledger.remove(grant)
        ledger.close(b"", "verder", case_id)
    return stone


def test_a_tombstone_that_was_removed_is_missed_before_a_checkpoint_and_after_it(worked):
    stone = a_grant_goes(worked)
    seq = worked.size()
    assert worked.verify().wrong == 0

    worked.write("DELETE FROM tombstone WHERE row_hash = :stone", stone=stone)
    assert [(one.seq, one.what) for one in worked.verify().findings] == [(seq, "tombstone_missing")]

    other = a_grant_goes(worked)
    worked.checkpoint()
    worked.write("DELETE FROM tombstone WHERE row_hash = :stone", stone=other)
    assert worked.verify().kinds == {"tombstone_missing": 2, "tombstones_altered": 1}


def test_a_tombstone_planted_among_those_of_a_checkpoint_is_named(worked):
    worked.write("INSERT INTO tombstone (day, row_hash, set_no) VALUES ('2026-11-23', :stone, 1)", stone=bytes(32))

    assert worked.verify().kinds == {"tombstones_altered": 1}


# --- what is no fault ----------------------------------------------------------------------------------------------


def test_an_erased_case_still_verifies(worked):
    """Its rows went through the trail, its words are gone, its leaves and its tombstone stay."""
    from weerbaar_meldpunt.store import cases as store

    reference = worked.references[0]
    with worked.instance.sessions.begin() as session:
        case = session.scalars(select(Case).where(Case.reference == reference)).one()
        ledger = Ledger(session, worked.instance, now=worked.now)
        for model in (store.CaseDoc, store.CaseGrant, store.Note, store.Message, store.Attachment):
            for row in session.scalars(select(model).where(model.case_id == case.id)):
                ledger.remove(row)
        ledger.close(b"", "zaak_gesloten", case.id)
        for leaf in session.scalars(select(Leaf).where(Leaf.object == case.id)):
            leaf.body = None
        tombstones.bury_case(session, case.id, now=worked.now)

    worked.checkpoint()
    assert worked.verify().wrong == 0


def test_two_who_write_at_once_make_one_chain(worked):
    """Each in its own thread, each many times: every leaf hangs from the one before."""
    faults = []

    def write(number):
        try:
            for _ in range(15):
                with worked.instance.sessions.begin() as session:
                    Ledger(session, worked.instance, now=worked.now).close(bytes([number]) * 16, "ingelogd", new_id())
        except Exception as fault:
            faults.append(fault)

    before = worked.size()
    threads = [threading.Thread(target=write, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    assert worked.size() == before + 45
    assert worked.verify().wrong == 0


def test_it_can_be_checked_while_others_work(worked):
    stop, faults = threading.Event(), []

    def work_on():
        try:
            while not stop.is_set():
                worked.happens(1)
        except Exception as fault:
            faults.append(fault)

    thread = threading.Thread(target=work_on)
    thread.start()
    try:
        verdicts = [worked.verify() for _ in range(5)]
    finally:
        stop.set()
        thread.join()

    assert faults == []
    assert [verdict.findings for verdict in verdicts] == [[]] * 5


def test_a_fault_in_very_many_rows_is_counted_and_the_lowest_numbers_are_kept(worked):
    worked.write("UPDATE audit SET head = zeroblob(32)")

    verdict = worked.verify()

    assert verdict.wrong >= worked.size()
    assert verdict.first.seq == 1
    assert len(verdict.findings) < 400


# --- a check does not stumble over what it looks for ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("track", "UPDATE track SET urgency = 99 WHERE id = (SELECT max(id) FROM track)"),
        ("track", "UPDATE track SET opened_at = 'gisteren' WHERE id = (SELECT max(id) FROM track)"),
        ("track", "UPDATE track SET owner_id = 'tekst' WHERE id = (SELECT max(id) FROM track)"),
        ("note", "UPDATE note SET revision = 'drie' WHERE id = (SELECT max(id) FROM note)"),
        ("note", "UPDATE note SET sealed = 12.5 WHERE id = (SELECT max(id) FROM note)"),
    ],
)
def test_a_row_with_a_value_that_no_column_of_its_kind_can_hold_is_named(worked, table, change):
    assert worked.write(change) == 1

    verdict = worked.verify()

    assert [(one.what, one.where.partition(" ")[0]) for one in verdict.findings] == [("row_altered", table)]
    assert verdict.first.seq


@pytest.mark.parametrize(
    "change",
    [
        "at = 'gisteren'", "at = 12", "chain = 'tekst'", "head = 3", "rows_hash = 'x'", "body_hash = 5",
        "actor = 'wie'", "action = x'00ff'", "object = 1.5", "body = 'tekst'",
    ],
)  # fmt: skip
def test_a_leaf_with_such_a_value_is_named_and_the_rest_is_checked(worked, change):
    [(seq,)] = worked.rows("SELECT seq FROM audit WHERE body IS NOT NULL ORDER BY seq LIMIT 1")
    last = worked.size()
    worked.write(f"UPDATE audit SET {change} WHERE seq = :seq", seq=seq)
    worked.write("UPDATE audit SET action = 'gelezen' WHERE seq = :seq", seq=last)

    verdict = worked.verify()

    assert verdict.first.seq == seq
    assert last in seqs(verdict)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_row SET row_hash = 'x' WHERE seq = (SELECT max(seq) FROM audit_row)",
        "UPDATE audit_row SET \"row\" = 'x' WHERE seq = (SELECT max(seq) FROM audit_row) AND place = 0",
        "UPDATE checkpoint SET text = 7", "UPDATE checkpoint SET signature = 'x'", "UPDATE checkpoint SET size = 'x'",
        "UPDATE tombstone SET day = 'ooit'", "UPDATE tombstone SET set_no = 'x'",
        "UPDATE tombstone SET row_hash = 'x' WHERE row_hash = (SELECT max(row_hash) FROM tombstone)",
    ],
)  # fmt: skip
def test_such_a_value_anywhere_else_is_a_fault_and_no_crash(worked, change):
    assert worked.write(change) >= 1

    assert worked.verify().wrong > 0
