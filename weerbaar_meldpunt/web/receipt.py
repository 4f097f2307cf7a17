"""Coming back with the receipt code: the only key of a report without an account."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from weerbaar_meldpunt.actions import reader
from weerbaar_meldpunt.actions.drafts import draft_cookie, open_draft
from weerbaar_meldpunt.actions.errors import NotYours
from weerbaar_meldpunt.actions.own_acts import PROGRESS, TAKEN_OVER
from weerbaar_meldpunt.actions.reader import OwnCase
from weerbaar_meldpunt.actions.sessions import SessionContent

from . import claims, drafting, own, sending, sessions
from .evidence import MOST_AT_ONCE
from .guards import LONG_TEXT, reader_required, takes
from .place import instance, now, reading

pages = Blueprint("receipt", __name__)


@pages.get("/terug")
def enter() -> ResponseReturnValue:
    """Where the code is typed."""
    found = sessions.content()
    if found is not None and found.kind == "reader":
        return redirect(url_for("receipt.case"), code=303)
    return render_template("receipt/enter.html", typed="", text="", form_id="")


@pages.post("/terug")
@takes(LONG_TEXT)
def come_in() -> ResponseReturnValue:
    """Open the case behind a code.

    No try is counted and nobody is kept waiting: a code has 130 random bits, so guessing is hopeless, while a counter
    would keep out people who mistype at night, and would store that somebody tried. What was written when the session
    had ended comes along, and is sent.
    """
    typed, text = request.form.get("code", ""), request.form.get("text", "")
    with reading() as session:
        content = reader.enter(session, instance(), typed, now=now())
        claim = content is None and reader.is_claim_code(session, instance(), typed)
        cookie = draft_cookie(instance(), typed) if content is None and not claim else None
        draft = open_draft(session, cookie, now=now()) if cookie else None
    if draft is not None and not draft.sent and not text.strip():  # the code of a report that is not sent yet
        return sending.go_on(draft, typed, sure=False)
    if claim:
        return claims.show(typed)
    if content is None:
        wrong = gettext("Met deze code vinden wij geen melding. Kijk hem nog eens na: 27 tekens, hoofdletters of niet.")
        page = render_template(
            "receipt/enter.html", typed=typed, text=text, form_id=request.form.get("form", ""), errors={"code": wrong}
        )
        return page, 422
    if text.strip():
        _, left, errors = own.write(lambda session: _own(session, content))
        if errors:
            page = render_template(
                "receipt/enter.html", typed=typed, text=left, form_id=request.form.get("form", ""), errors=errors
            )
            return page, 422
    sessions.start(content)
    return redirect(url_for("receipt.case"), code=303)


def _own(session: Session, content: SessionContent | None) -> OwnCase:
    keys = reader.reader_of(content) if content else None
    if keys is None:
        raise NotYours
    return reader.own_case(session, instance(), keys)


def _opener(session: Session) -> OwnCase:
    return _own(session, sessions.content())


@pages.get("/mijn-melding")
@reader_required
def case() -> ResponseReturnValue:
    """How it stands, what comes next and by when, and the messages. Or what is left for who may see less."""
    with reading() as session:
        content = sessions.content()
        keys = reader.reader_of(content) if content else None
        standing = reader.standing(session, keys) if keys else ""
        if keys and standing == PROGRESS:
            teams = reader.progress_of(session, instance(), keys)
            return render_template("receipt/progress.html", teams=teams)
        if standing == TAKEN_OVER:
            return render_template("receipt/taken_over.html")
        if not standing:  # another code opens it now, or it is erased: this one is good for nothing any more
            sessions.end()
            return render_template("receipt/over.html"), 410
        found = _opener(session)
    return own.show(found, "receipt")


@pages.post("/mijn-melding")
@takes(MOST_AT_ONCE)
def reply() -> ResponseReturnValue:
    """A message to the team. When the session ended meanwhile, the words are kept in the page that asks the code."""
    content = sessions.content()
    if content is None or content.kind != "reader":
        page = render_template(
            "receipt/enter.html",
            typed="",
            text=request.form.get("text", ""),
            form_id=request.form.get("form", ""),
            ended=True,
            had_files=any(file.filename for file in request.files.getlist("files")),
        )
        return page, 401
    found, text, errors = own.write(_opener)
    if errors:
        return own.show(found, "receipt", text=text, errors=errors), 422
    return redirect(url_for("receipt.case", _anchor="berichten"), code=303)


@pages.get("/mijn-melding/bestand/<attachment>")
@reader_required
def file(attachment: str) -> ResponseReturnValue:
    """Download one of the files of the case."""
    return own.file(_opener, attachment)


@pages.post("/mijn-melding/sluiten")
def leave() -> ResponseReturnValue:
    """End the session of this browser."""
    sessions.end()
    drafting.forget_sent()
    answer = redirect(url_for("home.danger"), code=303)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer
