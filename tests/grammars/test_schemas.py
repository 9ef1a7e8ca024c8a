"""JSON schemas as grammars: exactly the instances that `jsonschema` calls valid, compact and with keys in order."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from jigwork.errors import GrammarError
from jigwork.grammars import Grammar

WORDS = ("", "a", "ab", "abc", "tea", "b-7", "ZZ", "é", 'say "x"', "a\\b", "12")
KEYS = ("id", "name", "size", "tags", "of")


def compact(value: Any) -> str:
    """The text of a value as these grammars write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Maker:
    """Random schemas and random values near them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def schema(self, depth: int = 0) -> dict[str, Any]:
        """A schema of any kind, nested at most three deep."""
        simple: list[Callable[[], dict[str, Any]]] = [self.text, self.number, self.listed, self.plain]
        nested = [self.record, self.record, self.array, self.any_of, self.one_of]
        if depth == 0:
            return self.rng.choice(nested)(depth)
        if depth > 2 or self.rng.random() < 0.6:
            return self.rng.choice(simple)()
        return self.rng.choice(nested)(depth)

    def some(self, **options: Any) -> dict[str, Any]:
        """Some of these keywords."""
        return {key: value for key, value in options.items() if self.rng.random() < 0.5}

    def text(self) -> dict[str, Any]:
        """A string with bounds or a pattern."""
        pattern = self.rng.choice(["^[a-z]+$", "^a", "[0-9]$", "^(tea|ab)$"])
        bounds = self.some(minLength=self.rng.randint(0, 2), maxLength=self.rng.randint(2, 4))
        return {"type": "string", **(bounds if self.rng.random() < 0.6 else {"pattern": pattern})}

    def number(self) -> dict[str, Any]:
        """A number with bounds."""
        low = self.rng.randint(-5, 5)
        kind = self.rng.choice(["integer", "number"])
        bounds = self.some(minimum=low, maximum=low + self.rng.randint(0, 9))
        if self.rng.random() < 0.2:
            bounds = {"exclusiveMinimum": low, "exclusiveMaximum": low + 2}
        if kind == "integer" and self.rng.random() < 0.2:
            bounds["multipleOf"] = self.rng.choice([2, 3])
        return {"type": kind, **bounds}

    def listed(self) -> dict[str, Any]:
        """A few values, and perhaps one of them forbidden."""
        values = self.rng.sample([*WORDS, 1, 2, -3, True, None, [1], {"a": 1}], 4)
        if self.rng.random() < 0.2:
            return {"const": values[0]}
        return {"enum": values, **({"not": {"const": values[0]}} if self.rng.random() < 0.3 else {})}

    def plain(self) -> dict[str, Any]:
        """A type or two."""
        return self.rng.choice(
            [{"type": "boolean"}, {"type": ["integer", "null"]}, {"type": "null"}, {"not": {"type": "array"}}]
        )

    def record(self, depth: int) -> dict[str, Any]:
        """An object."""
        keys = self.rng.sample(KEYS, self.rng.randint(1, 4))
        more = self.rng.choice([False, False, {"type": "integer"}, True])
        return {
            "type": "object",
            "properties": {key: self.schema(depth + 1) for key in keys},
            "required": [key for key in keys if self.rng.random() < 0.6],
            "additionalProperties": more,
        }

    def array(self, depth: int) -> dict[str, Any]:
        """An array, perhaps of different items, perhaps with a first part of its own."""
        if self.rng.random() < 0.3:
            unique = {"uniqueItems": True, "items": {"enum": self.rng.sample(WORDS, 3)}}
            return {"type": "array", **unique, **self.some(minItems=1, maxItems=2)}
        bounds = self.some(minItems=self.rng.randint(0, 2), maxItems=self.rng.randint(2, 3))
        first = {"prefixItems": [self.schema(depth + 1)]} if self.rng.random() < 0.3 else {}
        return {"type": "array", "items": self.schema(depth + 1), **bounds, **first}

    def any_of(self, depth: int) -> dict[str, Any]:
        """One of some, or all of two at once."""
        if self.rng.random() < 0.2:
            low = self.rng.randint(-4, 4)
            return {"allOf": [{"type": "integer"}, {"minimum": low}, {"maximum": low + 4}]}
        return {"anyOf": [self.schema(depth + 1) for _ in range(2)]}

    def one_of(self, depth: int) -> dict[str, Any]:
        """Exactly one of some: mostly apart, sometimes not."""
        low = self.rng.randint(-4, 4)
        apart: list[dict[str, Any]] = [
            {"type": "integer", "maximum": low},
            {"type": "integer", "minimum": low + self.rng.randint(-1, 2)},
            {"type": "string", "maxLength": 2},
            {"type": "string", "minLength": 3, "maxLength": 5},
            {"enum": [None, True]},
            {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"], "additionalProperties": False},
            {"type": "object", "properties": {"b": {"type": "null"}}, "additionalProperties": False},
        ]  # fmt: skip
        return {"oneOf": self.rng.sample(apart, self.rng.randint(2, 3))}

    def value(self, schema: Any, depth: int = 0) -> Any:
        """A value that is often valid."""
        if not isinstance(schema, dict) or depth > 6 or self.rng.random() < 0.05:
            return self.anything()
        given: dict[str, Any] = schema  # pyright: ignore[reportUnknownVariableType]
        for word in ("anyOf", "oneOf"):
            if word in given:
                return self.value(self.rng.choice(given[word]), depth + 1)
        if "enum" in given or "const" in given:
            return self.rng.choice(given.get("enum") or [given.get("const")])
        match given.get("type"):
            case "object":
                return self.object_of(given, depth)
            case "array":
                count = max(0, min(given.get("maxItems", 3), 3) + self.rng.choice([0, 0, -1, -1, 1]))
                first = given.get("prefixItems", [])
                parts = [first[at] if at < len(first) else given["items"] for at in range(count)]
                return [self.value(part, depth + 1) for part in parts]
            case "string":
                return self.rng.choice(WORDS)
            case "integer" | "number":
                near = given.get("minimum", given.get("maximum", given.get("exclusiveMinimum", 0)))
                return near + self.rng.choice(
                    [-1, 0, 1, 2, 3, 9, *([0.5] if given["type"] == "number" else [])]
                )
            case _:
                return self.anything()

    def object_of(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        """An object with its keys in the order of the schema, others at the end."""
        found: dict[str, Any] = {}
        for key, part in schema["properties"].items():
            if self.rng.random() < (0.95 if key in schema.get("required", []) else 0.5):
                found[key] = self.value(part, depth + 1)
        if self.rng.random() < 0.15:
            found["zz"] = self.rng.choice([1, "x"])
        return found

    def anything(self) -> Any:
        """Some value."""
        return self.rng.choice([None, True, False, 0, 1, -3, 2.5, "", "a", "tea", [], [1], {}, {"a": None}])


def verdicts(seed: int, count: int) -> tuple[int, int, list[str]]:
    """How many schemas compiled, how many instances were judged, and where the verdicts differ."""
    maker = Maker(seed)
    compiled, judged = 0, 0
    wrong: list[str] = []
    for _ in range(count):
        schema = maker.schema()
        try:
            grammar = Grammar.from_json_schema(schema)
        except GrammarError:
            continue
        compiled += 1
        validator: Any = Draft202012Validator(schema)
        for value in [maker.value(schema) for _ in range(25)]:
            judged += 1
            valid = bool(validator.is_valid(value))
            if grammar.accepts(compact(value)) != valid:
                wrong.append(f"{compact(schema)} {compact(value)} {valid}")
    return compiled, judged, wrong


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_grammars_of_schemas_accept_what_is_valid(seed: int) -> None:
    """No invalid instance is accepted, no valid one refused, and most schemas compile."""
    compiled, judged, wrong = verdicts(seed, 60)
    assert wrong[:3] == []
    assert judged == 25 * compiled
    assert compiled > 48


REWORDED: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    # schema, accepted, refused
    ({"enum": [1, "a", None], "not": {"type": "string"}}, [1, None], ["a"]),
    ({"type": ["boolean", "null"], "not": {"const": False}}, [True, None], [False]),
    ({"not": {"type": ["number", "null"]}}, ["a", [], {}, True], [1, 2.5, None]),
    ({"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 2}, [[1, 2], [3, 1, 2]],
     [[1], [1, 1], [1, 2, 4]]),
    ({"type": "array", "items": {"type": "string"}, "uniqueItems": True, "maxItems": 1}, [[], ["x"]], [["x", "y"]]),
    ({"oneOf": [{"type": "integer", "maximum": 3}, {"type": "integer", "minimum": 5}]}, [3, 5], [4]),
    ({"oneOf": [{"enum": ["a", "b"]}, {"type": "string", "minLength": 2}]}, ["a", "cd"], ["", "c"]),
    ({"oneOf": [{"type": "object", "properties": {"k": {"type": "integer"}}, "required": ["k"],
                 "additionalProperties": False},
                {"type": "object", "properties": {"m": {"type": "integer"}}, "additionalProperties": False}]},
     [{"k": 1}, {"m": 1}, {}], [{"k": 1, "m": 1}]),
    ({"type": "object", "properties": {"a": {"$ref": "#/$defs/few"}}, "additionalProperties": False,
      "$defs": {"few": {"enum": [1, 2], "if": {"const": 1}, "then": False}}}, [{"a": 2}, {}], [{"a": 1}]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "accepted", "refused"), REWORDED)
def test_what_can_be_said_otherwise_compiles(
    schema: dict[str, Any], accepted: list[Any], refused: list[Any]
) -> None:
    """Keywords that llguidance lacks are reworded where the values stay the same."""
    grammar = Grammar.from_json_schema(schema)
    assert [value for value in accepted if not grammar.accepts(compact(value))] == []
    assert [value for value in refused if grammar.accepts(compact(value))] == []


REFUSED: list[tuple[dict[str, Any], str]] = [
    # schema, what the message names: the place and the reason
    ({"properties": {"a/b": {"type": "array", "uniqueItems": True, "items": {"type": "string"}}}},
     "#/properties/a~1b: uniqueItems"),
    ({"type": "array", "uniqueItems": True, "items": {"enum": list("abcdefghijkl")}}, "uniqueItems"),
    ({"enum": [1], "not": {"$ref": "https://example.invalid/schema"}}, "points at nothing"),
    ({"enum": [1], "not": {}}, "no value is valid"),
    ({"properties": {"a": {"type": 5}}}, "#/properties/a/type: this is no valid JSON schema"),
    ({"type": "string", "format": "regex"}, "format regex"),
    ({"type": "string", "pattern": "\\bx"}, "word boundary"),
    ({"type": "string", "pattern": "(a)\\1"}, "pattern"),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}, {"not": {"const": 1}}]}}}, "without end"),
    ({"not": {"type": "number", "multipleOf": 7}}, "no multiple"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "part"), REFUSED, ids=[part for _, part in REFUSED])
def test_what_cannot_be_said_is_refused(schema: dict[str, Any], part: str) -> None:
    """What no grammar can hold is refused when the grammar is made, with the keyword and its JSON pointer."""
    with pytest.raises(GrammarError, match=re.escape(part)):
        Grammar.from_json_schema(schema)
