"""How urgent a report is: rules U1 to U8, the highest that applies."""

from datetime import datetime, timedelta

import pytest

from weerbaar_meldpunt.rules.routing import decide, decide_again

NAMES = ["bedreiging_intimidatie", "fysiek", "seksuele_intimidatie", "stalking", "huisbezoek", "dwang", "afpersing"]
CLOSE = ["persoonlijk", "thuis", "vergadering", "demonstratie", "via_gezin"]


def case(name: str, urgency: str, rule: str, /, *, happened=None, **parts):
    return pytest.param(urgency, rule, {"incident": happened or {}} | parts, id=f"{rule} {name}")


def kinds(*codes: str, **flags):
    return {"kinds": list(codes)} | flags


ACUTE = [
    case("now, with a weapon", "acuut", "U1", happened={"happening_now": True, "weapon": True}),
    case("now, with a concrete threat", "acuut", "U1", happened={"happening_now": True, "concrete_threat": True}),
    case("now, at home", "acuut", "U1", happened={"happening_now": True, "channels": ["thuis"]}),
    case("now, somebody at the door", "acuut", "U1", happened=kinds("huisbezoek", happening_now=True)),
    *(
        case(f"now, {kind} in a meeting", "acuut", "U1", happened=kinds(kind, happening_now=True,
            channels=["vergadering"]))
        for kind in [*NAMES, "vernieling"]
    ),
    *(
        case(f"now, a threat by {channel}", "acuut", "U1",
             happened=kinds("bedreiging_intimidatie", happening_now=True, channels=[channel]))
        for channel in CLOSE
    ),
    case("an explosive, unknown when", "acuut", "U1", happened=kinds("explosief")),
    case("fire, unknown when", "acuut", "U1", happened=kinds("brandstichting")),
    case("an explosive just under 72 hours ago", "acuut", "U1",
         happened=kinds("explosief", occurred_at="2026-11-20T12:30:01+01:00")),
    case("fire on a day that ended less than 72 hours ago", "acuut", "U1",
         happened=kinds("brandstichting", occurred_at="2026-11-20")),
    case("an explosive that will go off", "acuut", "U1", happened=kinds("explosief", occurred_at="2026-12-24")),
    case("a suspicious parcel", "acuut", "U1", happened=kinds("verdacht_pakket")),
    case("somebody thinks of suicide", "acuut", "U1", happened={"life_in_danger_self": True}),
    case("announced for this very moment", "acuut", "U1", happened={"announced_for": "2026-11-23T12:30:00+01:00"}),
    case("announced for exactly 12 hours on", "acuut", "U1", happened={"announced_for": "2026-11-24T00:30:00+01:00"}),
    case("announced for today", "acuut", "U1", happened={"announced_for": "2026-11-23"}),
    case("announced for tomorrow, which begins within 12 hours", "acuut", "U1",
         happened={"announced_for": "2026-11-24"}),
    case("a moment announced, role unknown", "acuut", "U1", happened={"moment_announced": True},
         target={"role": "onbekend"}),
    case("a moment announced, organisation unknown", "acuut", "U1", happened={"moment_announced": True},
         target={"organisation_type": "onbekend"}),
    case("a day next week announced, role unknown", "acuut", "U1", happened={"announced_for": "2026-12-01"},
         target={"role": "onbekend"}),
]  # fmt: skip

NOT_ACUTE = [
    case("a threat in a meeting that is over", "midden", "U6",
         happened=kinds("bedreiging_intimidatie", channels=["vergadering"])),
    case("now, a threat by mail", "hoog", "U2",
         happened=kinds("bedreiging_intimidatie", happening_now=True, channels=["email"])),
    case("now, insults in a meeting", "hoog", "U2",
         happened=kinds("verbale_agressie", happening_now=True, channels=["vergadering"])),
    case("an explosive exactly 72 hours ago", "hoog", "U2",
         happened=kinds("explosief", occurred_at="2026-11-20T12:30:00+01:00")),
    case("fire on a day that ended longer ago", "hoog", "U2", happened=kinds("brandstichting",
        occurred_at="2026-11-19")),
    case("announced for a second later than 12 hours on", "hoog", "U2",
         happened={"announced_for": "2026-11-24T00:30:01+01:00"}),
    case("announced for a moment that has just passed", "hoog", "U2",
         happened={"announced_for": "2026-11-23T12:29:59+01:00"}),
    case("announced for yesterday", "hoog", "U2", happened={"announced_for": "2026-11-22"}),
    case("announced for the day after tomorrow", "hoog", "U2", happened={"announced_for": "2026-11-25"}),
    case("a moment announced, organisation known by its code", "hoog", "U2", happened={"moment_announced": True},
         target={"organisation": "GM0358", "organisation_type": "onbekend"}),
]  # fmt: skip

HIGH = [
    case("a weapon", "hoog", "U2", happened={"weapon": True}),
    case("a concrete threat", "hoog", "U2", happened={"concrete_threat": True}),
    case("somebody was at the door", "hoog", "U2", happened=kinds("huisbezoek")),
    *(
        case(f"{kind} and the address is known", "hoog", "U2", happened=kinds(kind, address_exposed=True))
        for kind in ["bedreiging_intimidatie", "fysiek", "doxing", "stalking", "vernieling", "dwang", "afpersing"]
    ),
    case("stalking in spite of a ban", "hoog", "U2", happened=kinds("stalking", order_breached=True)),
    case("stalking, the third case of one person", "hoog", "U2", happened=kinds("stalking", earlier_cases=2)),
    case("stalking at home", "hoog", "U2", happened=kinds("stalking", channels=["thuis"])),
    case("stalking in person", "hoog", "U2", happened=kinds("stalking", channels=["persoonlijk"])),
    case("a threat and the family is involved", "hoog", "U2",
         happened=kinds("bedreiging_intimidatie", family_involved=True)),
    case("a threat by organised crime", "hoog", "U2",
         happened=kinds("bedreiging_intimidatie", offender="georganiseerde_misdaad")),
    case("it goes on", "hoog", "U2", happened={"happening_now": True}),
    case("doxing", "hoog", "U2", happened=kinds("doxing")),
    case("a sexual deepfake", "hoog", "U2", happened=kinds("deepfake", "seksuele_intimidatie")),
    case("a ban was broken", "hoog", "U2", happened={"order_breached": True}),
    case("a moment is announced", "hoog", "U2", happened={"moment_announced": True}),
    case("coercion", "hoog", "U2", happened=kinds("dwang")),
    case("extortion", "hoog", "U2", happened=kinds("afpersing")),
    case("bribery", "hoog", "U2", happened=kinds("omkoping")),
    case("organised crime", "hoog", "U2", happened={"offender": "georganiseerde_misdaad"}),
    case("papers that ask something in 3 days", "hoog", "U3", legal={"act_before": "2026-11-26"}),
    case("papers whose date has passed", "hoog", "U3", legal={"act_before": "2026-01-05"}),
    case("an appeal that ends in 3 days", "hoog", "U3", legal={"kind": "kort_geding", "event_on": "2026-10-29"}),
    case("pressure without papers, and an own complaint term that ends", "hoog", "U3",
         happened=kinds("stalking", "juridische_druk", occurred_at="2026-08-24")),
    case("no answer elsewhere for 14 days", "hoog", "U4",
         happened={"reported_elsewhere_on": "2026-11-09", "answered_elsewhere": False}),
    case("a threat that the own party must not know", "hoog", "U5",
         happened=kinds("bedreiging_intimidatie"), conflict=["partij"]),
]  # fmt: skip

NOT_HIGH = [
    case("stalking, the second case of one person", "midden", "U6", happened=kinds("stalking", earlier_cases=1)),
    case("an address is known, insults", "laag", "U7", happened=kinds("verbale_agressie", address_exposed=True)),
    case("insults and the family is involved", "laag", "U7", happened=kinds("verbale_agressie", family_involved=True)),
    case("a deepfake that is not sexual", "laag", "U7", happened=kinds("deepfake")),
    case("papers that ask something in 4 days", "midden", "U6", legal={"act_before": "2026-11-27"}),
    case("a passed term of the organisation", "midden", "U6", legal={"kind": "woo_reeks", "received_on": "2026-01-05"}),
    case("a passed term of the other side", "midden", "U6",
         legal={"kind": "smaad_laster", "side": "tegen_mij", "event_on": "2026-01-05"}),
    case("an own term that ends, but no legal pressure", "midden", "U6",
         happened=kinds("stalking", occurred_at="2026-08-24")),
    case("no answer elsewhere for 13 days", "midden", "U8",
         happened={"reported_elsewhere_on": "2026-11-10", "answered_elsewhere": False}),
    case("an answer elsewhere long ago", "midden", "U8", happened={"reported_elsewhere_on": "2026-01-05"}),
    case("no answer elsewhere, unknown since when", "midden", "U8", happened={"answered_elsewhere": False}),
    case("a conflict without a threat", "laag", "U7", happened=kinds("verbale_agressie"), conflict=["partij"]),
]  # fmt: skip

LOWER = [
    *(
        case(kind, "midden", "U6", happened=kinds(kind))
        for kind in [
            "bedreiging_intimidatie", "fysiek", "discriminatie", "seksuele_intimidatie", "vernieling", "stalking",
            "nepaccount", "hacken", "juridische_druk",
        ]
    ),
    case("papers alone", "midden", "U6", legal={}),
    case("again and again, and the family is involved", "midden", "U6",
         happened=kinds("verbale_agressie", repeated=True, family_involved=True)),
    case("insults", "laag", "U7", happened=kinds("verbale_agressie")),
    case("insults and something else", "laag", "U7", happened=kinds("anders", "verbale_agressie")),
    case("insults again and again", "laag", "U7", happened=kinds("verbale_agressie", repeated=True)),
    case("nothing happened yet", "laag", "U7", preventive=True),
    case("nothing happened yet, but the address is known", "laag", "U7", happened={"address_exposed": True},
         preventive=True),
    case("lawful criticism", "laag", "U7", lawful_criticism_only=True),
    case("lawful criticism, whatever the kind", "laag", "U7", happened=kinds("discriminatie"),
         lawful_criticism_only=True),
    case("lawful criticism in papers", "laag", "U7", legal={"kind": "bezwaarreeks"}, lawful_criticism_only=True),
    case("lawful criticism again and again, the family involved", "laag", "U7",
         happened={"repeated": True, "family_involved": True}, lawful_criticism_only=True),
    case("nothing known", "midden", "U8"),
    case("only that it is something else", "midden", "U8", happened=kinds("anders")),
    case("damage and no more", "midden", "U8", happened={"damage": True}),
]  # fmt: skip

PREEMPTED = [
    case("lawful criticism never hides a weapon", "hoog", "U2", happened={"weapon": True}, lawful_criticism_only=True),
    case("lawful criticism never hides a term", "hoog", "U3", legal={"act_before": "2026-11-24"},
         lawful_criticism_only=True),
    case("lawful criticism never hides a report without answer", "hoog", "U4",
         happened={"reported_elsewhere_on": "2026-01-05", "answered_elsewhere": False}, lawful_criticism_only=True),
    case("lawful criticism never hides a threat in a conflict", "hoog", "U5",
         happened=kinds("bedreiging_intimidatie"), conflict=["collega"], lawful_criticism_only=True),
    case("lawful criticism never hides thoughts of suicide", "acuut", "U1", happened={"life_in_danger_self": True},
         lawful_criticism_only=True),
    *(
        case(f"'nothing happened yet' is ignored with {flag}", urgency, rule, happened={flag: True}, preventive=True)
        for flag, urgency, rule in [
            ("happening_now", "hoog", "U2"), ("concrete_threat", "hoog", "U2"), ("weapon", "hoog", "U2"),
            ("moment_announced", "hoog", "U2"), ("order_breached", "hoog", "U2"),
            ("life_in_danger_self", "acuut", "U1"),
        ]
    ),
    case("'nothing happened yet' is ignored with a kind", "midden", "U8", happened=kinds("anders"), preventive=True),
    case("'nothing happened yet' is ignored with papers", "midden", "U6", legal={}, preventive=True),
    case("'nothing happened yet' is ignored with an announced day", "hoog", "U2",
         happened={"announced_for": "2027-01-01"}, preventive=True),
]  # fmt: skip


@pytest.mark.parametrize(("urgency", "rule", "parts"), [*ACUTE, *NOT_ACUTE, *HIGH, *NOT_HIGH, *LOWER, *PREEMPTED])
def test_the_highest_row_that_applies_gives_the_urgency(decided, rule_of, urgency, rule, parts):
    answer = decided(**parts)

    assert (answer.urgency, rule_of(answer, "urgency")) == (urgency, rule)


def test_an_empty_report_says_that_too_little_is_known(decided):
    answer = decided()

    assert "te weinig gegevens" in [reason.because for reason in answer.reasons if reason.about == "urgency"]


@pytest.mark.parametrize(
    ("received", "announced_for", "urgency"),
    [
        pytest.param("2027-03-27T22:30:00+01:00", "2027-03-28T11:30:00+02:00", "acuut", id="12 hours over a lost hour"),
        pytest.param("2027-03-27T22:30:00+01:00", "2027-03-28T11:30:01+02:00", "hoog", id="and one second more"),
        pytest.param(
            "2026-10-24T22:30:00+02:00", "2026-10-25T09:30:00+01:00", "acuut", id="12 hours over a double hour"
        ),
        pytest.param("2026-10-24T22:30:00+02:00", "2026-10-25T09:30:01+01:00", "hoog", id="and one second more there"),
        pytest.param(
            "2026-11-23T11:59:59+01:00", "2026-11-24", "hoog", id="a day that begins in 12 hours and a second"
        ),
        pytest.param("2026-11-23T12:00:00+01:00", "2026-11-24", "acuut", id="a day that begins in exactly 12 hours"),
        pytest.param("2026-11-24T23:59:59+01:00", "2026-11-24", "acuut", id="the last second of that day"),
        pytest.param("2026-11-25T00:00:00+01:00", "2026-11-24", "hoog", id="the day is over"),
    ],
)
def test_an_announced_moment_counts_in_elapsed_hours(decided, received, announced_for, urgency):
    answer = decided(now=datetime.fromisoformat(received), incident={"announced_for": announced_for})

    assert answer.urgency == urgency


def test_an_announced_moment_decides_again_when_it_comes_within_twelve_hours(read):
    received = datetime.fromisoformat("2026-11-23T12:30:00+01:00")
    report = read(incident={"announced_for": "2026-11-30T20:00:00+01:00"})

    first = decide(report, now=received)
    just_before = decide_again(report, now=first.decide_again_at - timedelta(seconds=1))
    then = decide_again(report, now=first.decide_again_at)

    assert first.decide_again_at == datetime.fromisoformat("2026-11-30T08:00:00+01:00")
    assert [answer.urgency for answer in (first, just_before, then)] == ["hoog", "hoog", "acuut"]
    assert then.decide_again_at is None


@pytest.mark.parametrize("announced_for", [None, "2026-11-23T20:00:00+01:00", "2026-11-20", "2026-11-23"])
def test_nothing_is_decided_again_for_a_moment_that_is_near_past_or_not_there(decided, announced_for):
    assert decided(incident={"announced_for": announced_for}).decide_again_at is None


def test_a_report_by_telephone_is_judged_by_the_moment_it_came_in(decided):
    answer = decided(
        intake="telefoon",
        received_at="2026-11-21T09:00:00+01:00",
        incident={"announced_for": "2026-11-21T20:00:00+01:00"},
    )

    assert answer.urgency == "acuut"
