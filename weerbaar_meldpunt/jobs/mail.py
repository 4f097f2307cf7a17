"""The mail sender: works off the outbox over SMTP. At least once; a mail that leaves again has the same Message-ID."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from weerbaar_meldpunt.actions import outbox
from weerbaar_meldpunt.actions.instance import Instance
from weerbaar_meldpunt.actions.outbox import Letter
from weerbaar_meldpunt.settings import Smtp

TIMEOUT: Final = 10  # seconds for each step of the talk with the mail server
TLS_FROM_THE_START: Final = 465
SERVICE_CLOSES: Final = 421
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class MailRun:
    """What one run of the sender did, for the log: numbers, and what is wrong in a word."""

    sent: int = 0
    refused: int = 0
    unreadable: int = 0
    trouble: str = ""  # "", no_server, unreachable, password_in_clear


class _Stopped(Exception):
    """The mail server does not go on with this talk."""


def wall_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def send_waiting(
    instance: Instance, clock: bytes, *, wall: Callable[[], datetime] = wall_clock,
    stopping: Callable[[], bool] = lambda: False,
) -> MailRun:  # fmt: skip
    """Send the mails that wait, until none is left or the mail server has enough. Without a mail server they wait."""
    with instance.readings() as session:
        if not outbox.anything_ready(session, wall=wall()):
            return MailRun()
    smtp = instance.settings.smtp
    if smtp is None:
        return MailRun(trouble="no_server")
    if smtp.user and not smtp.tls and smtp.host not in LOOPBACK:
        return MailRun(trouble="password_in_clear")
    domain = instance.settings.mail_from.rpartition("@")[2]
    try:  # before anything is claimed, so that a server that is down costs no mail its turn
        server = _connect(smtp, domain)
    except (OSError, smtplib.SMTPException):
        return MailRun(trouble="unreachable")
    with suppress(OSError, smtplib.SMTPException), server:
        return _send_all(instance, server, clock, wall=wall, stopping=stopping)
    return MailRun(trouble="unreachable")


def _connect(smtp: Smtp, domain: str) -> smtplib.SMTP:
    """A talk with the mail server. We say who we are by the domain of our address: the machine's name is nobody's."""
    context = ssl.create_default_context()
    if smtp.tls and smtp.port == TLS_FROM_THE_START:
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            smtp.host, smtp.port, local_hostname=domain, timeout=TIMEOUT, context=context
        )
    else:
        server = smtplib.SMTP(smtp.host, smtp.port, local_hostname=domain, timeout=TIMEOUT)
    try:
        if smtp.tls and not isinstance(server, smtplib.SMTP_SSL):
            server.starttls(context=context)
        if smtp.user:
            server.login(smtp.user, smtp.password or "")
    except BaseException:
        server.close()
        raise
    return server


def _send_all(
    instance: Instance, server: smtplib.SMTP, clock: bytes, *, wall: Callable[[], datetime],
    stopping: Callable[[], bool],
) -> MailRun:  # fmt: skip
    sent = refused = unreadable = 0
    trouble = ""
    while not trouble and not stopping():
        with instance.sessions.begin() as session:
            letters = outbox.claim_letters(session, instance, clock, wall=wall())
        if not letters:
            break
        for letter in letters:
            # A mail whose lease may run out while it is sent could be sent by another clock beside us.
            late = letter.lease_until - wall() < timedelta(seconds=TIMEOUT)
            if trouble or late or stopping():
                _put_back(instance, letter, clock, wall=wall(), failed=False)
                continue
            if letter.message is None or letter.recipient is None:
                unreadable += 1
                _put_back(instance, letter, clock, wall=wall(), failed=True)
                continue
            try:
                taken = _send(server, instance.settings.mail_from, letter.recipient, letter.message)
            except _Stopped:
                trouble = "unreachable"
                _put_back(instance, letter, clock, wall=wall(), failed=True)
                continue
            if taken:
                sent += 1
                with instance.sessions.begin() as session:
                    outbox.delivered(session, letter, clock)
            else:
                refused += 1
                _put_back(instance, letter, clock, wall=wall(), failed=True)
    return MailRun(sent, refused, unreadable, trouble)


def _send(server: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> bool:
    """Whether the mail server took it; `_Stopped` when it does not talk on."""
    try:
        server.sendmail(sender, [recipient], message)
    except smtplib.SMTPServerDisconnected:
        raise _Stopped from None
    except smtplib.SMTPException as fault:  # refused, for now or for good: it is tried again, and nothing is dropped
        if getattr(fault, "smtp_code", None) == SERVICE_CLOSES:
            raise _Stopped from None
        return False
    except OSError:
        raise _Stopped from None
    return True


def _put_back(instance: Instance, letter: Letter, clock: bytes, *, wall: datetime, failed: bool) -> None:
    with instance.sessions.begin() as session:
        outbox.put_back(session, letter, clock, wall=wall, failed=failed)
