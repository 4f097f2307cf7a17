"""`meldpunt backup`, `meldpunt restore`. Thin: asks what lies in the safe, calls actions, prints, sets the status."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import click

from weerbaar_meldpunt.cli_keeping import report_lines
from weerbaar_meldpunt.cli_parts import CHECK_FAILED, opened, refuse
from weerbaar_meldpunt.settings import SettingsFault, default_instance, load_settings

OPEN: Final = "OPEN"
_DIGITS: Final = 64
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--out", "out", required=True, help="A new file, or - for standard output.")
def backup(out: str) -> None:
    """Everything that must survive this machine, as one sealed stream, while the program runs.

    The server key and the pepper are not in it: keep the sheet of `meldpunt vault sheet` apart.
    """
    from weerbaar_meldpunt.actions import backup as making
    from weerbaar_meldpunt.actions.errors import InstanceFault
    from weerbaar_meldpunt.actions.evidence import DiskFull

    if out == "-" and sys.stdout.isatty():
        refuse("a backup is not for a screen: send it on (meldpunt backup --out - | …)")
    now = datetime.now(UTC)
    with opened() as instance:
        try:
            if out == "-":
                made = making.make_backup(instance, sys.stdout.buffer, now=now)
                sys.stdout.buffer.flush()
            else:
                with making.backup_file(Path(out)) as target:
                    made = making.make_backup(instance, target, now=now)
        except FileExistsError:
            refuse(f"{out} is there already: a backup is never written over another")
        except DiskFull:
            refuse("the disk that the backup goes to is full; nothing of it was kept", CHECK_FAILED)
        except (InstanceFault, OSError) as fault:
            refuse(str(fault), CHECK_FAILED)
        with instance.sessions.begin() as session:
            making.note_backup(session, instance, made, now=now)
    files = f"{made.rows} rows and {made.files} files, {made.size / 2**20:.1f} MiB"
    click.echo(f"backup {made.id.hex()}: {files}; opens with: {', '.join(made.kinds)}", err=True)
    if "recovery" not in made.kinds:
        click.echo("WARNING: no custodians yet, so only the seed on the sheet opens it", err=True)
    if made.missing:
        click.echo(f"WARNING: {made.missing} files of evidence were not there to be copied", err=True)


@click.command()
@click.argument("file", type=_FILE, required=False)
@click.option(
    "--tombstones",
    "mails",
    multiple=True,
    type=_FILE,
    help="Mails of checkpoints that were kept since the backup; may be given several times.",
)
@click.option(
    "--old-instance",
    "old",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the instance that was lost, when its database can still be read.",
)
@click.option("--anchor", type=_FILE, help="The newest checkpoint that anybody kept; else the newest in the mails.")
@click.option("--custodians", is_flag=True, help="Open the backup with the codes of two custodians, not the sheet.")
@click.option("--no-anchor", is_flag=True, help="No checkpoint was ever kept outside: open without one.")
def restore(
    file: Path | None, mails: tuple[Path, ...], old: Path | None, anchor: Path | None, custodians: bool, no_anchor: bool
) -> None:  # fmt: skip
    """Put a backup back into an empty instance folder, and open it once the tombstones were replayed.

    It stays closed in between: go on with the same command, without FILE, as often as is needed.
    """
    now = datetime.now(UTC)
    if file is not None:
        _unpack(file, custodians, now=now)
    with _closed() as instance:
        stones, found = _stones(mails, old)
        newest = _anchor(anchor, found)
        _replay(instance, stones, now=now)
        if newest is None and not no_anchor:
            click.echo("Still closed: give the newest checkpoint that anybody kept (--anchor), or say --no-anchor.")
            sys.exit(CHECK_FAILED)
        _check(instance, newest)
        if not click.confirm("Did you read this, and is it right?") or click.prompt(f"Type {OPEN}") != OPEN:
            click.echo("Still closed.")
            sys.exit(CHECK_FAILED)
        from weerbaar_meldpunt.actions.reopening import open_for_service

        with instance.sessions.begin() as session:
            open_for_service(session, instance, now=now)
    click.echo("Open. Start `meldpunt serve` and `meldpunt clock`, and make a backup now.")


def _unpack(file: Path, custodians: bool, *, now: datetime) -> None:
    from weerbaar_meldpunt.actions import restoring
    from weerbaar_meldpunt.actions.errors import InstanceFault

    folder = default_instance()
    try:
        head = restoring.head_of(file)
        click.echo(f"Backup of {head.made}, of the desk {head.instance.hex()}")
        server_key = restoring.lying_ready(folder, "server.key") or _key("Server key, from the sheet")
        pepper = restoring.lying_ready(folder, "pepper.key") or _key("Pepper, from the sheet")
        if custodians:
            first, second = _hidden("Code of one custodian"), _hidden("Code of another custodian")
            kind, seed = "recovery", restoring.seed_of_custodians(head, first, second)
        else:
            kind, seed = "backup", _key("Seed of the backups, from the sheet")
        found = restoring.open_backup(file, kind, seed, server_key, pepper)
        click.echo("The backup is whole, and this desk made it.")
        restoring.unpack(found, folder, server_key, pepper, now=now)
    except (restoring.RestoreFault, InstanceFault) as fault:
        refuse(str(fault), CHECK_FAILED)
    click.echo(f"It is back in {folder}, and closed.")


def _hidden(what: str) -> str:
    """Ask for a secret; nothing shows while it is typed."""
    return str(click.prompt(what, hide_input=True))


def _key(what: str) -> bytes:
    """A key as the sheet prints it: two lines of eight groups, typed as two lines or as one."""
    from weerbaar_meldpunt.actions.restoring import read_sheet_key

    typed = _hidden(what)
    while len("".join(typed.split())) < _DIGITS:
        typed += _hidden("the next line")
    return read_sheet_key(typed)


@contextmanager
def _closed() -> Iterator[Any]:
    """The instance that waits to be opened."""
    from weerbaar_meldpunt.actions.errors import InstanceFault
    from weerbaar_meldpunt.actions.instance import open_instance
    from weerbaar_meldpunt.actions.reopening import standing

    try:
        instance = open_instance(load_settings(), closed_too=True)
    except (InstanceFault, SettingsFault) as fault:
        refuse(str(fault))
    try:
        with instance.readings() as session:
            if standing(session) is None:
                refuse("this instance is open, or never came out of a backup: give a FILE and an empty folder")
        yield instance
    finally:
        instance.engine.dispose()


def _stones(mails: tuple[Path, ...], old: Path | None) -> tuple[list[tuple[date, bytes]], list[Any]]:
    """All tombstones that are known outside, and the checkpoints beside them."""
    from weerbaar_meldpunt.actions.kept_mails import read_mails, stones_of

    stones: list[tuple[date, bytes]] = []
    anchors = []
    for path in mails:
        try:
            more_anchors, more = read_mails(path)
        except ValueError:
            refuse(f"{path}: there is no checkpoint in it; give the mails as a whole")
        anchors += more_anchors
        stones += more
    if old is not None:
        try:
            stones += stones_of(old)
        except (SettingsFault, ValueError) as fault:
            refuse(f"{old}: {fault}")
    return stones, anchors


def _anchor(path: Path | None, found: list[Any]) -> Any:
    from weerbaar_meldpunt.actions.kept_mails import read_mails

    if path is not None:
        try:
            found = [*found, *read_mails(path)[0]]
        except ValueError:
            refuse(f"{path}: there is no checkpoint in it; copy the mail as a whole")
    return max(found, key=lambda one: (one.checkpoint.size, one.checkpoint.at), default=None)


def _replay(instance: Any, stones: list[tuple[date, bytes]], *, now: datetime) -> None:
    from weerbaar_meldpunt.actions.erasing import remove_files
    from weerbaar_meldpunt.actions.reopening import replay

    with instance.sessions.begin() as session:
        done = replay(session, instance, stones, now=now)
    remove_files(instance, done.files)
    click.echo(f"{done.stones} tombstones were new here; they took away:")
    for table, count in sorted(done.removed.items()):
        click.echo(f"  {count} of {table}")
    click.echo(f"  {done.disabled} accounts disabled, {done.erased} cases destroyed again")
    if done.kept_cases:
        click.echo(f"  {done.kept_cases} cases were moved to another team since: they are back with the one before,")
        click.echo("  because the other has no key for them here. Let that team move them once more.")
    for name in done.without_way:
        click.echo(f"  nothing lets {name} in any more: invite them anew, and a colleague admits them")
    if done.closed_cases:
        click.echo(f"WARNING: no team's key opens {done.closed_cases} cases: use a newer backup", err=True)


def _check(instance: Any, anchor: Any) -> None:
    from weerbaar_meldpunt.actions.reopening import faults
    from weerbaar_meldpunt.actions.verifying import one_moment, verify

    with instance.readings() as session:
        one_moment(session)
        wrong = faults(session, instance, anchor) if anchor is not None else []
        if wrong:
            refuse("Still closed: " + "; ".join(wrong), CHECK_FAILED)
        verdict = verify(session, instance, anchor=anchor.checkpoint.text if anchor is not None else None)
    click.echo("What the trail says (a checkpoint from after the backup says that the end of the trail is missing and")
    click.echo("that the tombstones differ: both are true. Anything else should not be there):")
    for line in report_lines(verdict):
        click.echo(f"  {line}")
