"""What the codes of people and keys are called: admission, leaving, next keys, being away."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _

from .words_report import Words

PEOPLE_WORDS: Final[dict[str, Words]] = {
    "key_kinds": {
        "team": _("Sleutel van een team"),
        "stats": _("Sleutel van de statistiek"),
        "link": _("Sleutel om kenmerken te vergelijken"),
        "recovery": _("Herstelsleutel van de bewaarders"),
        "backup": _("Sleutel van de back-ups"),
        "custodian": _("Sleutel van een bewaarder"),
    },
}
PEOPLE_TRAIL: Final[Words] = {
    "toelating_voorgesteld": _("Toelating voorgesteld, na vergelijken"),
    "toegelaten": _("Toegelaten tot het team"),
    "toegelaten_alleen": _("Toegelaten tot het team, door één persoon"),
    "toelating_ingetrokken": _("Voorstel tot toelating ingetrokken"),
    "sleutels_vergeleken": _("Sleutels vergeleken en vastgelegd"),
    "nieuwe_sleutel": _("Nieuwe sleutel gemaakt"),
    "sleutel_vastgelegd": _("Sleutel vastgelegd"),
    "sleutel_vernietigd": _("Oude sleutel vernietigd"),
    "cijfers_herverzegeld": _("Cijfers opnieuw verzegeld"),
    "vertrek_voorgesteld": _("Vertrek of andere rollen voorgesteld"),
    "vertrek_afgeblazen": _("Vertrek of andere rollen afgeblazen"),
    "uitgeschakeld": _("Account uitgeschakeld"),
    "uitgeschakeld_alleen": _("Account uitgeschakeld, door één persoon"),
    "rollen_veranderd": _("Rollen veranderd"),
    "rollen_veranderd_alleen": _("Rollen veranderd, door één persoon"),
    "melderaccount_uit": _("Een account van een melder uitgeschakeld"),
    "melderaccount_aan": _("Een account van een melder weer aangezet"),
    "afwezig": _("Afwezigheid genoteerd"),
    "niet_afwezig": _("Afwezigheid weggehaald"),
}
PEOPLE_ALARMS: Final[Words] = {
    "toelating_ondergeschoven": (
        _("Er ligt een voorstel tot toelating dat niet van een collega komt"),
        _("Er is niemand toegelaten. Iemand schreef in de database: behandel dit als een inbraak."),
    ),
    "vertrek_alleen": (
        _("Een beheerder schakelde alleen iemand uit"),
        _(
            "Daarna hebben minder dan twee mensen de sleutel van een team, en niemand bevestigde het. Vraag de "
            "beheerder waarom. Klopt het niet? Nodig deze persoon opnieuw uit en laat een collega toelaten."
        ),
    ),
    "ledenlijst_gewijzigd": (
        _("De ledenlijst van een team is veranderd buiten het programma om"),
        _("Maak nu geen nieuwe sleutel. Laat de beheerder ‘meldpunt audit verify’ draaien: dat noemt het nummer."),
    ),
}
PEOPLE_REFUSALS: Final[Words] = {
    "kan_niet_toelaten": _("Deze persoon kunt u niet toelaten: het account is niet klaar, of het is uw eigen."),
    "al_toegelaten": _("Deze persoon heeft de sleutel al."),
    "geen_sleutel": _("U hebt de sleutel van dit team niet, of hij is nog niet vastgelegd."),
    "geen_voorstel_toelating": _("Er is geen voorstel meer. Misschien was een collega u voor. Vergelijk opnieuw."),
    "tweede_toelater": _("U kunt dit niet goedkeuren. De coördinator doet dat, en nooit wie heeft vergeleken."),
    "voorstel_klopt_niet": _("Dit voorstel klopt niet met het logboek. Er is niets gegeven. De beheerder weet het."),
    "eerst_vastleggen": _(
        "Er wacht een nieuwe sleutel op vastleggen. Vraag de beheerder dat eerst te doen en laat dan toe."
    ),
    "eerst_sleutels_vergelijken": _(
        "Er is een sleutel die u nog niet hebt vergeleken. Doe dat eerst, bij „Uw sleutels”."
    ),
    "eerst_collega_vergelijken": _("Vergelijk eerst de vingerafdruk van elke collega die de sleutel krijgt."),
    "sleutels_veranderd": _(
        "De sleutels op de server zijn veranderd terwijl u belde. Kijk naar de nieuwe groepjes en vergelijk opnieuw."
    ),
    "pin_klopt_niet": _(
        "Een sleutel op de server is een andere dan u kende. Er is niets gedaan. De beheerder weet het."
    ),
    "ledenlijst_klopt_niet": _("De ledenlijst van het team klopt niet. Er is niets gedaan. De beheerder weet het."),
    "vingerafdruk_klopt_niet": _(
        "De sleutel van een collega is een andere dan op de ledenlijst. Er is niets gedaan. De beheerder weet het."
    ),
    "sleutel_was_er_al": _("Een collega heeft net een nieuwe sleutel gemaakt. Kijk opnieuw hoe het ervoor staat."),
    "alleen_beheerder": _("Alleen een beheerder kan dit doen."),
    "niet_zichzelf": _("Uw eigen account verandert een andere beheerder."),
    "al_uitgeschakeld": _("Dit account is al uitgeschakeld."),
    "rollen_intussen": _("Iemand anders heeft de rollen net veranderd. Kijk opnieuw."),
    "zonder_rol": _("Kies ten minste één rol. Werkt deze persoon hier niet meer? Schakel het account uit."),
    "niets_veranderd": _("U hebt geen rol veranderd."),
    "geen_medewerker": _("Dit is geen account van een medewerker."),
    "geen_voorstel_vertrek": _("Er wacht niets meer. Misschien was iemand u voor."),
    "tweede_persoon_vertrek": _("Een ander moet dit bevestigen: een beheerder of de coördinator van het team."),
    "geen_account": _("Er is geen account met precies deze inlognaam."),
    "afwezig_periode": _("Deze dagen kunnen niet. De laatste dag komt na de eerste, en langer dan een jaar kan niet."),
    "al_afwezig": _("In deze dagen staat u al als afwezig. Haal dat eerst weg."),
    "niet_afwezig": _("Deze afwezigheid is al weg, of is niet van u."),
    "onleesbaar_nu": _("Deze zaak kunnen wij nu niet openen. De zaak is niet weg, en de herinneringen gaan door."),
}
