"""Merge two JSON schemas into one that means both (`allOf`), where one schema can say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .jsontext import equal
from .jsontypes import is_mapping

__all__ = ["merge_schemas"]

_LARGEST = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_SMALLEST = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "$comment", "deprecated"})

Conflict = Callable[[str], Exception]


def merge_schemas(a: Mapping[str, Any], b: Mapping[str, Any], conflict: Conflict) -> dict[str, Any]:
    """Return one schema for values that satisfy `a` and `b`; raise `conflict(keyword)` where none can say that.

    Where both have an annotation, that of `b` wins.
    """
    if a.get("additionalProperties") is False or b.get("additionalProperties") is False:
        mine, theirs = set(a.get("properties", {})), set(b.get("properties", {}))
        closed_a, closed_b = (s.get("additionalProperties") is False for s in (a, b))
        if (closed_a and theirs - mine) or (closed_b and mine - theirs):
            raise conflict("additionalProperties")
    merged = dict(a)
    for keyword, value in b.items():
        if keyword not in merged or keyword in _ANNOTATIONS or equal(merged[keyword], value):
            merged[keyword] = value
        elif keyword in _LARGEST:
            merged[keyword] = max(merged[keyword], value)
        elif keyword in _SMALLEST:
            merged[keyword] = min(merged[keyword], value)
        else:
            merged[keyword] = _both(keyword, merged[keyword], value, conflict)
    return merged


def _both(keyword: str, a: Any, b: Any, conflict: Conflict) -> Any:
    match keyword:
        case "required":
            return list(dict.fromkeys([*a, *b]))
        case "properties" | "$defs" | "definitions":
            both = {**a, **b}
            for name in a.keys() & b.keys():
                both[name] = _nested(a[name], b[name], conflict)
            return both
        case "items" | "additionalProperties" if is_mapping(a) and is_mapping(b):
            return _nested(a, b, conflict)
        case "additionalProperties" if a is True or b is True:
            return b if a is True else a
        case "additionalProperties" if a is False or b is False:
            return False
        case "enum" if kept := [member for member in a if any(equal(member, other) for other in b)]:
            return kept
        case "type":
            return _types(a, b, conflict)
        case _:
            raise conflict(keyword)


def _nested(a: Any, b: Any, conflict: Conflict) -> Any:
    if a is True or b is True:
        return b if a is True else a
    if not is_mapping(a) or not is_mapping(b):
        raise conflict("properties")
    left, right = a, b
    if "$ref" in left or "$ref" in right:
        return {"allOf": [a, b]}
    return merge_schemas(left, right, conflict)


def _types(a: Any, b: Any, conflict: Conflict) -> Any:
    left: list[str] = [a] if isinstance(a, str) else list(a)
    right: list[str] = [b] if isinstance(b, str) else list(b)
    kept = [t for t in left if t in right or (t == "integer" and "number" in right)]
    kept += [t for t in right if t == "integer" and "number" in left and t not in kept]
    if not kept:
        raise conflict("type")
    return kept[0] if len(kept) == 1 else kept
