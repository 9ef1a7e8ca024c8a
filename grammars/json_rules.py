"""JSON schemas inside of grammars as Lark rules, so that their texts have a tree.

The rules say what JSON is and which kinds of value stand at the top. That is enough: llguidance has accepted the text
before, and the end of a JSON value does not depend on its schema.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

__all__ = ["json_kinds", "json_lines", "json_value"]

KINDS = ("object", "array", "string", "number", "literal")
_LITERALS = ("boolean", "null")
_OPTIONS = frozenset({"whitespace_flexible", "coerce_one_of", "lenient"})

_LINES = r"""
J_object: "{" _J_w [J_pair (_J_w "," _J_w J_pair)*] _J_w "}" -> object
J_array: "[" _J_w [_J_value (_J_w "," _J_w _J_value)*] _J_w "]" -> array
J_pair: T_STRING _J_w ":" _J_w _J_value -> pair
_J_value: J_object | J_array | T_STRING | T_NUMBER | T_LITERAL
_J_w: [_T_SPACE]
T_STRING: /"([^"\\\x00-\x1f]|\\(["\\\/bfnrt]|u[0-9a-fA-F]{4}))*"/
T_NUMBER: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/
T_LITERAL: /true|false|null/
_T_SPACE: /[ \t\r\n]+/
"""
_BY_KIND = {
    "object": "J_object",
    "array": "J_array",
    "string": "T_STRING",
    "number": "T_NUMBER",
    "literal": "T_LITERAL",
}


def json_lines(prefix: str) -> list[str]:
    """The rules of JSON, their names after `prefix`; trees are called object, array and pair."""
    return [_named(line, prefix) for line in _LINES.strip().split("\n")]


def json_value(kinds: frozenset[str], prefix: str) -> str:
    """The expression for a value of one of these kinds."""
    return "(" + " | ".join(_named(_BY_KIND[kind], prefix) for kind in KINDS if kind in kinds) + ")"


def json_kinds(text: str) -> frozenset[str] | None:
    """What values of the schema may be; None where its texts are not JSON (other separators are set)."""
    schema: Any = json.loads(text)
    options: Any = cast("dict[str, Any]", schema).get("x-guidance", {}) if isinstance(schema, dict) else {}
    if not isinstance(options, dict) or cast("dict[str, Any]", options).keys() - _OPTIONS:
        return None
    return _kinds(schema, schema, 0)


def _kinds(schema: Any, root: Any, depth: int) -> frozenset[str]:
    every = frozenset(KINDS)
    if not isinstance(schema, dict) or depth > 30:
        return every
    given = cast("dict[str, Any]", schema)
    found = every
    types: Any = given.get("type")
    if isinstance(types, list):
        found &= {_kind_of_type(name) for name in cast("Sequence[Any]", types)}
    elif types is not None:
        found &= {_kind_of_type(types)}
    if "const" in given:
        found &= {_kind(given["const"])}
    if isinstance(given.get("enum"), list):
        found &= {_kind(value) for value in given["enum"]}
    for word in ("anyOf", "oneOf"):
        if isinstance(given.get(word), list):
            found &= {kind for option in given[word] for kind in _kinds(option, root, depth + 1)}
    for option in given.get("allOf") or ():
        found &= _kinds(option, root, depth + 1)
    target = _target(given.get("$ref"), root)
    return found if target is None else found & _kinds(target, root, depth + 1)


def _target(reference: Any, root: Any) -> Any:
    """What a reference within the schema points at; None where it leaves it."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    for part in reference.lstrip("#").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(root, dict) or key not in root:
            return None
        root = cast("dict[str, Any]", root)[key]
    return root


def _kind_of_type(name: Any) -> str:
    if name in _LITERALS:
        return "literal"
    return "number" if name == "integer" else str(name)


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "literal"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _named(text: str, prefix: str) -> str:
    return text.replace("J_", prefix.lower()).replace("T_", prefix.upper())
