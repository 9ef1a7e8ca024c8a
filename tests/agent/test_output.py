"""Output types: natively or as a final tool, valid or explained, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from jigwork import Agent, ConfigurationError, OutputError
from jigwork.agent.models.profiles import Profile
from jigwork.testing import ScriptedModel


class Person(BaseModel):
    """A person."""

    name: str
    age: int | None = None
    tags: dict[str, int] = Field(default_factory=dict)


class Company(BaseModel):
    """A company."""

    name: str
    employees: int


@dataclass
class Point:
    """A point."""

    x: float
    y: float = 0.0


class Song(TypedDict):
    """A song."""

    title: str
    year: int


class Node(BaseModel):
    """A tree."""

    value: int
    children: list[Node] = []


CASES: list[tuple[Any, str, Any]] = [
    (
        Person,
        '{"name": "Ada", "age": null, "tags": [{"key": "a", "value": 1}]}',
        Person(name="Ada", tags={"a": 1}),
    ),
    (Person, '{"name": "Ada", "age": 36, "tags": []}', Person(name="Ada", age=36)),
    (Point, '{"x": 1.5, "y": 2}', Point(1.5, 2.0)),
    (Song, '{"title": "Hey", "year": 1999}', {"title": "Hey", "year": 1999}),
    (
        Node,
        '{"value": 1, "children": [{"value": 2, "children": []}]}',
        Node(value=1, children=[Node(value=2)]),
    ),
    (list[int], '{"value": [1, 2, 3]}', [1, 2, 3]),
    (int, '{"value": 42}', 42),
    (bool, '{"value": true}', True),
    (Literal["yes", "no"], '{"value": "no"}', "no"),
    (Person | Company, '{"value": {"name": "Acme", "employees": 3}}', Company(name="Acme", employees=3)),
    (int | str, '{"value": "many"}', "many"),
    (int | None, '{"value": null}', None),
    (dict[str, float], '{"value": [{"key": "a", "value": 1.5}]}', {"a": 1.5}),
    (tuple[int, str], '{"value": {"_0": 1, "_1": "a"}}', (1, "a")),
]


@pytest.mark.parametrize(("output", "answer", "expected"), CASES)
def test_an_answer_becomes_the_output_type(output: Any, answer: str, expected: Any) -> None:
    """Natively: the schema is sent with the request, the text is decoded by it."""
    model = ScriptedModel([answer])
    assert Agent(model, output=output).run_sync("go").output == expected
    sent = model.requests[0].output
    assert sent is not None and sent.strict and sent.schema["type"] == "object"
    assert model.requests[0].tools == ()


@pytest.mark.parametrize(("output", "answer", "expected"), CASES)
def test_an_answer_may_come_as_a_final_tool(output: Any, answer: str, expected: Any) -> None:
    """Where a server knows no response format, the same type is a tool whose call ends the run."""
    model = ScriptedModel(
        [[{"name": "final_answer", "arguments": answer}]], profile=Profile(json_schema=False)
    )
    result = Agent(model, output=output).run_sync("go")
    assert result.output == expected
    assert model.requests[0].output is None
    assert model.requests[0].settings.tool_choice == "required"
    assert [t["name"] for t in model.requests[0].tools] == ["final_answer"]


def test_a_final_tool_that_does_not_fit_is_explained() -> None:
    """The wrong call is an invalid call like any other, and the next one may be right."""
    script: list[Any] = [
        [{"name": "final_answer", "arguments": {"name": "Acme", "employees": "three"}}],
        [{"name": "final_answer", "arguments": {"name": "Acme", "employees": 3}}],
    ]
    model = ScriptedModel(script, profile=Profile(json_schema=False))
    result = Agent(model, output=Company).run_sync("go")
    assert result.output == Company(name="Acme", employees=3)
    assert [c.outcome.status for c in result.calls if c.outcome] == ["invalid_arguments", "ok"]


def test_a_final_tool_waits_for_its_siblings() -> None:
    """Calls beside the final answer still run: nothing that the model asked for is lost."""
    ran: list[int] = []

    def note(n: int) -> str:
        """Note."""
        ran.append(n)
        return "ok"

    calls = [{"name": "final_answer", "arguments": {"value": 7}}, {"name": "note", "arguments": {"n": 1}}]
    model = ScriptedModel([calls], profile=Profile(json_schema=False))
    assert Agent(model, tools=[note], output=int).run_sync("go").output == 7
    assert ran == [1]


def test_a_text_where_a_tool_call_was_due_is_asked_again() -> None:
    """The model is told to use the tool."""
    model = ScriptedModel(
        ["It is 7.", [{"name": "final_answer", "arguments": {"value": 7}}]],
        profile=Profile(json_schema=False),
    )
    assert Agent(model, output=int).run_sync("go").output == 7
    assert "final_answer" in model.requests[1].items[-1]["content"]


@pytest.mark.parametrize(
    "text", ["", "Seven.", '{"value": "7x"}', '{"value": 7', '{"valu": 7}', "[7]", "null"]
)
def test_what_is_no_answer_is_never_taken_for_one(text: str) -> None:
    """Cut, misspelt or of another type: explained to the model, then an error with the reason."""
    with pytest.raises(OutputError, match=r".+") as caught:
        Agent(ScriptedModel([text, text]), output=int, output_retries=1).run_sync("go")
    assert len(str(caught.value)) > 40


def test_a_text_is_a_string_where_the_type_has_one() -> None:
    """A union with str takes a plain text as what it can only be."""
    assert Agent(ScriptedModel(["many"]), output=int | str).run_sync("go").output == "many"


def test_a_type_without_a_schema_is_an_error_at_construction() -> None:
    """The fix is in the message."""

    class Odd:
        pass

    with pytest.raises(ConfigurationError, match="no JSON schema"):
        Agent(ScriptedModel([]), output=Odd)


def test_a_preamble_is_not_the_answer() -> None:
    """Commentary before the final message is not mixed into it."""
    items = (
        {"type": "message", "role": "assistant", "phase": "commentary",
         "content": [{"type": "output_text", "text": "Let me think."}]},
        {"type": "message", "role": "assistant", "phase": "final_answer",
         "content": [{"type": "output_text", "text": "42"}]},
    )  # fmt: skip
    assert Agent(ScriptedModel([{"items": items}])).run_sync("go").output == "42"
