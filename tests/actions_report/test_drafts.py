"""Drafts: sealed under what only their holder has, never overwritten in silence, gone when their time is over."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from weerbaar_meldpunt.actions.drafts import (
    DraftChanged,
    discard_draft,
    draft_cookie,
    mark_sent,
    new_draft,
    open_draft,
    save_draft,
    sweep_drafts,
)
from weerbaar_meldpunt.actions.errors import TooLarge
from weerbaar_meldpunt.store.cases import Draft as DraftRow


@pytest.fixture
def saved(instance, clock):
    draft = new_draft(instance)
    draft.answers = {"narrative": "Niemand mag dit lezen."}
    with instance.sessions.begin() as session:
        save_draft(session, draft, now=clock.now)
    return draft


def test_what_stands_in_the_database_says_nothing(instance, saved):
    with instance.readings() as session:
        row = session.scalars(select(DraftRow)).one()

    assert b"Niemand" not in row.sealed
    assert saved.form_token.encode() not in row.sealed
    assert len(row.sealed) % 512 == 92


def test_the_cookie_opens_it_and_a_changed_one_does_not(instance, saved, clock):
    wrong = saved.cookie[:-1] + bytes([saved.cookie[-1] ^ 1])

    with instance.readings() as session:
        assert open_draft(session, saved.cookie, now=clock.now).answers == saved.answers
        assert open_draft(session, wrong, now=clock.now) is None
        assert open_draft(session, b"", now=clock.now) is None


def test_a_draft_put_back_to_an_older_state_does_not_open(instance, saved, clock):
    with instance.readings() as session:
        old = session.scalars(select(DraftRow.sealed)).one()
    saved.answers["narrative"] = "Nieuwer."
    with instance.sessions.begin() as session:
        save_draft(session, saved, now=clock.now)
    with instance.sessions.begin() as session:
        session.scalars(select(DraftRow)).one().sealed = old

    with instance.readings() as session:
        assert open_draft(session, saved.cookie, now=clock.now) is None


def test_the_draft_code_gives_the_very_same_cookie(instance, saved):
    assert draft_cookie(instance, saved.code.lower()) == saved.cookie
    assert draft_cookie(instance, "geen code") is None


def test_two_that_save_at_once_lose_nothing_and_the_second_is_told_what_stands_there(instance, saved, clock):
    with instance.readings() as session:
        left = open_draft(session, saved.cookie, now=clock.now)
        right = open_draft(session, saved.cookie, now=clock.now)
    left.answers["narrative"], right.answers["narrative"] = "links", "rechts"
    with instance.sessions.begin() as session:
        save_draft(session, left, now=clock.now)

    with instance.sessions.begin() as session, pytest.raises(DraftChanged) as changed:
        save_draft(session, right, now=clock.now)

    assert changed.value.current.answers == {"narrative": "links"}


def test_more_than_one_sealed_document_can_hold_is_refused_and_what_stood_there_stays(instance, saved, clock):
    saved.answers["narrative"] = "x" * 1_100_000

    with instance.sessions.begin() as session, pytest.raises(TooLarge):
        save_draft(session, saved, now=clock.now)

    with instance.readings() as session:
        assert open_draft(session, saved.cookie, now=clock.now).answers == {"narrative": "Niemand mag dit lezen."}


def test_a_sent_draft_keeps_its_token_for_half_an_hour_and_no_answer(instance, saved, clock):
    with instance.sessions.begin() as session:
        mark_sent(session, saved, now=clock.now)

    with instance.readings() as session:
        soon = open_draft(session, saved.cookie, now=clock.now + timedelta(minutes=29))
        late = open_draft(session, saved.cookie, now=clock.now + timedelta(minutes=31))
    assert soon.sent
    assert (soon.answers, soon.files) == ({}, [])
    assert soon.form_token == saved.form_token
    assert late is None


def test_typing_on_after_its_time_was_over_keeps_what_is_typed(instance, saved, clock):
    clock.forward(days=15)
    saved.answers["narrative"] = "Toch nog."

    with instance.sessions.begin() as session:
        save_draft(session, saved, now=clock.now)

    with instance.readings() as session:
        assert open_draft(session, saved.cookie, now=clock.now).answers == {"narrative": "Toch nog."}


def test_the_sweep_deletes_only_what_is_over(instance, saved, clock):
    other = new_draft(instance)
    with instance.sessions.begin() as session:
        save_draft(session, other, now=clock.now + timedelta(days=10))

    with instance.sessions.begin() as session:
        swept = sweep_drafts(session, now=clock.now + timedelta(days=15))

    assert swept == 1
    with instance.readings() as session:
        assert session.scalars(select(DraftRow.lookup)).all() == [other.lookup]


def test_a_discarded_draft_is_gone(instance, saved, clock):
    with instance.sessions.begin() as session:
        discard_draft(session, saved)

    with instance.readings() as session:
        assert open_draft(session, saved.cookie, now=clock.now) is None


def test_a_repr_of_a_draft_shows_nothing_of_it(saved):
    assert "Niemand" not in repr(saved)
    assert saved.form_token not in repr(saved)
    assert repr(saved.cookie) not in repr(saved)
