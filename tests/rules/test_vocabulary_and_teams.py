"""The closed code lists, and the teams with what each may open and how its work can end."""

import pytest
from pydantic import ValidationError

from weerbaar_meldpunt.rules import vocabulary as codes
from weerbaar_meldpunt.rules.teams import Team, compartments_for, outcomes_for, teams

LISTS = {name: value for name, value in vars(codes).items() if name.isupper() and isinstance(value, tuple)}
COMMON = {"doorverwezen", "melder_wil_niet_verder", "geen_contact_gekregen", "dubbel", "ingetrokken", "geen_incident"}


@pytest.mark.parametrize("name", LISTS)
def test_codes_are_lower_case_and_stand_once(name):
    known = LISTS[name]

    assert len(set(known)) == len(known)
    assert name == "COMPARTMENTS" or all(code.replace("_", "a").isalnum() and code == code.lower() for code in known)


def test_the_lists_have_as_many_codes_as_the_format():
    assert {name: len(LISTS[name]) for name in ("ROLES", "RELATIONS", "KINDS", "CHANNELS", "OFFENDERS",
        "LEGAL_KINDS")} == {
        "ROLES": 17, "RELATIONS": 14, "KINDS": 20, "CHANNELS": 14, "OFFENDERS": 12, "LEGAL_KINDS": 16,
    }  # fmt: skip
    assert set(codes.CHANNELS) >= codes.ONLINE_CHANNELS == {"sociale_media", "email", "webformulier"}


@pytest.mark.parametrize(
    ("team", "compartments", "own"),
    [
        ("ondersteuning", ("A", "B", "N"), {"geholpen"}),
        ("beveiliging", ("A", "B", "N"),
         {"maatregelen_geleverd", "advies_zonder_maatregelen", "geen_aanspraak_alternatief", "ambt_geeindigd"}),
        ("juridisch", ("A", "N"), {"afgewikkeld", "overgenomen_door_organisatie", "termijn_verstreken"}),
    ],
)  # fmt: skip
def test_a_team_opens_what_it_needs_and_closes_with_its_outcomes(team, compartments, own):
    assert compartments_for(team) == compartments
    assert set(outcomes_for(team)) == own | COMMON
    assert codes.OUTCOMES[team] == outcomes_for(team)


def test_the_order_of_the_teams_is_the_order_of_routes():
    assert tuple(teams()) == codes.TEAMS == ("ondersteuning", "beveiliging", "juridisch")


def test_no_team_is_granted_nothing():
    with pytest.raises(KeyError):
        compartments_for("politie")


def test_who_opens_an_address_opens_the_report_too():
    with pytest.raises(ValidationError, match="holds A"):
        Team(code="x", compartments=("B",), outcomes=())
