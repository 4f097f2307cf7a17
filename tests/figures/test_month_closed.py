"""Closing, approving and publishing a month in a real instance: who may, in which order, and what stays for ever."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from weerbaar_meldpunt.actions import editions, figures
from weerbaar_meldpunt.actions.errors import NotAllowed, Onleesbaar
from weerbaar_meldpunt.actions.facts import write_fact
from weerbaar_meldpunt.actions.ledger import Ledger
from weerbaar_meldpunt.rules.figure_codes import DIMENSIONS, FACT_DIMENSIONS
from weerbaar_meldpunt.rules.rounding import Unpublishable
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.figures import Edition, EntryGrant, FiguresTable, StatFact
from weerbaar_meldpunt.vault.derive import new_id

NOVEMBER = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ONE = {
    "provincie": "NH", "rolgroep": "wethouder", "soort": "bedreiging", "kanaal": "online", "route": "beveiliging",
    "aangifte": "ja", "geslacht": "vrouw",
}  # fmt: skip


def refused(reason, act, *args, **more):
    with pytest.raises(NotAllowed) as fault:
        act(*args, **more)
    assert fault.value.reason == reason


def test_a_month_goes_from_sealed_facts_to_a_published_edition_and_the_facts_are_gone(desk):
    desk.validate(NOVEMBER, 10)
    desk.validate(NOVEMBER, 5, provincie="ZH")
    desk.handle(NOVEMBER)

    desk.all("2026-11")

    assert (desk.count(StatFact), desk.count(EntryGrant)) == (0, 0)
    assert desk.value("2026-11", "T1", "2026-11") == 15
    assert desk.value("2026-11", "T1", "2026-11", provincie="ZH") == 5
    with desk.instance.sessions() as session:
        assert editions.published_periods(session) == ["2026-11"]
        [edition] = editions.published_editions(session, desk.instance)
    assert edition.block("T6", "2026-11").value() % 5 == 0
    assert len(bytes.fromhex(edition.anchor)) == 32


def test_the_edition_and_the_rows_around_it_hold_no_true_count(desk):
    desk.validate(NOVEMBER, 13)

    desk.close("2026-11")

    document = json.loads(desk.document("2026-11"))
    values = {row[-1] for table in document["tables"] for row in table["rows"]}
    assert values <= {0, 5, 10, 15}
    with desk.instance.sessions() as session:
        [table, _] = session.scalars(select(FiguresTable).order_by(FiguresTable.measure.desc())).all()
        leaf = session.scalars(select(Leaf).order_by(Leaf.seq.desc()).limit(1)).one()
        row = session.scalars(select(Edition)).one()
    assert b"NH" not in table.sealed
    assert (leaf.action, leaf.body) == ("cijfers_afgesloten", row.document_hash)


def test_a_second_editor_approves_and_never_who_closed_the_month(desk):
    desk.close("2026-11", desk.one)

    refused("eigen_werk", desk.approve, "2026-11", desk.one)
    refused("editie_niet_goedgekeurd", desk.publish, "2026-11")
    desk.approve("2026-11", desk.other)
    refused("editie_niet_voorbereid", desk.approve, "2026-11", desk.other)
    desk.publish("2026-11", desk.other)
    refused("editie_al_gepubliceerd", desk.publish, "2026-11", desk.one)


def test_who_prepared_an_edition_cannot_approve_it_by_changing_a_column(desk):
    desk.close("2026-11", desk.one)
    with desk.instance.sessions.begin() as session:
        session.execute(update(Edition).values(prepared_by=desk.other.user_id))

    refused("eigen_werk", desk.approve, "2026-11", desk.one)


def test_an_approval_written_into_the_database_publishes_nothing(desk):
    desk.close("2026-11", desk.one)
    with desk.instance.sessions.begin() as session:
        session.execute(update(Edition).values(state="goedgekeurd", approved_by=desk.other.user_id))

    with pytest.raises(Onleesbaar):
        desk.publish("2026-11", desk.one)


def test_a_state_written_into_the_database_shows_nothing(desk):
    desk.close("2026-11")
    with desk.instance.sessions.begin() as session:
        session.execute(update(Edition).values(state="gepubliceerd"))

    with desk.instance.sessions() as session, pytest.raises(Onleesbaar):
        editions.published_editions(session, desk.instance)


def test_only_editors_who_hold_the_key_close_approve_and_publish(desk, people):
    for account in (people.member("ondersteuning"), people.beheerder(), people.statistiekredacteur()):
        for act in (desk.close, desk.approve, desk.publish):
            refused("geen_sleutel_cijfers", act, "2026-11", account.person)


def test_a_month_is_closed_when_it_is_over_and_not_a_second_before(desk):
    end = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)  # midnight in Amsterdam

    refused("maand_niet_voorbij", desk.close, "2026-11", now=end - timedelta(seconds=1))
    desk.close("2026-11", now=end)


def test_months_are_closed_in_their_order(desk):
    for period in ("2026-10", "2026-12", "2026-11-01", "2026", "x", ""):
        refused("maand_niet_aan_de_beurt", desk.close, period, now=datetime(2027, 6, 1, tzinfo=UTC))


def test_a_month_is_closed_once(desk):
    desk.close("2026-11")

    refused("maand_niet_aan_de_beurt", desk.close, "2026-11", desk.other)


def test_the_first_month_is_that_of_the_first_fact_when_facts_are_older_than_the_instance(desk):
    desk.validate(datetime(2026, 8, 20, tzinfo=UTC))

    with desk.instance.sessions() as session:
        assert figures.next_period(session) == "2026-08"


def test_editions_are_published_in_their_order(desk):
    for month in ("2026-11", "2026-12"):
        desk.close(month)
        desk.approve(month)

    refused("eerst_eerdere_maanden", desk.publish, "2026-12")
    desk.publish("2026-11")
    desk.publish("2026-12")


def test_a_fact_too_many_or_too_few_stops_the_close_and_nothing_changes(desk):
    desk.validate(NOVEMBER, 3)
    with desk.instance.sessions.begin() as session:
        write_fact(session, desk.instance, ONE | {"measure": "meldingen", "n": 1}, now=NOVEMBER)

    refused("feiten_kloppen_niet", desk.close, "2026-11")
    assert (desk.count(StatFact), desk.count(Edition), desk.count(FiguresTable)) == (4, 0, 0)

    with desk.instance.sessions.begin() as session:
        for grant in session.scalars(select(EntryGrant).limit(2)).all():
            session.delete(session.get_one(StatFact, grant.entry_id))
            session.delete(grant)
    refused("feiten_kloppen_niet", desk.close, "2026-11")


def test_a_correction_counts_as_two_facts_and_taking_back_as_one(desk):
    desk.validate(NOVEMBER, 9)
    desk.correct(NOVEMBER, {}, {"provincie": "ZH"})
    desk.take_back(NOVEMBER)
    desk.handle(NOVEMBER)

    desk.close("2026-11")

    assert desk.value("2026-11", "T1", "2026-11") in (5, 10)


def test_a_fact_of_one_measure_does_not_stand_for_one_of_another(desk):
    desk.validate(NOVEMBER)
    with desk.instance.sessions.begin() as session:
        write_fact(session, desk.instance, {"measure": "afgehandeld", "duur": "d0_1", "n": 1}, now=NOVEMBER)
        Ledger(session, desk.instance, now=NOVEMBER).close(b"", "feiten_vastgesteld", new_id())

    refused("feiten_kloppen_niet", desk.close, "2026-11")


def test_a_fact_whose_transaction_ended_after_its_month_was_closed_counts_in_the_next(desk):
    desk.validate(NOVEMBER, 10)
    desk.close("2026-11")
    desk.validate(NOVEMBER, 10)

    desk.close("2026-12")

    assert desk.value("2026-12", "T1", "2026-12") == 10
    assert desk.count(StatFact) == 0


def test_a_changed_or_foreign_fact_is_unreadable_and_nothing_changes(desk):
    desk.validate(NOVEMBER, 2)
    with desk.instance.sessions.begin() as session:
        fact = session.scalars(select(StatFact)).first()
        fact.sealed = fact.sealed[:-1] + bytes([fact.sealed[-1] ^ 1])

    with pytest.raises(Onleesbaar):
        desk.close("2026-11")
    assert (desk.count(StatFact), desk.count(Edition)) == (2, 0)


def test_facts_swapped_between_rows_do_not_open(desk):
    desk.validate(NOVEMBER, 2)
    with desk.instance.sessions.begin() as session:
        one, other = session.scalars(select(StatFact)).all()
        one.sealed, other.sealed = other.sealed, one.sealed

    with pytest.raises(Onleesbaar):
        desk.close("2026-11")


def test_an_older_table_put_back_is_noticed(desk):
    desk.validate(NOVEMBER, 7)
    desk.close("2026-11")
    with desk.instance.sessions() as session:
        older = [(row.measure, row.year, row.revision, row.sealed) for row in session.scalars(select(FiguresTable))]
    desk.close("2026-12")
    with desk.instance.sessions.begin() as session:
        for measure, year, revision, sealed in older:
            session.execute(
                update(FiguresTable)
                .where(FiguresTable.measure == measure, FiguresTable.year == year)
                .values(revision=revision, sealed=sealed)
            )

    with pytest.raises(Onleesbaar):
        desk.close("2027-01")


def test_a_table_that_is_gone_is_never_begun_anew(desk):
    desk.validate(NOVEMBER, 7)
    desk.close("2026-11")
    with desk.instance.sessions.begin() as session:
        for row in session.scalars(select(FiguresTable)).all():
            session.delete(row)

    with pytest.raises(Onleesbaar):
        desk.close("2026-12")


def test_one_changed_byte_of_an_edition_is_noticed_everywhere(desk):
    desk.validate(NOVEMBER, 15)
    desk.all("2026-11")
    document = desk.document("2026-11")
    for there, instead in ((b'"rounding":5', b'"rounding":4'), (b"2026-11", b"2026-10"), (b",0]", b",5]")):
        assert there in document
        with desk.instance.sessions.begin() as session:
            session.execute(update(Edition).values(document=document.replace(there, instead, 1)))

        with desk.instance.sessions() as session, pytest.raises(Onleesbaar):
            editions.published_editions(session, desk.instance)
        with pytest.raises(Onleesbaar):
            desk.close("2026-12")


def test_an_edition_changed_together_with_its_hash_is_noticed(desk):
    from weerbaar_meldpunt.vault.derive import sha256

    desk.validate(NOVEMBER, 15)
    desk.close("2026-11")
    document = desk.document("2026-11").replace(b",15]", b",20]")
    with desk.instance.sessions.begin() as session:
        session.execute(update(Edition).values(document=document, document_hash=sha256(document)))

    with pytest.raises(Onleesbaar):
        desk.approve("2026-11")


def test_earlier_editions_stay_byte_for_byte_when_cases_are_corrected_withdrawn_or_entered_late(desk):
    desk.validate(NOVEMBER, 30)
    desk.all("2026-11")
    before = desk.document("2026-11")
    december = datetime(2026, 12, 10, tzinfo=UTC)
    desk.correct(december, {}, {"provincie": "ZH", "soort": "verbaal"}, 12)
    desk.take_back(december, 9)
    desk.validate(december, 3, provincie="LI")

    desk.all("2026-12")

    assert desk.document("2026-11") == before
    assert desk.value("2026-12", "T1", "2026-12") >= 0
    so_far = desk.value("2026-12", "T1", "2026-01/2026-12")
    assert so_far == desk.value("2026-11", "T1", "2026-11") + desk.value("2026-12", "T1", "2026-12")


def test_corrections_left_over_at_new_year_are_taken_off_in_january(desk):
    desk.validate(NOVEMBER, 20)
    desk.close("2026-11")
    desk.take_back(datetime(2026, 12, 10, tzinfo=UTC), 15)
    desk.close("2026-12")
    desk.validate(datetime(2027, 1, 10, tzinfo=UTC), 40)

    desk.close("2027-01")

    assert desk.value("2027-01", "T1", "2027-01") == 25  # 40 less the 15 that December could not take off


def test_when_no_edition_keeps_its_promises_the_month_stays_open(desk, monkeypatch):
    from weerbaar_meldpunt.rules import rounding

    chance = random.Random(6)
    for _ in range(40):
        desk.validate(NOVEMBER, **{name: chance.choice(DIMENSIONS[name]) for name in FACT_DIMENSIONS["meldingen"]})
    monkeypatch.setattr(rounding, "_TIME_LIMIT", 0.0)

    with pytest.raises(Unpublishable):
        desk.close("2026-11")

    assert (desk.count(StatFact), desk.count(Edition), desk.count(FiguresTable)) == (40, 0, 0)


def test_random_months_are_closed_through_to_the_new_year(desk):
    chance = random.Random(5)
    for month, now in (
        ("2026-11", NOVEMBER),
        ("2026-12", datetime(2026, 12, 20, tzinfo=UTC)),
        ("2027-01", datetime(2027, 1, 20, tzinfo=UTC)),
    ):
        for _ in range(25):
            desk.validate(now, **{name: chance.choice(DIMENSIONS[name]) for name in FACT_DIMENSIONS["meldingen"]})
        desk.handle(now, chance.choice(DIMENSIONS["duur"]))
        desk.all(month)

    assert desk.value("2026-12", "T8", "2026") == desk.value("2026-12", "T1", "2026-01/2026-12")
    assert desk.value("2027-01", "T1", "2027-01/2027-01") == desk.value("2027-01", "T1", "2027-01")


def test_two_who_close_at_once_make_one_edition(desk):
    import threading

    desk.validate(NOVEMBER, 12)
    faults = []

    def close(person):
        try:
            desk.close("2026-11", person)
        except NotAllowed as fault:
            faults.append(fault.reason)

    both = [threading.Thread(target=close, args=(person,)) for person in (desk.one, desk.other)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert faults == ["maand_niet_aan_de_beurt"]
    assert desk.count(Edition) == 1


def test_every_act_leaves_its_leaf_in_the_trail(desk):
    desk.all("2026-11")

    with desk.instance.sessions() as session:
        row = session.scalars(select(Edition)).one()
        leaves = session.execute(select(Leaf.action, Leaf.actor).where(Leaf.object == row.id).order_by(Leaf.seq)).all()
    assert [tuple(leaf) for leaf in leaves] == [
        ("cijfers_afgesloten", desk.one.user_id),
        ("cijfers_goedgekeurd", desk.other.user_id),
        ("cijfers_gepubliceerd", desk.one.user_id),
    ]
