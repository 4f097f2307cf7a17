"""The web server of one instance: gunicorn with threads, in this process, without a configuration file."""

from __future__ import annotations

import logging
import selectors
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import BoundedSemaphore
from typing import Any, Final

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import _DEFER, ThreadWorker

from .faults import kind_and_place
from .patience import PatientSocket

_TIMEOUT_SECONDS = 60
_KEEPALIVE_SECONDS = 5
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a heartbeat that holds nothing  # nosec B108
# A refused body is read on beside the threads, so that the browser gets to see the answer, not a broken connection.
_LINGER_SECONDS: Final = 10.0
_LINGER_RATE: Final = 64 * 1024  # bytes a second
_LINGER_MOST: Final = 256 * 1024 * 1024
_PIECE: Final = 256 * 1024


class HouseLogger(Logger):  # type: ignore[misc]
    """gunicorn's log without its warnings, which quote the request and the address, and without traces."""

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Not kept: who sends something that is no request is nobody's business."""

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        """The kind of the fault and where it was raised."""
        self.error_log.error("server fault %s", kind_and_place(sys.exc_info()[1]))


class _Lingering:
    """A connection that is answered and still sends."""

    def __init__(self, connection: PatientSocket) -> None:
        self.socket, self.received, self.since = connection, 0, time.monotonic()

    @property
    def over(self) -> bool:
        late = time.monotonic() > self.since + _LINGER_SECONDS + self.received / _LINGER_RATE
        return late or self.received > _LINGER_MOST


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threads, of which slow senders hold half at most, and connections that say nothing none."""

    def init_process(self) -> None:
        """In the worker, before its first connection."""
        self.slots = BoundedSemaphore(max(1, self.cfg.threads // 2))
        self.lingering: deque[_Lingering] = deque()
        super().init_process()

    def enqueue_req(self, conn: Any) -> None:
        """A connection with something to read, or a new one."""
        if not isinstance(conn.sock, PatientSocket):
            conn.sock = PatientSocket.around(conn.sock, self.slots)
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Read a request and answer it, in a thread."""
        if not conn.initialized and not conn.wait_for_data(0):
            return _DEFER  # back to the poller: nothing was said yet
        conn.sock.begin()
        try:
            return super().handle(conn)
        finally:
            conn.sock.end()

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Answer a request whose headers are in."""
        conn.sock.begin_body(req.force_close)
        try:
            return bool(super().handle_request(req, conn)) and not conn.sock.refused
        finally:
            conn.sock.end_body()

    def finish_request(self, conn: Any, fs: Any) -> None:
        """On the main thread, after an answer: a sender whose body was refused is read on without a thread."""
        if not conn.sock.refused:
            super().finish_request(conn, fs)
            return
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            one = _Lingering(conn.sock)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read_on, one))
            self.lingering.append(one)
        except (OSError, ValueError):
            self.nr_conns -= 1
            conn.close()

    def _read_on(self, one: _Lingering, _: object) -> None:
        try:
            piece = one.socket.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        one.received += len(piece)
        if not piece or one.over:
            self._let_go(one)

    def _let_go(self, one: _Lingering) -> None:
        self.lingering.remove(one)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(one.socket)
        self.nr_conns -= 1
        one.socket.close()

    def murder_pending(self) -> None:
        """Each second: close what said nothing, and what was read on for long enough."""
        super().murder_pending()
        for one in [one for one in self.lingering if one.over]:
            self._let_go(one)


class _WithoutTraces(logging.Formatter):
    """Whatever a library logs: no trace, because what stands in it can hold what somebody wrote."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        return kind_and_place(ei[1])

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return ""


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with the options of the house. Each worker opens the instance itself."""

    def __init__(self, make_app: Callable[[], Flask], *, address: str, workers: int, threads: int) -> None:
        self._make_app = make_app
        self._options: dict[str, Any] = {
            "bind": [address],
            "workers": workers,
            "threads": threads,
            "worker_class": PatientWorker,
            "timeout": _TIMEOUT_SECONDS,
            "keepalive": _KEEPALIVE_SECONDS,
            "graceful_timeout": 10,
            "sendfile": False,  # it would wait for a slow reader without end
            # Memory that a library leaks goes with its worker (docs/security.md).
            "max_requests": 1000,
            "max_requests_jitter": 200,
            "worker_tmp_dir": _SHARED_MEMORY if sys.platform == "linux" else tempfile.gettempdir(),
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "error",
            "logger_class": HouseLogger,
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
        lines = logging.StreamHandler(sys.stdout)
        lines.setFormatter(_WithoutTraces("%(asctime)s %(name)s %(message)s"))
        logging.basicConfig(level=logging.INFO, handlers=[lines])
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        logging.getLogger("gunicorn").setLevel(logging.ERROR)  # its warnings quote what came in
        return self._make_app()
