"""The page of a case and what is done on it. Every opening stands in the trail before anything is shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime
from datetime import time as clock_time
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import closing, opening, work
from weerbaar_meldpunt.actions.barred import Barred, note_barred
from weerbaar_meldpunt.actions.casekeys import VEILIG
from weerbaar_meldpunt.actions.errors import NotAllowed, NotYours, Onleesbaar, TooLarge
from weerbaar_meldpunt.actions.opening import Opening
from weerbaar_meldpunt.actions.people import TEAM_ROLES
from weerbaar_meldpunt.actions.sessions import new_cookie
from weerbaar_meldpunt.actions.work import Held
from weerbaar_meldpunt.rules.organisations import organisation
from weerbaar_meldpunt.rules.vocabulary import TEAMS

from .answer_kinds import Unclear, find_organisations, organisation_name, read_clock, read_day
from .case_view import CasePage, outcome_choices, page_of, waiting_choices
from .downloads import evidence_response
from .errors import typed_texts
from .guards import LONG_TEXT, person, staff_required, takes
from .labels import label
from .place import instance, now, reading, transaction
from .show import LOCAL

pages = Blueprint("case", __name__)

LOG = logging.getLogger("meldpunt")
ID_BYTES: Final = 16
END_OF_DAY: Final = clock_time(17)  # what a day without a time means to people in an office
_worker = staff_required(*TEAM_ROLES)


def _team() -> str | None:
    """The team whose track is meant, for who works in more than one."""
    team = request.values.get("team")
    return team if team in TEAMS else None


def _id(text: str | None) -> bytes | None:
    try:
        found = bytes.fromhex(text or "")
    except ValueError:
        return None
    return found if len(found) == ID_BYTES else None


def _noted(reference: str, **more: Any) -> Opening:
    """Note an opening and make that durable; only then is anything unwrapped."""
    with transaction() as session:
        return opening.note_opening(
            session, instance(), person(), reference.upper(), now=now(), team=_team(), **more
        )  # fmt: skip


# --- looking -------------------------------------------------------------------------------------------------------


@pages.get("/zaak/<reference>")
@_worker
def show(reference: str) -> ResponseReturnValue:
    """The case."""
    return _page(reference)


def _page(reference: str, *, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    """The page of a case; with `errors` after a form that was refused, whose texts are kept."""
    me, noted = person(), _noted(reference)
    with reading() as session:
        try:
            case = opening.open_case(session, instance(), me, noted)
        except Barred:
            return _barred(noted.case_id, noted.team)
        except Onleesbaar as fault:
            return _unreadable(noted, fault), 422
        members = work.colleagues(session, instance(), noted.team)
    if case.fresh:
        with transaction() as session:
            opening.keep_folds(session, case)
    for table in case.gaps:
        LOG.error("row differs from its leaf table=%s route=%s", table, request.endpoint)
    page = page_of(case, me, members, now=now())
    shown = render_template(
        "case/show.html", page=page, case=case, team=noted.team, errors=errors or {}, form=request.form,
        kept=request.form if errors else {}, sent=request.endpoint if errors else None, form_id=_form_id,
        waiting_choices=waiting_choices(), outcomes=outcome_choices(noted.team, page.mine.urgency),
        organisation_text=_organisation_text(page), today=now().astimezone(LOCAL).date().isoformat(),
    )  # fmt: skip
    return (shown, 422) if errors else shown


def _barred(case_id: bytes, team: str) -> str:
    """The reporter does not want this person to see the case: nothing of it is shown, and that is noted too."""
    _not_shown(case_id)
    return render_template("case/barred.html", team=team)


def _not_shown(case_id: bytes) -> None:
    with transaction() as session:
        note_barred(session, instance(), person(), case_id, now=now())


def _unreadable(noted: Opening, fault: Onleesbaar) -> str:
    """What was asked for does not open: said in a sentence, and noted that it was not shown."""
    LOG.error("unreadable object kind=%s route=%s", fault.kind, request.endpoint)
    _not_shown(noted.case_id)
    return render_template("case/unreadable.html", team=noted.team, kind=fault.kind, typed=typed_texts())


def _form_id() -> str:
    """An id for one form, so that what is sent twice is done once."""
    return new_cookie()[:ID_BYTES].hex()


def _organisation_text(page: CasePage) -> str:
    code = page.facts.get("organisation")
    known = organisation(code) if code else None
    return organisation_name(known) if known else ""


@pages.post("/zaak/<reference>/veilig")
@_worker
def private(reference: str) -> ResponseReturnValue:
    """Address, family and movements: an opening of their own."""
    noted = _noted(reference, compartment=VEILIG)
    with reading() as session:
        try:
            found = opening.open_private(session, instance(), person(), noted)
        except Barred:
            return _barred(noted.case_id, noted.team)
        except Onleesbaar as fault:
            return _unreadable(noted, fault), 422
    return render_template("case/private.html", private=found, reference=noted.reference, team=noted.team)


@pages.get("/zaak/<reference>/bestand/<attachment>")
@_worker
def file(reference: str, attachment: str) -> ResponseReturnValue:
    """An evidence file, to be saved."""
    wanted = _id(attachment)
    if wanted is None:
        raise NotYours
    noted = _noted(reference, action=opening.FILE)
    with reading() as session:
        try:
            return evidence_response(*opening.open_attachment(session, instance(), person(), noted, wanted))
        except Barred:
            return _barred(noted.case_id, noted.team)
        except Onleesbaar as fault:
            return _unreadable(noted, fault), 422


# --- acting --------------------------------------------------------------------------------------------------------


def _act(
    reference: str, do: Callable[[Held], Any], *, done: str | Callable[[Any], str], field: str = "",
    fresh_only: bool = True,
) -> ResponseReturnValue:  # fmt: skip
    """One act in one transaction, then back to the case; what is refused is shown with everything still there.

    `done` is what to say, perhaps of what the act answered; `field` where a refusal of the form belongs. With
    `fresh_only` the act is refused when the track is not as the page showed it; notes and messages need no such thing.
    """
    answers = request.form
    try:
        with transaction() as session:
            held = work.hold(
                session, instance(), person(), reference.upper(), now=now(), team=_team(),
                seen=answers.get("seen", "") if fresh_only else None, form=_id(answers.get("form")),
            )  # fmt: skip
            answer = do(held)
    except work.AlreadyDone:
        flash(_("Dit was al bewaard. Het staat er één keer."), "info")
    except Barred as refusal:
        return _barred(refusal.case_id, refusal.team), 403
    except NotAllowed as refusal:
        where = "" if refusal.reason == "intussen_veranderd" else _FIELD_OF.get(refusal.reason, field)
        return _page(reference, errors={where: label("not_allowed", refusal.reason)})
    except Onleesbaar as fault:
        LOG.error("unreadable object kind=%s route=%s", fault.kind, request.endpoint)
        wrong = _("Dit kan nu niet: een deel van de zaak is onleesbaar. Waarschuw de beheerder.")
        return _page(reference, errors={"": wrong})
    except TooLarge:
        wrong = _("Dit is te lang voor één keer. Schrijf het korter, of in delen.")
        return _page(reference, errors={field: wrong})
    else:
        flash(done if isinstance(done, str) else done(answer), "goed")
    return redirect(url_for("case.show", reference=reference, team=_team()), code=303)


# Refusals that belong to one field of a form, whatever else the form asks.
_FIELD_OF: Final = {
    "moment_voorbij": "until", "moment_te_ver": "until", "op_wie": "waiting", "geen_collega": "to",
    "collega_ziet_zaak_niet": "to", "onbekende_uitkomst": "outcome",
}  # fmt: skip


# Outcomes that tell the reporter that something was done; the reporter then reads what.
_SAYS_SOMETHING_WAS_DONE: Final = frozenset(
    {"geholpen", "maatregelen_geleverd", "advies_zonder_maatregelen", "geen_aanspraak_alternatief", "afgewikkeld"}
)


def _text(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n")


@pages.post("/zaak/<reference>/nemen")
@_worker
def take(reference: str) -> ResponseReturnValue:
    """Make the track one's own."""
    return _act(reference, work.take, done=_("U behandelt deze zaak nu."))


@pages.post("/zaak/<reference>/overdragen")
@takes(LONG_TEXT)
@_worker
def hand_over(reference: str) -> ResponseReturnValue:
    """Give the track to a colleague."""
    to, reason = _id(request.form.get("to")) or b"", _text("reason_over")
    return _act(
        reference, lambda held: work.hand_over(held, to, reason), done=_("De zaak is overgedragen."), field="to"
    )


@pages.post("/zaak/<reference>/notitie")
@takes(LONG_TEXT)
@_worker
def note(reference: str) -> ResponseReturnValue:
    """A note for the teams."""
    text = _text("note")
    return _act(
        reference, lambda held: work.add_note(held, text), done=_("De notitie is bewaard. De melder ziet die niet."),
        field="note", fresh_only=False,
    )  # fmt: skip


@pages.post("/zaak/<reference>/bericht")
@takes(LONG_TEXT)
@_worker
def message(reference: str) -> ResponseReturnValue:
    """A message to the reporter."""
    text = _text("message")
    return _act(
        reference, lambda held: work.write_message(held, text), done=_("Het bericht is verstuurd."),
        field="message", fresh_only=False,
    )  # fmt: skip


@pages.post("/zaak/<reference>/gelezen")
@_worker
def read(reference: str) -> ResponseReturnValue:
    """What the reporter wrote was read."""
    return _act(reference, work.mark_read, done=_("Het bericht geldt als gelezen."), fresh_only=False)


@pages.post("/zaak/<reference>/gebeld")
@takes(LONG_TEXT)
@_worker
def attempt(reference: str) -> ResponseReturnValue:
    """A call to the reporter: spoken, or no answer."""
    reached, text = request.form.get("reached") == "ja", _text("call_note")
    done = _("Genoteerd dat u de melder sprak.") if reached else _("Genoteerd: geen gehoor. Bel later nog eens.")
    return _act(
        reference, lambda held: work.attempt(held, reached=reached, text=text), done=done,
        field="call_note", fresh_only=False,
    )  # fmt: skip


@pages.post("/zaak/<reference>/wachten")
@takes(LONG_TEXT)
@_worker
def wait(reference: str) -> ResponseReturnValue:
    """Wait for the reporter or for somebody else."""
    kind, _colon, for_whom = request.form.get("waiting", "").partition(":")
    text = _text("wait_text")
    try:
        until = _moment("until")
    except Unclear as fault:
        return _page(reference, errors={"until": str(fault)})
    return _act(
        reference, lambda held: work.wait(held, kind=kind, for_whom=for_whom, until=until, text=text),
        done=_("De zaak wacht. Wij herinneren u op tijd."), field="waiting",
    )  # fmt: skip


def _moment(name: str) -> datetime | None:
    """A day with perhaps a time, in Dutch local time; a day alone is its end of office hours."""
    day, hour = request.form.get(f"{name}_date", "").strip(), request.form.get(f"{name}_time", "").strip()
    if not day and not hour:
        return None
    at = clock_time.fromisoformat(read_clock(hour)) if hour else END_OF_DAY
    return datetime.combine(date.fromisoformat(read_day(day)), at, tzinfo=LOCAL)


@pages.post("/zaak/<reference>/verder")
@_worker
def resume(reference: str) -> ResponseReturnValue:
    """What was awaited came."""
    return _act(reference, work.resume, done=_("De zaak is weer in behandeling."))


@pages.post("/zaak/<reference>/termijn")
@takes(LONG_TEXT)
@_worker
def due(reference: str) -> ResponseReturnValue:
    """Something that had to happen did, or will not."""
    due_id, dropped, reason = _id(request.form.get("due")) or b"", request.form.get("how") == "vervalt", _text("why")
    done = _("De termijn is vervallen.") if dropped else _("De termijn is afgehandeld.")
    return _act(
        reference, lambda held: work.finish_due(held, due_id, dropped=dropped, reason=reason), done=done,
        field="why", fresh_only=False,
    )  # fmt: skip


@pages.post("/zaak/<reference>/feiten")
@takes(LONG_TEXT)
@_worker
def facts(reference: str) -> ResponseReturnValue:
    """Establish the facts for the figures."""
    answers, typed = request.form, request.form.get("organisation", "").strip()
    found = find_organisations(typed) if typed else []
    if typed and len(found) != 1:
        wrong = _("Deze organisatie kennen wij niet. Kies er een uit de lijst, of laat het leeg.")
        return _page(reference, errors={"organisation": wrong})
    given = {
        "role": answers.get("role", ""), "organisation": found[0].code if found else None,
        "kinds": answers.getlist("kinds"), "channels": answers.getlist("channels"),
        "routes": answers.getlist("routes"), "aangifte": answers.get("aangifte", ""),
        "gender": answers.get("gender") or None,
    }  # fmt: skip
    return _act(
        reference, lambda held: closing.validate_facts(held, given), done=_("De feiten zijn vastgesteld."),
        field="role",
    )  # fmt: skip


@pages.post("/zaak/<reference>/afsluiten")
@takes(LONG_TEXT)
@_worker
def close(reference: str) -> ResponseReturnValue:
    """Close the track, or propose it to a second person."""
    outcome, done, not_done = request.form.get("outcome", ""), _text("done"), _text("not_done")
    wrong = {}
    if outcome in _SAYS_SOMETHING_WAS_DONE and not done.strip():
        wrong["done"] = _("Schrijf in één zin wat er is gedaan. De melder leest dan wat u voor hem of haar deed.")
    if request.form.get("sure") != "ja":
        wrong["sure"] = _("Lees na wat de melder te zien krijgt, en vink dit dan aan.")
    if wrong:
        return _page(reference, errors=wrong)
    return _act(
        reference, lambda held: closing.close(held, outcome, done=done, not_done=not_done), done=_said_of_closing,
        field="outcome",
    )  # fmt: skip


def _said_of_closing(closed: bool) -> str:
    return str(_("De zaak is afgesloten.") if closed else _("Uw voorstel ligt nu bij een tweede collega."))


@pages.post("/zaak/<reference>/bevestigen")
@_worker
def confirm(reference: str) -> ResponseReturnValue:
    """A second person confirms a closing."""
    if request.form.get("agreed") != "ja":
        return _page(reference, errors={"agreed": _("Kijk de zaak eerst na, en vink dit dan aan.")})
    return _act(reference, closing.confirm_close, done=_("U hebt bevestigd. De zaak is afgesloten."))


@pages.post("/zaak/<reference>/niet-bevestigen")
@takes(LONG_TEXT)
@_worker
def refuse(reference: str) -> ResponseReturnValue:
    """A second person does not agree, or the proposal is taken back."""
    reason = _text("refusal")
    return _act(
        reference, lambda held: closing.refuse_close(held, reason), done=_("De zaak blijft open."), field="refusal",
    )  # fmt: skip


@pages.post("/zaak/<reference>/heropenen")
@takes(LONG_TEXT)
@_worker
def reopen(reference: str) -> ResponseReturnValue:
    """Open a closed track again."""
    reason = _text("reopening")
    return _act(
        reference, lambda held: closing.reopen(held, reason), done=_("De zaak is weer open."), field="reopening",
    )  # fmt: skip
