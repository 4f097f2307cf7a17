"""`meldpunt …`: what an operator calls. Thin: reads words, calls an action, prints, sets the exit status.

Status 0: done; 1: a check failed; 2: wrong input, said on standard error, with nothing half done.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from weerbaar_meldpunt.cli_keeping import audit
from weerbaar_meldpunt.cli_parts import CHECK_FAILED, Moment, at, opened, print_json, refuse
from weerbaar_meldpunt.cli_restore import backup, restore
from weerbaar_meldpunt.cli_vault import init, vault
from weerbaar_meldpunt.rules.answering import answer_lines, answer_text
from weerbaar_meldpunt.rules.faults import ReportFaults
from weerbaar_meldpunt.settings import SettingsFault

# What needs the database is imported where it is used: `route` and `figures rehearse` work without an instance.


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--instance", "folder", type=click.Path(file_okay=False, path_type=Path), help="The instance folder.")
@click.version_option(package_name="weerbaar_meldpunt", message="%(version)s")
def main(folder: Path | None) -> None:
    """A sealed reporting desk for people in Dutch local public office who are threatened.

    The instance folder is --instance, else MELDPUNT_INSTANCE, else ./instance.
    """
    if folder is not None:
        os.environ["MELDPUNT_INSTANCE"] = str(folder.absolute())


# --- rules ---------------------------------------------------------------------------------------------------------


@main.command()
@click.argument("file", type=click.File("rb"))
@click.option("--now", "moment", type=Moment(), help="Decide as at this moment.")
def route(file: Any, moment: datetime | None) -> None:
    """What the rules say of a report (JSON or YAML; - for standard input; .jsonl: one a line). Needs no instance."""
    now = moment or datetime.now(UTC)
    if str(getattr(file, "name", "")).endswith(".jsonl"):
        fine = True
        for answer, ok in answer_lines(file, now=now):
            click.echo(json.dumps(answer, ensure_ascii=False))
            fine = fine and ok
        sys.exit(0 if fine else CHECK_FAILED)
    try:
        print_json(answer_text(file.read(), now=now))
    except ReportFaults as refused:
        refuse("\n".join(str(fault) for fault in refused.faults))


# --- reports -------------------------------------------------------------------------------------------------------


@main.command()
@click.argument("file", type=click.File("rb"))
@click.option("--attach", "paths", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="An evidence file; may be given several times.")  # fmt: skip
@click.option("--now", "moment", type=Moment(), help="File as at this moment; demonstration only.")
def report(file: Any, paths: tuple[Path, ...], moment: datetime | None) -> None:
    """File a report, as the web form does; prints the reference and the receipt code once, as JSON."""
    from weerbaar_meldpunt.actions.errors import NotReady, TooLarge
    from weerbaar_meldpunt.actions.intake import file_from_operator

    with opened() as instance:
        try:
            filed = file_from_operator(instance, file.read(), paths, now=at(instance, moment))
        except ReportFaults as refused:
            refuse("\n".join(str(fault) for fault in refused.faults))
        except TooLarge:
            refuse("a file is larger than 25 MiB, or all files together than 500 MiB; nothing was filed")
        except NotReady:
            refuse("no team has a pinned key yet; nothing was filed", CHECK_FAILED)
        print_json(filed)


@main.command()
@click.argument("team")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 100_000))
def queue(team: str, as_json: bool, limit: int) -> None:
    """What a thief of the database would see of a team's open tracks: the open columns only."""
    from weerbaar_meldpunt.actions.intake import open_columns
    from weerbaar_meldpunt.rules.vocabulary import TEAMS

    if team not in TEAMS:
        refuse(f"no such team; there are {', '.join(TEAMS)}")
    with opened() as instance:
        with instance.readings() as session:
            rows = open_columns(session, team, limit=limit)
        if as_json:
            print_json(rows)
        else:
            for row in rows:
                click.echo("  ".join(str(value or "-") for value in row.values()))


# --- instance ------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--port", default=8000, show_default=True, envvar="PORT")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--threads", default=24, show_default=True)
def serve(port: int, host: str, workers: int, threads: int) -> None:
    """The web server; behind a proxy that does TLS, for anything but a demonstration."""
    from weerbaar_meldpunt.actions.custody_check import not_yet
    from weerbaar_meldpunt.actions.passkeys import fault_of
    from weerbaar_meldpunt.app import create_app
    from weerbaar_meldpunt.web.server import Server

    with opened() as instance:
        where, fault = instance.settings.instance, fault_of(instance.settings)
        if fault and instance.settings.passkey_required:
            refuse(f"{fault}, and passkey_required asks for one")
        with instance.readings() as session:
            unready = not_yet(session, instance)
    for line in filter(None, (unready, fault)):
        click.echo(line, err=True)
    click.echo(f"Serving the instance in {where} on {host}:{port}", err=True)
    Server(create_app, address=f"{host}:{port}", workers=workers, threads=threads).run()


@main.command()
@click.option("--once", is_flag=True, help="Look once and stop.")
@click.option("--now", "moment", type=Moment(), help="As at this moment; with --once, demonstration only.")
def clock(once: bool, moment: datetime | None) -> None:
    """The clock that chases open cases and sends the mails; any number of them may run."""
    from weerbaar_meldpunt.jobs.schedule import run, run_once

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", stream=sys.stdout)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    with opened() as instance:
        if moment is not None and not once:
            refuse("--now goes with --once")
        if once:
            run_once(instance, now=at(instance, moment))
        else:
            run(instance)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def doctor(as_json: bool) -> None:
    """Is everything in order, and if not: what to do. Works when nothing else does. Status 1 when anything is wrong."""
    from weerbaar_meldpunt.actions.examination import examine_folder

    findings = examine_folder(now=datetime.now(UTC))
    if as_json:
        print_json([finding.as_document() for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{'ok   ' if finding.fine else 'WRONG'}  {finding.what}: {finding.found}")
            if finding.do:
                click.echo(f"       -> {finding.do}")
    sys.exit(0 if all(finding.fine for finding in findings) else CHECK_FAILED)


main.add_command(audit)
main.add_command(backup)
main.add_command(restore)
main.add_command(init)
main.add_command(vault)


# --- demonstration -------------------------------------------------------------------------------------------------


@main.group(invoke_without_command=True)
@click.option("--cases", default=300, show_default=True, type=click.IntRange(1, 20_000))
@click.option("--months", default=12, show_default=True, type=click.IntRange(1, 36))
@click.option("--now", "moment", type=Moment(), help="The last moment of the demonstration.")
@click.pass_context
def demo(context: click.Context, cases: int, months: int, moment: datetime | None) -> None:
    """Fill a new demonstration instance with invented cases. Everything in it is fictional."""
    if context.invoked_subcommand:
        return
    from weerbaar_meldpunt.actions.demonstration import make_demonstration
    from weerbaar_meldpunt.actions.errors import InstanceFault
    from weerbaar_meldpunt.settings import default_instance

    try:
        make_demonstration(
            default_instance(), cases=cases, months=months, now=moment or datetime.now(UTC),
            tell=lambda line: click.echo(line, err=True),
        )  # fmt: skip
    except (InstanceFault, SettingsFault) as fault:
        refuse(str(fault))


@demo.command("accounts")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def demo_accounts(as_json: bool) -> None:
    """The logins of the demonstration: role, login, password and the secret of the second factor."""
    from weerbaar_meldpunt.actions.demonstration_people import read_accounts, read_sheets

    with opened() as instance:
        if not instance.demonstration:
            refuse("this is no demonstration")
        accounts, sheets = read_accounts(instance, now=datetime.now(UTC)), read_sheets(instance)
    if as_json:
        nobody = dict.fromkeys(("login", "password", "totp_secret"))  # a custodian has a code and no account
        print_json([*accounts, *(nobody | sheet for sheet in sheets)])
        return
    for account in accounts:
        click.echo(f"  {account['role']:<34} {account['login']:<34} code now: {account['code']}")
    if accounts:
        click.echo(f"  All have the password: {accounts[0]['password']}")
        click.echo(f"  A new code of the second factor, each 30 seconds: {sys.argv[0]} demo accounts")
    for one in sheets:
        click.echo(f"  {one['role']:<34} {one['name']:<34} code: {one['code']}")


# --- figures -------------------------------------------------------------------------------------------------------


@main.group()
def figures() -> None:
    """The monthly figures."""


@figures.command()
@click.argument("facts", type=click.File("rb"))
@click.option("--out", "folder", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--key", "key_hex", help="Hex; without it the key follows from the file.")
def rehearse(facts: Any, folder: Path, key_hex: str | None) -> None:
    """Months of coded facts in, a complete publication out; nothing is stored. Needs no instance."""
    from weerbaar_meldpunt.actions.rehearsal import FactsFault, rehearse
    from weerbaar_meldpunt.rules.rounding import Unpublishable

    try:
        key = bytes.fromhex(key_hex) if key_hex else None
    except ValueError:
        refuse("--key: hexadecimal digits are asked")
    try:
        rehearse(facts.readlines(), folder, key=key)
    except FactsFault as fault:
        refuse(str(fault))
    except Unpublishable as fault:
        refuse(str(fault), CHECK_FAILED)


if __name__ == "__main__":
    main()
