"""T7. The thief has the whole instance folder, the server key and the pepper: nothing of any case opens.

With somebody's password exactly what that person may open does, and with what others gave away exactly theirs: so the
program that opens nothing without any is one that can open.
"""

import shutil
from collections import Counter

import pytest
from sqlalchemy import select

from tests.security.thief import Thief
from weerbaar_meldpunt.actions import backup, evidence, transfer, work
from weerbaar_meldpunt.actions.drafts import new_draft, save_draft
from weerbaar_meldpunt.actions.opening import keep_folds, note_opening, open_case
from weerbaar_meldpunt.actions.queue import fold_headlines, queue_page
from weerbaar_meldpunt.actions.sessions import create_session, start_content
from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.cases import Case

# What the server opens with nobody signed in, as docs/security.md says under "Promises".
SERVERS = {"user", "outbox", "duty", "notify"}
WORD = "zonnebloemveld"


pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def room_enough(monkeypatch):
    monkeypatch.setattr(evidence, "FREE_FLOOR", 0)


@pytest.fixture
def lived(ready, file, clock, tmp_path):
    """A desk that was worked at: cases with each team, shared ones, messages, notes, files, drafts, sessions."""
    instance, now = ready.instance, clock.now

    def upload():
        stream = evidence.open_upload(instance)
        stream.write(WORD.encode() * 9000)
        return stream.finish("bewijs.txt", now=now)

    story = {"narrative": WORD, "private": {"home_address": WORD}, "contact": {"telephone": "0612345678"}}
    filed = {
        "ondersteuning": file(story | {"incident": {"kinds": ["doxing"]}}, files=[upload()]),
        "moved": file(story | {"incident": {"kinds": ["doxing"]}}),
        "shared": file(story | {"incident": {"kinds": ["doxing"]}}, files=[upload()]),
        "acute": file(story | {"incident": {"kinds": ["bedreiging_intimidatie"], "happening_now": True}}),
        "claimed": file(story | {"reporter": {"relation": "griffier", "consent": "ja"}}),
        "of an account": file(story, account=ready.people.reporter().person),
    }
    member = ready.first("ondersteuning")

    def do(name, act, *args, **more):
        with instance.sessions.begin() as session:
            act(work.hold(session, instance, member.person, filed[name].reference, now=now), *args, **more)

    for name, report in filed.items():
        do(name, work.write_message, f"{WORD} terug")
        do(name, work.add_note, f"{WORD} notitie")
        with instance.sessions.begin() as session:
            opening = note_opening(session, instance, member.person, report.reference, now=now)
        with instance.readings() as session:
            view = open_case(session, instance, member.person, opening)
        with instance.sessions.begin() as session:
            keep_folds(session, view)
    do("moved", transfer.transfer, "beveiliging", reason=WORD, words=WORD)
    do("shared", transfer.share, "juridisch", reason=WORD, words=WORD)
    with instance.readings() as session:
        page = queue_page(session, instance, member.person, "ondersteuning", now=now)
    with instance.sessions.begin() as session:
        fold_headlines(session, instance, member.person, "ondersteuning", page)
        draft = new_draft(instance)
        draft.answers = {"narrative": WORD}
        draft.files = [upload()]
        save_draft(session, draft, now=now)
        create_session(session, member.content)
        create_session(session, start_content("reader", now=now, lookup=bytes(16), seed=filed["moved"].reader.seed))
    with backup.backup_file(instance.settings.instance / "gisteren.wmb") as target:
        backup.make_backup(instance, target, now=now)
    instance.engine.dispose()
    where = tmp_path / "loot"
    shutil.copytree(instance.settings.instance, where)
    with instance.readings() as session:
        ids = {row.reference: row.id for row in session.scalars(select(Case))}
    return where, {name: ids[one.reference] for name, one in filed.items()}, filed


def kinds(opened):
    return Counter(one.kind for one in opened)


def cases(opened):
    return {one.case for one in opened if one.case is not None and one.kind not in SERVERS}


def test_the_thief_knows_every_place_where_something_is_sealed(lived):
    where, _, _ = lived
    thief = Thief(where)

    thief.all_places()

    places = {(name, column) for name, _, column, _ in thief._sealed()}
    assert len(places) >= 14
    assert len(list(thief._wraps())) > 40


def test_with_the_disk_the_server_key_and_the_pepper_nothing_of_any_case_opens(lived):
    where, _, _ = lived

    opened = Thief(where).work()

    assert set(kinds(opened)) <= SERVERS
    assert kinds(opened)["user"] >= 8  # so it opens what the server opens
    assert cases(opened) == set()
    assert not any(WORD.encode() in one.plain for one in opened)


@pytest.mark.parametrize("team", TEAMS)
def test_with_one_members_password_exactly_the_cases_of_their_team_open(lived, ready, team):
    where, ids, filed = lived
    member = ready.second(team)
    thief = Thief(where)
    thief.tables["root"] = [row for row in thief.tables["root"] if row["user_id"] == member.user_id]

    thief.learn_password(member.password)
    opened = thief.work()

    theirs = {ids[name] for name, report in filed.items() if team in report.teams} - {ids["moved"]}
    theirs |= {"beveiliging": {ids["moved"]}, "juridisch": {ids["shared"]}}.get(team, set())
    assert cases(opened) == theirs
    read = kinds(opened)
    assert read["case_doc"] and read["message"] and read["event"]
    assert read["bundle"] == read["root_pw"] == 1  # nobody else's
    assert not {"session", "presession", "draft", "claim", "fact", "figures", "recovery", "backup"} & set(read)
    notes = {one.case for one in opened if one.kind == "note"}
    private = {one.case for one in opened if one.kind == "case_doc" and one.plain.startswith(b'{"private"')}
    assert notes == theirs
    assert private == (set() if team == "juridisch" else theirs)
    assert any(WORD.encode() in one.plain for one in opened)


def test_a_receipt_opens_its_own_case_and_no_other(lived):
    where, ids, filed = lived
    thief = Thief(where)

    thief.learn_code(filed["ondersteuning"].receipt_code)
    opened = thief.work()

    assert cases(opened) == {ids["ondersteuning"]}
    assert not {"note", "headline", "fold", "bundle"} & set(kinds(opened))
    assert kinds(opened)["file"] == 1


def test_the_seed_of_the_backups_opens_the_backup_and_nothing_in_it(lived, ready):
    where, _, _ = lived
    thief = Thief(where)

    thief.learn(ready.custody.backup_seed)
    opened = thief.work()

    assert set(kinds(opened)) <= SERVERS | {"backup"}
    assert kinds(opened)["backup"] == 1
    assert cases(opened) == set()


def test_one_custodian_opens_nothing_and_two_bring_back_every_team(lived, ready):
    where, ids, _ = lived
    codes = [sheet.code for sheet in ready.custody.sheets]
    alone = Thief(where)
    alone.learn_code(codes[0])
    assert set(kinds(alone.work())) <= SERVERS
    two = Thief(where)
    two.learn_code(codes[0])
    two.learn_code(codes[2])

    assert cases(two.work()) >= set(ids.values())
