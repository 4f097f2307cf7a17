"""What the reporter's own side of a case is called: handing over, looking along, putting right, consent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _

from .words_report import Words

OWN_TRAIL: Final[Words] = {
    "overgenomen": _("Overgenomen door degene om wie het gaat"),
    "overdrachtscode": _("Code gemaakt om de melding over te nemen"),
    "code_ingetrokken": _("Code om over te nemen ingetrokken"),
    "code_vernieuwd": _("De melder nam een nieuwe code"),
    "meekijken_veranderd": _("De melder veranderde wie mag meekijken"),
    "meekijken_neergelegd": _("Wie voor de melder meldde, kijkt niet meer mee"),
    "verbeterd": _("De melder verbeterde gegevens"),
    "toestemming_veranderd": _("De melder veranderde de toestemming"),
    "contact_veranderd": _("De melder veranderde iets over contact"),
    "mailbericht_aan": _("De melder wil een mail bij een bericht"),
    "mailbericht_uit": _("De melder wil geen mail meer"),
    "doorgegeven": _("Doorgegeven aan iemand buiten het meldpunt"),
    "export_melder": _("De melder haalde alles op"),
}

OWN_REFUSALS: Final[Words] = {
    "niet_van_u": _("Dit kan alleen degene om wie de melding gaat."),
    "meekijken_kiezen": _("Kies of degene die voor u meldde, mag meekijken."),
    "meekijken_niet_ruimer": _("Meer laten zien kan niet. Minder kan altijd."),
    "geen_code_open": _("Er is geen code meer die open staat."),
    "code_onbekend": _(
        "Met deze code vinden wij geen melding. Kijk hem nog eens na: 27 tekens. Is de code al gebruikt, of ouder dan "
        "30 dagen? Vraag dan een nieuwe aan wie u de code gaf, of bel ons."
    ),
    "code_verlopen": _(
        "Deze code was 30 dagen geldig, en dat is voorbij. Vraag een nieuwe aan wie u de code gaf, of bel ons. "
        "De melding is er nog."
    ),
    "ontvangst_code_onbekend": _("Met deze code vinden wij geen melding. Kijk hem nog eens na: 27 tekens."),
    "al_overgenomen": _("De melding is al overgenomen. Een code om over te nemen is niet meer nodig."),
    "geen_adres": _("Dit is geen e-mailadres waar wij naar kunnen mailen. Kijk het nog eens na."),
    "aan_wie": _("Kies aan wie u dit doorgaf."),
    "reden_zonder_toestemming": _("De melder gaf hier geen toestemming voor. Schrijf waarom het toch moest."),
}

OWN_WORDS: Final[Mapping[str, Words]] = {
    # What somebody may see who looks along, as a choice of the official.
    "sees": {
        "nee": (_("Nee"), _("Alleen u kijkt. De ander ziet dat u de melding overnam, en verder niets.")),
        "voortgang": (_("Alleen de voortgang"), _("Welk team ermee bezig is en hoe ver. Niet wat er staat.")),
        "melding": (
            _("Alles, behalve adres, gezin en gewoonten"),
            _("De melding, de berichten en de bestanden, ook wat er nog komt."),
        ),
        "alles": (_("Alles"), _("Ook het adres, het gezin en de gewoonten. De ander mag ook berichten schrijven.")),
    },
    # The same, said of somebody, after "… ziet".
    "sees_shown": {
        "nee": _("niets"),
        "voortgang": _("alleen hoe ver de teams zijn, niet wat er staat"),
        "melding": _("de melding, de berichten en de bestanden; niet het adres, het gezin en de gewoonten"),
        "alles": _("de melding, de berichten, de bestanden, het adres, het gezin en de gewoonten"),
    },
    "passed_to": {
        "politie": _("Politie"),
        "organisatie": _("De eigen organisatie"),
        "platform": _("Het platform"),
        "anders": _("Iemand anders"),
    },
    "corrected": {
        "contact": _("Telefoon en contact"),
        "narrative": _("In eigen woorden"),
        "private": _("Adres, gezin en gewoonten"),
        "sharing": _("Wie het mag weten"),
    },
    "opening_functions": {
        "behandelaar": _("behandelaar"),
        "coordinator": _("coördinator"),
    },
}

OWN_MARKS: Final[Words] = {
    "geen_contact": _("Wil geen contact"),
    "onder_druk": _("Wordt onder druk gezet"),
    "overgenomen": _("Overgenomen door wie het gaat"),
}

# Steps that the reporter is shown, after "Laatste stap:".
OWN_STEPS: Final[Words] = {
    "overgenomen": _("de melding is overgenomen"),
    "overdrachtscode": _("er is een code gemaakt om de melding over te nemen"),
    "doorgegeven": _("wij gaven iets door aan iemand buiten het meldpunt"),
}
