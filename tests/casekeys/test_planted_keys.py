"""Whoever writes the database plants keys, epochs and old documents: each is refused and shown as a gap (T3, T12)."""

from typing import Any

import pytest
from sqlalchemy import delete, select

from tests.casekeys.conftest import values_of
from weerbaar_meldpunt.actions import reader, work
from weerbaar_meldpunt.actions.casekeys import epoch_binding
from weerbaar_meldpunt.actions.errors import Onleesbaar
from weerbaar_meldpunt.store.cases import CaseDoc, CaseEpoch, CaseGrant, Fold
from weerbaar_meldpunt.store.people import TeamEpoch
from weerbaar_meldpunt.vault.derive import sha256
from weerbaar_meldpunt.vault.seal import SealKey, seal_key
from weerbaar_meldpunt.vault.wrap import Grant, PublicKey, wrap

TEAM = "ondersteuning"
THEIRS = bytes(range(32))  # a case key that the attacker knows


def ring_of(desk: Any, reference: str) -> Any:
    return desk.do(desk.ready.first(TEAM), reference, lambda held: held.ring)


def team_key(desk: Any, team: str) -> PublicKey:
    with desk.instance.readings() as session:
        row = session.scalars(select(TeamEpoch).where(TeamEpoch.team == team).order_by(TeamEpoch.epoch.desc())).first()
    assert row is not None
    return PublicKey(row.kind, row.team, row.epoch, row.public_key)


def planted_grant(case_id: bytes, compartment: str, epoch: int, to: PublicKey) -> dict[str, Any]:
    what = Grant("case_grant", case_id, compartment, epoch)
    return {
        "case_id": case_id, "compartment": compartment, "epoch": epoch, "recipient": to.key_id,
        "wrapped": wrap(to, THEIRS, what),
    }  # fmt: skip


def test_an_epoch_that_somebody_with_the_old_key_planted_is_used_by_nobody(desk: Any, plant: Any, rows: Any) -> None:
    """A leaver knows the first key, so they can even make the seal by which the next one hangs from it."""
    filed = desk.file()
    ring, own = ring_of(desk, filed.reference), desk.reporter(filed)
    case_id = ring.case_id
    sealed = seal_key(ring.newest("A"), sha256(THEIRS), epoch_binding(case_id, "A", 1))
    plant(CaseEpoch, case_id=case_id, compartment="A", epoch=1, sealed=sealed)
    for to in (team_key(desk, TEAM), own.reader.pair(case_id).public):
        plant(CaseGrant, **planted_grant(case_id, "A", 1, to))

    view = desk.open(desk.ready.second(TEAM), filed.reference)
    assert {"case_epoch", "case_grant"} <= set(view.gaps)
    assert view.readable
    assert "case_epoch" in desk.reporter(filed).view.gaps
    desk.do(desk.ready.second(TEAM), filed.reference, work.write_message, "Onder de eigen sleutel.")
    desk.reply(filed, "Ook.")
    from weerbaar_meldpunt.store.cases import Message

    stranger = SealKey(THEIRS)
    assert [row for row in rows(Message, filed.reference) if row.sealed[:20] == stranger.header] == []


def test_an_epoch_without_a_seal_under_the_key_before_it_is_refused_even_where_a_leaf_vouches(
    desk: Any, next_key: Any, rows: Any, overwrite: Any
) -> None:
    filed = desk.file()
    next_key(TEAM)
    desk.reply(filed, "Een.")
    (row,) = rows(CaseEpoch, filed.reference)
    overwrite(CaseEpoch, [CaseEpoch.case_id == row.case_id], sealed=bytes(124))
    view = desk.open(desk.ready.first(TEAM), filed.reference)
    assert "case_epoch" in view.gaps
    assert not view.readable


def test_putting_back_yesterdays_keys_and_report_makes_nobody_write_under_the_old_key(
    desk: Any, next_key: Any, rows: Any
) -> None:
    """Everything about the new epoch is deleted and the older report is put back, list of recipients and all."""
    filed, member = desk.file(), desk.ready.second(TEAM)
    before = values_of(rows(CaseDoc, filed.reference, CaseDoc.compartment == "A")[0])
    next_key(TEAM)
    desk.reply(filed, "Een.")
    with desk.instance.sessions.begin() as session:
        case_id = before["case_id"]
        for model in (CaseEpoch, Fold):
            session.execute(delete(model).where(model.case_id == case_id))
        session.execute(delete(CaseGrant).where(CaseGrant.case_id == case_id, CaseGrant.epoch == 1))
        doc = session.get_one(CaseDoc, (case_id, "A"))
        doc.revision, doc.sealed = before["revision"], before["sealed"]

    with pytest.raises(Onleesbaar):
        desk.open(member, filed.reference)
    view = desk.open(desk.ready.first(TEAM), filed.reference)
    assert not view.readable
    assert {"case_epoch", "case_doc"} <= set(view.gaps)
    with pytest.raises(Onleesbaar):
        desk.do(desk.ready.first(TEAM), filed.reference, work.write_message, "Onder welke sleutel?")
    with pytest.raises(Onleesbaar):
        desk.reply(filed, "Onder welke sleutel?")


def test_an_older_report_is_refused_although_its_key_still_opens_it(
    desk: Any, next_key: Any, rows: Any, overwrite: Any
) -> None:
    filed = desk.file()
    old = rows(CaseDoc, filed.reference, CaseDoc.compartment == "A")[0]
    next_key(TEAM)
    desk.reply(filed, "Een.")
    overwrite(
        CaseDoc, [CaseDoc.case_id == old.case_id, CaseDoc.compartment == "A"], revision=old.revision, sealed=old.sealed
    )
    view = desk.open(desk.ready.first(TEAM), filed.reference)
    assert not view.readable
    assert "case_doc" in view.gaps
    with pytest.raises(Onleesbaar):
        desk.do(desk.ready.second(TEAM), filed.reference, work.add_note, "x")
    assert not desk.reporter(filed).view.readable


def test_a_report_under_an_older_key_is_refused_even_where_a_leaf_vouches_for_it(
    desk: Any, next_key: Any, rows: Any
) -> None:
    """The list of recipients counts only under the newest key: whoever had an older one could have written it."""
    from weerbaar_meldpunt.actions.ledger import Ledger
    from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json

    filed = desk.file()
    next_key(TEAM)
    desk.reply(filed, "Een.")
    ring = ring_of(desk, filed.reference)
    with desk.instance.sessions.begin() as session:
        row = session.get_one(CaseDoc, (ring.case_id, "A"))
        document = open_json(ring.newest("A"), row.sealed, Binding("case_doc", ring.case_id, "A", row.revision))
        ledger, older = Ledger(session, desk.instance, now=desk.now), ring.keys["A"][-2]
        sealed = seal_json(older, document, Binding("case_doc", ring.case_id, "A", row.revision + 1))
        ledger.change(row, revision=row.revision + 1, sealed=sealed)
        ledger.close(b"", "notitie", ring.case_id)
    view = desk.open(desk.ready.first(TEAM), filed.reference)
    assert (view.readable, view.gaps) == (False, ("case_doc",))
    assert not desk.reporter(filed).view.readable
    with pytest.raises(Onleesbaar):
        desk.do(desk.ready.second(TEAM), filed.reference, work.add_note, "x")
    assert all(row.headline is None for row in desk.queue(desk.ready.first(TEAM), TEAM).rows)


def test_a_grant_planted_for_another_team_gives_that_team_nothing(desk: Any, plant: Any) -> None:
    filed, other = desk.file(), desk.ready.first("juridisch")
    ring = ring_of(desk, filed.reference)
    for compartment in ("A", "B", "N"):
        plant(CaseGrant, **planted_grant(ring.case_id, compartment, 0, team_key(desk, "juridisch")))
    from weerbaar_meldpunt.actions.errors import NotYours

    with pytest.raises(NotYours):
        desk.open(other, filed.reference)
    view = desk.open(desk.ready.first(TEAM), filed.reference)
    assert "case_grant" in view.gaps
    with desk.instance.readings() as session:
        grants = session.scalars(select(CaseGrant).where(CaseGrant.case_id == ring.case_id)).all()
        from weerbaar_meldpunt.actions import caserows
        from weerbaar_meldpunt.actions.casekeys import open_for_team

        _, trail = caserows.read(session, desk.instance, [ring.case_id])
    opened, fresh = open_for_team(ring.case_id, other.person.teams["juridisch"], grants, (), (), trail)
    assert (opened.keys, fresh) == ({}, [])


SWAPS = [
    pytest.param(CaseEpoch, ("compartment",), ("A", "N"), id="epochs of two compartments"),
    pytest.param(CaseEpoch, ("epoch",), (1, 2), id="two epochs"),
    pytest.param(CaseGrant, ("epoch",), (0, 1), id="grants of two epochs"),
    pytest.param(CaseGrant, ("compartment",), ("A", "N"), id="grants of two compartments"),
]


@pytest.mark.parametrize(("model", "column", "pair"), SWAPS)
def test_rows_that_change_places_are_never_taken_for_each_other(
    desk: Any, next_key: Any, rows: Any, model: Any, column: tuple[str], pair: tuple[Any, Any]
) -> None:
    filed, member = desk.file(), desk.ready.second(TEAM)
    for text in ("Een.", "Twee."):
        next_key(TEAM)
        desk.do(member, filed.reference, work.write_message, text)
    name, content = column[0], "sealed" if model is CaseEpoch else "wrapped"

    def place(row: Any) -> tuple[Any, ...]:
        keys = (key.key for key in model.__table__.primary_key.columns if key.key != name)
        return tuple(getattr(row, key) for key in keys)

    found = rows(model, filed.reference)
    first, second = ({place(row): row for row in found if getattr(row, name) == value} for value in pair)
    both = first.keys() & second.keys()
    assert both
    key = [column.key for column in model.__table__.primary_key.columns]
    with desk.instance.sessions.begin() as session:
        session.execute(delete(Fold))
        for where in both:
            for row, other in ((first[where], second[where]), (second[where], first[where])):
                stands = session.get_one(model, tuple(getattr(row, name_) for name_ in key))
                setattr(stands, content, getattr(other, content))

    view = desk.open(desk.ready.first(TEAM), filed.reference)
    assert model.__tablename__ in view.gaps
    shown = [message.text for message in view.messages]
    assert None in shown or not view.readable or model is CaseGrant
    for text in shown:
        assert text in ("Een.", "Twee.", None)


def test_an_epoch_of_another_case_names_no_key_here(desk: Any, next_key: Any, rows: Any, overwrite: Any) -> None:
    one, two = desk.file(), desk.file()
    next_key(TEAM)
    desk.reply(one, "Een.")
    desk.reply(two, "Twee.")
    (here,), (there,) = rows(CaseEpoch, one.reference), rows(CaseEpoch, two.reference)
    overwrite(CaseEpoch, [CaseEpoch.case_id == here.case_id], sealed=there.sealed)
    view = desk.open(desk.ready.first(TEAM), one.reference)
    assert "case_epoch" in view.gaps
    assert view.messages[0].text is None
    assert desk.open(desk.ready.first(TEAM), two.reference).gaps == ()


@pytest.mark.parametrize("place", [0, 3, 19, 20, 43, 44, 75, 100, 123])
def test_a_changed_byte_of_an_epoch_seal_ends_the_chain_there(
    desk: Any, next_key: Any, rows: Any, overwrite: Any, place: int
) -> None:
    filed = desk.file()
    next_key(TEAM)
    desk.reply(filed, "Een.")
    (row,) = rows(CaseEpoch, filed.reference)
    changed = bytes(byte ^ (1 if at == place else 0) for at, byte in enumerate(row.sealed))
    overwrite(CaseEpoch, [CaseEpoch.case_id == row.case_id], sealed=changed)
    assert "case_epoch" in desk.open(desk.ready.first(TEAM), filed.reference).gaps
    assert "case_epoch" in desk.reporter(filed).view.gaps


def test_a_readers_first_key_is_the_one_of_the_filing_however_many_epochs_there_are(
    desk: Any, next_key: Any, rows: Any
) -> None:
    """The MAC names the first key; a later one that were put in its place would be refused."""
    filed = desk.file()
    next_key(TEAM)
    desk.reply(filed, "Een.")
    own = desk.reporter(filed)
    key_id = own.reader.pair(own.case_id).public.key_id
    macs = {
        (g.compartment, g.epoch): g.reader_mac for g in rows(CaseGrant, filed.reference, CaseGrant.recipient == key_id)
    }
    assert macs["A", 0] == own.reader.mac(own.case_id, "A", own.ring.keys["A"][0].secret)
    assert macs["A", 1] is None


def test_a_reader_who_comes_late_gets_every_epoch_and_the_mac_of_the_first(desk: Any, next_key: Any, rows: Any) -> None:
    from weerbaar_meldpunt.actions.casekeys import grant_to_reader
    from weerbaar_meldpunt.actions.ledger import Ledger
    from weerbaar_meldpunt.vault.keys import ReaderKeys

    filed = desk.file()
    next_key(TEAM)
    desk.reply(filed, "Een.")
    own, late = desk.reporter(filed), ReaderKeys(bytes(16), bytes(range(32)))
    with desk.instance.sessions.begin() as session:
        ledger = Ledger(session, desk.instance, now=desk.now)
        public = grant_to_reader(ledger, own.ring, late, ("A", "B"))
        ledger.close(b"", "opnieuw_ingepakt", own.case_id)
    with desk.instance.readings() as session:
        from weerbaar_meldpunt.actions import dossier

        found = dossier.load(session, desk.instance, own.case_id, team=None, recipient=public.key_id)
    from weerbaar_meldpunt.actions.casekeys import open_for_reader

    ring = open_for_reader(own.case_id, late, found.grants, found.epochs, found.trail)
    assert ring.epochs == {"A": 1, "B": 0}
    assert ring.keys["A"][1].id == own.ring.keys["A"][1].id
    assert reader is not None
