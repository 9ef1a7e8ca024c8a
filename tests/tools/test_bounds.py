"""Hostile arguments: whatever the text and the schema, decoding ends soon and never raises."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from jigwork.tools import Tool


def closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """Make a closed object schema."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


NUMBERS = closed({"v": {"type": "array", "items": {"type": "number"}}}, "v")
TEXT = closed({"x": {"type": "string", "pattern": "^(a+)+$"}}, "x")
NODE = {"$ref": "#/$defs/n"}
UNION = {
    "$defs": {
        "n": {
            "anyOf": [
                closed({"next": NODE, "kind": {"const": "a"}}, "next", "kind"),
                closed({"next": NODE, "kind": {"const": "b"}}, "next", "kind"),
                {"type": "null"},
            ]
        }
    },
    **closed({"x": NODE}, "x"),
}
NESTED = {
    "$defs": {"n": {"anyOf": [{"type": "integer"}, {"type": "array", "items": NODE}]}},
    **closed({"x": NODE}, "x"),
}


@pytest.mark.parametrize(
    ("schema", "raw", "ok"),
    [
        (TEXT, json.dumps({"x": "a" * 5000 + "!"}), False),
        ({"type": "object", "patternProperties": {"^(a|a)*b$": {}}, "additionalProperties": False},
         json.dumps({"a" * 5000: 1}), False),
        (UNION, '{"x": ' + '{"kind": "b", "next": ' * 60 + "null" + "}" * 60 + "}", True),
        (UNION, '{"x": ' + '{"kind": "B", "next": ' * 30 + "null" + "}" * 30 + "}", True),
        (UNION, '{"x": ' + '{"kind": "c", "next": ' * 60 + "null" + "}" * 60 + "}", False),
        (UNION, '{"x": ' + '{"next": ' * 60 + "0" + "}" * 60 + "}", False),
        (NESTED, '{"x": ' + "[" * 90 + '"x"' + "]" * 90 + "}", False),
        (closed({"v": {"type": "array", "uniqueItems": True}}, "v"),
         json.dumps({"v": [{"a": [i]} for i in range(5000)]}), True),
        (NUMBERS, json.dumps({"v": ["x"] * 100_000}), False),
        (NUMBERS, "{'v': [" + "'1', " * 50_000 + "]}", False),
        (NUMBERS, json.dumps({"v": "[" * 500_000}), False),
        (NUMBERS, "[" * 5000 + "]" * 5000, False),
        (NUMBERS, "{'v': " + "[" * 5000 + "]" * 5000 + "}", False),
        (NUMBERS, '{"v": [' + "9" * 1_000_000 + "]}", False),
        (closed({"v": {"type": "number", "multipleOf": 1e-300}}), '{"v": 1e300}', True),
        (TEXT, "<think>" * 100_000, False),
        (TEXT, "/*" * 500_000, False),
        (TEXT, "word " * 200_000 + "{", False),
        (TEXT, '{"x": "' + "\\" * 500_001, False),
        (TEXT, "{}" * 300_000, False),
    ],
)  # fmt: skip
def test_decoding_ends_soon(schema: dict[str, Any], raw: str, ok: bool) -> None:
    """Patterns that explode, unions inside unions, a megabyte of anything: a verdict within seconds."""

    def run(**arguments: Any) -> dict[str, Any]:
        return arguments

    tool = Tool.from_schema(name="f", description="", parameters=schema, function=run)
    started = time.process_time()
    decoded = tool.decode(raw)
    assert time.process_time() - started < 5
    assert decoded.ok is ok
    assert ok or len(str(decoded.error)) < 1500
