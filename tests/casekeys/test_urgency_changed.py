"""A worker makes a case more or less pressing, with a reason; the chase follows and the trail tells."""

from typing import Any

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import work
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.urgency import change_urgency
from weerbaar_meldpunt.store.custody import Emergency

OT = "ondersteuning"
ACUTE = {
    "target": {"role": "raadslid"},
    "incident": {"kinds": ["bedreiging_intimidatie"], "happening_now": True, "weapon": True},
}
MILD = {"target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"], "channels": ["email"]}}


def listed(desk: Any) -> int:
    with desk.instance.readings() as session:
        return len(session.scalars(select(Emergency)).all())


def test_raising_brings_what_is_due_forward_and_puts_it_on_the_emergency_list(desk: Any) -> None:
    filed, member = desk.file(MILD), desk.ready.first(OT)
    before = desk.track(filed.reference)
    assert before.urgency not in ("acuut", "hoog")
    desk.do(member, filed.reference, change_urgency, "acuut", "De melder ziet hem nu voor de deur.")
    track = desk.track(filed.reference)
    assert track.urgency == "acuut"
    assert track.due_at < before.due_at
    assert all(due.next_at <= desk.now for due in desk.dues(filed.reference) if due.kind == "eerste_contact")
    assert listed(desk) == 1
    view = desk.open(member, filed.reference)
    assert view.gaps == ()
    assert view.answer["urgency"] == before.urgency  # what the rules said stays
    event = next(one for one in view.events if one.action == "urgentie_veranderd")
    assert (event.document["before"], event.document["urgency"]) == (before.urgency, "acuut")
    assert "voor de deur" not in repr([one.document for one in desk.reporter(filed).view.events])


def test_only_a_coordinator_makes_an_acute_case_less_pressing(desk: Any) -> None:
    filed, second = desk.file(ACUTE), desk.ready.second(OT)
    desk.do(second, filed.reference, work.take)
    with pytest.raises(NotAllowed) as refused:
        desk.do(second, filed.reference, change_urgency, "laag", "Het valt mee.")
    assert refused.value.reason == "acuut_alleen_coordinator"
    desk.do(desk.ready.first(OT), filed.reference, change_urgency, "midden", "Het bleek een grap van een vriend.")
    assert desk.track(filed.reference).urgency == "midden"
    assert listed(desk) == 0


@pytest.mark.parametrize(
    ("urgency", "reason", "why"), [("hoog", " ", "reden_nodig"), ("heel erg", "x", "zelfde_urgentie")]
)
def test_no_change_without_a_reason_or_to_what_does_not_exist(desk: Any, urgency: str, reason: str, why: str) -> None:
    filed = desk.file(MILD)
    with pytest.raises(NotAllowed) as refused:
        desk.do(desk.ready.first(OT), filed.reference, change_urgency, urgency, reason)
    assert refused.value.reason == why


def test_a_colleague_who_does_not_own_the_case_does_not_change_it(desk: Any) -> None:
    filed = desk.file(MILD)
    desk.do(desk.ready.first(OT), filed.reference, work.take)
    with pytest.raises(NotAllowed):
        desk.do(desk.ready.second(OT), filed.reference, change_urgency, "hoog", "x")
