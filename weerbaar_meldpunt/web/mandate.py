"""Who looks along with one's own case, and under which code or account it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from weerbaar_meldpunt.actions import claims, mandate, reader, rekeying
from weerbaar_meldpunt.actions.errors import NotAllowed, NotYours
from weerbaar_meldpunt.actions.own_acts import MELDER, OwnHeld
from weerbaar_meldpunt.actions.sessions import start_content

from . import mine, sessions
from .claims import fresh_token
from .drafting import form_token_posted
from .guards import account_required, person
from .labels import label
from .own_room import Room, room_page
from .place import instance, now, reading, transaction

_TRIES = 3


def _act(room: Room, do: Callable[[OwnHeld], Any]) -> Any:
    """One act on the own case, in a transaction; once more when two took the same number of an account at once."""
    for last in range(_TRIES - 1, -1, -1):
        try:
            with transaction() as session:
                return do(room.held(session))
        except IntegrityError:
            if not last:
                raise
    raise AssertionError("the last try answers or raises")


# --- who looks along -------------------------------------------------------------------------------------------------


@room_page("/meekijken", "mandate")
def show(room: Room) -> ResponseReturnValue:
    """Everybody of the reporter's side and what they may see; and the way to change that."""
    return _page(room)


def _page(room: Room, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    with reading() as session:
        own = room.own(session)
        key_id = own.reader.pair(own.case_id).public.key_id
        shown = mandate.looks_along(session, own.case_id, own.view.melding, key_id=key_id) if own.view.readable else []
    most = mandate.most_seen(shown)
    less = [code for code in mandate.CHOICES if list(mandate.CHOICES).index(code) < list(mandate.CHOICES).index(most)]
    page = render_template(
        "receipt/mandate.html", room=room, own=own, shown=shown, most=most, less=less, errors=errors or {},
        until=mandate.claim_until(own.view.melding), token=fresh_token(),
        taken_over=any(one.role == MELDER for one in shown),
    )  # fmt: skip
    return (page, 422) if errors else page


@room_page("/meekijken", "change_mandate", methods=("POST",))
def change(room: Room) -> ResponseReturnValue:
    """Let the proxy see less, from now on."""
    choice = request.form.get("choice", "")
    try:
        _act(room, lambda held: mandate.change(held, choice))
    except NotAllowed as refusal:
        return _page(room, {"choice": label("not_allowed", refusal.reason)})
    flash(_("Dat geldt vanaf nu. Wat al gelezen is, kunnen wij niet terughalen."), "goed")
    return redirect(room.url("mandate"), code=303)


@room_page("/meekijken/stoppen", "lay_down", followers=True)
def before_laying_down(room: Room) -> ResponseReturnValue:
    """Ask once more: the proxy cannot come back by themselves."""
    with reading() as session:
        keys = room.keys(session)
        following = reader.standing(session, keys) == "voortgang"
        taken_over = following or _taken_over(room, session)
    return render_template("receipt/lay_down.html", room=room, following=following, taken_over=taken_over)


def _taken_over(room: Room, session: Any) -> bool:
    own = room.own(session)
    return any(role == MELDER for _raw, role in own.view.melding["recipients"]["A"]["readers"])


@room_page("/meekijken/stoppen", "laid_down", methods=("POST",), followers=True)
def lay_down(room: Room) -> ResponseReturnValue:
    """The proxy looks along no more."""
    with transaction() as session:
        mandate.lay_down(session, instance(), room.keys(session), now=now())
    flash(_("U kijkt niet meer mee."), "goed")
    return redirect(url_for("mine.overview") if room.by_account else room.url("case"), code=303)


@room_page("/meekijken/code", "hand_over", methods=("POST",))
def hand_over(room: Room) -> ResponseReturnValue:
    """A new code by which the proxy hands the report over; an older one stops working."""
    token = form_token_posted()
    if token is None:
        return redirect(room.url("mandate"), code=303)
    try:
        code = _act(room, lambda held: claims.new_claim(held, token))
    except NotAllowed as refusal:
        return _page(room, {"": label("not_allowed", refusal.reason)})
    return render_template("receipt/claim_code.html", room=room, code=code, until=now() + claims.LASTS)


@room_page("/meekijken/code-weg", "cancel_code", methods=("POST",))
def cancel_code(room: Room) -> ResponseReturnValue:
    """A code that nobody used yet stops working."""
    try:
        _act(room, mandate.cancel_claim)
    except NotAllowed as refusal:
        return _page(room, {"": label("not_allowed", refusal.reason)})
    flash(_("De code werkt niet meer."), "goed")
    return redirect(room.url("mandate"), code=303)


# --- another code, an account, no account ----------------------------------------------------------------------------


@room_page("/nieuwe-code", "new_code")
def before_new_code(room: Room) -> ResponseReturnValue:
    """What a new code does, before it is made."""
    with reading() as session:
        room.own(session)
    return render_template("receipt/new_code.html", room=room, token=fresh_token())


@room_page("/nieuwe-code", "renew_code", methods=("POST",), factor=True)
def renew_code(room: Room) -> ResponseReturnValue:
    """The old code opens nothing any more; or, for a case of an account, it leaves the account."""
    token = form_token_posted()
    if token is None:
        return redirect(room.url("new_code"), code=303)
    with reading() as session:
        code = rekeying.new_code_again(session, instance(), token)  # the same form once more
    if code is None:
        code = _act(room, lambda held: rekeying.new_code(held, token))
        if not room.by_account:
            keys = rekeying.keys_of_form(instance(), token)
            sessions.start(start_content("reader", now=now(), lookup=keys.lookup, seed=keys.seed))
    return render_template("receipt/renewed.html", room=room, code=code)


@mine.pages.get("/mijn-meldingen/opnemen")
@account_required
def before_adopting() -> ResponseReturnValue:
    """Where the receipt code is typed of a report that is to stand under the account."""
    return render_template("mine/adopt.html", typed="")


@mine.pages.post("/mijn-meldingen/opnemen")
@account_required
def adopt() -> ResponseReturnValue:
    """A report without account comes under this one; its code opens nothing any more."""
    typed = request.form.get("code", "")
    for last in range(_TRIES - 1, -1, -1):
        try:
            with transaction() as session:
                reference = rekeying.take_into_account(session, instance(), person(), typed, now=now())
            break
        except IntegrityError:
            if not last:
                raise
        except NotAllowed as refusal:
            errors = {"code": label("not_allowed", f"ontvangst_{refusal.reason}")}
            return render_template("mine/adopt.html", typed=typed, errors=errors), 422
    flash(_("De melding staat nu onder uw account. De oude code werkt niet meer."), "goed")
    return redirect(url_for("mine.case", reference=reference), code=303)


@mine.pages.post("/mijn-meldingen/niet-volgen")
@account_required
def unfollow() -> ResponseReturnValue:
    """Stop following the progress of a case that somebody else took over."""
    wanted = request.form.get("which", "")
    with transaction() as session:
        followed = {keys.lookup.hex(): keys for keys, _teams in reader.beside(session, instance(), person()).followed}
        if wanted not in followed:
            raise NotYours
        mandate.lay_down(session, instance(), followed[wanted], now=now())
    flash(_("U kijkt niet meer mee."), "goed")
    return redirect(url_for("mine.overview"), code=303)
