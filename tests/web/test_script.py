"""The one script of the pages, in a real browser: out at once, nothing typed lost by accident, nothing sent twice."""

import threading

import pytest
from flask import Flask, render_template_string, request
from flask_babel import Babel
from werkzeug.serving import make_server

from weerbaar_meldpunt.places import static_folder, templates_folder
from weerbaar_meldpunt.web import show
from weerbaar_meldpunt.web.headers import POLICY

pytestmark = pytest.mark.browser

ENDPOINTS = (
    "home.danger", "help.promises", "help.contact", "help.accessibility", "figures.public", "receipt.enter",
    "signin.start", "retention.public", "claims.enter",
)  # fmt: skip
PAGE = """{% extends "base.html" %}{% set title = "Melden" %}
{% from "parts/form.html" import field_area, field_files, buttons, csrf with context %}
{% from "parts/page.html" import code_box with context %}
{% block main %}<form method="post" action="/sent" data-keep enctype="multipart/form-data">{{ csrf() }}
{{ field_area("text", "Wat is er gebeurd?") }}{{ field_files("files", "Bestanden", max_bytes=2000) }}
{{ buttons("Verstuur") }}</form>{{ code_box("H7KQ-2M4X") }}{% endblock %}"""


@pytest.fixture(scope="module")
def site():
    """A server with one page of every script, under the real policy; what was sent to it is counted."""
    app = Flask("script", template_folder=str(templates_folder()), static_folder=str(static_folder()))
    app.secret_key = "x"
    Babel(app, default_locale="nl")
    show.install(app)
    sent = []
    for endpoint in ENDPOINTS:
        app.add_url_rule(f"/{endpoint}", endpoint, lambda: "elders")
    app.add_url_rule("/favicon.ico", "icon", lambda: ("", 204))
    app.add_url_rule("/weg", "home.leave", lambda: "<title>Het weer</title>Het weer", methods=["GET"])

    @app.route("/")
    def page():
        values = {"telephone": {"nood": "112", "ot": "070-3738314"}, "person": None, "csrf_token": lambda: "t"}
        return render_template_string(PAGE, **values)

    @app.post("/sent")
    def take():
        sent.append(request.form["text"])
        return "", 204

    @app.after_request
    def policy(response):
        response.headers["Content-Security-Policy"] = POLICY
        return response

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}", sent
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(site, chromium):
    """The page, open; what the browser complains of is a failure."""
    context = chromium.new_context()
    context.set_default_timeout(5000)
    opened, complaints = context.new_page(), []
    opened.on("pageerror", lambda fault: complaints.append(str(fault)))
    opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    opened.goto(site[0] + "/")
    yield opened
    context.close()
    assert complaints == []


def test_escape_twice_leaves_at_once_and_the_page_is_out_of_the_history(page, site):
    before = page.evaluate("history.length")

    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_url("**/weg")

    assert page.title() == "Het weer"
    assert page.evaluate("history.length") == before


def test_escape_once_stays(page):
    page.keyboard.press("Escape")
    page.wait_for_timeout(1200)
    page.keyboard.press("Escape")
    page.wait_for_timeout(200)

    assert page.title().startswith("Melden")


def test_escape_and_another_key_in_between_stays(page):
    for key in ("Escape", "a", "Escape"):
        page.keyboard.press(key)
    page.wait_for_timeout(200)

    assert page.title().startswith("Melden")


def test_nothing_asks_a_question_of_who_wants_to_get_away(page):
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_label("Wat is er gebeurd?").fill("Er staat iemand voor de deur.")

    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_url("**/weg")

    assert asked == []


def test_the_button_leaves_without_a_question_too(page):
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_label("Wat is er gebeurd?").fill("Er staat iemand voor de deur.")

    page.get_by_role("link", name="Snel weg").click()
    page.wait_for_url("**/weg")

    assert asked == []


def test_leaving_by_accident_asks_first(page):
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_label("Wat is er gebeurd?").press_sequentially("Halverwege een zin")

    page.get_by_role("link", name="Toegankelijkheid").click()
    page.wait_for_timeout(300)

    assert asked == ["beforeunload"]
    assert page.title().startswith("Melden")


def test_a_form_is_sent_once_however_often_the_button_is_pressed(page, site):
    page.get_by_label("Wat is er gebeurd?").fill("dubbel")

    for _ in range(3):
        page.get_by_role("button", name="Verstuur").click(force=True)
    page.wait_for_timeout(300)

    assert site[1].count("dubbel") == 1


def test_chosen_files_are_named_as_text_and_one_that_is_too_large_says_so(page):
    files = [
        {"name": "<img src=x onerror=alert(1)>.png", "mimeType": "image/png", "buffer": b"a" * 900},
        {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"a" * 2100},
    ]

    page.get_by_label("Bestanden").set_input_files(files)

    rows = page.locator(".chosen-files li")
    assert rows.all_inner_texts() == [
        "<img src=x onerror=alert(1)>.png\n900 bytes",
        "film.mp4\n2,1 kB, te groot: maximaal 2 kB",
    ]
    assert page.locator(".chosen-files img").count() == 0


def test_a_code_is_copied_whole(page, site):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site[0])

    page.get_by_role("button", name="Kopieer").click()
    page.get_by_text("Gekopieerd").wait_for()

    assert page.evaluate("navigator.clipboard.readText()") == "H7KQ-2M4X"


def test_without_script_nothing_is_offered_that_needs_it(site, chromium):
    context = chromium.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(site[0] + "/")

    assert opened.get_by_role("link", name="Snel weg").get_attribute("href") == "/weg"
    assert not opened.get_by_text("of twee keer Esc").is_visible()
    assert opened.get_by_role("button", name="Kopieer").count() == 0
    context.close()
