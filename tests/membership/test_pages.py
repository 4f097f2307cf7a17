"""The pages of people and keys, walked through without script: admitting, leaving, next keys, being away."""

import logging
import re

import pytest
from sqlalchemy import select, update

from weerbaar_meldpunt.actions import leaving, pinning
from weerbaar_meldpunt.actions.teamkeys import fingerprint_words
from weerbaar_meldpunt.actions.work import hold, take
from weerbaar_meldpunt.store.membership import Absence
from weerbaar_meldpunt.store.people import TeamGrant, User
from weerbaar_meldpunt.store.tracks import Track

TEAM = "ondersteuning"
REPORT = {"target": {"role": "raadslid"}, "incident": {"kinds": ["verbale_agressie"]}}


def token_of(page):
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)


def text_of(answer):
    return answer.get_data(as_text=True)


@pytest.fixture
def browser(app, sign_in, clock, life):
    """A browser of somebody who just signed in."""
    clock.now = life.now

    def opened(account):
        client = sign_in(app.test_client(), account)
        life.now = life.ready.people.now = clock.now
        return client

    return opened


def fill(client, path, *, send_to=None, **answers):
    """Open a page and send a form of it with these answers; every hidden field comes along."""
    page = text_of(client.get(path))
    action = send_to or path
    forms = re.findall(r"<form\b.*?</form>", page, re.DOTALL)
    wanted = [form for form in forms if f'action="{action}"' in form or ("action=" not in form and action == path)]
    assert wanted, (action, page[:3000])
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', wanted[0]))
    return client.post(action, data=hidden | answers)


# --- admitting -----------------------------------------------------------------------------------------------------


@pytest.fixture
def new(life):
    return life.ready.people.member(TEAM, name="Nieuwe Collega")


def compare_path(account):
    return f"/mensen/toelaten/{TEAM}/{account.user_id.hex()}"


def test_two_colleagues_let_somebody_in_and_the_newcomer_pins_what_they_compared(browser, life, new):
    colleague = browser(life.second)
    assert "Bel en vergelijk" in text_of(colleague.get("/mensen"))
    assert fill(colleague, compare_path(new), compared="ja", same="ja").status_code == 303
    assert new.person.grants == ()

    coordinator = browser(life.first)
    assert "Nieuwe Collega" in text_of(coordinator.get("/mensen"))
    assert fill(coordinator, compare_path(new) + "/goedkeuren", sure="ja").status_code == 303

    newcomer = browser(new)
    assert "vergelijk eerst" in text_of(newcomer.get("/account"))
    assert fill(newcomer, "/sleutels", send_to="/sleutels/vergeleken", compared="ja").status_code == 303
    assert "u hebt de sleutel" in text_of(newcomer.get("/account"))
    assert newcomer.get(f"/werk/{TEAM}").status_code == 200


@pytest.mark.parametrize("ticked", [{}, {"compared": "ja"}, {"same": "ja"}])
def test_both_comparisons_are_asked(browser, life, new, ticked):
    answer = fill(browser(life.second), compare_path(new), **ticked)

    assert answer.status_code == 422


def test_who_compared_and_coordinates_is_told_that_somebody_else_must_compare(browser, life, new):
    page = text_of(browser(life.first).get(compare_path(new)))

    assert "U coördineert dit team zelf" in page


def test_of_a_team_with_one_holder_the_page_says_that_it_goes_alone(browser, people, life):
    life.ready.people.now = life.now
    life.change(life.ready.second("juridisch"), None)
    with life.instance.sessions.begin() as session:
        leaving.confirm_change(
            session, life.instance, life.ready.first("juridisch").person, life.ready.second("juridisch").user_id,
            now=life.now,
        )  # fmt: skip
    new = life.ready.people.member("juridisch")
    client = browser(life.ready.first("juridisch"))
    path = f"/mensen/toelaten/juridisch/{new.user_id.hex()}"

    assert "Alleen u hebt de sleutel" in text_of(client.get(path))
    answer = fill(client, path, compared="ja", same="ja")
    assert answer.location.endswith("/goedkeuren")
    assert fill(client, path + "/goedkeuren", sure="ja").status_code == 303
    assert [grant.team for grant in new.person.grants] == ["juridisch"]


def test_a_page_that_is_approved_without_a_tick_gives_nothing(browser, life, new):
    fill(browser(life.second), compare_path(new), compared="ja", same="ja")

    assert fill(browser(life.first), compare_path(new) + "/goedkeuren").status_code == 422
    assert new.person.grants == ()


def test_a_proposal_that_was_planted_is_refused_in_words_and_alarms(browser, life, new):
    fill(browser(life.second), compare_path(new), compared="ja", same="ja")
    from weerbaar_meldpunt.store.membership import Admission

    with life.instance.sessions.begin() as session:
        session.execute(update(Admission).values(proposed_at=life.now.replace(year=2025)))

    answer = fill(browser(life.first), compare_path(new) + "/goedkeuren", sure="ja")

    assert answer.status_code == 403
    assert "klopt niet met het logboek" in text_of(answer)
    assert "toelating_ondergeschoven" in life.alarm_kinds()


def test_a_planted_grant_alarms_in_the_very_request_that_found_it(browser, life):
    from weerbaar_meldpunt.vault.wrap import Grant, wrap

    client = browser(life.second)
    key = life.second.person.pair.public
    with life.instance.sessions.begin() as session:
        session.execute(
            update(TeamGrant)
            .where(TeamGrant.member_id == life.second.user_id)
            .values(grantor=b"", wrapped=wrap(key, b"\x09" * 32, Grant("team_grant", TEAM, None, 1, b"")))
        )

    client.get(f"/werk/{TEAM}")

    assert "teamsleutel_ondergeschoven" in life.alarm_kinds()


def test_a_pin_that_changed_is_said_to_the_member_and_alarms_at_sign_in(browser, life):
    from weerbaar_meldpunt.vault.pins import Pins

    mine = life.first.person.pins["team/juridisch/1"]
    text = life.instance.pins().text().replace(mine, "ab" * 32)
    life.instance.write_pins(Pins.parse(text))

    client = browser(life.first)

    assert (pinning.PIN_CHANGED, "team/juridisch/1") in life.alarms()
    assert "Een sleutel is veranderd" in text_of(client.get("/sleutels"))
    assert client.get(f"/werk/{TEAM}").status_code == 200  # the rest goes on


# --- leaving -------------------------------------------------------------------------------------------------------


@pytest.fixture
def beheerder(life):
    life.beheerder = life.ready.people.beheerder()
    return life.beheerder


def account_path(account):
    return f"/mensen/{account.user_id.hex()}"


def test_a_beheerder_switches_somebody_off_and_their_open_page_is_over(browser, life, beheerder):
    third = life.third()
    working, admin = browser(third), browser(beheerder)
    assert working.get(f"/werk/{TEAM}").status_code == 200

    answer = fill(admin, account_path(third) + "/uitschakelen", reason="Andere baan", sure="ja")

    assert answer.status_code == 303
    assert working.get(f"/werk/{TEAM}").status_code == 303
    assert "Andere baan" in text_of(admin.get(account_path(third)))


@pytest.mark.parametrize("missing", [{"reason": "x"}, {"sure": "ja"}])
def test_reason_and_confirmation_are_asked(browser, life, beheerder, missing):
    third = life.third()

    assert fill(browser(beheerder), account_path(third) + "/uitschakelen", **missing).status_code == 422


def test_a_second_person_confirms_when_few_are_left(browser, life, beheerder):
    admin = browser(beheerder)
    fill(admin, account_path(life.second) + "/uitschakelen", reason="Andere baan", sure="ja")
    assert "Wacht op een tweede persoon" in text_of(admin.get(account_path(life.second)))
    assert admin.get(account_path(life.second) + "/bevestigen").status_code == 404

    coordinator = browser(life.first)
    assert "Bekijk en bevestig" in text_of(coordinator.get("/mensen"))
    answer = fill(coordinator, account_path(life.second) + "/bevestigen", answer="ja")

    assert answer.status_code == 303
    with life.instance.readings() as session:
        assert session.get_one(User, life.second.user_id).state == "uitgeschakeld"


def test_a_beheerder_changes_roles_and_a_refused_combination_keeps_what_was_ticked(browser, life, beheerder):
    plain = life.ready.people.staff(("auditor", ""))
    admin = browser(beheerder)

    refused = fill(
        admin, account_path(plain), send_to=account_path(plain) + "/rollen",
        roles=["beheerder:", f"behandelaar:{TEAM}"], reason="Nieuwe taak",
    )  # fmt: skip
    assert refused.status_code == 422
    assert re.search(rf'value="behandelaar:{TEAM}" checked', text_of(refused))

    done = fill(
        admin, account_path(plain), send_to=account_path(plain) + "/rollen", roles=[f"behandelaar:{TEAM}"],
        reason="Nieuwe taak",
    )  # fmt: skip
    assert done.status_code == 303
    assert plain.person.member_of(TEAM)


def test_a_beheerder_sees_numbers_of_open_work_and_no_reference(browser, life, beheerder, file):
    filed = file(REPORT)
    with life.instance.sessions.begin() as session:
        session.execute(update(Track).values(owner_id=life.second.user_id))

    page = text_of(browser(beheerder).get(account_path(life.second)))

    assert "Ondersteuningsteam Weerbaar Bestuur: 1" in page
    assert filed.reference not in page


def test_the_coordinator_gives_what_lay_with_a_leaver_to_a_colleague(browser, life, beheerder, file):
    third = life.third()
    filed = file(REPORT)
    person = third.person
    with life.instance.sessions.begin() as session:
        take(hold(session, life.instance, person, filed.reference, now=life.now))
    life.change(third, None)
    coordinator = browser(life.first)
    assert filed.reference in text_of(coordinator.get(f"/overdracht/{TEAM}"))

    answer = fill(
        coordinator, f"/overdracht/{TEAM}", tracks=[filed.reference], to=life.second.user_id.hex()
    )  # fmt: skip

    assert answer.status_code == 303
    with life.instance.readings() as session:
        assert session.scalars(select(Track.owner_id).where(Track.team == TEAM)).one() == life.second.user_id
    assert "Er ligt niets bij iemand die weg is" in text_of(coordinator.get(f"/overdracht/{TEAM}"))


def test_a_member_who_coordinates_nothing_does_not_hand_over(browser, life):
    assert browser(life.second).get(f"/overdracht/{TEAM}").status_code == 404


def test_somebody_who_was_switched_off_is_invited_anew_on_the_same_page(browser, life, beheerder):
    third = life.third()
    life.change(third, None)

    answer = fill(
        browser(beheerder), "/mensen", send_to="/mensen/uitnodigen", name="Terug", login=third.login,
        roles=[f"behandelaar:{TEAM}"],
    )  # fmt: skip

    assert answer.status_code == 200
    assert "/uitnodiging/" in text_of(answer)


# --- a reporter's account ------------------------------------------------------------------------------------------


def test_a_reporters_account_is_found_by_the_exact_login_and_the_name_stands_in_no_log(
    browser, life, beheerder, caplog
):
    reporter = life.ready.people.reporter("zonnebloemveld")
    admin = browser(beheerder)
    with caplog.at_level(logging.DEBUG, logger="meldpunt"):
        assert "Er is geen account" in text_of(fill(admin, "/mensen/melder", login="zonnebloemveld"))
        found = fill(admin, "/mensen/melder", login=reporter.login)
        assert "Er is een account." in text_of(found)
        page = text_of(found)
        hidden = {"csrf_token": token_of(page), "login": reporter.login, "to": "uit"}
        assert admin.post("/mensen/melder/schakelen", data=hidden).status_code == 422
        assert admin.post("/mensen/melder/schakelen", data=hidden | {"sure": "ja"}).status_code == 303

    with life.instance.readings() as session:
        assert session.get_one(User, reporter.user_id).state == "uitgeschakeld"
    assert "zonnebloemveld" not in caplog.text
    folder = life.instance.settings.instance
    assert all(b"zonnebloemveld" not in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert "zonnebloemveld" not in text_of(admin.get("/mensen"))


# --- the next key --------------------------------------------------------------------------------------------------


def test_a_member_makes_the_next_key_after_comparing_with_the_others(browser, life, beheerder):
    third = life.third()
    life.change(third, None)
    client = browser(life.second)
    assert "nieuwe sleutel nodig" in text_of(client.get("/mensen"))
    assert "nieuwe sleutel nodig" in text_of(client.get(f"/werk/{TEAM}"))

    refused = fill(client, f"/sleutels/nieuw/{TEAM}", sure="ja")
    assert refused.status_code == 422
    assert fill(client, f"/sleutels/collega/{TEAM}/{life.first.user_id.hex()}", compared="ja").status_code == 303
    made = fill(client, f"/sleutels/nieuw/{TEAM}", sure="ja")

    assert made.status_code == 200
    (key,) = life.pin()
    assert fingerprint_words(key.fingerprint) in text_of(made).replace("<wbr>", "")
    assert [keys.epoch for keys in life.first.person.teams[TEAM]] == [1, 2]
    assert "nieuwe sleutel nodig" not in text_of(client.get("/mensen"))


def test_the_list_of_the_next_key_leaves_out_who_left(browser, life, beheerder):
    third = life.third(name="Vertrokken Mens")
    assert "Vertrokken Mens" in text_of(browser(life.first).get(f"/sleutels/nieuw/{TEAM}"))

    life.change(third, None)

    assert "Vertrokken Mens" not in text_of(browser(life.first).get(f"/sleutels/nieuw/{TEAM}"))


# --- being away ----------------------------------------------------------------------------------------------------


def test_a_member_notes_being_away_and_takes_it_back(browser, life):
    client = browser(life.second)
    assert "Niemand is afwezig gemeld" in text_of(client.get(f"/afwezig/{TEAM}"))

    answer = fill(client, f"/afwezig/{TEAM}", starts="2026-11-23", ends="2026-12-04", stand_in=life.first.user_id.hex())
    assert answer.status_code == 303
    page = text_of(client.get(f"/afwezig/{TEAM}"))
    assert "is afwezig tot" in page
    with life.instance.readings() as session:
        row = session.scalars(select(Absence)).one()
    assert f"/afwezig/{TEAM}/{row.id.hex()}/weg" in page

    fill(client, f"/afwezig/{TEAM}", send_to=f"/afwezig/{TEAM}/{row.id.hex()}/weg")
    assert "Niemand is afwezig gemeld" in text_of(client.get(f"/afwezig/{TEAM}"))


@pytest.mark.parametrize(
    "answers",
    [
        {"starts": "", "ends": "2026-12-04"},
        {"starts": "2026-12-05", "ends": "2026-12-04"},
        {"starts": "2026-11-23", "ends": "2026-11-01"},
        {"starts": "2026-11-23", "ends": "2029-11-23"},
    ],
    ids=["no day", "back to front", "over already", "years"],
)
def test_days_that_cannot_be_are_refused_and_what_was_filled_in_stays(browser, life, answers):
    client = browser(life.second)

    answer = fill(client, f"/afwezig/{TEAM}", stand_in=life.first.user_id.hex(), **answers)

    assert answer.status_code == 422
    assert f'value="{answers["ends"]}"' in text_of(answer)
