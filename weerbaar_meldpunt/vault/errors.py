"""The one error for everything that does not open."""

from __future__ import annotations


class Onleesbaar(Exception):
    """Wrong key, changed bytes, another row's seal or an unknown format; on purpose not said which.

    `object_id` names the object, for whoever may know where it belongs. The text of the error is its `kind` alone:
    ids side by side in a log would say whose case is whose.
    """

    def __init__(self, object_id: str = "") -> None:
        self.object_id = object_id
        self.kind = object_id.partition("/")[0]
        super().__init__(self.kind)
