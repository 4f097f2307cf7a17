"""What a reporter sees and decides about their own data: who looked, putting right, consent, contact, mails, export."""

import io
import json
import re
import zipfile

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import work
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.tracks import Due, Outbox, Track

REPORTER = bytes(16)  # the outbox names nobody of the reporter's side


@pytest.fixture
def back(visitor, visit, code_on):
    """A reporter who filed with an address and a file, back with the code."""
    visitor.open("/melden/soort").send({"incident.kinds": ["doxing"]}, press="verder")
    visitor.open("/melden/verhaal").send({"narrative": "Zij kwamen aan de deur."}, press="verder")
    visitor.open("/melden/adres").send({"private.home_address": "Dorpsstraat 1"}, press="verder")
    visitor.open("/melden/bewijs").send({}, press="verder", has=("_page",), files=[("foto.txt", b"bewijs")])
    visitor.open("/melden/weten").send({"_sharing": ["politie"]}, press="verder", has=("_page",))
    visitor.open("/melden/bereiken").send({"contact.telephone": "0612345678"}, press="nakijken", has=("_page",))
    visitor.send(action="/melden/nakijken")
    other = visit()
    other.code = code_on(visitor)
    other.open("/terug").send({"code": other.code})
    return other


@pytest.fixture
def rows(ready):
    def found(model):
        with ready.instance.readings() as session:
            return session.scalars(select(model)).all()

    return found


@pytest.fixture
def team(ready, rows, clock):
    """An act of a member of ondersteuning on the only case, a minute later."""

    def act(do, *args, **more):
        clock.forward(minutes=1)
        with ready.instance.sessions.begin() as session:
            held = work.hold(
                session, ready.instance, ready.second("ondersteuning").person, rows(Case)[0].reference, now=clock.now
            )
            return do(held, *args, **more)

    return act


def test_every_opening_is_told_with_time_team_function_and_part(back, cases, clock):
    clock.forward(minutes=10)
    cases.view(clock.now)
    clock.forward(minutes=10)
    cases.private(clock.now)

    back.open("/mijn-melding").open("/mijn-melding/wie-keek")

    assert (
        "iemand (behandelaar) van het Ondersteuningsteam Weerbaar Bestuur opende adres, gezin en gewoonten."
        in back.text
    )
    assert "iemand (behandelaar) van het Ondersteuningsteam Weerbaar Bestuur opende de melding." in back.text
    assert "Persoon" not in back.text


def test_names_are_told_only_when_the_team_chose_so(back, cases, clock, ready, monkeypatch):
    from dataclasses import replace

    cases.view(clock.now)
    name = ready.second("ondersteuning").person.name
    assert name not in back.open("/mijn-melding/wie-keek").text

    monkeypatch.setattr(ready.instance, "settings", replace(ready.instance.settings, names_shown=("ondersteuning",)))

    assert name in back.open("/mijn-melding/wie-keek").text


def test_many_openings_come_in_pages(back, cases, clock):
    for _ in range(27):
        clock.forward(minutes=1)
        cases.view(clock.now)

    back.open("/mijn-melding").open("/mijn-melding/wie-keek")
    assert "Pagina 1 van 2" in back.text
    assert back.text.count("opende de melding.") == 25
    back.open("/mijn-melding/wie-keek?page=2")
    assert back.text.count("opende de melding.") == 2
    assert back.open("/mijn-melding/wie-keek?page=zoveel").status == 200


def test_another_number_counts_at_once_and_the_old_one_stays_readable(back, cases, clock, rows):
    back.open("/mijn-melding/gegevens").send(
        {"contact.telephone": "0687654321", "contact.channel": "bericht"}, action="/mijn-melding/gegevens"
    )

    assert "0687654321" in back.html
    assert "0612345678" in back.html
    assert cases.view(clock.now).report["contact"]["telephone"] == "0687654321"
    assert rows(Leaf)[-2].action == "verbeterd"
    assert rows(Track)[0].unread


def test_the_own_words_are_put_right_and_nothing_is_thrown_away(back, cases, clock):
    back.open("/mijn-melding/gegevens").send(
        {"narrative": "Zij kwamen twee keer aan de deur."}, action="/mijn-melding/gegevens/verhaal"
    )

    melding = cases.view(clock.now).melding
    assert melding["report"]["narrative"] == "Zij kwamen twee keer aan de deur."
    assert melding["history"][-1]["before"] == "Zij kwamen aan de deur."
    assert "Zij kwamen aan de deur." in back.text


def test_a_number_that_is_none_is_told_at_its_field_and_nothing_changes(back, cases, clock):
    back.open("/mijn-melding/gegevens").send(
        {"contact.safe_hours_from": ["kwart"], "contact.safe_hours_to": [""]}, action="/mijn-melding/gegevens"
    )

    assert back.status == 422
    assert cases.view(clock.now).report["contact"]["telephone"] == "0612345678"


def test_the_address_is_seen_and_put_right_apart(back, cases, clock):
    assert "Dorpsstraat 1" in back.open("/mijn-melding/gegevens/adres").text

    back.send({"home_address": "Nieuwe weg 2"})

    assert cases.private(clock.now)["home_address"] == "Nieuwe weg 2"
    assert "Dorpsstraat 1" in back.open("/mijn-melding/gegevens/adres").text


def test_consent_is_changed_and_withdrawn_and_the_team_sees_it(back, cases, clock):
    back.open("/mijn-melding/toestemming").send({"sharing": ["organisatie"], "via": "de griffier"})
    assert cases.view(clock.now).melding["sharing"] == {"met": ["organisatie"], "via": "de griffier"}

    back.send({"sharing": None, "via": "de griffier"})

    assert cases.view(clock.now).melding["sharing"] == {"met": ["niemand"], "via": ""}
    assert [one["before"]["met"] for one in cases.view(clock.now).melding["history"]] == [["politie"], ["organisatie"]]


def test_who_wants_no_contact_is_not_called_and_comes_back_to_it(back, cases, clock, rows):
    back.open("/mijn-melding/intrekken").send({"what": "contact"})

    assert "geen_contact" in cases.view(clock.now).marks
    assert {due.kind for due in rows(Due) if due.ended_at is None} & {"eerste_contact", "poging"} == set()
    assert [track.due_at is not None for track in rows(Track)] == [True]  # no open track without a due
    back.send(action="/mijn-melding/intrekken")  # the first form: contact again
    assert "geen_contact" not in cases.view(clock.now).marks


def test_under_pressure_a_call_is_planned_and_no_page_of_the_reporter_tells(back, cases, clock, rows):
    back.open("/mijn-melding/intrekken").send({"what": "contact", "pressure": "ja"})

    assert {"geen_contact", "onder_druk"} <= set(cases.view(clock.now).marks)
    assert [due.kind for due in rows(Due) if due.ended_at is None and due.kind == "poging"] == ["poging"]
    assert "onder druk" not in {row.action for row in rows(Leaf)}
    assert "Wij bellen en schrijven u niet meer." in back.text
    for page in ("", "/intrekken", "/wie-keek", "/gegevens", "/toestemming", "/meekijken", "/meenemen"):
        shown = back.open(f"/mijn-melding{page}").text.replace("Ik word onder druk gezet om in te trekken.", "")
        assert "onder druk" not in shown, page
    assert b"onder_druk" not in take_away(back)


def take_away(back):
    back.open("/mijn-melding/meenemen").send({"code": back.code})
    assert back.answer.mimetype == "application/zip", back.text
    return back.answer.get_data()


def test_everything_is_taken_away_readable_and_complete(back, team, clock, cases):
    cases.view(clock.now)
    team(work.write_message, "Wij bellen morgen.")
    back.open("/mijn-melding/gegevens").send({"contact.name": "Vraag naar Bo"}, action="/mijn-melding/gegevens")
    back.open("/mijn-melding/toestemming").send({"sharing": ["organisatie"]})

    archive = zipfile.ZipFile(io.BytesIO(take_away(back)))

    assert archive.testzip() is None
    assert archive.namelist() == ["melding.html", "melding.json", "bestanden/foto.txt"]
    assert archive.read("bestanden/foto.txt") == b"bewijs"
    page = archive.read("melding.html").decode()
    for words in ("Zij kwamen aan de deur.", "Dorpsstraat 1", "Wij bellen morgen.", "0612345678"):
        assert words in page
    data = json.loads(archive.read("melding.json"))
    assert data["private"]["private"]["home_address"] == "Dorpsstraat 1"
    assert data["opened_by"][0]["teams"] == ["ondersteuning"]
    assert [one["action"] for one in data["what_happened"]][-2:] == ["verbeterd", "toestemming_veranderd"]
    assert "Vraag naar Bo" in page
    assert "Persoon" not in page + archive.read("melding.json").decode()


def test_taking_away_asks_the_code_again_and_is_noted_before_anything_goes_out(back, rows):
    back.open("/mijn-melding/meenemen").send({"code": back.code[:-1] + ("A" if back.code[-1] != "A" else "B")})

    assert back.status == 422
    assert "export_melder" not in {row.action for row in rows(Leaf)}
    take_away(back)
    assert rows(Leaf)[-1].action == "export_melder"


def test_nothing_of_what_is_taken_away_stands_on_the_disk(back, ready, monkeypatch):
    import builtins

    opened, real = [], builtins.open
    monkeypatch.setattr(builtins, "open", lambda *a, **k: (opened.append(a), real(*a, **k))[1])
    take_away(back)

    assert [a for a in opened if len(a) > 1 and "w" in str(a[1])] == []
    assert sorted(path.suffix for path in ready.instance.blobs.iterdir()) == [""]


def test_a_file_that_is_gone_is_named_and_the_rest_goes_along(back, ready):
    [blob] = ready.instance.blobs.iterdir()
    blob.unlink()

    archive = zipfile.ZipFile(io.BytesIO(take_away(back)))

    assert archive.namelist()[-1] == "bestanden/foto.txt - niet te openen.txt"


def test_with_an_account_all_reports_go_along_and_no_leaf_ties_them_together(visitor, ready, sign_in, rows):
    sign_in(visitor.client, ready.people.reporter())
    for story in ("eerste", "tweede"):
        visitor.open("/melden/verhaal").send({"narrative": story}, press="nakijken")
        visitor.send(action="/melden/nakijken")
        visitor.open("/melden/ontvangen").send(action="/melden/weg")
    before = len(rows(Leaf))

    visitor.open("/mijn-meldingen/meenemen").send(action="/mijn-meldingen/meenemen")

    archive = zipfile.ZipFile(io.BytesIO(visitor.answer.get_data()))
    assert len([name for name in archive.namelist() if name.endswith("melding.html")]) == 2
    assert len(json.loads(archive.read("account.json"))["cases"]) == 2
    assert len(rows(Leaf)) == before


# --- mail ------------------------------------------------------------------------------------------------------------


def test_nobody_is_mailed_who_did_not_ask(back, team, rows):
    team(work.write_message, "Dag.")

    assert [mail for mail in rows(Outbox) if mail.recipient_id == REPORTER] == []
    assert rows(Case)[0].notify is None


def test_who_asks_for_it_after_a_warning_is_mailed_a_fixed_text_at_each_message(back, team, rows, ready):
    from weerbaar_meldpunt.actions.outbox import claim_letters

    page = back.open("/mijn-melding/mail")
    assert "Dit staat uit." in page.text
    page.send({"address": "ik@thuis.example"})
    assert page.status == 422
    assert rows(Case)[0].notify is None
    page.send({"address": "ik@thuis.example", "sure": "ja"})
    assert "Wij mailen naar ik@thuis.example" in page.text
    assert b"thuis" not in (rows(Case)[0].notify or b"")

    team(work.write_message, "Geheim woord.")

    [mail] = [mail for mail in rows(Outbox) if mail.recipient_id == REPORTER]
    case_id = rows(Case)[0].id
    assert case_id not in (mail.source, mail.recipient_id)
    with ready.instance.sessions.begin() as session:
        letters = claim_letters(session, ready.instance, b"A" * 16, wall=mail.not_before)
    [letter] = [letter for letter in letters if letter.id == mail.id]
    assert letter.recipient == "ik@thuis.example"
    text = re.sub(rb"=\r\n", b"", letter.message)
    assert b"Er staat een bericht voor u klaar. Ga zelf naar de website die u kent." in text
    assert b"Geheim" not in text
    page.open("/mijn-melding/mail").send(action="/mijn-melding/mail")
    assert rows(Case)[0].notify is None


def test_an_address_that_no_mail_can_be_sent_to_is_refused(back, rows):
    back.open("/mijn-melding/mail").send({"address": "a@b\r\nBcc: x@y.nl", "sure": "ja"})

    assert back.status == 422
    assert "Dit is geen e-mailadres" in back.text
    assert rows(Case)[0].notify is None


def test_who_wants_no_contact_is_mailed_no_more(back, rows):
    back.open("/mijn-melding/mail").send({"address": "ik@thuis.example", "sure": "ja"})

    back.open("/mijn-melding/intrekken").send({"what": "contact"})

    assert rows(Case)[0].notify is None


# --- drafts of an account --------------------------------------------------------------------------------------------


def test_a_draft_of_an_account_is_found_on_another_device_and_goes_on_there(visitor, visit, ready, sign_in):
    account = ready.people.reporter()
    sign_in(visitor.client, account)
    visitor.open("/melden/verhaal").send({"narrative": "Begonnen op de telefoon."}, press="bewaar")
    assert "U vindt het terug onder Mijn meldingen" in visitor.text

    other = visit()
    sign_in(other.client, account)
    other.open("/mijn-meldingen")
    assert "Begonnen op de telefoon." in other.text
    other.send(action="/mijn-meldingen/concept")

    assert other.path == "/melden/nakijken"
    assert "Begonnen op de telefoon." in other.text
    stranger = visit()
    sign_in(stranger.client, ready.people.reporter())
    assert "Begonnen" not in stranger.open("/mijn-meldingen").text


def test_a_sixth_draft_of_an_account_has_a_code_of_its_own(visit, ready, sign_in, code_on):
    account = ready.people.reporter()
    for number in range(6):
        browser = visit()
        sign_in(browser.client, account)
        browser.open("/melden/verhaal").send({"narrative": f"Verhaal {number} van zes."}, press="bewaar")
        assert ('id="code"' in browser.html) == (number == 5)

    browser.open("/mijn-meldingen")
    assert len(re.findall(r"Verhaal \d van zes", browser.text)) == 5
