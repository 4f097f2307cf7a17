"""All tables together, for migrations."""

from __future__ import annotations

from . import audit, cases, custody, doors, figures, keeping, links, membership, oversight, people, retention, tracks
from .base import Base

metadata = Base.metadata

__all__ = [
    "audit",
    "cases",
    "custody",
    "doors",
    "figures",
    "keeping",
    "links",
    "membership",
    "metadata",
    "oversight",
    "people",
    "retention",
    "tracks",
]
