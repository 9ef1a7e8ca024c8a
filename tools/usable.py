"""Refuse, when a tool is made, what is no usable JSON schema of arguments, and say what to write in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jigwork.errors import SchemaError

from .jsontypes import is_array, is_mapping
from .patterns import searcher
from .pointers import follow, pointer

__all__ = ["MISNAMED_TYPES", "is_draft7", "require_usable", "subschemas"]

_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_SINGLE = (
    *("items", "additionalItems", "additionalProperties", "contains", "not", "if", "then", "else"),
    *("propertyNames", "unevaluatedProperties", "unevaluatedItems"),
)
_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")

MISNAMED_TYPES = {
    "dict": "object",
    "map": "object",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "int": "integer",
    "long": "integer",
    "str": "string",
    "text": "string",
    "bool": "boolean",
    "list": "array",
    "tuple": "array",
    "set": "array",
    "none": "null",
    "nonetype": "null",
}
"""Names of types in programming languages, and what JSON Schema calls them."""

_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")

Path = tuple[str | int, ...]


def subschemas(schema: Any, path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield a schema and all schemas inside it, with their places; texts and values in it are no schemas."""
    if not is_mapping(schema):
        return
    yield path, schema
    for keyword in _NAMED:
        members: Any = schema.get(keyword)
        if is_mapping(members):
            for name, part in members.items():
                yield from subschemas(part, (*path, keyword, name))
    for keyword in _LISTED:
        options: Any = schema.get(keyword)
        if is_array(options):
            for index, part in enumerate(options):
                yield from subschemas(part, (*path, keyword, index))
    for keyword in _SINGLE:
        yield from subschemas(schema.get(keyword), (*path, keyword))


def is_draft7(schema: Mapping[str, Any]) -> bool:
    """Tell whether a schema is to be read as draft-07: it says so, or only draft-07 allows what it holds."""
    declared = schema.get("$schema")
    if isinstance(declared, str):
        return "draft-07" in declared or "draft-06" in declared or "draft-04" in declared
    return any(is_array(node.get("items")) or "dependencies" in node for _, node in subschemas(schema))


def require_usable(schema: Mapping[str, Any], validator: Any) -> None:
    """Raise SchemaError unless `schema` is one, describes an object, and refers only to itself.

    `validator` is the class that will check values.
    """
    try:
        json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(f"not a JSON schema: it is not JSON data ({str(error)[:100]})") from None
    for path, node in subschemas(schema):
        _require_types(node, path)
        _require_references(node, schema, path)
        _require_patterns(node, path)
    _require_schema(schema, validator)
    done: set[int] = set()
    for _, node in subschemas(schema):
        _require_end(node, schema, set(), done)
    root = schema
    for _ in range(20):
        if isinstance(root.get("$ref"), str) and root["$ref"].startswith("#/"):
            root = follow(schema, root["$ref"])
    if root.get("type", "object") != "object" or "enum" in root or "const" in root:
        raise SchemaError('parameters must describe an object: give "type": "object" and "properties"')


def _at(path: Path) -> str:
    return pointer(path) or "the root"


def _require_types(node: Mapping[str, Any], path: Path) -> None:
    given: Any = node.get("type", ())
    for name in [given] if isinstance(given, str) else given if is_array(given) else ():
        if name in _TYPES or not isinstance(name, str):
            continue
        lower = name.lower()
        right = lower if lower in _TYPES else MISNAMED_TYPES.get(lower)
        if lower == "any":
            fix = 'leave "type" out to take any value'
        elif lower in ("date", "datetime", "date-time", "time", "uuid", "email", "uri", "url"):
            wanted = {"datetime": "date-time", "url": "uri"}.get(lower, lower)
            fix = f'write "type": "string", "format": "{wanted}"'
        else:
            fix = f'write "{right}"' if right else f"the types are {', '.join(_TYPES)}"
        raise SchemaError(f'not a JSON schema: at {_at(path)}: there is no type "{name}"; {fix}')


def _require_references(node: Mapping[str, Any], root: Mapping[str, Any], path: Path) -> None:
    for keyword in ("$ref", "$dynamicRef"):
        reference = node.get(keyword)
        if not isinstance(reference, str):
            continue
        if not reference.startswith("#"):
            raise SchemaError(
                f'at {_at(path)}: "{keyword}": "{reference[:200]}" leads outside; copy it under "$defs"'
            )
        if reference == "#" or reference.startswith("#/"):
            follow(root, reference)
        elif not any(
            reference[1:] in (part.get("$anchor"), part.get("$dynamicAnchor"))
            or part.get("$id", part.get("id")) == reference
            for _, part in subschemas(root)
        ):
            raise SchemaError(
                f'at {_at(path)}: "{keyword}": "{reference[:200]}" names no "$anchor" of this schema'
            )


def _require_patterns(node: Mapping[str, Any], path: Path) -> None:
    named: Any = node.get("patternProperties")
    for pattern in (node.get("pattern"), *(named if is_mapping(named) else ())):
        if not isinstance(pattern, str):
            continue
        try:
            searcher(pattern)
        except ValueError as error:
            raise SchemaError(f"not a JSON schema: at {_at(path)}: {error}") from None


def _require_schema(schema: Mapping[str, Any], validator: Any) -> None:
    from jsonschema import FormatChecker
    from jsonschema.exceptions import SchemaError as InvalidSchema

    try:
        validator.check_schema(dict(schema), format_checker=FormatChecker(formats=()))
    except InvalidSchema as error:
        at = pointer(list(error.absolute_path)) or "the root"
        hint = ""
        if error.absolute_path and error.absolute_path[-1] in ("exclusiveMinimum", "exclusiveMaximum"):
            hint = "; give the limit itself there, in place of true"
        elif error.absolute_path and error.absolute_path[-1] == "required":
            hint = '; "required" is a list of names, beside "properties"'
        raise SchemaError(f"not a JSON schema: at {at}: {error.message[:200]}{hint}") from None


def _require_end(node: Any, root: Mapping[str, Any], above: set[int], done: set[int]) -> None:
    """Raise where a schema is part of itself at the same place of a value: checking it would never end."""
    if not is_mapping(node) or id(node) in done:
        return
    if id(node) in above:
        raise SchemaError(
            'a "$ref" leads back to itself without a property or item between; break the circle'
        )
    above.add(id(node))
    reference = node.get("$ref")
    if isinstance(reference, str) and (reference == "#" or reference.startswith("#/")):
        _require_end(follow(root, reference), root, above, done)
    for keyword in _IN_PLACE:
        part: Any = node.get(keyword)
        for inner in part if is_array(part) else [part]:
            _require_end(inner, root, above, done)
    above.discard(id(node))
    done.add(id(node))
