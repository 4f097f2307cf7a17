"""Giving a case to another team in a real Chromium, on a phone and a large screen, without scripts too."""

import os
from typing import Any

import pytest

from tests.conftest import wider_than_the_screen
from tests.web_work.test_work_in_chromium import visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OT, BV = "ondersteuning", "beveiliging"

__all__ = ["visit"]


def pictured(page: Any, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}_{page.viewport_size['width']}.png", full_page=True)


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_member_hands_a_case_over(desk: Any, visit: Any, width: int, scripts: bool) -> None:
    filed = desk.file()
    page = visit(desk.ready.first(OT), width=width, scripts=scripts)
    page.goto(f"/zaak/{filed.reference}")
    page.get_by_text("Delen met een ander team").click()
    pictured(page, "other_team")
    assert wider_than_the_screen(page) == 0
    page.get_by_role("link", name="Overdragen aan het team Beveiligingsmaatregelen").click()
    page.get_by_role("button", name="Zaak overdragen").click()
    assert "Kijk na wat er gebeurt" in page.content()
    page.get_by_label("Waarom?").fill("Er zijn maatregelen aan het huis nodig.")
    page.locator("label", has_text="Ik heb gelezen wat er gebeurt").click()
    pictured(page, "give")
    assert wider_than_the_screen(page) == 0
    page.get_by_role("button", name="Zaak overdragen").click()
    page.get_by_text("De zaak ligt nu bij het team Beveiligingsmaatregelen").wait_for()
    assert filed.reference not in page.content()
    page.goto(f"/werk/{OT}?stand=afgerond")
    pictured(page, "closed")
    assert wider_than_the_screen(page) == 0


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_that_wraps_a_teams_cases_anew(desk: Any, visit: Any, next_key: Any, width: int) -> None:
    desk.file()
    next_key(OT)
    page = visit(desk.ready.second(OT), width=width, scripts=False)
    page.goto("/sleutels")
    pictured(page, "keys")
    assert wider_than_the_screen(page) == 0
    page.get_by_role("link", name="Pak ze opnieuw in").click()
    pictured(page, "rewrap")
    assert wider_than_the_screen(page) == 0
    page.get_by_role("button", name="Ga door").click()
    page.get_by_text("Alles is ingepakt").wait_for()
    pictured(page, "rewrapped")
