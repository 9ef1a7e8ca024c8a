"""Results: what the model is sent for what a tool returned."""

from __future__ import annotations

import enum
import json
import math
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from jigwork.errors import ToolDefinitionError, ToolError
from jigwork.tools import ResultError, Tool, as_tool


class Level(enum.Enum):
    """A level."""

    HIGH = "high"


class Item(BaseModel):
    """An item."""

    name: str
    price: Decimal = Field(serialization_alias="cost")


@dataclass
class Box:
    """Holds things."""

    items: list[Item]
    at: date
    tags: set[str] = field(default_factory=set[str])


class Pair(NamedTuple):
    """Two things."""

    left: int
    right: int


class Array:
    """Looks like an array of numpy."""

    def tolist(self) -> list[int]:
        """Give plain numbers."""
        return [1, 2]


def anything() -> Any:
    """Return anything."""


RENDER = as_tool(anything).render
ID = UUID("9b2f8f0e-3a56-4f0b-9f5e-0d6c2f9d6a11")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain text", "plain text"),
        ("", ""),
        (None, "(no result)"),
        (True, "true"),
        (3, "3"),
        (2**80, str(2**80)),
        (1.5, "1.5"),
        (math.nan, "null"),
        ([], "[]"),
        ((1, "a", None), '[1,"a",null]'),
        ({"b": 1, "a": 2}, '{"b":1,"a":2}'),
        ({1: "x", Level.HIGH: "y"}, '{"1":"x","high":"y"}'),
        ({3, 1, 10}, "[1,3,10]"),
        (frozenset({"b", "a"}), '["a","b"]'),
        (Level.HIGH, '"high"'),
        (Decimal("1.50"), '"1.50"'),
        (ID, f'"{ID}"'),
        (datetime(2026, 1, 2, 3, 4), '"2026-01-02T03:04:00"'),
        (timedelta(seconds=90), '"PT1M30S"'),
        (Path("/a/b"), '"/a/b"'),
        (range(3), "[0,1,2]"),
        (Pair(1, 2), '{"left":1,"right":2}'),
        ([Pair(1, 2**70)], '[{"left":1,"right":1180591620717411303424}]'),
        ({"array": Array()}, '{"array":[1,2]}'),
        (b"text", "text"),
        ({"raw": b"\xff\x00"}, '{"raw":"/wA="}'),
        (Item(name="x", price=Decimal(2)), '{"name":"x","cost":"2"}'),
        (Box([Item(name="x", price=Decimal(2))], date(2026, 1, 2), {"b", "a"}),
         '{"items":[{"name":"x","cost":"2"}],"at":"2026-01-02","tags":["a","b"]}'),
        ("half \ud800 pair", "half \ufffd pair"),
        ({"a": "\ud800", "n": 2**70}, '{"a":"\ufffd","n":1180591620717411303424}'),
    ],
)  # fmt: skip
def test_values_become_compact_json(value: Any, text: str) -> None:
    """Text stays as it is; everything else is compact JSON, the same each time."""
    assert RENDER(value) == text


class Opaque:
    """Has no JSON form."""


def circle() -> list[Any]:
    """Make a list that holds itself."""
    ring: list[Any] = []
    ring.append(ring)
    return ring


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Opaque(), "it has no JSON form"),
        ({"a": [Opaque()]}, "it has no JSON form"),
        (circle(), "nested too deeply"),
        ({(1, 2): "x"}, "a key is no text"),
        (b"\x00\xff\xfe", "3 bytes that are neither text nor an image"),
        (iter([1]), "it has no JSON form"),
    ],
)
def test_what_has_no_form_is_an_error(value: Any, told: str) -> None:
    """What cannot be sent is an error for the model in plain words, with the fix for the developer."""
    with pytest.raises(ResultError, match="the tool ran, but its result cannot be sent") as caught:
        RENDER(value)
    assert told in str(caught.value)
    assert isinstance(caught.value, ToolError)
    assert caught.value.fix


def test_content_parts_pass() -> None:
    """Content parts go through as they are; an image's bytes become one."""
    part = {"type": "input_image", "image_url": "https://example.org/a.png"}
    assert RENDER(part) == [part]
    assert RENDER([part, {"type": "input_text", "text": "x"}]) == [part, {"type": "input_text", "text": "x"}]
    image = RENDER(b"\x89PNG\r\n\x1a\n123")
    assert not isinstance(image, str)
    assert str(image[0]["image_url"]).startswith("data:image/png;base64,")
    assert RENDER({"type": "input_tax", "text": "x"}) == '{"type":"input_tax","text":"x"}'


def test_long_results_are_cut_in_the_middle() -> None:
    """Beginning and end stay, and the model is told how much is missing."""
    short = as_tool(anything).with_options(max_output=300)
    text = str(short.render("a" * 500 + "b" * 500))
    assert len(text) <= 300
    assert text.startswith("aaa")
    assert text.endswith("bbb")
    assert "[… 780 of 1000 characters are left out here …]" in text
    assert short.render("x" * 300) == "x" * 300
    assert "left out" in str(short.render([{"type": "input_text", "text": "y" * 999}])[0])


def test_output_type_is_a_promise() -> None:
    """A result is validated against the promised type; what breaks it is not sent."""
    tool = Tool.from_function(anything, output_type=list[Item])
    assert tool.render([{"name": "x", "price": "2"}]) == '[{"name":"x","cost":"2"}]'
    with pytest.raises(ResultError, match="not of the form it promises") as caught:
        tool.render([{"name": "x"}])
    assert "/0/price" in caught.value.fix


def test_an_unusable_output_type_is_refused_at_once() -> None:
    """A promise that cannot be checked is found when the tool is made."""
    with pytest.raises(ToolDefinitionError, match="cannot be validated"):
        Tool.from_function(anything, output_type=Opaque)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=10,
)


@given(json_values)
def test_json_data_comes_back(value: Any) -> None:
    """JSON data is rendered as JSON that reads back as the same value."""
    text = RENDER([value])
    assert isinstance(text, str)
    assert json.loads(text) == [value]
