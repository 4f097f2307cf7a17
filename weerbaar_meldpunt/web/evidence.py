"""Evidence with a report: files that are sealed while they come in, and links. A file that cannot be taken is named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.datastructures import FileStorage

from weerbaar_meldpunt.actions import draft_room
from weerbaar_meldpunt.actions.drafts import Draft, DraftFile
from weerbaar_meldpunt.actions.errors import TooLarge
from weerbaar_meldpunt.actions.evidence import MAX_CASE, DiskFull, Upload, remove_blob, safe_name
from weerbaar_meldpunt.actions.sessions import new_cookie

from . import drafting, sending
from .answer_kinds import Answers
from .answers import check, read_form, too_much
from .drafting import Shown
from .fields import FIELDS
from .guards import MIB, takes
from .place import instance, now
from .steps import BACK, BY_CODE, EVIDENCE, STOP, after, before, position, step_url

pages = Blueprint("evidence", __name__)
STEP: Final = BY_CODE[EVIDENCE]
# One request may bring much: what is above the limit of a file is read and let go, so that the page can name it.
MOST_AT_ONCE: Final = 256 * MIB
MOST_FILES: Final = 500
MOST_ROWS: Final = 10
MOST_DATED: Final = 500  # rows with a moment: three fields each, of the 2,000 parts that a form may have
# What a browser warns of, in the round number that people are told; what is taken is 25 MiB.
SHOWN_LIMIT: Final = 25_000_000


@dataclass
class Received:
    """The files of one form: those that are kept, and by name those that are not."""

    files: list[DraftFile] = field(default_factory=list)
    too_large: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    no_room: list[str] = field(default_factory=list)

    @property
    def refused(self) -> list[str]:
        """What to say of each file that is not kept."""
        return [
            *(
                gettext("%(name)s is te groot: een bestand mag 25 MB zijn. Dit bestand is niet bewaard.", name=name)
                for name in self.too_large
            ),
            *(gettext("%(name)s is leeg. Dit bestand is niet bewaard.", name=name) for name in self.empty),
            *(
                gettext("%(name)s past er niet meer bij. Dit bestand is niet bewaard.", name=name)
                for name in self.no_room
            ),
        ]


def received_files(files: list[FileStorage], *, room: int = MAX_CASE, number: int = MOST_FILES) -> Received:
    """Close the seals of the files of a form that came in whole, as long as there is room (bytes, files)."""
    found = Received()
    for file in files:
        upload, name = file.stream, file.filename or ""
        if not name or not isinstance(upload, Upload):
            continue
        if upload.disk_full:
            for kept in found.files:
                remove_blob(instance(), kept.blob_id)
            raise DiskFull
        if upload.too_large:
            found.too_large.append(safe_name(name))
        elif not upload.size:
            found.empty.append(safe_name(name))
        elif upload.size > room or len(found.files) >= number:
            found.no_room.append(safe_name(name))
        else:
            found.files.append(upload.finish(name, now=now()))
            room -= upload.size
    return found


@pages.get("/melden/bewijs")
def add() -> ResponseReturnValue:
    """The files and links so far, and room for more."""
    drafting.require_ready()
    draft = drafting.unsent()
    answers = draft.answers if draft else {}
    faults = check(answers, now=now()).faults if draft else {}
    return _page(draft, answers, {name: text for name, text in faults.items() if name in STEP.fields})


@pages.post("/melden/bewijs")
@takes(MOST_AT_ONCE)
def take() -> ResponseReturnValue:
    """Keep what came in: the good files, the links and the names of what was refused."""
    typed = read_form(request.form, STEP.fields)
    shown = Shown.of_form()
    current = drafting.current()
    if current is not None and current.sent and shown.draft == current.lookup.hex():
        return sending.sent_already(typed)
    held = current.files if current is not None and not current.sent else []
    sent = request.files.getlist("files")
    room = MAX_CASE - sum(file.size for file in held)
    if any(file.filename for file in sent):
        room = min(room, drafting.room_for_files())
    incoming = received_files(sent, room=room, number=MOST_FILES - len(held))
    errors = too_much(typed)
    if not errors and not drafting.room_for_words(typed):
        errors["links"] = gettext("Voor zoveel links hebben wij nu geen plaats. Dat ligt aan ons. Stuur ze later.")
    try:
        draft = drafting.change(lambda _, draft: _kept(draft, {} if errors else typed, incoming.files, shown))
    except BaseException as fault:
        for file in incoming.files:
            remove_blob(instance(), file.blob_id)
        if isinstance(fault, TooLarge):
            errors["links"] = gettext("Alles samen is te lang. Stuur een deel als bestand.")
            return _page(drafting.unsent(), typed, errors), 422
        raise
    draft_room.count(instance(), sum(file.size for file in incoming.files))
    faults = check(draft.answers, now=now()).faults
    errors |= {name: text for name, text in faults.items() if name in STEP.fields}
    errors |= {"files": " ".join(incoming.refused)} if incoming.refused else {}
    pressed = request.form.get("doen", "")
    if errors:
        return _page(draft, draft.answers | typed, errors), 422
    if pressed == "erbij" or (not pressed and incoming.files):
        return redirect(url_for("evidence.add", _anchor="bestanden"), code=303)
    return redirect(_where(pressed, draft.answers), code=303)


def _kept(draft: Draft, typed: Answers, files: list[DraftFile], shown: Shown) -> Draft:
    if typed or "links_url" in draft.answers:
        drafting.merge(draft, STEP.code, STEP.fields, typed, shown)
    known = {file.blob_id for file in draft.files}
    draft.files += [file for file in files if file.blob_id not in known]
    return draft


def _where(pressed: str, answers: Answers) -> str:
    if pressed == STOP:
        return url_for("report.kept")
    target = before(STEP, answers) if pressed == BACK else after(STEP, answers)
    return step_url(target) if target else url_for("report.review")


@pages.post("/melden/bewijs/weg")
def remove() -> ResponseReturnValue:
    """Take a file out of the draft; its sealed blob goes once the draft does not know it any more."""
    blob = request.form.get("blob", "")
    gone = drafting.change(lambda _, draft: _taken_out(draft, blob))
    for file in gone:
        remove_blob(instance(), file.blob_id)
    return redirect(url_for("evidence.add", _anchor="bestanden"), code=303)


def _taken_out(draft: Draft, blob: str) -> list[DraftFile]:
    gone = [file for file in draft.files if file.blob_id.hex() == blob]
    draft.files = [file for file in draft.files if file not in gone]
    return gone


def _links(answers: Answers) -> tuple[list[tuple[str, str, str]], str]:
    """The links as rows with their moment; many without one go into the text field, so that the form stays small."""
    columns = (answers.get(posted, []) for posted in FIELDS["links"].posted)
    rows: list[tuple[str, str, str]] = list(zip(*columns, strict=True))
    if len(rows) <= MOST_ROWS:
        return rows, ""
    dated = [row for row in rows if any(row[1:])]
    more = [row for row in rows if not any(row[1:])] + dated[MOST_DATED:]
    return dated[:MOST_DATED], "\n".join(" ".join(filter(None, row)) for row in more)


def _page(draft: Draft | None, answers: Answers, errors: dict[str, str]) -> str:
    links, many_links = _links(answers)
    return render_template(
        "evidence/add.html",
        draft=draft,
        form=answers,
        links=links,
        many_links=many_links,
        errors=errors,
        files=draft.files if draft else [],
        max_file=SHOWN_LIMIT,
        position=position(STEP, answers),
        page=new_cookie()[:8].hex(),
        others={},
        to_review=request.values.get("_terug") == "nakijken",
    )
