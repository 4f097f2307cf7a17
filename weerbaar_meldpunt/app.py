"""The roof: puts every floor together into the web application. The only module that knows them all."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import Flask, Response, g, request
from flask_babel import Babel
from flask_wtf.csrf import CSRFProtect

from weerbaar_meldpunt.actions.instance import Instance, open_instance
from weerbaar_meldpunt.places import static_folder, templates_folder
from weerbaar_meldpunt.settings import Settings, load_settings
from weerbaar_meldpunt.web import errors, guards, headers, place, rooms, sessions, show, uploads
from weerbaar_meldpunt.web.faults import kind_and_place

LOG = logging.getLogger("meldpunt.requests")


class Desk(Flask):
    """Flask that logs a fault as its kind and place: no trace, and no path, which can hold an invitation."""

    def log_exception(self, exc_info: Any) -> None:
        """What no page's own handler saw."""
        errors.LOG.error("fault %s route=%s", kind_and_place(exc_info[1]), request.endpoint)


class _WithoutTrace(logging.Filter):
    """What Flask itself logs when even the answer to a fault breaks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always kept, as one line."""
        if record.exc_info:
            record.msg, record.args = "%s: %s", (record.getMessage(), kind_and_place(record.exc_info[1]))
            record.exc_info = record.exc_text = None
        return True


_WITHOUT_TRACE = _WithoutTrace()


def create_app(
    settings: Settings | None = None,
    *,
    instance: Instance | None = None,
    clock: Callable[[], datetime] | None = None,
    testing: bool = False,
) -> Flask:
    """The web application of one instance. `clock` is for tests and for a demonstration."""
    held = instance or open_instance(settings or load_settings())
    app = Desk(
        "weerbaar_meldpunt", template_folder=str(templates_folder()), static_folder=str(static_folder()),
        instance_path=str(held.settings.instance),
    )  # fmt: skip
    app.testing = testing
    app.logger.addFilter(_WITHOUT_TRACE)
    app.request_class = uploads.SealingRequest
    app.session_interface = sessions.SealedSessions()
    app.extensions[place.EXTENSION] = held
    app.config.update(
        {
            "SECRET_KEY": held.server.csrf,
            "WTF_CSRF_TIME_LIMIT": None,
            "WTF_CSRF_CHECK_DEFAULT": False,
            "WTF_CSRF_SSL_STRICT": False,
            "BABEL_DEFAULT_LOCALE": "nl",
            "BABEL_DEFAULT_TIMEZONE": "Europe/Amsterdam",
            "TEMPLATES_AUTO_RELOAD": False,
            place.CLOCK: clock,
        }
    )
    Babel(app, locale_selector=lambda: "nl")
    CSRFProtect(app)
    sessions.login_manager.init_app(app)
    sessions.login_manager.unauthorized_handler(guards.to_signin)
    show.install(app)
    errors.register(app)
    rooms.open_rooms(app)

    app.before_request(_start)
    app.before_request(guards.limit_body)
    app.before_request(errors.refuse_when_full)
    app.before_request(guards.check_form)
    app.before_request(guards.lead_to_passkey)
    app.after_request(headers.set_headers)
    app.after_request(_log)
    app.teardown_request(lambda _fault: uploads.drop_unfinished())
    app.context_processor(_page_values)
    return app


def _start() -> None:
    g.started, g.request_id = time.perf_counter(), uuid4().hex[:12]


def _log(response: Response) -> Response:
    """One line a request: route name, status, milliseconds. Never an address, a parameter or a header."""
    took = (time.perf_counter() - g.started) * 1000 if "started" in g else 0
    LOG.info("%s %d %.0fms %s", request.endpoint or "-", response.status_code, took, g.get("request_id", "-"))
    return response


def _page_values() -> dict[str, Any]:
    held = place.instance()
    return {
        "telephone": held.settings.telephone,
        "neutral_page": held.settings.neutral_page,
        "demonstration": held.demonstration,
        "person": guards.signed_in(),
        "content": sessions.content(),
        "csrf_token": guards.form_token,
        "now": place.now(),
        "session_left": sessions.seconds_left,
        "idle_seconds": sessions.idle_seconds,
    }
