"""What somebody typed stays, whatever happens: a wrong answer, two windows, two presses, a session that ended."""

import threading
from datetime import timedelta

import pytest

from weerbaar_meldpunt.web import sending

STORY = "Hij stond weer bij het hek. Ik durf de hond niet meer uit te laten."


def write(visitor, text=STORY, press="verder"):
    return visitor.open("/melden/verhaal").send({"narrative": text}, press=press)


# --- a wrong answer --------------------------------------------------------------------------------------------------


def test_a_day_that_does_not_exist_is_said_at_its_field_with_everything_still_there(visitor, cases):
    visitor.open("/melden/waar").send(
        {"incident.occurred_at_date": "2026-02-31", "incident.channels": ["telefoon"], "incident.message_count": "12"},
        press="verder",
    )

    assert visitor.status == 422
    assert "Deze dag bestaat niet, of wij lezen hem niet. Schrijf hem zo: 23-11-2026." in visitor.text
    assert 'value="2026-02-31"' in visitor.html
    assert 'href="#f-incident.occurred_at"' in visitor.html
    assert visitor.html.count('id="f-incident.occurred_at"') == 1
    values = visitor.values("incident.channels")
    assert values["incident.channels"] == "telefoon"
    assert values["incident.message_count"] == "12"
    assert len(cases) == 0


def test_a_code_nobody_knows_is_said_plainly_and_the_other_answers_stay(visitor, cases):
    visitor.open("/melden/soort").send({"incident.kinds": ["doxing", "ufo"]}, press="verder")

    assert visitor.status == 422
    assert "Dit antwoord kennen wij niet. Kies opnieuw, of sla de vraag over." in visitor.text
    assert visitor.values("incident.kinds").getlist("incident.kinds") == ["doxing"]
    assert "ufo" not in visitor.text


def test_an_organisation_that_can_be_two_is_asked_which(visitor):
    visitor.open("/melden/wie").send({"target.organisation": "Utrecht"}, press="verder")

    assert visitor.status == 422
    assert "Bedoelt u Utrecht (gemeente) of Utrecht (provincie)?" in visitor.text


def test_a_wrong_answer_never_keeps_a_report_back(visitor, cases, clock):
    visitor.open("/melden/waar").send(
        {"incident.occurred_at_date": "31-02-2026", "incident.channels": ["thuis"]}, press="nakijken"
    )
    assert "Dit konden wij niet lezen" in visitor.text
    assert "31-02-2026" in visitor.text

    visitor.send(action="/melden/nakijken", press="toch")

    assert visitor.heading == "Uw melding is binnen."
    report = cases.view(clock.now).report
    assert report["incident"]["channels"] == ["thuis"]
    assert report["incident"]["occurred_at"] is None
    assert "Wanneer het gebeurde: 31-02-2026" in report["narrative"]


def test_pressing_send_with_a_wrong_answer_explains_and_files_nothing(visitor, cases):
    visitor.open("/melden/waar").send({"incident.occurred_at_date": "31-02-2026"}, press="nakijken")
    action, data = "/melden/nakijken", visitor.values(action="/melden/nakijken")
    visitor.post(action, data)

    assert visitor.status == 422
    assert "Toch versturen" in visitor.text
    assert len(cases) == 0


def test_a_story_that_is_too_long_is_given_back_whole(visitor):
    story = "Dit is een lange dag geweest. " * 8_000

    write(visitor, story)

    assert visitor.status == 422
    assert "Deze tekst is te lang" in visitor.text
    assert visitor.values("narrative")["narrative"].strip() == story.strip()


def test_a_story_of_thirty_pages_with_pictures_in_it_is_taken(visitor, cases, clock):
    story = "Wij weten waar je woont 🔥 ‘é’\n" * 4_000

    write(visitor, story, press="nakijken")
    visitor.send(action="/melden/nakijken")

    assert cases.view(clock.now).report["narrative"] == story.strip()


# --- two windows -----------------------------------------------------------------------------------------------------


def test_two_windows_on_one_text_keep_both_texts_and_say_so(visitor, cases, clock):
    write(visitor, "Eerste zin.")
    left = visitor.open("/melden/verhaal").values("narrative")
    right = visitor.open("/melden/verhaal").values("narrative")
    left["narrative"], right["narrative"] = "Uit het linker venster.", "Uit het rechter venster."

    visitor.post("/melden/verhaal", left)
    visitor.post("/melden/verhaal", right)

    assert visitor.status == 409
    assert "U vulde dit ook in een ander venster in" in visitor.text
    both = visitor.values("narrative")["narrative"]
    assert "Uit het linker venster." in both
    assert "Uit het rechter venster." in both
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")
    assert "linker" in cases.view(clock.now).report["narrative"]
    assert "rechter" in cases.view(clock.now).report["narrative"]


def test_two_windows_on_one_choice_show_the_other_answer(visitor):
    visitor.open("/melden/van-wie")
    left, right = visitor.values("incident.offender"), visitor.values("incident.offender")
    right["_page"] = "0" * 16
    left["incident.offender"], right["incident.offender"] = "groep", "bedrijf"

    visitor.post("/melden/van-wie", left)
    visitor.post("/melden/van-wie", right)

    assert visitor.status == 409
    assert "In het andere venster stond:" in visitor.text
    assert visitor.values("incident.offender")["incident.offender"] == "bedrijf"
    assert "groep" in visitor.text


def test_two_windows_on_different_steps_do_not_get_in_each_others_way(visitor, cases, clock):
    visitor.open("/melden/verhaal")
    story = visitor.values("narrative")
    visitor.open("/melden/soort")
    kinds = visitor.values("incident.kinds")
    story["narrative"] = STORY
    kinds["incident.kinds"] = "doxing"

    visitor.post("/melden/soort", kinds)
    visitor.post("/melden/verhaal", story)

    assert visitor.status == 200
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")
    report = cases.view(clock.now).report
    assert report["narrative"] == STORY
    assert report["incident"]["kinds"] == ["doxing"]


def test_an_empty_old_window_clears_nothing(visitor):
    visitor.open("/melden/verhaal")
    old = visitor.values("narrative")
    write(visitor)

    visitor.post("/melden/verhaal", old)

    assert visitor.open("/melden/verhaal").values("narrative")["narrative"] == STORY


def test_the_back_button_is_no_other_window(visitor):
    visitor.open("/melden/verhaal")
    page = visitor.values("narrative")
    page["narrative"] = "Eerst dit."
    visitor.post("/melden/verhaal", page)
    page["narrative"] = "Nee, zo was het."

    visitor.post("/melden/verhaal", page)

    assert visitor.status == 200
    assert visitor.open("/melden/verhaal").values("narrative")["narrative"] == "Nee, zo was het."


def test_an_answer_that_is_taken_away_on_the_same_page_goes(visitor):
    write(visitor)

    visitor.open("/melden/verhaal").send({"narrative": ""}, press="verder")

    assert visitor.open("/melden/verhaal").values("narrative")["narrative"] == ""


# --- pressed twice ---------------------------------------------------------------------------------------------------


def test_a_form_sent_twice_files_one_case_and_shows_the_same_receipt(visitor, cases, code_on):
    write(visitor, press="nakijken").send(action="/melden/nakijken")
    first, words = code_on(visitor), visitor.html.split("words-box")[1][:400]

    visitor.post(*visitor.sent)

    assert visitor.heading == "Uw melding is binnen."
    assert code_on(visitor) == first
    assert visitor.html.split("words-box")[1][:400] == words
    assert len(cases) == 1


def test_two_presses_at_the_very_same_moment_file_one_case(visitor, visit, cases, code_on):
    write(visitor, press="nakijken")
    data, codes, gate = visitor.values(action="/melden/nakijken"), [], threading.Barrier(4)

    def press():
        browser = visit()
        browser.client._cookies = dict(visitor.client._cookies)
        gate.wait()
        browser.post("/melden/nakijken", data)
        codes.append(code_on(browser))

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(codes) == 4
    assert len(set(codes)) == 1
    assert len(cases) == 1


def test_two_windows_that_save_at_the_very_same_moment_lose_nothing(visitor, visit):
    visitor.open("/melden/verhaal")
    write(visitor, "Het begin.")
    pages, gate = [], threading.Barrier(3)
    for word in ("een", "twee", "drie"):
        page = visitor.open("/melden/verhaal").values("narrative")
        page["narrative"] = f"Het begin. Venster {word}."
        pages.append(page)

    def save(page):
        browser = visit()
        browser.client._cookies = dict(visitor.client._cookies)
        gate.wait()
        browser.post("/melden/verhaal", page)

    threads = [threading.Thread(target=save, args=(page,)) for page in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = visitor.open("/melden/verhaal").values("narrative")["narrative"]
    assert all(f"Venster {word}." in kept for word in ("een", "twee", "drie"))


def test_a_form_sent_twice_shows_the_same_receipt_even_when_the_draft_is_gone(visitor, cases, code_on, clock):
    write(visitor, press="nakijken").send(action="/melden/nakijken")
    first = code_on(visitor)
    clock.forward(minutes=45)

    visitor.post(*visitor.sent)

    assert code_on(visitor) == first
    assert len(cases) == 1


def test_reloading_the_receipt_shows_the_same_receipt_for_half_an_hour_and_not_longer(visitor, code_on, clock):
    write(visitor, press="nakijken").send(action="/melden/nakijken")
    first = code_on(visitor)

    assert code_on(visitor.open("/melden/ontvangen")) == first
    clock.forward(minutes=31)
    assert visitor.open("/melden/ontvangen").path == "/terug"


def test_a_page_of_a_report_that_was_sent_gives_its_words_back(visitor, cases):
    visitor.open("/melden/verhaal").send({"narrative": STORY}, press="verder")
    old = visitor.open("/melden/verhaal").values("narrative")
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")
    old["narrative"] = STORY + " En nog iets: hij had een hond bij zich."

    visitor.post("/melden/verhaal", old)

    assert visitor.status == 409
    assert visitor.heading == "Deze melding is al verstuurd."
    assert "hij had een hond bij zich" in visitor.html
    assert len(cases) == 1


def test_after_sending_a_new_report_starts_empty_and_is_a_case_of_its_own(visitor, cases):
    write(visitor, press="nakijken").send(action="/melden/nakijken")

    visitor.open("/melden/verhaal")
    assert visitor.values("narrative")["narrative"] == ""
    visitor.send({"narrative": "Iets anders."}, press="nakijken")
    visitor.send(action="/melden/nakijken")

    assert visitor.heading == "Uw melding is binnen."
    assert len(cases) == 2


def test_a_page_of_a_report_that_is_nowhere_any_more_says_so_and_files_nothing(visitor, visit, cases, clock):
    write(visitor, press="nakijken")
    page = visitor.values(action="/melden/nakijken")
    clock.forward(days=15)

    visitor.post("/melden/nakijken", page)

    assert visitor.status == 410
    assert visitor.heading == "Deze pagina hoort bij een melding die hier niet meer is."
    assert "Er is nu niets verstuurd." in visitor.text
    assert len(cases) == 0


# --- a session that ended in the middle ------------------------------------------------------------------------------


@pytest.fixture
def signed_in(visitor, ready, sign_in):
    account = ready.people.reporter()
    sign_in(visitor.client, account)
    return visitor


def test_an_expired_session_in_the_middle_of_a_report_loses_nothing(signed_in, cases, clock):
    write(signed_in, press="verder")
    signed_in.open("/melden/van-wie")
    clock.forward(hours=1)

    signed_in.send({"offender_known_as": "de buurman"}, press="nakijken", has=("_page",))

    assert signed_in.path == "/melden/nakijken"
    assert STORY in signed_in.text
    assert "de buurman" in signed_in.text


def test_whoever_was_signed_in_is_asked_before_it_is_sent_without_their_account(
    signed_in, cases, clock, ready, sign_in
):  # fmt: skip
    write(signed_in, press="nakijken")
    clock.forward(hours=1)

    signed_in.send(action="/melden/nakijken")

    assert signed_in.status == 401
    assert "U bent niet meer ingelogd." in signed_in.text
    assert "er is niets kwijt" in signed_in.text
    assert len(cases) == 0
    signed_in.send(action="/melden/nakijken", press="zonder-account")
    assert signed_in.heading == "Uw melding is binnen."
    assert "Uw code om terug te komen" in signed_in.text
    assert len(cases) == 1


def test_signed_in_again_the_report_goes_under_the_account(signed_in, cases, clock, ready, sign_in):
    account = ready.people.reporter()
    write(signed_in, press="nakijken")
    clock.forward(hours=1)
    signed_in.send(action="/melden/nakijken")
    sign_in(signed_in.client, account)

    signed_in.open("/melden/nakijken").send(action="/melden/nakijken")

    assert "Uw code om terug te komen" not in signed_in.text
    assert "Mijn meldingen" in signed_in.text
    assert len(cases) == 1


def test_a_second_press_after_signing_out_does_not_show_the_accounts_case(signed_in, cases, clock):
    write(signed_in, press="nakijken").send(action="/melden/nakijken")
    clock.forward(minutes=29)
    clock.forward(hours=1)

    signed_in.post(*signed_in.sent)

    assert "Zij staat onder het account waarmee u was ingelogd" in signed_in.text
    assert len(cases) == 1


# --- stopping and coming back ----------------------------------------------------------------------------------------


def test_a_draft_goes_on_in_another_browser_with_its_code(visitor, visit, code_on, cases):
    write(visitor, press="bewaar")
    assert visitor.heading == "Uw melding is bewaard, niet verstuurd."
    code = code_on(visitor)

    other = visit()
    other.open("/melden/verder").send({"code": code.lower().replace("-", " ")})

    assert other.path == "/melden/nakijken"
    assert STORY in other.text
    assert len(cases) == 0


def test_another_draft_in_this_browser_is_not_pushed_away_unsaid(visitor, visit, code_on):
    other = visit()
    other.open("/melden/verhaal").send({"narrative": "Van een andere dag."}, press="bewaar")
    code = code_on(other)
    write(visitor)

    visitor.open("/melden/verder").send({"code": code})

    assert visitor.status == 409
    mine = code_on(visitor, "code-andere")
    visitor.send({}, press="toch", has=("code",))
    assert "Van een andere dag." in visitor.text
    third = visit()
    third.open("/melden/verder").send({"code": mine})
    assert STORY in third.text


def test_what_another_window_saves_while_it_is_sent_is_not_left_out(visitor, visit, cases, clock, monkeypatch):
    write(visitor, press="nakijken")
    window = visit()
    window.client._cookies = visitor.client._cookies
    read, late = sending.check, []

    def saved_meanwhile(answers, *, now):
        if not late:
            late.append(write(window, STORY + " Hij had een mes."))
        return read(answers, now=now)

    monkeypatch.setattr(sending, "check", saved_meanwhile)
    visitor.send(action="/melden/nakijken")

    assert visitor.status == 409
    assert "U schreef intussen nog iets in een ander venster." in visitor.text
    assert len(cases) == 0
    visitor.send(action="/melden/nakijken")
    assert cases.view(clock.now).report["narrative"] == STORY + " Hij had een mes."


def test_files_that_are_too_large_together_keep_the_report_back_only_until_one_is_taken_out(
    visitor, cases, monkeypatch
):  # fmt: skip
    write(visitor)
    visitor.open("/melden/bewijs").send({}, press="verder", has=("_page",), files=[("een.bin", bytes(2_000))])
    monkeypatch.setattr("weerbaar_meldpunt.actions.filing.MAX_CASE", 1_000)

    visitor.send(action="/melden/nakijken")

    assert visitor.status == 422
    assert "Uw bestanden zijn samen te groot." in visitor.text
    visitor.open("/melden/bewijs").send(action="/melden/bewijs/weg", has=("blob",))
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")
    assert len(cases) == 1


def test_steps_that_are_too_long_together_are_given_back_and_what_stood_there_stays(visitor):
    long = "é" * 199_000
    visitor.open("/melden/adres").send({"private.home_address": long, "private.family": long}, press="verder")

    visitor.open("/melden/verhaal").send({"narrative": long}, press="verder")

    assert visitor.status == 422
    assert "Alles samen is te lang." in visitor.text
    assert visitor.values("narrative")["narrative"] == long
    assert visitor.open("/melden/adres").values("private.family")["private.family"] == long


def test_a_wrong_draft_code_gets_one_kind_sentence(visitor):
    visitor.open("/melden/verder").send({"code": "AAAAA-AAAAA"})

    assert visitor.status == 422
    assert "Met deze code vinden wij niets." in visitor.text


def test_a_draft_is_gone_after_its_days(visitor, clock):
    write(visitor)
    clock.forward(days=14, seconds=1)

    assert visitor.open("/melden/verhaal").values("narrative")["narrative"] == ""


def test_whoever_had_begun_is_offered_the_way_on(visitor):
    write(visitor)

    visitor.open("/melden/")

    assert "U was al begonnen." in visitor.text


def test_thrown_away_is_gone(visitor):
    write(visitor, press="nakijken")

    visitor.open("/melden/weg")
    assert "Dat kunnen wij niet terugdraaien." in visitor.text
    assert visitor.open("/melden/verhaal").values("narrative")["narrative"] == STORY
    visitor.open("/melden/weg").send(action="/melden/weg", has=("csrf_token",))

    assert visitor.path == "/"
    assert visitor.open("/melden/verhaal").values("narrative")["narrative"] == ""


def test_a_draft_lives_as_long_as_something_is_written_in_it(visitor, clock):
    write(visitor)
    clock.now += timedelta(days=10)
    visitor.open("/melden/soort").send({"incident.kinds": ["doxing"]}, press="verder")
    clock.now += timedelta(days=10)

    assert visitor.open("/melden/verhaal").values("narrative")["narrative"] == STORY
