"""What tests of the reporter's and the proxy's side share: a case that a griffier filed, and each side of it."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import claims, mandate, opening, reader, work
from weerbaar_meldpunt.actions.own_acts import hold_own
from weerbaar_meldpunt.store.cases import CaseDoc, CaseGrant, Message, Reader
from weerbaar_meldpunt.vault.codes import read_code
from weerbaar_meldpunt.vault.derive import random_bytes
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import FormKeys, ReaderKeys
from weerbaar_meldpunt.vault.seal import Binding, SealKey
from weerbaar_meldpunt.vault.wrap import Grant, unwrap

PROXY_REPORT = {
    "reporter": {"relation": "griffier", "consent": "nog_te_vragen"},
    "target": {"role": "wethouder"},
    "incident": {"kinds": ["doxing"]},
    "narrative": "Zij zetten haar adres online.",
    "contact": {"name": "Griffier Smit", "telephone": "06 11112222"},
    "private": {"home_address": "Dorpsstraat 1, Ons Dorp"},
}
CHOICES = ("nee", "voortgang", "melding", "alles")


@dataclass
class Desk:
    """An instance with teams, and acts of either side, each in a transaction of its own."""

    ready: Any = field(repr=False)
    clock: Any = field(repr=False)

    @property
    def instance(self):
        return self.ready.instance

    def keys(self, code):
        """The keys of a receipt code."""
        return ReaderKeys.from_code(read_code(code), self.instance.id)

    def own(self, keys):
        """The case as a reader sees it."""
        with self.instance.readings() as session:
            return reader.own_case(session, self.instance, keys)

    def act(self, keys, do, *args, **more):
        """One act of a reader."""
        with self.instance.sessions.begin() as session:
            held = hold_own(session, self.instance, keys, now=self.clock.now)
            return do(held, *args, **more)

    def redeem(self, code, *, choice="nee", keys=None, **more):
        """Take a report over with a claim code, into a new receipt; answers its keys."""
        form = FormKeys(random_bytes(32))
        keys = keys or ReaderKeys.from_code(form.code("receipt"), self.instance.id)
        with self.instance.sessions.begin() as session:
            claims.redeem(session, self.instance, code, keys, choice=choice, now=self.clock.now, **more)
        return keys

    def look(self, code):
        with self.instance.readings() as session:
            return claims.look(session, self.instance, code, now=self.clock.now)

    def change(self, keys, choice):
        self.act(keys, mandate.change, choice)

    def lay_down(self, keys):
        with self.instance.sessions.begin() as session:
            mandate.lay_down(session, self.instance, keys, now=self.clock.now)

    def member(self, reference, do, *args, team="ondersteuning", **more):
        """One act of a member of a team, a minute later."""
        self.clock.forward(minutes=1)
        person = self.ready.second(team).person
        with self.instance.sessions.begin() as session:
            held = work.hold(session, self.instance, person, reference, now=self.clock.now, team=team)
            return do(held, *args, **more)

    def opened(self, reference, team="ondersteuning"):
        """The case as a member sees it."""
        person = self.ready.second(team).person
        with self.instance.sessions.begin() as session:
            noted = opening.note_opening(session, self.instance, person, reference, now=self.clock.now, team=team)
        with self.instance.readings() as session:
            return opening.open_case(session, self.instance, person, noted)

    def rows(self, model, **where):
        with self.instance.readings() as session:
            return session.scalars(select(model).filter_by(**where)).all()

    def everything(self):
        """A copy of everything that is sealed or wrapped now, as somebody keeps who leaves."""
        return Copy(self.rows(CaseGrant), self.rows(CaseDoc), self.rows(Message), self.rows(Reader))


@dataclass
class Copy:
    """What somebody copied out of the database at a moment."""

    grants: list = field(repr=False)
    docs: list = field(repr=False)
    messages: list = field(repr=False)
    readers: list = field(repr=False)


def keys_in(case_id, seeds, *copies):
    """Every case key that these seeds unwrap from any of the copies, whatever row it stands in."""
    found = set()
    for seed in seeds:
        pair = ReaderKeys(b"", seed).pair(case_id)
        for row in (row for copy in copies for row in copy.grants):
            try:
                found.add(
                    unwrap(pair, row.wrapped, Grant("case_grant", row.case_id, row.compartment, row.epoch, row.grantor))
                )
            except Onleesbaar:
                continue
    return {SealKey(secret).id: SealKey(secret) for secret in found}


def opens(keys, copy):
    """What of a copy opens with keys of a case: documents and messages, by their kind and place."""
    from weerbaar_meldpunt.vault.seal import open_json

    found = set()
    for kind, rows in (("case_doc", copy.docs), ("message", copy.messages)):
        for row in rows:
            key = keys.get(row.sealed[4:20])
            place = row.compartment if kind == "case_doc" else row.id
            if key is None:
                continue
            open_json(key, row.sealed, Binding(kind, row.case_id, place, row.revision))
            found.add((kind, place))
    return found


@pytest.fixture
def desk(ready, clock):
    return Desk(ready, clock)


@pytest.fixture
def by_proxy(file):
    """A case that a griffier filed for a wethouder, with address."""
    return file(PROXY_REPORT)


@pytest.fixture
def token():
    return lambda: secrets.token_hex(32)
