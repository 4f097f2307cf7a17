"""Setting up people: an invitation is good once, who administers holds no key, a key is given after a comparison."""

import re

import pytest

from weerbaar_meldpunt.rules.vocabulary import TEAMS

NEW_PASSWORD = "acht blauwe bootjes op het meer"


def token_of(answer):
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.get_data(as_text=True))
    assert found, answer.get_data(as_text=True)[:800]
    return found.group(1)


def hidden(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page).group(1).replace("&amp;", "&")


def compared_on(page):
    """What the form of an admission sends once somebody compared by telephone what it shows."""
    text = page.get_data(as_text=True)
    shown = {name: hidden(text, name) for name in ("fingerprint", "digest")}
    return {"csrf_token": token_of(page), "compared": "ja", "same": "ja", **shown}


@pytest.fixture
def administrator(app, people, sign_in):
    return sign_in(app.test_client(), people.beheerder())


def invite(administrator, **answers):
    page = administrator.get("/mensen")
    data = {"csrf_token": token_of(page), "name": "Nieuw Mens", "login": "nieuw@voorbeeld.test"} | answers
    return administrator.post("/mensen/uitnodigen", data=data)


def link_in(answer):
    return re.search(r"/uitnodiging/[0-9a-f]{64}", answer.get_data(as_text=True)).group(0)


def test_an_invited_member_sets_up_the_account_and_signs_in(app, administrator, clock):
    import pyotp

    link = link_in(invite(administrator, roles=["behandelaar:ondersteuning"]))
    guest = app.test_client()
    page = guest.get(link)
    shown = guest.post(link, data={"csrf_token": token_of(page), "password": NEW_PASSWORD, "again": NEW_PASSWORD})
    text = shown.get_data(as_text=True)
    secret, recovery = re.search(r"\b[A-Z2-7]{32}\b", text).group(0), hidden(text, "recovery")
    done = guest.post(
        "/account/bevestigen",
        data={
            "csrf_token": token_of(shown),
            **{name: hidden(text, name) for name in ("user_id", "recovery")},
            "code": pyotp.TOTP(secret).at(int(clock.now.timestamp())),
            "again": recovery.lower(),
        },
    )
    assert done.status_code == 303, done.get_data(as_text=True)[:2000]

    clock.forward(seconds=31)
    guest.post(
        "/inloggen",
        data={
            "csrf_token": token_of(guest.get("/inloggen")),
            "login": "nieuw@voorbeeld.test",
            "password": NEW_PASSWORD,
        },
    )
    guest.post(
        "/inloggen/code",
        data={
            "csrf_token": token_of(guest.get("/inloggen/code")),
            "code": pyotp.TOTP(secret).at(int(clock.now.timestamp())),
        },
    )

    assert "Nieuw Mens" in guest.get("/account").get_data(as_text=True)


def test_an_account_does_not_work_before_the_recovery_code_was_typed_again(app, administrator, clock):
    link = link_in(invite(administrator, roles=["behandelaar:ondersteuning"]))
    guest = app.test_client()
    guest.post(link, data={"csrf_token": token_of(guest.get(link)), "password": NEW_PASSWORD, "again": NEW_PASSWORD})

    answer = guest.post(
        "/inloggen",
        data={
            "csrf_token": token_of(guest.get("/inloggen")),
            "login": "nieuw@voorbeeld.test",
            "password": NEW_PASSWORD,
        },
    )

    assert answer.status_code == 401


def test_an_invitation_is_good_until_the_account_works_and_not_after(app, administrator, clock):
    import pyotp

    link = link_in(invite(administrator, roles=["behandelaar:ondersteuning"]))
    guest = app.test_client()
    shown = guest.post(
        link, data={"csrf_token": token_of(guest.get(link)), "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    )
    text = shown.get_data(as_text=True)
    assert app.test_client().get(link).status_code == 200

    guest.post(
        "/account/bevestigen",
        data={
            "csrf_token": token_of(shown),
            **{name: hidden(text, name) for name in ("user_id", "recovery")},
            "code": pyotp.TOTP(re.search(r"\b[A-Z2-7]{32}\b", text).group(0)).at(int(clock.now.timestamp())),
            "again": hidden(text, "recovery"),
        },
    )

    assert app.test_client().get(link).status_code == 404


def test_an_invitation_ends_after_a_day(app, administrator, clock):
    link = link_in(invite(administrator, roles=["behandelaar:ondersteuning"]))

    clock.forward(hours=24, seconds=1)

    assert app.test_client().get(link).status_code == 404


@pytest.mark.parametrize("password", ["te kort", "wachtwoordwachtwoord", "persoonpersoonpersoon"])
def test_a_password_that_is_short_or_guessed_first_is_refused_and_the_invitation_stays_good(
    app, administrator, password
):
    link = link_in(invite(administrator, roles=["behandelaar:ondersteuning"], login="persoon@voorbeeld.test"))
    guest = app.test_client()

    answer = guest.post(link, data={"csrf_token": token_of(guest.get(link)), "password": password, "again": password})

    assert answer.status_code == 422
    assert guest.get(link).status_code == 200


@pytest.mark.parametrize("other", ["behandelaar:ondersteuning", "coordinator:juridisch", "statistiekredacteur:"])
def test_who_administers_gets_no_role_that_holds_a_key(administrator, other):
    answer = invite(administrator, roles=["beheerder:", other])

    assert answer.status_code == 422
    assert "nieuw@voorbeeld.test" in answer.get_data(as_text=True)  # nothing typed is lost


def test_only_who_administers_invites(app, people, sign_in):
    member = sign_in(app.test_client(), people.member("ondersteuning"))

    answer = member.post(
        "/mensen/uitnodigen",
        data={"csrf_token": token_of(member.get("/mensen")), "name": "X", "login": "x@y.test", "roles": ["auditor:"]},
    )

    assert answer.status_code == 404


def test_reporters_are_never_on_the_list(administrator, people):
    people.reporter("bang@voorbeeld.test")

    assert "bang@voorbeeld.test" not in administrator.get("/mensen").get_data(as_text=True)


def test_a_reporter_has_no_page_of_staff(app, people, sign_in):
    reporter = sign_in(app.test_client(), people.reporter())

    assert reporter.get("/mensen").status_code == 404


def test_the_first_member_makes_the_key_and_nothing_is_sealed_to_it_before_it_is_pinned(app, people, sign_in, instance):
    member = sign_in(app.test_client(), people.member("ondersteuning"))

    made = member.post("/mensen/sleutel/ondersteuning", data={"csrf_token": token_of(member.get("/mensen"))})

    assert made.status_code == 200
    with instance.readings() as session:
        assert instance.sealing_keys(session, "team", TEAMS) == {}
    assert "wacht op vastleggen" in member.get("/mensen").get_data(as_text=True)


def test_a_key_is_given_only_to_who_was_compared(app, people, sign_in):
    first, second = people.member("ondersteuning"), people.member("ondersteuning")
    people.found(first, "ondersteuning")
    member = sign_in(app.test_client(), first)
    path = f"/mensen/toelaten/ondersteuning/{second.user_id.hex()}"

    without = member.post(path, data={"csrf_token": token_of(member.get(path))})
    assert without.status_code == 422
    assert second.person.grants == ()

    page = member.get(path)
    compared = member.post(path, data=compared_on(page))
    assert compared.location.endswith("/goedkeuren")  # nobody else holds the key
    assert second.person.grants == ()
    member.post(compared.location, data={"csrf_token": token_of(member.get(compared.location)), "sure": "ja"})

    assert [grant.team for grant in second.person.grants] == ["ondersteuning"]


@pytest.mark.parametrize("form", ["shown", "", "geen hex"])
def test_a_key_that_was_swapped_while_they_telephoned_gets_nothing_and_the_page_asks_to_call_again(
    app, people, sign_in, instance, form
):
    from sqlalchemy import update

    from weerbaar_meldpunt.actions.teamkeys import fingerprint_words
    from weerbaar_meldpunt.store.people import User
    from weerbaar_meldpunt.vault.keys import user_key_pair

    first, second = people.member("ondersteuning"), people.member("ondersteuning")
    people.found(first, "ondersteuning")
    member = sign_in(app.test_client(), first)
    path = f"/mensen/toelaten/ondersteuning/{second.user_id.hex()}"
    page = member.get(path)
    shown = hidden(page.get_data(as_text=True), "fingerprint") if form == "shown" else form
    planted = user_key_pair(b"\x07" * 32, second.user_id, 1).public
    with instance.sessions.begin() as session:
        session.execute(update(User).where(User.id == second.user_id).values(public_key=planted.raw))

    answer = member.post(
        path,
        data={
            "csrf_token": token_of(page),
            "compared": "ja",
            "same": "ja",
            "fingerprint": shown,
            "digest": hidden(page.get_data(as_text=True), "digest"),
        },
    )

    assert answer.status_code == 422
    assert fingerprint_words(planted.fingerprint) in answer.get_data(as_text=True)
    assert "checked" not in answer.get_data(as_text=True)
    assert second.person.grants == ()


def test_a_member_sees_colleagues_of_the_own_team_only_and_no_addresses(app, people, sign_in):
    me, colleague, other = people.member("ondersteuning"), people.member("ondersteuning"), people.member("juridisch")
    page = sign_in(app.test_client(), me).get("/mensen").get_data(as_text=True)

    assert "Persoon 2" in page
    assert "Persoon 3" not in page
    assert not [account.login for account in (colleague, other) if account.login in page]


def test_who_administers_sees_all_staff_with_their_addresses(administrator, people):
    member = people.member("juridisch")

    page = administrator.get("/mensen").get_data(as_text=True)

    assert member.login in page


def test_who_audits_sees_all_staff_and_no_addresses(app, people, sign_in):
    member = people.member("juridisch", name="Joris Ander")

    page = sign_in(app.test_client(), people.auditor()).get("/mensen").get_data(as_text=True)

    assert "Joris Ander" in page
    assert member.login not in page


def test_nobody_is_admitted_to_a_team_they_do_not_belong_to(app, people, sign_in):
    first, other = people.member("ondersteuning"), people.member("juridisch")
    people.found(first, "ondersteuning")
    member = sign_in(app.test_client(), first)
    path = f"/mensen/toelaten/ondersteuning/{other.user_id.hex()}"

    page = member.get(path)

    answer = member.post(path, data=compared_on(page))

    assert answer.status_code == 403
    assert other.person.grants == ()


def test_the_coordinator_fills_the_roster_and_a_gap_is_shown_until_then(app, ready, sign_in, clock):
    coordinator = sign_in(app.test_client(), ready.first("ondersteuning"))
    page = coordinator.get("/rooster/ondersteuning")
    assert "Een gat in het rooster" in page.get_data(as_text=True)

    answer = coordinator.post(
        "/rooster/ondersteuning",
        data={
            "csrf_token": token_of(page),
            "starts_date": "2026-11-23",
            "starts_time": "09:00",
            "ends_date": "2026-12-20",
            "ends_time": "09:00",
            "owner": ready.second("ondersteuning").user_id.hex(),
            "owner_number": "06-00000001",
        },
    )

    assert answer.status_code == 303
    assert "Een gat in het rooster" not in coordinator.get("/rooster/ondersteuning").get_data(as_text=True)


def test_a_member_who_coordinates_nothing_only_looks_at_the_roster(app, ready, sign_in):
    member = sign_in(app.test_client(), ready.second("ondersteuning"))
    token = token_of(member.get("/mensen"))

    assert member.get("/rooster/ondersteuning").status_code == 200
    assert member.post("/rooster/ondersteuning", data={"csrf_token": token}).status_code == 404


def test_another_teams_roster_does_not_exist(app, ready, sign_in):
    member = sign_in(app.test_client(), ready.first("juridisch"))

    assert member.get("/rooster/ondersteuning").status_code == 404
