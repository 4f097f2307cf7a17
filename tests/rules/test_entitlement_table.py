"""Whether the scheme for security measures holds: rules E0 to E5, for each role held; the best answer counts."""

from datetime import datetime

import pytest

SCHEME = ["burgemeester", "wethouder", "cdk", "gedeputeerde", "ws_voorzitter", "ws_db"]
ISLANDS = ["gezaghebber", "eilandgedeputeerde", "eilandsraadslid"]
OUTSIDE_THE_SCHEME = ["raadslid", "statenlid", "ws_ab", "commissielid", "kandidaat"]
YESTERDAY, TODAY, TOMORROW = "2026-11-22", "2026-11-23", "2026-11-24"


def case(name: str, answer: str, rule: str, /, **target):
    return pytest.param(answer, rule, target, id=f"{rule} {name}")


@pytest.mark.parametrize(
    ("entitlement", "rule", "target"),
    [
        case("ambtenaar", "geen_recht", "E0", role="ambtenaar"),
        case("ambtenaar on the islands", "geen_recht", "E0", role="ambtenaar", organisation_type="openbaar_lichaam"),
        case("unknown role", "handmatig", "E1", role="onbekend"),
        case("unknown role, even when it has ended", "handmatig", "E1", role="onbekend", term_end=YESTERDAY),
        *(case(role, "handmatig", "E1", role=role) for role in ISLANDS),
        *(case(f"{role}, ended", "handmatig", "E1", role=role, term_end=YESTERDAY) for role in ISLANDS),
        case("any role with a public body", "handmatig", "E1", role="raadslid", organisation="BES-SAB",
            organisation_type=None),
        case("former official of a public body", "handmatig", "E1", role="oud_ambtsdrager",
            organisation_type="openbaar_lichaam"),
        case("former official", "geen_recht", "E2", role="oud_ambtsdrager"),
        *(case(f"{role} until yesterday", "geen_recht", "E2", role=role, term_end=YESTERDAY) for role in SCHEME),
        case("raadslid until yesterday", "geen_recht", "E2", role="raadslid", term_end=YESTERDAY),
        case("ended, whatever was certain", "geen_recht", "E2", role="cdk", term_end=YESTERDAY,
            appointment_certain=True),
        *(case(role, "recht", "E3", role=role) for role in SCHEME),
        case("until today", "recht", "E3", role="wethouder", term_end=TODAY),
        case("from today", "recht", "E3", role="wethouder", term_start=TODAY),
        case("from tomorrow, certain", "recht", "E3", role="wethouder", term_start=TOMORROW, appointment_certain=True),
        case("lives elsewhere", "handmatig", "E3b", role="gedeputeerde", home_outside_area=True),
        case("from tomorrow, certain, lives elsewhere", "handmatig", "E3b", role="burgemeester", term_start=TOMORROW,
             appointment_certain=True, home_outside_area=True),
        case("from tomorrow, not certain", "geen_recht", "E5", role="wethouder", term_start=TOMORROW),
        *(case(role, "geen_recht", "E5", role=role) for role in OUTSIDE_THE_SCHEME),
        case("raadslid who lives elsewhere", "geen_recht", "E5", role="raadslid", home_outside_area=True),
    ],
)  # fmt: skip
def test_the_first_row_that_applies_gives_the_entitlement(decided, rule_of, entitlement, rule, target):
    answer = decided(target=target)

    assert (answer.security_entitlement, rule_of(answer, "entitlement")) == (entitlement, rule)


@pytest.mark.parametrize(
    ("role", "other_roles", "entitlement", "rule"),
    [
        pytest.param("raadslid", ["ws_db"], "recht", "E3", id="the scheme by the other role"),
        pytest.param("ws_db", ["raadslid"], "recht", "E3", id="the scheme by the first role"),
        pytest.param("ambtenaar", ["wethouder"], "recht", "E3", id="an official who is wethouder too"),
        pytest.param("raadslid", ["onbekend"], "handmatig", "E1", id="to be looked at before no"),
        pytest.param("onbekend", ["burgemeester"], "recht", "E3", id="yes before to be looked at"),
        pytest.param("kandidaat", ["raadslid", "statenlid"], "geen_recht", "E5", id="no role has it"),
        pytest.param("oud_ambtsdrager", ["gedeputeerde"], "recht", "E3", id="ended one office, holds another"),
    ],
)
def test_with_several_roles_the_best_answer_counts(decided, rule_of, role, other_roles, entitlement, rule):
    answer = decided(target={"role": role, "other_roles": other_roles})

    assert (answer.security_entitlement, rule_of(answer, "entitlement")) == (entitlement, rule)


def test_other_roles_share_the_dates_and_the_organisation_of_the_target(decided):
    ended = decided(target={"role": "raadslid", "other_roles": ["wethouder"], "term_end": YESTERDAY})
    island = decided(
        target={"role": "ambtenaar", "other_roles": ["wethouder"], "organisation_type": "openbaar_lichaam"}
    )

    assert (ended.security_entitlement, island.security_entitlement) == ("geen_recht", "handmatig")


def test_an_incident_is_never_required(decided):
    assert decided(preventive=True).security_entitlement == "recht"


def test_the_day_on_which_an_office_ends_is_that_of_amsterdam(decided):
    last_evening = decided(now=datetime.fromisoformat("2026-11-22T22:59:59+00:00"), target={"term_end": YESTERDAY})
    first_minute = decided(now=datetime.fromisoformat("2026-11-22T23:00:00+00:00"), target={"term_end": YESTERDAY})

    assert (last_evening.security_entitlement, first_minute.security_entitlement) == ("recht", "geen_recht")
