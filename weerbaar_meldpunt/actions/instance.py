"""One instance of the meldpunt: its keys on disk, its pins, its database."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, ScalarSelect, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from weerbaar_meldpunt.settings import FILE, Settings, load_settings
from weerbaar_meldpunt.store import people
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.custody import HouseKey, RecoveryGrant
from weerbaar_meldpunt.store.engine import open_engine, open_sessions
from weerbaar_meldpunt.store.figures import Instance as InstanceRow
from weerbaar_meldpunt.store.keeping import Restoration
from weerbaar_meldpunt.store.migrate import NewerDatabase, upgrade
from weerbaar_meldpunt.vault.derive import new_id, new_key
from weerbaar_meldpunt.vault.keys import ServerKeys
from weerbaar_meldpunt.vault.pins import PinFault, Pins
from weerbaar_meldpunt.vault.wrap import PUBLIC_BYTES, PublicKey

from .errors import InstanceFault, Onleesbaar
from .labels import arm

# From sys/prctl.h and sys/mman.h of Linux.
_PR_SET_DUMPABLE = 4
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
LEAST_MEMBERS = 2
LAST_RESORT = "ondersteuning"  # gets what no other team can
SERVER_KEY, PEPPER, PINS, BLOBS = "server.key", "pepper.key", "pins", "blobs"
PINS_LOCK = "pins.lock"  # held by the one console that adds a pin
RESTORING = "restoring"  # stands in the folder as long as a restore has not put everything back


@dataclass
class Instance:
    """What an action needs of the place it works in."""

    settings: Settings
    id: bytes
    server: ServerKeys
    pepper: bytes = field(repr=False)
    engine: Engine
    sessions: sessionmaker[Session]
    readings: sessionmaker[Session]
    _pins: tuple[tuple[int, int], Pins] | None = None
    _keys: dict[bytes, PublicKey] = field(default_factory=dict)

    @property
    def demonstration(self) -> bool:
        """Whether everything in here is invented."""
        return self.settings.demonstration

    @property
    def blobs(self) -> Path:
        """The folder of sealed evidence files."""
        return self.settings.instance / BLOBS

    def pins(self) -> Pins:
        """The pin file, read again whenever it changed."""
        path = self.settings.instance / PINS
        try:
            state = path.stat()
            stamp = (state.st_mtime_ns, state.st_size)
            if self._pins is None or self._pins[0] != stamp:
                self._pins = (stamp, Pins.parse(path.read_text("ascii")))
                self._keys.clear()
        except (OSError, UnicodeDecodeError, PinFault) as fault:
            raise InstanceFault(f"{PINS}: {fault}") from None
        return self._pins[1]

    def sealing_keys(self, session: Session, kind: str, owners: tuple[str, ...]) -> dict[str, PublicKey]:
        """The pinned key of each owner that has one; a key in the database that its pin does not name is refused."""
        pins = self.pins()
        wanted = {pin.fingerprint: pin for owner in owners if (pin := pins.sealing(kind, owner))}
        missing = [pin for print_, pin in wanted.items() if print_ not in self._keys]
        if missing:
            rows = session.scalars(select(people.TeamEpoch).where(people.TeamEpoch.kind == kind)).all()
            for row in rows:
                try:
                    key = PublicKey(row.kind, row.team, row.epoch, row.public_key)
                except Onleesbaar:  # no key at all: somebody's row must not keep reports out
                    continue
                if key.fingerprint in wanted:
                    self._keys[key.fingerprint] = key
        return {pin.owner: self._keys[print_] for print_, pin in wanted.items() if print_ in self._keys}

    def house_key(self, session: Session, kind: str) -> PublicKey | None:
        """The pinned key of RECOVERY or BACKUP; one in the database that its pin does not name is refused."""
        pin = self.pins().sealing(kind, self.id.hex())
        if pin is None:
            return None
        if pin.fingerprint not in self._keys:
            row = session.get(HouseKey, (kind, pin.epoch))
            if row is None or len(row.public_key) != PUBLIC_BYTES:
                return None
            key = PublicKey(kind, self.id, row.epoch, row.public_key)
            if key.fingerprint != pin.fingerprint:
                return None
            self._keys[key.fingerprint] = key
        return self._keys[pin.fingerprint]

    def write_pins(self, pins: Pins) -> None:
        """Replace the pin file in one step."""
        write_private(self.settings.instance / PINS, pins.text().encode("ascii"))

    def add_pin(self, key: PublicKey) -> None:
        """Pin a key for sealing, beside what another console pins at this moment; `PinFault` for what cannot follow."""
        path = self.settings.instance / PINS
        with _alone(self.settings.instance / PINS_LOCK):
            try:
                pins = Pins.parse(path.read_text("ascii"))  # the file itself: what was read before may have grown
            except (OSError, UnicodeDecodeError, PinFault) as fault:
                raise InstanceFault(f"{PINS}: {fault}") from None
            self.write_pins(pins.with_sealing(key))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process, and one thread, at a time; the lock goes with whoever held it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, in one step and durably."""
    part = path.with_name(path.name + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: what was renamed there stays renamed when the power goes."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def harden_process() -> None:
    """Files for the owner only, no core dump with keys in it, no other program that looks in, no keys in swap."""
    os.umask(0o077)
    if sys.platform == "linux":
        import ctypes
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        # Under a finite limit a locked process dies of its next allocation, so then it is not locked at all.
        if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY:
            libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT)  # may be refused: then swap is not kept out


@contextmanager
def hasty_transaction(instance: Instance) -> Iterator[Session]:
    """A transaction for what nobody may wait for: a quarter of a second for other writers, then OperationalError."""
    with instance.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            connection.connection.cursor().execute("PRAGMA busy_timeout=250")
        try:
            with Session(connection, expire_on_commit=False, autoflush=False) as session, session.begin():
                if not sqlite:
                    session.execute(text("SET LOCAL lock_timeout = 250"))
                yield session
        finally:
            if sqlite:
                connection.invalidate()  # its patience is not that of the others: it is not used again


def create_instance(folder: Path, *, now: datetime, demonstration: bool = False, config: str = "") -> Instance:
    """A new instance: keys, pepper, an empty pin file, the database. Refused where one stands already."""
    harden_process()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # it may have stood there for everybody
    if (folder / SERVER_KEY).exists():
        raise InstanceFault("there is an instance in this folder already")
    (folder / BLOBS).mkdir(exist_ok=True)
    write_private(folder / SERVER_KEY, new_key())
    write_private(folder / PEPPER, new_key())
    write_private(folder / PINS, b"")
    lines = ("demonstration = true\n" if demonstration else "") + config
    if lines or not (folder / FILE).exists():
        write_private(folder / FILE, lines.encode())
    settings = load_settings(folder)
    engine = open_engine(settings.database)
    upgrade(engine)
    with open_sessions(engine).begin() as session:
        session.add(InstanceRow(id=new_id(), made_at=now, demonstration=demonstration))
    engine.dispose()
    return open_instance(settings)


def open_instance(settings: Settings, *, closed_too: bool = False) -> Instance:
    """The instance in a folder; `InstanceFault` names what is missing. Nothing is ever replaced in silence.

    One that came out of a backup is closed until its tombstones were replayed: only who asks for it gets it.
    """
    harden_process()
    folder = settings.instance
    if (folder / RESTORING).exists():
        raise InstanceFault("a restore into this folder did not end: give the same `meldpunt restore FILE` again")
    try:
        server_key, pepper = (folder / SERVER_KEY).read_bytes(), (folder / PEPPER).read_bytes()
    except OSError as fault:
        raise InstanceFault(f"{fault.filename}: {fault.strerror} (first: meldpunt init, or meldpunt demo)") from None
    if len(server_key) != 32 or len(pepper) != 32:
        raise InstanceFault("server key or pepper is not 32 bytes")
    if settings.database_file is not None and not settings.database_file.exists():
        raise InstanceFault(f"{settings.database_file.name} is not there: put a backup back (meldpunt restore)")
    engine = open_engine(settings.database)
    try:
        upgrade(engine)
    except NewerDatabase:
        raise InstanceFault("a newer version of the program made this database: start that one") from None
    sessions = open_sessions(engine)
    with sessions() as session:
        row = session.scalars(select(InstanceRow)).one_or_none()
        closed = session.scalar(select(Restoration.backup_id).where(Restoration.opened_at.is_(None)).limit(1))
    if row is None:
        raise InstanceFault("the database holds no instance")
    if row.demonstration != settings.demonstration:
        raise InstanceFault("the database and the settings disagree on whether this is a demonstration")
    if closed is not None and not closed_too:
        raise InstanceFault("closed: it came out of a backup, and is opened with `meldpunt restore` (docs/operate.md)")
    arm(demonstration=settings.demonstration)
    return Instance(
        settings=settings,
        id=row.id,
        server=ServerKeys(server_key),
        pepper=pepper,
        engine=engine,
        sessions=sessions,
        readings=open_sessions(engine.execution_options(reading=True)),
    )


@dataclass(frozen=True, slots=True)
class TeamState:
    """What a team needs before cases are sealed to it: that nothing is lost when one member forgets a password."""

    pinned: bool
    holders: int  # active members to whom the sealing epoch was granted
    recoverable: bool  # the sealing epoch was granted to RECOVERY too

    @property
    def ready(self) -> bool:
        """Whether a case may be sealed to this team."""
        return self.pinned and self.holders >= LEAST_MEMBERS and self.recoverable


def team_states(session: Session, instance: Instance, teams: tuple[str, ...]) -> Mapping[str, TeamState]:
    """How far each team is; one statement whatever the number of teams and members."""
    keys = instance.sealing_keys(session, "team", teams)
    recovery = [pin.epoch for pin in instance.pins().lines if pin.key == ("recovery", instance.id.hex())]
    columns = [column for team, key in keys.items() for column in _counts(team, key.epoch, recovery)]
    counted = session.execute(select(*columns)).one() if columns else None
    found = dict.fromkeys(teams, TeamState(False, 0, False))
    for place, team in enumerate(keys):
        if counted is not None:
            found[team] = TeamState(True, counted[2 * place], bool(counted[2 * place + 1]))
    return found


def _counts(team: str, epoch: int, recovery: list[int]) -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    grant, members = people.TeamGrant, select(func.count()).select_from(people.TeamGrant)
    held = members.join(people.User, people.User.id == grant.member_id).where(
        grant.kind == "team", grant.team == team, grant.epoch == epoch, people.User.state == "actief"
    )
    given = select(func.count()).where(
        RecoveryGrant.kind == "team", RecoveryGrant.team == team, RecoveryGrant.epoch == epoch,
        RecoveryGrant.recovery_epoch.in_(recovery),
    )  # fmt: skip
    return held.scalar_subquery(), given.scalar_subquery()


def ready_keys(session: Session, instance: Instance, teams: tuple[str, ...]) -> Mapping[str, PublicKey]:
    """The keys of the teams that may get cases."""
    ready, keys = readiness(session, instance, teams), instance.sealing_keys(session, "team", teams)
    return {team: key for team, key in keys.items() if ready[team]}


def readiness(session: Session, instance: Instance, teams: tuple[str, ...]) -> Mapping[str, bool]:
    """Which teams may get cases: a pinned key, two members who hold it, and the custodians behind them.

    Of a desk that is in use the last resort goes on receiving when one member is left: the custodians can still open
    what comes in, and nobody in danger is sent away because a colleague left. `doctor` fails then all the same.
    """
    states = team_states(session, instance, teams)
    found = {team: state.ready for team, state in states.items()}
    last = states.get(LAST_RESORT)
    if last and not last.ready and last.pinned and last.recoverable and last.holders:
        found[LAST_RESORT] = session.scalar(select(Case.id).limit(1)) is not None
    return found
