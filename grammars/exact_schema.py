"""JSON schemas in the words that llguidance has, where the same values can be said: never more, never fewer.

Three proofs are used. A schema with few values is replaced by the list of those that it accepts, each judged by
`jsonschema`. `oneOf` becomes `anyOf` where no two branches share a value. `not` of types becomes the other types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, permutations
from math import inf
from typing import Any, cast

__all__ = ["reworded"]

Schema = dict[str, Any]
_TYPES = ("object", "array", "string", "number", "boolean", "null")
_FOREIGN = frozenset("not oneOf uniqueItems if then else contains dependentRequired propertyNames".split())
_ONE = frozenset("items additionalItems additionalProperties contains not".split())
_LISTS = frozenset("anyOf oneOf allOf prefixItems items".split())
_MAPS = frozenset("properties patternProperties $defs definitions".split())
_MOST_VALUES, _MOST_UNIQUE = 400, 5


def reworded(schema: Mapping[str, Any]) -> Schema:
    """The schema with what could be said otherwise; everything else as it was, and all of it where it is no schema."""
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    given = dict(schema)
    empty: Any = Registry  # a reference to another place must not be fetched
    kind: Any = validator_for(given, default=Draft202012Validator)
    try:
        kind.check_schema(given)
        return _Rewording(kind(given, registry=empty())).of(given)
    except (SchemaError, Unresolvable, RecursionError, re.error):
        return given


class _Rewording:
    def __init__(self, validator: Any) -> None:
        self._validator = validator

    def of(self, schema: Schema) -> Schema:
        """This schema and all below it, from the inside out."""
        made = {key: self._below(key, value) for key, value in schema.items()}
        if "$ref" in made or not made.keys() & _FOREIGN:  # what stands beside $ref counts in some drafts only
            return made
        values = self._values(made)
        if values is not None:
            kept = [value for value in values if self._takes(schema, value)]
            if kept:
                notes = {k: v for k, v in made.items() if k in ("$defs", "definitions", "$schema", "title")}
                return {**notes, "enum": kept}
        return self._one_of(_unique(_not(made)))

    def _below(self, key: str, value: Any) -> Any:
        if key in _MAPS and isinstance(value, dict):
            return {name: self._schema(one) for name, one in cast("Schema", value).items()}
        if key in _LISTS and isinstance(value, list):
            return [self._schema(one) for one in cast("Sequence[Any]", value)]
        return self._schema(value) if key in _ONE else value

    def _schema(self, value: Any) -> Any:
        return self.of(cast("Schema", value)) if isinstance(value, dict) else value

    def _takes(self, schema: Schema, value: Any) -> bool:
        return bool(self._validator.evolve(schema=schema).is_valid(value))

    def _values(self, schema: Schema) -> list[Any] | None:
        """Every value that the schema may accept, and maybe more; None where there are too many, or formats."""
        if "$ref" in schema or '"format"' in json.dumps(
            schema
        ):  # formats: a note for one, a rule for the other
            return None
        return _listed(schema)

    def _one_of(self, schema: Schema) -> Schema:
        branches = schema.get("oneOf")
        if not isinstance(branches, list) or "anyOf" in schema:
            return schema
        pairs = combinations(cast("Sequence[Any]", branches), 2)
        if not all(self._apart(one, other) for one, other in pairs):
            return schema
        return {("anyOf" if key == "oneOf" else key): value for key, value in schema.items()}

    def _apart(self, one: Any, other: Any) -> bool:
        """Whether no value is accepted by both."""
        if not isinstance(one, dict) or not isinstance(other, dict):
            return one is False or other is False
        left, right = cast("Schema", one), cast("Schema", other)
        for this, that in ((left, right), (right, left)):
            values = self._values(this)
            if values is not None:
                return not any(self._takes(this, value) and self._takes(that, value) for value in values)
        if "$ref" in left or "$ref" in right:
            return False
        kinds = _types(left) & _types(right)
        return all(self._apart_as(kind, left, right) for kind in kinds)

    def _apart_as(self, kind: str, one: Schema, other: Schema) -> bool:
        if kind == "object":
            return self._objects_apart(one, other)
        words = {"number": ("minimum", "maximum"), "string": ("minLength", "maxLength")}
        low, high = words.get(kind, ("minItems", "maxItems"))
        if kind in ("boolean", "null"):
            return False
        return _beyond(one, other, low, high) or _beyond(other, one, low, high)

    def _objects_apart(self, one: Schema, other: Schema) -> bool:
        for this, that in ((one, other), (other, one)):
            for name in cast("list[str]", this.get("required", [])):
                there: Schema = that.get("properties", {})
                if name not in there:
                    closed = that.get("additionalProperties") is False and "patternProperties" not in that
                    if closed:
                        return True
                elif name in this.get("properties", {}) and self._apart(
                    this["properties"][name], there[name]
                ):
                    return True
        return False


def _beyond(one: Schema, other: Schema, low: str, high: str) -> bool:
    """Whether everything of one lies above everything of the other. `exclusiveX` counts as a number only."""
    least, most = one.get(low, -inf), other.get(high, inf)
    if not _is_number(least) or not _is_number(most):
        return False
    return bool(least > most)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _types(schema: Schema) -> frozenset[str]:
    """The types of a schema's values, `integer` as `number`; what is not said may be anything."""
    given = schema.get("type", _TYPES)
    names = cast("Iterable[str]", [given] if isinstance(given, str) else given)
    return frozenset("number" if name == "integer" else name for name in names)


def _listed(schema: Any) -> list[Any] | None:
    """A list that holds every value of the schema; None where there is no short one."""
    if not isinstance(schema, dict):
        return None
    given = cast("Schema", schema)
    if "const" in given:
        return [given["const"]]
    if isinstance(given.get("enum"), list):
        values: Any = given["enum"]
        return values if len(values) <= _MOST_VALUES else None
    types = _types(given) if "type" in given else frozenset(_TYPES)
    if types <= {"boolean", "null"}:
        return [*([False, True] if "boolean" in types else []), *([None] if "null" in types else [])]
    if types <= {"array"} and given.get("uniqueItems") is True and "prefixItems" not in given:
        return _arrays(given)
    return None


def _arrays(schema: Schema) -> list[Any] | None:
    """Every array of different items, where the items are few."""
    items = _listed(schema.get("items"))
    if items is None or len(items) > _MOST_UNIQUE:
        return None
    return [list(found) for size in range(len(items) + 1) for found in permutations(items, size)]


def _not(schema: Schema) -> Schema:
    """Without `not` of types: the types that are left."""
    refused = schema.get("not")
    if not isinstance(refused, dict) or cast("Schema", refused).keys() != {"type"}:
        return schema
    given: Any = cast("Schema", refused)["type"]
    names = set(cast("Iterable[str]", [given] if isinstance(given, str) else given))
    if "integer" in names and "number" not in names:
        return schema
    names |= {"integer"} if "number" in names else set()
    own = schema.get("type", list(_TYPES))
    left = [
        name for name in cast("Iterable[str]", [own] if isinstance(own, str) else own) if name not in names
    ]
    if not left:
        return schema
    return {key: value for key, value in schema.items() if key != "not"} | {"type": left}


def _unique(schema: Schema) -> Schema:
    """Without `uniqueItems` where there is one item at most, or it is not asked for."""
    most = schema.get("maxItems")
    if schema.get("uniqueItems") is False or (_is_number(most) and cast("float", most) <= 1):
        return {key: value for key, value in schema.items() if key != "uniqueItems"}
    return schema
