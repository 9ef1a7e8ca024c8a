"""Arguments: used as they are, repaired where they have one reading, explained to the model otherwise."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, field_validator

from jigwork.tools import Decoded, Tool, as_tool


def run(**arguments: Any) -> dict[str, Any]:
    """Return what came."""
    return arguments


def tool_of(schema: dict[str, Any], name: str = "book") -> Tool[..., Any]:
    """Make a tool of a raw schema."""
    return Tool.from_schema(name=name, description="", parameters=schema, function=run)


TRIP: dict[str, Any] = {
    "type": "object",
    "properties": {
        "to": {"type": "string"},
        "class": {"enum": ["economy", "business"]},
        "seats": {"type": "integer", "minimum": 1, "maximum": 9},
        "price": {"type": "number"},
        "window": {"type": "boolean"},
        "bags": {"type": "array", "items": {"type": "number"}},
        "guest": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": ["integer", "null"]}},
            "required": ["name"],
            "additionalProperties": False,
        },
    },
    "required": ["to"],
    "additionalProperties": False,
}
EMPTY: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}

REPAIRABLE: list[tuple[str, dict[str, Any]]] = [
    ('{"to": "Oslo", "seats": 2,}', {"to": "Oslo", "seats": 2}),
    ('{"to": "Oslo", "bags": [1, 2,],}', {"to": "Oslo", "bags": [1, 2]}),
    ('{to: "Oslo"}', {"to": "Oslo"}),
    ("{'to': 'Oslo', 'window': True}", {"to": "Oslo", "window": True}),
    ("{'to': \"Ny-Ålesund's\"}", {"to": "Ny-Ålesund's"}),
    ("{“to”: “Oslo”}", {"to": "Oslo"}),
    (
        '{"to": "Oslo", "guest": {"name": "Bo", "age": None}}',
        {"to": "Oslo", "guest": {"name": "Bo", "age": None}},
    ),
    ('{"to": "Oslo", "bags": (1, 2)}', {"to": "Oslo", "bags": [1, 2]}),
    ('{"to": "Oslo", "price": .5}', {"to": "Oslo", "price": 0.5}),
    ('{"to": "Oslo", "price": +5}', {"to": "Oslo", "price": 5}),
    ('{"to": "Oslo", "seats": "3"}', {"to": "Oslo", "seats": 3}),
    ('{"to": "Oslo", "window": "false"}', {"to": "Oslo", "window": False}),
    ('{"to": "Oslo", "bags": "[1, 2]"}', {"to": "Oslo", "bags": [1, 2]}),
    ('{"to": "Oslo", "guest": "{\'name\': \'Bo\'}"}', {"to": "Oslo", "guest": {"name": "Bo"}}),
    ('{"to": "Oslo", "class": "Business "}', {"to": "Oslo", "class": "business"}),
    ('{"to": "Oslo", "class": "\'economy\'"}', {"to": "Oslo", "class": "economy"}),
    ('{"to": "Oslo", "seats": null}', {"to": "Oslo"}),
    ('{"to": "Oslo", "to": "Oslo"}', {"to": "Oslo"}),
    ('{"to": "Os\tlo"}', {"to": "Os\tlo"}),
    ('{"to": "O\\\'Hare"}', {"to": "O'Hare"}),
    ('{"to": "Oslo" /* by train */}', {"to": "Oslo"}),
    ('{"to": "Oslo", // by train\n "seats": 1}', {"to": "Oslo", "seats": 1}),
    ('{"to": "Oslo"}}', {"to": "Oslo"}),
    ('{"to": "Oslo"}\n{"to": "Oslo"}', {"to": "Oslo"}),
    ('```json\n{"to": "Oslo"}\n```', {"to": "Oslo"}),
    ('Sure, I will book it:\n```\n{"to": "Oslo"}\n```\nHave a nice trip!', {"to": "Oslo"}),
    ('Action Input: {"to": "Oslo"}\n\nLet me know if you need anything else!', {"to": "Oslo"}),
    ('<think>{"to": "Rome"}?</think>{"to": "Oslo"}', {"to": "Oslo"}),
    ('<tool_call>{"name": "book", "arguments": {"to": "Oslo"}}</tool_call>', {"to": "Oslo"}),
    ('{"to": "Oslo"}<|im_end|>', {"to": "Oslo"}),
    ('{"to": "Oslo"}[DONE]', {"to": "Oslo"}),
    ('\ufeff{"to": "Oslo"}', {"to": "Oslo"}),
    ('"{\\"to\\": \\"Oslo\\"}"', {"to": "Oslo"}),
    ('[{"to": "Oslo"}]', {"to": "Oslo"}),
    ('{"arguments": {"to": "Oslo"}}', {"to": "Oslo"}),
    ('{"book": {"to": "Oslo"}}', {"to": "Oslo"}),
    ('{"parameters": "{\\"to\\": \\"Oslo\\"}"}', {"to": "Oslo"}),
    ('{"type": "object", "properties": {"to": "Oslo"}}', {"to": "Oslo"}),
]


@pytest.mark.parametrize(("raw", "meant"), REPAIRABLE)
def test_one_reading_is_repaired(raw: str, meant: dict[str, Any]) -> None:
    """What can only mean one thing is read so, and the repair is told."""
    decoded = tool_of(TRIP).decode(raw)
    assert decoded.ok, decoded.error
    assert decoded.value == meant
    assert decoded.repairs
    assert decoded.error is None


REFUSED: list[tuple[str, str]] = [
    ("", "the arguments are empty"),
    ('{"to": "Oslo"', "ends too early"),
    ('{"to": "Oslo", "seats": 1', "ends too early"),
    ('{"to": "Os', "ends too early"),
    ('{"to": "Oslo" "seats": 2}', "expected ',' or '}'"),
    ('{"to" "Oslo"}', "expected ':'"),
    ('{,"to": "Oslo"}', "expected a key"),
    ('{"to": "Oslo",,"seats": 1}', "expected a key"),
    ("{'to': 'Val d'Isère'}", "expected"),
    ('{"to": "Oslo", "seats": 01}', "expected a JSON number"),
    ('{"to": "Oslo", "seats": 0x1}', "expected a JSON number"),
    ('{"to": "Oslo", "price": 1,500}', "expected a key"),
    ('{"to": "Oslo", "price": NaN}', "finite"),
    ('{"to": "Oslo", "price": 1e999}', "finite"),
    ('{"to": "Oslo", "price": "NaN"}', "/price: expected a number"),
    ('{"to": "Oslo", "seats": "3.0"}', "/seats: expected an integer (at least 1, at most 9)"),
    ('{"to": "Oslo", "seats": "1_0"}', "/seats"),
    ('{"to": "Oslo", "seats": 2.5}', "/seats"),
    ('{"to": "Oslo", "seats": 10}', "/seats: expected an integer (at least 1, at most 9), got 10"),
    ('{"to": "Oslo", "window": 1}', "/window: expected true or false, got 1"),
    ('{"to": "Oslo", "window": "yes"}', "/window"),
    ('{"to": 5}', "/to: expected a string, got 5"),
    ('{"to": "Oslo", "bags": "1, 2"}', "/bags: expected an array"),
    ('{"to": "Oslo", "bags": [null]}', "/bags/0: expected a number, got null"),
    ('{"to": "Oslo", "class": "first"}', '/class: expected one of "economy", "business", got "first"'),
    ('{"to": "Oslo", "class": "busines"}', 'did you mean "business"?'),
    ('{"to": "Oslo", "seat": 1}', '/seat: unknown key; did you mean "seats"?'),
    ('{"to": "Oslo", "guest": {"nam": "Bo"}}', '/guest/nam: unknown key; did you mean "name"?'),
    ('{"seats": 1}', "/to: missing; expected a string"),
    ('{"to": "Oslo", "to": "Rome"}', "given twice"),
    ('{"to": "Oslo"}{"to": "Rome"}', "more than one JSON object"),
    ('{}{"to": "Oslo"}', "more than one JSON object"),
    ('[{"to": "Oslo"}, {"to": "Rome"}]', "one JSON object"),
    ('{"name": "cancel", "arguments": {"to": "Oslo"}}', "/to: missing"),
    ('"Oslo"', "one JSON object"),
    ("null", "one JSON object"),
    ('{"to": "\\ud800"}', "surrogate"),
    ('{"to": "a\\qb"}', "escape"),
    ('{"to": "a\0b"}', "NUL"),
    ('{"to": __import__("os")}', "expected a JSON value"),
    ('book(to="Oslo")', "expected a JSON object"),
    ('<guest>{"to": "Oslo"}</guest>', "expected a JSON object"),
    ('{"to": "Oslo"} if the sun shines', "expected the end"),
    ('{"to": "Oslo"} Only if the price is right', "expected the end"),
    ("{}" * 50_000, "more than one JSON object|the end of the text|/to: missing"),
    ('For example {"to": "Oslo"}', "expected a JSON object"),
    ('{"to": "Oslo"} and seats 3', "expected the end"),
    ('The previous call was: {"to": "Oslo"}', "expected a JSON object"),
    ('If it rains: {"to": "Oslo"}', "expected a JSON object"),
    ('Action: cancel\nAction Input: {"to": "Oslo"}', "expected a JSON object"),
    ('\u00a0{"to": "Oslo"}', "expected a JSON object"),
    ('{"to": "Oslo"}\u00a0', "expected the end"),
    ('{"to": "Oslo"}\nWait, I meant Rome.', "expected the end"),
    ('{"to": "Oslo"}\nSorry, make that Rome.', "expected the end"),
    ('```\n{"to": "Oslo"}\n```\nor\n```\n{"to": "Rome"}\n```', "expected the end"),
    ('{"to": ' + "[" * 4000 + "]" * 4000 + "}", "nested more than 128 levels"),
]


@pytest.mark.parametrize(("raw", "told"), REFUSED)
def test_anything_else_is_explained(raw: str, told: str) -> None:
    """What has no reading or two is refused; the model is told what was expected, without Python."""
    decoded = tool_of(TRIP).decode(raw)
    assert not decoded.ok
    assert decoded.arguments == {}
    assert decoded.error is not None
    assert any(option in decoded.error for option in told.split("|"))
    assert "Traceback" not in decoded.error
    assert "pydantic" not in decoded.error
    assert len(decoded.error) < 500


VALID = [
    '{"to": "Oslo"}',
    '{"to": "", "bags": []}',
    ' {\n"to" :\t"Oslo"} ',
    '{"to": "}{ ```json // None"}',
    '{"to": "5", "price": 5}',
    '{"to": "{\\"a\\": 1}"}',
    '{"to": "\\ud83d\\ude00 e\\u0301 \u2028"}',
    '{"to": "x", "price": 123456789012345678901234567890}',
    '{"to": "x", "guest": {"name": "Bo", "age": null}}',
    '{"to": "x", "seats": 2.0}',
]


@pytest.mark.parametrize("raw", VALID)
def test_valid_is_used_as_it_is(raw: str) -> None:
    """Valid arguments are not touched."""
    decoded = tool_of(TRIP).decode(raw)
    assert decoded.ok, decoded.error
    assert repr(decoded.value) == repr(json.loads(raw))
    assert decoded.repairs == ()


@pytest.mark.parametrize("raw", ["", "  \n", "[]", "null", '"{}"'])
def test_nothing_for_a_tool_without_parameters(raw: str) -> None:
    """An empty value is `{}` only for a tool that takes nothing."""
    assert tool_of(EMPTY).decode(raw).value == {}
    assert not tool_of(TRIP).decode(raw).ok


def test_open_schema_keeps_extra_keys() -> None:
    """An object that does not close itself takes undeclared keys, also those that look like an envelope."""
    decoded = tool_of({"type": "object", "properties": {"k": {"type": "string"}}, "required": ["k"]}).decode(
        '{"k": "x", "arguments": {"k": "y"}}'
    )
    assert decoded.value == {"k": "x", "arguments": {"k": "y"}}


def test_an_echo_of_the_schema_is_no_call() -> None:
    """A parameter that takes any value is not filled with its own schema."""
    tool = tool_of({"type": "object", "properties": {"data": {}, "note": {"type": "string"}}})
    closed_tool = tool_of({**tool.parameters, "additionalProperties": False})
    assert not closed_tool.decode(json.dumps(closed_tool.parameters)).ok
    assert closed_tool.decode('{"properties": {"data": 1}}').value == {"data": 1}


def test_bytes_and_objects_are_read_too() -> None:
    """Some servers give arguments as an object or as bytes; both are read like text."""
    tool = tool_of(TRIP)
    assert tool.decode({"to": "Oslo", "seats": 2}).value == {"to": "Oslo", "seats": 2}
    assert tool.decode(b'{"to": "Oslo"}').value == {"to": "Oslo"}
    assert "UTF-8" in str(tool.decode(b'{"to": "\xff"}').error)
    assert not tool.decode({"to": float("nan")}).ok


def test_several_errors_in_one_message() -> None:
    """Everything that is wrong is told at once, but not without end."""
    error = str(tool_of(TRIP).decode('{"seats": 0, "window": "x", "class": 1, "zzz": 2}').error)
    assert [place in error for place in ("/to", "/seats", "/window", "/class", "/zzz")] == [True] * 5
    many = str(tool_of(TRIP).decode(json.dumps({f"key{i}": i for i in range(500)})).error)
    assert "and 495 more" in many
    assert len(many) < 1500


def test_a_long_input_is_not_repeated() -> None:
    """The message shows a little of what came, not all of it."""
    error = str(tool_of(TRIP).decode(json.dumps({"to": "x", "class": "y" * 100_000})).error)
    assert len(error) < 400


def test_thirty_levels_pass() -> None:
    """Nesting that people need is allowed."""
    schema = {
        "type": "object",
        "properties": {"v": {"type": "integer"}, "c": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["v"],
    }
    value: dict[str, Any] = {"v": 0}
    for _ in range(30):
        value = {"v": 1, "c": [value]}
    assert tool_of(schema).decode(json.dumps(value)).value == value


def test_large_arguments_pass() -> None:
    """A megabyte of text with many braces is a value like any other."""
    text = "{[" * 250_000
    assert tool_of(TRIP).decode(json.dumps({"to": text})).value == {"to": text}


def union_of(*kinds: str) -> dict[str, Any]:
    """Make a union of objects told apart by `kind`."""
    return {
        "oneOf": [
            closed({"kind": {"const": kind}, kind: {"type": "integer"}}, "kind", kind) for kind in kinds
        ]
    }


def closed(properties: dict[str, Any], *required: str, **rest: Any) -> dict[str, Any]:
    """Make a closed object schema."""
    return {
        "type": "object", "properties": properties, "required": list(required), "additionalProperties": False, **rest
    }  # fmt: skip


LETTERS = {"a": {"type": "string"}, "b": {"type": "string"}}


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        (closed({"x": union_of("cat", "dog")}), {"x": {"kind": "cta"}},
         '/x/kind: expected one of "cat", "dog", got "cta"; did you mean "cat"?'),
        (closed({"x": union_of("cat", "dog")}), {"x": {"cat": 1}}, '/x/kind: missing; expected one of "cat", "dog"'),
        (closed({"x": union_of("cat", "dog")}), {"x": {"kind": "dog"}}, "/x/dog: missing; expected an integer"),
        (closed({"x": {"oneOf": [{"type": "integer"}, {"type": "number"}]}}), {"x": 1}, "/x: fits more than one"),
        (closed(LETTERS, dependentRequired={"a": ["b"]}), {"a": "x"}, 'with "a", "b" must be given too'),
        (closed(LETTERS, anyOf=[{"required": ["a"]}, {"required": ["b"]}]), {}, "at least one of these must be given: a; b"),
        (closed(LETTERS, minProperties=1), {}, "expected at least 1 key, got 0"),
        (closed({"x": {"type": "string", "format": "date"}}), {"x": "soon"}, "in date format, such as 2026-01-31"),
        (closed({"x": {"type": "array", "minItems": 2, "maxItems": 2}}), {"x": [1]}, "(exactly 2 items), got an array of 1"),
        (closed({"x": {"type": "array", "minItems": 1}}), {"x": []}, "(at least 1 item), got an empty array"),
        (closed({"x": {"type": "array", "prefixItems": [{}], "items": False}}), {"x": [1, 2]}, "expected at most 1 item, got 2"),
        (closed({"x": {"type": "integer"}}), {"x": "y" * 3000}, "(3000 characters)"),
        (closed({}, patternProperties={"^x-": {"type": "integer"}}), {"x-a": 1, "y": 2}, "/y: unknown key"),
        (closed(LETTERS), {'a\n"': 1}, '/a\\n\\": unknown key'),
    ],
)  # fmt: skip
def test_each_kind_of_error_says_what_to_write(schema: dict[str, Any], value: Any, told: str) -> None:
    """The place, what was expected there and what came: in words, on one line."""
    error = str(tool_of(schema).decode(value).error)
    assert told in error
    assert len(error.splitlines()) == 2


class Range(BaseModel):
    """A range."""

    low: int
    high: int

    @field_validator("high")
    @classmethod
    def positive(cls, value: int) -> int:
        """Refuse what is not positive."""
        if value <= 0:
            raise ValueError("high must be positive")
        return value


def pick(range: Range, strict: bool = False) -> str:
    """Pick."""
    return f"{range} {strict}"


@pytest.mark.parametrize(
    ("raw", "value", "repaired"),
    [
        ('{"range": {"low": 1, "high": 2}}', {"range": {"low": 1, "high": 2}}, False),
        ('{"range": {"low": 1, "high": 2}, "strict": null}', {"range": {"low": 1, "high": 2}}, False),
        ('{"range": {"low": 1.0, "high": "2"}}', {"range": {"low": 1, "high": 2}}, True),
        ('{"range": "{\\"low\\": 1, \\"high\\": 2}"}', {"range": {"low": 1, "high": 2}}, True),
        (
            '{"range": {"low": 1, "high": 2}, "strict": "True"}',
            {"range": {"low": 1, "high": 2}, "strict": True},
            True,
        ),
    ],
)
def test_functions_follow_the_same_policy(raw: str, value: dict[str, Any], repaired: bool) -> None:
    """Typed functions take, repair and record like raw schemas, and get Python values."""
    decoded = as_tool(pick).decode(raw)
    assert decoded.ok, decoded.error
    assert decoded.value == value
    assert bool(decoded.repairs) == repaired
    assert decoded.arguments["range"] == Range(low=1, high=2)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ('{"range": {"low": 1, "high": 0}}', "/range/high: high must be positive"),
        ('{"range": {"low": "one", "high": 1}}', '/range/low: expected an integer, got "one"'),
        ('{"range": {"low": 1, "high": 1, "hihg": 2}}', "/range/hihg: unknown key"),
        ('{"range": {"low": 1, "high": 1}, "strict": "yes"}', "/strict: expected true or false"),
    ],
)
def test_functions_explain_like_schemas(raw: str, told: str) -> None:
    """What pydantic refuses is told in our words, its own validators in theirs."""
    error = str(as_tool(pick).decode(raw).error)
    assert told in error
    assert "pydantic" not in error
    assert "Value error" not in error


@settings(max_examples=150)
@given(st.text(max_size=60) | st.binary(max_size=60))
def test_no_text_makes_decode_raise(raw: str | bytes) -> None:
    """Whatever a model writes, decoding returns; what is ok satisfies the schema."""
    decoded = tool_of(TRIP).decode(raw)
    assert isinstance(decoded, Decoded)
    assert decoded.ok == (decoded.error is None)


@settings(max_examples=150)
@given(st.sampled_from([raw for raw, _ in REPAIRABLE] + VALID), st.data())
def test_a_cut_text_is_never_called(raw: str, data: st.DataObject) -> None:
    """Cutting off the end of an object never gives a call, unless only text after the object is lost."""
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    if cut.count("{") > cut.count("}") and not cut.rstrip().endswith("}"):
        assert not tool_of(TRIP).decode(cut).ok


SPARKS = [*"{}[]():,'\"/#* 01.-", "true", "None", "//x\n", "```", "\ufeff", "\u201c", "\u00a0"]


@settings(max_examples=200)
@given(
    st.sampled_from([raw for raw, _ in REPAIRABLE if len(raw) < 200] + VALID),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 2), st.sampled_from(SPARKS)), max_size=3),
)
def test_what_is_ok_is_valid_and_stays_as_it_is(raw: str, changes: list[tuple[int, int, str]]) -> None:
    """Arguments that pass satisfy the schema, are told as repaired unless they were JSON, and pass again unchanged."""
    for at, dropped, spark in changes:
        raw = raw[:at] + spark + raw[at + dropped :]
    tool = tool_of(TRIP)
    decoded = tool.decode(raw)
    if not decoded.ok:
        return
    validator: Any = Draft202012Validator(TRIP)
    assert validator.is_valid(decoded.value)
    again = tool.decode(json.dumps(decoded.value))
    assert (again.value, again.repairs) == (decoded.value, ())
    if not decoded.repairs:
        assert json.loads(raw) == decoded.value


CORPORA = os.environ.get("JIGWORK_CORPORA")


@pytest.mark.skipif(not CORPORA, reason="JIGWORK_CORPORA is not set")
def test_malformed_arguments_of_real_models() -> None:
    """Valid is used as is, repairable is repaired as it was meant, everything else is refused."""
    wrong: list[str] = []
    for line in Path(str(CORPORA), "args_malformed/args_half.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        decoded = tool_of(row["schema"], "weather").decode(row["raw"])
        match row["expect"]:
            case "valid":
                right = decoded.ok and decoded.value == json.loads(row["raw"]) and not decoded.repairs
            case "repairable":
                meant = row["repaired"]
                right = decoded.ok and decoded.value == (
                    json.loads(meant) if isinstance(meant, str) else meant
                )
                right = right and bool(decoded.repairs)
            case _:
                right = not decoded.ok
        if not right:
            wrong.append(row["id"])
    assert wrong == []
