"""The short way for whoever must be called now: one number and one choice."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from weerbaar_meldpunt.actions.drafts import Draft, mark_sent, new_draft, open_draft
from weerbaar_meldpunt.actions.filing import FiledElsewhere, file_report
from weerbaar_meldpunt.rules.report import Report, parse_report

from . import drafting
from .answer_kinds import Answers
from .answers import can_be_called, doubted_number
from .place import instance, now
from .sending import again_when_two, filed_elsewhere


def call_me() -> ResponseReturnValue:
    """One number and one choice, for whoever must be called now."""
    drafting.require_ready()
    return _call_page({}, {})


def _call_page(form: Answers, errors: dict[str, str]) -> str:
    token = drafting.form_token_posted() or new_draft(instance()).form_token
    return render_template("report/call_me.html", form=form, errors=errors, token=token)


def call() -> ResponseReturnValue:
    """File an acute report of nothing but the request to be called (docs/decisions/0020)."""
    form = {name: request.form.get(name, "").strip() for name in ("contact.telephone", "contact.name", "_safe")}
    if not can_be_called(form["contact.telephone"]) and request.form.get("doen") != "zonder":
        asked = doubted_number(form["contact.telephone"]) or gettext("Op welk nummer kunnen wij u bellen?")
        return _call_page(form, {"contact.telephone": asked}), 422
    token = drafting.form_token_posted() or new_draft(instance()).form_token
    report = parse_report(_call_document(form), now=now())
    waiting = drafting.unsent()
    try:
        drafting.keep(again_when_two(lambda session: _filed_call(session, token, report, waiting)))
    except FiledElsewhere:
        return filed_elsewhere()
    return redirect(url_for("report.received"), code=303)


def _filed_call(session: Session, token: str, report: Report, waiting: Draft | None) -> Draft:
    draft = new_draft(instance(), token)
    file_report(session, instance(), report, form=token, now=now())
    standing = open_draft(session, draft.cookie, now=now())
    if standing is not None:  # pressed twice
        return standing
    draft.answers["_call"] = True
    if waiting is not None and drafting.has_content(waiting):
        draft.answers[drafting.EARLIER] = waiting.cookie.hex()
    mark_sent(session, draft, now=now())
    return draft


def _call_document(form: Answers) -> dict[str, Any]:
    """What somebody says who asks to be called now: there is danger, or there may be. No more than that."""
    # Who must not be called says nothing about the night either: a "yes" there would read as leave to call.
    contact: dict[str, Any] = {} if form["_safe"] == "nee" else {"night_call": True}
    contact |= {"telephone": form["contact.telephone"]} if form["contact.telephone"] else {}
    contact |= {"name": form["contact.name"]} if form["contact.name"] else {}
    contact |= {"channel": "bericht" if form["_safe"] == "nee" else "telefoon"}
    story = [gettext("Verzoek om nu gebeld te worden. De melder zei: er is gevaar, of dat kan zo zijn.")]
    if form["_safe"] == "nee":
        story.append(gettext("Bellen is niet veilig. Stuur eerst een bericht."))
    elif not form["_safe"]:
        story.append(gettext("Of bellen veilig is, is niet gezegd."))
    story.append(gettext("Meer is er niet gevraagd."))
    return {
        "format": 1,
        "incident": {"happening_now": True, "concrete_threat": True},
        "narrative": " ".join(story),
        "contact": contact,
    }
