"""The fields of the report form: which kind of answer each takes, and what it is called in a summary.

A field's name is the key of the report format (`incident.kinds`). Names that begin with an underscore are questions of
the form only: they help to ask, and stand in no report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

# What a person may type in one field; more is a file.
LONG_TEXT: Final = 200_000
SHORT_TEXT: Final = 2_000
# What comes in rows or choices is shown one by one, so its number is what a page costs. Rows above it go to the story.
MOST_ROWS: Final = {"hours": 20, "links": 2_000}
MOST_CHOICES: Final = 100


_PARTS: Final = {"when": ("_date", "_time"), "hours": ("_from", "_to"), "links": ("_url", "_date", "_time")}


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `kind` says how it is read and shown; `words` is the list its codes are named in."""

    name: str
    kind: str
    title: LazyString
    words: str = ""

    @property
    def posted(self) -> tuple[str, ...]:
        """The names under which a form sends it. Those of `hours` and `links` come several times, in rows."""
        return tuple(self.name + part for part in _PARTS.get(self.kind, ("",)))

    @property
    def several(self) -> bool:
        """Whether each of its names may come more than once."""
        return self.kind in ("codes", "free_codes", "hours", "links")


def _fields(*rows: Field) -> Mapping[str, Field]:
    return {row.name: row for row in rows}


# Kinds: code, codes (of `words`), free_codes (codes of `words` and others), flag (a tick), yes_no (three ways: yes, no,
# not said), day, when (a day, perhaps with a time), count, short, long, lines (one a line), hours, links, organisation.
FIELDS: Final = _fields(
    Field("reporter.relation", "code", _("Voor wie meldt u?"), "relations"),
    Field("reporter.consent", "code", _("Weet de ander ervan?"), "consents"),
    Field("target.role", "code", _("Functie"), "roles"),
    Field("target.other_roles", "codes", _("Andere functies"), "roles"),
    Field("target.organisation", "organisation", _("Organisatie")),
    Field("target.organisation_type", "code", _("Soort organisatie"), "organisation_types"),
    Field("target.term_start", "day", _("Begin van het ambt")),
    Field("target.term_end", "day", _("Einde van het ambt")),
    Field("target.appointment_certain", "flag", _("Benoemd als bestuurder, nog niet begonnen")),
    Field("target.gender", "code", _("Geslacht"), "genders"),
    Field("target.group", "code", _("Gericht tegen een groep"), "groups"),
    Field("target.home_outside_area", "flag", _("Woont buiten het eigen gebied")),
    Field("incident.kinds", "codes", _("Wat er gebeurde"), "kinds"),
    Field("incident.channels", "codes", _("Hoe het gebeurde"), "channels"),
    Field("incident.platforms", "free_codes", _("Waar online"), "platforms"),
    Field("incident.offender", "code", _("Van wie het kwam"), "offenders"),
    Field("incident.occurred_at", "when", _("Wanneer het gebeurde")),
    Field("incident.happening_now", "flag", _("Het is nu bezig")),
    Field("incident.concrete_threat", "flag", _("Iemand zegt dat er iets ergs gaat gebeuren")),
    Field("incident.weapon", "flag", _("Er was een wapen, of iemand noemde een wapen")),
    Field("incident.address_exposed", "flag", _("Het adres is bekend of gedeeld")),
    Field("incident.family_involved", "flag", _("Gezin of familie is genoemd, benaderd of geraakt")),
    Field("incident.repeated", "flag", _("Het is vaker gebeurd")),
    Field("incident.earlier_cases", "count", _("Eerdere keren van dezelfde persoon")),
    Field("incident.moment_announced", "flag", _("Er is een dag, tijd of gelegenheid genoemd")),
    Field("incident.announced_for", "when", _("Het genoemde moment")),
    Field("incident.life_in_danger_self", "flag", _("Denkt aan zelfdoding")),
    Field("incident.order_breached", "flag", _("Iemand hield zich niet aan een contactverbod of gebiedsverbod")),
    Field("incident.damage", "flag", _("Er is schade")),
    Field("incident.message_count", "count", _("Aantal berichten")),
    Field("incident.language", "free_code", _("Taal van de berichten"), "evidence_languages"),
    Field("incident.reported_elsewhere_on", "day", _("Eerder gemeld op")),
    Field("incident.answered_elsewhere", "yes_no", _("Reactie op die eerdere melding")),
    Field("legal.kind", "code", _("Juridische druk"), "legal_kinds"),
    Field("legal.side", "code", _("Wie begon"), "legal_sides"),
    Field("legal._decided", "yes_no", _("Is er al een uitspraak?")),
    Field("legal.event_on", "day", _("Dag van de uitspraak of het besluit")),
    Field("legal.document_on", "day", _("Datum op het stuk")),
    Field("legal.received_on", "day", _("Dag waarop u het stuk kreeg")),
    Field("legal.act_before", "day", _("Uiterste dag die op het stuk staat")),
    Field("legal.said_in_meeting", "flag", _("Het gaat om woorden in een openbare vergadering")),
    Field("conflict", "codes", _("Wie dit niet mag weten"), "conflicts"),
    Field("barred_member", "short", _("Wie van ons team het niet mag zien")),
    Field("_sharing", "codes", _("Wie het wel mag weten"), "sharing"),
    Field("_sharing_via", "short", _("Via wie in uw organisatie")),
    Field("request.support", "yes_no", _("Hulp van het Ondersteuningsteam")),
    Field("request.security_measures", "flag", _("Praten over veiligheid in en om het huis")),
    Field("request.legal_support", "flag", _("Hulp bij juridische druk")),
    Field("preventive", "flag", _("Er is nog niets gebeurd")),
    Field("narrative", "long", _("In uw eigen woorden")),
    Field("_rather_tell", "flag", _("Ik vertel het liever")),
    Field("contact.name", "short", _("Hoe wij u mogen noemen")),
    Field("contact.telephone", "short", _("Telefoonnummer")),
    Field("contact.mail", "short", _("E-mailadres")),
    Field("contact.safe_hours", "hours", _("Veilig om te bellen")),
    Field("contact.night_call", "yes_no", _("'s Nachts bellen")),
    Field("contact.channel", "code", _("Bellen of schrijven"), "contact_channels"),
    Field("contact.language", "code", _("Taal"), "contact_languages"),
    Field("private.home_address", "long", _("Woonadres")),
    Field("private.family", "long", _("Gezin")),
    Field("private.movements", "long", _("Vaste gewoonten")),
    Field("offender_known_as", "lines", _("Namen, accounts of nummers van wie het deed")),
    Field("links", "links", _("Links")),
)
