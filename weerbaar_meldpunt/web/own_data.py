"""What is kept about the reporter: who saw it, putting it right, consent, mails, and taking all of it away."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from flask import Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import consent, corrections, notify, own_export, reader, withdrawal
from weerbaar_meldpunt.actions.errors import NotAllowed, NotYours, Onleesbaar, TooLarge
from weerbaar_meldpunt.actions.own_acts import OwnHeld
from weerbaar_meldpunt.actions.own_export import CaseExport
from weerbaar_meldpunt.actions.reader import OwnCase

from . import mine
from .answers import check, read_form
from .guards import LONG_TEXT, account_required, person, stepped_up
from .headers import FILE_POLICY
from .labels import label
from .own_room import Room, room_page
from .place import instance, now, reading, transaction
from .summary import filed_rows, history_rows

PAGE: Final = 25
CONTACT: Final = (
    "contact.telephone", "contact.channel", "contact.name", "contact.safe_hours", "contact.night_call", "contact.mail",
    "contact.language",
)  # fmt: skip
PRIVATE: Final = ("home_address", "family", "movements")


def _act(room: Room, do: Callable[[OwnHeld], Any]) -> Any:
    with transaction() as session:
        return do(room.held(session))


def _decides(own: OwnCase) -> bool:
    if own.role == "melder":
        return True
    readers = own.view.melding["recipients"]["A"]["readers"] if own.view.readable else []
    return own.role == "gemachtigde" and all(role != "melder" for _raw, role in readers)


# --- who saw it ------------------------------------------------------------------------------------------------------


@room_page("/wie-keek", "seen")
def seen(room: Room) -> ResponseReturnValue:
    """Every time that somebody opened the report or a part of it: when, of which team, as what, and what part."""
    with reading() as session:
        own = room.own(session)
    pages = max(1, math.ceil(len(own.openings) / PAGE))
    asked = request.args.get("page", "1")
    page = min(max(1, int(asked) if asked.isdecimal() and len(asked) < 6 else 1), pages)
    shown = own.openings[(page - 1) * PAGE : page * PAGE]
    return render_template("receipt/seen.html", room=room, own=own, shown=shown, page=page, pages=pages)


# --- putting right ---------------------------------------------------------------------------------------------------


@room_page("/gegevens", "details")
def details(room: Room) -> ResponseReturnValue:
    """How one is reached and what one wrote, to put right; and what stood there before."""
    return _details(room)


def _details(
    room: Room, *, form: Mapping[str, Any] | None = None, errors: dict[str, str] | None = None
) -> ResponseReturnValue:
    with reading() as session:
        own = room.own(session)
    contact = own.view.report.get("contact") or {}
    page = render_template(
        "receipt/details.html", room=room, own=own, decides=_decides(own), errors=errors or {},
        form=_answers_of(contact) | {"narrative": own.view.report.get("narrative") or ""} | dict(form or {}),
        history=history_rows(own.view.melding.get("history") or []), has_private="B" in own.ring.keys,
    )  # fmt: skip
    return (page, 422) if errors else page


def _answers_of(contact: Mapping[str, Any]) -> dict[str, Any]:
    """A contact as the form of the report has it."""
    found: dict[str, Any] = {
        f"contact.{name}": contact[name] for name in ("telephone", "channel", "name", "mail") if contact.get(name)
    }
    if contact.get("night_call") is not None:
        found["contact.night_call"] = "ja" if contact["night_call"] else "nee"
    if contact.get("language", "nl") != "nl":
        found["contact.language"] = contact["language"]
    if hours := contact.get("safe_hours"):
        found["contact.safe_hours_from"] = [pair.get("from") or "" for pair in hours]
        found["contact.safe_hours_to"] = [pair.get("to") or "" for pair in hours]
    return found


@room_page("/gegevens", "correct_contact", methods=("POST",))
def correct_contact(room: Room) -> ResponseReturnValue:
    """Another number, other hours, another way."""
    typed = read_form(request.form, CONTACT)
    checked = check(typed, now=now())
    if checked.report is None:
        return _details(room, form=_blank() | typed, errors=checked.faults)
    contact = checked.report.contact.model_dump(mode="json", by_alias=True)
    changed = _act(room, lambda held: corrections.correct_contact(held, contact))
    return _told(room, changed=changed)


def _blank() -> dict[str, Any]:
    return dict.fromkeys(("contact.telephone", "contact.name", "contact.mail", "contact.channel"), "") | {
        "contact.safe_hours_from": [], "contact.safe_hours_to": [], "contact.night_call": "", "contact.language": "",
    }  # fmt: skip


def _told(room: Room, *, changed: bool) -> ResponseReturnValue:
    if changed:
        flash(_("Veranderd. Het team ziet het. Wat er stond, blijft leesbaar."), "goed")
    else:
        flash(_("Er is niets veranderd."), "info")
    return redirect(room.url("details"), code=303)


@room_page("/gegevens/verhaal", "correct_story", methods=("POST",), limit=LONG_TEXT)
def correct_story(room: Room) -> ResponseReturnValue:
    """The own words, put right."""
    text = request.form.get("narrative", "").replace("\r\n", "\n")
    try:
        changed = _act(room, lambda held: corrections.correct_story(held, text))
    except TooLarge:
        wrong = _("Dit is te lang. Maak het korter, of stuur het als bericht.")
        return _details(room, form={"narrative": text}, errors={"narrative": wrong})
    return _told(room, changed=changed)


@room_page("/gegevens/adres", "private")
def private(room: Room) -> ResponseReturnValue:
    """Address, family and habits, which are sealed apart."""
    return _private(room)


def _private(
    room: Room, *, form: Mapping[str, Any] | None = None, errors: dict[str, str] | None = None
) -> ResponseReturnValue:
    with reading() as session:
        own = room.own(session)
        found = reader.own_private(session, instance(), own)
    if not own.view.has_private:  # not theirs to see
        raise NotYours
    if found is None:
        raise Onleesbaar("case_doc")
    page = render_template(
        "receipt/private.html", room=room, own=own, form=form or found.get("private") or {}, errors=errors or {},
        decides=_decides(own), history=history_rows(found.get("history") or []),
    )  # fmt: skip
    return (page, 422) if errors else page


@room_page("/gegevens/adres", "correct_private", methods=("POST",), limit=LONG_TEXT)
def correct_private(room: Room) -> ResponseReturnValue:
    """Another address, put right."""
    typed = {name: request.form.get(name, "").replace("\r\n", "\n") for name in PRIVATE}
    try:
        changed = _act(room, lambda held: corrections.correct_private(held, typed))
    except TooLarge:
        return _private(room, form=typed, errors={"home_address": _("Dit is te lang. Maak het korter.")})
    return _told(room, changed=changed)


# --- consent and contact ---------------------------------------------------------------------------------------------


@room_page("/toestemming", "consent")
def sharing(room: Room) -> ResponseReturnValue:
    """Whom we may tell, to change at any time; and what left already."""
    with reading() as session:
        own = room.own(session)
    return render_template(
        "receipt/consent.html", room=room, own=own, decides=_decides(own), left=withdrawal.what_left(own.view),
        sharing=own.view.melding.get("sharing") or {},
    )  # fmt: skip


@room_page("/toestemming", "change_consent", methods=("POST",))
def change_sharing(room: Room) -> ResponseReturnValue:
    """From now on we tell exactly these."""
    allowed, via = request.form.getlist("sharing"), request.form.get("via", "")
    _act(room, lambda held: consent.set_sharing(held, allowed, via))
    flash(_("Dat geldt vanaf nu. Het team ziet het."), "goed")
    return redirect(room.url("consent"), code=303)


@room_page("/intrekken", "withdraw")
def withdraw(room: Room) -> ResponseReturnValue:
    """The three meanings of withdrawing, and a word for who is pressed to."""
    with reading() as session:
        own = room.own(session)
    return render_template(
        "receipt/withdraw.html", room=room, own=own, decides=_decides(own),
        stopped=consent.NO_CONTACT in own.view.melding.get("marks", ()), left=withdrawal.what_left(own.view),
    )  # fmt: skip


@room_page("/intrekken", "withdrawn", methods=("POST",))
def withdrawn(room: Room) -> ResponseReturnValue:
    """Contact or consent stops, or contact may be again; under pressure a team calls in hours that are safe."""
    what, pressure = request.form.get("what", ""), request.form.get("pressure") == "ja"
    if what == "contact":
        _act(room, lambda held: consent.stop_contact(held, pressure=pressure))
        # What is said on the page never tells of pressure: somebody may be looking along.
        flash(_("Wij bellen en schrijven u niet meer."), "goed")
    elif what == "toestemming":
        _act(room, lambda held: _no_consent(held, pressure=pressure))
        flash(_("Wij geven niets meer door."), "goed")
    elif what == "contact-weer":
        _act(room, consent.allow_contact)
        flash(_("Wij mogen u weer bellen en schrijven."), "goed")
    elif pressure:
        _act(room, consent.say_pressure)
        flash(_("Wij hebben het gelezen."), "goed")
    else:
        flash(_("Kies wat u wilt intrekken."), "let_op")
    return redirect(room.url("withdraw"), code=303)


def _no_consent(held: OwnHeld, *, pressure: bool) -> None:
    consent.set_sharing(held, (), "")
    if pressure:
        consent.say_pressure(held)


# --- a mail when there is a message ----------------------------------------------------------------------------------


@room_page("/mail", "mail")
def mail(room: Room) -> ResponseReturnValue:
    """Whether a mail is sent when a team writes: off, until somebody wants it and was warned."""
    return _mail(room)


def _mail(room: Room, *, typed: str = "", errors: dict[str, str] | None = None) -> ResponseReturnValue:
    with reading() as session:
        own = room.own(session)
        address = reader.notify_address(session, instance(), own)
    page = render_template(
        "receipt/mail.html", room=room, own=own, address=address, decides=_decides(own), typed=typed,
        errors=errors or {},
    )  # fmt: skip
    return (page, 422) if errors else page


@room_page("/mail", "set_mail", methods=("POST",))
def set_mail(room: Room) -> ResponseReturnValue:
    """Send mails to an address, or stop and forget it."""
    if request.form.get("what") == "uit":
        _act(room, notify.remove_address)
        flash(_("Wij mailen u niet meer. Het adres is gewist."), "goed")
        return redirect(room.url("mail"), code=303)
    typed = request.form.get("address", "")
    if request.form.get("sure") != "ja":
        return _mail(room, typed=typed, errors={"sure": _("Lees wat dit betekent, en vink dit dan aan.")})
    try:
        _act(room, lambda held: notify.set_address(held, typed))
    except NotAllowed as refusal:
        if refusal.reason != "geen_adres":
            raise
        return _mail(room, typed=typed, errors={"address": label("not_allowed", refusal.reason)})
    flash(_("Wij mailen u als er een bericht is."), "goed")
    return redirect(room.url("mail"), code=303)


# --- taking it away --------------------------------------------------------------------------------------------------


@room_page("/meenemen", "export")
def export(room: Room) -> ResponseReturnValue:
    """What is in the file, and what to mind of it, before it is made."""
    with reading() as session:
        room.own(session)
    return render_template("receipt/export.html", room=room)


@room_page("/meenemen", "take_away", methods=("POST",), factor=True)
def take_away(room: Room) -> ResponseReturnValue:
    """Everything of one case, as a ZIP that goes out as it is made."""
    if not room.is_shown_to_be_theirs():
        errors = {"code": _("Dit is niet de code van deze melding. Typ de code waarmee u binnenkwam.")}
        return render_template("receipt/export.html", room=room, errors=errors), 422
    with transaction() as session:
        own_export.note_taken_away(session, instance(), room.keys(session), now=now())
    with reading() as session:
        found = own_export.export_case(session, instance(), room.keys(session), now=now())
    return _zip([("", found)], f"melding-{found.reference}.zip")


@mine.pages.route("/mijn-meldingen/meenemen", methods=["GET", "POST"])
@account_required
@stepped_up
def export_all() -> ResponseReturnValue:
    """Everything of all cases of an account. No leaf is written: it would tell which cases are of one person."""
    if request.method == "GET":
        return render_template("mine/export.html")
    with reading() as session:
        found = [
            own_export.export_case(session, instance(), own.reader, now=now())
            for own in reader.own_cases(session, instance(), person())
        ]
    return _zip([(f"{one.reference}/", one) for one in found], "mijn-meldingen.zip", account=True)


def _zip(cases: list[tuple[str, CaseExport]], name: str, *, account: bool = False) -> Response:
    made, held = now(), instance()
    texts: list[tuple[str, bytes]] = []
    if account:
        me = person()
        about = {"login": me.login, "made_at": made.isoformat(), "cases": [one.reference for _folder, one in cases]}
        texts.append(("account.json", own_export.data_of(about)))
    for folder, one in cases:
        page = render_template(
            "receipt/export_file.html", export=one, doc=one.document,
            told=filed_rows(one.own.view.report, one.own.view.melding.get("sharing")),
        )  # fmt: skip
        texts += [
            (f"{folder}melding.html", page.encode()),
            (f"{folder}melding.json", own_export.data_of(one.document)),
        ]

    def entries() -> Iterator[tuple[str, Any]]:
        for path, text in texts:
            yield path, [text]
        for folder, one in cases:
            yield from own_export.files_of(held, folder, one)

    response = Response(own_export.zipped(entries(), now=made), mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = FILE_POLICY
    return response
