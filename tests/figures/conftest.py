"""For the tests of the figures: a desk that validates reports, and two editors who hold the key."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from tests import conftest as house
from weerbaar_meldpunt.actions import editions, figures
from weerbaar_meldpunt.actions.facts import write_fact
from weerbaar_meldpunt.actions.instance import create_instance, open_instance
from weerbaar_meldpunt.actions.ledger import Ledger
from weerbaar_meldpunt.actions.people import STATS
from weerbaar_meldpunt.settings import load_settings
from weerbaar_meldpunt.store.figures import Edition
from weerbaar_meldpunt.vault import password as passwords
from weerbaar_meldpunt.vault.derive import new_id

ONE = {
    "provincie": "NH", "rolgroep": "wethouder", "soort": "bedreiging", "kanaal": "online", "route": "beveiliging",
    "aangifte": "ja", "geslacht": "vrouw",
}  # fmt: skip


def after(month):
    """A moment in the month after a month, or in the month itself with a day."""
    year, number = int(month[:4]), int(month[5:])
    return datetime(year + number // 12, number % 12 + 1, 3, 8, 0, tzinfo=UTC)


class Desk:
    """The desk's own acts that the figures hang on: facts with the leaves that go with them."""

    def __init__(self, people, editors):
        self.instance = people.instance
        self.accounts = [replace(editor, instance=people.instance) for editor in editors]
        self.one, self.other = (account.person for account in self.accounts)

    def validate(self, now, n=1, **codes):
        self._write("feiten_vastgesteld", now, [ONE | codes | {"measure": "meldingen", "n": 1}], n)

    def correct(self, now, old, new, n=1):
        facts = [ONE | old | {"measure": "meldingen", "n": -1}, ONE | new | {"measure": "meldingen", "n": 1}]
        self._write("feiten_verbeterd", now, facts, n)

    def take_back(self, now, n=1, **codes):
        self._write("feiten_ingetrokken", now, [ONE | codes | {"measure": "meldingen", "n": -1}], n)

    def handle(self, now, duur="d2_7"):
        self._write("zaak_gesloten", now, [{"measure": "afgehandeld", "duur": duur, "n": 1}])

    def _write(self, action, now, facts, times=1):
        with self.instance.sessions.begin() as session:
            for _ in range(times):
                for fact in facts:
                    write_fact(session, self.instance, fact, now=now)
                Ledger(session, self.instance, now=now).close(b"somebody of a te", action, new_id())

    def close(self, period, person=None, now=None):
        with self.instance.sessions.begin() as session:
            person = person or self.one
            figures.close_month(session, self.instance, person, period, now=now or after(period))

    def approve(self, period, person=None, now=None):
        with self.instance.sessions.begin() as session:
            figures.approve(session, self.instance, person or self.other, period, now=now or after(period))

    def publish(self, period, person=None, now=None):
        with self.instance.sessions.begin() as session:
            figures.publish(session, self.instance, person or self.one, period, now=now or after(period))

    def all(self, period):
        self.close(period)
        self.approve(period)
        self.publish(period)

    def count(self, table):
        with self.instance.sessions() as session:
            return session.scalar(select(func.count()).select_from(table))

    def document(self, period):
        with self.instance.sessions() as session:
            return session.scalars(select(Edition.document).where(Edition.period == period)).one()

    def value(self, period, table, at, **codes):
        with self.instance.sessions() as session:
            edition = editions.prepared_edition(session, self.instance, period)
        return edition.block(table, at).value(**codes)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A folder with an instance in which two editors hold the key, and the editors; each test gets a copy."""
    folder = tmp_path_factory.mktemp("figures") / "instance"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "COST", passwords.Cost(memory_kib=64, passes=1))
        people = house.People(create_instance(folder, now=house.NOON, demonstration=True))
        editors = [people.statistiekredacteur(), people.statistiekredacteur()]
        people.found(editors[0], STATS)
        people.admit(editors[0], editors[1], STATS)
    people.instance.engine.dispose()
    return folder, editors


@pytest.fixture
def instance(made_once, tmp_path):
    """A copy of that instance."""
    shutil.copytree(made_once[0], tmp_path / "instance")
    opened = open_instance(load_settings(tmp_path / "instance"))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def people(instance, made_once):
    found = house.People(instance)
    found.made = len(made_once[1])
    return found


@pytest.fixture
def desk(people, made_once):
    return Desk(people, made_once[1])
