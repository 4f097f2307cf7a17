"""People, tracks and dues by the row, for the chase; a real mail server on loopback."""

import email
import email.policy
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import func, select

from weerbaar_meldpunt.actions import chase, roster
from weerbaar_meldpunt.actions.instance import Instance, create_instance
from weerbaar_meldpunt.actions.ledger import Leaves, Ledger
from weerbaar_meldpunt.actions.people import ACTIVE, lookup_of, seal_user
from weerbaar_meldpunt.actions.trail import as_read
from weerbaar_meldpunt.rules import chase as rules
from weerbaar_meldpunt.rules.values import AMSTERDAM
from weerbaar_meldpunt.settings import Smtp
from weerbaar_meldpunt.store import tables
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.people import Role, User
from weerbaar_meldpunt.store.tracks import Due, DueStep, Outbox, Track
from weerbaar_meldpunt.vault.derive import new_id
from weerbaar_meldpunt.vault.seal import Binding, open_json

TEAM = "ondersteuning"


def amsterdam(text: str) -> datetime:
    """A moment of Amsterdam, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM).astimezone(UTC)


@pytest.fixture
def at() -> Callable[[str], datetime]:
    return amsterdam


@dataclass
class Letter:
    """A mail that waits, opened with the server's key."""

    to: str
    subject: str
    body: str
    message_id: str
    source: bytes


@dataclass
class Desk:
    """An instance with people and tracks, put there by the row; and a clock to strike."""

    instance: Instance
    made: int = 0
    clock: bytes = field(default_factory=new_id)

    # --- who works there ---

    def member(self, team: str = TEAM, *, coordinator: bool = False, login: str = "", state: str = ACTIVE) -> bytes:
        """Somebody in a team; nobody opens a case here, so they have no keys."""
        self.made += 1
        user = new_id()
        login = login or f"collega{self.made}@voorbeeld.test"
        with self.instance.sessions.begin() as session:
            session.add(
                User(
                    id=user, login_lookup=lookup_of(self.instance, login), state=state, revision=1, key_number=0,
                    sealed=seal_user(self.instance, user, 1, login, f"Collega {self.made}"),
                )
            )  # fmt: skip
            session.flush()
            session.add(Role(user_id=user, role="behandelaar", team=team))
            if coordinator:
                session.add(Role(user_id=user, role="coordinator", team=team))
        return user

    def address(self, user: bytes) -> str:
        """Where somebody gets mail."""
        with self.instance.readings() as session:
            row = session.get_one(User, user)
            document = open_json(self.instance.server.seal, row.sealed, Binding("user", user, None, row.revision))
            return str(document["login"])

    def on_duty(self, owner: bytes, backup: bytes | None = None, *, now: datetime, team: str = TEAM) -> bytes:
        """Put somebody on duty around a moment."""
        with self.instance.sessions.begin() as session:
            return roster.add_duty(
                session, self.instance, team, starts_at=now - timedelta(days=2), ends_at=now + timedelta(days=14),
                owner=owner, owner_number="06 11111111", backup=backup, backup_number="06 22222222" if backup else "",
                now=now,
            )  # fmt: skip

    # --- what waits there ---

    def track(
        self, *dues: tuple[str, datetime], urgency: str = "midden", now: datetime, owner: bytes | None = None,
        team: str = TEAM, **columns: Any,
    ) -> bytes:  # fmt: skip
        """A track with dues that were planned at `now`."""
        return self.tracks(1, *dues, urgency=urgency, now=now, owner=owner, team=team, **columns)[0]

    def tracks(
        self, count: int, *dues: tuple[str, datetime], urgency: str = "midden", now: datetime,
        owner: bytes | None = None, team: str = TEAM, **columns: Any,
    ) -> list[bytes]:  # fmt: skip
        """Many tracks, each of its own case."""
        made = []
        state = {"state": "in_behandeling" if owner else "nieuw"} | columns
        with self.instance.sessions.begin() as session:
            leaves = Leaves(session, self.instance, now=now)  # what no leaf knows, the clock does not believe
            for _ in range(count):
                case_id, track_id = new_id(), new_id()
                session.add(Case(id=case_id, reference=case_id.hex(), rules_version="2026-11", received_at=now))
                session.flush()
                track = Track(
                    id=track_id, case_id=case_id, team=team, urgency=urgency, owner_id=owner, opened_at=now,
                    due_at=min((moment for _, moment in dues), default=None), **state,
                )  # fmt: skip
                session.add(track)
                session.flush()
                rows: list[Any] = [track]
                for kind, moment in dues:
                    looks = rules.first_look(rules.PlannedDue(kind, moment), urgency, now=now)
                    rows.append(
                        Due(id=new_id(), track_id=track_id, kind=kind, moment=moment, step="gepland", next_at=looks)
                    )
                    session.add(rows[-1])
                session.flush()
                leaves.add(b"", "ingediend", case_id, [as_read(row) for row in rows])
                made.append(track_id)
            leaves.write()
        return made

    def change(self, model: Any, row: Any, **values: Any) -> None:
        """Change a row, as an act of somebody would."""
        with self.instance.sessions.begin() as session:
            found = session.get_one(model, row)
            if model in (Track, Due):
                ledger = Ledger(session, self.instance, now=datetime(2026, 11, 23, tzinfo=UTC))
                ledger.change(found, **values)
                ledger.close(b"", "genomen", row)
            for name, value in values.items():
                setattr(found, name, value)

    # --- what happens and what came of it ---

    def strike(self, now: datetime, *, clock: bytes | None = None, wall: datetime | None = None) -> chase.Taken:
        """One clock takes every step that is due."""
        taken = chase.Taken()
        while True:
            with self.instance.sessions.begin() as session:
                claims = chase.claim_dues(session, clock or self.clock, now=now, wall=wall or now)
            if not claims:
                return taken
            with self.instance.sessions.begin() as session:
                taken.add(
                    chase.take_steps(session, self.instance, claims, clock or self.clock, now=now, wall=wall or now)
                )

    def dues(self, track: bytes) -> list[Due]:
        """The dues of a track, earliest first."""
        with self.instance.readings() as session:
            return list(session.scalars(select(Due).where(Due.track_id == track).order_by(Due.moment)))

    def due(self, track: bytes) -> Due:
        """The only due of a track."""
        [due] = self.dues(track)
        return due

    def steps(self, track: bytes | None = None) -> list[tuple[str, datetime]]:
        """The steps that were noted, in order of time."""
        query = select(DueStep.step, DueStep.at).join(Due, Due.id == DueStep.due_id).order_by(DueStep.at)
        with self.instance.readings() as session:
            rows = session.execute(query.where(Due.track_id == track) if track else query)
            return [(row.step, row.at) for row in rows]

    def letters(self) -> list[Letter]:
        """The mails that wait."""
        found = []
        with self.instance.readings() as session:
            for row in session.scalars(select(Outbox).order_by(Outbox.not_before)):
                text = open_json(self.instance.server.seal, row.sealed, Binding("outbox", None, row.id, 1))
                found.append(Letter(text["to"], text["subject"], text["body"], row.message_id, row.source))
        return found

    def told(self) -> list[str]:
        """Who is mailed, sorted; and the outbox is emptied."""
        addresses = sorted(letter.to for letter in self.letters())
        with self.instance.sessions.begin() as session:
            for row in session.scalars(select(Outbox)):
                session.delete(row)
        return addresses

    def count(self, model: Any) -> int:
        """How many rows there are."""
        with self.instance.readings() as session:
            return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def desk(instance: Instance) -> Desk:
    return Desk(instance)


@pytest.fixture
def desk_of() -> type[Desk]:
    """For a test that makes its own instance."""
    return Desk


class Mailbox:
    """What a mail server took in; `on_data` is called with each message before the server says yes."""

    def __init__(self) -> None:
        self.raw: list[tuple[str, bytes]] = []
        self.on_data: Callable[[int], str | None] = lambda count: None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        [recipient] = envelope.rcpt_tos
        answer = self.on_data(len(self.raw) + 1)
        if answer is None or answer.startswith("250"):
            self.raw.append((recipient, envelope.original_content))
        return answer or "250 taken"

    @property
    def messages(self) -> list[Any]:
        """The messages, parsed."""
        return [email.message_from_bytes(raw, policy=email.policy.default) for _, raw in self.raw]

    @property
    def ids(self) -> list[str]:
        """The Message-ID of each."""
        return [str(message["Message-ID"]) for message in self.messages]


@dataclass
class MailServer:
    """A real SMTP server on loopback."""

    box: Mailbox
    port: int
    controller: Controller = field(repr=False)

    @property
    def settings(self) -> Smtp:
        """How an instance finds it."""
        return Smtp("127.0.0.1", self.port)


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def nobody_listens() -> int:
    """A port on loopback behind which there is nothing."""
    return free_port()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield MailServer(box, controller.port, controller)
    controller.stop()


# --- PostgreSQL, where its server is installed ----------------------------------------------------------------------


def as_nobody(*command: str) -> list[str]:
    """initdb and postgres refuse to work for root."""
    return ["setpriv", "--reuid=nobody", "--clear-groups", *command] if os.geteuid() == 0 else list(command)


def server_program(name: str) -> str | None:
    """Where a program of the PostgreSQL server is; Debian keeps them out of the path."""
    debian = sorted(str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (debian[-1] if debian else None)


HAS_POSTGRESQL = server_program("initdb") is not None
collect_ignore = [] if HAS_POSTGRESQL else ["test_clocks_on_postgresql.py", "test_trail_on_postgresql.py"]


@pytest.fixture(params=["sqlite", *([pytest.param("postgresql", marks=pytest.mark.slow)] if HAS_POSTGRESQL else [])])
def engine(request: pytest.FixtureRequest) -> str:
    """The databases that are here."""
    return str(request.param)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a server that lives as long as the tests do."""
    initdb, pg_ctl = server_program("initdb"), server_program("pg_ctl")
    assert initdb, "install PostgreSQL, or leave these tests out: -k 'not postgresql'"
    assert pg_ctl
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    data, port = str(folder / "data"), free_port()

    def call(*command: str) -> None:
        subprocess.run(as_nobody(*command), check=True, stdout=subprocess.DEVNULL, cwd=folder)

    call(initdb, "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    log = str(folder / "log")
    call(pg_ctl, "-D", data, "-o", options, "-l", log, "-w", "start")
    yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    call(pg_ctl, "-D", data, "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def on_postgresql(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """One instance on PostgreSQL; each test begins with its tables empty."""
    folder = tmp_path_factory.mktemp("postgresql") / "instance"
    config = f'database_url = "{postgresql}"\n'
    made = create_instance(folder, now=amsterdam("2026-11-01T12:00"), demonstration=True, config=config)
    yield made
    made.engine.dispose()


@pytest.fixture
def emptied(on_postgresql: Instance) -> Instance:
    """The instance on PostgreSQL without people, cases and pulses."""
    instance = on_postgresql
    names = [table.name for table in tables.metadata.sorted_tables if table.name != "instance"]
    with instance.engine.begin() as connection:
        quoted = ", ".join(f'"{name}"' for name in names)
        connection.exec_driver_sql("TRUNCATE " + quoted)
    return instance
