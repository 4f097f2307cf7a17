"""The demonstration: believable, in all states, with somebody in every role, and nobody real in it."""

import json
from collections import Counter

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions import demonstration_texts as texts
from weerbaar_meldpunt.actions import opening
from weerbaar_meldpunt.actions.demonstration import make_demonstration
from weerbaar_meldpunt.actions.demonstration_people import PASSWORD, read_accounts
from weerbaar_meldpunt.actions.errors import InstanceFault
from weerbaar_meldpunt.actions.people import unlock
from weerbaar_meldpunt.actions.signin import finish_signin, start_signin
from weerbaar_meldpunt.rules.vocabulary import ACCOUNT_ROLES, KINDS, ROLES, TEAMS
from weerbaar_meldpunt.store.cases import Case
from weerbaar_meldpunt.store.figures import Edition
from weerbaar_meldpunt.store.tracks import Due, Track

NOW_CASES, MONTHS = 60, 4


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    """A small one, with passwords that cost little; `now` is the noon of all tests."""
    from datetime import UTC, datetime

    from weerbaar_meldpunt.vault import password as passwords

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "COST", passwords.Cost(memory_kib=64, passes=1))
        made = make_demonstration(
            tmp_path_factory.mktemp("demonstration") / "instance",
            cases=NOW_CASES,
            months=MONTHS,
            now=datetime(2026, 11, 23, 11, 30, tzinfo=UTC),
            tell=lambda _: None,
        )
    yield made
    made.engine.dispose()


@pytest.mark.slow
def test_there_is_a_login_for_every_role_and_each_one_works(demonstration, clock):
    accounts = read_accounts(demonstration, now=clock.now)

    for account in accounts:
        with demonstration.sessions.begin() as session:
            half = start_signin(session, demonstration, account["login"], account["password"], now=clock.now)
            assert half is not None, account["login"]
            content = finish_signin(session, demonstration, half, account["code"], now=clock.now)
            assert content is not None, account["login"]
            assert unlock(session, demonstration, content) is not None
    words = " ".join(account["role"] for account in accounts)
    assert [role for role in ACCOUNT_ROLES if role not in words and role != "gemachtigde"] == []


@pytest.mark.slow
def test_every_case_is_there_and_open_ones_have_a_next_moment(demonstration):
    with demonstration.readings() as session:
        tracks = session.scalars(select(Track)).all()
        waiting = set(session.scalars(select(Due.track_id).where(Due.ended_at.is_(None))))
        count = len(session.scalars(select(Case.id)).all())

    assert count == NOW_CASES
    assert {track.team for track in tracks} == set(TEAMS)
    assert [track for track in tracks if track.closed_at is None and track.id not in waiting] == []


@pytest.mark.slow
def test_most_of_what_is_old_is_closed_and_what_is_new_is_open(demonstration):
    with demonstration.readings() as session:
        states = Counter(session.scalars(select(Track.state)))

    assert states["afgerond"] > states["in_behandeling"] > 0
    assert states["nieuw"] > 0


@pytest.mark.slow
def test_months_are_published_and_the_last_one_waits_to_be_closed(demonstration):
    with demonstration.readings() as session:
        states = session.execute(select(Edition.period, Edition.state).order_by(Edition.period)).all()

    assert [tuple(row) for row in states] == [(f"2026-{month:02d}", "gepubliceerd") for month in range(7, 10)]


@pytest.mark.slow
def test_no_case_names_the_place_of_an_office_that_one_person_holds(demonstration, clock):
    alone = {"burgemeester", "cdk", "gedeputeerde", "ws_voorzitter"}
    for login in ("coordinator.ondersteuning", "coordinator.beveiliging", "coordinator.juridisch"):
        for report in reports_seen_by(demonstration, login, clock.now):
            if report["target"]["role"] in alone:
                assert report["target"]["organisation"] is None


def reports_seen_by(instance, login, now):
    account = next(row for row in read_accounts(instance, now=now) if row["login"].startswith(login + "@"))
    with instance.sessions.begin() as session:
        half = start_signin(session, instance, account["login"], PASSWORD, now=now)
        from weerbaar_meldpunt.actions.sessions import SessionContent

        content = SessionContent("person", now, now, now, half.user_id, half.root)
        person = unlock(session, instance, content)
        references = session.scalars(
            select(Case.reference).join(Track, Track.case_id == Case.id).where(Track.team.in_(list(person.teams)))
        ).all()
        for reference in references[:25]:
            seen = opening.note_opening(session, instance, person, reference, now=now)
            yield opening.open_case(session, instance, person, seen).report


@pytest.mark.slow
def test_the_list_of_accounts_is_for_its_owner_only_and_a_real_instance_has_none(demonstration, tmp_path, clock):
    path = demonstration.settings.instance / "demo-accounts.json"

    assert path.stat().st_mode & 0o077 == 0
    assert {"role", "login", "password", "totp_secret"} <= set(json.loads(path.read_text())[0])
    with pytest.raises(InstanceFault):
        from weerbaar_meldpunt.actions.instance import create_instance

        real = create_instance(tmp_path / "real", now=clock.now)
        real.engine.dispose()
        read_accounts(real, now=clock.now)


def test_every_recipe_speaks_the_vocabulary_and_has_words():
    for recipe in texts.RECIPES:
        assert set(recipe.roles) <= set(ROLES)
        assert set(recipe.incident.get("kinds", ())) <= set(KINDS)
        assert all(len(story) > 40 for story in recipe.stories)
