"""Signing in: one answer for every failure, a second factor that counts once, a session that really ends."""

import re

import pytest

from weerbaar_meldpunt.actions import people as accounts


def token_of(answer):
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.get_data(as_text=True))
    assert found
    return found.group(1)


def give_password(client, login, password, **more):
    page = client.get("/inloggen")
    return client.post("/inloggen", data={"csrf_token": token_of(page), "login": login, "password": password, **more})


def give_factor(client, code):
    page = client.get("/inloggen/code")
    return client.post("/inloggen/code", data={"csrf_token": token_of(page), "code": code})


def test_password_and_second_factor_together_open_a_session(client, people, sign_in):
    member = people.member("ondersteuning")

    sign_in(client, member)

    assert "Persoon 1" in client.get("/account").get_data(as_text=True)


def test_the_password_alone_opens_nothing(client, people):
    member = people.member("ondersteuning")

    give_password(client, member.login, member.password)

    assert client.get("/account").status_code == 303
    assert client.get("/account").location.startswith("/inloggen")


def test_a_wrong_password_and_an_unknown_name_get_the_very_same_answer(client, people):
    member = people.member("ondersteuning")

    wrong = give_password(client, member.login, "heel iets anders dan dat")
    unknown = give_password(client, "niemand@voorbeeld.test", "heel iets anders dan dat")

    def plain(answer, login):
        text = answer.get_data(as_text=True).replace(login, "")
        return re.sub(r'value="[^"]{40,}"', "", text)

    assert wrong.status_code == unknown.status_code == 401
    assert plain(wrong, member.login) == plain(unknown, "niemand@voorbeeld.test")


def test_a_code_of_the_second_factor_counts_once(app, people, sign_in, clock):
    member = people.member("ondersteuning")
    sign_in(app.test_client(), member)

    thief = app.test_client()
    give_password(thief, member.login, member.password)

    assert give_factor(thief, member.code(clock.now)).status_code == 401
    assert thief.get("/account").status_code == 303


def test_after_five_wrong_codes_the_password_is_asked_again(client, people, clock):
    member = people.member("ondersteuning")
    give_password(client, member.login, member.password)

    answers = [give_factor(client, "000000") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 303]
    assert client.get("/inloggen/code").location.startswith("/inloggen")


def test_after_many_wrong_passwords_the_next_try_waits_and_says_how_long(client, people):
    member = people.member("ondersteuning")

    answers = [give_password(client, member.login, "steeds iets anders") for _ in range(7)]

    assert [answer.status_code for answer in answers] == [401] * 6 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_a_cookie_that_was_copied_ends_with_the_sign_out(app, people, sign_in, form_token):
    member = people.member("ondersteuning")
    client, copy = app.test_client(), app.test_client()
    sign_in(client, member)
    cookie = client.get_cookie("wmp")
    copy.set_cookie("wmp", cookie.value)
    assert copy.get("/account").status_code == 200

    client.post("/uitloggen", data={"csrf_token": form_token(client, "/account")})

    assert copy.get("/account").status_code == 303


def test_a_session_ends_when_nobody_used_it(client, people, sign_in, clock):
    sign_in(client, people.member("ondersteuning"))

    clock.forward(minutes=16)

    assert client.get("/account").status_code == 303


def test_a_session_that_is_used_goes_on_but_not_past_its_absolute_end(client, people, sign_in, clock):
    sign_in(client, people.member("ondersteuning"))

    for _ in range(47):
        clock.forward(minutes=10)
        assert client.get("/account").status_code == 200
    clock.forward(minutes=14)

    assert client.get("/account").status_code == 303


def test_somebody_who_was_disabled_is_out_at_once(client, people, sign_in, instance):
    from weerbaar_meldpunt.store.people import User

    member = people.member("ondersteuning")
    sign_in(client, member)
    with instance.sessions.begin() as session:
        session.get_one(User, member.user_id).state = accounts.DISABLED

    assert client.get("/account").status_code == 303


def test_a_changed_session_row_opens_nothing(client, people, sign_in, instance):
    from sqlalchemy import select

    from weerbaar_meldpunt.store.people import SessionRow

    sign_in(client, people.member("ondersteuning"))
    with instance.sessions.begin() as session:
        row = session.scalars(select(SessionRow)).one()
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])

    assert client.get("/account").status_code == 303


@pytest.mark.parametrize("where", ["//elders.test", "https://elders.test/", "/\\elders.test", "\\elders.test"])
def test_signing_in_never_sends_anybody_elsewhere(client, people, clock, where):
    member = people.member("ondersteuning")
    give_password(client, member.login, member.password, next=where)
    page = client.get("/inloggen/code", query_string={"next": where})

    answer = client.post(
        "/inloggen/code", data={"csrf_token": token_of(page), "code": member.code(clock.now), "next": where}
    )

    assert "elders" not in answer.location


def test_a_form_from_another_site_is_refused(client, people):
    page = client.get("/inloggen")

    answer = client.post(
        "/inloggen",
        data={"csrf_token": token_of(page), "login": "x", "password": "y"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )

    assert answer.status_code == 403


def test_a_form_without_its_token_is_refused(client, people):
    client.get("/inloggen")

    assert client.post("/inloggen", data={"login": "x", "password": "y"}).status_code == 400


def test_a_token_of_another_browser_is_refused(app, people):
    mine, other = app.test_client(), app.test_client()
    token = token_of(other.get("/inloggen"))
    mine.get("/inloggen")

    assert mine.post("/inloggen", data={"csrf_token": token, "login": "x", "password": "y"}).status_code == 400
