"""The queue: the most pressing first, filtered, counted and leafed through, at the same cost at any length."""

import re
import sqlite3
from contextlib import contextmanager
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import event, select

from weerbaar_meldpunt.actions import casekeys, closing, ledger, queue, work
from weerbaar_meldpunt.actions.errors import NotYours
from weerbaar_meldpunt.rules.vocabulary import TRACK_STATES, URGENCIES
from weerbaar_meldpunt.store.cases import CaseDoc, Headline
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault.derive import new_id

from .conftest import THREAT

TEAM = "ondersteuning"
HIGH = THREAT | {"incident": THREAT["incident"] | {"concrete_threat": True}}
ACUTE = THREAT | {"incident": THREAT["incident"] | {"happening_now": True, "weapon": True}}
LOW = {"incident": {"kinds": ["verbale_agressie"]}}


@contextmanager
def statements(instance):
    """Every statement that the database gets meanwhile, with its parameters."""
    seen = []

    def note(_connection, _cursor, statement, parameters, *_):
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT")):
            seen.append((statement, parameters))

    event.listen(instance.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(instance.engine, "before_cursor_execute", note)


@pytest.fixture
def opened(monkeypatch):
    """How many keys are unwrapped: the public-key operations of a page."""
    count = []
    real = casekeys.unwrap
    monkeypatch.setattr(casekeys, "unwrap", lambda *args: count.append(1) or real(*args))
    return count


def references(page):
    return [row.reference for row in page.rows]


def many(desk, count):
    """Copies of the first track, so that a queue is long; what is sealed stays that of the first case."""
    with desk.instance.sessions.begin() as session:
        first = session.scalars(select(Track)).first()
        values = ledger.row_values(first)
        cases = session.connection().exec_driver_sql('SELECT rules_version, received_at FROM "case"').one()
        for place in range(count):
            case_id = new_id()
            session.connection().exec_driver_sql(
                'INSERT INTO "case" (id, reference, rules_version, received_at) VALUES (?, ?, ?, ?)',
                (case_id, f"R{place:05}", *cases),
            )
            copy = values | {
                "id": new_id(), "case_id": case_id, "urgency": URGENCIES[1 + place % 3],
                "due_at": desk.now + timedelta(minutes=place - count // 2),
                "opened_at": desk.now + timedelta(seconds=place),
            }  # fmt: skip
            session.add(Track(**copy))


def test_the_most_pressing_comes_first(desk):
    low, high, acute, threat = desk.file(LOW), desk.file(HIGH), desk.file(ACUTE), desk.file(THREAT)

    page = desk.queue(desk.ready.second(TEAM), TEAM)

    assert references(page) == [f.reference for f in (acute, high, threat, low)]


def test_within_one_urgency_the_earliest_term_comes_first(desk):
    first = desk.file(HIGH)
    desk.later(minutes=10)
    second = desk.file(HIGH)
    desk.do(desk.ready.second(TEAM), first.reference, work.attempt, reached=True)

    assert references(desk.queue(desk.ready.second(TEAM), TEAM)) == [second.reference, first.reference]


def test_a_row_says_what_and_who_and_nothing_that_only_an_opening_shows(desk):
    filed, member = desk.file(HIGH), desk.ready.second(TEAM)
    desk.do(member, filed.reference, work.take)

    row = desk.queue(member, TEAM).rows[0]

    assert (row.headline.kinds, row.headline.role) == (("bedreiging_intimidatie",), "raadslid")
    assert (row.state, row.urgency, row.owner_id) == ("in_behandeling", "hoog", member.user_id)
    for secret in ("GM0363", "Er kwam een mail", "R. de Boer", "0612345678"):
        assert secret not in repr(row)


def test_a_queue_shows_the_team_only_what_is_theirs(desk):
    desk.file()
    legal = desk.file(THREAT | {"request": {"legal_support": True}})

    assert references(desk.queue(desk.ready.second("juridisch"), "juridisch")) == [legal.reference]
    with pytest.raises(NotYours):
        desk.queue(desk.ready.second("juridisch"), TEAM)


def test_filters_find_what_they_say(desk):
    member, colleague = desk.ready.second(TEAM), desk.ready.first(TEAM)
    mine, theirs, nobodys, acute = desk.file(), desk.file(), desk.file(), desk.file(ACUTE)
    desk.do(member, mine.reference, work.take)
    desk.do(member, mine.reference, work.wait, kind="wacht_op_melder", for_whom="melder")
    desk.do(colleague, theirs.reference, work.take)

    def found(**filters):
        return set(references(desk.queue(member, TEAM, **filters)))

    assert found(owner="mij") == {mine.reference}
    assert found(owner="niemand") == {nobodys.reference, acute.reference}
    assert found(owner=colleague.user_id.hex()) == {theirs.reference}
    assert found(state="wacht_op_melder") == {mine.reference}
    assert found(urgency="acuut") == {acute.reference}
    assert found(overdue=True) == set()
    desk.later(minutes=31)
    assert found(overdue=True) == {acute.reference}
    assert found(overdue=True, urgency="midden") == set()


def test_closed_tracks_leave_the_queue_and_have_a_list_of_their_own_newest_first(desk):
    member = desk.ready.second(TEAM)
    first, second, still_open = desk.file(), desk.file(), desk.file()
    for filed in (first, second):
        desk.later(minutes=1)
        desk.finish(member, filed.reference)

    assert references(desk.queue(member, TEAM)) == [still_open.reference]
    assert references(desk.queue(member, TEAM, state="afgerond")) == [second.reference, first.reference]
    assert references(desk.queue(member, TEAM, state="afgerond", order="oud")) == [first.reference, second.reference]


def test_the_order_can_be_that_of_coming_in(desk):
    filed = []
    for document in (LOW, ACUTE, THREAT):
        desk.later(minutes=1)
        filed.append(desk.file(document).reference)

    assert references(desk.queue(desk.ready.second(TEAM), TEAM, order="oud")) == filed
    assert references(desk.queue(desk.ready.second(TEAM), TEAM, order="nieuw")) == filed[::-1]


def test_the_numbers_beside_the_tabs_are_those_of_open_tracks(desk):
    member = desk.ready.second(TEAM)
    mine, closed = desk.file(), desk.file()
    desk.file(ACUTE)
    desk.do(member, mine.reference, work.take)
    desk.finish(member, closed.reference)
    desk.later(minutes=31)

    page = desk.queue(member, TEAM)

    assert page.total == 2
    assert page.counts == {
        "nieuw": 1, "in_behandeling": 1, "wacht_op_melder": 0, "wacht_op_derde": 0,
        "te_laat": 1, "mij": 1, "niemand": 1,
    }  # fmt: skip


def test_an_empty_queue_still_has_its_numbers(desk):
    page = desk.queue(desk.ready.second(TEAM), TEAM)

    assert (page.rows, page.total, page.pages, page.counts["nieuw"]) == ((), 0, 1, 0)


def test_every_track_stands_on_exactly_one_page(desk):
    desk.file()
    many(desk, 120)
    member = desk.ready.second(TEAM)

    for order in queue.ORDERS:
        pages = [desk.queue(member, TEAM, order=order, page=n, size=25) for n in range(1, 6)]
        seen = [reference for page in pages for reference in references(page)]
        assert (len(seen), len(set(seen)), pages[0].pages, pages[0].total) == (121, 121, 5, 121)


def test_a_page_beyond_the_last_is_the_last_and_no_page_is_larger_than_two_hundred(desk):
    desk.file()
    many(desk, 230)
    member = desk.ready.second(TEAM)
    last = desk.queue(member, TEAM, page=99, size=100)

    assert (last.page, len(last.rows)) == (3, 31)
    assert len(desk.queue(member, TEAM, size=100_000).rows) == 200
    assert desk.queue(member, TEAM, page=-3).page == 1


def test_numbers_are_counted_so_far_and_no_further(desk, monkeypatch):
    monkeypatch.setattr(queue, "COUNTED", 20)
    monkeypatch.setattr(queue, "REACH", 40)
    desk.file()
    many(desk, 60)
    member = desk.ready.second(TEAM)

    page = desk.queue(member, TEAM, size=10, page=50)

    assert (page.counts["nieuw"], page.total, page.pages, page.page) == (21, 41, 4, 4)


def test_a_headline_is_opened_once_for_the_whole_team(desk, opened):
    for _ in range(3):
        desk.file()
    desk.queue(desk.ready.second(TEAM), TEAM)
    assert len(opened) == 3
    opened.clear()

    desk.queue(desk.ready.first(TEAM), TEAM)
    desk.queue(desk.ready.second(TEAM), TEAM)

    assert opened == []


def test_a_team_unwraps_no_more_than_three_keys_at_its_first_opening_and_none_after(desk, opened):
    filed, member = desk.file(), desk.ready.second(TEAM)

    desk.open(member, filed.reference)
    assert len(opened) == 3
    opened.clear()
    desk.open(desk.ready.first(TEAM), filed.reference)
    desk.queue(member, TEAM)

    assert opened == []


def test_a_team_with_fewer_keys_does_not_look_for_those_it_never_gets(desk, opened):
    filed = desk.file(THREAT | {"request": {"legal_support": True}})
    lawyer = desk.ready.second("juridisch")
    desk.open(lawyer, filed.reference)
    assert len(opened) == 2
    opened.clear()

    desk.open(lawyer, filed.reference)

    assert opened == []


def test_a_headline_of_an_earlier_document_is_made_again(desk):
    filed, member = desk.file(), desk.ready.second(TEAM)
    desk.queue(member, TEAM)
    with desk.instance.readings() as session:
        before = session.scalars(select(Headline)).one()
    desk.do(member, filed.reference, work.take)
    desk.facts(member, filed.reference)
    with desk.instance.sessions.begin() as session:  # put back the cache row that the act deleted
        session.merge(Headline(case_id=before.case_id, team=TEAM, revision=before.revision, sealed=before.sealed))

    desk.queue(member, TEAM)

    with desk.instance.readings() as session:
        assert (
            session.scalars(select(Headline.revision)).one()
            == session.scalars(select(CaseDoc.revision).where(CaseDoc.compartment == "A")).one()
        )


def test_two_sessions_may_fold_the_same_cases_at_once(desk):
    desk.file()
    person = desk.ready.second(TEAM).person
    with desk.instance.readings() as session:
        page = queue.queue_page(session, desk.instance, person, TEAM, now=desk.now)
    for _ in range(2):
        with desk.instance.sessions.begin() as session:
            folded = queue.fold_headlines(session, desk.instance, person, TEAM, page)

    assert folded.rows[0].headline.role == "raadslid"
    assert desk.queue(desk.ready.first(TEAM), TEAM).unfolded == ()


# --- what it costs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [10, pytest.param(1_000, marks=pytest.mark.slow)])
def test_a_queue_page_is_one_statement_and_a_case_four_at_any_number_of_cases(desk, count):
    filed, member = desk.file(), desk.ready.second(TEAM)
    many(desk, count)
    person = member.person

    with statements(desk.instance) as cold:
        desk.queue(member, TEAM, urgency="midden", page=1)
    desk.open(member, filed.reference)
    person = member.person
    with statements(desk.instance) as queue_page, desk.instance.readings() as session:
        queue.queue_page(session, desk.instance, person, TEAM, now=desk.now, owner="niemand", order="nieuw")
    with statements(desk.instance) as case:
        desk.open(member, filed.reference)

    assert len(queue_page) == 1
    assert len(case) == 5  # one of them is the account of who opens it
    assert len(cold) <= 5


def steps_of(instance, statement, parameters):
    """The steps by which the database answers a statement."""
    connection = sqlite3.connect(instance.settings.instance / "meldpunt.sqlite")
    try:
        return [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + statement, parameters)]
    finally:
        connection.close()


def growing_tables_scanned(instance, seen):
    """The steps of the query plans that walk through a whole table."""
    names = set(Track.metadata.tables)
    found = []
    for statement, parameters in seen:
        if statement.startswith("SELECT"):
            steps = steps_of(instance, statement, parameters)
            scans = [step for step in steps if step.startswith("SCAN") and step.split()[1].strip('"') in names]
            # The newest leaf is the last of its table: a walk of one step.
            newest = len(re.findall(r"FROM audit ORDER BY audit\.seq DESC\s+LIMIT", statement))
            assert scans.count("SCAN audit") == newest, statement
            found += [step for step in scans if step != "SCAN audit"]
    return found


@pytest.mark.slow
def test_every_way_to_look_at_a_queue_is_answered_by_an_index(desk):
    desk.file()
    member = desk.ready.second(TEAM)
    desk.queue(member, TEAM)

    with statements(desk.instance) as seen:
        for state, urgency, owner, late, order in product(
            [None, *TRACK_STATES], [None, "acuut"], [None, "mij", "niemand"], [False, True], queue.ORDERS
        ):
            desk.queue(member, TEAM, state=state, urgency=urgency, owner=owner, overdue=late, order=order)

    assert len(seen) >= 6 * 2 * 3 * 2 * 3
    assert growing_tables_scanned(desk.instance, seen) == []


def test_the_few_that_are_late_are_found_without_passing_all_that_are_not(desk):
    desk.file()
    member = desk.ready.second(TEAM)
    desk.queue(member, TEAM)

    with statements(desk.instance) as seen:
        desk.queue(member, TEAM, overdue=True)

    late = [step for step in steps_of(desk.instance, *seen[-1]) if "due_at<?" in step]
    assert len(late) == 3  # the number beside the tab, the number found and the rows
    assert all("COVERING INDEX ix_track_open (team=? AND urgency=? AND due_at<?)" in step for step in late)


def test_opening_and_every_act_are_answered_by_an_index(desk):
    filed, member = desk.file(), desk.ready.first(TEAM)

    with statements(desk.instance) as seen:
        desk.open(member, filed.reference)
        desk.do(member, filed.reference, work.take, form=b"f" * 16)
        desk.do(member, filed.reference, work.attempt, reached=True, text="Gesproken.")
        desk.do(member, filed.reference, work.add_note, "Rustig.")
        desk.do(member, filed.reference, work.write_message, "Dag.")
        desk.do(member, filed.reference, work.hand_over, desk.ready.second(TEAM).user_id, "")
        desk.do(member, filed.reference, work.wait, kind="wacht_op_derde", for_whom="politie")
        desk.do(member, filed.reference, work.resume)
        desk.facts(member, filed.reference)
        desk.do(member, filed.reference, closing.close, "geen_incident", done="", not_done="")
        desk.do(desk.ready.second(TEAM), filed.reference, closing.confirm_close)
        desk.do(member, filed.reference, closing.reopen, "Toch niet.")

    assert len(seen) > 50
    assert growing_tables_scanned(desk.instance, seen) == []


def test_the_finder_of_scans_finds_one(desk):
    with statements(desk.instance) as seen, desk.instance.readings() as session:
        session.execute(select(Track).where(Track.outcome == "geholpen")).all()

    assert growing_tables_scanned(desk.instance, seen) == ["SCAN track"]
