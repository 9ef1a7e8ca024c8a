"""Schemas from types and docstrings: what the annotations mean, and the values that come back."""

from __future__ import annotations

import enum
import json
import typing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, Optional, Union
from uuid import UUID

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from jigwork.tools import RunContext, as_tool, strict_violations


class Colour(enum.Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Node(BaseModel):
    """A tree."""

    value: int
    children: list[Node] = []


@dataclass
class Address:
    """Where."""

    street: str
    zip: str | None = None


class Options(TypedDict):
    """Optional things."""

    depth: int
    label: NotRequired[str]


class Place(typing.TypedDict, total=False):
    """A TypedDict of the standard library, with another inside."""

    town: typing.Required[str]
    options: list[Options | None]


class Cat(BaseModel):
    """A cat."""

    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    """A dog."""

    kind: Literal["dog"]
    tricks: list[str]


def of_colour(x: Colour) -> None:
    """Take an enum."""


def of_node(x: Node) -> None:
    """Take a recursive model."""


def of_address(x: Address) -> None:
    """Take a dataclass."""


def of_options(x: Options) -> None:
    """Take a TypedDict."""


def of_places(x: list[Place] | None) -> None:
    """Take TypedDicts of the standard library."""


def of_pet(x: Annotated[Cat | Dog, Field(discriminator="kind")]) -> None:
    """Take a tagged union."""


def of_scalars(x: tuple[int, str, bool | None]) -> None:
    """Take a tuple."""


def of_set(x: set[int]) -> None:
    """Take a set."""


def of_dict(x: dict[str, list[Address]]) -> None:
    """Take a dict."""


def of_time(x: datetime) -> None:
    """Take a time."""


def of_day(x: date) -> None:
    """Take a day."""


def of_span(x: timedelta) -> None:
    """Take a span."""


def of_money(x: Decimal) -> None:
    """Take money."""


def of_id(x: UUID) -> None:
    """Take an id."""


def of_path(x: Path) -> None:
    """Take a path."""


def of_either(x: int | str) -> None:
    """Take one of two."""


def of_old_style(x: Optional[Union[int, list[str]]] = None) -> None:  # noqa: UP007, UP045
    """Take what older code writes."""


def of_anything(x: Any) -> None:
    """Take anything."""


ID = "9b2f8f0e-3a56-4f0b-9f5e-0d6c2f9d6a11"


@pytest.mark.parametrize(
    ("function", "given", "made"),
    [
        (of_colour, "red", Colour.RED),
        (of_node, {"value": 1, "children": [{"value": 2}]}, Node(value=1, children=[Node(value=2)])),
        (of_address, {"street": "A"}, Address("A")),
        (of_address, {"street": "A", "zip": "1"}, Address("A", "1")),
        (of_options, {"depth": 1}, {"depth": 1}),
        (
            of_places,
            [{"town": "A"}, {"town": "B", "options": [None, {"depth": 1}]}],
            [{"town": "A"}, {"town": "B", "options": [None, {"depth": 1}]}],
        ),
        (of_pet, {"kind": "cat"}, Cat(kind="cat")),
        (of_pet, {"kind": "dog", "tricks": ["sit"]}, Dog(kind="dog", tricks=["sit"])),
        (of_scalars, [1, "a", None], (1, "a", None)),
        (of_set, [1, 2], {1, 2}),
        (of_dict, {"home": [{"street": "A"}]}, {"home": [Address("A")]}),
        (of_time, "2026-01-02T03:04:05+00:00", datetime.fromisoformat("2026-01-02T03:04:05+00:00")),
        (of_day, "2026-01-02", date(2026, 1, 2)),
        (of_span, "PT90S", timedelta(seconds=90)),
        (of_money, "12.50", Decimal("12.50")),
        (of_money, 12.5, Decimal("12.5")),
        (of_id, ID, UUID(ID)),
        (of_path, "/tmp/x", Path("/tmp/x")),
        (of_either, "5", "5"),
        (of_either, 5, 5),
        (of_old_style, ["a"], ["a"]),
        (of_anything, {"a": [1, None]}, {"a": [1, None]}),
    ],
)
def test_values_of_types(function: Any, given: Any, made: Any) -> None:
    """Each type takes its JSON form, plain and on the wire, and gives its Python value."""
    tool = as_tool(function)
    wire = tool.strict.encode({"x": given})
    for text in (json.dumps({"x": given}), json.dumps(wire)):
        decoded = tool.decode(text)
        assert decoded.ok, decoded.error
        assert decoded.arguments["x"] == made
        assert type(decoded.arguments["x"]) is type(made)
        assert decoded.value == {"x": given}
        assert decoded.repairs == ()
    if tool.strict.enabled:
        assert strict_violations(tool.definition()["parameters"]) == []


@pytest.mark.parametrize(
    ("function", "given"),
    [
        (of_colour, "green"),
        (of_node, {"value": "one"}),
        (of_address, {"street": "A", "town": "B"}),
        (of_pet, {"kind": "cow"}),
        (of_places, [{"options": [None]}]),
        (of_scalars, [1, "a"]),
        (of_set, [1, 1.5]),
        (of_time, 1735787045),
        (of_day, "02.01.2026"),
        (of_money, "12,50"),
        (of_id, "123"),
        (of_either, 1.5),
        (of_dict, {"home": {"street": "A"}}),
    ],
)
def test_other_values_are_refused(function: Any, given: Any) -> None:
    """Nothing is coerced that has another JSON form."""
    decoded = as_tool(function).decode(json.dumps({"x": given}))
    assert not decoded.ok
    assert "/x" in str(decoded.error)


def documented(
    a: int, b: Annotated[str, Field(description="from the field", max_length=3)], c: float = Field(1.5, gt=0)
) -> tuple[int, str, float]:
    """Do something long.

    In two paragraphs.

    Args:
        a (int): from the docstring,
            over two lines
        b: not this one
        c: the third

    Returns:
        What came.
    """
    return a, b, c


def test_docstring_and_field() -> None:
    """The docstring describes the tool and its parameters; `Field` wins, and its constraints hold."""
    tool = as_tool(documented)
    properties = tool.parameters["properties"]
    assert tool.description == "Do something long.\n\nIn two paragraphs."
    assert properties["a"] == {"type": "integer", "description": "from the docstring, over two lines"}
    assert properties["b"]["description"] == "from the field"
    assert properties["c"] == {
        "default": 1.5,
        "exclusiveMinimum": 0,
        "type": "number",
        "description": "the third",
    }
    decoded = tool.decode('{"a": 1, "b": "x"}')
    assert tool.call(RunContext(deps=None), decoded) == (1, "x", 1.5)
    assert "/b: expected a string (at most 3 characters)" in str(tool.decode('{"a": 1, "b": "xxxx"}').error)


def beside(
    a: Annotated[int, "how many"],
    b: Annotated[list[int], Field(default_factory=list)],
    c: list[int] = Field(default_factory=list),  # noqa: B008 - pydantic's own way
) -> Any:
    """Do it.

    Args:
        a: not this one
    """
    return a, b, c


def test_text_beside_a_type_and_default_factories() -> None:
    """A text in `Annotated` describes a parameter; a default factory makes a new value for each call."""
    tool = as_tool(beside)
    assert tool.parameters["properties"]["a"] == {"type": "integer", "description": "how many"}
    first, second = (tool.call(RunContext(deps=None), tool.decode('{"a": 1, "b": [2]}')) for _ in range(2))
    assert first == second == (1, [2], [])
    assert first[2] is not second[2]


def numpy_style(a: int, b: str = "") -> None:
    """Do it.

    Parameters
    ----------
    a : int
        the first
    b : str, optional
        the second

    Returns
    -------
    None
    """


def sphinx_style(a: int, b: str = "") -> None:
    """Do it.

    :param a: the first
    :type a: int
    :param str b: the second
    :returns: nothing
    """


def google_style(a: int, b: str = "") -> None:
    """Do it.

    Args:
        a: the first
        b: the second

    Raises:
        ValueError: never
    """


@pytest.mark.parametrize("function", [numpy_style, sphinx_style, google_style])
def test_docstring_styles(function: Any) -> None:
    """The three common docstring styles say the same."""
    tool = as_tool(function)
    texts = {name: part.get("description") for name, part in tool.parameters["properties"].items()}
    assert tool.description == "Do it."
    assert texts == {"a": "the first", "b": "the second"}


GOOGLE_NOTE = """Do it.

Args:
    a: the first

        with a paragraph of its own

Note:
    Only once.

Returns:
    Nothing.
"""
NUMPY_NOTE = """Do it.

Parameters
----------
a : int
    the first

Notes
-----
Only once.
"""
SPHINX_NOTE = """Do it.

:param a: the first
    goes on
:raises ValueError: never

Only once.
"""


@pytest.mark.parametrize("docstring", [GOOGLE_NOTE, NUMPY_NOTE, SPHINX_NOTE])
def test_notes_stay_in_the_description(docstring: str) -> None:
    """What is neither a parameter nor a result is for the model too."""

    def noted(a: int) -> None: ...

    noted.__doc__ = docstring
    tool = as_tool(noted)
    assert tool.description.startswith("Do it.\n\n")
    assert "Only once." in tool.description
    assert not any(
        word in tool.description for word in ("the first", "goes on", "Nothing", "ValueError", "---")
    )
    assert tool.parameters["properties"]["a"]["description"].startswith("the first")


def plain_text(a: int) -> None:
    """Explain: this has a colon, and no sections.

    Note that `a: b` in a text is no parameter."""


def test_a_docstring_without_sections() -> None:
    """A docstring without sections is the description as a whole."""
    assert as_tool(plain_text).description.endswith("in a text is no parameter.")


def awkward(schema: int, copy: str, model_config: bool, _private: int = 0) -> tuple[Any, ...]:
    """Have names that pydantic uses itself."""
    return schema, copy, model_config, _private


def test_any_parameter_name() -> None:
    """Names that a library uses for itself are names like others."""
    tool = as_tool(awkward)
    decoded = tool.decode('{"schema": 1, "copy": "x", "model_config": true}')
    assert tool.call(RunContext(deps=None), decoded) == (1, "x", True, 0)


class Open(BaseModel, extra="allow"):
    """Takes more than it declares."""

    a: int


def of_open(x: Open) -> None:
    """Take an open model."""


def test_extra_keys_of_models() -> None:
    """A model that allows extra keys gets them; one that would silently drop them refuses them."""
    decoded = as_tool(of_open).decode('{"x": {"a": 1, "b": 2}}')
    assert decoded.arguments["x"].model_extra == {"b": 2}
    assert "/x/b: unknown key" in str(as_tool(of_node).decode('{"x": {"value": 1, "b": 2}}').error)


def test_local_types_are_found() -> None:
    """Types of the function that defines a tool are found behind string annotations."""

    class Local(BaseModel):
        a: int

    def take(x: Local) -> int:
        """Take it."""
        return x.a

    tool = as_tool(take)
    assert tool.call(RunContext(deps=None), tool.decode('{"x": {"a": 1}}')) == 1
