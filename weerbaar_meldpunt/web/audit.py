"""The auditor's page: who did what and when, without content; and how the trail itself stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import checkpoints, logbook, nightly
from weerbaar_meldpunt.actions.logbook import THE_PROGRAM, Line, Wanted
from weerbaar_meldpunt.documents.log_csv import log_csv
from weerbaar_meldpunt.rules.vocabulary import TEAMS

from .guards import person, staff_required, stepped_up
from .labels import WORDS, label
from .paths import read_id
from .place import instance, now, reading, transaction
from .show import LOCAL

pages = Blueprint("audit", __name__)
_auditor = staff_required("auditor")


def _day(name: str, errors: dict[str, str]) -> date | None:
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        errors[name] = _("Vul een datum in als jjjj-mm-dd, of laat het leeg.")
        return None


def _wanted(errors: dict[str, str]) -> Wanted:
    """What the address of the page asks to see; what it does not know it leaves out."""
    asked = request.args
    who = asked.get("wie", "")
    first, last = _day("van", errors), _day("tot", errors)
    if first and last and last < first:
        errors["tot"] = _("Het einde ligt vóór het begin. Kies een latere dag.")
    reference = asked.get("zaak", "").strip().upper()[:20]
    return Wanted(
        person=who if who == THE_PROGRAM or read_id(who) else "",
        action=asked.get("wat", "") if asked.get("wat") in WORDS["trail"] else "",
        team=asked.get("team", "") if asked.get("team") in TEAMS else "",
        first=first, last=last, reference=reference, before=asked.get("voor", type=int),
    )  # fmt: skip


def _address(wanted: Wanted) -> dict[str, str]:
    """The filters as the arguments of an address."""
    whole = {
        "wie": wanted.person, "wat": wanted.action, "team": wanted.team, "zaak": wanted.reference,
        "van": wanted.first.isoformat() if wanted.first else "", "tot": wanted.last.isoformat() if wanted.last else "",
    }  # fmt: skip
    return {name: value for name, value in whole.items() if value}


@pages.get("/logboek")
@_auditor
def overview() -> ResponseReturnValue:
    """One page of the trail, newest first. Looking at one person or one case stands in the trail too."""
    errors: dict[str, str] = {}
    wanted = _wanted(errors)
    if wanted.about_somebody and wanted.before is None and not errors:
        with transaction() as session:
            logbook.note_look(session, instance(), person(), wanted, now=now())
    with reading() as session:
        found = logbook.look(session, instance(), wanted) if not errors else logbook.LogPage((), None)
        names = logbook.staff_names(session, instance())
        check, point = nightly.last_check(session), checkpoints.newest(session)
        text = checkpoints.mailed_text(instance(), point) if point else ""
    page = render_template(
        "audit/logbook.html", found=found, wanted=wanted, address=_address(wanted), names=names, check=check,
        point=point, checkpoint_text=text, errors=errors, asked=request.args, actions=_actions(), program=THE_PROGRAM,
        most=logbook.MOST_LINES, exact=_exact,
    )  # fmt: skip
    return (page, 422) if errors else page


def _exact(at: datetime) -> str:
    """A moment to the second, in Amsterdam: the order of two lines can matter."""
    return f"{at.astimezone(LOCAL):%d-%m-%Y %H:%M:%S}"


def _actions() -> list[tuple[str, str]]:
    return sorted(((code, label("trail", code)) for code in WORDS["trail"]), key=lambda row: row[1].casefold())


@pages.get("/logboek/bestand")
@_auditor
@stepped_up
def download() -> ResponseReturnValue:
    """The same lines as a file. That it was taken stands in the trail before the first line leaves."""
    errors: dict[str, str] = {}
    wanted = _wanted(errors)
    if errors:
        asked: dict[str, Any] = request.args.to_dict()
        return redirect(url_for("audit.overview", **asked), code=303)
    with transaction() as session:
        logbook.note_look(session, instance(), person(), wanted, now=now(), taken=True)

    def rows() -> Iterator[tuple[str, ...]]:
        count = 0
        with reading() as session:
            for line in logbook.every_line(session, instance(), wanted):
                count += 1
                yield _row(line)
        if count == logbook.MOST_LINES:
            yield ("", "", "", str(_("Hier stopt dit bestand. Kies een kortere periode voor de rest.")), "", "", "")

    response = Response(stream_with_context(log_csv(rows())), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="logboek-{now().astimezone(LOCAL):%Y-%m-%d}.csv"'
    return response


def _row(line: Line) -> tuple[str, ...]:
    who = line.name or label("actor_kinds", line.actor)
    at = line.at.astimezone(LOCAL).isoformat(timespec="seconds")
    return (str(line.seq), at, who, label("trail", line.action), line.action, line.reference, line.subject)


@pages.post("/logboek/ijkpunt")
@_auditor
def checkpoint() -> ResponseReturnValue:
    """A checkpoint now, mailed as the daily one is."""
    with transaction() as session:
        made = checkpoints.make_checkpoint(session, instance(), now=now())
        told = len(checkpoints.recipients_of(session, instance()))
    message: Any = _(
        "IJkpunt %(number)s is gemaakt en gaat per mail naar %(count)s personen.", number=made.number, count=told
    )
    flash(message, "goed")
    return redirect(url_for("audit.overview"), code=303)
