"""The pages: a coordinator proposes, another says yes; the reporter withdraws and thinks again; register and terms."""

import csv
import io
import re
from datetime import timedelta

import pytest

from tests.security.conftest import forms_of, send

__all__ = ["send"]


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


@pytest.fixture
def browser(app, desk, clock, sign_in):
    """A browser of somebody who just signed in; the clocks of pages and desk are one."""

    def opened(account=None, code=None):
        clock.now = max(clock.now, desk.now)
        client = app.test_client()
        if account is not None:
            sign_in(client, account)
        if code is not None:
            page = client.get("/terug").get_data(as_text=True)
            [form] = [form for form in forms_of(page) if any(one.name == "code" for one in form.fields)]
            token = next(one.value for one in form.fields if one.name == "csrf_token")
            assert client.post("/terug", data={"csrf_token": token, "code": code}).status_code == 303
        desk.now = clock.now
        return client

    return opened


def form_on(client, path, holding):
    page = client.get(path).get_data(as_text=True)
    found = [
        form for form in forms_of(page)
        if any(one.name == holding for one in form.fields) or any(name == holding for name, _value in form.buttons)
    ]  # fmt: skip
    assert found, page[:3000]
    return found[0]


def test_a_coordinator_proposes_a_colleague_confirms_and_the_register_says_how_many(
    desk, closed, browser, send, run_clock, exists
):
    one, two = closed(), closed()
    desk.later(days=740)
    first = browser(desk.ready.first("ondersteuning"))
    page = text_of(first.get("/bewaren/ondersteuning"))
    assert "Bedreiging of intimidatie" in page or "Kan weg" in page
    assert "mail met een bedreiging" not in page

    form = form_on(first, "/bewaren/ondersteuning", "case")
    answer = send(first, "/bewaren/ondersteuning", form, {"case": [one.reference]})
    assert answer.status_code == 303
    assert "wacht op een ander" in text_of(first.get("/bewaren/ondersteuning"))
    assert "U deed dit voorstel" in text_of(first.get("/bewaren/voorstellen"))

    second = browser(desk.ready.second("ondersteuning"))
    form = form_on(second, "/bewaren/voorstellen", "proposal")
    answer = send(second, "/bewaren/voorstellen", form, {}, press=("answer", "ja"))
    assert answer.status_code == 422
    assert "Vink aan dat u weet dat dit niet terug kan" in text_of(answer)
    answer = send(second, "/bewaren/voorstellen", form, {"sure": "ja"}, press=("answer", "ja"))
    assert answer.status_code == 303
    assert "Wij wissen nu 1 zaak" in text_of(second.get("/bewaren/voorstellen"))
    assert run_clock() == 1

    assert [exists(one.reference), exists(two.reference)] == [False, True]
    auditor = browser(desk.ready.people.auditor())
    page = text_of(auditor.get("/bewaren/register"))
    assert "Samen 1 zaak" in page
    assert one.reference not in page
    rows = list(csv.DictReader(io.StringIO(auditor.get("/bewaren/register.csv").get_data().decode("utf-8-sig"))))
    assert [(row["grond"], row["termijn"], row["uitkomst"], row["aantal"]) for row in rows] == [
        ("termijn", "gewoon", "geholpen", "1")
    ]
    assert rows[0]["voorgesteld_door"] != rows[0]["bevestigd_door"]


def test_a_coordinator_of_another_team_decides_without_seeing_which(desk, closed, browser, send):
    filed = closed()
    desk.later(days=740)
    first = browser(desk.ready.first("ondersteuning"))
    send(first, "/bewaren/ondersteuning", form_on(first, "/bewaren/ondersteuning", "case"), {"case": [filed.reference]})

    other = browser(desk.ready.first("juridisch"))
    page = text_of(other.get("/bewaren/voorstellen"))

    assert "Welke zaken het zijn, ziet alleen het team zelf" in page
    assert filed.reference not in page
    answer = send(
        other, "/bewaren/voorstellen", form_on(other, "/bewaren/voorstellen", "proposal"), {}, press=("answer", "nee")
    )
    assert answer.status_code == 303
    assert "De zaken blijven staan" in text_of(other.get("/bewaren/voorstellen"))


def test_nothing_chosen_is_said(desk, closed, browser, send):
    closed()
    desk.later(days=740)
    first = browser(desk.ready.first("ondersteuning"))

    answer = send(first, "/bewaren/ondersteuning", form_on(first, "/bewaren/ondersteuning", "case"), {})

    assert answer.status_code == 422
    assert "Kies minstens één zaak" in text_of(answer)


@pytest.mark.parametrize("path", ["/bewaren/ondersteuning/voorstel", "/bewaren/voorstellen", "/zaak/{}/bewaren"])
def test_destroying_and_holding_ask_a_second_factor_that_is_fresh(desk, closed, browser, clock, path, send):
    filed = closed()
    client = browser(desk.ready.first("ondersteuning"))
    page = client.get(f"/zaak/{filed.reference}/bewaren").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
    clock.forward(minutes=6)

    answer = client.post(path.format(filed.reference), data={"csrf_token": token})

    assert answer.status_code == 403
    assert "code" in answer.get_data(as_text=True)


def test_a_hold_is_placed_prolonged_and_ended_on_its_page(desk, closed, browser, send):
    filed, day = closed(), desk.now.date()
    first, path = browser(desk.ready.first("ondersteuning")), f"/zaak/{filed.reference}/bewaren"
    wrong = send(first, path, form_on(first, path, "ground"), {"ground": "rechtsvordering", "text": "Zitting."})
    assert wrong.status_code == 422
    assert "Vul een dag in waarop u opnieuw kijkt" in text_of(wrong)
    assert "Zitting." in wrong.get_data(as_text=True)
    late = {"ground": "rechtsvordering", "text": "Zitting.", "review_on": (day + timedelta(days=800)).isoformat()}
    assert "hoogstens een jaar ver" in text_of(send(first, path, form_on(first, path, "ground"), late))

    right = late | {"review_on": (day + timedelta(days=60)).isoformat()}
    assert send(first, path, form_on(first, path, "ground"), right).status_code == 303
    assert "Er loopt een rechtszaak" in text_of(first.get(path))
    assert "Er loopt een rechtszaak" in text_of(first.get("/bewaren/ondersteuning"))

    ends = send(first, path, form_on(first, path, "hold"), {"text": "Voorbij."}, press=("what", "einde"))
    assert ends.status_code == 303
    assert "Niets." in text_of(first.get(path))


def test_a_colleague_who_does_not_coordinate_sees_and_does_not_change(desk, closed, browser):
    filed = closed()
    client = browser(desk.ready.second("ondersteuning"))

    page = text_of(client.get(f"/zaak/{filed.reference}/bewaren"))

    assert "Langer bewaren kan alleen de coördinator" in page


@pytest.mark.parametrize("way", ["code", "account"])
def test_a_reporter_withdraws_everything_thinks_again_and_withdraws(desk, browser, send, run_clock, exists, clock, way):
    account = desk.ready.people.reporter() if way == "account" else None
    filed = desk.file(account=account.person) if account else desk.file()
    client = browser(account) if account else browser(code=filed.receipt_code)
    home = "/mijn-melding" if way == "code" else f"/mijn-meldingen/{filed.reference}"
    path = f"{home}/intrekken/alles"
    page = text_of(client.get(path))
    assert "Voor zover wij weten: niets" in page
    answers = {"sure": "ja"} | ({"code": filed.receipt_code} if way == "code" else {})

    assert send(client, path, form_on(client, path, "sure"), {}).status_code == 422
    if way == "code":
        wrong = send(client, path, form_on(client, path, "sure"), {"sure": "ja", "code": "XXXXX"})
        assert "Dit is niet de code van deze melding" in text_of(wrong)
    assert send(client, path, form_on(client, path, "sure"), answers).status_code == 303
    assert "Tot dan kunt u zich bedenken" in text_of(client.get(path))
    assert "U trok alles in" in text_of(client.get(home))

    undo = next(form for form in forms_of(client.get(path).get_data(as_text=True)) if "toch-niet" in form.action)
    assert send(client, path, undo, {}).status_code == 303
    assert "U trok alles in" not in text_of(client.get(home))
    assert send(client, path, undo, {}).status_code == 303  # twice does no harm

    assert send(client, path, form_on(client, path, "sure"), answers).status_code == 303
    desk.now = clock.now + timedelta(days=7, minutes=1)
    assert run_clock() == 1
    assert not exists(filed.reference)
    clock.now = desk.now
    assert client.get(home).status_code in (302, 303, 401, 404)


def test_pressure_is_on_no_page_of_the_reporter_and_on_that_of_the_team(desk, browser, send):
    filed = desk.file()
    client, path = browser(code=filed.receipt_code), "/mijn-melding/intrekken/alles"
    answers = {"sure": "ja", "code": filed.receipt_code, "pressure": "ja"}
    assert send(client, path, form_on(client, path, "sure"), answers).status_code == 303

    for page in ("/mijn-melding", path):
        assert "onder druk" not in text_of(client.get(page)).lower()
    member = browser(desk.ready.second("ondersteuning"))
    page = text_of(member.get(f"/zaak/{filed.reference}"))
    assert "De melder wil dat alles gewist wordt" in page


def test_how_long_we_keep_what_is_open_to_everybody(client):
    page = text_of(client.get("/bewaartermijnen"))

    for words in ("2 jaar", "5 jaar", "14 dagen", "35 dagen", "7 dagen", "1 jaar", "24 uur", "altijd"):
        assert words in page
