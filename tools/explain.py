"""Say what is wrong with arguments, for the model: where, what was expected, what came, the nearest valid name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from .jsontypes import is_array, is_mapping, is_object
from .names import nearest
from .pointers import follow, pointer
from .strict_words import note
from .validation import SchemaCheck, undeclared

__all__ = ["Problem", "describe", "explain", "problems", "shown"]

_MOST = 6
"""Problems told at once; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `path` is a JSON pointer, "" for the whole."""

    path: str
    message: str

    def __str__(self) -> str:
        place = self.path if self.path.isprintable() else json.dumps(self.path)[1:-1]
        return f"{place}: {self.message}" if self.path else self.message


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
    if isinstance(value, str) and len(value) > limit:
        return f"{json.dumps(value[:limit], ensure_ascii=False)[:-1]}… ({len(value)} characters)"
    return _cut(json.dumps(value, ensure_ascii=False), limit)


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
    if names[0] == "array" and is_mapping(node.get("items")):
        words += f" whose items are each {describe(node['items'], root, depth=depth + 1)}"
    return words + _limits(node)


_EXAMPLES = {
    "date": "2026-01-31",
    "time": "14:30:00Z",
    "date-time": "2026-01-31T14:30:00Z",
    "duration": "PT1H30M",
}


def _limits(node: Mapping[str, Any]) -> str:
    parts: list[str] = []
    if "format" in node:
        example = _EXAMPLES.get(node["format"])
        parts.append(f"in {node['format']} format" + (f", such as {example}" if example else ""))
    for keyword, words in (
        ("minimum", "at least {}"),
        ("exclusiveMinimum", "more than {}"),
        ("maximum", "at most {}"),
        ("exclusiveMaximum", "less than {}"),
        ("multipleOf", "a multiple of {}"),
    ):
        if keyword in node:
            parts.append(words.format(node[keyword]))
    for least, most, unit in (("minLength", "maxLength", "character"), ("minItems", "maxItems", "item")):
        parts += _size(node.get(least), node.get(most), unit)
    return f" ({', '.join(parts)})" if parts else ""


def _size(least: int | None, most: int | None, unit: str) -> list[str]:
    """Say how many of something there must be."""
    found = [("exactly", least)] if least == most else [("at least", least), ("at most", most)]
    return [f"{word} {count} {unit}{'' if count == 1 else 's'}" for word, count in found if count is not None]


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
        case "anyOf" | "oneOf":
            return _union(error, at, schema, root)
        case "pattern":
            wanted = f"expected a string that matches {_cut(str(error.validator_value), 100)}"
            return [Problem(at, f"{wanted}, got {shown(error.instance)}")]
        case "uniqueItems":
            return [Problem(at, "the items must differ from one another")]
        case "items" | "additionalItems" if error.validator_value is False:
            first: Any = schema.get("prefixItems", schema.get("items"))
            most = len(first) if is_array(first) else 0
            return [Problem(at, f"expected {_size(None, most, 'item')[0]}, got {len(error.instance)}")]
        case keyword if keyword in _RULES:
            return [Problem(at, _rule(keyword, error))]
        case _ if isinstance(error.schema, bool):
            return [Problem(at, "nothing is allowed here")]
        case _:
            size = f" of {len(error.instance)} characters" if str(error.validator).endswith("Length") else ""
            got = f"a string{size}" if size else shown(error.instance)
            return [Problem(at, f"expected {describe(schema, root)}, got {got}")]


_RULES = frozenset(
    {"not", "if", "contains", "propertyNames", "minProperties", "maxProperties"}
    | {"dependentRequired", "dependentSchemas", "dependencies"}
)


def _rule(keyword: str, error: Any) -> str:
    """Say a demand on a whole value in words where there are some, else as the schema has it."""
    wanted: Any = error.validator_value
    if keyword in ("minProperties", "maxProperties"):
        least, most = (wanted, None) if keyword == "minProperties" else (None, wanted)
        return f"expected {_size(least, most, 'key')[0]}, got {len(error.instance)}"
    if keyword in ("dependentRequired", "dependencies"):
        for name, needed in wanted.items():
            lacking = [n for n in needed if n not in error.instance] if is_array(needed) else []
            if name in error.instance and lacking:
                return f"with {json.dumps(name)}, {' and '.join(map(json.dumps, lacking))} must be given too"
    rule = json.dumps({keyword: wanted}, ensure_ascii=False, default=str)
    return f"does not keep to {_cut(rule, 160)}"


def _missing(error: Any, at: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> list[Problem]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    return [
        Problem(f"{at}{pointer([name])}", _lacking(describe(properties.get(name, {}), root)))
        for name in cast("list[str]", error.validator_value)
        if name not in error.instance
    ]


def _lacking(wanted: str) -> str:
    return "missing" if wanted == "a value" else f"missing; expected {wanted}"


def _unknown(error: Any, at: str, schema: Mapping[str, Any]) -> list[Problem]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    found: list[Problem] = []
    for key in undeclared(error.instance, schema):
        missing = [name for name in properties if name not in error.instance] if len(found) < _MOST else []
        close = nearest(key, missing, limit=1)
        if close:
            hint = f"; did you mean {json.dumps(close[0], ensure_ascii=False)}?"
        elif properties:
            names = ", ".join(list(properties)[:12])
            hint = f"; there is {_cut(names, 160)}"
        elif schema.keys() & {"allOf", "anyOf", "oneOf", "$ref", "if", "patternProperties"}:
            hint = ""
        else:
            hint = "; there are no parameters" if not at else "; it takes no keys"
        found.append(Problem(f"{at}{pointer([key[:60]])}", f"unknown key{hint}"))
    return found


def _near_member(value: Any, members: Any) -> str:
    if not isinstance(value, str):
        return ""
    close = nearest(value, [member for member in members if isinstance(member, str)], limit=1)
    return f"; did you mean {shown(close[0])}?" if close else ""


def _union(error: Any, at: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> list[Problem]:
    """Explain a union by the one branch that was meant, where that is clear."""
    options: list[Any] = error.validator_value
    if all(is_mapping(option) and set(option) == {"required"} for option in options):
        told = note(error.validator, options).removesuffix(".")
        return [Problem(at, told[0].lower() + told[1:])]
    wanted = describe({error.validator: options}, root)
    if not error.context:
        return [
            Problem(at, f"fits more than one of the forms it may have ({wanted}); it must fit exactly one")
        ]
    branches: dict[int, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [
        errors
        for errors in branches.values()
        if not any(not e.relative_path and e.validator in ("type", "enum", "const") for e in errors)
        and not any(e.validator == "const" for e in errors)
    ]
    tagged = _tag(error.instance, options, at, root)
    if tagged:
        return [tagged]
    if len(meant) == 1:
        return [problem for inner in meant[0] for problem in _problems(inner, root)]
    members = [
        m for errors in branches.values() for e in errors if e.validator == "enum" for m in e.validator_value
    ]
    close = _near_member(error.instance, members)
    return [Problem(at, f"expected {wanted}, got {shown(error.instance)}{close}")]


def _tag(value: Any, options: list[Any], at: str, root: Mapping[str, Any]) -> Problem | None:
    """Say what is wrong with the key by which the objects of a union are told apart, if that is what is wrong."""
    if not is_object(value):
        return None
    forms = [form for option in options if (form := _properties(option, root))]
    names = [name for name in (forms[0] if len(forms) > 1 else ()) if all(_constant(f, name) for f in forms)]
    for name in names:
        known = [member for form in forms for member in _constant(form, name)]
        if value.get(name) in known:
            return None
        wanted = describe({"enum": list(dict.fromkeys(known))}, root)
        place = f"{at}{pointer([name])}"
        if name not in value:
            return Problem(place, f"missing; expected {wanted}")
        close = _near_member(value[name], known)
        return Problem(place, f"expected {wanted}, got {shown(value[name])}{close}")
    return None


def _properties(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    if is_mapping(schema) and isinstance(schema.get("$ref"), str) and schema["$ref"].startswith("#/"):
        schema = follow(root, schema["$ref"])
    found: Any = schema.get("properties") if is_mapping(schema) else None
    return found if is_mapping(found) else {}


def _constant(properties: Mapping[str, Any], name: str) -> list[str]:
    """Return the texts that a key of one form may hold, if it is bound to some."""
    part: Any = properties.get(name)
    members: Any = part.get("enum", [part.get("const")]) if is_mapping(part) else []
    return [member for member in members if isinstance(member, str)]
