"""What the page of a case shows to who works on it: above all, what to do now."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, Final

from flask_babel import gettext as _

from weerbaar_meldpunt.actions.barred import is_barred
from weerbaar_meldpunt.actions.closing import suggested_facts
from weerbaar_meldpunt.actions.people import Person
from weerbaar_meldpunt.actions.views import CaseView, DueView, EventView, TrackView
from weerbaar_meldpunt.actions.work import CONTACT, NOT_TICKED, WAITING
from weerbaar_meldpunt.rules import chase, moves

from .answers import can_be_called
from .case_words import Section, odd_dates, sections, value_at
from .labels import label
from .show import LOCAL, clock

OPENINGS: Final = frozenset({"geopend", "geopend_veilig", "geopend_bestand", "niet_getoond"})
# What one act writes beside its own leaf, for the figures or the keys: no step in anybody's work.
COUNTING: Final = frozenset(
    {"zaak_gesloten", "zaak_heropend", "feiten_bekeken", "sleutel_vernieuwd", "opnieuw_ingepakt"}
)
_OF_THE_REPORTER: Final = frozenset(
    {"bericht_melder", "overgenomen", "verbeterd", "toestemming_veranderd", "contact_veranderd",
     "intrekking_gevraagd", "intrekking_teruggenomen"}
)  # fmt: skip
NIGHT: Final = (time(22), time(7))
# Side actions of which nobody outside hears, and what the form calls those that the reporter was asked about.
INSIDE: Final = frozenset({"nazorg", "adres"})
_ASKED: Final = {"werkgever": "organisatie", "kpcn": "politie"}


@dataclass(frozen=True)
class Contact:
    """How to reach who reported, and what to mind before calling."""

    name: str
    telephone: str
    mail: str
    channel: str
    language: str
    safe_hours: tuple[str, ...]
    night_call: bool | None
    by_letter: bool  # write instead of calling, for now or altogether
    no_calls: bool  # the reporter asked to be written to, not to be called
    dial: str  # what a phone can dial; nothing where this reporter is not to be called now, or the number is none
    cautions: tuple[str, ...]


@dataclass(frozen=True)
class Reasons:
    """Why something stands in the answer of the rules."""

    title: str
    rows: list[Mapping[str, str]]


@dataclass(frozen=True)
class SideAction:
    """A step outside that the rules propose; nothing leaves by itself."""

    code: str
    because: str
    allowed: bool | None  # by the reporter; None where nobody outside is told anything


@dataclass(frozen=True)
class CasePage:
    """Everything the template needs beside the case itself."""

    case: CaseView = field(repr=False)
    step: str
    due: DueView | None
    contact: Contact | None = field(repr=False)
    reasons: list[Reasons] = field(repr=False)
    actions: list[SideAction] = field(repr=False)
    sections: list[Section] = field(repr=False)
    odd: list[str] = field(repr=False)
    links: list[Mapping[str, Any]] = field(repr=False)
    may_own: bool  # owner or coordinator
    is_owner: bool
    proposal: EventView | None = field(repr=False)
    closing: EventView | None = field(repr=False)
    waiting: EventView | None = field(repr=False)
    facts: Mapping[str, Any] = field(repr=False)
    colleagues: list[tuple[str, str]] = field(repr=False)
    ticked: tuple[DueView, ...] = ()

    @property
    def mine(self) -> TrackView:
        """The track of the team the person works in."""
        assert self.case.mine is not None  # nosec B101
        return self.case.mine

    @property
    def changed(self) -> EventView | None:
        """What the reporter's side changed since it last wrote; nothing when a message is the newest."""
        newest = next((e for e in reversed(self.case.events) if e.action in _OF_THE_REPORTER), None)
        return None if newest is None or newest.action == "bericht_melder" else newest

    @property
    def steps(self) -> list[EventView]:
        """What was done, newest first."""
        return [e for e in reversed(self.case.events) if e.action not in OPENINGS | COUNTING]

    @property
    def looks(self) -> list[EventView]:
        """Who looked, newest first."""
        return [e for e in reversed(self.case.events) if e.action in OPENINGS]


def page_of(case: CaseView, me: Person, members: Sequence[tuple[bytes, str]], *, now: datetime) -> CasePage:
    """Put together what the page shows of a case."""
    mine = case.mine
    assert mine is not None  # nosec B101
    contact = _contact(case, mine, now=now) if case.readable else None
    entry = case.facts
    facts = entry["facts"] if entry else suggested_facts(case.report, case.answer) if case.readable else {}
    due = mine.open_dues[0] if mine.open_dues else None
    is_owner = mine.owner_id == me.user_id
    barred = case.report.get("barred_member")
    return CasePage(
        case=case,
        step=_step(mine, me),
        due=_due_of(_step(mine, me), mine) or due,
        contact=contact,
        reasons=_reasons(case.answer),
        actions=_side_actions(case),
        sections=sections(case.report),
        odd=odd_dates(case.report, received_at=case.received_at) if case.readable else [],
        links=[link for link in case.report.get("links") or [] if link.get("url")],
        may_own=is_owner or me.coordinates(mine.team),
        is_owner=is_owner,
        proposal=_newest(case, mine.team, "afsluiting_voorgesteld") if mine.proposed_by else None,
        closing=_newest(case, mine.team, "afgerond") if mine.closed_at else None,
        waiting=_newest(case, mine.team, "wacht") if mine.state in WAITING else None,
        facts=facts,
        colleagues=[
            (user_id.hex(), name)
            for user_id, name in members
            if user_id != mine.owner_id and not is_barred(barred, name)
        ],
        ticked=tuple(open_due for open_due in mine.open_dues if open_due.kind not in NOT_TICKED),
    )


def _newest(case: CaseView, team: str, action: str) -> EventView | None:
    found = (e for e in reversed(case.events) if e.action == action and e.document.get("team", team) == team)
    return next(found, None)


def _step(mine: TrackView, me: Person) -> str:
    """The one thing to do next, as a word that the template knows."""
    kinds = {due.kind for due in mine.open_dues}
    if mine.unread:
        return "lezen"
    if mine.closed_at:
        return "nazorg" if kinds - {"enquete"} else "klaar"
    if mine.proposed_by is not None:
        return "bevestigen" if mine.proposed_by != me.user_id else "tweede_afwachten"
    if kinds & set(CONTACT):
        return "contact"
    if mine.state == "nieuw":
        return "nemen"
    if mine.state in WAITING:
        return "wachten"
    return "opvolgen"


def _due_of(step: str, mine: TrackView) -> DueView | None:
    """The due that the step is about, where it is not simply the first."""
    wanted = {"contact": CONTACT, "wachten": WAITING}.get(step, ())
    return next((due for due in mine.open_dues if due.kind in wanted), None)


def _contact(case: CaseView, mine: TrackView, *, now: datetime) -> Contact:
    given = case.report.get("contact") or {}
    hours = [(pair.get("from") or "00:00", pair.get("to") or "24:00") for pair in given.get("safe_hours") or []]
    telephone = given.get("telephone") or ""
    no_calls = "eerst_schrijven" in case.marks or given.get("channel") in ("bericht", "brief")
    not_now = _no_call(hours, given.get("night_call"), no_calls=no_calls, now=now)
    if "geen_contact" in case.marks and "onder_druk" not in case.marks:
        no_calls, not_now = True, str(_("Niet bellen en niet schrijven. De melder wil geen contact meer."))
    unsafe_hour = ""
    if not_now and not no_calls and mine.urgency == "acuut":
        # Life goes before the hours that were given; what the reporter asked of every call stays.
        unsafe_hour = str(_("Het is nu %(time)s, buiten de veilige uren. Het is acuut: bel toch.", time=clock(now)))
        unsafe_hour += " " + str(_("Vraag eerst of de melder kan praten."))
        not_now = ""
    dial = re.sub(r"[^0-9+]", "", telephone) if can_be_called(telephone) and not not_now else ""
    cautions = [text for text in (not_now, unsafe_hour) if text]
    if telephone and not can_be_called(telephone):
        cautions.append(_("Dit nummer klopt niet: er staan te weinig cijfers in. Schrijf de melder en vraag het na."))
    return Contact(
        name=given.get("name") or "",
        telephone=telephone,
        mail=given.get("mail") or "",
        channel=given.get("channel") or "",
        language=given.get("language") or "nl",
        safe_hours=tuple(_("van %(start)s tot %(end)s", start=start, end=end) for start, end in hours),
        night_call=given.get("night_call"),
        by_letter=bool(not_now) or not telephone,
        no_calls=no_calls,
        dial=dial,
        cautions=(*cautions, *_cautions(case)),
    )


def _no_call(
    hours: list[tuple[str, str]], night_call: bool | None, *, no_calls: bool, now: datetime
) -> str:  # fmt: skip
    """Why the reporter is not to be called now, in the words that come first; empty when a call is fine."""
    at = now.astimezone(LOCAL)
    if no_calls:
        return str(_("Niet bellen: schrijf eerst. De melder vroeg dat."))
    if hours and not any(start <= at.strftime("%H:%M") < end for start, end in _wrapped(hours)):
        return str(_("Niet bellen: schrijf eerst. Het is nu %(time)s. Bellen is nu niet veilig.", time=clock(now)))
    if night_call is False and (at.time() >= NIGHT[0] or at.time() < NIGHT[1]):
        return str(_("Niet bellen: schrijf eerst. De melder wil 's nachts niet gebeld worden. Bel na 7 uur."))
    return ""


def _cautions(case: CaseView) -> list[str]:
    """What to mind before speaking to anybody, the gravest first."""
    conflict = case.report.get("conflict") or []
    found = []
    if "onder_druk" in case.marks:
        found.append(_("De melder wordt onder druk gezet om in te trekken. Bel één keer, op een veilige tijd."))
        found.append(_("Zeg daar niets over als een ander kan meeluisteren, en schrijf het niet in een bericht."))
    if "wacht_op_toestemming" in case.marks:
        found.append(_("Wacht op toestemming: bel alleen de melder. Vertel niemand anders iets."))
    others = [label("conflicts_worker", code) for code in conflict if code != "ondersteuningsteam"]
    if others:
        found.append(
            _("Mag dit zeker niet weten: %(who)s.", who=", ".join(name[0].lower() + name[1:] for name in others))
        )
    if "thuis" in conflict:
        found.append(_("Gebruik alleen het nummer en de uren die hier staan."))
    if case.report.get("barred_member"):
        found.append(_("Praat hier niet over met: %(who)s. De melder wil dat niet.", who=case.report["barred_member"]))
    elif "ondersteuningsteam" in conflict:
        found.append(_("Iemand van ons team mag dit niet zien. Vraag de melder wie."))
    if value_at(case.report, "incident.life_in_danger_self"):
        found.append(_("De melder denkt aan zelfdoding. Neem de tijd, en noem 113."))
    return found


def _wrapped(hours: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Hours that pass midnight as two pieces."""
    pieces = []
    for start, end in hours:
        pieces += [(start, end)] if start <= end else [(start, "24:00"), ("00:00", end)]
    return pieces


def _reasons(answer: Mapping[str, Any]) -> list[Reasons]:
    """The reasons by what they are about: urgency, entitlement, each team, no route; those of actions stand there."""
    titles: dict[str, str] = {}
    rows: dict[str, list[Mapping[str, str]]] = {}
    for reason in answer.get("reasons") or []:
        about, _colon, code = reason["about"].partition(":")
        if about in ("action", "term"):
            continue
        key = reason["about"]
        titles[key] = {
            "urgency": _("Urgentie: %(what)s", what=label("urgencies", answer["urgency"])),
            "entitlement": label("entitlements", answer["security_entitlement"]),
            "route": label("teams", code),
            "no_route": _("Geen team aangewezen"),
        }.get(about, about)
        rows.setdefault(key, []).append(reason)
    return [Reasons(titles[key], found) for key, found in rows.items()]


def _side_actions(case: CaseView) -> list[SideAction]:
    because = {
        reason["about"].partition(":")[2]: reason["because"]
        for reason in case.answer.get("reasons") or []
        if reason["about"].startswith("action:")
    }
    told = set((case.melding.get("sharing") or {}).get("met") or [])
    found = []
    for code in case.answer.get("side_actions") or []:
        allowed = None if code in INSIDE else _ASKED.get(code, code) in told
        found.append(SideAction(code, because.get(code, ""), allowed))
    return found


def waiting_choices() -> list[tuple[str, str]]:
    """For whom a track can wait: the state and the person in one choice."""
    return [(f"{state}:{who}", label("awaited", who)) for state in WAITING for who in chase.awaited(state)]


def outcome_choices(team: str, urgency: str) -> list[tuple[str, str, str]]:
    """The outcomes of a team, and which of them a second person confirms."""
    second = _("Een tweede collega bevestigt dit.")
    return [
        (code, label("outcomes", code), second if moves.needs_second_person(outcome=code, urgency=urgency) else "")
        for code in moves.outcomes_for(team)
    ]
