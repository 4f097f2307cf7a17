"""Which pages there are: every blueprint of the web floor, with where it stands."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from flask import Flask


def open_rooms(app: Flask) -> None:
    """Put all pages on an application."""
    names = ("home", "help", "report", "evidence", "receipt", "mine", "signin", "people", "roster", "queue", "case", "figures")
    app.url_build_error_handlers.append(lambda *_: "/nog-niet")
    for name in names:
        if find_spec(f"weerbaar_meldpunt.web.{name}"):
            app.register_blueprint(import_module(f"weerbaar_meldpunt.web.{name}").pages)
