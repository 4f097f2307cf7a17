"""Under pressure: thousands of rows, a full disk, a shared computer, two at the same moment, tampered rows."""

import logging
import re
import time

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from weerbaar_meldpunt.actions import draft_room, evidence, work
from weerbaar_meldpunt.store.cases import Attachment, Case, Message
from weerbaar_meldpunt.web import report as report_pages
from weerbaar_meldpunt.web import sending

STORY = "Hij stond weer bij het hek."
HOURS = ("contact.safe_hours_from", "contact.safe_hours_to")


def write(visitor, text=STORY, press="verder"):
    return visitor.open("/melden/verhaal").send({"narrative": text}, press=press)


def upload(visitor, *files):
    return visitor.open("/melden/bewijs").send({}, press="erbij", has=("_page",), files=list(files))


def say_hours(visitor, starts, ends, press="nakijken"):
    """The page with the safe hours, sent with more rows than it shows."""
    return visitor.open("/melden/bereiken").send(dict(zip(HOURS, (starts, ends), strict=True)), press=press)


def blobs(ready):
    return [path for path in ready.instance.blobs.iterdir() if path.suffix != ".part"]


# --- thousands of rows -----------------------------------------------------------------------------------------------


def test_a_page_shows_twenty_safe_hours_at_most_and_what_came_beyond_stands_in_the_story(visitor, cases, clock):
    starts = [f"{9 + row % 12:02}:{row % 60:02}" for row in range(25)]
    write(visitor)

    say_hours(visitor, starts, ["23:00"] * 25)

    kept = visitor.open("/melden/bereiken").values(HOURS[0])
    assert kept.getlist(HOURS[0]) == starts[:20]
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")
    report = cases.view(clock.now).report
    assert len(report["contact"]["safe_hours"]) == 20
    assert report["narrative"].startswith(STORY)
    assert all(f"{start} 23:00" in report["narrative"] for start in starts[20:])


def test_rows_that_went_to_the_story_are_not_cleared_by_an_older_page_of_the_story(visitor, cases, clock):
    write(visitor)
    old = visitor.open("/melden/verhaal").values("narrative")
    say_hours(visitor, ["09:00"] * 20 + ["10:11"], ["12:00"] * 21)

    visitor.post("/melden/verhaal", old)

    assert "10:11 12:00" in visitor.open("/melden/verhaal").values("narrative")["narrative"]


def test_sixty_thousand_rows_cost_no_more_than_a_page_of_twenty(visitor):
    began = time.perf_counter()

    say_hours(visitor, ["1"] * 60_000, ["2"] * 60_000)
    visitor.open("/melden/bereiken")

    assert len(visitor.html) < 60_000
    assert time.perf_counter() - began < 5


def test_more_pasted_links_than_a_list_holds_are_all_in_the_report(visitor, cases, clock):
    links = [f"https://voorbeeld.test/bericht/{number}" for number in range(2_100)]

    visitor.open("/melden/bewijs").send({"_links_many": "\n".join(links)}, press="verder")

    visitor.open("/melden/nakijken").send(action="/melden/nakijken")
    report = cases.view(clock.now).report
    assert [link["url"] for link in report["links"]] == links[:2_000]
    assert all(link in report["narrative"] for link in links[2_000:])


def test_more_answers_than_anybody_chooses_are_said_at_their_question(visitor):
    platforms = [f"p{number}" for number in range(5_000)]

    visitor.open("/melden/waar").send({"incident.platforms": platforms}, press="nakijken")

    assert visitor.status == 422
    assert "Dit zijn meer antwoorden dan wij hier kunnen bewaren." in visitor.text
    assert len(visitor.html) < 60_000


# --- a number that is none -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", ["1" * 5_000, "-1", "²", ""])
def test_a_revision_that_is_no_number_of_ours_costs_no_word(visitor, revision):
    page = visitor.open("/melden/verhaal").values("narrative")
    page["narrative"], page["_revision"] = STORY, revision

    visitor.post("/melden/verhaal", page)

    assert visitor.status == 200
    assert visitor.open("/melden/verhaal").values("narrative")["narrative"] == STORY


# --- the disk --------------------------------------------------------------------------------------------------------


def test_below_the_floor_of_the_disk_a_very_long_text_is_given_back_and_an_ordinary_one_is_kept(visitor, monkeypatch):
    monkeypatch.setattr(evidence, "FREE_FLOOR", 2**62)
    long = "Wat er gebeurde. " * 8_000

    write(visitor, long)

    assert visitor.status == 507
    assert "Voor zo'n lange tekst hebben wij nu geen plaats." in visitor.text
    assert visitor.values("narrative")["narrative"].strip() == long.strip()
    write(visitor, STORY, press="nakijken").send(action="/melden/nakijken")
    assert visitor.heading == "Uw melding is binnen."


def test_all_drafts_together_hold_no_more_files_than_their_budget(visitor, visit, ready, monkeypatch, caplog):
    monkeypatch.setattr(draft_room, "MAX_DRAFTS", 1_000_000)
    upload(visitor, ("een.bin", bytes(700_000)))

    other = upload(visit(), ("twee.bin", bytes(700_000)), ("klein.bin", bytes(100)))

    assert other.status == 422
    assert "twee.bin past er niet meer bij." in other.text
    assert "klein.bin" in other.text
    assert len(blobs(ready)) == 2
    monkeypatch.setattr(draft_room, "MAX_DRAFTS", 0)
    with caplog.at_level(logging.ERROR, "meldpunt"):
        upload(visit(), ("drie.bin", bytes(100)))
    assert caplog.messages == ["drafts hold all that they may together route=evidence.take"]


def test_files_of_a_report_that_was_sent_do_not_count_as_drafts(visitor, visit, clock, ready, monkeypatch):
    monkeypatch.setattr(draft_room, "MAX_DRAFTS", 1_000_000)
    upload(visitor, ("een.bin", bytes(700_000)))
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")
    clock.forward(minutes=2)

    other = upload(visit(), ("twee.bin", bytes(700_000)))

    assert "past er niet meer bij" not in other.text
    assert len(blobs(ready)) == 2


def test_a_full_budget_never_keeps_a_report_back(visitor, cases, monkeypatch):
    monkeypatch.setattr(draft_room, "MAX_DRAFTS", 0)
    upload(visitor, ("een.bin", b"een"))
    write(visitor, press="nakijken")

    visitor.send(action="/melden/nakijken")

    assert visitor.heading == "Uw melding is binnen."
    assert len(cases) == 1


# --- signing out at a shared computer --------------------------------------------------------------------------------


def sign_out(visitor, form_token):
    return visitor.post("/uitloggen", {"csrf_token": form_token(visitor.client, "/hulp")})


def test_signing_out_takes_an_unsent_draft_of_the_account_away_and_the_account_finds_it_again(
    visitor, visit, ready, sign_in, form_token
):  # fmt: skip
    account = ready.people.reporter()
    sign_in(visitor.client, account)
    visitor.open("/melden/adres").send({"private.home_address": "Geheimlaan 7"}, press="verder")

    sign_out(visitor, form_token)

    assert "U bent uitgelogd." in visitor.text
    assert visitor.answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "Geheimlaan" not in visitor.text
    assert "Toch verder" not in visitor.text
    assert "U vindt het terug onder Mijn meldingen" in visitor.text
    assert visitor.cookie("wmp-draft") is None
    assert "Geheimlaan 7" not in visitor.open("/melden/nakijken").text
    other = visit()
    sign_in(other.client, account)
    other.open("/mijn-meldingen").send(action="/mijn-meldingen/concept")
    assert "Geheimlaan 7" in other.text


def test_signing_out_without_a_draft_goes_to_the_first_page(visitor, ready, sign_in, form_token):
    sign_in(visitor.client, ready.people.reporter())

    sign_out(visitor, form_token)

    assert visitor.path == "/"


def test_a_draft_written_without_an_account_outlives_a_sign_out_in_its_browser(visitor, ready, sign_in, form_token):
    write(visitor)
    sign_in(visitor.client, ready.people.reporter())

    sign_out(visitor, form_token)

    assert visitor.open("/melden/verhaal").values("narrative")["narrative"] == STORY


# --- two at the same moment ------------------------------------------------------------------------------------------


def test_a_draft_that_was_thrown_away_a_moment_before_is_not_filed(visitor, visit, ready, cases, monkeypatch):
    upload(visitor, ("een.txt", b"een"))
    window = visit()
    window.client._cookies = visitor.client._cookies
    window.open("/melden/weg")
    begun = sending.transaction

    def thrown_away_first():
        monkeypatch.setattr(sending, "transaction", begun)
        window.send(action="/melden/weg", has=("csrf_token",))
        return begun()

    visitor.open("/melden/nakijken")
    monkeypatch.setattr(sending, "transaction", thrown_away_first)
    visitor.send(action="/melden/nakijken")

    assert visitor.status == 410
    assert "Er is nu niets verstuurd." in visitor.text
    assert len(cases) == 0
    assert blobs(ready) == []


def test_a_draft_that_was_sent_a_moment_before_keeps_its_files_when_it_is_thrown_away(
    visitor, visit, ready, cases, monkeypatch
):  # fmt: skip
    upload(visitor, ("een.txt", b"een"))
    window = visit()
    window.client._cookies = visitor.client._cookies
    window.open("/melden/nakijken")
    begun = report_pages.transaction

    def sent_first():
        monkeypatch.setattr(report_pages, "transaction", begun)
        window.send(action="/melden/nakijken")
        return begun()

    visitor.open("/melden/weg")
    monkeypatch.setattr(report_pages, "transaction", sent_first)
    visitor.send(action="/melden/weg", has=("csrf_token",))

    assert len(cases) == 1
    with ready.instance.readings() as session:
        assert len(session.scalars(select(Attachment)).all()) == len(blobs(ready)) == 1


def refused_at_first(times):
    """Filing as a database that lets two begin at once does it: refused so often, then done."""
    real, left = sending.file_report, [None] * times

    def filed(*args, **more):
        if left:
            left.pop()
            raise IntegrityError("INSERT", {}, Exception("leaf.seq"))
        return real(*args, **more)

    return filed


@pytest.mark.parametrize("times", [1, 2])
def test_a_request_to_be_called_is_filed_when_another_report_came_in_at_that_very_moment(
    visitor, cases, monkeypatch, times
):  # fmt: skip
    write(visitor)
    visitor.open("/melden/bel-mij")
    monkeypatch.setattr(sending, "file_report", refused_at_first(times))

    visitor.send({"contact.telephone": "0612345678"})

    assert visitor.path == "/melden/ontvangen"
    assert visitor.heading == "Uw verzoek is binnen."
    assert len(cases) == 1
    visitor.send(action="/melden/terug-naar-concept", has=("csrf_token",))
    assert STORY in visitor.text


# --- rows that are not as the trail says -----------------------------------------------------------------------------


@pytest.fixture
def written_to(visitor, visit, ready, clock, code_on):
    """A reporter who came back with the code, after the team wrote."""
    write(visitor, press="nakijken").send(action="/melden/nakijken")
    code = code_on(visitor)
    with ready.instance.sessions.begin() as session:
        reference = session.scalars(select(Case.reference)).one()
        member = ready.second("ondersteuning").person
        held = work.hold(session, ready.instance, member, reference, now=clock.now)
        work.write_message(held, "Ga vannacht niet naar huis.")
    other = visit()
    other.open("/terug").send({"code": code})
    assert "Ga vannacht niet naar huis." in other.text
    return other


MISSING = "Een deel van wat hier hoort te staan, kunnen wij u nu niet tonen."


@pytest.mark.parametrize(
    "tamper", [delete(Message), update(Message).values(sealed=b"x" * 604)], ids=["taken away", "changed"]
)
def test_a_reporter_is_told_calmly_that_something_is_missing_and_an_operator_gets_one_line(
    written_to, ready, caplog, tamper
):  # fmt: skip
    with ready.instance.sessions.begin() as session:
        session.execute(tamper)

    with caplog.at_level(logging.ERROR, "meldpunt"):
        written_to.open("/mijn-melding")

    assert written_to.status == 200
    assert written_to.text.count(MISSING) == 1
    assert "Er zijn nog geen berichten." not in written_to.text
    assert caplog.messages == ["rows differ from their leaf tables=message route=receipt.case"]


def test_a_case_that_is_as_the_trail_says_shows_no_such_sentence(written_to, caplog):
    with caplog.at_level(logging.ERROR, "meldpunt"):
        written_to.open("/mijn-melding")

    assert MISSING not in written_to.text
    assert caplog.messages == []
    assert re.search(r"Wie heeft uw melding geopend\? Nog niemand\.", written_to.text)
