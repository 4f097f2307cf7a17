"""What is wrong with a document, said by key path and never with what somebody wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend: where (`incident.kinds[2]`, empty for the document itself) and what is asked there."""

    path: str
    message: str

    def __str__(self) -> str:
        """One line for an operator."""
        return f"{self.path or 'document'}: {self.message}"


class ReportFaults(ValueError):
    """A document that is refused, with every fault that was found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: list[Fault] = list(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))


_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")
_LONGEST_KEY: Final = 60

_ASKED: Final = {
    "missing": "is required",
    "bool_type": "true or false is asked",
    "int_type": "a whole number is asked",
    "string_type": "a text is asked",
    "string_unicode": "a text with half a character (a lone surrogate) cannot be kept",
    "model_type": "an object is asked",
    "dict_type": "an object is asked",
    "mapping_type": "an object is asked",
    "tuple_type": "a list is asked",
    "invalid_key": "keys must be texts",
}


def key_path(parts: Iterable[object]) -> str:
    """`incident.kinds[2]` for `("incident", "kinds", 2)`; a strange key is quoted, so that a fault stays one line."""
    path = ""
    for part in parts:
        if isinstance(part, int) and not isinstance(part, bool):
            path += f"[{part}]"
            continue
        name = str(part)
        if not _PLAIN_KEY.fullmatch(name):
            name = json.dumps(name[:_LONGEST_KEY])
        path += f".{name}" if path else name
    return path


def faults_of(error: ValidationError, known_keys: Callable[[tuple[Any, ...]], Iterable[str]]) -> list[Fault]:
    """The faults of a model that refused a document. `known_keys` gives the keys of the object at a path."""
    return [
        Fault(key_path(detail["loc"]), _message(detail, known_keys))
        for detail in error.errors(include_url=False, include_input=False)
    ]


def _message(detail: Any, known_keys: Callable[[tuple[Any, ...]], Iterable[str]]) -> str:
    kind = detail["type"]
    if kind in _ASKED:
        return _ASKED[kind]
    if kind == "extra_forbidden":
        return "unknown key; known keys: " + ", ".join(known_keys(detail["loc"][:-1]))
    # The rest are our own messages and pydantic's on bounds and patterns; none of them shows the value.
    return str(detail["msg"])
