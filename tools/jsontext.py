"""Read JSON as RFC 8259 has it: no duplicate keys, finite numbers, encodable text, bounded nesting."""

from __future__ import annotations

import json
from typing import Any

import orjson

from .jsontypes import is_array, is_object

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "TOO_DEEP",
    "JSONTextError",
    "dumps",
    "equal",
    "excerpt",
    "parse_strict",
]

MAX_DEPTH = 128
"""Brackets inside one another. Below the limits of every library that sees the value later."""

TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep; make it flatter"

MAX_LENGTH = 16 * 1024 * 1024
"""Characters of one arguments text."""


class JSONTextError(ValueError):
    """A text that is not JSON; the message is written for the model. `at` is an offset in characters, from 0."""

    def __init__(self, message: str, *, at: int | None = None) -> None:
        super().__init__(message)
        self.at = at


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise JSONTextError(f"the key {json.dumps(key)[:60]} is given twice; give it once")
            seen.add(key)
    return value


# orjson is the gate (UTF-8, surrogates, finite numbers); the standard library keeps big integers exact and shows
# every pair. Both together cost little more than one: see benchmarks of `Tool.decode`.
_decode = json.JSONDecoder(object_pairs_hook=_pairs).decode


def parse_strict(text: str) -> Any:
    """Return the value of a JSON text; raise JSONTextError where RFC 8259 or a limit is not kept."""
    try:
        orjson.loads(text)
        value = _decode(text)
    except orjson.JSONDecodeError as error:
        raise JSONTextError(f"not valid JSON: {error.msg}", at=error.pos) from None
    except RecursionError:
        raise JSONTextError(TOO_DEEP) from None
    if text.count("{") + text.count("[") > MAX_DEPTH and _deeper(value, MAX_DEPTH):
        raise JSONTextError(TOO_DEEP)
    return value


def _deeper(value: Any, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit + 1):
        below: list[Any] = []
        for node in level:
            if is_object(node):
                below.extend(node.values())
            elif is_array(node):
                below.extend(node)
        level = below
    return bool(level)


def dumps(value: Any) -> str:
    """Write plain JSON data compactly; integers of any size."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def equal(a: Any, b: Any) -> bool:
    """Compare JSON values: 1 equals 1.0, true does not equal 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if is_object(a) and is_object(b):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if is_array(a) and is_array(b):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)


def excerpt(text: str, at: int, *, width: int = 20) -> str:
    """Show where `at` is in a text that may be long: a little before, a mark, a little after."""
    before, after = text[max(0, at - width) : at], text[at : at + width]
    start, end = ("…" if at > width else ""), ("…" if at + width < len(text) else "")
    return json.dumps(f"{start}{before}⟨here⟩{after}{end}", ensure_ascii=False)
