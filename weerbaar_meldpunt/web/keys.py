"""The keys a member believes: comparing what is new, colleagues' fingerprints, and making a team's next key."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from weerbaar_meldpunt.actions import epochs, pinning, resealing, rewrap, teamkeys
from weerbaar_meldpunt.actions.alarms import raise_alarm
from weerbaar_meldpunt.actions.catching_up import catch_up_at_signin
from weerbaar_meldpunt.actions.errors import NotAllowed
from weerbaar_meldpunt.actions.people import KEY_ROLES, STATS
from weerbaar_meldpunt.actions.pinning import Planted
from weerbaar_meldpunt.actions.teamkeys import fingerprint_words

from . import sessions
from .admission import from_form, id_of
from .guards import person, staff_required, stepped_up
from .labels import label
from .people import group_of_mine, groups_of_mine, root_of_session
from .place import instance, now, reading, transaction
from .sessions import Member

pages = Blueprint("keys", __name__)
LOG = logging.getLogger("meldpunt")


# --- what was planted ----------------------------------------------------------------------------------------------


@pages.app_errorhandler(Planted)
def planted(fault: Planted) -> ResponseReturnValue:
    """Refused, in words; and an alarm in a transaction of its own, since the refusal undid the other."""
    with transaction() as session:
        raise_alarm(session, instance(), fault.alarm, fault.about, now=now())
    LOG.error("ALARM: %s", fault.alarm)
    return render_template("errors/not_allowed.html", reason=fault.reason), 403


@pages.after_app_request
def alarm_refused(response: Response) -> Response:
    """A grant that this request found not to give the pinned key: it was left out, and whoever keeps watch hears it."""
    me = current_user.person if isinstance(current_user._get_current_object(), Member) else None
    if me is not None and me.looked and me.refused:
        with transaction() as session:
            for name in me.refused:
                about = f"{name} {me.user_id.hex()}"
                raise_alarm(session, instance(), teamkeys.GRANT_PLANTED, about, now=now())
    return response


# --- what this person believes -------------------------------------------------------------------------------------


@pages.get("/sleutels")
@staff_required(*KEY_ROLES)
def overview() -> ResponseReturnValue:
    """Which keys there are, which are new to this person, and where the keys of their teams stand."""
    me = person()
    mine = groups_of_mine(me)
    with reading() as session:
        held = pinning.compare(session, instance(), me.bundle)
        states = epochs.key_states(session, instance(), mine, now=now())
        rewraps = {team: rewrap.wraps_left(session, instance(), team) for team in me.teams}
    digest = instance().pins().digest
    return render_template(
        "keys/overview.html", me=me, mine=mine, held=held, states=states, digest=digest, words=fingerprint_words,
        pins=instance().pins().lines, digest_words=fingerprint_words(digest), errors={},
        own=fingerprint_words(me.pair.public.fingerprint), first=request.args.get("eerst") == "ja",
        rewraps=rewraps,
    )  # fmt: skip


@pages.post("/sleutels/vergeleken")
@staff_required(*KEY_ROLES)
@stepped_up
def accept() -> ResponseReturnValue:
    """The digest was compared with a colleague, or each new key with paper: from now on this person believes them."""
    if request.form.get("compared") != "ja":
        flash(_("Vergelijk eerst de groepjes met een collega. Vink daarna het vakje aan."), "let_op")
        return redirect(url_for("keys.overview"), code=303)
    try:
        with transaction() as session:
            new = pinning.accept(
                session, instance(), person().user_id, root_of_session(), digest=from_form("digest"), now=now()
            )
            if (own := sessions.content()) is not None:  # RECOVERY may be among them, and get what it lacks
                catch_up_at_signin(session, instance(), own, now=now())
    except Planted:
        raise
    except NotAllowed as refusal:
        flash(label("not_allowed", refusal.reason), "fout")
        return redirect(url_for("keys.overview"), code=303)
    flash(_("Vastgelegd. Aantal nieuwe sleutels: %(number)s.", number=len(new)), "goed")
    return redirect(url_for("keys.overview"), code=303)


@pages.route("/sleutels/collega/<group>/<user>", methods=["GET", "POST"])
@staff_required(*KEY_ROLES)
@stepped_up
def colleague(group: str, user: str) -> ResponseReturnValue:
    """Compare the fingerprint of a colleague who is on the list already, before giving them the next key."""
    me = group_of_mine(group)
    with reading() as session:
        found = [one for one in epochs.coming(session, instance(), me, group) if one.user_id == id_of(user)]
    if not found:
        abort(404)
    one, errors = found[0], dict[str, str]()
    if request.method == "POST":
        if request.form.get("compared") != "ja":
            errors["compared"] = _("Bel uw collega en vergelijk alle groepjes. Vink daarna dit vakje aan.")
        elif from_form("fingerprint") != one.key.fingerprint:
            errors["compared"] = label("not_allowed", "sleutel_veranderd")
        else:
            with transaction() as session:
                pinning.keep_colleague(session, root_of_session(), me.user_id, one.key)
            flash(_("De vingerafdruk van %(name)s is vergeleken.", name=one.name), "goed")
            return redirect(url_for("keys.renew", group=group), code=303)
    page = render_template(
        "keys/colleague.html", one=one, group=group, words=fingerprint_words(one.key.fingerprint), errors=errors
    )
    return page, 422 if errors else 200


# --- the next key --------------------------------------------------------------------------------------------------


@pages.route("/sleutels/nieuw/<group>", methods=["GET", "POST"])
@staff_required(*KEY_ROLES)
@stepped_up
def renew(group: str) -> ResponseReturnValue:
    """Make a team's next key, after seeing who gets it and who does not."""
    me, errors = group_of_mine(group), dict[str, str]()
    with reading() as session:
        members = epochs.coming(session, instance(), me, group)
        states = epochs.key_states(session, instance(), (group,), now=now())
    if not states:
        abort(404)
    waiting = states[0].waiting
    without = {id_of(user) for user in request.form.getlist("without")}
    if request.method == "POST":
        missing = [one for one in members if not one.compared and one.user_id not in without]
        if missing:
            errors[f"without-{missing[0].user_id.hex()}"] = _(
                "Vergelijk eerst met deze collega’s, of kies dat zij de sleutel later krijgen."
            )
        elif request.form.get("sure") != "ja":
            errors["sure"] = _("Vink aan dat u een nieuwe sleutel wilt maken.")
        else:
            with transaction() as session:
                key = epochs.new_epoch(
                    session, instance(), me, root_of_session(), group, without=without,
                    replaces=from_form("replaces") or None, now=now(),
                )  # fmt: skip
            words = fingerprint_words(key.fingerprint)
            return render_template("people/founded.html", group=group, words=words, again=True)
    page = render_template(
        "keys/renew.html", group=group, members=members, state=states[0], me=me, errors=errors, without=without,
        waiting=waiting, waiting_words=fingerprint_words(waiting.fingerprint) if waiting else "",
    )  # fmt: skip
    return page, 422 if errors else 200


@pages.post("/sleutels/cijfers")
@staff_required("statistiekredacteur")
@stepped_up
def reseal() -> ResponseReturnValue:
    """Seal the figures under the new key of the statistics."""
    group_of_mine(STATS)
    with transaction() as session:
        count = resealing.reseal_figures(session, instance(), person(), now=now())
    flash(_("De cijfers zijn opnieuw verzegeld. Aantal: %(number)s.", number=count), "goed")
    return redirect(url_for("keys.overview"), code=303)
