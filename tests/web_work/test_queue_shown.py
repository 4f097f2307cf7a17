"""The page of a team's queue."""

import re

import pytest
from sqlalchemy import event, select

from weerbaar_meldpunt.actions.rowhash import row_values
from weerbaar_meldpunt.rules.vocabulary import URGENCIES
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.tracks import Track
from weerbaar_meldpunt.vault.derive import new_id

from .conftest import THREAT

TEAM = "ondersteuning"
ACUTE = THREAT | {"incident": THREAT["incident"] | {"happening_now": True, "weapon": True}}


def cases(page):
    return re.findall(r'href="/zaak/([0-9A-Z-]+)', page.text)


def test_work_begins_at_the_queue_of_ones_first_team(member):
    answer = member.client.get("/werk")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/werk/{TEAM}")


def test_an_empty_queue_says_so_kindly(member):
    assert "Er is nu niets te doen" in member.get(f"/werk/{TEAM}").text


def test_the_most_pressing_case_stands_first_with_what_and_who(member, file, clock):
    low, acute = file({"incident": {"kinds": ["verbale_agressie"]}}, now=clock.now), file(ACUTE, now=clock.now)

    page = member.get(f"/werk/{TEAM}")

    assert cases(page) == [acute.reference, low.reference]
    for words in (
        "Bedreiging of intimidatie",
        "Raadslid",
        "Acuut",
        "Eerste contact",
        "vandaag 13:00",
        "niemand",
        "Nu bezig",
    ):
        assert words in page.words, words
    for hidden in ("Amsterdam", "R. de Boer", "0612345678", "Er kwam een mail"):
        assert hidden not in page.text, hidden


def test_a_case_that_is_late_says_what_the_term_was(browser, ready, file, clock):
    file(ACUTE, now=clock.now)
    clock.forward(minutes=31)

    page = browser(ready.second(TEAM)).get(f"/werk/{TEAM}")

    assert "was vandaag 13:00" in page.words
    assert 'class=" is-overdue"' in page.text


def test_an_unread_message_shows_and_is_not_lost_by_looking(member, ready, file, clock):
    from weerbaar_meldpunt.actions import reader

    filed = file(THREAT, now=clock.now)
    with ready.instance.readings() as session:
        content = reader.enter(session, ready.instance, filed.receipt_code, now=clock.now)
        own = reader.own_case(session, ready.instance, reader.reader_of(content))
    with ready.instance.sessions.begin() as session:
        reader.reply(session, ready.instance, own, "Nog iets.", now=clock.now)

    for _ in range(2):
        assert "Nieuw bericht" in member.get(f"/werk/{TEAM}").words
        member.get(f"/zaak/{filed.reference}")


def test_tabs_and_filters_show_what_they_say(member, file, clock):
    mine, other = file(THREAT, now=clock.now), file(ACUTE, now=clock.now)
    member.act(mine.reference, "/nemen")

    def shown(query):
        return set(cases(member.get(f"/werk/{TEAM}?{query}")))

    assert shown("van=mij") == {mine.reference}
    assert shown("van=niemand") == {other.reference}
    assert shown("urgentie=acuut") == {other.reference}
    assert shown("stand=in_behandeling") == {mine.reference}
    assert shown("te_laat=ja") == set()
    assert shown("stand=afgerond") == set()
    assert "Er is geen zaak die hierbij past." in member.get(f"/werk/{TEAM}?stand=afgerond").text


@pytest.mark.parametrize(
    "query",
    [
        "stand=x",
        "urgentie=x",
        "van=x",
        "van=00",
        "volgorde=x",
        "page=-1",
        "page=x",
        "page=999999",
        "te_laat=x",
        "page=1e9",
    ],
)
def test_an_address_that_makes_no_sense_shows_the_queue(member, threat, query):
    page = member.get(f"/werk/{TEAM}?{query}")

    assert (page.status, cases(page)) == (200, [threat.reference])


def test_the_tabs_say_how_many_there_are(member, file, clock):
    for document in (THREAT, ACUTE):
        file(document, now=clock.now)

    words = " ".join(member.get(f"/werk/{TEAM}").words.split())

    assert "Alles open 2 Te laat 0 Van mij 0 Van niemand 2 Nieuw 2" in words


def test_another_team_is_not_found_and_neither_is_a_team_that_is_none(member, browser, ready):
    assert member.get("/werk/juridisch").status == 404
    assert member.get("/werk/geen").status == 404
    assert browser(ready.people.beheerder()).get(f"/werk/{TEAM}").status == 404
    assert browser(ready.editors[0]).get("/werk").status == 404
    assert browser(ready.people.reporter()).get(f"/werk/{TEAM}").status == 404


def test_a_visitor_is_asked_to_sign_in(client):
    assert client.get(f"/werk/{TEAM}").headers["Location"].startswith("/inloggen")


def test_a_member_without_the_key_reads_what_to_do(browser, ready):
    waiting = browser(ready.people.member(TEAM))

    for path in ("/werk", f"/werk/{TEAM}"):
        assert "U hebt nog geen sleutel" in waiting.get(path).text


def test_who_works_in_two_teams_goes_from_one_to_the_other(browser, ready, file, clock):
    both = ready.people.staff(("behandelaar", TEAM), ("behandelaar", "juridisch"))
    for team in (TEAM, "juridisch"):
        ready.people.admit(ready.first(team), both, team)
    filed = file(THREAT | {"request": {"legal_support": True}}, now=clock.now)
    worker = browser(both)

    page = worker.get("/werk/juridisch")

    assert f'href="/werk/{TEAM}"' in page.text
    assert f'href="/zaak/{filed.reference}?team=juridisch"' in page.text


# --- how long it gets ----------------------------------------------------------------------------------------------


def many(instance, count):
    """Copies of the first case in all its rows that a queue reads, so that every row has a headline to open."""
    from weerbaar_meldpunt.store.cases import Headline

    with instance.sessions.begin() as session:
        track, case = session.scalars(select(Track)).first(), session.scalars(select(Case)).first()
        headline = session.scalars(select(Headline)).first()
        for place in range(count):
            case_id = new_id()
            session.add(
                Case(**(row_values(case) | {"id": case_id, "reference": f"Z{place:03}-ABCD", "form_key": None}))
            )
            session.flush()
            session.add(
                Track(**(row_values(track) | {"id": new_id(), "case_id": case_id, "urgency": URGENCIES[place % 4]}))
            )
            session.add(Headline(**(row_values(headline) | {"case_id": case_id})))


def statements_of(instance, get):
    seen = []

    def note(_connection, _cursor, statement, *_):
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(instance.engine, "before_cursor_execute", note)
    get()
    event.remove(instance.engine, "before_cursor_execute", note)
    return seen


def test_a_page_of_the_fullest_rows_stays_below_64_kib(browser, ready, file, clock):
    document = ACUTE | {
        "target": {"role": "ws_db"},
        "incident": {
            "kinds": ["seksuele_intimidatie", "bedreiging_intimidatie", "doxing"], "channels": ["thuis"],
            "happening_now": True, "weapon": True, "address_exposed": True, "family_involved": True,
        },
        "conflict": ["burgemeester"], "reporter": {"relation": "griffier", "consent": "nog_te_vragen"},
        "request": {"support": False},
    }  # fmt: skip
    for _ in range(51):
        file(document, now=clock.now)
    clock.forward(hours=1)
    member = browser(ready.second(TEAM))

    page = member.get(f"/werk/{TEAM}")

    assert len(cases(page)) == 50
    assert len(page.answer.data) <= 64 * 1024
    assert "Pagina 1 van 2" in page.words
    assert len(cases(member.get(f"/werk/{TEAM}?page=2"))) == 1


@pytest.mark.parametrize("count", [10, pytest.param(1_000, marks=pytest.mark.slow)])
def test_a_queue_page_takes_at_most_six_statements_the_session_and_the_account_included(
    member, threat, instance, count
):
    cold = statements_of(instance, lambda: member.get(f"/werk/{TEAM}"))
    many(instance, count)

    full = statements_of(instance, lambda: member.get(f"/werk/{TEAM}"))
    warm = statements_of(instance, lambda: member.get(f"/werk/{TEAM}?urgentie=hoog&volgorde=nieuw&page=2"))

    assert max(len(cold), len(full)) <= 6, (cold, full)
    assert len(warm) <= 6, warm
