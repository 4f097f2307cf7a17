"""The door in a real Chromium: a passkey made, used and taken away; a warning before the session ends."""

import re

import pytest

from tests.conftest import served, visiting

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDTHS = [360, 1280]


@pytest.fixture
def desk(app):
    """The address of the running application; by name, because browsers refuse passkeys on numbers."""
    with served(app, "localhost") as address:
        yield address


@pytest.fixture
def visit(desk, chromium):
    """A page in a browser of its own; any fault in its console fails the test."""
    with visiting(chromium, desk, allowed="status of 4") as opened:
        yield lambda *, width=1280, scripts=True: opened(width=width, scripts=scripts, height=900)


@pytest.fixture
def authenticator():
    """A platform authenticator that checks its owner, in this page's browser."""

    def added(page, *, verified=True):
        client = page.context.new_cdp_session(page)
        client.send("WebAuthn.enable")
        made = client.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                    "isUserVerified": verified, "automaticPresenceSimulation": True,
                }
            },
        )  # fmt: skip
        return client, made["authenticatorId"]

    return added


def come_in(page, account, clock):
    clock.forward(seconds=31)
    page.goto("/inloggen")
    page.get_by_label("E-mailadres of inlognaam").fill(account.login)
    page.get_by_label("Wachtwoord").fill(account.password)
    page.get_by_role("button", name="Verder", exact=True).click()
    page.get_by_label("Zes cijfers").fill(account.code(clock.now))
    page.get_by_role("button", name="Inloggen", exact=True).click()
    page.get_by_role("button", name="Uitloggen").wait_for()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_passkey_is_made_signs_in_confirms_and_is_taken_away(visit, people, clock, authenticator, width):
    member, page = people.beheerder(), visit(width=width)
    client, key = authenticator(page)
    come_in(page, member, clock)
    page.goto("/account/passkeys")
    page.get_by_label("Hoe noemt u hem?").fill("werktelefoon")
    page.get_by_role("button", name="Maak een passkey").click()
    page.get_by_text("Uw passkey werkt.").wait_for()
    assert len(client.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]) == 1

    # As the second factor after the password.
    page.get_by_role("button", name="Uitloggen").click()
    page.goto("/inloggen")
    page.get_by_label("E-mailadres of inlognaam").fill(member.login)
    page.get_by_label("Wachtwoord").fill(member.password)
    page.get_by_role("button", name="Verder", exact=True).click()
    page.get_by_role("button", name="Gebruik uw passkey").click()
    page.get_by_role("button", name="Uitloggen").wait_for()

    # On one page with the password, and with Enter.
    page.get_by_role("button", name="Uitloggen").click()
    page.goto("/inloggen")
    page.get_by_role("button", name="Inloggen met een passkey").click()
    page.get_by_label("E-mailadres of inlognaam").fill(member.login)
    page.get_by_label("Wachtwoord").fill(member.password)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Uitloggen").wait_for()

    # To confirm, six minutes later; and away with it.
    clock.forward(minutes=6)
    page.goto("/account/passkeys")
    page.get_by_role("button", name="Gebruik uw passkey").click()
    page.get_by_role("button", name="Weghalen").click()
    page.get_by_role("button", name="Ja, haal weg").click()
    page.get_by_text("U hebt nog geen passkey.").wait_for()


def test_a_device_that_does_not_check_its_owner_makes_none(visit, people, clock, authenticator):
    member, page = people.beheerder(), visit()
    authenticator(page, verified=False)
    come_in(page, member, clock)
    page.goto("/account/passkeys")

    page.get_by_role("button", name="Maak een passkey").click()

    page.get_by_text("Dat lukte niet, of u stopte zelf.").wait_for()


def test_before_the_session_ends_the_page_says_so_and_who_is_there_stays(visit, people, clock):
    member, page = people.beheerder(), visit()
    page.clock.install()
    come_in(page, member, clock)
    page.goto("/account")
    warning = page.get_by_text("Over twee minuten sluiten wij deze pagina")
    assert not warning.is_visible()

    page.clock.fast_forward("13:05")
    warning.wait_for()
    clock.forward(minutes=13)
    page.get_by_role("button", name="Ik ben er nog").click()
    warning.wait_for(state="hidden")
    clock.forward(minutes=13)
    page.reload()

    page.get_by_role("button", name="Uitloggen").wait_for()


def test_a_page_that_somebody_left_shows_nothing_after_the_session_ended(visit, people, clock):
    member, page = people.beheerder(), visit()
    page.clock.install()
    come_in(page, member, clock)
    page.goto("/account")
    clock.forward(minutes=16)

    page.clock.fast_forward("15:05")

    page.wait_for_url(re.compile(r"/inloggen\?next="))


def test_words_that_were_typed_stay_and_are_sent_after_signing_in_again(visit, ready, file, clock, instance):
    from sqlalchemy import select

    from weerbaar_meldpunt.store.cases import Note

    filed = file({"target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"]}, "narrative": "geheim"})
    member, page = ready.second("ondersteuning"), visit()
    page.clock.install()
    come_in(page, member, clock)
    page.goto(f"/zaak/{filed.reference}")
    page.get_by_label("Nieuwe notitie").fill("Voicemail ingesproken; morgen nog eens bellen.")
    clock.forward(minutes=16)
    page.clock.fast_forward("15:05")
    page.get_by_text("Wat u typte, staat er nog.").wait_for()

    page.get_by_role("button", name="Notitie bewaren").click()
    page.get_by_text("Wat u schreef, is er nog: log in, dan kunt u het versturen.").wait_for()
    page.get_by_label("E-mailadres of inlognaam").fill(member.login)
    page.get_by_label("Wachtwoord").fill(member.password)
    page.get_by_role("button", name="Verder", exact=True).click()
    page.get_by_label("Zes cijfers").fill(member.code(clock.now))
    page.get_by_role("button", name="Inloggen", exact=True).click()
    assert page.get_by_label("Uw tekst").input_value() == "Voicemail ingesproken; morgen nog eens bellen."
    page.get_by_role("button", name="Verstuur").click()
    page.get_by_text("De notitie is bewaard.").wait_for()

    with instance.readings() as session:
        assert len(session.scalars(select(Note)).all()) == 1


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_every_page_of_the_door_fits(visit, people, clock, width, scripts):
    member, page = people.beheerder(), visit(width=width, scripts=scripts)
    for path in (
        "/inloggen",
        "/inloggen/vergeten",
        "/inloggen/openen",
        f"/inloggen/openen/{'0' * 64}",
        "/account/nieuw",
    ):
        page.goto(path)
        assert _too_wide(page) == 0, path
    come_in(page, member, clock)
    for path in ("/account", "/account/wachtwoord", "/account/passkeys", "/account/app", "/account/codes",
                 "/account/sessies", "/bevestigen"):  # fmt: skip
        page.goto(path)
        assert _too_wide(page) == 0, path
    page.goto("/account/codes")
    page.get_by_role("button", name="Maak tien nieuwe codes").click()
    assert _too_wide(page) == 0


def _too_wide(page):
    """How far the page goes beyond the screen; asked of the browser's own layout."""
    page.wait_for_load_state("load")
    size = page.context.new_cdp_session(page).send("Page.getLayoutMetrics")["cssContentSize"]["width"]
    return max(0, size - page.viewport_size["width"])
