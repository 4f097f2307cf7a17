"""The list of members a team knows, sealed under the team's own key: only an admission adds to it.

Whoever writes the database cannot put somebody on it: it takes the team's secret to seal one, and the trail names the
revision that counts, so that an older list that is put back is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.people import Roster, TeamGrant, User
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding, open_json, seal_json
from weerbaar_meldpunt.vault.wrap import PublicKey, recipient_of

from .instance import Instance
from .ledger import Ledger
from .pinning import Planted
from .vouching import trail_of_rows

ROSTER_CHANGED: Final = "ledenlijst_gewijzigd"


@dataclass(frozen=True, slots=True)
class Listed:
    """A member on the list: whose key, which of theirs, and its whole fingerprint."""

    user_id: bytes
    number: int
    fingerprint: bytes


def _binding(team: str, revision: int) -> Binding:
    return Binding("roster", team, None, revision)


def _row(session: Session, keys: TeamKeys) -> Roster | None:
    return session.scalars(
        select(Roster)
        .where(Roster.kind == keys.kind, Roster.team == keys.team, Roster.epoch == keys.epoch)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def read_roster(session: Session, instance: Instance, keys: TeamKeys) -> list[Listed]:
    """The members on the list of this epoch; `Planted` when it is not the one the program last wrote."""
    about = f"{keys.kind}/{keys.team}/{keys.epoch}"
    row = _row(session, keys)
    if row is None:
        empty = Roster(kind=keys.kind, team=keys.team, epoch=keys.epoch, revision=0, sealed=b"")
        if trail_of_rows(session, instance, [empty]).newest:
            raise Planted("ledenlijst_klopt_niet", ROSTER_CHANGED, about)
        return _from_grants(session, instance, keys)
    if not trail_of_rows(session, instance, [row]).agrees(row):
        raise Planted("ledenlijst_klopt_niet", ROSTER_CHANGED, about)
    try:
        document = open_json(keys.key("roster"), row.sealed, _binding(keys.team, row.revision))
        return [Listed(bytes.fromhex(user), number, bytes.fromhex(digest)) for user, number, digest in document]
    except (Onleesbaar, ValueError, TypeError):
        raise Planted("ledenlijst_klopt_niet", ROSTER_CHANGED, about) from None


def _from_grants(session: Session, instance: Instance, keys: TeamKeys) -> list[Listed]:
    """The list of a team that was founded before there were lists: those to whose key the trail says it was given."""
    rows = session.execute(
        select(TeamGrant, User)
        .join(User, User.id == TeamGrant.member_id)
        .where(TeamGrant.kind == keys.kind, TeamGrant.team == keys.team, TeamGrant.epoch == keys.epoch)
    ).all()
    trail = trail_of_rows(session, instance, [grant for grant, _ in rows])
    found = []
    for grant, user in rows:
        if user.public_key is None or not trail.agrees(grant):
            continue
        key = PublicKey("user", user.id, user.key_number, user.public_key)
        if recipient_of(grant.wrapped) == key.key_id:
            found.append(Listed(user.id, user.key_number, key.fingerprint))
    return found


def write_roster(session: Session, ledger: Ledger, keys: TeamKeys, members: Iterable[Listed]) -> None:
    """Seal the list of an epoch, in the act of the caller."""
    listed = sorted(members, key=lambda one: one.user_id)
    document = [[one.user_id.hex(), one.number, one.fingerprint.hex()] for one in listed]
    row = _row(session, keys)
    revision = 1 if row is None else row.revision + 1
    sealed = seal_json(keys.key("roster"), document, _binding(keys.team, revision))
    if row is None:
        ledger.add(
            Roster, kind=keys.kind, team=keys.team, epoch=keys.epoch, revision=revision, sealed=sealed
        )  # fmt: skip
    else:
        ledger.change(row, revision=revision, sealed=sealed)


def with_member(members: Sequence[Listed], fresh: Listed) -> list[Listed]:
    """The list with somebody on it, in the place of an earlier key of theirs."""
    return [*(one for one in members if one.user_id != fresh.user_id), fresh]
