"""The codes of the monthly figures, and how the facts of a case become one code in each dimension.

Every dimension holds one answer a case, so that tables add up. The order of a list is the order in which its codes
are printed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from . import organisations
from .vocabulary import CHANNELS, GENDERS, KINDS, REPORT_TO_POLICE, ROLES, TEAMS, Codes

MARGIN: Final = "T"
# In the order of the columns of the public CSV.
DIMENSIONS: Final[Mapping[str, Codes]] = MappingProxyType(
    {
        "provincie": ("GR", "FR", "DR", "OV", "FL", "GE", "UT", "NH", "ZH", "ZE", "NB", "LI", "ZZ"),
        "organisatie": ("gemeente", "provincie", "waterschap", "overig"),
        "rolgroep": (
            "burgemeester", "wethouder", "raadslid", "provinciebestuur", "statenlid", "waterschapsbestuur",
            "ambtelijk", "overig",
        ),
        "ambt": ("bestuurder", "volksvertegenwoordiger", "overig"),
        "soort": (
            "geweld_vernieling", "bedreiging", "discriminatie_seksueel", "juridisch", "verbaal", "overig",
        ),
        "kanaal": ("fysiek", "online", "brief_telefoon"),
        "route": ("beveiliging", "juridisch", "ondersteuning", "geen"),
        "aangifte": REPORT_TO_POLICE,
        "geslacht": GENDERS,
        "duur": ("d0_1", "d2_7", "d8_30", "d31_plus"),
    }
)  # fmt: skip

# Functions of the role group: never in a fact, always summed from it.
DERIVED: Final[Mapping[str, Mapping[str, Codes]]] = MappingProxyType(
    {
        "organisatie": MappingProxyType(
            {
                "gemeente": ("burgemeester", "wethouder", "raadslid"),
                "provincie": ("provinciebestuur", "statenlid"),
                "waterschap": ("waterschapsbestuur",),
                "overig": ("ambtelijk", "overig"),
            }
        ),
        "ambt": MappingProxyType(
            {
                "bestuurder": ("burgemeester", "wethouder", "provinciebestuur", "waterschapsbestuur"),
                "volksvertegenwoordiger": ("raadslid", "statenlid"),
                "overig": ("ambtelijk", "overig"),
            }
        ),
    }
)
DERIVED_FROM: Final = "rolgroep"

# What a fact of each counted measure says, in this order.
FACT_DIMENSIONS: Final[Mapping[str, Codes]] = MappingProxyType(
    {
        "meldingen": ("provincie", "rolgroep", "soort", "kanaal", "route", "aangifte", "geslacht"),
        "afgehandeld": ("duur",),
    }
)
GENDER_UNKNOWN: Final = "overig_onbekend"

# What security measures cost is summed per kind of measure; euro are not a count and have no cell in the tables above.
MEASURE_KINDS: Final[Codes] = ("bouwkundig", "elektronisch", "alarmopvolging", "persoonlijk", "overig")

# The king's commissioner and the chair of a water board are never a code of their own: too few people.
ROLE_GROUPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "burgemeester": "burgemeester", "wethouder": "wethouder", "raadslid": "raadslid",
        "commissielid": "raadslid", "cdk": "provinciebestuur", "gedeputeerde": "provinciebestuur",
        "statenlid": "statenlid", "ws_voorzitter": "waterschapsbestuur", "ws_db": "waterschapsbestuur",
        "ws_ab": "waterschapsbestuur", "gezaghebber": "overig", "eilandgedeputeerde": "overig",
        "eilandsraadslid": "overig", "kandidaat": "overig", "oud_ambtsdrager": "overig",
        "ambtenaar": "ambtelijk", "onbekend": "overig",
    }
)  # fmt: skip
ISLAND_ROLES: Final = frozenset({"gezaghebber", "eilandgedeputeerde", "eilandsraadslid"})

# From the top: the first row that shares a code with the report is taken.
_KINDS_FIRST: Final = (
    ("geweld_vernieling", frozenset({"fysiek", "explosief", "brandstichting", "verdacht_pakket", "vernieling"})),
    (
        "bedreiging",
        frozenset({"bedreiging_intimidatie", "doxing", "stalking", "huisbezoek", "dwang", "afpersing", "omkoping"}),
    ),
    ("discriminatie_seksueel", frozenset({"discriminatie", "seksuele_intimidatie", "deepfake"})),
    ("juridisch", frozenset({"juridische_druk"})),
    ("verbaal", frozenset({"verbale_agressie"})),
)
_CHANNELS_FIRST: Final = (
    (
        "fysiek",
        frozenset({"persoonlijk", "thuis", "vergadering", "demonstratie", "via_gezin", "via_collega"}),
    ),
    ("online", frozenset({"sociale_media", "email", "webformulier"})),
)

_LOCAL: Final = ZoneInfo("Europe/Amsterdam")


def fact_codes(facts: Mapping[str, Any]) -> dict[str, str]:
    """The codes under which the established facts of a case count, for who writes the fact: measure and dimensions.

    `facts` holds role, organisation, kinds, channels, routes, aangifte and gender in the codes of a report.
    An unknown code is a `ValueError`: it would be counted wrongly for ever.
    """
    role = _known("role", facts["role"], ROLES)
    organisation = facts.get("organisation")
    if organisation is not None:
        _known("organisation", organisation, organisations.organisations())
    kinds = {_known("kinds", kind, KINDS) for kind in facts["kinds"]}
    channels = {_known("channels", channel, CHANNELS) for channel in facts["channels"]}
    routes = {_known("routes", route, TEAMS) for route in facts["routes"]}
    gender = facts.get("gender")
    return {
        "measure": "meldingen",
        # The few office holders of the islands must not be told apart from who names no organisation.
        "provincie": organisations.UNKNOWN_PROVINCE
        if role in ISLAND_ROLES
        else organisations.province_code(organisation),
        "rolgroep": ROLE_GROUPS[role],
        "soort": next((code for code, members in _KINDS_FIRST if kinds & members), "overig"),
        "kanaal": next((code for code, members in _CHANNELS_FIRST if channels & members), "brief_telefoon"),
        "route": next((route for route in DIMENSIONS["route"] if route in routes), "geen"),
        "aangifte": _known("aangifte", facts["aangifte"], REPORT_TO_POLICE),
        "geslacht": GENDER_UNKNOWN if gender is None else _known("gender", gender, GENDERS),
    }


def duration_code(received_at: datetime, closed_at: datetime) -> str:
    """The class of the days from receipt to closing, counted as dates on a Dutch calendar."""
    days = (closed_at.astimezone(_LOCAL).date() - received_at.astimezone(_LOCAL).date()).days
    if days <= 1:
        return "d0_1"
    if days <= 7:
        return "d2_7"
    return "d8_30" if days <= 30 else "d31_plus"


def parents(role_group: str) -> dict[str, str]:
    """The derived codes of a role group: its organisatie and its ambt."""
    return {
        dimension: next(parent for parent, members in groups.items() if role_group in members)
        for dimension, groups in DERIVED.items()
    }


def _known(name: str, code: Any, codes: Collection[str]) -> str:
    if not isinstance(code, str) or code not in codes:
        raise ValueError(f"{name}: not a known code")
    return code
