"""What is told in the invented cases of a demonstration. Nobody in it exists and nothing of it happened.

A recipe is what kind of thing befalls whom, how often in the year, and words for it with places to fill in. Who holds
an office alone in a place (a mayor, a king's commissioner) gets no organisation, so that no real person is meant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

# More in the months of councils deciding and of New Year; less in summer.
SEASON: Final = {1: 1.25, 2: 1.0, 3: 1.35, 4: 1.0, 5: 0.9, 6: 1.05, 7: 0.6, 8: 0.55, 9: 1.1, 10: 1.2, 11: 1.3, 12: 1.2}

SUBJECTS: Final = (
    "de opvang voor vluchtelingen", "betaald parkeren", "de windmolens", "de sluiting van het zwembad",
    "de nieuwe woonwijk", "het vuurwerkverbod", "de rondweg", "de bomenkap", "het coffeeshopbeleid",
    "de samenvoeging van de dorpsscholen", "de waterstand in de polder", "de handhaving op het bedrijventerrein",
)  # fmt: skip
PLACES: Final = (
    "bij de supermarkt", "op het schoolplein", "langs het voetbalveld", "op het station", "bij de voordeur",
    "in de hal van het gemeentehuis", "na afloop van de vergadering", "op de markt",
)  # fmt: skip
TIMES: Final = ("gisteravond", "vanochtend", "in het weekend", "dinsdag na de raadsvergadering", "vannacht", "net")
NAMES: Final = (
    "J. de Wit", "M. Postma", "S. el Idrissi", "A. van Loon", "K. Hofstra", "R. Bakker", "T. Yilmaz", "E. Smit",
    "L. van der Velde", "F. Mulder", "N. Janssen", "H. Kramer", "B. Kuipers", "D. Martina", "P. Visser", "G. de Boer",
)  # fmt: skip
HANDLES: Final = (
    "@poldergeest1974", "@de_waarheid_nl0", "@stille.getuige.x", "@boze_buur_88", "@nachtuil_zuid", "@vrijdenker_oost",
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """One kind of case: its weight, whom it befalls, what the form says, and its stories."""

    weight: int
    roles: tuple[str, ...]
    incident: dict[str, Any]
    stories: tuple[str, ...]
    more: dict[str, Any] = field(default_factory=dict)
    outcomes: tuple[str, ...] = ("geholpen", "geholpen", "geholpen", "doorverwezen", "melder_wil_niet_verder")
    evidence: float = 0.1  # how often a file comes along


_COUNCIL = ("raadslid", "raadslid", "raadslid", "commissielid", "statenlid", "ws_ab")
_BOARD = ("wethouder", "wethouder", "burgemeester", "gedeputeerde", "ws_db")
_ALL = (*_COUNCIL, *_BOARD)

RECIPES: Final = (
    Recipe(
        16, _ALL,
        {"kinds": ["verbale_agressie"], "channels": ["sociale_media"], "platforms": ["facebook"], "repeated": True,
         "offender": "meerdere_onbekend", "message_count": 40},
        (
            "Sinds mijn stem over {subject} word ik onder elk bericht uitgescholden. Het zijn er {n}, de meeste van "
            "dezelfde drie profielen. Ik ben niet bang, maar ik lees mijn berichten niet meer.",
            "Onder een foto van de opening staan {n} reacties met scheldwoorden over {subject}. Mijn dochter van "
            "veertien las ze eerder dan ik.",
            "Elke week komt er een golf scheldberichten als het over {subject} gaat. Ik weet niet of dit erg "
            "genoeg is.",
        ),
        evidence=0.3,
    ),
    Recipe(
        9, _COUNCIL,
        {"kinds": ["verbale_agressie"], "channels": ["persoonlijk", "vergadering"], "offender": "inwoner_bekend"},
        (
            "Een inwoner ging {place} voor mij staan en schreeuwde over {subject}. Omstanders hebben hem weggehaald.",
            "Tijdens het inspreken over {subject} liep een man naar mijn tafel en sloeg op het blad. De voorzitter "
            "heeft geschorst.",
        ),
    ),
    Recipe(
        13, _ALL,
        {"kinds": ["bedreiging_intimidatie"], "channels": ["email"], "offender": "onbekend"},
        (
            "{time} kreeg ik een mail zonder naam over {subject}: dat ik wel zou merken wat er gebeurt als ik "
            "zo doorga.",
            "Er kwam een mail binnen op mijn adres van het werk. Er staat in dat ik mijn plannen met {subject} "
            "beter kan "
            "laten varen als ik rustig wil blijven wonen.",
        ),
        evidence=0.4,
    ),
    Recipe(
        9, _ALL,
        {"kinds": ["bedreiging_intimidatie"], "channels": ["sociale_media"], "platforms": ["x"],
         "concrete_threat": True, "offender": "onbekend"},
        (
            "Van {handle} kreeg ik {time}: 'we weten waar je fietst, jij haalt het einde van de week niet'. Het gaat "
            "over {subject}.",
            "Iemand schreef onder een bericht over {subject} dat mijn huis in de fik gaat. Daarna kwam er een foto van "
            "onze straat bij.",
        ),
        outcomes=("geholpen", "geholpen", "geholpen"), evidence=0.5,
    ),
    Recipe(
        6, _BOARD,
        {"kinds": ["doxing", "bedreiging_intimidatie"], "channels": ["sociale_media"], "platforms": ["telegram"],
         "address_exposed": True, "offender": "groep"},
        (
            "In een groep op Telegram staat mijn adres met de tekst dat mensen eens langs moeten gaan over {subject}. "
            "Er rijden auto's langzaam voorbij.",
            "Mijn adres en het nummer van onze auto zijn gedeeld in een groep over {subject}. De school van de "
            "kinderen "
            "staat er ook bij.",
        ),
        more={"private": {"home_address": "Verzonnenlaan 12, Nergenshuizen", "family": "partner en twee kinderen"}},
        evidence=0.6,
    ),
    Recipe(
        3, _BOARD,
        {"kinds": ["huisbezoek", "bedreiging_intimidatie"], "channels": ["thuis"], "address_exposed": True,
         "family_involved": True, "offender": "inwoner_bekend"},
        (
            "{time} stonden er vier mensen met fakkels voor ons huis vanwege {subject}. Mijn man was alleen thuis met "
            "de kinderen. Ze zijn na een half uur weggegaan.",
            "Een man belde aan en wilde weten waarom ik voor {subject} was. Hij bleef op de oprit staan tot de buren "
            "kwamen.",
        ),
        more={"private": {"home_address": "Fictieweg 3, Nergenshuizen", "movements": "donderdag laat thuis"}},
    ),
    Recipe(
        1, ("burgemeester", "wethouder"),
        {"kinds": ["bedreiging_intimidatie"], "channels": ["thuis"], "happening_now": True, "concrete_threat": True,
         "address_exposed": True},
        ("Er staat nu iemand in de tuin te roepen over {subject}. De politie is gebeld. Ik zit boven.",),
        more={"private": {"home_address": "Bedachtstraat 8, Nergenshuizen"}},
        outcomes=("geholpen",),
    ),
    Recipe(
        6, _ALL,
        {"kinds": ["vernieling"], "channels": ["thuis"], "damage": True, "address_exposed": True},
        (
            "{time} zijn twee banden van mijn auto lek gestoken. Op de ruit stond een woord over {subject}.",
            "Er is verf tegen de voordeur gegooid. Het is de derde keer sinds het besluit over {subject}.",
        ),
        evidence=0.5,
    ),
    Recipe(
        4, ("raadslid", "statenlid", "wethouder"),
        {"kinds": ["discriminatie", "verbale_agressie"], "channels": ["sociale_media"], "platforms": ["instagram"],
         "offender": "meerdere_onbekend", "repeated": True},
        (
            "Na een optreden op de lokale omroep kreeg ik {n} berichten over mijn afkomst. Het begon met {subject}.",
            "Bij elk bericht over {subject} krijg ik racistische reacties. De partij zegt dat ik er niet op "
            "moet letten.",
        ),
        evidence=0.3,
    ),
    Recipe(
        3, ("raadslid", "statenlid", "wethouder", "kandidaat"),
        {"kinds": ["seksuele_intimidatie"], "channels": ["sociale_media"], "platforms": ["instagram"],
         "offender": "onbekend"},
        (
            "Ik krijg foto's en berichten die ik niet wil beschrijven. Het gaat door nadat ik het account heb "
            "geblokkeerd. Ik vertel het liever.",
        ),
    ),
    Recipe(
        2, ("wethouder", "raadslid"),
        {"kinds": ["deepfake", "nepaccount"], "channels": ["sociale_media"], "platforms": ["tiktok"]},
        ("Er gaat een nagemaakt filmpje rond waarin ik iets over {subject} zeg dat ik nooit heb gezegd.",),
        evidence=0.4,
    ),
    Recipe(
        3, ("raadslid", "wethouder", "ws_ab"),
        {"kinds": ["stalking"], "channels": ["email", "persoonlijk"], "repeated": True, "earlier_cases": 3,
         "offender": "inwoner_bekend"},
        ("Dezelfde man stuurt mij elke dag mails en staat {place} als ik er ben. Het duurt nu vier maanden.",),
        evidence=0.2,
    ),
    Recipe(
        2, ("wethouder", "burgemeester", "gedeputeerde"),
        {"kinds": ["omkoping"], "channels": ["persoonlijk"], "offender": "bedrijf"},
        ("Een ondernemer bood mij {place} een vakantiehuis aan als {subject} anders zou lopen. Ik heb nee gezegd.",),
    ),
    Recipe(
        2, ("burgemeester", "wethouder"),
        {"kinds": ["dwang"], "channels": ["telefoon"], "offender": "georganiseerde_misdaad"},
        ("Ik ben gebeld door iemand die zegt dat de sluiting van een pand ongedaan moet worden gemaakt.",),
        more={"conflict": ["organisatie"]},
    ),
    Recipe(
        7, ("raadslid", "wethouder", "gedeputeerde", "ws_ab"),
        {"kinds": ["juridische_druk"], "channels": ["juridisch_stuk"], "offender": "bedrijf"},
        (
            "Een advocaat sommeert mij mijn woorden over {subject} in te trekken. Anders volgt een claim.",
            "Ik ben persoonlijk gedagvaard over wat ik in de raad zei over {subject}.",
        ),
        more={"legal": {"kind": "dreigen_met_claim", "side": "tegen_mij", "said_in_meeting": True}},
        outcomes=("afgewikkeld", "overgenomen_door_organisatie", "termijn_verstreken"), evidence=0.5,
    ),
    Recipe(
        3, ("wethouder", "ws_db"),
        {"kinds": ["juridische_druk"], "channels": ["juridisch_stuk"], "offender": "veelprocedeerder"},
        ("Iemand diende in een half jaar {n} verzoeken in over {subject}, allemaal op mijn naam.",),
        more={"legal": {"kind": "woo_reeks", "side": "tegen_mij"}},
        outcomes=("afgewikkeld", "overgenomen_door_organisatie"),
    ),
    Recipe(
        3, ("wethouder", "burgemeester", "gedeputeerde"), {},
        ("Ik begin volgende maand aan dit ambt en wil mijn huis laten bekijken. Er is nog niets gebeurd.",),
        more={"preventive": True, "request": {"security_measures": True}},
        outcomes=("maatregelen_geleverd", "maatregelen_geleverd", "advies_zonder_maatregelen"),
    ),
    Recipe(
        2, ("ambtenaar",),
        {"kinds": ["verbale_agressie"], "channels": ["telefoon"], "offender": "inwoner_bekend"},
        ("Als griffiemedewerker word ik elke week uitgescholden aan de telefoon over {subject}.",),
        outcomes=("doorverwezen",),
    ),
    Recipe(
        2, ("kandidaat", "oud_ambtsdrager"),
        {"kinds": ["bedreiging_intimidatie"], "channels": ["persoonlijk"], "offender": "groep"},
        ("Bij het uitdelen van folders werd ik {place} ingesloten door vier mannen. Het ging over {subject}.",),
    ),
    Recipe(
        2, ("eilandsraadslid", "eilandgedeputeerde"),
        {"kinds": ["bedreiging_intimidatie"], "channels": ["telefoon"], "offender": "inwoner_bekend"},
        ("Ik krijg nachtelijke telefoontjes over {subject}. Op een klein eiland weet iedereen waar ik woon.",),
    ),
    Recipe(
        1, ("burgemeester", "wethouder"),
        {"kinds": ["explosief"], "channels": ["thuis"], "damage": True, "address_exposed": True},
        ("{time} is zwaar vuurwerk bij onze voordeur afgegaan. De ruit is stuk, niemand is gewond.",),
        more={"private": {"home_address": "Nooitstraat 21, Nergenshuizen"}}, evidence=0.6,
    ),
    Recipe(
        2, ("raadslid", "onbekend"), {"kinds": ["anders"], "channels": ["anders"]},
        ("Ik weet niet goed hoe ik dit moet noemen. Ik wil graag met iemand praten over wat er om {subject} "
         "heen gebeurt.",),
    ),
)  # fmt: skip

PROXIES: Final = ("griffier", "gezinslid", "fractievoorzitter", "secretaris", "vertrouwenspersoon")

TEAM_MESSAGES: Final = (
    "Dank dat u dit meldde. Wij hebben u net gebeld en geen gehoor gekregen. Wanneer komt het u uit?",
    "Wij hebben vandaag met u gesproken. Zoals beloofd zetten wij de stappen hier op een rij.",
    "Wij hebben uw schermfoto's goed ontvangen. Wis niets en antwoord niet.",
    "Hoe gaat het nu met u? Laat gerust weten of er iets veranderd is.",
    "Wij hebben het platform gevraagd de berichten te verwijderen. U hoort van ons zodra er antwoord is.",
)
REPORTER_MESSAGES: Final = (
    "Morgen na vijf uur kan ik bellen.",
    "Dank u wel. Het is fijn dat iemand meedenkt.",
    "Er is weer een bericht bij gekomen, ik heb er een schermfoto van.",
    "Het is nu een paar dagen rustig.",
)
NOTES: Final = (
    "Gesproken, klinkt gespannen maar helder. Partner weet ervan. Volgende gesprek afgesproken.",
    "Voorstel: aangifte voorbereiden, melder denkt erover na.",
    "Overleg met de contactpersoon bij de politie gehad; gaat mee in de surveillance.",
    "Collega's uit een andere gemeente aangeboden als gesprekspartner; melder neemt het in overweging.",
)
DONE: Final = (
    "Gesprekken gevoerd, bewijs veiliggesteld, nazorg aangeboden.",
    "Aangifte gedaan met hulp van ons; het platform verwijderde de berichten.",
    "Doorverwezen naar de eigen organisatie, met toestemming, en daarna nagebeld.",
)
NOT_DONE: Final = ("", "", "De afzender is niet gevonden.", "Het platform reageerde niet op het tweede verzoek.")
