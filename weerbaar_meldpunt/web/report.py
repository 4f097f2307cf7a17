"""The report: first words, short steps, a draft that stays. Nothing is required, and nothing that was typed is lost."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from weerbaar_meldpunt.actions import reader
from weerbaar_meldpunt.actions.drafts import Draft, discard_draft, draft_cookie, open_draft
from weerbaar_meldpunt.actions.errors import TooLarge
from weerbaar_meldpunt.actions.sessions import new_cookie
from weerbaar_meldpunt.rules.organisations import organisations

from . import calling, drafting, sending, sessions
from .answer_kinds import Answers, organisation_name
from .answers import Faults, check, doubted_number, event_question, read_form, too_much
from .drafting import Shown
from .guards import LONG_TEXT, takes
from .labels import choices
from .place import instance, now, reading, transaction
from .sessions import DRAFT, read_cookie
from .steps import BACK, BY_CODE, EVIDENCE, OFFICE, ON, REVIEW, STOP, Step, after, before, position, step_url

pages = Blueprint("report", __name__)
FIRST: Final = "soort"


@pages.get("/melden/")
def begin() -> ResponseReturnValue:
    """The first words; and for whoever had begun, the way on."""
    drafting.require_ready()
    return render_template("report/begin.html", draft=drafting.current(), content=drafting.has_content)


@pages.get("/melden/<step>")
def step(step: str) -> ResponseReturnValue:
    """One short page of questions, with what was answered before."""
    drafting.require_ready()
    found = _step(step)
    draft = drafting.unsent()
    answers = draft.answers if draft else {}
    # What is wrong is said where it was typed, also to who comes back from the review.
    faults = check(answers, now=now()).faults if draft else {}
    if doubt := doubted_number(answers.get("contact.telephone", "")):
        faults.setdefault("contact.telephone", doubt)
    return _page(found, answers, {name: text for name, text in faults.items() if name in found.fields}), 200


@pages.post("/melden/<step>")
@takes(LONG_TEXT)
def answer(step: str) -> ResponseReturnValue:
    """Keep the answers of a page, whatever they are, and go where the reporter wants."""
    found = _step(step)
    typed = read_form(request.form, found.fields)
    if too_long := too_much(typed):
        return _page(found, typed, too_long), 422
    shown = Shown.of_form()
    current = drafting.current()
    if current is not None and current.sent and shown.draft == current.lookup.hex():
        return sending.sent_already(typed)
    if not drafting.room_for_words(typed):
        full = gettext("Voor zo'n lange tekst hebben wij nu geen plaats. Dat ligt aan ons. Maak hem korter of bel.")
        return _page(found, typed, {found.fields[0]: full}), 507
    try:
        draft, differing = drafting.change(lambda _, draft: (draft, _merged(draft, found, typed, shown)))
    except TooLarge:
        return _page(
            found, typed, {found.fields[0]: gettext("Alles samen is te lang. Stuur een deel als bestand.")}
        ), 422
    if differing:
        return _page(found, draft.answers, {}), 409
    faults = {name: text for name, text in check(draft.answers, now=now()).faults.items() if name in found.fields}
    if faults and request.form.get("doen", ON) == ON:
        return _page(found, draft.answers, faults), 422
    return redirect(_where(found, draft.answers), code=303)


def _merged(draft: Draft, step: Step, typed: Answers, shown: Shown) -> bool:
    return bool(drafting.merge(draft, step.code, step.fields, typed, shown).differing)


def _step(code: str) -> Step:
    if code not in BY_CODE or code == EVIDENCE:
        abort(404)
    return BY_CODE[code]


def _where(step: Step, answers: Answers) -> str:
    """Where a button leads."""
    pressed = request.form.get("doen", ON)
    if pressed == STOP:
        return url_for("report.kept")
    if pressed == OFFICE:
        return url_for("report.step", step=OFFICE, _terug=request.form.get("_terug"))
    if pressed == REVIEW or request.form.get("_terug") == REVIEW:
        return url_for("report.review")
    target = before(step, answers) if pressed == BACK else after(step, answers)
    if target is None:
        return url_for("report.begin") if pressed == BACK else url_for("report.review")
    return step_url(target)


def _page(step: Step, answers: Answers, errors: Faults) -> str:
    draft = drafting.unsent()
    return render_template(
        f"report/{step.code.replace('-', '_')}.html",
        form=answers,
        errors=errors,
        step_title=step.title,
        position=position(step, answers),
        draft=draft,
        page=new_cookie()[:8].hex(),
        others=drafting.other_answers(draft, step.code),
        to_review=request.values.get("_terug") == REVIEW,
        first=before(step, answers) is None,
        event=event_question(answers),
        sharing_choices=choices("sharing"),
        evidence_languages=choices("evidence_languages"),
        relations=[choice for choice in choices("relations") if choice[0] != "zelf"],
        other_roles=[choice for choice in choices("roles") if choice[0] != "onbekend"],
        organisations=sorted(map(organisation_name, organisations().values()), key=str.casefold)
        if step.code == "wie"
        else (),
    )


# --- stopping, coming back, throwing away ----------------------------------------------------------------------------


@pages.get("/melden/bewaard")
def kept() -> ResponseReturnValue:
    """The code to go on with, in this browser or another."""
    draft = drafting.unsent()
    if draft is None:
        return redirect(url_for("report.begin"), code=303)
    return render_template("report/kept.html", draft=draft)


@pages.route("/melden/verder", methods=["GET", "POST"])
def resume() -> ResponseReturnValue:
    """Go on with a draft by its code. 130 bits are not guessed, so no try is counted and none is kept waiting."""
    if request.method == "GET":
        return render_template("report/resume.html")
    typed = request.form.get("code", "")
    cookie = draft_cookie(instance(), typed)
    with reading() as session:
        draft = open_draft(session, cookie, now=now()) if cookie else None
        content = reader.enter(session, instance(), typed, now=now()) if draft is None else None
    if content is not None:  # the code of a report that was sent
        sessions.start(content)
        return redirect(url_for("receipt.case"), code=303)
    if draft is None:
        wrong = gettext("Met deze code vinden wij niets. Kijk de code nog eens na. Een concept bewaren wij 14 dagen.")
        return render_template("report/resume.html", typed=typed, errors={"code": wrong}), 422
    return sending.go_on(draft, typed, sure=request.form.get("doen") == "toch")


@pages.get("/melden/weg")
def before_discarding() -> ResponseReturnValue:
    """Ask once more before words are thrown away that somebody typed."""
    draft = drafting.unsent()
    if not drafting.has_content(draft):
        return redirect(url_for("report.begin"), code=303)
    return render_template("report/discard.html", draft=draft, to=request.args.get("naar", ""))


@pages.post("/melden/weg")
def discard() -> ResponseReturnValue:
    """Throw the draft away, files too; or, once it was sent, let this browser forget it."""
    cookie = read_cookie(request, DRAFT)
    with transaction() as session:
        # Read again under the lock: files of a report that was sent a moment ago are its evidence now.
        draft = open_draft(session, cookie, now=now(), hold=True) if cookie else None
        if draft is not None:
            discard_draft(session, draft)
    if draft is not None:
        drafting.drop_files(draft)
    drafting.keep(None)
    return redirect(url_for("home.danger" if request.form.get("naar") != "opnieuw" else "report.begin"), code=303)


pages.add_url_rule("/melden/nakijken", "review", sending.review, methods=["GET"])
pages.add_url_rule("/melden/nakijken", "send", sending.send, methods=["POST"])
pages.add_url_rule("/melden/ontvangen", "received", sending.received, methods=["GET"])
pages.add_url_rule("/melden/bel-mij", "call_me", calling.call_me, methods=["GET"])
pages.add_url_rule("/melden/bel-mij", "call", calling.call, methods=["POST"])
pages.add_url_rule("/melden/terug-naar-concept", "earlier", sending.earlier, methods=["POST"])
