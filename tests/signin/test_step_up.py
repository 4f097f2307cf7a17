"""A second factor asked once more: under another cookie, back to where one was, with what was typed."""

import pytest
from flask import Blueprint, render_template_string, request

from weerbaar_meldpunt.web import guards
from weerbaar_meldpunt.web.guards import LONG_TEXT, account_required, stepped_up, takes

from .conftest import Door, go_on, token_of

NOTE = 'Ik sprak met mevrouw Jansen.\nZij zei: <b>niet</b> bellen & "stil" zijn.\n\n  Einde'


@pytest.fixture
def app(app):
    """The application with one page that takes a long text and asks a step-up."""
    room = Blueprint("proof", __name__)
    room.taken = []

    @room.route("/proef", methods=["GET", "POST"])
    @takes(LONG_TEXT)
    @account_required
    @stepped_up
    def page():
        if request.method == "POST":
            room.taken.append((request.full_path.rstrip("?"), request.form.to_dict(flat=False)))
            return "aangekomen"
        return render_template_string(
            '{% from "parts/form.html" import csrf with context %}<form method="post">{{ csrf() }}'
            '<textarea name="note"></textarea></form>'
        )

    app.register_blueprint(room)
    app.taken = room.taken
    return app


@pytest.fixture
def member(people):
    return people.member("ondersteuning")


@pytest.fixture
def own(in_by, member):
    return in_by(member)


def test_a_sign_in_is_a_second_factor_for_five_minutes(own, clock):
    assert own.client.get("/proef").status_code == 200
    clock.forward(minutes=4, seconds=28)
    assert own.client.get("/proef").status_code == 200

    clock.forward(minutes=1)

    assert own.client.get("/proef").location == "/bevestigen?next=/proef"


def test_after_the_code_one_is_back_where_one_was_with_the_question(own, member, clock):
    clock.forward(minutes=6)
    where = own.client.get("/proef?deel=2").location
    page = own.client.get(where)

    answer = own.client.post(
        "/bevestigen",
        data={"csrf_token": token_of(page), "code": member.code(clock.now), "next": "/proef?deel=2"},
    )

    assert answer.location == "/proef?deel=2"
    assert own.client.get("/proef?deel=2").status_code == 200


def test_the_cookie_is_another_and_an_older_copy_opens_nothing(app, own, member, clock):
    clock.forward(minutes=6)
    before = own.client.get_cookie("wmp").value
    copy = Door(app.test_client())
    copy.client.set_cookie("wmp", before)
    assert copy.is_in()

    own.post("/bevestigen", code=member.code(clock.now))

    assert own.client.get_cookie("wmp").value != before
    assert own.is_in()
    assert not copy.is_in()


def test_a_form_that_came_too_late_is_kept_and_sent_with_one_press(app, own, member, clock):
    token = token_of(own.client.get("/proef"))
    clock.forward(minutes=6)

    asked = own.client.post("/proef?deel=3", data={"csrf_token": token, "note": NOTE, "note2": "", "keuze": ["a", "b"]})
    assert asked.status_code == 403
    assert app.taken == []
    back = go_on(own, asked, code=member.code(clock.now))
    assert app.taken == [], "nothing is sent by itself"
    assert "Einde" in back.get_data(as_text=True)
    done = go_on(own, back)

    assert done.get_data(as_text=True) == "aangekomen"
    [(path, form)] = app.taken
    assert path == "/proef?deel=3"
    assert form.pop("csrf_token")
    assert form == {"note": [NOTE.replace("\n", "\r\n")], "note2": [""], "keuze": ["a", "b"]}


def test_a_wrong_code_keeps_it_too(app, own, member, clock):
    token = token_of(own.client.get("/proef"))
    clock.forward(minutes=6)
    asked = own.client.post("/proef", data={"csrf_token": token, "note": NOTE})
    again = go_on(own, asked, code="000000")
    assert again.status_code == 422

    go_on(own, go_on(own, again, code=member.code(clock.now)))

    assert app.taken[0][1]["note"] == [NOTE.replace("\n", "\r\n")]


def test_a_form_with_a_password_in_it_is_not_carried(app, own, clock):
    token = token_of(own.client.get("/proef"))
    clock.forward(minutes=6)

    asked = own.client.post("/proef", data={"csrf_token": token, "password": "zeer geheim woord", "note": NOTE})

    assert asked.location == "/bevestigen?next=/proef"


def test_five_wrong_codes_end_the_session(own, clock):
    clock.forward(minutes=6)

    answers = [own.post("/bevestigen", code="000000").status_code for _ in range(5)]

    assert answers == [422] * 4 + [401]
    assert not own.is_in()


def test_wrong_codes_given_at_the_same_time_are_all_counted(own, instance, clock):
    """Two requests that read the session before either wrote it: a page that keeps the idle limit forgets none."""
    import base64

    from weerbaar_meldpunt.actions import sessions as rows

    cookie = base64.urlsafe_b64decode(own.client.get_cookie("wmp").value)
    with instance.readings() as session:
        seen = rows.open_session(session, cookie, now=clock.now)
    for _ in range(3):
        with instance.sessions.begin() as session:
            rows.count_wrong(session, cookie, seen)
        with instance.sessions.begin() as session:
            rows.keep_session(session, cookie, seen, now=clock.now)

    with instance.readings() as session:
        assert rows.open_session(session, cookie, now=clock.now).tries == 3


def test_the_code_that_signed_somebody_in_does_not_confirm(own, member, clock):
    used = member.code(clock.now)
    clock.forward(minutes=6)

    assert own.post("/bevestigen", code=used).status_code == 422


def test_wrong_codes_of_who_is_signed_in_warn_the_owner_with_those_at_the_door(instance, own, door, member, clock):
    from sqlalchemy import select

    from weerbaar_meldpunt.store.tracks import Outbox

    for _ in range(5):
        own.post("/bevestigen", code="000000")
    other = door()
    other.password(member.login, member.password)
    for _ in range(5):
        other.factor("000000")

    with instance.readings() as session:
        assert len(session.scalars(select(Outbox)).all()) == 1


def test_pages_that_were_open_in_another_tab_can_still_be_sent(app, own, member, clock):
    open_tab = token_of(own.client.get("/proef"))
    clock.forward(minutes=6)
    own.post("/bevestigen", code=member.code(clock.now))

    assert own.client.post("/proef", data={"csrf_token": open_tab, "note": NOTE}).status_code == 200


@pytest.mark.parametrize("where", ["//elders.test", "https://elders.test/", "/\\elders.test"])
def test_confirming_never_sends_anybody_elsewhere(own, member, clock, where):
    clock.forward(minutes=6)
    page = own.client.get("/bevestigen")

    answer = own.client.post(
        "/bevestigen",
        data={"csrf_token": token_of(page), "code": member.code(clock.now), "next": where, "_kept_to": where},
    )

    assert "elders" not in (answer.location or "")
    assert "elders" not in answer.get_data(as_text=True)


def test_a_moment_in_the_future_is_no_second_factor(own, clock):
    """After a clock that went back."""
    clock.forward(minutes=-2)

    assert own.client.get("/proef").status_code == 303


def test_pages_about_what_one_signs_in_with_ask_it(app):
    marked = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "asks_step_up", False)
    }

    assert {
        "account.password", "account.new_code", "account.app", "account.codes", "passkeys.show", "passkeys.add",
        "passkeys.remove",
    } <= marked  # fmt: skip


def test_without_an_account_there_is_nothing_to_confirm(door):
    assert door().client.get("/bevestigen").location.startswith("/inloggen")
    assert guards.STEP_UP.total_seconds() == 300
