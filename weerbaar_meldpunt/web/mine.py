"""The reports of an account: found in the session, with keys that stand nowhere."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from weerbaar_meldpunt.actions import reader, rekeying
from weerbaar_meldpunt.actions.reader import OwnCase

from . import drafting, own
from .evidence import MOST_AT_ONCE
from .guards import account_required, person, signed_in, takes
from .own import Opener
from .place import instance, now, reading, transaction

pages = Blueprint("mine", __name__)


@pages.get("/mijn-meldingen")
@account_required
def overview() -> ResponseReturnValue:
    """All reports of this account, newest first; those it only follows, and the drafts it did not send yet."""
    with reading() as session:
        found = reader.own_cases(session, instance(), person())
        beside = reader.beside(session, instance(), person())
        drafts = drafting.of_account(session)
    return render_template(
        "mine/overview.html", cases=[(one, own.progress(one)) for one in found], beside=beside, drafts=drafts
    )


@pages.post("/mijn-meldingen/concept")
@account_required
def resume() -> ResponseReturnValue:
    """Go on with a draft of this account, begun here or elsewhere."""
    with reading() as session:
        drafts = {draft.lookup.hex(): draft for draft in drafting.of_account(session)}
    found = drafts.get(request.form.get("which", ""))
    if found is None:
        return redirect(url_for("mine.overview"), code=303)
    standing = drafting.unsent()
    lost = standing is not None and not standing.in_account and drafting.has_content(standing)
    if standing is not None and lost and request.form.get("doen") != "toch":
        return render_template("mine/other_draft.html", standing=standing, which=found.lookup.hex()), 409
    drafting.keep(found)
    return redirect(url_for("report.review"), code=303)


def _opener(reference: str) -> Opener:
    def opened(session: Session) -> OwnCase:
        keys = reader.account_reader(session, instance(), person(), reference).keys
        return reader.own_case(session, instance(), keys)

    return opened


@pages.get("/mijn-meldingen/<reference>")
@account_required
def case(reference: str) -> ResponseReturnValue:
    """How it stands, what comes next and by when, and the messages."""
    with reading() as session:
        one = reader.account_reader(session, instance(), person(), reference)
    if not one.current:  # the first opening since "iemand kent het misschien": from here on under the new keys
        with transaction() as session:
            rekeying.rekey_old(session, instance(), person(), one, now=now())
    with reading() as session:
        found = _opener(reference)(session)
    return own.show(found, "mine")


@pages.post("/mijn-meldingen/<reference>")
@takes(MOST_AT_ONCE)
def reply(reference: str) -> ResponseReturnValue:
    """A message to the team. Who is not signed in any more gets the words back on the page that says so."""
    if signed_in() is None:
        abort(401)
    found, text, errors = own.write(_opener(reference))
    if errors:
        return own.show(found, "mine", text=text, errors=errors), 422
    return redirect(url_for("mine.case", reference=reference, _anchor="berichten"), code=303)


@pages.get("/mijn-meldingen/<reference>/bestand/<attachment>")
@account_required
def file(reference: str, attachment: str) -> ResponseReturnValue:
    """Download one of the files of the case."""
    return own.file(_opener(reference), attachment)
