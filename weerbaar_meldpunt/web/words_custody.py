"""What the codes of custodians, of bringing a team back and of the emergency list are called."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _

from .words_report import Words

CUSTODY_TRAIL: Final[Words] = {
    "bewaarder_uitgenodigd": _("Bewaarder uitgenodigd"),
    "bewaarder_heeft_sleutel": _("Bewaarder maakte een code"),
    "bewaarder_vertrokken": _("Bewaarder vertrokken"),
    "herstelsleutel_gemaakt": _("Sleutel van de bewaarders gemaakt"),
    "backupsleutel_gemaakt": _("Sleutel van de reservekopieën gemaakt"),
    "sleutel_weggegooid": _("Onbekende sleutel weggegooid"),
    "aan_console_vastgelegd": _("Sleutel vastgelegd op de server"),
    "herstel_toegekend": _("Sleutel van het team aan de bewaarders toevertrouwd"),
    "herstel_opgeruimd": _("Oude sleutel van de bewaarders vernietigd"),
    "team_hersteld": _("Twee bewaarders brachten het team terug"),
    "noodlijst_geopend": _("Noodlijst geopend"),
    "noodlijst_bijgewerkt": _("Noodlijst bijgewerkt"),
    "noodlijst_aangevuld": _("Op de noodlijst gezet"),
}
CUSTODY_REFUSALS: Final[Words] = {
    "link_gebruikt": _("Deze link is al gebruikt. Vraag de beheerder om een nieuwe."),
    "bewaarder_gegevens": _("Vul een naam in, en een e-mailadres of niets."),
    "drie_bewaarders": _("Er zijn al drie bewaarders."),
    "geen_bewaarder": _("Deze bewaarder is er niet meer."),
    "bewaarder_vastgelegd": _("De sleutel van deze bewaarder is al vastgelegd."),
    "bewaarders_niet_compleet": _("Er zijn nog geen drie bewaarders met een vastgelegde sleutel."),
    "beheerder_actief": _("Er is al een beheerder die kan inloggen."),
}
CUSTODY_ALARMS: Final[Words] = {
    "team_niet_gereed": (
        _("Een team kan geen meldingen krijgen"),
        _(
            "Er zijn te weinig mensen met de sleutel, of de bewaarders kunnen dit team niet terugbrengen. Zaken gaan "
            "zolang naar het Ondersteuningsteam. Laat de beheerder ‘meldpunt doctor’ draaien: die zegt wat er mist."
        ),
    ),
    "noodlijst_beschadigd": (
        _("Iets op de noodlijst komt niet van ons"),
        _("Bel niemand op grond van die regel. Iemand schreef in de database: behandel dit als een inbraak."),
    ),
    "noodlijst_geopend": (
        _("Twee bewaarders openden de noodlijst op de server"),
        _("Wist u hiervan? Dan is het goed. Zo niet: bel de bewaarders meteen."),
    ),
}
