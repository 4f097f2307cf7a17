"""Reading the text of a document: JSON, or YAML that says no more than JSON can.

Both refuse what would let two readers see two documents: a key given twice, a second document, and in YAML tags,
anchors and words that turn into something else by themselves (`no`, `12:00`, a date stay texts).
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Hashable
from typing import Any, Final, cast

import yaml

from .faults import Fault, ReportFaults, key_path


def parse_text(text: str | bytes, *, json_only: bool = False) -> object:
    """The one document in a text; `ReportFaults` when it is not exactly one plain document."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError:
            raise ReportFaults([Fault("", "not UTF-8 text")]) from None
    text = text.removeprefix("\ufeff")
    try:
        return _parse_json(text)
    except json.JSONDecodeError as error:
        refused = Fault("", f"not JSON: {error.msg}, line {error.lineno} column {error.colno}")
    except RecursionError:
        refused = Fault("", "nested too deeply")
    except ValueError as error:  # a number with thousands of digits
        if isinstance(error, ReportFaults):
            raise
        refused = Fault("", "holds a number that cannot be read")
    if json_only or text.lstrip()[:1] in {"[", '"'}:
        raise ReportFaults([refused])
    try:
        return _parse_yaml(text)
    except ReportFaults:
        if text.lstrip().startswith("{") and '"' in text:
            raise ReportFaults([refused]) from None
        raise


def _parse_json(text: str) -> object:
    return _refuse_doubles(json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant))


class _Doubled(dict[str, Any]):
    """An object in which a key stood twice. Where it stands in the document is known when all of it is read."""

    twice: str


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = _Doubled(found)
    seen: set[str] = set()
    doubled.twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return doubled


def _refuse_doubles(document: object, path: tuple[str | int, ...] = ()) -> object:
    if isinstance(document, _Doubled):
        raise ReportFaults([Fault(key_path([*path, document.twice]), "key given twice")])
    if isinstance(document, dict):
        for key, value in document.items():
            _refuse_doubles(value, (*path, key))
    elif isinstance(document, list):
        for place, value in enumerate(document):
            _refuse_doubles(value, (*path, place))
    return document


def _no_constant(name: str) -> object:
    raise ReportFaults([Fault("", f"{name} is no number of JSON")])


class _PlainLoader(yaml.SafeLoader):
    """YAML with the types of JSON and nothing that refers, merges or constructs."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as in its base

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise ReportFaults([Fault("", f"anchors and aliases are refused, line {_line(event)}")])
        if getattr(event, "tag", None) is not None:
            raise ReportFaults([Fault("", f"tags are refused, line {_line(event)}")])
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        pairs: list[tuple[str, Any]] = []
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise ReportFaults([Fault("", f"keys must be texts, line {_line(key_node)}")])
            pairs.append((key, self.construct_object(value_node, deep=True)))
        return cast(dict[Hashable, Any], _object(pairs))

    def construct_yaml_map(self, node: yaml.MappingNode) -> Generator[dict[Any, Any], None, None]:
        # The base fills an empty dict afterwards, for aliases that point back; there are none here.
        yield self.construct_mapping(node)


_PlainLoader.add_constructor("tag:yaml.org,2002:map", _PlainLoader.construct_yaml_map)

_SCALARS: Final = (
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", "~nN\0"),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)", "-+0123456789"),
)
for _tag, _pattern, _first in _SCALARS:
    _PlainLoader.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), ["" if c == "\0" else c for c in _first])


def _line(thing: Any) -> int:
    return int(thing.start_mark.line) + 1


def _parse_yaml(text: str) -> object:
    loader = None
    try:
        loader = _PlainLoader(text)
        return _refuse_doubles(loader.get_single_data())
    except yaml.MarkedYAMLError as error:
        # Its problem may quote the text, so only the place is told.
        mark = error.problem_mark or error.context_mark
        second = "expected a single document" in str(error.context)
        what = "a second document is refused" if second else "not YAML"
        raise ReportFaults([Fault("", f"{what}, line {mark.line + 1 if mark else 1}")]) from None
    except yaml.YAMLError:
        raise ReportFaults([Fault("", "holds a character that no text document may hold")]) from None
    except RecursionError:
        raise ReportFaults([Fault("", "nested too deeply")]) from None
    except ValueError as error:
        if isinstance(error, ReportFaults):
            raise
        raise ReportFaults([Fault("", "holds a number that cannot be read")]) from None
    finally:
        if loader is not None:
            loader.dispose()
