"""Letting somebody into a team's key: one colleague compares by telephone, another approves."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import admissions, pinning
from weerbaar_meldpunt.actions.admissions import Proposal
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.people import Person, StaffRow
from weerbaar_meldpunt.actions.staff import staff_row
from weerbaar_meldpunt.actions.teamkeys import fingerprint_words

from .guards import person, staff_required, stepped_up
from .labels import label
from .people import group_of_mine, root_of_session
from .place import instance, now, reading, transaction

pages = Blueprint("admission", __name__)


def id_of(text: str) -> bytes:
    """The id in an address; there is no page behind what is none."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        abort(404)


def from_form(name: str) -> bytes:
    """Bytes that a form carried as hex; nothing for anything else."""
    try:
        return bytes.fromhex(request.form.get(name, ""))
    except ValueError:
        return b""


def _candidate(user: str) -> StaffRow:
    with reading() as session:
        row = staff_row(session, instance(), id_of(user))
    if row is None or row.fingerprint is None:
        abort(404)
    return row


@pages.route("/mensen/toelaten/<group>/<user>", methods=["GET", "POST"])
@staff_required()
@stepped_up
def compare(group: str, user: str) -> ResponseReturnValue:
    """A colleague telephones: the fingerprint of the new member, and the digest of all pinned keys."""
    me, row = group_of_mine(group), _candidate(user)
    if not me.ring(group):
        abort(404)
    if row.user_id == me.user_id:
        raise NotAllowed("kan_niet_toelaten")
    errors: dict[str, str] = {}
    if request.method == "POST":
        if request.form.get("compared") != "ja":
            errors["compared"] = _("Bel uw collega en vergelijk alle groepjes. Vink daarna dit vakje aan.")
        elif request.form.get("same") != "ja":
            errors["same"] = _("Vergelijk ook de acht groepjes van alle sleutels samen. Vink daarna dit vakje aan.")
        elif _proposed(me, row, group, errors):
            return _after_proposal(me, row, group)
    with reading() as session:
        held = pinning.compare(session, instance(), me.bundle)
        others = admissions.approvers(session, group, proposed_by=me.user_id, member=row.user_id)
    if not held.in_order:
        return redirect(url_for("keys.overview", eerst="ja"), code=303)
    digest = pinning.digest_of(held.pins)
    page = render_template(
        "people/admit.html", row=row, group=group, words=fingerprint_words(row.fingerprint or b""), digest=digest,
        digest_words=fingerprint_words(digest), errors=errors, alone=others == {me.user_id}, nobody=not others,
    )  # fmt: skip
    return page, 422 if errors else 200


def _proposed(me: Person, row: StaffRow, group: str, errors: dict[str, str]) -> bool:
    """Propose the very key whose fingerprint the page showed; when anything changed, the page asks to call again."""
    try:
        with transaction() as session:
            admissions.propose(
                session, instance(), me, root_of_session(), row.user_id, group, fingerprint=from_form("fingerprint"),
                digest=from_form("digest"), now=now(),
            )  # fmt: skip
    except NotAllowed as refusal:
        if refusal.reason != "sleutel_veranderd":
            raise
        errors["compared"] = label("not_allowed", refusal.reason)
        return False
    return True


def _after_proposal(me: Person, row: StaffRow, group: str) -> ResponseReturnValue:
    with reading() as session:
        may = admissions.approvers(session, group, proposed_by=me.user_id, member=row.user_id)
    if me.user_id in may:
        return redirect(url_for("admission.approve", group=group, user=row.user_id.hex()), code=303)
    flash(_("U hebt vergeleken. Een tweede collega keurt het nu goed; die krijgt een mail."), "goed")
    return redirect(url_for("people.overview"), code=303)


def _proposal(group: str, user: str) -> Proposal:
    with reading() as session:
        found = admissions.proposals(session, instance(), (group,))
    one = next((one for one in found if one.member_id == id_of(user)), None)
    if one is None:
        raise NotAllowed("geen_voorstel_toelating")
    return one


@pages.route("/mensen/toelaten/<group>/<user>/goedkeuren", methods=["GET", "POST"])
@staff_required()
@stepped_up
def approve(group: str, user: str) -> ResponseReturnValue:
    """A second person gives the key, after seeing whom it goes to and who compared."""
    me = group_of_mine(group)
    if not me.ring(group):
        abort(404)
    proposal, errors = _proposal(group, user), dict[str, str]()
    if request.method == "POST":
        if request.form.get("sure") == "ja":
            with transaction() as session:
                admissions.approve(session, instance(), me, proposal.member_id, group, now=now())
            flash(_("%(name)s heeft nu de sleutel. Het team krijgt een mail.", name=proposal.name), "goed")
            return redirect(url_for("people.overview"), code=303)
        errors["sure"] = _("Vink aan dat u deze persoon wilt toelaten.")
    page = render_template(
        "people/approve.html", proposal=proposal, group=group, words=fingerprint_words(proposal.fingerprint),
        errors=errors, me=me, may=me.user_id in proposal.approvers, alone=proposal.proposed_by == me.user_id,
    )  # fmt: skip
    return page, 422 if errors else 200


@pages.post("/mensen/toelaten/<group>/<user>/intrekken")
@staff_required()
@stepped_up
def withdraw(group: str, user: str) -> ResponseReturnValue:
    """Take a proposal away; nothing was given yet."""
    group_of_mine(group)
    with transaction() as session:
        admissions.withdraw(session, instance(), person(), id_of(user), group, now=now())
    flash(_("Het voorstel is weg. Deze persoon heeft geen sleutel gekregen."), "info")
    return redirect(url_for("people.overview"), code=303)
