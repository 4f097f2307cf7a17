"""What the codes of case keys and of giving a case to another team are called."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _

from .words_report import Words

CASEKEYS_TRAIL: Final[Words] = {
    "sleutel_vernieuwd": _("Nieuwe sleutel voor de zaak"),
    "opnieuw_ingepakt": _("Sleutel van de zaak opnieuw ingepakt"),
    "zaak_gedeeld": _("Gedeeld met een ander team"),
    "zaak_overgedragen": _("Overgedragen aan een ander team"),
    "urgentie_veranderd": _("Urgentie veranderd"),
}
CASEKEYS_OUTCOMES: Final[Words] = {"overgedragen": _("Overgedragen aan een ander team")}
CASEKEYS_GAPS: Final[Words] = {"case_epoch": _("de volgende sleutel van de zaak")}
CASEKEYS_REFUSALS: Final[Words] = {
    "welk_team": _("Kies een ander team dan uw eigen."),
    "team_niet_gereed": _("Dit team kan nu geen zaken krijgen: de sleutel is niet klaar. Vraag de beheerder."),
    "team_heeft_zaak_al": _("Dit team heeft de zaak al. Bent u klaar? Sluit dan uw eigen deel af."),
    "team_ziet_zaak_niet": _("De melder wil niet dat de mensen van dit team de zaak zien. Kies een ander team."),
    "adres_zonder_team": _(
        "Dan zou geen enkel team het adres meer kunnen openen: dit team krijgt geen adressen. Deel de zaak. Uw team "
        "houdt dan het adres."
    ),
    "spoor_veranderd": _(
        "Iets van dat team op deze zaak is veranderd buiten het programma om. Er is niets gegeven. Bel de beheerder."
    ),
    "zelfde_urgentie": _("De zaak heeft deze urgentie al."),
    "acuut_alleen_coordinator": _("Alleen de coördinator kan een acute zaak minder dringend maken."),
}
