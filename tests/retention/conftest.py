"""What tests of keeping and destroying share: a desk, a clock that runs true, and a look into every table."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.actions_work.conftest import THREAT, Desk, desk
from weerbaar_meldpunt.actions import destroying, own_acts, reader, work
from weerbaar_meldpunt.actions.evidence import take
from weerbaar_meldpunt.jobs.clock import Clock
from weerbaar_meldpunt.store.base import Base
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.retention import Destroyed, Keeping

__all__ = ["THREAT", "Desk", "desk"]


@pytest.fixture
def case_id(desk: Desk) -> Callable[[str], bytes]:
    """The id of a case by its reference."""

    def found(reference: str) -> bytes:
        with desk.instance.readings() as session:
            return session.scalars(select(Case.id).where(Case.reference == reference)).one()

    return found


@pytest.fixture
def exists(desk: Desk) -> Callable[[str], bool]:
    """Whether there is a case of this reference still."""

    def found(reference: str) -> bool:
        with desk.instance.readings() as session:
            return session.scalar(select(Case.id).where(Case.reference == reference)) is not None

    return found


@pytest.fixture
def run_clock(desk: Desk) -> Callable[..., int]:
    """A clock of a machine whose time is believed looks for what may go; answers how many cases went."""

    def run(*, steady: bool = True) -> int:
        clock = Clock(desk.instance, moment=lambda: desk.now, wall=lambda: desk.now, running=lambda: 0.0)
        if steady:  # the clock looked a moment ago too, as one that runs does
            from weerbaar_meldpunt.store.tracks import Pulse

            with desk.instance.sessions.begin() as session:
                session.query(Pulse).delete()
                session.add(Pulse(name="klok", seen_at=desk.now - timedelta(seconds=60)))
        return clock.erase()

    return run


@pytest.fixture
def closed(desk: Desk) -> Callable[..., Any]:
    """A case that was worked on, with messages, notes and a file, and closed."""

    def made(
        outcome: str = "geholpen", *, tmp_path: Any = None, facts: dict[str, Any] | None = None, **more: Any
    ) -> Any:
        first, second = desk.ready.first("ondersteuning"), desk.ready.second("ondersteuning")
        files = []
        if tmp_path is not None:
            evidence = tmp_path / "bewijs.txt"
            evidence.write_bytes(b"bewijs van de bedreiging")
            files = [take(desk.instance, evidence, now=desk.now)]
        filed = desk.file(more.pop("document", None), files=files, **more)
        desk.do(second, filed.reference, work.take)
        desk.do(second, filed.reference, work.write_message, "Wij bellen u.")
        with desk.instance.readings() as session:
            own = reader.own_case(session, desk.instance, filed.reader)
        with desk.instance.sessions.begin() as session:
            reader.reply(session, desk.instance, own, "Dank u wel.", now=desk.now)
        desk.do(second, filed.reference, work.add_note, "Sprak ook de wijkagent.")
        desk.do(second, filed.reference, work.mark_read)
        desk.facts(second, filed.reference, **(facts or {}))
        from weerbaar_meldpunt.actions import closing

        if not desk.do(second, filed.reference, closing.close, outcome, done="Gebeld.", not_done=""):
            desk.do(first, filed.reference, closing.confirm_close)
        return filed

    return made


@pytest.fixture
def kept_until(desk: Desk, case_id: Callable[[str], bytes]) -> Callable[[str], str | None]:
    """Until which day a case is kept; nothing while it has no term."""

    def found(reference: str) -> str | None:
        with desk.instance.readings() as session:
            row = session.get(Keeping, case_id(reference))
            return row.ends_on if row else None

    return found


@pytest.fixture
def propose(desk: Desk) -> Callable[..., bytes]:
    """The coordinator of a team proposes to let cases go."""

    def made(*references: str, team: str = "ondersteuning", by: Any = None) -> bytes | None:
        with desk.instance.sessions.begin() as session:
            person = (by or desk.ready.first(team)).person
            return destroying.propose(session, desk.instance, person, team, references, now=desk.now)

    return made


@pytest.fixture
def decide(desk: Desk) -> Callable[..., int]:
    """A second person says yes or no."""

    def made(proposal: bytes, *, by: Any, agrees: bool = True) -> int:
        with desk.instance.sessions.begin() as session:
            return destroying.decide(session, desk.instance, by.person, proposal, agrees=agrees, now=desk.now)

    return made


@pytest.fixture
def own_act(desk: Desk) -> Callable[..., Any]:
    """An act of who filed a report, with the receipt code or with an account."""

    def done(filed: Any, act: Callable[..., Any], *args: Any, **more: Any) -> Any:
        with desk.instance.sessions.begin() as session:
            content = reader.enter(session, desk.instance, filed.receipt_code or "", now=desk.now)
            keys = filed.reader if content is None else reader.reader_of(content)
            assert keys is not None
            return act(own_acts.hold_own(session, desk.instance, keys, now=desk.now), *args, **more)

    return done


@pytest.fixture
def everything(desk: Desk) -> Callable[[], dict[str, list[tuple[Any, ...]]]]:
    """All rows of all tables."""

    def read() -> dict[str, list[tuple[Any, ...]]]:
        with desk.instance.readings() as session:
            return {
                table.name: [tuple(row) for row in session.execute(select(table))]
                for table in Base.metadata.sorted_tables
            }

    return read


@pytest.fixture
def register(desk: Desk) -> Callable[[], list[Destroyed]]:
    """The lines of the register."""

    def read() -> list[Destroyed]:
        with desk.instance.readings() as session:
            return list(session.scalars(select(Destroyed)))

    return read


def moment(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text)
