"""The hand-over from a griffier to a wethouder in a real Chromium, on a telephone, with scripts off (and on)."""

import os

import pytest

from tests.conftest import served, visiting
from weerbaar_meldpunt.actions import work

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PICTURES = os.environ.get("PICTURES_FOLDER")  # a folder to keep what the pages looked like


@pytest.fixture
def visit(app, ready, chromium):
    """A new visitor's page; any fault in its console fails the test."""
    with served(app) as address, visiting(chromium, address, allowed="status of 4", patience=20_000) as opened:
        yield lambda **more: opened(accept_downloads=True, **more)


def looked_at(page, name):
    """Nothing sticks out to the right; asked of the browser's own layout, so it needs no script of the page."""
    page.wait_for_load_state("load")
    client = page.context.new_cdp_session(page)
    size = client.send("Page.getLayoutMetrics")["cssContentSize"]["width"]
    assert size <= page.viewport_size["width"], name
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}-{page.viewport_size['width']}.png", full_page=True)


def code_on(page, id="code"):
    return page.locator(f"#{id}").inner_text().strip()


@pytest.mark.parametrize(("width", "scripts"), [(360, False), (1280, True)], ids=["telephone", "large"])
def test_a_griffier_hands_over_and_the_wethouder_decides(visit, desk, file, width, scripts):
    from .conftest import PROXY_REPORT

    filed = file(PROXY_REPORT, now=desk.clock.now)
    desk.member(filed.reference, work.write_message, "Wij lezen mee.")
    desk.opened(filed.reference)

    official = visit(width=width, scripts=scripts)
    official.goto("/")
    official.get_by_role("link", name="Een melding overnemen").click()
    looked_at(official, "overnemen")
    official.get_by_label("De code die u kreeg").fill(filed.claim_code)
    official.get_by_role("button", name="Verder").click()
    official.get_by_role("heading", name="Iemand heeft voor u gemeld.").wait_for()
    looked_at(official, "eerst-kijken")
    official.get_by_role("button", name="Neem de melding over").click()
    official.get_by_text("Kies of degene die voor u meldde, mag meekijken.").first.wait_for()
    official.get_by_text("Alles, behalve adres, gezin en gewoonten", exact=True).click()
    official.get_by_label("Op welk nummer mogen wij u bellen?").fill("06 99998888")
    official.get_by_role("button", name="Neem de melding over").click()
    official.get_by_role("heading", name="De melding is nu van u.").wait_for()
    looked_at(official, "overgenomen")
    code = code_on(official)
    official.get_by_role("button", name="Ga naar uw melding").click()
    official.get_by_role("heading", name="Uw melding", exact=True).wait_for()
    looked_at(official, "uw-melding")
    for link, name in (
        ("Elke keer dat iemand keek", "wie-keek"), ("Uw gegevens verbeteren", "gegevens"),
        ("Wie mag ervan weten?", "toestemming"), ("Een mail als er een bericht is", "mail"),
        ("Alles meenemen", "meenemen"), ("Een nieuwe code nemen", "nieuwe-code"),
        ("Iets of alles intrekken", "intrekken"), ("Bekijk ze", "adres"), ("Wie kijkt mee?", "meekijken"),
    ):  # fmt: skip
        if name == "adres":
            official.get_by_text("Wat u meldde").click()
        official.get_by_role("link", name=link).click()
        looked_at(official, name)
        if name != "meekijken":
            official.goto("/mijn-melding")

    proxy = visit(width=width, scripts=scripts)
    proxy.goto("/terug")
    proxy.get_by_label("Uw code").fill(filed.receipt_code)
    proxy.get_by_role("button", name="Verder").click()
    proxy.get_by_role("link", name="Wie kijkt mee?").click()
    looked_at(proxy, "meekijken-gemachtigde")

    official.get_by_text("Alleen de voortgang", exact=True).click()
    official.get_by_role("button", name="Dit geldt vanaf nu").click()
    official.get_by_text("Dat geldt vanaf nu.").wait_for()
    proxy.goto("/mijn-melding")
    proxy.get_by_role("heading", name="De melding waarmee u meekijkt").wait_for()
    looked_at(proxy, "voortgang")
    proxy.get_by_role("link", name="Niet meer meekijken").click()
    looked_at(proxy, "stoppen")
    proxy.get_by_role("button", name="Ja, ik kijk niet meer mee").click()
    proxy.get_by_role("heading", name="De melding is overgenomen.").wait_for()
    looked_at(proxy, "niet-meer")

    official.goto("/mijn-melding/meenemen")
    official.get_by_label("Typ uw code nog een keer").fill(code)
    with official.expect_download() as taken:
        official.get_by_role("button", name="Haal het bestand op").click()
    assert taken.value.suggested_filename == f"melding-{filed.reference}.zip"
    official.goto("/mijn-melding/nieuwe-code")
    official.get_by_role("button", name="Maak een nieuwe code").click()
    looked_at(official, "nieuwe-code-getoond")
    assert code_on(official) != code


def test_a_member_sees_the_reporters_side_on_a_telephone_and_a_large_screen(visit, desk, file, sign_in, app):
    import base64

    from weerbaar_meldpunt.actions.sessions import create_session, start_content

    from .conftest import PROXY_REPORT

    filed, account = file(PROXY_REPORT, now=desk.clock.now), desk.ready.second("ondersteuning")
    desk.redeem(filed.claim_code, choice="melding", contact={"telephone": "06 99998888"})
    for width in (360, 1280):
        page = visit(width=width, scripts=False)
        content = start_content("person", now=desk.clock.now, user_id=account.user_id, root=account.root)
        with desk.instance.sessions.begin() as session:
            cookie = base64.urlsafe_b64encode(create_session(session, content)).decode()
        page.goto("/terug")
        page.context.add_cookies([{"name": "wmp", "value": cookie, "url": page.url}])
        page.goto(f"/zaak/{filed.reference}")
        page.get_by_text("De melder veranderde iets. Kijk daar eerst naar.").wait_for()
        looked_at(page, "zaak-overgenomen")
        page.get_by_role("link", name="Bekijk wat er veranderde").click()
        page.get_by_role("heading", name="Een code voor de melder").wait_for()
        looked_at(page, "zaak-melder")
