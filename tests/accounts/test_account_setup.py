"""Setting up an account: nothing told about others, nothing taken over, nobody locked out, no lock held meanwhile."""

import re
import sqlite3
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import func, select, update

from weerbaar_meldpunt.actions import people as accounts
from weerbaar_meldpunt.actions import signin, sweeping
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.store.people import Bundle, Invitation, Role, Root, User
from weerbaar_meldpunt.vault import password as passwords
from weerbaar_meldpunt.vault.derive import sha256

CHOSEN = "acht blauwe bootjes op het meer"


def token_of(answer):
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.get_data(as_text=True))
    assert found, answer.get_data(as_text=True)[:800]
    return found.group(1)


def hidden(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page).group(1)


def choose(client, path, **answers):
    data = {"csrf_token": token_of(client.get(path)), "password": CHOSEN, "again": CHOSEN} | answers
    return client.post(path, data=data)


def secret_on(page):
    return re.search(r"\b[A-Z2-7]{32}\b", page).group(0)


def confirm(client, shown, clock, **answers):
    page = shown.get_data(as_text=True)
    data = {
        "csrf_token": token_of(shown),
        "user_id": hidden(page, "user_id"),
        "recovery": hidden(page, "recovery"),
        "code": pyotp.TOTP(secret_on(page)).at(int(clock.now.timestamp())),
        "again": hidden(page, "recovery"),
    }
    return client.post("/account/bevestigen", data=data | answers)


def invited(instance, people, *, role=("auditor", ""), login="nieuw@voorbeeld.test"):
    with instance.sessions.begin() as session:
        return accounts.invite(
            session, instance, login=login, name="Nieuw Mens", roles=frozenset({role}), by=b"", now=people.now
        )


def state_of(instance, user_id):
    with instance.readings() as session:
        return session.get_one(User, user_id).state


def count(instance, model):
    with instance.readings() as session:
        return session.scalar(select(func.count()).select_from(model))


# --- a reporter's name for signing in ---


def test_a_taken_name_and_a_free_one_get_the_same_answer(app, people):
    people.reporter("burgemeester@gemeente.test")
    staff = people.member("ondersteuning")
    logins = ["burgemeester@gemeente.test", staff.login, "niemand@gemeente.test"]

    answers = [choose(app.test_client(), "/account/nieuw", login=login) for login in logins]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


def test_somebody_who_registered_signs_in_with_the_name_that_was_shown(app, instance, clock):
    client = app.test_client()
    shown = choose(client, "/account/nieuw", login="appel")
    login = re.search(r"\bappel-\d{6}\b", shown.get_data(as_text=True)).group(0)

    assert confirm(client, shown, clock).status_code == 303

    with instance.readings() as session:
        assert signin.start_signin(session, instance, login, CHOSEN, now=clock.now) is not None
        assert signin.start_signin(session, instance, "appel", CHOSEN, now=clock.now) is None


def test_who_registers_a_colleagues_address_does_not_stop_the_invitation(app, instance, people):
    choose(app.test_client(), "/account/nieuw", login="collega.straks@ministerie.test")

    assert invited(instance, people, login="collega.straks@ministerie.test")


def test_an_invitation_says_nothing_about_a_reporters_name(instance, people):
    reporter = people.reporter("anna")

    reasons = []
    for login in (reporter.login, "anna-000000", "anna-000001"):
        with pytest.raises(NotAllowed) as refusal:
            invited(instance, people, login=login)
        reasons.append(refusal.value.reason)

    assert len(set(reasons)) == 1


def test_every_try_to_sign_in_costs_one_derivation_whoever_it_is_for(instance, people, monkeypatch, clock):
    reporter, member = people.reporter("anna"), people.member("ondersteuning")
    real, taken = passwords.password_key, []
    monkeypatch.setattr(passwords, "password_key", lambda *a, **k: taken.append(1) or real(*a, **k))

    costs = []
    for login in (reporter.login, member.login, "anna-000000", "niemand@voorbeeld.test"):
        taken.clear()
        with instance.readings() as session:
            signin.start_signin(session, instance, login, "iets heel anders dan dat", now=clock.now)
        costs.append(len(taken))

    assert costs == [1, 1, 1, 1]


def test_a_very_long_name_is_refused_and_stays_on_the_page(app):
    answer = choose(app.test_client(), "/account/nieuw", login="x" * 5000)

    assert answer.status_code == 422
    assert "x" * 5000 in answer.get_data(as_text=True)


# --- an account that is not confirmed ---


def test_somebody_who_closed_the_page_uses_the_invitation_again(app, instance, people, clock):
    link = f"/uitnodiging/{invited(instance, people)}"
    choose(app.test_client(), link)
    client = app.test_client()

    again = choose(client, link)

    assert confirm(client, again, clock).status_code == 303
    assert app.test_client().get(link).status_code == 404


def test_an_older_page_does_not_confirm_what_was_set_up_anew(app, instance, people, clock):
    link = f"/uitnodiging/{invited(instance, people)}"
    client = app.test_client()
    first = choose(client, link)
    choose(client, link)

    confirm(client, first, clock)

    assert client.get(link).status_code == 200


def test_somebody_whose_invitation_is_over_is_invited_again(app, instance, people, clock):
    old = f"/uitnodiging/{invited(instance, people)}"

    fresh = f"/uitnodiging/{invited(instance, people, role=('behandelaar', 'juridisch'))}"

    client = app.test_client()
    assert client.get(old).status_code == 404
    shown = choose(client, fresh)
    assert confirm(client, shown, clock).status_code == 303
    with instance.readings() as session:
        assert session.scalars(select(Role.team)).all() == ["juridisch"]


def test_an_account_that_works_is_not_invited_again(instance, people):
    member = people.member("ondersteuning")

    with pytest.raises(NotAllowed, match="login_bestaat"):
        invited(instance, people, login=member.login)


def test_a_reporters_account_that_nobody_confirmed_is_gone_after_a_day(instance, people, clock):
    kept = people.reporter("blijft")
    with instance.sessions.begin() as session:
        accounts.register(session, instance, "gaat", CHOSEN, now=clock.now)

    def swept(after):
        with instance.sessions.begin() as session:
            sweeping.sweep_rows(session, now=clock.now + after)
        return [count(instance, model) for model in (User, Role, Root, Bundle, Invitation)]

    assert swept(timedelta(hours=23)) == [2, 2, 4, 2, 1]
    assert swept(timedelta(hours=24, seconds=1)) == [1, 1, 2, 1, 0]
    assert state_of(instance, kept.user_id) == accounts.ACTIVE


def test_sweeping_leaves_invited_staff_alone(instance, people, clock):
    invited(instance, people)

    with instance.sessions.begin() as session:
        accounts.sweep_unconfirmed(session, now=clock.now + timedelta(days=30))

    assert count(instance, User) == 1


# --- what would take an account over ---


@pytest.mark.parametrize("state", [accounts.DISABLED, accounts.ACTIVE])
def test_only_an_invited_account_is_confirmed(client, instance, people, clock, state):
    member = people.member("ondersteuning")
    with instance.sessions.begin() as session:
        session.execute(update(User).where(User.id == member.user_id).values(state=state))
        assert not accounts.confirm_enrolment(session, instance, member.user_id, member.recovery_code, now=clock.now)

    answer = client.post(
        "/account/bevestigen",
        data={
            "csrf_token": token_of(client.get("/inloggen")),
            "user_id": member.user_id.hex(),
            "recovery": member.recovery_code,
            "again": member.recovery_code,
            "code": member.code(clock.now),
        },
    )

    assert answer.status_code == 303
    assert state_of(instance, member.user_id) == state


def test_a_second_factor_of_ones_own_making_confirms_nothing(app, instance, people, clock):
    client = app.test_client()
    shown = choose(client, f"/uitnodiging/{invited(instance, people)}")
    mine = pyotp.random_base32()

    answer = confirm(client, shown, clock, secret=mine, code=pyotp.TOTP(mine).at(int(clock.now.timestamp())))

    assert answer.status_code == 422
    assert secret_on(answer.get_data(as_text=True)) == secret_on(shown.get_data(as_text=True))


@pytest.mark.parametrize("user_id", ["00" * 16, "00", "", "geen id", "00" * 4000])
def test_an_account_that_does_not_exist_is_not_confirmed_and_breaks_nothing(client, user_id):
    answer = client.post(
        "/account/bevestigen",
        data={
            "csrf_token": token_of(client.get("/inloggen")),
            "user_id": user_id,
            "uri": "x" * 5000,
            "recovery": "x",
            "again": "x",
            "code": "1",
        },
    )

    assert answer.status_code == 303


@pytest.mark.parametrize("state", [accounts.ACTIVE, accounts.DISABLED])
def test_a_planted_invitation_does_not_take_an_account_over(client, instance, people, clock, state):
    member, token = people.member("ondersteuning"), b"\x01" * 32
    with instance.sessions.begin() as session:
        session.add(
            Invitation(token_hash=sha256(token), user_id=member.user_id, expires_at=clock.now + timedelta(hours=2))
        )
        session.execute(update(User).where(User.id == member.user_id).values(state=state))

    assert client.get(f"/uitnodiging/{token.hex()}").status_code == 404
    with pytest.raises(NotAllowed), instance.sessions.begin() as session:
        accounts.enrol(session, instance, session.get_one(User, member.user_id), CHOSEN, now=clock.now)


# --- what holds others up ---


@pytest.mark.parametrize("how", ["register", "invited"])
def test_the_database_is_free_while_a_password_is_made_into_a_key(app, instance, people, monkeypatch, how):
    path = "/account/nieuw" if how == "register" else f"/uitnodiging/{invited(instance, people)}"
    real, free = passwords.password_key, []

    def derive(*args, **named):
        other = sqlite3.connect(instance.settings.instance / "meldpunt.sqlite", isolation_level=None, timeout=0.1)
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
        other.close()
        free.append(True)
        return real(*args, **named)

    monkeypatch.setattr(passwords, "password_key", derive)

    answer = choose(app.test_client(), path, login="anna")

    assert answer.status_code == 200
    assert free == [True]


def test_a_password_made_for_one_account_opens_no_other(instance, people, clock):
    from weerbaar_meldpunt.actions.passwordkeys import prepare

    invited(instance, people)
    prepared = prepare(instance, CHOSEN, staff=True)

    with pytest.raises(ValueError, match="another account"), instance.sessions.begin() as session:
        accounts.enrol(session, instance, session.scalars(select(User)).one(), prepared, now=clock.now)


def test_a_reporters_shorter_password_is_no_password_of_staff(instance, people, clock):
    from weerbaar_meldpunt.actions.passwordkeys import prepare

    invited(instance, people)
    with instance.readings() as session:
        user_id = session.scalars(select(User.id)).one()
    prepared = prepare(instance, "twaalf tekens", staff=False, user_id=user_id)

    with pytest.raises(NotAllowed), instance.sessions.begin() as session:
        accounts.enrol(session, instance, session.scalars(select(User)).one(), prepared, now=clock.now)
