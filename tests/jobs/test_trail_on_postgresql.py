"""The trail on PostgreSQL: several writers of one chain, a check while others write, every way to look."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from weerbaar_meldpunt.actions import bulk, checkpoints, logbook, tombstones, verifying
from weerbaar_meldpunt.actions.filing import file_report
from weerbaar_meldpunt.actions.ledger import Ledger
from weerbaar_meldpunt.actions.logbook import Wanted
from weerbaar_meldpunt.actions.opening import note_opening
from weerbaar_meldpunt.jobs.clock import Clock
from weerbaar_meldpunt.rules.report import parse_report
from weerbaar_meldpunt.store.audit import AuditCheck, Checkpoint
from weerbaar_meldpunt.vault.derive import new_id

pytestmark = pytest.mark.slow


@pytest.fixture
def ready(emptied, ready_maker, clock):
    """An instance on PostgreSQL in which everybody can work."""
    (emptied.settings.instance / "pins").write_bytes(b"")  # of the keys of the test before
    return ready_maker(emptied, now=clock.now)


def a_report(ready, now):
    report = parse_report({"format": 1, "incident": {"kinds": ["verbale_agressie"]}}, now=now, allow_triage=True)
    with ready.instance.sessions.begin() as session:
        return file_report(session, ready.instance, report, now=now, form=new_id().hex() * 2)


def verdict_of(ready, anchor=None):
    with ready.instance.readings() as session:
        verifying.one_moment(session)
        return verifying.verify(session, ready.instance, anchor=anchor)


def test_eight_who_write_at_once_make_one_chain_and_a_check_meanwhile_finds_nothing_wrong(ready, clock):
    def write(number):
        for _ in range(10):
            with ready.instance.sessions.begin() as session:
                Ledger(session, ready.instance, now=clock.now).close(bytes([number]) * 16, "ingelogd", new_id())
            a_report(ready, clock.now)

    with ThreadPoolExecutor(8) as pool:
        writing = [pool.submit(write, number) for number in range(8)]
        verdicts = [verdict_of(ready) for _ in range(6)]
        for one in writing:
            one.result()

    assert [verdict.findings for verdict in (*verdicts, verdict_of(ready))] == [[]] * 7
    assert verdict_of(ready).leaves >= 160


def test_what_was_changed_behind_the_program_is_named(ready, clock):
    a_report(ready, clock.now)
    with ready.instance.sessions.begin() as session:
        anchor = checkpoints.mailed_text(
            ready.instance, checkpoints.make_checkpoint(session, ready.instance, now=clock.now)
        )
    assert verdict_of(ready, anchor).wrong == 0
    with ready.instance.engine.begin() as connection:
        connection.execute(text("UPDATE track SET urgency = urgency + 1"))
        connection.execute(text("UPDATE audit SET action = 'gelezen' WHERE seq = 3"))
        connection.execute(text("DELETE FROM due"))

    verdict = verdict_of(ready, anchor)
    assert {"leaf_altered", "row_altered", "row_removed"} == set(verdict.kinds)
    assert verdict.first.seq == 3


def test_two_clocks_make_one_checkpoint_and_one_check(ready, clock):
    clocks = [
        Clock(ready.instance, moment=lambda: clock.now, wall=lambda: clock.now, running=lambda: 0.0) for _ in range(4)
    ]
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(one.keep_trail) for one in clocks]:
            done.result()

    with ready.instance.readings() as session:
        assert len(session.scalars(select(Checkpoint)).all()) == 1
        assert [row.wrong for row in session.scalars(select(AuditCheck))] == [0]


def test_every_way_of_looking_and_counting_works(ready, clock):
    member = ready.second("ondersteuning")
    references = [a_report(ready, clock.now).reference for _ in range(30)]
    for reference in references:
        with ready.instance.sessions.begin() as session:
            note_opening(session, ready.instance, member.person, reference, now=clock.now)
    with ready.instance.sessions.begin() as session:
        tombstones.bury_case(session, bytes(16), now=clock.now)
        tombstones.bury_case(session, bytes(16), now=clock.now)
        assert tombstones.erased(session, [bytes(16)]) == {bytes(16)}
        hour = clock.now.replace(minute=0, second=0, microsecond=0)
        for _ in range(2):
            bulk.keep_looks(session, {(member.user_id, hour, "wachtrij"): 80})

    with ready.instance.readings() as session:
        assert {one.what for one in bulk.too_many(session, now=clock.now)} == {"zaken-10", "wachtrij-120"}
        wanted = Wanted(team="ondersteuning", action="geopend", first=date(2026, 11, 1), last=date(2026, 12, 1))
        assert len(logbook.look(session, ready.instance, wanted).lines) == 30
        assert len(logbook.look(session, ready.instance, replace(wanted, reference=references[0])).lines) == 1
        later = replace(wanted, first=(clock.now + timedelta(days=9)).date())
        assert logbook.look(session, ready.instance, later).lines == ()
