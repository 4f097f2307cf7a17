"""What the reporter gets once it is sent: when, who, a promise only with cover, words, codes, what to do now."""

import re

import pytest


@pytest.fixture
def file_it(visitor):
    """Fill in some steps and send; answers the visitor at the receipt."""

    def filed(**steps):
        visitor.open("/melden/soort").send({}, press="verder", has=("_page",))
        for step, values in steps.items():
            visitor.open(f"/melden/{step.replace('_', '-')}").send(values, press="verder", has=("_page",))
        visitor.open("/melden/nakijken").send(action="/melden/nakijken")
        assert visitor.path == "/melden/ontvangen"
        return visitor

    return filed


HIGH = {"soort": {"incident.kinds": ["doxing"]}}
CALL = {"bereiken": {"contact.telephone": "0612345678"}}


def test_it_says_when_it_came_in_who_reads_it_and_what_to_do_now(file_it):
    text = file_it(**HIGH).text

    assert "Uw melding is binnen. maandag 23 november 2026 om 12:30 uur" in text
    assert "Wie leest dit? Ondersteuningsteam Weerbaar Bestuur" in text
    assert "wis niets, antwoord niet, maak een schermfoto met naam en tijd erop" in text


def test_a_time_is_promised_while_the_roster_covers_it(file_it, roster):
    roster()

    assert "Wij willen u vandaag vóór 16:30 uur bellen." in file_it(**HIGH, **CALL).text


def test_without_cover_no_time_is_promised(file_it):
    text = file_it(**HIGH, **CALL).text

    assert "16:30" not in text
    assert "Op dit moment is er geen dienst om een tijd te beloven." in text
    assert "Bel 070-3738314, of 112 bij gevaar." in text


def test_cover_that_ends_before_the_promised_moment_is_no_cover(file_it, roster):
    roster(hours=3)

    assert "16:30" not in file_it(**HIGH, **CALL).text


def test_whoever_does_not_want_a_call_is_written_to(file_it, roster):
    roster()

    text = file_it(**HIGH, bereiken={"contact.telephone": "0612345678", "contact.channel": "bericht"}).text

    assert "U wilde niet gebeld worden. Wij schrijven u vandaag vóór 16:30 uur." in text


def test_without_a_number_it_says_that_we_write(file_it, roster):
    roster()

    assert "Wij hebben geen nummer om u te bellen. Wij schrijven u vandaag vóór" in file_it(**HIGH).text


def test_the_control_words_say_what_to_do_with_a_caller_who_does_not_know_them(file_it):
    text = file_it(**HIGH).text

    assert re.search(r"Controlewoorden \w+ \w+ Wie namens ons belt, noemt deze woorden eerst.", text)
    assert "Noemt de beller ze niet? Hang op en bel 070-3738314." in text


@pytest.mark.parametrize(
    "steps",
    [
        HIGH | {"wie": {"target.role": "raadslid"}},
        {"gevaar": {"incident.life_in_danger_self": "ja"}, "wie": {"target.role": "raadslid"}},
        {"soort": {"preventive": "ja"}, "wie": {"target.role": "raadslid"}},
    ],
    ids=["high", "acute", "low"],
)
def test_no_receipt_speaks_of_a_right_somebody_does_not_have(file_it, steps):
    text = file_it(**steps).text

    for words in ("geen recht", "De regeling geldt niet", "komt niet in aanmerking", "afgewezen", "regeling"):
        assert words not in text


def test_whoever_gets_no_team_is_told_what_there_is(file_it):
    text = file_it(soort={"preventive": "ja"}, wie={"target.role": "raadslid"}).text

    assert "Dit kan wel" in text
    assert "Steunpakket" in text


def test_the_days_that_matter_are_told_with_the_advice_to_have_them_confirmed(file_it):
    text = file_it(
        juridisch={"legal.kind": "kort_geding", "legal._decided": "ja"},
        stukken={"legal.event_on": "2026-11-10", "legal.act_before": "2026-12-01"},
    ).text

    assert "dinsdag 1 december 2026 : Datum op het stuk" in text
    assert "dinsdag 8 december 2026 : Hoger beroep in kort geding" in text
    assert "Laat een advocaat de termijn bevestigen." in text


def test_a_term_that_is_only_our_own_reckoning_is_not_told(file_it):
    text = file_it(
        juridisch={"legal.kind": "bezwaarreeks", "legal._decided": "ja"}, stukken={"legal.event_on": "2026-11-10"}
    ).text

    assert "Let op deze dagen" not in text


def test_who_reports_for_another_gets_a_code_to_hand_over(file_it, code_on):
    visitor = file_it(
        wie={"reporter.relation": "griffier", "target.role": "raadslid"}, namens={"reporter.consent": "nee"}
    )

    assert "Deze melding is van het raadslid, niet van u." in visitor.text
    assert code_on(visitor, "claim") != code_on(visitor, "code")
    assert "Niet per mail van de organisatie." in visitor.text
    assert "Geldig tot woensdag 23 december 2026." in visitor.text
    assert "Wij bellen de ander pas als dat mag." in visitor.text


def test_who_reports_for_oneself_gets_no_code_to_hand_over(file_it):
    assert "Code om door te geven" not in file_it(**HIGH).text


def test_with_an_account_there_is_no_code_and_the_case_stands_under_mijn_meldingen(file_it, visitor, ready, sign_in):
    sign_in(visitor.client, ready.people.reporter())

    file_it(**HIGH)

    assert "Uw code om terug te komen" not in visitor.text
    visitor.open("/mijn-meldingen")
    assert "Melding van vandaag om" in visitor.text
    assert "Ondersteuningsteam Weerbaar Bestuur: Nog niet opgepakt" in visitor.text


def test_a_member_of_staff_reports_like_anybody_else(file_it, visitor, ready, sign_in):
    sign_in(visitor.client, ready.second("juridisch"))

    assert "Uw code om terug te komen" in file_it(**HIGH).text


def test_after_klaar_this_browser_has_forgotten_it(file_it):
    visitor = file_it(**HIGH)

    visitor.send(action="/melden/weg", has=("csrf_token",))

    assert visitor.open("/melden/ontvangen").path == "/terug"


def test_the_way_out_leaves_no_way_back_to_the_receipt(file_it, code_on):
    visitor = file_it(**HIGH)
    code = code_on(visitor)

    visitor.client.get("/snel-weg")

    assert code not in visitor.open("/melden/ontvangen").html
    assert code not in visitor.open("/melden/").html


# --- "laat ons u bellen" ---------------------------------------------------------------------------------------------


def ask(visitor, **values):
    named = {
        f"contact.{name}" if name in ("telephone", "name") else f"_{name}": value for name, value in values.items()
    }
    return visitor.open("/melden/bel-mij").send(named, has=("contact.telephone",))


def test_a_request_to_be_called_is_an_acute_case_at_once(visitor, cases, clock, roster):
    roster()

    ask(visitor, telephone="0612345678", safe="ja")

    assert visitor.heading == "Wij weten het."
    assert "Wij willen u vandaag vóór 13:00 uur bellen." in visitor.text
    assert "Belt er dan nog niemand? Bel zelf 070-3738314." in visitor.text
    assert "Wordt het erger? Bel 112. Wacht niet op ons." in visitor.text
    assert "Nog niet gezien." in visitor.text
    case = cases.view(clock.now)
    assert case.answer["urgency"] == "acuut"
    assert case.report["contact"]["telephone"] == "0612345678"
    assert "ondersteuning" in case.answer["routes"]


def test_without_cover_the_request_is_in_and_nobody_is_promised(visitor, cases):
    ask(visitor, telephone="0612345678", safe="ja")

    assert visitor.heading == "Uw verzoek is binnen."
    assert "Op dit moment is er geen dienst om te bellen. Bel zelf 070-3738314, of 112 bij gevaar." in visitor.text
    assert "13:00" not in visitor.text
    assert len(cases) == 1


def test_the_request_says_honestly_what_was_asked_and_what_was_not(visitor, cases, clock):
    ask(visitor, telephone="0612345678", safe="nee", name="Anna")

    report = cases.view(clock.now).report
    assert report["incident"]["happening_now"] is True
    assert report["incident"]["concrete_threat"] is True
    assert report["incident"]["kinds"] == []
    assert report["contact"]["channel"] == "bericht"
    assert report["contact"]["name"] == "Anna"
    assert report["narrative"] == (
        "Verzoek om nu gebeld te worden. De melder zei: er is gevaar, of dat kan zo zijn. "
        "Bellen is niet veilig. Stuur eerst een bericht. Meer is er niet gevraagd."
    )


def test_pressed_twice_is_one_case_and_one_code(visitor, cases, code_on):
    ask(visitor, telephone="0612345678", safe="ja")
    first = code_on(visitor)

    visitor.post(*visitor.sent)

    assert code_on(visitor) == first
    assert len(cases) == 1


def test_a_forgotten_number_is_asked_once_and_never_holds_it_back(visitor, cases, clock):
    ask(visitor, safe="ja")
    assert visitor.status == 422
    assert "Op welk nummer kunnen wij u bellen?" in visitor.text
    assert len(cases) == 0

    visitor.send({}, press="zonder", has=("contact.telephone",))

    assert visitor.status == 200
    assert cases.view(clock.now).answer["urgency"] == "acuut"


def test_once_somebody_looked_the_reporter_sees_when(visitor, cases, clock):
    ask(visitor, telephone="0612345678", safe="ja")
    clock.forward(minutes=4)
    cases.view(clock.now)

    assert "Gezien om 12:34." in visitor.open("/melden/ontvangen").text


def test_a_report_that_was_being_written_waits_while_its_reporter_is_called(visitor, cases):
    visitor.open("/melden/verhaal").send({"narrative": "Ik was al bezig met schrijven."}, press="verder")

    ask(visitor, telephone="0612345678", safe="ja")
    visitor.send(action="/melden/terug-naar-concept", has=("csrf_token",))

    assert visitor.path == "/melden/nakijken"
    assert "Ik was al bezig met schrijven." in visitor.text
    assert len(cases) == 1


def test_the_number_to_call_stands_on_every_page_of_the_report(visitor):
    for path in ("/melden/", "/melden/soort", "/melden/bewijs", "/melden/nakijken", "/melden/bel-mij", "/terug"):
        visitor.open(path)
        assert 'href="tel:112"' in visitor.html
        assert "070-3738314" in visitor.html
        assert "/snel-weg" in visitor.html
