"""The strict subset of JSON Schema that OpenAI enforces while a model writes: its rules and its limits.

Source: OpenAI's structured outputs guide and the error texts of the API, November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from .jsontypes import is_mapping
from .pointers import follow, pointer

__all__ = [
    "ANNOTATIONS",
    "ASSERTIONS",
    "FORMATS",
    "KEYWORDS",
    "MAX_NESTING",
    "rust_pattern",
    "strict_violations",
]

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})

ANNOTATIONS = frozenset(
    {"title", "description", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly"}
)

ASSERTIONS = frozenset(
    {"pattern", "format", "minLength", "maxLength", "contentEncoding", "contentMediaType", "contentSchema"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "enum", "const", "not"}
    | {
        "items",
        "prefixItems",
        "additionalItems",
        "unevaluatedItems",
        "contains",
        "minContains",
        "maxContains",
    }
    | {"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "propertyNames"}
    | {"patternProperties", "unevaluatedProperties", "dependentRequired", "dependentSchemas", "dependencies"}
    | {"if", "then", "else", "allOf", "anyOf", "oneOf", "$dynamicRef"}
)
"""Keywords that demand something of a value; any other (`example`, `nullable`, `x-...`) only informs."""

KEYWORDS: dict[str, frozenset[str]] = {
    "string": frozenset({"pattern", "format"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
    "integer": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "boolean": frozenset(),
    "null": frozenset(),
}
"""What may stand beside `type`, `enum`, `const`, `description`, per type."""

MAX_NESTING = 10
"""Levels of objects and arrays inside one another, the root among them."""
MAX_PROPERTIES = 5000
MAX_STRINGS = 120_000
MAX_ENUM = 1000
MAX_ENUM_STRINGS = 15_000

_COMMON = frozenset({"type", "enum", "const", "description"})


def rust_pattern(pattern: str) -> bool:
    """Tell whether a regular expression means the same to the server (Rust's dialect: no look-around, no \\b)."""
    risky = (
        "(?",
        "\\b",
        "\\B",
        "\\Z",
        "\\G",
        "*?",
        "+?",
        "??",
        "}?",
        "*+",
        "++",
        "&&",
        "--",
        "~~",
        "[[",
        "\\K",
    )
    references = any(f"\\{digit}" in pattern for digit in "123456789")
    plain = pattern.replace("(?:", "(")
    return not references and not any(part in plain for part in risky)


def strict_violations(schema: Mapping[str, Any]) -> list[str]:
    """Return why OpenAI would refuse `schema` under `strict: true`, each with a JSON pointer; empty when it is fine."""
    if schema.get("type") != "object":
        return [': the root must be {"type": "object"}, without anyOf']
    walker = _Walker(schema)
    found = list(walker.node(schema, (), 1))
    for name in ("$defs", "definitions"):
        for key, part in cast("dict[str, Any]", schema.get(name, {})).items():
            walker.strings += len(key)
            found += walker.node(part, (name, key), 1)
    return [*found, *walker.totals()]


class _Walker:
    """One pass over a schema that yields what breaks a rule and counts what is limited."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.properties = self.strings = self.members = 0

    def totals(self) -> Iterator[str]:
        for count, limit, what in (
            (self.properties, MAX_PROPERTIES, "properties"),
            (self.strings, MAX_STRINGS, "characters of names and enum values"),
            (self.members, MAX_ENUM, "enum values"),
        ):
            if count > limit:
                yield f": {count} {what} are more than {limit}"

    def node(self, schema: Any, path: tuple[str | int, ...], depth: int) -> Iterator[str]:
        at = pointer(path)
        if not is_mapping(schema):
            yield f"{at}: must be an object, not {schema!r}"
            return
        node = schema
        if depth > MAX_NESTING:
            yield f"{at}: nested more than {MAX_NESTING} levels deep"
            return
        definitions = {"$defs", "definitions"} if not path else set[str]()
        if "$ref" in node:
            yield from self._reference(node, at, definitions)
        elif "anyOf" in node:
            if extra := sorted(set(node) - {"anyOf", "description"} - definitions):
                yield f"{at}: {extra[0]} may not stand beside anyOf"
            for index, option in enumerate(node["anyOf"]):
                yield from self.node(option, (*path, "anyOf", index), depth)
            yield from self._first_keys(node["anyOf"], at)
        else:
            yield from self._typed(node, path, depth, definitions)

    def _reference(self, node: Mapping[str, Any], at: str, definitions: set[str]) -> Iterator[str]:
        if extra := sorted(set(node) - {"$ref"} - definitions):
            yield f"{at}: $ref cannot have the keyword {extra[0]}"
        if not str(node["$ref"]).startswith("#"):
            yield f"{at}: $ref leads outside"

    def _typed(
        self, node: Mapping[str, Any], path: tuple[str | int, ...], depth: int, definitions: set[str]
    ) -> Iterator[str]:
        at = pointer(path)
        kinds: list[str] = (
            [node["type"]] if isinstance(node.get("type"), str) else list(node.get("type") or ())
        )
        if not kinds or not set(kinds) <= set(KEYWORDS):
            yield f"{at}: must have a type"
            return
        allowed = _COMMON.union(*(KEYWORDS[kind] for kind in kinds)) | definitions
        for keyword in sorted(set(node) - allowed):
            yield f"{at}: {keyword} is not permitted"
        if node.get("format", "date") not in FORMATS:
            yield f"{at}: format {node['format']!r} is not supported"
        if "pattern" in node and not rust_pattern(node["pattern"]):
            yield f"{at}: the pattern is not one of Rust's dialect"
        yield from self._enum(node, at)
        if "object" in kinds:
            yield from self._object(node, path, depth)
        if "array" in kinds:
            if "items" not in node:
                yield f"{at}: an array must have items"
            else:
                yield from self.node(node["items"], (*path, "items"), depth + 1)

    def _enum(self, node: Mapping[str, Any], at: str) -> Iterator[str]:
        members: list[Any] = (
            list(node["enum"]) if "enum" in node else [node["const"]] if "const" in node else []
        )
        texts = [member for member in members if isinstance(member, str)]
        self.members += len(members)
        self.strings += sum(map(len, texts))
        if "enum" in node and not members:
            yield f"{at}: enum is empty"
        if len(members) > 250 and sum(map(len, texts)) > MAX_ENUM_STRINGS:
            yield f"{at}: more than {MAX_ENUM_STRINGS} characters in one enum of more than 250 values"

    def _object(self, node: Mapping[str, Any], path: tuple[str | int, ...], depth: int) -> Iterator[str]:
        at = pointer(path)
        properties: Mapping[str, Any] = node.get("properties", {})
        self.properties += len(properties)
        self.strings += sum(map(len, properties))
        if node.get("additionalProperties") is not False:
            yield f"{at}: additionalProperties must be false"
        if set(node.get("required", ())) != set(properties):
            yield f"{at}: required must list every property"
        for name, part in properties.items():
            yield from self.node(part, (*path, "properties", name), depth + 1)

    def _first_keys(self, options: list[Any], at: str) -> Iterator[str]:
        seen: dict[str, list[Any]] = {}
        for option in options:
            target = follow(self.root, option["$ref"]) if "$ref" in option else option
            properties: Mapping[str, Any] = target.get("properties") or {}
            if not properties:
                continue
            first, part = next(iter(properties.items()))
            tag = part.get("enum", [part["const"]] if "const" in part else None)
            for other in seen.get(first, []):
                if tag is None or other is None or any(value in other for value in tag):
                    yield f"{at}: objects in anyOf must not share the first key {first!r}"
            seen.setdefault(first, []).append(tag)
