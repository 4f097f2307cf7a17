"""Which teams get a report: rules R1 to R7, all that apply; R0a to R0e say why there is none and what is offered."""

from datetime import datetime

import pytest

from weerbaar_meldpunt.rules.ready import Tables
from weerbaar_meldpunt.rules.routing import decide, load_tables, offer_text

NOON = datetime.fromisoformat("2026-11-23T12:30:00+01:00")
OFFICIAL = {"role": "ambtenaar"}
COUNCIL = {"role": "raadslid"}
REFUSED = {"request": {"support": False}}


def case(name: str, routes: str, rules: str, /, *, happened=None, **parts):
    given = {"incident": happened or {}} | parts
    return pytest.param(routes.split(), rules.split(), given, id=f"{rules or 'none'} {name}")


def kinds(*codes: str, **flags):
    return {"kinds": list(codes)} | flags


ROUTED = [
    case("something happened", "ondersteuning", "R1", happened=kinds("verbale_agressie")),
    case("something else happened", "ondersteuning", "R1", happened=kinds("anders")),
    case("nothing known", "ondersteuning", "R1"),
    case("nothing known of a council member", "ondersteuning", "R1", target=COUNCIL),
    case("an official who is raadslid elsewhere", "ondersteuning", "R1", happened=kinds("fysiek"),
         target={"role": "ambtenaar", "other_roles": ["raadslid"]}),
    case("no call wanted, but it is serious", "ondersteuning", "R1b", happened=kinds("doxing"), target=COUNCIL,
        **REFUSED),
    case("no call wanted, but it is acute", "ondersteuning", "R1b", happened={"life_in_danger_self": True}, **REFUSED),
    case("measures asked", "ondersteuning beveiliging", "R1 R2", happened=kinds("verbale_agressie"),
         request={"security_measures": True}),
    case("measures asked, to be judged by hand", "ondersteuning beveiliging", "R1 R2",
        happened=kinds("verbale_agressie"),
         target={"role": "gezaghebber"}, request={"security_measures": True}),
    case("measures asked without entitlement", "ondersteuning", "R1", happened=kinds("verbale_agressie"),
        target=COUNCIL,
         request={"security_measures": True}),
    case("physical risk", "ondersteuning beveiliging", "R1 R3", happened={"weapon": True}),
    case("physical risk, to be judged by hand", "ondersteuning beveiliging", "R1 R3", happened={"weapon": True},
         target={"role": "onbekend"}),
    case("physical risk without entitlement", "ondersteuning", "R1", happened={"weapon": True}, target=COUNCIL),
    case("measures asked and physical risk", "ondersteuning beveiliging", "R1 R2 R3", happened={"weapon": True},
         request={"security_measures": True}),
    case("nothing happened yet", "beveiliging", "R4", preventive=True),
    case("nothing happened yet, measures asked", "beveiliging", "R2 R4", preventive=True,
         request={"security_measures": True}),
    case("nothing happened yet, and no call wanted", "beveiliging", "R4", preventive=True, **REFUSED),
    case("legal pressure by kind", "ondersteuning juridisch", "R1 R5", happened=kinds("juridische_druk")),
    case("legal pressure by papers", "ondersteuning juridisch", "R1 R5", legal={"kind": "tuchtklacht"}),
    case("papers of which nothing is known", "ondersteuning juridisch", "R1 R5", legal={}),
    case("legal help asked", "ondersteuning juridisch", "R1 R6", request={"legal_support": True}),
    case("legal help asked before anything happened", "beveiliging juridisch", "R4 R6", preventive=True,
         request={"legal_support": True}),
    case("coercion that the organisation must not know", "ondersteuning juridisch", "R1 R7", happened=kinds("dwang"),
         conflict=["organisatie"]),
    case("coercion at home", "ondersteuning juridisch", "R1 R7", happened=kinds("dwang"), target=COUNCIL,
         conflict=["thuis"]),
    case("coercion of a candidate", "ondersteuning", "R1", happened=kinds("dwang"), target={"role": "kandidaat"},
         conflict=["partij"]),
    case("coercion after the office", "ondersteuning", "R1", happened=kinds("dwang"),
         target={"role": "raadslid", "term_end": "2026-11-22"}, conflict=["partij"]),
    case("coercion before a certain office", "ondersteuning juridisch", "R1 R7", happened=kinds("dwang"),
         target={"role": "raadslid", "term_start": "2026-12-01", "appointment_certain": True}, conflict=["partij"]),
    case("coercion in another office that is held", "ondersteuning juridisch", "R1 R7", happened=kinds("dwang"),
         target={"role": "kandidaat", "other_roles": ["raadslid"]}, conflict=["partij"]),
    case("coercion without a conflict", "ondersteuning", "R1", happened=kinds("dwang")),
    case("a conflict without coercion", "ondersteuning", "R1", happened=kinds("fysiek"), conflict=["partij"]),
    case("all three, in the order of the teams", "ondersteuning beveiliging juridisch", "R1 R2 R3 R5 R6 R7",
         happened=kinds("dwang", address_exposed=True), legal={}, conflict=["collega"],
         request={"legal_support": True, "security_measures": True}),
    case("lawful criticism, but a weapon", "beveiliging", "R3", happened={"weapon": True}, lawful_criticism_only=True),
    case("lawful criticism, and measures asked", "beveiliging", "R2", request={"security_measures": True},
         lawful_criticism_only=True),
    case("an official whose other role is unknown, and measures asked", "beveiliging", "R2",
         target={"role": "ambtenaar", "other_roles": ["onbekend"]}, request={"security_measures": True}),
]  # fmt: skip


@pytest.mark.parametrize(("routes", "rules", "parts"), ROUTED)
def test_every_row_that_applies_adds_its_route(decided, routes, rules, parts):
    answer = decided(**parts)

    assert answer.routes == tuple(routes)
    assert [
        reason.rule for reason in answer.reasons if reason.about.startswith("route:") and reason.rule[0] == "R"
    ] == rules
    assert answer.offers == () and "doorverwijzen" not in answer.marks


PHYSICAL_RISK = [
    {"weapon": True},
    {"concrete_threat": True},
    *(kinds(kind) for kind in ("explosief", "brandstichting", "verdacht_pakket", "huisbezoek")),
    *(
        kinds(kind, **{flag: True})
        for kind in ("bedreiging_intimidatie", "fysiek", "doxing", "stalking", "vernieling", "dwang", "afpersing")
        for flag in ("happening_now", "address_exposed")
    ),
    kinds("stalking", order_breached=True),
    kinds("stalking", earlier_cases=2),
    kinds("stalking", channels=["thuis"]),
    kinds("stalking", channels=["persoonlijk"]),
    kinds("bedreiging_intimidatie", family_involved=True),
    *(
        kinds(kind, offender="georganiseerde_misdaad")
        for kind in ("bedreiging_intimidatie", "omkoping", "afpersing", "dwang")
    ),
]
NO_PHYSICAL_RISK = [
    {"happening_now": True},
    {"address_exposed": True},
    {"family_involved": True},
    {"order_breached": True},
    {"offender": "georganiseerde_misdaad"},
    {"life_in_danger_self": True},
    kinds("bedreiging_intimidatie"),
    kinds("stalking", earlier_cases=1),
    kinds("stalking", channels=["email"]),
    kinds("seksuele_intimidatie", happening_now=True),
    kinds("omkoping", address_exposed=True),
    kinds("fysiek", family_involved=True),
    kinds("fysiek", offender="georganiseerde_misdaad"),
    kinds("fysiek", channels=["thuis"]),
]


@pytest.mark.parametrize("happened", PHYSICAL_RISK, ids=str)
def test_physical_risk_brings_security_and_the_prosecutor(decided, happened):
    answer = decided(incident=happened)

    assert "beveiliging" in answer.routes and "hovj" in answer.side_actions


@pytest.mark.parametrize("happened", NO_PHYSICAL_RISK, ids=str)
def test_what_is_no_physical_risk_brings_neither(decided, happened):
    answer = decided(incident=happened)

    assert "beveiliging" not in answer.routes and "hovj" not in answer.side_actions


NOT_ROUTED = [
    case("an official", "werkgever_doorverwijzing", "R0a", happened=kinds("fysiek"), target=OFFICIAL),
    case("an official, whatever is asked", "werkgever_doorverwijzing", "R0a", target=OFFICIAL, legal={},
         request={"legal_support": True, "security_measures": True}),
    *(
        case(f"an official, and {who} must not know", "vertrouwenspersoon_elders", "R0a", target=OFFICIAL,
            conflict=[who])
        for who in ("organisatie", "burgemeester", "secretaris", "griffie", "collega", "cdk", "partij")
    ),
    *(
        case(f"an official, and {who} must not know", "werkgever_doorverwijzing", "R0a", target=OFFICIAL,
            conflict=[who])
        for who in ("thuis", "ondersteuningsteam")
    ),
    case("an official with a former office", "werkgever_doorverwijzing", "R0a",
         target={"role": "ambtenaar", "other_roles": ["oud_ambtsdrager", "kandidaat"]}),
    case("an official and lawful criticism", "werkgever_doorverwijzing", "R0a", target=OFFICIAL,
         lawful_criticism_only=True),
    case("lawful criticism", "uitleg eigen_vereniging", "R0b", happened=kinds("verbale_agressie"),
         lawful_criticism_only=True),
    case("lawful criticism in papers, legal help asked", "uitleg eigen_vereniging", "R0b", legal={},
         request={"legal_support": True}, lawful_criticism_only=True),
    case("nothing happened yet, outside the scheme", "preventieadvies_politie steunpakket eigen_organisatie", "R0c",
         target=COUNCIL, preventive=True),
    case("nothing happened yet, outside the scheme, no call wanted",
         "preventieadvies_politie steunpakket eigen_organisatie", "R0c", target=COUNCIL, preventive=True, **REFUSED),
    case("no call wanted", "alleen_geregistreerd", "R0d", happened=kinds("verbale_agressie"), **REFUSED),
    case("no call wanted, nothing known", "alleen_geregistreerd", "R0d", **REFUSED),
]  # fmt: skip


@pytest.mark.parametrize(("offers", "rules", "parts"), NOT_ROUTED)
def test_without_a_route_the_first_row_says_why_and_what_is_offered(decided, offers, rules, parts):
    answer = decided(**parts)

    assert answer.routes == ()
    assert [reason.rule for reason in answer.reasons if reason.about == "no_route"] == rules
    assert answer.offers == tuple(offers)
    assert answer.marks == ("doorverwijzen",)


def test_a_case_that_a_version_forgets_falls_into_the_net_and_a_coordinator_looks(read):
    shipped = load_tables("2026-11")
    forgetful = tuple(row for row in shipped.file.no_route if row.rule != "R0d")
    tables = Tables(shipped.file.model_copy(update={"no_route": forgetful}), shipped.terms)

    answer = decide(read(request={"support": False}), now=NOON, tables=tables)

    assert (answer.routes, answer.offers, answer.marks) == ((), ("coordinator_kijkt",), ("doorverwijzen",))
    (reason,) = [reason for reason in answer.reasons if reason.about == "no_route"]
    assert (reason.rule, reason.because) == ("R0e", shipped.file.no_route[-1].otherwise)


def test_every_offer_has_a_text_for_the_reporter():
    tables = load_tables("2026-11")
    offered = {code for row in tables.file.no_route for given in (row, *row.when) for code in given.offers}
    offered |= {code for codes in tables.file.alternatives.values() for code in codes}

    assert all(offer_text(code, tables).endswith(".") for code in offered)


def test_no_entitlement_always_comes_with_the_four_alternatives():
    alternatives = load_tables("2026-11").file.alternatives["geen_recht"]

    assert set(alternatives) == {"ondersteuningsteam", "preventieadvies_politie", "eigen_organisatie", "steunpakket"}


@pytest.mark.parametrize(
    ("parts", "marks"),
    [
        pytest.param({"incident": kinds("doxing")} | REFUSED, ("eerst_schrijven",), id="serious, no call wanted"),
        pytest.param({"incident": kinds("doxing")}, (), id="serious, a call is welcome"),
        pytest.param(
            {"incident": kinds("doxing"), "reporter": {"consent": "nee"}} | REFUSED,
            ("eerst_schrijven", "wacht_op_toestemming"),
            id="serious, no call wanted, no consent",
        ),
        pytest.param(
            {"reporter": {"consent": "nee"}} | REFUSED, ("doorverwijzen", "wacht_op_toestemming"), id="no route"
        ),
    ],
)
def test_marks_tell_the_team_what_to_do_first(decided, parts, marks):
    assert decided(**parts).marks == marks


def test_an_official_only_gets_no_team_even_when_it_is_acute(decided):
    answer = decided(target=OFFICIAL, incident={"weapon": True, "happening_now": True})

    assert (answer.routes, answer.urgency) == ((), "acuut")
    assert answer.side_actions == ("politie", "hovj", "werkgever", "nazorg")
