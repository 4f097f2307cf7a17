"""What tests of filing, drafts, evidence and the reporter's side share."""

import secrets
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from weerbaar_meldpunt.actions.evidence import open_upload
from weerbaar_meldpunt.actions.filing import file_report
from weerbaar_meldpunt.rules.report import parse_report
from weerbaar_meldpunt.vault import wrap as wrapping


class Counts:
    """What an act asked of the database and of public keys."""

    def __init__(self):
        self.statements, self.commits, self.wraps, self.pairs = [], 0, 0, 0


@pytest.fixture
def counting(monkeypatch):
    """Count statements (without BEGIN and COMMIT), commits, wraps and key pairs made."""

    @contextmanager
    def counted():
        found = Counts()

        def executed(_connection, _cursor, statement, *_):
            if not statement.startswith("BEGIN"):
                found.statements.append(statement)

        def committed(connection):
            if not connection.get_execution_options().get("reading"):
                found.commits += 1

        class Suite:
            def __init__(self, real):
                self._real = real

            def encrypt(self, *args):
                found.wraps += 1
                return self._real.encrypt(*args)

            def decrypt(self, *args):
                return self._real.decrypt(*args)

        halves = wrapping._halves

        def made(seed):
            found.pairs += 1
            return halves(seed)

        with monkeypatch.context() as patch:
            patch.setattr(wrapping, "_SUITE", Suite(wrapping._SUITE))
            patch.setattr(wrapping, "_halves", made)
            event.listen(Engine, "before_cursor_execute", executed)
            event.listen(Engine, "commit", committed)
            try:
                yield found
            finally:
                event.remove(Engine, "before_cursor_execute", executed)
                event.remove(Engine, "commit", committed)

    return counted


@pytest.fixture
def many(ready):
    """File many reports in one go."""

    def filed(number, document, now):
        with ready.instance.sessions.begin() as session:
            for _ in range(number):
                report = parse_report({"format": 1} | document, now=now)
                file_report(session, ready.instance, report, form=secrets.token_hex(32), now=now)

    return filed


@pytest.fixture
def upload(ready, clock):
    """A sealed file, as an upload leaves it."""

    def made(name="foto.png", content=b"\x89PNG\r\n\x1a\n" + bytes(100)):
        stream = open_upload(ready.instance)
        stream.write(content)
        return stream.finish(name, now=clock.now)

    return made
