"""The pages by which a case goes to another team, and by which a team's cases are wrapped anew."""

import re
from typing import Any

import pytest

from tests.web_work.conftest import browser
from weerbaar_meldpunt.actions import closing, transfer, work
from weerbaar_meldpunt.store.cases import CaseDoc
from weerbaar_meldpunt.store.tracks import Track

OT, BV, JD = "ondersteuning", "beveiliging", "juridisch"

__all__ = ["browser"]


@pytest.fixture
def at_desk(desk: Any, browser: Any) -> Any:
    """A browser of a member, on the cases of the desk."""
    return browser


def asked(page: Any, **more: str) -> dict[str, str]:
    return {"reason": "Zij weten hier meer van.", "sure": "ja", **more}


def test_a_member_shares_a_case_and_both_teams_have_it(desk: Any, at_desk: Any) -> None:
    filed, me = desk.file(), at_desk(desk.ready.first(OT))
    page = me.get(f"/zaak/{filed.reference}/ander-team")
    assert page.status == 200
    assert "Overdragen" in page.words
    confirm = me.get(f"/zaak/{filed.reference}/ander-team/{BV}/delen")
    assert "Uw team houdt de zaak" in confirm.words
    done = me.send(confirm, f"/ander-team/{BV}/delen", **asked(confirm))
    assert "gedeeld met" in done.words
    assert "Gedeeld met een ander team" in done.words
    assert at_desk(desk.ready.first(BV)).get(f"/zaak/{filed.reference}").status == 200
    assert "Wij hebben uw melding ook aan" in str(desk.reporter(filed).view.messages[-1].text)


def test_a_member_hands_a_case_over_and_comes_back_to_the_queue_without_it(desk: Any, at_desk: Any) -> None:
    filed, me = desk.file(), at_desk(desk.ready.first(OT))
    confirm = me.get(f"/zaak/{filed.reference}/ander-team/{BV}/overdragen")
    assert "kan de zaak daarna niet meer openen" in confirm.words
    done = me.send(confirm, f"/ander-team/{BV}/overdragen", **asked(confirm))
    assert done.status == 200
    assert filed.reference not in done.words
    assert me.get(f"/zaak/{filed.reference}").status == 404
    closed = me.get(f"/werk/{OT}?stand=afgerond")
    assert "Een ander team heeft deze zaak nu" in closed.words
    assert f"/zaak/{filed.reference}" not in closed.text
    text = str(desk.reporter(filed).view.messages[-1].text)
    assert text.startswith("Uw melding is overgedragen aan het team Beveiligingsmaatregelen")


def test_looking_at_a_case_that_was_given_away_is_noted_as_not_shown(desk: Any, at_desk: Any, leaves: Any) -> None:
    filed, me = desk.file(), at_desk(desk.ready.second(OT))
    desk.do(desk.ready.first(OT), filed.reference, transfer.transfer, BV, reason="x", words="y")
    me.get(f"/zaak/{filed.reference}")
    assert leaves(filed.reference)[-2:] == ["geopend", "niet_getoond"]
    assert not any(OT in opening.teams for opening in desk.reporter(filed).openings)


@pytest.mark.parametrize("missing", ["reason", "words", "sure"])
def test_nothing_is_done_and_every_word_is_kept_when_something_is_missing(
    desk: Any, at_desk: Any, missing: str
) -> None:
    filed, me = desk.file(), at_desk(desk.ready.first(OT))
    confirm = me.get(f"/zaak/{filed.reference}/ander-team/{BV}/overdragen")
    typed = asked(confirm, words="In mijn eigen woorden.") | {missing: ""}
    again = me.send(confirm, f"/ander-team/{BV}/overdragen", **typed)
    assert again.status == 422
    for name in {"reason", "words"} - {missing}:
        assert typed[name] in again.text
    assert desk.track(filed.reference).closed_at is None


def test_a_case_that_a_colleague_took_meanwhile_is_not_given_away(desk: Any, at_desk: Any) -> None:
    filed, me = desk.file(), at_desk(desk.ready.first(OT))
    confirm = me.get(f"/zaak/{filed.reference}/ander-team/{BV}/overdragen")
    desk.do(desk.ready.second(OT), filed.reference, work.take)
    again = me.send(confirm, f"/ander-team/{BV}/overdragen", **asked(confirm))
    assert again.status == 422
    assert "Een collega heeft intussen iets gedaan" in again.words
    assert "Zij weten hier meer van." in again.text


def test_the_same_form_sent_twice_gives_the_case_once(desk: Any, at_desk: Any, leaves: Any) -> None:
    filed, me = desk.file(), at_desk(desk.ready.first(OT))
    confirm = me.get(f"/zaak/{filed.reference}/ander-team/{BV}/delen")
    for _ in range(2):
        assert me.send(confirm, f"/ander-team/{BV}/delen", **asked(confirm)).status == 200
    assert leaves(filed.reference).count("zaak_gedeeld") == 1


def test_what_cannot_be_is_said_before_anybody_writes_a_word(desk: Any, at_desk: Any) -> None:
    filed, me = desk.file(), at_desk(desk.ready.first(OT))
    page = me.get(f"/zaak/{filed.reference}/ander-team")
    assert "geen enkel team het adres meer kunnen openen" in page.words
    assert f"/ander-team/{JD}/overdragen" not in page.text
    assert f"/ander-team/{JD}/delen" in page.text
    assert me.get(f"/zaak/{filed.reference}/ander-team/{OT}/delen").status == 404
    assert me.get(f"/zaak/{filed.reference}/ander-team/brandweer/delen").status == 404
    assert me.get(f"/zaak/{filed.reference}/ander-team/{BV}/stelen").status == 404


def test_a_fresh_second_factor_is_asked_before_a_case_is_given(desk: Any, at_desk: Any, clock: Any) -> None:
    filed, me = desk.file(), at_desk(desk.ready.first(OT))
    clock.forward(minutes=6)
    page = me.get(f"/zaak/{filed.reference}/ander-team/{BV}/delen")
    assert page.status in (302, 303)


def test_another_team_finds_no_such_page(desk: Any, at_desk: Any) -> None:
    filed, stranger = desk.file(), at_desk(desk.ready.first(JD))
    assert stranger.get(f"/zaak/{filed.reference}/ander-team").status == 404
    assert stranger.get(f"/zaak/{filed.reference}/ander-team/{BV}/delen").status == 404


def test_who_may_be_meant_by_the_reporter_is_named_before_their_team_gets_the_case(desk: Any, at_desk: Any) -> None:
    with desk.instance.readings() as session:
        names = [name for _, name in work.colleagues(session, desk.instance, BV)]
    filed = desk.file({"target": {"role": "raadslid"}, "conflict": ["ondersteuningsteam"], "barred_member": names[0]})
    me = at_desk(desk.ready.first(OT))
    assert names[0] in me.get(f"/zaak/{filed.reference}/ander-team/{BV}/delen").words


# --- wrapping anew -------------------------------------------------------------------------------------------------


def test_a_member_wraps_the_cases_of_the_team_anew_by_pressing_a_button(desk: Any, at_desk: Any, next_key: Any) -> None:
    for _ in range(3):
        desk.file()
    next_key(OT)
    me = at_desk(desk.ready.second(OT))
    keys = me.get("/sleutels")
    assert f"/sleutels/inpakken/{OT}" in keys.text
    page = me.get(f"/sleutels/inpakken/{OT}")
    assert "Nog te doen: 9" in page.words
    done = me.client.post(f"/sleutels/inpakken/{OT}", data=dict(page.forms[-1]["fields"]))
    assert done.status_code == 303
    assert "Alles is ingepakt" in me.get(f"/sleutels/inpakken/{OT}").words
    assert f"/sleutels/inpakken/{OT}" not in me.get("/sleutels").text
    assert me.get(f"/sleutels/inpakken/{BV}").status == 404


# --- gaps ----------------------------------------------------------------------------------------------------------


def test_opening_a_case_with_a_gap_raises_the_alarm_once(desk: Any, at_desk: Any, overwrite: Any, alarms: Any) -> None:
    filed, me = desk.file(), at_desk(desk.ready.first(OT))
    overwrite(Track, [Track.id == desk.track(filed.reference).id], urgency="laag")
    for _ in range(2):
        assert me.get(f"/zaak/{filed.reference}").status == 200
    assert alarms() == [("rij_gewijzigd", f"track {filed.reference}")]


def test_the_reporters_own_page_raises_it_too(
    desk: Any, client: Any, form_token: Any, overwrite: Any, alarms: Any
) -> None:
    filed = desk.file()
    overwrite(Track, [Track.id == desk.track(filed.reference).id], urgency="laag")
    token = form_token(client, "/terug")
    client.post("/terug", data={"csrf_token": token, "code": filed.receipt_code})
    assert client.get("/mijn-melding").status_code == 200
    assert alarms() == [("rij_gewijzigd", f"track {filed.reference}")]


def test_what_a_coordinator_wrote_to_close_is_given_back_when_the_report_is_damaged_meanwhile(
    desk: Any, at_desk: Any, overwrite: Any
) -> None:
    filed, member = desk.file(), desk.ready.first(OT)
    desk.do(member, filed.reference, work.take)
    desk.facts(member, filed.reference)
    me = at_desk(member)
    page = me.get(f"/zaak/{filed.reference}")
    overwrite(CaseDoc, [CaseDoc.compartment == "A"], sealed=bytes(700))
    wrote = "Wij belden, en regelden een gesprek met de politie."
    answer = me.send(page, "/afsluiten", outcome="geholpen", done=wrote, sure="ja")
    assert answer.status == 422
    assert wrote in answer.text
    assert re.search(r"<textarea[^>]*readonly[^>]*>\s*" + re.escape(wrote), answer.text)
    assert desk.track(filed.reference).closed_at is None
    assert closing is not None
