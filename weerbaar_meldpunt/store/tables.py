"""All tables together, for migrations."""

from __future__ import annotations

from . import audit, cases, figures, people, tracks
from .base import Base

metadata = Base.metadata

__all__ = ["audit", "cases", "figures", "metadata", "people", "tracks"]
