"""The mails of the house: a fixed set of texts without content, and each message of the same size for everybody."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from itertools import islice
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

# Of signing in: both are about an account, and say nothing of what stands in it.
KNOWN_SUBJECT: Final = "Let op uw account"
KNOWN: Final = (
    "Iemand gaf uw wachtwoord of uw herstelcode goed, en daarna tien keer een verkeerde code. Was u dat niet? Ga zelf"
    " naar de website, log in en kies een nieuw wachtwoord. Deze mail bevat met opzet geen link."
)
OPEN_SUBJECT: Final = "Opnieuw proberen in te loggen"
OPEN: Final = (
    "Met deze link mag u nog eens proberen om in te loggen. Hij werkt één keer, een uur lang, en u hebt daarna nog"
    " steeds uw wachtwoord en uw code nodig: {link} Vroeg u dit niet? Doe dan niets. Er verandert niets aan uw account."
)

# To who keeps the checkpoints of the trail outside. Nothing in it says who did what.
CHECKPOINT_SUBJECT: Final = "IJkpunt van het logboek, deel {part} van {parts}"
CHECKPOINT: Final = (
    "Dit is het ijkpunt van het logboek. Bewaar deze mail. U hoeft nu niets te doen.\n"
    "U krijgt deze mail elke dag. Komt er een dag geen? Dat is een alarm: bel de auditor.\n"
    "Er staat niets in over een zaak of over een persoon.\n"
    "\n"
    "{checkpoint}"
    "\n"
    "Vervallen toegang, deel {part} van {parts}: {count}\n"
    "{tombstones}"
)
TOMBSTONES_IN_A_MAIL: Final = 5000
_TOMBSTONE: Final = re.compile(r"^[>\s]*(\d{4}-\d{2}-\d{2}) ([A-Za-z0-9+/]{43})\s*$", re.MULTILINE | re.ASCII)

# To a reporter who chose it; somebody else may read over a shoulder, so it names no desk and no website.
MESSAGE_SUBJECT: Final = "Er staat een bericht voor u klaar"
MESSAGE: Final = "Er staat een bericht voor u klaar. Ga zelf naar de website die u kent."

# To all staff and all custodians, when two custodians gave a team its key back at the console.
RESTORED_SUBJECT: Final = "Een sleutel van het meldpunt is hersteld"
RESTORED: Final = (
    "Twee bewaarders hebben een sleutel van het meldpunt hersteld, omdat niemand er meer bij kon. Wist u dat niet? Bel"
    " dan nu met het meldpunt. Bel een nummer dat u al kent. Deze mail bevat met opzet geen link."
)

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


def for_reporter() -> Text:
    """To a reporter who asked for it, when a team wrote them a message."""
    return Text(MESSAGE_SUBJECT, MESSAGE)


def someone_knows() -> Text:
    """To the owner of an account: a right password, and ten wrong codes after it."""
    return Text(KNOWN_SUBJECT, KNOWN)


def open_again(link: str) -> Text:
    """To the owner of an account that outsiders tried a hundred times: one browser may try again. It grants nothing."""
    return Text(OPEN_SUBJECT, OPEN.format(link=link))


def checkpoint_mails(checkpoint: str, tombstones: Iterable[tuple[date, bytes]], count: int) -> Iterator[Text]:
    """To who keeps checkpoints outside: the signed lines, with the `count` tombstones they count first."""
    parts, rest = max(1, -(-count // TOMBSTONES_IN_A_MAIL)), iter(tombstones)
    for part in range(1, parts + 1):
        lines = [f"{day.isoformat()} {_unpadded(row)}\n" for day, row in islice(rest, TOMBSTONES_IN_A_MAIL)]
        body = CHECKPOINT.format(
            checkpoint=checkpoint, part=part, parts=parts, count=len(lines), tombstones="".join(lines)
        )
        yield Text(CHECKPOINT_SUBJECT.format(part=part, parts=parts), body.removesuffix("\n"))


def read_tombstones(text: str) -> list[tuple[date, bytes]]:
    """The tombstones in a mail that was kept."""
    return [(date.fromisoformat(day), base64.b64decode(row + "=")) for day, row in _TOMBSTONE.findall(text)]


def _unpadded(row: bytes) -> str:
    return base64.b64encode(row).decode("ascii").rstrip("=")


def keys_restored() -> Text:
    """To everybody who works here and to the custodians: nobody may bring a key back unseen."""
    return Text(RESTORED_SUBJECT, RESTORED)


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
