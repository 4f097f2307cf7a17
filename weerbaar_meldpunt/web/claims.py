"""Taking a report over with a code, without an account or into one; and the code that a team gives."""

from __future__ import annotations

import logging
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from weerbaar_meldpunt.actions import claims, opening, passing_on, rekeying, work
from weerbaar_meldpunt.actions.account_files import next_reader
from weerbaar_meldpunt.actions.alarms import raise_alarm
from weerbaar_meldpunt.actions.barred import Barred, note_barred
from weerbaar_meldpunt.actions.claims import Taken, Waiting
from weerbaar_meldpunt.actions.errors import NotAllowed, NotYours, Onleesbaar
from weerbaar_meldpunt.actions.own_acts import CLAIM, recipients_of
from weerbaar_meldpunt.actions.people import TEAM_ROLES
from weerbaar_meldpunt.actions.sessions import new_cookie
from weerbaar_meldpunt.actions.views import CaseView
from weerbaar_meldpunt.rules.vocabulary import TEAMS

from . import drafting
from .answers import check, read_form
from .guards import LONG_TEXT, person, staff_required, stepped_up, takes
from .labels import label
from .place import instance, now, reading, transaction
from .summary import filed_rows, history_rows

pages = Blueprint("claims", __name__)
LOG = logging.getLogger("meldpunt")
CONTACT: Final = ("contact.telephone", "contact.channel")
TOKEN_BYTES: Final = 32
_TRIES: Final = 3
_worker = staff_required(*TEAM_ROLES)


def fresh_token() -> str:
    """What a form carries from which a code hangs, so that a form sent twice gives one code."""
    return new_cookie()[:TOKEN_BYTES].hex()


# --- taking over -----------------------------------------------------------------------------------------------------


@pages.get("/overnemen")
def enter() -> ResponseReturnValue:
    """Where the code is typed that somebody gave."""
    return render_template("claims/enter.html", typed="")


@pages.post("/overnemen")
def look() -> ResponseReturnValue:
    """What was reported for whoever holds the code, before they decide anything. No try is counted: it has 130 bits."""
    return show(request.form.get("code", ""))


def show(typed: str, *, errors: dict[str, str] | None = None, token: str = "") -> ResponseReturnValue:
    """The report behind a code, with the choice that is asked; or why the code opens nothing."""
    try:
        with reading() as session:
            found = claims.look(session, instance(), typed, now=now())
    except NotAllowed as refusal:
        return _refused(typed, refusal.reason)
    except NotYours:
        return _refused(typed, "code_onbekend")
    except Onleesbaar as fault:
        return _planted(fault)
    page = _look_page(found, typed, errors or {}, token or fresh_token())
    return (page, 422) if errors else page


def _look_page(found: Waiting, typed: str, errors: dict[str, str], token: str) -> str:
    view = found.own.view
    return render_template(
        "claims/take.html", found=found, typed=typed, token=token, errors=errors, told=_told(view),
        form=read_form(request.form, CONTACT), choice=request.form.get("choice", ""),
        where=request.form.get("where", "account"), account=drafting.account(), named=_proxy_name(view),
    )  # fmt: skip


def _told(view: CaseView) -> Any:
    return filed_rows(view.report, view.melding.get("sharing")) if view.readable else []


def _proxy_name(view: CaseView) -> str:
    return ((view.report.get("contact") or {}).get("name") or "").strip() or _("degene die voor u meldde")


def _refused(typed: str, reason: str) -> ResponseReturnValue:
    errors = {"code": label("not_allowed", reason)}
    return render_template("claims/enter.html", typed=typed, errors=errors), 422


def _planted(fault: Onleesbaar) -> ResponseReturnValue:
    """Something behind a code is not as the program left it: shown to nobody, and somebody is told."""
    LOG.error("unreadable object kind=%s route=%s", fault.kind, request.endpoint)
    with transaction() as session:
        raise_alarm(session, instance(), "rij_gewijzigd", "claim", now=now())
    return render_template("errors/unreadable.html"), 422


@pages.post("/overnemen/ja")
def take() -> ResponseReturnValue:
    """The report is theirs: once, with the code they get to see, or under the account they are signed in to."""
    typed, token = request.form.get("code", ""), drafting.form_token_posted()
    if token is None:
        return show(typed)
    account = drafting.account()
    into_account = account is not None and request.form.get("where") == "account"
    form_keys = rekeying.keys_of_form(instance(), token)
    with reading() as session:
        before = claims.taken_before(session, instance(), form_keys)
    if before is not None:  # the same form once more
        return _taken(before, rekeying.code_of_form(token))
    checked = check(read_form(request.form, CONTACT), now=now())
    if checked.faults or checked.report is None:
        return show(typed, errors=dict(checked.faults), token=token)
    given = checked.report.contact.model_dump(mode="json", by_alias=True)
    contact = {key: given[key] for key in ("telephone", "channel") if given[key]}
    for last in range(_TRIES - 1, -1, -1):
        try:
            with transaction() as session:
                keys = form_keys
                if into_account and account is not None:
                    keys = next_reader(session, instance(), account.bundle)
                done = claims.redeem(
                    session, instance(), typed, keys, choice=request.form.get("choice", ""), contact=contact, now=now()
                )
            break
        except IntegrityError:  # the account's next number was taken at that very moment
            if not last:
                raise
        except NotAllowed as refusal:
            if refusal.reason == "meekijken_kiezen":
                return show(typed, errors={"choice": label("not_allowed", refusal.reason)}, token=token)
            if refusal.reason.startswith("code_"):
                return _refused(typed, refusal.reason)
            raise
        except NotYours:
            return _refused(typed, "code_onbekend")
        except Onleesbaar as fault:
            return _planted(fault)
    return _taken(done, None if into_account else rekeying.code_of_form(token))


def _taken(done: Taken, code: str | None) -> ResponseReturnValue:
    return render_template("claims/taken.html", done=done, code=code)


# --- for a member of a team ------------------------------------------------------------------------------------------


def _opened(reference: str) -> tuple[opening.Opening, CaseView]:
    with transaction() as session:
        noted = opening.note_opening(session, instance(), person(), reference.upper(), now=now(), team=_team())
    try:
        with reading() as session:
            return noted, opening.open_case(session, instance(), person(), noted)
    except (Barred, Onleesbaar):
        with transaction() as session:
            note_barred(session, instance(), person(), noted.case_id, now=now())
        raise


def _team() -> str | None:
    team = request.values.get("team")
    return team if team in TEAMS else None


def _member_page(reference: str, *, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    noted, case = _opened(reference)
    sharing = case.melding.get("sharing") or {}
    page = render_template(
        "claims/member.html", case=case, team=noted.team, errors=errors or {}, form=request.form, token=fresh_token(),
        readers=[one for one in recipients_of(noted.case_id, case.melding) if one.role != CLAIM],
        until=case.melding.get("claim_until"), told=passing_on.TO_WHOM, may=sharing.get("met") or [],
        via=sharing.get("via") or "", passed=passing_on.passed_on(case),
        earlier=history_rows(case.melding.get("history") or []), has_private=case.has_private,
    )  # fmt: skip
    return (page, 422) if errors else page


@pages.get("/zaak/<reference>/melder")
@_worker
def member(reference: str) -> ResponseReturnValue:
    """The reporter's side of a case: who looks along, what may be told, what was; and a code for who lost theirs."""
    return _member_page(reference)


@pages.post("/zaak/<reference>/melder/code")
@takes(LONG_TEXT)
@_worker
@stepped_up
def give_code(reference: str) -> ResponseReturnValue:
    """A code for somebody whom this member knows for sure."""
    token = drafting.form_token_posted()
    if token is None:
        return _member_page(reference)
    reason, identity = request.form.get("reason", ""), request.form.get("identity", "")
    if request.form.get("sure") != "ja":
        return _member_page(reference, errors={"sure": _("Weet u zeker wie dit is? Vink dit dan aan.")})
    try:
        with transaction() as session:
            held = work.hold(session, instance(), person(), reference.upper(), now=now(), team=_team())
            code = claims.new_claim_by_team(held, token, reason=reason, identity=identity)
            private = claims.passes_private(held)
    except Barred:
        raise
    except NotAllowed as refusal:
        field = "identity" if refusal.reason == "reden_nodig" and reason.strip() else "reason"
        return _member_page(reference, errors={field: label("not_allowed", refusal.reason)})
    until = now() + claims.LASTS
    return render_template(
        "claims/given.html", code=code, until=until, private=private, reference=reference.upper(), team=_team()
    )


@pages.post("/zaak/<reference>/melder/doorgegeven")
@takes(LONG_TEXT)
@_worker
def passed_on(reference: str) -> ResponseReturnValue:
    """Something left the house; the reporter reads it."""
    to, text, why = request.form.get("to_whom", ""), request.form.get("passed", ""), request.form.get("why", "")
    try:
        with transaction() as session:
            held = work.hold(session, instance(), person(), reference.upper(), now=now(), team=_team())
            passing_on.note_passed_on(held, to, text, why=why)
    except Barred:
        raise
    except NotAllowed as refusal:
        field = {"aan_wie": "to_whom", "reden_zonder_toestemming": "why"}.get(refusal.reason, "passed")
        return _member_page(reference, errors={field: label("not_allowed", refusal.reason)})
    flash(_("Genoteerd. De melder leest dit ook."), "goed")
    return redirect(url_for("claims.member", reference=reference, team=_team()), code=303)
