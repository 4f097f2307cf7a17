"""What the codes of keeping watch are called: the trail's own acts, the work of the FG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _

from .words_alarms import ALARM_WORDS
from .words_report import Words

WATCH_WORDS: Final[Mapping[str, Words]] = {
    "alarm_kinds": ALARM_WORDS,
    "logbook_faults": {
        "leaf_removed": _("Er zijn regels weggehaald"),
        "leaf_inserted": _("Er is een regel bij gezet"),
        "leaf_altered": _("Een regel is veranderd"),
        "leaf_moved": _("Een regel staat op een andere plek"),
        "leaf_rows_altered": _("Wat bij een regel hoort, is veranderd"),
        "not_by_this_program": _("Een regel is niet door dit programma geschreven"),
        "body_altered": _("De woorden bij een regel zijn veranderd"),
        "body_removed": _("De woorden bij een regel zijn weg"),
        "tail_removed": _("Het einde van het logboek is weg"),
        "rewritten_since": _("Het logboek is overgeschreven"),
        "row_altered": _("Een rij is veranderd"),
        "row_removed": _("Een rij is weg"),
        "row_put_back": _("Een gewiste rij staat er weer"),
        "row_rolled_back": _("Een rij is teruggezet naar vroeger"),
        "row_swapped": _("Twee rijen zijn verwisseld"),
        "row_inserted": _("Er is een rij bij gezet"),
        "table_unknown": _("Een regel gaat over een tabel die wij niet kennen"),
        "tombstone_missing": _("Een vervallen toegang staat niet meer op de lijst"),
        "tombstones_altered": _("De lijst van vervallen toegang is veranderd"),
        "tombstones_not_as_anchor": _("De lijst van vervallen toegang is niet die van het ijkpunt"),
        "checkpoint_removed": _("Een ijkpunt is weg"),
        "checkpoint_altered": _("Een ijkpunt is veranderd"),
        "anchor_of_another": _("Het ijkpunt is van een ander meldpunt"),
        "anchor_not_signed": _("De handtekening van het ijkpunt klopt niet"),
    },
    "clock_jumps": {
        "went_back": _("de klok ging terug"),
        "went_ahead": _("de klok ging een dag of meer vooruit, of stond zo lang stil"),
        "came_back": _("de klok liep voor, en loopt weer goed"),
    },
    "actor_kinds": {
        "program": _("Het programma"),
        "staff": _("Medewerker"),
        "reader": _("De melder of een gemachtigde"),
    },
    "opening_limits": {
        "zaken-10": _("meer zaken in 10 minuten dan de grens"),
        "zaken-60": _("meer zaken in een uur dan de grens"),
        "zaken-1440": _("meer zaken in een dag dan de grens"),
        "veilig-60": _("meer adressen in een uur dan de grens"),
        "veilig-1440": _("meer adressen in een dag dan de grens"),
        "bestanden-60": _("meer bestanden in een uur dan de grens"),
        "wachtrij-120": _("meer bladzijden van de wachtrij in twee uur dan de grens"),
        "treffers-120": _("meer zoekresultaten in twee uur dan de grens"),
    },
    "request_kinds": {
        "inzage": (_("Inzage"), _("Wat staat er over mij?")),
        "rectificatie": (_("Rectificatie"), _("Er staat iets dat niet klopt.")),
        "bezwaar": (_("Bezwaar"), _("Ik wil niet dat u dit over mij bewaart.")),
        "wissen": (_("Wissen"), _("Haal weg wat er over mij staat.")),
        "beperking": (_("Beperking"), _("Gebruik het even niet.")),
    },
    "grounds": {
        "niets_over_verzoeker": (
            _("Er staat niets over deze persoon"),
            _("Ook dan krijgt de verzoeker dezelfde brief."),
        ),
        "rechten_van_anderen": (
            _("Rechten van anderen"),
            _("De melder loopt gevaar als wij iets zeggen. AVG art. 23, lid 1, i."),
        ),
        "strafbare_feiten": (
            _("Strafbare feiten"),
            _("Een onderzoek of vervolging loopt gevaar. AVG art. 23, lid 1, d."),
        ),
        "openbare_veiligheid": (_("Openbare veiligheid"), _("AVG art. 23, lid 1, c.")),
        "rechtsvordering": (
            _("Een rechtszaak"),
            _("Wij moeten het bewaren voor een vordering. AVG art. 23, lid 1, j."),
        ),
        "geen_grond": (_("Geen grond om te weigeren"), _("De verzoeker krijgt wat hij vraagt, op een veilige manier.")),
    },
    "decisions": {
        "geldt": _("Geldt"),
        "geldt_deels": _("Geldt voor een deel"),
        "geldt_niet": _("Geldt niet"),
    },
    "breach_kinds": {
        "verkeerd_verstuurd": _("Iets ging naar de verkeerde"),
        "onbevoegd_gezien": _("Iemand zag iets dat niet mocht"),
        "verloren_of_gestolen": _("Iets is kwijt of gestolen"),
        "veranderd": _("Gegevens zijn veranderd"),
        "niet_beschikbaar": _("Gegevens waren niet beschikbaar"),
        "inbraak": _("Inbraak in het systeem"),
        "anders": _("Iets anders"),
    },
    "breach_persons": {
        "onbekend": _("Nog niet bekend"),
        "een": _("1 persoon"),
        "2_10": _("2 tot en met 10"),
        "11_100": _("11 tot en met 100"),
        "meer_dan_100": _("Meer dan 100"),
    },
    "breach_steps": {
        "beoordeeld": (_("Risico beoordeeld"), _("Voor de mensen om wie het gaat, niet voor ons.")),
        "gemeld_ap": (
            _("Gemeld bij de Autoriteit Persoonsgegevens"),
            _(
                "Binnen 72 uur. Alleen zonder risico hoeft het niet. Weet u nog niet alles? Meld toch, en vul later "
                "aan."
            ),
        ),
        "verteld": (_("Verteld aan de mensen om wie het gaat"), _("Bij een hoog risico moet dit, zo snel als kan.")),
        "hersteld": (_("Hersteld"), _("Wat doet u zodat het niet nog eens gebeurt?")),
    },
    "breach_ways": {
        "risico": _("Er is een risico"),
        "hoog_risico": _("Er is een hoog risico"),
        "geen_risico": _("Er is geen risico"),
        "gemeld": _("Ja, gemeld"),
        "niet_nodig": _("Niet nodig"),
        "verteld": _("Ja, verteld"),
        "later": _("Later, op verzoek van de politie"),
        "hersteld": _("Ja, hersteld"),
        "niet_te_herstellen": _("Niet te herstellen"),
    },
    "reasons": {
        "mijn_zaak": _("Het is mijn zaak"),
        "waarneming": _("Ik nam waar voor een collega"),
        "tweede_collega": _("Ik keek mee als tweede collega"),
        "coordinatie": _("Ik verdeelde het werk"),
        "vraag_van_melder": _("De melder vroeg iets"),
        "vergissing": _("Ik vergiste mij"),
        "anders": _("Iets anders"),
    },
    "judgements": {
        "in_orde": _("In orde"),
        "gesprek": _("Wij praten hierover"),
        "niet_in_orde": _("Niet in orde"),
    },
    "linking_grounds": {
        "algemeen_belang": _("Taak van algemeen belang (AVG art. 6, lid 1, e)"),
        "wettelijke_plicht": _("Wettelijke plicht (AVG art. 6, lid 1, c)"),
        "vitaal_belang": _("Vitaal belang van iemand (AVG art. 6, lid 1, d)"),
    },
}

# Beside those of the work; they stand in the same lists.
WATCH_TRAIL: Final[Words] = {
    "ijkpunt": _("IJkpunt gemaakt"),
    "reservekopie": _("Reservekopie gemaakt"),
    "teruggezet": _("Uit een reservekopie teruggezet; wat sindsdien verviel, is weer weggehaald"),
    "opengesteld": _("Na het terugzetten weer opengesteld"),
    "alarm": _("Alarm"),
    "alarm_afgehandeld": _("Alarm afgehandeld"),
    "logboek_bekeken": _("Logboek bekeken"),
    "logboek_opgehaald": _("Logboek opgehaald"),
    "verzoek_ontvangen": _("Verzoek van een betrokkene ontvangen"),
    "verzoek_identiteit": _("Identiteit van een verzoeker gezien"),
    "verzoek_verlengd": _("Termijn van een verzoek verlengd"),
    "verzoek_voorgesteld": _("Besluit op een verzoek voorgesteld"),
    "verzoek_besloten": _("Besluit op een verzoek bevestigd"),
    "verzoek_teruggezet": _("Besluit op een verzoek teruggezet"),
    "verzoek_beantwoord": _("Verzoek beantwoord"),
    "datalek_gevonden": _("Datalek gevonden"),
    "datalek_stap": _("Stap bij een datalek"),
    "datalek_afgerond": _("Datalek afgerond"),
    "steekproef_getrokken": _("Steekproef getrokken"),
    "steekproef_reden": _("Reden bij de steekproef gegeven"),
    "steekproef_beoordeeld": _("Opening uit de steekproef beoordeeld"),
    "koppelen_aan": _("Koppelen van zaken aangezet"),
    "koppelen_uit": _("Koppelen van zaken uitgezet"),
}
WATCH_REFUSALS: Final[Words] = {
    "alarm_weg": _("Dit alarm is al afgehandeld, of het is niet voor u. Kijk opnieuw naar de lijst."),
    "alarm_niet_van_u": _(
        "Dit alarm gaat over een collega. De auditor of de coördinator van een ander team kijkt ernaar."
    ),
    "alarm_notitie": _("Schrijf kort wat u deed, in hoogstens 300 tekens. Geen namen en niets uit een zaak."),
    "niet_uw_rol": _("Dit hoort niet bij uw taak. Vraag de functionaris gegevensbescherming."),
    "onbekende_keuze": _("Kies een antwoord uit de lijst."),
    "dag_kan_niet": _("Deze datum kan niet. Kies een dag in het afgelopen jaar, niet later dan vandaag."),
    "niet_gevonden": _("Dit bestaat niet, of niet meer. Kijk opnieuw naar de lijst."),
    "al_afgehandeld": _("Dit is al afgehandeld. Er is niets veranderd."),
    "al_gedaan": _("Dit was al gedaan. Er is niets veranderd."),
    "verlengen_kan_niet": _("Verlengen kan één keer, en alleen binnen de eerste maand."),
    "eerst_identiteit": _("Zie eerst wie dit vraagt. Daarna kunt u besluiten."),
    "tweede_persoon_verzoek": _("Een tweede persoon bevestigt dit besluit. U deed het voorstel zelf."),
    "eerst_besluit": _("Er is nog geen besluit dat twee personen namen. Kijk eerst naar elke grond."),
    "eerst_beoordelen": _("Beoordeel eerst hoe groot het risico is."),
    "melden_moet": _("Er is een risico. Dan moet u het melden bij de Autoriteit Persoonsgegevens."),
    "vertellen_moet": _("Er is een hoog risico. Dan moeten de mensen om wie het gaat het weten."),
    "geen_ijkpunt": _("Er is nog geen ijkpunt van na deze maand. De klok maakt het vannacht."),
    "reden_kort": _("Schrijf kort waarom, in hoogstens 300 tekens. Geen namen en niets uit de zaak."),
    "eerst_reden": _("Er is nog geen reden gegeven. Wacht daarop, of kies ‘Wij praten hierover’."),
    "doel_nodig": _("Schrijf waarvoor u dit nodig vindt, in 20 tot 600 tekens. Geen namen."),
    "koppelen_termijn": _(
        "Deze dagen kunnen niet. Het begin ligt vandaag of later, de herziening vóór het einde, en het duurt "
        "hoogstens een jaar."
    ),
    "koppelen_al_aan": _("Er geldt al een besluit. Zet dat eerst uit."),
}
