"""The figures: what is published, for everybody, and the work on the next edition, for its editors.

A public page is the same for everybody who asks for it, signed in or not: it may be kept by any cache, and other
programs may read it.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import editions, figures
from weerbaar_meldpunt.actions.figure_facts import end_of
from weerbaar_meldpunt.actions.figures import Unpublishable
from weerbaar_meldpunt.documents.figures_csv import codes_csv, counts_csv
from weerbaar_meldpunt.documents.figures_grid import sections
from weerbaar_meldpunt.documents.figures_method import table_rows
from weerbaar_meldpunt.documents.figures_text import PROMISE, month_name, sentences
from weerbaar_meldpunt.rules.figure_edition import Edition, all_blocks
from weerbaar_meldpunt.rules.figure_periods import is_month, last_month
from weerbaar_meldpunt.rules.figure_tables import SMALLEST_POPULATION

from .guards import person, staff_required
from .place import instance, now, reading, transaction

pages = Blueprint("figures", __name__)

_KEPT_SECONDS: Final = 300


# --- for everybody -------------------------------------------------------------------------------------------------


@pages.get("/cijfers/")
def public() -> ResponseReturnValue:
    """Which months are published, what the numbers promise, and the files to take along."""
    with reading() as session:
        periods = editions.published_periods(session)
        newest = editions.published_edition(session, instance(), periods[0]) if periods else None
    return _public_page("figures/public.html", periods=periods, newest=newest, promise=PROMISE, month_name=month_name)


@pages.get("/cijfers/<period>")
def edition(period: str) -> ResponseReturnValue:
    """The edition of a month."""
    if not is_month(period):
        abort(404)
    with reading() as session:
        found = editions.published_edition(session, instance(), period)
        before = editions.published_edition(session, instance(), last_month(period)) if found else None
    if found is None:
        abort(404)
    return _public_page("figures/edition.html", name=month_name(period), promise=PROMISE, **_shown(found, before))


@pages.get("/cijfers/methode")
def method() -> ResponseReturnValue:
    """How the numbers are made, and what they promise."""
    return _public_page("figures/method.html", promise=PROMISE, tables=table_rows(), smallest=SMALLEST_POPULATION)


@pages.get("/cijfers/<any(meldingen, afgehandeld):measure>.csv")
def counts(measure: str) -> ResponseReturnValue:
    """All published periods of a measure in one file."""
    with reading() as session:
        published = editions.published_editions(session, instance())
    return _public_file(counts_csv(all_blocks(published, measure)), f"{measure}.csv")


@pages.get("/cijfers/codes.csv")
def codes() -> ResponseReturnValue:
    """The codes of the tables, and how they nest."""
    return _public_file(codes_csv(), "codes.csv")


def _shown(found: Edition, before: Edition | None) -> dict[str, Any]:
    return {"edition": found, "sections": sections(found), "sentences": sentences(found, before)}


def _public_page(template: str, **values: Any) -> Response:
    # Nothing of who asks: not their name, not the messages that wait for them.
    nobody: dict[str, Any] = {
        "person": None, "content": None, "session_left": lambda: None, "get_flashed_messages": lambda **_: [],
    }  # fmt: skip
    return _public(make_response(render_template(template, **nobody, **values)))


def _public_file(content: bytes, name: str) -> Response:
    answer = make_response(content)
    answer.headers["Content-Type"] = "text/csv; charset=utf-8; header=present"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return _public(answer)


def _public(answer: Response) -> Response:
    answer.headers["X-Public"] = "1"  # taken off again where the headers of all pages are set
    answer.headers["Cache-Control"] = f"public, max-age={_KEPT_SECONDS}"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


# --- for the editors -----------------------------------------------------------------------------------------------


@pages.get("/cijfers/beheer")
@staff_required(figures.ROLE)
def manage() -> ResponseReturnValue:
    """Where each edition stands, and what is to be done next."""
    with reading() as session:
        states = editions.edition_states(session, instance())
        period = figures.next_period(session)
    return render_template(
        "figures/manage.html", states=states, period=period, over=now() >= end_of(period), me=person(),
        month_name=month_name,
    )  # fmt: skip


@pages.route("/cijfers/beheer/afsluiten", methods=["GET", "POST"])
@staff_required(figures.ROLE)
def close() -> ResponseReturnValue:
    """Close the month whose turn it is, after saying what that means."""
    with reading() as session:
        period = figures.next_period(session)
    errors: dict[str, str] = {}
    if request.method == "POST":
        period = request.form.get("period", "")
        if not is_month(period):
            abort(400)
        if request.form.get("sure") != "ja":
            errors["sure"] = _("Vink aan dat u deze maand wilt afsluiten.")
        else:
            try:
                with transaction() as session:
                    figures.close_month(session, instance(), person(), period, now=now())
            except Unpublishable:
                return _stays_open(period)
            flash(_("De maand is afgesloten. Een andere statistiekredacteur kijkt de cijfers nu na."), "goed")
            return redirect(url_for("figures.judge", period=period), code=303)
    page = render_template("figures/close.html", period=period, name=month_name(period), errors=errors)
    return page, 422 if errors else 200


def _stays_open(period: str) -> ResponseReturnValue:
    return render_template("figures/stays_open.html", name=month_name(period)), 409


@pages.get("/cijfers/beheer/<period>")
@staff_required(figures.ROLE)
def judge(period: str) -> ResponseReturnValue:
    """An edition before it is public, with what the editor may do with it."""
    return _judge(period, {})


def _judge(period: str, errors: dict[str, str]) -> ResponseReturnValue:
    with reading() as session:
        found = editions.prepared_edition(session, instance(), period)
        before = editions.prepared_edition(session, instance(), last_month(period)) if found else None
        state = next((one for one in editions.edition_states(session, instance()) if one.period == period), None)
    if found is None or state is None:
        abort(404)
    page = render_template(
        "figures/judge.html", state=state, name=month_name(period), own=state.prepared_by == person().user_id,
        promise=PROMISE, errors=errors, **_shown(found, before),
    )  # fmt: skip
    return page, 422 if errors else 200


@pages.post("/cijfers/beheer/<period>/goedkeuren")
@staff_required(figures.ROLE)
def approve(period: str) -> ResponseReturnValue:
    """Agree with what a colleague prepared."""
    if request.form.get("sure") != "ja":
        return _judge(period, {"sure": _("Vink aan dat u de cijfers hebt nagekeken.")})
    with transaction() as session:
        figures.approve(session, instance(), person(), period, now=now())
    flash(_("U hebt de cijfers goedgekeurd. Ze kunnen nu worden gepubliceerd."), "goed")
    return redirect(url_for("figures.judge", period=period), code=303)


@pages.post("/cijfers/beheer/<period>/publiceren")
@staff_required(figures.ROLE)
def publish(period: str) -> ResponseReturnValue:
    """Make an approved edition public, for good."""
    if request.form.get("sure") != "ja":
        return _judge(period, {"sure": _("Vink aan dat u deze cijfers wilt publiceren.")})
    try:
        with transaction() as session:
            figures.publish(session, instance(), person(), period, now=now())
    except Unpublishable:
        return _stays_open(period)
    flash(_("De cijfers zijn gepubliceerd."), "goed")
    return redirect(url_for("figures.manage"), code=303)
