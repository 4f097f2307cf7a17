"""How long one thread waits for one sender: slow senders together never hold more than half of the threads.

A phone on a bad line must get through; whoever sends a byte now and then must not keep the page with 112 from others.
The rules hold for every byte that is read of a request, its headers too, whatever page it is for.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Callable
from threading import BoundedSemaphore
from typing import Any, Final, Self

from flask import g, request

# 2G gives some 4 KiB a second; half of it still passes.
SLOWEST: Final = 2048  # bytes a second, on average
GRACE: Final = 30.0  # seconds in which the average does not count
STALL: Final = 30.0  # seconds without one byte
# What a request may wait in all before it takes one of the places of slow senders: a form that fits in a packet or two
# comes in sooner.
UNHELD: Final = 0.5  # seconds
SENDING: Final = 60.0  # seconds to take an answer, and more for a long one


class NoRoom(Exception):
    """So many slow senders are waited for that this one is not, or it was too slow. Its body is not read on."""


class PatientSocket(socket.socket):
    """The connection of a browser, with the patience of the house for it.

    Where an answer is made, `begin` to `end`, reading waits as long as the rules allow; elsewhere it never waits.
    """

    _slots: BoundedSemaphore
    _started = 0.0
    _received = 0
    _waited = 0.0
    _answering = False
    _holding = False
    _close: Callable[[], None] | None = None
    refused = False

    @classmethod
    def around(cls, plain: socket.socket, slots: BoundedSemaphore) -> Self:
        """Take over an accepted connection."""
        made = cls(plain.family, plain.type, plain.proto, fileno=plain.detach())
        made._slots = slots
        return made

    def begin(self) -> None:
        """A request is read from here on."""
        self._started, self._received, self._waited = time.monotonic(), 0, 0.0
        self._answering, self.refused, self._close = True, False, None

    def begin_body(self, close: Callable[[], None]) -> None:
        """The headers are in. `close` lets the answer say that the connection ends with it."""
        self._close = close

    def end_body(self) -> None:
        """The answer is given: what is still to come is for nobody."""
        self._close = None

    def end(self) -> None:
        """The request is over; its place is free for another."""
        self._answering = False
        if self._holding:
            self._holding = False
            self._slots.release()

    def hold(self) -> bool:
        """Take a place among the slow senders, if there is one left."""
        if not self._holding:
            self._holding = self._slots.acquire(blocking=False)
        return self._holding

    def refuse(self) -> None:
        """The body is not read on, and the connection ends with this answer."""
        self.refused = True
        if self._close:
            self._close()

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """What has come in, as soon as something has; `NoRoom` (or a reset, outside a body) when it takes too long."""
        if not self._answering:
            return super().recv(size, flags | socket.MSG_DONTWAIT)
        before = time.monotonic()
        asked = self.gettimeout()
        most = min(STALL, self._started + GRACE + self._received / SLOWEST - before)
        if not self._comes(min(most, UNHELD - self._waited)) and (
            not self.hold() or not self._comes(min(most, STALL if asked is None else asked))
        ):
            raise self._too_slow()
        self._waited += time.monotonic() - before
        piece = super().recv(size, flags)
        self._received += len(piece)
        return piece

    def _comes(self, seconds: float) -> bool:
        watch = select.poll()
        watch.register(self, select.POLLIN)
        return bool(watch.poll(max(0.0, seconds) * 1000))

    def _too_slow(self) -> Exception:
        if self._close is None:  # headers, or what comes after the answer: there is nobody to explain it to
            return ConnectionResetError(errno.ECONNRESET, "too slow")
        self.refuse()
        return NoRoom()

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send an answer; whoever does not take it in reasonable time does not keep a thread."""
        asked = self.gettimeout()
        self.settimeout(SENDING + len(data) / SLOWEST)
        try:
            super().sendall(data, flags)
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, "too slow") from None
        finally:
            self.settimeout(asked)


def _connection() -> PatientSocket | None:
    found = request.environ.get("gunicorn.socket")
    return found if isinstance(found, PatientSocket) else None


def hold() -> None:
    """Before a large body is read: `NoRoom` unless there is a place for it."""
    connection = _connection()
    if connection is not None and not connection.hold():
        raise NoRoom


def refuse() -> None:
    """The body of this request is not read (on); the connection ends with the answer."""
    g.body_refused = True
    connection = _connection()
    if connection is not None:
        connection.refuse()


def refused() -> bool:
    """Whether the body of this request was refused, so that nothing of it may be asked for any more."""
    return bool(g.get("body_refused", False))
