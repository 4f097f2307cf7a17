"""How values look on a page: moments, sizes and numbers in Dutch, and what every template can call."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal
from flask import Flask, url_for
from flask_babel import get_locale, gettext
from jinja2 import pass_context
from jinja2.runtime import Context

from weerbaar_meldpunt.places import static_folder

from .labels import choices, hint, label, options

LOCAL: Final = ZoneInfo("Europe/Amsterdam")
Moment = datetime | date | str | None


def install(app: Flask) -> None:
    """Give an application's templates the filters of this module and the labels."""
    app.jinja_env.filters.update(
        moment=moment_filter,
        before=before_filter,
        short=short_filter,
        day=day_filter,
        clock=clock,
        ago=ago_filter,
        iso=iso,
        size=size,
        number=number,
    )
    app.jinja_env.globals.update(
        label=label, choices=choices, hint=hint, options=options,
        asset=asset, page_language=page_language, page_direction=page_direction,
    )  # fmt: skip


def moment(value: Moment, now: datetime | None = None, *, full: bool = False) -> str:
    """A moment for a person: "vandaag om 16:30 uur", else "maandag 23 november 2026 om 16:30 uur".

    Takes a datetime with an offset or its ISO text; a date alone is shown as a day, nothing as "onbekend". Without
    `now`, or with `full`, no "vandaag": on paper and in what is kept that word would go stale.
    """
    read = _read(value)
    if read is None:
        return str(gettext("onbekend"))
    if not isinstance(read, datetime):
        return day(read, now, full=full)
    return str(gettext("%(day)s om %(time)s uur", day=day(read, now, full=full), time=clock(read)))


def before(value: Moment, now: datetime | None = None) -> str:
    """Until when something will be done: "vandaag vóór 16:30 uur", "maandag 23 november 2026 vóór 16:30 uur"."""
    read = _read(value)
    if not isinstance(read, datetime):
        return str(gettext("vóór %(day)s", day=moment(read, now)))
    return str(gettext("%(day)s vóór %(time)s uur", day=day(read, now), time=clock(read)))


def short(value: Moment, now: datetime | None = None) -> str:
    """A moment in a list: "vandaag 16:30", "morgen 09:00", "wo 25 nov 14:30"; with the year when it is another."""
    read = _read(value)
    if read is None:
        return str(gettext("onbekend"))
    on = _local(read).date() if isinstance(read, datetime) else read
    word = _near(on, now)
    if not word:
        this_year = now is not None and _local(now).year == on.year
        word = format_date(on, "EEE d MMM" if this_year else "EEE d MMM y", locale=_locale())
    return f"{word} {clock(read)}".rstrip()


def day(value: Moment, now: datetime | None = None, *, full: bool = False) -> str:
    """A day for a person: "vandaag", "gisteren", "morgen", else "maandag 23 november 2026"."""
    read = _read(value)
    if read is None:
        return str(gettext("onbekend"))
    on = _local(read).date() if isinstance(read, datetime) else read
    word = "" if full else _near(on, now)
    return word or format_date(on, "EEEE d MMMM y", locale=_locale())


def clock(value: Moment) -> str:
    """The time of a moment in the Netherlands: "16:30". In the hour that comes twice a year it says which one."""
    read = _read(value)
    if not isinstance(read, datetime):
        return ""
    local = _local(read)
    text = format_time(local.time(), "HH:mm", locale=_locale())
    if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
        return text
    season = gettext("zomertijd") if local.dst() else gettext("wintertijd")
    return f"{text} ({season})"


def ago(value: Moment, now: datetime) -> str:
    """How long ago or ahead: "5 minuten geleden", "over 2 uur", "nu"."""
    read = _read(value)
    if not isinstance(read, datetime):
        return day(read, now)
    apart = read - now
    if abs(apart) < timedelta(minutes=1):
        return str(gettext("nu"))
    return format_timedelta(apart, granularity="minute", add_direction=True, locale=_locale())


def size(count: int) -> str:
    """A number of bytes: "812 bytes", "34 kB", "1,4 MB"."""
    if count < 1000:
        return str(gettext("%(count)s bytes", count=number(count)))
    amount = float(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        # 999,6 kB would be rounded to 1.000 kB.
        if amount < 999.5 or unit == "GB":
            break
    return f"{format_decimal(amount, '0.#' if amount < 9.95 else '#,##0', locale=_locale())} {unit}"


def number(value: float) -> str:
    """A number in the language of the page: "1.234"."""
    return format_decimal(value, locale=_locale())


def iso(value: Moment) -> str:
    """A moment for the machine, as the attribute of `<time>`; empty for nothing."""
    read = _read(value)
    return "" if read is None else read.isoformat()


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(static_folder().joinpath(name).read_bytes()).hexdigest()[:10]


def asset(name: str) -> str:
    """The address of a static file, with its content in it: browsers keep it until it changes."""
    return url_for("static", filename=name, v=_digest(name))


def page_language() -> str:
    """The language of the page, for `<html lang>`."""
    return _locale().language


def page_direction() -> str:
    """The direction of the page's text, for `<html dir>`."""
    return _locale().text_direction


@pass_context
def moment_filter(context: Context, value: Moment, full: bool = False) -> str:
    """`moment` with the `now` of the page."""
    return moment(value, context.get("now"), full=full)


@pass_context
def before_filter(context: Context, value: Moment) -> str:
    """`before` with the `now` of the page."""
    return before(value, context.get("now"))


@pass_context
def short_filter(context: Context, value: Moment) -> str:
    """`short` with the `now` of the page."""
    return short(value, context.get("now"))


@pass_context
def day_filter(context: Context, value: Moment, full: bool = False) -> str:
    """`day` with the `now` of the page."""
    return day(value, context.get("now"), full=full)


@pass_context
def ago_filter(context: Context, value: Moment) -> str:
    """`ago` with the `now` of the page."""
    now: Any = context.get("now")
    return moment(value) if now is None else ago(value, now)


def _near(on: date, now: datetime | None) -> str:
    """Yesterday, today or tomorrow as a word; else nothing."""
    if now is None:
        return ""
    words: dict[int, str] = {-1: gettext("gisteren"), 0: gettext("vandaag"), 1: gettext("morgen")}
    return words.get((on - _local(now).date()).days, "")


def _read(value: Moment) -> datetime | date | None:
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, datetime):
        return _checked(value)
    return value


def _from_text(text: str) -> datetime | date | None:
    if not text:
        return None
    return date.fromisoformat(text) if "T" not in text else _checked(datetime.fromisoformat(text))


def _checked(value: datetime) -> datetime:
    # Shown an hour or two wrong, a moment is a broken promise: better no page.
    if value.utcoffset() is None:
        raise ValueError("a moment without an offset is not shown")
    return value


def _local(value: datetime) -> datetime:
    return value.astimezone(LOCAL)


def _locale() -> Locale:
    return get_locale() or Locale("nl")
