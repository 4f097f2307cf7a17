"""The web server of one instance: gunicorn with threads, in this process, without a configuration file."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

_TIMEOUT_SECONDS = 60
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a heartbeat that holds nothing  # nosec B108


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with the options of the house. Each worker opens the instance itself."""

    def __init__(self, make_app: Callable[[], Flask], *, address: str, workers: int, threads: int) -> None:
        self._make_app = make_app
        self._options: dict[str, Any] = {
            "bind": [address],
            "workers": workers,
            "threads": threads,
            "worker_class": "gthread",
            "timeout": _TIMEOUT_SECONDS,
            "graceful_timeout": 10,
            # Memory that a library leaks goes with its worker (docs/security.md).
            "max_requests": 1000,
            "max_requests_jitter": 200,
            "worker_tmp_dir": _SHARED_MEMORY if sys.platform == "linux" else tempfile.gettempdir(),
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "umask": 0o077,
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        """Set what this version of gunicorn knows."""
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made in the worker."""
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", stream=sys.stdout)
        for chatty in ("apscheduler", "gunicorn"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        return self._make_app()
