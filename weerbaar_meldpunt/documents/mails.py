"""The mails of the house: a fixed set of texts without content, and each message of the same size for everybody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from weerbaar_meldpunt.rules.values import AMSTERDAM

# Wording, screen 11. Nothing in it says which case, which team, what happened or where the website is.
REMINDER_SUBJECT: Final = "Er staat iets voor u klaar"
REMINDER: Final = (
    "Er staat iets voor u klaar. Ga zelf naar de website en log in."
    " Deze mail bevat met opzet geen link naar een zaak."
)  # fmt: skip
ALARM_SUBJECT: Final = "Er staat iets met spoed klaar"
ALARM: Final = "Er staat iets met spoed klaar. Log in en bevestig vóór {time}. Lukt dat niet? Bel {number}."

# The shape browsers ask of an e-mail field (HTML, "valid email address"); nothing in it can break out of a header.
ADDRESS: Final = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?", re.ASCII
)

SIZE: Final = 1024  # a message is this long, or a multiple for who has a very long address


@dataclass(frozen=True, slots=True)
class Text:
    """Subject and body of a mail."""

    subject: str
    body: str


def reminder() -> Text:
    """To any worker, at each step of the ladder."""
    return Text(REMINDER_SUBJECT, REMINDER)


def alarm(*, confirm_before: datetime, number: str) -> Text:
    """Of an acute case: by when to confirm (Amsterdam's time), and whom to call when that fails."""
    time = f"{confirm_before.astimezone(AMSTERDAM):%H:%M}"
    return Text(ALARM_SUBJECT, ALARM.format(time=time, number=" ".join(number.split())))


def mail_address(login: str) -> str | None:
    """The address of an account whose login is one; None when it is none that a mail can be sent to."""
    login = login.strip()
    return login if ADDRESS.fullmatch(login) else None


def message_bytes(text: Text, *, sender: str, recipient: str, message_id: str, at: datetime) -> bytes:
    """The message as it goes over the line: the same bytes for the same arguments, filled up to a fixed size."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=998))
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = text.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.body + "\n", charset="utf-8", cte="quoted-printable")
    short = -len(message.as_bytes()) % SIZE
    if short % 2:  # an empty line takes two bytes, a space at the end of a line three ("=20")
        message.set_content(text.body + " \n", charset="utf-8", cte="quoted-printable")
        short = -len(message.as_bytes()) % SIZE
    return message.as_bytes() + b"\r\n" * (short // 2)
