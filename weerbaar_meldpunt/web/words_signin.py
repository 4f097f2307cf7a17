"""Words of the door: what changed about how somebody signs in, why it could not, and what alarmed."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _

SIGNIN_TRAIL: Final = {
    "wachtwoord_veranderd": _("Wachtwoord veranderd"),
    "sleutel_vernieuwd": _("Wachtwoord, sleutel en herstelcode vernieuwd"),
    "app_vervangen": _("App voor codes vervangen"),
    "codes_gemaakt": _("Codes op papier gemaakt"),
    "passkey_gemaakt": _("Passkey gemaakt"),
    "passkey_weg": _("Passkey weggehaald"),
}
SIGNIN_REFUSALS: Final = {
    "wachtwoord_al_veranderd": _("Uw wachtwoord is intussen al veranderd. Log opnieuw in en kijk of dat klopt."),
    "passkey_mislukt": _("Het lukte niet om deze passkey te maken. Probeer het nog een keer."),
    "passkeys_vol": _("U hebt al tien passkeys. Haal er eerst een weg."),
}
SIGNIN_ALARMS: Final = {
    "passkey_dubbel": (
        _("Van een passkey bestaat misschien een kopie"),
        _(
            "Zijn teller liep terug. Het programma gebruikt hem niet meer. Vraag deze persoon om hem weg te halen, "
            "en om te bedenken wie erbij kon."
        ),
    ),
}
