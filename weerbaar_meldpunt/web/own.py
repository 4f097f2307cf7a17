"""The reporter's own case, however they came to it: with a receipt code or with an account."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Response, abort, flash, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from weerbaar_meldpunt.actions import reader, withdrawal
from weerbaar_meldpunt.actions.errors import NotAllowed, TooLarge
from weerbaar_meldpunt.actions.evidence import MAX_MESSAGE, remove_blob
from weerbaar_meldpunt.actions.gaps import note_gaps
from weerbaar_meldpunt.actions.reader import OwnCase
from weerbaar_meldpunt.actions.sessions import new_cookie
from weerbaar_meldpunt.actions.views import READER, DueView, EventView, TrackView
from weerbaar_meldpunt.rules.calendar import today
from weerbaar_meldpunt.rules.moves import TRANSFERRED
from weerbaar_meldpunt.rules.vocabulary import TEAMS

from .downloads import evidence_response
from .evidence import received_files
from .place import instance, now, reading, transaction
from .summary import filed_rows

LOG = logging.getLogger("meldpunt")
FORM_BYTES: Final = 16
# What of the trail is a step in the eyes of the reporter; all else is the team's own.
STEPS: Final = (
    "ingediend", "genomen", "gesproken", "geen_gehoor", "bericht_team", "wacht", "verder", "afgerond", "heropend",
    "overgenomen", "overdrachtscode", "doorgegeven",
)  # fmt: skip
# What must happen next, as far as it is something the reporter will notice.
NOTICED: Final = (
    "eerste_contact", "poging", "opvolging", "wacht_op_melder", "wacht_op_derde", "nazorg_72u", "nazorg_2w",
    "nazorg_6w", "enquete",
)  # fmt: skip

Opener = Callable[[Session], OwnCase]


@dataclass(frozen=True)
class Progress:
    """One team's work, in the reporter's eyes."""

    track: TrackView
    seen_at: datetime | None  # when somebody of this team first opened it
    last: EventView | None
    next: DueView | None
    late: bool
    told_at: datetime | None  # since when the coordinator knows that it is late
    missed_call: EventView | None  # a call that nobody answered, after which we did not speak
    waiting: EventView | None  # for whom it waits
    until: datetime | None  # until when it waits
    reopening: EventView | None  # why the team opened it again
    closing: EventView | None  # what was and was not done


def progress(own: OwnCase) -> list[Progress]:
    """What every team is doing: first who works on it, then who will, then who is done."""

    def pressing(track: TrackView) -> tuple[bool, bool, int]:
        return track.closed_at is not None, track.state == "nieuw", TEAMS.index(track.team)

    tracks = [track for track in own.view.tracks if track.outcome != TRANSFERRED]  # who has it now stands there
    return [_progress(own, track) for track in sorted(tracks, key=pressing)]


def _progress(own: OwnCase, track: TrackView) -> Progress:
    events = [
        event
        for event in own.view.events
        if event.action in STEPS and event.document.get("team", track.team) == track.team
    ]
    upcoming = next((due for due in track.open_dues if due.kind in NOTICED), None)
    calls = [event for event in events if event.action in ("geen_gehoor", "gesproken", "bericht_team")]
    last = events[-1] if events else None
    return Progress(
        track=track,
        seen_at=min((opening.at for opening in own.openings if track.team in opening.teams), default=None),
        last=last,
        next=upcoming,
        late=upcoming is not None and upcoming.moment < now() and track.closed_at is None,
        told_at=own.told_at.get(upcoming.id) if upcoming else None,
        missed_call=calls[-1] if calls and calls[-1].action == "geen_gehoor" else None,
        waiting=_newest(events, "wacht") if track.state.startswith("wacht_") else None,
        until=next((due.moment for due in track.open_dues if due.kind == track.state), None),
        reopening=None if track.closed_at else _newest(events, "heropend"),
        closing=_newest(events, "afgerond") if track.closed_at else None,
    )


def _newest(events: Sequence[EventView], action: str) -> EventView | None:
    return next((event for event in reversed(events) if event.action == action), None)


def show(own: OwnCase, room: str, *, text: str = "", errors: dict[str, str] | None = None) -> str:
    """The page of the case. `room` is the blueprint whose links it carries."""
    if own.view.gaps:
        LOG.error("rows differ from their leaf tables=%s route=%s", ",".join(own.view.gaps), request.endpoint)
        with transaction() as session:
            note_gaps(session, instance(), own.view.reference, own.view.gaps, now=now())
    return render_template(
        "receipt/case.html",
        own=own,
        case=own.view,
        room=room,
        erase_at=withdrawal.erase_at(own.view),
        kept_until=withdrawal.kept_until(own.view),
        progress=progress(own),
        told=filed_rows(own.view.report, own.view.melding.get("sharing")),
        terms=reader.terms_for_reporter(own.view.answer),
        today=today(now()).isoformat(),
        answered=bool(own.view.messages) and own.view.messages[-1].sender != READER,
        text=text,
        errors=errors or {},
        form_id=new_cookie()[:FORM_BYTES].hex(),
    )


def write(opener: Opener) -> tuple[OwnCase, str, dict[str, str]]:
    """Send the message of the form that came in; answers the case, and the text with what is wrong if it was not sent.

    A file that is too large does not keep the message back: it is named, and the others go along.
    """
    text = request.form.get("text", "").replace("\r\n", "\n")
    incoming = received_files(request.files.getlist("files"), room=MAX_MESSAGE)
    written = False
    try:
        with transaction() as session:
            own = opener(session)
            written = reader.reply(
                session, instance(), own, text, now=now(), files=incoming.files, form=form_id(request.form.get("form"))
            )
    except (NotAllowed, TooLarge) as fault:
        wrong = gettext("Schrijf een bericht of kies een bestand.")
        if isinstance(fault, TooLarge):
            wrong = gettext("Dit is te lang of te groot voor één bericht. Stuur het in delen.")
        with reading() as session:
            own = opener(session)
        return own, text, {"text": wrong} | ({"files": " ".join(incoming.refused)} if incoming.refused else {})
    finally:
        if not written:  # sent before, or not sent: nobody knows these blobs
            for file in incoming.files:
                remove_blob(instance(), file.blob_id)
    if incoming.refused and not written:
        return own, text, {"files": " ".join(incoming.refused)}
    flash(gettext("Uw bericht is verstuurd. Het team ziet dat er een nieuw bericht is."), "goed")
    for line in incoming.refused:
        flash(line, "let_op")
    return own, "", {}


def form_id(text: str | None) -> bytes | None:
    """The id that a form carried, so that the same message counts once."""
    try:
        found = bytes.fromhex(text or "")
    except ValueError:
        return None
    return found if len(found) == FORM_BYTES else None


def file(opener: Opener, attachment: str) -> Response:
    """One of the own files."""
    wanted = form_id(attachment)
    if wanted is None:
        abort(404)
    with reading() as session:
        own = opener(session)
    return evidence_response(*reader.own_attachment(instance(), own, wanted))
