"""Staff: who has which role and key, inviting, the first key of a team, and one's own account."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import admissions, epochs, leaving, pinning, teamkeys
from weerbaar_meldpunt.actions import people as accounts
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.people import STAFF_ROLES, STATS, TEAM_ROLES, Person, StaffRow
from weerbaar_meldpunt.actions.teamkeys import fingerprint_words
from weerbaar_meldpunt.rules.vocabulary import ACCOUNT_ROLES, TEAMS

from . import sessions
from .guards import account_required, person, staff_required, stepped_up
from .labels import label
from .place import instance, now, reading, transaction

pages = Blueprint("people", __name__)

GROUPS = (*TEAMS, STATS)


def role_choices() -> list[tuple[str, str]]:
    """Every role that staff can have, with the team where it has one: code and words."""
    found = []
    for role in ACCOUNT_ROLES:
        if role in TEAM_ROLES:
            found += [(f"{role}:{team}", f"{label('account_roles', role)}, {label('teams', team)}") for team in TEAMS]
        elif role in STAFF_ROLES:
            found.append((f"{role}:", label("account_roles", role)))
    return found


def group_label(group: str) -> str:
    """What a team, or who makes the figures, is called."""
    return _("Statistiek") if group == STATS else label("teams", group)


def chosen_roles() -> frozenset[tuple[str, str]]:
    """The roles that were ticked on a form."""
    return frozenset((code.partition(":")[0], code.partition(":")[2]) for code in request.form.getlist("roles"))


def groups_of_mine(me: Person) -> list[str]:
    """The teams, and `statistiek`, that this person belongs to."""
    return [group for group in GROUPS if me.belongs_to(group)]


def group_of_mine(group: str) -> Person:
    """The person, when they belong to this team or to the statistics; else there is no such page."""
    me = person()
    if group not in GROUPS or not me.belongs_to(group):
        abort(404)
    return me


def root_of_session() -> bytes:
    """The ROOT of whoever is signed in, for an act that writes in their bundle."""
    content = sessions.content()
    if content is None or content.root is None:
        abort(401)
    return content.root


@pages.get("/mensen")
@staff_required()
def overview() -> ResponseReturnValue:
    """Staff: who has which role and who holds which key. Addresses for who administers only. Never a reporter."""
    return _overview(errors={})


def _overview(errors: dict[str, str]) -> str:
    me = person()
    mine = groups_of_mine(me)
    watched = GROUPS if me.has("beheerder") else mine
    with reading() as session:
        staff = [row for row in accounts.staff(session, instance()) if _shown_to(me, row)]
        keys = teamkeys.team_keys(session, instance())
        states = {state.group: state for state in epochs.key_states(session, instance(), watched, now=now())}
        waiting = admissions.proposals(session, instance(), mine)
        proposed = {(one.member_id, one.group) for one in waiting}
        changes = [(row, change) for row in staff if (change := leaving.waiting_change(row.noted))]
        mine_to_confirm = {
            row.user_id for row, change in changes
            if me.user_id in leaving.may_confirm(session, row.user_id, row.roles, change, now=now())
        }  # fmt: skip
        held = pinning.compare(session, instance(), me.bundle) if mine else None
    return render_template(
        "people/overview.html", accounts=staff, teams=keys, groups=GROUPS, mine=mine, roles=role_choices(),
        form=request.form, errors=errors, me=me, words=fingerprint_words, states=states, waiting=waiting,
        changes=changes, mine_to_confirm=mine_to_confirm, held=held,
        comparable={row.user_id: _comparable(me, row, proposed) for row in staff},
        lacking={row.user_id: sorted(row.groups() - row.keys) for row in staff},
    )  # fmt: skip


def _shown_to(me: Person, row: StaffRow) -> bool:
    """Who administers or audits sees all staff; others see themselves and who works on the same."""
    mine = {team if role in TEAM_ROLES else role for role, team in me.roles}
    theirs = {team if role in TEAM_ROLES else role for role, team in row.roles}
    return me.has("beheerder") or me.has("auditor") or row.user_id == me.user_id or bool(mine & theirs)


def _comparable(me: Person, row: StaffRow, proposed: set[tuple[bytes, str]]) -> list[str]:
    """The groups for which this person can compare the key of somebody on the list, to propose them."""
    if row.user_id == me.user_id or row.fingerprint is None or row.state != accounts.ACTIVE:
        return []
    lacks = [group for group in GROUPS if group in row.groups() and group not in row.keys]
    return [group for group in lacks if me.ring(group) and (row.user_id, group) not in proposed]


@pages.post("/mensen/uitnodigen")
@staff_required("beheerder")
@stepped_up
def invite() -> ResponseReturnValue:
    """Invite a member of staff, or anew who was switched off; the link is shown once, to be handed over in person."""
    login, name = request.form.get("login", "").strip(), request.form.get("name", "").strip()
    errors: dict[str, str] = {}
    if not login or "@" not in login:
        errors["login"] = _("Vul een e-mailadres in; daarmee logt deze persoon straks in.")
    if not name:
        errors["name"] = _("Vul de naam in.")
    if not chosen_roles():
        errors["roles"] = _("Kies ten minste één rol.")
    if not errors:
        try:
            with transaction() as session:
                token = accounts.invite(
                    session, instance(), login=login, name=name, roles=chosen_roles(), by=person().user_id, now=now()
                )
            link = instance().settings.base_url + url_for("signin.invited", token=token)
            return render_template("people/invited.html", link=link, name=name)
        except NotAllowed as refusal:
            errors["login" if refusal.reason == "login_bestaat" else "roles"] = label("not_allowed", refusal.reason)
    return _overview(errors), 422


@pages.post("/mensen/sleutel/<group>")
@staff_required()
@stepped_up
def found_team(group: str) -> ResponseReturnValue:
    """The first member makes the key of a team. It is used once the administrator pinned its fingerprint."""
    me = group_of_mine(group)
    try:
        with transaction() as session:
            key = teamkeys.found_team(session, instance(), me, root_of_session(), group, now=now())
    except NotAllowed as refusal:
        if refusal.reason != "eerst_sleutels_vergelijken":
            raise
        return redirect(url_for("keys.overview", eerst="ja"), code=303)
    return render_template("people/founded.html", group=group, words=fingerprint_words(key.fingerprint), again=False)


@pages.get("/account")
@account_required
def own_account() -> ResponseReturnValue:
    """One's own account: roles, keys, and the fingerprint to read out to a colleague."""
    me = person()
    words = fingerprint_words(me.pair.public.fingerprint)
    return render_template(
        "people/own.html", me=me, words=words, roles=sorted(me.roles), stats=bool(me.statistics),
        mine=groups_of_mine(me), waiting=bool(me.waiting),
    )  # fmt: skip
