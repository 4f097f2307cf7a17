"""What tests of the house share: an instance with cheap passwords, people in every role, a report that is filed."""

import random
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
import yaml
from jinja2 import BytecodeCache, FileSystemBytecodeCache
from sqlalchemy import select
from werkzeug.serving import make_server

from weerbaar_meldpunt.actions import admissions, pinning, teamkeys
from weerbaar_meldpunt.actions import people as accounts
from weerbaar_meldpunt.actions.demonstration_custody import Custody, make_custody
from weerbaar_meldpunt.actions.filing import Filed, file_report
from weerbaar_meldpunt.actions.instance import Instance, create_instance, open_instance
from weerbaar_meldpunt.actions.people import STATS, Person
from weerbaar_meldpunt.actions.sessions import SessionContent, start_content
from weerbaar_meldpunt.app import create_app
from weerbaar_meldpunt.rules.report import parse_report
from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.settings import load_settings
from weerbaar_meldpunt.store.cases import Case, CaseDoc, CaseGrant
from weerbaar_meldpunt.vault import password as passwords
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.seal import Binding, SealKey, open_json
from weerbaar_meldpunt.vault.wrap import Grant, unwrap

HOUSE = Path(__file__).parents[1]
NOON = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)  # Monday, half past twelve in Amsterdam
PASSWORD = "zeven gele fietsen in de regen"
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Argon2id with 64 KiB instead of 128 MiB, except where a test is about its cost."""
    if not request.node.get_closest_marker("real_passwords"):
        monkeypatch.setattr(passwords, "COST", passwords.Cost(memory_kib=64, passes=1))


@pytest.fixture(scope="session")
def scenarios() -> list[dict[str, Any]]:
    """The fifteen worked reports with what is expected of them."""
    return list(yaml.safe_load((HOUSE / "tests" / "data" / "scenarios.yaml").read_text("utf-8")))


@dataclass
class Clock:
    """The moment it is, for a test to set."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> datetime:
        """Later, by a timedelta's arguments."""
        self.now += timedelta(**span)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a new demonstration instance, made once: each test works in a copy."""
    folder = tmp_path_factory.mktemp("blank") / "instance"
    create_instance(folder, now=NOON, demonstration=True).engine.dispose()
    return folder


@pytest.fixture
def instance(tmp_path: Path, blank: Path) -> Iterator[Instance]:
    """A new demonstration instance without people."""
    shutil.copytree(blank, tmp_path / "instance")
    made = open_instance(load_settings(tmp_path / "instance"))
    yield made
    made.engine.dispose()


@dataclass
class Account:
    """Somebody with an account, and how they sign in."""

    instance: Instance = field(repr=False)
    user_id: bytes
    login: str
    password: str
    totp_secret: str
    recovery_code: str
    root: bytes = field(repr=False)

    @property
    def content(self) -> SessionContent:
        """A session of theirs."""
        kind = "person" if not self._person().is_reporter else "melder"
        return start_content(kind, now=NOON, user_id=self.user_id, root=self.root)

    @property
    def person(self) -> Person:
        """Who they are now, with the keys they hold now."""
        return self._person()

    def _person(self) -> Person:
        content = SessionContent("person", NOON, NOON, NOON, self.user_id, self.root)
        with self.instance.readings() as session:
            found = accounts.unlock(session, self.instance, content)
        assert found is not None
        return found

    def code(self, now: datetime) -> str:
        """The second factor at a moment."""
        return pyotp.TOTP(self.totp_secret).at(int(now.timestamp()))


class People:
    """Makes accounts in an instance, the way the pages do."""

    def __init__(self, instance: Instance, *, now: datetime = NOON) -> None:
        self.instance, self.now, self.made = instance, now, 0
        self.known: dict[bytes, Account] = {}

    def staff(self, *roles: tuple[str, str], name: str = "") -> Account:
        """An invited and enrolled member of staff."""
        self.made += 1
        login = f"persoon{self.made}@voorbeeld.test"
        with self.instance.sessions.begin() as session:
            token = accounts.invite(
                session, self.instance, login=login, name=name or f"Persoon {self.made}", roles=frozenset(roles),
                by=b"", now=self.now,
            )  # fmt: skip
        with self.instance.sessions.begin() as session:
            user = accounts.open_invitation(session, token, now=self.now)
            assert user is not None
            enrolment = accounts.enrol(session, self.instance, user, PASSWORD, now=self.now)
        return self._confirmed(login, enrolment)

    def _confirmed(self, login: str, enrolment: accounts.Enrolment) -> Account:
        from weerbaar_meldpunt.actions.signin import start_signin

        with self.instance.sessions.begin() as session:
            assert accounts.confirm_enrolment(
                session, self.instance, enrolment.user_id, enrolment.recovery_code, now=self.now
            )
        with self.instance.sessions.begin() as session:
            half = start_signin(session, self.instance, login, PASSWORD, now=self.now)
        assert half is not None
        made = Account(
            self.instance, enrolment.user_id, login, PASSWORD, enrolment.totp_secret, enrolment.recovery_code, half.root
        )
        self.known[made.user_id] = made
        return made

    def member(self, team: str, *, coordinator: bool = False, name: str = "") -> Account:
        """A behandelaar of a team; also admitted to the team's key when a colleague holds it."""
        roles = [("behandelaar", team), *([("coordinator", team)] if coordinator else [])]
        return self.staff(*roles, name=name)

    def beheerder(self) -> Account:
        """Somebody who administers and holds no key."""
        return self.staff(("beheerder", ""))

    def auditor(self) -> Account:
        """Somebody who sees who did what, and no content."""
        return self.staff(("auditor", ""))

    def statistiekredacteur(self) -> Account:
        """Somebody who closes months; not yet admitted to the key."""
        return self.staff(("statistiekredacteur", ""))

    def reporter(self, login: str = "") -> Account:
        """A melder with an account."""
        self.made += 1
        login = login or f"melder{self.made}@voorbeeld.test"
        with self.instance.sessions.begin() as session:
            enrolment = accounts.register(session, self.instance, login, PASSWORD, now=self.now)
        return self._confirmed(enrolment.login, enrolment)

    def found(self, account: Account, team: str) -> None:
        """Make a team's key (or that of the statistics) and pin it, as the console does."""
        self.adopt(account)
        with self.instance.sessions.begin() as session:
            key = teamkeys.found_team(session, self.instance, account.person, account.root, team, now=self.now)
        self.instance.write_pins(self.instance.pins().with_sealing(key))
        self.adopt(account)

    def admit(self, by: Account, account: Account, team: str) -> None:
        """A colleague compares and proposes, whoever may approves, and the member pins what they compared.

        A coordinator does not approve what they compared: where `by` is the only one, a colleague of theirs compares.
        """
        with self.instance.readings() as session:
            holders = admissions.holders(session, team).keys() - {by.user_id, account.user_id}
            if not admissions.approvers(session, team, proposed_by=by.user_id, member=account.user_id):
                by = self.known[min(holders)]
            may = admissions.approvers(session, team, proposed_by=by.user_id, member=account.user_id)
        approver = by if by.user_id in may else self.known[min(may)]
        self.adopt(by)
        compared, digest = account.person.pair.public.fingerprint, self.instance.pins().digest
        with self.instance.sessions.begin() as session:
            admissions.propose(
                session, self.instance, by.person, by.root, account.user_id, team, fingerprint=compared,
                digest=digest, now=self.now,
            )  # fmt: skip
        with self.instance.sessions.begin() as session:
            admissions.approve(session, self.instance, approver.person, account.user_id, team, now=self.now)
        self.adopt(account)

    def adopt(self, account: Account) -> None:
        """A member compares the digest of the pins with a colleague, and pins what is new."""
        with self.instance.sessions.begin() as session:
            pinning.accept(
                session, self.instance, account.user_id, account.root, digest=self.instance.pins().digest, now=self.now
            )  # fmt: skip


@pytest.fixture
def people(instance: Instance) -> People:
    return People(instance)


@dataclass
class Ready:
    """An instance whose teams and statistics can work: two members a team, the first of them coordinator."""

    instance: Instance
    people: People
    members: dict[str, list[Account]]
    editors: list[Account]
    custody: Custody = field(repr=False)  # the sheets of three custodians, and the seed of the backups

    def first(self, team: str) -> Account:
        """The coordinator of a team."""
        return self.members[team][0]

    def second(self, team: str) -> Account:
        """A member of a team who coordinates nothing."""
        return self.members[team][1]


def make_ready(instance: Instance, *, now: datetime = NOON) -> Ready:
    """Custodians, three teams with pinned keys and two members each, and two editors of the figures."""
    custody = make_custody(instance, now=now)
    people, members = People(instance, now=now), {}
    for team in TEAMS:
        first, second = people.member(team, coordinator=True), people.member(team)
        people.found(first, team)
        people.admit(first, second, team)
        members[team] = [first, second]
    editors = [people.statistiekredacteur(), people.statistiekredacteur()]
    people.found(editors[0], STATS)
    people.admit(editors[0], editors[1], STATS)
    for account in (*(one for team in TEAMS for one in members[team]), *editors):
        people.adopt(account)
    return Ready(instance, people, members, editors, custody)


@pytest.fixture(scope="session")
def founded(blank: Path, tmp_path_factory: pytest.TempPathFactory) -> Ready:
    """What `ready` copies: everybody's accounts and keys, made once."""
    folder = tmp_path_factory.mktemp("founded") / "instance"
    shutil.copytree(blank, folder)
    instance = open_instance(load_settings(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "COST", passwords.Cost(memory_kib=64, passes=1))
        made = make_ready(instance)
    instance.engine.dispose()
    return made


@pytest.fixture
def ready(instance: Instance, founded: Ready) -> Ready:
    """An instance in which everybody can work: a copy, because making the keys takes longer than most tests."""
    folder = instance.settings.instance
    instance.engine.dispose()
    shutil.copytree(founded.instance.settings.instance, folder, dirs_exist_ok=True)
    vars(instance).update(vars(open_instance(load_settings(folder))))
    people = People(instance)
    people.made = founded.people.made

    def here(accounts: list[Account]) -> list[Account]:
        return [replace(account, instance=instance) for account in accounts]

    members = {team: here(members) for team, members in founded.members.items()}
    editors = here(founded.editors)
    people.known = {one.user_id: one for group in (*members.values(), editors) for one in group}
    return Ready(instance, people, members, editors, founded.custody)


@pytest.fixture(scope="session")
def ready_maker() -> Callable[..., Ready]:
    """`make_ready`, for tests that keep an instance longer than one test."""
    return make_ready


@pytest.fixture
def file(ready: Ready) -> Callable[..., Filed]:
    """File a report document (`format` may be left out) and answer what the reporter sees."""

    def filed(document: dict[str, Any], *, now: datetime = NOON, triage: bool = True, **more: Any) -> Filed:
        report = parse_report({"format": 1} | document, now=now, allow_triage=triage)
        more.setdefault("form", secrets.token_hex(32))
        with ready.instance.sessions.begin() as session:
            return file_report(session, ready.instance, report, now=now, **more)

    return filed


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> BytecodeCache:
    """The templates as every test's application reads them, compiled once."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(instance: Instance, clock: Clock, compiled: BytecodeCache) -> Any:
    """The web application on the instance, at the test's moment."""
    made = create_app(instance=instance, clock=clock, testing=True)
    made.jinja_env.bytecode_cache = compiled
    return made


@pytest.fixture
def client(app: Any) -> Any:
    """A browser without cookies."""
    return app.test_client()


@pytest.fixture
def form_token() -> Callable[[Any, str], str]:
    """The hidden token of the form on a page."""

    def token(client: Any, path: str) -> str:
        import re

        page = client.get(path).get_data(as_text=True)
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, page[:500]
        return found.group(1)

    return token


@pytest.fixture
def sign_in(clock: Clock, form_token: Callable[[Any, str], str]) -> Callable[..., Any]:
    """Sign a browser in with password and second factor; the clock goes to the next step of the factor."""

    def signed(client: Any, account: Account) -> Any:
        clock.forward(seconds=31)
        answer = client.post(
            "/inloggen",
            data={
                "csrf_token": form_token(client, "/inloggen"),
                "login": account.login,
                "password": account.password,
            },
        )
        assert answer.status_code == 303, answer.get_data(as_text=True)[:2000]
        answer = client.post(
            "/inloggen/code",
            data={"csrf_token": form_token(client, "/inloggen/code"), "code": account.code(clock.now)},
        )
        assert answer.status_code == 303, answer.get_data(as_text=True)[:2000]
        return client

    return signed


@pytest.fixture
def opens() -> Callable[..., str | None]:
    """What somebody reads of a case: a member by its reference, its reporter by what was filed; None when nothing."""

    def opened(instance: Instance, who: Any, reference: str = "") -> str | None:
        with instance.readings() as session:
            case = session.scalars(select(Case).where(Case.reference == (reference or who.reference))).one_or_none()
            if case is None:
                return None
            if reference:
                person = replace(who, instance=instance).person
                pairs = [keys.pair for ring in person.teams.values() for keys in ring]
            else:
                pairs = [who.reader.pair(case.id)]
            doc = session.get(CaseDoc, (case.id, "A"))
            for row in session.scalars(
                select(CaseGrant).where(CaseGrant.case_id == case.id, CaseGrant.compartment == "A")
            ):
                for pair in pairs:
                    try:
                        key = unwrap(pair, row.wrapped, Grant("case_grant", case.id, "A", row.epoch, row.grantor))
                        return str(open_json(SealKey(key), doc.sealed, Binding("case_doc", case.id, "A", doc.revision)))
                    except Onleesbaar:
                        continue
        return None

    return opened


@pytest.fixture
def rng() -> random.Random:
    """Chance that is the same each time."""
    return random.Random(20261123)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium: one for all tests, because a second driver in one process is refused."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        yield browser
        browser.close()


@contextmanager
def served(app: Any, name: str = "127.0.0.1") -> Iterator[str]:
    """The application behind an address of its own, for a browser; `name` because passkeys need one."""
    server = make_server(name, 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{name}:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def visiting(chromium: Any, address: str, *, allowed: str, patience: int = 15_000) -> Iterator[Callable[..., Any]]:
    """Opens pages, each in a context of its own; a fault in a console that `allowed` does not name fails at the end."""
    contexts, faults = [], []

    def opened(*, width: int, scripts: bool = True, height: int = 800, cookie: str = "", **more: Any) -> Any:
        context = chromium.new_context(
            base_url=address, viewport={"width": width, "height": height}, java_script_enabled=scripts, locale="nl-NL",
            **more,
        )  # fmt: skip
        if cookie:
            context.add_cookies([{"name": "wmp", "value": cookie, "url": address}])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(patience)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [fault for fault in faults if allowed not in fault] == []


def wider_than_the_screen(page: Any) -> int:
    """What sticks out to the right; asked of the browser's own layout, so it needs no script of the page."""
    page.wait_for_load_state("load")
    client = page.context.new_cdp_session(page)
    width = client.send("Page.getLayoutMetrics")["cssContentSize"]["width"]
    return int(max(0, width - page.viewport_size["width"]))
