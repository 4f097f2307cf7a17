"""Reading answers: tolerant of how a day is written, kind about what cannot be read, never in the way of sending."""

import random
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask_babel import Babel
from werkzeug.datastructures import MultiDict

from weerbaar_meldpunt.web.answers import check, read_form, rescue, too_much
from weerbaar_meldpunt.web.fields import FIELDS
from weerbaar_meldpunt.web.steps import STEPS

NOON = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def bare():
    """An application that only knows its language."""
    app = Flask("vragen")
    app.config["BABEL_DEFAULT_LOCALE"] = "nl"
    Babel(app)
    return app


@pytest.fixture(autouse=True)
def dutch(bare):
    with bare.test_request_context():
        yield


def answers(**values):
    """Answers as a form posts them; two underscores stand for a point."""
    form = MultiDict()
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            form.add(name.replace("__", "."), one)
    return read_form(form, FIELDS)


def happened(**values):
    return check(answers(**{f"incident__{name}": value for name, value in values.items()}), now=NOON)


@pytest.mark.parametrize(
    "typed",
    ["20-11-2026", "20/11/2026", "20 november 2026", "20 nov. 2026", "2026-11-20", "20.11.2026", " 20-11-2026 "],
)
def test_a_day_may_be_written_in_many_ways(typed):
    assert str(happened(occurred_at_date=typed).report.incident.occurred_at) == "2026-11-20"


@pytest.mark.parametrize("typed", ["21:30", "21.30", "21u30", "2130", "21:30 uur", "21:30:00"])
def test_a_time_may_be_written_in_many_ways(typed):
    found = happened(occurred_at_date="2026-11-20", occurred_at_time=typed)

    assert found.report.incident.occurred_at.isoformat() == "2026-11-20T21:30:00+01:00"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"occurred_at_date": "2026-02-31"}, "incident.occurred_at"),
        ({"occurred_at_date": "gisteren"}, "incident.occurred_at"),
        ({"occurred_at_date": "3 brumaire 2026"}, "incident.occurred_at"),
        ({"occurred_at_date": "275760-09-13"}, "incident.occurred_at"),
        ({"occurred_at_date": "2026-11-20", "occurred_at_time": "25:00"}, "incident.occurred_at"),
        ({"occurred_at_time": "21:30"}, "incident.occurred_at"),
        ({"message_count": "heel veel"}, "incident.message_count"),
        ({"message_count": "-3"}, "incident.message_count"),
        ({"message_count": "1" * 12}, "incident.message_count"),
        ({"kinds": ["doxing", "ufo"]}, "incident.kinds"),
        ({"offender": "buurman"}, "incident.offender"),
        ({"platforms": ["X Y"]}, "incident.platforms"),
        ({"reported_elsewhere_on": "morgen"}, "incident.reported_elsewhere_on"),
    ],
    ids=lambda value: " ".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_what_cannot_be_read_is_said_at_its_field_without_repeating_it(values, field):
    found = happened(**values)

    assert list(found.faults) == [field]
    assert found.report is None
    assert "ufo" not in found.faults[field]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Den Haag", "GM0518"), ("aalsmeer", "GM0358"), ("Utrecht (provincie)", "PV26"), ("gm0358", "GM0358"),
        ("Bergen (NH.) (gemeente)", "GM0373"), ("Bergen", None), ("Utrecht", None), ("Atlantis", None),
    ],
)  # fmt: skip
def test_an_organisation_is_found_by_its_daily_name_and_asked_when_it_can_be_two(typed, code):
    found = check(answers(target__organisation=typed), now=NOON)

    assert (found.report.target.organisation if found.report else None) == code
    assert (found.faults == {}) == (code is not None)


def test_the_type_follows_from_the_organisation_so_that_one_is_never_held_against_the_other():
    found = check(answers(target__organisation="Aalsmeer", target__organisation_type="waterschap"), now=NOON)

    assert found.report.target.organisation_type == "gemeente"


def test_every_field_of_a_step_is_known_and_stands_in_one_step_only():
    named = [name for step in STEPS for name in step.fields]

    assert sorted(named) == sorted(FIELDS)


def test_a_report_can_be_made_of_whatever_is_posted():
    chance = random.Random(20261123)
    pieces = ["", "ja", "nee", "onbekend", "31-02-2026", "2026-11-20", "21:30", "12", "ufo", "wethouder", "kort_geding",
              "\u202eomgekeerd", "a\0b", "🔥" * 20, "x" * 500, "griffier", "Utrecht", "\ud7ff"]  # fmt: skip

    for _ in range(120):
        form = MultiDict()
        for field in FIELDS.values():
            for posted in field.posted:
                for _ in range(chance.choice((0, 0, 1, 1, 2))):
                    form.add(posted, chance.choice(pieces))
        typed = read_form(form, FIELDS)

        report = rescue(typed, now=NOON)

        assert report.format == 1
        for name in check(typed, now=NOON).faults:
            for posted in FIELDS[name].posted:
                value = typed.get(posted, "")
                for text in [value] if isinstance(value, str) else value:
                    assert text in report.narrative


def test_texts_above_their_limit_are_named_and_others_are_not():
    assert too_much(answers(narrative="x" * 200_001)).keys() == {"narrative"}
    assert too_much(answers(contact__name="x" * 2_001)).keys() == {"contact.name"}
    assert too_much(answers(narrative="x" * 200_000, contact__name="x" * 2_000)) == {}


def test_everything_together_has_a_limit_too():
    long = {f"private__{name}": "é" * 199_000 for name in ("home_address", "family", "movements")}

    assert too_much(answers(**long)).keys() == {"narrative"}
