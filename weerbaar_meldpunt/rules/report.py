"""A report: what happened to whom, in one vocabulary for form, JSON intake, rules, figures and tests (version 1).

Nothing is required but the format: whoever is in danger must get through with an empty report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from . import vocabulary as codes
from .faults import Fault, ReportFaults, faults_of
from .organisations import organisation
from .reading import parse_text
from .values import Day, Moment, MomentOrDay, OneOf, Several, Shape, Text, moment_in

__all__ = ["Report", "ReportFaults", "parse_report", "parse_text"]

FORMAT: Final = 1

Role = Annotated[str, OneOf(codes.ROLES)]
Kind = Annotated[str, OneOf(codes.KINDS)]
Channel = Annotated[str, OneOf(codes.CHANNELS)]
Conflict = Annotated[str, OneOf(codes.CONFLICTS)]
FreeCode = Annotated[
    str, Shape(r"^[a-z0-9][a-z0-9_.-]{0,39}$", "a lower-case code is asked (a-z, 0-9, at most 40 characters)")
]
ClockTime = Annotated[str, Shape(r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", 'a time of day is asked ("09:00")')]
Count = Annotated[int, Field(ge=0, le=999_999_999)]


class Part(BaseModel):
    """What every part of a report owes: strict types, unknown keys refused, no value ever in an error."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, validate_by_alias=True,
        serialize_by_alias=True,
    )  # fmt: skip

    @model_validator(mode="before")
    @classmethod
    def _null_is_left_out(cls, data: Any) -> Any:
        """Null means the default, whatever that is; the null of an unknown key is still an unknown key."""
        if not isinstance(data, dict) or None not in data.values():
            return data
        known = cls.keys()
        return {key: value for key, value in data.items() if value is not None or key not in known}

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys as they stand in a document."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


class Reporter(Part):
    """Who reports, and whether the official agreed."""

    relation: Annotated[str, OneOf(codes.RELATIONS)] = "zelf"
    consent: Annotated[str, OneOf(codes.CONSENTS)] = "nvt"


class Target(Part):
    """The official it is about: the office in which it happened."""

    role: Role = "onbekend"
    other_roles: Several[Role] = ()
    organisation: str | None = None
    organisation_type: Annotated[str, OneOf(codes.ORGANISATION_TYPES)] = Field(
        default="onbekend", validate_default=True
    )
    term_start: Day | None = None
    term_end: Day | None = None
    appointment_certain: bool = False
    gender: Annotated[str, OneOf(codes.GENDERS)] | None = None
    group: Annotated[str, OneOf(codes.GROUPS)] | None = None
    home_outside_area: bool = False

    @field_validator("organisation")
    @classmethod
    def _known(cls, code: str | None) -> str | None:
        if code is not None and organisation(code) is None:
            raise PydanticCustomError(
                "unknown_code", "unknown code; the known ones are the codes of organisaties.csv (GM0034, PV20 …)"
            )
        return code

    @field_validator("organisation_type")
    @classmethod
    def _agrees(cls, kind: str, info: ValidationInfo) -> str:
        """Derived from the organisation when that is given."""
        code = info.data.get("organisation")
        known = organisation(code) if code else None
        if known is None or kind == known.kind:
            return kind
        if kind == "onbekend":
            return known.kind
        raise PydanticCustomError(
            "organisation_type", "does not agree with the organisation, which is a {kind}", {"kind": known.kind}
        )


class Incident(Part):
    """What happened."""

    kinds: Several[Kind] = ()
    channels: Several[Channel] = ()
    platforms: Several[FreeCode] = ()
    offender: Annotated[str, OneOf(codes.OFFENDERS)] = "onbekend"
    occurred_at: MomentOrDay | None = None
    happening_now: bool = False
    concrete_threat: bool = False
    weapon: bool = False
    address_exposed: bool = False
    family_involved: bool = False
    repeated: bool = False
    earlier_cases: Count = 0
    moment_announced: bool = False
    announced_for: MomentOrDay | None = None
    life_in_danger_self: bool = False
    order_breached: bool = False
    damage: bool = False
    message_count: Count = 1
    language: FreeCode = "nl"
    reported_elsewhere_on: Day | None = None
    answered_elsewhere: bool = True


class Legal(Part):
    """The legal pressure, from the papers."""

    kind: Annotated[str, OneOf(codes.LEGAL_KINDS)] = "anders"
    side: Annotated[str, OneOf(codes.LEGAL_SIDES)] = "onbekend"
    event_on: Day | None = None
    document_on: Day | None = None
    received_on: Day | None = None
    act_before: Day | None = None
    said_in_meeting: bool = False


class Request(Part):
    """What the reporter asks for. `support` false is an explicit no."""

    security_measures: bool = False
    support: bool = True
    legal_support: bool = False


class SafeHours(Part):
    """Hours in which a call is safe."""

    start: ClockTime | None = Field(default=None, alias="from")
    to: ClockTime | None = None


class Contact(Part):
    """How to reach the reporter; never read by the rules."""

    name: Text | None = None
    telephone: Text | None = None
    mail: Text | None = None
    safe_hours: Several[SafeHours] = ()
    night_call: bool | None = None
    channel: Annotated[str, OneOf(codes.CONTACT_CHANNELS)] | None = None
    language: Annotated[str, OneOf(codes.CONTACT_LANGUAGES)] = "nl"


class Private(Part):
    """What only compartment "veilig" holds; never read by the rules."""

    home_address: Text | None = None
    family: Text | None = None
    movements: Text | None = None


class Link(Part):
    """A post or page, and when it was seen."""

    url: Text | None = None
    seen_at: Moment | None = None


class Report(Part):
    """A whole report. Its free text and contact details are left out of `repr`, so no log or trace shows them."""

    format: Literal[1]
    received_at: Moment | None = None
    intake: Annotated[str, OneOf(codes.INTAKES)] = "web"
    reporter: Reporter = Reporter()
    target: Target = Target()
    incident: Incident = Incident()
    legal: Legal | None = None
    conflict: Several[Conflict] = ()
    barred_member: Text | None = Field(default=None, repr=False)
    request: Request = Request()
    preventive: bool = False
    lawful_criticism_only: bool = False
    narrative: Text = Field(default="", repr=False)
    contact: Contact = Field(default=Contact(), repr=False)
    private: Private = Field(default=Private(), repr=False)
    offender_known_as: Several[Text] = Field(default=(), repr=False)
    links: Several[Link] = Field(default=(), repr=False)

    def as_document(self) -> dict[str, Any]:
        """The report as JSON can carry it, every key written out; parsing it again gives an equal report."""
        return self.model_dump(mode="json")

    @classmethod
    def from_document(cls, document: object) -> Self:
        """A report that was accepted earlier, read back from its case; `ReportFaults` if it is none."""
        _check_format(document)
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            faults = faults_of(error, _known_keys)
        raise ReportFaults(faults)


def parse_report(document: object, *, now: datetime, allow_triage: bool = False) -> Report:
    """A document from outside as a report; `ReportFaults` names every fault by its key, never by what was written.

    `allow_triage` is for workers: they alone may say that there is nothing but lawful criticism.
    """
    report, faults = None, list[Fault]()
    try:
        report = Report.from_document(document)
    except ReportFaults as refused:
        faults += refused.faults
    if isinstance(document, dict):
        faults += _faults_of_intake(document, now=now, allow_triage=allow_triage)
    if report is None or faults:
        raise ReportFaults(faults) from None
    return report


def _faults_of_intake(document: dict[Any, Any], *, now: datetime, allow_triage: bool) -> Iterator[Fault]:
    """What depends on the moment and on who sends it; told together with the faults of the document itself."""
    received, intake = moment_in(document.get("received_at")), document.get("intake")
    if received is not None:
        if received > now:
            yield Fault("received_at", "lies in the future")
        elif received < now and intake not in codes.LATE_INTAKES:
            yield Fault("received_at", "an earlier moment is for the intakes telefoon and papier")
    if document.get("lawful_criticism_only") is True and not allow_triage:
        yield Fault("lawful_criticism_only", "is set by a worker at triage only")


def _check_format(document: object) -> None:
    """Before anything else: a document of another format would only give misleading faults."""
    if not isinstance(document, dict):
        raise ReportFaults([Fault("", "an object is asked")])
    given = document.get("format")
    if given is None:
        raise ReportFaults([Fault("format", "is required; the known format is 1")])
    if type(given) is not int or given != FORMAT:
        raise ReportFaults([Fault("format", "unknown format; the known format is 1")])


_PARTS: Final[dict[str, type[Part]]] = {
    "reporter": Reporter, "target": Target, "incident": Incident, "legal": Legal, "request": Request,
    "contact": Contact, "private": Private, "links": Link, "safe_hours": SafeHours,
}  # fmt: skip


def _known_keys(path: tuple[Any, ...]) -> Iterable[str]:
    names = [part for part in path if isinstance(part, str)]
    return (_PARTS[names[-1]] if names else Report).keys()
