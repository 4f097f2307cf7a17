"""`meldpunt init` and `meldpunt vault …`: founding a desk, custodians, what is pinned. Thin: asks, calls, prints."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any

import click

from weerbaar_meldpunt.cli_parts import CHECK_FAILED, opened, refuse
from weerbaar_meldpunt.cli_recover import recover
from weerbaar_meldpunt.cli_rewrap import reseal, rewrap
from weerbaar_meldpunt.settings import SettingsFault

CUSTODIANS = 3
CHANGED = "CHANGED meanwhile: nothing was pinned; run meldpunt vault pin again and compare anew"


@click.command()
@click.option("--login", prompt="E-mail address of the first administrator", help="Of the first administrator.")
@click.option("--name", prompt="Name of the first administrator", help="Of the first administrator.")
@click.option("--base-url", default="https://meldpunt.example", show_default=True, help="Where people will find it.")
@click.option("--custodian", "custodians", multiple=True, metavar="NAME <MAIL>",
              help="A custodian; give it three times, else they are asked.")  # fmt: skip
@click.option("--again", is_flag=True, help="Of an instance that stands: invite an administrator when none is active.")
def init(login: str, name: str, base_url: str, custodians: tuple[str, ...], again: bool) -> None:
    """A new real instance: keys, pepper, pin file, database, three links for custodians, one for an administrator."""
    if again:
        _administrator_again(login, name)
        return
    from weerbaar_meldpunt.actions.errors import InstanceFault, NotAllowed
    from weerbaar_meldpunt.actions.founding import found_instance
    from weerbaar_meldpunt.settings import default_instance

    named = [_custodian(one) for one in custodians]
    if len(named) > CUSTODIANS:
        refuse("there are three custodians")
    while len(named) < CUSTODIANS:
        who = click.prompt(f"Name of custodian {len(named) + 1}")
        named.append((who, click.prompt(f"E-mail address of {who} (may be left empty)", default="")))
    try:
        founded = found_instance(
            default_instance(), login=login, name=name, base_url=base_url, custodians=named, now=datetime.now(UTC)
        )
    except (InstanceFault, SettingsFault) as fault:
        refuse(str(fault))
    except NotAllowed as refusal:
        refuse(refusal.reason)
    click.echo(f"The instance is in {default_instance()}")
    click.echo("Print the server key and the pepper and keep them in a safe, in no backup: meldpunt vault sheet")
    _show_seed(founded.backup_words, founded.backup_fingerprint)
    for who, link in founded.custodian_links:
        click.echo(f"\nLink for custodian {who}, good once and for 14 days:\n{link}")
    click.echo(f"\nInvitation for administrator {name}, good once and for 24 hours:\n{founded.administrator_link}")
    click.echo("\nNext: the custodians follow their links, then: meldpunt vault pin (docs/operate.md)")


def _custodian(text: str) -> tuple[str, str]:
    name, mail = parseaddr(text) if "<" in text else (text.strip(), "")
    if not name:
        refuse(f'"{text}": a name is asked, as in: Anna de Vries <anna@voorbeeld.test>')
    return name, mail


def _show_seed(words: str, fingerprint: str) -> None:
    click.echo("\nThe seed of the backups, shown ONCE and kept nowhere: write it on a sheet of its own, offline.")
    click.echo("Whoever has it and a copy of a backup opens the backup; what is in it stays sealed.")
    click.echo(f"{words}\nfingerprint of its key: {fingerprint}")


def _administrator_again(login: str, name: str) -> None:
    from weerbaar_meldpunt.actions.errors import NotAllowed
    from weerbaar_meldpunt.actions.founding import invite_administrator

    with opened() as instance:
        try:
            with instance.sessions.begin() as session:
                link = invite_administrator(session, instance, login=login, name=name, now=datetime.now(UTC))
        except NotAllowed as refusal:
            if refusal.reason == "beheerder_actief":
                refuse("an administrator is active: they invite others themselves, on the page of people and keys")
            refuse(refusal.reason)
    click.echo(f"Invitation for administrator {name}, good once and for 24 hours:\n{link}")


@click.group()
def vault() -> None:
    """Keys: custodians, what is pinned for sealing, and bringing back a team that nobody can open."""


vault.add_command(recover)
vault.add_command(rewrap)
vault.add_command(reseal)


@vault.command()
def sheet() -> None:
    """Print the server key and the pepper, to keep on paper; they are in no backup."""
    from weerbaar_meldpunt.actions import intake

    with opened() as instance:
        blocks = intake.sheet(instance)
    click.echo("\n\n".join(f"{name}\n{groups}" for name, groups in blocks))


# --- pinning -------------------------------------------------------------------------------------------------------


@vault.command()
@click.option("--yes", is_flag=True, help="Pin without asking; demonstration only.")
def pin(yes: bool) -> None:
    """Pin keys after comparing each fingerprint: of custodians from their sheets, of teams with the member.

    Once three custodians are pinned, the key of RECOVERY is made for them and pinned.
    """
    from weerbaar_meldpunt.actions.founding import digest_words, note_pinned

    now = datetime.now(UTC)
    with opened() as instance:
        if yes and not instance.demonstration:
            refuse("--yes is for a demonstration only: a fingerprint is compared by a person")
        by = _administrator(instance, now=now)
        pinned = _pin_custodians(instance, yes=yes)
        pinned += _pin_recovery(instance, yes=yes, now=now)
        pinned += _pin_groups(instance, yes=yes)
        if not pinned:
            click.echo("There is no key to add to the pin file.")
        with instance.sessions.begin() as session:
            note_pinned(session, instance, pinned, by=by, now=now)
        if pinned:
            click.echo(f"Digest of the pin file, for members to compare: {digest_words(instance)}")


def _administrator(instance: Any, *, now: datetime) -> bytes:
    """Who pins: an administrator with password and code, as soon as one is active; before that, whoever founds it."""
    from weerbaar_meldpunt.actions.founding import Refusal, active_administrators, sign_in_at_console

    with instance.readings() as session:
        known = active_administrators(session)
    if instance.demonstration or not known:
        return b""
    login = click.prompt("Login of an administrator")
    password, code = click.prompt("Password", hide_input=True), click.prompt("Code of the app", hide_input=True)
    try:
        return sign_in_at_console(instance, login, password, code, role="beheerder", now=now)
    except Refusal as refusal:
        refuse(str(refusal))


def _pin_custodians(instance: Any, *, yes: bool) -> list[Any]:
    from weerbaar_meldpunt.actions.custodians import custodians, pin_as_shown
    from weerbaar_meldpunt.actions.teamkeys import fingerprint_words

    pinned = []
    with instance.readings() as session:
        keepers = custodians(session, instance)
    for one in keepers:
        if one.key is None or one.pinned:
            if one.key is None:
                click.echo(f"custodian {one.place}, {one.name}: has not followed the link yet")
            continue
        click.echo(f"custodian {one.place}, {one.name}: {fingerprint_words(one.key.fingerprint)}")
        if not one.vouched:
            click.echo("  REFUSED: this is not what the program wrote; somebody wrote in the database", err=True)
        elif instance.pins().sealing("custodian", one.id.hex()) is not None:
            click.echo("  REFUSED: another key of this custodian is pinned; somebody wrote in the database", err=True)
        elif yes or click.confirm("Is this what stands on the sheet of this custodian?"):
            pinned += _pin_as_shown(instance, one.key, pin_as_shown)
    return pinned


def _pin_as_shown(instance: Any, key: Any, pin_it: Callable[..., bool]) -> list[Any]:
    """Pin what was compared, if it still stands: minutes went by on the telephone."""
    with instance.sessions.begin() as session:
        done = pin_it(session, instance, key)
    click.echo("pinned" if done else CHANGED, err=not done)
    return [key] if done else []


def _pin_recovery(instance: Any, *, yes: bool, now: datetime) -> list[Any]:
    from weerbaar_meldpunt.actions import custodians
    from weerbaar_meldpunt.actions.teamkeys import fingerprint_words

    with instance.readings() as session:
        if not custodians.recovery_wanted(session, instance):
            return []
        keys = custodians.circle(session, instance)
        names = {one.place: one.name for one in custodians.custodians(session, instance)}
    click.echo("RECOVERY is made for these three; any two of them open what every team holds:")
    for place, one in sorted(keys.items()):
        click.echo(f"  {place}, {names[place]}: {fingerprint_words(one.fingerprint)}")
    if not yes and not click.confirm("Are these the three custodians, with what stands on their sheets?"):
        click.echo("RECOVERY is not made.", err=True)
        return []
    with instance.sessions.begin() as session:
        thrown = custodians.discard_unpinned(session, instance, custodians.RECOVERY, now=now)
        key = custodians.make_recovery_as_shown(session, instance, keys, now=now)
    if thrown:
        click.echo("A key of RECOVERY that no pin names was thrown away; an alarm says so.", err=True)
    if key is None or not _pin_as_shown(instance, key, custodians.pin_house_key):
        if key is None:
            click.echo(CHANGED, err=True)
        return []
    click.echo("The key of RECOVERY is made and pinned. Write its fingerprint on the three sheets:")
    click.echo(f"RECOVERY epoch {key.epoch}: {fingerprint_words(key.fingerprint)}")
    return [key]


def _pin_groups(instance: Any, *, yes: bool) -> list[Any]:
    from weerbaar_meldpunt.actions.teamkeys import fingerprint_words, pin_as_shown, planted_keys, unpinned_keys

    pinned = []
    with instance.readings() as session:
        keys, strange = unpinned_keys(session, instance), planted_keys(session, instance)
    for name in strange:
        click.echo(f"REFUSED: {name} is not what a member made; it is not offered", err=True)
    for key in keys:
        owner = key.owner if isinstance(key.owner, str) else ""
        click.echo(f"{key.kind} {owner} epoch {key.epoch}: {fingerprint_words(key.fingerprint)}")
        if yes or click.confirm("Is this what the member reads out?"):
            pinned += _pin_as_shown(instance, key, pin_as_shown)
    return pinned


@vault.command("backup-key")
@click.option("--new", is_flag=True, help="Make another one: the sheet with the seed is lost, or somebody saw it.")
def backup_key(new: bool) -> None:
    """Make the key that backups are sealed to; its seed is printed once, for a sheet that beheer keeps offline."""
    from weerbaar_meldpunt.actions import custodians
    from weerbaar_meldpunt.actions.founding import note_pinned, sheet_words
    from weerbaar_meldpunt.actions.teamkeys import fingerprint_words

    now = datetime.now(UTC)
    with opened() as instance:
        with instance.readings() as session:
            known = instance.house_key(session, custodians.BACKUP)
        if known is not None and not new:
            refuse("there is one; --new makes another, and older backups still open with the older seed", CHECK_FAILED)
        by = _administrator(instance, now=now)
        with instance.sessions.begin() as session:
            key, seed = custodians.make_backup(session, instance, now=now)
        if not _pin_as_shown(instance, key, custodians.pin_house_key):
            sys.exit(CHECK_FAILED)
        with instance.sessions.begin() as session:
            note_pinned(session, instance, [key], by=by, now=now)
    _show_seed(sheet_words(seed), fingerprint_words(key.fingerprint))


# --- custodians ----------------------------------------------------------------------------------------------------


@vault.command()
@click.option("--invite", is_flag=True, help="Invite somebody for each place that is free.")
@click.option("--again", type=click.IntRange(1, 3), metavar="PLACE", help="A new link for who has no pinned key yet.")
@click.option("--replace", type=click.IntRange(1, 3), metavar="PLACE", help="This one leaves; invite another.")
@click.option("--custodian", "named", multiple=True, metavar="NAME <MAIL>", help="Who is invited; else they are asked.")
@click.option("--yes", is_flag=True, help="Replace without asking.")
def custodians(invite: bool, again: int | None, replace: int | None, named: tuple[str, ...], yes: bool) -> None:
    """Who the custodians are; invite one anew, or replace one who leaves."""
    from weerbaar_meldpunt.actions import custodian_links
    from weerbaar_meldpunt.actions.custodians import custodians as keepers_of
    from weerbaar_meldpunt.actions.errors import NotAllowed

    now, waiting = datetime.now(UTC), [_custodian(one) for one in named]
    with opened() as instance:
        with instance.readings() as session:
            by_place = {one.place: one for one in keepers_of(session, instance)}
        try:
            if again is not None:
                with instance.sessions.begin() as session:
                    row = _at(by_place, again)
                    token = custodian_links.invite_again(session, instance, row.id, now=now)
                _show_link(instance, row.name, token)
            elif replace is not None:
                row = _at(by_place, replace)
                click.echo(f"{row.name} leaves. What their code opens together with another is destroyed at once.")
                if not yes and not click.confirm("Go on?"):
                    refuse("nothing was changed")
                who, mail = waiting[0] if waiting else _ask(replace)
                with instance.sessions.begin() as session:
                    custodian_links.dismiss(session, instance, row.id, now=now)
                    token = custodian_links.invite_custodian(session, instance, name=who, mail=mail, now=now)
                _show_link(instance, who, token)
                click.echo("When the link was followed: meldpunt vault pin. Then every team makes a new key.")
            elif invite:
                for place in [place for place in (1, 2, 3) if place not in by_place]:
                    who, mail = waiting.pop(0) if waiting else _ask(place)
                    with instance.sessions.begin() as session:
                        token = custodian_links.invite_custodian(session, instance, name=who, mail=mail, now=now)
                    _show_link(instance, who, token)
            else:
                _list(by_place)
        except NotAllowed as refusal:
            refuse(_REASONS.get(refusal.reason, refusal.reason))


_REASONS = {
    "bewaarder_vastgelegd": "the key of this custodian is pinned: replace them instead (--replace)",
    "bewaarder_gegevens": "a name, and an e-mail address or none, are asked",
    "drie_bewaarders": "there are three custodians already",
}


def _at(by_place: dict[int, Any], place: int) -> Any:
    if place not in by_place:
        refuse(f"there is no custodian {place}")
    return by_place[place]


def _ask(place: int) -> tuple[str, str]:
    who = click.prompt(f"Name of custodian {place}")
    return who, click.prompt(f"E-mail address of {who} (may be left empty)", default="")


def _show_link(instance: Any, name: str, token: str) -> None:
    click.echo(f"Link for custodian {name}, good once and for 14 days:")
    click.echo(f"{instance.settings.base_url}/bewaarder/{token}")


def _list(by_place: dict[int, Any]) -> None:
    from weerbaar_meldpunt.actions.teamkeys import fingerprint_words

    for place in (1, 2, 3):
        one = by_place.get(place)
        if one is None:
            click.echo(f"{place}  nobody (meldpunt vault custodians --invite)")
        else:
            state = "pinned" if one.pinned else "made a key, not pinned" if one.key else "invited"
            print_ = fingerprint_words(one.key.fingerprint) if one.key else ""
            click.echo(f"{place}  {one.name}  {one.mail or '-'}  {state}  {print_}".rstrip())
