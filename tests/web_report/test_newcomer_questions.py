"""What a newcomer tripped over: a wish that is turned round, words that get lost, promises that are not kept."""

import re

import pytest

STORY = "Hij stond weer bij het hek."


def fill(visitor, step, values, press="verder"):
    return visitor.open(f"/melden/{step}").send(values, press=press, has=("_page",))


def send(visitor):
    return visitor.open("/melden/nakijken").send(action="/melden/nakijken")


def call_me(visitor, **values):
    return visitor.open("/melden/bel-mij").send(values, has=("_safe",))


# --- a wish is never turned round ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("safe", "night"), [("nee", None), ("ja", True), (None, True)])
def test_who_must_not_be_called_gives_no_leave_to_call_at_night(visitor, cases, clock, safe, night):
    call_me(visitor, **{"contact.telephone": "0612345678", "_safe": safe})

    assert cases.view(clock.now).report["contact"]["night_call"] is night


def test_nobody_among_those_who_may_know_means_nobody(visitor, cases, clock):
    fill(visitor, "weten", {"_sharing": ["politie", "platform", "niemand"]}, press="nakijken")

    assert "Wie het wel mag weten Niemand, ik wil eerst praten" in visitor.text
    assert "U vindt goed" not in visitor.text
    send(visitor)
    assert cases.view(clock.now).melding["sharing"] == {"met": ["niemand"], "via": ""}


def test_the_review_and_the_receipt_name_who_may_know_as_it_was_chosen(visitor):
    fill(visitor, "weten", {"_sharing": ["politie"]}, press="nakijken")
    review = visitor.text

    for text in (review, send(visitor).text):
        assert "U vindt goed dat wij iets vertellen aan: Politie. Wie niet: uw organisatie, uw partij." in text


def test_every_choice_for_somebody_else_says_so(visitor):
    options = re.findall(r"<option[^>]*>([^<]*)</option>", visitor.open("/melden/wie").html.split("target.role")[0])

    assert options[0] == "Voor mijzelf"
    assert len(options) > 5
    assert all(option.startswith("Voor iemand anders") for option in options[1:])


# --- nothing that was typed is lost ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pressed", "path"),
    [
        ("naar-verhaal", "/melden/verhaal?_terug=nakijken"),
        ("naar-bewijs", "/melden/bewijs?_terug=nakijken"),
        ("vragen", "/melden/bewijs"),
        ("bewaar", "/melden/bewaard"),
        ("nummer", "/melden/nakijken"),
    ],
)
def test_a_number_typed_at_the_review_is_kept_by_every_way_on(visitor, cases, pressed, path):
    fill(visitor, "verhaal", {"narrative": STORY}, press="nakijken")
    data = visitor.values("contact.telephone", with_={"contact.telephone": "0612345678", "doen": pressed})
    assert f'form="versturen" name="doen" value="{pressed.replace("bewijs", "verhaal")}"' in visitor.html

    visitor.post("/melden/nakijken", data)

    assert visitor.path == path
    assert len(cases) == 0
    assert "0612345678" in visitor.open("/melden/nakijken").text


def test_enter_in_the_field_of_the_number_sends_nothing(visitor):
    fill(visitor, "verhaal", {"narrative": STORY}, press="nakijken")

    first = re.search(r'<button[^>]*form="versturen"[^>]*>', visitor.html)[0]

    assert 'value="nummer"' in first


def test_more_about_the_office_keeps_what_was_chosen_and_goes_on_from_there(visitor):
    fill(visitor, "wie", {"target.role": "wethouder", "reporter.relation": "griffier"}, press="ambt")
    assert visitor.path == "/melden/ambt"

    visitor.send({}, press="verder", has=("_page",))

    assert visitor.path == "/melden/namens"
    assert visitor.open("/melden/wie").values("target.role")["target.role"] == "wethouder"


def test_more_about_the_office_from_the_review_goes_back_to_the_review(visitor):
    visitor.open("/melden/wie?_terug=nakijken").send({"target.role": "raadslid"}, press="ambt")
    assert visitor.path == "/melden/ambt?_terug=nakijken"

    visitor.send({}, press="nakijken", has=("_page",))

    assert visitor.path == "/melden/nakijken"


def test_the_code_of_a_draft_works_where_a_case_is_asked(visitor, visit, code_on):
    code = code_on(fill(visitor, "verhaal", {"narrative": STORY}, press="bewaar"))

    other = visit().open("/terug").send({"code": code})

    assert other.path == "/melden/nakijken"
    assert STORY in other.text


def test_the_code_of_a_draft_first_shows_the_code_of_another_draft_in_this_browser(visitor, visit, code_on):
    code = code_on(fill(visitor, "verhaal", {"narrative": STORY}, press="bewaar"))
    other = fill(visit(), "verhaal", {"narrative": "Iets anders."})

    other.open("/terug").send({"code": code})
    assert other.status == 409
    other.send({}, press="toch", has=("code",))

    assert STORY in other.text


def test_the_code_of_a_case_works_where_a_draft_is_asked(visitor, visit, code_on):
    fill(visitor, "verhaal", {"narrative": STORY})
    code = code_on(send(visitor))

    other = visit().open("/melden/verder").send({"code": code})

    assert other.heading == "Uw melding"


# --- a number --------------------------------------------------------------------------------------------------------


def test_a_number_that_is_none_is_asked_once_more_and_never_keeps_a_call_for_help_back(visitor, cases, roster):
    roster()
    call_me(visitor, **{"contact.telephone": "zesnul12", "_safe": "ja"})
    assert visitor.status == 422
    assert "Klopt dit nummer? U schreef: zesnul12." in visitor.text

    visitor.send({}, press="zonder", has=("contact.telephone",))

    assert len(cases) == 1
    assert "Wij hebben geen nummer om u te bellen. Wij schrijven u vandaag vóór 13:00 uur een bericht." in visitor.text
    assert "Wij willen u" not in visitor.text


@pytest.mark.parametrize(
    ("number", "odd"),
    [("06 12345678", False), ("+31 (0)6-12345678", False), ("070/3738314", False), ("06-123", True), ("zes", True)],
)
def test_the_review_asks_whether_an_odd_number_is_right_and_sends_it_all_the_same(visitor, cases, clock, number, odd):
    fill(visitor, "bereiken", {"contact.telephone": number})
    assert visitor.status == 200

    assert ("Klopt dit nummer?" in visitor.open("/melden/nakijken").text) is odd
    send(visitor)
    assert cases.view(clock.now).report["contact"]["telephone"] == number


# --- an organisation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "code", "shown"),
    [("wethouder", "GM0344", "Utrecht (gemeente)"), ("gedeputeerde", "PV26", "Utrecht (provincie)")],
)
def test_the_office_decides_between_two_organisations_of_one_name(visitor, cases, clock, role, code, shown):
    fill(visitor, "wie", {"target.role": role, "target.organisation": "Utrecht"}, press="nakijken")

    assert shown in visitor.text
    send(visitor)
    assert cases.view(clock.now).report["target"]["organisation"] == code


def test_without_an_office_it_is_asked_which_of_the_two(visitor):
    fill(visitor, "wie", {"target.organisation": "Utrecht"})

    assert visitor.status == 422
    assert "Bedoelt u" in visitor.text


# --- what is promised ------------------------------------------------------------------------------------------------


def test_who_reports_for_another_reads_how_the_report_is_handed_over(visitor):
    fill(visitor, "wie", {"reporter.relation": "griffier"}, press="nakijken")
    text = send(visitor).text

    assert "op deze website, onder “Een melding overnemen”" in text
    assert "Daarna kiest die of u nog mag meekijken." in text


def test_what_was_reported_says_that_an_address_came_in_and_stands_apart(visitor):
    fill(visitor, "adres", {"private.home_address": "Dorpsstraat 1"})
    send(visitor).send(action="/terug")

    assert "Adres, gezin en gewoonten staan apart, en daarom niet op deze pagina." in visitor.text
    assert "Dorpsstraat 1" not in visitor.text
    assert "Dorpsstraat 1" in visitor.open("/mijn-melding/gegevens/adres").text


def test_help_says_what_snel_weg_does_to_what_was_not_sent(visitor):
    assert "U kunt alleen verder als u de code van uw concept hebt opgeschreven." in visitor.open("/hulp").text


def test_every_number_of_the_first_page_is_a_link_that_stays_on_one_line(visitor):
    page = visitor.open("/").html.split("<main")[1].split("</main")[0]

    assert set(re.findall(r'href="tel:([0-9]+)"', page)) >= {"112", "113", "0703738314"}
    assert "070-3738314" not in page
    assert "070-\u20603738314" in page


def test_a_report_of_which_nothing_was_filled_in_is_sent_with_only_a_number(app, ready, read_review_form):
    browser = app.test_client()
    data = read_review_form(browser) | {"contact.telephone": "06-00001111", "contact.channel": "telefoon"}

    first = browser.post("/melden/nakijken", data=data)
    again = app.test_client()
    for cookie in ("wmp-pre",):
        found = browser.get_cookie(cookie)
        if found:
            again.set_cookie(cookie, found.value)
    second = again.post("/melden/nakijken", data=data)

    assert first.status_code == 303
    assert "Uw melding is binnen." in browser.get("/melden/ontvangen").get_data(as_text=True)
    assert second.status_code in (200, 303, 400)
    from sqlalchemy import func, select

    from weerbaar_meldpunt.store.cases import Case

    with ready.instance.readings() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 1


@pytest.fixture
def read_review_form():
    """The hidden fields of the review, as a visitor without a draft gets them."""
    import re

    def read(browser):
        page = browser.get("/melden/nakijken").get_data(as_text=True)
        form = page[page.index('id="versturen"') :]
        return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))

    return read
