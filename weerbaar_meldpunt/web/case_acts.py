"""What is done on the page of a case: taking, handing over, writing, calling, waiting, closing."""

from __future__ import annotations

from datetime import date, datetime
from datetime import time as clock_time
from typing import Final

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import closing, work
from weerbaar_meldpunt.actions.urgency import change_urgency

from .answer_kinds import Unclear, find_organisations, read_clock, read_day
from .case import act_on, id_of, page_for, pages, text_of, worker
from .guards import LONG_TEXT, takes
from .show import LOCAL

END_OF_DAY: Final = clock_time(17)  # what a day without a time means to people in an office
# Outcomes that tell the reporter that something was done; the reporter then reads what.
_SAYS_SOMETHING_WAS_DONE: Final = frozenset(
    {"geholpen", "maatregelen_geleverd", "advies_zonder_maatregelen", "geen_aanspraak_alternatief", "afgewikkeld"}
)


@pages.post("/zaak/<reference>/urgentie")
@takes(LONG_TEXT)
@worker
def urgency(reference: str) -> ResponseReturnValue:
    """Make the case more or less pressing."""
    to, reason = request.form.get("urgency", ""), text_of("why_urgency")
    return act_on(
        reference, lambda held: change_urgency(held, to, reason), done=_("De urgentie is veranderd."),
        field="why_urgency",
    )  # fmt: skip


@pages.post("/zaak/<reference>/nemen")
@worker
def take(reference: str) -> ResponseReturnValue:
    """Make the track one's own."""
    return act_on(reference, work.take, done=_("U behandelt deze zaak nu."))


@pages.post("/zaak/<reference>/overdragen")
@takes(LONG_TEXT)
@worker
def hand_over(reference: str) -> ResponseReturnValue:
    """Give the track to a colleague."""
    to, reason = id_of(request.form.get("to")) or b"", text_of("reason_over")
    return act_on(
        reference, lambda held: work.hand_over(held, to, reason), done=_("De zaak is overgedragen."), field="to"
    )


@pages.post("/zaak/<reference>/notitie")
@takes(LONG_TEXT)
@worker
def note(reference: str) -> ResponseReturnValue:
    """A note for the teams."""
    text = text_of("note")
    return act_on(
        reference, lambda held: work.add_note(held, text), done=_("De notitie is bewaard. De melder ziet die niet."),
        field="note", fresh_only=False,
    )  # fmt: skip


@pages.post("/zaak/<reference>/bericht")
@takes(LONG_TEXT)
@worker
def message(reference: str) -> ResponseReturnValue:
    """A message to the reporter."""
    text = text_of("message")
    return act_on(
        reference, lambda held: work.write_message(held, text), done=_("Het bericht is verstuurd."),
        field="message", fresh_only=False,
    )  # fmt: skip


@pages.post("/zaak/<reference>/gelezen")
@worker
def read(reference: str) -> ResponseReturnValue:
    """What the reporter wrote was read."""
    return act_on(reference, work.mark_read, done=_("Het bericht geldt als gelezen."), fresh_only=False)


@pages.post("/zaak/<reference>/gebeld")
@takes(LONG_TEXT)
@worker
def attempt(reference: str) -> ResponseReturnValue:
    """A call to the reporter: spoken, or no answer."""
    reached, text = request.form.get("reached") == "ja", text_of("call_note")
    done = _("Genoteerd dat u de melder sprak.") if reached else _("Genoteerd: geen gehoor. Bel later nog eens.")
    return act_on(
        reference, lambda held: work.attempt(held, reached=reached, text=text), done=done,
        field="call_note", fresh_only=False,
    )  # fmt: skip


@pages.post("/zaak/<reference>/wachten")
@takes(LONG_TEXT)
@worker
def wait(reference: str) -> ResponseReturnValue:
    """Wait for the reporter or for somebody else."""
    kind, _colon, for_whom = request.form.get("waiting", "").partition(":")
    text = text_of("wait_text")
    try:
        until = _moment("until")
    except Unclear as fault:
        return page_for(reference, errors={"until": str(fault)})
    return act_on(
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
@worker
def resume(reference: str) -> ResponseReturnValue:
    """What was awaited came."""
    return act_on(reference, work.resume, done=_("De zaak is weer in behandeling."))


@pages.post("/zaak/<reference>/termijn")
@takes(LONG_TEXT)
@worker
def due(reference: str) -> ResponseReturnValue:
    """Something that had to happen did, or will not."""
    due_id, reason = id_of(request.form.get("due")) or b"", text_of("why")
    dropped = request.form.get("how") == "vervalt"
    done = _("De termijn is vervallen.") if dropped else _("De termijn is afgehandeld.")
    return act_on(
        reference, lambda held: work.finish_due(held, due_id, dropped=dropped, reason=reason), done=done,
        field="why", fresh_only=False,
    )  # fmt: skip


@pages.post("/zaak/<reference>/feiten")
@takes(LONG_TEXT)
@worker
def facts(reference: str) -> ResponseReturnValue:
    """Establish the facts for the figures."""
    answers, typed = request.form, request.form.get("organisation", "").strip()
    found = find_organisations(typed) if typed else []
    if typed and len(found) != 1:
        wrong = _("Deze organisatie kennen wij niet. Kies er een uit de lijst, of laat het leeg.")
        return page_for(reference, errors={"organisation": wrong})
    given = {
        "role": answers.get("role", ""), "organisation": found[0].code if found else None,
        "kinds": answers.getlist("kinds"), "channels": answers.getlist("channels"),
        "routes": answers.getlist("routes"), "aangifte": answers.get("aangifte", ""),
        "gender": answers.get("gender") or None,
    }  # fmt: skip
    return act_on(
        reference, lambda held: closing.validate_facts(held, given), done=_("De feiten zijn vastgesteld."),
        field="role",
    )  # fmt: skip


@pages.post("/zaak/<reference>/afsluiten")
@takes(LONG_TEXT)
@worker
def close(reference: str) -> ResponseReturnValue:
    """Close the track, or propose it to a second person."""
    outcome, done, not_done = request.form.get("outcome", ""), text_of("done"), text_of("not_done")
    wrong = {}
    if outcome in _SAYS_SOMETHING_WAS_DONE and not done.strip():
        wrong["done"] = _("Schrijf in één zin wat er is gedaan. De melder leest dan wat u voor hem of haar deed.")
    if request.form.get("sure") != "ja":
        wrong["sure"] = _("Lees na wat de melder te zien krijgt, en vink dit dan aan.")
    if wrong:
        return page_for(reference, errors=wrong)
    return act_on(
        reference, lambda held: closing.close(held, outcome, done=done, not_done=not_done), done=_said_of_closing,
        field="outcome",
    )  # fmt: skip


def _said_of_closing(closed: bool) -> str:
    return str(_("De zaak is afgesloten.") if closed else _("Uw voorstel ligt nu bij een tweede collega."))


@pages.post("/zaak/<reference>/bevestigen")
@worker
def confirm(reference: str) -> ResponseReturnValue:
    """A second person confirms a closing."""
    if request.form.get("agreed") != "ja":
        return page_for(reference, errors={"agreed": _("Kijk de zaak eerst na, en vink dit dan aan.")})
    return act_on(reference, closing.confirm_close, done=_("U hebt bevestigd. De zaak is afgesloten."))


@pages.post("/zaak/<reference>/niet-bevestigen")
@takes(LONG_TEXT)
@worker
def refuse(reference: str) -> ResponseReturnValue:
    """A second person does not agree, or the proposal is taken back."""
    reason = text_of("refusal")
    return act_on(
        reference, lambda held: closing.refuse_close(held, reason), done=_("De zaak blijft open."), field="refusal",
    )  # fmt: skip


@pages.post("/zaak/<reference>/heropenen")
@takes(LONG_TEXT)
@worker
def reopen(reference: str) -> ResponseReturnValue:
    """Open a closed track again."""
    reason = text_of("reopening")
    return act_on(
        reference, lambda held: closing.reopen(held, reason), done=_("De zaak is weer open."), field="reopening",
    )  # fmt: skip
