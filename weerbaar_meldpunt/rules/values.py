"""The kinds of value that documents hold: codes, moments, days. Strict: nothing is converted, but text to a date."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")
_MINUTE: Final = timedelta(minutes=1)

_DAY: Final = re.compile(r"[0-9]{4}(-[0-9]{2}-[0-9]{2}|[0-9]{4}|-?W[0-9]{2}-?[0-9])")
_MOMENT: Final = re.compile(
    r"[0-9]{4}(-[0-9]{2}-[0-9]{2}|[0-9]{4}|-?W[0-9]{2}-?[0-9])"
    r"[Tt ]([01][0-9]|2[0-3])(:?[0-9]{2}(:?[0-9]{2}([.,][0-9]+)?)?)?"  # not 24:00, which only some Pythons read
    r"([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?"
)


@dataclass(frozen=True, slots=True)
class OneOf:
    """A text that must be one of these codes."""

    codes: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic look the code up; a fault lists the known ones and not what was given."""
        return core_schema.custom_error_schema(
            core_schema.literal_schema(list(self.codes)),
            custom_error_type="unknown_code",
            custom_error_message="unknown code; known codes: {known}",
            custom_error_context={"known": ", ".join(self.codes)},
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """A text of a certain shape, and how that shape is asked for in a fault."""

    pattern: str
    asked: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A fault says what is asked and not what was given."""
        return core_schema.custom_error_schema(
            core_schema.str_schema(pattern=self.pattern), custom_error_type="shape", custom_error_message=self.asked
        )


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError(
            "string_unicode", "a text with half a character (a lone surrogate) cannot be kept"
        ) from None
    return text


# Free text. Half a character passes JSON, but cannot be sealed, stored or shown.
Text = Annotated[str, AfterValidator(_whole)]

Item = TypeVar("Item", bound=Hashable)


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _once(value: tuple[Item, ...]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(value))


# A list in a document; a member that is repeated counts once.
Several = Annotated[tuple[Item, ...], BeforeValidator(_as_tuple), AfterValidator(_once)]


def _fault(message: str) -> PydanticCustomError:
    return PydanticCustomError("date_or_moment", "{asked}", {"asked": message})


def read_moment(text: str) -> datetime | None:
    """An ISO 8601 moment with its offset, Amsterdam's when it has none; None when the text is not a moment.

    A local hour that comes twice (the night the clock goes back) is the first; one that is skipped is an hour later.
    """
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return fixed(datetime.fromisoformat(text.replace(",", ".").replace("t", "T").replace("z", "Z")))
    except (ValueError, OverflowError):
        return None


def moment_in(value: object) -> datetime | None:
    """The moment that a value of a document holds, or None when it holds none."""
    found = _either(value)
    return found if isinstance(found, datetime) else None


def read_day(text: str) -> date | None:
    """An ISO 8601 date, or None when the text is not a date."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def fixed(moment: datetime) -> datetime:
    """The same moment at a fixed offset: moments in a zone that repeats an hour do not compare with others.

    `OverflowError` for a moment that no clock in UTC or Amsterdam ever shows. An offset with seconds (Amsterdam before
    1940) cannot be written in ISO 8601, so such a moment is kept in UTC.
    """
    local = moment if moment.tzinfo else moment.replace(tzinfo=AMSTERDAM)
    everywhere = local.astimezone(UTC)
    everywhere.astimezone(AMSTERDAM)
    offset = local.utcoffset() or timedelta()
    return everywhere if offset % _MINUTE else local.replace(tzinfo=timezone(offset), fold=0)


def _moment(value: object) -> datetime:
    found = _either(value)
    if isinstance(found, datetime):
        return found
    raise _fault("a moment is asked (ISO 8601 date and time), not a date alone" if found else _NO_MOMENT)


def _day(value: object) -> date:
    found = _either(value)
    if found is None or isinstance(found, datetime):
        raise _fault("a date is asked (ISO 8601), not a moment" if found else "a date is asked (ISO 8601)")
    return found


def _moment_or_day(value: object) -> datetime | date:
    found = _either(value)
    if found is None:
        raise _fault(_NO_MOMENT + ", or a date alone")
    return found


_NO_MOMENT: Final = "a moment is asked (ISO 8601 date and time)"


def _either(value: object) -> datetime | date | None:
    if isinstance(value, str):
        return read_day(value) or read_moment(value)
    if isinstance(value, datetime):
        try:
            return fixed(value)
        except OverflowError:
            return None
    return value if isinstance(value, date) else None


def _written(value: date) -> str:
    return value.isoformat()


@dataclass(frozen=True, slots=True)
class _Dated:
    """A date or moment, read by one of the functions above and written as ISO 8601."""

    read: Callable[[object], date]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(_written, when_used="json-unless-none"),
        )


Moment = Annotated[datetime, _Dated(_moment)]
Day = Annotated[date, _Dated(_day)]
MomentOrDay = Annotated[datetime | date, _Dated(_moment_or_day)]
