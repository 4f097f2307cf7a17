"""Legal terms: from which date on the papers, how long, whose, and until which day."""

from datetime import date, timedelta

import pytest

from weerbaar_meldpunt.rules.terms import Length, TermTable, add_months, legal_terms, term_table


def terms_of(answer) -> list[tuple[str, str, str]]:
    return [(term.term, term.last_day.isoformat(), term.whose) for term in answer.legal_terms]


def row(kind: str, term: str, whose: str, last_day: str, side: str = "onbekend", **dates: str):
    return pytest.param({"kind": kind, "side": side} | dates, [(term, last_day, whose)], id=f"{kind}, {side}: {term}")


@pytest.mark.parametrize(
    ("legal", "terms"),
    [
        row("kort_geding", "hoger_beroep_kort_geding", "eigen", "2026-12-09", event_on="2026-11-11"),
        row("rectificatie", "hoger_beroep_kort_geding", "eigen", "2026-12-09", event_on="2026-11-11"),
        row("kort_geding", "hoger_beroep_kort_geding", "eigen", "2026-12-09", "tegen_mij", event_on="2026-11-11"),
        row("civiele_dagvaarding", "hoger_beroep_civiel", "eigen", "2027-02-11", event_on="2026-11-11"),
        row("slapp", "hoger_beroep_civiel", "eigen", "2027-02-11", event_on="2026-11-11"),
        row("smaad_laster", "klacht", "eigen", "2027-02-11", event_on="2026-11-11"),
        row("smaad_laster", "klacht", "eigen", "2027-02-11", "door_mij", event_on="2026-11-11"),
        row("smaad_laster", "klacht", "wederpartij", "2027-02-11", "tegen_mij", event_on="2026-11-11"),
        row("onterechte_aangifte", "hoger_beroep_straf", "eigen", "2026-11-25", event_on="2026-11-11"),
        row("bezwaarreeks", "bezwaar_beroep", "organisatie", "2026-12-23", event_on="2026-11-11"),
        row("bezwaarreeks", "bezwaar_beroep", "organisatie", "2026-12-23", "tegen_mij", event_on="2026-11-11"),
        row("bezwaarreeks", "bezwaar_beroep", "eigen", "2026-12-23", "door_mij", event_on="2026-11-11"),
        row("artikel_12", "beklag", "wederpartij", "2027-02-11", event_on="2026-11-11"),
        row("artikel_12", "beklag", "wederpartij", "2027-02-11", "tegen_mij", event_on="2026-11-11"),
        row("artikel_12", "beklag", "eigen", "2027-02-11", "door_mij", event_on="2026-11-11"),
        row("tuchtklacht", "datum_op_stuk", "eigen", "2026-12-05", "tegen_mij", act_before="2026-12-05"),
    ],
)
def test_a_term_runs_from_the_date_on_the_papers(decided, legal, terms):
    assert terms_of(decided(legal=legal)) == terms


def test_a_series_of_requests_runs_from_their_receipt_and_has_two_terms_of_the_organisation(decided):
    answer = decided(legal={"kind": "woo_reeks", "received_on": "2026-11-11", "event_on": "2026-01-05"})

    assert terms_of(answer) == [
        ("woo_beslissing", "2026-12-09", "organisatie"),
        ("woo_verdaging", "2026-12-23", "organisatie"),
    ]


KINDS_FROM_THE_EVENT = [
    "kort_geding", "rectificatie", "civiele_dagvaarding", "slapp", "smaad_laster", "onterechte_aangifte",
    "bezwaarreeks",
    "artikel_12",
]  # fmt: skip
KINDS_WITHOUT = [
    "dreigen_met_claim", "tuchtklacht", "integriteitsmelding", "klacht_ombudsman", "klacht_ap", "getuigenverhoor",
    "anders",
]  # fmt: skip


@pytest.mark.parametrize("kind", [*KINDS_FROM_THE_EVENT, "woo_reeks"])
def test_without_the_date_from_which_it_runs_there_is_no_term(decided, kind):
    others = {"document_on": "2026-11-11"}
    others |= {"event_on": "2026-11-11"} if kind == "woo_reeks" else {"received_on": "2026-11-11"}

    assert decided(legal={"kind": kind} | others).legal_terms == ()


@pytest.mark.parametrize("kind", KINDS_WITHOUT)
def test_other_papers_have_only_the_date_that_stands_on_them(decided, kind):
    dates = dict.fromkeys(("event_on", "document_on", "received_on"), "2026-11-11")

    assert decided(legal={"kind": kind} | dates).legal_terms == ()


@pytest.mark.parametrize("day", ["2026-11-28", "2026-11-29", "2026-12-25", "2027-04-27"])
def test_the_date_on_the_paper_never_moves(decided, day):
    assert terms_of(decided(legal={"kind": "kort_geding", "act_before": day})) == [("datum_op_stuk", day, "eigen")]


@pytest.mark.parametrize(
    ("kind", "event_on", "last_day"),
    [
        pytest.param("slapp", "2028-02-29", "2028-05-29", id="29 February to 29 May"),
        pytest.param("slapp", "2026-11-30", "2027-03-01", id="30 November to 28 February, a Sunday, so 1 March"),
        pytest.param("slapp", "2027-11-30", "2028-02-29", id="30 November to 29 February in a leap year"),
        pytest.param("slapp", "2026-12-31", "2027-03-31", id="31 December to 31 March"),
        pytest.param("slapp", "2027-01-31", "2027-04-30", id="31 January to 30 April"),
        pytest.param("slapp", "2027-01-27", "2027-04-28", id="27 January to King's Day, so the day after"),
        pytest.param("slapp", "2027-02-06", "2027-05-10", id="to Ascension, then a day by decree and a weekend"),
        pytest.param("onterechte_aangifte", "2026-12-11", "2026-12-28", id="14 days to Christmas, so the Monday after"),
        pytest.param("onterechte_aangifte", "2026-11-14", "2026-11-30", id="14 days to a Saturday, so Monday"),
        pytest.param(
            "kort_geding", "2027-02-26", "2027-03-30", id="4 weeks to Good Friday, so the Tuesday after Easter"
        ),
        pytest.param("bezwaarreeks", "2026-11-20", "2027-01-04", id="6 weeks to New Year's Day, so Monday"),
    ],
)
def test_a_computed_last_day_follows_the_calendar_and_the_termijnenwet(decided, kind, event_on, last_day):
    assert [term[1] for term in terms_of(decided(legal={"kind": kind, "event_on": event_on}))] == [last_day]


@pytest.mark.parametrize(
    ("happened", "target", "last_day"),
    [
        pytest.param({"kinds": ["stalking"], "occurred_at": "2026-11-10"}, {}, "2027-02-10", id="stalking"),
        pytest.param({"kinds": ["stalking"], "occurred_at": "2026-11-22T23:30:00Z"}, {}, "2027-02-23",
                     id="stalking, on the day it was in Amsterdam"),
        pytest.param({"kinds": ["verbale_agressie"], "occurred_at": "2026-11-10"}, {"role": "kandidaat"}, "2027-02-10",
                     id="a candidate insulted"),
        pytest.param({"kinds": ["verbale_agressie"], "occurred_at": "2026-11-10"}, {"role": "oud_ambtsdrager"},
                     "2027-02-10", id="a former official insulted"),
        pytest.param({"kinds": ["verbale_agressie"], "occurred_at": "2026-11-10"},
                     {"role": "kandidaat", "other_roles": ["raadslid"]}, "2027-02-10",
                     id="a candidate insulted, whatever else they are"),
        pytest.param({"kinds": ["verbale_agressie", "stalking"], "occurred_at": "2026-11-10"}, {"role": "kandidaat"},
                     "2027-02-10", id="both, and still one term"),
    ],
)  # fmt: skip
def test_what_happened_starts_a_term_for_a_complaint_without_papers(decided, happened, target, last_day):
    assert terms_of(decided(incident=happened, target=target)) == [("klacht", last_day, "eigen")]


@pytest.mark.parametrize(
    ("happened", "target"),
    [
        pytest.param({"kinds": ["stalking"]}, {}, id="stalking, unknown when"),
        pytest.param({"kinds": ["verbale_agressie"], "occurred_at": "2026-11-10"}, {},
            id="a holder of office insulted"),
        pytest.param({"kinds": ["verbale_agressie"], "occurred_at": "2026-11-10"},
                     {"role": "raadslid", "other_roles": ["kandidaat"]}, id="another role does not matter"),
        pytest.param({"kinds": ["verbale_agressie"], "occurred_at": "2026-11-10"}, {"term_end": "2026-11-01"},
                     id="the end of the term does not matter"),
        pytest.param({"kinds": ["bedreiging_intimidatie"], "occurred_at": "2026-11-10"}, {"role": "kandidaat"},
                     id="a threat needs no complaint"),
    ],
)  # fmt: skip
def test_no_complaint_is_needed_for_the_rest(decided, happened, target):
    assert decided(incident=happened, target=target).legal_terms == ()


def test_terms_of_papers_and_of_the_incident_stand_side_by_side(decided):
    answer = decided(
        incident={"kinds": ["stalking"], "occurred_at": "2026-11-10"},
        legal={"kind": "smaad_laster", "side": "tegen_mij", "event_on": "2026-11-11", "act_before": "2027-02-11"},
    )

    assert terms_of(answer) == [
        ("klacht", "2027-02-10", "eigen"),
        ("datum_op_stuk", "2027-02-11", "eigen"),
        ("klacht", "2027-02-11", "wederpartij"),
    ]


def test_on_a_tie_the_date_on_the_paper_leads_and_then_the_code(decided):
    answer = decided(
        incident={"kinds": ["stalking"], "occurred_at": "2026-11-11"},
        legal={"kind": "civiele_dagvaarding", "event_on": "2026-11-11", "act_before": "2027-02-11"},
    )

    assert [term.term for term in answer.legal_terms] == ["datum_op_stuk", "hoger_beroep_civiel", "klacht"]
    assert len({term.last_day for term in answer.legal_terms}) == 1


def test_a_term_that_has_passed_is_shown(decided):
    assert terms_of(decided(legal={"kind": "slapp", "event_on": "2020-01-02"})) == [
        ("hoger_beroep_civiel", "2020-04-02", "eigen")
    ]


def test_reporters_see_what_the_law_or_the_paper_says_and_no_default_of_ours(decided):
    shown = {}
    for kind in [*KINDS_FROM_THE_EVENT, "woo_reeks"]:
        dates = dict.fromkeys(("event_on", "received_on", "act_before"), "2026-11-11")
        answer = decided(legal={"kind": kind} | dates)
        shown |= {term.term: term.for_reporter for term in answer.legal_terms}

    assert shown == {
        "datum_op_stuk": True, "hoger_beroep_kort_geding": True, "hoger_beroep_civiel": True, "klacht": True,
        "hoger_beroep_straf": True, "woo_beslissing": False, "woo_verdaging": False, "bezwaar_beroep": False,
        "beklag": False,
    }  # fmt: skip


def test_a_term_tells_in_words_what_it_is_based_on(decided):
    (term,) = decided(legal={"kind": "kort_geding", "event_on": "2026-11-11"}).as_document()["legal_terms"]

    assert term == {
        "term": "hoger_beroep_kort_geding",
        "last_day": "2026-12-09",
        "whose": "eigen",
        "basis": "4 weken na het vonnis",
        "sourced": True,
    }


@pytest.mark.parametrize(
    ("length", "exempt"),
    [
        ({"days": 90}, False), ({"days": 91}, True), ({"weeks": 12}, False), ({"weeks": 13}, True),
        ({"months": 3}, False), ({"months": 4}, True), ({"days": 0}, False),
    ],
)  # fmt: skip
def test_a_term_longer_than_90_days_12_weeks_or_3_months_is_exempt(length, exempt):
    assert Length(**length).is_exempt is exempt


def test_the_last_day_of_an_exempt_term_does_not_move(read):
    shipped = term_table("2026-11")
    rows = [row if row.rule != "T1" else row.model_copy(update={"length": Length(weeks=13)}) for row in shipped.term]
    longer = TermTable(**{name: getattr(shipped, name) for name in TermTable.model_fields} | {"term": tuple(rows)})
    report = read(legal={"kind": "kort_geding", "event_on": "2026-11-14"})

    assert [term.last_day for term in legal_terms(report, longer)] == [date(2027, 2, 13)]  # a Saturday


@pytest.mark.parametrize("length", [{}, {"days": 1, "weeks": 1}, {"weeks": 1, "months": 1}])
def test_a_length_has_exactly_one_unit(length):
    with pytest.raises(ValueError, match="one unit"):
        Length(**length)


def test_months_are_those_of_the_calendar_on_every_day_of_four_years():
    day = date(2026, 1, 1)
    while day < date(2030, 1, 1):
        after = add_months(day, 3)
        assert (after.year * 12 + after.month) - (day.year * 12 + day.month) == 3
        assert after.day == day.day or (after.day < day.day and (after + timedelta(days=1)).day == 1)
        day += timedelta(days=1)


@pytest.mark.parametrize("kind", [*KINDS_FROM_THE_EVENT, "woo_reeks"])
@pytest.mark.parametrize("slip", ["9999-12-31", "9999-11-30", "0001-01-01", "0202-06-11"])
def test_a_slip_in_the_year_stops_no_report(decided, kind, slip):
    dates = dict.fromkeys(("event_on", "received_on", "act_before"), slip)

    answer = decided(legal={"kind": kind} | dates)

    assert len(answer.legal_terms) == (3 if kind == "woo_reeks" else 2)


def test_warnings_come_fourteen_seven_three_and_one_days_before():
    assert term_table("2026-11").warn_days_before == (14, 7, 3, 1)
