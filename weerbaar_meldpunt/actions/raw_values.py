"""Values as they lie in the database, whatever somebody made of them: a check may not stumble over what it looks for.

SQLite keeps text in a column of moments and a number in one of bytes, when whoever writes it wants that.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, type_coerce
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import NULLTYPE

_DAY_LETTERS: Final = 10


def raw(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """A column as it is, under its own name."""
    return type_coerce(column, NULLTYPE).label(column.key)


def as_moment(value: object) -> datetime | None:
    """A moment in UTC; nothing for what is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def as_day(value: object) -> date | None:
    """A day; nothing for what is none."""
    if isinstance(value, str) and len(value) == _DAY_LETTERS:
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, date) and not isinstance(value, datetime) else None
