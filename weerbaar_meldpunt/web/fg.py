"""The functionaris gegevensbescherming: requests of persons named in cases, and datalekken. Steps, no content."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from weerbaar_meldpunt.actions import breaches, linking_decision, requests, samples
from weerbaar_meldpunt.actions.alarms import names_of
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.rules.oversight import (
    BREACH_KINDS,
    BREACH_PERSONS,
    BREACH_STEPS,
    DECISIONS,
    GROUNDS,
    REQUEST_KINDS,
)

from .guards import person, staff_required, stepped_up
from .labels import label, options
from .place import instance, now, reading, transaction
from .show import LOCAL

pages = Blueprint("fg", __name__)
_fg = staff_required("auditor")
_decides = staff_required(*requests.ROLES)
_finds = staff_required(*breaches.MAY_FIND)


@pages.get("/fg")
@_fg
def overview() -> ResponseReturnValue:
    """What waits for the FG, each with how long there is."""
    with reading() as session:
        asked, leaks = requests.requests(session), breaches.breaches(session)
        drawn = samples.samples(session, instance(), months=1)
        linking = linking_decision.current_decision(session, instance(), now=now())
    return render_template(
        "fg/overview.html", requests=[one for one in asked if one.row.closed_at is None],
        breaches=[one for one in leaks if one.row.closed_at is None], drawn=drawn[0] if drawn else None,
        linking=linking, left=left_words,
    )  # fmt: skip


def left_words(due_at: datetime) -> str:
    """How long there is until a moment, in hours: people count those by the hour."""
    seconds = (due_at - now()).total_seconds()
    hours = int(abs(seconds) // 3600)
    if seconds < 0:
        return str(_("%(hours)s uur te laat", hours=hours))
    if hours < 1:
        return str(_("nog %(minutes)s minuten", minutes=int(seconds // 60)))
    return str(_("nog %(hours)s uur", hours=hours))


def read_date(name: str, errors: dict[str, str]) -> date | None:
    """A day out of a form; what is wrong with it in `errors`."""
    try:
        return date.fromisoformat(request.form.get(name, "").strip())
    except ValueError:
        errors[name] = _("Vul een datum in als jjjj-mm-dd.")
        return None


def act(do: Callable[[Session], Any], *, done: str, to: str, again: Callable[[dict[str, str]], str],
        field: str = "") -> ResponseReturnValue:  # fmt: skip
    """One act in one transaction; refused, the page comes again with what was wrong and what was typed."""
    try:
        with transaction() as session:
            do(session)
    except NotAllowed as refusal:
        return again({field: label("not_allowed", refusal.reason)}), 422
    flash(done, "goed")
    return redirect(to, code=303)


# --- requests ------------------------------------------------------------------------------------------------------


@pages.get("/fg/verzoeken")
@_decides
def register() -> ResponseReturnValue:
    """The register of requests."""
    return _register({})


@pages.post("/fg/verzoeken")
@_fg
def receive() -> ResponseReturnValue:
    """A request that came in."""
    errors: dict[str, str] = {}
    day = read_date("received_on", errors)
    if day is None:
        return _register(errors), 422
    kind = request.form.get("kind", "")
    return act(
        lambda session: requests.receive(session, instance(), person(), kind, day, now=now()),
        done=_("Het verzoek staat in het register. Zet het nummer op de brief."),
        to=url_for("fg.register"), again=_register, field="received_on",
    )  # fmt: skip


def _register(errors: dict[str, str]) -> str:
    with reading() as session:
        found = requests.requests(session)
    return render_template(
        "fg/requests.html", found=found, errors=errors, form=request.form, kinds=options_of("request_kinds"),
        today=now().astimezone(LOCAL).date(),
    )  # fmt: skip


def options_of(words: str) -> list[tuple[str, str, str]]:
    """Codes of a list with label and hint, in the order of the rules."""
    order = {"request_kinds": REQUEST_KINDS, "grounds": GROUNDS, "decisions": DECISIONS,
             "breach_kinds": BREACH_KINDS, "breach_persons": BREACH_PERSONS}.get(words)  # fmt: skip
    found = options(words)
    return sorted(found, key=lambda row: order.index(row[0])) if order else found


@pages.get("/fg/verzoeken/<number>")
@_decides
def one(number: str) -> ResponseReturnValue:
    """One request: its steps and what was decided on each ground."""
    return _one(number, {})


def _one(number: str, errors: dict[str, str]) -> str:
    with reading() as session:
        view = _found(session, number)
        who = {one.proposed_by for one in view.decisions} | {one.confirmed_by or b"" for one in view.decisions}
        names = names_of(session, instance(), who)
    return render_template(
        "fg/request.html", view=view, names=names, errors=errors, form=request.form,
        grounds=[row for row in options_of("grounds") if row[0] in view.open_grounds],
        decisions=options_of("decisions"), today=now().astimezone(LOCAL).date(),
    )  # fmt: skip


def _found(session: Session, number: str) -> requests.RequestView:
    try:
        return requests.request_of(session, number)
    except NotAllowed:
        abort(404)


def _on(number: str, do: Callable[[Session], Any], done: str, *, field: str = "") -> ResponseReturnValue:
    return act(
        do, done=done, to=url_for("fg.one", number=number), again=lambda errors: _one(number, errors), field=field
    )


@pages.post("/fg/verzoeken/<number>/<move>")
@_fg
def step(number: str, move: str) -> ResponseReturnValue:
    """Identity seen, more time taken, the letter sent."""
    steps: dict[str, tuple[Callable[..., None], str]] = {
        "identiteit": (requests.see_identity, _("Genoteerd dat u zag wie dit vraagt.")),
        "verlengen": (requests.extend, _("De termijn is verlengd. Laat het de verzoeker vandaag weten.")),
        "beantwoord": (requests.answer, _("Het verzoek is beantwoord en afgehandeld.")),
    }
    if move not in steps:
        abort(404)
    do, done = steps[move]
    return _on(number, lambda session: do(session, instance(), person(), number, now=now()), done)


@pages.post("/fg/verzoeken/<number>/gronden")
@_decides
def propose(number: str) -> ResponseReturnValue:
    """What one person thinks of one ground."""
    ground, outcome = request.form.get("ground", ""), request.form.get("outcome", "")
    return _on(
        number,
        lambda session: requests.propose(session, instance(), person(), number, ground, outcome, now=now()),
        _("Uw voorstel staat klaar. Een tweede persoon bevestigt het."), field="ground",
    )  # fmt: skip


@pages.post("/fg/verzoeken/<number>/gronden/<ground>")
@_decides
@stepped_up
def confirm(number: str, ground: str) -> ResponseReturnValue:
    """The second person agrees, or not."""
    agreed = request.form.get("how") == "ja"
    done = _("Bevestigd: twee personen besloten dit.") if agreed else _("Het voorstel is weggehaald. Praat erover.")
    return _on(
        number,
        lambda session: requests.confirm(session, instance(), person(), number, ground, agreed=agreed, now=now()),
        done,
    )  # fmt: skip


@pages.get("/fg/verzoeken/<number>/brief")
@_fg
def letter(number: str) -> ResponseReturnValue:
    """The letter to print: the same for everybody, so that it neither confirms nor denies."""
    with reading() as session:
        view = _found(session, number)
    if not view.decided or view.granted:
        flash(label("not_allowed", "eerst_besluit"), "let_op")
        return redirect(url_for("fg.one", number=number), code=303)
    return render_template("fg/letter.html", view=view, today=now().astimezone(LOCAL).date())


# --- datalekken ----------------------------------------------------------------------------------------------------


@pages.route("/fg/datalekken", methods=["GET", "POST"])
@_finds
def leaks() -> ResponseReturnValue:
    """The register of datalekken; who finds one notes it here, and the hours run from the moment it was found."""
    if request.method == "GET":
        return _leaks({})
    form, errors = request.form, dict[str, str]()
    day = read_date("found_date", errors)
    try:
        clock = time.fromisoformat(form.get("found_time", "").strip())
    except ValueError:  # of a leak the hour counts, so that none is made up
        return _leaks({"found_time": _("Vul in hoe laat het gevonden is, als uu:mm.")}), 422
    if day is None:
        return _leaks(errors), 422
    found_at = datetime.combine(day, clock, tzinfo=LOCAL)
    return act(
        lambda session: breaches.find(
            session, instance(), person(), kind=form.get("kind", ""), persons=form.get("persons", ""),
            found_at=found_at, now=now(),
        ),
        done=_("Het datalek staat in het register. De 72 uur lopen."), to=url_for("fg.leaks"), again=_leaks,
        field="found_date",
    )  # fmt: skip


def _leaks(errors: dict[str, str]) -> str:
    me = person()
    with reading() as session:
        found = breaches.breaches(session)
        names = names_of(session, instance(), {step.by for view in found for step in view.steps})
    local = now().astimezone(LOCAL)
    return render_template(
        "fg/breaches.html", found=found if me.has("auditor") else [], errors=errors, form=request.form, names=names,
        kinds=options_of("breach_kinds"), persons=options_of("breach_persons"), steps=BREACH_STEPS, left=left_words,
        today=local.date().isoformat(), clock=f"{local:%H:%M}",
        tried=request.view_args.get("number", "") if request.view_args else "",
    )  # fmt: skip


@pages.post("/fg/datalekken/<number>")
@_fg
def leak_step(number: str) -> ResponseReturnValue:
    """A step that was taken on a datalek."""
    chosen, _colon, how = request.form.get("step", "").partition(":")
    return act(
        lambda session: breaches.take_step(session, instance(), person(), number, chosen, how, now=now()),
        done=_("De stap staat in het register."), to=url_for("fg.leaks"), again=_leaks, field=f"step-{number}",
    )  # fmt: skip
