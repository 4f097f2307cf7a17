"""T10: which case keys each kind of person can unwrap, from the rows alone: no page, no route, no action in between.

Everybody gets everything that is stored, and tries every key pair they hold on every wrap. The table says what comes
out.
"""

from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import select

from tests.reporter.conftest import PROXY_REPORT, Desk
from weerbaar_meldpunt.store.cases import CaseGrant
from weerbaar_meldpunt.vault.codes import read_code
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import ReaderKeys, custodian_key_pair
from weerbaar_meldpunt.vault.wrap import Grant, KeyPair, unwrap

# By kind of person: the newest keys that they unwrap of a case that a griffier filed for a wethouder. It went to
# ondersteuning; "after" is after the wethouder took it over with the claim code, and chose what the griffier sees.
OPENS: dict[str, str] = {
    "member": "ABN",
    "coordinator": "ABN",
    "other team": "",
    "coordinator of another team": "",
    "statistiekredacteur": "",
    "beheerder": "",
    "auditor": "",
    "other reporter": "",
    "somebody without an account": "",
    "one custodian": "",
    "member who was switched off": "",
    "member without the key": "",
    "proxy before the claim": "AB",
    "official before the claim": "",
    "official after it": "AB",
    "proxy after it, nee": "",
    "proxy after it, voortgang": "",
    "proxy after it, melding": "A",
    "proxy after it, alles": "AB",
}
AFTER = [name.rpartition(" ")[2] for name in OPENS if name.startswith("proxy after")]


def newest(instance: Any, pairs: list[KeyPair]) -> str:
    """The compartments of which one of these pairs unwraps the newest key, whoever the wrap says it is for."""
    with instance.readings() as session:
        rows = session.scalars(select(CaseGrant)).all()
    last = {part: max(row.epoch for row in rows if row.compartment == part) for part in "ABN"}
    found = set()
    for row in rows:
        for pair in pairs:
            with suppress(Onleesbaar):
                unwrap(pair, row.wrapped, Grant("case_grant", row.case_id, row.compartment, row.epoch, row.grantor))
                if row.epoch == last[row.compartment]:
                    found.add(row.compartment)
    return "".join(sorted(found))


def pairs_of(account: Any) -> list[KeyPair]:
    """Every pair that somebody with an account holds: the own one and those of their teams, in every epoch."""
    person = account.person
    rings = [keys.pair for ring in person.teams.values() for keys in ring]
    return [person.pair, *rings, *(keys.pair for keys in person.statistics)]


@pytest.fixture
def desk(ready: Any, clock: Any) -> Desk:
    return Desk(ready, clock)


@pytest.fixture
def filed(desk: Desk, file: Any) -> Any:
    return file(PROXY_REPORT)


def reader_pairs(case_id: bytes, *readers: ReaderKeys) -> list[KeyPair]:
    return [reader.pair(case_id) for reader in readers]


def test_before_anybody_took_the_report_over(desk: Desk, filed: Any, file: Any) -> None:
    ready, instance = desk.ready, desk.instance
    proxy = desk.keys(filed.receipt_code)
    case_id = desk.own(proxy).case_id
    left = ready.people.member("ondersteuning")
    ready.people.admit(ready.second("ondersteuning"), left, "ondersteuning")
    kept = left.person.pair  # with the grant taken away, the own seed alone is left
    with instance.sessions.begin() as session:
        from weerbaar_meldpunt.store.people import TeamGrant

        for row in session.scalars(select(TeamGrant).where(TeamGrant.member_id == left.user_id)):
            session.delete(row)
    reporter = ready.people.reporter()
    strangers = ReaderKeys.from_code(read_code("00000-00000-00000-00000-00000-00"), instance.id)
    # The official has no reader of their own yet: the code alone, used as if it were a receipt, opens nothing.
    claim = ReaderKeys.from_code(read_code(filed.claim_code), instance.id)
    people = {
        "member": pairs_of(ready.second("ondersteuning")),
        "coordinator": pairs_of(ready.first("ondersteuning")),
        "other team": pairs_of(ready.second("beveiliging")),
        "coordinator of another team": pairs_of(ready.first("juridisch")),
        "statistiekredacteur": pairs_of(ready.editors[0]),
        "beheerder": pairs_of(ready.people.beheerder()),
        "auditor": pairs_of(ready.people.auditor()),
        "other reporter": pairs_of(reporter),
        "somebody without an account": reader_pairs(case_id, strangers),
        "one custodian": [
            custodian_key_pair(read_code(sheet.code), instance.id, sheet.id) for sheet in ready.custody.sheets[:1]
        ],
        "member who was switched off": [kept],
        "member without the key": pairs_of(ready.people.member("ondersteuning")),
        "proxy before the claim": reader_pairs(case_id, proxy),
        "official before the claim": reader_pairs(case_id, claim),
    }

    assert {name: newest(instance, pairs) for name, pairs in people.items()} == {name: OPENS[name] for name in people}


@pytest.mark.parametrize("choice", AFTER)
def test_after_the_official_took_it_over(desk: Desk, filed: Any, choice: str) -> None:
    proxy = desk.keys(filed.receipt_code)
    official = desk.redeem(filed.claim_code, choice=choice)
    case_id = desk.own(official).case_id

    assert newest(desk.instance, reader_pairs(case_id, official)) == OPENS["official after it"]
    assert newest(desk.instance, reader_pairs(case_id, proxy)) == OPENS[f"proxy after it, {choice}"]
    assert newest(desk.instance, pairs_of(desk.ready.second("ondersteuning"))) == OPENS["member"]


def test_every_kind_of_person_of_the_house_stands_in_the_table() -> None:
    from weerbaar_meldpunt.rules.vocabulary import ACCOUNT_ROLES

    words = " ".join(OPENS)
    said = {"melder": "other reporter", "gemachtigde": "proxy", "behandelaar": "member"}
    assert all(said.get(role, role) in words for role in ACCOUNT_ROLES)
