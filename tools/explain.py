"""Say what is wrong with arguments, for the model: where, what was expected, what came, the nearest valid name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from .jsontypes import is_array, is_mapping, is_object
from .names import nearest
from .validation import SchemaCheck, follow, pointer

__all__ = ["Problem", "describe", "explain", "problems", "shown"]

_MOST = 6
"""Problems told at once; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `path` is a JSON pointer, "" for the whole."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


def explain(found: Iterable[Problem]) -> str:
    """Write problems as one text for the model."""
    unique = list(dict.fromkeys(str(problem) for problem in found))
    lines = [
        "The arguments are not valid; the tool was not called.",
        *(f"- {line}" for line in unique[:_MOST]),
    ]
    if len(unique) > _MOST:
        lines.append(f"- and {len(unique) - _MOST} more")
    return "\n".join(lines)


def shown(value: Any, limit: int = 60) -> str:
    """Show a value as JSON, cut; long ones by their kind only."""
    if is_object(value):
        keys = ", ".join(json.dumps(key, ensure_ascii=False) for key in list(value)[:5])
        return f"an object with {_cut('the keys ' + keys, limit)}" if value else "an empty object"
    if is_array(value):
        size = len(value)
        return f"an array of {size}" if size else "an empty array"
    text = json.dumps(value if not isinstance(value, str) else value[: limit * 2], ensure_ascii=False)
    return _cut(text, limit)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


_KINDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "an array",
    "null": "null",
}


def describe(schema: Any, root: Mapping[str, Any], *, depth: int = 0) -> str:
    """Say in a few words what a schema wants."""
    if not is_mapping(schema) or depth > 4:
        return "a value"
    node = schema
    if isinstance(node.get("$ref"), str):
        return describe(follow(root, node["$ref"]), root, depth=depth + 1)
    if "const" in node:
        return shown(node["const"])
    if "enum" in node:
        members: list[Any] = list(node["enum"])
        more = f" or one of {len(members) - 12} more" if len(members) > 12 else ""
        return ("one of " if len(members) > 1 else "") + ", ".join(shown(m, 40) for m in members[:12]) + more
    for keyword in ("anyOf", "oneOf"):
        if keyword in node:
            options = dict.fromkeys(describe(option, root, depth=depth + 1) for option in node[keyword])
            return " or ".join(options)
    kinds = node.get("type")
    if kinds is None:
        return "an object" if "properties" in node else "a value"
    names: list[str] = [kinds] if isinstance(kinds, str) else list(kinds)
    words = " or ".join(_KINDS.get(name, name) for name in names)
    if names[0] == "array" and "items" in node:
        words += f" whose items are each {describe(node['items'], root, depth=depth + 1)}"
    return words + _limits(node)


def _limits(node: Mapping[str, Any]) -> str:
    parts: list[str] = []
    if "format" in node:
        parts.append(f"in {node['format']} format")
    for keyword, words in (
        ("minimum", "at least {}"),
        ("exclusiveMinimum", "more than {}"),
        ("maximum", "at most {}"),
        ("exclusiveMaximum", "less than {}"),
        ("multipleOf", "a multiple of {}"),
        ("minLength", "at least {} characters"),
        ("maxLength", "at most {} characters"),
        ("minItems", "at least {} items"),
        ("maxItems", "at most {} items"),
    ):
        if keyword in node:
            parts.append(words.format(node[keyword]))
    return f" ({', '.join(parts)})" if parts else ""


def problems(check: SchemaCheck, value: Any) -> list[Problem]:
    """Return what is wrong with `value`; empty when the schema finds nothing."""
    found: list[Problem] = []
    for error in check.errors(value):
        found.extend(_problems(error, check.schema))
    return found


def _problems(error: Any, root: Mapping[str, Any]) -> list[Problem]:
    at = pointer(list(error.absolute_path))
    schema: Mapping[str, Any] = error.schema if is_mapping(error.schema) else {}
    match error.validator:
        case "required":
            return _missing(error, at, schema, root)
        case "additionalProperties" | "unevaluatedProperties":
            return _unknown(error, at, schema)
        case "enum":
            close = _near_member(error.instance, error.validator_value)
            return [Problem(at, f"expected {describe(schema, root)}, got {shown(error.instance)}{close}")]
        case "anyOf" | "oneOf" if error.context:
            return _branches(error, at, schema, root)
        case "pattern":
            wanted = f"expected a string that matches {_cut(str(error.validator_value), 100)}"
            return [Problem(at, f"{wanted}, got {shown(error.instance)}")]
        case "uniqueItems":
            return [Problem(at, "the items must differ from one another")]
        case (
            "not"
            | "dependentRequired"
            | "if"
            | "contains"
            | "propertyNames"
            | "minProperties"
            | "maxProperties"
        ):
            rule = _cut(
                json.dumps({error.validator: error.validator_value}, ensure_ascii=False, default=str), 160
            )
            return [Problem(at, f"does not keep to {rule}")]
        case _ if isinstance(error.schema, bool):
            return [Problem(at, "nothing is allowed here")]
        case _:
            size = f" of {len(error.instance)} characters" if str(error.validator).endswith("Length") else ""
            got = f"a string{size}" if size else shown(error.instance)
            return [Problem(at, f"expected {describe(schema, root)}, got {got}")]


def _missing(error: Any, at: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> list[Problem]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    return [
        Problem(f"{at}{pointer([name])}", f"missing; expected {describe(properties.get(name, {}), root)}")
        for name in cast("list[str]", error.validator_value)
        if name not in error.instance
    ]


def _unknown(error: Any, at: str, schema: Mapping[str, Any]) -> list[Problem]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    found: list[Problem] = []
    for key in error.instance:
        if key in properties:
            continue
        missing = [name for name in properties if name not in error.instance] if len(found) < _MOST else []
        close = nearest(key, missing, limit=1)
        if close:
            hint = f"; did you mean {json.dumps(close[0], ensure_ascii=False)}?"
        elif properties:
            names = ", ".join(list(properties)[:12])
            hint = f"; there is {_cut(names, 160)}"
        else:
            hint = "; there are no parameters" if not at else "; it takes no keys"
        found.append(Problem(f"{at}{pointer([key[:60]])}", f"unknown key{hint}"))
    return found


def _near_member(value: Any, members: Any) -> str:
    if not isinstance(value, str):
        return ""
    close = nearest(value, [member for member in members if isinstance(member, str)], limit=1)
    return f"; did you mean {shown(close[0])}?" if close else ""


def _branches(error: Any, at: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> list[Problem]:
    """Explain a union by the one branch that was meant, where that is clear."""
    branches: dict[int, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [
        errors
        for errors in branches.values()
        if not any(not e.relative_path and e.validator in ("type", "enum", "const") for e in errors)
        and not any(e.validator == "const" for e in errors)
    ]
    if len(meant) == 1:
        return [problem for inner in meant[0] for problem in _problems(inner, root)]
    members = [
        m for errors in branches.values() for e in errors if e.validator == "enum" for m in e.validator_value
    ]
    close = _near_member(error.instance, members)
    wanted = describe({error.validator: error.validator_value}, root)
    return [Problem(at, f"expected {wanted}, got {shown(error.instance)}{close}")]
