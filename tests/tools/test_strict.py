"""Strict schemas: they keep the subset's rules, and every value comes back from the wire as it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from jigwork.errors import SchemaError
from jigwork.tools import StrictSchema, Tool, strict_violations

Pair = tuple[dict[str, Any], st.SearchStrategy[Any]]
"""A schema, and a strategy for values that satisfy it."""

NAMES = ["a", "b", "kind", "omit", "entries", "_0", "key", "value", "größe"]


def scalar_pairs() -> st.SearchStrategy[Pair]:
    """Draw scalar schemas, some with keywords that the strict subset does not have."""
    return st.sampled_from(
        [
            ({"type": "string"}, st.text(max_size=3)),
            ({"type": "string", "minLength": 1, "maxLength": 3}, st.text(min_size=1, max_size=3)),
            ({"type": "string", "format": "date"}, st.dates().map(str)),
            ({"type": "string", "pattern": "^(?=a)[a-c]+$"}, st.from_regex(r"\Aa[a-c]{0,3}\Z")),
            ({"type": "integer", "minimum": -5, "default": 1}, st.integers(-5, 2**70)),
            ({"type": "number"}, st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9)),
            ({"type": "boolean"}, st.booleans()),
            ({"type": "null"}, st.none()),
            ({"enum": ["x", "y", None]}, st.sampled_from(["x", "y", None])),
            ({"const": 3}, st.just(3)),
            ({"type": ["string", "null"]}, st.none() | st.text(max_size=2)),
            ({"type": ["integer", "boolean"]}, st.booleans() | st.integers(0, 3)),
        ]
    )


@st.composite
def object_pairs(draw: st.DrawFn, inner: st.SearchStrategy[Pair]) -> Pair:
    """Draw an object schema with required and optional properties, sometimes with typed extra ones."""
    members = draw(st.dictionaries(st.sampled_from(NAMES), inner, max_size=4))
    required = [name for name in members if draw(st.booleans())]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: part for name, (part, _) in members.items()},
        "required": required,
        "additionalProperties": False,
    }
    values = st.fixed_dictionaries(
        {name: values for name, (_, values) in members.items() if name in required},
        optional={name: values for name, (_, values) in members.items() if name not in required},
    )
    if members and draw(st.integers(0, 4)) == 0:
        part, extra = draw(inner)
        schema["additionalProperties"] = part
        free = st.dictionaries(st.text(min_size=5, max_size=6), extra, max_size=2)
        return schema, st.tuples(values, free).map(lambda two: {**two[1], **two[0]})
    return schema, values


@st.composite
def composed_pairs(draw: st.DrawFn, inner: st.SearchStrategy[Pair]) -> Pair:
    """Draw an array, a dict, a tuple, a union or an allOf of smaller schemas."""
    (one, ones), (two, twos) = draw(inner), draw(inner)
    match draw(st.sampled_from(["array", "dict", "tuple", "union", "allOf"])):
        case "array":
            return {"type": "array", "items": one, "maxItems": 3}, st.lists(ones, max_size=3)
        case "dict":
            keys = st.text(max_size=3)
            return {"type": "object", "additionalProperties": one}, st.dictionaries(keys, ones, max_size=3)
        case "tuple":
            schema = {"type": "array", "prefixItems": [one, two], "minItems": 2, "maxItems": 2}
            return schema, st.tuples(ones, twos).map(list)
        case "union":
            return {draw(st.sampled_from(["anyOf", "oneOf"])): [one, two]}, ones | twos
        case _:
            return {"allOf": [one], "description": "one"}, ones


pairs = st.recursive(
    scalar_pairs(),
    lambda inner: object_pairs(inner) | composed_pairs(inner) | object_pairs(inner),
    max_leaves=6,
)


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(pair=object_pairs(pairs), data=st.data())
def test_every_valid_value_comes_back(pair: Pair, data: st.DataObject) -> None:
    """undo(encode(v)) is v, encode(v) satisfies the sent schema, and the sent schema keeps the rules."""
    schema, values = pair
    value = data.draw(values)
    if not valid(schema, value):
        return  # oneOf that matches twice
    strict = StrictSchema(schema)
    wire = strict.encode(value)
    assert valid(strict.schema, wire)
    assert same(strict.undo(json.loads(json.dumps(wire))), value)
    assert not strict.enabled or strict_violations(strict.schema) == []


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(pair=object_pairs(pairs), data=st.data())
def test_decode_understands_both_forms(pair: Pair, data: st.DataObject) -> None:
    """A valid value decodes to itself from its plain text and from its wire text, without a repair."""
    schema, values = pair
    value = data.draw(values)
    if not valid(schema, value):
        return  # oneOf that matches twice

    def run(**arguments: Any) -> dict[str, Any]:
        return arguments

    tool = Tool.from_schema(name="f", description="", parameters=schema, function=run)
    for text in (json.dumps(value), json.dumps(tool.strict.encode(value))):
        decoded = tool.decode(text)
        assert decoded.ok, decoded.error
        assert same(decoded.value, value)
        assert decoded.repairs == ()


def valid(schema: dict[str, Any], value: Any) -> bool:
    """Ask jsonschema."""
    validator: Any = Draft202012Validator(schema)
    return bool(validator.is_valid(value))


def same(a: Any, b: Any) -> bool:
    """Compare as JSON texts, so that 1, 1.0 and true differ."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": False}


def closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """Make a closed object schema."""
    return {**OBJECT, "properties": properties, "required": list(required)}


@pytest.mark.parametrize(
    ("plain", "value", "wire"),
    [
        (closed({"a": {"type": "integer"}}, "a"), {"a": 1}, {"a": 1}),
        (closed({"a": {"type": "integer"}}), {}, {"a": None}),
        (closed({"a": {"type": "integer", "default": 3}}), {"a": 4}, {"a": 4}),
        (closed({"a": {"type": ["integer", "null"]}}), {}, {"a": {"omit": True}}),
        (closed({"a": {"type": ["integer", "null"]}}), {"a": None}, {"a": None}),
        (closed({"a": {"type": ["integer", "null"], "default": None}}), {}, {"a": None}),
        (closed({"m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "m"), {"m": {"x": 1}},
         {"m": [{"key": "x", "value": 1}]}),
        (closed({"t": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2,
                       "maxItems": 2}}, "t"), {"t": [1, "a"]}, {"t": {"_0": 1, "_1": "a"}}),
        ({**closed({"a": {"type": "integer"}}, "a"), "additionalProperties": {"type": "string"}}, {"a": 1, "b": "x"},
         {"a": 1, "additional_properties": [{"key": "b", "value": "x"}]}),
        (closed({"u": {"anyOf": [{"type": "array", "items": {"type": "integer"}},
                                 {"type": "object", "additionalProperties": {"type": "integer"}}]}}, "u"),
         {"u": {}}, {"u": {"entries": []}}),
    ],
)  # fmt: skip
def test_wire_form(plain: dict[str, Any], value: Any, wire: Any) -> None:
    """Optional keys, dicts, tuples and unions have a form that the strict subset can say, and come back."""
    strict = StrictSchema(plain)
    assert strict.enabled
    assert strict_violations(strict.schema) == []
    assert strict.encode(value) == wire
    assert strict.undo(wire) == value
    assert strict.undo(value) == value


NODE = {
    "$defs": {"node": closed({"value": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}}, "value")},
    "$ref": "#/$defs/node",
}


def test_recursion_comes_back() -> None:
    """A schema that refers to itself is sent with its definitions, and undone to any depth."""
    strict = StrictSchema(NODE)
    value = {"value": 1, "next": {"value": 2, "next": {"value": 3}}}
    assert strict.enabled
    assert strict.encode(value)["next"]["next"] == {"value": 3, "next": None}
    assert strict.undo(strict.encode(value)) == value


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"type": "string", "minLength": 2}, "At least 2 characters."),
        ({"type": "string", "format": "uri"}, "In uri format."),
        ({"type": "string", "pattern": "(?!x)y"}, "Must match the regular expression (?!x)y"),
        ({"type": "array", "items": {"type": "integer"}, "uniqueItems": True}, "The items must differ"),
        ({"type": "integer", "not": {"const": 3}}, 'Must also satisfy {"not": {"const": 3}}.'),
        ({"type": "string", "description": "A name", "maxLength": 9}, "A name. At most 9 characters."),
    ],
)
def test_what_cannot_be_said_is_told(part: dict[str, Any], told: str) -> None:
    """A keyword outside the subset moves into the description and is reported as a loss with its place."""
    strict = StrictSchema(closed({"x": part}, "x"))
    assert strict.enabled
    assert not strict.lossless
    assert strict.losses[0].startswith("/properties/x: ")
    assert told in strict.schema["properties"]["x"]["description"]
    assert strict_violations(strict.schema) == []


def test_default_is_told() -> None:
    """A default is shown to the model, which writes null to leave the key out."""
    strict = StrictSchema(closed({"unit": {"type": "string", "enum": ["C", "F"], "default": "C"}}))
    assert strict.schema["properties"]["unit"] == {
        "type": ["string", "null"],
        "enum": ["C", "F", None],
        "description": 'Default: "C".',
    }
    assert strict.lossless


@pytest.mark.parametrize(
    ("plain", "reason"),
    [
        (closed({"x": {}}), "/properties/x takes any value"),
        (closed({"x": {"type": "object"}}), "/properties/x is an object with any content"),
        (closed({"x": {"type": "array"}}), "/properties/x/items takes any value"),
        (closed({"x": {"type": "object", "patternProperties": {"^a": {"type": "string"}},
                       "additionalProperties": False}}), "/properties/x has patternProperties"),
        (closed({"x": {"enum": [{"a": 1}]}}), "/properties/x is an enum of values that are no scalars"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "the root is a dict with free keys"),
        (closed({f"p{i}": {"type": "integer"} for i in range(5001)}), "more than 5000"),
        (closed({"x": {"anyOf": [{"type": "array", "items": closed({"a": {"type": "integer"}})},
                                 {"type": "array", "items": closed({"b": {"type": "integer"}})}]}}),
         "is a union whose options look the same on the wire"),
    ],
)  # fmt: skip
def test_no_strict_form(plain: dict[str, Any], reason: str) -> None:
    """Where the subset cannot say a schema, it is sent as it is, without strict, and the reason is given."""
    strict = StrictSchema(plain)
    assert not strict.enabled
    assert not strict.lossless
    assert reason in strict.losses[0]
    assert strict.schema == plain
    assert strict.encode({"x": 1}) == {"x": 1}


@pytest.mark.parametrize(("levels", "enabled"), [(9, True), (10, False), (12, False)])
def test_deep_schema_is_not_strict(levels: int, enabled: bool) -> None:
    """More than ten levels, the root among them, are beyond the server's limit: sent without strict."""
    plain: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        plain = closed({"x": plain}, "x")
    strict = StrictSchema(plain)
    assert strict.enabled is enabled
    assert enabled or strict.losses[0].endswith("/properties/x: nested more than 10 levels deep")


def test_union_options_begin_with_different_keys() -> None:
    """Objects in a union are ordered so that their first keys differ or are a discriminator."""
    cat = closed({"name": {"type": "string"}, "kind": {"const": "cat"}}, "name", "kind")
    dog = closed({"name": {"type": "string"}, "kind": {"const": "dog"}}, "name", "kind")
    strict = StrictSchema(closed({"pet": {"oneOf": [cat, dog]}}, "pet"))
    options = strict.schema["properties"]["pet"]["anyOf"]
    assert [next(iter(option["properties"])) for option in options] == ["kind", "kind"]
    assert strict.lossless


def test_undeclared_key_has_no_wire_form() -> None:
    """A key that the schema does not declare cannot be encoded, and is not dropped silently."""
    strict = StrictSchema({"type": "object", "properties": {"a": {"type": "integer"}}})
    with pytest.raises(SchemaError, match="no place for the key 'b'"):
        strict.encode({"b": 1})


def test_repeated_key_of_a_dict() -> None:
    """A key that is given twice in an array of pairs is refused, not overwritten."""
    strict = StrictSchema(closed({"m": {"type": "object", "additionalProperties": {"type": "integer"}}}, "m"))
    with pytest.raises(SchemaError, match="'x' is given twice"):
        strict.undo({"m": [{"key": "x", "value": 1}, {"key": "x", "value": 2}]})


def test_the_given_schema_is_not_changed() -> None:
    """Building the strict form leaves the original as it was."""
    plain = closed({"a": {"allOf": [{"$ref": "#/$defs/s"}], "default": "x"}})
    plain["$defs"] = {"s": {"type": "string", "minLength": 1}}
    before = json.dumps(plain)
    StrictSchema(plain)
    assert json.dumps(plain) == before


def test_a_plain_key_named_like_the_pairs() -> None:
    """A free key that has the name under which the wire puts undeclared keys stays a key."""
    lists = {"type": "array", "items": {"type": "integer"}}
    strict = StrictSchema({**closed({"a": {"type": "integer"}}, "a"), "additionalProperties": lists})
    for value in (
        {"a": 1, "additional_properties": [1, 2]},
        {"a": 1, "additional_properties": [1], "b": []},
        {"a": 1, "b": [3]},
    ):
        assert strict.undo(value) == value
        assert strict.undo(strict.encode(value)) == value


def test_an_open_root_is_not_closed() -> None:
    """An object that says it takes any key is not sent as one that takes none."""
    strict = StrictSchema({"type": "object", "properties": {}, "additionalProperties": True})
    assert not strict.enabled
    assert strict.losses == ("sent without strict: the root is an object with any content",)


@pytest.mark.parametrize(
    ("schema", "violation"),
    [
        ({"type": "array"}, "the root must be"),
        ({"type": "object", "properties": {}}, "additionalProperties must be false"),
        (closed({"a": {"type": "string"}}), "required must list every property"),
        (closed({"a": {}}, "a"), "/properties/a: must have a type"),
        (closed({"a": {"type": "string", "default": "x"}}, "a"), "default is not permitted"),
        (closed({"a": {"oneOf": []}}, "a"), "must have a type"),
        (closed({"a": {"type": "array"}}, "a"), "an array must have items"),
        (
            closed({"a": {"$ref": "#/$defs/x", "description": "d"}}, "a"),
            "cannot have the keyword description",
        ),
        (closed({"a": {"type": "string", "format": "uri"}}, "a"), "format 'uri' is not supported"),
        (closed({"a": {"type": "string", "enum": [str(i) for i in range(1001)]}}, "a"), "1001 enum values"),
    ],
)
def test_violations_are_named(schema: dict[str, Any], violation: str) -> None:
    """What the server would refuse under strict is said with its place."""
    assert any(violation in found for found in strict_violations(schema))


CORPORA = os.environ.get("JIGWORK_CORPORA")


def real_calls() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the schemas of real functions with a right call of each."""
    for path in sorted(Path(str(CORPORA), "tools_bfcl").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            schemas = {function["name"]: function["parameters"] for function in row["functions"]}
            for call in (call for answer in row["answers"] for call in answer):
                yield schemas[call["name"]], call["arguments"]


@pytest.mark.skipif(not CORPORA, reason="JIGWORK_CORPORA is not set")
def test_real_calls_survive_the_wire() -> None:
    """Every right call of real functions decodes to itself, in plain and in wire form; the wrong ones are refused."""

    def run(**arguments: Any) -> dict[str, Any]:
        return arguments

    tools: dict[str, Tool[..., Any]] = {}
    count = 0
    for schema, arguments in real_calls():
        count += 1
        key = json.dumps(schema)
        if key not in tools:
            tools[key] = Tool.from_schema(name="f", description="", parameters=schema, function=run)
        tool = tools[key]
        plain = tool.decode(json.dumps(arguments))
        if not valid(schema, arguments):
            assert not plain.ok or plain.repairs
            continue
        wire = tool.decode(json.dumps(tool.strict.encode(arguments)))
        assert (plain.ok, plain.repairs) == (wire.ok, wire.repairs) == (True, ())
        assert same(plain.value, arguments)
        assert same(wire.value, arguments)
    assert count > 1000
