"""The bundle: what hangs from somebody's ROOT. Sealed as a whole, and with a new revision, at every change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.store.people import Bundle
from weerbaar_meldpunt.vault.seal import Binding, SealKey, open_json, seal_json


def seal_bundle(root: bytes, user_id: bytes, revision: int, document: Mapping[str, Any]) -> bytes:
    """A user's bundle under ROOT."""
    return seal_json(SealKey(root), dict(document), Binding("bundle", user_id, None, revision))


def open_bundle(root: bytes, row: Bundle) -> dict[str, Any]:
    """A user's bundle; `Onleesbaar` when ROOT is not theirs."""
    document = open_json(SealKey(root), row.sealed, Binding("bundle", row.user_id, None, row.revision))
    return dict(document)


def change_bundle(
    session: Session, root: bytes, user_id: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """Open the bundle as it stands now, change it and seal it again; answers the changed one."""
    row = session.scalars(
        select(Bundle)
        .where(Bundle.user_id == user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()  # fmt: skip
    changed = change(open_bundle(root, row))
    row.revision += 1
    row.sealed = seal_bundle(root, user_id, row.revision, changed)
    session.flush()
    return changed
