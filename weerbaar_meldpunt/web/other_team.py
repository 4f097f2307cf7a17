"""Giving a case to another team, too or instead: first which team and how, then what it does, then it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from weerbaar_meldpunt.actions import opening, transfer
from weerbaar_meldpunt.actions.barred import Barred
from weerbaar_meldpunt.actions.errors import NotYours, Onleesbaar
from weerbaar_meldpunt.actions.opening import Opening
from weerbaar_meldpunt.actions.transfer import Choice
from weerbaar_meldpunt.actions.views import CaseView
from weerbaar_meldpunt.rules.vocabulary import TEAMS

from .case import act_on, barred_page, form_id, id_of, not_shown, noted_opening, pages, text_of, unreadable_page, worker
from .guards import LONG_TEXT, person, stepped_up, takes
from .labels import label
from .place import instance, reading

SHARE, TRANSFER = "delen", "overdragen"
WAYS: Final = (SHARE, TRANSFER)
_ADDRESS: Final = "B"
_WAITS: Final = "wacht_op_toestemming"


@pages.get("/zaak/<reference>/ander-team")
@worker
def other_team(reference: str) -> ResponseReturnValue:
    """Which teams can get the case, and how."""
    noted, case, choices = _look(reference)
    if case is None:
        return choices
    return render_template("case/other_team.html", case=case, team=noted.team, found=choices, ways=WAYS)


@pages.route("/zaak/<reference>/ander-team/<to>/<way>", methods=["GET", "POST"])
@takes(LONG_TEXT)
@worker
@stepped_up
def give(reference: str, to: str, way: str) -> ResponseReturnValue:
    """What giving the case does, said before it is done; then it is done."""
    if to not in TEAMS or way not in WAYS:
        abort(404)
    if request.method == "GET":
        return _confirmation(reference, to, way, {})
    reason, words = text_of("reason"), text_of("words")
    errors = {}
    if not reason.strip():
        errors["reason"] = _("Schrijf kort waarom. Alleen de teams lezen dit.")
    if not words.strip():
        errors["words"] = _("Schrijf wat de melder leest.")
    if request.form.get("sure") != "ja":
        errors["sure"] = _("Kijk na wat er gebeurt, en vink dit dan aan.")
    if errors:
        return _confirmation(reference, to, way, errors)
    do = transfer.share if way == SHARE else transfer.transfer
    name = label("teams_in_sentence", to)
    done = _("De zaak ligt nu bij %(team)s.", team=name)
    if way == SHARE:
        done = _("De zaak is gedeeld met %(team)s.", team=name)
    team = request.values.get("team", "")
    return act_on(
        reference, lambda held: do(held, to, reason=reason, words=words), done=done, field="",
        again=lambda wrong: _confirmation(reference, to, way, wrong),
        then=url_for("queue.team", team=team) if way == TRANSFER and team in TEAMS else None,
    )  # fmt: skip


def _look(reference: str) -> tuple[Opening, CaseView | None, ResponseReturnValue | list[Choice]]:
    """The opened case and the choices; no case and an answer where it is not shown."""
    noted = noted_opening(reference)
    with reading() as session:
        try:
            case = opening.open_case(session, instance(), person(), noted)
        except NotYours:
            not_shown(noted.case_id)
            raise
        except Barred:
            return noted, None, barred_page(noted.case_id, noted.team)
        except Onleesbaar as fault:
            return noted, None, (unreadable_page(noted, fault), 422)
        if not case.readable:
            return noted, None, (unreadable_page(noted, Onleesbaar("case_doc")), 422)
        return noted, case, transfer.choices(session, instance(), case.melding, noted.team)


def _confirmation(reference: str, to: str, way: str, errors: Mapping[str, str]) -> ResponseReturnValue:
    noted, case, choices = _look(reference)
    if case is None or not isinstance(choices, list):
        return choices
    choice = next((one for one in choices if one.team == to), None)
    if choice is None:  # the own team
        abort(404)
    refused = choice.share_refused if way == SHARE else choice.transfer_refused
    page = render_template(
        "case/give.html", case=case, team=noted.team, choice=choice, way=way, refused=refused, errors=errors,
        waits=_WAITS in case.marks, address=_ADDRESS in choice.gets, stamp=case.mine.stamp if case.mine else "",
        form_id=request.form.get("form") if id_of(request.form.get("form")) else form_id(),
        reason=text_of("reason"), words=text_of("words") if request.method == "POST" else _words(way, to),
    )  # fmt: skip
    return page, 422 if errors else 200


def _words(way: str, to: str) -> str:
    """What the reporter reads, to begin with; whoever gives the case may say it in other words."""
    team = label("teams_in_sentence", to)
    if way == SHARE:
        return str(
            _(
                "Wij hebben uw melding ook aan %(team)s gegeven. Samen kunnen wij u beter helpen. Zij nemen contact "
                "met u op. Wij blijven ook voor u werken.",
                team=team,
            )
        )
    return str(
        _(
            "Uw melding is overgedragen aan %(team)s. Zij nemen contact met u op. Schrijft u hier, dan lezen zij dat.",
            team=team,
        )
    )
