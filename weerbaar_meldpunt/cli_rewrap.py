"""`meldpunt vault rewrap` and `reseal`: what a member can let a machine do with the keys of their teams. Thin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from weerbaar_meldpunt.cli_parts import CHECK_FAILED, opened, refuse


@click.command()
def rewrap() -> None:
    """Wrap the case keys of a member's teams anew, after a new key of the team was pinned. Can stop and go on."""
    from weerbaar_meldpunt.actions import emergency
    from weerbaar_meldpunt.actions import rewrap as work
    from weerbaar_meldpunt.actions.errors import NotAllowed
    from weerbaar_meldpunt.actions.labels import labelled

    with opened() as instance:
        member, refused = _member(instance), 0
        for team in member.teams:
            progress = work.Progress(after=b"")
            done = 0
            while progress.after is not None:
                now = datetime.now(UTC)
                try:
                    with instance.readings() as session:
                        prepared = work.prepare_batch(session, instance, member, team, after=progress.after)
                except NotAllowed as refusal:
                    refuse(f"{team}: {refusal.reason}", CHECK_FAILED)
                with instance.sessions.begin() as session:
                    progress = work.keep_batch(session, instance, member, prepared, now=now)
                    work.note_refused(session, instance, progress, now=now)
                labelled("rewrap/batch-kept")
                done, refused = done + progress.done, refused + len(progress.refused)
                click.echo(f"{team}: {done} cases done, {progress.left} wraps left", err=True)
            with instance.sessions.begin() as session:
                emergency.rewrap(session, instance, member, team, now=datetime.now(UTC))
            click.echo(f"{team}: {done} cases wrapped anew; {progress.left} wraps are under an older key")
    if refused:
        refuse(
            f"{refused} cases have a wrap that the trail does not know: it stays as it is; see the alarms", CHECK_FAILED
        )


@click.command()
def reseal() -> None:
    """Drop what the member's teams cached of their cases and make it again. There is one suite of seals as yet."""
    from weerbaar_meldpunt.actions.epochs import drop_caches
    from weerbaar_meldpunt.actions.queue import fold_cases

    with opened() as instance:
        member = _member(instance)
        for team in member.teams:
            with instance.sessions.begin() as session:
                drop_caches(session, team)
            after: bytes | None = b""
            while after is not None:
                with instance.sessions.begin() as session:
                    after = fold_cases(session, instance, member, team, after=after)
            click.echo(f"{team}: the caches are made again")


def _member(instance: Any) -> Any:
    """Who acts: a member of a team, with password and code as on the page."""
    from weerbaar_meldpunt.actions.founding import Refusal, person_at_console

    login = click.prompt("Login of a member")
    password, code = click.prompt("Password", hide_input=True), click.prompt("Code of the app", hide_input=True)
    try:
        found = person_at_console(instance, login, password, code, now=datetime.now(UTC))
    except Refusal as refusal:
        refuse(str(refusal))
    if found is None or not found.teams:
        refuse("this is not an active member of a team with the right password and code; a code is good once")
    return found
