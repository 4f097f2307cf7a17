"""The LINK secret, which all teams share to compare marks: made by a coordinator, pinned, renewed with a team's key.

It is off until the FG's decision, and then it is a key like those of the teams: believed when it is pinned, each next
one signed by the one before. It is wrapped to teams, so whoever left a team has no later one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.vocabulary import TEAMS
from weerbaar_meldpunt.store.links import LinkGrant
from weerbaar_meldpunt.store.people import TeamEpoch
from weerbaar_meldpunt.vault.derive import new_key
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.wrap import Grant, PublicKey, epoch_statement, sign, unwrap, wrap

from . import pinning
from .alarms import raise_alarm
from .errors import NotAllowed
from .instance import Instance
from .ledger import Ledger
from .linking_decision import linking_allowed
from .person import Person
from .pinning import pin_name

LINK: Final = "link"
MADE: Final = "koppelsleutel_gemaakt"
NOT_RENEWED: Final = "koppelsleutel_niet_vernieuwd"


def link_ring(session: Session, instance: Instance, person: Person) -> tuple[TeamKeys, ...]:
    """The LINK secrets that a person's teams were given and that the person believes, newest last.

    A wrap proves nothing: what it gives must be the very key that is pinned.
    """
    pairs = {keys.pair.public.key_id: keys.pair for ring in person.teams.values() for keys in ring}
    if not pairs:
        return ()
    found: dict[int, TeamKeys] = {}
    for row in session.scalars(select(LinkGrant).where(LinkGrant.recipient.in_(pairs)).order_by(LinkGrant.epoch)):
        try:
            secret = unwrap(pairs[row.recipient], row.wrapped, Grant("link_grant", LINK, None, row.epoch, row.grantor))
            keys = TeamKeys("", row.epoch, secret, LINK)
        except Onleesbaar:
            continue
        public = keys.pair.public
        if instance.pins().holds(public) and person.pins.get(pin_name(LINK, "", row.epoch)) == public.fingerprint.hex():
            found[row.epoch] = keys
    return tuple(found[epoch] for epoch in sorted(found))


def sealing_link(session: Session, instance: Instance, person: Person) -> tuple[TeamKeys, ...]:
    """The ring of who may seal with it now: the newest one is the pinned one. `NotAllowed` for who has it not."""
    ring, pin = link_ring(session, instance, person), instance.pins().sealing(LINK, "")
    if not ring or pin is None or ring[-1].pair.public.fingerprint != pin.fingerprint:
        raise NotAllowed("geen_koppelsleutel")
    return ring


def make_link_key(session: Session, instance: Instance, person: Person, root: bytes, *, now: datetime) -> PublicKey:
    """A coordinator makes the first LINK secret; it is used once its pin stands in the pin file.

    It is wrapped to every team that has a key, and this person must have compared each of those.
    """
    if not person.has("coordinator"):
        raise NotAllowed("alleen_coordinator")
    if not linking_allowed(session, instance, now=now):
        raise NotAllowed("koppelen_uit")
    if session.scalar(select(TeamEpoch.epoch).where(TeamEpoch.kind == LINK).limit(1)) is not None:
        raise NotAllowed("koppelsleutel_bestaat")
    keys = TeamKeys("", 1, new_key(), LINK)
    ledger = Ledger(session, instance, now=now)
    ledger.add(TeamEpoch, kind=LINK, team="", epoch=1, public_key=keys.pair.public.raw, made_at=now)
    _grant_all(session, instance, ledger, person, [keys], _teams(session, instance, person))
    ledger.close(person.user_id, MADE, keys.pair.public.key_id)
    pinning.keep_made(session, root, person.user_id, keys.pair.public)
    return keys.pair.public


def renew(session: Session, instance: Instance, ledger: Ledger, person: Person, fresh: PublicKey) -> PublicKey | None:
    """With a new key of a team comes a new LINK secret, in the same act: whoever left has no later one.

    `fresh` is the team's next key, which this person just made. It gets all LINK secrets that are in use; the next one
    goes to every team. None where there is no LINK key; where this person does not hold it, that is an alarm, since
    whoever left still knows the one that is in use.
    """
    ring = link_ring(session, instance, person)
    pin = instance.pins().sealing(LINK, "")
    if pin is None:
        return None
    if not ring or ring[-1].pair.public.fingerprint != pin.fingerprint:
        raise_alarm(session, instance, NOT_RENEWED, str(pin.epoch), now=ledger.now)
        return None
    current = ring[-1]
    _make_room(session, ledger, current.epoch + 1)
    keys = TeamKeys("", current.epoch + 1, new_key(), LINK)
    public = keys.pair.public
    ledger.add(
        TeamEpoch, kind=LINK, team="", epoch=keys.epoch, public_key=public.raw, made_at=ledger.now,
        signature=sign(current.sign_seed, epoch_statement(LINK, "", keys.epoch, public.fingerprint)),
    )  # fmt: skip
    others = [key for key in _teams(session, instance, person) if key.owner != fresh.owner]
    _grant_all(session, instance, ledger, person, [keys], [*others, fresh])
    _grant_all(session, instance, ledger, person, ring, [fresh])
    return public


def _make_room(session: Session, ledger: Ledger, epoch: int) -> None:
    """A next one that was made and never pinned gives way."""
    row = session.get(TeamEpoch, (LINK, "", epoch), populate_existing=True)
    if row is not None:
        ledger.remove(row)
    for grant in session.scalars(select(LinkGrant).where(LinkGrant.epoch == epoch)).all():
        ledger.remove(grant)
    session.flush()


def _teams(session: Session, instance: Instance, person: Person) -> list[PublicKey]:
    """The key of each team that has one; each must be what this person pinned."""
    for team in TEAMS:
        pinning.require_believed(instance, person.pins, "team", team)
    return list(instance.sealing_keys(session, "team", TEAMS).values())


def _grant_all(
    session: Session, instance: Instance, ledger: Ledger, person: Person, ring: Iterable[TeamKeys],
    teams: Iterable[PublicKey],
) -> None:  # fmt: skip
    held = {(row.epoch, row.recipient) for row in session.scalars(select(LinkGrant))}
    recipients = list(teams)
    for keys in ring:
        for team in recipients:
            if (keys.epoch, team.key_id) in held:
                continue
            grant = Grant("link_grant", LINK, None, keys.epoch, person.user_id)
            ledger.add(
                LinkGrant, epoch=keys.epoch, recipient=team.key_id, grantor=person.user_id,
                wrapped=wrap(team, keys.secret, grant),
            )  # fmt: skip
