"""The auditor's page: who did what and when; found by index, without content, and looking at somebody is noted too."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import logbook
from weerbaar_meldpunt.actions.ledger import Leaves
from weerbaar_meldpunt.actions.logbook import THE_PROGRAM, Wanted
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.vault.derive import new_id

from .conftest import TEAM, THREAT


def look(desk, **wanted):
    with desk.instance.readings() as session:
        return logbook.look(session, desk.instance, Wanted(**wanted))


@pytest.fixture
def busy(desk):
    """Two people at work on three cases, over two days, and a checkpoint between."""
    desk.happens(2)
    desk.checkpoint()
    desk.later(days=1)
    reference = desk.file().reference
    desk.open(desk.ready.first(TEAM), reference)
    return desk


def test_newest_first_with_who_and_which_case(busy):
    page = look(busy)

    first = page.lines[0]
    assert [line.seq for line in page.lines] == sorted((line.seq for line in page.lines), reverse=True)
    assert (first.name, first.action, first.reference) == (
        busy.ready.first(TEAM).person.name, "geopend", busy.references[-1],
    )  # fmt: skip
    assert {line.actor for line in page.lines} >= {"staff", "reader", "program"}


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"action": "geopend"}, lambda line, desk: line.action == "geopend"),
        ({"person": THE_PROGRAM}, lambda line, desk: line.actor == "program"),
        ({"team": "juridisch"}, lambda line, desk: line.name in ("Persoon 5", "Persoon 6")),
        ({"first": date(2026, 11, 24)}, lambda line, desk: line.at >= datetime(2026, 11, 23, 23, tzinfo=UTC)),
        ({"last": date(2026, 11, 23)}, lambda line, desk: line.at < datetime(2026, 11, 23, 23, tzinfo=UTC)),
        ({"action": "geopend", "first": date(2026, 11, 24)}, lambda line, desk: line.action == "geopend"),
    ],
    ids=str,
)  # fmt: skip
def test_a_filter_shows_what_fits_and_all_that_fits(busy, wanted, fits):
    everything = [line for line in all_lines(busy) if fits(line, busy)]

    if wanted.get("action") and wanted.get("first"):
        everything = [line for line in everything if line.at >= datetime(2026, 11, 23, 23, tzinfo=UTC)]
    assert [line.seq for line in all_lines(busy, **wanted)] == [line.seq for line in everything]
    assert everything or "team" in wanted


def all_lines(desk, **wanted):
    with desk.instance.readings() as session:
        return list(logbook.every_line(session, desk.instance, Wanted(**wanted)))


def test_by_person_and_by_case_and_both(busy):
    first, reference = busy.ready.first(TEAM), busy.references[-1]

    by_person = all_lines(busy, person=first.user_id.hex())
    by_case = all_lines(busy, reference=reference.lower())
    both = all_lines(busy, person=first.user_id.hex(), reference=reference, action="geopend")

    assert {line.name for line in by_person} == {first.person.name}
    assert [line.action for line in by_case] == ["geopend", "ingediend"]
    assert [line.seq for line in both] == [busy.size()]
    assert all_lines(busy, reference="0000-0000") == []
    assert all_lines(busy, person="00" * 16) == []


def test_pages_follow_each_other_without_gap_or_repetition(busy):
    seen, before = [], None
    while True:
        with busy.instance.readings() as session:
            page = logbook.look(session, busy.instance, Wanted(before=before), size=7)
        seen += [line.seq for line in page.lines]
        if page.older is None:
            break
        before = page.older

    assert seen == list(range(busy.size(), 0, -1))


def many_leaves(desk, count, *, actor, action):
    with desk.instance.sessions.begin() as session:
        leaves = Leaves(session, desk.instance, now=desk.now)
        for _ in range(count):
            leaves.add(actor, action, new_id(), [])
        leaves.write()


def test_a_rare_act_among_very_many_is_found_a_bounded_step_at_a_time(desk, monkeypatch):
    monkeypatch.setattr(logbook, "LOOKED_BACK", 100)
    member = desk.ready.second(TEAM)
    many_leaves(desk, 1, actor=member.user_id, action="gelezen")
    many_leaves(desk, 450, actor=member.user_id, action="geopend")
    steps, before = 0, None
    while True:
        page = look(desk, person=member.user_id.hex(), action="gelezen", before=before)
        if page.lines or page.older is None:
            break
        steps, before = steps + 1, page.older

    assert [line.action for line in page.lines] == ["gelezen"]
    assert 3 <= steps <= 6


@pytest.mark.parametrize(
    "wanted",
    [
        {}, {"action": "geopend"}, {"person": "11" * 16}, {"person": THE_PROGRAM}, {"team": TEAM},
        {"team": TEAM, "action": "geopend"}, {"first": date(2026, 11, 23), "last": date(2026, 11, 23)},
        {"person": "11" * 16, "first": date(2026, 11, 23), "action": "geopend"}, {"before": 9},
    ],
    ids=str,
)  # fmt: skip
def test_no_way_of_looking_goes_through_the_whole_trail(busy, statements, wanted):
    many_leaves(busy, 50, actor=b"\x11" * 16, action="geopend")
    statements.clear()

    look(busy, **wanted)

    asked = [(text, values) for text, values in statements if "audit" in text]
    assert asked
    with busy.instance.engine.connect() as connection:
        for text, values in asked:
            plan = [row[3] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + text, values)]
            assert not [step for step in plan if re.match(r"SCAN audit(?! USING (COVERING )?INDEX .* )\b", step)], plan
    assert len(statements) < 12


def test_a_page_costs_the_same_number_of_statements_whatever_the_number_of_leaves(desk, statements):
    counts = []
    for more in (10, 1000):
        many_leaves(desk, more, actor=desk.ready.second(TEAM).user_id, action="geopend")
        statements.clear()
        look(desk, action="geopend")
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 6


# --- the page ------------------------------------------------------------------------------------------------------


@pytest.fixture
def auditor(busy, app, clock, sign_in):
    clock.now = busy.now
    return sign_in(app.test_client(), busy.ready.people.auditor())


def actions_of(busy):
    with busy.instance.readings() as session:
        return list(session.scalars(select(Leaf.action).order_by(Leaf.seq.desc()).limit(3)))


def test_the_page_shows_no_content_and_times_of_amsterdam(busy, auditor):
    page = auditor.get("/logboek").get_data(as_text=True)

    assert "Melding geopend" in page
    assert busy.references[-1] in page
    assert "23-11-2026 12:31:00" in page  # 11:31 UTC
    for content in (THREAT["narrative"], "Gebeld met de griffier", "R. de Boer", "raadslid"):
        assert content not in page


def test_looking_at_one_person_or_case_is_noted_and_leafing_is_not(busy, auditor):
    before = busy.size()
    auditor.get("/logboek")
    auditor.get("/logboek?wat=geopend")
    auditor.get(f"/logboek?zaak={busy.references[0]}&voor=5")
    assert busy.size() == before

    auditor.get(f"/logboek?zaak={busy.references[0]}")
    auditor.get(f"/logboek?wie={busy.ready.second(TEAM).user_id.hex()}")

    assert actions_of(busy)[:2] == ["logboek_bekeken"] * 2
    with busy.instance.readings() as session:
        case_id = session.scalar(select(Case.id).where(Case.reference == busy.references[0]))
        objects = set(session.scalars(select(Leaf.object).where(Leaf.action == "logboek_bekeken")))
    assert objects == {case_id, busy.ready.second(TEAM).user_id}


def test_the_file_holds_the_same_lines_and_that_it_was_taken_is_noted(busy, auditor):
    answer = auditor.get("/logboek/bestand?wat=geopend")

    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert rows[0] == ["nummer", "moment", "wie", "wat", "code", "zaak", "over"]
    assert {row[4] for row in rows[1:]} == {"geopend"}
    assert len(rows) == 4
    assert rows[1][1].endswith("+01:00")
    assert actions_of(busy)[0] == "logboek_opgehaald"


def test_a_name_that_a_spreadsheet_would_take_for_a_formula_is_text(busy, auditor, app, sign_in):
    named = busy.ready.people.member(TEAM, name="=HYPERLINK(1)")
    many_leaves(busy, 1, actor=named.user_id, action="geopend")

    text = auditor.get("/logboek/bestand?wat=geopend").get_data(as_text=True)

    assert "'=HYPERLINK(1)" in text
    assert ",=HYPERLINK" not in text


def test_the_file_asks_for_a_fresh_second_factor(busy, auditor, clock):
    clock.forward(minutes=6)

    assert auditor.get("/logboek/bestand").status_code == 303


def test_it_shows_how_the_trail_stands(busy, auditor):
    from weerbaar_meldpunt.jobs.clock import Clock

    assert "De controle van vannacht komt nog" in auditor.get("/logboek").get_data(as_text=True)
    Clock(busy.instance, moment=lambda: busy.now, wall=lambda: busy.now, running=lambda: 0.0).keep_trail()

    page = auditor.get("/logboek").get_data(as_text=True)
    assert "Ja. Gecontroleerd op" in page
    assert f"weerbaar-meldpunt/{busy.instance.id.hex()}" in page


def test_a_checkpoint_on_demand_is_made_and_said(busy, auditor):
    page = auditor.get("/logboek").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)

    auditor.post("/logboek/ijkpunt", data={"csrf_token": token})

    assert "IJkpunt 2 is gemaakt" in auditor.get("/logboek").get_data(as_text=True)


@pytest.mark.parametrize(
    "query", ["van=gisteren", "tot=2026-02-30", "van=2026-11-24&tot=2026-11-23"]
)  # fmt: skip
def test_a_day_that_is_none_is_said_and_nothing_is_lost(auditor, query):
    answer = auditor.get(f"/logboek?{query}&wat=geopend")

    assert answer.status_code == 422
    assert 'value="geopend" selected' in answer.get_data(as_text=True)


def test_what_it_does_not_know_in_an_address_is_left_out(auditor):
    answer = auditor.get("/logboek?wie=zz&wat=onzin&team=x&zaak='+OR+1%3D1&voor=abc")

    assert answer.status_code == 200


def test_leaves_of_another_length_of_time_ago_are_found_by_day(desk):
    """A clock that was two hours behind for a while hides nothing of a day."""
    member = desk.ready.second(TEAM)
    for offset in (0, -2, 1):
        desk.now += timedelta(hours=offset)
        many_leaves(desk, 1, actor=member.user_id, action="gelezen")

    assert len(all_lines(desk, action="gelezen", first=date(2026, 11, 23), last=date(2026, 11, 23))) == 3
