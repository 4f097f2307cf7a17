"""Accounts of staff, the keys of teams and who is admitted to them, and one's own account."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import people as accounts
from weerbaar_meldpunt.actions import teamkeys
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.people import STAFF_ROLES, STATS, TEAM_ROLES, Person, StaffRow
from weerbaar_meldpunt.actions.teamkeys import fingerprint_words
from weerbaar_meldpunt.rules.vocabulary import ACCOUNT_ROLES, TEAMS

from . import sessions
from .guards import account_required, person, staff_required
from .labels import label
from .place import instance, now, reading, transaction

pages = Blueprint("people", __name__)


def role_choices() -> list[tuple[str, str]]:
    """Every role that staff can have, with the team where it has one: code and words."""
    found = []
    for role in ACCOUNT_ROLES:
        if role in TEAM_ROLES:
            found += [(f"{role}:{team}", f"{label('account_roles', role)}, {label('teams', team)}") for team in TEAMS]
        elif role in STAFF_ROLES:
            found.append((f"{role}:", label("account_roles", role)))
    return found


@pages.get("/mensen")
@staff_required()
def overview() -> ResponseReturnValue:
    """Staff: who has which role and who holds which key. Addresses for who administers only. Never a reporter."""
    return _overview(errors={})


def _overview(errors: dict[str, str]) -> str:
    me = person()
    with reading() as session:
        staff = [row for row in accounts.staff(session, instance()) if _shown_to(me, row)]
        teams = teamkeys.team_keys(session, instance())
    return render_template(
        "people/overview.html", accounts=staff, teams=teams, groups=[*TEAMS, STATS], roles=role_choices(),
        form=request.form, errors=errors, me=me, words=fingerprint_words,
        admittable={row.user_id: _admittable(me, row) for row in staff},
    )  # fmt: skip


def _shown_to(me: Person, row: StaffRow) -> bool:
    """Who administers or audits sees all staff; others see themselves and who works on the same."""
    mine = {team if role in TEAM_ROLES else role for role, team in me.roles}
    theirs = {team if role in TEAM_ROLES else role for role, team in row.roles}
    return me.has("beheerder") or me.has("auditor") or row.user_id == me.user_id or bool(mine & theirs)


def _admittable(me: Person, row: StaffRow) -> list[str]:
    """The groups whose key this person could give to somebody of the list."""
    if row.user_id == me.user_id or row.fingerprint is None or row.state != accounts.ACTIVE:
        return []
    found = [team for team in TEAMS if me.teams.get(team) and any((role, team) in row.roles for role in TEAM_ROLES)]
    if me.statistics and ("statistiekredacteur", "") in row.roles:
        found.append(STATS)
    return [group for group in found if group not in row.keys]


@pages.post("/mensen/uitnodigen")
@staff_required("beheerder")
def invite() -> ResponseReturnValue:
    """Invite a member of staff; the link is shown once, to be handed over in person."""
    login, name = request.form.get("login", "").strip(), request.form.get("name", "").strip()
    chosen = request.form.getlist("roles")
    errors: dict[str, str] = {}
    if not login or "@" not in login:
        errors["login"] = _("Vul een e-mailadres in; daarmee logt deze persoon straks in.")
    if not name:
        errors["name"] = _("Vul de naam in.")
    if not chosen:
        errors["roles"] = _("Kies ten minste één rol.")
    if not errors:
        roles = frozenset((code.partition(":")[0], code.partition(":")[2]) for code in chosen)
        try:
            with transaction() as session:
                token = accounts.invite(
                    session, instance(), login=login, name=name, roles=roles, by=person().user_id, now=now()
                )
            link = instance().settings.base_url + url_for("signin.invited", token=token)
            return render_template("people/invited.html", link=link, name=name)
        except NotAllowed as refusal:
            errors["login" if refusal.reason == "login_bestaat" else "roles"] = label("not_allowed", refusal.reason)
    return _overview(errors), 422


def _group_of_mine(group: str) -> Person:
    """The person, when they belong to this team or to the statistics; else there is no such page."""
    me = person()
    if not (me.has("statistiekredacteur") if group == STATS else me.member_of(group)):
        abort(404)
    return me


@pages.post("/mensen/sleutel/<group>")
@staff_required()
def found_team(group: str) -> ResponseReturnValue:
    """The first member makes the key of a team. It is used once the administrator pinned its fingerprint."""
    me, content = _group_of_mine(group), sessions.content()
    if content is None or content.root is None:
        abort(401)
    with transaction() as session:
        key = teamkeys.found_team(session, instance(), me, content.root, group, now=now())
    return render_template("people/founded.html", group=group, words=fingerprint_words(key.fingerprint))


@pages.route("/mensen/toelaten/<group>/<user>", methods=["GET", "POST"])
@staff_required()
def admit(group: str, user: str) -> ResponseReturnValue:
    """Give a colleague the key, after comparing the fingerprint by telephone."""
    me = _group_of_mine(group)
    with reading() as session:
        row = next((row for row in accounts.staff(session, instance()) if row.user_id.hex() == user), None)
    if row is None or row.fingerprint is None:
        abort(404)
    errors: dict[str, str] = {}
    if request.method == "POST":
        if request.form.get("compared") != "ja":
            errors["compared"] = _("Bel uw collega en vergelijk de acht groepjes. Vink daarna dit vakje aan.")
        elif _admitted(me, row, group, errors):
            flash(_("%(name)s heeft nu de sleutel. Vraag om opnieuw in te loggen.", name=row.name), "goed")
            return redirect(url_for("people.overview"), code=303)
    page = render_template(
        "people/admit.html", row=row, group=group, words=fingerprint_words(row.fingerprint), errors=errors
    )
    return page, 422 if errors else 200


def _admitted(me: Person, row: StaffRow, group: str, errors: dict[str, str]) -> bool:
    """Give it to the very key whose fingerprint the page showed; when that changed, the page asks to call again."""
    try:
        shown = bytes.fromhex(request.form.get("fingerprint", ""))
    except ValueError:
        shown = b""
    try:
        with transaction() as session:
            teamkeys.admit(session, instance(), me, row.user_id, group, fingerprint=shown, now=now())
    except NotAllowed as refusal:
        if refusal.reason != "sleutel_veranderd":
            raise
        errors["compared"] = label("not_allowed", refusal.reason)
        return False
    return True


@pages.get("/account")
@account_required
def own_account() -> ResponseReturnValue:
    """One's own account: roles, keys, and the fingerprint to read out to a colleague."""
    me = person()
    words = fingerprint_words(me.pair.public.fingerprint)
    return render_template("people/own.html", me=me, words=words, roles=sorted(me.roles), stats=bool(me.statistics))
