"""What the log may say of a fault: its kind and where it was raised. Its text could hold what somebody wrote."""

from __future__ import annotations


def kind_and_place(fault: BaseException | None) -> str:
    """One line, without the words of the fault."""
    if fault is None:
        return "?"
    place = fault.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
    return f"{type(fault).__name__} at {where}"
