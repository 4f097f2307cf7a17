"""Which pages there are: every blueprint of the web floor, with where it stands."""

from __future__ import annotations

from flask import Flask

from . import case, evidence, figures, help, home, mine, people, queue, receipt, report, roster, signin


def open_rooms(app: Flask) -> None:
    """Put all pages on an application."""
    for room in (home, help, report, evidence, receipt, mine, signin, people, roster, queue, case, figures):
        app.register_blueprint(room.pages)
