"""Coming back: the code, how it stands in words, messages both ways, files, and who looked."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from werkzeug.datastructures import FileStorage

from weerbaar_meldpunt.actions import closing, work
from weerbaar_meldpunt.store.cases import Case, Message
from weerbaar_meldpunt.store.tracks import Due, DueStep, Track

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
FACTS = {
    "role": "raadslid", "organisation": "GM0363", "kinds": ["doxing"], "channels": ["email"],
    "routes": ["ondersteuning"], "aangifte": "nee", "gender": None,
}  # fmt: skip


@pytest.fixture
def desk(ready, clock):
    """Short ways for a member of ondersteuning to act on the only case."""
    from sqlalchemy import select

    class Desk:
        member = ready.second("ondersteuning")

        def rows(self, model, *where):
            with ready.instance.readings() as session:
                return session.scalars(select(model).where(*where)).all()

        def do(self, act, *args, **more):
            reference = self.rows(Case)[0].reference
            with ready.instance.sessions.begin() as session:
                held = work.hold(session, ready.instance, self.member.person, reference, now=clock.now)
                return act(held, *args, **more)

    return Desk()


@pytest.fixture
def filed(visitor, code_on):
    """A visitor who just filed a report, with the code in hand."""
    visitor.open("/melden/soort").send({"incident.kinds": ["doxing"]}, press="verder")
    visitor.open("/melden/bereiken").send({"contact.telephone": "0612345678"}, press="nakijken", has=("_page",))
    visitor.send(action="/melden/nakijken")
    visitor.code = code_on(visitor)
    return visitor


@pytest.fixture
def back(filed, visit):
    """The same person, later, in another browser."""
    other = visit()
    other.code = filed.code
    other.open("/terug").send({"code": filed.code})
    assert other.path == "/mijn-melding"
    return other


# --- the code --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [str, str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}\n"])
def test_the_code_opens_the_case_however_it_is_typed(filed, visit, change):
    other = visit()

    other.open("/terug").send({"code": change(filed.code)})

    assert other.heading == "Uw melding"


def test_letters_that_look_like_digits_are_read_as_such(filed, visit):
    other = visit()

    other.open("/terug").send({"code": filed.code.replace("0", "O").replace("1", "l")})

    assert other.heading == "Uw melding"


@pytest.mark.parametrize("typed", ["", "AAAAA", "0" * 27, "Z" * 40, "é", "' OR 1=1 --"])
def test_a_wrong_code_gets_one_kind_sentence_whatever_is_wrong_with_it(visit, typed):
    other = visit()

    other.open("/terug").send({"code": typed})

    assert other.status == 422
    assert "Met deze code vinden wij geen melding." in other.text
    assert other.open("/mijn-melding").path == "/terug"


def test_the_code_of_a_draft_opens_no_case(visitor, visit, code_on):
    visitor.open("/melden/wie").send({"reporter.relation": "griffier"}, press="bewaar")
    draft = code_on(visitor)
    visitor.open("/melden/nakijken").send(action="/melden/nakijken")

    other = visit()
    other.open("/terug").send({"code": draft})

    assert other.status == 422


def test_a_code_to_hand_over_is_recognised_while_it_is_valid_and_opens_nothing_by_itself(
    visitor, visit, code_on, clock
):  # fmt: skip
    visitor.open("/melden/wie").send({"reporter.relation": "griffier"}, press="nakijken")
    visitor.send(action="/melden/nakijken")
    claim = code_on(visitor, "claim")
    other = visit()

    other.open("/terug").send({"code": claim})
    assert other.heading == "Iemand heeft voor u gemeld."
    assert other.open("/mijn-melding").path == "/terug"
    clock.forward(days=31)
    other.open("/terug").send({"code": claim})
    assert other.status == 422


def test_many_wrong_codes_keep_nobody_out(filed, visit):
    other = visit()
    for n in range(30):
        other.open("/terug").send({"code": f"{n:05}-AAAAA"})

    other.open("/terug").send({"code": filed.code})

    assert other.heading == "Uw melding"


def test_closing_the_case_ends_the_session(back):
    back.send(action="/mijn-melding/sluiten", has=("csrf_token",))

    assert back.open("/mijn-melding").path == "/terug"


# --- how it stands ---------------------------------------------------------------------------------------------------


def test_it_says_who_has_it_what_comes_next_and_by_when(back):
    text = back.text

    assert "Uw melding ligt bij het Ondersteuningsteam Weerbaar Bestuur." in text
    assert "Nog niet opgepakt. Nog niet gezien." in text
    assert "Laatste stap: uw melding kwam binnen, vandaag om 12:30 uur." in text
    assert "Volgende stap: wij nemen contact met u op, vandaag vóór 16:30 uur." in text


def test_the_control_words_are_the_same_as_on_the_receipt(filed, back):
    words = re.compile(r"Controlewoorden (\w+ \w+) Wie namens")

    assert words.search(back.text)[1] == words.search(filed.text)[1]


def test_every_opening_is_told_with_the_team_and_without_a_name(back, cases, clock, desk):
    clock.forward(minutes=10)
    cases.view(clock.now)
    cases.private(clock.now)
    clock.forward(minutes=1)

    text = back.open("/mijn-melding").text

    assert "Gezien vandaag om 12:40 uur." in text
    assert text.count("Nog niet gezien.") == 0
    opened = "vandaag om 12:40 uur: iemand van het Ondersteuningsteam Weerbaar Bestuur opende"
    assert f"{opened} de melding" in text
    assert f"{opened} adres, gezin en gewoonten" in text
    assert desk.member.person.name not in text


def test_notes_hand_overs_and_reasons_of_the_team_are_never_shown(back, desk, ready):
    desk.do(work.take)
    desk.do(work.add_note, "Geheime notitie over de melder.")
    desk.do(work.hand_over, ready.first("ondersteuning").user_id, "Ik ga met vakantie.")

    text = back.open("/mijn-melding").html

    for hidden in ("Geheime notitie", "vakantie", "notitie", ready.first("ondersteuning").person.name):
        assert hidden not in text


def test_an_answer_of_the_team_is_read_under_the_teams_name(back, desk):
    desk.do(work.take)
    desk.do(work.write_message, "Wij hebben het platform gebeld.\nHet bericht is weg.")

    text = back.open("/mijn-melding").text

    assert "Ondersteuningsteam Weerbaar Bestuur · vandaag om 12:30 uur" in text
    assert "Het team schreef u." in text
    assert "Wij hebben het platform gebeld. Het bericht is weg." in text
    assert "Laatste stap: wij schreven u, vandaag om 12:30 uur." in text


def test_a_call_that_nobody_answered_is_told_with_the_next_try(back, desk):
    desk.do(work.attempt, reached=False)

    text = back.open("/mijn-melding").text

    assert "Wij belden vandaag om 12:30 uur en kregen geen gehoor." in text
    assert "Wij proberen het opnieuw, vandaag vóór 13:30 uur." in text
    assert "Liever een ander moment?" in text


def test_who_is_late_says_so_without_blame_and_since_when_the_coordinator_knows(back, desk, ready, clock):
    from weerbaar_meldpunt.vault.derive import new_id

    due = desk.rows(Due)[0]
    told = due.moment + timedelta(hours=1)
    with ready.instance.sessions.begin() as session:
        session.add(DueStep(id=new_id(), due_id=due.id, step="coordinator", at=told))
    clock.forward(hours=6)

    back.open("/terug").send({"code": back.code})

    assert "Wij zijn te laat. Dat is niet uw schuld." in back.text
    assert "De coördinator weet het sinds vandaag om 17:30 uur." in back.text
    assert "Wilt u nu iemand spreken? Bel 070-3738314." in back.text
    assert "Volgende stap" not in back.text


def test_when_the_team_waits_for_somebody_it_says_for_whom(back, desk):
    desk.do(work.take)
    desk.do(work.wait, kind="wacht_op_derde", for_whom="politie")

    assert "Wij wachten op de politie." in back.open("/mijn-melding").text


def test_when_the_team_waits_for_the_reporter_it_says_what_for(back, desk):
    desk.do(work.take)
    desk.do(work.wait, kind="wacht_op_melder", for_whom="melder", text="Hebt u de envelop nog?")

    assert "Wij wachten op u. Hebt u de envelop nog?" in back.open("/mijn-melding").text


def test_what_was_and_was_not_done_is_told_at_the_end(back, desk):
    desk.do(work.take)
    desk.do(closing.validate_facts, FACTS)
    desk.do(closing.close, "geholpen", done="Het bericht is verwijderd.", not_done="Wie het was, weten wij niet.")

    text = back.open("/mijn-melding").text

    assert "Afgesloten door het Ondersteuningsteam Weerbaar Bestuur." in text
    assert "Dit is gedaan: Het bericht is verwijderd." in text
    assert "Dit is niet gelukt: Wie het was, weten wij niet." in text


# --- writing ---------------------------------------------------------------------------------------------------------


def reply(visitor, text, *files, **more):
    return visitor.open("/mijn-melding").send({"text": text, **more}, has=("text", "form"), files=files)


def test_a_message_reaches_the_team_and_wakes_the_track(back, desk, cases, clock):
    reply(back, "Er is weer een bericht.")

    assert "Uw bericht is verstuurd." in back.text
    assert desk.rows(Track)[0].unread
    assert [message.text for message in cases.view(clock.now).messages] == ["Er is weer een bericht."]


def test_a_message_sent_twice_is_kept_once_with_its_files(back, ready, cases, clock):
    reply(back, "Er is weer een bericht.", ("foto.png", PNG))
    path, data = back.sent
    data.setlist("files", [])
    data.add("files", FileStorage(BytesIO(PNG), filename="foto.png", name="files"))

    back.post(path, data, multipart=True)

    case = cases.view(clock.now)
    assert len(case.messages) == 1
    assert len(case.attachments) == 1
    assert len(list(ready.instance.blobs.iterdir())) == 1


def test_who_goes_back_and_changes_a_word_sends_another_message(back, cases, clock):
    reply(back, "Het was dinsdag.")
    clock.forward(seconds=5)
    path, data = back.sent
    data["text"] = "Het was woensdag, niet dinsdag."

    back.post(path, data, multipart=True)

    assert [message.text for message in cases.view(clock.now).messages] == [
        "Het was dinsdag.", "Het was woensdag, niet dinsdag.",
    ]  # fmt: skip


def test_a_file_without_words_is_a_message_too_and_counts_once(back, cases, clock):
    reply(back, "", ("foto.png", PNG))
    clock.forward(seconds=5)
    reply(back, "", ("nog een.png", PNG))

    case = cases.view(clock.now)
    assert [message.text for message in case.messages] == ["foto.png", "nog een.png"]
    assert len(case.attachments) == 2


def test_an_empty_message_is_asked_for_and_sends_nothing(back, desk):
    reply(back, "  ")

    assert back.status == 422
    assert "Schrijf een bericht of kies een bestand." in back.text
    assert desk.rows(Message) == []


def test_a_file_that_is_too_large_is_named_and_the_words_and_the_others_go_along(back, cases, clock):
    reply(back, "Zie de film.", ("film.mp4", bytes(26 * 1024 * 1024)), ("foto.png", PNG))

    assert "film.mp4 is te groot" in back.text
    case = cases.view(clock.now)
    assert [message.text for message in case.messages] == ["Zie de film."]
    assert [attachment.name for attachment in case.attachments] == ["foto.png"]


def test_only_a_file_that_is_too_large_sends_nothing_and_says_so(back, desk):
    reply(back, "", ("film.mp4", bytes(26 * 1024 * 1024)))

    assert back.status == 422
    assert "film.mp4 is te groot" in back.text
    assert desk.rows(Message) == []


def test_a_message_that_is_too_long_is_given_back_whole(back, desk):
    text = "Het gaat maar door. " * 11_000

    reply(back, text)

    assert back.status == 422
    assert back.values("text", "form")["text"].strip() == text.strip()
    assert desk.rows(Message) == []


def test_words_written_when_the_session_had_ended_are_kept_and_sent_once_the_code_is_typed(back, desk, cases, clock):
    back.open("/mijn-melding")
    clock.forward(hours=3)
    text = "Dit had ik al helemaal uitgetypt, en het is belangrijk."

    back.send({"text": text}, has=("text", "form"))
    assert back.status == 401
    assert "Wat u schreef, staat hieronder." in back.text
    assert text in back.text
    assert desk.rows(Message) == []
    back.send({"code": "verkeerd"})
    assert back.status == 422
    assert text in back.text
    back.send({"code": back.code})

    assert back.path == "/mijn-melding"
    assert "Uw bericht is verstuurd." in back.text
    assert [message.text for message in cases.view(clock.now).messages] == [text]


def test_a_message_opens_what_was_closed(back, desk):
    desk.do(work.take)
    desk.do(closing.validate_facts, FACTS)
    desk.do(closing.close, "geholpen", done="", not_done="")

    reply(back, "Het begint opnieuw.")

    track = desk.rows(Track)[0]
    assert (track.state, track.closed_at, track.outcome, track.unread) == ("in_behandeling", None, None, True)
    assert track.due_at is not None
    assert "Iemand werkt eraan." in back.text


def test_a_message_answers_what_was_waited_for(back, desk):
    desk.do(work.take)
    desk.do(work.wait, kind="wacht_op_melder", for_whom="melder", text="Hebt u de envelop nog?")

    reply(back, "Ja, die ligt hier.")

    assert desk.rows(Track)[0].state == "in_behandeling"


def test_what_the_reporter_told_can_be_read_back(back):
    assert "Wat u meldde" in back.text
    assert "Mijn gegevens zijn verspreid" in back.text


# --- with an account -------------------------------------------------------------------------------------------------


@pytest.fixture
def owner(visitor, ready, sign_in):
    account = ready.people.reporter()
    sign_in(visitor.client, account)
    visitor.open("/melden/soort").send({"incident.kinds": ["doxing"]}, press="nakijken")
    visitor.send(action="/melden/nakijken")
    return visitor


def reference_on(visitor):
    return re.search(r"/mijn-meldingen/([0-9A-Z]{4}-[0-9A-Z]{4})", visitor.html)[1]


def test_an_account_sees_its_own_cases_and_writes_in_them(owner, desk):
    reference = reference_on(owner.open("/mijn-meldingen"))

    owner.open(f"/mijn-meldingen/{reference}").send({"text": "Er is nieuws."}, has=("text", "form"))

    assert owner.path == f"/mijn-meldingen/{reference}"
    assert "Er is nieuws." in owner.text
    assert len(desk.rows(Message)) == 1


def test_another_account_sees_none_of_it(owner, visit, ready, sign_in):
    reference = reference_on(owner.open("/mijn-meldingen"))
    other = visit()
    sign_in(other.client, ready.people.reporter())

    assert "U hebt hier nog geen meldingen." in other.open("/mijn-meldingen").text
    assert other.open(f"/mijn-meldingen/{reference}").status == 404


def test_a_stranger_is_asked_to_sign_in(owner, visit):
    reference = reference_on(owner.open("/mijn-meldingen"))
    other = visit()

    assert other.open(f"/mijn-meldingen/{reference}").path.startswith("/inloggen")


def test_words_of_an_account_whose_session_ended_are_given_back(owner, desk, clock):
    reference = reference_on(owner.open("/mijn-meldingen"))
    owner.open(f"/mijn-meldingen/{reference}")
    clock.forward(hours=3)

    owner.send({"text": "Dit had ik al helemaal uitgetypt."}, has=("text", "form"))

    assert owner.status == 401
    assert "U bent niet meer ingelogd" in owner.text
    assert "Dit had ik al helemaal uitgetypt." in owner.html
    assert desk.rows(Message) == []


def test_a_second_report_of_an_account_stands_beside_the_first(owner):
    owner.send(action="/melden/weg", has=("csrf_token",))
    owner.open("/melden/soort").send({"incident.kinds": ["stalking"]}, press="nakijken")
    owner.send(action="/melden/nakijken")

    assert owner.open("/mijn-meldingen").html.count("Nummer ") == 2


def test_what_one_team_saw_is_not_said_of_another(visitor, code_on, ready, clock, cases):
    visitor.open("/melden/gevaar").send({"incident.concrete_threat": "ja"}, press="verder", has=("_page",))
    visitor.open("/melden/wie").send({"target.role": "burgemeester"}, press="nakijken")
    visitor.send(action="/melden/nakijken")
    cases.view(clock.now, team="beveiliging")

    visitor.send(action="/terug", has=("code",))

    seen, unseen = visitor.html.split("<section")[1:3]
    assert "Ondersteuningsteam" in seen
    assert "Nog niet gezien." in seen
    assert "team Beveiligingsmaatregelen" in unseen
    assert "Gezien vandaag om 12:30 uur." in unseen
