"""Grammar tools: one text, checked on every path, handed on as text, tree or value."""

from __future__ import annotations

import json
from typing import Any

import lark
import pytest

from jigwork.errors import ToolDefinitionError, ToolError
from jigwork.grammars import Grammar
from jigwork.tools import RunContext, Tool, tool

MOVES = Grammar.from_lark(
    """
    start: move (", " move)*
    move: ("left" | "right") " " STEPS
    STEPS: /[1-9][0-9]?/
    """
)


@tool(grammar=MOVES)
def drive(program: str) -> str:
    """Drive the robot."""
    return f"done: {program}"


@tool(grammar=MOVES)
async def plan(context: RunContext[None], program: lark.Tree[lark.Token]) -> int:
    """Count the moves."""
    return len(program.children)


def test_both_definitions() -> None:
    """The same tool is a custom tool, or a strict function tool whose description has the grammar."""
    assert drive.definition() == {
        "type": "custom",
        "name": "drive",
        "description": "Drive the robot.",
        "format": MOVES.to_openai("responses"),
    }
    function = drive.definition(custom=False)
    assert function["type"] == "function"
    assert function["strict"] is True
    assert list(function["parameters"]["properties"]) == ["program"]
    assert MOVES.definition in function["description"]
    assert (drive.enforcement(custom=True), drive.enforcement(custom=False)) == ("native", "checked")


@pytest.mark.parametrize(
    ("raw", "custom", "repaired"),
    [
        ("left 3, right 12", True, False),
        ('{"program": "left 3, right 12"}', False, False),
        ("left 3, right 12\n", True, True),
        ("```\nleft 3, right 12\n```", True, True),
        ("left 3, right 12", False, True),
    ],
)
def test_text_is_accepted_in_both_forms(raw: str, custom: bool, repaired: bool) -> None:
    """Raw text and the function form give the same argument."""
    decoded = drive.decode(raw, custom=custom)
    assert decoded.ok, decoded.error
    assert decoded.value == {"program": "left 3, right 12"}
    assert bool(decoded.repairs) == repaired
    assert drive.call(RunContext(deps=None), decoded) == "done: left 3, right 12"


@pytest.mark.parametrize(("raw", "custom"), [("left 3, up 2", True), ('{"program": "left 3, up 2"}', False)])
def test_a_violation_is_explained(raw: str, custom: bool) -> None:
    """What the grammar refuses is told with its place and what may follow, on both paths."""
    decoded = drive.decode(raw, custom=custom)
    assert not decoded.ok
    assert "column 9" in str(decoded.error)
    assert '"left"' in str(decoded.error)


def test_the_tree_is_handed_on() -> None:
    """A parameter annotated with lark.Tree gets the parse tree."""
    decoded = plan.decode("left 3, right 12", custom=True)
    assert decoded.arguments["program"].data == "start"
    assert decoded.value == {"program": "left 3, right 12"}
    assert list(plan.parameters["properties"]) == ["program"]


class Steps(lark.Transformer[Any, int]):
    """Adds up the steps, and refuses more than twenty."""

    def move(self, children: list[lark.Token]) -> int:
        """Read one move."""
        return int(children[-1])

    def start(self, moves: list[int]) -> int:
        """Add them up."""
        if sum(moves) > 20:
            raise ValueError("more than 20 steps in all")
        return sum(moves)


def total(steps: int) -> int:
    """Say how many steps."""
    return steps


def test_a_transform_makes_the_value() -> None:
    """`transform` turns the tree into the argument; its ValueError is told to the model."""
    made = Tool.from_function(total, grammar=MOVES, transform=Steps())
    assert made.decode("left 3, right 12", custom=True).arguments == {"steps": 15}
    assert "more than 20 steps in all" in str(made.decode("left 30", custom=True).error)


def test_a_regular_grammar_is_enforced_by_a_pattern() -> None:
    """Where only function tools are understood, a regular expression goes into the strict schema."""
    made = Tool.from_function(drive.function, grammar=Grammar.from_regex("[a-c]{2}"))
    assert made.definition(custom=False)["parameters"]["properties"]["program"]["pattern"] == "^(?:[a-c]{2})$"
    assert made.enforcement(custom=False) == "schema"
    assert made.decode('{"program": "ab"}').ok
    assert not made.decode('{"program": "abc"}').ok


def two(a: str, b: str) -> None:
    """Take two."""


def number(a: int) -> None:
    """Take a number."""


@pytest.mark.parametrize(
    ("function", "message"),
    [(two, "has one parameter for the text, not 2"), (number, "annotate it with str")],
)
def test_what_is_no_grammar_tool(function: Any, message: str) -> None:
    """A function that cannot take the text is refused with the fix."""
    with pytest.raises(ToolDefinitionError, match=message):
        Tool.from_function(function, grammar=MOVES)


class Robot:
    """Drives."""

    def __init__(self) -> None:
        self.seen = ""

    @tool(grammar=MOVES)
    def drive(self, program: str) -> str:
        """Drive."""
        self.seen = program
        return program


def test_a_grammar_tool_can_be_a_method() -> None:
    """A decorated method with a grammar is bound like any other."""
    robot = Robot()
    robot.drive.call(RunContext(deps=None), robot.drive.decode("left 1", custom=True))
    assert robot.seen == "left 1"


def put_right(text: str) -> str:
    """Read `LEFT 3; up 2` as far as there is such a move."""
    written = text.lower().replace("; ", ", ")
    if "up" in written:
        raise ToolError("this robot does not fly")
    return written


@pytest.mark.parametrize(
    ("raw", "value", "said"),
    [
        ("LEFT 3; Right 12", "left 3, right 12", "wrote the text as the grammar has it: left 3, right 12"),
        ("left 3, right 12", "left 3, right 12", None),
        ("```\nLEFT 3\n```", "left 3", "removed a code fence"),
        ("LEFT 3; UP 2", None, "this robot does not fly"),
        ("BACK 3", None, "It was read as: back 3\nInvalid at line 1, column 1"),
    ],
)
def test_a_rewrite_makes_a_text_of_the_grammar(raw: str, value: str | None, said: str | None) -> None:
    """It is asked for what the grammar refuses only, the grammar has the last word, and the record says it."""
    made = Tool.from_function(drive.function, grammar=MOVES, rewrite=put_right)
    for decoded in (made.decode(raw, custom=True), made.decode(json.dumps({"program": raw}))):
        assert decoded.value == (None if value is None else {"program": value})
        assert decoded.ok == (value is not None)
        told = str(decoded.error) if value is None else "; ".join(decoded.repairs)
        assert (said in told) if said else not told
        assert "Expected" not in told or raw == "BACK 3"


def test_a_rewrite_goes_with_a_grammar_and_a_tree() -> None:
    """What is rewritten is parsed like what was written so; without a grammar there is nothing to rewrite into."""
    made = Tool.from_function(total, grammar=MOVES, transform=Steps(), rewrite=put_right)
    assert made.decode("LEFT 3; RIGHT 4", custom=True).arguments == {"steps": 7}
    assert made.rename("walk").decode("LEFT 3", custom=True).ok
    with pytest.raises(ToolDefinitionError, match="rewrite= writes texts of a grammar"):
        Tool.from_function(drive.function, rewrite=put_right)
    decorated = tool(grammar=MOVES, rewrite=put_right)(drive.function)
    assert decorated.decode("LEFT 3", custom=True).ok
