"""Counting failed tries, so that guessing is slow and nobody can keep an owner out of their own account.

Tries are counted for a name, whether an account has it or not, and for each own device, passkey or mailed link apart. A
try waits by being refused with the seconds left; nothing sleeps. Only who is not known waits behind what outsiders did,
and only a complete sign-in sets a counter back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.documents.mails import mail_address, open_again, someone_knows
from weerbaar_meldpunt.store.doors import TryLink
from weerbaar_meldpunt.store.engine import insert_if_absent
from weerbaar_meldpunt.store.people import Bundle, Invitation, Role, Root, Throttle, User
from weerbaar_meldpunt.store.tracks import Outbox
from weerbaar_meldpunt.vault.derive import random_bytes, sha256

from .errors import PathClosed, TooManyTries
from .instance import Instance
from .outbox import mail_row
from .person import is_reporters_login

FREE_FAILURES: Final = 5
LONGEST_DELAY: Final = 900
# So many wrong passwords for one name, and browsers that are not known may not try it any more.
CLOSED_AT: Final = 100
# Who gives a right password and so many wrong codes is not the owner, or the owner has lost the telephone.
WARNED_AT: Final = 10
LINK_GOOD: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=30)
# Accounts that nobody confirmed yet. Whoever makes more pushes out the oldest of them, no account that works.
MOST_UNCONFIRMED: Final = 2000


@dataclass(frozen=True)
class Counter:
    """Where the tries of one who comes to the door are counted."""

    key: bytes
    known: bool = False  # an own device or a passkey: half of the queue is kept for these
    closes: bool = True  # whether it closes at a hundred; only that of a name does


@dataclass(frozen=True)
class Turn:
    """A try that is counted as failed until it proves right: two at once are two."""

    counter: Counter
    failures: int
    before: datetime


def counter_of_name(instance: Instance, name: str) -> Counter:
    """That of everybody who is not known, for a name as it is compared."""
    return Counter(instance.server.throttle("login", name))


def own_counter(instance: Instance, what: str, digest: bytes) -> Counter:
    """That of one `device`, `passkey` or mailed `link`."""
    return Counter(instance.server.throttle(what, digest.hex()), known=what != "link", closes=False)


def _row(session: Session, key: bytes, *, now: datetime) -> Throttle:
    session.execute(insert_if_absent(session, Throttle), [{"key": key, "failures": 0, "closed_until": now}])
    query = select(Throttle).where(Throttle.key == key).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _refuse(row: Throttle | None, counter: Counter, *, now: datetime) -> None:
    if row is None:
        return
    if counter.closes and row.failures >= CLOSED_AT:
        raise PathClosed(LONGEST_DELAY)
    left = row.closed_until - now
    # Further off than the longest delay: the clock was wrong when it was written.
    if timedelta() < left <= timedelta(seconds=LONGEST_DELAY):
        raise TooManyTries(math.ceil(left.total_seconds()))


def refuse_if_waiting(session: Session, counter: Counter, *, now: datetime) -> None:
    """Raises `TooManyTries` while a delay runs, `PathClosed` when this way is closed."""
    _refuse(session.get(Throttle, counter.key), counter, now=now)


def _count(row: Throttle, *, now: datetime) -> None:
    row.failures += 1
    over = row.failures - FREE_FAILURES
    if over > 0:
        row.closed_until = now + timedelta(seconds=min(2 ** min(over, 20), LONGEST_DELAY))


def take_turn(session: Session, counter: Counter, *, now: datetime) -> Turn:
    """Count a try before it is made, so that many at the same moment are no more than one after the other."""
    row = _row(session, counter.key, now=now)
    _refuse(row, counter, now=now)
    before = row.closed_until
    _count(row, now=now)
    session.flush()
    return Turn(counter, row.failures, before)


def give_back(session: Session, turn: Turn, *, now: datetime) -> None:
    """The try was right after all. What others failed meanwhile stays counted."""
    row = _row(session, turn.counter.key, now=now)
    if row.failures == turn.failures:
        row.closed_until = turn.before
    row.failures -= 1
    if row.failures < 1:  # nothing stays that says when somebody was at the door
        session.delete(row)
    session.flush()


def count_failure(session: Session, counter: Counter, *, now: datetime) -> int:
    """Count a failed try; answers how many there are now."""
    row = _row(session, counter.key, now=now)
    _count(row, now=now)
    session.flush()
    return row.failures


def failures(session: Session, counter: Counter) -> int:
    """How many tries failed since the last complete sign-in."""
    row = session.get(Throttle, counter.key)
    return row.failures if row else 0


def clear(session: Session, *counters: Counter) -> None:
    """Forget failed tries after a complete sign-in."""
    session.execute(delete(Throttle).where(Throttle.key.in_([counter.key for counter in counters])))


# --- the second factor ---------------------------------------------------------------------------------------------


def factor_counter(instance: Instance, name: str) -> Counter:
    """Wrong codes after a right password, however they came in."""
    return Counter(instance.server.throttle("factor", name), closes=False)


def warn_of_factor(
    session: Session, instance: Instance, user_id: bytes, login: str, name: str, *, now: datetime
) -> None:
    """Count a wrong code after a right password; at each tenth the owner gets a mail: somebody knows the password."""
    count = count_failure(session, factor_counter(instance, name), now=now)
    address = _address(login)
    if count % WARNED_AT == 0 and address:
        mail = mail_row(
            instance, someone_knows(), source=random_bytes(16), recipient_id=user_id, address=address, wall=now
        )
        session.add(Outbox(**mail))
        session.flush()


def _address(login: str) -> str | None:
    """Where staff read their mail. A reporter's login has a number behind it, so it is nobody's address."""
    return None if is_reporters_login(login) else mail_address(login)


# --- a mailed link -------------------------------------------------------------------------------------------------


def mail_try_link(
    session: Session, instance: Instance, counter: Counter, user_id: bytes | None, login: str, *, now: datetime
) -> None:
    """A link that lets one browser try again goes to the owner's address, if there is one; not while one is good.

    Only while a name waits or is closed: nobody else needs one, and nobody fills a mailbox by asking. The same is
    written for a name that nobody has, but for the mail. `login` is the owner's own, not what was typed.
    """
    if failures(session, counter) <= FREE_FAILURES:
        return
    if session.scalar(select(TryLink.counter).where(TryLink.counter == counter.key, TryLink.expires_at > now).limit(1)):
        return
    session.execute(delete(TryLink).where(TryLink.counter == counter.key))
    token = random_bytes(32)
    session.add(TryLink(token_hash=sha256(token), counter=counter.key, expires_at=now + LINK_GOOD))
    address = _address(login) if user_id is not None else None
    if address and user_id is not None:
        text = open_again(f"{instance.settings.base_url}/inloggen/openen/{token.hex()}")
        mail = mail_row(instance, text, source=random_bytes(16), recipient_id=user_id, address=address, wall=now)
        session.add(Outbox(**mail))
    session.flush()


def link_is_good(session: Session, token: str, *, now: datetime) -> bool:
    """Whether a mailed link may still be used."""
    row = _link(session, token)
    return row is not None and row.expires_at > now


def use_link(session: Session, token: str, *, now: datetime) -> bytes | None:
    """Use a mailed link up; answers the counter whose door it opens for this browser. It grants nothing."""
    row = _link(session, token)
    if row is None:
        return None
    gone = session.execute(delete(TryLink).where(TryLink.token_hash == row.token_hash))
    if gone.rowcount != 1 or row.expires_at <= now:  # type: ignore[attr-defined]
        return None
    return row.counter


def _link(session: Session, token: str) -> TryLink | None:
    try:
        digest = sha256(bytes.fromhex(token))
    except ValueError:
        return None
    return session.scalars(select(TryLink).where(TryLink.token_hash == digest)).one_or_none()


# --- cleaning up ---------------------------------------------------------------------------------------------------


def sweep_throttle(session: Session, *, now: datetime) -> None:
    """Counters that nobody added to for a month, and links that are over."""
    session.execute(delete(Throttle).where(Throttle.closed_until < now - KEPT))
    session.execute(delete(TryLink).where(TryLink.expires_at < now))


def make_room_for_account(session: Session) -> None:
    """Before somebody registers: so many wait to be confirmed at most, and the oldest of these go first."""
    count = session.scalar(
        select(func.count()).select_from(Invitation).join(Role, Role.user_id == Invitation.user_id)
        .where(Role.role == "melder")
    )  # fmt: skip
    if (count or 0) < MOST_UNCONFIRMED:
        return
    oldest = (
        select(Invitation.user_id).join(Role, Role.user_id == Invitation.user_id)
        .join(User, User.id == Invitation.user_id)
        .where(Role.role == "melder", User.state == "uitgenodigd")
        .order_by(Invitation.expires_at).limit(1 + (count or 0) - MOST_UNCONFIRMED)
    )  # fmt: skip
    gone = session.scalars(oldest).all()
    for model in (Root, Bundle, Role, Invitation):
        session.execute(delete(model).where(model.user_id.in_(gone)))
    session.execute(delete(User).where(User.id.in_(gone)))
