"""Toolsets as values: what they hold, how they are joined, narrowed, renamed and wrapped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

import pytest

from jigwork.errors import ToolDefinitionError
from jigwork.tools import RunContext, Tool, Toolset, tool

CONTEXT: RunContext[None] = RunContext(None)


@tool(read_only=True)
def look(place: str) -> str:
    """Look at a place."""
    return f"saw {place}"


@tool
def push(thing: str) -> str:
    """Push a thing."""
    return f"pushed {thing}"


@tool(destructive=True)
def burn(thing: str) -> str:
    """Burn a thing."""
    return f"burned {thing}"


THINGS = Toolset([look, push, burn], name="things")


def names(toolset: Toolset, context: RunContext[Any] = CONTEXT) -> list[str]:
    """Return the names of what is there now."""
    return [tool.label for tool in asyncio.run(_tools(toolset, context))]


async def _tools(toolset: Toolset, context: RunContext[Any]) -> list[Tool[..., Any]]:
    async with toolset:
        return list(await toolset.tools(context))


def always(context: RunContext[Any], tool: Tool[..., Any]) -> bool:
    """Keep everything: makes a toolset of which nothing is known before it is asked."""
    return True


CHANGES: list[tuple[str, Callable[[Toolset], Toolset], list[str]]] = [
    ("as it is", lambda t: t, ["look", "push", "burn"]),
    ("prefixed", lambda t: t.prefixed("my"), ["my_look", "my_push", "my_burn"]),
    ("prefixed twice", lambda t: t.prefixed("a").prefixed("b"), ["b_a_look", "b_a_push", "b_a_burn"]),
    ("renamed by a dict", lambda t: t.renamed({"push": "shove"}), ["look", "shove", "burn"]),
    ("renamed by a function", lambda t: t.renamed(str.upper), ["LOOK", "PUSH", "BURN"]),
    ("only some", lambda t: t.only("push", "look"), ["look", "push"]),
    ("without some", lambda t: t.without("push"), ["look", "burn"]),
    ("joined", lambda t: t.only("look") + t.prefixed("x").only("x_burn"), ["look", "x_burn"]),
    (
        "filtered by options",
        lambda t: t.filtered(lambda context, tool: tool.options.read_only),
        ["look"],
    ),
]


@pytest.mark.parametrize(("change", "expected"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
@pytest.mark.parametrize("hidden", [False, True], ids=["known", "unknown"])
def test_changes(change: Callable[[Toolset], Toolset], expected: list[str], hidden: bool) -> None:
    """Each change gives the same tools for a toolset that is known and for one that has to be asked."""
    assert names(change(THINGS.filtered(always) if hidden else THINGS)) == expected
    assert names(THINGS) == ["look", "push", "burn"]


def test_known_only_where_nothing_may_change() -> None:
    """A toolset is known as long as no part of it may change or has to be opened."""
    assert THINGS.prefixed("a").without("a_burn").known is not None
    assert (THINGS + THINGS.prefixed("b")).known is not None
    assert THINGS.filtered(always).known is None
    assert (THINGS.prefixed("a") + THINGS.filtered(always)).known is None
    assert Toolset.dynamic(lambda context: []).known is None


def test_a_changed_tool_is_the_same_at_every_turn() -> None:
    """A change makes one tool of each, so that what is sent stays the same object."""
    changed = THINGS.filtered(always).prefixed("a").with_options(timeout=3)
    first, second = (asyncio.run(_tools(changed, CONTEXT)) for _ in range(2))
    assert all(a is b for a, b in zip(first, second, strict=True))


def test_options() -> None:
    """Options are changed for all tools, and for the original ones not."""
    asked = next(iter(THINGS.only("push").with_options(approval="always", timeout=2).known or ()))
    assert (asked.options.approval, asked.options.timeout) == ("always", 2)
    assert push.options.approval is None


FAULTS: list[tuple[Callable[[], object], str]] = [
    (lambda: THINGS.only("pusch"), r"things has no tool 'pusch': did you mean 'push'\?"),
    (lambda: THINGS.without("fetch"), "things has no tool 'fetch': there are look, push, burn"),
    (lambda: THINGS.renamed({"pull": "x"}), "things has no tool 'pull'"),
    (lambda: THINGS + THINGS, r"two tools are called 'look' .*toolset.prefixed\('...'\)"),
    (lambda: THINGS.renamed({"look": "push"}), r"two tools are called 'push'"),
    (lambda: Toolset([3]), "is no tool"),
]


@pytest.mark.parametrize(("make", "message"), FAULTS)
def test_mistakes_are_errors_at_once(make: Callable[[], object], message: str) -> None:
    """A name that is not there and two tools of one name are errors where the toolset is made."""
    with pytest.raises(ToolDefinitionError, match=message):
        make()


def test_dynamic() -> None:
    """A function of the context chooses the tools of the turn, sync or async, single ones or known toolsets."""

    def early(context: RunContext[None]) -> list[Any]:
        return [look] if context.turn < 2 else [look, THINGS.only("burn")]

    async def later(context: RunContext[None]) -> list[Any]:
        await asyncio.sleep(0)
        return early(context)

    for function in (early, later):
        toolset = Toolset.dynamic(function)
        assert names(toolset, RunContext(None, turn=1)) == ["look"]
        with pytest.raises(ToolDefinitionError, match="two tools are called 'look'"):
            names(
                toolset + Toolset([look]).filtered(always) + toolset.renamed({}).prefixed("b") + _bad(),
                CONTEXT,
            )
    assert names(Toolset.dynamic(lambda context: [THINGS.only("burn"), look])) == ["burn", "look"]


def _bad() -> Toolset:
    return Toolset.dynamic(lambda context: [look, look])


def test_dynamic_takes_no_toolset_that_must_be_opened() -> None:
    """A function cannot bring a toolset that nobody would open; the error says where it belongs."""
    with pytest.raises(ToolDefinitionError, match="give that one to the agent itself"):
        names(Toolset.dynamic(lambda context: [THINGS.filtered(always)]))


class Opened(Toolset):
    """Counts how often it is open."""

    def __init__(self, name: str, log: list[str], *, fails: bool = False) -> None:
        super().__init__([look.rename(f"look_{name}")], name=name)
        self.log = log
        self.fails = fails

    async def __aenter__(self) -> Self:
        if self.fails:
            raise OSError(f"{self.name} does not open")
        self.log.append(f"+{self.name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.log.append(f"-{self.name}")


def test_opening_goes_all_the_way_down() -> None:
    """Opening a joined, filtered, renamed toolset opens what it was made of, and closes it in reverse."""
    log: list[str] = []
    toolset = Opened("a", log).prefixed("p") + Opened("b", log).filtered(always).wrapped(_untouched)
    assert names(toolset) == ["p_look_a", "look_b"]
    assert log == ["+a", "+b", "-b", "-a"]


def test_what_was_opened_is_closed_where_the_next_does_not_open() -> None:
    """Where one of several does not open, those before it are closed again."""
    log: list[str] = []
    with pytest.raises(OSError, match="b does not open"):
        names(Opened("a", log) + Opened("b", log, fails=True))
    assert log == ["+a", "-a"]


async def _untouched(
    context: RunContext[Any], arguments: Mapping[str, Any], call: Callable[[], Awaitable[Any]]
) -> Any:
    return await call()
