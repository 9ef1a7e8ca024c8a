"""JSON schemas lowered to plain rules: the same values that `jsonschema` calls valid, whatever the keywords."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from jigwork.errors import GrammarError
from jigwork.grammars import Grammar
from jigwork.grammars.json_schema import lowered_schema

NAMES = ("a", "ab", "b", "c1", "d")
OTHERS = ("z9", "zz")  # names that no `properties` has: they come last, in any order
TEXTS = ("", "a", "ab", "b", "abc", "1", "x1", 'q"', "\\", "é", "\n", "/")


def compact(value: Any) -> str:
    """The text of a value as these grammars write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Maker:
    """Random schemas over few names and texts, with every keyword, and random values near them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def some(self, **options: Any) -> dict[str, Any]:
        """Some of these keywords."""
        return {key: value for key, value in options.items() if self.rng.random() < 0.35}

    def names(self) -> list[str]:
        """Some names, in the one order that all schemas and values here keep."""
        return [name for name in NAMES if self.rng.random() < 0.45]

    def schema(self, depth: int = 0) -> Any:
        """A schema, at most three deep."""
        if self.rng.random() < 0.04:
            return self.rng.random() < 0.7
        leaves: list[Callable[[], dict[str, Any]]] = [self.text, self.number, self.listed, self.typed]
        if depth > 2 or (depth and self.rng.random() < 0.5):
            return self.rng.choice(leaves)()
        nested: list[Callable[[int], dict[str, Any]]] = [
            self.record, self.record, self.record, self.array, self.array, self.combined, self.conditional,
        ]  # fmt: skip
        return self.rng.choice(nested)(depth)

    def text(self) -> dict[str, Any]:
        """Strings."""
        pattern = self.rng.choice(
            ["^a", "b$", "^(a|b)*$", "[0-9]", "^(?!a)", "^[^\\\\n]*$", "\\\\w", "^.?$", ""]
        )
        typed = {"type": "string"} if self.rng.random() < 0.7 else {}
        return typed | self.some(
            minLength=self.rng.randint(0, 2), maxLength=self.rng.randint(1, 3), pattern=pattern
        )

    def number(self) -> dict[str, Any]:
        """Numbers."""
        low = self.rng.choice([-2, 0, 0.5, 1, 2.25])
        typed = self.some(type=self.rng.choice(["integer", "number"]))
        bounds = self.some(
            minimum=low, maximum=low + self.rng.choice([0, 1, 9.5]), multipleOf=self.rng.choice([2, 0.5])
        )
        return typed | (
            bounds or {"exclusiveMinimum": low, "exclusiveMaximum": low + self.rng.choice([1, 3.5])}
        )

    def listed(self) -> dict[str, Any]:
        """A few values."""
        values = self.rng.sample([*TEXTS[:6], 1, 2, -3, 0.5, True, False, None, [1], {"a": 1}], 3)
        return {"const": values[0]} if self.rng.random() < 0.3 else {"enum": values}

    def typed(self) -> dict[str, Any]:
        """One kind or two."""
        kinds = ["null", "boolean", "integer", "number", "string", "array", "object"]
        return {"type": self.rng.choice([*kinds, self.rng.sample(kinds, 2)])}

    def record(self, depth: int) -> dict[str, Any]:
        """Objects."""
        names = self.names()
        more: list[Any] = [False, True, self.schema(depth + 1)]
        found = self.some(
            additionalProperties=self.rng.choice(more),
            patternProperties={self.rng.choice(["^a", "b", "[0-9]$", "^z", "zz"]): self.schema(depth + 1)},
            propertyNames=self.rng.choice(
                [{"maxLength": 1}, {"pattern": "^[a-cz]"}, {"enum": ["a", "ab", "zz"]}]
            ),
            minProperties=self.rng.randint(0, 2),
            maxProperties=self.rng.randint(1, 3),
            dependentRequired={self.rng.choice(NAMES): self.names()},
            dependentSchemas={self.rng.choice(NAMES): self.schema(depth + 2)},
        )
        properties = {name: self.schema(depth + 1) if name in names else True for name in NAMES}
        required = [name for name in NAMES if self.rng.random() < 0.25]
        typed = {"type": "object"} if self.rng.random() < 0.8 else {}
        keep = dict(list(found.items())[: 3 if depth == 0 else 1])
        return typed | {"properties": properties, "required": required} | keep

    def array(self, depth: int) -> dict[str, Any]:
        """Arrays."""
        contains = {"contains": self.schema(depth + 1)} | self.some(
            minContains=self.rng.randint(0, 2), maxContains=2
        )
        found = self.some(
            prefixItems=[self.schema(depth + 1)],
            minItems=self.rng.randint(0, 2),
            maxItems=self.rng.randint(1, 3),
        ) | (contains if self.rng.random() < 0.4 else {"items": self.schema(depth + 1)})
        if self.rng.random() < 0.15:
            found = {"items": {"enum": [1, "a", None]}, "uniqueItems": True}
        return {"type": "array"} | found

    def combined(self, depth: int) -> dict[str, Any]:
        """Several schemas at once, one of several, or not one."""
        word = self.rng.choice(["allOf", "anyOf", "oneOf", "not"])
        if word == "not":
            return {**self.typed(), "not": self.schema(depth + 1)}
        return {word: [self.schema(depth + 1) for _ in range(self.rng.randint(2, 3))]}

    def conditional(self, depth: int) -> dict[str, Any]:
        """If, then, else."""
        test = self.rng.choice(
            [self.schema(depth + 1), {"required": ["a"], "properties": {"a": self.listed()}}]
        )
        return (
            self.record(depth + 1)
            | {"if": test}
            | self.some(**{"then": self.schema(depth + 1), "else": self.record(2)})
        )

    def value(self, schema: Any, depth: int = 0) -> Any:
        """A value that is often valid."""
        if not isinstance(schema, dict) or depth > 5 or self.rng.random() < 0.1:
            return self.anything(depth)
        given: dict[str, Any] = schema  # pyright: ignore[reportUnknownVariableType]
        inner = [given[word] for word in ("then", "else", "if") if word in given]
        inner += [option for word in ("allOf", "anyOf", "oneOf") for option in given.get(word, ())]
        if inner and self.rng.random() < 0.5:
            return self.value(self.rng.choice(inner), depth + 1)
        if "enum" in given or "const" in given:
            return self.rng.choice(given.get("enum") or [given.get("const")])
        if "properties" in given and self.rng.random() < 0.9:
            parts: dict[str, Any] = given["properties"]
            chosen = [
                n
                for n in NAMES
                if n in given["required"] or self.rng.random() < (0.5 if n in parts else 0.15)
            ]
            chosen += [name for name in OTHERS if self.rng.random() < 0.15]
            return {name: self.value(parts.get(name, True), depth + 1) for name in chosen}
        if given.get("type") == "array":
            first = given.get("prefixItems", [])
            count = self.rng.randint(0, 3)
            rest = self.rng.choice([given.get("items", True), given.get("contains", True)])
            return [self.value(first[at] if at < len(first) else rest, depth + 1) for at in range(count)]
        if {"minimum", "maximum", "exclusiveMinimum"} & given.keys():
            near: float = given.get("minimum", given.get("maximum", given.get("exclusiveMinimum", 0)))
            return self.plain(near + self.rng.choice([-1, -0.5, 0, 0.25, 0.5, 1, 2]))
        return self.anything(depth)

    def plain(self, number: float) -> float:
        """A whole number without a fraction, as these texts write it."""
        return int(number) if number == int(number) else number

    def anything(self, depth: int) -> Any:
        """Some value."""
        simple: list[Any] = [None, True, False, 0, 1, -3, 2.5, 4, *TEXTS[:8]]
        if depth > 3 or self.rng.random() < 0.6:
            return self.rng.choice(simple)
        if self.rng.random() < 0.5:
            return [self.anything(depth + 1) for _ in range(self.rng.randint(0, 3))]
        return {name: self.anything(depth + 1) for name in (*NAMES, *OTHERS) if self.rng.random() < 0.25}


def judged(seed: int, schemas: int, values: int) -> tuple[int, int, list[str]]:
    """How many schemas were lowered, how many of their values were valid, and where the verdicts differ."""
    maker = Maker(seed)
    compiled, valid = 0, 0
    wrong: list[str] = []
    for _ in range(schemas):
        schema: Any = maker.schema()
        if isinstance(schema, bool):
            continue
        try:
            grammars = [Grammar.from_lark(lowered_schema(schema)), Grammar.from_json_schema(schema)]
        except GrammarError:
            continue
        compiled += 1
        validator: Any = Draft202012Validator(schema)
        for value in [maker.value(schema) for _ in range(values)]:
            expected = bool(validator.is_valid(value))
            valid += expected
            for grammar in grammars:
                if grammar.accepts(compact(value)) is not expected:
                    wrong.append(f"{compact(schema)} {compact(value)} {expected}")
    return compiled, valid, wrong


def test_lowered_schemas_accept_what_is_valid() -> None:
    """A sample of random schemas: no invalid value is accepted, no valid one refused."""
    compiled, valid, wrong = judged(0, 60, 12)
    assert wrong[:2] == []
    assert compiled > 40 and valid > 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_many_lowered_schemas_accept_what_is_valid(seed: int) -> None:
    """The same law over many more of them."""
    compiled, _, wrong = judged(seed, 250, 20)
    assert wrong[:2] == []
    assert compiled > 160
