"""What we promise and what not, how to reach us without this website, and for whom the pages work."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

pages = Blueprint("help", __name__)


@pages.get("/beloftes")
def promises() -> ResponseReturnValue:
    """What we can and cannot promise, in plain words."""
    return render_template("help/promises.html")


@pages.get("/hulp")
def contact() -> ResponseReturnValue:
    """The numbers, and how to use this website without leaving traces."""
    return render_template("help/contact.html")


@pages.get("/toegankelijkheid")
def accessibility() -> ResponseReturnValue:
    """For whom the pages work, and what to do when they do not."""
    return render_template("help/accessibility.html")
