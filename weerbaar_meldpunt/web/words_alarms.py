"""What each alarm is called, what it means and what to do: who reads it may never have seen one."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _

from .words_report import Words

ALARM_WORDS: Final[Words] = {
    "trail_klopt_niet": (
        _("Het logboek klopt niet"),
        _(
            "Iets in de database is veranderd buiten het programma om, of een deel is weg. Verander nu niets. Maak "
            "een kopie van de server, en laat de beheerder ‘meldpunt audit verify’ draaien. Bewaar wat er staat. Denk "
            "aan een datalek: de 72 uur lopen vanaf nu."
        ),
    ),
    "controle_mislukt": (
        _("De controle van het logboek lukte niet"),
        _(
            "De nachtelijke controle kwam niet tot het einde. Vraag de beheerder om ‘meldpunt doctor’ te draaien, en "
            "daarna ‘meldpunt audit verify’."
        ),
    ),
    "veel_geopend": (
        _("Een collega opende veel"),
        _(
            "Iemand opende in korte tijd meer dan bij het werk past. Dat kan kloppen: een inhaalslag, of een "
            "controle. Vraag het deze collega, vandaag. Klopt het niet? Laat de beheerder het account uitschakelen, "
            "en meld een datalek."
        ),
    ),
    "rij_gewijzigd": (
        _("Een stuk van een zaak is veranderd buiten het programma om"),
        _(
            "Het team ziet op die plek een lege regel, met een streep. Er is niets getoond dat niet klopt. Laat de "
            "beheerder ‘meldpunt audit verify’ draaien: dat noemt het nummer. Zet een kopie van vóór de verandering "
            "terug als dat kan."
        ),
    ),
    "pin_gewijzigd": (
        _("Het bestand met sleutels is veranderd"),
        _(
            "Bij het inloggen zag een collega een andere sleutel dan eerst. Was dit geen nieuwe sleutel van een team? "
            "Laat dan niemand meer inloggen. Bel de beheerder en vergelijk de sleutels via de telefoon."
        ),
    ),
    "teamsleutel_ondergeschoven": (
        _("Er ligt een toelating die niet van een collega komt"),
        _(
            "In de database staat een sleutel voor een collega, die niet bij het team past. Het programma gebruikt "
            "hem niet. Iemand schreef in de database: behandel dit als een inbraak."
        ),
    ),
    "onbekende_sleutel": (
        _("Er ligt een sleutel die niemand kent"),
        _("Het programma gebruikt hem niet. Vergelijk de sleutels met de bewaarders, en bel de beheerder."),
    ),
    "opvolger_ondergeschoven": (
        _("Er ligt een nieuwe sleutel die niemand van het team maakte"),
        _("Het programma gebruikt hem niet. Behandel dit als een inbraak in de database."),
    ),
    "herstel_afwijkend": (
        _("De sleutel van de bewaarders is niet wat hij was"),
        _("Vergelijk de sleutel met het papier van elke bewaarder. Maak nu geen nieuwe teamsleutel."),
    ),
    "herstel_beschadigd": (
        _("De bewaarders kunnen een team niet terugbrengen"),
        _("Iets dat bij het herstellen hoort, opent niet. Laat iemand van het team dit opnieuw maken."),
    ),
    "team_niet_gereed": (
        _("De bewaarders kunnen een team nog niet terugbrengen"),
        _("Vraag iemand van dit team om in te loggen: dan wordt het gemaakt. Tot dan is er geen weg terug."),
    ),
    "team_hersteld": (
        _("Twee bewaarders brachten een team terug"),
        _("Wist u hiervan? Dan is het goed. Zo niet: bel de bewaarders meteen, en laat niemand inloggen."),
    ),
    "nieuwe_sleutel_te_laat": (
        _("Een team moet een nieuwe sleutel maken"),
        _(
            "Er ging iemand weg uit dit team. Zolang er geen nieuwe sleutel is, past de oude nog op nieuwe zaken. "
            "Vraag de coördinator om dit vandaag te doen."
        ),
    ),
    "toegelaten_alleen": (
        _("Eén persoon liet iemand alleen toe tot een team"),
        _(
            "Niemand anders van het team had de sleutel nog. Vraag het na bij de coördinator, en bij wie is toegelaten."
            " Klopt het niet? Schakel het account uit en laat het team een nieuwe sleutel maken."
        ),
    ),
    "vertrek_dun_team": (
        _("Een team heeft nog maar één of geen persoon met de sleutel"),
        _(
            "Iemand ging weg of kreeg een andere rol, en een tweede persoon bevestigde dat. Vraag het na bij het team."
            " Laat vandaag een nieuw teamlid toe."
        ),
    ),
    "sleutelrij_ontbreekt": (
        _("De sleutel van een team staat niet meer in de database"),
        _(
            "Iemand haalde of veranderde de rij van een vastgelegde sleutel. Nieuwe meldingen gaan nu naar een ander"
            " team. Zet de rij terug uit de reservekopie, en zoek uit wie in de database kon schrijven."
        ),
    ),
    "koppelsleutel_niet_vernieuwd": (
        _("De sleutel om kenmerken te vergelijken is niet vernieuwd"),
        _(
            "Een team maakte een nieuwe sleutel, en wie dat deed, had deze sleutel niet. Wie wegging, kent hem nog."
            " Laat een teamlid dat hem heeft, de sleutel van het team nog eens vernieuwen. Of zet het vergelijken uit."
        ),
    ),
    "enige_met_sleutel": (
        _("Nog maar één persoon heeft de sleutel van een team"),
        _("Is die persoon weg, dan opent niemand de zaken meer. Laat vandaag een collega toe."),
    ),
    "passkey_onbekend": (
        _("Er ligt een passkey die niet van de eigenaar komt"),
        _("Het programma gebruikt hem niet. Vraag deze persoon om de lijst met passkeys na te kijken."),
    ),
    "weinig_ruimte": (
        _("De schijf van de server raakt vol"),
        _(
            "Nieuwe bestanden worden geweigerd, en straks ook nieuwe meldingen. Lezen gaat door. Laat de beheerder "
            "vandaag ruimte maken of de schijf vergroten."
        ),
    ),
    "klok_sprong": (
        _("De klok van de server versprong"),
        _(
            "Termijnen lopen door op de laatste tijd die wij kenden. Er wordt een dag lang niets gewist. Laat de "
            "beheerder de tijd van de server nakijken."
        ),
    ),
    "datalek_te_laat": (
        _("Een datalek is na 72 uur niet gemeld"),
        _(
            "Meld het nu bij de Autoriteit Persoonsgegevens, met de reden waarom het later is. Zet het daarna in het "
            "register."
        ),
    ),
    "vingerafdruk_gewijzigd": (
        _("De sleutel van een collega is een andere dan eerst"),
        _(
            "Een collega vergeleek deze sleutel ooit via de telefoon. Nu staat er een andere. Kreeg deze collega een "
            "nieuwe sleutel? Bel en vergelijk opnieuw. Zo niet: behandel dit als een inbraak."
        ),
    ),
    "noodlijst_beschadigd": (
        _("Een regel van de noodlijst opent niet"),
        _(
            "Bij een storing mist dan iemand op de lijst. Open die zaak, en kijk of de gegevens er staan. Vraag de "
            "beheerder om ‘meldpunt audit verify’ te draaien."
        ),
    ),
    "vernietiging_gestopt": (
        _("Vernietigen is gestopt"),
        _(
            "Iets aan het voorstel klopte niet met het logboek. Er is niets gewist. Laat een andere coördinator het "
            "voorstel nakijken."
        ),
    ),
}
