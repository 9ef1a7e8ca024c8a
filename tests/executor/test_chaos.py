"""Chaos: random turns of calls that fail in every way we know, cancelled at random moments. Nothing is lost or left."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from jigwork import Abort, Agent, JigworkError, Limits, RunState, Tool, tool
from jigwork.testing import ScriptedModel
from jigwork.tools.threads import stuck_threads


class Odd:
    """Has no form for a model."""


@tool
async def fine(n: int) -> int:
    """Work."""
    await asyncio.sleep(0)
    return n


@tool
def threaded(n: int) -> int:
    """Work in a thread."""
    time.sleep(0.0005)
    return n


@tool(read_only=True, retries=1)
async def flaky(n: int) -> str:
    """Fail now and then."""
    if random.random() < 0.5:
        raise OSError("reset")
    return "ok"


@tool
def broken(n: int) -> str:
    """Fail."""
    raise RuntimeError(f"broken {n}")


@tool(timeout=0.003)
async def slow(n: int) -> str:
    """Take too long."""
    await asyncio.sleep(5)
    return ""


@tool(timeout=0.003)
def hung(n: int) -> str:
    """Take too long in a thread."""
    time.sleep(0.02)
    return ""


@tool
async def gives_up(n: int) -> str:
    """Cancel itself."""
    raise asyncio.CancelledError


@tool
def odd(n: int) -> Any:
    """Return what cannot be sent."""
    return Odd()


@tool(exclusive=True)
async def alone(n: int) -> str:
    """Work alone."""
    await asyncio.sleep(0.0005)
    return "ok"


@tool(max_concurrency=2)
async def narrow(n: int) -> str:
    """Work two at a time."""
    await asyncio.sleep(0.0005)
    return "ok"


@tool(destructive=True)
async def risky(n: int) -> str:
    """Needs a person."""
    return "ok"


@tool
async def abort(n: int) -> str:
    """End the run."""
    raise Abort("enough")


@tool
def leave(n: int) -> str:
    """End the process, it thinks."""
    raise SystemExit(1)


COMMON: list[Tool[..., Any]] = [
    fine,
    threaded,
    flaky,
    broken,
    slow,
    hung,
    gives_up,
    odd,
    alone,
    narrow,
    risky,
]
RARE: list[Tool[..., Any]] = [abort, leave]
TEXTS = ['{"n": 1}', '{"n": 1}', '{"n": 1}', '{"n": "x"}', '{"n": 1', "", "[]", '{"n": 1, "m": 2}']


def turn(dice: random.Random) -> list[dict[str, str]]:
    names = [*(t.name for t in COMMON), "nothing"]
    if dice.random() < 0.1:
        names += [t.name for t in RARE]
    return [{"name": dice.choice(names), "arguments": dice.choice(TEXTS)} for _ in range(dice.randint(1, 64))]


async def play(dice: random.Random) -> RunState:
    """One turn, perhaps cancelled in the middle; returns the state that it left."""
    state = RunState()
    agent = Agent(ScriptedModel([turn(dice), "Done"]), tools=[*COMMON, *RARE], limits=Limits(concurrency=16))
    doors: list[Callable[[], Awaitable[Any]]] = [
        lambda: agent.run("go", state=state),
        lambda: stream(agent, state),
    ]
    task = asyncio.ensure_future(_guarded(dice.choice(doors)))
    if dice.random() < 0.3:
        asyncio.get_running_loop().call_later(dice.random() * 0.01, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
    return state


async def _guarded(door: Callable[[], Awaitable[Any]]) -> None:
    """Catch what a run may end with; SystemExit must not leave a task, or asyncio ends the loop."""
    with suppress(JigworkError, SystemExit):
        await door()


async def stream(agent: Agent[None, str], state: RunState) -> None:
    async with agent.stream("go", state=state) as run:
        await run.wait()


def check(state: RunState) -> None:
    """Every call has one outcome, and one output in the model's order; only what waits for a person is open, and what
    stands behind it: its output comes after that one's, and behind a barrier it has not begun."""
    calls = [i["call_id"] for i in state.items if i["type"] == "function_call"]
    outputs = [i["call_id"] for i in state.items if i["type"] == "function_call_output"]
    waiting = {id for id, approval in state.approvals.items() if approval.approved is None} & set(calls)
    first = min((calls.index(id) for id in waiting), default=len(calls))
    assert outputs == calls[:first]
    assert [call["call_id"] for call in state.open_calls] == calls[first:]
    assert set(outputs) <= set(state.outcomes) and not waiting & set(state.outcomes)
    names = {i["call_id"]: i["name"] for i in state.items if i["type"] == "function_call"}
    unsettled = [id for id in calls if id not in state.outcomes and id not in waiting]
    assert not unsettled or "alone" in {names[id] for id in calls[first : calls.index(unsettled[0]) + 1]}
    RunState.from_json(state.to_json())


def survive(turns: int, seed: int) -> None:
    async def main() -> None:
        dice = random.Random(seed)
        for _ in range(turns):
            check(await play(dice))
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    until = time.monotonic() + 5
    while stuck_threads() and time.monotonic() < until:
        time.sleep(0.01)
    assert stuck_threads() == 0


def test_a_hundred_random_turns() -> None:
    """Every call settles once, no task and no thread is left behind."""
    survive(100, seed=1)


@pytest.mark.slow
def test_a_thousand_random_turns_leave_no_memory_behind() -> None:
    """The same for long: the number of live objects does not grow."""
    survive(100, seed=2)
    gc.collect()
    before = len(gc.get_objects())
    survive(1000, seed=3)
    gc.collect()
    assert len(gc.get_objects()) < before * 1.05 + 1000
    assert threading.active_count() < 150
