"""Tools: made from functions, methods, models and schemas, called with what the model gave."""

from __future__ import annotations

import asyncio
import copy
import functools
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal, assert_type

import pytest
from pydantic import BaseModel

from jigwork.errors import SchemaError, ToolDefinitionError
from jigwork.tools import RunContext, Tool, ToolOptions, as_tool, distinct_tools, tool

if TYPE_CHECKING:
    from decimal import Decimal as OnlyForTyping

CONTEXT = RunContext(deps=7, call_id="c1")


def used(made: Tool[..., Any], **arguments: Any) -> Any:
    """Decode and call, as the executor does."""
    decoded = made.decode(json.dumps(arguments))
    assert decoded.ok, decoded.error
    result = made.call(CONTEXT, decoded)
    return asyncio.run(result) if made.is_async else result


def as_any(function: Any) -> Any:
    """Hide a type from type checkers."""
    return function


@tool
def add(a: int, b: int = 2) -> int:
    """Add two numbers.

    Args:
        a: the first
        b: the second
    """
    return a + b


def test_definition_of_a_function() -> None:
    """A function becomes a flat, strict definition, the same object each time."""
    assert add.definition() == {
        "type": "function",
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {
            "type": "object",
            "properties": {
                "a": {"type": "integer", "description": "the first"},
                "b": {"type": ["integer", "null"], "description": "the second. Default: 2."},
            },
            "required": ["a", "b"],
            "additionalProperties": False,
        },
        "strict": True,
    }
    assert add.definition() is add.definition()
    assert add.definition(custom=False) is add.definition()


def test_a_tool_is_still_the_function() -> None:
    """A decorated function is called like before, and shows its name and docstring."""
    assert add(1, b=5) == 6
    assert add.__name__ == "add"
    assert str(add.__doc__).startswith("Add two")


def test_defaults_are_the_functions_own() -> None:
    """What is left out, or null on the wire, takes the function's default."""
    assert used(add, a=1) == 3
    assert used(add, a=1, b=None) == 3
    assert used(add, a=1, b=4) == 5


@tool(read_only=True, timeout=5, name="wait", description="Wait a little.")
async def slow(ctx: RunContext[int], seconds: float = 0.0) -> str:
    """Ignored."""
    await asyncio.sleep(seconds)
    return f"{ctx.deps} {ctx.call_id}"


def test_async_function_with_options() -> None:
    """Options, name and description come from the decorator; the context is injected and hidden."""
    assert slow.is_async
    assert slow.options == ToolOptions(read_only=True, timeout=5)
    assert (slow.name, slow.description) == ("wait", "Wait a little.")
    assert list(slow.parameters["properties"]) == ["seconds"]
    assert used(slow) == "7 c1"


def early(context: RunContext[Any], x: int) -> Any:
    """Ask for the context first."""
    return context.deps, x


def late(x: int, context: RunContext[int] | None = None) -> Any:
    """Ask for the context last, optionally."""
    assert context is not None
    return context.deps, x


def quoted(x: int, context: RunContext[OnlyForTyping], y: int = 0) -> Any:
    """Ask for the context between, by a type that exists only for type checkers."""
    return context.deps, x


def positional(context: RunContext, x: int, /) -> Any:
    """Ask for the context by position."""
    return context.deps, x


@pytest.mark.parametrize("function", [early, late, quoted, positional])
def test_context_is_injected_anywhere(function: Any) -> None:
    """RunContext is recognised at every position and in every way to write it."""
    made = as_tool(function)
    assert "context" not in made.parameters["properties"]
    assert used(made, x=3) == (7, 3)


def ordered(a: int = 1, b: int = 2, /, c: int = 3) -> tuple[int, int, int]:
    """Take some by position."""
    return a, b, c


def test_positional_defaults() -> None:
    """A positional parameter that is left out takes its default, whatever comes after it."""
    made = as_tool(ordered)
    assert used(made, b=5) == (1, 5, 3)
    assert used(made, c=7) == (1, 2, 7)


def test_types_are_kept() -> None:
    """Type checkers see the signature of the function, bound methods included."""
    assert_type(add(1), int)
    assert_type(Counter().count(by=2), int)


class Counter:
    """Holds a number and tools that change it."""

    def __init__(self) -> None:
        self.total = 0

    @tool
    def count(self, by: int = 1) -> int:
        """Count up."""
        self.total += by
        return self.total

    def plain(self, by: int) -> int:
        """Count down."""
        self.total -= by
        return self.total

    @classmethod
    @tool
    def of_class(cls, word: str) -> str:
        """Name the class."""
        return cls.__name__ + word

    @staticmethod
    @tool
    def of_none(word: str) -> str:
        """Echo."""
        return word

    def __call__(self, by: int) -> int:
        """Count by being called."""
        return self.plain(-by)


def test_methods_are_bound() -> None:
    """A decorated method and a plain bound method both act on their object."""
    counter = Counter()
    other = Counter()
    assert used(counter.count, by=2) == 2
    assert used(as_tool(counter.plain), by=5) == -3
    assert used(as_tool(counter), by=4) == 1
    assert counter.count(by=1) == 2
    assert (counter.total, other.total) == (2, 0)
    assert list(counter.count.parameters["properties"]) == ["by"]
    assert counter.count.definition() == Counter.count.definition()


def test_class_and_static_methods() -> None:
    """Class methods are bound to the class, static methods to nothing."""
    assert used(as_tool(Counter.of_class), word="!") == "Counter!"
    assert used(as_tool(Counter().of_class), word="!") == "Counter!"
    assert used(as_tool(Counter.of_none), word="!") == "!"


@tool
async def pieces(count: int) -> AsyncIterator[str]:
    """Say it piece by piece."""
    for number in range(count):
        yield str(number)


def test_async_generators_are_tools() -> None:
    """A tool may yield its result in pieces; calling it gives the generator."""

    async def collect() -> list[str]:
        return [piece async for piece in pieces.call(CONTEXT, pieces.decode('{"count": 3}'))]

    assert not pieces.is_async
    assert asyncio.run(collect()) == ["0", "1", "2"]


def test_partial_hides_what_it_gives() -> None:
    """A partial is a tool without the parameters that are given already."""

    def join(left: str, right: str, sep: str) -> str:
        """Join."""
        return left + sep + right

    made = as_tool(functools.partial(join, "a", sep="-"))
    assert list(made.parameters["properties"]) == ["right"]
    assert made.name == "join"
    assert used(made, right="b") == "a-b"


class Mail(BaseModel):
    """Send a mail."""

    to: str
    subject: Literal["hello", "bye"] = "hello"

    async def __call__(self, context: RunContext[int]) -> str:
        """Send it."""
        return f"{self.subject} {self.to} {context.deps}"


class Point(BaseModel):
    """A point."""

    x: int


def test_models_are_tools() -> None:
    """A model's fields are the parameters; its `__call__` runs, or the validated model is the output."""
    mail, point = as_tool(Mail), tool(Point)
    assert (mail.name, mail.description, mail.is_async) == ("Mail", "Send a mail.", True)
    assert used(mail, to="Ann") == "hello Ann 7"
    assert used(point, x=1) == Point(x=1)
    assert point.render(used(point, x=1)) == '{"x":1}'
    assert not mail.decode('{"to": "Ann", "cc": "Bob"}').ok


def test_raw_schema_and_its_function() -> None:
    """A raw schema goes with a function of its properties; dots in names are mapped."""

    def search(query: str, limit: int = 3) -> str:
        """Search."""
        return query * limit

    schema = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    made = Tool.from_schema(name="db.search", description="Search it.", parameters=schema, function=search)
    assert (made.name, made.label) == ("db_search", "db.search")
    assert used(made, query="a") == "aaa"
    schema["properties"] = {}
    assert "query" in made.parameters["properties"]


def test_raw_schema_and_a_lambda() -> None:
    """With a schema of its own, a tool needs no types: a lambda or `**arguments` will do."""
    schema = {"type": "object", "properties": {"a-b": {"type": "integer"}}, "additionalProperties": False}
    echo: Any = as_any(lambda **given: given)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    made = Tool.from_schema(name="f", description="", parameters=schema, function=echo)
    assert used(made, **{"a-b": 1}) == {"a-b": 1}


DRAFT7 = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "definitions": {"pair": {"type": "array", "items": [{"type": "integer"}, {"type": "string"}], "minItems": 2,
                             "additionalItems": False}},
    "type": "object",
    "properties": {"at": {"type": "string", "format": "date-time"}, "pair": {"$ref": "#/definitions/pair"}},
    "required": ["pair"],
    "additionalProperties": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "ok"),
    [
        ({"pair": [1, "a"]}, True),
        ({"pair": [1, "a"], "at": "2026-01-02T03:04:05Z"}, True),
        ({"pair": [1, "a"], "at": "yesterday"}, False),
        ({"pair": ["a", 1]}, False),
        ({"pair": [1, "a", 2]}, False),
        ({"pair": {"_0": 1, "_1": "a"}, "at": None}, True),
    ],
)
def test_draft_7_with_formats(value: dict[str, Any], ok: bool) -> None:
    """Draft-07 schemas are read as such, and formats are checked."""

    def run(**arguments: Any) -> Any:
        return arguments

    made = Tool.from_schema(name="f", description="", parameters=DRAFT7, function=run)
    assert made.decode(json.dumps(value)).ok == ok


def nothing() -> None:
    """Take nothing."""


def many(*words: str) -> None:
    """Take many."""


def free(**words: str) -> None:
    """Take any."""


class Opaque:
    """Has no JSON form."""


def opaque(x: Opaque) -> None:
    """Take what has no JSON form."""


def unknown(x: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821
    """Name what is not there."""


def twice(a: RunContext[Any], b: RunContext[Any]) -> None:
    """Ask twice."""


def lazily() -> Any:
    """Yield."""
    yield 1


def stripped(function: Any) -> Any:
    """Take the types away, as in code that has none."""
    function.__annotations__ = {}
    return function


@stripped
def untyped(x: int) -> None:
    """Forget the type."""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (untyped, r"'x' has no type; write `x: str`"),
        (many, r"\*words has no name for the model; take `words: list\[...\]`"),
        (free, r"\*\*words takes any key; take `words: dict\[str, ...\]`"),
        (opaque, r"the type of the parameter 'x' has no JSON form"),
        (as_any(unknown), r"'Nowhere' in its annotations is not defined"),
        (twice, r"asks for RunContext twice"),
        (lazily, r"yields; return a list"),
        (as_any(lambda: 0), r"a lambda has no name"),
        (Opaque, r"the class Opaque is no tool"),
        (Point(x=1), r"give the class Point, not an instance"),
        (3, r"int '3' is no tool"),
    ],
)
def test_what_is_no_tool(given: Any, message: str) -> None:
    """What cannot be a tool is refused when it is made, with the fix."""
    with pytest.raises(ToolDefinitionError, match=message):
        as_tool(given)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "object", "properties": {"x": {"$ref": "http://example.org/x"}}}, "leads outside"),
        ({"type": "object", "properties": {"x": {"$ref": "#/$defs/x"}}}, "points to nothing"),
        ({"type": "object", "properties": {"x": {"type": "dict"}}}, "not a JSON schema"),
        ({"type": "array"}, "must describe an object"),
    ],
)
def test_unusable_schemas(schema: dict[str, Any], message: str) -> None:
    """What is no schema, no object's, or leads outside is refused at once."""

    def run(**arguments: Any) -> Any:
        return arguments

    with pytest.raises(SchemaError, match=message):
        Tool.from_schema(name="f", description="", parameters=schema, function=run)


def test_schema_and_function_must_fit() -> None:
    """A property that the function does not take is found when the tool is made."""
    schema = {"type": "object", "properties": {"zzz": {"type": "string"}}}
    with pytest.raises(ToolDefinitionError, match=r"declares 'zzz', which .*nothing does not take"):
        Tool.from_schema(name="f", description="", parameters=schema, function=nothing)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "timeout=0 is no use; set timeout: seconds > 0"),
        ({"max_concurrency": 0}, "max_concurrency: 1 or more"),
        ({"resource": ""}, "resource: a name"),
        ({"retries": 1}, "set read_only=True or idempotent=True"),
        ({"read_only": True, "destructive": True}, "not both"),
        ({"approval": "maybe"}, "approval: 'never', 'always', or a function"),
        ({"isolation": "vm"}, "isolation: 'thread' or 'process'"),
        ({"max_output": 10}, "max_output: at least 200"),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    """An option that makes no sense is refused when it is given, with the fix."""
    with pytest.raises(ToolDefinitionError, match=message):
        ToolOptions(**options)


def test_process_isolation_needs_a_plain_function() -> None:
    """What cannot be imported by another process is refused as such when the tool is made."""
    assert (
        Tool.from_function(nothing, options=ToolOptions(isolation="process")).options.isolation == "process"
    )
    unfit: list[tuple[Any, str]] = [(early, "asks for a RunContext"), (Counter().plain, "is a method")]
    for function, reason in unfit:
        with pytest.raises(ToolDefinitionError, match=reason):
            Tool.from_function(function, options=ToolOptions(isolation="process"))


def test_a_tool_never_changes() -> None:
    """Tools are shared between agents and threads; changes give another tool."""
    other = add.rename("plus").with_options(timeout=3)
    assert (other.name, other.options.timeout, add.name, add.options.timeout) == ("plus", 3, "add", None)
    assert other(1, 1) == 2
    with pytest.raises(AttributeError, match="never changes"):
        add.name = "x"
    assert copy.deepcopy(add) is add


def test_refused_arguments_are_not_called() -> None:
    """Arguments that were refused never reach the function."""
    with pytest.raises(ToolDefinitionError, match="were refused"):
        add.call(CONTEXT, add.decode("{}"))


def test_names_are_told_apart() -> None:
    """Names that look the same to a server stay different; the same name twice is a mistake."""
    dotted, plain = add.rename("a.b"), add.rename("a_b")
    names = [made.name for made in distinct_tools([dotted, plain])]
    assert names[1] == "a_b"
    assert len(set(names)) == 2
    with pytest.raises(ToolDefinitionError, match="two tools are called 'add'"):
        distinct_tools([add, add])


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: tool(add), "is a tool already"),
        (lambda: tool(transform=int)(nothing), "give grammar= too"),
        (lambda: tool(timeout=1, options=ToolOptions())(nothing), "not both"),
        (lambda: tool(Counter.__dict__["of_class"]), "write @classmethod above @tool"),
        (lambda: tool(Opaque), "not on"),
    ],
)
def test_misuse_of_the_decorator(use: Any, message: str) -> None:
    """What the decorator cannot do is said where it is used."""
    with pytest.raises(ToolDefinitionError, match=message):
        use()
