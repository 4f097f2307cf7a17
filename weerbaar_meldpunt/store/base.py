"""What every table shares: names of constraints, ids, moments in UTC and ranked codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import DateTime, Dialect, LargeBinary, MetaData, SmallInteger, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, mapped_column

from weerbaar_meldpunt.rules import vocabulary


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always UTC: refuses one without a zone on the way in, gives an aware one on the way out."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: UTC without a zone mark on SQLite, aware on PostgreSQL."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a zone")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database: aware, UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """With a zone where the database knows zones."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))


class Ranked(TypeDecorator[str]):
    """A code kept as its place in a list, so that an index can order by it."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__()
        self.codes = tuple(codes)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> int | None:
        """The code's place; an unknown code is refused."""
        return None if value is None else self.codes.index(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> str | None:
        """The code."""
        return None if value is None else self.codes[value]


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


UNORDERED = {"sqlite_with_rowid": False}  # random ids, no order of insertion left in the file
URGENCY = Ranked(vocabulary.URGENCIES)

Id = Annotated[bytes, mapped_column(LargeBinary(16))]
IdKey = Annotated[bytes, mapped_column(LargeBinary(16), primary_key=True)]
Hash = Annotated[bytes, mapped_column(LargeBinary(32))]
HashKey = Annotated[bytes, mapped_column(LargeBinary(32), primary_key=True)]
Sealed = Annotated[bytes, mapped_column(LargeBinary)]
Code = Annotated[str, mapped_column(String(40))]
CodeKey = Annotated[str, mapped_column(String(40), primary_key=True)]
Moment = Annotated[datetime, mapped_column(UtcDateTime)]
