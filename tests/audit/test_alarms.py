"""Alarms: every kind says what it means and what to do; ended by a person, with a note, in the trail."""

import ast
import re
from pathlib import Path

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import alarms
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.store.audit import Alarm, Leaf
from weerbaar_meldpunt.web.labels import WORDS

HOUSE = Path(__file__).parents[2] / "weerbaar_meldpunt"


def constants_of(tree):
    """The texts that a module gives a name to at its top, one by one or several in a line."""
    found = {}
    for line in tree.body:
        target = (
            line.target
            if isinstance(line, ast.AnnAssign)
            else line.targets[0]
            if isinstance(line, ast.Assign)
            else None
        )
        pairs = [(target, line.value)] if target is not None else []
        if isinstance(target, ast.Tuple) and isinstance(line.value, ast.Tuple):
            pairs = list(zip(target.elts, line.value.elts, strict=True))
        for name, value in pairs:
            if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[name.id] = value.value
    return found


def imported(path, tree):
    """From which file each name in a module comes, where it is imported by that name."""
    found = {}
    for line in ast.walk(tree):
        if isinstance(line, ast.ImportFrom):
            module = (line.module or "").removeprefix("weerbaar_meldpunt").strip(".").replace(".", "/")
            folder = path.parent if line.level else HOUSE
            for one in line.names:
                whole, part = folder / module / f"{one.name}.py", (folder / module).with_suffix(".py")
                found[one.asname or one.name] = whole if whole.exists() else part
    return found


def raised_kinds():
    """Every kind that some code raises: what stands as the third argument of `raise_alarm`, a name or a text.

    Where the kind is handed on, by a function `_alarm` or a fault `Planted`, what those are given.
    """
    trees = {path: ast.parse(path.read_text("utf-8")) for path in HOUSE.rglob("*.py")}
    named = {path: constants_of(tree) for path, tree in trees.items()}
    come_from = {path: imported(path, tree) for path, tree in trees.items()}

    def calls_of(wanted, place):
        for path, tree in trees.items():
            for node in ast.walk(tree):
                called = (
                    getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else None
                )
                if called == wanted and len(node.args) > place:
                    yield path, node.args[place]

    def value_of(path, expression):
        if isinstance(expression, ast.Constant):
            return expression.value
        if isinstance(expression, ast.Attribute):
            return named.get(come_from[path].get(expression.value.id), {}).get(expression.attr)
        if isinstance(expression, ast.Name):
            where = path if expression.id in named[path] else come_from[path].get(expression.id)
            return named.get(where, {}).get(expression.id)
        return None

    given = list(calls_of("raise_alarm", 2))
    handed_on = [one for path, one in given if value_of(path, one) is None]
    assert {getattr(one, "attr", getattr(one, "id", "")) for one in handed_on} <= {"kind", "alarm"}
    in_passkeys = [(path, one) for path, one in calls_of("_alarm", 2) if path.name == "passkeys.py"]
    found = {value_of(path, one) for path, one in (*given, *calls_of("Planted", 1), *in_passkeys)}
    return found - {None}


def test_every_kind_that_is_raised_has_a_word_and_says_what_to_do():
    kinds = raised_kinds()

    assert len(kinds) > 8
    for kind in kinds:
        words = WORDS["alarm_kinds"].get(kind)
        assert isinstance(words, tuple), kind
        assert len(str(words[1])) > 40, kind


def test_every_fault_that_the_check_can_find_has_words_for_the_operator_and_for_the_page():
    from weerbaar_meldpunt.cli_keeping import FOUND

    source = "".join((HOUSE / "actions" / name).read_text("utf-8") for name in ("verifying.py", "verified_rows.py"))
    named = {word for word in re.findall(r'"([a-z]+(?:_[a-z]+)+)"', source) if word not in ("case_doc",)}

    assert set(FOUND) <= named
    assert set(FOUND) == set(WORDS["logbook_faults"])


@pytest.fixture
def raised(desk):
    """An alarm that stands."""
    with desk.instance.sessions.begin() as session:
        assert alarms.raise_alarm(session, desk.instance, "klok_sprong", "went_back", now=desk.now)
    with desk.instance.readings() as session:
        return session.scalars(select(Alarm)).one()


def test_an_alarm_stands_in_the_trail_so_nobody_makes_it_go_unseen(desk, raised):
    with desk.instance.readings() as session:
        leaf = session.scalars(select(Leaf).where(Leaf.action == "alarm")).one()
    desk.write("DELETE FROM alarm")

    assert [(one.seq, one.what) for one in desk.verify().findings] == [(leaf.seq, "row_removed")]


def test_the_same_alarm_is_raised_once_while_it_stands(desk, raised):
    with desk.instance.sessions.begin() as session:
        assert not alarms.raise_alarm(session, desk.instance, "klok_sprong", "went_back", now=desk.now)
        assert alarms.raise_alarm(session, desk.instance, "klok_sprong", "went_ahead", now=desk.now)


@pytest.mark.parametrize("note", ["", "   ", "x" * 301])
def test_it_is_ended_with_a_note_or_not_at_all(desk, raised, note):
    auditor = desk.ready.people.auditor().person
    with desk.instance.sessions.begin() as session, pytest.raises(NotAllowed, match="alarm_notitie"):
        alarms.end_alarm(session, desk.instance, auditor, raised.id, note, now=desk.now)


def test_who_ended_it_and_what_was_done_stays_and_it_is_ended_once(desk, raised):
    auditor, beheerder = desk.ready.people.auditor().person, desk.ready.people.beheerder().person
    with desk.instance.sessions.begin() as session:
        alarms.end_alarm(session, desk.instance, auditor, raised.id, "Tijd van de server gezet.", now=desk.now)

    with desk.instance.sessions.begin() as session, pytest.raises(NotAllowed, match="alarm_weg"):
        alarms.end_alarm(session, desk.instance, beheerder, raised.id, "Ik ook.", now=desk.now)
    with desk.instance.readings() as session:
        [view] = alarms.alarms_for(session, desk.instance, beheerder, ended=True)
        assert (view.ended_by, view.note) == (auditor.name, "Tijd van de server gezet.")
        assert alarms.count_for(session, beheerder) == 0
    assert desk.verify().wrong == 0


def test_nobody_without_a_watch_sees_an_alarm_or_ends_it(desk, raised):
    for account in (desk.ready.second("ondersteuning"), desk.ready.first("juridisch"), desk.ready.editors[0]):
        with desk.instance.sessions.begin() as session:
            assert alarms.alarms_for(session, desk.instance, account.person) == []
            with pytest.raises(NotAllowed, match="alarm_weg"):
                alarms.end_alarm(session, desk.instance, account.person, raised.id, "Weg ermee.", now=desk.now)


def test_who_watches_sees_the_number_in_the_menu_what_it_means_and_what_to_do(desk, raised, app, sign_in):
    client = sign_in(app.test_client(), desk.ready.people.beheerder())

    page = client.get("/alarmen").get_data(as_text=True)

    assert re.search(r'Alarmen <span class="number alarm">1</span>', page)
    assert "De klok van de server versprong" in page
    assert "Laat de beheerder de tijd van de server nakijken" in page
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
    refused = client.post(f"/alarmen/{raised.id.hex()}", data={"csrf_token": token, "note": ""})
    assert refused.status_code == 422
    assert f'href="#f-note-{raised.id.hex()}"' in refused.get_data(as_text=True)
    done = client.post(f"/alarmen/{raised.id.hex()}", data={"csrf_token": token, "note": "Tijd gezet."})
    assert done.status_code == 303
    assert "Er is nu geen alarm" in client.get("/alarmen").get_data(as_text=True)
    assert "Tijd gezet." in client.get("/alarmen?toon=afgehandeld").get_data(as_text=True)
