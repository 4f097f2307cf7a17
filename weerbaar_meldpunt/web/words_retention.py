"""What the codes of keeping, destroying, searching and comparing are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _

from .words_report import Words

RETENTION_WORDS: Final[Mapping[str, Words]] = {
    # How long a closed case stays, and why that long: on the public page and at the coordinator's.
    "keeping_terms": {
        "geen_incident": (_("Geen incident"), _("De hele melding gaat weg. Alleen dát er een melding was, blijft.")),
        "ingetrokken": (_("Ingetrokken"), _("U vroeg het team de zaak in te trekken.")),
        "aangifte": (_("Er is aangifte gedaan"), _("Of vijf jaar na het einde van uw ambt, als dat later is.")),
        "beveiliging": (
            _("Er is een beveiligingsdossier"),
            _("Of vijf jaar na het einde van uw ambt, als dat later is."),
        ),
        "juridisch": (_("Het is een juridische zaak"), _("Of vijf jaar na het einde van uw ambt, als dat later is.")),
        "gewoon": (_("Alle andere meldingen"), _("Zonder aangifte, beveiligingsdossier of rechtszaak.")),
        "geen": _("Zonder termijn"),
        "": _("Zonder termijn"),
    },
    "keeping_terms_short": {
        "geen_incident": _("Geen incident"),
        "ingetrokken": _("Ingetrokken"),
        "aangifte": _("Met aangifte"),
        "beveiliging": _("Beveiligingsdossier"),
        "juridisch": _("Juridische zaak"),
        "gewoon": _("Gewone zaak"),
        "geen": _("Zonder termijn"),
        "": _("Zonder termijn"),
    },
    "kept_beside_cases": {
        "concept": (_("Een melding die u nog niet verstuurde"), _("Daarna wissen wij haar vanzelf.")),
        "overdrachtscode": _("Een code waarmee iemand anders de melding overneemt"),
        "uitnodiging": _("Een uitnodiging voor een account van een medewerker"),
        "sessie": (_("Dat u bent ingelogd"), _("Wij onthouden niet wanneer u inlogde.")),
        "mail": _("Een mail die nog niet weg is"),
        "logboek_zonder_zaak": _("De woorden in het logboek die bij geen zaak horen"),
        "logboek_regels": (
            _("De regels van het logboek"),
            _("Wie wat wanneer deed, zonder inhoud. Zo kan niemand achteraf iets verbergen."),
        ),
        "cijfers": (_("De cijfers voor de Tweede Kamer"), _("Daarin staat niets dat naar een persoon wijst.")),
        "reservekopie": (
            _("Reservekopieën"),
            _("Wat gewist is, kan daar nog in staan. Wordt een kopie teruggezet, dan wissen wij het opnieuw."),
        ),
        "kenmerken": (
            _("Kenmerken van wie het kwam, om zaken te vergelijken"),
            _("Alleen als de functionaris gegevensbescherming dat heeft toegestaan."),
        ),
    },
    "hold_grounds": {
        "rechtsvordering": _("Er loopt een rechtszaak, of die komt er"),
        "strafzaak": _("De politie of het openbaar ministerie heeft dit nodig"),
        "verzoek_loopt": _("Iemand vroeg om zijn of haar gegevens; dat loopt nog"),
    },
    "hold_grounds_melder": {
        "rechtsvordering": _("Er loopt een rechtszaak, of die komt er. Daarvoor moeten wij dit bewaren."),
        "strafzaak": _("De politie of het openbaar ministerie heeft dit nodig."),
        "verzoek_loopt": _("Iemand vroeg om gegevens die hierbij horen. Dat verzoek loopt nog."),
    },
    "destruction_grounds": {
        "termijn": _("De bewaartermijn is voorbij"),
        "geen_toestemming": _("Na 30 dagen nog geen toestemming"),
        "ingetrokken": _("De melder trok alles in"),
        "teruggezet": _("Stond in een kopie die is teruggezet"),
    },
    # To whom something went, as the reporter reads it.
    "left_to": {
        "politie": _("De politie"),
        "aangifte": _("De politie: er is aangifte gedaan"),
        "organisatie": _("Uw organisatie"),
        "platform": _("Het platform waarop het stond"),
        "ccv": _("Het CCV, voor het gesprek over uw veiligheid"),
        "bva": _("De beveiligingsautoriteit"),
        "levering": _("Wie de maatregelen levert"),
        "rechter": _("De rechter"),
        "anders": _("Iemand anders"),
    },
}
RETENTION_ALARMS: Final[Words] = {
    "vernietiging_gestopt": _("Een zaak zou gewist worden, maar het logboek zegt iets anders"),
}
RETENTION_TRAIL: Final[Words] = {
    "bewaartermijn": _("Bewaartermijn gesteld"),
    "bewaring": _("Langer bewaard"),
    "bewaring_voorbij": _("Langer bewaren is voorbij"),
    "intrekking_gevraagd": _("De melder wil dat alles gewist wordt"),
    "intrekking_teruggenomen": _("De melder wil toch dat alles blijft"),
    "vernietiging_voorgesteld": _("Vernietigen voorgesteld"),
    "vernietiging_bevestigd": _("Vernietigen bevestigd door een tweede persoon"),
    "vernietiging_geweigerd": _("Vernietigen niet bevestigd"),
    "vernietiging_vervallen": _("Voorstel om te vernietigen vervallen"),
    "vernietiging_overgeslagen": _("Een zaak uit het voorstel bleef staan"),
    "vernietiging_klaar": _("Voorstel om te vernietigen uitgevoerd"),
    "gewist": _("Zaak gewist"),
    "gezocht": _("Gezocht in de zaken van het team"),
    "kenmerk_bewaard": _("Kenmerk bewaard om zaken te vergelijken"),
    "kenmerk_vergeleken": _("Kenmerk vergeleken met andere zaken"),
    "kenmerk_weg": _("Kenmerk gewist"),
    "kenmerken_verlopen": _("Kenmerken gewist: de termijn was voorbij"),
    "koppelsleutel_gemaakt": _("Sleutel gemaakt om zaken te vergelijken"),
    "koppelsleutel_vernieuwd": _("Sleutel om zaken te vergelijken vernieuwd"),
}
RETENTION_REFUSALS: Final[Words] = {
    "onbekende_grond": _("Kies een grond uit de lijst."),
    "dag_kan_niet": _("Deze dag kan niet. Kies een dag na vandaag, en hoogstens een jaar ver."),
    "bewaring_al_voorbij": _("Deze bewaring is al voorbij. Misschien was een collega u voor."),
    "niets_gekozen": _("Kies minstens één zaak. Misschien heeft een collega ze net voorgesteld."),
    "voorstel_voorbij": _("Dit voorstel is er niet meer. Misschien was iemand u voor, of duurde het te lang."),
    "niets_ingetrokken": _("Er was niets meer ingetrokken. Alles blijft zoals het is."),
    "koppelen_uit": _(
        "Zaken vergelijken staat uit. Dat kan pas als de functionaris gegevensbescherming dat heeft besloten."
    ),
    "geen_koppelsleutel": _("De sleutel om zaken te vergelijken is er nog niet. Vraag de coördinator."),
    "geen_kenmerk": _("Kies minstens één kenmerk dat wij kunnen vergelijken."),
    "koppelsleutel_bestaat": _("Deze sleutel is er al. Misschien was een collega u voor."),
}
