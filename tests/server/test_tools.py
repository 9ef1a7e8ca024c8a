"""Tool definitions, schemas, grammars and tool choices that /responses refuses, and those that it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from jigwork.agent.pytest_plugin import ServerFactory

Post = Callable[..., httpx2.Response]
Json = dict[str, Any]
Refused = Callable[..., None]
Case = tuple[Json, str | None, str | None, str]
"""Body, then param, code and a piece of the message that are expected."""


def function(**changes: Any) -> Json:
    """A strict function tool in the flat shape, changed."""
    return {"type": "function", "name": "f", "parameters": schema(), "strict": True, **changes}


def schema(**changes: Any) -> Json:
    """A strict schema, changed."""
    return {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
        **changes,
    }


def lark(definition: str, syntax: str = "lark") -> Json:
    """A grammar tool in the flat shape."""
    form = {"type": "grammar", "syntax": syntax, "definition": definition}
    return {"type": "custom", "name": "g", "format": form}


NESTED = {"type": "function", "function": {"name": "f", "parameters": schema()}}

CASES: dict[str, Case] = {
    # shapes
    "nested tool": ({"tools": [NESTED]}, "tools[0].name", "missing_required_parameter", "'tools[0].name'"),
    "no tool type": ({"tools": [{"name": "f"}]}, "tools[0].type", "missing_required_parameter", "type"),
    "tool type": ({"tools": [{"type": "magic"}]}, "tools[0].type", "invalid_value", "'function', 'custom'"),
    "tool name": ({"tools": [function(name="a.b")]}, "tools[0].name", "invalid_value", "'^[a-zA-Z0-9_-]+$'"),
    "long name": ({"tools": [function(name="a" * 65)]}, "tools[0].name", "string_above_max_length", "64"),
    "empty name": ({"tools": [function(name="")]}, "tools[0].name", "empty_string", "minimum length 1"),
    "unknown tool key": ({"tools": [function(x=1)]}, "tools[0].x", "unknown_parameter", "tools[0].x"),
    "twice": ({"tools": [function(), function()]}, "tools", None, "must be unique"),
    # schemas
    "root": (
        {"tools": [function(parameters={"type": "array", "items": {}}, strict=False)]},
        "tools[0].parameters",
        "invalid_function_parameters",
        "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'.",
    ),
    "open object": (
        {"tools": [function(parameters=schema(additionalProperties=True))]},
        "tools[0].parameters",
        "invalid_function_parameters",
        "In context=(), 'additionalProperties' is required to be supplied and to be false.",
    ),
    "optional property": (
        {"tools": [function(parameters=schema(required=[]))]},
        "tools[0].parameters",
        "invalid_function_parameters",
        "including every key in properties. Missing 'a'.",
    ),
    "extra required": (
        {"tools": [function(parameters=schema(required=["a", "b"]))]},
        "tools[0].parameters",
        "invalid_function_parameters",
        "Extra required key 'b' supplied.",
    ),
    "default": (
        {"tools": [function(parameters=schema(properties={"a": {"type": "string", "default": "x"}}))]},
        "tools[0].parameters",
        "invalid_function_parameters",
        "In context=('properties', 'a'), 'default' is not permitted.",
    ),
    "oneOf": (
        {"tools": [function(parameters=schema(properties={"a": {"oneOf": [{"type": "string"}]}}))]},
        "tools[0].parameters",
        "invalid_function_parameters",
        "'oneOf' is not permitted",
    ),
    "deep in $defs": (
        {
            "tools": [
                function(
                    parameters=schema(
                        properties={"a": {"$ref": "#/$defs/X"}}, **{"$defs": {"X": {"type": "object"}}}
                    )
                )
            ]
        },
        "tools[0].parameters",
        "invalid_function_parameters",
        "In context=('$defs', 'X'), 'additionalProperties'",
    ),
    "lost reference": (
        {"tools": [function(parameters=schema(properties={"a": {"$ref": "#/$defs/Y"}}))]},
        "tools[0].parameters",
        "invalid_function_parameters",
        "'#/$defs/Y' which was not found",
    ),
    "no type": (
        {"tools": [function(parameters=schema(properties={"a": {"description": "?"}}))]},
        "tools[0].parameters",
        "invalid_function_parameters",
        "must have a 'type' key",
    ),
    "no items": (
        {"tools": [function(parameters=schema(properties={"a": {"type": "array"}}), strict=False)]},
        "tools[0].parameters",
        "invalid_function_parameters",
        "array schema missing items",
    ),
    "format keyword": (
        {"tools": [function(parameters=schema(properties={"a": {"type": "string", "format": "uri"}}))]},
        "tools[0].parameters",
        "invalid_function_parameters",
        "'uri' is not a valid format",
    ),
    "enum values": (
        {
            "tools": [
                function(parameters=schema(properties={"a": {"type": "integer", "enum": list(range(1001))}}))
            ]
        },
        "tools[0].parameters",
        "invalid_function_parameters",
        "1001 enum values in total exceeds limit of 1000.",
    ),
    "text format": (
        {
            "text": {
                "format": {"type": "json_schema", "name": "p", "strict": True, "schema": {"type": "object"}}
            }
        },
        "text.format.schema",
        "invalid_json_schema",
        "Invalid schema for response_format 'p'",
    ),
    "nested format": (
        {"text": {"format": {"type": "json_schema", "json_schema": {}}}},
        "text.format.name",
        "missing_required_parameter",
        "'text.format.name'",
    ),
    # grammars
    "syntax": (
        {"tools": [lark("x", "ebnf")]},
        "tools[0].format.syntax",
        "invalid_value",
        "'lark' and 'regex'",
    ),
    "broken grammar": (
        {"tools": [lark('start: "a" b')]},
        "tools[0].format.definition",
        "invalid_grammar",
        "Invalid grammar definition",
    ),
    "no start": ({"tools": [lark('begin: "a"')]}, "tools[0].format.definition", "invalid_grammar", "start"),
    "lookahead": (
        {"tools": [lark("start: /a(?=b)/")]},
        "tools[0].format.definition",
        "invalid_grammar",
        "lookaround is not supported",
    ),
    "lazy": (
        {"tools": [lark('start: "a" /.*?/')]},
        "tools[0].format.definition",
        "invalid_grammar",
        "lazy quantifiers are not supported (in /.*?/)",
    ),
    "priority": (
        {"tools": [lark('start: A\nA.2: "a"')]},
        "tools[0].format.definition",
        "invalid_grammar",
        "priorities",
    ),
    "template": (
        {"tools": [lark('start: _sep{"a", ","}\n_sep{x, s}: x (s x)*')]},
        "tools[0].format.definition",
        "invalid_grammar",
        "templates",
    ),
    "declare": (
        {"tools": [lark('%declare A\nstart: "a"')]},
        "tools[0].format.definition",
        "invalid_grammar",
        "%declare",
    ),
    "import": (
        {"tools": [lark("%import python.NAME\nstart: NAME")]},
        "tools[0].format.definition",
        "invalid_grammar",
        "common",
    ),
    "regex": (
        {"tools": [lark("(", "regex")]},
        "tools[0].format.definition",
        "invalid_grammar",
        "Invalid grammar",
    ),
    "regex lookbehind": (
        {"tools": [lark("(?<=a)b", "regex")]},
        "tools[0].format.definition",
        "invalid_grammar",
        "lookaround",
    ),
    "nested grammar": (
        {
            "tools": [
                {
                    "type": "custom",
                    "name": "g",
                    "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}},
                }
            ]
        },
        "tools[0].format.syntax",
        "missing_required_parameter",
        "syntax",
    ),
    # tool_choice
    "choice word": ({"tool_choice": "any"}, "tool_choice", "invalid_value", "'none', 'auto', and 'required'"),
    "required without tools": ({"tool_choice": "required"}, "tool_choice", None, "'tools'"),
    "unknown tool": (
        {"tools": [function()], "tool_choice": {"type": "function", "name": "g"}},
        "tool_choice",
        None,
        "Tool choice 'g' not found in 'tools' parameter.",
    ),
    "other kind": (
        {"tools": [function()], "tool_choice": {"type": "custom", "name": "f"}},
        "tool_choice",
        None,
        "not found",
    ),
    "nested choice": (
        {"tools": [function()], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        "tool_choice.name",
        "missing_required_parameter",
        "'tool_choice.name'",
    ),
    "allowed tools": (
        {
            "tools": [function()],
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "g"}],
            },
        },
        "tool_choice",
        None,
        "'g' not found",
    ),
    "allowed mode": (
        {"tool_choice": {"type": "allowed_tools", "mode": "none", "tools": []}},
        "tool_choice.mode",
        "invalid_value",
        "'auto' and 'required'",
    ),
}

ACCEPTED: dict[str, Json] = {
    "grammar": {"tools": [lark('start: /[a-z]+/ " " B\nB: /b{1,3}\\?/')]},
    "question mark in a class": {"tools": [lark("[+*?]?[a?]+", "regex")]},
    "recursive schema": {
        "tools": [function(parameters=schema(properties={"a": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}))]
    },
    "loose schema": {
        "tools": [function(strict=False, parameters={"type": "object", "properties": {"a": {"default": 1}}})]
    },
    "allowed tools": {
        "tools": [function()],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "f"}],
        },
    },
    "hosted tools": {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}},
}


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str, jigwork_server: ServerFactory, refused: Refused) -> None:
    """A tool that the real API cannot take gets its error."""
    body, param, code, piece = CASES[name]
    refused(jigwork_server([]), "/responses", body, param=param, code=code, message=piece)


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str, jigwork_server: ServerFactory, post: Post) -> None:
    """What the real API takes is taken."""
    got = post(jigwork_server(["ok"]), "/responses", **ACCEPTED[name])
    assert got.status_code == 200, got.text
