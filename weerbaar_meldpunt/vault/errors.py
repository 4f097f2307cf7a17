"""The one error for everything that does not open."""

from __future__ import annotations


class Onleesbaar(Exception):
    """Wrong key, changed bytes, another row's seal or an unknown format; on purpose not said which.

    `object_id` names the object for a marked gap or an alarm: its kind and where it belongs.
    """

    def __init__(self, object_id: str = "") -> None:
        super().__init__(object_id)
        self.object_id = object_id
