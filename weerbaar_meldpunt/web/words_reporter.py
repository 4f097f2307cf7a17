"""What the work on a case is called to the reporter, and the lists that only the form has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _

from .words_report import Words

REPORTER_WORDS: Final[Mapping[str, Words]] = {
    # Whom the reporter allows us to tell. No field of the report format: it is kept beside the report.
    "sharing": {
        "politie": _("Politie"),
        "organisatie": _("Uw eigen organisatie"),
        "platform": _("Het platform waarop het staat"),
        "niemand": _("Niemand, ik wil eerst praten"),
    },
    "evidence_languages": {
        "nl": _("Nederlands"),
        "en": _("Engels"),
        "fy": _("Fries"),
        "pap": _("Papiaments"),
        "anders": _("Een andere taal"),
    },
    # A step that was made, after "Laatste stap:".
    "trail_melder": {
        "ingediend": _("uw melding kwam binnen"),
        "genomen": _("iemand heeft uw melding opgepakt"),
        "gesproken": _("wij spraken u"),
        "geen_gehoor": _("wij belden u en kregen geen gehoor"),
        "bericht_melder": _("u schreef ons"),
        "bericht_team": _("wij schreven u"),
        "wacht": _("wij wachten op iets of iemand"),
        "verder": _("wij gingen verder"),
        "afgerond": _("wij sloten uw melding af"),
        "heropend": _("wij openden uw melding weer"),
    },
    # What comes next, after "Volgende stap:".
    "due_kinds_melder": {
        "eerste_contact": _("wij nemen contact met u op"),
        "poging": _("wij bellen u opnieuw"),
        "opvolging": _("u hoort van ons"),
        "wacht_op_melder": _("wij vragen u hoe het gaat"),
        "wacht_op_derde": _("wij vragen na hoe het staat"),
        "nazorg_72u": _("wij vragen hoe het met u gaat"),
        "nazorg_2w": _("wij vragen hoe het met u gaat"),
        "nazorg_6w": _("wij vragen hoe het met u gaat"),
        "enquete": _("wij vragen hoe u geholpen bent"),
    },
    # For whom it is waited, after "Wij wachten op".
    "awaited_melder": {
        "melder": _("u"),
        "politie": _("de politie"),
        "ccv": _("het gesprek met een veiligheidsadviseur"),
        "bva": _("het advies over veiligheid"),
        "organisatie": _("uw organisatie"),
        "levering": _("de levering van maatregelen"),
        "platform": _("het platform"),
        "rechter": _("de rechter"),
        "anders": _("iemand anders"),
    },
    "opened_melder": {
        "geopend": _("de melding"),
        "geopend_veilig": _("adres, gezin en gewoonten"),
        "geopend_bestand": _("een bestand"),
    },
}
