"""`meldpunt vault recover`: two custodians bring a team back, or open the emergency list. Thin: asks, calls, prints."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from weerbaar_meldpunt.cli_parts import CHECK_FAILED, opened, refuse
from weerbaar_meldpunt.settings import default_instance


@click.command()
@click.option("--emergency", is_flag=True, help="Print the emergency list from the file of the day; needs no database.")
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="With --emergency: this file, not the newest in the instance folder.")  # fmt: skip
def recover(emergency: bool, path: Path | None) -> None:
    """Two custodians bring back a team whose members can open nothing any more. Needs no account.

    First the members set up their accounts anew (an administrator disables and invites them; without an administrator:
    meldpunt init --again). Then this gives them the team's key, and makes the next one.
    """
    if emergency:
        _emergency(path)
        return
    if path is not None:
        refuse("--file goes with --emergency")
    from weerbaar_meldpunt.actions import recovering

    now = datetime.now(UTC)
    with opened() as instance:
        with instance.readings() as session:
            circle = recovering.circle_of(session, instance)
        pairs = _open(circle, instance, now=now)
        with instance.readings() as session:
            rings = recovering.find_rings(session, instance, pairs)
        restored = [found.group for found in rings if _group(instance, found, now=now)]
        if not restored:
            click.echo("Nobody was given a key; nothing changed.")
            return
        with instance.sessions.begin() as session:
            recovering.finish(session, instance, restored, now=now)
        from weerbaar_meldpunt.actions.founding import digest_words

        click.echo("Everybody is told by mail, an alarm stands, and a checkpoint went out.")
        click.echo(f"Digest of the pin file, which members compare when they sign in: {digest_words(instance)}")


def _open(circle: Any, instance: Any, *, now: datetime) -> Any:
    """Show the custodians, ask two of them for their codes, and open RECOVERY."""
    from weerbaar_meldpunt.actions import recovering
    from weerbaar_meldpunt.actions.teamkeys import fingerprint_words

    able = {one.place: one for one in circle.can()}
    if not able:
        refuse("there are no custodians with a share (meldpunt vault pin makes them)", CHECK_FAILED)
    for place, one in sorted(able.items()):
        pin = circle.pins.sealing("custodian", one.id.hex())
        click.echo(f"{place}  {one.name}: {fingerprint_words(pin.fingerprint) if pin else 'NOT PINNED'}")
    codes: dict[bytes, str] = {}
    for which in ("First", "Second"):
        # Whoever types a code here by mistake does not see it come back in an error.
        typed = str(click.prompt(f"{which} custodian: the number in the list above"))
        place = int(typed) if typed in ("1", "2", "3") else 0
        if place not in able:
            refuse("this custodian holds no share")
        one = able[place]
        if one.id in codes:
            refuse("two different custodians are needed")
        if not click.confirm(f"Is {one.name} here, and is this the fingerprint on their sheet?"):
            refuse("nothing was opened")
        codes[one.id] = click.prompt(f"Code of {one.name}", hide_input=True)
    try:
        pairs = recovering.open_recovery(circle, codes)
    except recovering.RecoveryRefused as refusal:
        if refusal.altered and instance is not None:
            with instance.sessions.begin() as session:
                recovering.alarm_altered(session, instance, refusal.altered, now=now)
        refuse(str(refusal), CHECK_FAILED)
    for epoch, pair in sorted(pairs.items()):
        print_ = fingerprint_words(pair.public.fingerprint)
        click.echo(f"RECOVERY epoch {epoch} is open; its fingerprint is that of its pin: {print_}")
    return pairs


def _group(instance: Any, found: Any, *, now: datetime) -> bool:
    """Give one team its key back, or not; whether it was."""
    from weerbaar_meldpunt.actions import recovering
    from weerbaar_meldpunt.actions.errors import NotAllowed
    from weerbaar_meldpunt.actions.teamkeys import fingerprint_words

    for name in found.altered:
        click.echo(f"ALTERED: {name} does not give the pinned key; it is left out", err=True)
        with instance.sessions.begin() as session:
            recovering.alarm_altered(session, instance, name, now=now)
    if not found.complete(instance.pins()):
        if found.ring or found.altered:
            click.echo(f"{found.group}: its present key is not among what opens; nothing can be given back", err=True)
        return False
    click.echo(f"\n{found.group}: {len(found.ring)} keys, up to epoch {found.ring[-1].epoch}")
    if not click.confirm(f"Give the key of {found.group} to members you name?"):
        return False
    with instance.readings() as session:
        rows = recovering.candidates(session, instance, found.group)
        held = recovering.holding(session, found, rows)
    members: dict[bytes, bytes] = {}
    for row in rows:
        if row.fingerprint is None:
            continue
        state = "holds a key already" if row.user_id in held else "waits for the key"
        click.echo(f"  {row.name} ({row.login}): {row.state}, {state}; {fingerprint_words(row.fingerprint)}")
        if click.confirm("  Is this what they read out, and do they get the key?"):
            members[row.user_id] = row.fingerprint
    if not members:
        click.echo("  nobody")
        return False
    try:
        with instance.sessions.begin() as session:
            key = recovering.restore_group(session, instance, found, members, now=now)
    except NotAllowed as refusal:
        refuse(f"nothing was given: {refusal.reason}", CHECK_FAILED)
    instance.add_pin(key)
    click.echo(f"{found.group}: given to {len(members)}; epoch {key.epoch} is made and pinned:")
    click.echo(f"  {fingerprint_words(key.fingerprint)}")
    if len(members) < 2:
        click.echo("  WARNING: a team needs two members before cases are sealed to it", err=True)
    return True


def _emergency(path: Path | None) -> None:
    from weerbaar_meldpunt.actions import emergency_file
    from weerbaar_meldpunt.actions.errors import InstanceFault

    folder = default_instance()
    try:
        found = emergency_file.files(folder)
        if path is None and not found:
            refuse(f"there is no emergency list in {folder}: the clock writes one a day", CHECK_FAILED)
        chosen = path or found[-1]
        document = emergency_file.read_file(chosen)
        circle = emergency_file.circle_of_file(folder, document)
        click.echo(f"{chosen.name}, written {document['made']}")
        pairs = _open(circle, None, now=datetime.now(UTC))
        listed = emergency_file.open_file(document, pairs)
    except InstanceFault as fault:
        refuse(str(fault), CHECK_FAILED)
    if not emergency_file.note_opened_offline(now=datetime.now(UTC)):
        click.echo("The database cannot be reached: write down yourself who opened this list, and when.", err=True)
    for entry in listed.entries:
        hours = ", ".join(f"{start or '00:00'}-{end or '24:00'}" for start, end in entry.safe_hours) or "any time"
        night = {True: "; also at night", False: "; not at night", None: ""}[entry.night_call]
        number = entry.telephone or "no number"
        click.echo(f"{entry.urgency:<6} {entry.reference}  {entry.name or 'no name'}  {number}  {hours}{night}")
    if not listed.entries:
        click.echo("No open case that is acute or urgent.")
    if listed.unreadable:
        click.echo(f"{listed.unreadable} entries do not open: changed, or sealed to an older key", err=True)
