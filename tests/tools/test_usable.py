"""Raw schemas: what cannot be used is refused when the tool is made, with what to write in its place."""

from __future__ import annotations

import math
from typing import Any

import pytest

from jigwork.errors import SchemaError
from jigwork.tools import Tool


def tool_of(schema: Any) -> Tool[..., Any]:
    """Make a tool of a raw schema."""

    def run(**arguments: Any) -> dict[str, Any]:
        return arguments

    return Tool.from_schema(name="f", description="", parameters=schema, function=run)


def one(part: Any, **rest: Any) -> dict[str, Any]:
    """Make the schema of an object with the property `a`."""
    return {"type": "object", "properties": {"a": part}, **rest}


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "dict", "properties": {}}, 'at the root: there is no type "dict"; write "object"'),
        (one({"type": "float"}), 'at /properties/a: there is no type "float"; write "number"'),
        (one({"type": "tuple"}), 'write "array"'),
        (one({"type": "STRING"}), 'write "string"'),
        (one({"type": ["int", "null"]}), 'write "integer"'),
        (one({"type": "any"}), 'leave "type" out'),
        (one({"type": "date"}), 'write "type": "string", "format": "date"'),
        (one({"type": "widget"}), "the types are object, array"),
        (one({"type": "string", "required": True}), '"required" is a list of names'),
        (one({"type": "integer", "minimum": 0, "exclusiveMinimum": True}), "give the limit itself there"),
        (one({"$ref": "https://example.org/x.json"}), "leads outside"),
        (one({"properties": {"default": {"$ref": "x.json#/a"}}}), "at /properties/a/properties/default"),
        (one({"$ref": "#/$defs/none"}), "points to nothing"),
        (one({"$ref": "#none"}), 'names no "$anchor"'),
        (one({"type": "string", "pattern": "("}), "is not a regular expression"),
        ({"type": "object", "patternProperties": {"(": {}}}, "is not a regular expression"),
        ({"$ref": "#"}, "leads back to itself"),
        (one({"$ref": "#/$defs/x"}, **{"$defs": {"x": {"anyOf": [{"$ref": "#/$defs/x"}]}}}), "leads back"),
        (one({"type": "number", "maximum": math.nan}), "it is not JSON data"),
        (one({"enum": {"x", "y"}}), "it is not JSON data"),
        ({"type": "array"}, "must describe an object"),
        (None, "must be a JSON schema, as a dict"),
        ([], "must be a JSON schema, as a dict"),
    ],
)
def test_what_is_no_usable_schema_is_refused(schema: Any, told: str) -> None:
    """The error comes when the tool is made, says where, and carries the fix."""
    with pytest.raises(SchemaError) as error:
        tool_of(schema)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (one({"$ref": "#/$defs/a%20b"}, **{"$defs": {"a b": {"type": "string"}}}), {"a": "x"}, {"a": 1}),
        (one({"$ref": "#/definitions/s"}, definitions={"s": {"type": "string"}}), {"a": "x"}, {"a": 1}),
        (one({"$ref": "#name"}, **{"$defs": {"x": {"$anchor": "name", "type": "null"}}}), {"a": None}, {"a": 1}),
        (one({"type": "string", "pattern": r"^\p{Lu}\p{Ll}+$"}), {"a": "Éa"}, {"a": "éa"}),
        (one({"type": "string", "pattern": r"^(?<y>\d{4})$"}), {"a": "2026"}, {"a": "26"}),
        (one({"type": "string", "pattern": r"^(?=.*\d)[a-z\d]+$"}), {"a": "x1"}, {"a": "x"}),
        (
            {"type": "object", "patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": False},
            {"x-a": 1},
            {"y": 1},
        ),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#",
             **one({"type": "array", "items": [{"type": "string"}], "additionalItems": False})},
            {"a": ["x"]},
            {"a": ["x", "y"]},
        ),
        (one({"type": "array", "uniqueItems": True}), {"a": [1, True, "1"]}, {"a": [{"x": 1}, {"x": 1.0}]}),
        (one({"type": "object", "properties": {"$ref": {"type": "string"}}}), {"a": {"$ref": "x"}}, {"a": {"$ref": 1}}),
    ],
)  # fmt: skip
def test_what_schemas_in_the_wild_use(
    schema: dict[str, Any], good: dict[str, Any], bad: dict[str, Any]
) -> None:
    """References of all spellings, anchors, ECMA's patterns, draft-07 tuples and free keys mean what they say."""
    tool = tool_of(schema)
    decoded = tool.decode(good)
    assert (decoded.ok, decoded.value, decoded.repairs) == (True, good, ())
    assert not tool.decode(bad).ok


def test_keywords_that_only_inform_are_no_loss() -> None:
    """`example`, `nullable` and extensions demand nothing, and are not told as if they did."""
    strict = tool_of(
        one({"type": "string", "example": "x", "nullable": True, "x-order": 1}, required=["a"])
    ).strict
    assert strict.lossless
    assert strict.schema["properties"]["a"] == {"type": "string"}
