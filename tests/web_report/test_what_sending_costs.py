"""Sending the form, with all that a page does around it: the same few statements, one durable commit."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine


@contextmanager
def counted():
    statements, commits = [], []

    def executed(_connection, _cursor, statement, *_):
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    def committed(connection):
        if not connection.get_execution_options().get("reading"):
            commits.append(1)

    event.listen(Engine, "before_cursor_execute", executed)
    event.listen(Engine, "commit", committed)
    try:
        yield statements, commits
    finally:
        event.remove(Engine, "before_cursor_execute", executed)
        event.remove(Engine, "commit", committed)


def submit(visitor):
    """Post the review as a browser does, without going on to the receipt."""
    visitor.open("/melden/soort").send({"incident.kinds": ["doxing"]}, press="verder")
    visitor.open("/melden/bewijs").send({}, press="verder", has=("_page",), files=[("een.txt", b"een")])
    visitor.open("/melden/bereiken").send({"contact.telephone": "0612345678"}, press="nakijken", has=("_page",))
    data = visitor.values(action="/melden/nakijken")
    with counted() as (statements, commits):
        answer = visitor.client.post("/melden/nakijken", data=data)
    assert answer.status_code == 303
    assert answer.location == "/melden/ontvangen"
    return statements, commits


def test_sending_takes_at_most_sixteen_statements_and_one_durable_commit(visit):
    submit(visit())

    statements, commits = submit(visit())

    assert len(statements) <= 16, statements
    assert len(commits) == 1


@pytest.mark.slow
def test_sending_costs_the_same_at_ten_and_at_a_thousand_cases(visit, ready, clock):
    import secrets

    from weerbaar_meldpunt.actions.filing import file_report
    from weerbaar_meldpunt.rules.report import parse_report

    found = []
    for number in (10, 990):
        report = parse_report({"format": 1, "incident": {"kinds": ["doxing"]}}, now=clock.now)
        with ready.instance.sessions.begin() as session:
            for _ in range(number):
                file_report(session, ready.instance, report, form=secrets.token_hex(32), now=clock.now)
        statements, commits = submit(visit())
        found.append((len(statements), len(commits)))

    assert found[0] == found[1]


def test_a_step_and_an_upload_are_one_durable_commit_each(visit):
    visitor = visit()
    visitor.open("/melden/verhaal")
    story = visitor.values("narrative")
    with counted() as (_, commits):
        visitor.client.post("/melden/verhaal", data=story)
    assert len(commits) == 1

    visitor.open("/melden/bewijs")
    with counted() as (_, commits):
        visitor.send({}, press="erbij", has=("_page",), files=[("een.txt", b"een"), ("twee.txt", b"twee")])
    assert len(commits) == 1
