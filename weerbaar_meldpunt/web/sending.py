"""Looking it over, sending it, and the receipt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from weerbaar_meldpunt.actions import reader
from weerbaar_meldpunt.actions.drafts import Draft, DraftChanged, mark_sent, new_draft, open_draft, save_draft
from weerbaar_meldpunt.actions.errors import TooLarge
from weerbaar_meldpunt.actions.filing import (
    CLAIM_DAYS,
    Filed,
    FiledElsewhere,
    file_report,
    filed_before,
    promised_contact,
    receiving_teams,
)
from weerbaar_meldpunt.actions.people import Person
from weerbaar_meldpunt.actions.reader import OwnCase
from weerbaar_meldpunt.rules.report import Report
from weerbaar_meldpunt.rules.routing import decide

from . import drafting, guards
from .answer_kinds import Answers
from .answers import Checked, can_be_called, check, doubted_number, read_form, rescue, sharing
from .labels import label
from .place import instance, now, reading, transaction
from .steps import BY_CODE, EVIDENCE, REVIEW, STOP, step_url, way
from .summary import offered, sections, told_to

# The fields that the review itself asks, for whoever comes there without having said how to be reached.
QUICK: Final = ("contact.telephone", "contact.channel")
# Its buttons that lead elsewhere, so that a number that was just typed goes along.
TO_STEP, KEEP, BACK_TO_QUESTIONS = "naar-", "nummer", "vragen"
_TRIES: Final = 3


class DraftGone(Exception):
    """The draft was thrown away between reading and sending it; nothing of it is filed."""


# --- looking it over -------------------------------------------------------------------------------------------------


def review() -> ResponseReturnValue:
    """Everything in words, with the way to change it; who will read it and what happens next; then the button."""
    drafting.require_ready()
    draft = drafting.current()
    if draft is not None and draft.sent:
        return redirect(url_for("report.received"), code=303)
    if draft is None:
        draft = new_draft(instance())
    return _review(draft, check(draft.answers, now=now()))


def _review(
    draft: Draft, checked: Checked, *, status: int = 200, signed_out: bool = False, told: str = ""
) -> ResponseReturnValue:
    report = checked.report or rescue(draft.answers, now=now())
    answer = decide(report, now=now())
    with reading() as session:
        teams = receiving_teams(session, instance(), answer)
        promised = promised_contact(session, answer.as_document(), teams, now=now())
    steps = way(draft.answers)
    found = sections(draft.answers, draft.files, checked.faults)
    page = render_template(
        "report/review.html",
        draft=draft,
        sections=found,
        step_url=step_url,
        unanswered=[step for step in steps if step not in [section.step for section in found]],
        offered=offered(draft.answers, steps),
        faults=checked.faults,
        teams=teams,
        urgency=answer.urgency,
        promised=promised,
        by_call=wants_a_call(report.as_document(), answer.marks),
        ask_contact=not any(name in draft.answers for name in QUICK),
        account=drafting.account(),
        signed_out=signed_out,
        told=told,
        told_to=told_to(sharing(draft.answers)),
        doubted=doubted_number(draft.answers.get("contact.telephone", "")),
        reach=BY_CODE["bereiken"],
        others=[code for code, found in draft.answers.get(drafting.OTHER, {}).items() if found],
    )
    return page, status


def wants_a_call(report: dict[str, Any], marks: Any) -> bool:
    """Whether we call: there is a number, and nobody asked to be written to first."""
    contact = report.get("contact") or {}
    written = contact.get("channel") in ("bericht", "brief") or "eerst_schrijven" in marks
    return can_be_called(contact.get("telephone") or "") and not written


# --- sending ---------------------------------------------------------------------------------------------------------


@guards.takes(guards.LONG_TEXT)
def send() -> ResponseReturnValue:
    """File the report, once, however often it is pressed; then show what the reporter gets."""
    token = drafting.form_token_posted()
    draft = drafting.current()
    quick = read_form(request.form, QUICK)
    if (elsewhere := _led_elsewhere(request.form.get("doen", ""))) and (draft is None or not draft.sent):
        if quick:
            drafting.change(lambda _, found: _with(found, quick))
        return redirect(elsewhere, code=303)
    begun = draft is None and token is not None and bool(request.form.get("_empty"))
    if begun and token is not None:
        draft = _begun_here(token, quick)
    if draft is None or draft.sent or (token and token != draft.form_token):
        return _sent_before(token, draft)
    if quick and not begun:
        draft = drafting.change(lambda _, found: _with(found, quick))
    checked = check(draft.answers, now=now())
    pressed = request.form.get("doen", "")
    person = drafting.account()
    if person is None and draft.answers.get(drafting.ACCOUNT) and pressed != "zonder-account":
        return _review(draft, checked, status=401, signed_out=True)
    if checked.faults and pressed != "toch":
        return _review(draft, checked, status=422)
    report = checked.report or rescue(draft.answers, now=now())
    try:
        _file(draft, report, person)
    except FiledElsewhere:
        return filed_elsewhere()
    except DraftGone:
        drafting.keep(None)
        return _sent_before(draft.form_token, None)
    except DraftChanged as changed:
        told = gettext(
            "U schreef intussen nog iets in een ander venster. Het staat hieronder. Verstuur het nog een keer."
        )
        return _review(changed.current, check(changed.current.answers, now=now()), status=409, told=told)
    except TooLarge:
        told = gettext("Uw bestanden zijn samen te groot. Haal er een weg, of stuur het later na.")
        return _review(draft, checked, status=422, told=told)
    return redirect(url_for("report.received"), code=303)


def _begun_here(token: str, quick: Answers) -> Draft | None:
    """The draft of a review that was sent before anything was filled in: an empty report is a report too."""
    fresh = _with(new_draft(instance(), token), quick)
    with transaction() as session:
        known = open_draft(session, fresh.cookie, now=now())
        if known is None:
            if filed_before(session, instance(), form=token, account=drafting.account()) is not None:
                return None
            save_draft(session, fresh, now=now())
    found = known or fresh
    drafting.keep(found)
    return found


def _led_elsewhere(pressed: str) -> str | None:
    """Where a button leads that does not send: what was typed beside it is kept first."""
    leads = {STOP: "report.kept", KEEP: "report.review", BACK_TO_QUESTIONS: "evidence.add"}
    if pressed in leads:
        return url_for(leads[pressed])
    step = BY_CODE.get(pressed.removeprefix(TO_STEP)) if pressed.startswith(TO_STEP) else None
    if step is None:
        return None
    return (
        url_for("evidence.add", _terug=REVIEW)
        if step.code == EVIDENCE
        else url_for("report.step", step=step.code, _terug=REVIEW)
    )


def _with(draft: Draft, typed: Answers) -> Draft:
    draft.answers |= typed
    return draft


def _file(draft: Draft, report: Report, person: Person | None) -> None:
    """One transaction: the case, and the draft that from now on only knows that it was sent.

    `DraftChanged` when another page saved since it was read: nothing that was typed is sent unseen or left out.
    `DraftGone` when it was thrown away meanwhile: its files went with it, and its reporter wanted that.
    """
    allowed = sharing(draft.answers)

    def filed(session: Session) -> Draft:
        fresh = open_draft(session, draft.cookie, now=now(), hold=True)
        if fresh is None:
            raise DraftGone
        if fresh.revision != draft.revision and not fresh.sent:
            raise DraftChanged(fresh)
        file_report(
            session, instance(), report, form=draft.form_token, now=now(), files=fresh.files, account=person,
            sharing=allowed,
        )  # fmt: skip
        if not fresh.sent:
            mark_sent(session, fresh, now=now())
        return fresh

    drafting.keep(again_when_two(filed))


def again_when_two(act: Callable[[Session], Draft]) -> Draft:
    """Do it in one transaction; once more when another did the same at that moment and the database let both begin."""
    for last in range(_TRIES - 1, -1, -1):
        try:
            with transaction() as session:
                return act(session)
        except IntegrityError:
            if not last:
                raise
    raise AssertionError("the last try answers or raises")


def _sent_before(token: str | None, draft: Draft | None) -> ResponseReturnValue:
    """The same form once more: the same receipt. A form of which nothing is left: say so, and promise nothing."""
    if draft is not None and draft.sent and token in (None, draft.form_token):
        return redirect(url_for("report.received"), code=303)
    if token is None and draft is None:
        return redirect(url_for("report.begin"), code=303)
    if token is not None:
        try:
            with reading() as session:
                filed = filed_before(session, instance(), form=token, account=drafting.account())
        except FiledElsewhere:
            return filed_elsewhere()
        if filed is not None:
            return _receipt(filed, call=False)
    return render_template("report/gone.html", draft=drafting.unsent()), 410


def filed_elsewhere() -> ResponseReturnValue:
    """The form was filed under an account that is not signed in: its case is safe, and not shown."""
    return render_template("report/elsewhere.html"), 200


def sent_already(typed: Answers) -> ResponseReturnValue:
    """A page of a report that was sent meanwhile: its words are given back, to send as a message."""
    texts = [text for value in typed.values() for text in ([value] if isinstance(value, str) else value)]
    return render_template("report/sent_already.html", texts=[text for text in texts if len(text) > 20]), 409


# --- what the reporter gets ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Status:
    """What is true now of a report that was just sent."""

    seen_at: datetime | None
    tried_at: datetime | None
    promised: datetime | None
    over: bool  # the promised moment passed and nobody was there


def received() -> ResponseReturnValue:
    """The receipt; shown again at each reload for half an hour, to this browser only."""
    draft = drafting.current()
    if draft is None:
        return redirect(url_for("receipt.enter"), code=303)
    if not draft.sent:
        return redirect(url_for("report.review"), code=303)
    try:
        with reading() as session:
            filed = filed_before(session, instance(), form=draft.form_token, account=drafting.account())
    except FiledElsewhere:
        return filed_elsewhere()
    if filed is None:
        return redirect(url_for("receipt.enter"), code=303)
    return _receipt(filed, call=bool(draft.answers.get("_call")), earlier=bool(draft.answers.get(drafting.EARLIER)))


def _receipt(filed: Filed, *, call: bool, earlier: bool = False) -> ResponseReturnValue:
    with reading() as session:
        own = reader.own_case(session, instance(), filed.reader)
        promised = promised_contact(session, filed.answer, filed.teams, now=now())
    return render_template(
        "report/received.html",
        filed=filed,
        call=call,
        earlier=earlier,
        status=_status(own, filed, promised),
        by_call=wants_a_call(dict(own.view.report), own.view.marks),
        has_number=can_be_called((own.view.report.get("contact") or {}).get("telephone") or ""),
        told_to=told_to(own.view.melding.get("sharing")),
        consent=own.view.report["reporter"]["consent"],
        proxy=own.view.report["reporter"]["relation"] != "zelf",
        official=_official(own.view.report["target"]["role"]),
        offers=filed.answer["offers"],
        claim_until=filed.received_at + timedelta(days=CLAIM_DAYS),
        terms=reader.terms_for_reporter(own.view.answer),
        account=drafting.account() if filed.receipt_code is None else None,
    )


def _official(role: str) -> str:
    """Whose report it is, in a sentence: "de wethouder", "het raadslid"."""
    if role in ("onbekend", "oud_ambtsdrager"):
        return str(gettext("iemand anders"))
    name = label("roles", role)[:1].lower() + label("roles", role)[1:]
    neuter = role.endswith("lid") or role in ("ws_db", "ws_ab")
    return str(gettext("het %(role)s", role=name) if neuter else gettext("de %(role)s", role=name))


def _status(own: OwnCase, filed: Filed, promised: datetime | None) -> Status:
    calls = [event for event in own.view.events if event.action in ("geen_gehoor", "gesproken")]
    contact = datetime.fromisoformat(filed.answer["first_contact_before"])
    reached = any(event.action in ("gesproken", "bericht_team") for event in own.view.events)
    tried = calls[-1].at if calls and calls[-1].action == "geen_gehoor" else None
    return Status(own.view.seen_at, tried, promised, over=contact <= now() and not reached)


def earlier() -> ResponseReturnValue:
    """Back to the draft that waited while its reporter asked to be called."""
    draft = drafting.current()
    kept = draft.answers.get(drafting.EARLIER) if draft else None
    if kept:
        with reading() as session:
            waiting = open_draft(session, bytes.fromhex(kept), now=now())
        if waiting is not None and not waiting.sent:
            drafting.keep(waiting)
            return redirect(url_for("report.review"), code=303)
    return redirect(url_for("report.begin"), code=303)


def go_on(draft: Draft, typed: str, *, sure: bool) -> ResponseReturnValue:
    """Open the draft of a code; first ask, when another one in this browser would be lost from sight."""
    standing = drafting.unsent()
    if standing is not None and standing.cookie != draft.cookie and drafting.has_content(standing) and not sure:
        return render_template("report/resume.html", typed=typed, standing=standing), 409
    drafting.keep(draft)
    return redirect(url_for("report.received" if draft.sent else "report.review"), code=303)
