"""The monthly sample, drawn by a chance that anybody can draw again; and the decision that switches linking on."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import linking_decision, oversight, samples
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.ledger import Leaves
from weerbaar_meldpunt.rules.oversight import draw
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.oversight import LinkingDecision, Sample, SampleDraw
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import new_id

from .conftest import TEAM

DECEMBER = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def openings(desk, count, *, at=None, member=None, action="geopend"):
    member = member or desk.ready.second(TEAM)
    with desk.instance.sessions.begin() as session:
        leaves = Leaves(session, desk.instance, now=at or desk.now)
        for _ in range(count):
            leaves.add(member.user_id, action, new_id(), [])
        leaves.write()


def remind(desk):
    with desk.instance.sessions.begin() as session:
        return oversight.remind(session, desk.instance, now=desk.now)


def drawn(desk):
    with desk.instance.readings() as session:
        return list(session.scalars(select(Sample).order_by(Sample.place)))


@pytest.fixture
def november(desk):
    """Sixty openings in November, and the first checkpoint of December."""
    openings(desk, 60)
    openings(desk, 40, action="genomen")
    desk.now = DECEMBER
    openings(desk, 30)
    desk.checkpoint()
    return desk


def act(desk, do, account, *args, **more):
    with desk.instance.sessions.begin() as session:
        return do(session, desk.instance, account.person, *args, now=desk.now, **more)


# --- drawing -------------------------------------------------------------------------------------------------------


def test_five_openings_of_the_month_that_ended_are_drawn_once(november):
    for _ in range(3):
        remind(november)

    rows = drawn(november)
    with november.instance.readings() as session:
        leaves = [session.get_one(Leaf, row.seq) for row in rows]
        [one] = session.scalars(select(SampleDraw))
    assert (one.month, one.openings, len({row.seq for row in rows})) == ("2026-11", 60, 5)
    assert {leaf.action for leaf in leaves} == {"geopend"}
    assert all(leaf.at < datetime(2026, 11, 30, 23, tzinfo=UTC) for leaf in leaves)
    assert november.verify().wrong == 0


def test_whoever_has_the_checkpoint_draws_the_same_again(november):
    remind(november)
    openings(november, 500)  # what came after changes nothing
    november.checkpoint()

    with november.instance.readings() as session:
        number, count, found = samples.drawn(session, "2026-11")

    assert (number, count) == (1, 60)
    assert [seq for seq, _ in found] == [row.seq for row in drawn(november)]


def test_no_month_is_drawn_before_it_is_over_and_a_checkpoint_was_made_after_it(desk):
    openings(desk, 10)
    desk.checkpoint()
    desk.now = DECEMBER
    remind(desk)
    assert drawn(desk) == []

    desk.checkpoint()
    remind(desk)
    assert len(drawn(desk)) == 5


def test_of_fewer_than_five_all_are_drawn_and_of_none_none(desk):
    openings(desk, 3)
    desk.now = DECEMBER
    desk.checkpoint()
    remind(desk)
    assert len(drawn(desk)) == 3

    desk.now = datetime(2027, 1, 1, 9, 0, tzinfo=UTC)
    desk.checkpoint()
    remind(desk)
    with desk.instance.readings() as session:
        assert session.get_one(SampleDraw, "2026-12").openings == 0


def test_every_opening_has_the_same_chance():
    counts = Counter(place for seed in range(4000) for place in draw(samples._numbers(seed.to_bytes(4, "big")), 20, 5))

    assert set(counts) == set(range(20))
    assert all(abs(count - 1000) < 150 for count in counts.values()), counts


def test_a_number_in_the_incomplete_part_of_the_range_is_left_out():
    numbers = iter([(254, 256), (255, 256), (252, 256), (7, 256), (3, 256)])

    assert draw(numbers, 7, 2) == (0, 3)  # 252 and up are the incomplete part of sevens


# --- asking and judging --------------------------------------------------------------------------------------------


def test_the_member_is_mailed_and_says_why_once(november):
    member = november.ready.second(TEAM)
    with november.instance.readings() as session:
        before = set(session.scalars(select(Outbox.id)))
    remind(november)
    row = drawn(november)[0]
    with november.instance.readings() as session:
        told = session.scalars(select(Outbox.recipient_id).where(Outbox.id.not_in(before))).all()
    assert told == [member.user_id]
    assert member.person.asked == 5

    act(november, samples.give_reason, member, row.id, "waarneming", "Voor Anna.")

    with pytest.raises(NotAllowed, match="al_gedaan"):
        act(november, samples.give_reason, member, row.id, "mijn_zaak", "Toch niet.")
    assert member.person.asked == 4
    assert november.verify().wrong == 0


def test_nobody_answers_for_another_and_nobody_judges_their_own(november):
    remind(november)
    row = drawn(november)[0]
    for other in (november.ready.first(TEAM), november.ready.people.auditor()):
        with pytest.raises(NotAllowed, match="niet_gevonden"):
            act(november, samples.give_reason, other, row.id, "mijn_zaak", "")
    for other in (november.ready.first(TEAM), november.ready.second(TEAM), november.ready.people.beheerder()):
        with pytest.raises(NotAllowed, match="niet_uw_rol"):
            act(november, samples.judge, other, row.id, "in_orde")


@pytest.mark.parametrize(
    ("reason", "words", "refusal"),
    [("zomaar", "", "onbekende_keuze"), ("anders", "  ", "reden_kort"), ("mijn_zaak", "x" * 301, "reden_kort")],
)
def test_a_reason_is_one_of_the_list_and_short(november, reason, words, refusal):
    remind(november)
    with pytest.raises(NotAllowed, match=refusal):
        act(november, samples.give_reason, november.ready.second(TEAM), drawn(november)[0].id, reason, words)


def test_an_answer_that_never_came_is_not_in_order_and_is_asked_again(november):
    fg = november.ready.people.auditor()
    remind(november)
    row = drawn(november)[0]
    with pytest.raises(NotAllowed, match="eerst_reden"):
        act(november, samples.judge, fg, row.id, "in_orde")

    november.later(days=8)
    november.checkpoint()
    assert remind(november) == 5
    assert remind(november) == 0
    act(november, samples.judge, fg, row.id, "gesprek")
    november.later(days=7)
    assert remind(november) == 4


def test_the_pages_ask_the_member_and_show_the_fg_the_answer(november, app, clock, sign_in):
    clock.now = november.now
    remind(november)
    row = drawn(november)[0]
    client = sign_in(app.test_client(), november.ready.second(TEAM))
    assert re.search(r'Vraag aan u <span class="number">5</span>', client.get("/account").get_data(as_text=True))
    page = client.get("/mijn-openingen").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
    address = f"/mijn-openingen/{row.id.hex()}"
    wrong = client.post(address, data={"csrf_token": token, "reason": "anders", "words": ""})
    assert wrong.status_code == 422
    done = client.post(address, data={"csrf_token": token, "reason": "anders", "words": "Proef met de nieuwe lijst"})
    assert done.status_code == 303

    fg = sign_in(app.test_client(), november.ready.people.auditor())
    page = fg.get("/fg/steekproef").get_data(as_text=True)
    assert "Proef met de nieuwe lijst" in page
    assert "Getrokken uit 60 openingen" in page
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
    fg.post(f"/fg/steekproef/{row.id.hex()}", data={"csrf_token": token, "judgement": "in_orde"})
    assert "Uw oordeel: In orde." in fg.get("/fg/steekproef").get_data(as_text=True)


# --- linking -------------------------------------------------------------------------------------------------------

PURPOSE = "Herkennen of dezelfde persoon meer bestuurders bedreigt."


def decide(desk, account, *, starts=0, review=180, until=365, **more):
    day = desk.now.date()
    given = {
        "purpose": PURPOSE, "ground": "algemeen_belang", "starts_on": day + timedelta(days=starts),
        "review_on": day + timedelta(days=review), "until": day + timedelta(days=until),
    } | more  # fmt: skip
    return act(desk, linking_decision.decide, account, **given)


def allowed(desk):
    with desk.instance.readings() as session:
        return linking_decision.linking_allowed(session, desk.instance, now=desk.now)


def test_linking_is_off_until_a_decision_and_off_again_by_itself_after_a_year(desk):
    fg = desk.ready.people.auditor()
    assert not allowed(desk)

    decide(desk, fg)
    assert allowed(desk)
    desk.later(days=365)
    assert allowed(desk)
    desk.later(days=1)
    assert not allowed(desk)


def test_it_begins_on_its_day_and_ends_when_the_fg_ends_it(desk):
    fg = desk.ready.people.auditor()
    row = decide(desk, fg, starts=3)
    assert not allowed(desk)
    desk.later(days=3)
    assert allowed(desk)

    act(desk, linking_decision.end, fg, row.id)
    assert not allowed(desk)
    assert desk.verify().wrong == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"until": 367}, "koppelen_termijn"), ({"starts": -1}, "koppelen_termijn"),
        ({"review": 366}, "koppelen_termijn"),
        ({"starts": 10, "review": 5}, "koppelen_termijn"), ({"purpose": "Omdat het kan."}, "doel_nodig"),
        ({"purpose": "x" * 601}, "doel_nodig"), ({"ground": "zomaar"}, "onbekende_keuze"),
    ],
    ids=str,
)  # fmt: skip
def test_a_decision_needs_a_purpose_a_ground_a_term_and_a_day_to_look_again(desk, change, reason):
    with pytest.raises(NotAllowed, match=reason):
        decide(desk, desk.ready.people.auditor(), **change)
    assert not allowed(desk)


def test_nobody_but_the_fg_decides(desk):
    for account in (desk.ready.first(TEAM), desk.ready.people.beheerder(), desk.ready.editors[0]):
        with pytest.raises(NotAllowed, match="niet_uw_rol"):
            decide(desk, account)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE linking_decision SET until = '2099-01-01'",
        "UPDATE linking_decision SET ended_at = NULL, ended_by = NULL",
    ],
)
def test_who_writes_the_database_does_not_switch_linking_on(desk, change):
    fg = desk.ready.people.auditor()
    row = decide(desk, fg, until=200)
    act(desk, linking_decision.end, fg, row.id)
    desk.write(change + ", starts_on = starts_on")
    assert not allowed(desk)

    with desk.instance.sessions.begin() as session:
        session.add(
            LinkingDecision(
                id=new_id(), purpose=PURPOSE, ground="algemeen_belang", starts_on="2026-01-01", review_on="2026-12-01",
                until="2099-12-31", decided_by=fg.user_id, decided_at=desk.now,
            )
        )  # fmt: skip
    assert not allowed(desk)


def test_the_page_says_whether_it_is_on_and_asks_before_it_is(desk, app, clock, sign_in):
    client = sign_in(app.test_client(), desk.ready.people.auditor())
    page = client.get("/fg/koppelen").get_data(as_text=True)
    assert "Koppelen is uit." in page
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
    form = {
        "csrf_token": token, "purpose": PURPOSE, "ground": "algemeen_belang", "starts_on": "2026-11-23",
        "review_on": "2027-05-01", "until": "2027-11-01",
    }  # fmt: skip

    unsure = client.post("/fg/koppelen", data=form)
    assert unsure.status_code == 422
    assert PURPOSE in unsure.get_data(as_text=True)
    client.post("/fg/koppelen", data=form | {"sure": "ja"})

    assert "Koppelen is aan, tot en met" in client.get("/fg/koppelen").get_data(as_text=True)
    clock.forward(minutes=6)
    late = client.post("/fg/koppelen", data=form | {"sure": "ja"})  # the second factor was shown too long ago
    assert late.status_code in (303, 403)
    with desk.instance.readings() as session:
        assert len(linking_decision.decisions(session)) == 1
