"""The monthly sample of openings, from both sides; and the decision of the FG that switches linking on."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import linking_decision, samples
from weerbaar_meldpunt.actions.alarms import names_of
from weerbaar_meldpunt.actions.people import TEAM_ROLES
from weerbaar_meldpunt.rules.oversight import JUDGEMENTS, LINKING_GROUNDS, REASONS

from .fg import act, read_date
from .guards import person, staff_required, stepped_up
from .labels import label
from .paths import read_id
from .place import instance, now, reading
from .show import LOCAL

pages = Blueprint("sampling", __name__)
_fg = staff_required("auditor")
_member = staff_required(*TEAM_ROLES)


# --- who opened ----------------------------------------------------------------------------------------------------


@pages.get("/mijn-openingen")
@_member
def mine() -> ResponseReturnValue:
    """The openings of which this member is asked why."""
    return _mine({})


def _mine(errors: dict[str, str]) -> str:
    with reading() as session:
        found = samples.asked_of(session, instance(), person())
    return render_template(
        "fg/reasons.html", found=found, errors=errors, form=request.form,
        reasons=[(code, label("reasons", code)) for code in REASONS],
        tried=request.view_args.get("sample", "") if request.view_args else "",
    )  # fmt: skip


@pages.post("/mijn-openingen/<sample>")
@_member
def give_reason(sample: str) -> ResponseReturnValue:
    """Why this was opened; once."""
    reason, words = request.form.get("reason", ""), request.form.get("words", "")
    return act(
        lambda session: samples.give_reason(
            session, instance(), person(), read_id(sample) or b"", reason, words, now=now()
        ),
        done=_("Dank u. De functionaris gegevensbescherming leest uw reden."), to=url_for("sampling.mine"),
        again=_mine, field=f"reason-{sample}",
    )  # fmt: skip


# --- the FG --------------------------------------------------------------------------------------------------------


@pages.get("/fg/steekproef")
@_fg
def overview() -> ResponseReturnValue:
    """The draws of the last year with the reasons that were given."""
    return _overview({})


def _overview(errors: dict[str, str]) -> str:
    with reading() as session:
        found = samples.samples(session, instance())
    return render_template(
        "fg/samples.html", found=found, errors=errors,
        judgements=[(code, label("judgements", code)) for code in JUDGEMENTS],
    )  # fmt: skip


@pages.post("/fg/steekproef/<sample>")
@_fg
def judge(sample: str) -> ResponseReturnValue:
    """What the FG thinks of an opening."""
    judgement = request.form.get("judgement", "")
    return act(
        lambda session: samples.judge(session, instance(), person(), read_id(sample) or b"", judgement, now=now()),
        done=_("Uw oordeel is bewaard."), to=url_for("sampling.overview"), again=_overview,
        field=f"judgement-{sample}",
    )  # fmt: skip


@pages.route("/fg/koppelen", methods=["GET", "POST"])
@_fg
@stepped_up
def linking() -> ResponseReturnValue:
    """Whether linking is on, by which decision; and a new decision."""
    if request.method == "GET":
        return _linking({})
    form, errors = request.form, dict[str, str]()
    starts, review, until = (read_date(name, errors) for name in ("starts_on", "review_on", "until"))
    if starts is None or review is None or until is None:
        return _linking(errors), 422
    if form.get("sure") != "ja":
        return _linking({"sure": _("Lees na wat er aan gaat, en vink dit dan aan.")}), 422
    return act(
        lambda session: linking_decision.decide(
            session, instance(), person(), purpose=form.get("purpose", ""), ground=form.get("ground", ""),
            starts_on=starts, review_on=review, until=until, now=now(),
        ),
        done=_("Het besluit is genomen. Koppelen gaat vanzelf uit na de laatste dag."),
        to=url_for("sampling.linking"), again=_linking, field="purpose",
    )  # fmt: skip


def _linking(errors: dict[str, str]) -> str:
    with reading() as session:
        current = linking_decision.current_decision(session, instance(), now=now())
        found = linking_decision.decisions(session)
        names = names_of(session, instance(), {one.decided_by for one in found})
    return render_template(
        "fg/linking.html", holds=current, found=found, names=names, errors=errors, form=request.form,
        grounds=[(code, label("linking_grounds", code)) for code in LINKING_GROUNDS],
        today=now().astimezone(LOCAL).date(),
    )  # fmt: skip


@pages.post("/fg/koppelen/<decision>")
@_fg
@stepped_up
def end_linking(decision: str) -> ResponseReturnValue:
    """Linking off before its time."""
    return act(
        lambda session: linking_decision.end(session, instance(), person(), read_id(decision) or b"", now=now()),
        done=_("Koppelen is uit."), to=url_for("sampling.linking"), again=_linking,
    )  # fmt: skip
