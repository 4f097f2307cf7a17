"""When a call is safe for who is called: in the hours they gave, else in office hours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final

from .calendar import next_office_moment
from .values import AMSTERDAM

_MIDNIGHT: Final = "24:00"


def next_safe_moment(contact: Mapping[str, Any] | None, *, now: datetime) -> datetime:
    """The first moment from now at which a call is safe. Hours may pass midnight; without any, an hour of the desk."""
    hours = [
        (pair.get("from") or "00:00", pair.get("to") or _MIDNIGHT) for pair in (contact or {}).get("safe_hours") or ()
    ]
    local = now.astimezone(AMSTERDAM)
    starts = []
    for start, end in hours:
        clock = local.strftime("%H:%M")
        if (start <= clock < end) if start < end else (clock >= start or clock < end):
            return now
        if start != _MIDNIGHT:
            today = datetime.combine(local.date(), time.fromisoformat(start), tzinfo=AMSTERDAM)
            starts.append(today if today > local else today + timedelta(days=1))
    return min(starts).astimezone(now.tzinfo) if starts else next_office_moment(now)
