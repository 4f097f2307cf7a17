"""The first screen: are you in danger now? Nothing is asked before it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue

from weerbaar_meldpunt.actions.instance import readiness
from weerbaar_meldpunt.rules.vocabulary import TEAMS

from . import drafting, sessions
from .place import instance, reading

pages = Blueprint("home", __name__)


@pages.get("/")
def danger() -> ResponseReturnValue:
    """112 and the 24-hour number before any field; then where to go."""
    with reading() as session:
        ready = readiness(session, instance(), TEAMS)
    return render_template("home/danger.html", ready=ready["ondersteuning"])


@pages.get("/gevaar/ja")
def in_danger() -> ResponseReturnValue:
    """Whoever is in danger calls 112 first; who cannot is called by us."""
    return render_template("home/in_danger.html")


@pages.get("/gevaar/misschien")
def perhaps() -> ResponseReturnValue:
    """Whoever doubts is told to call, and may report first all the same."""
    return render_template("home/perhaps.html")


@pages.get("/snel-weg")
def leave() -> ResponseReturnValue:
    """Leave at once: the session ends and a neutral page comes in its place. What was typed stays sealed."""
    # A link, so that it works without script and from any page; ending one's own session harms nobody.
    sessions.leave()
    drafting.forget()
    answer = redirect(instance().settings.neutral_page, code=303)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer
