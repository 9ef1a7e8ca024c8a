"""What the tests of toolsets share: one run through any of the four doors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from jigwork import Agent, RunResult
from jigwork.agent.events import Event

Through = Callable[..., tuple[RunResult[Any], list[Event]]]


def _through(door: str, agent: Agent[Any, Any], x: Any, **options: Any) -> tuple[RunResult[Any], list[Event]]:
    """Run through one of the four doors; return the result and the events, those of streams only."""
    events: list[Event] = []
    if door == "run":
        return asyncio.run(agent.run(x, **options)), events
    if door == "run_sync":
        return agent.run_sync(x, **options), events
    if door == "stream_sync":
        with agent.stream_sync(x, **options) as run:
            events += run
        return run.result, events

    async def stream() -> RunResult[Any]:
        async with agent.stream(x, **options) as run:
            async for event in run:
                events.append(event)
        return run.result

    return asyncio.run(stream()), events


@pytest.fixture
def through() -> Through:
    """Return a function that runs an agent through a door: (door, agent, input, **options) -> result, events."""
    return _through
