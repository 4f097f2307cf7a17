"""The page of a case, and how an act on it is done. Every opening stands in the trail before anything is shown."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import opening, withdrawal, work
from weerbaar_meldpunt.actions.barred import Barred, note_barred
from weerbaar_meldpunt.actions.casekeys import VEILIG
from weerbaar_meldpunt.actions.errors import NotAllowed, NotYours, Onleesbaar, TooLarge
from weerbaar_meldpunt.actions.gaps import note_gaps
from weerbaar_meldpunt.actions.opening import Opening
from weerbaar_meldpunt.actions.people import TEAM_ROLES
from weerbaar_meldpunt.actions.pinning import Planted
from weerbaar_meldpunt.actions.sessions import new_cookie
from weerbaar_meldpunt.actions.work import Held
from weerbaar_meldpunt.rules.organisations import organisation
from weerbaar_meldpunt.rules.vocabulary import TEAMS

from .answer_kinds import organisation_name
from .case_view import CasePage, outcome_choices, page_of, waiting_choices
from .downloads import evidence_response
from .errors import typed_texts
from .guards import person, staff_required
from .labels import WORDS, label
from .place import instance, now, reading, transaction
from .show import LOCAL

pages = Blueprint("case", __name__)

LOG = logging.getLogger("meldpunt")
ID_BYTES: Final = 16
worker = staff_required(*TEAM_ROLES)


def team_asked() -> str | None:
    """The team whose track is meant, for who works in more than one."""
    team = request.values.get("team")
    return team if team in TEAMS else None


def id_of(text: str | None) -> bytes | None:
    """An id that a form or an address carried; nothing for what is none."""
    try:
        found = bytes.fromhex(text or "")
    except ValueError:
        return None
    return found if len(found) == ID_BYTES else None


def noted_opening(reference: str, **more: Any) -> Opening:
    """Note an opening and make that durable; only then is anything unwrapped."""
    with transaction() as session:
        return opening.note_opening(
            session, instance(), person(), reference.upper(), now=now(), team=team_asked(), **more
        )  # fmt: skip


def text_of(name: str) -> str:
    """A text of the form that came in, with plain line ends."""
    return request.form.get(name, "").replace("\r\n", "\n")


# --- looking -------------------------------------------------------------------------------------------------------


@pages.get("/zaak/<reference>")
@worker
def show(reference: str) -> ResponseReturnValue:
    """The case."""
    return page_for(reference)


def page_for(reference: str, *, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    """The page of a case; with `errors` after a form that was refused, whose texts are kept."""
    me, noted = person(), noted_opening(reference)
    with reading() as session:
        try:
            case = opening.open_case(session, instance(), me, noted)
        except NotYours:  # the team gave the case to another one
            not_shown(noted.case_id)
            raise
        except Barred:
            return barred_page(noted.case_id, noted.team)
        except Onleesbaar as fault:
            return unreadable_page(noted, fault), 422
        members = work.colleagues(session, instance(), noted.team)
    if case.fresh:
        with transaction() as session:
            opening.keep_folds(session, case)
    _alarm(noted.reference, case.gaps)
    page = page_of(case, me, members, now=now())
    shown = render_template(
        "case/show.html", page=page, case=case, team=noted.team, errors=errors or {}, form=request.form,
        kept=request.form if errors else {}, sent=request.endpoint if errors else None, form_id=form_id,
        typed=typed_texts() if errors else [],
        waiting_choices=waiting_choices(), outcomes=outcome_choices(noted.team, page.mine.urgency),
        organisation_text=_organisation_text(page), today=now().astimezone(LOCAL).date().isoformat(),
        erase_at=withdrawal.erase_at(case),
    )  # fmt: skip
    return (shown, 422) if errors else shown


def _alarm(reference: str, gaps: Collection[str]) -> None:
    """Somebody is told of rows that are not as the trail says: once for each case and kind of row."""
    for table in gaps:
        LOG.error("row differs from its leaf table=%s route=%s", table, request.endpoint)
    if gaps:
        with transaction() as session:
            note_gaps(session, instance(), reference, gaps, now=now())


def barred_page(case_id: bytes, team: str) -> str:
    """The reporter does not want this person to see the case: nothing of it is shown, and that is noted too."""
    not_shown(case_id)
    return render_template("case/barred.html", team=team)


def not_shown(case_id: bytes) -> None:
    """Note that what was asked for was not shown after all."""
    with transaction() as session:
        note_barred(session, instance(), person(), case_id, now=now())


def unreadable_page(noted: Opening, fault: Onleesbaar) -> str:
    """What was asked for does not open: said in a sentence, and noted that it was not shown."""
    LOG.error("unreadable object kind=%s route=%s", fault.kind, request.endpoint)
    not_shown(noted.case_id)
    _alarm(noted.reference, [fault.kind if fault.kind in WORDS["gaps"] else "case_doc"])
    return render_template("case/unreadable.html", team=noted.team, kind=fault.kind, typed=typed_texts())


def form_id() -> str:
    """An id for one form, so that what is sent twice is done once."""
    return new_cookie()[:ID_BYTES].hex()


def _organisation_text(page: CasePage) -> str:
    code = page.facts.get("organisation")
    known = organisation(code) if code else None
    return organisation_name(known) if known else ""


@pages.post("/zaak/<reference>/veilig")
@worker
def private(reference: str) -> ResponseReturnValue:
    """Address, family and movements: an opening of their own."""
    noted = noted_opening(reference, compartment=VEILIG)
    with reading() as session:
        try:
            found = opening.open_private(session, instance(), person(), noted)
        except Barred:
            return barred_page(noted.case_id, noted.team)
        except Onleesbaar as fault:
            return unreadable_page(noted, fault), 422
    return render_template("case/private.html", private=found, reference=noted.reference, team=noted.team)


@pages.get("/zaak/<reference>/bestand/<attachment>")
@worker
def file(reference: str, attachment: str) -> ResponseReturnValue:
    """An evidence file, to be saved."""
    wanted = id_of(attachment)
    if wanted is None:
        raise NotYours
    noted = noted_opening(reference, action=opening.FILE)
    with reading() as session:
        try:
            return evidence_response(*opening.open_attachment(session, instance(), person(), noted, wanted))
        except Barred:
            return barred_page(noted.case_id, noted.team)
        except Onleesbaar as fault:
            return unreadable_page(noted, fault), 422


# --- acting --------------------------------------------------------------------------------------------------------


def act_on(
    reference: str, do: Callable[[Held], Any], *, done: str | Callable[[Any], str], field: str = "",
    fresh_only: bool = True, again: Callable[[dict[str, str]], ResponseReturnValue] | None = None,
    then: str | None = None,
) -> ResponseReturnValue:  # fmt: skip
    """One act in one transaction, then back to the case; what is refused is shown with everything still there.

    `done` is what to say, perhaps of what the act answered; `field` where a refusal of the form belongs. With
    `fresh_only` the act is refused when the track is not as the page showed it; notes and messages need no such thing.
    `again` shows a form that has a page of its own once more, with what is wrong; `then` is where to go instead.
    """
    answers, shown = request.form, again or (lambda wrong: page_for(reference, errors=wrong))
    try:
        with transaction() as session:
            held = work.hold(
                session, instance(), person(), reference.upper(), now=now(), team=team_asked(),
                seen=answers.get("seen", "") if fresh_only else None, form=id_of(answers.get("form")),
            )  # fmt: skip
            answer = do(held)
    except work.AlreadyDone:
        flash(_("Dit was al bewaard. Het staat er één keer."), "info")
    except Barred as refusal:
        return barred_page(refusal.case_id, refusal.team), 403
    except Planted:
        raise
    except NotAllowed as refusal:
        where = "" if refusal.reason == "intussen_veranderd" else _FIELD_OF.get(refusal.reason, field)
        return shown({where: label("not_allowed", refusal.reason)})
    except Onleesbaar as fault:
        LOG.error("unreadable object kind=%s route=%s", fault.kind, request.endpoint)
        wrong = _("Dit kan nu niet: een deel van de zaak is onleesbaar. Waarschuw de beheerder.")
        return shown({"": wrong})
    except TooLarge:
        wrong = _("Dit is te lang voor één keer. Schrijf het korter, of in delen.")
        return shown({field: wrong})
    else:
        flash(done if isinstance(done, str) else done(answer), "goed")
    return redirect(then or url_for("case.show", reference=reference, team=team_asked()), code=303)


# Refusals that belong to one field of a form, whatever else the form asks.
_FIELD_OF: Final = {
    "moment_voorbij": "until", "moment_te_ver": "until", "op_wie": "waiting", "geen_collega": "to",
    "collega_ziet_zaak_niet": "to", "onbekende_uitkomst": "outcome",
}  # fmt: skip
