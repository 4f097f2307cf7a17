"""Scenario S04 in a real browser: filed without an account, with evidence; worked on; answered; read back; closed."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

pytestmark = [pytest.mark.browser, pytest.mark.real_passwords]

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "18dd8db00000000049454e44ae426082"
)
ANSWER = "Wij hebben de berichten laten verwijderen. Blijf niet alleen thuis vanavond."


@pytest.fixture
def s04(scenarios):
    return next(scenario["report"] for scenario in scenarios if scenario["id"] == "S04")


def press(page, value):
    page.locator(f'button[name="doen"][value="{value}"]').first.click()


def tick(page, name, value=None):
    """Choose by the label, as people do; it may stand under "meer"."""
    box = page.locator(f'input[name="{name}"]' + (f'[value="{value}"]' if value else "")).first
    label = page.locator(f'label[for="{box.get_attribute("id")}"]')
    if not label.is_visible():
        page.locator("details:not([open])", has=box).locator("summary").first.click()
    label.click()
    assert box.is_checked()


def file_report(page, report):
    """From the first screen to the receipt, as a person would; answers the receipt code."""
    page.goto("/")
    assert page.locator("h1").inner_text() == "Bent u of iemand anders nu in gevaar?"
    page.get_by_role("link", name="Nee, ik wil iets melden").click()
    page.get_by_role("link", name="Beginnen").click()
    for kind in report["incident"]["kinds"]:
        tick(page, "incident.kinds", kind)
    press(page, "verder")
    tick(page, "incident.address_exposed")
    press(page, "verder")
    page.locator('textarea[name="narrative"]').fill(report["narrative"])
    press(page, "verder")
    for channel in report["incident"]["channels"]:
        tick(page, "incident.channels", channel)
    for platform in report["incident"]["platforms"]:
        tick(page, "incident.platforms", platform)
    press(page, "verder")
    tick(page, "incident.offender", report["incident"]["offender"])
    press(page, "verder")
    page.locator('select[name="target.role"]').select_option(report["target"]["role"])
    choose_type(page, report["target"]["organisation_type"])
    press(page, "verder")
    go_to_evidence(page)
    page.locator('input[type="file"]').set_input_files(
        [
            {"name": "scherm foto.png", "mimeType": "image/png", "buffer": PNG},
            {"name": "gesprek.txt", "mimeType": "text/plain", "buffer": b"ga hem eens opzoeken\n" * 50_000},
        ]
    )
    press(page, "erbij")
    page.locator("ul.files li").nth(1).wait_for()
    press(page, "verder")
    assert page.locator("h1").inner_text() == "Kijk uw melding na"
    page.locator('form[action$="/melden/nakijken"] button[type="submit"]').last.click()
    assert page.locator("h1").inner_text() == "Uw melding is binnen."
    return re.search(r"[0-9A-Z]{5}(-[0-9A-Z]{1,5}){5}", page.locator("#code").inner_text()).group(0)


def choose_type(page, kind):
    field = page.locator('select[name="target.organisation_type"]')
    if not field.is_visible():
        page.locator("details:not([open])", has=field).locator("summary").first.click()
    field.select_option(kind)


def go_to_evidence(page):
    """Through the questions between, all skipped."""
    for _ in range(8):
        if page.locator('input[type="file"]').count():
            return
        press(page, "verder")
    raise AssertionError("the evidence never came")


def sign_in(page, account):
    page.goto("/inloggen")
    page.locator('[name="login"]').fill(account.login)
    page.locator('[name="password"]').fill(account.password)
    page.get_by_role("button", name="Verder").click()
    page.locator('[name="code"]').fill(account.code(datetime.now(UTC)))
    page.get_by_role("button", name="Inloggen").click()
    page.wait_for_load_state()


def open_details(page, text):
    """Open a part of the page that is folded in."""
    summary = page.locator("summary", has_text=text).first
    if not summary.locator("xpath=..").evaluate("e => e.open"):
        summary.click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_report_travels_from_fear_to_an_answer(desk, visit, s04, scripts):
    member = desk.ready.members["beveiliging"][0 if scripts else 1]

    code = file_report(visit(scripts=scripts, width=360), s04)

    worker = visit(scripts=scripts)
    sign_in(worker, member)
    assert worker.url.endswith("/werk/beveiliging")
    first = worker.locator("table.queue tbody tr").first
    assert "hoog" in first.inner_text().lower()
    first.get_by_role("link").click()
    reference = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", worker.locator("h1").inner_text()).group(0)
    case = worker.locator("main").inner_text()
    assert s04["narrative"] in case
    assert "gevaar voor lijf, woning of gezin" in case  # why it came to this team
    assert "R3" in worker.content()
    assert "scherm foto.png" in case
    assert "gesprek.txt" in case
    worker.get_by_role("button", name="Oppakken").click()
    worker.locator('textarea[name="message"]').fill(ANSWER)
    worker.get_by_role("button", name="Versturen").click()
    worker.get_by_text(ANSWER).wait_for()

    reporter = visit(scripts=scripts, width=360)
    reporter.goto("/terug")
    reporter.locator('input[name="code"]').fill(f"  {code.lower().replace('-', ' ')} ")
    reporter.locator('main form button[type="submit"]').first.click()
    reporter.get_by_text(ANSWER).wait_for()
    with reporter.expect_download() as download:
        reporter.get_by_role("link", name="scherm foto.png").click()
    assert download.value.path().read_bytes() == PNG

    worker.reload()
    open_details(worker, "Feiten vaststellen")
    worker.get_by_role("button", name="Feiten vaststellen").click()
    open_details(worker, "2. Afsluiten")
    tick(worker, "outcome", "maatregelen_geleverd")
    worker.locator('textarea[name="done"]').fill("Sloten vervangen en camera geplaatst.")
    tick(worker, "sure")
    worker.get_by_role("button", name="Afsluiten", exact=True).click()
    worker.get_by_text("Afgesloten").first.wait_for()
    reporter.reload()
    reporter.get_by_text("Sloten vervangen en camera geplaatst.").wait_for()

    worker.goto("/werk/beveiliging")
    assert reference not in worker.locator("main").inner_text()
    refuse(visit(scripts=scripts), desk.ready.members["juridisch"][0 if scripts else 1], reference)


def refuse(page, account, reference):
    """Somebody who may not see the case finds that there is no such page."""
    sign_in(page, account)
    answer = page.goto(f"/zaak/{reference}")
    assert answer.status == 404
    assert "Telegram" not in page.content()


def test_who_administers_cannot_open_a_case(desk, visit, s04):
    file_report(visit(width=360), s04)

    with desk.ready.instance.readings() as session:
        reference = session.scalar(text('SELECT reference FROM "case" LIMIT 1'))

    administrator = desk.ready.people.beheerder()
    page = visit()
    refuse(page, administrator, reference)

    assert page.goto("/werk/ondersteuning").status == 404
