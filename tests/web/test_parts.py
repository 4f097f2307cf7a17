"""What the macros of a page owe its reader: label, hint and error tied together, nothing lost, nothing unescaped."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from flask import Flask
from flask_babel import Babel
from jinja2 import StrictUndefined
from lxml import html

from weerbaar_meldpunt.places import static_folder, templates_folder
from weerbaar_meldpunt.web import show

NOW = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
FORM = (
    '{% from "parts/form.html" import csrf, field_text, field_area, field_choice, field_checks, field_check, '
    "field_select, field_date, field_time, field_moment, field_files with context %}"
)
PAGE = (
    '{% from "parts/page.html" import notice, big_call, code_box, words_box, moment, urgency_badge, state_badge, due, '
    "paging, empty, summary_list, timeline, conversation, files, tabs, bar_chart with context %}"
)
ENDPOINTS = (
    "home.danger", "home.leave", "help.promises", "help.contact", "help.accessibility", "figures.public",
    "figures.manage", "receipt.enter", "receipt.leave", "signin.start", "signin.out", "queue.start",
    "people.overview", "people.own_account", "mine.overview", "report.begin", "claims.enter", "retention.public",
)  # fmt: skip


class Worker:
    """Somebody of a team, as far as the frame of a page looks at them."""

    name, is_reporter, asked = "Sanne de Wit", False, 0

    def has(self, role):
        return role == "behandelaar"

    def member_of(self, team):
        return team == "juridisch"


@pytest.fixture(scope="module")
def page():
    """A page out of a template's text, as a tree of elements."""
    app = Flask("parts", template_folder=str(templates_folder()), static_folder=str(static_folder()))
    app.jinja_env.undefined = StrictUndefined
    app.secret_key = "x"
    Babel(app, default_locale="nl")
    show.install(app)
    for number, endpoint in enumerate(ENDPOINTS):
        app.add_url_rule(f"/{number}", endpoint, lambda: "")
    app.add_url_rule("/werk/<team>", "queue.team", lambda team: "")
    telephone = {"nood": "112", "ot": "070-3738314"}

    def made(source, **values):
        with app.test_request_context():
            template = app.jinja_env.from_string(source)
            values = {"now": NOW, "telephone": telephone, "csrf_token": lambda: "token-1", "person": None} | values
            return html.fromstring(template.render(values))

    return made


PART = re.compile(r"(?P<tag>\w+)?(?:\.(?P<css>[\w-]+))?(?:\[(?P<name>[\w-]+)(?:=(?P<value>[^\]]+))?\])?")


def found(tree, selector):
    """The elements of a selector of the simple kind `tag.class[name=value] tag`."""
    path = ""
    for word in selector.split():
        part = PART.fullmatch(word)
        path += "//" + (part["tag"] or "*")
        path += f"[contains(concat(' ', @class, ' '), ' {part['css']} ')]" if part["css"] else ""
        path += (
            (f"[@{part['name']}='{part['value']}']" if part["value"] else f"[@{part['name']}]") if part["name"] else ""
        )
    return tree.xpath(path)


def shown(tree, selector):
    return [" ".join(element.text_content().split()) for element in found(tree, selector)]


def text_by_id(tree, ids):
    return " ".join(" ".join(tree.get_element_by_id(one).text_content().split()) for one in ids.split())


@pytest.mark.parametrize(
    "field",
    [
        'field_text("a", "Naam", hint="Uw roepnaam.", error="Kies een naam.")',
        'field_area("a", "Naam", hint="Uw roepnaam.", error="Kies een naam.")',
        'field_select("a", "Naam", [("x", "X")], hint="Uw roepnaam.", error="Kies een naam.")',
        'field_date("a", "Naam", hint="Uw roepnaam.", error="Kies een naam.")',
        'field_time("a", "Naam", hint="Uw roepnaam.", error="Kies een naam.")',
        'field_files("a", "Naam", hint="Uw roepnaam.", error="Kies een naam.")',
        'field_check("a", "Naam", hint="Uw roepnaam.", error="Kies een naam.")',
    ],
    ids=lambda field: field.split("(")[0],
)
def test_a_control_is_tied_to_its_label_its_hint_and_its_error(page, field):
    tree = page(FORM + "<form>{{ " + field + " }}</form>")

    control = tree.get_element_by_id("f-a")

    assert shown(tree, "label[for=f-a]") == ["Naam"]
    assert text_by_id(tree, control.get("aria-describedby")) == "Uw roepnaam. Fout: Kies een naam."
    assert control.get("aria-invalid") == "true"


@pytest.mark.parametrize("macro", ["field_choice", "field_checks"])
def test_a_group_of_boxes_has_a_question_and_each_box_a_label(page, macro):
    tree = page(
        FORM + "<form>{{ " + macro + '("a", "Waar?", [("x", "X", "Een x."), ("y", "Y")], hint="Kies.") }}</form>'
    )

    group, first, second = found(tree, "fieldset")[0], *found(tree, "input")

    assert shown(tree, "legend") == ["Waar?"]
    assert text_by_id(tree, group.get("aria-describedby")) == "Kies."
    assert [first.get("id"), second.get("id")] == ["f-a", "f-a-2"]
    assert text_by_id(tree, first.get("aria-describedby")) == "Een x."
    assert second.get("aria-describedby") is None
    assert shown(tree, "label[for=f-a-2]") == ["Y"]


def test_no_id_stands_twice_on_a_page_full_of_fields(page):
    tree = page(
        '{% extends "base.html" %}' + FORM + '{% set title = "Melden" %}{% block main %}<form>{{ csrf() }}'
        '{{ field_choice("a", "A", options("kinds"), hint="h", error="e") }}'
        '{{ field_checks("b", "B", options("roles"), hint="h", error="e") }}'
        '{{ field_check("c", "C", hint="h", error="e") }}{{ field_moment("d", "D", hint="h") }}'
        '{{ field_text("e", "E", hint="h") }}{{ field_text("e", "E", hint="h", id="other") }}</form>{% endblock %}',
        errors={"a": "Kies."},
    )

    ids = [element.get("id") for element in tree.iter() if element.get("id")]

    assert sorted(ids) == sorted(set(ids))


def test_every_answer_is_still_there(page):
    tree = page(
        FORM + '<form>{{ field_text("a", "A", value="<b>&\\"") }}{{ field_choice("b", "B", [("x", "X"), ("y", "Y")], '
        'value="y") }}{{ field_checks("c", "C", [("1", "1"), ("2", "2"), ("3", "3")], values=["1", 3]) }}'
        '{{ field_select("d", "D", choices("genders"), value="man", empty="Kies") }}'
        '{{ field_select("e", "E", groups=[("Noord", [("GM1", "Een")]), ("Zuid", [("GM2", "Twee")])], value="GM2") }}'
        "</form>"
    )

    assert tree.get_element_by_id("f-a").get("value") == '<b>&"'
    assert [box.get("value") for box in found(tree, "input[checked]")] == ["y", "1", "3"]
    assert shown(tree, "option[selected]") == ["Man", "Twee"]


@pytest.mark.parametrize("text", ["\nbegint met een witregel", "</textarea><script>alert(1)</script>", "  spaties  "])
def test_a_long_text_comes_back_as_it_was_typed(page, text):
    tree = page(FORM + '<form>{{ field_area("a", "A", value=text) }}</form>', text=text)

    # As a browser does: the first line break after the tag is not part of the text.
    assert tree.get_element_by_id("f-a").text.removeprefix("\n") == text
    assert found(tree, "script") == []


def test_a_password_is_never_sent_back(page):
    tree = page(FORM + '<form>{{ field_text("a", "A", value="geheim woord", type="password") }}</form>')

    assert "geheim" not in html.tostring(tree, encoding="unicode")


def test_what_is_wrong_stands_on_top_and_leads_to_the_question(page):
    tree = page(
        '{% extends "base.html" %}' + FORM + '{% set title = "Melden" %}{% block main %}'
        '<form>{{ field_text("a", "A") }}{{ field_choice("b", "B", choices("genders")) }}</form>{% endblock %}',
        errors={"a": "Kies een naam.", "b": "Kies een van de drie.", "": "Er is iets met de hele pagina."},
    )

    links = found(tree, ".error-summary a")

    assert [link.text for link in links] == ["Kies een naam.", "Kies een van de drie."]
    assert all(tree.get_element_by_id(link.get("href")[1:]).tag == "input" for link in links)
    assert "Er is iets met de hele pagina." in found(tree, ".error-summary")[0].text_content()
    assert found(tree, "title")[0].text == "Fout: Melden – Weerbaar meldpunt"


def test_a_page_without_errors_has_its_heading_first_in_the_title(page):
    tree = page('{% extends "base.html" %}{% set title = "Uw melding is binnen" %}')

    assert found(tree, "title")[0].text == "Uw melding is binnen – Weerbaar meldpunt"
    assert shown(tree, "h1") == ["Uw melding is binnen"]
    assert (tree.get("lang"), tree.get("dir")) == ("nl", "ltr")
    assert found(tree, ".error-summary") == []


def test_the_bar_with_112_and_the_way_out_stands_before_everything_of_a_reporter(page):
    tree = page('{% extends "base.html" %}{% set title = "Melden" %}')

    links = [link.get("href") for link in found(tree, "body a")]

    assert links[:3] == ["#inhoud", "tel:112", "/1"]
    assert found(tree, "a[data-quick-exit]")[0].get("href") == "/1"
    assert "tel:0703738314" in links


def test_a_worker_sees_the_own_teams_and_no_bar(page):
    tree = page('{% extends "base.html" %}{% set title = "Wachtrij" %}{% set current = "juridisch" %}', person=Worker())

    assert shown(tree, ".work-nav a") == ["Juridisch", "Cijfers", "Mijn account"]
    assert shown(tree, ".work-nav a[aria-current]") == ["Juridisch"]
    assert found(tree, ".danger-bar") == []
    assert found(tree, "form[action=/10] input[name=csrf_token]")[0].get("value") == "token-1"


@pytest.mark.parametrize("name", sorted(path.name for path in (templates_folder() / "errors").iterdir()))
def test_a_page_of_a_fault_needs_nothing_but_what_every_page_has(page, name):
    tree = page("{% include 'errors/" + name + "' %}")

    heading = shown(tree, "h1")

    assert len(heading) == 1
    assert found(tree, "title")[0].text.startswith(heading[0])


def test_a_fault_shows_even_when_nothing_of_us_works():
    app = Flask("broken", template_folder=str(templates_folder()))

    text = app.jinja_env.get_template("errors/fault.html").render()

    assert "Bel 112" in text


def test_what_somebody_wrote_is_given_back_when_a_form_came_too_late(page):
    tree = page("{% include 'errors/csrf.html' %}", typed=["Er stond iemand <b> voor mijn deur."])

    assert found(tree, "textarea")[0].text.strip() == "Er stond iemand <b> voor mijn deur."


def test_urgency_is_a_word_and_a_shape_not_a_colour_alone(page):
    tree = page(PAGE + '<p>{% for code, _text in choices("urgencies") %}{{ urgency_badge(code) }}{% endfor %}</p>')

    shapes = [html.tostring(svg) for svg in found(tree, "svg")]

    assert shown(tree, ".badge") == ["Acuut", "Hoog", "Midden", "Laag"]
    assert len(set(shapes)) == 4


def test_a_term_that_passed_says_so_in_words(page):
    tree = page(PAGE + '<p>{{ due(now, "eerste_contact", true) }}</p>')

    assert shown(tree, ".due") == ["Eerste contact De termijn was vandaag 12:30"]
    assert found(tree, "time")[0].get("datetime") == "2026-11-23T11:30:00+00:00"


def test_a_code_can_be_copied_by_hand_without_a_space_in_it(page):
    tree = page(PAGE + '<div>{{ code_box("H7KQ-2M4X-9TBD") }}</div>')

    assert tree.get_element_by_id("code").text_content() == "H7KQ-2M4X-9TBD"
    assert found(tree, "[data-needs-script]")[0].get("hidden") is not None


def test_an_empty_answer_is_said_not_left_blank(page):
    tree = page(
        PAGE + '<div>{{ summary_list([("A", ""), ("B", none), ("C", []), ("D", 0), ("E", ["x", "y"])]) }}</div>'
    )

    assert shown(tree, "dd") == ["niet ingevuld", "niet ingevuld", "niet ingevuld", "0", "xy"]


def test_a_message_that_does_not_open_is_a_marked_gap(page):
    messages = [
        SimpleNamespace(at=NOW, sender="melder", name=None, text="Hallo <i>"),
        SimpleNamespace(at=NOW, sender="juridisch", name="Sanne", text=None),
    ]

    tree = page(PAGE + "<div>{{ conversation(messages) }}</div>", messages=messages)

    assert shown(tree, "li .text") == ["Hallo <i>", "Dit bericht kunnen wij nu niet tonen. Het is niet weg."]
    assert shown(tree, "li .from") == ["U · vandaag om 12:30 uur", "Sanne, Juridisch · vandaag om 12:30 uur"]


def test_a_chart_says_the_same_in_a_table(page):
    tree = page(
        PAGE + '<div>{{ bar_chart("Meldingen", "Per functie.", [("Wethouder", 45), ("Raadslid", none)]) }}</div>'
    )

    assert shown(tree, "tbody td") == ["45", "niet bekend"]
    assert len(found(tree, "rect")) == 1
    assert found(tree, "svg")[0].get("role") == "img"


def test_no_template_of_ours_writes_style_or_script_into_a_page():
    written = [
        path.name
        for folder in ("parts", "errors")
        for path in (templates_folder() / folder).rglob("*.html")
        if any(mark in path.read_text("utf-8") for mark in (" style=", "<style", " onclick=", "javascript:", "<script"))
    ]

    assert written == []
