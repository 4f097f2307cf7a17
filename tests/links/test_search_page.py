"""The pages of searching and comparing: nothing of what is looked for in an address, and no text of a case in a hit."""

import re
from datetime import timedelta

import pytest

from tests.security.conftest import forms_of, send
from weerbaar_meldpunt.actions import linking, linking_decision, linkkeys
from weerbaar_meldpunt.rules.marks import read_mark

__all__ = ["send"]

BUS = {
    "target": {"role": "raadslid", "organisation": "GM0363"},
    "narrative": "Er stond een zwarte bestelauto voor de deur.",
    "incident": {"kinds": ["bedreiging_intimidatie"]}, "offender_known_as": ["@Boze_Burger"],
}  # fmt: skip


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


@pytest.fixture
def browser(app, desk, clock, sign_in):
    def opened(account):
        client = app.test_client()
        sign_in(client, account)
        desk.now = clock.now
        return client

    return opened


def form_on(client, path, holding):
    page = client.get(path).get_data(as_text=True)
    found = [form for form in forms_of(page) if any(one.name == holding for one in form.fields)]
    assert found, text_of(client.get(path))[:2000]
    return found[0]


def test_a_hit_is_a_row_of_the_queue_and_shows_no_words_of_the_case(desk, browser, send):
    filed, _other = desk.file(BUS), desk.file(BUS | {"narrative": "Iets anders."})
    client, path = browser(desk.ready.second("ondersteuning")), "/werk/ondersteuning/zoeken"

    answer = send(client, path, form_on(client, path, "typed"), {"typed": "zwarte bestelauto"})

    page = text_of(answer)
    assert answer.status_code == 200
    assert "1 zaak gevonden" in page
    assert filed.reference in page
    assert "voor de deur" not in page
    assert "zwarte" not in answer.request.url


def test_the_words_go_in_the_body_and_a_search_by_address_is_none(desk, browser):
    desk.file(BUS)
    client = browser(desk.ready.second("ondersteuning"))

    page = text_of(client.get("/werk/ondersteuning/zoeken?typed=zwarte"))

    assert "gevonden" not in page


@pytest.mark.parametrize("typed", ["", "  ", "a", "x y", "b" * 300])
def test_what_would_find_everything_or_nothing_is_refused_with_words(desk, browser, send, typed):
    client, path = browser(desk.ready.second("ondersteuning")), "/werk/ondersteuning/zoeken"

    answer = send(client, path, form_on(client, path, "typed"), {"typed": typed})

    assert answer.status_code == 422


def test_no_line_of_the_log_holds_what_was_looked_for(desk, browser, send, caplog):
    client, path = browser(desk.ready.second("ondersteuning")), "/werk/ondersteuning/zoeken"

    send(client, path, form_on(client, path, "typed"), {"typed": "onvergetelijkwoord"})

    assert "onvergetelijkwoord" not in caplog.text


def test_nothing_found_says_what_to_do(desk, browser, send):
    client, path = browser(desk.ready.second("ondersteuning")), "/werk/ondersteuning/zoeken"

    answer = send(client, path, form_on(client, path, "typed"), {"typed": "niemand"})

    assert "Niets gevonden" in text_of(answer)


def test_somebody_of_another_team_finds_no_such_page(desk, browser):
    client = browser(desk.ready.second("juridisch"))

    assert client.get("/werk/ondersteuning/zoeken").status_code == 404


# --- comparing -----------------------------------------------------------------------------------------------------


@pytest.fixture
def linked(desk):
    """The FG decided, the key is made, pinned and compared by everybody."""
    day, auditor, first = desk.now.date(), desk.ready.people.auditor(), desk.ready.first("ondersteuning")
    with desk.instance.sessions.begin() as session:
        linking_decision.decide(
            session, desk.instance, auditor.person, purpose="Herhaling door dezelfde persoon herkennen.",
            ground=linking_decision.LINKING_GROUNDS[0], starts_on=day, review_on=day + timedelta(days=90),
            until=day + timedelta(days=180), now=desk.now,
        )  # fmt: skip
    with desk.instance.sessions.begin() as session:
        key = linkkeys.make_link_key(session, desk.instance, first.person, first.root, now=desk.now)
    desk.instance.write_pins(desk.instance.pins().with_sealing(key))
    for members in desk.ready.members.values():
        for member in members:
            desk.ready.people.adopt(member)


def test_while_it_is_off_the_page_says_so_and_offers_nothing(desk, browser):
    filed = desk.file(BUS)
    page = browser(desk.ready.second("ondersteuning")).get(f"/zaak/{filed.reference}/vergelijken")

    assert "Zaken vergelijken staat uit" in text_of(page)
    assert "Boze_Burger" not in page.get_data(as_text=True)


def test_a_coordinator_makes_the_key_on_the_page_once_it_is_allowed(desk, browser, send):
    day, auditor = desk.now.date(), desk.ready.people.auditor()
    with desk.instance.sessions.begin() as session:
        linking_decision.decide(
            session, desk.instance, auditor.person, purpose="Herhaling door dezelfde persoon herkennen.",
            ground=linking_decision.LINKING_GROUNDS[0], starts_on=day, review_on=day, until=day + timedelta(days=9),
            now=desk.now,
        )  # fmt: skip
    path = f"/zaak/{desk.file(BUS).reference}/vergelijken"
    client = browser(desk.ready.first("ondersteuning"))
    page = client.get(path).get_data(as_text=True)
    form = next(form for form in forms_of(page) if form.action.endswith("/vergelijken/sleutel"))

    answer = send(client, path, form, {})

    assert answer.status_code == 200
    assert re.search(r"(?:[0-9a-f]{4} ){7}[0-9a-f]{4}", text_of(answer))


def test_marks_of_the_case_are_compared_and_kept_and_a_hit_in_another_team_is_only_that_team(
    desk, linked, browser, send
):
    mine, same = desk.file(BUS), desk.file(BUS)
    theirs = desk.file(
        {
            "target": {"role": "raadslid"}, "legal": {"kind": "smaad_laster", "side": "tegen_mij"},
            "request": {"legal_support": True, "support": False}, "offender_known_as": ["@boze_burger"],
        }
    )  # fmt: skip
    desk.do(
        desk.ready.second("juridisch"), theirs.reference, linking.keep_marks, [read_mark("@boze_burger")],
        team="juridisch",
    )  # fmt: skip
    client, path = browser(desk.ready.second("ondersteuning")), f"/zaak/{mine.reference}/vergelijken"
    kept = send(client, path, form_on(client, path, "typed"), {"mark": ["@Boze_Burger"]}, press=("what", "bewaar"))
    assert "1 kenmerk is nieuw bewaard" in text_of(kept)

    other = f"/zaak/{same.reference}/vergelijken"
    answer = send(client, other, form_on(client, other, "typed"), {"mark": ["@Boze_Burger"]})

    page = text_of(answer)
    assert f"Zaak {mine.reference}" in page
    assert "Team Juridische druk heeft een zaak met hetzelfde kenmerk. Neem contact op." in page
    assert theirs.reference not in page
    nothing = send(client, other, form_on(client, other, "typed"), {})
    assert nothing.status_code == 422


def test_opening_the_page_stands_in_the_trail_and_is_not_shown_to_whom_the_reporter_does_not_want(
    desk, linked, browser
):
    member = desk.ready.second("ondersteuning")
    filed = desk.file(BUS | {"barred_member": member.person.name})

    page = browser(member).get(f"/zaak/{filed.reference}/vergelijken").get_data(as_text=True)

    assert "Boze_Burger" not in page
    view = desk.open(desk.ready.first("ondersteuning"), filed.reference)
    assert "niet_getoond" in [event.action for event in view.events]
