"""The closed code lists of the house: what may stand in a report, on a track, in an answer, on an account.

Codes are Dutch and lower case; what people read are texts elsewhere. The order of a list is the order in which
its codes are shown, counted or ranked, so a code is added at the end or with a new format.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from .teams import outcomes_for, teams

Codes = tuple[str, ...]

# What a report says (report format, version 1).
ROLES: Final[Codes] = (
    "burgemeester", "wethouder", "raadslid", "commissielid", "cdk", "gedeputeerde", "statenlid",
    "ws_voorzitter", "ws_db", "ws_ab", "gezaghebber", "eilandgedeputeerde", "eilandsraadslid",
    "kandidaat", "oud_ambtsdrager", "ambtenaar", "onbekend",
)  # fmt: skip
RELATIONS: Final[Codes] = (
    "zelf", "griffier", "provinciegriffier", "eilandgriffier", "secretaris", "kabinetschef", "burgemeester",
    "cdk", "fractievoorzitter", "partij", "gezinslid", "vertrouwenspersoon", "collega", "onbekend",
)  # fmt: skip
KINDS: Final[Codes] = (
    "verbale_agressie", "bedreiging_intimidatie", "fysiek", "discriminatie", "seksuele_intimidatie",
    "vernieling", "doxing", "stalking", "huisbezoek", "deepfake", "nepaccount", "hacken", "omkoping",
    "afpersing", "dwang", "explosief", "brandstichting", "verdacht_pakket", "juridische_druk", "anders",
)  # fmt: skip
CHANNELS: Final[Codes] = (
    "sociale_media", "email", "brief", "telefoon", "persoonlijk", "thuis", "vergadering", "demonstratie",
    "via_gezin", "via_collega", "juridisch_stuk", "media", "webformulier", "anders",
)  # fmt: skip
ONLINE_CHANNELS: Final = frozenset({"sociale_media", "email", "webformulier"})
# Shown as choices; a report may name any other platform by a lower-case code.
PLATFORMS: Final[Codes] = (
    "x", "facebook", "instagram", "tiktok", "linkedin", "youtube", "telegram", "snapchat", "whatsapp",
    "nextdoor", "forum", "anders",
)  # fmt: skip
OFFENDERS: Final[Codes] = (
    "onbekend", "meerdere_onbekend", "inwoner_bekend", "groep", "bedrijf", "georganiseerde_misdaad",
    "verward_persoon", "minderjarige", "collega_ambtsdrager", "buitenland", "veelprocedeerder", "geen",
)  # fmt: skip
LEGAL_KINDS: Final[Codes] = (
    "onterechte_aangifte", "smaad_laster", "dreigen_met_claim", "civiele_dagvaarding", "kort_geding",
    "rectificatie", "slapp", "tuchtklacht", "integriteitsmelding", "klacht_ombudsman", "klacht_ap",
    "woo_reeks", "bezwaarreeks", "getuigenverhoor", "artikel_12", "anders",
)  # fmt: skip
LEGAL_SIDES: Final[Codes] = ("tegen_mij", "door_mij", "onbekend")
CONSENTS: Final[Codes] = ("ja", "mondeling", "nee", "nog_te_vragen", "nvt")
CONFLICTS: Final[Codes] = (
    "burgemeester", "cdk", "griffie", "secretaris", "organisatie", "partij", "collega", "thuis",
    "ondersteuningsteam",
)  # fmt: skip
INTAKES: Final[Codes] = ("web", "telefoon", "papier", "json")
# Only these two can have come in earlier than they are entered.
LATE_INTAKES: Final[Codes] = ("telefoon", "papier")
GENDERS: Final[Codes] = ("vrouw", "man", "overig_onbekend")
GROUPS: Final[Codes] = ("raad", "college", "staten", "fractie", "kabinet")
ORGANISATION_TYPES: Final[Codes] = ("gemeente", "provincie", "waterschap", "openbaar_lichaam", "onbekend")
CONTACT_CHANNELS: Final[Codes] = ("telefoon", "bericht", "brief")
CONTACT_LANGUAGES: Final[Codes] = ("nl", "en", "fy", "pap")

# What the rules answer.
TEAMS: Final[Codes] = tuple(teams())
URGENCIES: Final[Codes] = ("acuut", "hoog", "midden", "laag")
ENTITLEMENTS: Final[Codes] = ("recht", "handmatig", "geen_recht")  # best first
MARKS: Final[Codes] = ("eerst_schrijven", "doorverwijzen", "wacht_op_toestemming")
SIDE_ACTIONS: Final[Codes] = (
    "politie", "kpcn", "hovj", "cdk", "werkgever", "platform", "adres", "riec", "nazorg",
)  # fmt: skip
WHOSE_TERMS: Final[Codes] = ("eigen", "wederpartij", "organisatie")
COMPARTMENTS: Final[Codes] = ("A", "B", "N")  # melding, veilig, notities

# What happens to a case.
TRACK_STATES: Final[Codes] = ("nieuw", "in_behandeling", "wacht_op_melder", "wacht_op_derde", "afgerond")
OUTCOMES: Final = MappingProxyType({team: outcomes_for(team) for team in TEAMS})
# These take a validated fact back out of the figures.
UNCOUNTED_OUTCOMES: Final = frozenset({"dubbel", "ingetrokken", "geen_incident"})
REPORT_TO_POLICE: Final[Codes] = ("ja", "nee", "onbekend")  # aangifte, as validated
DUE_KINDS: Final[Codes] = (
    "eerste_contact", "poging", "opvolging", "wacht_op_melder", "wacht_op_derde", "nazorg_72u", "nazorg_2w",
    "nazorg_6w", "enquete", "wettelijke_termijn", "aangekondigd_moment", "ccv_afspraak", "bva_advies",
    "vraag_organisatie", "besluit_organisatie", "levering", "herziening", "einde_ambt", "advies_politie",
    "toestemming_14d", "toestemming_30d", "inzageverzoek", "datalek_72u", "bewaartermijn",
)  # fmt: skip
DUE_STEPS: Final[Codes] = (
    "gepland", "herinnerd", "achterwacht", "coordinator", "heel_team", "gedaan", "vervallen",
)  # fmt: skip
ENDED_DUE_STEPS: Final = frozenset({"gedaan", "vervallen"})

# Who has an account. A custodian has none.
ACCOUNT_ROLES: Final[Codes] = (
    "melder", "gemachtigde", "behandelaar", "coordinator", "statistiekredacteur", "beheerder", "auditor",
)  # fmt: skip
