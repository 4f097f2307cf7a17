"""The worker's pages in a real Chromium: on a phone and a large screen, with scripts and without, by keyboard alone."""

import base64

import pytest
from sqlalchemy import select

from tests.conftest import served, visiting, wider_than_the_screen
from weerbaar_meldpunt.actions.sessions import create_session, start_content
from weerbaar_meldpunt.store.cases import Note
from weerbaar_meldpunt.store.tracks import Track

from .conftest import THREAT

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TEAM = "ondersteuning"
LONG = "onafgebroken" * 20


@pytest.fixture
def visit(app, instance, ready, clock, chromium):
    """A page of a member who is signed in; any fault in its console fails the test."""
    with served(app) as address, visiting(chromium, address, allowed="status of 422") as opened:

        def signed_in(account, *, width, scripts):
            content = start_content("person", now=clock.now, user_id=account.user_id, root=account.root)
            with instance.sessions.begin() as session:
                cookie = base64.urlsafe_b64encode(create_session(session, content)).decode()
            return opened(width=width, scripts=scripts, cookie=cookie)

        yield signed_in


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_worker_finds_takes_calls_and_notes(visit, ready, file, clock, instance, width, scripts):
    file(
        THREAT | {
            "narrative": LONG, "links": [{"url": f"https://voorbeeld.test/{LONG}"}], "offender_known_as": [LONG],
            "contact": {"name": LONG, "telephone": "0612345678", "mail": f"{LONG}@voorbeeld.test"},
        },
        now=clock.now,
    )  # fmt: skip
    page = visit(ready.second(TEAM), width=width, scripts=scripts)

    page.goto("/werk")
    assert page.url.endswith(f"/werk/{TEAM}")
    assert wider_than_the_screen(page) == 0
    page.locator("table.queue a").first.click()
    page.wait_for_url("**/zaak/**")
    assert wider_than_the_screen(page) == 0
    page.get_by_role("button", name="Oppakken").click()
    page.get_by_text("U behandelt deze zaak nu.").wait_for()
    page.get_by_role("button", name="Geen gehoor").click()
    page.get_by_text("Genoteerd: geen gehoor.").wait_for()
    page.get_by_label("Nieuwe notitie").fill(f"Voicemail ingesproken. {LONG}")
    page.get_by_role("button", name="Notitie bewaren").click()
    page.get_by_text("De notitie is bewaard.").wait_for()
    assert wider_than_the_screen(page) == 0

    with instance.readings() as session:
        assert session.scalars(select(Track.owner_id)).one() == ready.second(TEAM).user_id
        assert len(session.scalars(select(Note)).all()) == 1


def test_the_browser_asks_before_another_button_loses_a_message(visit, ready, file, clock, instance):
    filed = file(THREAT, now=clock.now)
    page, asked = visit(ready.second(TEAM), width=1280, scripts=True), []
    page.goto(f"/zaak/{filed.reference}")
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_label("Schrijf de melder").press_sequentially("Hoe gaat het nu")

    page.get_by_role("button", name="Oppakken").click()
    page.wait_for_timeout(300)

    assert asked == ["beforeunload"]
    assert page.get_by_label("Schrijf de melder").input_value() == "Hoe gaat het nu"
    page.get_by_role("button", name="Versturen").click()
    page.get_by_text("Het bericht is verstuurd.").wait_for()
    page.get_by_role("button", name="Oppakken").click()  # the button that was not gone through with works at once
    page.get_by_text("U behandelt deze zaak nu.").wait_for()


def test_the_browser_asks_before_words_that_came_back_refused_are_lost(visit, ready, file, clock):
    filed = file(THREAT, now=clock.now)
    page, asked = visit(ready.second(TEAM), width=1280, scripts=True), []
    page.goto(f"/zaak/{filed.reference}")
    page.get_by_role("button", name="Oppakken").click()
    page.get_by_text("Wachten op iemand").click()
    page.get_by_label("Waarop wacht u?").fill("De mail zelf")
    page.get_by_role("button", name="Zet in de wacht").click()
    page.get_by_text("Kies op wie u wacht.").first.wait_for()
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))

    page.get_by_role("button", name="Geen gehoor").click()
    page.wait_for_timeout(300)

    assert asked == ["beforeunload"]
    assert page.get_by_label("Waarop wacht u?").input_value() == "De mail zelf"


def test_everything_opened_out_still_fits_a_phone(visit, ready, file, clock):
    filed = file(THREAT, now=clock.now)
    page = visit(ready.first(TEAM), width=360, scripts=True)
    page.goto(f"/zaak/{filed.reference}")
    page.get_by_role("button", name="Gesproken", exact=True).first.click()

    page.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")

    assert wider_than_the_screen(page) == 0


def test_a_case_is_opened_and_taken_with_the_keyboard_alone(visit, ready, file, clock, instance):
    file(THREAT, now=clock.now)
    page = visit(ready.second(TEAM), width=1280, scripts=False)
    page.goto(f"/werk/{TEAM}")

    def tab_to(text):
        for _ in range(60):
            page.keyboard.press("Tab")
            if text in page.locator("*:focus").inner_text():
                return
        raise AssertionError(f"the keyboard does not reach {text}")

    tab_to("Bedreiging of intimidatie")
    page.keyboard.press("Enter")
    page.wait_for_url("**/zaak/**")
    tab_to("Oppakken")
    page.keyboard.press("Enter")
    page.get_by_text("U behandelt deze zaak nu.").wait_for()

    with instance.readings() as session:
        assert session.scalars(select(Track.owner_id)).one() == ready.second(TEAM).user_id


def test_a_refused_form_opens_at_its_fault_with_everything_kept(visit, ready, file, clock):
    filed = file(THREAT, now=clock.now)
    page = visit(ready.second(TEAM), width=360, scripts=True)
    page.goto(f"/zaak/{filed.reference}")
    page.get_by_role("button", name="Oppakken").click()
    page.get_by_text("Wachten op iemand").click()
    page.get_by_label("Waarop wacht u?").fill("De mail zelf")

    page.get_by_role("button", name="Zet in de wacht").click()

    page.locator(".error-summary").wait_for()
    assert page.title().startswith("Fout:")
    assert page.get_by_label("Waarop wacht u?").input_value() == "De mail zelf"
    page.locator(".error-summary a").click()
    assert page.evaluate("document.activeElement.id") == "f-waiting"
