"""The pages of keeping, withdrawing, searching and comparing in a real Chromium: on a phone and a large screen."""

import base64
import os
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import served, visiting, wider_than_the_screen
from weerbaar_meldpunt.actions import destroying, holding, linking_decision, linkkeys
from weerbaar_meldpunt.actions.sessions import create_session, start_content

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TEAM = "ondersteuning"
SHOTS = os.environ.get("SHOTS_FOLDER")  # where somebody wants to look at the pages


@pytest.fixture
def visit(app, desk, clock, chromium):
    """A page of a browser that is signed in as a member, or with a receipt code; any fault in its console fails."""
    with served(app) as address, visiting(chromium, address, allowed="status of 422") as opened:

        def signed_in(content, *, width, scripts=True):
            clock.now = desk.now
            with desk.instance.sessions.begin() as session:
                cookie = base64.urlsafe_b64encode(create_session(session, content)).decode()
            return opened(width=width, scripts=scripts, cookie=cookie)

        yield signed_in


def as_member(desk, account):
    return start_content("person", now=desk.now, user_id=account.user_id, root=account.root)


def check(page, name):
    """Nothing sticks out to the right."""
    page.wait_for_load_state("load")
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}-{page.viewport_size['width']}.png", full_page=True)
    assert wider_than_the_screen(page) == 0, name


@pytest.mark.parametrize("width", [360, 1280])
def test_a_coordinator_and_a_second_person_let_a_case_go(desk, closed, visit, width, run_clock):
    ripe, other, held = closed(), closed("geen_contact_gekregen"), closed()
    first = desk.ready.first(TEAM)
    desk.later(days=720)
    soon = closed("geen_incident")
    desk.later(days=20)
    desk.do(
        first, held.reference, holding.place_hold, ground="rechtsvordering", text="De zitting is in het voorjaar.",
        review_on=desk.now.date() + timedelta(days=60),
    )  # fmt: skip
    page = visit(as_member(desk, first), width=width)
    page.goto(f"/werk/{TEAM}")
    page.get_by_role("link", name="Bewaren en vernietigen").click()
    page.get_by_role("heading", name="Kan weg").wait_for()
    check(page, "team")
    page.goto(f"/zaak/{held.reference}/bewaren")
    check(page, "case")
    page.goto(f"/bewaren/{TEAM}")
    page.get_by_role("link", name="langer bewaren").first.click()
    page.get_by_role("heading", name="Langer bewaren").wait_for()
    page.goto(f"/bewaren/{TEAM}")
    for reference in (ripe.reference, other.reference, soon.reference):
        page.locator("label", has_text=reference).click()
    page.get_by_role("button", name="Stel voor om te vernietigen").click()
    page.get_by_text("Uw voorstel staat klaar").wait_for()
    check(page, "proposed")

    second = visit(as_member(desk, desk.ready.second(TEAM)), width=width, scripts=False)
    second.goto("/bewaren/voorstellen")
    second.get_by_text("Welke zaken").click()
    check(second, "decisions")
    second.locator("label", has_text="Ik weet dat dit niet terug kan.").click()
    second.get_by_role("button", name="Ja, vernietigen").click()
    second.get_by_text("Wij wissen nu 3 zaken.").wait_for()
    assert run_clock() == 3
    page.goto("/bewaren/register")
    page.get_by_text("Samen 3 zaken.").wait_for()
    check(page, "register")


@pytest.mark.parametrize("width", [360, 1280])
def test_a_reporter_withdraws_everything_and_thinks_again(desk, closed, visit, width):
    filed = closed(facts={"aangifte": "ja"})
    desk.reply(filed, "Ik wil stoppen.")
    reader = start_content("reader", now=desk.now, lookup=filed.reader.lookup, seed=filed.reader.seed)
    page = visit(reader, width=width, scripts=width == 1280)
    page.goto("/mijn-melding")
    page.get_by_role("link", name="Iets of alles intrekken").click()
    page.get_by_role("link", name="Alles intrekken").click()
    page.get_by_text("De politie: er is aangifte gedaan").wait_for()
    check(page, "withdraw")
    page.locator("label", has_text="Ik wil dat alles gewist wordt.").click()
    page.get_by_label("Typ uw code nog een keer").fill(filed.receipt_code.lower())
    page.get_by_role("button", name="Alles intrekken").click()
    page.get_by_text("Uw verzoek is binnen.").wait_for()
    check(page, "withdrawn")
    member = visit(as_member(desk, desk.ready.second(TEAM)), width=width)
    member.goto(f"/zaak/{filed.reference}")
    member.get_by_text("De melder wil dat alles gewist wordt, op").wait_for()
    check(member, "case-withdrawn")
    page.get_by_role("button", name="Toch niet: alles moet blijven").click()
    page.get_by_text("Alles blijft.").wait_for()


@pytest.mark.parametrize("width", [360, 1280])
def test_a_member_searches_and_compares(desk, visit, width):
    day, first = desk.now.date(), desk.ready.first(TEAM)
    with desk.instance.sessions.begin() as session:
        linking_decision.decide(
            session, desk.instance, desk.ready.people.auditor().person,
            purpose="Herhaling door dezelfde persoon herkennen.", ground=linking_decision.LINKING_GROUNDS[0],
            starts_on=day, review_on=day, until=day + timedelta(days=90), now=desk.now,
        )  # fmt: skip
    with desk.instance.sessions.begin() as session:
        key = linkkeys.make_link_key(session, desk.instance, first.person, first.root, now=desk.now)
    desk.instance.write_pins(desk.instance.pins().with_sealing(key))
    for members in desk.ready.members.values():
        for member in members:
            desk.ready.people.adopt(member)
    document = {
        "target": {"role": "raadslid", "organisation": "GM0363"}, "narrative": "Een zwarte bus.",
        "incident": {"kinds": ["bedreiging_intimidatie"]},
        "offender_known_as": ["@" + "boze_burger" * 8, "06 12345678"],
    }  # fmt: skip
    one, two = desk.file(document), desk.file(document)
    page = visit(as_member(desk, desk.ready.second(TEAM)), width=width, scripts=width == 1280)
    page.goto(f"/werk/{TEAM}")
    page.get_by_role("link", name="Zoeken", exact=True).click()
    page.get_by_label("Waar zoekt u naar?").fill("zwarte bus")
    page.get_by_role("button", name="Zoek", exact=True).click()
    page.get_by_text("2 zaken gevonden").wait_for()
    check(page, "search")
    for reference, button in ((one.reference, "Vergelijken en bewaren"), (two.reference, "Alleen vergelijken")):
        page.goto(f"/zaak/{reference}/vergelijken")
        page.locator("label", has_text="06 12345678").click()
        page.get_by_role("button", name=button).click()
        page.get_by_role("heading", name="Welke kenmerken?").or_(page.get_by_text("Welke kenmerken?")).first.wait_for()
    page.get_by_role("link", name=f"Zaak {one.reference}").wait_for()
    check(page, "compare")


@pytest.mark.parametrize("width", [360, 1280])
def test_anybody_reads_how_long_we_keep_what(desk, visit, width):
    reader = desk.file()
    content = start_content("reader", now=desk.now, lookup=reader.reader.lookup, seed=reader.reader.seed)
    page = visit(content, width=width, scripts=False)
    page.goto("/bewaartermijnen")
    check(page, "terms")
    assert destroying.MOST
