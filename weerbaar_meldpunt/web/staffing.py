"""Accounts in the hands of who administers: roles, leaving, a second person; and a reporter's by its exact login."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import leaving
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.people import DISABLED, StaffRow
from weerbaar_meldpunt.actions.staff import staff_row

from .admission import id_of
from .guards import person, staff_required, stepped_up
from .labels import label
from .people import chosen_roles, group_label, role_choices
from .place import instance, now, reading, transaction

pages = Blueprint("staffing", __name__)


def _row(user: str) -> StaffRow:
    with reading() as session:
        row = staff_row(session, instance(), id_of(user))
    if row is None:
        abort(404)
    return row


@pages.get("/mensen/<user>")
@staff_required("beheerder")
def account(user: str) -> ResponseReturnValue:
    """One staff account: roles, what waits, and how much open work lies with them. No content."""
    return _account(_row(user), {})


def _account(row: StaffRow, errors: dict[str, str]) -> ResponseReturnValue:
    change, me = leaving.waiting_change(row.noted), person()
    with reading() as session:
        tracks = leaving.open_tracks(session, row.user_id)
        may = leaving.may_confirm(session, row.user_id, row.roles, change, now=now()) if change else frozenset()
    alone = change is not None and change.by == me.user_id and me.user_id in may
    chosen = request.form.getlist("roles") if request.method == "POST" else [f"{r}:{t}" for r, t in row.roles]
    page = render_template(
        "people/account.html", row=row, roles=role_choices(), chosen=chosen, tracks=tracks, errors=errors,
        form=request.form, change=change, alone=alone, ended=row.noted.get("ended"), me=person(),
        seen=_seen(row),
    )  # fmt: skip
    return page, 422 if errors else 200


def _seen(row: StaffRow) -> str:
    return " ".join(sorted(f"{role}:{team}" for role, team in row.roles))


def _seen_roles() -> frozenset[tuple[str, str]]:
    parts = (word.partition(":") for word in request.form.get("seen", "").split())
    return frozenset((role, team) for role, _colon, team in parts)


@pages.post("/mensen/<user>/rollen")
@staff_required("beheerder")
@stepped_up
def roles(user: str) -> ResponseReturnValue:
    """Give an account other roles. A team that somebody leaves takes its key along at once."""
    row, errors = _row(user), dict[str, str]()
    try:
        with transaction() as session:
            done = leaving.change_account(
                session, instance(), person(), row.user_id, chosen_roles(), reason=request.form.get("reason", ""),
                seen=_seen_roles(), now=now(),
            )  # fmt: skip
    except NotAllowed as refusal:
        errors["reason" if refusal.reason == "reden_nodig" else "roles"] = label("not_allowed", refusal.reason)
        return _account(_row(user), errors)
    _tell(row, done)
    return redirect(url_for("staffing.account", user=user), code=303)


def _tell(row: StaffRow, done: bool) -> None:
    if done:
        flash(_("Het is veranderd voor %(name)s.", name=row.name), "goed")
    else:
        flash(_("Een tweede persoon moet dit bevestigen. Tot dan verandert er niets. Die krijgt een mail."), "let_op")


@pages.route("/mensen/<user>/uitschakelen", methods=["GET", "POST"])
@staff_required("beheerder")
@stepped_up
def disable(user: str) -> ResponseReturnValue:
    """Switch an account off, after saying what that means: out at once, keys gone, and only a new invitation back."""
    row, errors = _row(user), dict[str, str]()
    if request.method == "POST":
        if request.form.get("sure") != "ja":
            errors["sure"] = _("Vink aan dat u dit account wilt uitschakelen.")
        else:
            try:
                with transaction() as session:
                    done = leaving.change_account(
                        session, instance(), person(), row.user_id, None, reason=request.form.get("reason", ""),
                        now=now(),
                    )  # fmt: skip
                _tell(row, done)
                return redirect(url_for("staffing.account", user=user), code=303)
            except NotAllowed as refusal:
                errors["reason"] = label("not_allowed", refusal.reason)
    with reading() as session:
        tracks = leaving.open_tracks(session, row.user_id)
        thin = leaving.thinned(session, row.user_id, row.roles, None)
    page = render_template(
        "people/disable.html", row=row, tracks=tracks, errors=errors, form=request.form,
        thin=", ".join(group_label(group) for group in sorted(thin)),
    )  # fmt: skip
    return page, 422 if errors else 200


@pages.route("/mensen/<user>/bevestigen", methods=["GET", "POST"])
@staff_required()
@stepped_up
def confirm(user: str) -> ResponseReturnValue:
    """A second person agrees that somebody leaves a team which then has fewer than two who hold its key."""
    me, row = person(), _row(user)
    change = leaving.waiting_change(row.noted)
    if change is None or row.state == DISABLED:
        abort(404)
    with reading() as session:
        thin = leaving.thinned(session, row.user_id, row.roles, change.roles)
        may = leaving.may_confirm(session, row.user_id, row.roles, change, now=now())
        by = staff_row(session, instance(), change.by)
    if me.user_id not in may:
        abort(404)
    if request.method == "POST" and request.form.get("answer") in ("ja", "nee"):
        with transaction() as session:
            if request.form["answer"] == "ja":
                leaving.confirm_change(session, instance(), me, row.user_id, now=now())
                flash(_("U hebt het bevestigd. Het is veranderd voor %(name)s.", name=row.name), "goed")
            else:
                leaving.cancel_change(session, instance(), me, row.user_id, now=now())
                flash(_("Er is niets veranderd voor %(name)s.", name=row.name), "info")
        return redirect(url_for("people.overview"), code=303)
    errors = {"answer": _("Kies ja of nee.")} if request.method == "POST" else {}
    page = render_template(
        "people/confirm.html",
        row=row,
        change=change,
        thin=sorted(thin),
        by=by.name if by else "?",
        errors=errors,
        alone=change.by == me.user_id,
    )
    return page, 422 if errors else 200


@pages.post("/mensen/<user>/afblazen")
@staff_required("beheerder")
@stepped_up
def cancel(user: str) -> ResponseReturnValue:
    """Call off what waits for a second person."""
    row = _row(user)
    with transaction() as session:
        leaving.cancel_change(session, instance(), person(), row.user_id, now=now())
    flash(_("Er is niets veranderd voor %(name)s.", name=row.name), "info")
    return redirect(url_for("staffing.account", user=user), code=303)


# --- a reporter's account ------------------------------------------------------------------------------------------


@pages.route("/mensen/melder", methods=["GET", "POST"])
@staff_required("beheerder")
@stepped_up
def reporter() -> ResponseReturnValue:
    """Whether there is a reporter's account with exactly this login; nothing else is said, and nothing is kept."""
    login, found, errors = request.form.get("login", "").strip(), None, dict[str, str]()
    if request.method == "POST":
        if not login:
            errors["login"] = _("Vul de hele inlognaam in, met het nummer erachter.")
        else:
            with reading() as session:
                user = leaving.find_reporter(session, instance(), login)
            found = user.state if user else "geen"
    page = render_template("people/reporter.html", login=login, found=found, errors=errors)
    return page, 422 if errors else 200


@pages.post("/mensen/melder/schakelen")
@staff_required("beheerder")
@stepped_up
def switch_reporter() -> ResponseReturnValue:
    """Switch a reporter's account off, or on again."""
    login, on = request.form.get("login", ""), request.form.get("to") == "aan"
    if not on and request.form.get("sure") != "ja":
        errors = {"sure": _("Vink aan dat u dit account wilt uitschakelen.")}
        return render_template("people/reporter.html", login=login, found="actief", errors=errors), 422
    with transaction() as session:
        leaving.switch_reporter(session, instance(), person(), login, on=on, now=now())
    flash(_("Het account staat weer aan.") if on else _("Het account is uitgeschakeld."), "goed")
    return redirect(url_for("staffing.reporter"), code=303)
