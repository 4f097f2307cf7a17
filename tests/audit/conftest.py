"""What tests of the trail share: a desk where something happened, and hands in the database behind the program."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text

from weerbaar_meldpunt.actions import checkpoints, verifying, work
from weerbaar_meldpunt.actions.opening import keep_folds, note_opening, open_case
from weerbaar_meldpunt.actions.verifying import Verdict
from weerbaar_meldpunt.store.audit import Leaf

THREAT: dict[str, Any] = {
    "target": {"role": "raadslid", "organisation": "GM0363"},
    "incident": {"kinds": ["bedreiging_intimidatie"], "channels": ["email"]},
    "narrative": "Er kwam een mail met een bedreiging.",
    "contact": {"name": "R. de Boer", "telephone": "0612345678", "channel": "telefoon"},
}
TEAM = "ondersteuning"


@dataclass
class Desk:
    """An instance with people, the moment it is, and short ways to let something happen."""

    ready: Any
    file_report: Callable[..., Any]
    now: datetime
    references: list[str] = field(default_factory=list)

    @property
    def instance(self) -> Any:
        return self.ready.instance

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def file(self, **more: Any) -> Any:
        """A report that is filed now."""
        filed = self.file_report(THREAT, now=self.now, **more)
        self.references.append(filed.reference)
        return filed

    def open(self, member: Any, reference: str) -> None:
        """Open a case the way the page does."""
        person = member.person
        with self.instance.sessions.begin() as session:
            opening = note_opening(session, self.instance, person, reference, now=self.now)
        with self.instance.readings() as session:
            view = open_case(session, self.instance, person, opening)
        if view.fresh:
            with self.instance.sessions.begin() as session:
                keep_folds(session, view)

    def do(self, member: Any, reference: str, act: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """One act of a member on a case."""
        with self.instance.sessions.begin() as session:
            return act(work.hold(session, self.instance, member.person, reference, now=self.now), *args, **more)

    def happens(self, cases: int = 2) -> None:
        """A day's work: cases come in, are taken, written about and looked at."""
        for _ in range(cases):
            reference = self.file().reference
            self.later(minutes=1)
            self.open(self.ready.second(TEAM), reference)
            self.do(self.ready.second(TEAM), reference, work.take)
            self.do(self.ready.second(TEAM), reference, work.add_note, "Gebeld met de griffier.")

    def checkpoint(self) -> str:
        """A checkpoint as it is mailed."""
        with self.instance.sessions.begin() as session:
            return checkpoints.mailed_text(
                self.instance, checkpoints.make_checkpoint(session, self.instance, now=self.now)
            )

    def verify(self, anchor: str | None = None) -> Verdict:
        """Check everything."""
        with self.instance.readings() as session:
            return verifying.verify(session, self.instance, anchor=anchor)

    def size(self) -> int:
        """How many leaves there are."""
        with self.instance.readings() as session:
            return int(session.scalar(select(Leaf.seq).order_by(Leaf.seq.desc()).limit(1)) or 0)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Look behind the program."""
        with self.instance.engine.connect() as connection:
            return list(connection.execute(text(statement), values))

    def write(self, statement: str, **values: Any) -> int:
        """Write behind the program: who writes the database knows no rule that it could not switch off."""
        with self.instance.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
            changed = connection.execute(text(statement), values).rowcount
            connection.commit()
            if connection.dialect.name == "sqlite":
                connection.connection.cursor().execute("PRAGMA foreign_keys=ON")
        return int(changed)

    def put(self, model: Any, *rows: dict[str, Any]) -> None:
        """Write whole rows behind the program."""
        with self.instance.sessions.begin() as session:
            session.execute(insert(model), list(rows))


def seqs(verdict: Verdict, what: str | None = None) -> list[int | None]:
    """The numbers of what is wrong, lowest first."""
    return [one.seq for one in verdict.sorted() if what in (None, one.what)]


@pytest.fixture
def desk(ready: Any, file: Any, clock: Any) -> Desk:
    return Desk(ready, file, clock.now)


@pytest.fixture
def statements(instance: Any) -> Any:
    """Every statement that is sent to the database, with what is bound to it."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        found.append((statement, values))

    event.listen(instance.engine, "before_cursor_execute", note)
    yield found
    event.remove(instance.engine, "before_cursor_execute", note)
