"""The pages of the figures: the same for every reader, and closing, approving and publishing for the editors."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest

NOVEMBER = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 2, 9, 0, tzinfo=UTC)
PUBLIC = ("/cijfers/", "/cijfers/2026-11", "/cijfers/methode", "/cijfers/meldingen.csv", "/cijfers/codes.csv")


@pytest.fixture
def published(desk):
    """An instance with one published month."""
    desk.validate(NOVEMBER, 11)
    desk.handle(NOVEMBER)
    desk.all("2026-11")
    return desk


@pytest.fixture
def as_editor(app, sign_in, clock):
    """Sign an editor in, in a browser of their own, in December."""

    def signed(account):
        clock.now = max(clock.now, DECEMBER)
        return sign_in(app.test_client(), account)

    return signed


def token(answer):
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.get_data(as_text=True)).group(1)


def do(client, path, *, on=None, **fields):
    """Send the form of a page."""
    return client.post(path, data={"csrf_token": token(client.get(on or path))} | fields)


def test_before_the_first_month_the_page_says_so_and_promises_what_it_will_promise(client, desk):
    page = client.get("/cijfers/").get_data(as_text=True)

    assert "Er zijn nog geen cijfers." in page
    assert "Alle aantallen zijn afgerond op vijftallen." in page
    assert client.get("/cijfers/2026-11").status_code == 404


def test_a_published_month_is_shown_in_tables_with_nought_to_four_for_nothing(client, published):
    page = client.get("/cijfers/2026-11").get_data(as_text=True)

    assert "Cijfers van november 2026" in page
    assert '<td class="n">10</td>' in page
    assert "0–4" in page
    assert '<td class="n">0</td>' not in page
    assert "Meldingen naar functie en soort incident" in page
    assert "Afgesloten zaken naar tijd tot afsluiten" in page
    assert page.count("<h1>") == 1


@pytest.mark.parametrize("state", ["prepared", "approved"])
def test_what_is_not_published_is_nowhere_to_be_seen(client, desk, state):
    desk.validate(NOVEMBER, 11)
    desk.close("2026-11")
    if state == "approved":
        desk.approve("2026-11")

    assert client.get("/cijfers/2026-11").status_code == 404
    assert "november" not in client.get("/cijfers/").get_data(as_text=True)
    assert b"2026" not in client.get("/cijfers/meldingen.csv").data


def test_what_is_no_month_is_no_page(client, published):
    for path in ("/cijfers/2026-13", "/cijfers/x", "/cijfers/2026-11.csv", "/cijfers/kosten.csv", "/cijfers/2026-11/x"):
        assert client.get(path).status_code == 404


def test_the_file_of_a_measure_holds_every_published_period(client, published):
    answer = client.get("/cijfers/meldingen.csv")

    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))
    assert {row["period"] for row in rows} == {"2026-11", "2026-01/2026-11"}
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="meldingen.csv"'


def test_public_pages_may_be_kept_and_read_by_anybody_and_set_no_cookie(client, published):
    for path in PUBLIC:
        answer = client.get(path)

        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "X-Robots-Tag" not in answer.headers
        assert "X-Public" not in answer.headers
        assert "Set-Cookie" not in answer.headers
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_public_page_is_the_same_for_who_is_signed_in(client, as_editor, published):
    editor = as_editor(published.accounts[0])

    for path in PUBLIC:
        assert editor.get(path).data == client.get(path).data


def test_a_message_that_waits_is_not_shown_on_a_public_page_and_still_waits(desk, as_editor):
    desk.validate(NOVEMBER, 11)
    editor = as_editor(desk.accounts[0])
    do(editor, "/cijfers/beheer/afsluiten", period="2026-11", sure="ja")

    assert "De maand is afgesloten" not in editor.get("/cijfers/").get_data(as_text=True)
    assert "De maand is afgesloten" in editor.get("/cijfers/beheer").get_data(as_text=True)


def test_two_editors_bring_a_month_out_through_the_pages(client, desk, as_editor):
    desk.validate(NOVEMBER, 11)
    one, other = as_editor(desk.accounts[0]), as_editor(desk.accounts[1])

    closed = do(one, "/cijfers/beheer/afsluiten", period="2026-11", sure="ja")
    approved = do(other, "/cijfers/beheer/2026-11/goedkeuren", on="/cijfers/beheer/2026-11", sure="ja")
    out = do(one, "/cijfers/beheer/2026-11/publiceren", on="/cijfers/beheer/2026-11", sure="ja")

    assert [answer.status_code for answer in (closed, approved, out)] == [303, 303, 303]
    assert "november 2026" in client.get("/cijfers/").get_data(as_text=True).lower()
    assert client.get("/cijfers/2026-11").status_code == 200
    assert "openbaar" in one.get("/cijfers/beheer").get_data(as_text=True)


def test_nothing_happens_without_the_tick_and_the_page_says_what_is_missing(desk, as_editor):
    one = as_editor(desk.accounts[0])

    answer = do(one, "/cijfers/beheer/afsluiten", period="2026-11")

    assert answer.status_code == 422
    assert "Vink aan" in answer.get_data(as_text=True)
    assert "geen maand afgesloten" in one.get("/cijfers/beheer").get_data(as_text=True)


def test_who_closed_the_month_is_not_offered_to_approve_it_and_cannot(desk, as_editor):
    one = as_editor(desk.accounts[0])
    do(one, "/cijfers/beheer/afsluiten", period="2026-11", sure="ja")
    page = one.get("/cijfers/beheer/2026-11")

    refused = one.post(
        "/cijfers/beheer/2026-11/goedkeuren",
        data={"csrf_token": token(one.get("/cijfers/beheer/afsluiten")), "sure": "ja"},
    )

    assert "goedkeuren" not in page.get_data(as_text=True)
    assert refused.status_code == 403


def test_a_month_that_still_runs_is_not_closed(app, desk, sign_in):
    one = sign_in(app.test_client(), desk.accounts[0])  # in November

    assert "loopt nog" in one.get("/cijfers/beheer").get_data(as_text=True)
    assert do(one, "/cijfers/beheer/afsluiten", period="2026-11", sure="ja").status_code == 403


def test_a_month_without_a_safe_edition_stays_open_and_the_page_says_so(desk, as_editor, monkeypatch):
    from weerbaar_meldpunt.actions import figures

    def refuse(*_args):
        raise figures.Unpublishable("a promise")

    desk.validate(NOVEMBER, 11)
    monkeypatch.setattr(figures, "require_publishable", refuse)
    one = as_editor(desk.accounts[0])

    answer = do(one, "/cijfers/beheer/afsluiten", period="2026-11", sure="ja")

    assert answer.status_code == 409
    assert "niets veranderd" in answer.get_data(as_text=True)
    assert "geen maand afgesloten" in one.get("/cijfers/beheer").get_data(as_text=True)


def test_the_editors_pages_are_for_editors_only(client, as_editor, published, people):
    strangers = [as_editor(people.beheerder()), as_editor(people.reporter())]

    for path in ("/cijfers/beheer", "/cijfers/beheer/afsluiten", "/cijfers/beheer/2026-11"):
        assert client.get(path).status_code == 303
        assert [stranger.get(path).status_code for stranger in strangers] == [404, 404]


def test_an_editor_without_the_key_sees_what_to_do(published, people, as_editor):
    page = as_editor(people.statistiekredacteur()).get("/cijfers/beheer").get_data(as_text=True)

    assert "Nog geen sleutel" in page
    assert "/cijfers/beheer/afsluiten" not in page


def test_no_page_no_file_and_no_log_line_holds_a_true_count(client, desk, as_editor, caplog):
    caplog.set_level("DEBUG")
    # 23 and 13 are shown as 20 or 25 and as 10 or 15.
    desk.validate(NOVEMBER, 23)
    desk.validate(NOVEMBER, 13, provincie="ZH")
    desk.all("2026-11")
    editor = as_editor(desk.accounts[0])

    pages = [client.get(path) for path in PUBLIC[:2]] + [editor.get("/cijfers/beheer/2026-11")]
    for answer in pages:
        numbers = re.findall(r'<td class="n">([^<]*)</td>', answer.get_data(as_text=True))
        assert all(number == "0–4" or int(number) % 5 == 0 for number in numbers)
    values = {row["value"] for row in csv.DictReader(io.StringIO(client.get(PUBLIC[3]).get_data(as_text=True)))}
    assert all(int(value) % 5 == 0 for value in values)
    # A log line ends in how long it took and a random number of the request.
    said = [re.sub(r"\d+ms \w+$", "", record.getMessage()) for record in caplog.records]
    assert not re.search(r"\b(23|13|36)\b", " ".join(said))
