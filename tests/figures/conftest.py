"""For the tests of the figures: a desk that validates reports, and two editors who hold the key."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from weerbaar_meldpunt.actions import editions, figures
from weerbaar_meldpunt.actions.facts import write_fact
from weerbaar_meldpunt.actions.ledger import Ledger
from weerbaar_meldpunt.actions.people import STATS
from weerbaar_meldpunt.store.figures import Edition
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

    def __init__(self, people):
        self.instance = people.instance
        self.accounts = [people.statistiekredacteur(), people.statistiekredacteur()]
        people.found(self.accounts[0], STATS)
        people.admit(self.accounts[0], self.accounts[1], STATS)
        self.one, self.other = (account.person for account in self.accounts)

    def validate(self, now, n=1, **codes):
        for _ in range(n):
            self._write("feiten_vastgesteld", now, [ONE | codes | {"measure": "meldingen", "n": 1}])

    def correct(self, now, old, new):
        facts = [ONE | old | {"measure": "meldingen", "n": -1}, ONE | new | {"measure": "meldingen", "n": 1}]
        self._write("feiten_verbeterd", now, facts)

    def take_back(self, now, **codes):
        self._write("feiten_ingetrokken", now, [ONE | codes | {"measure": "meldingen", "n": -1}])

    def handle(self, now, duur="d2_7"):
        self._write("zaak_gesloten", now, [{"measure": "afgehandeld", "duur": duur, "n": 1}])

    def _write(self, action, now, facts):
        with self.instance.sessions.begin() as session:
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


@pytest.fixture
def desk(people):
    return Desk(people)
