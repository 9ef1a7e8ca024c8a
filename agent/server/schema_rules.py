"""The JSON Schema subset of strict mode, as the server enforces it before it accepts a tool or a format.

The limits are those of OpenAI's structured-outputs guide; the wording is that of the errors it sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import orjson

from .api_errors import invalid
from .json_data import array_of

__all__ = ["check_schema", "fits_strict"]

_PROPERTIES = 5000
_NESTING = 10
_CHARACTERS = 120_000
_ENUM_VALUES = 1000
_LONG_ENUM = (250, 15_000)
_FORBIDDEN = (
    "allOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "unevaluatedProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "unevaluatedItems",
    "contains",
    "minContains",
    "maxContains",
    "uniqueItems",
    "prefixItems",
    "default",
    "minLength",
    "maxLength",
)
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
_NESTED_IN = ("properties", "$defs", "definitions")

_Path = tuple[str, ...]


def check_schema(schema: Mapping[str, Any], *, strict: bool, subject: str, param: str, code: str) -> None:
    """Refuse a schema: `subject` is what it belongs to ("function 'add'"), `param` and `code` go into the error."""
    problem = _problem(orjson.dumps(schema), strict)
    if problem is not None:
        raise invalid(f"Invalid schema for {subject}: {problem}", param, code)


def fits_strict(schema: Mapping[str, Any]) -> bool:
    """Tell whether strict mode can take a schema; asked where a tool does not say what it wants."""
    return _problem(orjson.dumps(schema), True) is None


@lru_cache(maxsize=4096)
def _problem(schema: bytes, strict: bool) -> str | None:
    """Return the first problem; remembered, as an agent sends the same tools with every request."""
    root: dict[str, Any] = orjson.loads(schema)
    if (malformed := _malformed(root)) is not None:
        return malformed
    if "$ref" not in root and root.get("type") != "object":
        given = str(root.get("type")) if isinstance(root.get("type"), (str, type(None))) else "array"
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{given}\"'."
    if not strict:
        return next(_loose_problems(root, ()), None)
    if "anyOf" in root:
        return "In context=(), 'anyOf' is not permitted at the root."
    return next(_strict_problems(root, (), root), None) or _size_problem(root)


def _malformed(schema: Mapping[str, Any]) -> str | None:
    """Return what keeps this from being a JSON Schema at all, as the validator words it."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"{error.message}."
    return None


def _in(path: _Path) -> str:
    return f"In context={path!r}"


def _children(schema: Mapping[str, Any], path: _Path) -> Iterator[tuple[_Path, Mapping[str, Any]]]:
    for key in _NESTED_IN:
        for name, child in _entries(schema.get(key)):
            if isinstance(child, Mapping):
                yield (*path, key, name), cast("Mapping[str, Any]", child)
    items = schema.get("items")
    if isinstance(items, Mapping):
        yield (*path, "items"), cast("Mapping[str, Any]", items)
    options = schema.get("anyOf")
    if isinstance(options, list):
        for number, option in enumerate(array_of(options)):
            if isinstance(option, Mapping):
                yield (*path, "anyOf", str(number)), cast("Mapping[str, Any]", option)


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from cast("Mapping[str, Any]", value).items()


def _types(schema: Mapping[str, Any]) -> Sequence[str]:
    kind = schema.get("type")
    return [kind] if isinstance(kind, str) else list(kind or ())


def _loose_problems(schema: Mapping[str, Any], path: _Path) -> Iterator[str]:
    if "array" in _types(schema) and "items" not in schema and "prefixItems" not in schema:
        yield f"{_in(path)}, array schema missing items."
    for where, child in _children(schema, path):
        yield from _loose_problems(child, where)


def _strict_problems(schema: Mapping[str, Any], path: _Path, root: Mapping[str, Any]) -> Iterator[str]:
    for key in _FORBIDDEN:
        if key in schema:
            yield f"{_in(path)}, '{key}' is not permitted."
    if "$ref" in schema:
        yield from _reference_problems(schema, path, root)
        return
    if not any(key in schema for key in ("type", "anyOf", "enum", "const")):
        yield f"{_in(path)}, schema must have a 'type' key."
    if "object" in _types(schema):
        yield from _object_problems(schema, path)
    if "array" in _types(schema) and not isinstance(schema.get("items"), Mapping):
        yield f"{_in(path)}, array schema missing items."
    form = schema.get("format")
    if "string" in _types(schema) and form is not None and form not in _FORMATS:
        yield f"{_in(path)}, '{form}' is not a valid format."
    for where, child in _children(schema, path):
        yield from _strict_problems(child, where, root)


def _object_problems(schema: Mapping[str, Any], path: _Path) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield f"{_in(path)}, 'additionalProperties' is required to be supplied and to be false."
    names = [name for name, _ in _entries(schema.get("properties"))]
    required: Any = schema.get("required") or []
    rule = "'required' is required to be supplied and to be an array including every key in properties."
    for name in names:
        if name not in required:
            yield f"{_in(path)}, {rule} Missing '{name}'."
    for name in required:
        if name not in names:
            yield f"{_in(path)}, {rule} Extra required key '{name}' supplied."


def _reference_problems(schema: Mapping[str, Any], path: _Path, root: Mapping[str, Any]) -> Iterator[str]:
    target = schema["$ref"]
    extra = [key for key in schema if key not in ("$ref", "description", "title", *_NESTED_IN)]
    if extra:
        yield f"{_in(path)}, $ref cannot have keywords {{{extra[0]!r}}}."
    if not _resolves(target, root):
        yield f"{_in(path)}, reference to component '{target}' which was not found in the schema."
    for where, child in _children(schema, path):
        yield from _strict_problems(child, where, root)


def _resolves(target: Any, root: Any) -> bool:
    if not isinstance(target, str) or not target.startswith("#"):
        return False
    here: Any = root
    for step in target.lstrip("#").strip("/").split("/"):
        if step:
            if not isinstance(here, Mapping) or step not in here:
                return False
            here = cast("Mapping[str, Any]", here)[step]
    return True


def _size_problem(root: Mapping[str, Any]) -> str | None:
    properties = characters = values = 0
    for path, schema in _walk(root, ()):
        depth = _depth(path)
        if depth > _NESTING:
            return f"{depth} levels of nesting exceeds limit of {_NESTING}."
        names = [name for key in _NESTED_IN for name, _ in _entries(schema.get(key))]
        properties += len(list(_entries(schema.get("properties"))))
        enum: list[Any] = list(schema.get("enum") or ())
        texts = [value for value in enum if isinstance(value, str)]
        if len(enum) > _LONG_ENUM[0] and sum(map(len, texts)) > _LONG_ENUM[1]:
            return (
                f"{_in(path)}, enum of more than {_LONG_ENUM[0]} values exceeds limit of "
                f"{_LONG_ENUM[1]} characters."
            )
        values += len(enum)
        characters += sum(map(len, names)) + sum(map(len, texts)) + len(str(schema.get("const", "")))
    for count, limit, what in (
        (properties, _PROPERTIES, "object properties in total"),
        (values, _ENUM_VALUES, "enum values in total"),
        (characters, _CHARACTERS, "characters of names and values"),
    ):
        if count > limit:
            return f"{count} {what} exceeds limit of {limit}."
    return None


def _walk(schema: Mapping[str, Any], path: _Path) -> Iterator[tuple[_Path, Mapping[str, Any]]]:
    yield path, schema
    for where, child in _children(schema, path):
        yield from _walk(child, where)


def _depth(path: _Path) -> int:
    """Return how deep a place is, the root at 1; a property may be called "items" without being deeper for it."""
    depth, place = 1, 0
    while place < len(path):
        depth += path[place] in ("properties", "items")
        place += 1 if path[place] == "items" else 2
    return depth
