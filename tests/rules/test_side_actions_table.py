"""What is proposed to a worker beside the routes. Nothing leaves by itself."""

import pytest

OTHER_KINDS = [
    "doxing", "stalking", "fysiek", "vernieling", "explosief", "brandstichting", "verdacht_pakket", "omkoping",
    "afpersing", "dwang", "deepfake", "seksuele_intimidatie",
]  # fmt: skip
URGENT = {"reported_elsewhere_on": "2026-01-05", "answered_elsewhere": False}  # hoog, and nothing else
ACUTE_SELF = {"life_in_danger_self": True}
INSIDERS = ["burgemeester", "cdk", "griffie", "secretaris", "organisatie", "partij", "collega"]


def kinds(*codes: str, **flags):
    return {"kinds": list(codes)} | flags


def yes(action: str, name: str, happened=None, **parts):
    return pytest.param(action, True, {"incident": happened or {}} | parts, id=f"{action}: {name}")


def no(action: str, name: str, happened=None, **parts):
    return pytest.param(action, False, {"incident": happened or {}} | parts, id=f"no {action}: {name}")


ISLANDS = [
    {"role": "gezaghebber"}, {"role": "eilandgedeputeerde"}, {"role": "eilandsraadslid"},
    {"role": "wethouder", "organisation_type": "openbaar_lichaam"},
]  # fmt: skip

POLICE = [
    yes("politie", "a threat, at any urgency", kinds("bedreiging_intimidatie")),
    yes("politie", "discrimination, at any urgency", kinds("discriminatie")),
    yes("politie", "a threat that was called lawful", kinds("bedreiging_intimidatie"), lawful_criticism_only=True),
    *(yes("politie", f"{kind} in an urgent case", kinds(kind) | URGENT) for kind in OTHER_KINDS),
    yes("politie", "a weapon", {"weapon": True}),
    yes("politie", "a concrete threat", {"concrete_threat": True}),
    yes("politie", "acute by an announced moment", {"announced_for": "2026-11-23T20:00:00+01:00"}),
    yes("politie", "acute at home", {"happening_now": True, "channels": ["thuis"]}),
    yes("politie", "suicide and another ground for acute", ACUTE_SELF | {"announced_for": "2026-11-23"}),
    yes("politie", "suicide and a punishable kind", ACUTE_SELF | kinds("fysiek")),
    no("politie", "suicide alone", ACUTE_SELF),
    no("politie", "suicide and insults", ACUTE_SELF | kinds("verbale_agressie")),
    no("politie", "urgent, nothing punishable", kinds("verbale_agressie") | URGENT),
    no("politie", "an announced moment far away", {"announced_for": "2026-12-23"}),
    *(
        no("politie", f"{kind}, not urgent", kinds(kind))
        for kind in ("stalking", "fysiek", "vernieling", "deepfake", "seksuele_intimidatie")
    ),
    *(yes("kpcn", f"in place of police for {target}", kinds("fysiek") | URGENT, target=target) for target in ISLANDS),
    *(no("politie", f"but kpcn for {target}", kinds("fysiek") | URGENT, target=target) for target in ISLANDS),
    no("kpcn", "in Europe", kinds("fysiek") | URGENT),
    no("kpcn", "on the islands, nothing punishable", kinds("verbale_agressie"), target=ISLANDS[0]),
    no("kpcn", "only another role is of the islands", kinds("fysiek") | URGENT,
       target={"other_roles": ["eilandsraadslid"]}),
]  # fmt: skip

PROSECUTOR = [
    yes("hovj", "physical risk", {"weapon": True}),
    yes("hovj", "physical risk that was called lawful", {"weapon": True}, lawful_criticism_only=True),
    yes("hovj", "acute by an announced moment", {"announced_for": "2026-11-23"}),
    yes("hovj", "acute in a meeting", kinds("seksuele_intimidatie", happening_now=True, channels=["vergadering"])),
    yes("hovj", "suicide and physical risk", ACUTE_SELF | kinds("huisbezoek")),
    no("hovj", "suicide alone", ACUTE_SELF),
    no("hovj", "suicide and a blow", ACUTE_SELF | kinds("fysiek")),
    no("hovj", "urgent", kinds("doxing")),
]

COMMISSIONER = [
    yes("cdk", "the mayor, urgent", kinds("doxing"), target={"role": "burgemeester"}),
    yes("cdk", "the mayor, acute", ACUTE_SELF, target={"role": "burgemeester"}),
    yes("cdk", "the mayor must not know", conflict=["burgemeester"]),
    yes("cdk", "bribery", kinds("omkoping")),
    no("cdk", "the mayor, not urgent", kinds("fysiek"), target={"role": "burgemeester"}),
    no("cdk", "the mayor in another role", kinds("doxing"), target={"role": "raadslid",
        "other_roles": ["burgemeester"]}),
    no("cdk", "another conflict", conflict=["secretaris"]),
    no("cdk", "the commissioner is the target", kinds("omkoping"), target={"role": "cdk"}, conflict=["burgemeester"]),
    no("cdk", "the commissioner must not know", kinds("omkoping"), target={"role": "burgemeester"},
       conflict=["burgemeester", "cdk"]),
    *(no("cdk", f"on the islands, {target}", kinds("omkoping"), target=target, conflict=["burgemeester"])
      for target in ISLANDS),
]  # fmt: skip

EMPLOYER = [
    yes("werkgever", "an official", target={"role": "ambtenaar"}),
    yes("werkgever", "no entitlement, urgent", kinds("doxing"), target={"role": "raadslid"}),
    yes("werkgever", "no entitlement, acute", ACUTE_SELF, target={"role": "kandidaat"}),
    yes("werkgever", "ended, a threat", kinds("bedreiging_intimidatie"), target={"role": "oud_ambtsdrager"}),
    yes("werkgever", "ended yesterday, a threat", kinds("bedreiging_intimidatie"), target={"term_end": "2026-11-22"}),
    yes("werkgever", "an explosive", kinds("explosief")),
    yes("werkgever", "a series of requests for documents", legal={"kind": "woo_reeks"}),
    yes("werkgever", "a colleague in office", kinds("verbale_agressie", offender="collega_ambtsdrager")),
    yes("werkgever", "only at home they must not know", kinds("explosief"), conflict=["thuis"]),
    yes("werkgever", "only the team must not know", kinds("explosief"), conflict=["ondersteuningsteam"]),
    no("werkgever", "entitled, urgent", kinds("doxing")),
    no("werkgever", "no entitlement, not urgent", kinds("fysiek"), target={"role": "raadslid"}),
    no("werkgever", "in office, a threat", kinds("bedreiging_intimidatie")),
    no("werkgever", "ended, insults", kinds("verbale_agressie"), target={"role": "oud_ambtsdrager"}),
    no("werkgever", "an official in another role", target={"role": "wethouder", "other_roles": ["ambtenaar"]}),
    no("werkgever", "other papers", legal={"kind": "bezwaarreeks"}),
    *(no("werkgever", f"{who} must not know", kinds("explosief"), conflict=["thuis", who]) for who in INSIDERS),
    no("werkgever", "sexual intimidation", kinds("explosief", "seksuele_intimidatie"), target={"role": "ambtenaar"}),
]

PLATFORM_KINDS = ["doxing", "discriminatie", "deepfake", "bedreiging_intimidatie", "nepaccount", "seksuele_intimidatie"]
OTHERS = [
    *(yes("platform", f"{kind} on social media", kinds(kind, channels=["sociale_media"])) for kind in PLATFORM_KINDS),
    *(no("platform", f"{kind} by mail", kinds(kind, channels=["email"])) for kind in PLATFORM_KINDS),
    no("platform", "insults on social media", kinds("verbale_agressie", channels=["sociale_media"])),
    yes("adres", "doxing", kinds("doxing", address_exposed=True)),
    yes("adres", "damage at home", kinds("vernieling", address_exposed=True)),
    yes("adres", "nothing happened yet", {"address_exposed": True}, preventive=True),
    no("adres", "a threat", kinds("bedreiging_intimidatie", address_exposed=True)),
    no("adres", "'nothing happened yet' that is ignored", kinds("fysiek", address_exposed=True), preventive=True),
    no("adres", "doxing, but not of the address", kinds("doxing")),
    no("adres", "nothing happened yet, address unknown", preventive=True),
    yes("riec", "bribery", kinds("omkoping")),
    yes("riec", "extortion", kinds("afpersing")),
    yes("riec", "organised crime", {"offender": "georganiseerde_misdaad"}),
    yes("riec", "coercion and a conflict", kinds("dwang"), conflict=["thuis"]),
    no("riec", "coercion", kinds("dwang")),
    no("riec", "a conflict", kinds("fysiek"), conflict=["partij"]),
    yes("nazorg", "urgent", kinds("doxing")),
    yes("nazorg", "acute", ACUTE_SELF),
    yes("nazorg", "a blow", kinds("fysiek")),
    yes("nazorg", "the family is involved", {"family_involved": True}),
    no("nazorg", "a threat that can wait", kinds("bedreiging_intimidatie")),
    no("nazorg", "nothing known"),
]


@pytest.mark.parametrize(("action", "proposed", "parts"), [*POLICE, *PROSECUTOR, *COMMISSIONER, *EMPLOYER, *OTHERS])
def test_an_action_is_proposed_when_its_row_applies_and_only_then(decided, action, proposed, parts):
    assert (action in decided(**parts).side_actions) is proposed


def test_actions_stand_in_the_order_of_the_table(decided):
    everything = kinds("explosief", "omkoping", "doxing", channels=["sociale_media"], address_exposed=True)

    in_europe = decided(incident=everything, target={"role": "burgemeester"})
    on_an_island = decided(incident=everything, target={"role": "gezaghebber"})

    assert in_europe.side_actions == ("politie", "hovj", "cdk", "werkgever", "platform", "adres", "riec", "nazorg")
    assert on_an_island.side_actions == ("kpcn", "hovj", "werkgever", "platform", "adres", "riec", "nazorg")


def test_the_reason_of_an_action_on_the_islands_is_about_that_action(decided):
    answer = decided(incident={"weapon": True}, target={"role": "gezaghebber"})

    assert [reason.about for reason in answer.reasons if reason.rule == "A1"] == ["action:kpcn"]
