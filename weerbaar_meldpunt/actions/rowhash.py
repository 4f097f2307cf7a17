"""What a row of a table is to the trail: its primary key as bytes, and all its columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import inspect

from weerbaar_meldpunt.store.base import Base


@cache
def columns_of(model: type[Base]) -> tuple[str, ...]:
    """The names of a table's columns, as attributes."""
    return tuple(attribute.key for attribute in inspect(model).column_attrs)


def row_id(model: type[Base], values: Mapping[str, Any]) -> bytes:
    """A row's primary key as bytes."""
    parts = (values[name] for name in _key_of(model))
    return b"|".join(value if isinstance(value, bytes) else str(value).encode() for value in parts)


@cache
def _key_of(model: type[Base]) -> tuple[str, ...]:
    mapper = inspect(model)
    return tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key)


def row_values(row: Base) -> dict[str, Any]:
    """All columns of a row."""
    return {name: getattr(row, name) for name in columns_of(type(row))}
