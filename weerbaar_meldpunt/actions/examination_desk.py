"""What an instance that opens says of itself: its keys, teams, clocks, mails, alarms, backups and trail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.cases import Attachment
from weerbaar_meldpunt.store.keeping import Backup
from weerbaar_meldpunt.store.migrate import current, newest
from weerbaar_meldpunt.store.people import Root
from weerbaar_meldpunt.store.tracks import Outbox, Pulse
from weerbaar_meldpunt.vault.derive import equal
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.password import pepper_id
from weerbaar_meldpunt.vault.seal import Binding, open_json

from . import checkpoints, custody_check, nightly, outbox, roster
from .alarms import standing_alarms
from .epochs import key_states
from .examination_machine import Looked
from .instance import Instance
from .person import STATS
from .pulse import JUMP, SEEN
from .reopening import standing
from .rewrap import wraps_left

SILENCE: Final = timedelta(minutes=5)
DAY: Final = timedelta(days=1)
# A backup that is made each night may take a while, and so may a checkpoint.
LATE: Final = timedelta(hours=26)
WAITS_LONG: Final = timedelta(hours=1)
_LOOKED_AT: Final = 500


def look(instance: Instance, *, now: datetime) -> Iterator[Looked]:
    """Everything that takes the database."""
    at = current(instance.engine)
    yield Looked(
        "database",
        at == newest(),
        f"at version {at}, the program is at {newest()}",
        "start the program of this version",
    )
    with instance.readings() as session:
        yield from _restored(session)
        yield from _right_keys(session, instance)
        for what, fine, found in custody_check.findings(session, instance):
            yield Looked(what, fine, found)
        yield from _team_keys(session, instance, now=now)
        yield from _roster(session, now=now)
        yield from _clock(session, now=now)
        yield from _mail(session, instance, now=now)
        yield _alarms(session)
        yield _files(session, instance)
        yield from _kept(session, now=now)


def _restored(session: Session) -> Iterator[Looked]:
    row = standing(session)
    if row is not None:
        yield Looked(
            "restore", False, f"the backup of {row.made_at:%Y-%m-%d %H:%M} UTC is back, and closed",
            "meldpunt restore --tombstones MAILS (docs/operate.md): it replays them, checks, and opens",
        )  # fmt: skip


def _right_keys(session: Session, instance: Instance) -> Iterator[Looked]:
    """Whether the two keys are those of this database: another one opens nothing, and spoils the trail."""
    leaf = session.execute(select(Leaf.chain, Leaf.head).order_by(Leaf.seq.desc()).limit(1)).one_or_none()
    right = leaf is None or equal(instance.server.audit_head(leaf.chain), leaf.head)
    found = "is the one that signed the trail" if right else "did not sign the newest leaf of the trail"
    yield Looked(
        "server key", right, found,
        "stop both programs. Is server.key the one on the sheet? Then somebody wrote in the trail",
    )  # fmt: skip
    ours = pepper_id(instance.pepper)
    counted = session.execute(
        select(Root.pepper_id == ours, func.count()).where(Root.way == "pw").group_by(Root.pepper_id == ours)
    ).all()
    theirs = sum(count for same, count in counted if not same)
    found = (
        f"{theirs} passwords were made with another pepper and open nothing" if theirs else "is that of the passwords"
    )
    yield Looked("pepper", not theirs, found, "type pepper.key again from the sheet; else these people use their codes")


def _team_keys(session: Session, instance: Instance, *, now: datetime) -> Iterator[Looked]:
    groups = (*TEAMS, STATS)
    states = {state.group: state for state in key_states(session, instance, groups, now=now)}
    for group in groups:
        state = states.get(group)
        if state is None:
            yield Looked(
                f"key of {group}", False, "not pinned; its cases go elsewhere",
                "a member makes it under Mensen and reads it out; then meldpunt vault pin",
            )  # fmt: skip
            continue
        faults = []
        if state.leavers:
            late = ", longer than 72 hours ago" if state.late else ""
            faults.append(f"{len(state.leavers)} who left still know it{late}")
        if state.custodian_left:
            faults.append("a custodian who left still knows part of what opens it")
        if state.waiting is not None:
            faults.append(f"epoch {state.waiting.epoch} is made and not pinned")
        if state.reseal:
            faults.append("the figures are still under the key before")
        do = "meldpunt vault pin" if state.waiting else "a member makes the next key under Mensen, today"
        yield Looked(f"key of {group}", not faults, "; ".join(faults) or f"epoch {state.epoch}, pinned", do)
        left = wraps_left(session, instance, group) if group in TEAMS else 0
        if left:
            yield Looked(
                f"renewal of {group}", False, f"{left} keys of cases are still under an old key",
                "a member of the team goes on with it under Mensen; cases open meanwhile",
            )  # fmt: skip


def _roster(session: Session, *, now: datetime) -> Iterator[Looked]:
    gaps = roster.gaps(session, TEAMS, now)
    for team in TEAMS:
        holes = [gap for gap in gaps if gap.team == team]
        found = f"nobody from {holes[0].starts_at:%Y-%m-%d %H:%M} UTC" if holes else "somebody is always on duty"
        yield Looked(f"roster of {team}, 7 days", not holes, found, "the coordinator fills it: Wie heeft dienst?")


def _clock(session: Session, *, now: datetime) -> Iterator[Looked]:
    pulses = {pulse.name: pulse.seen_at for pulse in session.scalars(select(Pulse))}
    seen, jump = pulses.get(SEEN), pulses.get(JUMP)
    # A pulse in the future is of a clock that ran wrong, and hides one that stands still.
    fine = seen is not None and abs(now - seen) < SILENCE
    found = f"last looked at {seen:%Y-%m-%d %H:%M} UTC" if seen else "has never looked"
    yield Looked("clock", fine, found, "start `meldpunt clock`, and see to it that it starts by itself")
    ahead = seen is not None and seen - now > SILENCE
    stands = ahead or (jump is not None and now - jump < DAY)
    found = "this machine's clock jumped; nothing is deleted by age for a day" if stands else "runs on"
    yield Looked("time", not stands, found, "compare the time of this machine with a good clock (timedatectl)")


def _mail(session: Session, instance: Instance, *, now: datetime) -> Iterator[Looked]:
    waiting = outbox.waiting(session)
    sends = instance.settings.smtp is not None
    found = "a mail server is set" if sends else "no mail server is set, so nobody is reminded by mail"
    yield Looked("mail", sends or instance.demonstration, f"{found}; {waiting} waiting", "set [smtp] in meldpunt.toml")
    stuck = session.scalar(select(func.count()).where(Outbox.attempts > 0)) or 0
    if sends:
        found = f"{stuck} mails were tried and did not leave" if stuck else "what was tried has left"
        yield Looked("mails that wait", not stuck, found, "is the mail server up? see the log of `meldpunt clock`")
    closed = 0
    for row in session.scalars(select(Outbox).limit(_LOOKED_AT)):
        try:
            open_json(instance.server.seal, row.sealed, Binding("outbox", None, row.id, 1))
        except Onleesbaar:
            closed += 1
    if closed:
        yield Looked(
            "mails", False, f"{closed} waiting mails do not open with this server key",
            "is server.key the one on the sheet? they are kept, and leave once it is back",
        )  # fmt: skip


def _alarms(session: Session) -> Looked:
    counted: dict[str, int] = {}
    for alarm in standing_alarms(session):
        counted[alarm.kind] = counted.get(alarm.kind, 0) + 1
    found = ", ".join(f"{count} × {kind}" for kind, count in sorted(counted.items()))
    return Looked(
        "alarms", not counted, f"standing: {found}" if found else "none stands",
        "the auditor opens Alarmen: each says what it means and what to do",
    )  # fmt: skip


def _files(session: Session, instance: Instance) -> Looked:
    """Evidence of which the sealed file is not there: its case shows a gap, and nothing is deleted for it."""
    gone, rows = 0, iter(session.scalars(select(Attachment.blob_id).execution_options(yield_per=_LOOKED_AT)))
    while some := list(islice(rows, _LOOKED_AT)):
        gone += sum(not (instance.blobs / blob_id.hex()).exists() for blob_id in some)
    found = f"{gone} files of evidence are gone from the folder blobs" if gone else "every file is there"
    return Looked("evidence", not gone, found, "take them out of a backup, by name, into blobs; they are sealed")


def _kept(session: Session, *, now: datetime) -> Iterator[Looked]:
    """Backups, checkpoints and the nightly check: what makes that nothing is lost, and that nothing changes unseen."""
    made = session.scalar(select(func.max(Backup.made_at)))
    found = f"the last one is of {made:%Y-%m-%d %H:%M} UTC" if made else "none was ever made"
    fine = made is not None and now - made < LATE
    yield Looked("backup", fine, found, "meldpunt backup --out FILE, each night, and to another place")
    point = checkpoints.newest(session)
    found = f"the last one is of {point.at:%Y-%m-%d}" if point else "none was ever made"
    fine = point is not None and now - point.at < LATE
    yield Looked("checkpoint", fine, found, "the clock makes one each day and mails it to the custodians: does it run?")
    check = nightly.last_check(session)
    if check is None:
        yield Looked("trail", False, "was never checked", "meldpunt audit verify; the clock does it each night")
    else:
        late = check.ended_at is None or now - check.ended_at > LATE
        found = f"checked on {check.day}: {check.wrong} things wrong"
        do = (
            "meldpunt audit verify names each; change nothing" if check.wrong else "does `meldpunt clock` run at night?"
        )
        yield Looked("trail", not check.wrong and not late, found, do)
