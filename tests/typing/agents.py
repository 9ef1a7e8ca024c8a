"""What a user's editor infers; checked by mypy and pyright, never run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_type

from lark import Token, Tree
from pydantic import BaseModel

from jigwork import Agent, Grammar, RunContext, RunResult, tool
from jigwork.agent.events import Event


class City(BaseModel):
    """A city."""

    name: str


class Country(BaseModel):
    """A country."""

    name: str


@dataclass
class Deps:
    """Dependencies."""

    key: str


grammar = Grammar.from_lark('start: "a"+')


def count(tree: Tree[Token]) -> int:
    return len(tree.children)


assert_type(Agent(), Agent[None, str])
assert_type(Agent(output=City), Agent[None, City])
assert_type(Agent(output=City | Country), Agent[None, City | Country])
assert_type(Agent(output=list[int]), Agent[None, list[int]])
assert_type(Agent(output=City | None), Agent[None, City | None])
assert_type(Agent(deps_type=Deps), Agent[Deps, str])
assert_type(Agent(output=grammar), Agent[None, str])
assert_type(Agent(output=(grammar, count)), Agent[None, int])
assert_type(Agent(output=grammar, deps_type=Deps), Agent[Deps, str])
assert_type(Agent("gpt-5.2", deps_type=Deps, output=City), Agent[Deps, City])


def instructions(ctx: RunContext[Deps]) -> str:
    return ctx.deps.key


agent = Agent(deps_type=Deps, output=City, instructions=instructions)


async def doors() -> None:
    assert_type(await agent.run("x", deps=Deps("k")), RunResult[City])
    assert_type((await agent.run("x", deps=Deps("k"))).output, City)
    assert_type(agent.run_sync("x", deps=Deps("k")).output, City)
    async with agent.stream("x", deps=Deps("k")) as run:
        async for event in run:
            assert_type(event, Event)
        assert_type(run.result.output, City)
    with agent.stream_sync("x", deps=Deps("k")) as sync_run:
        for event in sync_run:
            assert_type(event, Event)
        assert_type(sync_run.result.output, City)


@tool
def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


@tool(read_only=True)
async def fetch(ctx: RunContext[Deps], url: str) -> dict[str, Any]:
    """Fetch."""
    return {"url": url, "key": ctx.deps.key}


assert_type(add(1, 2), int)
Agent(tools=[add, fetch, City])
